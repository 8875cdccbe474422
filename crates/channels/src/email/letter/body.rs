//! The words of a letter and its files.

use std::collections::BTreeSet;

use domain::message::{Attachment, Text};
use domain::text;

use super::transfer;
use super::walk::{Part, Structure};
use super::{charset, flowed};
use crate::{clean, sanitize};

/// Of a letter's words no more is decoded; newsletters reach some 200 KB.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Of a letter with more files the last one is the whole letter.
const FILES_MAX: usize = 30;
const CONTENT_ID_BYTES_MAX: usize = 256;
const SHOWN_IDS_MAX: usize = 1_000;

/// The source of the whole letter as a file.
pub(super) const WHOLE: &str = "letter";
/// The source of what follows the last part that is told.
pub(super) const REST: &str = "rest";

/// What a letter brings.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) text: Text,
    pub(super) files: Vec<Attachment>,
    /// What the HTML says with its marks, where there was no plain text.
    pub(super) marked: Option<String>,
    /// There were more words than are kept.
    pub(super) is_cut: bool,
    /// The words are enciphered.
    pub(super) is_enciphered: bool,
}

/// Reads a letter's words and tells its files.
pub(super) fn read(raw: &[u8], structure: &Structure<'_>) -> Content {
    let mut reader = Reader {
        raw,
        structure,
        children: vec![Vec::new(); structure.parts.len()],
        room: TEXT_BYTES_MAX,
        is_cut: false,
        is_enciphered: false,
    };
    for (index, part) in structure.parts.iter().enumerate() {
        if let Some(parent) = part.parent {
            reader.children[parent].push(index);
        }
    }
    let mut found = Found::default();
    if !structure.parts.is_empty() {
        reader.part(0, &mut found);
    }
    reader.finish(found)
}

/// Some of a letter's words, in the forms they came in.
#[derive(Debug, Default)]
struct Piece {
    plain: Option<String>,
    html: Option<String>,
}

/// What was found in a part.
#[derive(Debug, Default)]
struct Found {
    pieces: Vec<Piece>,
    files: Vec<usize>,
}

struct Reader<'a> {
    raw: &'a [u8],
    structure: &'a Structure<'a>,
    children: Vec<Vec<usize>>,
    /// How much more is decoded.
    room: usize,
    is_cut: bool,
    is_enciphered: bool,
}

