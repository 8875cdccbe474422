//! Everything the port answers, put together.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version, header};
use prost_reflect::DescriptorPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::service::Routes;
use tonic_web::{GrpcWebLayer, GrpcWebService};
use tower::{Layer as _, ServiceExt as _};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};

use crate::health::{self, Readiness};
use crate::metrics::{self, Metrics};
use crate::origin::{self, CrossSite, PublicOrigin};
use crate::transcode::{Limits, Transcoder};
use crate::{assets, grpc, headers};

/// Answers smaller than this gain nothing from compression.
const COMPRESSED_BYTES_MIN: u16 = 1024;

/// What the surface is made of.
pub struct Parts {
    /// Our gRPC services, each with its authorization.
    pub grpc: Routes,
    /// Routes that anybody calls, from anywhere, and that check their callers
    /// themselves: webhooks, site chat, forms, files.
    pub open: Router,
    /// Routes that take a session cookie, such as uploads; what changes something is
    /// only admitted from our own pages.
    pub guarded: Router,
    /// The address browsers use.
    pub public: PublicOrigin,
    /// Whether the gateway takes work.
    pub readiness: watch::Receiver<Readiness>,
    /// What is measured; none answers 404.
    pub metrics: Option<Metrics>,
    /// How much a request may ask.
    pub limits: Limits,
    /// Ends every stream of the contract when the gateway stops, so that clients go
    /// elsewhere at once.
    pub stopping: CancellationToken,
}

/// The surface cannot be put together: the contract compiled in is damaged.
#[derive(Debug, thiserror::Error)]
pub enum SurfaceError {
    /// The descriptors do not resolve.
    #[error("the contract's descriptors cannot be used: {0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// Reflection refuses them.
    #[error("reflection cannot be offered: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Puts the port's answers together.
pub fn app(parts: Parts) -> Result<Router, SurfaceError> {
    let contract = DescriptorPool::decode(proto::DESCRIPTORS)?;
    let readiness = parts.readiness.clone();
    let grpc = grpc::compose(parts.grpc, &contract, readiness, parts.stopping)?;
    let public = parts.public;
    let transcoder = Transcoder::new(grpc.clone(), &contract, public.clone(), parts.limits)?;
    let guarded = parts.guarded.layer(middleware::from_fn_with_state(
        public.clone(),
        origin::guard,
    ));
    let compressed = SizeAbove::new(COMPRESSED_BYTES_MIN).and(is_text as IsText);
    let http = Router::new()
        .merge(assets::routes())
        .merge(health::routes(parts.readiness))
        .merge(parts.metrics.map(metrics::routes).unwrap_or_default())
        .merge(transcoder.routes(&contract))
        .merge(parts.open)
        .merge(guarded)
        .layer(CompressionLayer::new().compress_when(compressed))
        .layer(middleware::from_fn(assets::tag_encoding));
    let doors = Doors {
        grpc: GrpcWebLayer::new().layer(grpc),
        http,
        public: public.clone(),
    };
    Ok(Router::new()
        .fallback(enter)
        .with_state(doors)
        .layer(middleware::from_fn(survive))
        .layer(middleware::from_fn_with_state(public, headers::secure)))
}

#[derive(Clone)]
struct Doors {
    grpc: GrpcWebService<Router>,
    http: Router,
    public: PublicOrigin,
}

async fn enter(State(doors): State<Doors>, mut request: Request) -> Response {
    join_cookies(request.headers_mut());
    if !grpc::is_grpc(request.headers()) {
        return match doors.http.oneshot(request).await {
            Ok(response) => response,
            Err(infallible) => match infallible {},
        };
    }
    // tonic would take any method; only POST is guarded against forgery.
    if request.method() != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")]).into_response();
    }
    let admitted = doors
        .public
        .admits_write(request.method(), request.uri(), request.headers());
    if let Err(cross_site) = admitted {
        return refused(cross_site);
    }
    match doors.grpc.oneshot(request).await {
        Ok(response) => response.map(axum::body::Body::new),
        Err(infallible) => match infallible {},
    }
}

/// gRPC clients read the status from the headers.
fn refused(cross_site: CrossSite) -> Response {
    let mut response = Status::permission_denied(cross_site.to_string()).into_http();
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

/// HTTP/2 lets a browser send cookies one by one; everybody after us expects one
/// header.
fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<_> = headers.get_all(header::COOKIE).iter().collect();
    if cookies.len() < 2 {
        return;
    }
    let joined = cookies
        .iter()
        .map(|cookie| cookie.as_bytes())
        .collect::<Vec<_>>()
        .join(&b"; "[..]);
    if let Ok(joined) = HeaderValue::from_bytes(&joined) {
        headers.insert(header::COOKIE, joined);
    }
}

/// A defect in one handler costs one answer, and tells nothing about itself.
async fn survive(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        tracing::error!(http.path = path, "a request handler panicked");
        (StatusCode::INTERNAL_SERVER_ERROR, "internal error\n").into_response()
    })
}

type IsText = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Text that is whole: a stream's frames must not wait for one
/// another, and files are compressed already or rarely worth it.
fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    matches!(
        media_type,
        Some(
            "application/json"
                | "image/svg+xml"
                | "text/css"
                | "text/html"
                | "text/javascript"
                | "text/plain"
        )
    )
}
