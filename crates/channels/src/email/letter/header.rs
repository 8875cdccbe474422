//! The fields of a header block, as they stand.
//!
//! A name counts only when it is written as the standard has it: programs that check
//! signatures do not take `From :` for `From`, and neither do we.

use std::ops::Range;

use domain::text;

use super::lines::{Line, LineEnd};
use super::words;

/// Real letters have some hundred.
const FIELDS_MAX: usize = 1_000;
/// What is read of one field.
const VALUE_BYTES_MAX: usize = 64 << 10;
const NAME_BYTES_MAX: usize = 100;

/// A header block.
#[derive(Clone, Debug, Default)]
pub(super) struct Header<'a> {
    fields: Vec<(&'a [u8], &'a [u8])>,
    /// Not everything in it was a field.
    pub(super) is_broken: bool,
    /// There was more than is read.
    pub(super) is_cut: bool,
}

/// Reads the header that begins at `start` and tells where the body begins. A line for
/// which `is_boundary` holds is in the body already.
pub(super) fn read(
    raw: &[u8],
    start: usize,
    line_end: LineEnd,
    is_boundary: impl Fn(&[u8]) -> bool,
) -> (Header<'_>, usize) {
    let mut header = Header::default();
    let mut open: Option<(&[u8], Range<usize>)> = None;
    let mut at = start;
    while let Some(line) = line_end.line(raw, at) {
        let bytes = line.of(raw);
        if bytes.is_empty() || is_boundary(bytes) {
            at = if bytes.is_empty() { line.next } else { at };
            break;
        }
        if bytes.starts_with(b" ") || bytes.starts_with(b"\t") {
            if let Some((_, value)) = &mut open {
                value.end = line.end;
            }
        } else {
            let kind = kind(bytes);
            if kind == Kind::Junk && !is_before_field(raw, line, line_end) {
                header.is_broken = true;
                break;
            }
            header.push(raw, open.take());
            match kind {
                Kind::Field(length) => {
                    open = Some((&bytes[..length], line.start + length + 1..line.end));
                }
                Kind::Postmark if at == start => {}
                Kind::Postmark | Kind::NearField | Kind::Junk => header.is_broken = true,
            }
        }
        at = line.next;
    }
    header.push(raw, open);
    (header, at)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A field with a name of so many bytes.
    Field(usize),
    /// What some programs read as a field, and others do not.
    NearField,
    /// The line that mailboxes in one file put before each letter.
    Postmark,
    Junk,
}

fn kind(line: &[u8]) -> Kind {
    let colon = line.iter().take(NAME_BYTES_MAX).position(|b| *b == b':');
    if line.starts_with(b"From ") || line.starts_with(b">From ") {
        return Kind::Postmark;
    }
    match colon {
        Some(length) if length > 0 && line[..length].iter().all(u8::is_ascii_graphic) => {
            Kind::Field(length)
        }
        Some(length) if is_near(&line[..length]) => Kind::NearField,
        Some(_) | None => Kind::Junk,
    }
}

/// Whether some program would take it for the name of a field that we read.
fn is_near(name: &[u8]) -> bool {
    const READ: &[&[u8]] = &[
        b"authentication-results",
        b"cc",
        b"content-disposition",
        b"content-transfer-encoding",
        b"content-type",
        b"date",
        b"from",
        b"in-reply-to",
        b"message-id",
        b"references",
        b"reply-to",
        b"return-path",
        b"sender",
        b"subject",
        b"to",
    ];
    let bare = name.iter().filter(|byte| byte.is_ascii_graphic());
    let bare: Vec<u8> = bare.map(u8::to_ascii_lowercase).collect();
    READ.contains(&bare.as_slice())
}

/// Whether junk in a header is followed by more of the header.
fn is_before_field(raw: &[u8], junk: Line, line_end: LineEnd) -> bool {
    let next = line_end.line(raw, junk.next);
    next.is_some_and(|next| matches!(kind(next.of(raw)), Kind::Field(_)))
}

impl<'a> Header<'a> {
    fn push(&mut self, raw: &'a [u8], field: Option<(&'a [u8], Range<usize>)>) {
        let Some((name, value)) = field else {
            return;
        };
        self.is_cut |= self.fields.len() == FIELDS_MAX || value.len() > VALUE_BYTES_MAX;
        if self.fields.len() == FIELDS_MAX {
            return;
        }
        let value = &raw[value];
        let bare = |at: usize, byte: u8| {
            byte == 0 || (byte == b'\r' && value.get(at + 1).is_some_and(|next| *next != b'\n'))
        };
        let read = &value[..value.len().min(VALUE_BYTES_MAX)];
        self.is_broken |= read.iter().enumerate().any(|(at, byte)| bare(at, *byte));
        self.fields.push((name, value));
    }

    /// Every field, the topmost first: name and value.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.fields.iter().copied()
    }

    /// Every value of a field, the topmost first, as it stands.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields()
            .filter(move |(field, _)| field.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// Whether there is such a field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The topmost value of a field on one line, its bytes made characters; encoded
    /// words stay. Empty when there is none.
    pub(super) fn value(&self, name: &str) -> String {
        self.all(name).next().map(unfolded).unwrap_or_default()
    }

    /// Every value of a field, like [`Self::value`].
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = String> {
        self.all(name).map(unfolded)
    }

    /// The topmost value of a field as its reader sees it, before anything is left out.
    pub(super) fn words(&self, name: &str) -> String {
        words::decode(&self.value(name))
    }

    /// The same, made safe.
    pub(super) fn line(&self, name: &str, chars_max: usize) -> String {
        text::line(&self.words(name), chars_max)
    }
}

/// A value on one line.
pub(super) fn unfolded(value: &[u8]) -> String {
    let value = &value[..value.len().min(VALUE_BYTES_MAX)];
    let bytes: Vec<u8> = if memchr::memchr2(b'\r', b'\n', value).is_none() {
        value.trim_ascii().to_vec()
    } else {
        let kept = value.iter().filter(|byte| **byte != b'\n');
        let line: Vec<u8> = kept.map(|b| if *b == b'\r' { b' ' } else { *b }).collect();
        line.trim_ascii().to_vec()
    };
    words::characters(bytes)
}
