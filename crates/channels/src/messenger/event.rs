//! The webhook's own JSON: only what is used. Whatever else it has stays in the journal.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::clean;

/// What one call of the webhook brings.
#[derive(Debug, Deserialize)]
pub(super) struct Notice {
    pub(super) entry: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    /// The account.
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) messaging: Vec<Value>,
    /// What another app answers.
    #[serde(default)]
    pub(super) standby: Vec<Value>,
}

/// Something that happened between the account and a client.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Event {
    #[serde(default)]
    pub(super) sender: Party,
    #[serde(default)]
    pub(super) recipient: Party,
    #[serde(default)]
    timestamp: Value,
    pub(super) message: Option<Message>,
    pub(super) message_edit: Option<Edit>,
    pub(super) reaction: Option<Reaction>,
    pub(super) postback: Option<Postback>,
    pub(super) delivery: Option<Delivered>,
    pub(super) read: Option<Read>,
    pub(super) optin: Option<OptIn>,
    pub(super) referral: Option<Referral>,
    pub(super) pass_thread_control: Option<Handover>,
    /// What is not known here.
    #[serde(flatten)]
    pub(super) rest: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Party {
    #[serde(default)]
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(default)]
    pub(super) mid: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) attachments: Vec<Attached>,
    pub(super) quick_reply: Option<QuickReply>,
    pub(super) reply_to: Option<ReplyTo>,
    pub(super) referral: Option<Referral>,
    #[serde(default)]
    pub(super) is_echo: bool,
    #[serde(default)]
    pub(super) is_deleted: bool,
    #[serde(default)]
    pub(super) sticker_id: Value,
    /// What a message of ours went along with.
    #[serde(default)]
    pub(super) metadata: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Attached {
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) url: String,
    #[serde(default)]
    pub(super) payload: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct QuickReply {
    #[serde(default)]
    pub(super) payload: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ReplyTo {
    pub(super) mid: Option<String>,
    pub(super) story: Option<Story>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Story {
    #[serde(default)]
    pub(super) url: String,
}

/// How a client came, or came back.
#[derive(Debug, Deserialize)]
pub(super) struct Referral {
    #[serde(default, rename = "ref")]
    pub(super) reference: String,
    #[serde(default)]
    pub(super) ad_id: Value,
    #[serde(default)]
    pub(super) ads_context_data: Value,
    #[serde(default)]
    pub(super) product: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Edit {
    pub(super) mid: String,
    #[serde(default)]
    pub(super) text: String,
    /// How often it was changed by then.
    #[serde(default, rename = "num_edit")]
    times: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reaction {
    pub(super) mid: String,
    #[serde(default)]
    pub(super) action: String,
    #[serde(default)]
    pub(super) emoji: String,
    /// What Meta calls it.
    #[serde(default, rename = "reaction")]
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Postback {
    #[serde(default)]
    pub(super) mid: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) payload: String,
    pub(super) referral: Option<Referral>,
}

/// Everything up to a time arrived.
#[derive(Debug, Deserialize)]
pub(super) struct Delivered {
    #[serde(default)]
    pub(super) mids: Vec<String>,
    #[serde(default)]
    pub(super) watermark: Value,
}

/// Everything up to a time, or to a message, was read.
#[derive(Debug, Deserialize)]
pub(super) struct Read {
    #[serde(default)]
    pub(super) watermark: Value,
    pub(super) mid: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OptIn {
    #[serde(default, rename = "ref")]
    pub(super) reference: String,
    #[serde(default)]
    pub(super) payload: String,
}

/// Another app leaves a client to us.
#[derive(Debug, Deserialize)]
pub(super) struct Handover {
    #[serde(default)]
    pub(super) metadata: String,
}

impl Event {
    /// Whom it is about: the one of the two that is not the account.
    pub(super) fn client(&self, account: &str) -> Option<&str> {
        let is_echo = self.message.as_ref().is_some_and(|message| message.is_echo);
        let is_ours = is_echo || self.sender.id == account;
        let id = if is_ours {
            &self.recipient.id
        } else {
            &self.sender.id
        };
        (!id.is_empty() && id != account).then_some(id.as_str())
    }

    /// Whether the account itself did it.
    pub(super) fn is_ours(&self, account: &str) -> bool {
        self.message.as_ref().is_some_and(|message| message.is_echo) || self.sender.id == account
    }

    pub(super) fn at(&self) -> Timestamp {
        moment(&self.timestamp)
    }

    /// The dedupe key, where there is something to make it of.
    pub(super) fn key(&self) -> Option<String> {
        let (client, at) = (&self.sender.id, self.at().0);
        let key = if let Some(message) = &self.message {
            let mid = named(&message.mid)?;
            match (message.is_echo, message.is_deleted) {
                (_, true) => format!("deleted {mid}"),
                (true, false) => format!("echo {mid}"),
                (false, false) => mid.to_owned(),
            }
        } else if let Some(Edit { mid, times, .. }) = &self.message_edit {
            format!("edit {mid} {times} {at}")
        } else if let Some(Reaction { mid, action, .. }) = &self.reaction {
            format!("reaction {client} {mid} {action} {at}")
        } else if let Some(postback) = &self.postback {
            named(&postback.mid).map_or_else(|| format!("postback {client} {at}"), str::to_owned)
        } else if let Some(delivered) = &self.delivery {
            let last = delivered.mids.last().map_or("", String::as_str);
            let until = moment(&delivered.watermark).0;
            format!("delivered {client} {until} {last}")
        } else if let Some(read) = &self.read {
            let until = moment(&read.watermark).0;
            let mid = read.mid.as_deref().unwrap_or_default();
            format!("read {client} {until} {mid}")
        } else {
            return None;
        };
        let key = key.trim_end_matches(' ').to_owned();
        clean::is_key(&key).then_some(key)
    }
}

fn named(mid: &str) -> Option<&str> {
    (!mid.is_empty()).then_some(mid)
}

/// Milliseconds; in what the dashboard sends for a try also seconds, and as a text.
pub(super) fn moment(at: &Value) -> Timestamp {
    /// What is less is seconds: as milliseconds it would be the spring of 1973.
    const LEAST: i64 = 100_000_000_000;
    let told = at.as_i64().or_else(|| at.as_str()?.parse().ok());
    let told = told.unwrap_or(0);
    Timestamp(if (0..LEAST).contains(&told) {
        told * 1_000
    } else {
        told
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_moment_is_in_milliseconds_at_last() {
        for (told, at) in [
            (json!(1_569_262_485_349_i64), 1_569_262_485_349),
            (json!("1569262485349"), 1_569_262_485_349),
            (json!(1_569_262_485), 1_569_262_485_000),
            (json!("1569262485"), 1_569_262_485_000),
            (json!(-5), -5),
            (json!(null), 0),
            (json!("soon"), 0),
        ] {
            assert_eq!(moment(&told), Timestamp(at), "{told}");
        }
    }

    #[test]
    fn what_happens_twice_has_two_names() {
        let key = |event: Value| serde_json::from_value::<Event>(event).unwrap().key();
        let named = |event: Value| {
            let mut whole = json!({"sender": {"id": "7"}, "timestamp": 1_569_262_485_349_i64});
            for (name, value) in event.as_object().unwrap() {
                whole[name] = value.clone();
            }
            key(whole).unwrap_or_default()
        };
        let at = "1569262485349";
        for (event, expected) in [
            (json!({"message": {"mid": "m"}}), "m".to_owned()),
            (
                json!({"message": {"mid": "m", "is_echo": true}}),
                "echo m".to_owned(),
            ),
            (
                json!({"message": {"mid": "m", "is_deleted": true}}),
                "deleted m".to_owned(),
            ),
            (
                json!({"message_edit": {"mid": "m", "num_edit": 2}}),
                format!("edit m 2 {at}"),
            ),
            (
                json!({"reaction": {"mid": "m", "action": "react"}}),
                format!("reaction 7 m react {at}"),
            ),
            (json!({"postback": {"mid": "m"}}), "m".to_owned()),
            (json!({"postback": {}}), format!("postback 7 {at}")),
            (
                json!({"read": {"watermark": 1_569_262_485_349_i64}}),
                format!("read 7 {at}"),
            ),
            (json!({"read": {"mid": "m"}}), "read 7 0 m".to_owned()),
            (
                json!({"delivery": {"watermark": 1_569_262_485_349_i64, "mids": ["l", "m"]}}),
                format!("delivered 7 {at} m"),
            ),
            // These have none.
            (json!({"message": {}}), String::new()),
            (json!({"message": {"mid": "a\nb"}}), String::new()),
            (json!({"optin": {}}), String::new()),
        ] {
            assert_eq!(named(event.clone()), expected, "{event}");
        }
    }
}
