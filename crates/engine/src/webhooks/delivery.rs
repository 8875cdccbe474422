//! One event to one receiver, with its headers.

use bytes::Bytes;
use domain::Timestamp;
use http::{HeaderName, HeaderValue};

use super::Webhook;
use super::sign::signatures;
use channels::egress::{Body, Call, Client, Reply};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Of an answer people are shown a line.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// Signs and posts a body.
pub(super) async fn deliver(
    client: &Client,
    webhook: &Webhook,
    id: &str,
    body: Bytes,
    now: Timestamp,
) -> Result<Reply, String> {
    let at_seconds = now.0.div_euclid(1_000);
    let signed = signatures(&webhook.secrets, id, at_seconds, &body);
    let json = HeaderValue::from_static("application/json");
    let mut call = Call::post("", Body::Bytes(json, body));
    call.answer_bytes_max = ANSWER_BYTES_MAX;
    for (name, value) in [
        (ID, id),
        (TIMESTAMP, &at_seconds.to_string()),
        (SIGNATURE, &signed),
    ] {
        let value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
        call.headers.insert(name, value);
    }
    let reply = client.call(call, now).await;
    reply.map_err(|problem| problem.to_string())
}
