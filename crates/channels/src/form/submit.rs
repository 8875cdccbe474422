//! `POST /forms/{line_id}`.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::multipart::Field as MultipartField;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use domain::message::Attachment;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use super::error::SubmitError;
use super::fields::{self, FieldError};
use super::submission::{Field, Submission, random_uuid, uuid, value};
use super::{DESCRIPTOR, Form};
use crate::host::{Act, ClientIp, Refused};
use crate::{Envelope, Host, upload};

pub(super) const FILES_MAX: usize = 5;

struct Endpoint {
    form: Arc<Form>,
    host: Arc<dyn Host>,
}

pub(super) fn router(form: Arc<Form>, host: Arc<dyn Host>) -> Router {
    let path = format!("/forms/{}", form.config.line);
    // Files are written as they come, so the size of a whole request costs no
    // memory.
    let body_bytes_max = usize::try_from(form.config.file_bytes_max)
        .unwrap_or(usize::MAX)
        .saturating_mul(FILES_MAX)
        .saturating_add(DESCRIPTOR.delivery_bytes_max);
    Router::new()
        .route(&path, post(submit).options(preflight))
        .layer(DefaultBodyLimit::max(body_bytes_max))
        .with_state(Arc::new(Endpoint { form, host }))
}

async fn preflight(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Response {
    endpoint.form.config.origins.preflight(&headers, "POST")
}

async fn submit(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let answer = match Box::pin(endpoint.take(request)).await {
        Ok(submission_id) => endpoint.answer(&headers, &submission_id),
        Err(error) => error.into_response(),
    };
    endpoint.form.config.origins.expose(&headers, answer)
}

#[derive(Default)]
struct Filled {
    fields: Vec<Field>,
    attachments: Vec<Attachment>,
}

impl Endpoint {
    async fn take(&self, request: Request) -> Result<String, SubmitError> {
        let config = &self.form.config;
        if !config.origins.admits(request.headers()) {
            return Err(SubmitError::Origin);
        }
        let ip = ClientIp::of(request.extensions());
        self.host
            .admit(Act::Begin, ip, config.line.as_str())
            .map_err(|wait| SubmitError::TooOften(wait.0))?;
        let filled = self.read(request).await?;
        if value(&filled.fields, &config.honeypot).is_some() {
            // A program that fills hidden fields is not told that it was seen.
            return Ok(random_uuid(self.host.random_bytes()));
        }
        let submission = self.check(filled)?;
        let submission_id = submission.submission_id.clone();
        let raw = serde_json::to_vec(&submission)
            .map_err(|error| SubmitError::Refused(Refused::Invalid(error.to_string())))?;
        if raw.len() > DESCRIPTOR.delivery_bytes_max {
            return Err(SubmitError::TooLarge);
        }
        let envelope = Envelope {
            event_key: submission.event_key(),
            raw: Bytes::from(raw),
            rest: None,
        };
        self.host.accept(&config.line, envelope).await?;
        Ok(submission_id)
    }

    async fn read(&self, request: Request) -> Result<Filled, SubmitError> {
        let content_type = content_type(request.headers());
        if content_type == "multipart/form-data" {
            return self.read_multipart(request).await;
        }
        let read = match content_type.as_str() {
            "application/json" => fields::from_json,
            "application/x-www-form-urlencoded" => fields::from_urlencoded,
            _ => return Err(SubmitError::MediaType),
        };
        let body = to_bytes(request.into_body(), DESCRIPTOR.delivery_bytes_max)
            .await
            .map_err(|_| SubmitError::TooLarge)?;
        Ok(Filled {
            fields: read(&body)?,
            attachments: Vec::new(),
        })
    }

    async fn read_multipart(&self, request: Request) -> Result<Filled, SubmitError> {
        let ip = ClientIp::of(request.extensions());
        let mut parts = Multipart::from_request(request, &())
            .await
            .map_err(|error| FieldError::Malformed(error.body_text()))?;
        let mut filled = Filled::default();
        loop {
            let part = parts.next_field().await;
            let Some(part) = part.map_err(|error| FieldError::Malformed(error.body_text()))? else {
                return Ok(filled);
            };
            let name = part.name().unwrap_or_default().to_owned();
            match part.file_name() {
                // A file field that was left empty is sent without a name.
                Some("") => {}
                Some(_) => {
                    if filled.attachments.len() >= FILES_MAX {
                        return Err(SubmitError::TooManyFiles { field: name });
                    }
                    let line = self.form.config.line.as_str();
                    self.host
                        .admit(Act::Upload, ip, line)
                        .map_err(|wait| SubmitError::TooOften(wait.0))?;
                    let bytes_max = self.form.config.file_bytes_max;
                    let file = upload::store_field(&*self.host, part, bytes_max).await?;
                    filled.attachments.push(file);
                }
                None => {
                    let text = read_text(part, &name).await?;
                    fields::add(&mut filled.fields, &name, &text)?;
                }
            }
        }
    }

    fn check(&self, filled: Filled) -> Result<Submission, SubmitError> {
        let config = &self.form.config;
        let Filled {
            fields,
            attachments,
        } = filled;
        if config.consent && !value(&fields, "consent").is_some_and(is_yes) {
            return Err(SubmitError::Consent);
        }
        for field in &config.required {
            if value(&fields, field).is_none() {
                return Err(SubmitError::Required {
                    field: field.clone(),
                });
            }
        }
        let submission_id = match value(&fields, "submission_id") {
            Some(given) => uuid(given).ok_or(SubmitError::SubmissionId)?,
            None => random_uuid(self.host.random_bytes()),
        };
        let nothing = |field: &Field| matches!(field.name.as_str(), "consent" | "submission_id");
        if attachments.is_empty() && fields.iter().all(nothing) {
            return Err(SubmitError::Empty);
        }
        Ok(Submission {
            submission_id,
            line: config.line.clone(),
            at: self.host.now(),
            fields,
            attachments,
        })
    }

    fn answer(&self, headers: &HeaderMap, submission_id: &str) -> Response {
        let page = content_type(headers) != "application/json"
            && headers
                .get(header::ACCEPT)
                .and_then(|accept| accept.to_str().ok())
                .is_some_and(|accept| accept.contains("text/html"));
        match &self.form.config.redirect {
            Some(redirect) if page => (
                StatusCode::SEE_OTHER,
                [(header::LOCATION, redirect.clone())],
            )
                .into_response(),
            Some(_) | None => {
                axum::Json(json!({"ok": true, "submission_id": submission_id})).into_response()
            }
        }
    }
}

async fn read_text(mut part: MultipartField<'_>, name: &str) -> Result<String, FieldError> {
    let mut text = Vec::new();
    while let Some(piece) = part
        .chunk()
        .await
        .map_err(|error| FieldError::Malformed(error.body_text()))?
    {
        if text.len() + piece.len() > fields::VALUE_BYTES_MAX {
            return Err(FieldError::TooLong {
                field: name.to_owned(),
            });
        }
        text.extend_from_slice(&piece);
    }
    String::from_utf8(text).map_err(|_| FieldError::Malformed("it is not UTF-8".to_owned()))
}

fn content_type(headers: &HeaderMap) -> String {
    let full = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = full.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn is_yes(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "true" | "on" | "1" | "yes"
    )
}
