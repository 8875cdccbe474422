use std::time::Duration;

use http::{HeaderName, Method};
use serde_json::json;

use super::super::guard::World;
use super::super::peer::{Log, Named, OK, Peer, Step, world};
use super::*;

const SECRET: &str = "s3cret";
const NOW: Timestamp = Timestamp(0);
const MINUTE: Duration = Duration::from_secs(61);

fn setup(url: &str) -> Setup {
    Setup::new(Target::parse(url).unwrap(), Millis::from_secs(60))
}

fn client(url: &str) -> Client {
    Client::new(&setup(url)).unwrap()
}

fn message() -> Call {
    Call::post("send", Body::Json(json!({"text": "hello"})))
}

fn is_in_doubt(outcome: &Result<Reply, CallError>) -> bool {
    matches!(outcome, Err(CallError::InDoubt(_)))
}

fn is_not_sent(outcome: &Result<Reply, CallError>) -> bool {
    matches!(outcome, Err(CallError::NotSent(_)))
}

/// Asks, and lets a minute pass once the peer has seen it.
async fn after_a_minute(client: &Client, peer: &Peer, call: Call) -> Result<Reply, CallError> {
    let (client, before) = (client.clone(), peer.requests().len());
    let asked = tokio::spawn(async move { client.call(call, NOW).await });
    peer.until(|seen| seen.requests.len() > before).await;
    tokio::time::pause();
    tokio::time::advance(MINUTE).await;
    let outcome = asked.await.unwrap();
    tokio::time::resume();
    outcome
}

#[tokio::test]
async fn what_was_begun_and_not_answered_is_in_doubt_and_not_tried_again() {
    let many = format!(
        "HTTP/1.1 200 OK\r\n{}\r\n",
        "x: y\r\n".repeat(HEADERS_MAX + 1)
    );
    for script in [
        vec![Step::Touch],
        vec![Step::Read],
        vec![Step::Read, Step::Write("HTTP/1.1 20")],
        vec![Step::Read, Step::Write("220 mail.example ESMTP\r\n\r\n")],
        vec![Step::Read, Step::Write("\0\0\0\0\r\n\r\n")],
        vec![Step::Read, Step::Flood],
        vec![Step::Read, Step::Say(many)],
    ] {
        let peer = Peer::start(vec![script.clone()]).await;
        let outcome = client(&peer.url("")).call(message(), NOW).await;
        assert!(is_in_doubt(&outcome), "{script:?}: {outcome:?}");
        assert_eq!(peer.connections(), 1, "{script:?}");
    }
    let peer = Peer::start(vec![vec![Step::Read, Step::Hang]]).await;
    let outcome = after_a_minute(&client(&peer.url("")), &peer, message()).await;
    assert!(is_in_doubt(&outcome), "{outcome:?}");
    assert_eq!((peer.connections(), peer.requests().len()), (1, 1));
}

#[tokio::test]
async fn who_hangs_up_at_once_is_not_called_again() {
    let peer = Peer::start(vec![vec![]]).await;
    let outcome = client(&peer.url("")).call(message(), NOW).await;
    // Either is true, by whether the end was seen before the first byte was written.
    assert!(
        is_in_doubt(&outcome) || is_not_sent(&outcome),
        "{outcome:?}"
    );
    assert_eq!((peer.connections(), peer.requests().len()), (1, 0));
}

#[tokio::test]
async fn what_could_not_begin_is_not_sent() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let outcome = client(&closed).call(message(), NOW).await;
    assert!(is_not_sent(&outcome), "{outcome:?}");

    let nobody = world(443, |_| true, |_| Vec::new());
    let client = Client::within(&setup("https://a.example"), nobody).unwrap();
    let outcome = client.call(message(), NOW).await;
    assert!(is_not_sent(&outcome), "{outcome:?}");

    // It accepts, and never speaks TLS.
    let peer = Peer::start(vec![vec![Step::Touch, Step::Hang]]).await;
    let url = format!("https://{}", peer.address);
    let client = self::client(&url);
    let asked = tokio::spawn(async move { client.call(message(), NOW).await });
    peer.until(|seen| seen.connections > 0).await;
    tokio::time::pause();
    tokio::time::advance(CONNECT_MAX + Duration::from_secs(1)).await;
    let outcome = asked.await.unwrap();
    assert!(is_not_sent(&outcome), "{outcome:?}");
}

