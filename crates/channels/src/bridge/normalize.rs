use domain::identity::{Identity, Trust};
use domain::message::{Address, Attachment, Content, Inbound, InboundKind, Letter, Sender, Text};
use domain::rating::COMMENT_LENGTH_MAX;
use domain::text;
use serde_json::Value;

use super::DESCRIPTOR;
use crate::clean;
use crate::{Malformed, sanitize};

/// Where no line tells the region.
pub(super) const REGION: &str = "RU";

const ATTACHMENTS_MAX: usize = 30;
const IDENTITIES_MAX: usize = 20;
const REFERENCES_MAX: usize = 100;
const ADDRESSES_MAX: usize = 100;

pub(super) fn normalize(raw: &[u8], line: &str, region: &str) -> Result<Vec<Inbound>, Malformed> {
    if raw.len() > DESCRIPTOR.delivery_bytes_max {
        return Err(Malformed("the event is larger than 1 MiB".to_owned()));
    }
    let mut inbound = read(raw)?;
    for (name, key) in [
        ("event_key", &inbound.event_key),
        ("thread_key", &inbound.thread_key),
    ] {
        if !clean::is_key(key) {
            return Err(Malformed(format!(
                "{name} has to be 1 to 256 bytes without control characters"
            )));
        }
    }
    inbound.message_id = inbound.message_id.filter(|id| clean::is_key(id));
    make_sender_safe(&mut inbound.sender, region);
    if inbound.sender.identities.is_empty() {
        inbound.sender.identities.push(Identity {
            kind: "bridge".to_owned(),
            issuer: line.to_owned(),
            value: inbound.thread_key.clone(),
            trust: Trust::Proven,
        });
    }
    make_thread_safe(&mut inbound.thread);
    inbound.letter = inbound.letter.take().map(make_letter_safe);
    inbound.attachments.truncate(ATTACHMENTS_MAX);
    for attachment in &mut inbound.attachments {
        make_attachment_safe(attachment);
    }
    inbound.kind = make_kind_safe(inbound.kind, region);
    Ok(vec![inbound])
}

/// Reads an event; a kind that a newer program knows and we do not becomes
/// `Unsupported`.
fn read(raw: &[u8]) -> Result<Inbound, Malformed> {
    let first = match serde_json::from_slice(raw) {
        Ok(inbound) => return Ok(inbound),
        Err(error) => error,
    };
    let malformed = |_| Malformed(format!("not an event: {first}"));
    let mut value: Value = serde_json::from_slice(raw).map_err(malformed)?;
    let kind = value
        .get_mut("kind")
        .ok_or_else(|| Malformed("not an event: it has no kind".to_owned()))?;
    let name = unknown_name(kind);
    *kind = serde_json::json!({"message": {"unsupported": {"kind": name}}});
    serde_json::from_value(value).map_err(|error| Malformed(format!("not an event: {error}")))
}

fn unknown_name(kind: &Value) -> String {
    let name = |value: &Value| match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(fields) => fields.keys().next().cloned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    };
    let outer = name(kind).unwrap_or_else(|| "unknown".to_owned());
    match kind.get("message").and_then(name) {
        Some(inner) => inner,
        None => outer,
    }
}

fn make_sender_safe(sender: &mut Sender, region: &str) {
    sender.display_name = text::display_name(&sender.display_name);
    sender.avatar_url = sender
        .avatar_url
        .take()
        .filter(|url| clean::is_web_url(url));
    sender.locale = sender
        .locale
        .take()
        .filter(|locale| clean::is_locale(locale));
    sender.attributes = clean::attributes(std::mem::take(&mut sender.attributes));
    let (identities, unread) = clean::identities(
        std::mem::take(&mut sender.identities),
        IDENTITIES_MAX,
        region,
    );
    sender.identities = identities;
    for (kind, value) in unread {
        sender
            .attributes
            .insert(format!("unrecognised {kind}"), value);
    }
}

fn make_thread_safe(thread: &mut domain::message::Thread) {
    let key = |id: Option<String>| id.filter(|id| clean::is_key(id));
    thread.external_chat_id = key(thread.external_chat_id.take());
    thread.reply_to_external_id = key(thread.reply_to_external_id.take());
    thread.subject = thread
        .subject
        .take()
        .map(|subject| text::line(&subject, 998));
    // The token was never told to a program outside.
    thread.token = None;
    thread.references.retain(|id| clean::is_key(id));
    // The latest are the ones that name the thread.
    let surplus = thread.references.len().saturating_sub(REFERENCES_MAX);
    thread.references.drain(..surplus);
}

