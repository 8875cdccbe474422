//! Cuts a message into what a provider takes at a time.

use domain::message::{Action, Attachment, Text, ToSend};

/// Where a text is cut rather than within a word, the best first.
const PLACES: [&str; 5] = ["\n\n", "\n", ". ", ", ", " "];
/// A piece is not cut before this part of it for the sake of a better place.
const LEAST: usize = 2;

/// Pieces of at most `max`, as `length` measures letters. Nothing is left out but blanks
/// at the cuts.
pub(crate) fn split(text: &str, max: usize, length: fn(char) -> usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_end();
    loop {
        let end = fits(rest, max.max(1), length);
        if end == rest.len() {
            pieces.push(rest.to_owned());
            return pieces;
        }
        let cut = place(rest, end);
        let (piece, behind) = rest.split_at(cut);
        pieces.push(piece.trim_end().to_owned());
        rest = behind.trim_start_matches([' ', '\n']);
    }
}

/// A message in pieces of words and files: what it answers goes with the first, and the
/// buttons with the last.
pub(crate) fn pieces(mut whole: ToSend, pieces: Vec<(String, Vec<Attachment>)>) -> Vec<Action> {
    let last = pieces.len().saturating_sub(1);
    let piece = |(index, (words, attachments))| {
        let buttons = if index == last {
            std::mem::take(&mut whole.buttons)
        } else {
            Vec::new()
        };
        Action::Send(ToSend {
            text: Text::plain(words),
            attachments,
            reply_to: whole.reply_to.take(),
            letter: whole.letter.take(),
            buttons,
            template: whole.template.take(),
        })
    };
    pieces.into_iter().enumerate().map(piece).collect()
}

/// Words in pieces, and files in groups behind them, the first of which goes with the last
/// words. Buttons stand below words alone, behind the files.
pub(crate) fn with_files(
    mut whole: ToSend,
    text_max: usize,
    groups: impl Fn(Vec<Attachment>) -> Vec<Vec<Attachment>>,
) -> Vec<Action> {
    let text = std::mem::take(&mut whole.text).plain;
    let files = groups(std::mem::take(&mut whole.attachments)).into_iter();
    let words = split(&text, text_max, utf16).into_iter();
    let words = words.filter(|words| !words.is_empty());
    let words = words.map(|words| (words, Vec::new()));
    let mut files = files.map(|files| (String::new(), files));
    if !whole.buttons.is_empty() {
        return pieces(whole, files.chain(words).collect());
    }
    let mut parts: Vec<_> = words.collect();
    if let Some((_, last)) = parts.last_mut() {
        *last = files.next().unwrap_or_default().1;
    }
    parts.extend(files);
    pieces(whole, parts)
}

/// UTF-16 units, by which most messengers count.
pub(crate) fn utf16(letter: char) -> usize {
    letter.len_utf16()
}

/// How much of a text fits: at least a letter, with what belongs to it where possible.
fn fits(text: &str, max: usize, length: fn(char) -> usize) -> usize {
    let mut used = 0;
    let mut whole = 0;
    let mut before = None;
    for (at, letter) in text.char_indices() {
        if !belongs(before, letter) {
            whole = at;
        }
        used += length(letter);
        if used > max {
            let first = text.chars().next().map_or(0, char::len_utf8);
            return if whole > 0 { whole } else { at.max(first) };
        }
        before = Some(letter);
    }
    text.len()
}

/// Whether a letter is shown as one with what is before it.
fn belongs(before: Option<char>, letter: char) -> bool {
    let joins = |c: char| {
        matches!(c,
            '\u{200d}' | '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20e3}' | '\u{e0020}'..='\u{e007f}')
    };
    before.is_some_and(|before| before == '\u{200d}' || joins(letter))
}

/// The best place to cut before an end.
fn place(text: &str, end: usize) -> usize {
    // A blank behind it costs nothing: it is left out.
    let blank = usize::from(text[end..].starts_with([' ', '\n']));
    let piece = &text[..end + blank];
    let least = end / LEAST;
    let mut cuts = PLACES.iter().filter_map(|mark| {
        let cut = piece.rfind(mark)? + mark.len();
        (cut > least).then_some(cut)
    });
    cuts.next().unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_one_piece() {
        assert_eq!(split("", 10, utf16), [""]);
        assert_eq!(split("ten letter", 10, utf16), ["ten letter"]);
    }

    #[test]
    fn cuts_are_between_sentences_or_words() {
        assert_eq!(
            split("One. Two three four", 14, utf16),
            ["One. Two three", "four"]
        );
        assert_eq!(split("first\n\nsecond", 9, utf16), ["first", "second"]);
        assert_eq!(split("abcdefghij", 4, utf16), ["abcd", "efgh", "ij"]);
    }

    #[test]
    fn no_sign_is_cut() {
        // A family of three, and a flag: each several letters.
        let family = "👨\u{200d}👩\u{200d}👧";
        let pieces = split(&family.repeat(3), 10, utf16);
        assert_eq!(pieces, [family; 3]);
        assert!(
            pieces
                .iter()
                .all(|piece| piece.encode_utf16().count() <= 10)
        );
        // What alone is too long goes in pieces for all that.
        assert_eq!(split(family, 1, |_| 1).len(), 5);
    }

    #[test]
    fn the_first_files_go_with_the_last_words_and_buttons_below_words_alone() {
        let shape = |buttons: &[&str]| {
            let whole = ToSend {
                text: Text::plain("One. Two three four"),
                attachments: vec![Attachment::default(); 3],
                reply_to: Some("1".to_owned()),
                buttons: buttons.iter().map(|label| (*label).to_owned()).collect(),
                ..ToSend::default()
            };
            let pairs = |files: Vec<_>| files.chunks(2).map(<[_]>::to_vec).collect();
            let parts = with_files(whole, 14, pairs).into_iter();
            let shape = |part| {
                let Action::Send(sent) = part else {
                    panic!("{part:?}");
                };
                let (files, answers) = (sent.attachments.len(), sent.reply_to.is_some());
                (sent.text.plain, files, answers, sent.buttons.len())
            };
            parts.map(shape).collect::<Vec<_>>()
        };
        let part = |text: &str, files, answers, buttons| (text.to_owned(), files, answers, buttons);
        assert_eq!(
            shape(&[]),
            [
                part("One. Two three", 0, true, 0),
                part("four", 2, false, 0),
                part("", 1, false, 0),
            ]
        );
        assert_eq!(
            shape(&["Yes", "No"]),
            [
                part("", 2, true, 0),
                part("", 1, false, 0),
                part("One. Two three", 0, false, 0),
                part("four", 0, false, 2),
            ]
        );
    }

    #[test]
    fn nothing_is_left_out() {
        let text = "слово, ".repeat(2_000);
        let pieces = split(&text, 100, utf16);
        assert!(
            pieces
                .iter()
                .all(|piece| piece.encode_utf16().count() <= 100)
        );
        let letters = |text: &str| {
            text.chars()
                .filter(|c| !c.is_whitespace())
                .collect::<String>()
        };
        assert_eq!(letters(&pieces.concat()), letters(&text));
    }
}
