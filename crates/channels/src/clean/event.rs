//! Brings what strangers wrote into its limits, whatever the channel.

use domain::message::{
    Address, Attachment, Content, Inbound, InboundKind, Letter, Mark, Sender, Text,
};
use domain::rating::COMMENT_LENGTH_MAX;
use domain::text;

use crate::{Malformed, sanitize};

const ATTACHMENTS_MAX: usize = 30;
const IDENTITIES_MAX: usize = 20;
const REFERENCES_MAX: usize = 100;
const ADDRESSES_MAX: usize = 100;
const SOURCE_BYTES_MAX: usize = 8 << 10;

/// An event as it may be kept and shown. The keys cannot be mended: without them it is
/// none.
pub(crate) fn event(mut inbound: Inbound, region: &str) -> Result<Inbound, Malformed> {
    for (name, key) in [
        ("event_key", &inbound.event_key),
        ("thread_key", &inbound.thread_key),
    ] {
        if !super::is_key(key) {
            return Err(Malformed(format!(
                "{name} has to be 1 to 256 bytes without control characters"
            )));
        }
    }
    inbound.message_id = inbound.message_id.filter(|id| super::is_key(id));
    inbound.album = inbound.album.filter(|name| super::is_key(name));
    make_sender_safe(&mut inbound.sender, region);
    make_thread_safe(&mut inbound.thread);
    inbound.letter = inbound.letter.take().map(make_letter_safe);
    inbound.attachments.truncate(ATTACHMENTS_MAX);
    for attachment in &mut inbound.attachments {
        make_attachment_safe(attachment);
    }
    inbound.kind = make_kind_safe(inbound.kind, region);
    Ok(inbound)
}

fn make_sender_safe(sender: &mut Sender, region: &str) {
    sender.display_name = text::display_name(&sender.display_name);
    sender.avatar_url = sender
        .avatar_url
        .take()
        .filter(|url| super::is_web_url(url));
    sender.locale = sender
        .locale
        .take()
        .filter(|locale| super::is_locale(locale));
    sender.attributes = super::attributes(std::mem::take(&mut sender.attributes));
    let (identities, unread) = super::identities(
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
    let key = |id: Option<String>| id.filter(|id| super::is_key(id));
    thread.external_chat_id = key(thread.external_chat_id.take());
    thread.reply_to_external_id = key(thread.reply_to_external_id.take());
    thread.subject = thread
        .subject
        .take()
        .map(|subject| text::line(&subject, 998));
    thread.references.retain(|id| super::is_key(id));
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
        message_id: super::key(&letter.message_id),
        subject: text::line(&letter.subject, 998),
        from: address(letter.from),
        to: addresses(letter.to),
        cc: addresses(letter.cc),
        reply_to: addresses(letter.reply_to),
        brief: letter.brief.as_deref().map(super::body),
        automatic: letter.automatic,
        warnings: letter.warnings,
    })
}

fn make_attachment_safe(attachment: &mut Attachment) {
    attachment.file_name = text::file_name(&attachment.file_name);
    attachment.media_type = super::media_type(&attachment.media_type);
    attachment.content_id = attachment.content_id.take().filter(|id| super::is_key(id));
    let fits = |source: &String| source.len() <= SOURCE_BYTES_MAX;
    attachment.source = attachment.source.take().filter(fits);
}

fn make_kind_safe(kind: InboundKind, region: &str) -> InboundKind {
    match kind {
        InboundKind::Message(content) => InboundKind::Message(make_content_safe(content, region)),
        InboundKind::Aside(content) => InboundKind::Aside(make_content_safe(content, region)),
        InboundKind::Echo { content, ours } => InboundKind::Echo {
            content: make_content_safe(content, region),
            ours: ours.filter(|id| super::is_key(id)),
        },
        InboundKind::Reached { until, delivery } => InboundKind::Reached {
            until: match until {
                Mark::Time(at) => Mark::Time(at),
                Mark::Message(id) => Mark::Message(super::key(&id)),
            },
            delivery,
        },
        InboundKind::Reaction { target, emoji } => InboundKind::Reaction {
            target: super::key(&target),
            emoji: text::line(&emoji, 64),
        },
        InboundKind::Edit { target, text } => InboundKind::Edit {
            target: super::key(&target),
            text: make_text_safe(&text),
        },
        InboundKind::Delete { target } => InboundKind::Delete {
            target: super::key(&target),
        },
        InboundKind::Receipt {
            target,
            delivery,
            error_text,
        } => InboundKind::Receipt {
            target: super::key(&target),
            delivery,
            error_text: text::line(&error_text, 500),
        },
        InboundKind::Bounce {
            target,
            recipient,
            permanent,
            reason,
        } => InboundKind::Bounce {
            target: super::key(&target),
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
            identities: super::identities(identities, IDENTITIES_MAX, region).0,
        },
        Content::Sticker { emoji, sticker_id } => Content::Sticker {
            emoji: text::line(&emoji, 64),
            sticker_id: super::key(&sticker_id),
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
        plain: super::body(&plain),
        html: html.and_then(sanitize::html),
    }
}
