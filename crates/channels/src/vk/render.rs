//! Ours to theirs. Pure.

use domain::message::{Action, Attachment, Text};

use crate::split::{split, utf16};

/// UTF-16 units of a text.
const TEXT_MAX: usize = 4_096;
/// Files of a message.
const FILES_MAX: usize = 10;

/// Reactions, each under its number from 1.
const REACTIONS: [&str; 16] = [
    "❤", "🔥", "😂", "👍", "💩", "❓", "😭", "😡", "👎", "👌", "😃", "🤔", "🙏", "😘", "😍", "🎉",
];

/// What a reaction looks like, or its number when that is not known here.
pub(super) fn emoji(number: i64) -> String {
    let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
    let known = REACTIONS.get(index);
    known.map_or_else(|| format!("#{number}"), |emoji| (*emoji).to_owned())
}

/// The number of a reaction, if VK has it.
pub(super) fn reaction(emoji: &str) -> Option<usize> {
    // Whether it has a colour of its own is not a part of it.
    let bare = emoji.trim_end_matches('\u{fe0f}');
    let index = REACTIONS.iter().position(|known| *known == bare)?;
    Some(index + 1)
}

/// Texts that are too long in pieces, files by tens: the first of them with the last words.
pub(super) fn parts(action: Action) -> Vec<Action> {
    let Action::Send {
        text,
        attachments,
        reply_to,
        letter,
    } = action
    else {
        return vec![action];
    };
    let mut words = split(&text.plain, TEXT_MAX, utf16);
    words.retain(|words| !words.is_empty());
    let mut files = attachments.chunks(FILES_MAX).map(<[Attachment]>::to_vec);
    let mut parts: Vec<_> = words.into_iter().map(|words| (words, Vec::new())).collect();
    if let Some((_, last)) = parts.last_mut() {
        *last = files.next().unwrap_or_default();
    }
    parts.extend(files.map(|files| (String::new(), files)));
    // What is answered is told once.
    let (mut reply_to, mut letter) = (reply_to, letter);
    let send = |(words, attachments)| Action::Send {
        text: Text::plain(words),
        attachments,
        reply_to: reply_to.take(),
        letter: letter.take(),
    };
    parts.into_iter().map(send).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each part's length, how many files it has, and whether it answers something.
    fn shape(text: &str, files: usize) -> Vec<(usize, usize, bool)> {
        let action = Action::Send {
            text: Text::plain(text),
            attachments: vec![Attachment::default(); files],
            reply_to: Some("7/1".to_owned()),
            letter: None,
        };
        let shape = |part| {
            let Action::Send {
                text,
                attachments,
                reply_to,
                ..
            } = part
            else {
                panic!("{part:?}");
            };
            (
                text.plain.encode_utf16().count(),
                attachments.len(),
                reply_to.is_some(),
            )
        };
        parts(action).into_iter().map(shape).collect()
    }

    #[test]
    fn files_go_with_the_last_words() {
        assert_eq!(shape("Hi", 0), [(2, 0, true)]);
        assert_eq!(shape("Hi", 10), [(2, 10, true)]);
        assert_eq!(shape("Hi", 11), [(2, 10, true), (0, 1, false)]);
        assert_eq!(shape("", 12), [(0, 10, true), (0, 2, false)]);
        let long = "👍".repeat(2_049);
        assert_eq!(shape(&long, 1), [(4_096, 0, true), (2, 1, false)]);
    }

    #[test]
    fn reactions_are_numbers_and_back() {
        for number in 1..=16 {
            let back = reaction(&emoji(number)).and_then(|back| i64::try_from(back).ok());
            assert_eq!(back, Some(number));
        }
        assert_eq!(reaction("❤\u{fe0f}"), Some(1));
        assert_eq!(reaction("🦄"), None);
        assert_eq!(reaction(""), None);
        for unknown in [0, -1, 17, i64::MAX] {
            assert_eq!(emoji(unknown), format!("#{unknown}"));
        }
    }
}
