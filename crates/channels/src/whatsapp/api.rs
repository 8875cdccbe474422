//! The Cloud API: what a call is, and what its answers mean.

use domain::message::Template;
use domain::{Millis, Timestamp};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;

use super::config::Config;
use super::template;
use super::update::Problem;
use crate::egress::{Body, Call, CallError, Client, Fetched, Limits, Reply};
use crate::{FetchError, SendError};

/// A number's connection.
pub(super) struct Api {
    client: Client,
    number: String,
    authorization: HeaderValue,
}

/// Why a call did not do what it was to.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{0}")]
    NotSent(String),
    #[error("{0}")]
    InDoubt(String),
    #[error("WhatsApp says: {words} ({code})")]
    Refused {
        status: u16,
        code: i64,
        subcode: i64,
        words: String,
        retry_after: Option<Millis>,
    },
}

/// How every refusal looks.
#[derive(Default, Deserialize)]
struct Refusal {
    error: Problem,
}

/// Where files are besides the API itself: told where one is, only these may see the
/// token.
const FILE_HOSTS: &[&str] = &["fbsbx.com"];

impl Api {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            client: config.client.clone(),
            number: config.number.clone(),
            authorization: config.authorization.clone(),
        }
    }

    /// Sends a message, or shows a sign.
    pub(super) async fn messages(&self, fields: Value, now: Timestamp) -> Result<Value, Failure> {
        let path = format!("{}/messages", self.number);
        self.call(Call::post(path, Body::Json(fields)), now).await
    }

    /// Hands over a file; answers its id.
    pub(super) async fn upload(&self, body: Body, now: Timestamp) -> Result<String, Failure> {
        let mut call = Call::post(format!("{}/media", self.number), body);
        call.wait = UPLOAD_MAX;
        let told = self.call(call, now).await?;
        let id = told["id"].as_str().map(str::to_owned);
        id.ok_or_else(|| Failure::InDoubt("a file was taken without an id".to_owned()))
    }

    /// What is known of the number.
    pub(super) async fn number(&self, fields: &str, now: Timestamp) -> Result<Value, Failure> {
        let call = Call::get(self.number.clone()).query("fields", fields);
        self.call(call, now).await
    }

    /// The templates of the account that the number belongs to.
    pub(super) async fn templates(&self, account: Option<&str>) -> Result<Vec<Template>, Failure> {
        let Some(account) = account else {
            let told = "the line does not say whose templates to use: write account_id";
            return Err(Failure::NotSent(told.to_owned()));
        };
        let mut templates = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..TEMPLATE_PAGES_MAX {
            let mut call = Call::get(format!("{account}/message_templates"))
                .query("fields", template::FIELDS)
                .query("limit", "100");
            if let Some(after) = &after {
                call = call.query("after", after);
            }
            let mut page = self.call(call, NO_CLOCK).await?;
            let told = serde_json::from_value(page["data"].take());
            let told: Vec<template::Told> = told.map_err(|error| {
                Failure::NotSent(format!("the templates cannot be read: {error}"))
            })?;
            templates.extend(told.into_iter().filter_map(template::Told::template));
            let paging = &page["paging"];
            let next = paging["cursors"]["after"].as_str();
            after = next
                .filter(|_| paging["next"].is_string())
                .map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        Ok(templates)
    }

    /// Opens a file by its id; answers it with its digest, where that is told.
    pub(super) async fn file(
        &self,
        id: &str,
        limits: Limits,
        now: Timestamp,
    ) -> Result<(Fetched, Option<String>), FetchError> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(FetchError::Gone("the file has no id".to_owned()));
        }
        let told = self.call(Call::get(id), now).await;
        let told = told.map_err(Failure::of_file)?;
        let url = told["url"].as_str();
        let url = url.ok_or_else(|| FetchError::Gone("the file has no address".to_owned()))?;
        let mut call = Call::get_at(url).header(header::AUTHORIZATION, self.authorization.clone());
        call.hosts = FILE_HOSTS;
        let fetched = self.client.fetch(call, limits).await?;
        Ok((fetched, told["sha256"].as_str().map(str::to_owned)))
    }

    async fn call(&self, call: Call, now: Timestamp) -> Result<Value, Failure> {
        let call = call.header(header::AUTHORIZATION, self.authorization.clone());
        let reply = self.client.call(call, now).await.map_err(Failure::of)?;
        if reply.is_taken() {
            return reply.json().map_err(Failure::of);
        }
        Err(Failure::told(&reply))
    }
}

