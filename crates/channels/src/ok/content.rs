//! What a message of OK says.

use domain::identity::{Identity, Trust, normalize};
use domain::message::{Attachment, Content, Text};
use serde_json::Value;

use super::event::Message;
use super::normalize::identity;

/// Of such a file nobody knows what it is.
pub(super) const OCTETS: &str = "application/octet-stream";
/// Buttons are the group's own.
const KEYBOARD: &str = "INLINE_KEYBOARD";
/// Where an address leads to a page with a player, and to no file.
const PAGES: [&str; 7] = [
    "odnoklassniki.ru",
    "ok.ru",
    "rutube.ru",
    "vk.com",
    "vkvideo.ru",
    "youtu.be",
    "youtube.com",
];

/// Everything that a message says.
pub(super) struct Said {
    pub(super) content: Content,
    pub(super) attachments: Vec<Attachment>,
}

/// What is shown one below the other.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
    files: Vec<Attachment>,
    /// Kinds that are not known here, by OK's names of them.
    unknown: Vec<String>,
}

/// What a message says.
pub(super) fn of(message: &Message, region: &str) -> Said {
    let text = message.text.clone().unwrap_or_default();
    let attachments = message.attachments().into_iter();
    let attachments: Vec<_> = attachments.filter(|one| kind(one) != KEYBOARD).collect();
    if let ([one], "") = (attachments.as_slice(), text.as_str())
        && let Some(said) = single(one, region)
    {
        return said;
    }
    let mut page = Page::default();
    page.line(text);
    for attachment in attachments {
        page.add(attachment);
    }
    page.said()
}

/// What the client read on a button of a message.
pub(super) fn button(message: &Message, payload: &str) -> Option<String> {
    let keyboards = message.attachments().into_iter();
    let keyboards = keyboards.filter(|one| kind(one) == KEYBOARD);
    let rows = keyboards.filter_map(|one| one["payload"]["keyboard"]["buttons"].as_array());
    let mut buttons = rows.flatten().filter_map(Value::as_array).flatten();
    let button = buttons.find(|button| button["payload"].as_str() == Some(payload))?;
    Some(button["text"].as_str()?.to_owned())
}

fn kind(attachment: &Value) -> &str {
    attachment["type"].as_str().unwrap_or("attachment")
}

/// What is more than a file or a line below words.
fn single(attachment: &Value, region: &str) -> Option<Said> {
    let payload = &attachment["payload"];
    let content = match kind(attachment) {
        "STICKER" => Content::Sticker {
            emoji: String::new(),
            sticker_id: text(payload, &["id", "token"]).unwrap_or_default(),
        },
        "LOCATION" => {
            let (latitude, longitude) = place(payload)?;
            let title = String::new();
            Content::Location {
                latitude,
                longitude,
                title,
            }
        }
        "CONTACT" => Content::ContactCard {
            display_name: text(payload, &["name"]).unwrap_or_default(),
            identities: vec![phone(payload, region)?],
        },
        _ => return None,
    };
    Some(Said {
        content,
        attachments: stored(attachment).into_iter().collect(),
    })
}

impl Page {
    fn add(&mut self, attachment: &Value) {
        match (stored(attachment), line(attachment)) {
            (Some(file), _) => self.files.push(file),
            // A link that is in the text is shown there.
            (None, Some(line)) if self.lines.iter().any(|above| above.contains(&line)) => {}
            (None, Some(line)) => self.line(line),
            (None, None) => self.unknown.push(kind(attachment).to_owned()),
        }
    }

    fn line(&mut self, line: String) {
        if !line.is_empty() {
            self.lines.push(line);
        }
    }

    fn said(mut self) -> Said {
        let is_bare = self.lines.is_empty() && self.files.is_empty();
        let content = if is_bare {
            let kind = self.unknown.into_iter().next();
            Content::Unsupported {
                kind: kind.unwrap_or_else(|| "message".to_owned()),
            }
        } else {
            let unknown = self.unknown.into_iter().map(|kind| format!("[{kind}]"));
            self.lines.extend(unknown);
            Content::Text(Text::plain(self.lines.join("\n")))
        };
        Said {
            content,
            attachments: self.files,
        }
    }
}

/// The first of some fields that says something.
fn text(payload: &Value, names: &[&str]) -> Option<String> {
    let mut said = names.iter().filter_map(|name| match &payload[*name] {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    said.find(|text| !text.is_empty())
}

fn place(payload: &Value) -> Option<(f64, f64)> {
    Some((
        payload["latitude"].as_f64()?,
        payload["longitude"].as_f64()?,
    ))
}

/// The number on a card: nobody says whose it is.
fn phone(payload: &Value, region: &str) -> Option<Identity> {
    let number = text(payload, &["phone"])?;
    let claimed = |number: String| normalize(&identity("phone", number, Trust::Claimed), region);
    let international = format!("+{}", number.trim_start_matches('+'));
    claimed(number).or_else(|_| claimed(international)).ok()
}

/// What has a file, and is it.
fn stored(attachment: &Value) -> Option<Attachment> {
    let payload = &attachment["payload"];
    let url = payload["url"].as_str().filter(|url| !url.is_empty())?;
    let (name, media_type) = match kind(attachment) {
        "IMAGE" => ("photo.jpg", "image/jpeg"),
        "STICKER" => ("sticker.png", "image/png"),
        "VIDEO" if !is_page(url) => ("video.mp4", "video/mp4"),
        "AUDIO" if !is_page(url) => ("voice.mp3", "audio/mpeg"),
        "FILE" => ("file", OCTETS),
        _ => return None,
    };
    let told = text(payload, &["name", "fileName", "filename"]);
    Some(Attachment {
        file_name: told.unwrap_or_else(|| name.to_owned()),
        media_type: media_type.to_owned(),
        size_bytes: payload["size"].as_u64().unwrap_or_default(),
        source: Some(url.to_owned()),
        ..Attachment::default()
    })
}

fn is_page(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.trim_start_matches("www.").trim_start_matches("m.");
    PAGES.iter().any(|page| host.eq_ignore_ascii_case(page))
}

/// What has no file, in words.
fn line(attachment: &Value) -> Option<String> {
    let payload = &attachment["payload"];
    let of = |sign: &str, names: &[&str]| {
        let said = names.iter().filter_map(|name| text(payload, &[name]));
        let said: Vec<_> = said.collect();
        format!("{sign} {}", said.join(" ")).trim_end().to_owned()
    };
    match kind(attachment) {
        "SHARE" | "VIDEO" | "AUDIO" => text(payload, &["url", "title"]),
        "MUSIC" => Some(of("🎵", &["title", "url"])),
        "CONTACT" => Some(of("👤", &["name", "phone"])),
        "PRESENT" => Some("🎁".to_owned()),
        "CALL" if payload["type"] == "VIDEO" => Some(of("📹", &["hangupType"])),
        "CALL" => Some(of("📞", &["hangupType"])),
        "LOCATION" => place(payload).map(|(north, east)| format!("📍 {north}, {east}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_player_is_no_file() {
        for page in [
            "https://ok.ru/video/7",
            "https://m.ok.ru/video/7",
            "http://www.youtube.com/watch?v=7",
            "https://youtu.be/7",
        ] {
            assert!(is_page(page), "{page}");
        }
        for file in [
            "https://vd1.mycdn.me/video.mp4?ok.ru",
            "https://i.okcdn.ru/7",
            "https://notok.ru/7",
        ] {
            assert!(!is_page(file), "{file}");
        }
    }
}
