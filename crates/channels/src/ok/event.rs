//! OK's own JSON: only what is used. Whatever else an event has stays in the journal.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A client wrote.
pub(super) const CREATED: &str = "MESSAGE_CREATED";
/// A client pressed a button.
pub(super) const CALLBACK: &str = "MESSAGE_CALLBACK";
/// Something happened to a chat.
pub(super) const SYSTEM: &str = "CHAT_SYSTEM";

/// One event.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "webhookType")]
    webhook_type: Option<String>,
    #[serde(default)]
    pub(super) sender: Party,
    #[serde(default)]
    pub(super) recipient: Party,
    pub(super) message: Option<Message>,
    /// Of a pressed button.
    #[serde(default, rename = "callbackId", deserialize_with = "id")]
    pub(super) callback_id: Option<String>,
    /// Of a pressed button or a followed link.
    payload: Option<Value>,
    #[serde(default)]
    pub(super) timestamp: i64,
}

/// Who writes, or where.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Party {
    /// `user:…`.
    #[serde(default, deserialize_with = "id")]
    user_id: Option<String>,
    /// `chat:…`.
    #[serde(default, deserialize_with = "id")]
    chat_id: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Message {
    #[serde(default, deserialize_with = "id")]
    pub(super) mid: Option<String>,
    /// Beyond what a float holds.
    pub(super) seq: Option<i64>,
    pub(super) text: Option<String>,
    /// A list, or one by itself.
    attachments: Option<Value>,
    attachment: Option<Value>,
    reply_to: Option<Value>,
}

/// Ids may be texts or numbers.
fn id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let id = match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    Ok(id.filter(|id| !id.is_empty()))
}

/// An id with what it is an id of before it.
fn prefixed(id: Option<&String>, prefix: &str) -> Option<String> {
    let bare = id?.strip_prefix(prefix).unwrap_or(id?);
    (!bare.is_empty()).then(|| format!("{prefix}{bare}"))
}

impl Party {
    /// The number of a person.
    pub(super) fn person(&self) -> Option<String> {
        let user = prefixed(self.user_id.as_ref(), "user:")?;
        user.strip_prefix("user:").map(str::to_owned)
    }

    /// The place where messages are.
    pub(super) fn chat(&self) -> Option<String> {
        prefixed(self.chat_id.as_ref(), "chat:")
    }
}

impl Message {
    pub(super) fn attachments(&self) -> Vec<&Value> {
        let listed = match &self.attachments {
            Some(Value::Array(all)) => all.iter().collect(),
            Some(one) => vec![one],
            None => Vec::new(),
        };
        let all = listed.into_iter().chain(&self.attachment);
        all.filter(|one| one.is_object()).collect()
    }

    /// The message that it answers.
    pub(super) fn answered(&self) -> Option<String> {
        let answered = self.reply_to.as_ref()?;
        let name = answered.as_str().or_else(|| answered["mid"].as_str());
        name.map(str::to_owned)
    }
}

impl Event {
    /// What happened; older events do not say it.
    pub(super) fn kind(&self) -> Option<&str> {
        let named = self.webhook_type.as_deref();
        let named = named.filter(|kind| !kind.is_empty());
        named
            .or_else(|| self.callback_id.as_ref().map(|_| CALLBACK))
            .or_else(|| self.message.as_ref().map(|_| CREATED))
    }

