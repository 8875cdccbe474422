//! MAX's own JSON: only what is used. Whatever else an update has stays in the journal.
//! What the schema requires is missing in practice where it would be null.

#![expect(clippy::struct_field_names, reason = "the names are MAX's")]

use serde::Deserialize;
use serde_json::{Map, Value};

/// One update.
#[derive(Debug, Deserialize)]
pub(super) struct Update {
    pub(super) update_type: String,
    #[serde(default)]
    pub(super) timestamp: i64,
    /// What the kind of the update has.
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Message {
    pub(super) sender: Option<User>,
    #[serde(default)]
    pub(super) recipient: Recipient,
    #[serde(default)]
    pub(super) timestamp: i64,
    /// None where there is nothing but a forwarded message.
    pub(super) body: Option<Body>,
    pub(super) link: Option<Link>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Recipient {
    pub(super) chat_id: Option<i64>,
    pub(super) chat_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Body {
    pub(super) mid: Option<String>,
    pub(super) text: Option<String>,
    pub(super) attachments: Option<Vec<Value>>,
    pub(super) markup: Option<Vec<Value>>,
}

/// A message that is answered or forwarded.
#[derive(Debug, Deserialize)]
pub(super) struct Link {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) sender: Option<User>,
    pub(super) message: Option<Body>,
}

/// A part of a text that looks otherwise.
#[derive(Debug, Deserialize)]
pub(super) struct Markup {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) from: usize,
    pub(super) length: usize,
    pub(super) url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct User {
    pub(super) user_id: i64,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) name: Option<String>,
    pub(super) username: Option<String>,
    pub(super) is_bot: Option<bool>,
    pub(super) full_avatar_url: Option<String>,
}

/// A pressed button.
#[derive(Debug, Deserialize)]
pub(super) struct Callback {
    pub(super) callback_id: String,
    #[serde(default)]
    pub(super) timestamp: i64,
    pub(super) payload: Option<String>,
    pub(super) user: User,
}

impl Update {
    /// The dedupe key: updates have no number of their own. None where it would not tell
    /// one from another.
    pub(super) fn key(&self) -> Option<String> {
        let kind = &self.update_type;
        let at = |path: &[&str]| {
            let mut value = self.rest.get(*path.first()?)?;
            for name in path.get(1..)? {
                value = &value[*name];
            }
            let text = value.as_str().map(str::to_owned);
            text.or_else(|| value.as_i64().map(|number| number.to_string()))
        };
        let mid = ["message", "body", "mid"];
        let user = || at(&["user", "user_id"]).or_else(|| at(&["user_id"]));
        match kind.as_str() {
            "message_created" => Some(format!("{kind} {}", at(&mid)?)),
            "message_edited" => Some(format!("{kind} {} {}", self.timestamp, at(&mid)?)),
            "message_removed" => Some(format!("{kind} {}", at(&["message_id"])?)),
            "message_callback" => {
                let pressed = at(&["callback", "timestamp"])?;
                Some(format!(
                    "{kind} {pressed} {}",
                    at(&["callback", "callback_id"])?
                ))
            }
            _ => {
                let chat = at(&["chat_id"])?;
                Some(format!("{kind} {} {chat} {}", self.timestamp, user()?))
            }
        }
    }
}

impl Message {
    /// Whether it is in a dialogue of a client with the bot. In groups the bot is a guest.
    pub(super) fn is_in_dialogue(&self) -> bool {
        self.recipient.chat_type.as_deref() == Some("dialog")
    }
}

impl User {
    pub(super) fn name(&self) -> String {
        let of = |part: &Option<String>| part.clone().unwrap_or_default();
        let name = format!("{} {}", of(&self.first_name), of(&self.last_name));
        match name.trim() {
            "" => of(&self.name),
            name => name.to_owned(),
        }
    }

    pub(super) fn is_client(&self) -> bool {
        self.is_bot != Some(true) && self.user_id > 0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(update: &Value) -> Option<String> {
        serde_json::from_value::<Update>(update.clone())
            .unwrap()
            .key()
    }

    #[test]
    fn what_differs_has_another_key() {
        let said = |kind: &str, mid: &str, at: i64| json!({"update_type": kind, "timestamp": at, "message": {"body": {"mid": mid}}});
        let told = key(&said("message_created", "mid.1", 7)).unwrap();
        assert_eq!(told, "message_created mid.1");
        assert_eq!(key(&said("message_created", "mid.1", 8)).unwrap(), told);
        assert_ne!(key(&said("message_created", "mid.2", 7)).unwrap(), told);
        let edited = |at| key(&said("message_edited", "mid.1", at)).unwrap();
        assert_ne!(edited(7), edited(8));
        let press = |at: i64| {
            key(&json!({"update_type": "message_callback", "timestamp": 1,
                "callback": {"callback_id": "cb", "timestamp": at, "user": {"user_id": 7}}}))
        };
        // The id is that of the keyboard: another press is another event.
        assert_ne!(press(1).unwrap(), press(2).unwrap());
        let started = |at: i64| {
            key(
                &json!({"update_type": "bot_started", "timestamp": at, "chat_id": 1,
                "user": {"user_id": 9_007_199_254_740_993_i64}}),
            )
        };
        let told = started(5).unwrap();
        assert_eq!(told, "bot_started 5 1 9007199254740993");
        assert_ne!(started(6).unwrap(), told);
        for none in [
            json!({"update_type": "message_created", "message": {}}),
            json!({"update_type": "message_created", "message": null}),
            json!({"update_type": "bot_started"}),
            json!({"update_type": ""}),
        ] {
            assert_eq!(key(&none), None, "{none}");
        }
    }
}
