//! Letters that are to do harm, or that a broken program wrote, and what has to become
//! of each.

#![expect(clippy::too_many_lines, reason = "they are tables")]

use std::collections::BTreeSet;

use domain::message::Warning;
use domain::message::Warning::{
    Broken, Cut, Enciphered, Invisible, LookAlike, ReplyElsewhere, SeveralSenders,
};

/// A letter, and what has to become of it.
#[derive(Clone, Debug)]
pub struct Poison {
    /// Names it.
    pub name: &'static str,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// What has to become of it.
    pub outcome: Outcome,
}

/// What has to become of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes to the dead letters: there is nothing of a letter in it.
    Dead,
    /// It is shown, with these warnings beside that its sender is not known.
    Shown(BTreeSet<Warning>),
}

fn dead(name: &'static str, raw: impl Into<Vec<u8>>) -> Poison {
    let raw = raw.into();
    Poison {
        name,
        raw,
        outcome: Outcome::Dead,
    }
}

fn shown<const N: usize>(
    name: &'static str,
    raw: impl Into<Vec<u8>>,
    warnings: [Warning; N],
) -> Poison {
    Poison {
        name,
        raw: raw.into(),
        outcome: Outcome::Shown(BTreeSet::from(warnings)),
    }
}

/// The header of an ordinary letter, with more fields in it.
fn with(fields: &str) -> String {
    format!(
        "From: a@client.example\r\nTo: support@shop.example\r\nSubject: Poison\r\nMIME-Version: 1.0\r\n{fields}"
    )
}

/// A letter of parts with a boundary `b`.
fn mixed(parts: &str) -> String {
    with("Content-Type: multipart/mixed; boundary=b\r\n\r\n") + parts
}

/// All of them.
pub fn letters() -> Vec<Poison> {
    let mut letters = nothing();
    letters.extend(headers());
    letters.extend(people());
    letters.extend(parts());
    letters.extend(contents());
    letters.extend(names());
    letters
}

fn nothing() -> Vec<Poison> {
    vec![
        dead("no bytes", ""),
        dead("one line end", "\r\n"),
        dead("blanks", " \r\n \r\n"),
        dead("NULs", vec![0; 4_096]),
        dead("noise", noise(8_192)),
        dead(
            "words without a header",
            "\r\nHello, this is a body only.\r\n",
        ),
        dead("a sentence", "Hello there\r\nand there"),
        dead("JSON", "{\"from\": \"a@client.example\"}"),
        dead("a line of a megabyte", "x".repeat(1 << 20)),
        dead("colons", ":".repeat(10_000)),
        dead("fields of no letter", "X-One: 1\r\nX-Two: 2\r\n\r\nbody"),
    ]
}

/// Bytes that are the same each time and mean nothing.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..length).map(|_| byte()).collect()
}

