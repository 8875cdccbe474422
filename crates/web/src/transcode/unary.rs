//! One JSON message in, one out.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tonic::Code;

use super::call::call;
use super::codec;
use super::error::Failure;
use super::table::Method;
use super::{Limits, Transcoder};

pub(super) async fn unary(
    transcoder: &Transcoder,
    method: &Method,
    parts: Parts,
    body: Body,
) -> Result<Response, Failure> {
    let json = read(body, &transcoder.limits).await?;
    let request = codec::to_grpc_frame(&codec::from_json(&method.input, &json)?)?;
    let mut reply = call(&transcoder.grpc, &method.path, parts, Body::from(request)).await?;
    let message = reply.next().await?;
    let message = message.ok_or_else(|| Failure::internal("the service did not answer"))?;
    if reply.next().await?.is_some() {
        return Err(Failure::internal("the service answered twice"));
    }
    let json = codec::to_json(&codec::from_proto(&method.output, message)?)?;

    let mut response = json.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.extend(reply.metadata);
    for (name, value) in &reply.trailers {
        if let Ok(name) = HeaderName::try_from(format!("trailer-{name}")) {
            headers.append(name, value.clone());
        }
    }
    Ok(response)
}

/// Reads a whole body, neither longer nor slower than allowed.
pub(super) async fn read(body: Body, limits: &Limits) -> Result<Bytes, Failure> {
    let limited = Limited::new(body, limits.message_bytes_max);
    match tokio::time::timeout(limits.request_read_max, limited.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(codec::too_large(limits.message_bytes_max))
        }
        Ok(Err(_)) => Err(Failure::new(Code::Cancelled, "the request broke off")),
        Err(_) => Err(
            Failure::new(Code::DeadlineExceeded, "the request came too slowly")
                .with_http_status(StatusCode::REQUEST_TIMEOUT),
        ),
    }
}
