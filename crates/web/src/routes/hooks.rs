//! Webhooks: checked on their raw bytes, made durable, then acknowledged.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use channels::host::Refused;
use channels::{Delivery, HookError};
use domain::LineId;
use engine::Engine;
use http::{HeaderValue, StatusCode, header};

pub(super) fn routes(engine: &Engine) -> Router {
    Router::new()
        .route("/hooks/{hook}", any(whole))
        .route("/hooks/{hook}/{*rest}", any(deeper))
        .with_state(engine.clone())
}

async fn whole(
    State(engine): State<Engine>,
    Path(hook): Path<String>,
    request: Request,
) -> Response {
    receive(&engine, &hook, String::new(), request).await
}

async fn deeper(
    State(engine): State<Engine>,
    Path((hook, rest)): Path<(String, String)>,
    request: Request,
) -> Response {
    receive(&engine, &hook, rest, request).await
}

async fn receive(engine: &Engine, hook: &str, rest: String, request: Request) -> Response {
    let Some(line) = engine.line(&LineId::from(hook)) else {
        return (StatusCode::NOT_FOUND, "there is no such hook\n").into_response();
    };
    let (head, body) = request.into_parts();
    let bytes_max = line.kind.descriptor.delivery_bytes_max;
    // The cap comes before the signature, which is over every byte.
    let Ok(body) = axum::body::to_bytes(body, bytes_max).await else {
        let text = format!("the body is larger than {bytes_max} bytes or broke off\n");
        return (StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
    };
    let query = head.uri.query().map(|query| format!("?{query}"));
    let delivery = Delivery {
        method: head.method,
        path_and_query: rest + query.as_deref().unwrap_or_default(),
        headers: head.headers,
        body,
    };
    let received = match line.channel.receive(&delivery) {
        Ok(received) => received,
        Err(error) => {
            let status = match &error {
                HookError::NotAHook => StatusCode::NOT_FOUND,
                HookError::Forged => StatusCode::FORBIDDEN,
                HookError::Malformed(_) => StatusCode::BAD_REQUEST,
            };
            return (status, format!("{error}\n")).into_response();
        }
    };
    for envelope in received.envelopes {
        match engine.accept(&line.id, envelope).await {
            Ok(_) => {}
            Err(refused @ Refused::Busy { .. }) => {
                let after = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
                let text = format!("{refused}\n");
                return (StatusCode::SERVICE_UNAVAILABLE, after, text).into_response();
            }
            Err(Refused::Invalid(problem)) => {
                return (StatusCode::BAD_REQUEST, format!("{problem}\n")).into_response();
            }
        }
    }
    let ack = received.ack;
    let content_type = [(header::CONTENT_TYPE, ack.content_type)];
    (ack.status, content_type, Body::from(ack.body)).into_response()
}
