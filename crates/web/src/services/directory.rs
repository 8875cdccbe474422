//! The contact directory for those who call us: passed on as it comes, to whoever
//! serves it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use engine::contacts::Transport;
use engine::{Actor, Engine};
use http::{Request, Response};
use proto::contacts::v1::contact_directory_server::SERVICE_NAME;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::{Service, ServiceExt as _};

use crate::access::Caller;

/// Passes calls on.
#[derive(Clone)]
pub(super) struct Proxy {
    engine: Engine,
    transport: Transport,
}

impl Proxy {
    pub(super) fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            transport: engine.directory().transport(),
        }
    }
}

/// What is noted before somebody else's directory does it. Our own notes it with what
/// it does.
fn noted(path: &str) -> Option<&'static str> {
    match path.rsplit('/').next()? {
        "ExportContacts" => Some("contacts.export"),
        "ImportContacts" => Some("contacts.import"),
        "EraseContact" => Some("contact.erase"),
        _ => None,
    }
}

/// Who asks somebody else's directory for something that is noted.
fn asks(engine: &Engine, request: &Request<Body>) -> Option<(Actor, &'static str)> {
    let act = noted(request.uri().path()).filter(|_| engine.directory().is_remote())?;
    let caller = request.extensions().get::<Caller>()?;
    Some((caller.actor.clone(), act))
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
        let Self { engine, transport } = self.clone();
        Box::pin(async move {
            if let Some((actor, act)) = asks(&engine, &request) {
                let detail = "asked of the directory that is configured";
                if let Err(error) = engine.note(&actor, act, "", detail).await {
                    return Ok(super::store_status(error).into_http());
                }
            }
            Ok(transport
                .oneshot(request)
                .await
                .unwrap_or_else(Status::into_http))
        })
    }
}
