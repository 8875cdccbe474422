//! Ours to theirs. Pure.

use domain::message::{Action, Attachment, Text};
use serde_json::{Value, json};

use crate::split::with_files;

/// UTF-16 units of a text.
const TEXT_MAX: usize = 4_000;
/// Files of a message.
const FILES_MAX: usize = 5;

/// How OK takes a file.
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
            "image/jpeg" | "image/png" | "image/gif" => Self::Image,
            "video/mp4" | "video/quicktime" | "video/webm" | "video/x-matroska" => Self::Video,
            "audio/mpeg" | "audio/mp4" | "audio/x-m4a" | "audio/wav" | "audio/x-wav" => Self::Audio,
            _ => Self::File,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Image => "IMAGE",
            Self::Video => "VIDEO",
            Self::Audio => "AUDIO",
            Self::File => "FILE",
        }
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

/// Texts that are too long in pieces; files by five, the first of them with the last words.
pub(super) fn parts(action: Action) -> Vec<Action> {
    match action {
        Action::Send(whole) => with_files(whole, TEXT_MAX, |files| {
            files
                .chunks(FILES_MAX)
                .map(<[Attachment]>::to_vec)
                .collect()
        }),
        Action::Edit { .. } | Action::Delete { .. } | Action::React { .. } => vec![action],
    }
}

/// A message as OK takes it.
pub(super) fn message(text: &str, attachments: &[Value], reply_to: Option<&str>) -> Value {
    let mut message = json!({});
    if !text.is_empty() {
        message["text"] = json!(text);
    }
    if !attachments.is_empty() {
        message["attachments"] = json!(attachments);
    }
    if let Some(mid) = reply_to {
        message["reply_to"] = json!(mid);
    }
    message
}

/// Buttons below a message, each on a line of its own: an attachment like others. What is
/// pressed says its own words.
pub(super) fn keyboard(buttons: &[String]) -> Value {
    let row = |label: &String| json!([{"type": "CALLBACK", "text": label, "intent": "DEFAULT", "payload": label}]);
    let rows: Vec<Value> = buttons.iter().map(row).collect();
    json!({"type": "INLINE_KEYBOARD", "payload": {"keyboard": {"buttons": rows}}})
}

/// Whom a thread's messages go to, as OK takes it.
pub(super) fn recipient(thread_key: &str) -> Option<Value> {
    let is_id = |id: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        !id.is_empty() && id.bytes().all(is_plain)
    };
    match thread_key.split_once(':')? {
        ("chat", id) if is_id(id) => Some(json!({ "chat_id": thread_key })),
        ("user", id) if is_id(id) => Some(json!({ "user_id": thread_key })),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::message::ToSend;

    /// Each part's length, how many files it has, and whether it answers something.
    fn shape(text: &str, files: usize) -> Vec<(usize, usize, bool)> {
        let action = Action::Send(ToSend {
            text: Text::plain(text),
            attachments: vec![Attachment::default(); files],
            reply_to: Some("mid:C1.2".to_owned()),
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
    fn files_go_by_five() {
        assert_eq!(shape("Hi", 0), [(2, 0, true)]);
        assert_eq!(shape("Hi", 5), [(2, 5, true)]);
        assert_eq!(shape("Hi", 6), [(2, 5, true), (0, 1, false)]);
        assert_eq!(shape("", 6), [(0, 5, true), (0, 1, false)]);
        let long = "👍".repeat(2_001);
        assert_eq!(shape(&long, 1), [(4_000, 0, true), (2, 1, false)]);
    }

    #[test]
    fn what_is_not_there_is_not_said() {
        assert_eq!(message("Hi", &[], None), json!({"text": "Hi"}));
        let picture = json!({"type": "IMAGE"});
        assert_eq!(
            message("", std::slice::from_ref(&picture), Some("mid:C1.2")),
            json!({"attachments": [picture], "reply_to": "mid:C1.2"})
        );
    }

    #[test]
    fn messages_go_to_chats_and_persons_only() {
        let chat = recipient("chat:C3ecb9d02a600").unwrap();
        assert_eq!(chat, json!({"chat_id": "chat:C3ecb9d02a600"}));
        assert_eq!(recipient("user:7").unwrap(), json!({"user_id": "user:7"}));
        for other in [
            "",
            "7",
            "chat:",
            "group:7",
            "chat:../me/info",
            "chat:C1/url",
        ] {
            assert_eq!(recipient(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_pressed_says_its_own_words() {
        assert_eq!(
            keyboard(&["Да".to_owned()]),
            json!({"type": "INLINE_KEYBOARD", "payload": {"keyboard": {"buttons": [
                [{"type": "CALLBACK", "text": "Да", "intent": "DEFAULT", "payload": "Да"}],
            ]}}})
        );
    }
}
