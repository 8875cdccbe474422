//! Theirs to ours. Pure.

use std::collections::BTreeMap;

use domain::identity::{Identity, Trust};
use domain::message::{
    Content, Delivery, Inbound, InboundKind, Mark, MembershipChange, Sender, Text, Thread,
};
use serde_json::Value;

use super::event::{
    Delivered, Edit, Event, Message, Notice, Postback, Reaction, Read, Referral, moment,
};
use super::{Platform, content, render};
use crate::{Malformed, clean, hook};

/// Nothing that comes has a number in it.
pub(in super::super) const REGION: &str = "RU";
/// What apps tell each other, and what concerns nobody's conversation.
const FOR_NOBODY: [&str; 6] = [
    "account_linking",
    "app_roles",
    "policy_enforcement",
    "prior_message",
    "request_thread_control",
    "take_thread_control",
];

pub(in super::super) fn normalize(
    raw: &[u8],
    platform: &Platform,
    region: &str,
) -> Result<Vec<Inbound>, Malformed> {
    let malformed = |error: serde_json::Error| Malformed(error.to_string());
    let read = serde_json::from_slice(raw).map(clean::without_nulls);
    let notice: Notice = read.and_then(serde_json::from_value).map_err(malformed)?;
    let mut events = Vec::new();
    for entry in notice.entry {
        let messaging = entry.messaging.into_iter().map(|event| (event, false));
        let standby = entry.standby.into_iter().map(|event| (event, true));
        for (event, is_aside) in messaging.chain(standby) {
            let by_bytes = hook::unreadable(event.to_string().as_bytes());
            let event: Event = serde_json::from_value(event).map_err(malformed)?;
            let Some(client) = event.client(&entry.id) else {
                continue;
            };
            let told = Told {
                platform,
                account: &entry.id,
                client,
                key: event.key().unwrap_or(by_bytes),
                is_aside,
                event: &event,
            };
            for inbound in told.all() {
                events.push(clean::event(inbound, region)?);
            }
        }
    }
    Ok(events)
}

/// An event, and whom it is about.
struct Told<'a> {
    platform: &'a Platform,
    account: &'a str,
    client: &'a str,
    key: String,
    /// Another app answers.
    is_aside: bool,
    event: &'a Event,
}

