//! What a server answered.

use std::fmt;

use domain::{Millis, Timestamp, text};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::error::CallError;

/// So much of an answer people are shown.
const CHARS_SHOWN: usize = 200;

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// How long it asks to be left alone.
    pub retry_after: Option<Millis>,
    /// The headers.
    pub headers: HeaderMap,
    /// What it says, or the beginning of it.
    pub body: Vec<u8>,
    /// Whether that is all of it: not when it broke off, took too long or is too large.
    pub is_whole: bool,
}

impl Reply {
    /// Whether it took what it was sent.
    pub fn is_taken(&self) -> bool {
        self.status.is_success()
    }

    /// Whether it wants nothing more.
    pub fn is_gone(&self) -> bool {
        self.status == StatusCode::GONE
    }

    /// What it says, as JSON. An answer that cannot be read does not tell whether the
    /// call was done.
    pub fn json(&self) -> Result<Value, CallError> {
        let read = self
            .is_whole
            .then(|| serde_json::from_slice(&self.body).ok());
        read.flatten().ok_or_else(|| {
            let status = self.status.as_u16();
            CallError::InDoubt(format!(
                "it answered {status}, but not with JSON to its end"
            ))
        })
    }

    /// How long a header asks to be left alone.
    pub(super) fn pause(headers: &HeaderMap, now: Timestamp) -> Option<Millis> {
        let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        retry_after(value, now)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it answered {}", self.status.as_u16())?;
        if self.status.is_redirection() {
            return f.write_str(", a redirect, which is not followed: configure where it leads");
        }
        let text = text::line(&String::from_utf8_lossy(&self.body), CHARS_SHOWN);
        if text.is_empty() {
            return Ok(());
        }
        write!(f, ": {text}")
    }
}

/// Seconds, or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Millis> {
    let value = value.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: i64 = value.parse().ok()?;
        return Some(Millis(seconds.saturating_mul(1_000)));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    Some(Timestamp(at.as_millisecond()).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_ask_for_a_pause_are_read() {
        let now = Timestamp(1_445_412_400_000);
        for (value, millis) in [
            ("120", Some(120_000)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(80_000)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let read = retry_after(value, now);
            assert_eq!(read, millis.map(Millis), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_in_doubt() {
        let reply = |body: &str, is_whole| Reply {
            status: StatusCode::OK,
            retry_after: None,
            headers: HeaderMap::new(),
            body: body.into(),
            is_whole,
        };
        assert_eq!(reply("[1]", true).json(), Ok(serde_json::json!([1])));
        for (body, is_whole) in [("<html>", true), ("", true), ("1", false)] {
            let json = reply(body, is_whole).json();
            assert!(matches!(json, Err(CallError::InDoubt(_))), "{body}");
        }
    }

    #[test]
    fn people_are_shown_a_line_of_an_answer() {
        let reply = Reply {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            retry_after: None,
            headers: HeaderMap::new(),
            body: "é".repeat(20_000).into(),
            is_whole: false,
        };
        let shown = reply.to_string();
        let words = shown.strip_prefix("it answered 500: ").unwrap();
        assert_eq!(words.chars().count(), CHARS_SHOWN);
    }
}
