//! The contact directory for those who call us: passed on as it comes, to whoever
//! serves it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use engine::contacts::Transport;
use http::{Request, Response};
use proto::contacts::v1::contact_directory_server::SERVICE_NAME;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::{Service, ServiceExt as _};

/// Passes calls on.
#[derive(Clone)]
pub(super) struct Proxy {
    transport: Transport,
}

impl Proxy {
    pub(super) fn new(transport: Transport) -> Self {
        Self { transport }
    }
}

impl NamedService for Proxy {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<Request<Body>> for Proxy {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // Readiness is waited for in the call, where a failure can be told.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let transport = self.transport.clone();
        Box::pin(async move {
            Ok(transport
                .oneshot(request)
                .await
                .unwrap_or_else(tonic::Status::into_http))
        })
    }
}
