//! Operators' files: sent up first, then named in a message.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use engine::{ActError, Engine};
use futures::TryStreamExt as _;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::access::caller_of;

/// The answer to an upload.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Uploaded {
    upload_id: String,
    file_name: String,
    media_type: String,
    size_bytes: u64,
}

pub(super) fn routes(engine: &Engine) -> Router {
    Router::new()
        .route("/uploads", post(upload))
        .with_state(engine.clone())
}

/// `POST /uploads`: the file as the body, its name percent-encoded in
/// `x-file-name`.
async fn upload(State(engine): State<Engine>, request: Request) -> Response {
    let caller = match caller_of(&engine, request.headers()).await {
        Ok(Some(caller)) => caller,
        Ok(None) => return refuse(StatusCode::UNAUTHORIZED, "sign in first"),
        Err(status) => return refuse(StatusCode::SERVICE_UNAVAILABLE, status.message()),
    };
    let Ok(owner) = caller.actor.person() else {
        return refuse(StatusCode::FORBIDDEN, "only an operator can send files up");
    };
    let file_name = file_name(request.headers());
    let content = request
        .into_body()
        .into_data_stream()
        .map_err(std::io::Error::other);
    match engine.upload(owner, &file_name, Box::pin(content)).await {
        Ok(upload) => Json(Uploaded {
            upload_id: upload.id,
            file_name: upload.attachment.file_name,
            media_type: upload.attachment.media_type,
            size_bytes: upload.attachment.size_bytes,
        })
        .into_response(),
        Err(ActError::Invalid { problem, .. }) => {
            let (reason, values) = problem.told();
            let body = json!({
                "code": StatusCode::PAYLOAD_TOO_LARGE.as_u16(),
                "message": problem.to_string(),
                "reason": reason,
                "values": values,
            });
            (StatusCode::PAYLOAD_TOO_LARGE, Json(body)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an upload failed");
            refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                "the file could not be stored",
            )
        }
    }
}

fn file_name(headers: &HeaderMap) -> String {
    headers
        .get("x-file-name")
        .and_then(|value| value.to_str().ok())
        .map(percent_decode)
        .unwrap_or_default()
}

fn percent_decode(encoded: &str) -> String {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let pair = [bytes.next(), bytes.next()];
        let hex = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
        if let [Some(high), Some(low)] = pair.map(hex) {
            decoded.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn refuse(status: StatusCode, text: &str) -> Response {
    let body = json!({ "code": status.as_u16(), "message": text });
    (status, Json(body)).into_response()
}
