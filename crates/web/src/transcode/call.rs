//! One call of a gRPC method in process.

use axum::Router;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::BodyExt as _;
use tonic::Status;
use tower::ServiceExt as _;

use super::codec;
use super::error::Failure;

/// What the services may know of the HTTP request.
const PASSED_ON: [HeaderName; 5] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::ORIGIN,
    header::USER_AGENT,
    HeaderName::from_static("traceparent"),
];

/// Headers of an answer that belong to gRPC or to the transport.
const KEPT_BACK: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::DATE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
];

/// A gRPC answer, read message by message.
pub(super) struct Reply {
    /// What the service said before its first message.
    pub(super) metadata: HeaderMap,
    /// What it said after its last.
    pub(super) trailers: HeaderMap,
    body: Body,
    arrived: BytesMut,
}

/// Calls a method and waits for its answer to begin. The parts are those of the
/// HTTP request, whose extensions go along.
pub(super) async fn call(
    grpc: &Router,
    path: &str,
    mut parts: Parts,
    body: Body,
) -> Result<Reply, Failure> {
    let mut request = Request::new(body);
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = http::Version::HTTP_2;
    *request.uri_mut() = path
        .parse()
        .map_err(|_| Failure::internal("a method's name is not a path"))?;
    let headers = request.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/grpc"),
    );
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    if let Some(timeout) = timeout(&parts.headers)? {
        headers.insert("grpc-timeout", timeout);
    }
    for name in PASSED_ON {
        for value in parts.headers.get_all(&name) {
            headers.append(name.clone(), value.clone());
        }
    }
    *request.extensions_mut() = std::mem::take(&mut parts.extensions);

    let response = match grpc.clone().oneshot(request).await {
        Ok(response) => response,
        Err(infallible) => match infallible {},
    };
    let (head, body) = response.into_parts();
    let reply = Reply {
        metadata: metadata(&head.headers),
        trailers: HeaderMap::new(),
        body,
        arrived: BytesMut::new(),
    };
    match Status::from_header_map(&head.headers) {
        Some(status) if status.code() != tonic::Code::Ok => Err(reply.failed(status)),
        Some(_) | None => Ok(reply),
    }
}

impl Reply {
    /// The next message, or none when the service has said all and succeeded. May
    /// be dropped while it waits without losing anything.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            if let Some((_, message)) = codec::take_frame(&mut self.arrived, usize::MAX)? {
                return Ok(Some(message));
            }
            let Some(frame) = self.body.frame().await else {
                return self.end(None);
            };
            let frame = frame.map_err(|_| Failure::internal("the answer broke off"))?;
            match frame.into_data() {
                Ok(data) => self.arrived.extend_from_slice(&data),
                Err(frame) => return self.end(frame.into_trailers().ok()),
            }
        }
    }

    fn end(&mut self, trailers: Option<HeaderMap>) -> Result<Option<Bytes>, Failure> {
        self.body = Body::empty();
        let trailers = trailers.unwrap_or_default();
        self.trailers = metadata(&trailers);
        match Status::from_header_map(&trailers) {
            Some(status) if status.code() == tonic::Code::Ok => Ok(None),
            Some(status) => Err(self.failed(status)),
            None => Err(Failure::internal("the answer ended without a status")),
        }
    }

    fn failed(&self, status: Status) -> Failure {
        Failure {
            metadata: Box::new(self.metadata.clone()),
            ..Failure::from(status)
        }
    }
}

fn metadata(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| !KEPT_BACK.contains(name) && !name.as_str().starts_with("grpc-"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// `connect-timeout-ms`, at most ten digits, as gRPC writes it, at most eight.
fn timeout(headers: &HeaderMap) -> Result<Option<HeaderValue>, Failure> {
    let Some(value) = headers.get("connect-timeout-ms") else {
        return Ok(None);
    };
    let refused = || Failure::invalid("connect-timeout-ms is not a number of milliseconds");
    let digits = value.to_str().map_err(|_| refused())?;
    if digits.len() > 10 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let milliseconds: u64 = digits.parse().map_err(|_| refused())?;
    let text = if milliseconds < 100_000_000 {
        format!("{milliseconds}m")
    } else {
        format!("{}S", milliseconds / 1_000)
    };
    text.parse().map(Some).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translates_deadlines() {
        let check = |value: &'static str, expect: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert("connect-timeout-ms", HeaderValue::from_static(value));
            let seen = timeout(&headers).ok().flatten();
            let seen = seen.as_ref().map(|seen| seen.to_str().unwrap());
            assert_eq!(seen, expect, "{value}");
        };
        check("0", Some("0m"));
        check("99999999", Some("99999999m"));
        check("9999999999", Some("9999999S"));
        check("10000000000", None);
        check("-1", None);
        check("", None);
    }
}
