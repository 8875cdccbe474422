//! Theirs to ours. Pure.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::identity::{Identity, Trust};
use domain::message::{Content, Inbound, InboundKind, MembershipChange, Sender, Thread};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::content;
use super::receive::key;
use super::update::{Callback, Message, Update, User};
use crate::{Malformed, clean};

/// Numbers on cards have their country code, mostly.
pub(super) const REGION: &str = "RU";
/// Stands before the time and the id of a press, which is answered by the id.
const PRESS: &str = "press ";

/// A bot's own token proves numbers.
pub(super) fn normalize(raw: &[u8], region: &str, token: &str) -> Result<Vec<Inbound>, Malformed> {
    let update: Update =
        serde_json::from_slice(raw).map_err(|error| Malformed(error.to_string()))?;
    let told = Told {
        key: key(raw),
        update,
    };
    let inbound = match told.update.update_type.as_str() {
        "message_created" => told.message(region, token)?,
        "message_edited" => told.edit()?,
        "message_removed" => told.removal(),
        "message_callback" => told.press()?,
        "bot_started" => told.start()?,
        "bot_stopped" => told.membership(MembershipChange::Blocked)?,
        "dialog_removed" => told.membership(MembershipChange::Stopped)?,
        // What concerns their view of the dialogue alone, or groups.
        "bot_added"
        | "bot_removed"
        | "chat_title_changed"
        | "dialog_cleared"
        | "dialog_muted"
        | "dialog_unmuted"
        | "message_chat_created"
        | "user_added"
        | "user_removed" => None,
        _ => told.unknown(),
    };
    let clean = inbound.map(|inbound| clean::event(inbound, region));
    clean.into_iter().collect()
}

/// The id by which a press is answered.
pub(super) fn press_id(name: &str) -> Option<&str> {
    let (_, id) = name.strip_prefix(PRESS)?.split_once(' ')?;
    Some(id)
}

fn read<T: DeserializeOwned>(value: Option<&Value>) -> Result<T, Malformed> {
    let value = value.cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|error| Malformed(error.to_string()))
}

pub(super) fn identity(kind: &str, value: String, trust: Trust) -> Identity {
    Identity {
        kind: kind.to_owned(),
        issuer: String::new(),
        value,
        trust,
    }
}

struct Told {
    key: String,
    update: Update,
}

impl Told {
    fn number(&self, name: &str) -> Option<i64> {
        self.update.rest.get(name)?.as_i64()
    }

