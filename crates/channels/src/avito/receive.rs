//! The webhook: Avito calls, within an address that nobody else knows, and waits for two
//! seconds.

use http::Method;
use serde_json::Value;

use super::config::Config;
use super::update::Update;
use crate::{Ack, Delivery, Envelope, HookError, Received, hook};

const KEY_BYTES_MAX: usize = 256;

/// Checks a call of Avito's.
pub(super) fn receive(config: &Config, delivery: &Delivery) -> Result<Received, HookError> {
    let path = delivery.path_and_query.split('?').next();
    let given = path.unwrap_or_default();
    if !hook::is_same(given.as_bytes(), config.secret.as_bytes()) {
        return Err(HookError::Forged);
    }
    if delivery.method != Method::POST {
        return Err(HookError::Malformed("messages come by POST".to_owned()));
    }
    // What cannot be read is kept as it is.
    let raw = &delivery.body;
    let envelope = (!is_probe(raw)).then(|| Envelope {
        event_key: key(raw),
        raw: raw.clone(),
        rest: None,
    });
    Ok(Received {
        envelopes: envelope.into_iter().collect(),
        ack: ack(),
    })
}

fn ack() -> Ack {
    hook::taken("application/json", "{\"ok\":true}")
}

/// Whether Avito, or a person, only wants to see whether we are there.
fn is_probe(raw: &[u8]) -> bool {
    let told: Result<Value, _> = serde_json::from_slice(raw);
    let is_empty = |told: Value| told.as_object().is_some_and(serde_json::Map::is_empty);
    raw.trim_ascii().is_empty() || told.is_ok_and(is_empty)
}

/// The dedupe key of an update.
pub(super) fn key(raw: &[u8]) -> String {
    let update: Option<Update> = serde_json::from_slice(raw).ok();
    let key = update.and_then(|update| update.id);
    let key = key.filter(|key| (1..=KEY_BYTES_MAX).contains(&key.len()));
    key.unwrap_or_else(|| hook::unreadable(raw))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::super::config::tests::setup;
    use super::*;

    const SECRET: &str = "a-secret-of-sixteen";

    fn called(path: &str, method: Method, body: &'static str) -> Result<usize, HookError> {
        let config = Config::read(&setup(toml::toml! {
            user_id = 94_235_311
            client_id = "id"
            client_secret = "secret"
            webhook_secret = SECRET
        }));
        let delivery = Delivery {
            method,
            path_and_query: path.to_owned(),
            headers: HeaderMap::new(),
            from: std::net::Ipv4Addr::LOCALHOST.into(),
            body: Bytes::from_static(body.as_bytes()),
        };
        let received = receive(&config.unwrap(), &delivery)?;
        assert_eq!(received.ack.status, 200);
        Ok(received.envelopes.len())
    }

    #[test]
    fn only_who_knows_the_address_is_avito() {
        assert_eq!(called(SECRET, Method::POST, "{\"a\":1}"), Ok(1));
        let with_query = format!("{SECRET}?from=avito");
        assert_eq!(called(&with_query, Method::POST, "{\"a\":1}"), Ok(1));
        for path in [
            "",
            "?",
            "a-secret-of-sixtee",
            "a-secret-of-sixteen/",
            "A-SECRET-OF-SIXTEEN",
        ] {
            let outcome = called(path, Method::POST, "{\"a\":1}");
            assert_eq!(outcome, Err(HookError::Forged), "{path}");
        }
        let asked = called(SECRET, Method::GET, "");
        assert!(matches!(asked, Err(HookError::Malformed(_))));
    }

    #[test]
    fn who_only_looks_whether_we_are_there_leaves_nothing() {
        for body in ["{}", " { }\n", ""] {
            assert_eq!(called(SECRET, Method::POST, body), Ok(0), "{body}");
        }
        for body in ["[]", "{\"id\":\"1\"}", "not JSON"] {
            assert_eq!(called(SECRET, Method::POST, body), Ok(1), "{body}");
        }
    }
}