impl Reader<'_> {
    /// Goes into a part; not deeper than the walk went.
    fn part(&mut self, index: usize, found: &mut Found) {
        let part = &self.structure.parts[index];
        if !part.is_multipart {
            self.leaf(index, found);
            return;
        }
        let children = self.children[index].clone();
        match part.media_type() {
            "multipart/alternative" => self.alternative(&children, found),
            "multipart/related" => self.related(part, &children, found),
            "multipart/signed" | "multipart/report" => {
                if let Some((first, others)) = children.split_first() {
                    self.part(*first, found);
                    self.all_files(others, found);
                }
            }
            "multipart/encrypted" => {
                self.is_enciphered = true;
                self.all_files(&children, found);
            }
            _ => {
                for child in children {
                    self.part(child, found);
                }
            }
        }
    }

    /// The same words in several forms: the last HTML, the first plain text.
    fn alternative(&mut self, children: &[usize], found: &mut Found) {
        let mut plain: Option<Vec<Piece>> = None;
        let mut html: Option<Vec<Piece>> = None;
        for child in children {
            if self.structure.parts[*child].media_type() == "text/x-amp-html" {
                continue;
            }
            let mut inner = Found::default();
            self.part(*child, &mut inner);
            found.files.append(&mut inner.files);
            if inner.pieces.iter().any(|piece| piece.html.is_some()) {
                html = Some(inner.pieces);
            } else if plain.is_none() && !inner.pieces.is_empty() {
                plain = Some(inner.pieces);
            }
        }
        match (plain, html) {
            (Some(plain), Some(html)) => {
                let words = plain.iter().filter_map(|piece| piece.plain.as_deref());
                let words = words.collect::<Vec<_>>().join("\n");
                found.pieces.push(Piece {
                    plain: Some(words).filter(|words| !words.trim().is_empty()),
                    html: Some(joined_html(&html)),
                });
            }
            (Some(only), None) | (None, Some(only)) => found.pieces.extend(only),
            (None, None) => {}
        }
    }

    /// Words, and what is shown inside of them.
    fn related(&mut self, part: &Part<'_>, children: &[usize], found: &mut Found) {
        let start = part.content.get("start");
        let is_start = |child: &&usize| {
            let id = content_id(&self.structure.parts[**child]);
            id.is_some() && id.as_deref() == start.as_deref().map(bare_id)
        };
        let root = children.iter().find(is_start).or(children.first()).copied();
        if let Some(root) = root {
            self.part(root, found);
        }
        let others = children
            .iter()
            .copied()
            .filter(|child| Some(*child) != root);
        self.all_files(&others.collect::<Vec<_>>(), found);
    }

    fn all_files(&mut self, parts: &[usize], found: &mut Found) {
        for index in parts {
            if self.structure.parts[*index].is_multipart {
                let children = self.children[*index].clone();
                self.all_files(&children, found);
            } else {
                found.files.push(*index);
            }
        }
    }

    fn leaf(&mut self, index: usize, found: &mut Found) {
        let part = &self.structure.parts[index];
        let disposition = super::disposition(part);
        let is_only = self.structure.parts.len() == 1;
        let is_file = part.is_deep
            || disposition.value == "attachment"
            || (!is_only && super::declared_name(part, &disposition).is_some());
        match part.media_type() {
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                self.is_enciphered = true;
                found.files.push(index);
            }
            "text/html" | "application/xhtml+xml" if !is_file => {
                let html = self.decoded(index, found);
                found.pieces.push(Piece {
                    plain: None,
                    html: Some(html).filter(|html| !html.trim().is_empty()),
                });
            }
            "text/plain" | "text/markdown" | "text" if !is_file => self.plain(index, found),
            // What claims to have parts and has none is text at least.
            claim if claim.starts_with("multipart/") && !is_file => self.plain(index, found),
            _ => found.files.push(index),
        }
    }

    fn plain(&mut self, index: usize, found: &mut Found) {
        let part = &self.structure.parts[index];
        let words = self.decoded(index, found);
        let is_flowed = part
            .content
            .get("format")
            .is_some_and(|format| format.eq_ignore_ascii_case("flowed"));
        let deletes = part
            .content
            .get("delsp")
            .is_some_and(|delsp| delsp.eq_ignore_ascii_case("yes"));
        let words = if is_flowed {
            flowed::unwrapped(&words, deletes)
        } else {
            words
        };
        self.is_enciphered |= words
            .trim_start()
            .starts_with("-----BEGIN PGP MESSAGE-----");
        found.pieces.push(Piece {
            plain: Some(words),
            html: None,
        });
    }

    /// The characters of a part. Of what does not fit, all stays as a file.
    fn decoded(&mut self, index: usize, found: &mut Found) -> String {
        let part = &self.structure.parts[index];
        let encoded = &self.raw[part.body.clone()];
        let (bytes, is_cut) = transfer::start(encoded, part.encoding(), self.room);
        self.room -= bytes.len();
        if is_cut {
            self.is_cut = true;
            found.files.push(index);
        }
        charset::decode(&bytes, part.content.get("charset").as_deref())
    }

    fn finish(mut self, found: Found) -> Content {
        let has_html = found.pieces.iter().any(|piece| piece.html.is_some());
        let raw_html = has_html.then(|| joined_html(&found.pieces));
        let has_plain = |piece: &Piece| {
            let plain = piece.plain.as_deref().unwrap_or_default();
            !plain.trim().is_empty()
        };
        let marked = match &raw_html {
            Some(html) if !found.pieces.iter().any(has_plain) => {
                Some(sanitize::quoted_plain_from_html(html))
            }
            Some(_) | None => None,
        };
        let plain = found.pieces.iter().map(plain_of).collect::<Vec<_>>();
        let plain = plain.join("\n");
        let kept = clean::body(&plain);
        let html = raw_html.as_deref().and_then(sanitize::letter);
        let html = html.filter(|html| !html.trim().is_empty());
        let mut files = found.files;
        if kept.len() < text::body(&plain, usize::MAX).len() && !self.is_cut {
            self.is_cut = true;
            files.extend(self.words_parts());
        }
        files.sort_unstable();
        files.dedup();
        let files = self.attachments(&files, &shown_ids(html.as_deref().unwrap_or_default()));
        Content {
            text: Text {
                plain: trimmed(&kept).to_owned(),
                html,
            },
            files,
            marked,
            is_cut: self.is_cut,
            is_enciphered: self.is_enciphered,
        }
    }

    /// The parts that hold words.
    fn words_parts(&self) -> Vec<usize> {
        let parts = self.structure.parts.iter().enumerate();
        parts
            .filter(|(_, part)| !part.is_multipart && part.media_type().starts_with("text/"))
            .map(|(index, _)| index)
            .collect()
    }

    fn attachments(&self, files: &[usize], shown: &BTreeSet<String>) -> Vec<Attachment> {
        let rest = self.structure.rest.clone().map(|rest| Attachment {
            file_name: "rest-of-the-letter.txt".to_owned(),
            media_type: "application/octet-stream".to_owned(),
            size_bytes: rest.len() as u64,
            source: Some(REST.to_owned()),
            ..Attachment::default()
        });
        let room = FILES_MAX - usize::from(rest.is_some());
        if files.len() <= room {
            let told = files.iter().map(|index| self.attachment(*index, shown));
            return told.chain(rest).collect();
        }
        let told = files[..FILES_MAX - 1].iter();
        let whole = Attachment {
            file_name: "letter.eml".to_owned(),
            media_type: "message/rfc822".to_owned(),
            size_bytes: self.raw.len() as u64,
            source: Some(WHOLE.to_owned()),
            ..Attachment::default()
        };
        told.map(|index| self.attachment(*index, shown))
            .chain([whole])
            .collect()
    }

    fn attachment(&self, index: usize, shown: &BTreeSet<String>) -> Attachment {
        let part = &self.structure.parts[index];
        let content_id = content_id(part);
        let inline = content_id.as_ref().is_some_and(|id| shown.contains(id));
        let encoded = &self.raw[part.body.clone()];
        Attachment {
            file_name: super::file_name(part),
            media_type: clean::media_type(part.media_type()),
            size_bytes: part.encoding().decoded_length(encoded) as u64,
            inline,
            content_id,
            source: Some(format!("part {index}")),
            ..Attachment::default()
        }
    }
}