    fn text(&self, name: &str) -> Option<&str> {
        let text = self.update.rest.get(name)?.as_str();
        text.filter(|text| !text.is_empty())
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, Malformed> {
        read(self.update.rest.get(name))
    }

    /// What all events have.
    fn event(&self, from: &User, chat: Option<i64>, at: i64, kind: InboundKind) -> Inbound {
        let mut attributes = BTreeMap::new();
        if let Some(username) = from.username.as_ref().filter(|name| !name.is_empty()) {
            attributes.insert("username".to_owned(), format!("@{username}"));
        }
        Inbound {
            event_key: self.key.clone(),
            message_id: None,
            thread_key: from.user_id.to_string(),
            sent_at: Timestamp(at),
            sender: Sender {
                identities: vec![identity("max", from.user_id.to_string(), Trust::Proven)],
                display_name: from.name(),
                avatar_url: from.full_avatar_url.clone(),
                locale: self.text("user_locale").map(str::to_owned),
                attributes,
            },
            thread: Thread {
                external_chat_id: chat.map(|chat| chat.to_string()),
                ..Thread::default()
            },
            attachments: Vec::new(),
            letter: None,
            album: None,
            kind,
        }
    }

    /// A client's own message. What the bot sent is told to nobody, or is not told again.
    fn message(&self, region: &str, token: &str) -> Result<Option<Inbound>, Malformed> {
        let message: Message = self.read("message")?;
        let from = message.sender.as_ref().filter(|from| from.is_client());
        let Some(from) = from.filter(|_| message.is_in_dialogue()) else {
            return Ok(None);
        };
        let said = content::of(&message, from, region, token);
        let kind = InboundKind::Message(said.content);
        let chat = message.recipient.chat_id;
        let mut inbound = self.event(from, chat, message.timestamp, kind);
        inbound.sender.identities.extend(said.phone);
        inbound.attachments = said.attachments;
        let link = message.link.filter(|link| link.kind == "reply");
        let answered = link.and_then(|link| link.message);
        inbound.thread.reply_to_external_id = answered.and_then(|answered| answered.mid);
        inbound.message_id = message.body.and_then(|body| body.mid);
        Ok(Some(inbound))
    }

    /// Other words; what else may change of a message is not shown.
    fn edit(&self) -> Result<Option<Inbound>, Malformed> {
        let message: Message = self.read("message")?;
        let from = message.sender.as_ref().filter(|from| from.is_client());
        let body = message.body.as_ref();
        let target = body.and_then(|body| body.mid.clone());
        let text = body.and_then(content::words);
        let (Some(from), Some(target), Some(text)) = (from, target, text) else {
            return Ok(None);
        };
        let kind = InboundKind::Edit { target, text };
        let chat = message.recipient.chat_id;
        let edited = self.event(from, chat, self.update.timestamp, kind);
        Ok(message.is_in_dialogue().then_some(edited))
    }

    fn removal(&self) -> Option<Inbound> {
        let target = self.text("message_id")?.to_owned();
        let chat = self.number("chat_id");
        let from = User {
            user_id: self.number("user_id").filter(|id| *id > 0)?,
            ..User::default()
        };
        let kind = InboundKind::Delete { target };
        let is_group = chat.is_some_and(|chat| chat < 0);
        (!is_group).then(|| self.event(&from, chat, self.update.timestamp, kind))
    }

    fn press(&self) -> Result<Option<Inbound>, Malformed> {
        let press: Callback = self.read("callback")?;
        // A message that is gone has no buttons to be read.
        let pressed: Option<Message> = self.read("message")?;
        let is_ours = pressed.as_ref().is_none_or(Message::is_in_dialogue);
        if !is_ours || !press.user.is_client() {
            return Ok(None);
        }
        let payload = press.payload.unwrap_or_default();
        let body = pressed.as_ref().and_then(|pressed| pressed.body.as_ref());
        let title = body.and_then(|body| content::button(body, &payload));
        let kind = InboundKind::Message(Content::Postback {
            title: title.unwrap_or_default(),
            payload,
        });
        let chat = pressed
            .as_ref()
            .and_then(|pressed| pressed.recipient.chat_id);
        let mut inbound = self.event(&press.user, chat, press.timestamp, kind);
        let (at, id) = (press.timestamp, press.callback_id);
        inbound.message_id = Some(format!("{PRESS}{at} {id}"));
        inbound.thread.reply_to_external_id = body.and_then(|body| body.mid.clone());
        Ok(Some(inbound))
    }

    /// The first of every dialogue says nothing, but for what the link said that led there.
    fn start(&self) -> Result<Option<Inbound>, Malformed> {
        let Some(payload) = self.text("payload") else {
            return self.membership(MembershipChange::Started);
        };
        let from: User = self.read("user")?;
        let kind = InboundKind::Message(Content::Postback {
            payload: payload.to_owned(),
            title: "/start".to_owned(),
        });
        let chat = self.number("chat_id");
        Ok(Some(self.event(&from, chat, self.update.timestamp, kind)))
    }

    fn membership(&self, change: MembershipChange) -> Result<Option<Inbound>, Malformed> {
        let from: User = self.read("user")?;
        let kind = InboundKind::Membership(change);
        let chat = self.number("chat_id");
        Ok(Some(self.event(&from, chat, self.update.timestamp, kind)))
    }

    /// A kind of update of a later day: shown where it is a client's message to us.
    fn unknown(&self) -> Option<Inbound> {
        let message: Message = self.read("message").ok()?;
        let from = message.sender.as_ref().filter(|from| from.is_client())?;
        let kind = &self.update.update_type;
        let content = Content::Unsupported { kind: kind.clone() };
        let told = InboundKind::Message(content);
        let chat = message.recipient.chat_id;
        let mut inbound = self.event(from, chat, message.timestamp, told);
        let mid = message.body.as_ref().and_then(|body| body.mid.as_ref());
        inbound.message_id = mid.map(|mid| format!("{kind} {mid}"));
        message.is_in_dialogue().then_some(inbound)
    }
}
