//! HTTP as programs and browsers speak it to the port, one connection a request where no
//! other is said.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::soon;

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of a failed call of the contract; empty for one that went well.
    pub fn code(&self) -> String {
        let json = self.json();
        // A stream tells its failure in its last envelope.
        let streamed = self.body.get(5..).and_then(|rest| {
            let end: Value = serde_json::from_slice(rest).ok()?;
            end["error"]["code"].as_str().map(str::to_owned)
        });
        streamed
            .or_else(|| json["code"].as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// Begins a request.
pub fn request(method: Method, path: &str, token: Option<&str>) -> http::request::Builder {
    let begun = Request::builder().method(method).uri(path);
    match token {
        Some(token) => begun.header(AUTHORIZATION, format!("Bearer {token}")),
        None => begun,
    }
}

/// Sends a request and waits for the head of the answer.
pub async fn open(url: &str, mut request: Request<Full<Bytes>>) -> Response<Incoming> {
    let address = url.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    request
        .headers_mut()
        .entry(HOST)
        .or_insert_with(|| address.parse().unwrap());
    soon("an answer", sender.send_request(request))
        .await
        .unwrap()
}

/// Sends a request and reads the whole answer.
pub async fn send(url: &str, request: Request<Full<Bytes>>) -> Answer {
    let (head, body) = open(url, request).await.into_parts();
    let body = soon("the rest of an answer", body.collect()).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes(),
    }
}

/// A connection that is kept for many requests, with as little work as can be: what the
/// caller spends, the gateway lacks on the same cores.
pub struct Connection {
    stream: TcpStream,
    arrived: Vec<u8>,
}

impl Connection {
    /// Opens one.
    pub async fn open(url: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            arrived: Vec::new(),
        }
    }

    /// Sends the bytes of a request and reads the whole answer, without its headers.
    pub async fn ask(&mut self, request: &[u8]) -> Answer {
        self.stream.write_all(request).await.unwrap();
        self.arrived.clear();
        loop {
            let read = self.stream.read_buf(&mut self.arrived);
            let read = soon("an answer", read).await.unwrap();
            assert!(read > 0, "the connection was closed");
            if let Some(answer) = whole(&self.arrived) {
                return answer;
            }
        }
    }
}

/// An answer, once it is there to its end.
fn whole(arrived: &[u8]) -> Option<Answer> {
    let end = arrived.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&arrived[..end]).unwrap();
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.unwrap().1.parse().unwrap();
    Some(Answer {
        status: head[9..12].parse().unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(arrived.get(end..end + length)?),
    })
}

/// Calls a method of the contract by the Connect protocol.
pub async fn call(url: &str, method: &str, token: Option<&str>, body: &Value) -> Answer {
    let request = request(Method::POST, &format!("/{method}"), token)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))
        .unwrap();
    send(url, request).await
}

/// An open stream of server-sent events.
pub struct Events {
    body: Incoming,
    arrived: Vec<u8>,
}

/// One of them.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Its id; empty when it has none.
    pub id: String,
    /// Its kind, such as `error`; empty for what happened.
    pub event: String,
    /// What it says.
    pub data: Value,
}

impl Events {
    /// Opens a stream, after an id.
    pub async fn open(url: &str, path: &str, token: &str, last: &str) -> Self {
        let mut begun = request(Method::GET, path, Some(token));
        if !last.is_empty() {
            begun = begun.header("last-event-id", last);
        }
        let answer = open(url, begun.body(Full::default()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Self {
            body: answer.into_body(),
            arrived: Vec::new(),
        }
    }

    /// The next event; none when the stream has ended.
    pub async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(end) = self.arrived.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.arrived.drain(..end + 2).collect();
                if let Some(sent) = read(&String::from_utf8(block).unwrap()) {
                    return Some(sent);
                }
                continue;
            }
            match soon("a piece of a stream", self.body.frame()).await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.arrived.extend_from_slice(&data);
                    }
                }
                Some(Err(_)) | None => return None,
            }
        }
    }
}

fn read(block: &str) -> Option<Sent> {
    let mut sent = Sent::default();
    let mut has_data = false;
    for line in block.lines() {
        if let Some(id) = line.strip_prefix("id: ") {
            id.clone_into(&mut sent.id);
        } else if let Some(event) = line.strip_prefix("event: ") {
            event.clone_into(&mut sent.event);
        } else if let Some(data) = line.strip_prefix("data: ") {
            sent.data = serde_json::from_str(data).unwrap();
            has_data = true;
        }
    }
    has_data.then_some(sent)
}
