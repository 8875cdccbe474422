//! Ours to theirs. Pure.

use domain::MessageId;
use domain::message::{Action, Attachment, Outbound, Part};
use serde_json::{Value, json};

use super::Platform;
use super::platform::Files;
use crate::SendError;
use crate::split::{pieces, split};

/// Stands before what goes along with a message.
const MARK: &str = "message ";
const IMAGE_BYTES_MAX: u64 = 8 << 20;

/// Texts that are too long, and each file, by themselves: a message has words or a file.
pub(super) fn parts(action: Action, text_max: usize, length: fn(char) -> usize) -> Vec<Action> {
    let Action::Send(mut whole) = action else {
        return vec![action];
    };
    let text = std::mem::take(&mut whole.text);
    let attachments = std::mem::take(&mut whole.attachments);
    let words = split(&text.plain, text_max, length).into_iter();
    let words = words.filter(|words| !words.is_empty());
    let words = words.map(|words| (words, Vec::new()));
    let files = attachments
        .into_iter()
        .map(|file| (String::new(), vec![file]));
    pieces(whole, words.chain(files).collect())
}

/// What goes along with a message, and comes back in its echo.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) message: MessageId,
    /// The message is whole with it.
    pub(super) is_last: bool,
}

impl Mark {
    fn of(outbound: &Outbound) -> String {
        let (number, of) = outbound.part.map_or((1, 1), |part| (part.number, part.of));
        format!("{MARK}{} {number} {of}", outbound.message)
    }

    /// None where it is not of ours.
    pub(super) fn read(given: &str) -> Option<Self> {
        let mut numbers = given.strip_prefix(MARK)?.splitn(3, ' ');
        let message = numbers.next()?.parse().ok()?;
        let (number, of) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        let is_last = Part { number, of }.is_last();
        Some(Self { message, is_last })
    }
}

/// A message without its file.
pub(super) fn render(outbound: &Outbound, platform: &Platform) -> Result<Value, SendError> {
    // Neither can change or take back anything.
    let Action::Send(sent) = &outbound.action else {
        return Err(SendError::Unsupported);
    };
    let mut fields = json!({
        "recipient": {"id": outbound.recipient.thread_key},
        "messaging_type": "RESPONSE",
        "message": {},
    });
    let message = &mut fields["message"];
    if !sent.text.plain.is_empty() {
        message["text"] = json!(sent.text.plain);
    }
    if platform.gives_back {
        message["metadata"] = json!(Mark::of(outbound));
    }
    if !sent.buttons.is_empty() {
        let offer =
            |label: &String| json!({"content_type": "text", "title": label, "payload": label});
        message["quick_replies"] = sent.buttons.iter().map(offer).collect();
    }
    if let Some(answered) = &sent.reply_to {
        fields["reply_to"] = json!({"mid": answered});
    }
    Ok(fields)
}

/// As a person's own answer, which is taken for longer.
pub(super) fn by_a_person(fields: &mut Value) {
    fields["messaging_type"] = json!("MESSAGE_TAG");
    fields["tag"] = json!("HUMAN_AGENT");
}

/// As what a file goes, or why it does not.
pub(super) fn kind(file: &Attachment, files: Files) -> Result<&'static str, SendError> {
    let (class, kind) = file.media_type.split_once('/').unwrap_or_default();
    let is_picture = matches!(kind, "jpeg" | "png" | "gif") && class == "image";
    let is_small = file.size_bytes <= IMAGE_BYTES_MAX;
    let named = match (files, class) {
        (_, "image") if is_picture && is_small => Some("image"),
        (_, "audio") => Some("audio"),
        (_, "video") => Some("video"),
        (Files::Uploaded, _) => Some("file"),
        (Files::Linked, _) if file.media_type == "application/pdf" => Some("file"),
        (Files::Linked, _) => None,
    };
    named.ok_or_else(|| SendError::Rejected {
        operator_text: format!(
            "{}: Instagram takes JPEG, PNG and GIF pictures up to 8 MB, audio, video and PDF",
            file.file_name
        ),
    })
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
