//! The webhook: MAX calls and says the secret in a header.

use http::Method;

use super::config::Intake;
use super::update::Update;
use crate::{Delivery, Envelope, HookError, Received, hook};

const SECRET_HEADER: &str = "x-max-bot-api-secret";
const KEY_BYTES_MAX: usize = 256;

/// Checks a call of MAX's.
pub(super) fn receive(intake: &Intake, delivery: &Delivery) -> Result<Received, HookError> {
    let Intake::Webhook { secret, .. } = intake else {
        return Err(HookError::NotAHook);
    };
    hook::check_secret(&delivery.headers, SECRET_HEADER, secret)?;
    if delivery.method != Method::POST {
        return Err(HookError::Malformed("updates come by POST".to_owned()));
    }
    // What is refused for hours ends the subscription: what cannot be read is kept as it is.
    Ok(Received {
        envelopes: vec![Envelope {
            event_key: key(&delivery.body),
            raw: delivery.body.clone(),
            rest: None,
        }],
        ack: hook::taken("text/plain", ""),
    })
}

/// The dedupe key of an update.
pub(super) fn key(raw: &[u8]) -> String {
    let update: Option<Update> = serde_json::from_slice(raw).ok();
    let key = update.and_then(|update| update.key());
    let key = key.filter(|key| key.len() <= KEY_BYTES_MAX);
    key.unwrap_or_else(|| hook::unreadable(raw))
}
