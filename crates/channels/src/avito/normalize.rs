//! Theirs to ours. Pure.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::identity::{Identity, Trust};
use domain::message::{Content, Inbound, InboundKind, Sender, Thread};

use super::content;
use super::receive::key;
use super::update::{Message, Update};
use crate::{Malformed, clean};

const MESSAGE: &str = "message";
/// Chats of Avito itself with its users.
const OF_AVITO: &str = "a2u";

pub(super) fn normalize(raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
    let update: Update =
        serde_json::from_slice(raw).map_err(|error| Malformed(error.to_string()))?;
    let payload = update.payload;
    let message = match serde_json::from_value(payload.value) {
        Ok(message) => Some(message),
        Err(error) if payload.kind == MESSAGE => return Err(Malformed(error.to_string())),
        Err(_) => None,
    };
    let message = message.filter(|it: &Message| it.chat_type.as_deref() != Some(OF_AVITO));
    let inbound = message.and_then(|message| match payload.kind.as_str() {
        MESSAGE => Some(told(key(raw), message)),
        kind => unknown(key(raw), kind, &message),
    });
    // Whatever is no phone needs no region.
    let clean = inbound.map(|inbound| clean::event(inbound, ""));
    clean.into_iter().collect()
}

fn told(key: String, message: Message) -> Inbound {
    if message.kind == "deleted" {
        let target = message.id.clone();
        return event(key, &message, InboundKind::Delete { target });
    }
    let (content, attachments) = content::of(&message);
    let kind = if message.is_of_client() {
        InboundKind::Message(content)
    } else {
        InboundKind::Echo {
            content,
            ours: None,
        }
    };
    let mut inbound = event(key, &message, kind);
    inbound.attachments = attachments;
    inbound.thread.reply_to_external_id = message.quote.and_then(|quote| quote.id);
    inbound.message_id = Some(message.id);
    inbound
}

/// A kind of update of a later day: shown where it is a client's.
fn unknown(key: String, kind: &str, message: &Message) -> Option<Inbound> {
    let content = Content::Unsupported {
        kind: kind.to_owned(),
    };
    let mut inbound = event(key, message, InboundKind::Message(content));
    inbound.message_id = Some(format!("{kind} {}", message.id));
    message.is_of_client().then_some(inbound)
}

impl Message {
    /// Whether a client wrote it; else it was somebody of the account's, or Avito itself
    /// in their name.
    fn is_of_client(&self) -> bool {
        self.author_id > 0 && self.author_id != self.user_id && self.kind != "system"
    }
}

/// What all events have.
fn event(key: String, message: &Message, kind: InboundKind) -> Inbound {
    Inbound {
        event_key: key,
        message_id: None,
        thread_key: message.chat_id.clone(),
        sent_at: Timestamp(message.created.saturating_mul(1_000)),
        sender: Sender {
            identities: vec![Identity {
                kind: "avito".to_owned(),
                issuer: String::new(),
                value: message.author_id.to_string(),
                trust: Trust::Proven,
            }],
            display_name: String::new(),
            avatar_url: None,
            locale: None,
            attributes: BTreeMap::new(),
        },
        thread: Thread {
            external_chat_id: Some(message.chat_id.clone()),
            ..Thread::default()
        },
        attachments: Vec::new(),
        letter: None,
        album: None,
        kind,
    }
}
