//! What a letter's head is made of. None of these types can hold the end of a line, so
//! that nothing written into a field becomes a field of its own.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use domain::identity::{self, Identity, Trust};
use domain::text;
use lettre::message::header::{Date, Header as _, Headers};

/// Longer lines are folded where they can be.
const COLUMNS: usize = 76;
/// `=?utf-8?B?` and `?=`.
const AROUND_WORD: usize = 12;
/// A line of a letter has at most 998 bytes.
const BARE_WORD_MAX: usize = 900;
const SUBJECT_CHARS_MAX: usize = 1_000;
const ID_BYTES_MAX: usize = 900;
const FILE_NAME_COLUMNS: usize = 54;

/// A text of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line(String);

/// A letter's name, without the angle brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id(String);

/// An address that letters can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(String);

/// An address and the name beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) name: Line,
    pub(super) address: Address,
}

/// A head, field by field.
#[derive(Default)]
pub(super) struct Head(String);

impl Line {
    pub(super) fn new(text: &str) -> Self {
        Self(text::line(text, SUBJECT_CHARS_MAX))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a reader takes it as it is written.
    fn is_bare(&self) -> bool {
        let is_short = |word: &str| word.len() <= BARE_WORD_MAX;
        self.is_printable() && self.0.split(' ').all(is_short)
    }

    /// ASCII, with nothing that a reader would decode.
    fn is_printable(&self) -> bool {
        let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        self.0.bytes().all(printable) && !self.0.contains("=?")
    }
}

impl Id {
    /// Reads the name a letter gave itself. What our store keeps beside a name to tell
    /// letters of one name apart stays out of it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split_whitespace();
        let name = parts.next()?;
        let is_name = parts.next().is_some() || name.contains('@');
        let name = name.trim_start_matches('<').trim_end_matches('>');
        let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'<' && byte != b'>';
        let fits = (1..=ID_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed);
        let fits = fits && !name.contains("=?");
        (is_name && fits).then(|| Self(name.to_owned()))
    }
}

impl Address {
    pub(super) fn read(text: &str) -> Option<Self> {
        let told = Identity {
            kind: "email".to_owned(),
            issuer: String::new(),
            value: text.to_owned(),
            trust: Trust::Claimed,
        };
        // Of an address there is no region.
        let normal = identity::normalize(&told, "").ok()?;
        (!normal.value.contains("=?")).then_some(Self(normal.value))
    }

    pub(super) fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The same mailbox with a tag.
    pub(super) fn tagged(&self, tag: &str) -> Option<Self> {
        let (local, domain) = self.0.rsplit_once('@')?;
        if !tag.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        Self::read(&format!("{local}+{tag}@{domain}"))
    }

    /// Whether servers have to know letters beyond ASCII.
    pub(super) fn is_international(&self) -> bool {
        !self.0.is_ascii()
    }
}

impl Mailbox {
    pub(super) fn new(name: &str, address: Address) -> Self {
        Self {
            name: Line(text::display_name(name)),
            address,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Head {
    pub(super) fn fixed(&mut self, name: &'static str, value: &'static str) {
        self.field(name, value);
    }

    pub(super) fn text(&mut self, name: &'static str, text: &Line) {
        if text.is_bare() {
            self.field(name, &folded(text.as_str(), name.len() + 2));
        } else {
            self.field(name, &encoded(text.as_str(), name.len() + 2));
        }
    }

    pub(super) fn ids(&mut self, name: &'static str, ids: &[Id]) {
        let ids: Vec<String> = ids.iter().map(|Id(id)| format!("<{id}>")).collect();
        self.field(name, &ids.join("\r\n "));
    }

    pub(super) fn mailboxes(&mut self, name: &'static str, mailboxes: &[Mailbox]) {
        let mut column = name.len() + 2;
        let written = mailboxes.iter().map(|mailbox| {
            let written = written(mailbox, column);
            column = 1;
            written
        });
        let written: Vec<String> = written.collect();
        self.field(name, &written.join(",\r\n "));
    }

    pub(super) fn date(&mut self, at: Timestamp) {
        // Until the end of the year 9999, where dates of four digits end.
        let millis = u64::try_from(at.0).unwrap_or(0).min(253_402_300_799_000);
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(millis);
        let mut headers = Headers::new();
        headers.insert_raw(Date::from(time).display());
        self.0.push_str(&headers.to_string());
    }

    /// How a part is offered: as a file of this name.
    pub(super) fn file_name(&mut self, name: &str) {
        let name = text::file_name(name);
        let simple = |byte: u8| byte.is_ascii_alphanumeric() || b" ._-()+,@~!".contains(&byte);
        let parameter = if name.bytes().all(simple) && name.len() <= FILE_NAME_COLUMNS {
            format!("filename=\"{name}\"")
        } else {
            percent_encoded(&name)
        };
        self.field(
            "Content-Disposition",
            &format!("attachment;\r\n {parameter}"),
        );
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn field(&mut self, name: &'static str, value: &str) {
        for piece in [name, ": ", value, "\r\n"] {
            self.0.push_str(piece);
        }
    }
}

fn written(Mailbox { name, address }: &Mailbox, column: usize) -> String {
    if name.is_empty() {
        return address.to_string();
    }
    let atom = |byte: u8| byte == b' ' || byte.is_ascii_alphanumeric() || b"!'*+-_".contains(&byte);
    let is_short = name.0.len() + column <= COLUMNS;
    let name = if is_short && name.0.bytes().all(atom) {
        name.0.clone()
    } else if is_short && name.is_printable() {
        format!("\"{}\"", name.0.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        encoded(&name.0, column)
    };
    format!("{name}\r\n <{address}>")
}

/// Breaks lines at single spaces, from a column on.
fn folded(text: &str, mut column: usize) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            let fits = column + 1 + word.len() <= COLUMNS;
            out.push_str(if fits { " " } else { "\r\n " });
            column = if fits { column + 1 } else { 1 };
        }
        out.push_str(word);
        column += word.len();
    }
    out
}

/// Encoded words (RFC 2047), from a column on.
fn encoded(text: &str, column: usize) -> String {
    let room = |column: usize| COLUMNS.saturating_sub(column + AROUND_WORD) / 4 * 3;
    let mut words: Vec<&str> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let room = room(if words.is_empty() { column } else { 1 }).max(12);
        let (word, left) = rest.split_at(rest.floor_char_boundary(room));
        words.push(word);
        rest = left;
    }
    let words = words.into_iter();
    let words = words.map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// A name in the words of RFC 2231, in as many pieces as it takes, each of whole
/// characters: some programs decode them one by one.
fn percent_encoded(name: &str) -> String {
    let mut pieces = vec![String::new()];
    for c in name.chars() {
        let mut encoded = String::new();
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            encoded.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        match pieces.last_mut() {
            Some(piece) if piece.len() + encoded.len() <= FILE_NAME_COLUMNS => {
                piece.push_str(&encoded);
            }
            Some(_) | None => pieces.push(encoded),
        }
    }
    if let [whole] = pieces.as_slice() {
        return format!("filename*=utf-8''{whole}");
    }
    let pieces = pieces.iter().enumerate().map(|(index, piece)| {
        let charset = if index == 0 { "utf-8''" } else { "" };
        format!("filename*{index}*={charset}{piece}")
    });
    pieces.collect::<Vec<_>>().join(";\r\n ")
}
