//! The smallest client that does: one connection, HTTP/1.1, no redirects, and caps on
//! time and on what is read of an answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{Millis, Timestamp, text};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::target::Target;

/// Of an answer so much is read, of which people are shown a line.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
const ANSWER_CHARS_SHOWN: usize = 200;
/// How long an answer may go on after its status.
const REST_TIMEOUT: Duration = Duration::from_secs(2);
const HEADERS_MAX: usize = 64;
/// Addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;
const USER_AGENT: &str = concat!("Switchboard/", env!("CARGO_PKG_VERSION"));

/// Whom a TLS server's certificate may be from.
#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

/// Keeps one connection to one server.
pub struct Client {
    target: Target,
    tls: Option<TlsConnector>,
    timeout: Duration,
    open: Option<SendRequest<Full<Bytes>>>,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// How long it asks to be left alone.
    pub retry_after: Option<Millis>,
    /// What it says, or the beginning of it.
    pub body: Vec<u8>,
}

impl Roots {
    /// The authorities that browsers trust.
    pub fn public() -> Self {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        Self(Arc::new(roots))
    }

    /// One's own authorities alone, as PEM.
    pub fn of_pem(pem: &str) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| format!("is no PEM: {error}"))?;
            roots
                .add(certificate)
                .map_err(|error| format!("has a certificate that cannot be used: {error}"))?;
        }
        if roots.is_empty() {
            return Err("has no certificate; give the authority's, as PEM".to_owned());
        }
        Ok(Self(Arc::new(roots)))
    }
}

impl PartialEq for Roots {
    fn eq(&self, other: &Self) -> bool {
        self.0.roots == other.0.roots
    }
}

impl Eq for Roots {}

impl Reply {
    /// Whether it took what it was sent.
    pub fn is_taken(&self) -> bool {
        self.status.is_success()
    }

    /// Whether it wants nothing more.
    pub fn is_gone(&self) -> bool {
        self.status == StatusCode::GONE
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it answered {}", self.status.as_u16())?;
        if self.status.is_redirection() {
            return f.write_str(", a redirect, which is not followed: configure where it leads");
        }
        let text = text::line(&String::from_utf8_lossy(&self.body), ANSWER_CHARS_SHOWN);
        if text.is_empty() {
            return Ok(());
        }
        write!(f, ": {text}")
    }
}

impl Client {
    /// Makes ready to call a server; nothing is sent yet.
    pub fn new(target: &Target, roots: &Roots, timeout: Millis) -> Result<Self, String> {
        let tls = target
            .is_tls
            .then(|| {
                let provider = Arc::new(ring::default_provider());
                let config = ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()?
                    .with_root_certificates(Arc::clone(&roots.0))
                    .with_no_client_auth();
                Ok(TlsConnector::from(Arc::new(config)))
            })
            .transpose()
            .map_err(|error: rustls::Error| error.to_string())?;
        Ok(Self {
            target: target.clone(),
            tls,
            timeout: Duration::from_millis(u64::try_from(timeout.0).unwrap_or(1)),
            open: None,
        })
    }

    /// Posts a body, and says what came of it: an answer, or why there is none.
    pub async fn post(
        &mut self,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Reply, String> {
        let timeout = self.timeout;
        let exchange = self.exchange(headers, body, now);
        if let Ok(outcome) = tokio::time::timeout(timeout, exchange).await {
            return outcome;
        }
        self.open = None;
        Err(format!("it did not answer within {timeout:?}"))
    }

    async fn exchange(
        &mut self,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Reply, String> {
        // A connection that was kept may have been closed just now; a fresh one tells.
        if let Some(mut kept) = self.open.take()
            && kept.ready().await.is_ok()
            && let Ok(response) = kept.send_request(self.request(&headers, &body)?).await
        {
            return self.read(kept, response, now).await;
        }
        let mut fresh = self.connect().await?;
        let request = self.request(&headers, &body)?;
        let response = fresh
            .send_request(request)
            .await
            .map_err(|error| format!("it closed the connection without an answer: {error}"))?;
        self.read(fresh, response, now).await
    }

    fn request(&self, headers: &HeaderMap, body: &Bytes) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.target.path.as_str())
            .body(Full::new(body.clone()))
            .map_err(|error| error.to_string())?;
        let host = HeaderValue::from_str(&self.target.authority)
            .map_err(|_| "the host cannot be sent".to_owned())?;
        let all = request.headers_mut();
        all.clone_from(headers);
        all.insert(header::HOST, host);
        all.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        Ok(request)
    }

