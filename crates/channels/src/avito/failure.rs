//! Why a call did not do what it was to, and what that means for a message.

use domain::{Millis, text};
use serde_json::Value;

use crate::egress::{CallError, Reply};
use crate::{FetchError, SendError};

/// Why a call did not do what it was to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    NotSent(String),
    #[error("{0}")]
    InDoubt(String),
    #[error("the token was good no more")]
    Stale,
    #[error("Avito says: {}", said(*status, words))]
    Refused {
        status: u16,
        words: String,
        retry_after: Option<Millis>,
    },
}

/// Where nobody says how long.
const RETRY: Millis = Millis::from_secs(5);
/// Avito counts calls by the minute.
const FLOOD: Millis = Millis::from_secs(10);
/// What was not paid for takes a person.
const UNPAID: Millis = Millis::from_secs(300);

fn said(status: u16, words: &str) -> String {
    format!("{words} ({status})").trim_start().to_owned()
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(reason) | CallError::NotSent(reason) => Self::NotSent(reason),
            CallError::InDoubt(reason) => Self::InDoubt(reason),
        }
    }
}

impl Failure {
    /// Reads a refusal.
    pub(super) fn told(reply: &Reply) -> Self {
        // Whoever gave up waiting does not know what became of it.
        if reply.status.as_u16() == 504 {
            return Self::InDoubt(reply.to_string());
        }
        Self::Refused {
            status: reply.status.as_u16(),
            words: words(&serde_json::from_slice(&reply.body).unwrap_or_default()),
            retry_after: reply.retry_after,
        }
    }

    /// Reads why there is no token: whatever it is, nothing was sent.
    pub(super) fn of_token(reply: &Reply) -> Self {
        let words = words(&serde_json::from_slice(&reply.body).unwrap_or_default());
        match reply.status.as_u16() {
            200..=299 if words.is_empty() => Self::NotSent("Avito gave no token".to_owned()),
            200..=299 | 400 | 401 | 403 => Self::Refused {
                status: 401,
                words,
                retry_after: None,
            },
            504 => Self::NotSent(reply.to_string()),
            _ => Self::told(reply),
        }
    }

    /// Whether the token, or what it was had for, is good no more.
    pub(super) fn is_of_token(&self) -> bool {
        match self {
            Self::Refused { status, words, .. } => {
                *status == 401 || *status == 403 && words.to_lowercase().contains("token")
            }
            Self::Stale => true,
            Self::NotSent(_) | Self::InDoubt(_) => false,
        }
    }

