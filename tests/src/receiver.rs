//! A program that takes our webhooks, or does not, as it is told.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::soon;

/// The key of every scenario.
pub const KEY: [u8; 32] = [42; 32];

/// How a delivery is met.
#[derive(Clone, Debug)]
pub enum Met {
    /// With a status.
    Status(u16),
    /// With a status and a header.
    With(u16, &'static str, String),
    /// With no answer ever.
    Hang,
    /// With the end of the connection.
    Drop,
}

/// A delivery.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// `webhook-id`.
    pub id: String,
    /// The body.
    pub body: Bytes,
    /// The body, read.
    pub json: Value,
    /// Whether it was answered with a 2xx.
    pub taken: bool,
}

impl Delivery {
    /// The number of the event.
    pub fn cursor(&self) -> i64 {
        self.json["cursor"].as_str().unwrap().parse().unwrap()
    }

    /// The kind of the event.
    pub fn kind(&self) -> &str {
        self.json["type"].as_str().unwrap()
    }
}

#[derive(Debug)]
struct State {
    next: VecDeque<Met>,
    otherwise: Met,
    came: Vec<Delivery>,
}

/// A receiver on a port of its own.
#[derive(Debug)]
pub struct Receiver {
    /// Where it is.
    pub url: String,
    state: Arc<Mutex<State>>,
    changed: watch::Receiver<()>,
    server: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    /// Listens, and takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?key=1", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            next: VecDeque::new(),
            otherwise: Met::Status(204),
            came: Vec::new(),
        }));
        let (change, changed) = watch::channel(());
        let shared = Arc::clone(&state);
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (state, change) = (Arc::clone(&shared), change.clone());
                let service = service_fn(move |request| {
                    let (state, change) = (Arc::clone(&state), change.clone());
                    async move { meet(&state, &change, request).await }
                });
                // A connection that is dropped ends with an error.
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            url,
            state,
            changed,
            server,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Meets the next deliveries so.
    pub fn next(&self, met: impl IntoIterator<Item = Met>) {
        self.lock().next.extend(met);
    }

    /// Meets every other delivery so.
    pub fn otherwise(&self, met: Met) {
        self.lock().otherwise = met;
    }

    /// Everything that came, taken or not.
    pub fn came(&self) -> Vec<Delivery> {
        self.lock().came.clone()
    }

    /// What was taken.
    pub fn taken(&self) -> Vec<Delivery> {
        let mut came = self.came();
        came.retain(|delivery| delivery.taken);
        came
    }

    /// Waits until something is to be found in what came.
    pub async fn until<T>(&self, what: &str, find: impl Fn(&[Delivery]) -> Option<T>) -> T {
        let mut changed = self.changed.clone();
        let wait = async {
            loop {
                changed.mark_unchanged();
                if let Some(found) = find(&self.came()) {
                    return found;
                }
                changed.changed().await.unwrap();
            }
        };
        soon(what, wait).await
    }

    /// Waits for so many deliveries, taken or not.
    pub async fn count(&self, count: usize) {
        self.until("a delivery", |came| (came.len() >= count).then_some(()))
            .await;
    }

    /// Waits until an event was taken in which a text stands.
    pub async fn told(&self, text: &str) -> Delivery {
        self.until(text, |came| {
            let told = came.iter().find(|delivery| {
                delivery.taken && String::from_utf8_lossy(&delivery.body).contains(text)
            });
            told.cloned()
        })
        .await
    }
}

async fn meet(
    state: &Mutex<State>,
    change: &watch::Sender<()>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    check_signature(&head.headers, &body);
    let met = {
        let mut state = state.lock().unwrap();
        let met = state.next.pop_front();
        let met = met.unwrap_or_else(|| state.otherwise.clone());
        state.came.push(Delivery {
            id: head.headers["webhook-id"].to_str().unwrap().to_owned(),
            json: serde_json::from_slice(&body).unwrap(),
            body,
            taken: matches!(met, Met::Status(status) if status < 300),
        });
        met
    };
    change.send_replace(());
    let respond = |status: u16, header: Option<(&str, String)>| {
        let mut response = Response::builder().status(status);
        if let Some((name, value)) = header {
            response = response.header(name, value);
        }
        response.body(Full::from("it is as it is")).unwrap()
    };
    match met {
        Met::Status(204) => Ok(Response::builder()
            .status(204)
            .body(Full::default())
            .unwrap()),
        Met::Status(status) => Ok(respond(status, None)),
        Met::With(status, name, value) => Ok(respond(status, Some((name, value)))),
        Met::Hang => match pending::<Infallible>().await {},
        Met::Drop => Err(std::io::ErrorKind::ConnectionAborted.into()),
    }
}

/// As a receiver would do it that knows nothing of us but the specification.
fn check_signature(headers: &HeaderMap, body: &[u8]) {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let signatures = header("webhook-signature");
    assert!(
        signatures.split(' ').any(|given| given == signature),
        "{signatures} is not {signature}"
    );
    assert!(!id.contains('.'), "{id}");
    assert_eq!(header("content-type"), "application/json");
}