fn headers() -> Vec<Poison> {
    vec![
        shown("header only", with(""), []),
        shown(
            "header without its end",
            "From: a@client.example\r\nSubject: x",
            [],
        ),
        shown("LF only", with("").replace('\r', "") + "\nHello\n", []),
        shown(
            "CR only",
            (with("") + "\r\nHello\r\n").replace('\n', ""),
            [],
        ),
        shown(
            "junk in the header",
            with("this is no field\r\nX-More: 1\r\n\r\nHello"),
            [Broken],
        ),
        shown(
            "a body at once",
            "From: a@client.example\r\nHello\r\n\r\nWorld",
            [Broken],
        ),
        shown(
            "empty lines before",
            "\r\n\r\n".to_owned() + &with("\r\nHello"),
            [],
        ),
        shown(
            "a postmark",
            "From a@client.example Mon Nov  2 10:11:12 2026\n".to_owned() + &with("\r\nHello"),
            [],
        ),
        shown("NUL in a field", with("X-Nul: a\0b\r\n\r\nHello"), [Broken]),
        shown(
            "bare CR in a field",
            with("X-Cr: a\rFrom: evil@evil.example\r\n\r\nHello"),
            [Broken],
        ),
        shown(
            "a space before the colon",
            with("From : evil@evil.example\r\n\r\nHello"),
            [Broken],
        ),
        shown(
            "a space in the name",
            with("Fr om: evil@evil.example\r\n\r\nHello"),
            [Broken],
        ),
        shown(
            "10,000 fields",
            with(&("X-A: b\r\n".repeat(10_000) + "\r\nHello")),
            [Cut],
        ),
        shown(
            "a field of 4 MB",
            with(&format!("X-A: {}\r\n\r\nHello", "b".repeat(4 << 20))),
            [Cut],
        ),
        shown(
            "folded 100,000 times",
            with(&format!("X-A: b\r\n{}\r\nHello", " c\r\n".repeat(100_000))),
            [Cut],
        ),
        shown(
            "encoded words without end",
            with(&format!("X-A: {}\r\n\r\nHello", "=?utf-8?B?".repeat(6_000))),
            [],
        ),
        shown(
            "a subject of encoded words",
            with("").replace("Poison", &"=?utf-8?Q?a?= ".repeat(4_000)) + "\r\nHello",
            [],
        ),
        shown(
            "a subject of nothing seen",
            with("").replace("Poison", "Pa\u{202e}y\u{200b}") + "\r\nHello",
            [Invisible],
        ),
        shown(
            "noise behind a header",
            [with("\r\n").into_bytes(), noise(8_192)].concat(),
            [],
        ),
        shown(
            "a date of no calendar",
            with("Date: 99 Foo 99999999999999 99:99:99 +9999\r\n\r\nHello"),
            [],
        ),
        shown(
            "a name without end",
            with(&format!(
                "Message-ID: <{}@x>\r\n\r\nHello",
                "a".repeat(5_000)
            )),
            [],
        ),
        shown(
            "references without end",
            with(&format!(
                "References: {}\r\n\r\nHello",
                "<a@b> <".repeat(9_000)
            )),
            [],
        ),
        shown(
            "angles in references",
            with(&format!("References: {}\r\n\r\nHello", "<".repeat(60_000))),
            [],
        ),
    ]
}

fn people() -> Vec<Poison> {
    let many = |count: usize| "a@client.example, ".repeat(count);
    vec![
        shown(
            "100,000 addresses",
            with(&format!("Cc: {}\r\n\r\nHello", many(100_000))),
            [Cut],
        ),
        shown(
            "100,000 addresses in lines",
            with(&format!(
                "Cc: {}\r\n\r\nHello",
                many(100_000).replace(' ', "\r\n ")
            )),
            [Cut],
        ),
        shown(
            "comments in comments",
            with(&format!("Cc: {}\r\n\r\nHello", "(".repeat(60_000))),
            [],
        ),
        shown(
            "groups in groups",
            with(&format!("Cc: {}\r\n\r\nHello", "g:".repeat(30_000))),
            [],
        ),
        shown(
            "colons behind an address",
            with(&format!(
                "Cc: <a@b.example> x{}\r\n\r\nHello",
                ":".repeat(60_000)
            )),
            [],
        ),
        shown(
            "quotes without end",
            with(&format!("Cc: {}\r\n\r\nHello", "\"\\".repeat(30_000))),
            [],
        ),
        shown(
            "no sender",
            "To: support@shop.example\r\n\r\nHello",
            [Broken],
        ),
        shown(
            "an empty sender",
            "From: <>\r\nTo: support@shop.example\r\n\r\nHello",
            [Broken],
        ),
        shown(
            "a sender that is none",
            "From: Anna at home\r\n\r\nHello",
            [Broken],
        ),
        shown(
            "two senders",
            "From: a@client.example, b@client.example\r\n\r\nHello",
            [SeveralSenders],
        ),
        shown(
            "two fields of senders",
            with("From: b@client.example\r\n\r\nHello"),
            [SeveralSenders],
        ),
        shown(
            "a group of senders",
            "From: us: a@client.example;\r\n\r\nHello",
            [SeveralSenders],
        ),
        shown(
            "an address for a name",
            "From: \"ceo@bank.example\" <a@evil.example>\r\n\r\nHello",
            [LookAlike],
        ),
        shown(
            "letters of two scripts",
            "From: a@p\u{430}ypal.example\r\n\r\nHello",
            [LookAlike],
        ),
        shown(
            "an answer elsewhere",
            with("Reply-To: drop@evil.example\r\n\r\nHello"),
            [ReplyElsewhere],
        ),
        shown(
            "a line break in a name",
            "From: =?utf-8?Q?a=0D=0ABcc=3A_x=40y.example?= <a@client.example>\r\n\r\nHello",
            [LookAlike],
        ),
    ]
}

