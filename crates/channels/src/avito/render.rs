//! Ours to theirs. Pure.

use domain::message::{Action, Attachment};

use crate::SendError;
use crate::split::{pieces, split, utf16};

/// Letters of a text; counted by UTF-16 units, there are never more.
const TEXT_MAX: usize = 1_000;
pub(super) const PICTURE_BYTES_MAX: u64 = 24 << 20;
const PICTURES: [&str; 6] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/bmp",
    "image/heic",
    "image/x-ms-bmp",
];

/// Texts that are too long in pieces, and every picture by itself behind them.
pub(super) fn parts(action: Action) -> Vec<Action> {
    let Action::Send(mut whole) = action else {
        return vec![action];
    };
    let text = std::mem::take(&mut whole.text);
    let attachments = std::mem::take(&mut whole.attachments);
    let mut words = split(&text.plain, TEXT_MAX, utf16);
    words.retain(|words| !words.is_empty());
    let words = words.into_iter().map(|words| (words, Vec::new()));
    let files = attachments
        .into_iter()
        .map(|file| (String::new(), vec![file]));
    pieces(whole, words.chain(files).collect())
}

/// Avito takes no other files.
pub(super) fn check(file: &Attachment) -> Result<(), SendError> {
    let is_picture = PICTURES.contains(&file.media_type.as_str());
    if is_picture && file.size_bytes <= PICTURE_BYTES_MAX {
        return Ok(());
    }
    let told = "Avito takes no files but pictures (JPEG, PNG, GIF, BMP, HEIC) up to 24 MB";
    Err(SendError::Rejected {
        operator_text: format!("{}: {told}", file.file_name),
    })
}

/// A chat or a message by its name, as far as it can stand in a path.
pub(super) fn chat(name: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~.=:".contains(&byte);
    (!name.is_empty() && name.bytes().all(is_plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::message::{Text, ToSend};

    fn file(media_type: &str, size_bytes: u64) -> Attachment {
        Attachment {
            file_name: "a".to_owned(),
            media_type: media_type.to_owned(),
            size_bytes,
            ..Attachment::default()
        }
    }

    #[test]
    fn words_go_first_and_pictures_alone() {
        let shape = |text: &str, files: usize| {
            let action = Action::Send(ToSend {
                text: Text::plain(text),
                attachments: vec![file("image/png", 1); files],
                ..ToSend::default()
            });
            let shape = |part| {
                let Action::Send(sent) = part else {
                    panic!("{part:?}")
                };
                (sent.text.plain.chars().count(), sent.attachments.len())
            };
            parts(action).into_iter().map(shape).collect::<Vec<_>>()
        };
        assert_eq!(shape("Hi", 0), [(2, 0)]);
        assert_eq!(shape("Hi", 2), [(2, 0), (0, 1), (0, 1)]);
        assert_eq!(shape("", 1), [(0, 1)]);
        assert_eq!(shape(&"ы".repeat(1_001), 1), [(1_000, 0), (1, 0), (0, 1)]);
    }

    #[test]
    fn only_pictures_are_taken() {
        assert_eq!(check(&file("image/heic", PICTURE_BYTES_MAX)), Ok(()));
        for (media_type, size) in [
            ("image/png", PICTURE_BYTES_MAX + 1),
            ("image/webp", 1),
            ("application/pdf", 1),
        ] {
            let checked = check(&file(media_type, size));
            assert!(
                matches!(checked, Err(SendError::Rejected { .. })),
                "{media_type}"
            );
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_name() {
        assert_eq!(chat("u2i-Kz~x_1=="), Some("u2i-Kz~x_1=="));
        for name in ["", "a/b", "a?b", "a#b", "a%2f", "a b", "ы", "a\\b"] {
            assert_eq!(chat(name), None, "{name}");
        }
    }
}
