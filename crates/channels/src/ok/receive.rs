//! The webhook: OK calls, and signs nothing. Who knows the address is OK.

use http::Method;

use super::config::Intake;
use super::event::Event;
use crate::{Delivery, Envelope, HookError, Received, hook};

const KEY_BYTES_MAX: usize = 256;

/// Checks a call of OK's.
pub(super) fn receive(intake: &Intake, delivery: &Delivery) -> Result<Received, HookError> {
    let Intake::Webhook(ours) = intake else {
        return Err(HookError::NotAHook);
    };
    let given = delivery.path_and_query.split('?').next();
    let given = given.unwrap_or_default().as_bytes();
    let is_from_there = |networks: &crate::networks::Networks| networks.contains(delivery.from);
    if !hook::is_same(given, ours.secret.as_bytes())
        || !ours.networks.as_ref().is_none_or(is_from_there)
    {
        return Err(HookError::Forged);
    }
    if delivery.method != Method::POST {
        return Err(HookError::Malformed("events come by POST".to_owned()));
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

/// The dedupe key of an event.
pub(super) fn key(raw: &[u8]) -> String {
    let event: Option<Event> = serde_json::from_slice(raw).ok();
    let key = event.and_then(|event| event.key());
    let key = key.filter(|key| key.len() <= KEY_BYTES_MAX);
    key.unwrap_or_else(|| hook::unreadable(raw))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::super::config::Hook;
    use super::*;
    use crate::networks::Networks;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn take(networks: Option<&str>, path: &str, from: &str) -> Result<(), HookError> {
        let intake = Intake::Webhook(Hook {
            url: String::new(),
            secret: SECRET.to_owned(),
            networks: networks.map(|one| Networks::parse([one]).unwrap()),
        });
        let delivery = Delivery {
            method: Method::POST,
            path_and_query: path.to_owned(),
            headers: HeaderMap::new(),
            from: from.parse().unwrap(),
            body: "{}".into(),
        };
        receive(&intake, &delivery).map(drop)
    }

    #[test]
    fn who_knows_the_address_is_let_in() {
        let from = "203.0.113.9";
        assert_eq!(take(None, SECRET, from), Ok(()));
        assert_eq!(take(None, &format!("{SECRET}?a=b"), from), Ok(()));
        let upper = SECRET.to_uppercase();
        for path in ["", "?", &SECRET[1..], &format!("{SECRET}/"), &upper] {
            assert_eq!(take(None, path, from), Err(HookError::Forged), "{path}");
        }
    }

    #[test]
    fn where_networks_are_told_nobody_else_is_let_in() {
        let networks = Some("217.20.145.192/28");
        assert_eq!(take(networks, SECRET, "217.20.145.193"), Ok(()));
        assert_eq!(take(networks, SECRET, "::ffff:217.20.145.193"), Ok(()));
        for from in ["217.20.145.1", "::", "127.0.0.1"] {
            assert_eq!(
                take(networks, SECRET, from),
                Err(HookError::Forged),
                "{from}"
            );
        }
        assert_eq!(take(networks, "", "217.20.145.193"), Err(HookError::Forged));
    }

    #[test]
    fn who_asks_is_not_called() {
        let delivery = Delivery {
            method: Method::POST,
            path_and_query: String::new(),
            headers: HeaderMap::new(),
            from: "::1".parse().unwrap(),
            body: "{}".into(),
        };
        let told = receive(&Intake::Poll, &delivery).map(drop);
        assert_eq!(told, Err(HookError::NotAHook));
    }
}
