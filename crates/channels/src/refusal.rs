//! How our own pages are told that something is not done.

use axum::response::{IntoResponse, Response};
use domain::Millis;
use http::{StatusCode, header};
use serde_json::json;

/// Answers `{"error": {"code", "message", "field"}}`.
pub(crate) fn refusal(
    (status, code): (StatusCode, &str),
    message: &str,
    field: Option<&str>,
    retry_after: Option<Millis>,
) -> Response {
    let body = json!({"error": {"code": code, "message": message, "field": field}});
    let mut response = (status, axum::Json(body)).into_response();
    if let Some(wait) = retry_after {
        let secs = wait.0.max(0).unsigned_abs().div_ceil(1_000).max(1);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, secs.into());
    }
    response
}
