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
    #[error("OK says: {words} ({})", number(*status, *code))]
    Refused {
        status: u16,
        /// OK's own number of it; 0 where there is none.
        code: i64,
        words: String,
        retry_after: Option<Millis>,
    },
}

/// Names a failure beside the body, where that is cut off.
const CODE_HEADER: &str = "invocation-error";
/// Where nobody says how long.
const RETRY: Millis = Millis::from_secs(5);
const FLOOD: Millis = Millis::from_secs(2);
const LIMIT: Millis = Millis::from_secs(10);
const BLOCK: Millis = Millis::from_secs(60);
const ADDRESS_BLOCK: Millis = Millis::from_secs(300);
/// What nobody knows the meaning of is tried again until a message is so old.
pub(super) const UNKNOWN_MAX: Millis = Millis::from_secs(600);

/// What one of OK's numbers means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// The access key is good no more, or may not do this.
    Key,
    /// This client takes nothing.
    Client,
    /// The group has to be quiet for so long.
    Busy(Millis),
    /// It is over in a while.
    Passing,
    /// This message will never do.
    Message,
    /// Nobody says.
    Unknown,
}

/// The numbers of OK's REST API, which the Graph API shares.
fn class(code: i64) -> Class {
    match code {
        101..=105 | 200 | 210 | 401..=403 | 453 | 457 | 514 => Class::Key,
        // Not allowed or blocked, gone, never begun.
        10 | 455 | 458 | 705 | 801 | 802 | 1_102 | 1_103 => Class::Client,
        7 | 8 => Class::Busy(BLOCK),
        9 => Class::Busy(ADDRESS_BLOCK),
        11 => Class::Busy(LIMIT),
        2 | 31 | 9_999 => Class::Passing,
        3..=4
        | 12
        | 21..=26
        | 30
        | 50
        | 100
        | 106..=199
        | 211..=399
        | 451
        | 454
        | 456
        | 500..=513
        | 600..=709
        | 800
        | 900
        | 2_001
        | 5_000 => Class::Message,
        _ => Class::Unknown,
    }
}

