//! The app's webhook. A call of it is signed as a whole and may bring events of several
//! numbers at once: each line takes its own, one by one, so that an event is the same
//! however it was bundled with others.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::config::Config;
use crate::{Delivery, Envelope, HookError, Received, clean, hook};

/// What happened, by where it stands, each with what its key begins with.
const LISTS: [(&str, &str); 3] = [
    ("messages", ""),
    ("message_echoes", "echo "),
    ("statuses", "status "),
];

#[derive(Deserialize)]
struct Notice<'a> {
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(default)]
    field: String,
    #[serde(borrow)]
    value: News<'a>,
}

type News<'a> = BTreeMap<String, &'a RawValue>;

/// A notice of one event.
#[derive(Serialize)]
struct One<'a> {
    object: &'static str,
    entry: [OneEntry<'a>; 1],
}

#[derive(Serialize)]
struct OneEntry<'a> {
    id: Option<&'a RawValue>,
    changes: [OneChange<'a>; 1],
}

#[derive(Serialize)]
struct OneChange<'a> {
    field: &'a str,
    value: BTreeMap<&'a str, &'a RawValue>,
}

/// By what an event is told from others, and whom it is about.
#[derive(Default, Deserialize)]
struct Event {
    #[serde(default)]
    id: String,
    #[serde(default)]
    status: String,
    #[serde(flatten)]
    names: Names,
}

#[derive(Default, Deserialize)]
struct Names {
    from: Option<String>,
    from_user_id: Option<String>,
    to: Option<String>,
    to_user_id: Option<String>,
    recipient_id: Option<String>,
    recipient_user_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Person {
    wa_id: Option<String>,
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    phone_number_id: String,
}

/// Checks a call of Meta's, and takes what is the line's of it.
pub(super) fn receive(config: &Config, delivery: &Delivery) -> Result<Received, HookError> {
    if let Some(answered) = config.hub.check(delivery)? {
        return Ok(answered);
    }
    let body = &delivery.body;
    // A refusal would only make Meta tell it again for a week: what cannot be read is
    // kept as it is.
    let envelopes = match serde_json::from_slice::<Notice<'_>>(body) {
        Ok(notice) => take(&notice, &config.number, body),
        Err(_) => vec![envelope(hook::unreadable(body), body.clone())],
    };
    Ok(Received {
        envelopes,
        ack: hook::taken("text/plain", ""),
    })
}

fn take(notice: &Notice<'_>, number: &str, body: &Bytes) -> Vec<Envelope> {
    let mut envelopes = Vec::new();
    let mut others = 0_usize;
    for entry in &notice.entry {
        for change in &entry.changes {
            if is_of(&change.value, number) {
                let taken = split(entry.id, change);
                if taken.is_empty() {
                    tracing::info!(field = %change.field, "nothing for people in a notice");
                }
                envelopes.extend(taken);
            } else {
                others += 1;
            }
        }
    }
    // What came alone is kept as it came.
    if let ([only], 0) = (envelopes.as_mut_slice(), others) {
        only.raw = body.clone();
    }
    envelopes
}

fn is_of(news: &News<'_>, number: &str) -> bool {
    let metadata = news.get("metadata");
    let metadata = metadata.and_then(|raw| serde_json::from_str::<Metadata>(raw.get()).ok());
    metadata.is_some_and(|metadata| metadata.phone_number_id == number)
}

fn split(account: Option<&RawValue>, change: &Change<'_>) -> Vec<Envelope> {
    let news = &change.value;
    let people = list(news, "contacts");
    let mut envelopes = Vec::new();
    for (name, prefix) in LISTS {
        for raw in list(news, name) {
            let event: Event = serde_json::from_str(raw.get()).unwrap_or_default();
            let mut value: BTreeMap<&str, &RawValue> = news
                .iter()
                .filter(|(known, _)| LISTS.iter().all(|(list, _)| list != known))
                .map(|(known, raw)| (known.as_str(), *raw))
                .collect();
            let (only, whom) = (to_raw_value(&[raw]), to_raw_value(&about(&event, &people)));
            let (Ok(only), Ok(whom)) = (only, whom) else {
                continue;
            };
            value.insert(name, &only);
            if !people.is_empty() {
                value.insert("contacts", &whom);
            }
            let one = One {
                object: "whatsapp_business_account",
                entry: [OneEntry {
                    id: account,
                    changes: [OneChange {
                        field: &change.field,
                        value,
                    }],
                }],
            };
            if let Ok(alone) = serde_json::to_vec(&one) {
                envelopes.push(envelope(key(prefix, &event, raw), alone.into()));
            }
        }
    }
    envelopes
}

