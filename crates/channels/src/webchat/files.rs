//! Files from visitors: stored first, then named in a message.
//!
//! The gateway remembers nothing of an upload. Its id is the description of the
//! stored file, signed for one browser: without the signature, whoever knows the
//! hash of a file could ask for its content.

use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::response::{IntoResponse, Response};
use domain::message::Attachment;
use domain::{Millis, Timestamp};
use futures::{StreamExt, TryStreamExt};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::io;
use std::time::Duration;

use super::routes::Endpoint;
use super::ticket;
use super::visitor::Token;
use crate::host::{Act, ClientIp, Refused};
use crate::refusal::refusal;
use crate::{clean, upload};

/// How long an upload can be named: a visitor may be long without a connection.
const UPLOAD_LIFETIME: Millis = Millis::from_secs(24 * 3_600);

/// The largest file over a slow mobile line takes some minutes.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(10);

/// What the page is told of its file.
#[derive(Debug, Serialize)]
pub(super) struct Stored {
    upload_id: String,
    file_name: String,
    media_type: String,
    size_bytes: u64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Ticket {
    file: Attachment,
    visitor_id: String,
    until: Timestamp,
}

/// Takes one file, as the body or as the first file of a form.
pub(super) async fn take(endpoint: &Endpoint, request: Request) -> Result<Stored, UploadError> {
    let limits = &endpoint.chat.config.page.limits;
    if limits.files_per_message_max == 0 {
        return Err(UploadError::NotHere);
    }
    let visitor_id = bearer(request.headers())
        .and_then(Token::read)
        .ok_or(UploadError::Token)?
        .browser_id();
    let ip = ClientIp::of(request.extensions());
    endpoint
        .host
        .admit(Act::Upload, ip, &visitor_id)
        .map_err(|wait| UploadError::TooOften(wait.0))?;
    let file = tokio::time::timeout(UPLOAD_TIMEOUT, store(endpoint, request))
        .await
        .map_err(|_| UploadError::TooSlow)??;
    let until = endpoint.host.now() + UPLOAD_LIFETIME;
    let stored = Stored {
        upload_id: String::new(),
        file_name: file.file_name.clone(),
        media_type: file.media_type.clone(),
        size_bytes: file.size_bytes,
    };
    let ticket = Ticket {
        file,
        visitor_id,
        until,
    };
    Ok(Stored {
        upload_id: ticket::sign(&ticket, &key(endpoint)),
        ..stored
    })
}

/// The file behind an upload id; none when it is not this browser's.
pub(super) fn find(endpoint: &Endpoint, upload_id: &str, browser_id: &str) -> Option<Attachment> {
    let ticket: Ticket = ticket::read(upload_id, &key(endpoint))?;
    let good = ticket.visitor_id == browser_id && ticket.until > endpoint.host.now();
    good.then_some(ticket.file)
}

async fn store(endpoint: &Endpoint, request: Request) -> Result<Attachment, UploadError> {
    let bytes_max = endpoint.chat.config.page.limits.file_bytes_max;
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_form = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .to_ascii_lowercase()
                .starts_with("multipart/form-data")
        });
    if !is_form {
        let name = file_name(request.headers());
        let body = request
            .into_body()
            .into_data_stream()
            .map_err(io::Error::other);
        let stored = endpoint.host.store_file(&name, bytes_max, body.boxed());
        return Ok(stored.await?);
    }
    let mut request = request;
    // The store counts; the extractor's own limit would be 2 MB.
    DefaultBodyLimit::disable().apply(&mut request);
    let malformed = |text: String| UploadError::Malformed(text);
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|error| malformed(error.body_text()))?;
    loop {
        let part = parts.next_field().await;
        match part.map_err(|error| malformed(error.body_text()))? {
            None => return Err(malformed("there is no file in the form".to_owned())),
            Some(part) if part.file_name().is_some_and(|name| !name.is_empty()) => {
                return Ok(upload::store_field(&*endpoint.host, part, bytes_max).await?);
            }
            Some(_) => {}
        }
    }
}

/// Bound to the line as well: another line may be another company's.
fn key(endpoint: &Endpoint) -> [u8; 32] {
    let line = &endpoint.chat.config.line;
    endpoint.host.secret(&format!("webchat upload {line}"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn file_name(headers: &HeaderMap) -> String {
    headers
        .get("x-file-name")
        .and_then(|encoded| clean::percent_decode(encoded.as_bytes(), false))
        .unwrap_or_else(|| "file".to_owned())
}

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    #[error("this line takes no files")]
    NotHere,
    #[error("send the visitor's token: Authorization: Bearer …")]
    Token,
    #[error("too often; try again later")]
    TooOften(Millis),
    #[error("the file did not arrive in ten minutes")]
    TooSlow,
    #[error("the body cannot be read: {0}")]
    Malformed(String),
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl IntoResponse for UploadError {
    fn into_response(self) -> Response {
        let (status_and_code, retry_after) = match &self {
            Self::NotHere => ((StatusCode::FORBIDDEN, "files_disabled"), None),
            Self::Token => ((StatusCode::UNAUTHORIZED, "visitor_token"), None),
            Self::TooOften(wait) => ((StatusCode::TOO_MANY_REQUESTS, "too_often"), Some(*wait)),
            Self::TooSlow => ((StatusCode::REQUEST_TIMEOUT, "too_slow"), None),
            Self::Malformed(_) => ((StatusCode::BAD_REQUEST, "malformed"), None),
            Self::Refused(Refused::Busy { retry_after, .. }) => (
                (StatusCode::SERVICE_UNAVAILABLE, "busy"),
                Some(*retry_after),
            ),
            Self::Refused(Refused::Invalid(_)) => ((StatusCode::BAD_REQUEST, "refused"), None),
        };
        let message = if let Self::Refused(Refused::Busy { .. }) = &self {
            "try again later".to_owned()
        } else {
            self.to_string()
        };
        refusal(status_and_code, &message, None, retry_after)
    }
}
