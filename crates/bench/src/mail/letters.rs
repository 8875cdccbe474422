//! Letters as people and programs write them to a shop: the same number gives the same
//! letter.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{Encoding, GB18030, ISO_2022_JP, KOI8_R, WINDOWS_1251};

use crate::dice::{Dice, word};

/// The server of ours that vouches for senders.
pub(super) const TRUSTED: &str = "mx.shop.example";
/// Whom everybody writes to.
pub(super) const SUPPORT: &str = "help@shop.example";

/// Senders, a few of whom write most.
const SENDERS: u64 = 4_000;
/// Of a hundred letters so many answer one of the hundred before.
const ANSWERS: u64 = 40;
const WORDS: u64 = 20_000;
/// Companies whose picture goes below every letter.
const LOGOS: u64 = 40;
const CHARSETS: [&Encoding; 4] = [WINDOWS_1251, KOI8_R, ISO_2022_JP, GB18030];
const FILES: [(&str, &str, &[u8]); 4] = [
    ("application/pdf", "Счёт.pdf", b"%PDF-1.7\n"),
    ("image/jpeg", "photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
    ("image/png", "screen.png", b"\x89PNG\r\n\x1a\n"),
    ("application/zip", "documents.zip", b"PK\x03\x04"),
];
const STYLE: &str = "<style>\r\n<!-- p.MsoNormal, li.MsoNormal, div.MsoNormal {margin:0cm; \
    font-size:11.0pt; font-family:\"Calibri\",sans-serif;}\r\na:link, span.MsoHyperlink \
    {color:#0563C1; text-decoration:underline;}\r\nspan.EmailStyle17 {color:windowtext;}\r\n\
    @page WordSection1 {size:612.0pt 792.0pt; margin:2.0cm 42.5pt 2.0cm 3.0cm;}\r\n\
    div.WordSection1 {page:WordSection1;} -->\r\n</style>";

/// How a letter is made up. In a thousand letters there are so many of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// 200: words alone.
    Plain,
    /// 130: words in a charset of their country's.
    Foreign,
    /// 80: HTML alone.
    Html,
    /// 408: both.
    Both,
    /// 80: both, with a picture in the HTML.
    Picture,
    /// 100: words and one to three files.
    Files,
    /// 2: words and a file that makes the letter a large one.
    Large,
}

/// Chance for one thing of a letter.
fn dice(number: u64, what: u64) -> Dice {
    Dice::new(number << 8 | what)
}

fn shape(number: u64) -> Shape {
    match dice(number, 1).below(1_000) {
        0..200 => Shape::Plain,
        200..330 => Shape::Foreign,
        330..410 => Shape::Html,
        410..818 => Shape::Both,
        818..898 => Shape::Picture,
        898..998 => Shape::Files,
        _ => Shape::Large,
    }
}

/// How many files come with a letter, pictures in it included.
pub(super) fn files(number: u64) -> usize {
    match shape(number) {
        Shape::Plain | Shape::Foreign | Shape::Html | Shape::Both => 0,
        Shape::Picture | Shape::Large => 1,
        Shape::Files => 1 + dice(number, 2).below(3) as usize,
    }
}

/// The letter that it answers.
fn parent(number: u64) -> Option<u64> {
    let mut dice = dice(number, 3);
    let answers = number > 0 && dice.below(100) < ANSWERS;
    answers.then(|| number - 1 - dice.below(number.min(100)))
}

/// The letter that begins its thread.
pub(super) fn root(number: u64) -> u64 {
    parent(number).map_or(number, root)
}

fn sender(number: u64) -> u64 {
    dice(root(number), 4).zipf(SENDERS)
}

fn message_id(number: u64) -> String {
    let random = dice(number, 5).next();
    format!("<{random:016x}.{number}@mail{}.example.com>", random % 20)
}

/// The letter, as it lies on a server.
pub(super) fn letter(number: u64) -> Vec<u8> {
    let mut letter = head(number).into_bytes();
    let words = words(number, 6, 300.0, 20.0);
    let told = match parent(number) {
        Some(parent) => format!("{words}\r\n{}", quoted(parent)),
        None => words.clone(),
    };
    let both = || {
        let parts = [plain(&told, number), html(&words, number)];
        multipart("alternative", number, &parts)
    };
    let body = match shape(number) {
        Shape::Plain => plain(&told, number),
        Shape::Foreign => foreign(&told, number),
        Shape::Html => html(&words, number),
        Shape::Both => both(),
        Shape::Picture => multipart("related", number, &[both(), picture(number)]),
        Shape::Files => with_files(plain(&told, number), number, 2_000.0, 40.0),
        Shape::Large => with_files(plain(&told, number), number, 300_000.0, 2.0),
    };
    letter.extend_from_slice(&body);
    letter
}