    async fn read(
        &mut self,
        connection: SendRequest<Full<Bytes>>,
        response: Response<Incoming>,
        now: Timestamp,
    ) -> Result<Reply, String> {
        let (head, mut body) = response.into_parts();
        let mut read = Vec::new();
        // What it answered is known already: a rest that breaks off or does not end
        // only costs the connection.
        let rest = read_rest(&mut body, &mut read);
        let is_whole = tokio::time::timeout(REST_TIMEOUT, rest).await == Ok(true);
        // After a failure comes a pause, and maybe another machine.
        if is_whole && head.status.is_success() {
            self.open = Some(connection);
        }
        let retry_after = head
            .headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| retry_after(value, now));
        Ok(Reply {
            status: head.status,
            retry_after,
            body: read,
        })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let Target { host, port, .. } = &self.target;
        let found = lookup_host((host.as_str(), *port))
            .await
            .map_err(|error| format!("{host} is not found: {error}"))?;
        let mut problem = format!("{host} has no address");
        for address in found.take(ADDRESSES_MAX) {
            // In clear only to this machine, whatever a name server says.
            if !self.target.is_tls && !address.ip().is_loopback() {
                problem = format!("{host} is {}, not this machine", address.ip());
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return self.greet(stream).await;
                }
                Err(error) => problem = format!("{address} cannot be reached: {error}"),
            }
        }
        Err(problem)
    }

    async fn greet(&self, stream: TcpStream) -> Result<SendRequest<Full<Bytes>>, String> {
        let Some(tls) = &self.tls else {
            return shake_hands(stream).await;
        };
        let name = ServerName::try_from(self.target.host.clone())
            .map_err(|_| "the host is no name that a certificate could have".to_owned())?;
        let stream = tls
            .connect(name, stream)
            .await
            .map_err(|error| format!("TLS was refused: {error}"))?;
        shake_hands(stream).await
    }
}

async fn shake_hands(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<SendRequest<Full<Bytes>>, String> {
    let (sender, connection) = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("it does not speak HTTP: {error}"))?;
    // Ends when the sender is dropped; an error is told to the sender, too.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

/// Reads a body as far as it may go; whether that is to its end.
async fn read_rest(body: &mut Incoming, read: &mut Vec<u8>) -> bool {
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return false;
        };
        if let Some(data) = frame.data_ref() {
            let room = ANSWER_BYTES_MAX.saturating_sub(read.len());
            read.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                return false;
            }
        }
    }
    true
}

/// Seconds, or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Millis> {
    let value = value.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: i64 = value.parse().ok()?;
        return Some(Millis(seconds.saturating_mul(1_000)));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    Some(Timestamp(at.as_millisecond()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_ask_for_a_pause_are_read() {
        let now = Timestamp(1_445_412_400_000);
        for (value, millis) in [
            ("120", Some(120_000)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(80_000)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let read = retry_after(value, now);
            assert_eq!(read, millis.map(Millis), "{value}");
        }
    }

    /// Answers whoever trusts its certificate, and says what it was sent.
    async fn https(answer: &'static str) -> (Target, String, tokio::task::JoinHandle<String>) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = rustls_pki_types::PrivateKeyDer::from_pem_slice(
            made.signing_key.serialize_pem().as_bytes(),
        );
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key.unwrap())
                .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return String::new();
            };
            let mut sent = vec![0; 4_096];
            let length = stream.read(&mut sent).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            String::from_utf8_lossy(&sent[..length]).into_owned()
        });
        let target = Target::parse(&format!("https://localhost:{port}/hook?key=1")).unwrap();
        (target, made.cert.pem(), served)
    }

    async fn post(target: &Target, roots: &Roots) -> Result<Reply, String> {
        let mut client = Client::new(target, roots, Millis(10_000)).unwrap();
        let headers = HeaderMap::new();
        client.post(headers, Bytes::from("{}"), Timestamp(0)).await
    }

    #[tokio::test]
    async fn a_certificate_is_trusted_when_it_is_from_whom_it_should_be() {
        let answer = "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\nok";
        let (target, pem, served) = https(answer).await;
        let reply = post(&target, &Roots::of_pem(&pem).unwrap()).await.unwrap();
        assert_eq!(
            (reply.status.as_u16(), reply.body.as_slice()),
            (202, b"ok".as_slice())
        );
        let sent = served.await.unwrap();
        assert!(sent.starts_with("POST /hook?key=1 HTTP/1.1\r\n"), "{sent}");
        assert!(
            sent.contains(&format!("host: {}\r\n", target.authority)),
            "{sent}"
        );

        let (target, _, served) = https(answer).await;
        let refused = post(&target, &Roots::public()).await.unwrap_err();
        assert!(refused.starts_with("TLS was refused"), "{refused}");
        assert_eq!(served.await.unwrap(), "");
    }

    #[tokio::test]
    async fn of_a_long_answer_only_the_beginning_is_read() {
        let long: &'static str =
            Box::leak(format!("HTTP/1.1 500 No\r\n\r\n{}", "é".repeat(200_000)).into_boxed_str());
        let (target, pem, served) = https(long).await;
        let reply = post(&target, &Roots::of_pem(&pem).unwrap()).await.unwrap();
        assert_eq!(reply.body.len(), ANSWER_BYTES_MAX);
        let shown = reply.to_string();
        let words = shown.strip_prefix("it answered 500: ").unwrap();
        assert_eq!(words.chars().count(), ANSWER_CHARS_SHOWN);
        served.abort();
    }

    #[test]
    fn authorities_of_ones_own_are_read() {
        assert!(Roots::of_pem("").is_err());
        assert!(Roots::of_pem("no certificate").is_err());
        assert!(Roots::public() == Roots::public());
    }
}
