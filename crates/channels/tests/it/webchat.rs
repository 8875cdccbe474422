//! The socket of a site chat, over a real connection.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::ListenerExt;
use channels::Channel;
use channels::host::{Act, ThreadSignal};
use domain::message::{Content, Delivery, InboundKind};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

use crate::host::{FakeHost, NOW, channel, events};

pub(crate) const ORIGIN: &str = "https://shop.example";
pub(crate) const SHOP: &str = r#"origins = ["https://shop.example"]"#;

pub(crate) struct Server {
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) host: Arc<FakeHost>,
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
}

pub(crate) struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Server {
    pub(crate) async fn start(options: &str) -> Self {
        let (channel, host) = (channel("webchat", options), FakeHost::new());
        let stop = CancellationToken::new();
        let for_channel: Arc<dyn channels::Host> = Arc::<FakeHost>::clone(&host);
        let router = Arc::clone(&channel)
            .routes(for_channel, stop.clone())
            .expect("it has pages");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            channel,
            host,
            address,
            stop,
        }
    }

    pub(crate) async fn open(&self, origin: Option<&str>) -> Result<Page, Box<Error>> {
        let url = format!("ws://{}/chat/site/socket", self.address);
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
        }
        let (socket, answer) = connect_async(request).await.map_err(Box::new)?;
        assert!(!answer.headers().contains_key("sec-websocket-extensions"));
        Ok(Page { socket })
    }

    /// A page that has said hello; with it its welcome.
    pub(crate) async fn hello(&self, hello: Value) -> (Page, Value) {
        let mut page = self.open(Some(ORIGIN)).await.expect("admitted");
        let mut hello = hello;
        hello["type"] = json!("hello");
        page.say(&hello).await;
        let welcome = page.next().await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        (page, welcome)
    }

    /// A new visitor who is up to date.
    pub(crate) async fn visitor(&self) -> (Page, String, String) {
        let (mut page, welcome) = self.hello(json!({})).await;
        assert_eq!(page.next().await["type"], "synced");
        let text = |name: &str| welcome[name].as_str().expect("a text").to_owned();
        (page, text("visitor_id"), text("visitor_token"))
    }
}

impl Page {
    pub(crate) async fn say(&mut self, frame: &Value) {
        self.send(Message::text(frame.to_string())).await;
    }

    async fn send(&mut self, message: Message) {
        self.socket.send(message).await.expect("the server reads");
    }

