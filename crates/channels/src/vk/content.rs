//! What a message of VK says.

use domain::message::{Attachment, Content, Text};
use serde_json::Value;

use super::event::Message;

/// Forwarded messages within forwarded ones are shown so far.
const DEPTH_MAX: usize = 5;
/// A sticker's picture need not be larger.
const STICKER_SIDE: u64 = 256;

/// What is shown one below the other.
#[derive(Default)]
struct Told {
    words: Vec<String>,
    files: Vec<Attachment>,
    /// Kinds that are not known here, by VK's names of them.
    unknown: Vec<String>,
}

/// What a message says, and its files.
pub(super) fn of(message: &Message) -> (Content, Vec<Attachment>) {
    if let Some(sticker) = sticker(message) {
        return sticker;
    }
    let mut told = Told::default();
    told.add(message, 0);
    let is_bare = told.words.is_empty() && told.files.is_empty();
    match place(&message.geo) {
        Some(place) if is_bare && told.unknown.is_empty() => return (place, Vec::new()),
        Some(Content::Location {
            latitude,
            longitude,
            title,
        }) => {
            let place = format!("📍 {title} {latitude}, {longitude}");
            told.words.push(place.replace("  ", " "));
        }
        Some(_) | None if is_bare => {
            let kind = told.unknown.into_iter().next();
            let kind = kind.unwrap_or_else(|| "message".to_owned());
            return (Content::Unsupported { kind }, Vec::new());
        }
        Some(_) | None => {}
    }
    let unknown = told.unknown.iter().map(|kind| format!("[{kind}]"));
    told.words.extend(unknown);
    (
        Content::Text(Text::plain(told.words.join("\n"))),
        told.files,
    )
}

impl Told {
    fn add(&mut self, message: &Message, depth: usize) {
        if !message.text.is_empty() {
            self.words.push(message.text.clone());
        }
        for attachment in &message.attachments {
            let kind = attachment["type"].as_str().unwrap_or("attachment");
            let what = &attachment[kind];
            match (file(kind, what), line(kind, what)) {
                (Some(file), _) => self.files.push(file),
                // A link that is in the text is shown there.
                (None, Some(line)) if message.text.contains(&line) => {}
                (None, Some(line)) => self.words.push(line),
                (None, None) => self.unknown.push(kind.to_owned()),
            }
        }
        for forwarded in message.fwd_messages.iter().filter(|_| depth < DEPTH_MAX) {
            self.words.push(format!("↪ {}", whose(forwarded.from_id)));
            self.add(forwarded, depth + 1);
        }
    }
}

/// A page of VK's: names are not told along.
fn whose(id: i64) -> String {
    match id {
        ..0 => format!("https://vk.com/club{}", id.unsigned_abs()),
        _ => format!("https://vk.com/id{id}"),
    }
}

fn sticker(message: &Message) -> Option<(Content, Vec<Attachment>)> {
    let sticker = &message.attachments.first()?["sticker"];
    let id = sticker["sticker_id"].as_i64()?;
    let content = Content::Sticker {
        emoji: String::new(),
        sticker_id: id.to_string(),
    };
    let images = sticker["images"].as_array().into_iter().flatten();
    let small = images.filter(|image| side(image) <= STICKER_SIDE);
    let url = small.max_by_key(|image| side(image));
    let url = url.and_then(|image| image["url"].as_str());
    let picture = url.map(|url| attachment("sticker.png", "image/png", url));
    Some((content, picture.into_iter().collect()))
}

fn place(geo: &Value) -> Option<Content> {
    let at = &geo["coordinates"];
    Some(Content::Location {
        latitude: at["latitude"].as_f64()?,
        longitude: at["longitude"].as_f64()?,
        title: geo["place"]["title"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    })
}

/// What has a file, and is it.
fn file(kind: &str, what: &Value) -> Option<Attachment> {
    let text = |name: &str| what[name].as_str().filter(|text| !text.is_empty());
    let file = match kind {
        "photo" => attachment("photo.jpg", "image/jpeg", photo(what)?),
        "audio_message" => attachment("voice.ogg", "audio/ogg", text("link_ogg")?),
        "graffiti" => attachment("graffiti.png", "image/png", text("url")?),
        "gift" => attachment("gift.jpg", "image/jpeg", text("thumb_256")?),
        "audio" => {
            let name = format!("{}.mp3", title(what));
            attachment(&name, "audio/mpeg", text("url")?)
        }
        "doc" => Attachment {
            size_bytes: what["size"].as_u64().unwrap_or_default(),
            ..attachment(&document(what), "application/octet-stream", text("url")?)
        },
        _ => return None,
    };
    Some(file)
}

fn attachment(name: &str, media_type: &str, url: &str) -> Attachment {
    Attachment {
        file_name: name.to_owned(),
        media_type: media_type.to_owned(),
        source: Some(url.to_owned()),
        ..Attachment::default()
    }
}

/// The largest there is.
fn photo(what: &Value) -> Option<&str> {
    let sizes = what["sizes"].as_array().into_iter().flatten();
    let all = sizes.chain(what.get("orig_photo"));
    let with_url = all.filter(|size| size["url"].is_string());
    with_url.max_by_key(|size| side(size))?["url"].as_str()
}

fn side(image: &Value) -> u64 {
    let length = |name: &str| image[name].as_u64().unwrap_or_default();
    length("width").max(length("height"))
}

fn document(what: &Value) -> String {
    let title = what["title"].as_str().unwrap_or("document");
    match what["ext"].as_str() {
        Some(ext)
            if !title
                .to_lowercase()
                .ends_with(&format!(".{}", ext.to_lowercase())) =>
        {
            format!("{title}.{ext}")
        }
        Some(_) | None => title.to_owned(),
    }
}

/// What has no file, as a title and where it is.
fn line(kind: &str, what: &Value) -> Option<String> {
    let number = |name: &str| what[name].as_i64();
    let owner = number("owner_id").or(number("to_id")).or(number("from_id"));
    let address = match kind {
        "video" | "wall" | "poll" => format!("https://vk.com/{kind}{}_{}", owner?, number("id")?),
        "market" => format!("https://vk.com/product{}_{}", owner?, number("id")?),
        "wall_reply" => {
            let (post, id) = (number("post_id")?, number("id")?);
            format!("https://vk.com/wall{}_{post}?reply={id}", owner?)
        }
        "link" | "article" => what["url"]
            .as_str()
            .or(what["view_url"].as_str())?
            .to_owned(),
        "audio" => return Some(format!("♫ {}", title(what))),
        _ => return None,
    };
    // A link's title is its page's own: the address says more.
    let title = title(what);
    Some(match (kind, title.as_str()) {
        ("link", _) | (_, "") => address,
        (_, title) => format!("{title}\n{address}"),
    })
}

fn title(what: &Value) -> String {
    let of = |name: &str| what[name].as_str().filter(|text| !text.is_empty());
    let parts = [of("artist"), of("title").or(of("question"))];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join(" — ")
}
