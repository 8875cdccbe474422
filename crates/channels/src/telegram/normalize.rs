//! Theirs to ours. Pure.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::identity::{Identity, Trust};
use domain::message::{Content, Inbound, InboundKind, MembershipChange, Sender, Text, Thread};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::update::{Membership, Message, Press, Pressed, Reacted, Update, User};
use super::{content, entities, name};
use crate::{Malformed, clean};

/// Numbers on cards have their country code, mostly.
pub(super) const REGION: &str = "RU";

pub(super) fn normalize(raw: &[u8], region: &str) -> Result<Vec<Inbound>, Malformed> {
    let update: Update =
        serde_json::from_slice(raw).map_err(|error| Malformed(error.to_string()))?;
    let key = update.update_id.to_string();
    let mut events = Vec::new();
    for (kind, value) in update.kinds {
        let inbound = match kind.as_str() {
            "message" => message(&key, read(value)?, region),
            "edited_message" => edit(&key, &read(value)?),
            "callback_query" => press(&key, read(value)?),
            "my_chat_member" => membership(&key, &read(value)?),
            "message_reaction" => reaction(&key, read(value)?),
            _ => unknown(&key, &kind, &value),
        };
        if let Some(inbound) = inbound {
            events.push(clean::event(inbound, region)?);
        }
    }
    Ok(events)
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Malformed> {
    serde_json::from_value(value).map_err(|error| Malformed(error.to_string()))
}

/// What all events have.
fn event(key: &str, chat: i64, from: &User, at: i64, kind: InboundKind) -> Inbound {
    let mut attributes = BTreeMap::new();
    if !from.username.is_empty() {
        attributes.insert("username".to_owned(), format!("@{}", from.username));
    }
    Inbound {
        event_key: key.to_owned(),
        message_id: None,
        thread_key: chat.to_string(),
        sent_at: Timestamp(at.saturating_mul(1_000)),
        sender: Sender {
            identities: vec![identity("telegram", from.id.to_string(), Trust::Proven)],
            display_name: from.name(),
            avatar_url: None,
            locale: from.language_code.clone(),
            attributes,
        },
        thread: Thread {
            external_chat_id: Some(chat.to_string()),
            ..Thread::default()
        },
        attachments: Vec::new(),
        letter: None,
        album: None,
        kind,
    }
}

pub(super) fn identity(kind: &str, value: String, trust: Trust) -> Identity {
    Identity {
        kind: kind.to_owned(),
        issuer: String::new(),
        value,
        trust,
    }
}

/// A client's own message in a private chat. In groups the bot is a guest.
fn message(key: &str, message: Message, region: &str) -> Option<Inbound> {
    let from = message.from.as_ref().filter(|from| !from.is_bot)?;
    if message.chat.kind != "private" {
        return None;
    }
    let told = content::of(&message, from, region)?;
    let mut inbound = event(key, message.chat.id, from, message.date, told.kind);
    inbound.sender.identities.extend(told.phone);
    inbound.attachments = told.attachments;
    inbound.message_id = Some(name(message.chat.id, message.id));
    inbound.album = message.media_group_id;
    let answered = message.answered;
    inbound.thread.reply_to_external_id =
        answered.map(|answered| name(message.chat.id, answered.message_id));
    Some(inbound)
}

/// Other words; what else may change of a message is not shown.
fn edit(key: &str, message: &Message) -> Option<Inbound> {
    let from = message.from.as_ref().filter(|from| !from.is_bot)?;
    let (plain, marks) = match (&message.text, &message.caption) {
        (Some(text), _) => (text, &message.entities),
        (None, Some(caption)) => (caption, &message.caption_entities),
        (None, None) => return None,
    };
    if message.chat.kind != "private" {
        return None;
    }
    let kind = InboundKind::Edit {
        target: name(message.chat.id, message.id),
        text: entities::text(plain, marks),
    };
    Some(event(key, message.chat.id, from, message.date, kind))
}

fn press(key: &str, press: Press) -> Option<Inbound> {
    let pressed = press.message.filter(|of| of.chat.kind == "private")?;
    let data = press.data.unwrap_or_default();
    let content = Content::Postback {
        title: title_of(&pressed, &data),
        payload: data,
    };
    let chat = pressed.chat.id;
    let mut inbound = event(key, chat, &press.from, 0, InboundKind::Message(content));
    inbound.message_id = Some(press.id);
    inbound.thread.reply_to_external_id = Some(name(chat, pressed.message_id));
    Some(inbound)
}

/// What the client read on the button.
fn title_of(pressed: &Pressed, data: &str) -> String {
    let keyboard = pressed.reply_markup.as_ref();
    let mut buttons = keyboard
        .into_iter()
        .flat_map(|keyboard| keyboard.inline_keyboard.iter().flatten());
    buttons
        .find(|button| button.callback_data.as_deref() == Some(data))
        .map(|button| button.text.clone())
        .unwrap_or_default()
}

fn membership(key: &str, changed: &Membership) -> Option<Inbound> {
    if changed.chat.kind != "private" {
        return None;
    }
    let change = match changed.new_chat_member.status.as_str() {
        "kicked" => MembershipChange::Blocked,
        "left" => MembershipChange::Stopped,
        _ => MembershipChange::Started,
    };
    let kind = InboundKind::Membership(change);
    Some(event(
        key,
        changed.chat.id,
        &changed.from,
        changed.date,
        kind,
    ))
}

fn reaction(key: &str, reacted: Reacted) -> Option<Inbound> {
    let from = reacted.user.filter(|_| reacted.chat.kind == "private")?;
    let last = reacted.new_reaction.into_iter().next_back();
    let kind = InboundKind::Reaction {
        target: name(reacted.chat.id, reacted.message_id),
        // A picture of somebody's own has no emoji.
        emoji: last.map_or_else(String::new, |last| last.emoji.unwrap_or(last.kind)),
    };
    Some(event(key, reacted.chat.id, &from, reacted.date, kind))
}

/// A kind of update of a later day: shown where it says whose it is.
fn unknown(key: &str, kind: &str, value: &Value) -> Option<Inbound> {
    let message: Message = serde_json::from_value(value.clone()).ok()?;
    let from = message.from.as_ref().filter(|from| !from.is_bot)?;
    if message.chat.kind != "private" {
        return None;
    }
    let content = Content::Unsupported {
        kind: kind.to_owned(),
    };
    let told = InboundKind::Message(content);
    let mut inbound = event(key, message.chat.id, from, message.date, told);
    inbound.message_id = Some(format!("{kind} {}", name(message.chat.id, message.id)));
    Some(inbound)
}

/// A text without formatting.
pub(super) fn plain(words: impl Into<String>) -> Content {
    Content::Text(Text::plain(words))
}