fn list<'a>(news: &News<'a>, name: &str) -> Vec<&'a RawValue> {
    let raw = news.get(name).map(|raw| raw.get());
    raw.and_then(|raw| serde_json::from_str(raw).ok())
        .unwrap_or_default()
}

/// Those of the people that an event is about.
fn about<'a>(event: &Event, people: &[&'a RawValue]) -> Vec<&'a RawValue> {
    let Names {
        from,
        from_user_id,
        to,
        to_user_id,
        recipient_id,
        recipient_user_id,
    } = &event.names;
    let names = [
        from,
        from_user_id,
        to,
        to_user_id,
        recipient_id,
        recipient_user_id,
    ];
    let is_named =
        |name: Option<String>| name.is_some_and(|name| names.contains(&&Some(name.clone())));
    let is_about = |raw: &&&RawValue| {
        let person: Person = serde_json::from_str(raw.get()).unwrap_or_default();
        people.len() == 1 || is_named(person.wa_id) || is_named(person.user_id)
    };
    people.iter().filter(is_about).copied().collect()
}

fn key(prefix: &str, event: &Event, raw: &RawValue) -> String {
    let mut key = format!("{prefix}{}", event.id);
    if !event.status.is_empty() {
        key = format!("{key} {}", event.status);
    }
    if event.id.is_empty() || !clean::is_key(&key) {
        return hook::unreadable(raw.get().as_bytes());
    }
    key
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

    fn keys(body: &str, number: &str) -> Vec<(String, String)> {
        let body = Bytes::from(body.to_owned());
        let notice: Notice<'_> = serde_json::from_slice(&body).unwrap();
        let text = |raw: &Bytes| String::from_utf8(raw.to_vec()).unwrap();
        let taken = take(&notice, number, &body);
        let taken = taken.iter();
        taken
            .map(|it| (it.event_key.clone(), text(&it.raw)))
            .collect()
    }

    fn change(number: &str, rest: &str) -> String {
        format!(
            r#"{{"field":"messages","value":{{"metadata":{{"phone_number_id":"{number}"}},{rest}}}}}"#
        )
    }

    fn notice(changes: &[String]) -> String {
        format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"7","changes":[{}]}}]}}"#,
            changes.join(",")
        )
    }

    #[test]
    fn an_event_is_the_same_however_it_is_bundled() {
        let people = r#""contacts":[{"wa_id":"1"},{"user_id":"US.2"},{"wa_id":"3"}]"#;
        let first =
            r#"{"id":"wamid.a","from":"1","n":90071992547409931,"text":{"body":"\u0414 1.0"}}"#;
        let second = r#"{"id":"wamid.b","from_user_id":"US.2","n":1.50}"#;
        let status = r#"{"id":"wamid.c","status":"read","recipient_id":"3"}"#;
        let body = notice(&[
            change("10", &format!(r#"{people},"messages":[{first},{second}]"#)),
            change("20", r#""messages":[{"id":"wamid.x"}]"#),
            change("10", &format!(r#"{people},"statuses":[{status}]"#)),
        ]);
        let taken = keys(&body, "10");
        let names: Vec<&str> = taken.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(names, ["wamid.a", "wamid.b", "status wamid.c read"]);
        // Each to the letter, and with whom it is about.
        for ((_, raw), (event, person)) in taken.iter().zip([
            (first, r#"[{"wa_id":"1"}]"#),
            (second, r#"[{"user_id":"US.2"}]"#),
            (status, r#"[{"wa_id":"3"}]"#),
        ]) {
            assert!(raw.contains(&format!("[{event}]")), "{raw}");
            assert!(raw.contains(person), "{raw}");
        }
        assert_eq!(keys(&body, "20")[0].0, "wamid.x");
        assert_eq!(keys(&body, "30"), []);
    }

    #[test]
    fn what_comes_alone_stays_as_it_came() {
        let body = notice(&[change("10", r#"  "messages": [ {"id" : "wamid.a"} ]"#)]);
        assert_eq!(keys(&body, "10"), [("wamid.a".to_owned(), body)]);
    }

    #[test]
    fn what_has_no_name_is_known_by_its_bytes() {
        let body = notice(&[change("10", r#""messages":[{"id":7},"odd",{"id":"a\n"}]"#)]);
        let taken = keys(&body, "10");
        assert_eq!(taken.len(), 3);
        assert!(taken.iter().all(|(key, _)| key.starts_with("unreadable ")));
        assert_ne!(taken[0].0, taken[1].0);
    }
}
