//! Theirs to ours. Pure.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::identity::{Identity, Trust};
use domain::message::{Content, Inbound, InboundKind, Sender, Thread};

use super::content;
use super::event::{CALLBACK, CREATED, Event, SYSTEM};
use super::receive::key;
use crate::{Malformed, clean};

/// Numbers on cards have their country code, mostly.
pub(super) const REGION: &str = "RU";

pub(super) fn normalize(raw: &[u8], region: &str) -> Result<Vec<Inbound>, Malformed> {
    let event: Event = serde_json::from_slice(raw).map_err(|error| Malformed(error.to_string()))?;
    let kind = event.kind().map(str::to_owned);
    let kind = kind.ok_or_else(|| Malformed("nothing happened".to_owned()))?;
    let told = Told {
        key: key(raw),
        event,
    };
    let inbound = match kind.as_str() {
        CREATED => told.message(region),
        CALLBACK => told.press(),
        SYSTEM => told.system(),
        _ => told.unknown(&kind),
    };
    let clean = inbound.map(|inbound| clean::event(inbound, region));
    clean.into_iter().collect()
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
    event: Event,
}

impl Told {
    /// What all events have. None of somebody who is no person: what the group says is told
    /// to nobody.
    fn event(&self, content: Content) -> Option<Inbound> {
        let person = self.event.sender.person()?;
        let chat = self.event.recipient.chat();
        let name = self.event.sender.name.clone();
        Some(Inbound {
            event_key: self.key.clone(),
            message_id: None,
            // Where it is answered.
            thread_key: chat.clone().unwrap_or_else(|| format!("user:{person}")),
            sent_at: Timestamp(self.event.timestamp),
            sender: Sender {
                identities: vec![identity("ok", person, Trust::Proven)],
                display_name: name.unwrap_or_default(),
                avatar_url: None,
                locale: None,
                attributes: BTreeMap::new(),
            },
            thread: Thread {
                external_chat_id: chat,
                ..Thread::default()
            },
            attachments: Vec::new(),
            letter: None,
            album: None,
            kind: InboundKind::Message(content),
        })
    }

    fn message(&self, region: &str) -> Option<Inbound> {
        let message = self.event.message.as_ref()?;
        let said = content::of(message, region);
        let mut inbound = self.event(said.content)?;
        inbound.attachments = said.attachments;
        inbound.message_id.clone_from(&message.mid);
        inbound.thread.reply_to_external_id = message.answered();
        Some(inbound)
    }

    fn press(&self) -> Option<Inbound> {
        let payload = self.event.said().unwrap_or_default();
        let message = self.event.message.as_ref();
        let title = message.and_then(|message| content::button(message, &payload));
        let title = title.unwrap_or_default();
        let mut inbound = self.event(Content::Postback { payload, title })?;
        let pressed = message.and_then(|message| message.mid.clone());
        inbound.thread.reply_to_external_id = pressed;
        Some(inbound)
    }

    /// A chat's new name, and who came or went, is nothing to answer; what a link said that
    /// led there is.
    fn system(&self) -> Option<Inbound> {
        let payload = self.event.said()?;
        let title = self.event.message.as_ref();
        let title = title.and_then(|message| message.text.clone());
        let title = title.unwrap_or_default();
        self.event(Content::Postback { payload, title })
    }

    /// A kind of event of a later day: shown where it is a client's.
    fn unknown(&self, kind: &str) -> Option<Inbound> {
        let mut inbound = self.event(Content::Unsupported {
            kind: kind.to_owned(),
        })?;
        let mid = self.event.message.as_ref();
        let mid = mid.and_then(|message| message.mid.as_ref());
        inbound.message_id = mid.map(|mid| format!("{kind} {mid}"));
        Some(inbound)
    }
}
