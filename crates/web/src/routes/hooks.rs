//! Webhooks: checked on their raw bytes, made durable, then acknowledged.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use channels::host::{ClientIp, Refused};
use channels::{Delivery, HookError};
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
    let lines = engine.lines_of_hook(hook);
    let sizes = lines
        .iter()
        .map(|line| line.kind.descriptor.delivery_bytes_max);
    let Some(bytes_max) = sizes.max() else {
        return (StatusCode::NOT_FOUND, "there is no such hook\n").into_response();
    };
    let (head, body) = request.into_parts();
    // The cap comes before the signature, which is over every byte.
    let Ok(body) = axum::body::to_bytes(body, bytes_max).await else {
        let text = format!("the body is larger than {bytes_max} bytes or broke off\n");
        return (StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
    };
    let query = head.uri.query().map(|query| format!("?{query}"));
    let delivery = Delivery {
        method: head.method,
        path_and_query: rest + query.as_deref().unwrap_or_default(),
        from: ClientIp::of(&head.extensions),
        headers: head.headers,
        body,
    };
    let mut ack = None;
    let mut refused = HookError::NotAHook;
    // Several lines of one app each take what is theirs.
    for line in lines {
        match line.channel.receive(&delivery) {
            Ok(received) => {
                for envelope in received.envelopes {
                    if let Err(refused) = engine.accept(&line.id, envelope).await {
                        return not_taken(&refused);
                    }
                }
                ack.get_or_insert(received.ack);
            }
            Err(error) => refused = error,
        }
    }
    let Some(ack) = ack else {
        let status = match &refused {
            HookError::NotAHook => StatusCode::NOT_FOUND,
            HookError::Forged => StatusCode::FORBIDDEN,
            HookError::Malformed(_) => StatusCode::BAD_REQUEST,
        };
        return (status, format!("{refused}\n")).into_response();
    };
    let content_type = [(header::CONTENT_TYPE, ack.content_type)];
    (ack.status, content_type, Body::from(ack.body)).into_response()
}

/// Nothing is acknowledged that is not durable.
fn not_taken(refused: &Refused) -> Response {
    let text = format!("{refused}\n");
    match refused {
        Refused::Busy { .. } => {
            let after = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
            (StatusCode::SERVICE_UNAVAILABLE, after, text).into_response()
        }
        Refused::Invalid(_) => (StatusCode::BAD_REQUEST, text).into_response(),
    }
}
