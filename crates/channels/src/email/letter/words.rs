//! Characters of header fields: bytes above ASCII that should not be there, and encoded
//! words (RFC 2047).

use super::charset;
use super::transfer::{self, Encoding};

/// Makes the bytes of a field characters.
pub(super) fn characters(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| charset::guess(error.as_bytes()))
}

/// Decodes the encoded words of a text. Many programs cut a character in two and put
/// each half into a word of its own, so words that follow each other are decoded
/// together.
pub(super) fn decode(text: &str) -> String {
    if !text.contains("=?") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut run = Run::default();
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, after) = rest.split_at(at);
        if !(run.is_open && before.bytes().all(|b| b == b' ' || b == b'\t')) {
            run.end(&mut out);
            out.push_str(before);
        }
        if let Some((word, behind)) = encoded_word(after) {
            run.add(&word, &mut out);
            rest = behind;
        } else {
            run.end(&mut out);
            out.push_str("=?");
            rest = &after[2..];
        }
    }
    run.end(&mut out);
    out.push_str(rest);
    out
}

struct Word<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
}

/// Encoded words of one character set in a row.
#[derive(Default)]
struct Run {
    is_open: bool,
    charset: String,
    bytes: Vec<u8>,
}

impl Run {
    fn add(&mut self, word: &Word<'_>, out: &mut String) {
        if !self.charset.eq_ignore_ascii_case(word.charset) {
            self.end(out);
            word.charset.clone_into(&mut self.charset);
        }
        self.is_open = true;
        self.bytes.extend_from_slice(&word.bytes);
    }

    fn end(&mut self, out: &mut String) {
        if self.is_open {
            out.push_str(&charset::decode(&self.bytes, Some(&self.charset)));
        }
        *self = Self::default();
    }
}

/// Reads `=?charset?B?text?=` at the beginning of a text. Spaces in it are against the
/// standard, and common.
fn encoded_word(text: &str) -> Option<(Word<'_>, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let end = rest.find('?')?;
    let (encoded, behind) = rest.split_at(end);
    let behind = behind.strip_prefix("?=")?;
    if charset.is_empty() || charset.len() > 60 || charset.contains(char::is_whitespace) {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => transfer::all(encoded.as_bytes(), Encoding::Base64),
        "Q" | "q" => {
            let spaced = encoded.replace('_', " ");
            let mut bytes = transfer::all(spaced.as_bytes(), Encoding::Quoted);
            // Spaces at a line's end are not kept in bodies; here they are words' ends.
            let trailing = spaced.len() - spaced.trim_end_matches(' ').len();
            bytes.extend(std::iter::repeat_n(b' ', trailing));
            bytes
        }
        _ => return None,
    };
    let charset = charset.split('*').next().unwrap_or_default();
    Some((Word { charset, bytes }, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_become_what_they_say() {
        for (raw, expect) in [
            ("plain", "plain"),
            ("=?utf-8?B?0J/RgNC40LLQtdGC?=", "Привет"),
            ("=?UTF-8?Q?=D0=9F_a=20b?=", "П a b"),
            ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
            ("=?windows-1251?Q?=CF=F0=E8=E2=E5=F2?= you", "Привет you"),
            // A character cut in two.
            ("=?utf-8?B?0J/R?= =?utf-8?B?gNC4?=", "При"),
            ("a =?utf-8?Q?b_?= =?utf-8?Q?c?= d", "a b c d"),
            ("=?utf-8?Q?a?=b=?utf-8?Q?c?=", "abc"),
            ("=?utf-8?Q?a b?=", "a b"),
            ("=?iso-8859-1*fr?Q?caf=E9?=", "café"),
            ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
            ("=?utf-8?B?abc", "=?utf-8?B?abc"),
            ("=?=?=?=?", "=?=?=?=?"),
            ("50% =? 100", "50% =? 100"),
        ] {
            assert_eq!(decode(raw), expect, "{raw}");
        }
    }
}
