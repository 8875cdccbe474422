use domain::identity::{InvalidIdentity, InvalidProfile};
use store::StoreError;
use tonic::Status;

/// Why a call fails, by its code.
#[derive(Debug)]
pub(super) enum Failure {
    Invalid(String),
    OutOfRange(String),
    NotFound(&'static str),
    Exists(String),
    Stale,
    Precondition(String),
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<InvalidIdentity> for Failure {
    fn from(error: InvalidIdentity) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<InvalidProfile> for Failure {
    fn from(error: InvalidProfile) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Invalid(text) => Self::invalid_argument(text),
            Failure::OutOfRange(text) => Self::out_of_range(text),
            Failure::NotFound(what) => Self::not_found(format!("there is no such {what}")),
            Failure::Exists(text) => Self::already_exists(text),
            Failure::Stale => {
                Self::aborted("the contact has changed since it was read: read it again")
            }
            Failure::Precondition(text) => Self::failed_precondition(text),
            Failure::Store(error) => {
                tracing::error!(%error, "the contact directory could not use the store");
                Self::unavailable("the store cannot be used just now")
            }
        }
    }
}
