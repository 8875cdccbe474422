//! What a message of Viber says.

use domain::identity::{Trust, normalize};
use domain::message::{Attachment, Content, Text};
use serde_json::Value;

use super::normalize::identity;

/// What a message says, and its file.
pub(super) fn of(message: &Value, region: &str) -> (Content, Vec<Attachment>) {
    let kind = text(message, "type").unwrap_or("message");
    let file = file(kind, message);
    let words = text(message, "text").unwrap_or_default();
    let told = match kind {
        "text" => Some(plain(words)),
        "picture" | "video" | "file" if file.is_some() => Some(plain(words)),
        "url" => text(message, "media").map(|url| link(words, url)),
        "sticker" => Some(Content::Sticker {
            emoji: String::new(),
            sticker_id: written(&message["sticker_id"]),
        }),
        "location" => place(&message["location"]),
        "contact" => card(&message["contact"], region),
        _ => None,
    };
    let content = told.unwrap_or_else(|| Content::Unsupported {
        kind: kind.to_owned(),
    });
    (content, file.into_iter().collect())
}

fn plain(words: &str) -> Content {
    Content::Text(Text::plain(words))
}

/// A text that is there and not empty.
fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str().filter(|text| !text.is_empty())
}

/// What is now a number and now a text.
fn written(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None if value.is_number() => value.to_string(),
        None => String::new(),
    }
}

fn file(kind: &str, message: &Value) -> Option<Attachment> {
    let (name, media_type) = match kind {
        "picture" => ("picture.jpg", "image/jpeg"),
        "video" => ("video.mp4", "video/mp4"),
        "sticker" => ("sticker.png", "image/png"),
        "file" => ("file", "application/octet-stream"),
        _ => return None,
    };
    let size = message["file_size"].as_u64();
    Some(Attachment {
        file_name: text(message, "file_name").unwrap_or(name).to_owned(),
        media_type: media_type.to_owned(),
        size_bytes: size.or(message["size"].as_u64()).unwrap_or_default(),
        source: Some(text(message, "media")?.to_owned()),
        ..Attachment::default()
    })
}

fn link(words: &str, url: &str) -> Content {
    if words.contains(url) {
        return plain(words);
    }
    plain(format!("{words}\n{url}").trim())
}

fn place(at: &Value) -> Option<Content> {
    let degrees = |name: &str| written(&at[name]).parse::<f64>().ok();
    Some(Content::Location {
        latitude: degrees("lat")?,
        longitude: degrees("lon")?,
        title: text(at, "address").unwrap_or_default().to_owned(),
    })
}

/// A card. Nothing says whose the number is: it is a claim.
fn card(contact: &Value, region: &str) -> Option<Content> {
    let number = text(contact, "phone_number")?.trim();
    let name = text(contact, "name").unwrap_or_default();
    // Viber leaves out the plus of international numbers.
    let full = format!("+{}", number.trim_start_matches('+'));
    let phone = normalize(&identity("phone", full, Trust::Claimed), region);
    Some(match phone {
        Ok(phone) => Content::ContactCard {
            display_name: name.to_owned(),
            identities: vec![phone],
        },
        Err(_) => plain(format!("{name} {number}").trim()),
    })
}
