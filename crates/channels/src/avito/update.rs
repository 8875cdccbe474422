//! Avito's own JSON: only what is used. Whatever else an update has stays in the journal.

use serde::Deserialize;
use serde_json::Value;

/// What the webhook is told.
#[derive(Debug, Deserialize)]
pub(super) struct Update {
    pub(super) id: Option<String>,
    pub(super) payload: Payload,
}

#[derive(Debug, Deserialize)]
pub(super) struct Payload {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) value: Value,
}

/// A message in a chat.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) chat_id: String,
    /// The account.
    pub(super) user_id: i64,
    /// None of a person where Avito itself writes.
    #[serde(default)]
    pub(super) author_id: i64,
    #[serde(default)]
    pub(super) created: i64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) chat_type: Option<String>,
    #[serde(default)]
    pub(super) content: Value,
    pub(super) quote: Option<Quote>,
}

/// A message that is answered.
#[derive(Debug, Deserialize)]
pub(super) struct Quote {
    pub(super) id: Option<String>,
}
