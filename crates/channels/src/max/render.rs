//! Ours to theirs. Pure.

use domain::message::{Action, Attachment, Text};
use serde_json::{Value, json};

use crate::split::with_files;

/// UTF-16 units of a text.
const TEXT_MAX: usize = 4_000;
/// Pictures and videos of a message.
const FILES_MAX: usize = 12;
/// A larger picture goes as a file.
const IMAGE_BYTES_MAX: u64 = 50 << 20;

/// How MAX takes a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Image,
    Video,
    Audio,
    File,
}

/// What a message says, as far as it can be known again.
pub(super) struct Words<'a> {
    pub(super) text: &'a str,
    pub(super) kinds: Vec<Way>,
}

impl Way {
    pub(super) fn of(file: &Attachment) -> Self {
        match file.media_type.as_str() {
            "image/jpeg" | "image/png" | "image/gif" | "image/bmp" | "image/tiff"
            | "image/heic"
                if file.size_bytes <= IMAGE_BYTES_MAX =>
            {
                Self::Image
            }
            "video/mp4" | "video/quicktime" | "video/webm" | "video/x-matroska" => Self::Video,
            "audio/mpeg" | "audio/mp4" | "audio/x-m4a" | "audio/wav" | "audio/x-wav" => Self::Audio,
            _ => Self::File,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
        }
    }

    /// Whether it may be with others in a message.
    fn is_sociable(self) -> bool {
        matches!(self, Self::Image | Self::Video)
    }
}

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a Text, files: &[Attachment]) -> Self {
        Self {
            text: &text.plain,
            kinds: files.iter().map(Way::of).collect(),
        }
    }
}

/// Texts that are too long in pieces; pictures and videos by twelves, every other file by
/// itself, the first of them with the last words.
pub(super) fn parts(action: Action) -> Vec<Action> {
    match action {
        Action::Send(whole) => with_files(whole, TEXT_MAX, together),
        Action::Edit { .. } | Action::Delete { .. } | Action::React { .. } => vec![action],
    }
}

/// Buttons below a message, each on a line of its own: an attachment like others. What is
/// pressed says its own words.
pub(super) fn keyboard(buttons: &[String]) -> Value {
    let row = |label: &String| json!([{"type": "callback", "text": label, "payload": label}]);
    let rows: Vec<Value> = buttons.iter().map(row).collect();
    json!({"type": "inline_keyboard", "payload": {"buttons": rows}})
}

/// Files that go together, in their order.
fn together(files: Vec<Attachment>) -> Vec<Vec<Attachment>> {
    let mut groups: Vec<Vec<Attachment>> = Vec::new();
    for file in files {
        let joins = |group: &&mut Vec<Attachment>| {
            let is_sociable = group.iter().all(|other| Way::of(other).is_sociable());
            is_sociable && Way::of(&file).is_sociable() && group.len() < FILES_MAX
        };
        match groups.last_mut().filter(joins) {
            Some(group) => group.push(file),
            None => groups.push(vec![file]),
        }
    }
    groups
}

/// A message as MAX takes it. What is not there is said to be nothing, as the schema has it:
/// of a message that is changed it stays as it is.
pub(super) fn message(text: &str, attachments: Vec<Value>, reply_to: Option<&str>) -> Value {
    let text = Some(text).filter(|text| !text.is_empty());
    let attachments = Some(attachments).filter(|attachments| !attachments.is_empty());
    let link = reply_to.map(|mid| json!({"type": "reply", "mid": mid}));
    json!({"text": text, "attachments": attachments, "link": link})
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::message::ToSend;

    fn file(media_type: &str) -> Attachment {
        Attachment {
            media_type: media_type.to_owned(),
            ..Attachment::default()
        }
    }

    /// Each part's length, how many files it has, and whether it answers something.
    fn shape(text: &str, files: &[&str]) -> Vec<(usize, usize, bool)> {
        let action = Action::Send(ToSend {
            text: Text::plain(text),
            attachments: files.iter().map(|kind| file(kind)).collect(),
            reply_to: Some("mid.1".to_owned()),
            ..ToSend::default()
        });
        let shape = |part| {
            let Action::Send(ToSend {
                text,
                attachments,
                reply_to,
                ..
            }) = part
            else {
                panic!("{part:?}");
            };
            let length = text.plain.encode_utf16().count();
            (length, attachments.len(), reply_to.is_some())
        };
        parts(action).into_iter().map(shape).collect()
    }

    #[test]
    fn pictures_go_together_and_files_alone() {
        let (png, mp4, pdf, mp3) = ("image/png", "video/mp4", "application/pdf", "audio/mpeg");
        assert_eq!(shape("Hi", &[]), [(2, 0, true)]);
        assert_eq!(shape("Hi", &[png, mp4]), [(2, 2, true)]);
        assert_eq!(shape("", &[pdf, pdf]), [(0, 1, true), (0, 1, false)]);
        assert_eq!(
            shape("Hi", &[png, pdf, png, png, mp3]),
            [(2, 1, true), (0, 1, false), (0, 2, false), (0, 1, false)]
        );
        assert_eq!(shape("", &[png; 13]), [(0, 12, true), (0, 1, false)]);
        let long = "👍".repeat(2_001);
        assert_eq!(shape(&long, &[png]), [(4_000, 0, true), (2, 1, false)]);
    }

    #[test]
    fn a_picture_that_is_too_large_is_a_file() {
        let mut picture = file("image/jpeg");
        assert_eq!(Way::of(&picture), Way::Image);
        picture.size_bytes = IMAGE_BYTES_MAX + 1;
        assert_eq!(Way::of(&picture), Way::File);
        assert_eq!(Way::of(&file("image/webp")), Way::File);
    }

    #[test]
    fn what_is_not_there_is_said_to_be_nothing() {
        let bare = json!({"text": "Hi", "attachments": null, "link": null});
        assert_eq!(message("Hi", Vec::new(), None), bare);
        let full = json!({"text": null, "attachments": [{"type": "image"}],
            "link": {"type": "reply", "mid": "mid.1"}});
        let picture = vec![json!({"type": "image"})];
        assert_eq!(message("", picture, Some("mid.1")), full);
    }

    #[test]
    fn what_is_pressed_says_its_own_words() {
        assert_eq!(
            keyboard(&["Да".to_owned()]),
            json!({"type": "inline_keyboard", "payload": {"buttons": [
                [{"type": "callback", "text": "Да", "payload": "Да"}],
            ]}})
        );
    }
}
