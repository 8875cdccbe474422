//! Why a call did not do what it was to, and what that means for a message.

use domain::Millis;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::SendError;
use crate::egress::{CallError, Reply};

/// Why a call did not do what it was to.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    NotSent(String),
    #[error("{0}")]
    InDoubt(String),
    #[error("Meta says: {words} ({code}{})", shown(*.subcode))]
    Refused {
        status: u16,
        code: i64,
        subcode: i64,
        words: String,
        /// How long it asks to be left alone.
        wait: Option<Millis>,
    },
}

fn shown(subcode: i64) -> String {
    match subcode {
        0 => String::new(),
        subcode => format!("/{subcode}"),
    }
}

/// How every refusal looks.
#[derive(Deserialize)]
struct Refusal {
    error: Problem,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    message: String,
    #[serde(default)]
    error_user_msg: String,
    #[serde(default)]
    code: i64,
    #[serde(default)]
    error_subcode: i64,
}

/// Where nobody says how long.
const RETRY: Millis = Millis::from_secs(5);
const LINE_RETRY: Millis = Millis::from_secs(60);
/// Refusals that pass by themselves may also mean that the client has blocked us: a
/// message that is refused so for so long is not taken any more.
const PATIENCE: Millis = Millis::from_secs(2 * 60 * 60);

/// More than 24 hours, or seven days, have passed.
const WINDOW: [i64; 3] = [2_018_278, 2_534_022, 2_018_065];
/// The client is not there, does not want it, or has blocked us.
const UNAVAILABLE: [i64; 3] = [1_545_041, 2_018_108, 2_018_001];
/// Another app has the conversation.
const OF_ANOTHER: i64 = 2_018_300;
/// A rule of the platform's.
const POLICY: i64 = 1_893_063;
/// It was sent all the same.
const SENT: i64 = 1_357_046;

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(reason) | CallError::NotSent(reason) => Self::NotSent(reason),
            CallError::InDoubt(reason) => Self::InDoubt(reason),
        }
    }
}

impl Failure {
    pub(super) fn told(reply: &Reply) -> Self {
        let read = reply.json().ok();
        let refusal: Option<Refusal> = read.and_then(|read| serde_json::from_value(read).ok());
        // Something before the API itself gave up waiting for it.
        if refusal.is_none() && reply.status == StatusCode::GATEWAY_TIMEOUT {
            return Self::InDoubt("it did not answer in time".to_owned());
        }
        let problem = refusal.map(|refusal| refusal.error);
        let words = problem.as_ref().map(|problem| {
            let mut words = [&problem.error_user_msg, &problem.message].into_iter();
            words.find(|words| !words.is_empty())
        });
        let words = words.flatten().map(|words| domain::text::line(words, 200));
        let numbers = problem
            .as_ref()
            .map(|problem| (problem.code, problem.error_subcode));
        let (code, subcode) = numbers.unwrap_or_default();
        Self::Refused {
            status: reply.status.as_u16(),
            code,
            subcode,
            words: words.unwrap_or_else(|| reply.to_string()),
            wait: usage(&reply.headers).or(reply.retry_after),
        }
    }

    /// Whether only somebody who sets the token or its rights right can help.
    pub(super) fn is_of_token(&self) -> bool {
        matches!(self.clone().outcome(Millis(0)), SendError::Reauthorize(_))
    }

    /// Whether there is no such thing to ask.
    pub(super) fn is_of_request(&self) -> bool {
        matches!(self, Self::Refused { code: 100, .. })
    }

    /// Whether the client has been silent for too long.
    pub(super) fn is_of_window(&self) -> bool {
        matches!(self, Self::Refused { subcode, .. } if WINDOW.contains(subcode))
    }

    /// What it means for a message that was to be sent, by how old that is.
    pub(super) fn outcome(self, age: Millis) -> SendError {
        let reason = self.to_string();
        let (status, code, subcode, wait) = match self {
            Self::NotSent(reason) => {
                let after = RETRY;
                return SendError::RetryAfter { after, reason };
            }
            Self::InDoubt(reason) => return SendError::Uncertain(reason),
            Self::Refused {
                status,
                code,
                subcode,
                wait,
                ..
            } => (status, code, subcode, wait),
        };
        let operator_text = reason.clone();
        if WINDOW.contains(&subcode) {
            return SendError::Rejected {
                operator_text: "too much time has passed since the client's last message: Meta \
                                takes nothing until they write again"
                    .to_owned(),
            };
        }
        if code == 551 || UNAVAILABLE.contains(&subcode) {
            return SendError::ContactUnreachable { operator_text };
        }
        match (code, subcode, status) {
            (_, OF_ANOTHER | POLICY, _) => SendError::Rejected { operator_text },
            (1, SENT, _) => SendError::Uncertain(reason),
            // The token, what it may, and the account: until somebody mends it.
            (3 | 10 | 102 | 190 | 200..=299 | 368, ..) | (0, _, 401 | 403) => {
                SendError::Reauthorize(reason)
            }
            (4 | 17 | 32 | 613 | 80_006, ..) | (_, _, 429) => SendError::LineBusy {
                after: wait.unwrap_or(LINE_RETRY),
                reason,
            },
            (1 | 2 | 1_200, ..) if age >= PATIENCE => SendError::Rejected { operator_text },
            (1 | 2 | 1_200, ..) | (_, _, 408 | 500..) => SendError::RetryAfter {
                after: wait.unwrap_or(RETRY),
                reason,
            },
            _ => SendError::Rejected { operator_text },
        }
    }
}

/// How long it takes until calls are taken again, where a header tells it: of each account
/// in minutes.
fn usage(headers: &HeaderMap) -> Option<Millis> {
    let told = headers.get("x-business-use-case-usage")?;
    let told: Value = serde_json::from_slice(told.as_bytes()).ok()?;
    let uses = told.as_object()?.values().filter_map(Value::as_array);
    let minutes = uses
        .flatten()
        .filter_map(|used| used["estimated_time_to_regain_access"].as_i64());
    let longest = minutes.max().filter(|minutes| *minutes > 0)?;
    Some(Millis::from_secs(longest.saturating_mul(60)))
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
