//! Ours to theirs. Pure.

use domain::message::{Action, Attachment};

use serde_json::{Value, json};

use crate::split::with_files;

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

/// Buttons below a message, two in a row; what is pressed says its own words.
pub(super) fn keyboard(buttons: &[String]) -> Value {
    let button = |label: &String| {
        let payload = json!({ "answer": label }).to_string();
        json!({"action": {"type": "text", "label": label, "payload": payload}})
    };
    let row = |labels: &[String]| labels.iter().map(button).collect::<Vec<_>>();
    json!({"inline": true, "buttons": buttons.chunks(2).map(row).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::message::{Text, ToSend};

    /// Each part's length, how many files it has, and whether it answers something.
    fn shape(text: &str, files: usize) -> Vec<(usize, usize, bool)> {
        let action = Action::Send(ToSend {
            text: Text::plain(text),
            attachments: vec![Attachment::default(); files],
            reply_to: Some("7/1".to_owned()),
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

    #[test]
    fn buttons_stand_below_the_last_words_two_in_a_row() {
        let buttons = ["a", "b", "c"].map(str::to_owned);
        let told = keyboard(&buttons);
        let rows = told["buttons"].as_array().unwrap();
        assert_eq!(
            rows.iter()
                .map(|row| row.as_array().unwrap().len())
                .collect::<Vec<_>>(),
            [2, 1]
        );
        assert_eq!(
            rows[1][0],
            json!({"action": {"type": "text", "label": "c", "payload": "{\"answer\":\"c\"}"}})
        );
        let action = Action::Send(ToSend {
            text: Text::plain("x".repeat(5_000)),
            buttons: buttons.to_vec(),
            ..ToSend::default()
        });
        let with_buttons =
            |part: &Action| matches!(part, Action::Send(sent) if sent.buttons.len() == 3);
        let parts: Vec<bool> = parts(action).iter().map(with_buttons).collect();
        assert_eq!(parts, [false, true]);
    }
}
