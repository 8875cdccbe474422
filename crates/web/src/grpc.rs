//! The gRPC side as one router: our services, health, reflection; each call with
//! its deadline.

use axum::Router;
use axum::middleware;
use http::{HeaderMap, header};
use prost_reflect::DescriptorPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;

use crate::health::{GrpcHealth, Readiness};
use crate::lifetime::{self, Lifetime};

/// Puts health and reflection beside our services. What comes out is called both
/// by gRPC clients and, in process, by the transcoder.
pub(crate) fn compose(
    services: Routes,
    contract: &DescriptorPool,
    readiness: watch::Receiver<Readiness>,
    stopping: CancellationToken,
) -> Result<Router, tonic_reflection::server::Error> {
    let health = HealthServer::new(GrpcHealth {
        readiness,
        contract: contract.clone(),
    });
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let lifetime = Lifetime::new(contract, stopping);
    Ok(services
        .add_service(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .prepare()
        .into_axum_router()
        .layer(middleware::from_fn_with_state(lifetime, lifetime::limit)))
}

/// Says whether a request speaks gRPC or gRPC-Web.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}