fn make_letter_safe(letter: Box<Letter>) -> Box<Letter> {
    let address = |address: Address| Address {
        name: text::display_name(&address.name),
        address: text::line(&address.address, 320),
    };
    let addresses = |list: Vec<Address>| {
        let list = list.into_iter().take(ADDRESSES_MAX);
        list.map(address).collect()
    };
    Box::new(Letter {
        message_id: clean::key(&letter.message_id),
        subject: text::line(&letter.subject, 998),
        from: address(letter.from),
        to: addresses(letter.to),
        cc: addresses(letter.cc),
        reply_to: addresses(letter.reply_to),
        brief: letter.brief.as_deref().map(clean::body),
        automatic: letter.automatic,
        warnings: letter.warnings,
    })
}

/// A program outside cannot say that a file is stored here: who may name a stored
/// file by its hash may read it.
fn make_attachment_safe(attachment: &mut Attachment) {
    attachment.sha256.clear();
    attachment.file_name = text::file_name(&attachment.file_name);
    attachment.media_type = clean::media_type(&attachment.media_type);
    attachment.content_id = attachment.content_id.take().filter(|id| clean::is_key(id));
    attachment.source = attachment
        .source
        .take()
        .filter(|url| clean::is_web_url(url));
}

fn make_kind_safe(kind: InboundKind, region: &str) -> InboundKind {
    match kind {
        InboundKind::Message(content) => InboundKind::Message(make_content_safe(content, region)),
        InboundKind::Reaction { target, emoji } => InboundKind::Reaction {
            target: clean::key(&target),
            emoji: text::line(&emoji, 64),
        },
        InboundKind::Edit { target, text } => InboundKind::Edit {
            target: clean::key(&target),
            text: make_text_safe(&text),
        },
        InboundKind::Delete { target } => InboundKind::Delete {
            target: clean::key(&target),
        },
        InboundKind::Receipt {
            target,
            delivery,
            error_text,
        } => InboundKind::Receipt {
            target: clean::key(&target),
            delivery,
            error_text: text::line(&error_text, 500),
        },
        InboundKind::Bounce {
            target,
            recipient,
            permanent,
            reason,
        } => InboundKind::Bounce {
            target: clean::key(&target),
            recipient: text::line(&recipient, 320),
            permanent,
            reason: text::line(&reason, 500),
        },
        InboundKind::Typing { active } => InboundKind::Typing { active },
        InboundKind::Membership(change) => InboundKind::Membership(change),
        InboundKind::Rating {
            score,
            comment,
            conversation,
        } => InboundKind::Rating {
            score,
            comment: text::body(&comment, COMMENT_LENGTH_MAX),
            conversation,
        },
        InboundKind::CallbackRequest { phone, comment } => InboundKind::CallbackRequest {
            phone: text::line(&phone, 64),
            comment: text::body(&comment, COMMENT_LENGTH_MAX),
        },
    }
}

fn make_content_safe(content: Content, region: &str) -> Content {
    match content {
        Content::Text(text) => Content::Text(make_text_safe(&text)),
        Content::Location {
            latitude,
            longitude,
            title,
        } if (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude) => {
            Content::Location {
                latitude,
                longitude,
                title: text::line(&title, 500),
            }
        }
        Content::Location { .. } => Content::Unsupported {
            kind: "location".to_owned(),
        },
        Content::ContactCard {
            display_name,
            identities,
        } => Content::ContactCard {
            display_name: text::display_name(&display_name),
            identities: clean::identities(identities, IDENTITIES_MAX, region).0,
        },
        Content::Sticker { emoji, sticker_id } => Content::Sticker {
            emoji: text::line(&emoji, 64),
            sticker_id: clean::key(&sticker_id),
        },
        Content::Postback { payload, title } => Content::Postback {
            payload: text::line(&payload, 4_096),
            title: text::line(&title, 500),
        },
        Content::Unsupported { kind } => Content::Unsupported {
            kind: text::line(&kind, 64),
        },
    }
}

fn make_text_safe(from: &Text) -> Text {
    let html = from.html.as_deref().filter(|html| !html.trim().is_empty());
    let plain = match html {
        Some(html) if from.plain.trim().is_empty() => sanitize::plain_from_html(html),
        _ => from.plain.clone(),
    };
    Text {
        plain: clean::body(&plain),
        html: html.and_then(sanitize::html),
    }
}
