//! The name that a server gives a file (RFC 6266).

/// A name is so long at most.
const CHARS_MAX: usize = 200;

/// The name in a `Content-Disposition`, without folders and what cannot be shown.
pub(super) fn file_name(value: &str) -> Option<String> {
    let parameters = parameters(value);
    let named = |name: &str| {
        let found = parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    let encoded = named("filename*").and_then(|value| {
        let (charset, rest) = value.split_once('\'')?;
        let (_, text) = rest.split_once('\'')?;
        charset
            .eq_ignore_ascii_case("utf-8")
            .then(|| decoded(text))?
    });
    let name = encoded.or_else(|| named("filename").map(str::to_owned))?;
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|it| !it.is_control())
        .take(CHARS_MAX)
        .collect();
    let name = name.trim();
    let is_name = !name.is_empty() && name != "." && name != "..";
    is_name.then(|| name.to_owned())
}

/// What follows the first word, with names in small letters.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let value;
        (value, rest) = if let Some(quoted) = after.strip_prefix('"') {
            unquoted(quoted)
        } else {
            let (value, rest) = after.split_once(';').unwrap_or((after, ""));
            (value.trim().to_owned(), rest)
        };
        let name = name.trim_matches([' ', '\t', ';']);
        found.push((name.to_ascii_lowercase(), value));
    }
    found
}

/// Reads to the closing quote, and gives what comes after it.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, it)) = chars.next() {
        match it {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(it),
        }
    }
    (value, "")
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let value = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        for (value, expect) in [
            ("attachment; filename=\"a b.pdf\"", Some("a b.pdf")),
            ("attachment;filename=a.pdf;size=1", Some("a.pdf")),
            ("inline; size=1; FileName = a.pdf", Some("a.pdf")),
            (r#"attachment; filename="a\"b\\.pdf""#, Some(".pdf")),
            (
                r#"attachment; filename="a;b=c.pdf"; x=y"#,
                Some("a;b=c.pdf"),
            ),
            ("attachment; filename=\"отчёт.pdf\"", Some("отчёт.pdf")),
            (
                "attachment; filename=\"x.pdf\"; filename*=UTF-8''%D0%B4%D0%B0.pdf",
                Some("да.pdf"),
            ),
            (
                "attachment; filename*=utf-8'ru'a%20b; filename=c",
                Some("a b"),
            ),
            ("attachment; filename=c; filename*=utf-8''%zz", Some("c")),
            ("attachment; filename=c; filename*=utf-8''%ff", Some("c")),
            ("attachment; filename=c; filename*=utf-8''%2", Some("c")),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"C:\\\\a\\\\b.doc\"", Some("b.doc")),
            (
                "attachment; filename*=utf-8''..%2F..%2Fa%0D%0Ab",
                Some("ab"),
            ),
            ("attachment; filename=\"..\"", None),
            ("attachment; filename=\"\"", None),
            ("attachment; filename", None),
            ("attachment; filename=\"open", Some("open")),
            ("attachment", None),
            (";;;===\"\"\"", None),
            ("", None),
        ] {
            assert_eq!(file_name(value).as_deref(), expect, "{value}");
        }
        let long = format!("attachment; filename=\"{}\"", "я".repeat(9_000));
        assert_eq!(file_name(&long).unwrap().chars().count(), CHARS_MAX);
    }
}