fn joined_html(pieces: &[Piece]) -> String {
    let mut joined = String::new();
    for piece in pieces {
        match (&piece.html, &piece.plain) {
            (Some(html), _) => joined.push_str(html),
            (None, Some(plain)) if !plain.trim().is_empty() => {
                joined.push_str("<div>");
                joined.push_str(&sanitize::html_from_plain(plain.trim_end()));
                joined.push_str("</div>");
            }
            (None, _) => {}
        }
    }
    joined
}

fn plain_of(piece: &Piece) -> String {
    match (&piece.plain, &piece.html) {
        (Some(plain), _) if !plain.trim().is_empty() => plain.clone(),
        (_, Some(html)) => sanitize::plain_from_html(html),
        (Some(_) | None, None) => String::new(),
    }
}

/// Without empty lines around it.
fn trimmed(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.len() - text.trim_start().len();
    let first = text[..start].rfind('\n').map_or(0, |end| end + 1);
    &text[first..]
}

/// The id by which words refer to a part.
fn content_id(part: &Part<'_>) -> Option<String> {
    let id = part.header.value("Content-ID");
    let id = bare_id(&id);
    let good = clean::is_key(id) && id.len() <= CONTENT_ID_BYTES_MAX;
    good.then(|| id.to_owned())
}

fn bare_id(id: &str) -> &str {
    id.trim().trim_start_matches('<').trim_end_matches('>')
}

/// The ids of the parts that HTML which was made safe shows.
fn shown_ids(html: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut rest = html;
    while let Some(at) = rest
        .find("src=\"cid:")
        .filter(|_| ids.len() < SHOWN_IDS_MAX)
    {
        rest = &rest[at + 9..];
        let told = &rest[..rest.find('"').unwrap_or(rest.len())];
        let told = told.replace("&amp;", "&");
        ids.extend(clean::percent_decode(told.as_bytes(), false));
        ids.insert(told);
    }
    ids
}
