//! The Bot API: what a call is, and what its answers mean.

use std::time::Duration;

use domain::{Millis, Timestamp};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::FetchError;
use crate::SendError;
use crate::egress::{Body, Call, CallError, Client, Fetched, Limits};

/// A bot's connection.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    /// A part of every path: paths are never shown.
    token: String,
}

/// Why a call did not do what it was to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    NotSent(String),
    #[error("{0}")]
    InDoubt(String),
    #[error("Telegram says: {description} ({code})")]
    Refused {
        code: i64,
        description: String,
        retry_after: Option<Millis>,
    },
}

/// What every answer looks like.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    result: Value,
    #[serde(default)]
    error_code: i64,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Default, Deserialize)]
struct Parameters {
    retry_after: Option<i64>,
}

impl Api {
    pub(super) fn new(client: Client, token: String) -> Self {
        Self { client, token }
    }

    /// Calls a method.
    pub(super) async fn call(
        &self,
        method: &str,
        body: Body,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        self.call_waiting(method, body, Millis(0), now).await
    }

    /// Calls a method that answers only after a while.
    pub(super) async fn call_waiting(
        &self,
        method: &str,
        body: Body,
        wait: Millis,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let mut call = Call::post(format!("bot{}/{method}", self.token), body);
        call.wait = wait;
        call.answer_bytes_max = ANSWER_BYTES_MAX;
        let reply = self.client.call(call, now).await.map_err(Failure::of)?;
        let status = reply.status;
        let told = reply.json().map(serde_json::from_value::<Answer>);
        let answer = match told {
            Ok(Ok(answer)) => answer,
            // Something before the API itself. Whoever waited for it in vain may have
            // handed the call on.
            Ok(Err(_)) | Err(_) if status.is_server_error() && status != GATEWAY_TIMEOUT => {
                return Err(Failure::Refused {
                    code: i64::from(status.as_u16()),
                    description: "no answer of the Bot API".to_owned(),
                    retry_after: reply.retry_after,
                });
            }
            Ok(Err(_)) => {
                let told = format!("an answer {} without \"ok\"", status.as_u16());
                return Err(Failure::InDoubt(told));
            }
            Err(error) => return Err(Failure::of(error)),
        };
        if answer.ok {
            return Ok(answer.result);
        }
        let seconds = answer.parameters.retry_after;
        Err(Failure::Refused {
            code: answer.error_code,
            description: domain::text::line(&answer.description, 200),
            retry_after: seconds.map(Millis::from_secs).or(reply.retry_after),
        })
    }

    /// Opens a file by its id.
    pub(super) async fn file(
        &self,
        file_id: &str,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Fetched, FetchError> {
        let asked = Body::Json(serde_json::json!({ "file_id": file_id }));
        let told = self.call("getFile", asked, now).await;
        let told = told.map_err(|failure| match failure {
            // Too large for bots, or not there any more.
            Failure::Refused { code: 400, .. } => FetchError::Gone(failure.to_string()),
            Failure::Refused { .. } | Failure::NotSent(_) | Failure::InDoubt(_) => {
                FetchError::Later(failure.to_string())
            }
        })?;
        let path = told["file_path"].as_str().unwrap_or_default();
        let is_plain = |part: &str| !part.is_empty() && part != ".." && part != ".";
        if !path.split('/').all(is_plain) || path.contains(['?', '#', '%', '\\']) {
            return Err(FetchError::Gone("the file has no path".to_owned()));
        }
        let call = Call::get(format!("file/bot{}/{path}", self.token));
        self.client.fetch(call, limits).await
    }
}

const GATEWAY_TIMEOUT: StatusCode = StatusCode::GATEWAY_TIMEOUT;
/// A hundred updates with long texts.
const ANSWER_BYTES_MAX: usize = 8 << 20;

impl Failure {
    fn of(error: CallError) -> Self {
        match error {
            CallError::Refused(reason) | CallError::NotSent(reason) => Self::NotSent(reason),
            CallError::InDoubt(reason) => Self::InDoubt(reason),
        }
    }

    /// How long Telegram asks to be left alone.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let Self::Refused { retry_after, .. } = self else {
            return None;
        };
        let millis = u64::try_from(retry_after.as_ref()?.0).ok()?;
        Some(Duration::from_millis(millis))
    }

    /// Whether the token is good no more.
    pub(super) fn is_of_token(&self) -> bool {
        // A wrong token is a path that is not there.
        matches!(
            self,
            Self::Refused {
                code: 401 | 404,
                ..
            }
        )
    }

    /// What it means for a message that was to be sent.
    pub(super) fn outcome(self) -> SendError {
        let reason = self.to_string();
        let (code, description, retry_after) = match self {
            Self::NotSent(reason) => {
                let after = RETRY;
                return SendError::RetryAfter { after, reason };
            }
            Self::InDoubt(reason) => return SendError::Uncertain(reason),
            Self::Refused {
                code,
                description,
                retry_after,
            } => (code, description.to_lowercase(), retry_after),
        };
        let says = |words: &[&str]| words.iter().any(|words| description.contains(words));
        match code {
            401 | 404 => SendError::Reauthorize(reason),
            429 => {
                let after = retry_after.unwrap_or(RETRY);
                SendError::RetryAfter { after, reason }
            }
            403 => SendError::ContactUnreachable {
                operator_text: reason,
            },
            400 if says(&["chat not found", "peer_id_invalid", "user_id_invalid"]) => {
                SendError::ContactUnreachable {
                    operator_text: reason,
                }
            }
            400..=499 => SendError::Rejected {
                operator_text: reason,
            },
            _ => SendError::RetryAfter {
                after: retry_after.unwrap_or(RETRY),
                reason,
            },
        }
    }
}

/// Where nobody says how long.
const RETRY: Millis = Millis::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: i64, description: &str, retry_after: Option<i64>) -> SendError {
        let failure = Failure::Refused {
            code,
            description: description.to_owned(),
            retry_after: retry_after.map(Millis::from_secs),
        };
        failure.outcome()
    }

    #[test]
    fn what_is_refused_is_tried_again_or_not() {
        let busy = refused(429, "Too Many Requests: retry after 17", Some(17));
        assert!(matches!(busy, SendError::RetryAfter { after, .. } if after.0 == 17_000));
        let down = refused(502, "Bad Gateway", None);
        assert!(matches!(down, SendError::RetryAfter { .. }));
        for gone in [
            (403, "Forbidden: bot was blocked by the user"),
            (403, "Forbidden: user is deactivated"),
            (400, "Bad Request: chat not found"),
        ] {
            let outcome = refused(gone.0, gone.1, None);
            assert!(
                matches!(outcome, SendError::ContactUnreachable { .. }),
                "{gone:?}"
            );
        }
        let wrong = refused(400, "Bad Request: message is too long", None);
        assert!(matches!(wrong, SendError::Rejected { .. }));
        for token in [(401, "Unauthorized"), (404, "Not Found")] {
            let outcome = refused(token.0, token.1, None);
            assert!(matches!(outcome, SendError::Reauthorize(_)), "{token:?}");
        }
        let doubt = Failure::InDoubt("it did not answer in time".to_owned()).outcome();
        assert!(matches!(doubt, SendError::Uncertain(_)));
    }
}