    pub(crate) async fn ask(&mut self, frame: &Value) -> Value {
        self.say(frame).await;
        self.next().await
    }

    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let message = self.socket.next().await.expect("open").expect("a frame");
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).expect("JSON");
            }
            assert!(message.is_ping() || message.is_pong(), "{message:?}");
        }
    }

    /// Leaves as a browser does.
    pub(crate) async fn close(mut self) {
        self.socket.close(None).await.expect("the server reads");
        while let Some(Ok(_)) = self.socket.next().await {}
    }

    /// The close code, after whatever comes before it.
    async fn closed(&mut self) -> u16 {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("no close: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_new_visitor_gets_a_token_and_keeps_it() {
    let server = Server::start(SHOP).await;
    let (mut page, id, token) = server.visitor().await;
    assert_eq!(token.len(), 43);
    assert!(!token.contains(&id));
    let ack = page
        .ask(&json!({"type": "message", "client_id": "c1", "text": "Hello"}))
        .await;
    assert_eq!(ack, json!({"type": "ack", "client_id": "c1"}));
    let (_, welcome) = server.hello(json!({"token": token})).await;
    assert_eq!(welcome["visitor_id"], json!(id));
    assert_eq!(welcome.get("visitor_token"), None);
    let events = events(&server.channel, &server.host);
    assert_eq!(events[0].thread_key, id);
    assert_eq!(events[0].message_id, Some(format!("{id}:c1")));
    assert_eq!(events[0].sender.identities[0].value, id);
    for envelope in server.host.journal() {
        let raw = String::from_utf8(envelope.raw.to_vec()).unwrap();
        assert!(!raw.contains(&token), "the token is kept nowhere");
    }
}

#[tokio::test]
async fn a_spoilt_token_is_replaced() {
    let server = Server::start(SHOP).await;
    let (_, welcome) = server.hello(json!({"token": "spoilt", "cursor": 9})).await;
    assert_eq!(welcome["visitor_token"].as_str().map(str::len), Some(43));
    assert_eq!(welcome["cursor"], 0);
}

#[tokio::test]
async fn a_message_sent_twice_is_one() {
    let server = Server::start(SHOP).await;
    let (mut page, _, _) = server.visitor().await;
    let message = json!({"type": "message", "client_id": "c1", "text": "Hello"});
    let first = page.ask(&message).await;
    assert_eq!(first, page.ask(&message).await);
    assert_eq!(server.host.journal().len(), 1);
}

#[tokio::test]
async fn two_visitors_may_use_one_client_id() {
    let server = Server::start(SHOP).await;
    for _ in 0..2 {
        let (mut page, _, _) = server.visitor().await;
        page.ask(&json!({"type": "message", "client_id": "c1", "text": "Hello"}))
            .await;
    }
    assert_eq!(server.host.journal().len(), 2);
}

#[tokio::test]
async fn a_page_resumes_after_what_it_has_seen() {
    let server = Server::start(SHOP).await;
    let (mut page, id, token) = server.visitor().await;
    server.host.reply(&id, 5, "one");
    let live = page.next().await;
    assert_eq!((&live["text"], &live["cursor"]), (&json!("one"), &json!(5)));
    assert_eq!(
        (&live["author"], &live["operator_name"]),
        (&json!("operator"), &json!("Ann"))
    );
    drop(page);
    for cursor in 6..=130 {
        server.host.reply(&id, cursor, "more");
    }
    let (mut page, _) = server.hello(json!({"token": token, "cursor": 5})).await;
    for cursor in 6..=130 {
        assert_eq!(page.next().await["cursor"], cursor);
    }
    assert_eq!(page.next().await, json!({"type": "synced", "cursor": 130}));
}

#[tokio::test]
async fn a_cursor_of_a_lost_log_begins_anew() {
    let server = Server::start(SHOP).await;
    let (_, id, token) = server.visitor().await;
    server.host.reply(&id, 5, "one");
    let (mut page, welcome) = server.hello(json!({"token": token, "cursor": 900})).await;
    assert_eq!(welcome["cursor"], 0);
    assert_eq!(page.next().await["cursor"], 5);
}

#[tokio::test]
async fn a_burst_loses_nothing() {
    let server = Server::start(SHOP).await;
    let (mut page, id, _) = server.visitor().await;
    for cursor in 1..=200 {
        server.host.reply(&id, cursor, "x");
    }
    for cursor in 1..=200 {
        assert_eq!(page.next().await["cursor"], cursor);
    }
}

#[tokio::test]
async fn a_changed_message_comes_again() {
    let server = Server::start(SHOP).await;
    let (mut page, id, _) = server.visitor().await;
    server.host.reply(&id, 5, "one");
    let first = page.next().await;
    let mut changed = channels::host::ClientMessage {
        id: domain::MessageId::new(5),
        cursor: domain::event::Cursor(9),
        operator_name: Some("Ann".to_owned()),
        sent_at: NOW,
        content: Some(Content::Text(domain::message::Text::plain("two"))),
        attachments: Vec::new(),
        client_id: None,
        reply_to: None,
        reactions: vec![("👍".to_owned(), true)],
        edited_at: Some(NOW),
        delivery: Some(Delivery::Sent),
    };
    server.host.put(&id, changed.clone());
    let edited = page.next().await;
    assert_eq!(
        (&edited["id"], &edited["text"]),
        (&first["id"], &json!("two"))
    );
    assert_eq!(edited["reactions"], json!([{"emoji": "👍", "own": true}]));
    changed.cursor.0 = 10;
    changed.content = None;
    server.host.put(&id, changed);
    let deleted = page.next().await;
    assert_eq!(
        (&deleted["deleted"], &deleted["text"]),
        (&json!(true), &json!(""))
    );
}

#[tokio::test]
async fn only_listed_sites_are_let_in() {
    let server = Server::start(SHOP).await;
    for origin in [
        None,
        Some("null"),
        Some("https://evil.example"),
        Some("https://shop.example.evil.example"),
    ] {
        let refused = server.open(origin).await.err().map(|error| *error);
        let Some(Error::Http(answer)) = refused else {
            panic!("{origin:?}: {refused:?}")
        };
        assert_eq!(answer.status(), 403);
    }
    let open = Server::start("allow_no_origin = true").await;
    assert!(open.open(None).await.is_ok());
    server.host.deny(Some(Act::Connect));
    let refused = server.open(Some(ORIGIN)).await.err().map(|error| *error);
    let Some(Error::Http(answer)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (429, &"3".parse().unwrap())
    );
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_cut_off() {
    let server = Server::start(SHOP).await;
    let mut page = server.open(Some(ORIGIN)).await.unwrap();
    assert_eq!(page.next().await["code"], "hello_expected");
    assert_eq!(page.closed().await, 1008);
}

#[tokio::test]
async fn nothing_comes_before_hello() {
    let server = Server::start(SHOP).await;
    for first in [
        r#"{"type":"message","client_id":"c","text":"x"}"#,
        r#"{"type":"read","cursor":1}"#,
        "not JSON",
        "{}",
    ] {
        let mut page = server.open(Some(ORIGIN)).await.unwrap();
        page.send(Message::text(first)).await;
        assert_eq!(page.next().await["code"], "hello_expected");
        assert_eq!(page.closed().await, 1008);
    }
    assert!(server.host.journal().is_empty());
}

#[tokio::test]
async fn frames_that_are_too_long_or_no_text_end_it() {
    let server = Server::start(SHOP).await;
    let (mut page, _, _) = server.visitor().await;
    page.send(Message::text("x".repeat((64 << 10) + 1))).await;
    assert_eq!(page.next().await["code"], "too_large");
    assert_eq!(page.closed().await, 1009);
    let (mut page, _, _) = server.visitor().await;
    page.send(Message::binary(vec![0; 8])).await;
    assert_eq!(page.closed().await, 1003);
    let mut early = server.open(Some(ORIGIN)).await.unwrap();
    early.send(Message::text("x".repeat(65_537))).await;
    assert_eq!(early.closed().await, 1009);
}

#[tokio::test]
async fn frames_that_mean_nothing_are_answered() {
    let server = Server::start(SHOP).await;
    let (mut page, _, _) = server.visitor().await;
    for (frame, code) in [
        (r#"{"type":"hologram"}"#, "unknown_type"),
        (r#"{"type":"message"}"#, "malformed"),
        (r#"{"type":"hello"}"#, "unexpected"),
        ("[", "malformed"),
    ] {
        page.send(Message::text(frame)).await;
        let answer = page.next().await;
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!(code))
        );
    }
    assert_eq!(
        page.ask(&json!({"type": "ping"})).await,
        json!({"type": "pong"})
    );
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_by_name() {
    let server = Server::start(SHOP).await;
    let (mut page, _, _) = server.visitor().await;
    let long = "я".repeat(10_001);
    for (message, code) in [
        (json!({"client_id": "c", "text": " "}), "empty"),
        (json!({"client_id": "c", "text": long}), "text_too_long"),
        (json!({"client_id": "", "text": "x"}), "client_id"),
        (json!({"client_id": "a:b", "text": "x"}), "client_id"),
        (
            json!({"client_id": "c", "upload_ids": ["made.up"]}),
            "upload_id",
        ),
        (
            json!({"client_id": "c", "upload_ids": vec!["x"; 11]}),
            "too_many_files",
        ),
    ] {
        let mut message = message;
        message["type"] = json!("message");
        let answer = page.ask(&message).await;
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("refused"), &json!(code))
        );
    }
    assert!(server.host.journal().is_empty());
}

#[tokio::test]
async fn nothing_is_acknowledged_that_is_not_durable() {
    let server = Server::start(SHOP).await;
    let (mut page, _, _) = server.visitor().await;
    let message = json!({"type": "message", "client_id": "c1", "text": "x"});
    server.host.set_busy(true);
    let answer = page.ask(&message).await;
    assert_eq!(
        (&answer["code"], &answer["retry_after_ms"]),
        (&json!("busy"), &json!(1500))
    );
    assert!(!answer.to_string().contains("disk"));
    server.host.set_busy(false);
    server.host.deny(Some(Act::Begin));
    let answer = page.ask(&message).await;
    assert_eq!(
        (&answer["code"], &answer["retry_after_ms"]),
        (&json!("too_often"), &json!(2500))
    );
    server.host.deny(Some(Act::Write));
    assert_eq!(
        page.ask(&message).await["type"],
        "ack",
        "the first one begins"
    );
    let second = json!({"type": "message", "client_id": "c2", "text": "x"});
    assert_eq!(page.ask(&second).await["code"], "too_often");
}

#[tokio::test]
async fn a_made_up_cursor_does_not_spare_the_beginning() {
    let server = Server::start("origins = [\"https://shop.example\"]\nconsent = true").await;
    let token = "A".repeat(43);
    let (mut page, _) = server
        .hello(json!({"token": token, "cursor": 1, "page": "https://shop.example/"}))
        .await;
    assert_eq!(page.next().await["type"], "synced");
    let message = json!({"type": "message", "client_id": "c1", "text": "x"});
    assert_eq!(page.ask(&message).await["code"], "consent_required");
    page.say(
        &json!({"type": "profile", "name": "Bob", "email": "bob@b.example", "consent": true,
        "attributes": {"plan": "gold", "visits": 3, "page": "forged", "consent": "no"}}),
    )
    .await;
    assert_eq!(page.ask(&message).await["type"], "ack");
    let event = events(&server.channel, &server.host).remove(0);
    let attributes = event.sender.attributes.into_iter().collect::<Vec<_>>();
    let expected = [
        ("consent", "true"),
        ("page", "https://shop.example/"),
        ("plan", "gold"),
        ("visits", "3"),
    ];
    assert_eq!(
        attributes,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(
        event.sender.identities[1].trust,
        domain::identity::Trust::Claimed
    );
}

#[tokio::test]
async fn reading_is_told_once_for_every_message() {
    let server = Server::start(SHOP).await;
    let (mut page, id, token) = server.visitor().await;
    for cursor in 5..=7 {
        server.host.reply(&id, cursor, "x");
        page.next().await;
    }
    page.say(&json!({"type": "delivered", "cursor": 6})).await;
    page.say(&json!({"type": "read", "cursor": 6})).await;
    page.say(&json!({"type": "read", "cursor": 6})).await;
    page.ask(&json!({"type": "ping"})).await;
    let told: Vec<_> = events(&server.channel, &server.host)
        .into_iter()
        .map(|event| {
            let InboundKind::Receipt {
                target, delivery, ..
            } = event.kind
            else {
                panic!("{event:?}");
            };
            (target, delivery)
        })
        .collect();
    let told: Vec<_> = told
        .iter()
        .map(|(target, delivery)| (target.as_str(), *delivery))
        .collect();
    assert_eq!(
        told,
        [
            ("5", Delivery::Delivered),
            ("6", Delivery::Delivered),
            ("5", Delivery::Read),
            ("6", Delivery::Read),
        ]
    );
    // A page that comes again tells of what it was shown before.
    let (mut page, _) = server.hello(json!({"token": token, "cursor": 7})).await;
    page.next().await;
    page.say(&json!({"type": "read", "cursor": 7})).await;
    page.ask(&json!({"type": "ping"})).await;
    assert_eq!(events(&server.channel, &server.host).len(), 5);
}

#[tokio::test]
async fn typing_goes_both_ways() {
    let server = Server::start(SHOP).await;
    let (mut page, id, _) = server.visitor().await;
    page.say(&json!({"type": "typing", "active": true})).await;
    page.ask(&json!({"type": "message", "client_id": "c1", "text": "x"}))
        .await;
    page.say(&json!({"type": "typing", "active": true})).await;
    page.ask(&json!({"type": "ping"})).await;
    assert_eq!(
        server.host.typing_seen(),
        [(id.clone(), true)],
        "not before there is a conversation"
    );
    let typing = ThreadSignal::OperatorTyping {
        display_name: "Ann".to_owned(),
        active: true,
    };
    server.host.signal(&id, typing);
    assert_eq!(
        page.next().await,
        json!({"type": "typing", "active": true, "name": "Ann"})
    );
}

#[tokio::test]
async fn a_reaction_is_an_event() {
    let server = Server::start(SHOP).await;
    let (mut page, _, _) = server.visitor().await;
    let react = json!({"type": "react", "client_id": "r1", "message_id": "17", "emoji": "👍"});
    assert_eq!(page.ask(&react).await["type"], "ack");
    let event = events(&server.channel, &server.host).remove(0);
    assert!(matches!(event.kind, InboundKind::Reaction { ref target, .. } if target == "17"));
    let wrong = json!({"type": "react", "client_id": "r1", "message_id": "x", "emoji": "👍"});
    assert_eq!(page.ask(&wrong).await["code"], "reaction");
}

#[tokio::test]
async fn too_many_frames_are_held_back() {
    let server = Server::start(SHOP).await;
    let (mut page, _, _) = server.visitor().await;
    for _ in 0..120 {
        assert_eq!(page.ask(&json!({"type": "ping"})).await["type"], "pong");
    }
    let message = json!({"type": "message", "client_id": "c1", "text": "x"});
    let answer = page.ask(&message).await;
    assert_eq!(
        (&answer["code"], &answer["client_id"]),
        (&json!("too_often"), &json!("c1"))
    );
}

#[tokio::test]
async fn a_draining_node_says_goodbye() {
    let server = Server::start(SHOP).await;
    let (mut page, _, _) = server.visitor().await;
    let mut silent = server.open(Some(ORIGIN)).await.unwrap();
    server.stop.cancel();
    let bye = page.next().await;
    assert_eq!(
        (&bye["type"], &bye["reason"]),
        (&json!("bye"), &json!("restart"))
    );
    let after = bye["resume_after_ms"].as_i64().unwrap();
    assert!((500..5_000).contains(&after));
    assert_eq!(page.closed().await, 1012);
    assert_eq!(silent.closed().await, 1012);
}

#[tokio::test]
async fn a_page_that_does_not_answer_is_idle() {
    let server = Server::start(SHOP).await;
    let (page, _, _) = server.visitor().await;
    // Below the WebSocket nobody answers pings.
    let MaybeTlsStream::Plain(mut stream) = page.socket.into_inner() else {
        panic!("no TLS here");
    };
    // Only now: a paused clock runs ahead of a handshake.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    let pings = heard.windows(2).filter(|two| *two == [0x89, 0]).count();
    let waited = began.elapsed().as_secs();
    assert_eq!(
        (pings, (75..=80).contains(&waited)),
        (2, true),
        "{waited} s"
    );
    let heard = String::from_utf8_lossy(&heard);
    assert!(heard.contains(r#""reason":"idle""#), "{heard}");
}