/// Of a hundred templates each.
const TEMPLATE_PAGES_MAX: usize = 20;
/// Where no clock is at hand, a wait that a server asks for by a date is none.
const NO_CLOCK: Timestamp = Timestamp(0);
/// How much longer than a call a file may take.
const UPLOAD_MAX: Millis = Millis::from_secs(120);
/// Where nobody says how long.
const RETRY: Millis = Millis::from_secs(5);
/// For a whole number, and for one client who was written to too fast.
const LINE_RETRY: Millis = Millis::from_secs(10);
const THREAD_RETRY: Millis = Millis::from_secs(60);

impl Failure {
    fn of(error: CallError) -> Self {
        match error {
            CallError::Refused(reason) | CallError::NotSent(reason) => Self::NotSent(reason),
            CallError::InDoubt(reason) => Self::InDoubt(reason),
        }
    }

    fn told(reply: &Reply) -> Self {
        let refusal: Option<Refusal> = reply
            .json()
            .ok()
            .and_then(|value| serde_json::from_value(value).ok());
        // Something before the API itself gave up waiting for it.
        if refusal.is_none() && reply.status == StatusCode::GATEWAY_TIMEOUT {
            return Self::InDoubt("it did not answer in time".to_owned());
        }
        let Problem {
            code,
            error_subcode,
            ..
        } = refusal
            .as_ref()
            .map(|it| it.error.clone())
            .unwrap_or_default();
        let words = match &refusal {
            Some(refusal) => domain::text::line(refusal.error.words(), 200),
            None => reply.to_string(),
        };
        Self::Refused {
            status: reply.status.as_u16(),
            code,
            subcode: error_subcode,
            words,
            retry_after: reply.retry_after,
        }
    }

    /// What it means for a file that was to be had.
    fn of_file(self) -> FetchError {
        let words = self.to_string();
        // An id that is no more is refused as one that nobody may see.
        let is_no_more = matches!(self, Self::Refused { code: 100, .. });
        if is_no_more || matches!(self.outcome(), SendError::Rejected { .. }) {
            FetchError::Gone(words)
        } else {
            FetchError::Later(words)
        }
    }

