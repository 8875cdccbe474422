//! Whether the gateway lives, and whether it should be sent work.

use std::pin::Pin;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::{Stream, StreamExt as _};
use http::{HeaderValue, StatusCode, header};
use prost_reflect::DescriptorPool;
use serde::Serialize;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::Status;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// What keeps the gateway from taking work; ready when nothing does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Each thing that is missing.
    pub reasons: Vec<Reason>,
}

/// One thing that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The part of the gateway, such as `store`.
    pub component: String,
    /// What is wrong with it, for the person on duty.
    pub problem: String,
}

impl Readiness {
    /// Says that nothing is missing.
    pub fn is_ready(&self) -> bool {
        self.reasons.is_empty()
    }

    fn serving_status(&self) -> ServingStatus {
        if self.is_ready() {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        }
    }
}

pub(crate) fn routes(readiness: watch::Receiver<Readiness>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { (NO_STORE, "ok\n") }))
        .route("/readyz", get(ready))
        .with_state(readiness)
}

const NO_STORE: [(header::HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

async fn ready(State(readiness): State<watch::Receiver<Readiness>>) -> Response {
    let readiness = readiness.borrow().clone();
    let status = if readiness.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = serde_json::json!({
        "ready": readiness.is_ready(),
        "reasons": readiness.reasons,
    });
    (status, NO_STORE, axum::Json(body)).into_response()
}

/// `grpc.health.v1.Health` over the same readiness: every service of the contract
/// stands and falls with the gateway.
pub(crate) struct GrpcHealth {
    pub(crate) readiness: watch::Receiver<Readiness>,
    pub(crate) contract: DescriptorPool,
}

impl GrpcHealth {
    fn knows(&self, service: &str) -> bool {
        service.is_empty() || self.contract.get_service_by_name(service).is_some()
    }
}

#[tonic::async_trait]
impl Health for GrpcHealth {
    async fn check(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<HealthCheckResponse>, Status> {
        if !self.knows(&request.get_ref().service) {
            return Err(Status::not_found("no such service"));
        }
        let status = self.readiness.borrow().serving_status();
        Ok(tonic::Response::new(answer(status)))
    }

    type WatchStream =
        Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send + 'static>>;

    async fn watch(
        &self,
        request: tonic::Request<HealthCheckRequest>,
    ) -> Result<tonic::Response<Self::WatchStream>, Status> {
        let known = self.knows(&request.get_ref().service);
        let changes = WatchStream::new(self.readiness.clone()).map(move |readiness| {
            let status = if known {
                readiness.serving_status()
            } else {
                ServingStatus::ServiceUnknown
            };
            Ok(answer(status))
        });
        Ok(tonic::Response::new(Box::pin(changes)))
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}
