//! Viber calls, and wants an answer at once: one that opens a chat for the first time may
//! be welcomed with it.

use bytes::Bytes;
use http::{Method, StatusCode};

use super::config::Config;
use super::event::Event;
use super::render;
use crate::{Ack, Delivery, Envelope, HookError, Received, hook};

const SIGNATURE_HEADER: &str = "x-viber-content-signature";
const KEY_BYTES_MAX: usize = 256;

/// Checks a call of Viber's.
pub(super) fn receive(config: &Config, delivery: &Delivery) -> Result<Received, HookError> {
    let raw = &delivery.body;
    hook::check_signature(&delivery.headers, SIGNATURE_HEADER, "", &config.token, raw)?;
    if delivery.method != Method::POST {
        return Err(HookError::Malformed("events come by POST".to_owned()));
    }
    let event: Option<Event> = serde_json::from_slice(raw).ok();
    let kind = event.as_ref().map_or("", |event| event.kind.as_str());
    // It only wants to see whether we are there.
    if kind == "webhook" {
        return Ok(Received {
            envelopes: Vec::new(),
            ack: hook::taken("text/plain", ""),
        });
    }
    // What cannot be read is kept as it is: a refusal would bring it again for an hour.
    let key = event.as_ref().map(Event::key);
    let key = key.filter(|key| key.len() <= KEY_BYTES_MAX);
    let envelope = Envelope {
        event_key: key.unwrap_or_else(|| hook::unreadable(raw)),
        raw: raw.clone(),
        rest: None,
    };
    let is_newcomer = event.is_some_and(|event| event.is_newcomer());
    let welcome = config.welcome.as_ref().filter(|_| is_newcomer);
    Ok(Received {
        envelopes: vec![envelope],
        ack: match welcome {
            Some(text) => Ack {
                status: StatusCode::OK,
                content_type: "application/json",
                body: Bytes::from(render::welcome(&config.sender, text).to_string()),
            },
            None => hook::taken("text/plain", ""),
        },
    })
}
