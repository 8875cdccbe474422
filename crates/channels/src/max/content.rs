//! What a message of MAX says.

use domain::identity::{Identity, Trust, normalize};
use domain::message::{Attachment, Content, Text};
use serde_json::Value;

use super::normalize::identity;
use super::update::{Body, Markup, Message, User};
use crate::marks::{self, MARKS_MAX, Mark, Tag, tag};
use crate::{hook, sanitize};

/// Stands before the name of a video, whose address has to be asked for.
pub(super) const VIDEO: &str = "video ";

/// Everything that a message says.
pub(super) struct Said {
    pub(super) content: Content,
    pub(super) attachments: Vec<Attachment>,
    /// The sender's own number, when MAX says so.
    pub(super) phone: Option<Identity>,
}

/// What is shown one below the other.
#[derive(Default)]
struct Page {
    plain: String,
    html: Option<String>,
    files: Vec<Attachment>,
    /// Kinds that are not known here, by MAX's names of them.
    unknown: Vec<String>,
}

/// What a message says.
pub(super) fn of(message: &Message, from: &User, region: &str, token: &str) -> Said {
    let body = message.body.as_ref();
    let forwarded = message.link.as_ref().filter(|link| link.kind == "forward");
    let alone = body.and_then(alone).filter(|_| forwarded.is_none());
    if let Some(attachment) = alone {
        if attachment["type"] == "contact" {
            return card(&attachment["payload"], from, region, token);
        }
        if let Some(said) = single(attachment, body.and_then(words)) {
            return said;
        }
    }
    let mut page = Page::default();
    page.add(body);
    if let Some(link) = forwarded {
        let whose = link.sender.as_ref().map(User::name).unwrap_or_default();
        page.line(format!("↪ {whose}").trim_end());
        page.add(link.message.as_ref());
    }
    page.said()
}

/// The words of a message.
pub(super) fn words(body: &Body) -> Option<Text> {
    let plain = body.text.as_ref().filter(|text| !text.is_empty())?;
    let marks = body.markup.iter().flatten().take(MARKS_MAX);
    let marks = marks.filter_map(|markup| {
        let markup: Markup = serde_json::from_value(markup.clone()).ok()?;
        Some(Mark {
            offset: markup.from,
            length: markup.length,
            tag: tag_of(&markup)?,
        })
    });
    Some(Text {
        plain: plain.clone(),
        html: marks::html(plain, marks),
    })
}

fn tag_of(markup: &Markup) -> Option<Tag> {
    match markup.kind.as_str() {
        "strong" | "heading" | "highlighted" => Some(tag("<b>", "</b>")),
        "emphasized" => Some(tag("<i>", "</i>")),
        "underline" => Some(tag("<u>", "</u>")),
        "strikethrough" => Some(tag("<s>", "</s>")),
        "monospaced" => Some(tag("<code>", "</code>")),
        "quote" => Some(tag("<blockquote>", "</blockquote>")),
        "link" => marks::link(markup.url.as_deref()?),
        _ => None,
    }
}

/// What the client read on a button.
pub(super) fn button(body: &Body, payload: &str) -> Option<String> {
    let attachments = body.attachments.iter().flatten();
    let keyboards = attachments.filter_map(|one| one["payload"]["buttons"].as_array());
    let rows = keyboards.flatten().filter_map(Value::as_array);
    let mut buttons = rows.flatten();
    let button = buttons.find(|button| button["payload"].as_str() == Some(payload))?;
    Some(button["text"].as_str()?.to_owned())
}

/// The one attachment of a message, if there is one.
fn alone(body: &Body) -> Option<&Value> {
    match body.attachments.as_deref() {
        Some([attachment]) => Some(attachment),
        Some(_) | None => None,
    }
}

