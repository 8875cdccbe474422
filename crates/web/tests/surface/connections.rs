//! Real connections: TLS, deadlines, leaving, stopping.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::Request;
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use web::Readiness;
use web::listen::{Options, Tls, TlsError, TrustedProxies, serve};

use super::directory::{Opened, change};
use super::{SERVICE, get, json, post, surface_at};

/// The surface on a port of this machine.
pub(crate) struct Served {
    address: SocketAddr,
    pub(crate) opened: mpsc::Receiver<Opened>,
    pub(crate) readiness: watch::Sender<Readiness>,
    pub(crate) stopping: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl Served {
    pub(crate) async fn plain() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let surface = surface_at(&format!("http://{address}"));
        let stopping = surface.stopping.clone();
        Self {
            address,
            opened: surface.opened,
            readiness: surface.readiness,
            task: tokio::spawn(serve(listener, surface.app, options, stopping.clone())),
            stopping,
        }
    }

    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint.connect().await.unwrap()
    }

    /// One HTTP/1.1 connection; ends when the handle is dropped.
    async fn http1(&self) -> http1::SendRequest<Body> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    async fn ask(&self, mut request: Request<Body>) -> Response {
        let host = self.address.to_string().parse().unwrap();
        request.headers_mut().insert("host", host);
        let response = self.http1().await.send_request(request).await.unwrap();
        response.map(Body::new)
    }
}

struct Certified {
    _folder: tempfile::TempDir,
    tls: Tls,
    pem: String,
}

fn certified() -> Certified {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = Tls::load(&chain, &key).unwrap();
    let missing = Tls::load(&chain, &folder.path().join("nope.pem"));
    assert!(matches!(missing, Err(TlsError::File { .. })));
    assert!(matches!(
        Tls::load(&key, &key),
        Err(TlsError::NoCertificate(_))
    ));
    Certified {
        _folder: folder,
        tls,
        pem: made.cert.pem(),
    }
}

#[tokio::test]
async fn grpc_and_json_over_tls() {
    let certified = certified();
    let mut served = Served::with(Options {
        tls: Some(certified.tls.clone()),
        ..Options::default()
    })
    .await;
    let trust = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(&certified.pem))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://{}", served.address)).unwrap();
    let channel = endpoint.tls_config(trust).unwrap().connect().await.unwrap();
    super::native::check(&mut served, channel).await;

    let mut plain = TcpStream::connect(served.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "plain HTTP is not answered");
}

#[tokio::test]
async fn a_handshake_has_a_deadline() {
    let served = Served::with(Options {
        tls: Some(certified().tls),
        handshake_max: Duration::from_millis(50),
        ..Options::default()
    })
    .await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed() {
    let served = Served::with(Options {
        first_request_max: Duration::from_millis(50),
        ..Options::default()
    })
    .await;
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HT"] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        assert_eq!(stream.read(&mut [0; 16]).await.unwrap(), 0, "{beginning:?}");
    }
}

#[tokio::test]
async fn leaving_ends_the_call() {
    let mut served = Served::plain().await;
    let request = |line: &str, body: &str| {
        let length = body.len();
        format!(
            "{line} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
    };
    for text in [
        request(&format!("GET {SERVICE}/WatchContacts"), ""),
        request(
            &format!("POST {SERVICE}/GetContact"),
            r#"{"contactId":"waits"}"#,
        ),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let opened = served.opened.recv().await.unwrap();
        drop(stream);
        assert_eq!(opened.dropped.await, Ok(()), "{text}");
    }
}

#[tokio::test]
async fn events_reach_a_browser_before_the_end() {
    let mut served = Served::plain().await;
    let response = served.ask(get(&format!("{SERVICE}/WatchContacts"))).await;
    let mut body = response.into_body();
    let opened = served.opened.recv().await.unwrap();
    opened.feed.send(Ok(change("7", "a"))).await.unwrap();
    let mut text = String::new();
    while !text.contains("id: 7\n") {
        let frame = body.frame().await.unwrap().unwrap();
        text += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
    }
}

#[tokio::test]
async fn knows_the_client_behind_a_declared_proxy() {
    let ask = async |proxies: &[&str]| {
        let served = Served::with(Options {
            proxies: TrustedProxies::parse(proxies.iter().copied()).unwrap(),
            ..Options::default()
        })
        .await;
        let mut request = post(
            "GetContact",
            "application/json",
            r#"{"contactId":"caller"}"#,
        );
        let forwarded = "6.6.6.6, 198.51.100.7".parse().unwrap();
        request.headers_mut().insert("x-forwarded-for", forwarded);
        let (_, body) = json(served.ask(request).await).await;
        let mut metrics = get("/metrics");
        let forwarded = "198.51.100.7".parse().unwrap();
        metrics.headers_mut().insert("x-forwarded-for", forwarded);
        assert_eq!(served.ask(metrics).await.status(), 403);
        assert_eq!(served.ask(get("/metrics")).await.status(), 200);
        body["profile"]["displayName"].clone()
    };
    assert_eq!(ask(&["127.0.0.1"]).await, Value::from("ip=198.51.100.7"));
    assert_eq!(ask(&[]).await, Value::from("ip=127.0.0.1"));
}

#[tokio::test]
async fn stopping_lets_requests_finish() {
    let mut served = Served::plain().await;
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    let mut client = served.http1().await;
    let request = post("GetContact", "application/json", r#"{"contactId":"waits"}"#);
    let answer = tokio::spawn(client.send_request(request));
    let opened = served.opened.recv().await.unwrap();
    served.stopping.cancel();
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0);
    opened.release.send(()).unwrap();
    assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    served.task.await.unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let mut served = Served::with(Options {
        drain_max: Duration::from_millis(20),
        ..Options::default()
    })
    .await;
    let mut client = served.http1().await;
    let request = post("GetContact", "application/json", r#"{"contactId":"waits"}"#);
    let answer = tokio::spawn(client.send_request(request));
    let opened = served.opened.recv().await.unwrap();
    served.stopping.cancel();
    served.task.await.unwrap();
    assert_eq!(opened.dropped.await, Ok(()));
    assert!(answer.await.unwrap().is_err());
}