impl Told<'_> {
    fn all(&self) -> Vec<Inbound> {
        let event = self.event;
        if let Some(message) = &event.message {
            return self.message(message).into_iter().collect();
        }
        if let Some(delivered) = &event.delivery {
            return self.delivered(delivered);
        }
        self.other().into_iter().collect()
    }

    /// What happened where nobody wrote.
    fn other(&self) -> Option<Inbound> {
        let event = self.event;
        if let Some(read) = &event.read {
            return Some(self.inbound(read_until(read)));
        }
        if event.is_ours(self.account) {
            return None;
        }
        if let Some(edit) = &event.message_edit {
            return Some(self.inbound(edited(edit)));
        }
        if let Some(reaction) = &event.reaction {
            return Some(self.inbound(reacted(reaction)));
        }
        if let Some(postback) = &event.postback {
            return Some(self.pressed(postback));
        }
        if let Some(referral) = &event.referral {
            return self.referred(referral);
        }
        if let Some(optin) = &event.optin {
            let mut words = [&optin.payload, &optin.reference].into_iter();
            let payload = words.find(|words| !words.is_empty());
            return Some(match payload {
                Some(payload) => self.said(press(payload, "")),
                None => self.inbound(InboundKind::Membership(MembershipChange::Started)),
            });
        }
        if let Some(handover) = &event.pass_thread_control {
            let words = Some(handover.metadata.as_str()).filter(|words| !words.is_empty());
            return Some(self.said(press(words.unwrap_or("pass_thread_control"), "")));
        }
        let mut rest = event.rest.keys().map(String::as_str);
        let kind = rest.find(|name| !FOR_NOBODY.contains(name))?;
        Some(self.said(Content::Unsupported {
            kind: kind.to_owned(),
        }))
    }

    fn message(&self, message: &Message) -> Option<Inbound> {
        let is_ours = self.event.is_ours(self.account);
        if message.is_deleted {
            let target = message.mid.clone();
            let gone = self.inbound(InboundKind::Delete { target });
            // There is nothing that shows a message of ours as taken back.
            return (!is_ours).then_some(gone);
        }
        let (content, attachments) = content::of(message);
        let mut inbound = if is_ours {
            self.echo(message, content)?
        } else {
            self.said(content)
        };
        let is_sent_by_us = matches!(inbound.kind, InboundKind::Echo { ours: Some(_), .. });
        // Our own files are stored already.
        if !is_sent_by_us {
            inbound.attachments = attachments;
        }
        inbound.message_id = Some(message.mid.clone()).filter(|mid| !mid.is_empty());
        inbound.thread.reply_to_external_id = message
            .reply_to
            .as_ref()
            .and_then(|answered| answered.mid.clone());
        if let Some(referral) = &message.referral {
            inbound.sender.attributes.extend(facts(referral));
        }
        Some(inbound)
    }

    /// A message of the account: somebody wrote it in Meta's own app, or we sent it.
    fn echo(&self, message: &Message, content: Content) -> Option<Inbound> {
        let mark = render::Mark::read(&message.metadata);
        // Of a message in parts the last one says that it is there.
        if mark.as_ref().is_some_and(|mark| !mark.is_last) {
            return None;
        }
        let ours = mark.map(|mark| mark.message.to_string());
        Some(self.inbound(InboundKind::Echo { content, ours }))
    }

    fn pressed(&self, postback: &Postback) -> Inbound {
        let referral = postback.referral.as_ref();
        // The first button of every conversation says what the link said that led here.
        let reference = referral.map(|referral| referral.reference.as_str());
        let payload = reference.filter(|reference| !reference.is_empty());
        let mut inbound = self.said(press(payload.unwrap_or(&postback.payload), &postback.title));
        inbound
            .sender
            .attributes
            .extend(referral.into_iter().flat_map(facts));
        inbound
    }

    /// A client came back by a link or an advertisement.
    fn referred(&self, referral: &Referral) -> Option<Inbound> {
        let facts = facts(referral);
        let told = facts.get("ref").or_else(|| facts.get("advertisement"))?;
        let mut inbound = self.said(press(told, ""));
        inbound.sender.attributes = facts;
        Some(inbound)
    }

    fn delivered(&self, delivered: &Delivered) -> Vec<Inbound> {
        let reached = |until| {
            self.inbound(InboundKind::Reached {
                until,
                delivery: Delivery::Delivered,
            })
        };
        // The names are not always told; the time is Meta's.
        let named = delivered.mids.last().map(|mid| Inbound {
            event_key: hook::unreadable(format!("{} by name", self.key).as_bytes()),
            ..reached(Mark::Message(mid.clone()))
        });
        let at = reached(Mark::Time(moment(&delivered.watermark)));
        named.into_iter().chain([at]).collect()
    }

    /// What the client says, whoever answers it.
    fn said(&self, content: Content) -> Inbound {
        let kind = if self.is_aside {
            InboundKind::Aside(content)
        } else {
            InboundKind::Message(content)
        };
        let mut inbound = self.inbound(kind);
        inbound.message_id = Some(inbound.event_key.clone());
        inbound
    }

    /// What all events have.
    fn inbound(&self, kind: InboundKind) -> Inbound {
        Inbound {
            event_key: self.key.clone(),
            message_id: None,
            thread_key: self.client.to_owned(),
            sent_at: self.event.at(),
            sender: Sender {
                identities: vec![Identity {
                    kind: self.platform.descriptor.kind.to_owned(),
                    // Everybody has another id for each account.
                    issuer: self.account.to_owned(),
                    value: self.client.to_owned(),
                    trust: Trust::Proven,
                }],
                ..Sender::default()
            },
            thread: Thread {
                external_chat_id: Some(self.client.to_owned()),
                ..Thread::default()
            },
            attachments: Vec::new(),
            letter: None,
            album: None,
            kind,
        }
    }
}

fn press(payload: &str, title: &str) -> Content {
    Content::Postback {
        payload: payload.to_owned(),
        title: title.to_owned(),
    }
}

fn edited(edit: &Edit) -> InboundKind {
    InboundKind::Edit {
        target: edit.mid.clone(),
        text: Text::plain(&edit.text),
    }
}

fn read_until(read: &Read) -> InboundKind {
    InboundKind::Reached {
        until: match &read.mid {
            Some(mid) => Mark::Message(mid.clone()),
            None => Mark::Time(moment(&read.watermark)),
        },
        delivery: Delivery::Read,
    }
}

fn reacted(reaction: &Reaction) -> InboundKind {
    let emoji = match (reaction.action.as_str(), reaction.emoji.as_str()) {
        ("unreact", _) => "",
        (_, "") => match reaction.name.as_str() {
            "love" => "❤",
            "like" => "👍",
            "dislike" => "👎",
            "smile" => "😆",
            "wow" => "😮",
            "sad" => "😢",
            "angry" => "😠",
            other => other,
        },
        (_, emoji) => emoji,
    };
    InboundKind::Reaction {
        target: reaction.mid.clone(),
        emoji: emoji.to_owned(),
    }
}

/// What brought the client here.
fn facts(referral: &Referral) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    };
    let title = text(&referral.ads_context_data["ad_title"]);
    let advertised = if title.is_empty() {
        text(&referral.ad_id)
    } else {
        title
    };
    let facts = [
        ("ref", referral.reference.clone()),
        ("advertisement", advertised),
        ("product", text(&referral.product["id"])),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    facts
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
