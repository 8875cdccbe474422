//! Why a call did not do what it was to, and what that means for a message.

use domain::Millis;
use serde_json::Value;

use crate::SendError;
use crate::egress::CallError;

/// Why a call did not do what it was to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    NotSent(String),
    #[error("{0}")]
    InDoubt(String),
    #[error("{words}")]
    Busy {
        words: String,
        after: Option<Millis>,
    },
    #[error("Viber says: {words} ({code})")]
    Refused { code: i64, words: String },
}

/// No webhook is set: without one nothing may be sent.
const NO_WEBHOOK: i64 = 10;
/// Where nobody says how long.
const RETRY: Millis = Millis::from_secs(5);
const TOO_MANY: Millis = Millis::from_secs(10);
/// The webhook is set anew meanwhile.
const SETTING: Millis = Millis::from_secs(5);
/// What was paid for is used up; somebody has to see to that.
const USED_UP: Millis = Millis::from_secs(300);

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(reason) | CallError::NotSent(reason) => Self::NotSent(reason),
            CallError::InDoubt(reason) => Self::InDoubt(reason),
        }
    }
}

impl Failure {
    pub(super) fn told(code: i64, told: &Value) -> Self {
        let words = told["status_message"].as_str().unwrap_or_default();
        let words = domain::text::line(words, 200);
        Self::Refused { code, words }
    }

    /// Whether the token is good no more.
    pub(super) fn is_of_token(&self) -> bool {
        matches!(self, Self::Refused { code: 2, .. })
    }

    pub(super) fn is_of_webhook(&self) -> bool {
        let Self::Refused { code, .. } = self else {
            return false;
        };
        *code == NO_WEBHOOK
    }

    /// What it means for a message that was to be sent.
    pub(super) fn outcome(self) -> SendError {
        let reason = self.to_string();
        let busy = |after, reason| SendError::LineBusy { after, reason };
        let code = match self {
            Self::InDoubt(reason) => return SendError::Uncertain(reason),
            Self::NotSent(_) => {
                let after = RETRY;
                return SendError::RetryAfter { after, reason };
            }
            Self::Busy { after, .. } => {
                let after = after.unwrap_or(RETRY);
                return SendError::RetryAfter { after, reason };
            }
            Self::Refused { code, .. } => code,
        };
        match code {
            // The token; and the bot: blocked, gone, suspended, not allowed to.
            2 | 7 | 8 | 9 | 15 => SendError::Reauthorize(reason),
            // Not on Viber, not subscribed, on nothing that shows bots.
            5 | 6 | 11 => SendError::ContactUnreachable {
                operator_text: reason,
            },
            NO_WEBHOOK => busy(SETTING, reason),
            12 => busy(TOO_MANY, reason),
            23 | 24 => busy(USED_UP, reason),
            _ => SendError::Rejected {
                operator_text: reason,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64) -> SendError {
        let words = "words".to_owned();
        Failure::Refused { code, words }.outcome()
    }

    #[test]
    fn what_is_refused_is_tried_again_or_not() {
        for code in [2, 7, 8, 9, 15] {
            let reason = format!("Viber says: words ({code})");
            assert_eq!(refused(code), SendError::Reauthorize(reason));
        }
        for code in [5, 6, 11] {
            let outcome = refused(code);
            assert!(
                matches!(outcome, SendError::ContactUnreachable { .. }),
                "{code}"
            );
        }
        for (code, seconds) in [(10, 5), (12, 10), (23, 300), (24, 300)] {
            let outcome = refused(code);
            assert!(
                matches!(outcome, SendError::LineBusy { after, .. } if after.0 == seconds * 1_000),
                "{code}"
            );
        }
        // Also what Viber makes up tomorrow.
        for code in [1, 3, 4, 13, 14, 16, 17, 18, 19, 20, 21, 22, 25, 99, -1] {
            let outcome = refused(code);
            assert!(matches!(outcome, SendError::Rejected { .. }), "{code}");
        }
    }

    #[test]
    fn what_is_not_sent_is_tried_again_and_what_may_be_is_not() {
        let busy = Failure::Busy {
            words: "it answered 503".to_owned(),
            after: Some(Millis::from_secs(7)),
        };
        assert!(matches!(busy.outcome(), SendError::RetryAfter { after, .. } if after.0 == 7_000));
        let down = Failure::NotSent("no connection".to_owned()).outcome();
        assert!(matches!(down, SendError::RetryAfter { after, .. } if after.0 == 5_000));
        let doubt = Failure::InDoubt("it did not answer in time".to_owned()).outcome();
        assert!(matches!(doubt, SendError::Uncertain(_)));
    }
}
