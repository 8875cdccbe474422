//! What a message says.

use domain::identity::{Identity, Trust, normalize};
use domain::message::{Attachment, Content, Text};
use serde_json::Value;

use super::update::{Card, Context, Interactive, Location, Media, Order, Said};

/// Everything that a message says, in as many messages as that takes.
pub(super) fn of(said: &Said, context: &Context, region: &str) -> Vec<(Content, Vec<Attachment>)> {
    let attachments: Vec<Attachment> = file(said).into_iter().collect();
    if let Some(sticker) = &said.sticker {
        let shown = Content::Sticker {
            emoji: String::new(),
            sticker_id: sticker.id.clone(),
        };
        return vec![(shown, attachments)];
    }
    if let Some(words) = words(said) {
        let text = Text::plain(forwarded(&words, context));
        return vec![(Content::Text(text), attachments)];
    }
    if !said.contacts.is_empty() {
        let cards = said.contacts.iter();
        return cards
            .map(|card| (self::card(card, region), Vec::new()))
            .collect();
    }
    let told = said.location.as_ref().map(place);
    let told = told.or_else(|| said.interactive.as_ref().and_then(press));
    let told = told.or_else(|| {
        let button = said.button.as_ref()?;
        Some(Content::Postback {
            payload: button.payload.clone(),
            title: button.text.clone(),
        })
    });
    vec![(told.unwrap_or_else(|| unknown(said)), Vec::new())]
}

/// The words of a text, or below a file; none where there can be none.
pub(super) fn words(said: &Said) -> Option<String> {
    if let Some(text) = &said.text {
        return Some(text.body.clone());
    }
    if let Some(order) = &said.order {
        return Some(ordered(order));
    }
    Some(media(said)?.1.caption.clone())
}

/// WhatsApp does not tell whose words they were.
fn forwarded(words: &str, context: &Context) -> String {
    if context.forwarded || context.frequently_forwarded {
        format!("↪ {words}").trim_end().to_owned()
    } else {
        words.to_owned()
    }
}

/// The one file of a message, by what WhatsApp calls its kind.
fn media(said: &Said) -> Option<(&'static str, &Media)> {
    let kinds = [
        ("image", &said.image),
        ("video", &said.video),
        ("audio", &said.audio),
        ("document", &said.document),
        ("sticker", &said.sticker),
    ];
    let mut kinds = kinds.into_iter();
    kinds.find_map(|(kind, media)| Some((kind, media.as_ref()?)))
}

fn file(said: &Said) -> Option<Attachment> {
    let (kind, media) = media(said)?;
    // "audio/ogg; codecs=opus"
    let media_type = media.mime_type.split(';').next().unwrap_or_default().trim();
    let file_name = match media.filename.as_str() {
        "" => format!("{kind}{}", ending(media_type)),
        name => name.to_owned(),
    };
    Some(Attachment {
        file_name,
        media_type: media_type.to_owned(),
        source: Some(media.id.clone()),
        ..Attachment::default()
    })
}

fn ending(media_type: &str) -> &'static str {
    match media_type {
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "image/webp" => ".webp",
        "video/mp4" => ".mp4",
        "video/3gpp" => ".3gp",
        "audio/ogg" => ".ogg",
        "audio/mpeg" => ".mp3",
        "audio/mp4" => ".m4a",
        "audio/aac" => ".aac",
        "audio/amr" => ".amr",
        "application/pdf" => ".pdf",
        _ => "",
    }
}

fn place(at: &Location) -> Content {
    let parts = [at.name.as_str(), at.address.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Content::Location {
        latitude: at.latitude,
        longitude: at.longitude,
        title: parts.join(", "),
    }
}

/// A card. What stands on it the sender typed, or has in their own address book.
fn card(card: &Card, region: &str) -> Content {
    let claim = |kind: &str, value: String| Identity {
        kind: kind.to_owned(),
        issuer: String::new(),
        value,
        trust: Trust::Claimed,
    };
    let phones = card.phones.iter().map(|phone| match phone.wa_id.as_str() {
        "" => claim("phone", phone.phone.clone()),
        wa_id => claim("phone", format!("+{wa_id}")),
    });
    let emails = card.emails.iter();
    let emails = emails.map(|email| claim("email", email.email.clone()));
    let all = phones.chain(emails);
    let known = all.filter_map(|identity| normalize(&identity, region).ok());
    let identities: Vec<Identity> = known.collect();
    if identities.is_empty() {
        let phones = card.phones.iter().map(|phone| phone.phone.as_str());
        let words = std::iter::once(card.name.formatted_name.as_str()).chain(phones);
        let words: Vec<&str> = words.collect();
        return Content::Text(Text::plain(words.join(" ").trim()));
    }
    Content::ContactCard {
        display_name: card.name.formatted_name.clone(),
        identities,
    }
}

fn press(interactive: &Interactive) -> Option<Content> {
    let button = interactive.button_reply.as_ref();
    let chosen = button.or(interactive.list_reply.as_ref());
    let (payload, title) = match (chosen, &interactive.nfm_reply) {
        (Some(chosen), _) => (&chosen.id, &chosen.title),
        (None, Some(form)) => (&form.response_json, &form.body),
        (None, None) => return None,
    };
    Some(Content::Postback {
        payload: payload.clone(),
        title: title.clone(),
    })
}

/// A line for each thing that is ordered, below what the client wrote.
fn ordered(order: &Order) -> String {
    let plain = |value: &Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    };
    let items = order.product_items.iter().map(|item| {
        let (count, price) = (plain(&item.quantity), plain(&item.item_price));
        let (name, currency) = (&item.product_retailer_id, &item.currency);
        format!("{count} × {name}, {price} {currency}")
    });
    let words = order.text.trim().to_owned();
    let lines: Vec<String> = std::iter::once(words).chain(items).collect();
    lines.join("\n").trim().to_owned()
}

/// What WhatsApp calls a kind that is not known here, or of which it tells nothing.
fn unknown(said: &Said) -> Content {
    let named = said.unsupported.as_ref().map(|it| it.kind.as_str());
    let named = named.filter(|kind| !kind.is_empty());
    let kind = match named.unwrap_or(&said.kind) {
        "" => "message",
        kind => kind,
    };
    Content::Unsupported {
        kind: kind.to_owned(),
    }
}