fn nested(depth: usize) -> String {
    let mut letter = with("");
    for level in 0..depth {
        let part =
            format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
        letter.push_str(&part);
    }
    letter + "\r\nHello"
}

fn parts() -> Vec<Poison> {
    let many = |count: usize| mixed(&("--b\r\n\r\nx\r\n".repeat(count) + "--b--\r\n"));
    let letters_in_letters = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
    vec![
        shown("10,000 parts in parts", nested(10_000), [Broken]),
        shown(
            "one boundary for all",
            {
                let inner = "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
                mixed(&inner.repeat(10_000))
            },
            [Broken],
        ),
        shown("100,000 parts", many(100_000), [Broken]),
        shown("letters in letters", with(&letters_in_letters), []),
        shown(
            "a boundary that begins another",
            mixed("--bb\r\n\r\nno\r\n--b\r\n\r\nyes\r\n--b--"),
            [],
        ),
        shown("no end", mixed("--b\r\n\r\nHello"), [Broken]),
        shown("no beginning", mixed("Hello\r\n--b--\r\n"), [Broken]),
        shown("no part", mixed("Hello"), [Broken]),
        shown(
            "no boundary",
            with("Content-Type: multipart/mixed\r\n\r\nHello"),
            [Broken],
        ),
        shown(
            "an empty boundary",
            with("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\nHello"),
            [Broken],
        ),
        shown(
            "a boundary of a megabyte",
            with(&format!(
                "Content-Type: multipart/mixed; boundary={0}\r\n\r\n--{0}\r\n\r\nHello",
                "b".repeat(1 << 20)
            )),
            [Broken, Cut],
        ),
        shown(
            "boundaries that overlap",
            with(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--c--\r\n--b--",
            ),
            [Broken],
        ),
        shown(
            "lines that are almost boundaries",
            mixed(&("--\r\n-- b\r\n--B\r\n".repeat(50_000) + "--b\r\n\r\nHello\r\n--b--")),
            [],
        ),
        shown(
            "parts without a header",
            mixed("--b\r\nHello\r\n--b--"),
            [Broken],
        ),
        shown("parts of nothing", mixed("--b\r\n--b\r\n--b--"), []),
        shown(
            "a type of nothing",
            with("Content-Type: ;;;;=;\r\n\r\nHello"),
            [Broken],
        ),
        shown(
            "types twice",
            with("Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n<b>Hello"),
            [],
        ),
        shown(
            "parameters without end",
            with(&format!(
                "Content-Type: text/plain{}\r\n\r\nHello",
                "; a*0*=%".repeat(7_000)
            )),
            [],
        ),
    ]
}

