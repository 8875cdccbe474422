//! The Bot API's own JSON: only what is used. Whatever else an update has stays in the
//! journal.

use serde::Deserialize;
use serde_json::{Map, Value};

/// One update.
#[derive(Debug, Deserialize)]
pub(super) struct Update {
    pub(super) update_id: i64,
    /// By the kind of the update: there is one.
    #[serde(flatten)]
    pub(super) kinds: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(rename = "message_id")]
    pub(super) id: i64,
    #[serde(default)]
    pub(super) date: i64,
    pub(super) chat: Chat,
    pub(super) from: Option<User>,
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) entities: Vec<Entity>,
    pub(super) caption: Option<String>,
    #[serde(default)]
    pub(super) caption_entities: Vec<Entity>,
    pub(super) media_group_id: Option<String>,
    #[serde(rename = "reply_to_message")]
    pub(super) answered: Option<Answered>,
    pub(super) forward_origin: Option<Origin>,
    #[serde(default)]
    pub(super) photo: Vec<Media>,
    pub(super) document: Option<Media>,
    pub(super) audio: Option<Media>,
    pub(super) voice: Option<Media>,
    pub(super) video: Option<Media>,
    pub(super) video_note: Option<Media>,
    pub(super) animation: Option<Media>,
    pub(super) sticker: Option<Sticker>,
    pub(super) location: Option<Location>,
    pub(super) venue: Option<Venue>,
    pub(super) contact: Option<Contact>,
    /// By which what is not known here is named.
    #[serde(flatten)]
    pub(super) rest: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Chat {
    pub(super) id: i64,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) is_bot: bool,
    #[serde(default)]
    pub(super) first_name: String,
    #[serde(default)]
    pub(super) last_name: String,
    #[serde(default)]
    pub(super) username: String,
    pub(super) language_code: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Answered {
    pub(super) message_id: i64,
}

/// Where a forwarded message is from.
#[derive(Debug, Deserialize)]
pub(super) struct Origin {
    pub(super) sender_user: Option<User>,
    pub(super) sender_user_name: Option<String>,
    pub(super) sender_chat: Option<Titled>,
    pub(super) chat: Option<Titled>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Titled {
    #[serde(default)]
    pub(super) title: String,
}

/// A part of a text that looks otherwise; in UTF-16 units.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Entity {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) offset: usize,
    pub(super) length: usize,
    pub(super) url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Media {
    pub(super) file_id: String,
    pub(super) file_name: Option<String>,
    pub(super) mime_type: Option<String>,
    #[serde(default)]
    pub(super) file_size: u64,
    #[serde(default)]
    pub(super) width: u64,
    #[serde(default)]
    pub(super) height: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Sticker {
    #[serde(default)]
    pub(super) file_unique_id: String,
    #[serde(default)]
    pub(super) emoji: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Location {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Venue {
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) address: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Contact {
    #[serde(default)]
    pub(super) phone_number: String,
    #[serde(default)]
    pub(super) first_name: String,
    #[serde(default)]
    pub(super) last_name: String,
    pub(super) user_id: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Keyboard {
    #[serde(default)]
    pub(super) inline_keyboard: Vec<Vec<Button>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Button {
    #[serde(default)]
    pub(super) text: String,
    pub(super) callback_data: Option<String>,
}

/// A pressed button.
#[derive(Debug, Deserialize)]
pub(super) struct Press {
    pub(super) id: String,
    pub(super) from: User,
    pub(super) data: Option<String>,
    pub(super) message: Option<Pressed>,
}

/// What had the button: old messages are told by their names only.
#[derive(Debug, Deserialize)]
pub(super) struct Pressed {
    pub(super) message_id: i64,
    pub(super) chat: Chat,
    pub(super) reply_markup: Option<Keyboard>,
}

/// What the client did about the bot.
#[derive(Debug, Deserialize)]
pub(super) struct Membership {
    pub(super) chat: Chat,
    pub(super) from: User,
    #[serde(default)]
    pub(super) date: i64,
    pub(super) new_chat_member: Member,
}

#[derive(Debug, Deserialize)]
pub(super) struct Member {
    #[serde(default)]
    pub(super) status: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reacted {
    pub(super) chat: Chat,
    pub(super) message_id: i64,
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) date: i64,
    #[serde(default)]
    pub(super) new_reaction: Vec<Reaction>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reaction {
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    pub(super) emoji: Option<String>,
}

impl User {
    pub(super) fn name(&self) -> String {
        full_name(&self.first_name, &self.last_name)
    }
}

pub(super) fn full_name(first: &str, last: &str) -> String {
    format!("{first} {last}").trim().to_owned()
}
