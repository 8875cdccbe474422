//! What nobody should send: a clear answer or a harmless text, and the next good
//! message goes through.

use bytes::Bytes;
use domain::operator::Role;
use e2e::bridge::message;
use e2e::http::Answer;
use e2e::operator::text_of;
use e2e::{Bridge, OperatorClient, TestGateway, Visitor, http, soon};
use futures::{SinkExt as _, StreamExt as _};
use http_body_util::Full;
use proto::admin::v1 as pb_admin;
use proto::admin::v1::admin_client::AdminClient;
use proto::contacts::v1 as contacts;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use rusqlite::Connection;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tonic::Code;

const DEPTH: usize = 10_000;
/// Turns what follows around, ends a line, begins a terminal's command, and more.
const NASTY: &str = "a\u{202e}b\u{2066}c\0d\u{1b}[31me\u{200b}f\r\ng\u{feff}h";
const MARKUP: &str = "<img src=x onerror=alert(1)><script>alert(2)</script>&lt;b&gt;";

fn deep(open: &str, close: &str) -> String {
    open.repeat(DEPTH) + &close.repeat(DEPTH)
}

fn assert_harmless(text: &str) {
    let bad = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert!(!text.contains(bad), "{text:?}");
}

async fn post(url: &str, path: &str, kind: &str, body: impl Into<Bytes>) -> Answer {
    let request = http::request(::http::Method::POST, path, None)
        .header("content-type", kind)
        .header("origin", url)
        .body(Full::new(body.into()))
        .unwrap();
    http::send(url, request).await
}

/// Waits for whatever is said next.
async fn any_message(boss: &mut OperatorClient) -> pb::Message {
    boss.wait_for("a message", |kind| match kind {
        Kind::MessageAdded(message) => Some(message),
        _ => None,
    })
    .await
}