#[tokio::test]
async fn in_clear_only_to_this_machine_whatever_a_name_server_says() {
    for found in [vec!["192.0.2.1"], vec!["127.0.0.1", "192.0.2.1"]] {
        let liar = world(443, |_| true, move |_| found.clone());
        let client = Client::within(&setup("http://localhost:9"), liar).unwrap();
        let outcome = client.call(message(), NOW).await;
        let told = CallError::Refused("192.0.2.1 must not be reached".to_owned());
        assert_eq!(outcome, Err(told));
    }
}

#[tokio::test]
async fn a_certificate_is_trusted_when_it_is_from_whom_it_should_be() {
    let named = Named::new(&["localhost"]);
    let peer = Peer::tls(&named, vec![vec![Step::Read, OK]]).await;
    let url = format!("https://localhost:{}/hook?key=1", peer.address.port());
    for (roots, is_trusted) in [
        (Roots::of_pem(&named.pem).unwrap(), true),
        (Roots::public_and_pem(&named.pem).unwrap(), true),
        (
            Roots::of_pem(&Named::new(&["localhost"]).pem).unwrap(),
            false,
        ),
        (Roots::public(), false),
    ] {
        let setup = Setup {
            roots,
            ..setup(&url)
        };
        let before = peer.requests().len();
        let call = Call::post("", Body::Empty);
        let outcome = Client::new(&setup).unwrap().call(call, NOW).await;
        assert_eq!(outcome.is_ok(), is_trusted, "{outcome:?}");
        assert!(is_trusted || is_not_sent(&outcome), "{outcome:?}");
        assert_eq!(peer.requests().len() - before, usize::from(is_trusted));
    }
    let sent = &peer.requests()[0];
    assert!(sent.starts_with("POST /hook?key=1 HTTP/1.1\r\n"), "{sent}");
    let host = format!("\r\nhost: localhost:{}\r\n", peer.address.port());
    assert!(sent.contains(&host), "{sent}");
    let agent = format!("\r\nuser-agent: {USER_AGENT}\r\n");
    assert!(sent.contains(&agent), "{sent}");

    // It is another one's.
    let elsewhere = format!("https://127.0.0.1:{}", peer.address.port());
    let setup = Setup {
        roots: Roots::of_pem(&named.pem).unwrap(),
        ..setup(&elsewhere)
    };
    let outcome = Client::new(&setup).unwrap().call(message(), NOW).await;
    assert!(is_not_sent(&outcome), "{outcome:?}");
}

#[tokio::test]
async fn a_connection_is_kept() {
    let peer = Peer::start(vec![vec![Step::Read, OK, Step::Read, OK, Step::Hang]]).await;
    let client = client(&peer.url(""));
    for _ in 0..2 {
        let reply = client.clone().call(message(), NOW).await.unwrap();
        assert_eq!((reply.is_taken(), reply.json()), (true, Ok(json!({}))));
    }
    assert_eq!((peer.connections(), peer.requests().len()), (1, 2));
}

/// Lets what is known of sockets by now be heard by whoever waits for it.
async fn news_of_sockets() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_, _) = tokio::join!(tokio::net::TcpStream::connect(address), listener.accept());
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_kept_connection_that_has_ended_is_replaced() {
    let peer = Peer::start(vec![vec![Step::Read, OK]]).await;
    let client = client(&peer.url(""));
    for count in 1..4 {
        let outcome = client.call(message(), NOW).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        peer.until(|seen| seen.ended == count).await;
        news_of_sockets().await;
        assert_eq!((peer.connections(), peer.requests().len()), (count, count));
    }
}

#[tokio::test]
async fn what_was_read_on_a_kept_connection_is_not_sent_again() {
    let scripts = vec![
        vec![Step::Read, OK, Step::Read],
        vec![Step::Read, OK, Step::Touch],
        vec![Step::Read, OK],
    ];
    let peer = Peer::start(scripts).await;
    let client = client(&peer.url(""));
    for (requests, connections) in [(2, 1), (3, 2)] {
        assert!(client.call(message(), NOW).await.is_ok());
        let outcome = client.call(message(), NOW).await;
        assert!(is_in_doubt(&outcome), "{outcome:?}");
        let seen = (peer.requests().len(), peer.connections());
        assert_eq!(seen, (requests, connections));
    }
}

