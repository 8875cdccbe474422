//! One connection, from the handshake to its end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use channels::host::ClientIp;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::Options;
use super::transport::{Transport, Wire};

/// A request's head fits in twice of what hyper begins with. Measured with this: an
/// idle connection holds 15 kB; an idle web socket, for which hyper's buffers are
/// gone, 6 kB, or 13 kB with TLS, if its own read buffer is set to 4 kB.
const HTTP1_BUFFER_BYTES_MAX: usize = 16 * 1024;

/// Both sides' windows, per stream and per connection: what one client can make us
/// hold. Enough for 10 MB/s at 100 ms.
const HTTP2_WINDOW_BYTES: u32 = 1024 * 1024;

const HTTP2_HEADER_BYTES_MAX: u32 = 16 * 1024;

/// More than a browser's tabs and a program's parallel calls.
const HTTP2_STREAMS_MAX: u32 = 250;

pub(super) struct Server {
    app: Router,
    options: Options,
    http: Builder<TokioExecutor>,
    stopping: CancellationToken,
    cutting: CancellationToken,
}

impl Server {
    pub(super) fn new(app: Router, options: Options, stopping: CancellationToken) -> Self {
        let mut http = Builder::new(TokioExecutor::new());
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(options.idle_max)
            .max_buf_size(HTTP1_BUFFER_BYTES_MAX);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(options.watch.ping_every)
            .keep_alive_timeout(options.watch.ping_answered_within)
            .initial_stream_window_size(HTTP2_WINDOW_BYTES)
            .initial_connection_window_size(HTTP2_WINDOW_BYTES)
            .max_header_list_size(HTTP2_HEADER_BYTES_MAX)
            .max_concurrent_streams(HTTP2_STREAMS_MAX);
        Self {
            app,
            options,
            http,
            stopping,
            cutting: CancellationToken::new(),
        }
    }

    /// Ends every connection at once.
    pub(super) fn cut(&self) {
        self.cutting.cancel();
    }

    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream, place: OwnedSemaphorePermit) {
        let Ok(peer) = stream.peer_addr() else {
            return;
        };
        // Answers are written whole; waiting to join them only adds latency.
        let _ = stream.set_nodelay(true);
        #[cfg(target_os = "linux")]
        let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, self.confirmed_within_ms());
        let Some(wire) = self.secure(stream).await else {
            return;
        };
        let transport = Transport {
            wire,
            _place: place,
        };
        self.http(transport, peer.ip()).await;
    }

    #[cfg(target_os = "linux")]
    fn confirmed_within_ms(&self) -> u32 {
        let within = self.options.watch.confirmed_within.as_millis();
        u32::try_from(within).unwrap_or(u32::MAX)
    }

    async fn secure(&self, stream: TcpStream) -> Option<Wire> {
        let Some(tls) = &self.options.tls else {
            return Some(Wire::Plain(stream));
        };
        let handshake = tls.acceptor().accept(stream);
        let handshake = tokio::time::timeout(self.options.handshake_max, handshake);
        tokio::select! {
            done = handshake => Some(Wire::Tls(Box::new(done.ok()?.ok()?))),
            () = self.stopping.cancelled() => None,
        }
    }

    async fn http(&self, transport: Transport, peer: IpAddr) {
        let has_asked = AtomicBool::new(false);
        let answer = service_fn(|request: Request<Incoming>| {
            has_asked.store(true, Ordering::Relaxed);
            let client = self.options.proxies.client(peer, request.headers());
            answer(self.app.clone(), request, ClientIp(client))
        });
        let connection = self
            .http
            .serve_connection_with_upgrades(TokioIo::new(transport), answer);
        let mut connection = pin!(connection);
        let mut first_request = pin!(tokio::time::sleep(self.options.first_request_max));
        let (mut is_new, mut is_stopping) = (true, false);
        loop {
            tokio::select! {
                biased;
                // Why a connection ended is the client's affair.
                _ = connection.as_mut() => return,
                () = self.cutting.cancelled() => return,
                () = self.stopping.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = first_request.as_mut(), if is_new => {
                    is_new = false;
                    if !has_asked.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }
        }
    }
}

async fn answer(
    app: Router,
    request: Request<Incoming>,
    client: ClientIp,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(client);
    app.oneshot(request).await
}
