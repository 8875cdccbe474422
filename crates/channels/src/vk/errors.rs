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
    #[error("VK says: {words} ({code})")]
    Refused { code: i64, words: String },
}

/// A file that VK does not want.
const UPLOAD: i64 = 22;
/// Where nobody says how long.
const RETRY: Millis = Millis::from_secs(5);
const FLOOD: Millis = Millis::from_secs(60);
/// Quotas are for hours; longer than this nothing waits without another try.
const QUOTA: Millis = Millis::from_secs(300);

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(reason) | CallError::NotSent(reason) => Self::NotSent(reason),
            CallError::InDoubt(reason) => Self::InDoubt(reason),
        }
    }
}

impl Failure {
    /// Reads a refusal: the same two things have other names at other places.
    pub(super) fn told(error: &Value, code: &str, words: &str) -> Self {
        Self::Refused {
            code: error[code].as_i64().unwrap_or_default(),
            words: domain::text::line(error[words].as_str().unwrap_or_default(), 200),
        }
    }

    pub(super) fn upload(words: &str) -> Self {
        Self::Refused {
            code: UPLOAD,
            words: domain::text::line(words, 200),
        }
    }

    /// Whether the token is good no more.
    pub(super) fn is_of_token(&self) -> bool {
        let codes = [4, 5, 17, 27, 28];
        matches!(self, Self::Refused { code, .. } if codes.contains(code))
    }

    /// What it means for a message that was to be sent. In doubt another try is harmless:
    /// VK knows its number again.
    pub(super) fn outcome(self) -> SendError {
        let reason = self.to_string();
        if self.is_of_token() {
            return SendError::Reauthorize(reason);
        }
        let code = match self {
            Self::NotSent(reason) | Self::InDoubt(reason) => {
                let after = RETRY;
                return SendError::RetryAfter { after, reason };
            }
            Self::Refused { code, .. } => code,
        };
        let retry = |after, reason| SendError::RetryAfter { after, reason };
        let busy = |after, reason| SendError::LineBusy { after, reason };
        match code {
            1 | 10 | 13 | 32 | 36 | 43 | 995 => retry(RETRY, reason),
            6 => busy(Millis::from_secs(1), reason),
            9 => retry(FLOOD, reason),
            14 => busy(FLOOD, reason),
            29 => busy(QUOTA, reason),
            // Blocked, not allowed to, privacy, no such person or chat, too late, gone.
            18 | 900 | 901 | 902 | 917 | 927 | 932 | 936 | 939 | 950 | 983 | 985 | 987 | 988 => {
                SendError::ContactUnreachable {
                    operator_text: reason,
                }
            }
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
        for code in [1, 10] {
            let after = Millis::from_secs(5);
            let reason = format!("VK says: words ({code})");
            assert_eq!(refused(code), SendError::RetryAfter { after, reason });
        }
        for (code, seconds) in [(6, 1), (14, 60), (29, 300)] {
            let outcome = refused(code);
            assert!(
                matches!(outcome, SendError::LineBusy { after, .. } if after.0 == seconds * 1_000),
                "{code}"
            );
        }
        let flood = refused(9);
        assert!(matches!(flood, SendError::RetryAfter { after, .. } if after.0 == 60_000));
        for code in [5, 27, 28] {
            assert!(matches!(refused(code), SendError::Reauthorize(_)), "{code}");
        }
        for code in [900, 901, 902, 917, 936, 950, 983, 985] {
            let outcome = refused(code);
            assert!(
                matches!(outcome, SendError::ContactUnreachable { .. }),
                "{code}"
            );
        }
        // Also what VK makes up tomorrow.
        for code in [7, 15, 22, 100, 909, 911, 912, 913, 914, 920, 921, 99_999] {
            assert!(
                matches!(refused(code), SendError::Rejected { .. }),
                "{code}"
            );
        }
        for doubt in [
            Failure::InDoubt(String::new()),
            Failure::NotSent(String::new()),
        ] {
            assert!(matches!(doubt.outcome(), SendError::RetryAfter { .. }));
        }
    }
}
