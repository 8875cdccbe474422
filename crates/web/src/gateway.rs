//! An engine and its port, running together.

use std::net::SocketAddr;
use std::time::Duration;

use engine::Engine;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::health::{Readiness, Reason};
use crate::listen::{self, Options};
use crate::metrics::Metrics;
use crate::origin::{PublicOrigin, PublicUrlError};
use crate::surface::{self, Parts, SurfaceError};
use crate::{Limits, routes, services};

/// How often readiness is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The public address.
    #[error(transparent)]
    PublicUrl(#[from] PublicUrlError),
    /// The contract.
    #[error(transparent)]
    Surface(#[from] SurfaceError),
    /// The socket.
    #[error("the port cannot be used: {0}")]
    Io(#[from] std::io::Error),
}

/// A running gateway.
pub struct Gateway {
    engine: Engine,
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Gateway {
    /// Serves an engine on a port until it is stopped.
    pub fn start(
        engine: Engine,
        listener: TcpListener,
        options: Options,
        metrics: Option<Metrics>,
    ) -> Result<Self, GatewayError> {
        let address = listener.local_addr()?;
        let public: PublicOrigin = engine.settings().public_url.parse()?;
        let stopping = engine.stopping();
        let app = surface::app(Parts {
            grpc: services::routes(&engine, &public, options.watch.beat_every),
            open: routes::open(&engine),
            guarded: routes::guarded(&engine),
            public,
            readiness: readiness(&engine),
            metrics,
            limits: Limits::default(),
            stopping: stopping.clone(),
        })?;
        let server = tokio::spawn(listen::serve(listener, app, options, stopping));
        Ok(Self {
            engine,
            address,
            server,
        })
    }

    /// The engine behind the port.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where the port is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new work, finishes what is under way, and closes everything.
    pub async fn stop(self) {
        self.engine.stopping().cancel();
        if self.server.await.is_err() {
            tracing::error!("the port's server panicked");
        }
        self.engine.stop().await;
    }
}

fn readiness(engine: &Engine) -> watch::Receiver<Readiness> {
    let (told, readiness) = watch::channel(Readiness::default());
    let engine = engine.clone();
    tokio::spawn(async move {
        let stopping = engine.stopping();
        while !told.is_closed() {
            let now = Readiness {
                reasons: engine
                    .unready()
                    .into_iter()
                    .map(|problem| Reason {
                        component: "gateway".to_owned(),
                        problem,
                    })
                    .collect(),
            };
            told.send_if_modified(|before| {
                let changed = *before != now;
                *before = now;
                changed
            });
            if stopping.is_cancelled() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stopping.cancelled() => {}
            }
        }
    });
    readiness
}
