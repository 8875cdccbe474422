use axum::response::{IntoResponse, Response};
use domain::Millis;
use http::StatusCode;

use super::fields::FieldError;
use super::submit::FILES_MAX;
use crate::host::Refused;
use crate::refusal::refusal;

/// Why a submission is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum SubmitError {
    #[error("this site may not submit this form: add it to the line's `origins`")]
    Origin,
    #[error("too often; try again later")]
    TooOften(Millis),
    #[error("send application/json, application/x-www-form-urlencoded or multipart/form-data")]
    MediaType,
    #[error("the body is larger than 1 MiB")]
    TooLarge,
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error("at most {FILES_MAX} files are taken")]
    TooManyFiles { field: String },
    #[error("this field has to be filled in")]
    Required { field: String },
    #[error("consent has to be given: send consent=true")]
    Consent,
    #[error("submission_id has to be a UUID")]
    SubmissionId,
    #[error("no field is filled in")]
    Empty,
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl SubmitError {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Origin => (StatusCode::FORBIDDEN, "origin_denied"),
            Self::TooOften(_) => (StatusCode::TOO_MANY_REQUESTS, "too_often"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::Field(FieldError::Malformed(_)) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::Field(FieldError::TooMany) => (StatusCode::BAD_REQUEST, "too_many_fields"),
            Self::Field(FieldError::Name) => (StatusCode::BAD_REQUEST, "field_name"),
            Self::Field(FieldError::TooLong { .. }) => (StatusCode::BAD_REQUEST, "value_too_long"),
            Self::Field(FieldError::NotAValue { .. }) => (StatusCode::BAD_REQUEST, "not_a_value"),
            Self::TooManyFiles { .. } => (StatusCode::BAD_REQUEST, "too_many_files"),
            Self::Required { .. } => (StatusCode::BAD_REQUEST, "required"),
            Self::Consent => (StatusCode::BAD_REQUEST, "consent_required"),
            Self::SubmissionId => (StatusCode::BAD_REQUEST, "submission_id"),
            Self::Empty => (StatusCode::BAD_REQUEST, "empty"),
            Self::Refused(Refused::Busy { .. }) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Refused(Refused::Invalid(_)) => (StatusCode::BAD_REQUEST, "refused"),
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Field(error) => error.field(),
            Self::TooManyFiles { field } | Self::Required { field } => Some(field),
            Self::Consent => Some("consent"),
            Self::SubmissionId => Some("submission_id"),
            Self::Origin
            | Self::TooOften(_)
            | Self::MediaType
            | Self::TooLarge
            | Self::Empty
            | Self::Refused(_) => None,
        }
    }

    fn retry_after(&self) -> Option<Millis> {
        match self {
            Self::TooOften(wait)
            | Self::Refused(Refused::Busy {
                retry_after: wait, ..
            }) => Some(*wait),
            Self::Origin
            | Self::MediaType
            | Self::TooLarge
            | Self::Field(_)
            | Self::TooManyFiles { .. }
            | Self::Required { .. }
            | Self::Consent
            | Self::SubmissionId
            | Self::Empty
            | Self::Refused(Refused::Invalid(_)) => None,
        }
    }
}

impl IntoResponse for SubmitError {
    fn into_response(self) -> Response {
        // What keeps the gateway busy is nothing for strangers.
        let message = if let Self::Refused(Refused::Busy { .. }) = &self {
            "try again later".to_owned()
        } else {
            self.to_string()
        };
        let status_and_code = self.status_and_code();
        refusal(status_and_code, &message, self.field(), self.retry_after())
    }
}