fn head(number: u64) -> String {
    let mut dice = dice(number, 7);
    let sender = sender(number);
    let mut name = format!("Клиент {sender}");
    if sender.is_multiple_of(2) {
        name = format!("Client {sender}");
    }
    let subject = words(root(number), 8, 20.0, 3.0);
    let subject = subject.split("\r\n").next().unwrap_or_default();
    let answers = if parent(number).is_some() { "Re: " } else { "" };
    let mut head = format!("Return-Path: <client{sender}@example.com>\r\n");
    for hop in 0..4 {
        let id = dice.next();
        let _ = write!(
            head,
            "Received: from mail{hop}.example.com (mail{hop}.example.com [192.0.2.{}])\r\n\t\
             (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n\t\
             by mx{hop}.shop.example (Postfix) with ESMTPS id {id:016X}\r\n\t\
             for <{SUPPORT}>; Thu, 26 Nov 2026 10:00:0{hop} +0300 (MSK)\r\n",
            id % 250
        );
    }
    let signature = STANDARD.encode(random(&mut dice, b"", 256));
    let _ = write!(
        head,
        "Authentication-Results: {TRUSTED}; dkim=pass header.d=example.com;\r\n\t\
         spf=pass smtp.mailfrom=client{sender}@example.com;\r\n\t\
         dmarc=pass (p=reject) header.from=example.com\r\n\
         DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=mail;\r\n\t\
         h=from:to:subject:date:message-id; bh={};\r\n\tb={}\r\n\
         From: {} <client{sender}@example.com>\r\nTo: \"Shop\" <{SUPPORT}>\r\n\
         Subject: {}\r\nDate: Thu, 26 Nov 2026 10:00:00 +0300\r\nMessage-ID: {}\r\n",
        &signature[..44],
        signature.as_bytes().chunks(70).fold(String::new(), folded),
        encoded(&name),
        encoded(&format!("{answers}{subject}")),
        message_id(number),
    );
    if let Some(parent) = parent(number) {
        let _ = write!(
            head,
            "In-Reply-To: {}\r\nReferences: {}\r\n",
            message_id(parent),
            references(number).join("\r\n\t"),
        );
    }
    head + "X-Mailer: Microsoft Outlook 16.0\r\nMIME-Version: 1.0\r\n"
}

fn folded(text: String, line: &[u8]) -> String {
    text + "\r\n\t" + &String::from_utf8_lossy(line)
}

/// What went before it in its thread, the oldest first.
fn references(number: u64) -> Vec<String> {
    let Some(parent) = parent(number) else {
        return Vec::new();
    };
    let mut names = references(parent);
    names.push(message_id(parent));
    names
}

/// A header's words, encoded where they have to be.
fn encoded(words: &str) -> String {
    if words.is_ascii() {
        return words.to_owned();
    }
    let letters: Vec<char> = words.chars().collect();
    let pieces = letters.chunks(20).map(|piece| {
        let piece: String = piece.iter().collect();
        format!("=?UTF-8?B?{}?=", STANDARD.encode(piece))
    });
    pieces.collect::<Vec<_>>().join("\r\n ")
}

/// Lines of words that begin with the number; few letters are long.
fn words(number: u64, what: u64, shortest: f64, times: f64) -> String {
    let mut dice = dice(number, what);
    let length = (shortest * times.powf(dice.share().powi(2))) as usize;
    let mut text = format!("#{number}");
    let mut line = 0;
    while text.len() < length {
        if text.len() - line > 70 {
            line = text.len();
            text.push_str(if dice.below(5) == 0 {
                "\r\n\r\n"
            } else {
                "\r\n"
            });
        } else {
            text.push(' ');
        }
        word(&mut text, dice.zipf(WORDS));
    }
    text + "\r\n"
}

/// The beginning of the letter that is answered, as clients put it below.
fn quoted(parent: u64) -> String {
    let words = words(parent, 6, 300.0, 20.0);
    let mut text = format!(
        "On Thu, 26 Nov 2026 at 10:00, Client {} <client{}@example.com> wrote:\r\n",
        sender(parent),
        sender(parent)
    );
    for line in words.lines().take(20) {
        let _ = write!(text, "> {line}\r\n");
    }
    text
}

fn plain(words: &str, number: u64) -> Vec<u8> {
    let head = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ";
    match dice(number, 9).below(3) {
        0 => format!("{head}8bit\r\n\r\n{words}").into_bytes(),
        1 => format!("{head}base64\r\n\r\n{}", base64_lines(words.as_bytes())).into_bytes(),
        _ => format!("{head}quoted-printable\r\n\r\n{}", quoted_printable(words)).into_bytes(),
    }
}

fn foreign(words: &str, number: u64) -> Vec<u8> {
    let mut dice = dice(number, 10);
    let charset = CHARSETS[dice.below(4) as usize];
    let (bytes, _, _) = charset.encode(words);
    let is_coded = dice.below(2) == 0;
    let coding = if is_coded { "base64" } else { "8bit" };
    let head = format!(
        "Content-Type: text/plain; charset=\"{}\"\r\nContent-Transfer-Encoding: {coding}\r\n\r\n",
        charset.name()
    );
    let body = if is_coded {
        base64_lines(&bytes).into_bytes()
    } else {
        bytes.into_owned()
    };
    [head.into_bytes(), body].concat()
}

