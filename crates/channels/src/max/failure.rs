//! Why a call did not do what it was to, and what that means for a message.

use domain::{Millis, text};
use serde_json::Value;

use crate::SendError;
use crate::egress::{CallError, Reply};

/// Why a call did not do what it was to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    NotSent(String),
    #[error("{0}")]
    InDoubt(String),
    #[error("MAX says: {}", said(*status, code, words))]
    Refused {
        status: u16,
        /// MAX's own name of it, where there is one.
        code: String,
        words: String,
        retry_after: Option<Millis>,
    },
}

/// Where nobody says how long.
const RETRY: Millis = Millis::from_secs(5);
const FLOOD: Millis = Millis::from_secs(2);

/// As much of it as there is.
fn said(status: u16, code: &str, words: &str) -> String {
    let all = [words, &format!("({status} {code})").replace(" )", ")")];
    let all = all.into_iter().filter(|part| !part.is_empty());
    all.collect::<Vec<_>>().join(" ")
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
        let told: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let line = |name: &str| text::line(told[name].as_str().unwrap_or_default(), 200);
        Self::Refused {
            status: reply.status.as_u16(),
            code: line("code"),
            words: line("message"),
            retry_after: reply.retry_after,
        }
    }

    /// A refusal that comes with the status of success.
    pub(super) fn unsuccessful(told: &Value) -> Self {
        Self::Refused {
            status: 200,
            code: String::new(),
            words: text::line(told["message"].as_str().unwrap_or_default(), 200),
            retry_after: None,
        }
    }

    /// Whether the token is good no more.
    pub(super) fn is_of_token(&self) -> bool {
        match self {
            Self::Refused { status, code, .. } => *status == 401 || code == "verify.token",
            Self::NotSent(_) | Self::InDoubt(_) => false,
        }
    }

    /// Whether a file that was handed over is still being looked through.
    pub(super) fn is_not_ready(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == "attachment.not.ready")
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
            failure @ (Self::NotSent(_) | Self::Refused { .. }) => failure.outcome(),
        }
    }

    /// What it means for a message that was to be sent.
    pub(super) fn outcome(self) -> SendError {
        let reason = self.to_string();
        if self.is_of_token() {
            return SendError::Reauthorize(reason);
        }
        let is_not_ready = self.is_not_ready();
        let (status, code, words, retry_after) = match self {
            Self::NotSent(reason) => {
                let after = RETRY;
                return SendError::RetryAfter { after, reason };
            }
            Self::InDoubt(reason) => return SendError::Uncertain(reason),
            Self::Refused {
                status,
                code,
                words,
                retry_after,
            } => (status, code, words, retry_after),
        };
        // Stopped or blocked, removed, or never begun.
        let is_shut = code == "chat.denied" || words.contains("dialog.suspended");
        let nobody = ["chat.not.found", "dialog.not.found", "user.not.found"];
        let is_nobody = nobody
            .iter()
            .any(|name| code == *name || words.contains(name));
        match status {
            _ if is_shut || is_nobody => SendError::ContactUnreachable {
                operator_text: reason,
            },
            429 => SendError::LineBusy {
                after: retry_after.unwrap_or(FLOOD),
                reason,
            },
            408 | 500.. => SendError::RetryAfter {
                after: retry_after.unwrap_or(RETRY),
                reason,
            },
            _ if is_not_ready => SendError::RetryAfter {
                after: RETRY,
                reason,
            },
            _ => SendError::Rejected {
                operator_text: reason,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str, words: &str) -> Failure {
        Failure::Refused {
            status,
            code: code.to_owned(),
            words: words.to_owned(),
            retry_after: None,
        }
    }

    #[test]
    fn what_is_refused_is_tried_again_or_not() {
        for (status, code) in [(401, ""), (401, "verify.token"), (403, "verify.token")] {
            let outcome = refused(status, code, "Invalid access_token").outcome();
            assert!(matches!(outcome, SendError::Reauthorize(_)), "{status}");
        }
        let suspended = "Key: error.dialog.suspended, args: [228532008,].";
        for (status, code, words) in [
            (403, "chat.denied", suspended),
            (403, "", suspended),
            (404, "chat.not.found", "Chat 1 not found"),
            (404, "chat.not.found", "dialog.not.found"),
            (404, "user.not.found", ""),
        ] {
            let outcome = refused(status, code, words).outcome();
            let is_nobody = matches!(outcome, SendError::ContactUnreachable { .. });
            assert!(is_nobody, "{code} {words}");
        }
        let flood = refused(429, "too.many.requests", "").outcome();
        assert!(matches!(flood, SendError::LineBusy { after, .. } if after == FLOOD));
        for (status, code) in [
            (408, ""),
            (500, "internal.error"),
            (502, ""),
            (503, "service.unavailable"),
            (400, "attachment.not.ready"),
        ] {
            let outcome = refused(status, code, "").outcome();
            assert!(matches!(outcome, SendError::RetryAfter { .. }), "{status}");
        }
        for (status, code) in [
            (200, ""),
            (400, "proto.payload"),
            (403, "access.denied"),
            (404, "message.not.found"),
            (405, "method.not.allowed"),
        ] {
            let outcome = refused(status, code, "").outcome();
            assert!(matches!(outcome, SendError::Rejected { .. }), "{status}");
        }
        let down = Failure::NotSent(String::new()).outcome();
        assert!(matches!(down, SendError::RetryAfter { .. }));
    }

    #[test]
    fn doubt_is_doubt_only_where_something_may_have_been_sent() {
        let doubt = Failure::InDoubt("it did not answer in time".to_owned());
        assert!(matches!(doubt.clone().outcome(), SendError::Uncertain(_)));
        assert!(matches!(
            doubt.before_sending(),
            SendError::RetryAfter { .. }
        ));
        let wrong = refused(400, "proto.payload", "").before_sending();
        assert!(matches!(wrong, SendError::Rejected { .. }));
    }

    #[test]
    fn people_read_what_max_says() {
        let told = refused(403, "chat.denied", "No").to_string();
        assert_eq!(told, "MAX says: No (403 chat.denied)");
        assert_eq!(refused(502, "", "").to_string(), "MAX says: (502)");
    }
}
