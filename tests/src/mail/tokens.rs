use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What [`super::Dovecot`] checks short-lived tokens with.
pub(super) const KEY: &[u8; 32] = b"the key of every token for tests";

/// A short-lived token that a [`super::Dovecot`] believes.
pub fn token(account: &str, good_for_secs: i64) -> String {
    let now = engine::clock::now().0 / 1_000;
    let claims = json!({
        "iss": "scenario", "sub": account,
        "iat": now - 60, "nbf": now - 60, "exp": now + good_for_secs,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = part(&json!({"alg": "HS256", "typ": "JWT"})) + "." + &part(&claims);
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// Gives out short-lived tokens for the long-lived one `refresh`.
#[derive(Debug)]
pub struct TokenDesk {
    /// Where it is.
    pub url: String,
    counter: Arc<Counter>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counter {
    given: AtomicUsize,
    refused: AtomicUsize,
    is_closed: AtomicBool,
}

impl Drop for TokenDesk {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl TokenDesk {
    /// Listens.
    pub async fn start(account: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/token", listener.local_addr().unwrap());
        let counter = Arc::<Counter>::default();
        let shared = Arc::clone(&counter);
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let counter = Arc::clone(&shared);
                let service = service_fn(move |request| {
                    let counter = Arc::clone(&counter);
                    async move { Ok::<_, Infallible>(give(request, account, &counter).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self {
            url,
            counter,
            server,
        }
    }

    /// How many it gave out.
    pub fn given(&self) -> usize {
        self.counter.given.load(Ordering::SeqCst)
    }

    /// How often it refused.
    pub fn refused(&self) -> usize {
        self.counter.refused.load(Ordering::SeqCst)
    }

    /// From now on the long-lived one is good for nothing, or again for what it was.
    pub fn close(&self, is_closed: bool) {
        self.counter.is_closed.store(is_closed, Ordering::SeqCst);
    }
}

async fn give(
    request: Request<Incoming>,
    account: &str,
    counter: &Counter,
) -> Response<Full<Bytes>> {
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body);
    let mut asked = body.split('&');
    let is_known = asked.any(|pair| pair == "refresh_token=refresh");
    let (status, answer) = if is_known && !counter.is_closed.load(Ordering::SeqCst) {
        counter.given.fetch_add(1, Ordering::SeqCst);
        let token = token(account, 3_600);
        let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3_600});
        (200, answer)
    } else {
        counter.refused.fetch_add(1, Ordering::SeqCst);
        let words = "the consent was taken back";
        (
            400,
            json!({"error": "invalid_grant", "error_description": words}),
        )
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::from(answer.to_string()))
        .unwrap()
}
