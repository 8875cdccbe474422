//! The app's webhook. A call of it is signed as a whole and may bring events of several
//! accounts at once: each line takes its own, one by one, so that an event is the same
//! however it was bundled with others.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Platform;
use super::config::Config;
use super::event::Event;
use crate::{Delivery, Envelope, HookError, Received, hook};

#[derive(Deserialize)]
struct Notice<'a> {
    object: String,
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    id: String,
    #[serde(default, borrow)]
    messaging: Vec<&'a RawValue>,
    #[serde(default, borrow)]
    standby: Vec<&'a RawValue>,
    #[serde(default, borrow)]
    changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(default)]
    field: String,
    #[serde(default, borrow)]
    value: Option<&'a RawValue>,
}

/// A notice of one event.
#[derive(Serialize)]
struct One<'a> {
    object: &'a str,
    entry: [OneEntry<'a>; 1],
}

#[derive(Serialize)]
struct OneEntry<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messaging: Vec<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    standby: Vec<&'a RawValue>,
}

/// Checks a call of Meta's, and takes what is the line's of it.
pub(super) fn receive(
    config: &Config,
    platform: &Platform,
    delivery: &Delivery,
) -> Result<Received, HookError> {
    if let Some(answered) = config.hub.check(delivery)? {
        return Ok(answered);
    }
    let body = &delivery.body;
    // A refusal would only make Meta tell it again, and end the subscription at last: what
    // cannot be read is kept as it is.
    let envelopes = match serde_json::from_slice::<Notice<'_>>(body) {
        Ok(notice) if notice.object == platform.object => take(&notice, &config.account, body),
        // Of another kind of line that shares the webhook.
        Ok(_) => Vec::new(),
        Err(_) => vec![envelope(hook::unreadable(body), body.clone())],
    };
    Ok(Received {
        envelopes,
        ack: hook::taken("text/plain", "EVENT_RECEIVED"),
    })
}

fn take(notice: &Notice<'_>, account: &str, body: &Bytes) -> Vec<Envelope> {
    let mut envelopes = Vec::new();
    let mut others = 0_usize;
    for entry in &notice.entry {
        if entry.id != account {
            others += 1;
            continue;
        }
        let one = |messaging, standby| One {
            object: &notice.object,
            entry: [OneEntry {
                id: &entry.id,
                messaging,
                standby,
            }],
        };
        for raw in &entry.messaging {
            envelopes.extend(alone(raw, &one(vec![*raw], vec![])));
        }
        for raw in &entry.standby {
            envelopes.extend(alone(raw, &one(vec![], vec![*raw])));
        }
        for change in &entry.changes {
            others += 1;
            if let Some(raw) = change.value.filter(|raw| is_between_two(raw)) {
                envelopes.extend(alone(raw, &one(vec![raw], vec![])));
            } else {
                tracing::info!(field = %change.field, "nothing for people in a notice");
            }
        }
    }
    // What came alone is kept as it came.
    if let ([only], 0) = (envelopes.as_mut_slice(), others) {
        only.raw = body.clone();
    }
    envelopes
}

/// Whether a change is an event between the account and a client: so they come when the
/// dashboard sends one for a try.
fn is_between_two(raw: &RawValue) -> bool {
    let event: Option<Event> = serde_json::from_str(raw.get()).ok();
    event.is_some_and(|event| !event.sender.id.is_empty() && !event.recipient.id.is_empty())
}

fn alone(raw: &RawValue, one: &One<'_>) -> Option<Envelope> {
    let event: Option<Event> = serde_json::from_str(raw.get()).ok();
    let key = event.and_then(|event| event.key());
    let key = key.unwrap_or_else(|| hook::unreadable(raw.get().as_bytes()));
    let body = serde_json::to_vec(one).ok()?;
    Some(envelope(key, body.into()))
}

fn envelope(event_key: String, raw: Bytes) -> Envelope {
    Envelope {
        event_key,
        raw,
        rest: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(body: &str, account: &str) -> Vec<(String, String)> {
        let body = Bytes::from(body.to_owned());
        let notice: Notice<'_> = serde_json::from_slice(&body).unwrap();
        let taken = take(&notice, account, &body).into_iter();
        let text = |raw: Bytes| String::from_utf8(raw.to_vec()).unwrap();
        taken.map(|it| (it.event_key, text(it.raw))).collect()
    }

    #[test]
    fn an_event_is_the_same_however_it_is_bundled() {
        let first = r#"{"sender":{"id":"1"},"n":90071992547409931,"message":{"mid":"a","text":"\u0414 1.0"}}"#;
        let second = r#"{"sender":{"id":"2"},"n":1.50,"message":{"mid":"b"}}"#;
        let aside = r#"{"sender":{"id":"3"},"message":{"mid":"c"}}"#;
        let body = format!(
            r#"{{"object":"page","entry":[{{"id":"10","time":1,"messaging":[{first},{second}]}},
            {{"id":"20","messaging":[{{"message":{{"mid":"x"}}}}]}},
            {{"id":"10","standby":[{aside}]}}]}}"#
        );
        let ours = taken(&body, "10");
        let names: Vec<&str> = ours.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        for ((_, raw), event) in ours.iter().zip([first, second, aside]) {
            assert!(raw.contains(&format!("[{event}]")), "{raw}");
        }
        assert!(ours[2].1.contains(r#""standby":["#));
        assert_eq!(taken(&body, "20")[0].0, "x");
        assert_eq!(taken(&body, "30"), []);
    }

    #[test]
    fn what_comes_alone_stays_as_it_came() {
        let body = r#"{"object":"page","entry":[{"id":"10", "messaging": [ {"message" : {"mid":"a"}} ]}]}"#;
        assert_eq!(taken(body, "10"), [("a".to_owned(), body.to_owned())]);
    }

    #[test]
    fn what_the_dashboard_sends_for_a_try_is_an_event() {
        let event = r#"{"sender":{"id":"12334"},"recipient":{"id":"23245"},"timestamp":"1527459824","message":{"mid":"random_mid","text":"random_text"}}"#;
        let body = format!(
            r#"{{"object":"instagram","entry":[{{"id":"10","changes":[
            {{"field":"messages","value":{event}}},{{"field":"comments","value":{{"id":"7"}}}},{{}}]}}]}}"#
        );
        let taken = taken(&body, "10");
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].0, "random_mid");
        assert!(taken[0].1.contains(&format!(r#""messaging":[{event}]"#)));
    }

    #[test]
    fn what_has_no_name_is_known_by_its_bytes() {
        let body = r#"{"object":"page","entry":[{"id":"10","messaging":[7,"odd",{"message":{"mid":"a\n"}}]}]}"#;
        let taken = taken(body, "10");
        assert_eq!(taken.len(), 3);
        assert!(taken.iter().all(|(key, _)| key.starts_with("unreadable ")));
        assert_ne!(taken[0].0, taken[1].0);
    }
}
