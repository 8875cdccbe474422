//! What a server answers.

use std::fmt;

use bytes::BytesMut;
use domain::text;

/// No answer is longer.
pub(super) const REPLY_BYTES_MAX: usize = 16 << 10;
const SHOWN_CHARS_MAX: usize = 300;

/// An answer: its codes and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// RFC 3463, without the class.
    pub(super) detail: Option<(u16, u16)>,
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// Takes an answer from what was read so far, when it is whole.
    pub(super) fn take(read: &mut BytesMut) -> Result<Option<Self>, String> {
        let mut lines = Vec::new();
        let mut first_code = None;
        let mut length = 0;
        while let Some(end) = read[length..].iter().position(|byte| *byte == b'\n') {
            let line = &read[length..length + end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let (code, more, words) = split(line).ok_or("it does not speak SMTP")?;
            if *first_code.get_or_insert(code) != code {
                return Err("it does not speak SMTP".to_owned());
            }
            lines.push(String::from_utf8_lossy(words).into_owned());
            length += end + 1;
            if !more {
                let _ = read.split_to(length);
                let detail = lines.first().and_then(|line| detail(code, line));
                return Ok(Some(Self {
                    code,
                    detail,
                    lines,
                }));
            }
        }
        if read.len() >= REPLY_BYTES_MAX {
            return Err("its answer has no end".to_owned());
        }
        Ok(None)
    }

    pub(super) const fn is_good(&self) -> bool {
        self.code / 100 == 2
    }

    /// It may take it later.
    pub(super) const fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    pub(super) const fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// It closes the connection after this.
    pub(super) const fn is_farewell(&self) -> bool {
        self.code == 421
    }

    /// It takes letters only from those who log in.
    pub(super) const fn asks_for_login(&self) -> bool {
        matches!(self.code, 530 | 534 | 535 | 538)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = text::line(&self.lines.join(" "), SHOWN_CHARS_MAX);
        write!(f, "{} {words}", self.code)
    }
}

/// The code, whether another line follows, and the words.
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let digits = std::str::from_utf8(digits).ok()?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let code = digits
        .parse()
        .ok()
        .filter(|code| (200..600).contains(code))?;
    match rest.split_first() {
        None => Some((code, false, rest)),
        Some((b' ', words)) => Some((code, false, words)),
        Some((b'-', words)) => Some((code, true, words)),
        Some(_) => None,
    }
}

fn detail(code: u16, line: &str) -> Option<(u16, u16)> {
    let mut numbers = line.split_whitespace().next()?.split('.');
    let class: u16 = numbers.next()?.parse().ok()?;
    let detail = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    (class == code / 100 && numbers.next().is_none()).then_some(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(text: &str) -> (Result<Option<Reply>, String>, usize) {
        let mut read = BytesMut::from(text);
        (Reply::take(&mut read), read.len())
    }

    #[test]
    fn answers_are_read_whole() {
        let (reply, left) = take("250-mail.example\r\n250 SIZE 10\r\n220 x");
        let reply = reply.unwrap().unwrap();
        assert_eq!((reply.code, left), (250, 5));
        assert_eq!(reply.lines, ["mail.example", "SIZE 10"]);
        for part in ["", "2", "250", "250 ok", "250-ok\r\n", "250-ok\r\n250 o"] {
            assert_eq!(take(part), (Ok(None), part.len()), "{part}");
        }
        assert_eq!(take("250\n").0.unwrap().unwrap().lines, [""]);
    }

    #[test]
    fn what_is_none_is_told() {
        for junk in [
            "\r\n",
            "HTTP/1.1 400 Bad\r\n",
            "25 ok\r\n",
            "250_ok\r\n",
            "+50 ok\r\n",
            "999 ok\r\n",
            "100 ok\r\n",
            "250-a\r\n251 b\r\n",
            "\u{1}\u{2}\n",
        ] {
            assert!(take(junk).0.is_err(), "{junk}");
        }
        assert!(take(&"x".repeat(REPLY_BYTES_MAX)).0.is_err());
        assert!(
            take(&"250-a\r\n".repeat(REPLY_BYTES_MAX / 7 + 1))
                .0
                .is_err()
        );
    }

    #[test]
    fn the_reason_is_read_from_its_code() {
        for (line, detail) in [
            ("550 5.1.1 no such user\r\n", Some((1, 1))),
            ("550-5.7.1 policy\r\n550 5.7.1 see x\r\n", Some((7, 1))),
            ("550 4.1.1 odd\r\n", None),
            ("550 5.1 odd\r\n", None),
            ("550 127.0.0.1 is listed\r\n", None),
            ("550 no\r\n", None),
        ] {
            assert_eq!(take(line).0.unwrap().unwrap().detail, detail, "{line}");
        }
    }

    #[test]
    fn its_words_are_shown_in_one_line() {
        let (reply, _) = take("554-5.7.1 no\u{202e}\r\n554 \u{1b}[31mway\r\n");
        assert_eq!(reply.unwrap().unwrap().to_string(), "554 5.7.1 no [31mway");
    }
}
