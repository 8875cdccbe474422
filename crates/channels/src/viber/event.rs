//! Viber's own JSON: only what is used. Whatever else an event has stays in the journal.

use serde::Deserialize;
use serde_json::Value;

/// What Viber tells of at once.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(rename = "event")]
    pub(super) kind: String,
    /// In milliseconds.
    #[serde(default)]
    pub(super) timestamp: i64,
    /// Beyond 2⁵³. Of a receipt: that of the message.
    pub(super) message_token: u64,
    /// Who wrote.
    pub(super) sender: Option<User>,
    /// Who did something else.
    pub(super) user: Option<User>,
    /// The same, where nothing else is told.
    pub(super) user_id: Option<String>,
    /// The group, where the bot is a guest.
    pub(super) chat_id: Option<String>,
    #[serde(default)]
    pub(super) message: Value,
    /// What the link said by which a client came.
    pub(super) context: Option<String>,
    #[serde(default)]
    pub(super) subscribed: Value,
    /// Why a message did not arrive.
    pub(super) desc: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    #[serde(default)]
    pub(super) name: String,
    pub(super) avatar: Option<String>,
    #[serde(default)]
    pub(super) country: String,
    pub(super) language: Option<String>,
}

impl Event {
    /// The dedupe key. Each of a client's devices tells of a receipt.
    pub(super) fn key(&self) -> String {
        let key = format!("{} {}", self.kind, self.message_token);
        match &self.user_id {
            Some(id) => format!("{key} {id}"),
            None => key,
        }
    }

    /// Whom it is about.
    pub(super) fn who(&self) -> Option<User> {
        let user = self.sender.clone().or_else(|| self.user.clone());
        let id = self.user_id.clone();
        let bare = id.map(|id| User {
            id,
            ..User::default()
        });
        user.or(bare).filter(|user| !user.id.is_empty())
    }

    /// Whether somebody opened the chat who cannot be written to yet.
    pub(super) fn is_newcomer(&self) -> bool {
        self.kind == "conversation_started" && self.subscribed != true
    }
}
