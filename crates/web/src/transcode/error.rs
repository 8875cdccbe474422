//! Failures as the Connect protocol tells them.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::pb;

/// A call that failed, in our hands or in the service's.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) message: String,
    /// Encoded `google.rpc.Status`, or empty.
    pub(crate) details: Vec<u8>,
    /// Where HTTP has a clearer status than the one the code goes with.
    pub(crate) http_status: Option<StatusCode>,
    /// Sent as headers.
    pub(crate) metadata: Box<HeaderMap>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            http_status: None,
            metadata: Box::default(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }

    pub(crate) fn with_http_status(mut self, status: StatusCode) -> Self {
        self.http_status = Some(status);
        self
    }

    /// Adds a `google.rpc.ErrorInfo` by which programs tell the cause.
    pub(crate) fn with_reason(mut self, reason: &str) -> Self {
        use tonic_types::{ErrorDetails, StatusExt as _};
        let details = ErrorDetails::with_error_info(reason, "switchboard", []);
        let status = Status::with_error_details(self.code, self.message.clone(), details);
        self.details = status.details().to_vec();
        self
    }

    /// The error object of the Connect protocol.
    pub(crate) fn to_json(&self, known: &DescriptorPool) -> Value {
        let mut error = json!({ "code": connect_code(self.code) });
        if !self.message.is_empty() {
            error["message"] = Value::from(self.message.clone());
        }
        let details = pb::Status::decode(self.details.as_slice()).unwrap_or_default();
        if !details.details.is_empty() {
            let details = details.details.iter().map(|detail| {
                let name = detail.type_url.rsplit('/').next().unwrap_or_default();
                let mut json = json!({
                    "type": name,
                    "value": STANDARD_NO_PAD.encode(&detail.value),
                });
                if let Some(debug) = readable(known, name, &detail.value) {
                    json["debug"] = debug;
                }
                json
            });
            error["details"] = details.collect();
        }
        error
    }

    /// The whole answer to a unary call.
    pub(crate) fn into_response(self, known: &DescriptorPool) -> Response {
        let status = self.http_status.unwrap_or(http_status(self.code));
        let body = self.to_json(known).to_string();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(*self.metadata);
        response
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self {
            details: status.details().to_vec(),
            ..Self::new(status.code(), status.message())
        }
    }
}

fn readable(known: &DescriptorPool, name: &str, value: &[u8]) -> Option<Value> {
    let message = DynamicMessage::decode(known.get_message_by_name(name)?, value).ok()?;
    serde_json::to_value(message).ok()
}

fn connect_code(code: Code) -> &'static str {
    match code {
        Code::Cancelled => "canceled",
        // An error cannot be a success; a client would not believe it either.
        Code::Ok | Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}
