//! Ours to theirs. Pure.

use domain::MessageId;
use domain::message::{Action, Attachment, Outbound, Part, ToSend};
use serde_json::{Value, json};

use super::config::{Sender, shortened};
use crate::SendError;
use crate::split::{pieces, split, utf16};

/// Of a text, and of words below a picture. The longest text is well below the 30 KB that
/// a call may have.
pub(super) const TEXT_MAX: usize = 7_000;
const CAPTION_MAX: usize = 768;
pub(super) const NAME_MAX: usize = 28;
/// A larger picture or video goes as a file.
const PICTURE_BYTES_MAX: u64 = 1 << 20;
const VIDEO_BYTES_MAX: u64 = 26 << 20;
const MARK: &str = "message ";
/// Of the end of a file's name.
const ENDING_MAX: usize = 10;

/// Texts that are too long, and each file, by themselves.
pub(super) fn parts(action: Action) -> Vec<Action> {
    let Action::Send(mut whole) = action else {
        return vec![action];
    };
    let text = std::mem::take(&mut whole.text);
    let attachments = std::mem::take(&mut whole.attachments);
    let fits = text.plain.encode_utf16().count() <= CAPTION_MAX;
    let goes_below = fits
        && attachments
            .first()
            .is_some_and(|file| kind(file).0 == "picture");
    let mut caption = String::new();
    let mut parts = Vec::new();
    if goes_below {
        caption = text.plain;
    } else {
        let words = split(&text.plain, TEXT_MAX, utf16).into_iter();
        let words = words.filter(|words| !words.is_empty());
        parts.extend(words.map(|words| (words, Vec::new())));
    }
    for file in attachments {
        parts.push((std::mem::take(&mut caption), vec![file]));
    }
    pieces(whole, parts)
}

/// The fields of `send_message`. `link` tells where a file can be fetched.
pub(super) fn render(
    outbound: &Outbound,
    sender: &Sender,
    link: impl Fn(&Attachment) -> String,
) -> Result<Value, SendError> {
    // A bot can neither change nor take back anything, nor react.
    let Action::Send(ToSend {
        text,
        attachments,
        buttons,
        ..
    }) = &outbound.action
    else {
        return Err(SendError::Unsupported);
    };
    let mut fields = match attachments.first() {
        Some(file) => with_file(&text.plain, file, link),
        None => json!({"type": "text", "text": text.plain}),
    };
    let name = Some(&outbound.author_name);
    let name = name.filter(|name| sender.is_operator && !outbound.automatic && !name.is_empty());
    let name = name.map_or_else(|| sender.name.clone(), |name| shortened(name));
    fields["receiver"] = json!(outbound.recipient.thread_key);
    fields["min_api_version"] = json!(1);
    fields["sender"] = shown(&name, sender);
    // It comes back with the client's next message: then all of ours has arrived.
    if outbound.part.is_none_or(Part::is_last) {
        fields["tracking_data"] = json!(mark(outbound.message));
    }
    if !buttons.is_empty() {
        fields["min_api_version"] = json!(3);
        fields["keyboard"] = keyboard(buttons);
    }
    Ok(fields)
}

/// Buttons below the chat; what is pressed is said by the client, and they are gone.
fn keyboard(buttons: &[String]) -> Value {
    let button = |label: &String| {
        let (text, said) = (shown_in_html(label), label);
        json!({"ActionType": "reply", "ActionBody": said, "Text": text, "Columns": 6, "Rows": 1})
    };
    json!({
        "Type": "keyboard",
        "DefaultHeight": false,
        "Buttons": buttons.iter().map(button).collect::<Vec<_>>(),
    })
}

/// A label, where tags would be read as such.
fn shown_in_html(label: &str) -> String {
    label
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// What goes along with a message.
fn mark(message: MessageId) -> String {
    format!("{MARK}{message}")
}

/// The message that something went along with, where it is ours.
pub(super) fn marked(given: &str) -> Option<MessageId> {
    given.strip_prefix(MARK)?.parse().ok()
}

/// The answer to somebody who opens the chat for the first time.
pub(super) fn welcome(sender: &Sender, text: &str) -> Value {
    json!({
        "type": "text", "text": text, "min_api_version": 1, "sender": shown(&sender.name, sender),
    })
}

fn shown(name: &str, sender: &Sender) -> Value {
    let mut shown = json!({"name": name});
    if let Some(avatar) = &sender.avatar {
        shown["avatar"] = json!(avatar);
    }
    shown
}

fn with_file(caption: &str, file: &Attachment, link: impl Fn(&Attachment) -> String) -> Value {
    let (kind, name) = kind(file);
    // Viber tells by the end of the address what it is.
    let media = link(&Attachment {
        file_name: name,
        ..file.clone()
    });
    let mut fields = json!({"type": kind, "media": media});
    match kind {
        "picture" => fields["text"] = json!(caption),
        "video" => fields["size"] = json!(file.size_bytes),
        _ => {
            fields["size"] = json!(file.size_bytes);
            fields["file_name"] = json!(file.file_name);
        }
    }
    fields
}

/// As what a file goes, and what its address ends with.
fn kind(file: &Attachment) -> (&'static str, String) {
    let within = |max| file.size_bytes <= max;
    match file.media_type.as_str() {
        "image/jpeg" if within(PICTURE_BYTES_MAX) => ("picture", "picture.jpeg".to_owned()),
        "image/png" if within(PICTURE_BYTES_MAX) => ("picture", "picture.png".to_owned()),
        "video/mp4" if within(VIDEO_BYTES_MAX) => ("video", "video.mp4".to_owned()),
        _ => ("file", format!("file{}", ending(&file.file_name))),
    }
}

/// What a name ends with, with the dot.
fn ending(name: &str) -> String {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_plain = ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_plain || ending.is_empty() || ending.len() > ENDING_MAX {
        return String::new();
    }
    format!(".{ending}")
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