fn contents() -> Vec<Poison> {
    let encoded = |kind: &str, encoding: &str, body: &str| {
        with(&format!(
            "Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}"
        ))
    };
    vec![
        shown(
            "Base64 of 4 MB",
            encoded("text/plain", "base64", &"QUFB".repeat(1 << 20)),
            [Cut],
        ),
        shown(
            "Base64 that is none",
            encoded("text/plain", "base64", "!@#$%^&*()"),
            [],
        ),
        shown(
            "Base64 that breaks off",
            encoded("text/plain", "base64", "SGVsbG8gd29ybGQ"),
            [],
        ),
        shown(
            "escapes that are none",
            encoded("text/plain", "quoted-printable", "a=ZZ b= c=\r\n=4"),
            [],
        ),
        shown(
            "a line of a million letters",
            encoded("text/plain", "7bit", &"x".repeat(1_000_000)),
            [Cut],
        ),
        shown(
            "blanks before nothing",
            encoded("text/plain", "quoted-printable", &" ".repeat(900_000)),
            [],
        ),
        shown(
            "an encoding of nobody",
            encoded("text/plain", "x-rot13", "Uryyb"),
            [],
        ),
        shown(
            "a character set of nobody",
            encoded("text/plain; charset=x-none", "8bit", "Hello"),
            [],
        ),
        shown(
            "UTF-16 without an end",
            encoded("text/plain; charset=utf-16", "7bit", "H\0e\0l"),
            [],
        ),
        shown(
            "UTF-7 with a script",
            encoded(
                "text/html; charset=utf-7",
                "7bit",
                "+ADw-script+AD4-alert(1)+ADw-/script+AD4-Hello",
            ),
            [],
        ),
        shown(
            "ISO-2022-KR",
            encoded("text/plain; charset=iso-2022-kr", "7bit", "\x1b$)Cabc"),
            [],
        ),
        shown(
            "elements in elements",
            encoded("text/html", "7bit", &"<div>".repeat(50_000)),
            [],
        ),
        shown(
            "tables in tables",
            encoded("text/html", "7bit", &"<table><tr><td>".repeat(10_000)),
            [],
        ),
        shown(
            "quotations in quotations",
            encoded(
                "text/html",
                "7bit",
                &("<blockquote type=cite>".repeat(10_000) + "Hello"),
            ),
            [],
        ),
        shown(
            "HTML of 1.2 MB",
            encoded("text/html", "7bit", &"<p>Hello</p>".repeat(100_000)),
            [Cut],
        ),
        shown(
            "a million quotation marks",
            encoded("text/plain", "7bit", &(">".repeat(1_000_000) + "\r\n")),
            [Cut],
        ),
        shown(
            "30,000 lines that say who wrote",
            encoded("text/plain", "7bit", &"On 2026:\r\n".repeat(6_000)),
            [],
        ),
        shown(
            "NULs in the words",
            encoded("text/plain", "binary", "Hel\0lo"),
            [],
        ),
        shown(
            "enciphered",
            encoded(
                "application/pkcs7-mime; smime-type=enveloped-data",
                "base64",
                "MIIB",
            ),
            [Enciphered],
        ),
        shown(
            "a report of nothing",
            with(
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b--",
            ),
            [],
        ),
        shown(
            "a report of 100,000",
            with(&format!(
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n{}--b--",
                "Action: failed\r\n\r\n".repeat(100_000)
            )),
            [],
        ),
        shown(
            "a server's name without end",
            with(&format!(
                "Authentication-Results: {}\r\n\r\nHello",
                "((((\"".repeat(10_000)
            )),
            [],
        ),
    ]
}

fn names() -> Vec<Poison> {
    let file = |disposition: &str| {
        mixed(&format!(
            "--b\r\nContent-Type: image/png\r\nContent-Disposition: {disposition}\r\n\r\nx\r\n--b--"
        ))
    };
    vec![
        shown(
            "a path for a name",
            file("attachment; filename=\"../../../etc/passwd\""),
            [],
        ),
        shown(
            "a name from right to left",
            file("attachment; filename=\"\u{202e}gnp.exe\""),
            [],
        ),
        shown("a device for a name", file("attachment; filename=NUL"), []),
        shown(
            "a name with a NUL",
            file("attachment; filename=\"a.png\0.exe\""),
            [Broken],
        ),
        shown(
            "a name without end",
            file(&format!("attachment; filename=\"{}", "n".repeat(50_000))),
            [],
        ),
        shown(
            "a name in 10,000 pieces",
            file(&format!("attachment{}", "; filename*1=a".repeat(4_000))),
            [],
        ),
        shown(
            "100 files",
            mixed(
                &("--b\r\nContent-Type: image/png; name=a.png\r\n\r\nx\r\n".repeat(100) + "--b--"),
            ),
            [],
        ),
    ]
}