    /// What a button or a link says.
    pub(super) fn said(&self) -> Option<String> {
        let said = match self.payload.as_ref()? {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                other.to_string()
            }
        };
        (!said.is_empty()).then_some(said)
    }

    /// The dedupe key: events have no number of their own. None where it would not tell one
    /// from another.
    pub(super) fn key(&self) -> Option<String> {
        let kind = self.kind()?;
        let mid = self
            .message
            .as_ref()
            .and_then(|message| message.mid.as_ref());
        let chat = || self.recipient.chat();
        if kind == CALLBACK {
            let id = self.callback_id.as_ref()?;
            return Some(format!("{kind} {} {id}", self.timestamp));
        }
        if let Some(mid) = mid {
            return Some(format!("{kind} {mid}"));
        }
        if kind == CREATED {
            let seq = self.message.as_ref()?.seq?;
            return Some(format!("{kind} {} {seq}", chat()?));
        }
        let (person, payload) = (self.sender.person()?, self.said().unwrap_or_default());
        Some(format!(
            "{kind} {} {} {person} {payload}",
            self.timestamp,
            chat()?
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(told: Value) -> Event {
        serde_json::from_value(told).unwrap()
    }

    #[test]
    fn what_differs_has_another_key() {
        let said = |mid: &str, at: i64| {
            event(json!({"webhookType": CREATED, "timestamp": at, "message": {"mid": mid}})).key()
        };
        assert_eq!(said("mid:C1.2", 7).unwrap(), "MESSAGE_CREATED mid:C1.2");
        assert_eq!(said("mid:C1.2", 8), said("mid:C1.2", 7));
        assert_ne!(said("mid:C1.3", 7), said("mid:C1.2", 7));
        // Without a name they differ by a number that is no float.
        let counted = |seq: i64| {
            event(json!({"recipient": {"chat_id": "chat:C1"}, "message": {"seq": seq}})).key()
        };
        assert_eq!(
            counted(98_211_023_614_189_661).unwrap(),
            "MESSAGE_CREATED chat:C1 98211023614189661"
        );
        assert_ne!(
            counted(98_211_023_614_189_661),
            counted(98_211_023_614_189_660)
        );
        let press = |at: i64| event(json!({"callbackId": "cb", "timestamp": at})).key();
        assert_eq!(press(1).unwrap(), "MESSAGE_CALLBACK 1 cb");
        assert_ne!(press(1), press(2));
        let system = |at: i64, said: Value| {
            event(
                json!({"webhookType": SYSTEM, "timestamp": at, "payload": said,
                "sender": {"user_id": 9_007_199_254_740_993_i64},
                "recipient": {"chat_id": "C1"}}),
            )
            .key()
        };
        let told = system(5, json!("order-17")).unwrap();
        assert_eq!(told, "CHAT_SYSTEM 5 chat:C1 9007199254740993 order-17");
        for other in [system(6, json!("order-17")), system(5, json!(null))] {
            assert_ne!(other.unwrap(), told);
        }
        for none in [
            json!({}),
            json!({"webhookType": ""}),
            json!({"message": {}}),
            json!({"webhookType": CALLBACK}),
            json!({"webhookType": "LATER"}),
        ] {
            assert_eq!(event(none.clone()).key(), None, "{none}");
        }
    }

    #[test]
    fn ids_come_with_what_they_are_or_without() {
        for id in [json!("user:7"), json!("7"), json!(7)] {
            let told = event(json!({"sender": {"user_id": id}}));
            assert_eq!(told.sender.person().as_deref(), Some("7"));
        }
        for id in [
            json!(null),
            json!(""),
            json!("user:"),
            json!({}),
            json!(true),
        ] {
            let told = event(json!({"sender": {"user_id": id}}));
            assert_eq!(told.sender.person(), None, "{id}");
        }
        let told = event(json!({"recipient": {"chat_id": "C3"}}));
        assert_eq!(told.recipient.chat().as_deref(), Some("chat:C3"));
    }

    #[test]
    fn attachments_are_a_list_or_one() {
        let count = |message: Value| {
            let message: Message = serde_json::from_value(message).unwrap();
            message.attachments().len()
        };
        let one = json!({"type": "IMAGE"});
        assert_eq!(count(json!({"attachments": [one, one]})), 2);
        assert_eq!(count(json!({"attachments": one})), 1);
        assert_eq!(count(json!({"attachment": one})), 1);
        assert_eq!(count(json!({"attachments": null})), 0);
        assert_eq!(count(json!({"attachments": [1, "x"]})), 0);
    }
}