#[tokio::test]
async fn an_answer_is_known_by_its_status_however_it_ends() {
    const HEAD: Step = Step::Write("HTTP/1.1 503 No\r\nretry-after: 7\r\n\r\n");
    const HALF: Step =
        Step::Write("HTTP/1.1 503 No\r\nretry-after: 7\r\ncontent-length: 9\r\n\r\nhalf");
    for (script, length) in [
        (vec![Step::Read, HALF], 4),
        (vec![Step::Read, HEAD, Step::Flood], 99),
    ] {
        let peer = Peer::start(vec![script]).await;
        let mut call = message();
        call.answer_bytes_max = 99;
        let reply = client(&peer.url("")).call(call, NOW).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), reply.retry_after),
            (503, Some(Millis(7_000)))
        );
        assert_eq!((reply.body.len(), reply.is_whole), (length, false));
        assert!(matches!(reply.json(), Err(CallError::InDoubt(_))));
        peer.until(|seen| seen.ended == 1).await;
    }
    // The rest never comes.
    let peer = Peer::start(vec![vec![Step::Read, HALF, Step::Hang]]).await;
    let reply = after_a_minute(&client(&peer.url("")), &peer, message()).await;
    // By whether the head had been read when the minute was over.
    if let Ok(reply) = reply {
        assert_eq!((reply.status.as_u16(), reply.is_whole), (503, false));
    }
    // As long as it may be.
    let peer = Peer::start(vec![vec![Step::Read, OK]]).await;
    let mut call = message();
    call.answer_bytes_max = 2;
    assert!(
        client(&peer.url(""))
            .call(call, NOW)
            .await
            .unwrap()
            .is_whole
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let peer = Peer::start(vec![vec![
        Step::Read,
        Step::Write("HTTP/1.1 307 No\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n"),
        Step::Read,
        OK,
    ]])
    .await;
    let reply = client(&peer.url("")).call(message(), NOW).await.unwrap();
    assert_eq!((reply.status.as_u16(), peer.requests().len()), (307, 1));
    assert_eq!(reply.headers["location"], "/other");
}

#[tokio::test]
async fn a_long_poll_may_take_longer() {
    let peer = Peer::start(vec![vec![Step::Read, Step::Hang]]).await;
    let client = client(&peer.url(""));
    let mut call = Call::get("updates");
    call.wait = Millis::from_secs(60);
    let asked = tokio::spawn(async move { client.call(call, NOW).await });
    peer.until(|seen| seen.requests.len() == 1).await;
    tokio::time::pause();
    tokio::time::advance(MINUTE).await;
    tokio::task::yield_now().await;
    assert!(!asked.is_finished());
    tokio::time::advance(MINUTE).await;
    assert!(is_in_doubt(&asked.await.unwrap()));
}

fn file(name: &str, length: u64, pieces: Vec<io::Result<&'static str>>) -> Upload {
    let pieces = pieces
        .into_iter()
        .map(|piece| piece.map(bytes::Bytes::from));
    Upload {
        field: "photo".to_owned(),
        name: name.to_owned(),
        content_type: "image/png".to_owned(),
        length,
        content: futures::stream::iter(pieces.collect::<Vec<_>>()).boxed(),
    }
}

fn album(files: Vec<Upload>) -> Call {
    let fields = vec![("chat".to_owned(), "7".to_owned())];
    Call::post("photo", Body::Multipart(fields, files))
}

