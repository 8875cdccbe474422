//! What a message says.

use domain::message::{Attachment, Content, Text};
use serde_json::Value;

use super::event::{Attached, Message};

/// What is shown one below the other.
#[derive(Default)]
struct Told {
    words: Vec<String>,
    files: Vec<Attachment>,
    /// Kinds that are not known here, by Meta's names of them.
    unknown: Vec<String>,
}

/// What a message says, and its files.
pub(super) fn of(message: &Message) -> (Content, Vec<Attachment>) {
    if let Some(pressed) = &message.quick_reply {
        let press = Content::Postback {
            payload: pressed.payload.clone(),
            title: message.text.clone(),
        };
        return (press, Vec::new());
    }
    if let Some(sticker) = sticker(message) {
        return sticker;
    }
    let is_bare = message.text.is_empty();
    if let ([only], true) = (message.attachments.as_slice(), is_bare)
        && let Some(place) = place(only)
    {
        return (place, Vec::new());
    }
    let mut told = Told::default();
    told.add(message);
    let is_bare = told.words.is_empty() && told.files.is_empty();
    if is_bare {
        let named = told.unknown.into_iter().next();
        let kind = named.unwrap_or_else(|| "message".to_owned());
        return (Content::Unsupported { kind }, Vec::new());
    }
    let unknown = told.unknown.iter().map(|kind| format!("[{kind}]"));
    told.words.extend(unknown);
    let words = told.words.join("\n");
    (Content::Text(Text::plain(words)), told.files)
}

impl Told {
    fn add(&mut self, message: &Message) {
        let answered = message.reply_to.as_ref();
        if let Some(story) = answered.and_then(|answered| answered.story.as_ref()) {
            self.words.push("↪ [story]".to_owned());
            self.files.extend(file("story", &story.url));
        }
        if !message.text.is_empty() {
            self.words.push(message.text.clone());
        }
        for attached in &message.attachments {
            self.attached(attached, &message.text);
        }
    }

    fn attached(&mut self, attached: &Attached, text: &str) {
        let (kind, url) = (attached.kind.as_str(), address(attached));
        let is_page = is_page(url);
        match kind {
            "image" | "video" | "audio" | "file" if !url.is_empty() => {
                self.files.extend(file(kind, url));
            }
            "location" => match place(attached) {
                Some(Content::Location {
                    latitude,
                    longitude,
                    title,
                }) => {
                    let place = format!("📍 {title} {latitude}, {longitude}");
                    self.words.push(place.replace("  ", " "));
                }
                Some(_) | None => self.unknown.push(kind.to_owned()),
            },
            "fallback" if !url.is_empty() => self.link(title(attached), url, text),
            // What was posted somewhere: a page, or the picture itself, which is there for
            // a short time only.
            "share" | "story_mention" | "ig_story" | "ig_reel" | "reel" | "ig_post" | "post"
                if !url.is_empty() =>
            {
                let title = title(attached);
                if is_page {
                    self.link(title, url, text);
                } else {
                    let marked = format!("[{kind}]");
                    self.words.push(format!("↪ {}", title.unwrap_or(&marked)));
                    self.files.extend(file(kind, url));
                }
            }
            "template" => {
                let lines = elements(&attached.payload);
                let title = title(attached).map(str::to_owned);
                let known = self.words.len();
                self.words.extend(title.into_iter().chain(lines));
                if self.words.len() == known {
                    self.unknown.push(kind.to_owned());
                }
            }
            "" => self.unknown.push("attachment".to_owned()),
            kind => self.unknown.push(kind.to_owned()),
        }
    }

