//! Theirs to ours. Pure.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::identity::{Identity, Trust};
use domain::message::{
    Content, Delivery, Inbound, InboundKind, Mark, MembershipChange, Sender, Text, Thread,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::content;
use super::event::{Client, Consent, Event, Message, Press, Reacted, Read};
use super::naming::{Tag, name};
use super::render::emoji;
use crate::{Malformed, clean, hook};

/// Dialogues of many begin above.
const CHATS: i64 = 2_000_000_000;
const CHATS_END: i64 = CHATS + 100_000_000;
/// Stands before the id of a press, which is answered by it.
pub(super) const PRESS: &str = "press ";

pub(super) fn normalize(raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
    let event: Event = serde_json::from_slice(raw).map_err(|error| Malformed(error.to_string()))?;
    let key = event.event_id.unwrap_or_else(|| hook::unreadable(raw));
    let object = event.object;
    let inbound = match event.kind.as_str() {
        "message_new" => message(&key, object)?,
        "message_reply" => echo(&key, event.group_id, object)?,
        "message_edit" => edit(&key, object)?,
        "message_event" => press(&key, &read(object)?),
        "message_reaction_event" => reaction(&key, &read(object)?),
        "message_read" => reached(&key, &read(object)?),
        "message_allow" => consent(&key, &read(object)?, MembershipChange::Started),
        "message_deny" => consent(&key, &read(object)?, MembershipChange::Blocked),
        // Tells nothing that lasts.
        "message_typing_state" => None,
        kind => unknown(&key, kind, object),
    };
    // Whatever is no phone needs no region.
    let clean = inbound.map(|inbound| clean::event(inbound, ""));
    clean.into_iter().collect()
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Malformed> {
    serde_json::from_value(value).map_err(|error| Malformed(error.to_string()))
}

/// A message, as it is told now and as it was before 5.103.
fn told(mut object: Value) -> Result<(Message, Client), Malformed> {
    if !object["message"].is_object() {
        return Ok((read(object)?, Client::default()));
    }
    let client = read(object["client_info"].take());
    Ok((read(object["message"].take())?, client.unwrap_or_default()))
}

/// What all events have.
fn event(key: &str, client: i64, at: i64, kind: InboundKind) -> Inbound {
    Inbound {
        event_key: key.to_owned(),
        message_id: None,
        thread_key: client.to_string(),
        sent_at: Timestamp(at.saturating_mul(1_000)),
        sender: Sender {
            identities: vec![Identity {
                kind: "vk".to_owned(),
                issuer: String::new(),
                value: client.to_string(),
                trust: Trust::Proven,
            }],
            display_name: String::new(),
            avatar_url: None,
            locale: None,
            attributes: BTreeMap::new(),
        },
        thread: Thread {
            external_chat_id: Some(client.to_string()),
            ..Thread::default()
        },
        attachments: Vec::new(),
        letter: None,
        album: None,
        kind,
    }
}

impl Message {
    /// Whether a person wrote it in their own dialogue with the community.
    fn is_of_client(&self) -> bool {
        self.from_id > 0 && self.from_id == self.peer_id && self.action.is_none()
    }
}

/// A client's own message.
fn message(key: &str, object: Value) -> Result<Option<Inbound>, Malformed> {
    let (message, client) = told(object)?;
    if !message.is_of_client() {
        return Ok(None);
    }
    let (said, attachments) = content::of(&message);
    let kind = match &message.payload {
        Some(payload) => button(payload, &message),
        None => InboundKind::Message(said),
    };
    let mut inbound = event(key, message.peer_id, message.date, kind);
    inbound.attachments = attachments;
    inbound.sender.locale = client.lang_id.and_then(locale).map(str::to_owned);
    let attributes = [
        ("ref", message.reference),
        ("ref_source", message.ref_source),
    ];
    let told = attributes.into_iter();
    let told = told.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    inbound.sender.attributes.extend(told);
    name_it(&mut inbound, message.conversation_message_id);
    answers(&mut inbound, message.reply_message.as_deref());
    Ok(Some(inbound))
}

/// A button that writes what is on it. The first of every dialogue says nothing, but for
/// what the link said that led there.
fn button(payload: &Value, message: &Message) -> InboundKind {
    let payload = words(payload);
    let start: Option<Value> = serde_json::from_str(&payload).ok();
    let is_start = start.is_some_and(|start| start["command"] == "start");
    let payload = match &message.reference {
        None if is_start => return InboundKind::Membership(MembershipChange::Started),
        Some(reference) if is_start => reference.clone(),
        Some(_) | None => payload,
    };
    InboundKind::Message(Content::Postback {
        payload,
        title: message.text.clone(),
    })
}

/// A payload is told as JSON, or as a text with JSON in it.
fn words(payload: &Value) -> String {
    let text = payload.as_str().map(str::to_owned);
    text.unwrap_or_else(|| payload.to_string())
}

fn name_it(inbound: &mut Inbound, number: i64) {
    let peer = &inbound.thread_key;
    inbound.message_id = (number > 0).then(|| format!("{peer}/{number}"));
}

fn answers(inbound: &mut Inbound, answered: Option<&Message>) {
    let number = answered.map(|answered| answered.conversation_message_id);
    let number = number.filter(|number| *number > 0);
    let peer = &inbound.thread_key;
    inbound.thread.reply_to_external_id = number.map(|number| format!("{peer}/{number}"));
}

/// VK's own numbers of languages.
fn locale(id: i64) -> Option<&'static str> {
    match id {
        0 => Some("ru"),
        1 => Some("uk"),
        2 => Some("be"),
        3 => Some("en"),
        _ => None,
    }
}

/// A message of the community: somebody wrote it in VK, or we sent it.
fn echo(key: &str, group: i64, object: Value) -> Result<Option<Inbound>, Malformed> {
    let (message, _) = told(object)?;
    let is_chat = (CHATS..CHATS_END).contains(&message.peer_id);
    let is_of_group = message.from_id.checked_neg() == Some(group) && message.peer_id > 0;
    if !is_of_group || is_chat || message.action.is_some() {
        return Ok(None);
    }
    let payload = message.payload.as_ref().map(words);
    let tag = payload.and_then(|payload| Tag::read(&payload));
    // Of a message in parts the last one says that it is there.
    if tag.as_ref().is_some_and(|tag| !tag.is_last()) {
        return Ok(None);
    }
    let (content, attachments) = content::of(&message);
    let is_ours = tag.is_some();
    let kind = InboundKind::Echo {
        content,
        ours: tag.map(|tag| tag.message),
    };
    let mut inbound = event(key, message.peer_id, message.date, kind);
    // Our own files are stored already.
    inbound.attachments = if is_ours { Vec::new() } else { attachments };
    name_it(&mut inbound, message.conversation_message_id);
    answers(&mut inbound, message.reply_message.as_deref());
    Ok(Some(inbound))
}

/// Other words; what else may change of a message is not shown.
fn edit(key: &str, object: Value) -> Result<Option<Inbound>, Malformed> {
    let (message, _) = told(object)?;
    if !message.is_of_client() {
        return Ok(None);
    }
    let (Content::Text(text), _) = content::of(&message) else {
        return Ok(None);
    };
    let kind = InboundKind::Edit {
        target: name(message.peer_id, message.conversation_message_id),
        text: Text::plain(text.plain),
    };
    Ok(Some(event(key, message.peer_id, message.date, kind)))
}

fn press(key: &str, press: &Press) -> Option<Inbound> {
    let content = Content::Postback {
        payload: words(&press.payload),
        title: String::new(),
    };
    let kind = InboundKind::Message(content);
    let mut inbound = event(key, press.peer_id, 0, kind);
    inbound.message_id = Some(format!("{PRESS}{}", press.event_id));
    let number = press.conversation_message_id;
    inbound.thread.reply_to_external_id = number.map(|number| name(press.peer_id, number));
    (press.user_id == press.peer_id).then_some(inbound)
}

fn reaction(key: &str, reacted: &Reacted) -> Option<Inbound> {
    let kind = InboundKind::Reaction {
        target: name(reacted.peer_id, reacted.cmid),
        emoji: reacted.reaction_id.map_or_else(String::new, emoji),
    };
    let is_of_client = reacted.reacted_id == reacted.peer_id && reacted.peer_id > 0;
    is_of_client.then(|| event(key, reacted.peer_id, 0, kind))
}

fn reached(key: &str, read: &Read) -> Option<Inbound> {
    let kind = InboundKind::Reached {
        until: Mark::Message(name(read.peer_id, read.conversation_message_id)),
        delivery: Delivery::Read,
    };
    let is_of_client = read.from_id == read.peer_id && read.peer_id > 0;
    is_of_client.then(|| event(key, read.peer_id, 0, kind))
}

fn consent(key: &str, consent: &Consent, change: MembershipChange) -> Option<Inbound> {
    let kind = InboundKind::Membership(change);
    (consent.user_id > 0).then(|| event(key, consent.user_id, 0, kind))
}

/// A kind of event of a later day: shown where it is a client's message to us. What the
/// community's wall and groups tell is nobody's message.
fn unknown(key: &str, kind: &str, object: Value) -> Option<Inbound> {
    let (message, _) = told(object).ok()?;
    let content = Content::Unsupported {
        kind: kind.to_owned(),
    };
    let told = InboundKind::Message(content);
    let mut inbound = event(key, message.peer_id, message.date, told);
    let number = message.conversation_message_id;
    inbound.message_id = Some(format!("{kind} {}", name(message.peer_id, number)));
    message.is_of_client().then_some(inbound)
}
