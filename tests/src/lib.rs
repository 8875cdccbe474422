//! What the end-to-end scenarios are played with: a whole gateway on a port of its
//! own, and the people around it as they really come — a visitor's web socket, an
//! operator's gRPC client and event stream.

#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a scenario that cannot go on has failed, and waits for some kinds of event only"
)]

pub mod bridge;
pub mod crashfs;
pub mod gateway;
pub mod http;
pub mod mail;
pub mod operator;
pub mod providers;
pub mod real;
pub mod receiver;
pub mod scene;
pub mod visitor;

use std::future::Future;
use std::time::Duration;

pub use bridge::Bridge;
pub use gateway::TestGateway;
pub use operator::OperatorClient;
pub use receiver::Receiver;
pub use scene::Scene;
pub use visitor::Visitor;

/// Longer than anything takes on a busy machine; only a failure waits so long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that has to happen.
pub async fn soon<T>(what: &str, happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, happens)
        .await
        .unwrap_or_else(|_| panic!("{what} did not happen within {PATIENCE:?}"))
}

/// Waits until something is so.
pub async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon(what, wait).await;
}
