//! How a letter is put together: its parts as ranges of its bytes. Nothing is decoded
//! and nothing copied, and however many parts it has, it is gone through once.

use std::collections::BTreeMap;
use std::ops::Range;

use super::header::{self, Header};
use super::lines::LineEnd;
use super::parameters::Value;
use super::transfer::Encoding;

/// Parts in parts, deeper than any program writes; a deeper one is kept as a file.
const DEPTH_MAX: usize = 50;
/// What follows the last of so many parts is kept as one file.
pub(super) const PARTS_MAX: usize = 500;
/// The standard has 70.
const BOUNDARY_BYTES_MAX: usize = 200;

/// A letter's parts.
#[derive(Debug)]
pub(super) struct Structure<'a> {
    /// The whole letter first, each before what it contains.
    pub(super) parts: Vec<Part<'a>>,
    /// What follows the last part that is told.
    pub(super) rest: Option<Range<usize>>,
    /// It is not built as letters are.
    pub(super) is_broken: bool,
    /// It ends before it should.
    pub(super) is_open: bool,
}

/// A part.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) header: Header<'a>,
    pub(super) body: Range<usize>,
    pub(super) parent: Option<usize>,
    pub(super) content: Value,
    pub(super) is_multipart: bool,
    /// It has parts that are not told: they are too deep.
    pub(super) is_deep: bool,
}

impl Part<'_> {
    /// `type/subtype` as the part claims it.
    pub(super) fn media_type(&self) -> &str {
        &self.content.value
    }

    /// How its body is written.
    pub(super) fn encoding(&self) -> Encoding {
        Encoding::named(self.header.value("Content-Transfer-Encoding").trim())
    }
}

struct Open {
    part: usize,
    boundary: Vec<u8>,
}

struct Walk<'a> {
    raw: &'a [u8],
    line_end: LineEnd,
    structure: Structure<'a>,
    open: Vec<Open>,
    /// Which of them have a boundary, the innermost last.
    levels: BTreeMap<Vec<u8>, Vec<usize>>,
    /// The part without parts whose body goes on.
    leaf: Option<usize>,
}

/// Goes through a letter.
pub(super) fn walk(raw: &[u8]) -> Structure<'_> {
    let mut walk = Walk {
        raw,
        line_end: LineEnd::of(raw),
        structure: Structure {
            parts: Vec::new(),
            rest: None,
            is_broken: false,
            is_open: false,
        },
        open: Vec::new(),
        levels: BTreeMap::new(),
        leaf: None,
    };
    let mut at = walk.begin_part(blank_lines(raw), None);
    while !walk.open.is_empty()
        && let Some(line) = walk.line_end.line(raw, at)
    {
        at = line.next;
        let Some((level, is_last)) = walk.delimiter(line.of(raw)) else {
            continue;
        };
        walk.end_leaf(line.start);
        walk.structure.is_broken |= level + 1 < walk.open.len();
        walk.close_to(level + 1, line.start);
        if is_last {
            walk.close_to(level, line.start);
        } else if walk.structure.parts.len() == PARTS_MAX {
            walk.structure.rest = Some(line.next..raw.len());
            walk.structure.is_broken = true;
            walk.open.clear();
            walk.levels.clear();
        } else {
            let parent = walk.open[level].part;
            at = walk.begin_part(line.next, Some(parent));
        }
    }
    let is_broken = walk.structure.is_broken;
    walk.structure.is_open |= !walk.open.is_empty();
    walk.end_leaf_at(raw.len());
    walk.close_to(0, raw.len());
    walk.structure.is_broken = is_broken;
    walk.structure
}

/// Where a letter begins: some servers put empty lines before it.
fn blank_lines(raw: &[u8]) -> usize {
    let blank = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let length = raw.iter().take(64).take_while(|byte| blank(byte)).count();
    if length < raw.len() { length } else { 0 }
}