async fn conversation_of(boss: &mut OperatorClient, said: &pb::Message) -> pb::Conversation {
    let request = pb::GetConversationRequest {
        conversation_id: said.conversation_id.clone(),
    };
    let opened = boss.inbox.get_conversation(request).await.unwrap();
    opened.into_inner().conversation.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_survives_its_visitors() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut neighbour = gateway.visitor().await;
    let mut visitor = gateway.visitor().await;
    visitor.frame("synced").await;
    for (frame, code) in [
        (deep("[", "]"), "malformed"),
        (deep("{\"a\":", "}"), "malformed"),
        ("not json".to_owned(), "malformed"),
        ("null".to_owned(), "malformed"),
        (r#"{"type":"message"}"#.to_owned(), "malformed"),
        (
            r#"{"type":"message","client_id":7,"text":"x"}"#.to_owned(),
            "malformed",
        ),
        (
            format!(r#"{{"type":"{}"}}"#, "x".repeat(5_000)),
            "unknown_type",
        ),
        (
            r#"{"type":"message","client_id":"../x","text":"x"}"#.to_owned(),
            "client_id",
        ),
        (
            format!(
                r#"{{"type":"message","client_id":"c","text":"{}"}}"#,
                "x".repeat(10_001)
            ),
            "text_too_long",
        ),
        (
            r#"{"type":"message","client_id":"c","text":" \n"}"#.to_owned(),
            "empty",
        ),
    ] {
        visitor.send_raw(Message::text(frame)).await;
        let answer = visitor.next().await.unwrap();
        assert_eq!(answer["code"], code, "{answer}");
    }
    visitor
        .send(json!({"type": "profile", "name": format!("{NASTY}{MARKUP}"), "email": "<b>@x"}))
        .await;
    visitor.say("c-1", &format!("{NASTY} {MARKUP}")).await;
    let message = any_message(&mut boss).await;
    assert_harmless(text_of(&message));
    let conversation = conversation_of(&mut boss, &message).await;
    // Markup in a plain text is text.
    assert!(text_of(&message).contains("<script>"), "{message:?}");
    let name = conversation.contact.unwrap().display_name;
    assert_harmless(&name);
    assert!(name.contains("<img"), "{name:?}");

    // What is no text, and what is far too long, ends this one's chat and no other's.
    for ending in [
        Message::binary(vec![0xff; 100]),
        Message::text("x".repeat(70_000)),
        Message::text("x".repeat(1_000_000)),
    ] {
        let mut visitor = gateway.visitor().await;
        visitor.send_raw(ending).await;
        while visitor.next().await.is_some() {}
        neighbour.send(json!({"type": "ping"})).await;
        neighbour.frame("pong").await;
    }
    neighbour.say("c-1", "a good message").await;
    boss.hears("a good message").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_begins_with_hello_from_a_known_site() {
    let gateway = TestGateway::start().await;
    let url = gateway.url();
    let address = format!("{}/chat/site/socket", url.replace("http", "ws"));
    for origin in [None, Some("https://evil.example"), Some("null")] {
        let mut request = address.clone().into_client_request().unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
        }
        let refused = tokio_tungstenite::connect_async(request).await;
        assert!(refused.is_err(), "{origin:?}");
    }
    for first in [
        r#"{"type":"ping"}"#.to_owned(),
        "x".to_owned(),
        deep("[", "]"),
    ] {
        let mut request = address.clone().into_client_request().unwrap();
        request.headers_mut().insert("origin", url.parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        socket.send(Message::text(first)).await.unwrap();
        let answer = soon("an answer", socket.next()).await.unwrap().unwrap();
        assert!(
            answer.to_text().unwrap().contains("hello_expected"),
            "{answer}"
        );
    }
    // A token that is none gets a new one.
    for token in ["", "x", "../../etc/passwd", "\u{202e}", &"x".repeat(10_000)] {
        let visitor = Visitor::open(&url, "site", Some(token), 0).await;
        assert_ne!(visitor.token, token);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_survives_its_senders() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let url = gateway.url();
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    for (kind, body, status) in [
        (json, deep("[", "]").into_bytes(), 400),
        (json, deep("{\"a\":", "}").into_bytes(), 400),
        (json, b"{".to_vec(), 400),
        (json, b"[]".to_vec(), 400),
        (json, b"{}".to_vec(), 400),
        (json, vec![0xff, 0xfe, 0x00], 400),
        (json, br#"{"message":{"a":1}}"#.to_vec(), 400),
        (json, br#"{"message":"\ud800"}"#.to_vec(), 400),
        (
            json,
            format!(r#"{{"message":"{}"}}"#, "x".repeat(20_000)).into_bytes(),
            400,
        ),
        (json, vec![b' '; 2 << 20], 413),
        (form, b"message=%ff%fe".to_vec(), 400),
        (form, "f=1&".repeat(60).into_bytes(), 400),
        (form, b"message=hello&submission_id=1".to_vec(), 400),
        ("multipart/form-data", b"hello".to_vec(), 400),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nhello".to_vec(),
            400,
        ),
        ("text/plain", b"hello".to_vec(), 415),
        ("", b"hello".to_vec(), 415),
    ] {
        let what = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = post(&url, "/forms/form", kind, body).await;
        assert_eq!(answer.status, status, "{kind} {what}: {}", answer.text());
        assert!(
            answer.json()["error"]["message"].is_string(),
            "{}",
            answer.text()
        );
    }
    let good = json!({
        "name": format!("{NASTY}{MARKUP}"),
        "email": "not an address",
        "message": format!("{MARKUP}{NASTY}"),
        format!("x{NASTY}"): MARKUP,
    });
    let answer = post(&url, "/forms/form", json, good.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let message = any_message(&mut boss).await;
    assert_harmless(text_of(&message));
    let waiting = boss.list(pb::Folder::Waiting).await.conversations;
    assert_eq!(waiting.len(), 1, "what was refused has left nothing");
    let contact = waiting[0].contact.clone().unwrap();
    assert_harmless(&contact.display_name);
    assert_harmless(&waiting[0].last_message_text);
    let answer = post(&url, "/forms/form", json, r#"{"message":"a good message"}"#).await;
    assert_eq!(answer.status, 200);
    boss.hears("a good message").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_survives_its_program() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let bridge = Bridge::connect(&gateway).await;
    let mut empty = message("anna", "1", "x");
    empty.content = None;
    let mut nowhere = message("anna", "1", "x");
    nowhere.line_id = "site".to_owned();
    let mut keyless = message("anna", "1", "x");
    keyless.event_key.clear();
    let mut endless = message("anna", "1", "x");
    endless.event_key = "x".repeat(300);
    let huge = message("anna", "huge", &"x".repeat(2 << 20));
    for (what, event, code) in [
        ("no content", empty, Code::InvalidArgument),
        ("another line", nowhere, Code::PermissionDenied),
        ("no key", keyless, Code::InvalidArgument),
        ("a long key", endless, Code::InvalidArgument),
        ("too much", huge, Code::InvalidArgument),
    ] {
        let refused = bridge.push(event).await.unwrap_err();
        assert_eq!(refused.code(), code, "{what}: {refused}");
    }
    let mut nasty = message("anna", "2", &format!("{NASTY}{MARKUP}"));
    let sender = nasty.sender.as_mut().unwrap();
    sender.display_name = format!("{NASTY}{MARKUP}");
    sender.avatar_url = "javascript:alert(1)".to_owned();
    sender.identities.push(contacts::Identity {
        kind: "phone".to_owned(),
        value: "not a phone".to_owned(),
        trust: contacts::Trust::Proven.into(),
        ..Default::default()
    });
    let Some(proto::channels::v1::inbound::Content::Text(text)) = &mut nasty.content else {
        panic!()
    };
    text.html = format!(
        "<p onclick=alert(1)>hello{MARKUP}</p>{}",
        deep("<b>", "</b>")
    );
    nasty.thread = Some(proto::channels::v1::Thread {
        subject: NASTY.to_owned(),
        ..Default::default()
    });
    bridge.push(nasty).await.unwrap();
    let message = any_message(&mut boss).await;
    let Some(pb::message::Content::Text(text)) = &message.content else {
        panic!("{message:?}")
    };
    assert_harmless(&text.plain);
    for markup in ["onclick", "onerror=", "<script"] {
        assert!(!text.html.contains(markup), "{}", text.html);
    }
    let waiting = boss.list(pb::Folder::Waiting).await.conversations;
    let contact = waiting[0].contact.clone().unwrap();
    assert_harmless(&contact.display_name);
    assert_harmless(&waiting[0].subject);
    assert_eq!(contact.avatar_url, "");
    bridge.says("bob", "1", "a good message").await;
    boss.hears("a good message").await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "the cases are a table")]
async fn the_json_contract_says_what_is_wrong() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let url = gateway.url();
    let send = |kind: &'static str, body: Vec<u8>| {
        let path = "/switchboard.inbox.v1.Inbox/SetPresence";
        let request = http::request(::http::Method::POST, path, Some(&boss.token))
            .header("content-type", kind)
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        http::send(&url, request)
    };
    let json = "application/json";
    let long = format!(r#"{{"awayReason":"{}"}}"#, "x".repeat(5 << 20));
    for (kind, body, status, code) in [
        (json, deep("[", "]").into_bytes(), 400, "invalid_argument"),
        (
            json,
            deep("{\"a\":", "}").into_bytes(),
            400,
            "invalid_argument",
        ),
        (json, b"{".to_vec(), 400, "invalid_argument"),
        (json, b"null".to_vec(), 400, "invalid_argument"),
        (json, vec![0xff, 0xfe], 400, "invalid_argument"),
        (
            json,
            br#"{"presence":"NO_SUCH"}"#.to_vec(),
            400,
            "invalid_argument",
        ),
        (
            json,
            br#"{"presence":{}}"#.to_vec(),
            400,
            "invalid_argument",
        ),
        (
            json,
            br#"{"nobody":"knows"}"#.to_vec(),
            400,
            "invalid_argument",
        ),
        (json, long.into_bytes(), 413, "resource_exhausted"),
        ("text/xml", b"<a/>".to_vec(), 415, "invalid_argument"),
        ("application/grpc", b"not a frame".to_vec(), 400, ""),
    ] {
        let what = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = send(kind, body).await;
        assert_eq!(answer.status, status, "{kind} {what}: {}", answer.text());
        assert_eq!(answer.code(), code, "{kind} {what}: {}", answer.text());
        assert!(!answer.text().contains("panicked"));
    }
    let nasty = json!({"presence": "AWAY", "awayReason": NASTY});
    let answer = send(json, nasty.to_string().into_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_harmless(answer.json()["awayReason"].as_str().unwrap());
    for path in [
        "/%",
        "/%00",
        "//",
        "/files/..%2f..%2fetc%2fpasswd",
        "/inbox/..%2f..%2fCargo.toml",
    ] {
        let answer = http::send(
            &url,
            http::request(::http::Method::GET, path, None)
                .body(Full::default())
                .unwrap(),
        )
        .await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    let good = boss.inbox.get_me(pb::GetMeRequest {}).await;
    assert!(good.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_kept_shown_and_replayed() {
    let gateway = TestGateway::start().await;
    let mut root = gateway.person("root", Role::Admin, &[]).await;
    let bridge = Bridge::connect(&gateway).await;
    let mut admin = AdminClient::new(root.signed());
    let poison = Bytes::from(format!("{}\u{202e}\0", deep("[", "")));
    let envelope = channels::Envelope {
        event_key: "poison".to_owned(),
        raw: poison.clone(),
        rest: None,
    };
    gateway
        .engine()
        .accept(&"bridge".into(), envelope)
        .await
        .unwrap();
    // The line goes on at once.
    bridge.says("anna", "1", "a good message").await;
    root.hears("a good message").await;
    let listed = admin
        .list_dead_letters(pb_admin::ListDeadLettersRequest::default())
        .await
        .unwrap()
        .into_inner()
        .dead_letters;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].event_key, "poison");
    assert!(!listed[0].error.is_empty());
    let request = pb_admin::GetDeadLetterRequest {
        id: listed[0].id.clone(),
    };
    let kept = admin.get_dead_letter(request).await.unwrap().into_inner();
    assert_eq!(kept.raw, poison, "kept as it came");

    // As after a release that can read it: now it is one message.
    let store = Connection::open(gateway.store_path()).unwrap();
    let mut good = message("bob", "2", "template");
    good.event_key = "bob:2".to_owned();
    bridge.push(good).await.unwrap();
    root.hears("template").await;
    let raw: Vec<u8> = store
        .query_row(
            "select raw from journal where event_key = 'bob:2'",
            (),
            |row| row.get(0),
        )
        .unwrap();
    let text = String::from_utf8(raw).unwrap();
    let repaired = text
        .replace("template", "from the dead")
        .replace("bob:2", "poison");
    store
        .execute(
            "update journal set raw = ?1 where event_key = 'poison'",
            [repaired.into_bytes()],
        )
        .unwrap();
    for (expect, id) in [(true, listed[0].id.clone()), (false, listed[0].id.clone())] {
        let request = pb_admin::ReplayDeadLetterRequest { id };
        let replayed = admin.replay_dead_letter(request).await;
        assert_eq!(replayed.is_ok(), expect, "{replayed:?}");
    }
    root.hears("from the dead").await;
    let left = admin
        .list_dead_letters(pb_admin::ListDeadLettersRequest::default())
        .await
        .unwrap();
    assert!(left.into_inner().dead_letters.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_blocked_creates_nothing() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let bridge = Bridge::connect(&gateway).await;
    let identity = message("mallory", "0", "").sender.unwrap().identities[0].clone();
    let block = pb::BlockIdentityRequest {
        identity: Some(identity.clone()),
        reason: "spam".to_owned(),
        client_id: String::new(),
    };
    boss.inbox.block_identity(block).await.unwrap();
    for number in 0..20 {
        bridge
            .says("mallory", &number.to_string(), "buy this")
            .await;
    }
    bridge.says("anna", "1", "a good message").await;
    boss.hears("a good message").await;
    // Their lane may still be at work; unblocking queues behind it in the thread.
    let store = Connection::open(gateway.store_path()).unwrap();
    let refused = "select count(*) from journal where state = 3";
    let done = async {
        loop {
            let count: i64 = store.query_row(refused, (), |row| row.get(0)).unwrap();
            if count == 20 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    soon("all are refused", done).await;
    let counts: (i64, i64, i64, i64) = store
        .query_row(
            "select (select count(*) from contact), (select count(*) from conversation),
                    (select count(*) from thread), (select count(*) from message)",
            (),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    assert_eq!(counts, (1, 1, 1, 1), "Anna's alone");

    let unblock = pb::UnblockIdentityRequest {
        identity: Some(identity),
        client_id: String::new(),
    };
    boss.inbox.unblock_identity(unblock).await.unwrap();
    bridge.says("mallory", "later", "sorry").await;
    boss.hears("sorry").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_touches_what_was_said_to_somebody_else() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut victim = gateway.visitor().await;
    victim.say("c-1", "hello").await;
    let conversation = anna.accept().await;
    let said = anna.say(&conversation.id, "a-1", "private").await.unwrap();
    victim.hears("private").await;
    let mut stranger = gateway.visitor().await;
    stranger.say("c-1", "hello too").await;
    // Its number can be guessed.
    stranger
        .send(json!({
            "type": "react", "client_id": "c-2", "message_id": said.id, "emoji": "👎",
        }))
        .await;
    stranger.acked("c-2").await;
    stranger
        .send(json!({
            "type": "message", "client_id": "c-3", "text": "about yours", "reply_to": said.id,
        }))
        .await;
    stranger.acked("c-3").await;
    let reply = anna.hears("about yours").await;
    assert_eq!(reply.reply_to_message_id, "");
    let messages = anna.messages(&conversation.id).await;
    assert!(
        messages.iter().all(|message| message.reactions.is_empty()),
        "{messages:?}"
    );
    // The client of the thread may.
    victim
        .send(json!({
            "type": "react", "client_id": "c-2", "message_id": said.id, "emoji": "👍",
        }))
        .await;
    anna.wait_for("a reaction", |kind| match kind {
        Kind::MessageChanged(message) => {
            (message.id == said.id && !message.reactions.is_empty()).then_some(())
        }
        _ => None,
    })
    .await;
}