/// What is more than a file or a line below words.
fn single(attachment: &Value, words: Option<Text>) -> Option<Said> {
    let payload = &attachment["payload"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (content, attachments) = match attachment["type"].as_str()? {
        "data" => {
            let title = words.map(|words| words.plain).unwrap_or_default();
            let payload = text(&attachment["data"]);
            (Content::Postback { payload, title }, Vec::new())
        }
        _ if words.is_some() => return None,
        "sticker" => {
            let picture = url(payload).map(|url| file("sticker.png", "image/png", url));
            let content = Content::Sticker {
                emoji: String::new(),
                sticker_id: text(&payload["code"]),
            };
            (content, picture.into_iter().collect())
        }
        "location" => {
            let place = Content::Location {
                latitude: attachment["latitude"].as_f64()?,
                longitude: attachment["longitude"].as_f64()?,
                title: String::new(),
            };
            (place, Vec::new())
        }
        _ => return None,
    };
    Some(Said {
        content,
        attachments,
        phone: None,
    })
}

impl Page {
    fn add(&mut self, body: Option<&Body>) {
        let Some(body) = body else { return };
        if let Some(words) = words(body) {
            self.text(&words);
        }
        for attachment in body.attachments.iter().flatten() {
            let kind = attachment["type"].as_str().unwrap_or("attachment");
            // Buttons are the bot's own.
            if matches!(kind, "inline_keyboard" | "reply_keyboard") {
                continue;
            }
            match (stored(kind, attachment), line(kind, attachment)) {
                (Some(file), transcription) => {
                    self.files.push(file);
                    self.line(&transcription.unwrap_or_default());
                }
                // A link that is in the text is shown there.
                (None, Some(line)) if self.plain.contains(&line) => {}
                (None, Some(line)) => self.line(&line),
                (None, None) => self.unknown.push(kind.to_owned()),
            }
        }
    }

    fn line(&mut self, plain: &str) {
        self.text(&Text::plain(plain));
    }

    fn text(&mut self, text: &Text) {
        if text.plain.is_empty() {
            return;
        }
        let html = |text: &Text| {
            let html = text.html.clone();
            html.unwrap_or_else(|| sanitize::html_from_plain(&text.plain))
        };
        if self.plain.is_empty() {
            (self.plain, self.html) = (text.plain.clone(), text.html.clone());
            return;
        }
        if self.html.is_some() || text.html.is_some() {
            let before = Text {
                plain: self.plain.clone(),
                html: self.html.take(),
            };
            self.html = Some(format!("{}<br>{}", html(&before), html(text)));
        }
        self.plain = format!("{}\n{}", self.plain, text.plain);
    }

    fn said(mut self) -> Said {
        let unknown = std::mem::take(&mut self.unknown);
        let content = match unknown.first() {
            Some(kind) if self.plain.is_empty() && self.files.is_empty() => {
                Content::Unsupported { kind: kind.clone() }
            }
            None if self.plain.is_empty() && self.files.is_empty() => Content::Unsupported {
                kind: "message".to_owned(),
            },
            Some(_) | None => {
                for kind in &unknown {
                    self.line(&format!("[{kind}]"));
                }
                Content::Text(Text {
                    plain: self.plain,
                    html: self.html,
                })
            }
        };
        Said {
            content,
            attachments: self.files,
            phone: None,
        }
    }
}

/// What has a file, and is it.
fn stored(kind: &str, attachment: &Value) -> Option<Attachment> {
    let payload = &attachment["payload"];
    let stored = match kind {
        "image" => file("photo.jpg", "image/jpeg", url(payload)?),
        "audio" => file("voice.mp3", "audio/mpeg", url(payload)?),
        "sticker" => file("sticker.png", "image/png", url(payload)?),
        "video" => {
            let token = payload["token"].as_str()?;
            file("video.mp4", "video/mp4", &format!("{VIDEO}{token}"))
        }
        "file" => {
            let name = attachment["filename"].as_str().unwrap_or("file");
            Attachment {
                size_bytes: attachment["size"].as_u64().unwrap_or_default(),
                ..file(name, "application/octet-stream", url(payload)?)
            }
        }
        _ => return None,
    };
    Some(stored)
}

fn url(payload: &Value) -> Option<&str> {
    payload["url"].as_str().filter(|url| !url.is_empty())
}

fn file(name: &str, media_type: &str, source: &str) -> Attachment {
    Attachment {
        file_name: name.to_owned(),
        media_type: media_type.to_owned(),
        source: Some(source.to_owned()),
        ..Attachment::default()
    }
}

/// What has no file, in words; of what was spoken, what MAX heard.
fn line(kind: &str, attachment: &Value) -> Option<String> {
    let text = |value: &Value| {
        let text = value.as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    match kind {
        "audio" => text(&attachment["transcription"]),
        "share" => text(&attachment["payload"]["url"]).or_else(|| text(&attachment["title"])),
        "location" => {
            let (latitude, longitude) = (
                attachment["latitude"].as_f64()?,
                attachment["longitude"].as_f64()?,
            );
            Some(format!("📍 {latitude}, {longitude}"))
        }
        "contact" => {
            let card = Card::of(&attachment["payload"]);
            text(&Value::from(
                format!("👤 {} {}", card.name, card.number).trim_end(),
            ))
        }
        _ => None,
    }
}

/// What is on a card.
struct Card {
    name: String,
    number: String,
}

impl Card {
    fn of(payload: &Value) -> Self {
        let vcf = payload["vcf_info"].as_str().unwrap_or_default();
        let info: Option<User> = serde_json::from_value(payload["max_info"].clone()).ok();
        let name = field(vcf, "FN").or_else(|| Some(info?.name()));
        Self {
            name: name.unwrap_or_default(),
            number: field(vcf, "TEL").unwrap_or_default(),
        }
    }
}

/// The first field of a name in a vCard.
fn field(vcf: &str, name: &str) -> Option<String> {
    vcf.lines().find_map(|line| {
        let (head, value) = line.split_once(':')?;
        let bare = head.split(';').next()?.trim();
        // A group may stand before it.
        let bare = bare.rsplit('.').next()?;
        let value = value.trim();
        (bare.eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}

/// A card. The number on it is the sender's own only if MAX signed it for this bot, and
/// not as somebody else's.
fn card(payload: &Value, from: &User, region: &str, token: &str) -> Said {
    let card = Card::of(payload);
    let is_own = is_own(payload, from, token);
    let phone = if is_own {
        // MAX leaves out the plus of its own users' numbers.
        phone(&international(&card.number), region, Trust::Proven)
    } else {
        let claimed = |number: &str| phone(number, region, Trust::Claimed);
        claimed(&card.number).or_else(|| claimed(&international(&card.number)))
    };
    let content = match &phone {
        Some(phone) => Content::ContactCard {
            display_name: card.name,
            identities: vec![phone.clone()],
        },
        None => Content::Text(Text::plain(
            format!("👤 {} {}", card.name, card.number).trim_end(),
        )),
    };
    Said {
        content,
        attachments: Vec::new(),
        phone: phone.filter(|_| is_own),
    }
}

fn is_own(payload: &Value, from: &User, token: &str) -> bool {
    let whose = &payload["max_info"]["user_id"];
    let is_senders = whose.is_null() || whose.as_i64() == Some(from.user_id);
    let vcf = payload["vcf_info"].as_str().unwrap_or_default();
    let hash = payload["hash"].as_str().unwrap_or_default();
    is_senders && !vcf.is_empty() && hook::is_code(hash, token, vcf.as_bytes())
}

fn international(number: &str) -> String {
    format!("+{}", number.trim_start_matches('+'))
}

fn phone(number: &str, region: &str, trust: Trust) -> Option<Identity> {
    let phone = identity("phone", number.to_owned(), trust);
    normalize(&phone, region).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "f9LHodD0cOJf4_DkJGeq8BkDgc5vgSwZ";
    const VCF: &str =
        "BEGIN:VCARD\r\nVERSION:3.0\r\nTEL;TYPE=cell:79161234567\r\nFN:Анна\r\nEND:VCARD\r\n";
    /// By another program: `openssl dgst -sha256 -hmac`.
    const HASH: &str = "cb3f771d7537b53f9af5b2a665f3f9c39298174a0e66d9e5a1bfefcdc6549eeb";

    fn anna() -> User {
        User {
            user_id: 7,
            ..User::default()
        }
    }

    fn proven(payload: &Value, token: &str) -> Option<String> {
        let said = card(payload, &anna(), "RU", token);
        said.phone.map(|phone| {
            assert_eq!(phone.trust, Trust::Proven);
            phone.value
        })
    }

    #[test]
    fn a_number_is_proven_by_the_bots_own_token() {
        let own = json!({"vcf_info": VCF, "hash": HASH, "max_info": {"user_id": 7}});
        let number = Some("+79161234567".to_owned());
        assert_eq!(proven(&own, TOKEN), number);
        let upper = json!({"vcf_info": VCF, "hash": HASH.to_uppercase()});
        assert_eq!(proven(&upper, TOKEN), number);
        assert_eq!(proven(&own, "another-token-of-another-bot"), None);
        assert_eq!(proven(&own, ""), None);
        for (name, value) in [
            ("hash", json!(null)),
            ("hash", json!("")),
            ("hash", json!("00")),
            ("vcf_info", json!(VCF.replace("4567", "4568"))),
            ("vcf_info", json!("")),
            ("max_info", json!({"user_id": 8})),
            ("max_info", json!({"user_id": "7"})),
        ] {
            let mut forged = own.clone();
            forged[name] = value;
            assert_eq!(proven(&forged, TOKEN), None, "{forged}");
        }
    }

    #[test]
    fn fields_of_cards_are_found() {
        assert_eq!(field(VCF, "FN").as_deref(), Some("Анна"));
        let grouped = "item1.tel;waid=1:+1 (212) 555-0100\nFN:";
        assert_eq!(field(grouped, "TEL").as_deref(), Some("+1 (212) 555-0100"));
        assert_eq!(field(grouped, "FN"), None);
        assert_eq!(field("", "TEL"), None);
    }
}