impl Walk<'_> {
    /// Reads a part's header and tells where to go on.
    fn begin_part(&mut self, start: usize, parent: Option<usize>) -> usize {
        let (header, body) = header::read(self.raw, start, self.line_end, |line| {
            self.delimiter(line).is_some()
        });
        // What a header ends with may be half of a field.
        let is_last_line = memchr::memchr(b'\n', &self.raw[body..]).is_none();
        self.structure.is_open |= header.is_broken && is_last_line;
        self.structure.is_broken |= header.is_broken && !is_last_line;
        let mut content = Value::read(&header.value("Content-Type"));
        let is_named = content.value.contains('/');
        if !is_named {
            self.structure.is_broken |= header.has("Content-Type");
            let digest = parent.is_some_and(|parent| {
                self.structure.parts[parent].media_type() == "multipart/digest"
            });
            let usual = if digest {
                "message/rfc822"
            } else {
                "text/plain"
            };
            usual.clone_into(&mut content.value);
        }
        let boundary = content.get("boundary");
        let claims = content.value.starts_with("multipart/");
        let boundary = boundary
            .map(|boundary| boundary.trim_end().to_owned())
            .filter(|boundary| claims && (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()));
        let part = self.structure.parts.len();
        let is_multipart = boundary.is_some() && self.open.len() < DEPTH_MAX;
        let is_deep = boundary.is_some() && !is_multipart;
        self.structure.is_broken |= claims && !is_multipart;
        self.structure.parts.push(Part {
            header,
            body: body..body,
            parent,
            content,
            is_multipart,
            is_deep,
        });
        match boundary.filter(|_| is_multipart) {
            Some(boundary) => {
                let boundary = boundary.into_bytes();
                let levels = self.levels.entry(boundary.clone()).or_default();
                levels.push(self.open.len());
                self.open.push(Open { part, boundary });
            }
            None => self.leaf = Some(part),
        }
        body
    }

    /// Of which open part a line is the delimiter, and whether the last one. The
    /// innermost counts where several have the same boundary.
    fn delimiter(&self, line: &[u8]) -> Option<(usize, bool)> {
        let rest = line.strip_prefix(b"--")?.trim_ascii_end();
        let level = |is_last: bool, rest: &[u8]| {
            let found = self.levels.get(rest).and_then(|levels| levels.last());
            found.map(|level| (*level, is_last))
        };
        let last = rest
            .strip_suffix(b"--")
            .map(|rest| level(true, rest.trim_ascii_end()));
        level(false, rest).or(last.flatten())
    }

    /// Ends the part whose body goes on before the line that begins at `start`.
    fn end_leaf(&mut self, start: usize) {
        self.end_leaf_at(before_line_end(self.raw, start));
    }

    fn end_leaf_at(&mut self, end: usize) {
        if let Some(leaf) = self.leaf.take() {
            let body = &mut self.structure.parts[leaf].body;
            body.end = end.max(body.start);
        }
    }

    /// Closes the parts that are open from a level on.
    fn close_to(&mut self, level: usize, end: usize) {
        let count = self.structure.parts.len();
        while self.open.len() > level
            && let Some(Open { part, boundary }) = self.open.pop()
        {
            if let Some(levels) = self.levels.get_mut(&boundary) {
                levels.pop();
            }
            let closed = &mut self.structure.parts[part];
            closed.body.end = end.max(closed.body.start);
            // Of a part of parts that has none, the body is all there is.
            if part + 1 == count {
                closed.is_multipart = false;
                self.structure.is_broken = true;
            }
        }
    }
}

/// The line end before a delimiter belongs to the delimiter.
fn before_line_end(raw: &[u8], start: usize) -> usize {
    let before = &raw[..start];
    let bare = before.strip_suffix(b"\r\n");
    let bare = bare.or_else(|| before.strip_suffix(b"\n"));
    let bare = bare.or_else(|| before.strip_suffix(b"\r"));
    bare.unwrap_or(before).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, expect: &[&str]) -> bool {
        let structure = walk(raw.as_bytes());
        let told: Vec<String> = structure
            .parts
            .iter()
            .map(|part| {
                let body = if part.is_multipart {
                    String::new()
                } else {
                    format!(" {:?}", &raw[part.body.clone()])
                };
                part.media_type().to_owned() + &body
            })
            .collect();
        assert_eq!(told, expect, "{raw}");
        structure.is_broken || structure.is_open
    }

    #[test]
    fn parts_are_where_they_stand() {
        assert!(!check(
            "Subject: a\r\n\r\nbody\r\n",
            &["text/plain \"body\\r\\n\""]
        ));
        assert!(!check(
            "Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\n--b \nContent-Type: a/b\n\ntwo\n\n--b--\nepilogue",
            &["multipart/mixed", "text/plain \"one\"", "a/b \"two\\n\""],
        ));
        // One boundary begins another; and the parts in the part.
        assert!(!check(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=\"b--\"\n\n--b--\n\none\n--b----\n--b\n\ntwo\n--b--",
            &[
                "multipart/mixed",
                "multipart/alternative",
                "text/plain \"one\"",
                "text/plain \"two\""
            ],
        ));
        assert!(!check(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b\n--b\n\ntwo\n--b--",
            &["multipart/mixed", "a/b \"\"", "text/plain \"two\""],
        ));
        assert!(!check(
            "Content-Type: multipart/mixed; boundary=b\r\r--b\r\rone\r--b--\r",
            &["multipart/mixed", "text/plain \"one\""],
        ));
    }

    #[test]
    fn what_is_not_built_well_is_read_all_the_same() {
        for (raw, expect) in [
            (
                "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none",
                &["multipart/mixed", "text/plain \"one\""][..],
            ),
            (
                "Content-Type: multipart/mixed; boundary=b\n\njust text",
                &["multipart/mixed \"just text\""],
            ),
            (
                "Content-Type: multipart/mixed\n\njust text",
                &["multipart/mixed \"just text\""],
            ),
            (
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--b--",
                &[
                    "multipart/mixed",
                    "multipart/alternative",
                    "text/plain \"one\"",
                    "text/plain \"two\"",
                ],
            ),
            (
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nno header here\n--b--",
                &["multipart/mixed", "text/plain \"no header here\""],
            ),
        ] {
            let broken = check(raw, expect);
            assert!(broken, "{raw}");
        }
    }
}
