//! What a message of the Bot API says.

use domain::identity::{Identity, Trust, normalize};
use domain::message::{Attachment, Content, InboundKind, MembershipChange, Text};

use super::entities;
use super::normalize::{identity, plain};
use super::update::{Contact, Media, Message, Origin, User, full_name};

/// Everything that a message says.
pub(super) struct Told {
    pub(super) kind: InboundKind,
    pub(super) attachments: Vec<Attachment>,
    /// The sender's own number, when Telegram says so.
    pub(super) phone: Option<Identity>,
}

/// What concerns the chat and not the two who talk.
const SERVICE: &[&str] = &[
    "chat_background_set",
    "connected_website",
    "delete_chat_photo",
    "message_auto_delete_timer_changed",
    "new_chat_photo",
    "new_chat_title",
    "pinned_message",
    "proximity_alert_triggered",
    "write_access_allowed",
];

/// Fields that say nothing about the kind of a message.
const COMMON: &[&str] = &[
    "author_signature",
    "business_connection_id",
    "chat_shared",
    "effect_id",
    "has_media_spoiler",
    "has_protected_content",
    "is_automatic_forward",
    "is_from_offline",
    "is_topic_message",
    "link_preview_options",
    "message_thread_id",
    "reply_markup",
    "sender_boost_count",
    "sender_business_bot",
    "sender_chat",
    "show_caption_above_media",
    "via_bot",
];

/// What a message says; none for what is no message.
pub(super) fn of(message: &Message, from: &User, region: &str) -> Option<Told> {
    let attachments = files(message);
    let told = |content| Told {
        kind: InboundKind::Message(content),
        attachments: attachments.clone(),
        phone: None,
    };
    if let Some(text) = &message.text {
        if let Some(started) = start(text) {
            return Some(Told {
                kind: started,
                attachments,
                phone: None,
            });
        }
        let text = entities::text(text, &message.entities);
        return Some(told(Content::Text(forwarded(text, message))));
    }
    if let Some(place) = place(message) {
        return Some(told(place));
    }
    if let Some(contact) = &message.contact {
        return Some(card(contact, from, region));
    }
    if let Some(sticker) = &message.sticker {
        return Some(told(Content::Sticker {
            emoji: sticker.emoji.clone(),
            sticker_id: sticker.file_unique_id.clone(),
        }));
    }
    if !attachments.is_empty() {
        let caption = message.caption.as_deref().unwrap_or_default();
        let text = entities::text(caption, &message.caption_entities);
        return Some(told(Content::Text(forwarded(text, message))));
    }
    unknown(message).map(|kind| told(Content::Unsupported { kind }))
}

/// The command with which every chat begins, and what a link says by it.
fn start(text: &str) -> Option<InboundKind> {
    let rest = text.strip_prefix("/start")?;
    let payload = rest.trim();
    if payload.is_empty() {
        return Some(InboundKind::Membership(MembershipChange::Started));
    }
    rest.starts_with(' ').then(|| {
        InboundKind::Message(Content::Postback {
            payload: payload.to_owned(),
            title: "/start".to_owned(),
        })
    })
}

/// Says whose words these are, when they are somebody else's.
fn forwarded(text: Text, message: &Message) -> Text {
    let Some(origin) = &message.forward_origin else {
        return text;
    };
    let whose = whose(origin);
    let html = text.html.as_deref();
    let quoted = html.map(|html| {
        let whose = crate::sanitize::html_from_plain(&whose);
        format!("<p>↪ {whose}</p>{html}")
    });
    Text {
        plain: format!("↪ {whose}\n{}", text.plain).trim_end().to_owned(),
        html: quoted,
    }
}

fn whose(origin: &Origin) -> String {
    let user = origin.sender_user.as_ref().map(User::name);
    let chat = origin.chat.as_ref().or(origin.sender_chat.as_ref());
    user.or_else(|| origin.sender_user_name.clone())
        .or_else(|| chat.map(|chat| chat.title.clone()))
        .unwrap_or_default()
}

fn place(message: &Message) -> Option<Content> {
    let at = message.location.as_ref()?;
    let title = message.venue.as_ref().map(|venue| {
        let parts = [venue.title.as_str(), venue.address.as_str()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    });
    Some(Content::Location {
        latitude: at.latitude,
        longitude: at.longitude,
        title: title.unwrap_or_default(),
    })
}

/// A card. The number on it is the sender's own only if Telegram says that it is theirs.
fn card(contact: &Contact, from: &User, region: &str) -> Told {
    let is_own = contact.user_id == Some(from.id);
    let trust = if is_own {
        Trust::Proven
    } else {
        Trust::Claimed
    };
    let number = contact.phone_number.trim();
    // Telegram leaves out the plus of international numbers.
    let number = if number.starts_with('+') {
        number.to_owned()
    } else {
        format!("+{number}")
    };
    let phone = identity("phone", number, trust);
    let phone = normalize(&phone, region).ok();
    let name = full_name(&contact.first_name, &contact.last_name);
    let content = match &phone {
        Some(phone) => Content::ContactCard {
            display_name: name,
            identities: vec![phone.clone()],
        },
        None => plain(format!("{name} {}", contact.phone_number).trim()),
    };
    Told {
        kind: InboundKind::Message(content),
        attachments: Vec::new(),
        phone: phone.filter(|_| is_own),
    }
}

fn files(message: &Message) -> Vec<Attachment> {
    // The same picture in several sizes.
    let photo = message.photo.iter();
    let photo = photo.max_by_key(|photo| photo.width * photo.height);
    // An animation comes as a document, too.
    let document = message.document.as_ref();
    let document = document.filter(|_| message.animation.is_none());
    let kinds: [(Option<&Media>, &str, &str); 7] = [
        (photo, "photo.jpg", "image/jpeg"),
        (message.animation.as_ref(), "animation.mp4", "video/mp4"),
        (document, "document", "application/octet-stream"),
        (message.audio.as_ref(), "audio.mp3", "audio/mpeg"),
        (message.voice.as_ref(), "voice.ogg", "audio/ogg"),
        (message.video.as_ref(), "video.mp4", "video/mp4"),
        (message.video_note.as_ref(), "video.mp4", "video/mp4"),
    ];
    let files = kinds.into_iter().filter_map(|(media, name, media_type)| {
        let media = media?;
        Some(Attachment {
            file_name: media.file_name.clone().unwrap_or_else(|| name.to_owned()),
            media_type: media
                .mime_type
                .clone()
                .unwrap_or_else(|| media_type.to_owned()),
            size_bytes: media.file_size,
            source: Some(media.file_id.clone()),
            ..Attachment::default()
        })
    });
    files.collect()
}

/// What Telegram calls a kind that is not known here.
fn unknown(message: &Message) -> Option<String> {
    let mut names = message.rest.keys().map(String::as_str);
    if names.any(|name| SERVICE.contains(&name)) {
        return None;
    }
    let mut names = message.rest.keys();
    let kind = names.find(|name| !COMMON.contains(&name.as_str()));
    Some(kind.cloned().unwrap_or_else(|| "message".to_owned()))
}
