//! Ours to theirs. Pure.

use domain::message::{Action, Attachment, Outbound, ToSend};
use serde_json::{Value, json};

use crate::SendError;
use crate::split::{pieces, split, utf16};

/// UTF-16 units of a text, and of words under a file.
const TEXT_MAX: usize = 4_096;
const CAPTION_MAX: usize = 1_024;
/// A larger picture goes as a file.
const PHOTO_BYTES_MAX: u64 = 10 << 20;

/// One call.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) fields: Value,
    /// The file that goes with it, and by which field.
    pub(super) file: Option<(&'static str, Attachment)>,
    /// What the answer is: the message that was sent, or nothing of interest.
    pub(super) sends: bool,
}

/// Texts that are too long, and each file, by themselves.
pub(super) fn parts(action: Action) -> Vec<Action> {
    let Action::Send(mut whole) = action else {
        return vec![action];
    };
    let text = std::mem::take(&mut whole.text);
    let attachments = std::mem::take(&mut whole.attachments);
    let fits_below = text.plain.encode_utf16().count() <= CAPTION_MAX;
    let mut parts = Vec::new();
    let mut words = if attachments.is_empty() || !fits_below {
        split(&text.plain, TEXT_MAX, utf16)
    } else {
        Vec::new()
    };
    words.retain(|words| !words.is_empty());
    for words in words {
        parts.push((words, Vec::new()));
    }
    let mut caption = if fits_below {
        text.plain
    } else {
        String::new()
    };
    for file in attachments {
        parts.push((std::mem::take(&mut caption), vec![file]));
    }
    pieces(whole, parts)
}

pub(super) fn render(outbound: &Outbound) -> Result<Request, SendError> {
    let chat: i64 = outbound
        .recipient
        .thread_key
        .parse()
        .map_err(|_| rejected("the chat has no number"))?;
    let call = |method, fields| Request {
        method,
        fields,
        file: None,
        sends: false,
    };
    match &outbound.action {
        Action::Send(ToSend {
            text,
            attachments,
            reply_to,
            buttons,
            ..
        }) => {
            let mut request = match attachments.first() {
                Some(file) => with_file(chat, &text.plain, file),
                None => call("sendMessage", json!({"chat_id": chat, "text": text.plain})),
            };
            request.sends = true;
            if let Some(id) = reply_to.as_deref().and_then(id_of) {
                request.fields["reply_parameters"] =
                    json!({"message_id": id, "allow_sending_without_reply": true});
            }
            if !buttons.is_empty() {
                request.fields["reply_markup"] = keyboard(buttons);
            }
            Ok(request)
        }
        Action::Edit { target, text } => Ok(call(
            "editMessageText",
            json!({"chat_id": chat, "message_id": named(target)?, "text": text.plain}),
        )),
        Action::Delete { target } => Ok(call(
            "deleteMessage",
            json!({"chat_id": chat, "message_id": named(target)?}),
        )),
        Action::React { target, emoji } => {
            let reaction = match emoji.as_str() {
                "" => json!([]),
                emoji => json!([{"type": "emoji", "emoji": emoji}]),
            };
            let message = named(target)?;
            Ok(call(
                "setMessageReaction",
                json!({"chat_id": chat, "message_id": message, "reaction": reaction}),
            ))
        }
    }
}

fn with_file(chat: i64, caption: &str, file: &Attachment) -> Request {
    let is_small = file.size_bytes <= PHOTO_BYTES_MAX;
    let (method, field) = match file.media_type.as_str() {
        "image/jpeg" | "image/png" | "image/webp" if is_small => ("sendPhoto", "photo"),
        "audio/ogg" => ("sendVoice", "voice"),
        "audio/mpeg" | "audio/mp4" => ("sendAudio", "audio"),
        "video/mp4" => ("sendVideo", "video"),
        _ => ("sendDocument", "document"),
    };
    let mut fields = json!({"chat_id": chat});
    if !caption.is_empty() {
        fields["caption"] = json!(caption);
    }
    Request {
        method,
        fields,
        file: Some((field, file.clone())),
        sends: true,
    }
}

/// What we call a message: their numbers are good within a chat only.
pub(super) fn name(chat: i64, message: i64) -> String {
    format!("{chat}/{message}")
}

fn id_of(name: &str) -> Option<i64> {
    name.split_once('/')?.1.parse().ok()
}

fn named(target: &str) -> Result<i64, SendError> {
    id_of(target).ok_or_else(|| rejected("Telegram does not know this message"))
}

fn rejected(operator_text: &str) -> SendError {
    SendError::Rejected {
        operator_text: operator_text.to_owned(),
    }
}

/// Bytes of what a press brings.
const DATA_MAX: usize = 64;

/// Buttons, each on a line of its own; what is pressed says its own words.
fn keyboard(buttons: &[String]) -> Value {
    let data = |label: &str| label[..label.floor_char_boundary(DATA_MAX)].to_owned();
    let row = |label: &String| json!([{"text": label, "callback_data": data(label)}]);
    json!({"inline_keyboard": buttons.iter().map(row).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::message::Text;

    fn send(text: &str, files: &[&str]) -> Action {
        let file = |name: &&str| Attachment {
            file_name: (*name).to_owned(),
            ..Attachment::default()
        };
        Action::Send(ToSend {
            text: Text::plain(text),
            attachments: files.iter().map(file).collect(),
            reply_to: Some("7/1".to_owned()),
            ..ToSend::default()
        })
    }

    /// Each part's length, file, and whether it answers something.
    fn shape(action: Action) -> Vec<(usize, Option<String>, bool)> {
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
            let file = attachments.first().map(|file| file.file_name.clone());
            (text.plain.encode_utf16().count(), file, reply_to.is_some())
        };
        parts(action).into_iter().map(shape).collect()
    }

    #[test]
    fn words_go_below_the_first_file_where_they_fit() {
        let file = |name: &str| Some(name.to_owned());
        assert_eq!(shape(send("Hi", &[])), [(2, None, true)]);
        assert_eq!(
            shape(send("Hi", &["a", "b"])),
            [(2, file("a"), true), (0, file("b"), false)]
        );
        assert_eq!(shape(send("", &["a"])), [(0, file("a"), true)]);
        let long = "ы".repeat(1_025);
        assert_eq!(
            shape(send(&long, &["a"])),
            [(1_025, None, true), (0, file("a"), false)]
        );
        let longer = "👍".repeat(2_049);
        assert_eq!(
            shape(send(&longer, &[])),
            [(4_096, None, true), (2, None, false)]
        );
    }

    #[test]
    fn what_is_pressed_says_its_own_words() {
        let label = "Да, завтра".to_owned();
        assert_eq!(
            keyboard(&[label.clone(), "No".to_owned()]),
            json!({"inline_keyboard": [
                [{"text": label, "callback_data": label}],
                [{"text": "No", "callback_data": "No"}],
            ]})
        );
    }
}
