//! Taking connections and letting them go.
//!
//! `axum::serve` has no deadlines for a handshake or a first request and no small
//! buffers, so connections are served by hyper directly.

mod connection;
mod proxies;
mod tls;
mod transport;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::proxies::TrustedProxies;
pub use self::tls::{Tls, TlsError};

/// How connections are taken.
#[derive(Clone)]
pub struct Options {
    /// Encrypts; none for loopback or behind a declared proxy.
    pub tls: Option<Tls>,
    /// Whose word about the client's address is taken.
    pub proxies: TrustedProxies,
    /// Connections at a time, web sockets included; further ones wait in the system's
    /// queue.
    pub connections_max: usize,
    /// How long the TLS handshake may take.
    pub handshake_max: Duration,
    /// How long a new connection may take to send its first request's head.
    pub first_request_max: Duration,
    /// How long a connection may stay without a whole request head; longer than
    /// proxies keep theirs, or they would send requests into closed connections.
    pub idle_max: Duration,
    /// How long requests may go on after the stop was asked for.
    pub drain_max: Duration,
    /// How a client that vanished without a word is noticed.
    pub watch: Watch,
}

/// How a client that vanished without a word is noticed. One that speaks HTTP/2 is pinged;
/// of one that speaks HTTP/1 and only listens nothing is heard but that it took what it was
/// sent, and a feed sends something now and then.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// HTTP/2: after so long without a word a ping is sent.
    pub ping_every: Duration,
    /// HTTP/2: the connection ends when a ping is not answered for so long.
    pub ping_answered_within: Duration,
    /// The connection ends when the other side's system does not confirm what was sent for
    /// so long. Not every system can do it.
    pub confirmed_within: Duration,
    /// How often a feed says that it is alive.
    pub beat_every: Duration,
}

impl Watch {
    const DEFAULT: Self = Self {
        ping_every: Duration::from_secs(6),
        ping_answered_within: Duration::from_secs(8),
        confirmed_within: Duration::from_secs(9),
        beat_every: Duration::from_secs(5),
    };

    /// After so long a vanished client has been noticed.
    const fn noticed_within(&self) -> Duration {
        let by_ping = self.ping_every.saturating_add(self.ping_answered_within);
        let by_beat = self.beat_every.saturating_add(self.confirmed_within);
        if by_ping.as_millis() > by_beat.as_millis() {
            by_ping
        } else {
            by_beat
        }
    }
}

/// It is promised.
const _: () = assert!(Watch::DEFAULT.noticed_within().as_secs() < 15);

impl Default for Watch {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tls: None,
            proxies: TrustedProxies::default(),
            connections_max: 20_000,
            handshake_max: Duration::from_secs(10),
            first_request_max: Duration::from_secs(10),
            idle_max: Duration::from_secs(75),
            drain_max: Duration::from_secs(20),
            watch: Watch::default(),
        }
    }
}

/// Serves until the stop is asked for and every connection has ended, at the latest
/// when the time to drain is over. Web sockets have left HTTP and end by themselves,
/// since their owners watch the same token; only their farewell is waited for.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    options: Options,
    stopping: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(options.connections_max));
    let (drain_max, connections_max) = (options.drain_max, options.connections_max);
    let server = Arc::new(connection::Server::new(app, options, stopping.clone()));
    let tracker = TaskTracker::new();
    let accept = async {
        loop {
            let (stream, place) = accept(&listener, &places).await;
            tracker.spawn(server.clone().serve(stream, place));
        }
    };
    tokio::select! {
        () = stopping.cancelled() => {}
        () = accept => {}
    }
    drop(listener);
    tracker.close();
    let deadline = Instant::now() + drain_max;
    if timeout_at(deadline, tracker.wait()).await.is_err() {
        tracing::warn!(
            connections = tracker.len(),
            "connections were cut because the time to drain is over"
        );
        server.cut();
        tracker.wait().await;
    }
    // A connection holds its place until it is closed, also as a web socket.
    let everybody = u32::try_from(connections_max).unwrap_or(u32::MAX);
    if timeout_at(deadline, places.acquire_many(everybody))
        .await
        .is_err()
    {
        tracing::warn!("web sockets were cut because the time to drain is over");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let place = match places.clone().acquire_owned().await {
            Ok(place) => place,
            // The semaphore is ours and is never closed.
            Err(_) => std::future::pending().await,
        };
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) if is_connections_own(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                // Out of descriptors: closing some takes a moment, and retrying at
                // once would take all of a core.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_connections_own(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}
