//! `Content-Type`, `Content-Disposition` and what they carry (RFC 2045, 2231).

use super::{charset, words};

/// Real ones have a handful.
const PARAMETERS_MAX: usize = 64;

/// A value with parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Value {
    /// What stands before the first semicolon, in lower case.
    pub(super) value: String,
    parameters: Vec<(String, String)>,
}

impl Value {
    /// Reads a field that stands on one line.
    pub(super) fn read(line: &str) -> Self {
        let mut rest = line;
        let value = take(&mut rest, &[';']).0.trim().to_ascii_lowercase();
        let mut raw: Vec<(String, String)> = Vec::new();
        while !rest.is_empty() && raw.len() < PARAMETERS_MAX {
            let (name, has_value) = take(&mut rest, &[';', '=']);
            let name = name.trim().to_ascii_lowercase();
            if has_value == Some('=') {
                let value = take(&mut rest, &[';']).0;
                raw.push((name, value.trim().to_owned()));
            }
        }
        Self {
            value: value
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned(),
            parameters: raw,
        }
    }

    /// A parameter that holds ASCII.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.plain(name)
            .map(str::to_owned)
            .or_else(|| self.extended(name))
            .filter(|value| !value.is_empty())
    }

    /// A parameter that people read.
    pub(super) fn words(&self, name: &str) -> Option<String> {
        // A program that writes both means the extended one.
        self.extended(name)
            .or_else(|| self.plain(name).map(words::decode))
            .filter(|value| !value.is_empty())
    }

    fn plain(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `name*=charset'language'%41` and the same in pieces: `name*0*=…; name*1=…`.
    fn extended(&self, name: &str) -> Option<String> {
        let mut pieces: Vec<(u32, bool, &str)> = Vec::new();
        for (known, value) in &self.parameters {
            let Some(suffix) = known.strip_prefix(name).and_then(|it| it.strip_prefix('*')) else {
                continue;
            };
            let (number, is_escaped) = match suffix.strip_suffix('*') {
                Some(number) => (number, true),
                None => (suffix, suffix.is_empty()),
            };
            let number = if number.is_empty() {
                Some(0)
            } else {
                number.parse().ok()
            };
            if let Some(number) = number
                && !pieces.iter().any(|(other, _, _)| *other == number)
            {
                pieces.push((number, is_escaped, value));
            }
        }
        pieces.sort_unstable_by_key(|(number, _, _)| *number);
        let (_, first_escaped, first) = pieces.first().copied()?;
        let mut parts = first.splitn(3, '\'');
        let (label, first) = match (parts.next(), parts.next(), parts.next()) {
            (Some(label), Some(_), Some(text)) if first_escaped => (label, text),
            _ => ("", first),
        };
        let mut bytes = Vec::new();
        for (index, (_, is_escaped, value)) in pieces.iter().enumerate() {
            let value = if index == 0 { first } else { value };
            if *is_escaped {
                unescape(value, &mut bytes);
            } else {
                bytes.extend_from_slice(value.as_bytes());
            }
        }
        Some(charset::decode(&bytes, Some(label)))
    }
}

/// Takes the text up to one of the ends, and which one it was. Quotes are undone.
fn take(rest: &mut &str, ends: &[char]) -> (String, Option<char>) {
    let mut out = String::new();
    let mut is_quoted = false;
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => is_quoted = !is_quoted,
            // Backslashes of Windows paths stand unescaped more often than not.
            '\\' if is_quoted => match chars.clone().next() {
                Some((_, next @ ('"' | '\\'))) => {
                    out.push(next);
                    chars.next();
                }
                Some(_) | None => out.push(c),
            },
            end if !is_quoted && ends.contains(&end) => {
                *rest = &rest[at + 1..];
                return (out, Some(end));
            }
            _ => out.push(c),
        }
    }
    *rest = "";
    (out, None)
}

fn unescape(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(value) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(value);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_they_are_written() {
        let read = Value::read(r#"Text/Plain ; charset="UTF-8"; format=flowed; name="a;b\"c.txt""#);
        assert_eq!(read.value, "text/plain");
        assert_eq!(read.get("charset").as_deref(), Some("UTF-8"));
        assert_eq!(read.get("format").as_deref(), Some("flowed"));
        assert_eq!(read.words("name").as_deref(), Some("a;b\"c.txt"));
        assert_eq!(read.get("boundary"), None);
        let read = Value::read("multipart/mixed; boundary=\"=_a b\"; boundary=other");
        assert_eq!(read.get("boundary").as_deref(), Some("=_a b"));
    }

    #[test]
    fn file_names_come_in_every_way() {
        for (raw, expect) in [
            ("attachment; filename=a.pdf", "a.pdf"),
            ("attachment; filename=  \"a b.pdf\"", "a b.pdf"),
            (
                "attachment; filename*=UTF-8''%D0%A1%D1%87%D1%91%D1%82.pdf",
                "Счёт.pdf",
            ),
            (
                "attachment; filename*=koi8-r'ru'%F3%DE%A3%D4.pdf",
                "Счёт.pdf",
            ),
            (
                "attachment; filename*0*=utf-8''%D0%A1%D1; filename*1*=%87%D1%91; filename*2=\"%.pdf\"",
                "Сч\u{451}%.pdf",
            ),
            ("attachment; filename*1=b.pdf; filename*0=a", "ab.pdf"),
            (
                "attachment; filename=\"=?utf-8?B?0KHRh9GR0YI=?=.pdf\"",
                "Счёт.pdf",
            ),
            ("attachment; filename=Счёт.pdf", "Счёт.pdf"),
            ("attachment; filename=\"x\"; filename*=utf-8''y", "y"),
            (
                "attachment; filename=\"C:\\Docs\\a.pdf\"",
                "C:\\Docs\\a.pdf",
            ),
            ("attachment; filename=\"open", "open"),
            ("attachment; filename*=utf-8''%zz%", "%zz%"),
        ] {
            let read = Value::read(raw).words("filename");
            assert_eq!(read.as_deref(), Some(expect), "{raw}");
        }
    }
}
