//! Theirs to ours. Pure.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::identity::{Identity, Trust};
use domain::message::{Content, Delivery, Inbound, InboundKind, MembershipChange, Sender, Thread};

use super::content;
use super::event::{Event, User};
use super::render;
use crate::{Malformed, clean};

/// Numbers on cards have their country code, mostly.
pub(super) const REGION: &str = "RU";

pub(super) fn normalize(raw: &[u8], region: &str) -> Result<Vec<Inbound>, Malformed> {
    let event: Event = serde_json::from_slice(raw).map_err(|error| Malformed(error.to_string()))?;
    let Some(user) = event.who().filter(|_| event.chat_id.is_none()) else {
        return Ok(Vec::new());
    };
    let mut events = Vec::new();
    match event.kind.as_str() {
        "message" => {
            events.extend(answered(&event, &user));
            events.push(message(&event, &user, region));
        }
        _ => events.extend(other(&event).map(|kind| inbound(&event, &user, event.key(), kind))),
    }
    let clean = |event| clean::event(event, region);
    events.into_iter().map(clean).collect()
}

fn message(event: &Event, user: &User, region: &str) -> Inbound {
    let (content, attachments) = content::of(&event.message, region);
    let kind = InboundKind::Message(content);
    Inbound {
        message_id: Some(event.message_token.to_string()),
        attachments,
        ..inbound(event, user, event.key(), kind)
    }
}

/// Whoever answers a message of ours has got it: what went along with it comes back.
fn answered(event: &Event, user: &User) -> Option<Inbound> {
    let ours = render::marked(event.message["tracking_data"].as_str()?)?;
    let kind = receipt(ours.to_string(), Delivery::Delivered, "");
    let key = format!("answered by {}", event.message_token);
    Some(inbound(event, user, key, kind))
}

/// What happened where nobody wrote.
fn other(event: &Event) -> Option<InboundKind> {
    let token = || event.message_token.to_string();
    let kind = match event.kind.as_str() {
        "subscribed" => InboundKind::Membership(MembershipChange::Started),
        "unsubscribed" => InboundKind::Membership(MembershipChange::Stopped),
        "delivered" => receipt(token(), Delivery::Delivered, ""),
        "seen" => receipt(token(), Delivery::Read, ""),
        "failed" => {
            let words = event.desc.as_deref().unwrap_or("it did not arrive");
            receipt(token(), Delivery::Failed, words)
        }
        // To look at a chat is not to allow messages.
        "conversation_started" => {
            let context = event
                .context
                .clone()
                .filter(|context| !context.is_empty())?;
            InboundKind::Message(Content::Postback {
                payload: context,
                title: String::new(),
            })
        }
        // A kind of event of a later day: shown where it says that it is a client's.
        kind => {
            event.sender.as_ref().or(event.user.as_ref())?;
            let kind = kind.to_owned();
            InboundKind::Message(Content::Unsupported { kind })
        }
    };
    Some(kind)
}

fn receipt(target: String, delivery: Delivery, error_text: &str) -> InboundKind {
    InboundKind::Receipt {
        target,
        delivery,
        error_text: error_text.to_owned(),
    }
}

/// What all events have.
fn inbound(event: &Event, user: &User, event_key: String, kind: InboundKind) -> Inbound {
    let mut attributes = BTreeMap::new();
    if !user.country.is_empty() {
        attributes.insert("country".to_owned(), user.country.clone());
    }
    let is_message = matches!(kind, InboundKind::Message(_));
    Inbound {
        message_id: is_message.then(|| event.key()),
        event_key,
        thread_key: user.id.clone(),
        sent_at: Timestamp(event.timestamp),
        sender: Sender {
            identities: vec![identity("viber", user.id.clone(), Trust::Proven)],
            display_name: user.name.clone(),
            avatar_url: user.avatar.clone(),
            locale: user.language.clone(),
            attributes,
        },
        thread: Thread {
            external_chat_id: Some(user.id.clone()),
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
