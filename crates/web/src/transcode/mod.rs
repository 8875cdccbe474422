//! The contract by the Connect protocol and as server-sent events: one translation
//! over the descriptors for every method, calling the gRPC services in process.

mod call;
mod codec;
mod error;
mod query;
mod sse;
mod stream;
mod table;
mod unary;
mod written;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use http::{HeaderMap, HeaderValue, Method as HttpMethod, StatusCode, header};
use prost_reflect::{DescriptorError, DescriptorPool};
use tonic::Code;

use self::error::Failure;
use self::table::{Method, Shape, Table};
use self::written::Recent;
use crate::origin::{CrossSite, PublicOrigin};

/// How much a request may ask of the transcoder.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest message, as JSON.
    pub message_bytes_max: usize,
    /// How long a whole request may take to arrive.
    pub request_read_max: Duration,
    /// How long an event stream may be silent; below the minute after which proxies
    /// give up.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 4 * 1024 * 1024,
            request_read_max: Duration::from_secs(30),
            heartbeat: Duration::from_secs(15),
        }
    }
}

/// Translates; cheap to clone.
#[derive(Clone)]
pub(crate) struct Transcoder {
    grpc: Router,
    table: Arc<Table>,
    /// The contract and the details that errors carry, to make them readable.
    known: DescriptorPool,
    recent: Recent,
    public: PublicOrigin,
    limits: Limits,
}

impl Transcoder {
    pub(crate) fn new(
        grpc: Router,
        contract: &DescriptorPool,
        public: PublicOrigin,
        limits: Limits,
    ) -> Result<Self, DescriptorError> {
        let mut known = contract.clone();
        known.decode_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)?;
        Ok(Self {
            grpc,
            table: Arc::new(Table::new(contract)),
            known,
            recent: Recent::default(),
            public,
            limits,
        })
    }

    /// A route per service of the contract.
    pub(crate) fn routes(self, contract: &DescriptorPool) -> Router {
        let mut router = Router::new();
        for service in contract.services() {
            router = router.route(&format!("/{}/{{method}}", service.full_name()), any(handle));
        }
        router.with_state(self)
    }
}

async fn handle(State(transcoder): State<Transcoder>, request: Request) -> Response {
    let Some(method) = transcoder.table.find(request.uri().path()) else {
        let failure = Failure::new(Code::Unimplemented, "there is no such method")
            .with_http_status(StatusCode::NOT_FOUND);
        return failure.into_response(&transcoder.known);
    };
    let answer = match *request.method() {
        HttpMethod::GET => get(&transcoder, &method, request).await,
        HttpMethod::POST => post(&transcoder, &method, request).await,
        _ => Err(not_allowed(&method)),
    };
    answer.unwrap_or_else(|failure| failure.into_response(&transcoder.known))
}

async fn get(
    transcoder: &Transcoder,
    method: &Method,
    request: Request,
) -> Result<Response, Failure> {
    if method.shape != Shape::ServerStream {
        return Err(not_allowed(method));
    }
    let (parts, _) = request.into_parts();
    transcoder
        .public
        .admits_read(&parts.headers)
        .map_err(cross_site)?;
    sse::events(transcoder, method, parts).await
}

async fn post(
    transcoder: &Transcoder,
    method: &Method,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    transcoder
        .public
        .admits_write(&parts.method, &parts.uri, &parts.headers)
        .map_err(cross_site)?;
    let wanted = match method.shape {
        Shape::Unary => "application/json",
        Shape::ServerStream | Shape::ClientStream => stream::CONTENT_TYPE,
    };
    if media_type(&parts.headers).as_deref() != Some(wanted) {
        return Err(unsupported(wanted));
    }
    check_protocol(&parts.headers)?;
    match method.shape {
        Shape::Unary => unary::unary(transcoder, method, parts, body).await,
        Shape::ServerStream | Shape::ClientStream => {
            Ok(stream::stream(transcoder, method, parts, body).await)
        }
    }
}

fn check_protocol(headers: &HeaderMap) -> Result<(), Failure> {
    let says = |name: &str, known: &str| {
        headers
            .get(name)
            .is_none_or(|value| value.as_bytes() == known.as_bytes())
    };
    if !says("connect-protocol-version", "1") {
        return Err(Failure::invalid("connect-protocol-version must be 1"));
    }
    if !says("content-encoding", "identity") || !says("connect-content-encoding", "identity") {
        return Err(Failure::new(
            Code::Unimplemented,
            "compressed requests are not taken",
        ));
    }
    Ok(())
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next()?;
    Some(essence.trim().to_ascii_lowercase())
}

fn cross_site(refused: CrossSite) -> Failure {
    Failure::new(Code::PermissionDenied, refused.to_string()).with_reason(CrossSite::REASON)
}

fn unsupported(wanted: &'static str) -> Failure {
    let mut failure = Failure::invalid(format!("the content type must be {wanted}"))
        .with_http_status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    failure
        .metadata
        .insert("accept-post", HeaderValue::from_static(wanted));
    failure
}

fn not_allowed(method: &Method) -> Failure {
    let allowed = match method.shape {
        Shape::ServerStream => "GET, POST",
        Shape::Unary | Shape::ClientStream => "POST",
    };
    let mut failure = Failure::new(
        Code::Unimplemented,
        format!("the method is called by {allowed}"),
    )
    .with_http_status(StatusCode::METHOD_NOT_ALLOWED);
    failure
        .metadata
        .insert(header::ALLOW, HeaderValue::from_static(allowed));
    failure
}
