//! From bytes to characters: as declared, and by a guess where that is missing or wrong.

use encoding_rs::{Encoding, KOI8_R, REPLACEMENT, UTF_8, WINDOWS_1251, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

/// Decodes bytes of a text whose character set is declared as `label`, if it is.
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> String {
    let label = label.map(|label| label.trim().trim_matches(['"', '\'']).to_ascii_lowercase());
    let label = label.as_deref().unwrap_or_default();
    if label.starts_with("utf-7") || label == "unicode-1-1-utf-7" {
        let decode = charset_decoder(b"utf-7");
        return decode.map_or_else(|| guess(bytes), |decode| decode(bytes));
    }
    let says_nothing = matches!(
        label,
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "utf-8" | "utf8" | "unknown-8bit"
    );
    match Encoding::for_label(label.as_bytes()).filter(|it| *it != REPLACEMENT) {
        Some(declared) if !says_nothing && declared != UTF_8 => {
            // Programs between that decode a text and forget to say so.
            if declared.is_single_byte() && is_surely_utf8(bytes) {
                return guess(bytes);
            }
            declared.decode(bytes).0.into_owned()
        }
        Some(_) => guess(bytes),
        None => match charset_decoder(label.as_bytes()) {
            Some(decode) if !says_nothing => decode(bytes),
            Some(_) | None => guess(bytes),
        },
    }
}

/// Decodes bytes of which nothing is known, or nothing true.
pub(super) fn guess(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => return text.to_owned(),
        // The text was cut within a character.
        Err(error) if error.error_len().is_none() => {
            return String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        }
        Err(_) => {}
    }
    let (good, bad) = count_utf8(bytes);
    let encoding = if good > 4 * bad {
        UTF_8
    } else if is_cyrillic(bytes) {
        cyrillic(bytes)
    } else {
        WINDOWS_1252
    };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

fn is_surely_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.is_ascii())
}

/// Characters of several bytes that are UTF-8, and bytes that are not.
fn count_utf8(bytes: &[u8]) -> (usize, usize) {
    bytes.utf8_chunks().fold((0, 0), |(good, bad), chunk| {
        let valid = chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        (good + valid, bad + chunk.invalid().len())
    })
}

/// Whether the bytes above ASCII stand together as letters of words do; in western
/// languages most stand alone.
fn is_cyrillic(bytes: &[u8]) -> bool {
    let high = |at: usize| bytes.get(at).is_some_and(|byte| *byte >= 0xa0);
    let (mut together, mut all) = (0, 0);
    for at in (0..bytes.len()).filter(|at| high(*at)) {
        all += 1;
        together += usize::from(high(at + 1) || (at > 0 && high(at - 1)));
    }
    2 * together > all
}

/// The one in which the bytes read more like Russian.
fn cyrillic(bytes: &[u8]) -> &'static Encoding {
    let sample = &bytes[..bytes.len().min(4 << 10)];
    let score =
        |encoding: &'static Encoding| russian(&encoding.decode_without_bom_handling(sample).0);
    if score(KOI8_R) > score(WINDOWS_1251) {
        KOI8_R
    } else {
        WINDOWS_1251
    }
}

/// How much a text is like Russian: by pairs of letters that are common, by letters that
/// are, and by where capitals stand: what is a small letter in one of the two sets is a
/// capital in the other.
fn russian(text: &str) -> usize {
    const PAIRS: &str = "ст но то на ен ов ни ра во ко ал ли по ос пр ро ре ан ка не ет ер ль та \
        ор ом ла де ве до ть ол го та ел ам ит ти ес ск ри ав да за об от ал ем ин ый ая";
    let mut previous = ' ';
    let mut before = ' ';
    let mut score = 0;
    for c in text.chars() {
        let lower = c.to_lowercase().next().unwrap_or(c);
        if matches!(lower, 'а'..='я' | 'ё') {
            let pair: String = [before, lower].iter().collect();
            let is_pair = PAIRS.contains(&pair);
            score += 10 * usize::from(is_pair)
                + 4 * usize::from("оеаинт".contains(lower))
                + 2 * usize::from("срвлкм".contains(lower))
                + usize::from(c.is_lowercase() || !previous.is_lowercase());
        }
        previous = c;
        before = lower;
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(encoding: &'static Encoding, label: Option<&str>, text: &str) {
        let (bytes, _, lost) = encoding.encode(text);
        assert!(!lost);
        assert_eq!(
            decode(&bytes, label),
            text,
            "{} as {label:?}",
            encoding.name()
        );
    }

    #[test]
    fn what_is_declared_is_believed_where_it_can_be() {
        let russian = "Добрый день! Когда привезут заказ?";
        for label in ["windows-1251", "\"Windows-1251\"", "cp1251"] {
            check(WINDOWS_1251, Some(label), russian);
        }
        check(KOI8_R, Some("KOI8-R"), russian);
        check(encoding_rs::ISO_8859_5, Some("iso-8859-5"), russian);
        check(encoding_rs::IBM866, Some("cp866"), russian);
        check(UTF_8, Some("windows-1251"), russian);
        check(UTF_8, Some("no-such-set"), russian);
        check(encoding_rs::ISO_2022_JP, Some("iso-2022-jp"), "ご注文");
        check(encoding_rs::GB18030, Some("gb2312"), "你好，世界");
        check(encoding_rs::BIG5, Some("big5"), "你好");
        check(encoding_rs::SHIFT_JIS, Some("Shift_JIS"), "ハロー");
        assert_eq!(
            decode(b"+ZYeB9FH6ckh5Pg-, 1980.", Some("utf-7")),
            "文致出版社, 1980."
        );
    }

    #[test]
    fn what_is_not_declared_or_not_true_is_guessed() {
        for text in [
            "Добрый день! Когда привезут заказ?",
            "ЗДРАВСТВУЙТЕ, ГДЕ МОЙ ЗАКАЗ",
            "Привет",
            "re: счёт №15 за август",
        ] {
            for label in [None, Some("us-ascii"), Some("utf-8"), Some("")] {
                check(WINDOWS_1251, label, text);
                check(UTF_8, label, text);
                if !text.contains('№') {
                    check(KOI8_R, label, text);
                }
            }
        }
        check(WINDOWS_1252, None, "Le café est à côté, señor Müller");
        assert_eq!(guess("Привет".as_bytes().split_at(11).0), "Приве");
        assert_eq!(
            guess(b"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xff\xd1\x82"),
            "Приве\u{fffd}т"
        );
    }
}
