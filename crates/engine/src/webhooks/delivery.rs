//! One event to one receiver, with its headers.

use bytes::Bytes;
use domain::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Webhook;
use super::sign::signatures;
use channels::egress::{Client, Reply};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Signs and posts a body.
pub(super) async fn deliver(
    client: &mut Client,
    webhook: &Webhook,
    id: &str,
    body: Bytes,
    now: Timestamp,
) -> Result<Reply, String> {
    let at_seconds = now.0.div_euclid(1_000);
    let signed = signatures(&webhook.secrets, id, at_seconds, &body);
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    for (name, value) in [
        (ID, id),
        (TIMESTAMP, &at_seconds.to_string()),
        (SIGNATURE, &signed),
    ] {
        let value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
        headers.insert(name, value);
    }
    client.post(headers, body, now).await
}
