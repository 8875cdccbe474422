//! A server for tests that does what it is told, step by step.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, pending};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::guard::World;

/// An answer of no importance, after which the connection goes on.
pub(super) const OK: Step = Step::Write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");

/// What it does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Reads one byte.
    Touch,
    /// Reads a request to its end.
    Read,
    /// Writes.
    Write(&'static str),
    /// Writes what was made up at the time.
    Say(String),
    /// Writes for ever.
    Flood,
    /// Does nothing more, and keeps the connection.
    Hang,
    /// Joins the connection with another address: what a proxy does.
    Join(SocketAddr),
}

/// What it saw.
#[derive(Default)]
pub(super) struct Seen {
    /// How many connected.
    pub(super) connections: usize,
    /// How many of these have ended.
    pub(super) ended: usize,
    /// What they sent, as it was.
    pub(super) requests: Vec<String>,
}

pub(super) struct Peer {
    pub(super) address: SocketAddr,
    seen: watch::Receiver<Seen>,
}

/// A certificate for some names, and whoever has its key.
pub(super) struct Named {
    pub(super) pem: String,
    acceptor: TlsAcceptor,
}

type Stream = Box<dyn Duplex>;
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

impl Named {
    pub(super) fn new(names: &[&str]) -> Self {
        let names = names.iter().map(|name| (*name).to_owned());
        let made = rcgen::generate_simple_self_signed(names.collect::<Vec<_>>()).unwrap();
        let key = made.signing_key.serialize_pem();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![made.cert.der().clone()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            );
        Self {
            pem: made.cert.pem(),
            acceptor: TlsAcceptor::from(Arc::new(config.unwrap())),
        }
    }
}

impl Peer {
    /// Meets each connection by a script of its own, the last for all others.
    pub(super) async fn start(scripts: Vec<Vec<Step>>) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), None, scripts).await
    }

    pub(super) async fn tls(named: &Named, scripts: Vec<Vec<Step>>) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), Some(named), scripts).await
    }

    pub(super) async fn at(
        address: SocketAddr,
        named: Option<&Named>,
        scripts: Vec<Vec<Step>>,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, seen) = watch::channel(Seen::default());
        let (tell, acceptor) = (Arc::new(tell), named.map(|named| named.acceptor.clone()));
        tokio::spawn(async move {
            for nth in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tell.send_modify(|seen| seen.connections += 1);
                let script = scripts.get(nth).or(scripts.last()).cloned();
                let (tell, acceptor) = (Arc::clone(&tell), acceptor.clone());
                tokio::spawn(async move {
                    meet(stream, acceptor, script.unwrap_or_default(), &tell).await;
                    tell.send_modify(|seen| seen.ended += 1);
                });
            }
        });
        Self { address, seen }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.borrow().connections
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.borrow().requests.clone()
    }

    /// Waits until it has seen something.
    pub(super) async fn until(&self, is_so: impl FnMut(&Seen) -> bool) {
        let mut seen = self.seen.clone();
        seen.wait_for(is_so).await.unwrap();
    }
}

async fn meet(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    script: Vec<Step>,
    tell: &watch::Sender<Seen>,
) {
    let mut stream: Stream = match acceptor {
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => Box::new(stream),
            Err(_) => return,
        },
        None => Box::new(stream),
    };
    for step in script {
        let goes_on = match step {
            Step::Touch => stream.read_u8().await.is_ok(),
            Step::Read => match request(&mut stream).await {
                Some(request) => {
                    tell.send_modify(|seen| seen.requests.push(request));
                    true
                }
                None => false,
            },
            Step::Write(text) => stream.write_all(text.as_bytes()).await.is_ok(),
            Step::Say(text) => stream.write_all(text.as_bytes()).await.is_ok(),
            Step::Flood => {
                while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
                false
            }
            Step::Hang => pending().await,
            Step::Join(address) => {
                let mut other = TcpStream::connect(address).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut other).await;
                false
            }
        };
        if !goes_on {
            return;
        }
    }
    let _ = stream.shutdown().await;
}

/// A request to its end: its head, and as much more as that says.
async fn request(stream: &mut Stream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        if let Some(head) = read.windows(4).position(|it| it == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&read[..head]).to_lowercase();
            let length = text.split("content-length: ").nth(1);
            let length = length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
            if read.len() >= head + 4 + length {
                return Some(String::from_utf8_lossy(&read).into_owned());
            }
        }
        let count = stream.read_buf(&mut read).await.ok()?;
        if count == 0 {
            return None;
        }
    }
}

/// Names that are looked up by what is said here, and servers of others on any port.
pub(super) fn world(
    port: u16,
    is_public: fn(IpAddr) -> bool,
    lookup: impl Fn(&str) -> Vec<&'static str> + Send + Sync + 'static,
) -> World {
    let lookup = move |name: String| -> BoxFuture<'static, _> {
        let found = lookup(&name).into_iter();
        let found: Vec<SocketAddr> = found
            .map(|ip| SocketAddr::new(ip.parse().unwrap(), 0))
            .collect();
        Box::pin(async move {
            if found.is_empty() {
                return Err(std::io::Error::other("nobody knows the name"));
            }
            Ok(found)
        })
    };
    World {
        lookup: Arc::new(lookup),
        is_public,
        port,
    }
}

/// A log that is kept.
#[derive(Clone, Default)]
pub(super) struct Log(pub(super) Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