#[tokio::test]
async fn bodies_are_written() {
    let peer = Peer::start(vec![vec![Step::Read, OK]]).await;
    let client = client(&peer.url("/v1?key=1"));
    let fields = vec![
        ("a b".to_owned(), "1&2 ю".to_owned()),
        ("c".to_owned(), String::new()),
    ];
    let plain = HeaderValue::from_static("text/plain");
    for call in [
        message().query("to", "a&b"),
        Call::post("send", Body::Form(fields)),
        Call::post("send", Body::Bytes(plain, "hello".into())),
        Call::new(Method::DELETE, To::Path("send".to_owned()), Body::Empty).header(
            HeaderName::from_static("x-token"),
            HeaderValue::from_static("t"),
        ),
        album(vec![file("a.png", 6, vec![Ok("abc"), Ok("def")])]),
    ] {
        assert!(client.call(call, NOW).await.unwrap().is_taken());
    }
    let mut sent = peer.requests();
    let boundary = sent[4].split("boundary=").nth(1).unwrap();
    let boundary = boundary.lines().next().unwrap().to_owned();
    sent[4] = sent[4].replace(&boundary, "BOUNDARY");
    let sent = sent.join("\n----\n").replace('\r', "");
    let sent = sent.replace(&peer.address.to_string(), "HOST");
    insta::assert_snapshot!(sent);
}

#[tokio::test]
async fn half_of_a_file_is_not_sent() {
    for pieces in [
        vec![Ok("abc")],
        vec![],
        vec![Ok("abc"), Err(io::Error::other("the disk"))],
    ] {
        let peer = Peer::start(vec![vec![Step::Read, OK]]).await;
        let call = album(vec![file("a.png", 6, pieces)]);
        let outcome = client(&peer.url("")).call(call, NOW).await;
        assert!(is_not_sent(&outcome), "{outcome:?}");
        assert_eq!(peer.requests().len(), 0);
    }
    let peer = Peer::start(vec![vec![Step::Read, OK]]).await;
    let call = album(vec![file("a.png", 6, vec![Ok("abc"), Ok("defghi")])]);
    client(&peer.url("")).call(call, NOW).await.unwrap();
    let sent = peer.requests().remove(0);
    assert!(sent.contains("\r\n\r\nabcdef\r\n--"), "{sent}");
}

#[tokio::test]
async fn the_name_of_a_file_adds_nothing_to_its_head() {
    let peer = Peer::start(vec![vec![Step::Read, OK]]).await;
    let name = "a\"\r\nX-Evil: 1\r\n\r\n\\\u{0}ю.png";
    let call = album(vec![file(name, 1, vec![Ok("a")])]);
    client(&peer.url("")).call(call, NOW).await.unwrap();
    let sent = peer.requests().remove(0);
    assert!(
        sent.contains("filename=\"a___X-Evil: 1______ю.png\"\r\n"),
        "{sent}"
    );
}

fn secret_call() -> Call {
    let value = HeaderValue::from_str(SECRET).unwrap();
    let body = Body::Json(json!({"key": SECRET}));
    Call::post(format!("bot{SECRET}/send"), body)
        .query("key", SECRET)
        .header(header::AUTHORIZATION, value)
}

/// What is said when a server is called in every way.
async fn told(base: &str, proxy: Option<&str>) -> String {
    let mut setup = setup(&format!("{base}/{SECRET}?key={SECRET}"));
    setup.proxy = proxy.map(|proxy| Proxy::parse(proxy).unwrap());
    let world = world(1, |_| true, |_| vec!["127.0.0.1"]);
    let client = Client::within(&setup, world).unwrap();
    let mut told = format!("{setup:?} {client:?} {} {:?}", setup.target, secret_call());
    for to in [
        secret_call().to,
        To::Path(format!("../{SECRET}")),
        To::Url(format!("https://{SECRET}@a.example/{SECRET}")),
        To::Url(format!("https://a.example/{SECRET}")),
        To::Url(format!("https://a.example:1/{SECRET}")),
        To::Url(format!("{SECRET}://")),
    ] {
        let call = Call {
            to,
            ..secret_call()
        };
        if let Err(error) = client.call(call, NOW).await {
            told += &[error.to_string(), format!("{error:?}\n")].concat();
        }
    }
    told
}

