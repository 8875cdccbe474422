//! What a message of Avito says.

use domain::message::{Attachment, Content, Text};
use serde_json::Value;

use super::update::Message;

/// Stands before the name of a voice message, whose address has to be asked for.
pub(super) const VOICE: &str = "voice ";

/// What a message says, with its files.
pub(super) fn of(message: &Message) -> (Content, Vec<Attachment>) {
    let said = match message.kind.as_str() {
        "image" => picture(&message.content["image"]).map(only_file),
        "voice" => voice(&message.content["voice"]).map(only_file),
        "location" => location(&message.content["location"]).map(|place| (place, Vec::new())),
        kind => words(kind, &message.content).map(|words| {
            let content = Content::Text(Text::plain(words));
            (content, Vec::new())
        }),
    };
    said.unwrap_or_else(|| {
        let kind = message.kind.clone();
        (Content::Unsupported { kind }, Vec::new())
    })
}

fn only_file(file: Attachment) -> (Content, Vec<Attachment>) {
    (Content::Text(Text::default()), vec![file])
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

/// What is shown in words.
fn words(kind: &str, content: &Value) -> Option<String> {
    match kind {
        "text" => text(&content["text"]).map(str::to_owned),
        "system" => text(&content["text"]).map(|text| format!("ℹ️ {text}")),
        "link" => link(&content["link"]),
        "item" => item(&content["item"]),
        "call" => call(&content["call"]),
        _ => None,
    }
}

/// The words of a link, and where it leads unless they say so.
fn link(link: &Value) -> Option<String> {
    match (text(&link["text"]), text(&link["url"])) {
        (Some(words), Some(url)) if words.contains(url) => Some(words.to_owned()),
        (Some(words), Some(url)) => Some(format!("{words}\n{url}")),
        (words, url) => words.or(url).map(str::to_owned),
    }
}

fn item(item: &Value) -> Option<String> {
    let fields = ["title", "price_string", "item_url"];
    let fields = fields.iter().filter_map(|name| text(&item[*name]));
    let lines: Vec<&str> = fields.collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn call(call: &Value) -> Option<String> {
    match text(&call["status"])? {
        "missed" => Some("📞 Пропущенный звонок (missed call)".to_owned()),
        status => Some(format!("📞 {status}")),
    }
}

fn location(place: &Value) -> Option<Content> {
    Some(Content::Location {
        latitude: place["lat"].as_f64()?,
        longitude: place["lon"].as_f64()?,
        title: text(&place["text"])
            .or(text(&place["title"]))
            .unwrap_or_default()
            .to_owned(),
    })
}

/// The largest of a picture's sizes, which are named by them: `1280x960`.
fn picture(image: &Value) -> Option<Attachment> {
    let area = |name: &str| {
        let (width, height) = name.split_once('x')?;
        let (width, height): (u64, u64) = (width.parse().ok()?, height.parse().ok()?);
        Some(width.saturating_mul(height))
    };
    let sizes = image["sizes"].as_object()?.iter();
    let sizes = sizes.filter_map(|(name, url)| Some((area(name), text(url)?)));
    let (_, url) = sizes.max_by_key(|(area, _)| *area)?;
    Some(file("photo.jpg", "image/jpeg", url.to_owned()))
}

fn voice(voice: &Value) -> Option<Attachment> {
    let id = text(&voice["voice_id"])?;
    Some(file("voice.mp4", "audio/mp4", format!("{VOICE}{id}")))
}

fn file(name: &str, media_type: &str, source: String) -> Attachment {
    Attachment {
        file_name: name.to_owned(),
        media_type: media_type.to_owned(),
        source: Some(source),
        ..Attachment::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_largest_picture_is_had() {
        let url = |sizes: Value| picture(&json!({ "sizes": sizes }))?.source;
        let sizes = json!({"140x105": "s", "1280x960": "l", "640x480": "m", "?": "o"});
        assert_eq!(url(sizes).as_deref(), Some("l"));
        assert_eq!(url(json!({"?": "o"})).as_deref(), Some("o"));
        assert_eq!(url(json!({"1x1": ""})), None);
        assert_eq!(url(json!({})), None);
        assert_eq!(url(json!(null)), None);
    }

    #[test]
    fn a_link_is_shown_with_where_it_leads() {
        let shown = |text: &str, url: &str| link(&json!({"text": text, "url": url}));
        assert_eq!(shown("see habr.com!", "habr.com").unwrap(), "see habr.com!");
        assert_eq!(shown("Хабр", "habr.com").unwrap(), "Хабр\nhabr.com");
        assert_eq!(shown("", "habr.com").unwrap(), "habr.com");
        assert_eq!(shown("", ""), None);
    }
}
