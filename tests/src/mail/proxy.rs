use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::soon;

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one who connected.
    Client,
    /// The server behind.
    Server,
}

/// What becomes of a line on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// It goes on.
    Pass,
    /// Other bytes go on in its place, or none.
    Replace(Vec<u8>),
    /// These bytes go on, and the connection ends.
    Cut(Vec<u8>),
    /// Nothing goes on any more in this direction, and the connection stays.
    Hang,
}

/// Sees every line of every connection, numbered from 0; of a letter too. It may take its
/// time: the line waits.
type Script = dyn Fn(usize, Side, &[u8]) -> Act + Send + Sync;

/// Stands between clients and a real server, and spoils what they say.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    connections: watch::Receiver<usize>,
    server: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Proxy {
    /// Stands in front of a port of this machine.
    pub async fn start(
        upstream: u16,
        script: impl Fn(usize, Side, &[u8]) -> Act + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script: Arc<Script> = Arc::new(script);
        let (counter, connections) = watch::channel(0);
        let server = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let number = *counter.borrow();
                counter.send_replace(number + 1);
                tokio::spawn(connection(number, client, upstream, Arc::clone(&script)));
            }
        });
        Self {
            port,
            connections,
            server,
        }
    }

    /// Takes words out of the server's capabilities.
    pub async fn without(upstream: u16, words: &'static [&'static str]) -> Self {
        Self::start(upstream, move |_, side, line| {
            let text = String::from_utf8_lossy(line);
            if side == Side::Client || !text.contains("CAPABILITY") {
                return Act::Pass;
            }
            let mut kept = text.into_owned();
            for word in words {
                kept = kept.replace(&format!(" {word}"), "");
            }
            Act::Replace(kept.into_bytes())
        })
        .await
    }

    /// Where it is.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        *self.connections.borrow()
    }

    /// Waits until so many connections were made.
    pub async fn connected(&self, count: usize) {
        let mut connections = self.connections.clone();
        let wait = connections.wait_for(|made| *made >= count);
        soon("a connection", wait).await.unwrap();
    }
}

async fn connection(number: usize, client: TcpStream, upstream: u16, script: Arc<Script>) {
    // A server that is away is a connection that ends.
    let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let over = CancellationToken::new();
    let pass = |from, to, side| {
        let (script, over) = (Arc::clone(&script), over.clone());
        async move {
            let _ = pass_on(from, to, |line| script(number, side, line)).await;
            over.cancel();
        }
    };
    // When one direction ends, so does the other.
    tokio::select! {
        () = pass(from_client, to_server, Side::Client) => {}
        () = pass(from_server, to_client, Side::Server) => {}
        () = over.cancelled() => {}
    }
}

async fn pass_on(
    from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    script: impl Fn(&[u8]) -> Act,
) -> io::Result<()> {
    let mut from = BufReader::with_capacity(64 * 1024, from);
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        match script(&line) {
            Act::Pass => to.write_all(&line).await?,
            Act::Replace(bytes) => to.write_all(&bytes).await?,
            Act::Cut(bytes) => {
                to.write_all(&bytes).await?;
                return to.shutdown().await;
            }
            Act::Hang => std::future::pending().await,
        }
    }
}