#[tokio::test]
async fn secrets_are_never_told() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let mut all = String::new();
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(100));
    for script in [
        vec![],
        vec![Step::Touch],
        vec![Step::Read],
        vec![Step::Read, OK],
        vec![Step::Read, Step::Say(many)],
        vec![Step::Read, Step::Write("nonsense\r\n\r\n")],
    ] {
        let peer = Peer::start(vec![script]).await;
        all += &told(&peer.url(""), None).await;
    }
    // Neither TLS nor a proxy is there.
    let peer = Peer::start(vec![vec![Step::Touch]]).await;
    all += &told(&format!("https://{}", peer.address), None).await;
    for scheme in ["http", "socks5"] {
        let proxy = format!("{scheme}://{SECRET}:{SECRET}@{}", peer.address);
        all += &told("https://a.example", Some(&proxy)).await;
    }
    all += &String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(all.contains("it ended without an answer") && all.contains("reqwest"));
    let at = all
        .find(SECRET)
        .map(|at| &all[at.saturating_sub(200)..at + 20]);
    assert_eq!(at, None);
}

#[tokio::test]
async fn a_proxy_is_told_who_we_are() {
    let named = Named::new(&["a.example"]);
    let server = Peer::tls(&named, vec![vec![Step::Read, OK]]).await;
    let proxy = Peer::start(vec![vec![
        Step::Read,
        Step::Write("HTTP/1.1 200 OK\r\n\r\n"),
        Step::Join(server.address),
    ]])
    .await;
    let url = format!("http://user:pass%21@{}", proxy.address);
    let setup = Setup {
        roots: Roots::of_pem(&named.pem).unwrap(),
        proxy: Some(Proxy::parse(&url).unwrap()),
        ..setup("https://a.example")
    };
    let nobody = world(443, |_| true, |_| Vec::new());
    let client = Client::within(&setup, nobody).unwrap();
    client.call(message(), NOW).await.unwrap();
    let asked = proxy.requests().remove(0);
    assert!(
        asked.starts_with("CONNECT a.example:443 HTTP/1.1\r\n"),
        "{asked}"
    );
    // "user:pass!"
    let known = "proxy-authorization: basic dxnlcjpwyxnzIQ==";
    let asked = asked.to_lowercase();
    assert!(asked.contains(&known.to_lowercase()), "{asked}");
    assert_eq!(server.requests().len(), 1);

    // What we see to be of no business of others it is not asked for.
    let inside = world(443, |ip| !ip.is_loopback(), |_| vec!["127.0.0.1"]);
    let client = Client::within(&setup, inside).unwrap();
    let outcome = client.call(Call::get_at("https://b.example/"), NOW).await;
    assert!(matches!(outcome, Err(CallError::Refused(_))), "{outcome:?}");
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn by_socks_a_name_is_looked_up_here() {
    let named = Named::new(&["a.example"]);
    let server = Peer::tls(&named, vec![vec![Step::Read, OK]]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    let inner = server.address;
    let asked = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut said = [0; 10];
        let methods = 2 + usize::from({
            stream.read_exact(&mut said[..2]).await.unwrap();
            said[1]
        });
        stream.read_exact(&mut said[2..methods]).await.unwrap();
        stream.write_all(&[5, 2]).await.unwrap();
        // RFC 1929: "user" and "pass".
        let mut who = [0; 11];
        stream.read_exact(&mut who).await.unwrap();
        assert_eq!(&who, b"\x01\x04user\x04pass");
        stream.write_all(&[1, 0]).await.unwrap();
        stream.read_exact(&mut said).await.unwrap();
        stream
            .write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
            .await
            .unwrap();
        let mut other = tokio::net::TcpStream::connect(inner).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut other).await;
        said
    });
    let setup = Setup {
        roots: Roots::of_pem(&named.pem).unwrap(),
        proxy: Some(Proxy::parse(&format!("socks5://user:pass@{proxy}")).unwrap()),
        ..setup("https://b.example")
    };
    let found = world(443, World::real().is_public, |name| match name {
        "a.example" => vec!["8.8.8.8"],
        _ => vec!["10.0.0.1"],
    });
    let client = Client::within(&setup, found).unwrap();
    let outcome = client.call(Call::get_at("https://b.example/"), NOW).await;
    assert!(matches!(outcome, Err(CallError::Refused(_))), "{outcome:?}");
    let outcome = client.call(Call::get_at("https://a.example/"), NOW).await;
    assert!(outcome.unwrap().is_taken());
    drop(client);
    // CONNECT, to what was looked up and checked here.
    assert_eq!(asked.await.unwrap(), [5, 1, 0, 1, 8, 8, 8, 8, 1, 187]);
}