    /// Whether what it was about is not there.
    pub(super) fn is_not_there(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// What it means where nothing has reached the client yet.
    pub(super) fn before_sending(self) -> SendError {
        match self {
            Self::InDoubt(reason) => SendError::RetryAfter {
                after: RETRY,
                reason,
            },
            failure @ (Self::NotSent(_) | Self::Stale | Self::Refused { .. }) => failure.outcome(),
        }
    }

    /// What it means for a message to a chat: one that we may not write in, or that is not
    /// there, is closed.
    pub(super) fn in_chat(self) -> SendError {
        let is_closed = matches!(
            self,
            Self::Refused {
                status: 403 | 404,
                ..
            }
        );
        if is_closed && !self.is_of_token() {
            return SendError::ContactUnreachable {
                operator_text: self.to_string(),
            };
        }
        self.outcome()
    }

    /// What it means for what was to be done.
    pub(super) fn outcome(self) -> SendError {
        let reason = self.to_string();
        let is_of_token = self.is_of_token();
        let (status, retry_after) = match self {
            Self::NotSent(_) | Self::Stale => {
                let after = RETRY;
                return SendError::RetryAfter { after, reason };
            }
            Self::InDoubt(reason) => return SendError::Uncertain(reason),
            Self::Refused {
                status,
                retry_after,
                ..
            } => (status, retry_after),
        };
        match status {
            _ if is_of_token => SendError::Reauthorize(reason),
            402 => SendError::LineBusy {
                after: UNPAID,
                reason,
            },
            429 => SendError::LineBusy {
                after: retry_after.unwrap_or(FLOOD),
                reason,
            },
            408 | 500.. => SendError::RetryAfter {
                after: retry_after.unwrap_or(RETRY),
                reason,
            },
            _ => SendError::Rejected {
                operator_text: reason,
            },
        }
    }

    /// What it means for a file that is to be fetched.
    pub(super) fn of_file(&self) -> FetchError {
        match self {
            Self::Refused {
                status: 400 | 403 | 404,
                ..
            } if !self.is_of_token() => FetchError::Gone(self.to_string()),
            Self::Refused { .. } | Self::NotSent(_) | Self::InDoubt(_) | Self::Stale => {
                FetchError::Later(self.to_string())
            }
        }
    }
}

/// Avito's words, which stand at different places.
fn words(told: &Value) -> String {
    let places = [
        &told["error"]["message"],
        &told["error_description"],
        &told["error"],
        &told["result"]["message"],
        &told["message"],
    ];
    let words = places.into_iter().find_map(Value::as_str);
    text::line(words.unwrap_or_default(), 200)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    fn reply(status: u16, body: &Value) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            headers: HeaderMap::new(),
            body: body.to_string().into(),
            is_whole: true,
        }
    }

    fn refused(status: u16, words: &str) -> Failure {
        Failure::told(&reply(
            status,
            &json!({"error": {"code": status, "message": words}}),
        ))
    }

    #[test]
    fn what_is_refused_is_tried_again_or_not() {
        for (status, words) in [(401, "Unauthorized"), (403, "invalid access token")] {
            for outcome in [
                refused(status, words).outcome(),
                refused(status, words).in_chat(),
            ] {
                assert!(matches!(outcome, SendError::Reauthorize(_)), "{status}");
            }
        }
        for status in [403, 404] {
            let failure = refused(status, "Forbidden");
            let outcome = failure.clone().in_chat();
            let is_closed = matches!(outcome, SendError::ContactUnreachable { .. });
            assert!(is_closed, "{status}");
            let outcome = failure.outcome();
            assert!(matches!(outcome, SendError::Rejected { .. }), "{status}");
        }
        for (status, wait) in [(402, UNPAID), (429, FLOOD)] {
            let outcome = refused(status, "").in_chat();
            assert!(matches!(outcome, SendError::LineBusy { after, .. } if after == wait));
        }
        for status in [408, 500, 502, 503] {
            let outcome = refused(status, "").in_chat();
            assert!(matches!(outcome, SendError::RetryAfter { .. }), "{status}");
        }
        for status in [400, 405, 413] {
            let outcome = refused(status, "").in_chat();
            assert!(matches!(outcome, SendError::Rejected { .. }), "{status}");
        }
        for unsent in [Failure::NotSent(String::new()), Failure::Stale] {
            let outcome = unsent.in_chat();
            assert!(matches!(outcome, SendError::RetryAfter { .. }), "{outcome}");
        }
    }

    #[test]
    fn doubt_is_doubt_only_where_something_may_have_been_sent() {
        for doubt in [
            Failure::InDoubt("it did not answer in time".to_owned()),
            refused(504, "Gateway Timeout"),
        ] {
            assert!(matches!(doubt.clone().in_chat(), SendError::Uncertain(_)));
            let before = doubt.before_sending();
            assert!(matches!(before, SendError::RetryAfter { .. }));
        }
    }

    #[test]
    fn who_gets_no_token_has_to_do_something_or_wait() {
        let denied = json!({"error": "invalid_client", "error_description": "No such client"});
        for status in [200, 400, 401, 403] {
            let failure = Failure::of_token(&reply(status, &denied));
            assert!(matches!(failure.outcome(), SendError::Reauthorize(_)));
        }
        for (status, body) in [(200, json!({})), (500, json!({})), (504, json!(null))] {
            let failure = Failure::of_token(&reply(status, &body));
            let is_later = matches!(failure.outcome(), SendError::RetryAfter { .. });
            assert!(is_later, "{status}");
        }
        let flood = Failure::of_token(&reply(429, &json!({})));
        assert!(matches!(flood.outcome(), SendError::LineBusy { .. }));
    }

    #[test]
    fn people_read_what_avito_says_wherever_it_stands() {
        for body in [
            json!({"error": {"code": 402, "message": "No"}}),
            json!({"error": "no", "error_description": "No"}),
            json!({"error": "No"}),
            json!({"result": {"status": false, "message": "No"}}),
            json!({"message": "No"}),
        ] {
            let told = Failure::told(&reply(402, &body)).to_string();
            assert_eq!(told, "Avito says: No (402)", "{body}");
        }
        let bare = Failure::told(&reply(502, &json!(null))).to_string();
        assert_eq!(bare, "Avito says: (502)");
    }
}