    /// What it means for a message that was to be sent.
    pub(super) fn outcome(self) -> SendError {
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
                retry_after,
                ..
            } => (status, code, subcode, retry_after),
        };
        let operator_text = reason.clone();
        match (code, subcode, status) {
            // The token, what it may, the account and the number: until somebody mends it.
            (
                3
                | 10
                | 190
                | 200..=299
                | 368
                | 131_005
                | 131_031
                | 131_037
                | 131_042
                | 131_045
                | 133_010,
                ..,
            )
            | (100, 33, _)
            | (_, _, 401) => SendError::Reauthorize(reason),
            (4 | 80_007 | 130_429, ..) => SendError::LineBusy {
                after: wait.unwrap_or(LINE_RETRY),
                reason,
            },
            (131_056, ..) => SendError::RetryAfter {
                after: wait.unwrap_or(THREAD_RETRY),
                reason,
            },
            (1 | 2 | 131_000 | 131_016 | 131_057 | 133_016, ..) | (_, _, 408 | 429 | 500..) => {
                SendError::RetryAfter {
                    after: wait.unwrap_or(RETRY),
                    reason,
                }
            }
            (131_047, ..) => SendError::Rejected {
                operator_text: "more than 24 hours have passed since the client's last message: \
                                WhatsApp takes nothing until they write again"
                    .to_owned(),
            },
            // Not there, not allowed for a number that is tried out, or a whole country.
            (131_026 | 131_030 | 130_497, ..) => SendError::ContactUnreachable { operator_text },
            _ => SendError::Rejected { operator_text },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, code: i64, subcode: i64) -> SendError {
        let failure = Failure::Refused {
            status,
            code,
            subcode,
            words: "some words".to_owned(),
            retry_after: None,
        };
        failure.outcome()
    }

    #[test]
    fn every_refusal_has_its_own_end() {
        for code in [1, 2, 131_000, 131_016, 131_056, 131_057, 133_016] {
            let end = outcome(400, code, 0);
            assert!(matches!(end, SendError::RetryAfter { .. }), "{code}");
        }
        for status in [408, 429, 500, 502, 503] {
            let end = outcome(status, 0, 0);
            assert!(matches!(end, SendError::RetryAfter { .. }), "{status}");
        }
        for code in [4, 80_007, 130_429] {
            let end = outcome(400, code, 0);
            assert!(matches!(end, SendError::LineBusy { .. }), "{code}");
        }
        for code in [
            3, 10, 190, 200, 299, 368, 131_005, 131_031, 131_037, 131_042, 131_045, 133_010,
        ] {
            let end = outcome(400, code, 0);
            assert!(matches!(end, SendError::Reauthorize(_)), "{code}");
        }
        for (status, code, subcode) in [(401, 0, 0), (400, 100, 33)] {
            let end = outcome(status, code, subcode);
            assert!(matches!(end, SendError::Reauthorize(_)), "{status} {code}");
        }
        for code in [131_026, 131_030, 130_497] {
            let end = outcome(400, code, 0);
            assert!(
                matches!(end, SendError::ContactUnreachable { .. }),
                "{code}"
            );
        }
        for code in [
            0, 100, 130_472, 131_008, 131_009, 131_021, 131_047, 131_049, 131_050, 131_051,
            131_052, 131_053, 131_062, 132_000, 132_016, 137_000,
        ] {
            let end = outcome(400, code, 0);
            assert!(matches!(end, SendError::Rejected { .. }), "{code}");
        }
    }

    #[test]
    fn a_file_that_is_no_more_is_not_waited_for() {
        let end = |status, code, subcode| {
            let failure = Failure::Refused {
                status,
                code,
                subcode,
                words: "some words".to_owned(),
                retry_after: None,
            };
            failure.of_file()
        };
        for (status, code, subcode) in [(400, 100, 33), (404, 0, 0), (400, 131_052, 0)] {
            let end = end(status, code, subcode);
            assert!(matches!(end, FetchError::Gone(_)), "{status} {code}");
        }
        for (status, code) in [(401, 190), (400, 130_429), (500, 131_000), (503, 0)] {
            let end = end(status, code, 0);
            assert!(matches!(end, FetchError::Later(_)), "{status} {code}");
        }
        let doubt = Failure::InDoubt("no answer".to_owned()).of_file();
        assert!(matches!(doubt, FetchError::Later(_)));
    }

    #[test]
    fn what_is_not_answered_is_in_doubt_and_what_is_not_sent_is_not() {
        let doubt = Failure::InDoubt("no answer".to_owned()).outcome();
        assert!(matches!(doubt, SendError::Uncertain(_)));
        let unsent = Failure::NotSent("no way there".to_owned()).outcome();
        assert!(matches!(unsent, SendError::RetryAfter { .. }));
        let reply = |status, body: &str| Reply {
            status,
            retry_after: Some(Millis(7_000)),
            headers: http::HeaderMap::new(),
            body: body.into(),
            is_whole: true,
        };
        let gave_up = Failure::told(&reply(StatusCode::GATEWAY_TIMEOUT, "<html>"));
        assert!(matches!(gave_up.outcome(), SendError::Uncertain(_)));
        let down = Failure::told(&reply(StatusCode::BAD_GATEWAY, "<html>"));
        let down = down.outcome();
        assert!(matches!(down, SendError::RetryAfter { after, .. } if after.0 == 7_000));
        let body = r#"{"error":{"message":"(#131009) Parameter value is not valid",
            "code":131009,"error_data":{"details":"The body is too long"},"fbtrace_id":"A"}}"#;
        let told = Failure::told(&reply(StatusCode::BAD_REQUEST, body));
        assert_eq!(
            told.to_string(),
            "WhatsApp says: The body is too long (131009)"
        );
    }
}