    /// A title and an address; what is in the text is shown there.
    fn link(&mut self, title: Option<&str>, url: &str, text: &str) {
        if text.contains(url) {
            return;
        }
        self.words.extend(title.map(str::to_owned));
        self.words.push(url.to_owned());
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str().filter(|text| !text.is_empty())
}

fn address(attached: &Attached) -> &str {
    text(&attached.payload, "url").unwrap_or(&attached.url)
}

fn title(attached: &Attached) -> Option<&str> {
    let given = Some(attached.title.as_str()).filter(|title| !title.is_empty());
    text(&attached.payload, "title").or(given)
}

/// Whether an address is for people to look at, and not the picture itself.
fn is_page(url: &str) -> bool {
    let host = url.strip_prefix("https://").unwrap_or(url);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let is_of = |site: &str| {
        let rest = host.strip_suffix(site);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    ["facebook.com", "instagram.com", "fb.com", "fb.watch"]
        .into_iter()
        .any(is_of)
}

/// A file. Of its type nothing is told but the kind.
fn file(kind: &str, url: &str) -> Option<Attachment> {
    let (name, media_type) = match kind {
        "image" => ("image.jpg", "image/jpeg"),
        "sticker" => ("sticker.png", "image/png"),
        "video" => ("video.mp4", "video/mp4"),
        "audio" => ("audio.mp4", "audio/mp4"),
        "file" => ("file", "application/octet-stream"),
        _ => ("story", "application/octet-stream"),
    };
    let own = if kind == "file" { named(url) } else { None };
    (!url.is_empty()).then(|| Attachment {
        file_name: own.unwrap_or_else(|| name.to_owned()),
        media_type: media_type.to_owned(),
        source: Some(url.to_owned()),
        ..Attachment::default()
    })
}

/// What a file is called, by the end of its address.
fn named(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let (_, name) = path.rsplit_once('/')?;
    let name = crate::clean::percent_decode(name.as_bytes(), false)?;
    name.contains('.').then_some(name)
}

/// A sticker. For a while it comes as a picture, too.
fn sticker(message: &Message) -> Option<(Content, Vec<Attachment>)> {
    let mut stickers = message.attachments.iter();
    let (sticker_id, attached) = stickers.find_map(|attached| {
        let ids = [&attached.payload["sticker_id"], &message.sticker_id];
        let id = ids.into_iter().find_map(written);
        let is_bare = attached.kind == "sticker";
        Some((id.or_else(|| is_bare.then(String::new))?, attached))
    })?;
    let content = Content::Sticker {
        emoji: String::new(),
        sticker_id,
    };
    let picture = file("sticker", address(attached));
    Some((content, picture.into_iter().collect()))
}

/// What is now a number and now a text.
fn written(value: &Value) -> Option<String> {
    let text = value.as_str().map(str::to_owned);
    text.or_else(|| value.as_u64().map(|number| number.to_string()))
}

fn place(attached: &Attached) -> Option<Content> {
    let at = &attached.payload["coordinates"];
    Some(Content::Location {
        latitude: at["lat"].as_f64()?,
        longitude: at["long"].as_f64()?,
        title: title(attached).unwrap_or_default().to_owned(),
    })
}

/// A line for each thing that a card shows.
fn elements(payload: &Value) -> Vec<String> {
    let lists = [
        &payload["elements"],
        &payload["generic"]["elements"],
        &payload["product"]["elements"],
    ];
    let elements = lists.into_iter().filter_map(Value::as_array).flatten();
    let lines = elements.filter_map(|element| {
        let (title, subtitle) = (text(element, "title")?, text(element, "subtitle"));
        Some(match subtitle {
            Some(subtitle) => format!("{title} — {subtitle}"),
            None => title.to_owned(),
        })
    });
    let text = text(payload, "text").map(str::to_owned);
    text.into_iter().chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_not_the_picture() {
        for page in [
            "https://www.facebook.com/reel/1",
            "https://instagram.com/p/1?x",
            "https://fb.watch/1",
        ] {
            assert!(is_page(page), "{page}");
        }
        for picture in [
            "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1",
            "https://scontent.xx.fbcdn.net/v/1.jpg",
            "https://notfacebook.com/1",
            "https://x.example/facebook.com",
        ] {
            assert!(!is_page(picture), "{picture}");
        }
    }

    #[test]
    fn a_file_is_called_as_its_address_ends() {
        let name = |url: &str| named(url).unwrap_or_default();
        let url = "https://cdn.fbsbx.com/v/t59/%D1%81%D1%87%D1%91%D1%82.pdf/?x=a.b";
        assert_eq!(name(url), "");
        assert_eq!(name(&url.replace("/?", "?")), "счёт.pdf");
        assert_eq!(name("https://cdn.fbsbx.com/v"), "");
    }
}
