//! Why there is no answer. Addresses are never told: some have a key in them.

use std::error::Error as StdError;

use super::guard::Denied;

/// Why there is no answer, by what that means for what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It must not be called so; to try again does not help.
    #[error("{0}")]
    Refused(String),
    /// Nothing reached anybody: to try again is harmless.
    #[error("{0}")]
    NotSent(String),
    /// Nobody knows whether it was taken: to try again may double it.
    #[error("{0}")]
    InDoubt(String),
}

impl CallError {
    /// What the HTTP library says, as far as it is safe to know.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let reason = reason(error);
        if error.is_builder() || causes(error).any(|cause| cause.is::<Denied>()) {
            Self::Refused(reason)
        } else if error.is_connect() || was_canceled(error) {
            Self::NotSent(format!("it cannot be reached: {reason}"))
        } else {
            Self::InDoubt(format!("it ended without an answer: {reason}"))
        }
    }
}

/// The innermost cause, which has no address in it.
pub(super) fn reason(error: &reqwest::Error) -> String {
    let innermost = causes(error).last();
    innermost.map_or_else(|| "it is not possible".to_owned(), ToString::to_string)
}

/// A connection that was kept had ended, and the request was not begun. The library
/// gives it back then; it tells so of nothing that was written in part.
fn was_canceled(error: &reqwest::Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<hyper::Error>())
        .any(hyper::Error::is_canceled)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}