fn number(status: u16, code: i64) -> String {
    match code {
        0 => format!("HTTP {status}"),
        code => code.to_string(),
    }
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
    /// Whether an answer is one: a refusal may come with the status of success.
    pub(super) fn check(reply: &Reply) -> Result<(), Self> {
        let told: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let header = reply.headers.get(CODE_HEADER);
        let header = header.and_then(|code| code.to_str().ok()?.trim().parse().ok());
        let code = told["error_code"].as_i64().or(header).unwrap_or(0);
        if code == 0 && reply.is_taken() {
            return Ok(());
        }
        // Whoever gave up waiting does not know what became of it.
        if code == 0 && reply.status.as_u16() == 504 {
            return Err(Self::InDoubt(reply.to_string()));
        }
        Err(Self::Refused {
            status: reply.status.as_u16(),
            code,
            words: text::line(told["error_msg"].as_str().unwrap_or("no"), 200),
            retry_after: reply.retry_after,
        })
    }

    /// Something was not done, in words of ours.
    pub(super) fn unsuccessful(words: &str) -> Self {
        Self::Refused {
            status: 200,
            code: 4,
            words: words.to_owned(),
            retry_after: None,
        }
    }

    /// Whether the access key is good no more.
    pub(super) fn is_of_key(&self) -> bool {
        match self {
            Self::Refused { status, code, .. } => {
                class(*code) == Class::Key || (*code == 0 && *status == 401)
            }
            Self::NotSent(_) | Self::InDoubt(_) => false,
        }
    }

    /// Whether a file that was handed over is still being looked through.
    pub(super) fn is_not_ready(&self) -> bool {
        match self {
            Self::Refused { words, .. } => {
                let words = words.to_lowercase().replace(['.', '_'], " ");
                words.contains("not ready") || words.contains("not processed")
            }
            Self::NotSent(_) | Self::InDoubt(_) => false,
        }
    }

    /// What it means where nothing has reached the client yet.
    pub(super) fn before_sending(self, age: Millis) -> SendError {
        match self {
            Self::InDoubt(reason) => SendError::RetryAfter {
                after: RETRY,
                reason,
            },
            failure @ (Self::NotSent(_) | Self::Refused { .. }) => failure.outcome(age),
        }
    }

    /// What it means for a message of that age that was to be sent.
    pub(super) fn outcome(self, age: Millis) -> SendError {
        let reason = self.to_string();
        let is_not_ready = self.is_not_ready();
        let (status, code, hint) = match self {
            Self::NotSent(reason) => {
                let after = RETRY;
                return SendError::RetryAfter { after, reason };
            }
            Self::InDoubt(reason) => return SendError::Uncertain(reason),
            Self::Refused {
                status,
                code,
                retry_after,
                ..
            } => (status, code, retry_after),
        };
        let class = match (code, status) {
            _ if is_not_ready => Class::Passing,
            (0, 401) => Class::Key,
            (0, 429) => Class::Busy(FLOOD),
            (0, 408 | 500..) => Class::Passing,
            (0, _) => Class::Message,
            _ => class(code),
        };
        let again = |after: Millis, reason| SendError::RetryAfter {
            after: hint.unwrap_or(after),
            reason,
        };
        match class {
            Class::Key => SendError::Reauthorize(reason),
            Class::Client => SendError::ContactUnreachable {
                operator_text: reason,
            },
            Class::Busy(after) => SendError::LineBusy {
                after: hint.unwrap_or(after),
                reason,
            },
            Class::Passing => again(RETRY, reason),
            Class::Unknown if age < UNKNOWN_MAX => again(RETRY, reason),
            Class::Unknown | Class::Message => SendError::Rejected {
                operator_text: reason,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    const NOW: Millis = Millis(0);

    fn refused(status: u16, code: i64, words: &str) -> Failure {
        Failure::Refused {
            status,
            code,
            words: words.to_owned(),
            retry_after: None,
        }
    }

    /// The name of what becomes of a message.
    fn fate(status: u16, code: i64) -> &'static str {
        match refused(status, code, "").outcome(NOW) {
            SendError::RetryAfter { .. } => "again",
            SendError::LineBusy { .. } => "line",
            SendError::Rejected { .. } => "message",
            SendError::ContactUnreachable { .. } => "client",
            SendError::Reauthorize(_) => "key",
            SendError::Uncertain(_) | SendError::Unsupported => "other",
        }
    }

    #[test]
    fn every_number_has_its_own_end() {
        for (fate_of, codes) in [
            ("key", &[101, 102, 103, 104, 200, 210, 401, 453, 514][..]),
            ("client", &[10, 455, 458, 705, 801, 1_102]),
            ("line", &[7, 8, 9, 11]),
            ("again", &[1, 2, 31, 9_999, 4_242]),
            (
                "message",
                &[
                    3, 4, 12, 30, 100, 110, 140, 160, 300, 454, 456, 500, 511, 2_001, 5_000,
                ],
            ),
        ] {
            for code in codes {
                // Whatever the status beside it says.
                assert_eq!(fate(200, *code), fate_of, "{code}");
                assert_eq!(fate(400, *code), fate_of, "{code}");
            }
        }
        for (status, fate_of) in [
            (401, "key"),
            (429, "line"),
            (408, "again"),
            (500, "again"),
            (502, "again"),
            (503, "again"),
            (400, "message"),
            (404, "message"),
        ] {
            assert_eq!(fate(status, 0), fate_of, "{status}");
        }
        let down = Failure::NotSent(String::new()).outcome(NOW);
        assert!(matches!(down, SendError::RetryAfter { .. }));
    }

    #[test]
    fn what_nobody_knows_is_not_tried_for_ever() {
        let old = |code| refused(200, code, "").outcome(UNKNOWN_MAX);
        assert!(matches!(old(4_242), SendError::Rejected { .. }));
        assert!(matches!(old(1), SendError::Rejected { .. }));
        assert!(matches!(old(2), SendError::RetryAfter { .. }));
    }

    #[test]
    fn doubt_is_doubt_only_where_something_may_have_been_sent() {
        let doubt = Failure::InDoubt("it did not answer in time".to_owned());
        assert!(matches!(
            doubt.clone().outcome(NOW),
            SendError::Uncertain(_)
        ));
        assert!(matches!(
            doubt.before_sending(NOW),
            SendError::RetryAfter { .. }
        ));
        let wrong = refused(400, 100, "").before_sending(NOW);
        assert!(matches!(wrong, SendError::Rejected { .. }));
        let fresh = refused(200, 100, "attachment.not.ready").outcome(NOW);
        assert!(matches!(fresh, SendError::RetryAfter { .. }));
    }

    #[test]
    fn a_refusal_is_known_by_its_number_alone() {
        let reply = |status: u16, header: Option<&str>, body: &str| {
            let mut headers = HeaderMap::new();
            if let Some(code) = header {
                headers.insert(CODE_HEADER, code.parse().unwrap());
            }
            Reply {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: None,
                headers,
                body: body.as_bytes().to_vec(),
                is_whole: true,
            }
        };
        let body = json!({"error_code": 102, "error_msg": "PARAM_SESSION_EXPIRED",
            "error_data": null});
        let told = Failure::check(&reply(200, Some("102"), &body.to_string())).unwrap_err();
        assert!(told.is_of_key());
        assert_eq!(told.to_string(), "OK says: PARAM_SESSION_EXPIRED (102)");
        let bare = Failure::check(&reply(200, Some("102"), "")).unwrap_err();
        assert!(bare.is_of_key());
        assert_eq!(Failure::check(&reply(200, None, "{}")), Ok(()));
        let down = Failure::check(&reply(502, None, "<html>")).unwrap_err();
        assert_eq!(down.to_string(), "OK says: no (HTTP 502)");
        let late = Failure::check(&reply(504, None, "")).unwrap_err();
        assert!(matches!(late, Failure::InDoubt(_)));
    }
}
