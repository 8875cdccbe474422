use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use domain::Timestamp;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::config::PageConfig;
use super::{WebChat, files, socket};
use crate::Host;
use crate::refusal::refusal;

/// What every request and socket of a line works with.
pub(super) struct Endpoint {
    pub(super) chat: Arc<WebChat>,
    pub(super) host: Arc<dyn Host>,
    pub(super) stop: CancellationToken,
}

pub(super) fn router(chat: Arc<WebChat>, host: Arc<dyn Host>, stop: CancellationToken) -> Router {
    let path = |page: &str| format!("/chat/{}/{page}", chat.config.line);
    Router::new()
        .route(&path("socket"), any(socket::open))
        .route(&path("files"), post(upload).options(files_preflight))
        .route(&path("config"), get(config).options(config_preflight))
        .with_state(Arc::new(Endpoint { chat, host, stop }))
}

/// What the widget is told, and what of it changes by the hour.
#[derive(Serialize)]
struct PageNow<'a> {
    #[serde(flatten)]
    page: &'a PageConfig,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_until: Option<Timestamp>,
}

async fn config(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Response {
    let config = &endpoint.chat.config;
    // A browser tells no origin when it reads from the page's own server, and
    // nothing here is secret.
    let answer = if headers.contains_key(header::ORIGIN) && !config.origins.admits(&headers) {
        origin_denied()
    } else {
        let page = PageNow {
            page: &config.page,
            closed_until: endpoint.host.closed_until(&config.line),
        };
        let mut answer = axum::Json(page).into_response();
        answer.headers_mut().insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("max-age=60"),
        );
        answer
    };
    config.origins.expose(&headers, answer)
}

async fn upload(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let origins = &endpoint.chat.config.origins;
    let answer = if origins.admits(&headers) {
        match Box::pin(files::take(&endpoint, request)).await {
            Ok(stored) => (StatusCode::CREATED, axum::Json(stored)).into_response(),
            Err(error) => error.into_response(),
        }
    } else {
        origin_denied()
    };
    origins.expose(&headers, answer)
}

async fn files_preflight(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Response {
    endpoint.chat.config.origins.preflight(&headers, "POST")
}

async fn config_preflight(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Response {
    endpoint.chat.config.origins.preflight(&headers, "GET")
}

pub(super) fn origin_denied() -> Response {
    refusal(
        (StatusCode::FORBIDDEN, "origin_denied"),
        "this site may not use this line: add it to the line's `origins`",
        None,
        None,
    )
}
