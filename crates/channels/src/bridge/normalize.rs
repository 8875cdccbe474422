use domain::identity::{Identity, Trust};
use domain::message::Inbound;
use serde_json::Value;

use super::DESCRIPTOR;
use crate::{Malformed, clean};

/// Where no line tells the region.
pub(super) const REGION: &str = "RU";

pub(super) fn normalize(raw: &[u8], line: &str, region: &str) -> Result<Vec<Inbound>, Malformed> {
    if raw.len() > DESCRIPTOR.delivery_bytes_max {
        return Err(Malformed("the event is larger than 1 MiB".to_owned()));
    }
    let mut inbound = clean::event(read(raw)?, region)?;
    if inbound.sender.identities.is_empty() {
        inbound.sender.identities.push(Identity {
            kind: "bridge".to_owned(),
            issuer: line.to_owned(),
            value: inbound.thread_key.clone(),
            trust: Trust::Proven,
        });
    }
    // Never told to a program outside.
    inbound.thread.token = None;
    for attachment in &mut inbound.attachments {
        // Who may name a stored file by its hash may read it.
        attachment.sha256.clear();
        attachment.source = attachment
            .source
            .take()
            .filter(|url| clean::is_web_url(url));
    }
    Ok(vec![inbound])
}

/// Reads an event; a kind that a newer program knows and we do not becomes
/// `Unsupported`.
fn read(raw: &[u8]) -> Result<Inbound, Malformed> {
    let first = match serde_json::from_slice(raw) {
        Ok(inbound) => return Ok(inbound),
        Err(error) => error,
    };
    let malformed = |_| Malformed(format!("not an event: {first}"));
    let mut value: Value = serde_json::from_slice(raw).map_err(malformed)?;
    let kind = value
        .get_mut("kind")
        .ok_or_else(|| Malformed("not an event: it has no kind".to_owned()))?;
    let name = unknown_name(kind);
    *kind = serde_json::json!({"message": {"unsupported": {"kind": name}}});
    serde_json::from_value(value).map_err(|error| Malformed(format!("not an event: {error}")))
}

fn unknown_name(kind: &Value) -> String {
    let name = |value: &Value| match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(fields) => fields.keys().next().cloned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    };
    let outer = name(kind).unwrap_or_else(|| "unknown".to_owned());
    match kind.get("message").and_then(name) {
        Some(inner) => inner,
        None => outer,
    }
}
