//! VK's own JSON: only what is used. Whatever else an event has stays in the journal.

#![expect(clippy::struct_field_names, reason = "the names are VK's")]

use serde::Deserialize;
use serde_json::Value;

/// One event, whichever way it came.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) group_id: i64,
    pub(super) event_id: Option<String>,
    #[serde(default)]
    pub(super) object: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub(super) conversation_message_id: i64,
    pub(super) date: i64,
    pub(super) from_id: i64,
    /// The other side of the dialogue.
    pub(super) peer_id: i64,
    pub(super) text: String,
    pub(super) attachments: Vec<Value>,
    pub(super) fwd_messages: Vec<Message>,
    pub(super) reply_message: Option<Box<Message>>,
    /// Where it was written.
    pub(super) geo: Value,
    pub(super) payload: Option<Value>,
    /// What a link to the dialogue said.
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    pub(super) ref_source: Option<String>,
    /// What happened in a chat of many.
    pub(super) action: Option<Value>,
}

/// What the client's program can.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Client {
    pub(super) lang_id: Option<i64>,
}

/// A pressed button.
#[derive(Debug, Deserialize)]
pub(super) struct Press {
    pub(super) user_id: i64,
    pub(super) peer_id: i64,
    pub(super) event_id: String,
    #[serde(default)]
    pub(super) payload: Value,
    pub(super) conversation_message_id: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reacted {
    pub(super) reacted_id: i64,
    pub(super) peer_id: i64,
    pub(super) cmid: i64,
    /// None when it was taken back.
    pub(super) reaction_id: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Read {
    pub(super) from_id: i64,
    pub(super) peer_id: i64,
    pub(super) conversation_message_id: i64,
}

/// What the client did about messages of the community.
#[derive(Debug, Deserialize)]
pub(super) struct Consent {
    pub(super) user_id: i64,
}

/// Somebody is typing.
#[derive(Debug, Deserialize)]
pub(super) struct Typing {
    pub(super) from_id: i64,
}