fn html(words: &str, number: u64) -> Vec<u8> {
    let mut html = format!(
        "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\">\r\n<head>\r\n<meta \
         http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n{STYLE}\r\n</head>\
         \r\n<body lang=\"RU\" link=\"#0563C1\" vlink=\"#954F72\">\r\n<div class=\"WordSection1\">\r\n"
    );
    for words in words.split("\r\n\r\n") {
        let _ = write!(
            html,
            "<p class=\"MsoNormal\"><span style=\"font-size:11.0pt; color:#1F497D\">{words}\
             </span></p>\r\n"
        );
    }
    if shape(number) == Shape::Picture {
        html.push_str("<p><img width=\"120\" src=\"cid:logo@example.com\" alt=\"Logo\"></p>\r\n");
    }
    html.push_str("<p><a href=\"https://www.example.com/\">example.com</a></p>\r\n");
    if let Some(parent) = parent(number) {
        let words = self::words(parent, 6, 300.0, 20.0);
        let lines: Vec<&str> = words.lines().take(20).collect();
        let _ = write!(
            html,
            "<blockquote type=\"cite\" style=\"border-left:1px solid #ccc\">{}</blockquote>\r\n",
            lines.join("<br>\r\n")
        );
    }
    html.push_str("</div>\r\n</body>\r\n</html>\r\n");
    let coded = quoted_printable(&html);
    format!(
        "Content-Type: text/html; charset=utf-8\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\n{coded}"
    )
    .into_bytes()
}

fn picture(number: u64) -> Vec<u8> {
    let mut dice = dice(sender(number) % LOGOS, 11);
    let length = 3_000 + dice.below(12_000) as usize;
    let bytes = random(&mut dice, b"\x89PNG\r\n\x1a\n", length);
    let head = "Content-Type: image/png; name=\"logo.png\"\r\nContent-ID: <logo@example.com>\r\n\
                Content-Disposition: inline; filename=\"logo.png\"\r\n\
                Content-Transfer-Encoding: base64\r\n\r\n";
    format!("{head}{}", base64_lines(&bytes)).into_bytes()
}

fn with_files(words: Vec<u8>, number: u64, smallest: f64, times: f64) -> Vec<u8> {
    let mut dice = dice(number, 12);
    let mut parts = vec![words];
    for _ in 0..files(number) {
        let (kind, name, magic) = FILES[dice.below(4) as usize];
        let length = (smallest * times.powf(dice.share())) as usize;
        let bytes = random(&mut dice, magic, length);
        let name = encoded(name);
        let part = format!(
            "Content-Type: {kind}; name=\"{name}\"\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}",
            base64_lines(&bytes)
        );
        parts.push(part.into_bytes());
    }
    multipart("mixed", number, &parts)
}

fn multipart(kind: &str, number: u64, parts: &[Vec<u8>]) -> Vec<u8> {
    let boundary = format!("----=_{kind}_{number:08X}_01DA1F3C.2B4D5E60");
    let head = format!("Content-Type: multipart/{kind};\r\n\tboundary=\"{boundary}\"\r\n\r\n");
    let mut body = head.into_bytes();
    body.extend_from_slice(b"This is a multi-part message in MIME format.\r\n");
    for part in parts {
        body.extend_from_slice(format!("\r\n--{boundary}\r\n").as_bytes());
        body.extend_from_slice(part);
    }
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

fn random(dice: &mut Dice, magic: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = magic.to_vec();
    while bytes.len() < length {
        bytes.extend_from_slice(&dice.next().to_le_bytes());
    }
    bytes
}

fn base64_lines(bytes: &[u8]) -> String {
    let coded = STANDARD.encode(bytes);
    let mut text = String::with_capacity(coded.len() + coded.len() / 38 + 2);
    for line in coded.as_bytes().chunks(76) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push_str("\r\n");
    }
    text
}

fn quoted_printable(text: &str) -> String {
    let mut coded = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        let mut length = 0;
        for byte in line.bytes() {
            if length > 72 {
                coded.push_str("=\r\n");
                length = 0;
            }
            if matches!(byte, b' '..=b'~') && byte != b'=' {
                coded.push(char::from(byte));
                length += 1;
            } else {
                let _ = write!(coded, "={byte:02X}");
                length += 3;
            }
        }
        coded.push_str("\r\n");
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::{files, letter, parent, root};

    #[test]
    fn letters_are_as_large_as_people_write_them() {
        const COUNT: u64 = 2_000;
        let sizes: Vec<usize> = (0..COUNT).map(|number| letter(number).len()).collect();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((12_000..17_000).contains(&mean), "{mean}");
        let large = sizes.iter().filter(|size| **size > 256 << 10).count();
        assert!((1..20).contains(&large), "{large}");
        let with_files = (0..COUNT).filter(|number| files(*number) > 0).count();
        assert!((300..450).contains(&with_files), "{with_files}");
        let answers = (0..COUNT).filter(|number| parent(*number).is_some());
        assert!((700..900).contains(&answers.count()));
        assert!((0..COUNT).all(|number| root(number) <= number));
    }

    #[test]
    fn a_letter_repeats_itself() {
        assert_eq!(letter(17), letter(17));
        assert_ne!(letter(17), letter(18));
    }
}
