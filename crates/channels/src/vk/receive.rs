//! The Callback API: VK calls, says the secret within what it tells, and wants to hear
//! one word.

use std::sync::PoisonError;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;

use super::Connection;
use super::config::Intake;
use crate::{Ack, Delivery, Envelope, HookError, Received, hook};

/// What every call says about itself.
#[derive(Deserialize)]
struct Call {
    #[serde(rename = "type")]
    kind: String,
    group_id: i64,
    secret: Option<String>,
}

/// The dedupe key of an event: VK says to ignore what has one twice.
pub(super) fn key(raw: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Named {
        event_id: String,
    }
    let named = serde_json::from_slice(raw).map(|named: Named| named.event_id);
    let named = named.ok().filter(|id| !id.is_empty());
    named.unwrap_or_else(|| hook::unreadable(raw))
}

impl Connection {
    /// Checks a call of VK's.
    pub(super) fn take(&self, delivery: &Delivery) -> Result<Received, HookError> {
        let Intake::Webhook { secret, .. } = &self.config.intake else {
            return Err(HookError::NotAHook);
        };
        if delivery.method != Method::POST {
            return Err(HookError::Malformed("events come by POST".to_owned()));
        }
        // Who it is from stands in it: what cannot be read is from nobody.
        let call: Call = serde_json::from_slice(&delivery.body).map_err(|_| HookError::Forged)?;
        let given = call.secret.as_deref();
        let is_asked = call.kind == "confirmation";
        // What is asked before the secret is known says none, and gets no more than a word
        // that is good for this community alone.
        let is_theirs = match given {
            Some(given) => hook::is_same(given.as_bytes(), secret.as_bytes()),
            None => is_asked,
        };
        if !is_theirs || call.group_id != self.api.group() {
            return Err(HookError::Forged);
        }
        if is_asked {
            return Ok(self.confirm());
        }
        let event = Envelope {
            event_key: key(&delivery.body),
            raw: delivery.body.clone(),
            rest: None,
        };
        // Typing leaves no trace.
        let event = Some(event).filter(|_| call.kind != "message_typing_state");
        Ok(Received {
            envelopes: event.into_iter().collect(),
            ack: hook::taken("text/plain", "ok"),
        })
    }

    fn confirm(&self) -> Received {
        let known = self.confirmation.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner).clone();
        let (status, body) = match known {
            Some(code) => (StatusCode::OK, code),
            None => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        };
        Received {
            envelopes: Vec::new(),
            ack: Ack {
                status,
                content_type: "text/plain",
                body: Bytes::from(body),
            },
        }
    }
}
