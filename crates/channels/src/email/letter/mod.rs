//! What a letter says, read from its bytes: pure, bounded, and never a panic.

mod address;
mod authentication;
mod automatic;
mod body;
mod brief;
mod charset;
mod flowed;
mod header;
mod lines;
mod look;
mod marks;
mod parameters;
mod people;
mod returned;
mod status;
mod thread;
mod transfer;
mod walk;
mod words;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use domain::LineId;
use domain::identity::Identity;
use domain::message::{Attachment, Automatic, Letter, Text, Thread, Warning};
use domain::text;
use mail_parser::DateTime;
use sha2::{Digest, Sha256};

use crate::clean;

use self::body::Content;
use self::parameters::Value;
pub(super) use self::returned::{Failure, Returned};
use self::transfer::Encoding;
pub(super) use self::transfer::Pieces;
use self::walk::Part;

/// What has to be known of a line to read its letters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Own {
    pub(super) line: LineId,
    /// All addresses of ours.
    pub(super) addresses: Vec<String>,
    /// See [`authentication`].
    pub(super) trusted_servers: Vec<String>,
}

impl Own {
    /// Whether an address is ours, with a tag or without.
    fn is_own(&self, address: &str) -> bool {
        self.tag_of(address).is_some()
    }

    /// The token behind the plus in an address of ours.
    fn token_in(&self, address: &str) -> Option<String> {
        self.tag_of(address)
            .map(str::to_ascii_lowercase)
            .filter(|tag| thread::is_token(tag))
    }

    /// What stands behind the plus in an address of ours; empty when nothing does.
    fn tag_of<'a>(&self, address: &'a str) -> Option<&'a str> {
        let (local, domain) = address.rsplit_once('@')?;
        let (name, tag) = local.split_once('+').unwrap_or((local, ""));
        let is_same = |ours: &String| {
            let (our_name, our_domain) = ours.rsplit_once('@').unwrap_or((ours, ""));
            let is_name = our_name.eq_ignore_ascii_case(name);
            (is_name || our_name.eq_ignore_ascii_case(local))
                && our_domain.eq_ignore_ascii_case(domain)
        };
        self.addresses.iter().any(is_same).then_some(tag)
    }
}

/// A letter that was read.
#[derive(Debug)]
pub(super) struct Reading {
    /// The same for the same letter in another mailbox; see [`external_id`].
    pub(super) external_id: String,
    /// When it says to have been written, in seconds since 1970.
    pub(super) written_at: Option<i64>,
    pub(super) sender: Option<Identity>,
    pub(super) text: Text,
    pub(super) files: Vec<Attachment>,
    pub(super) thread: Thread,
    pub(super) letter: Letter,
    /// What came back, if it tells that.
    pub(super) returned: Option<Returned>,
}

/// Reads a letter; none when there is no header in it. `is_beginning` tells that the
/// rest of it was not taken.
pub(super) fn read(raw: &[u8], is_beginning: bool, own: &Own) -> Option<Reading> {
    let structure = walk::walk(raw);
    let whole = structure.parts.first().filter(|it| is_letter(it))?;
    let header = &whole.header;
    let people = people::read(header, own);
    let mut content = body::read(raw, &structure);
    let message_id = thread::message_id(header);
    let subject = header.words("Subject");
    let mut warnings = people.warnings;
    let mut warn = |holds: bool, warning: Warning| {
        if holds {
            warnings.insert(warning);
        }
    };
    warn(structure.is_broken, Warning::Broken);
    warn(structure.is_open && !is_beginning, Warning::Broken);
    warn(
        is_beginning || content.is_cut || header.is_cut,
        Warning::Cut,
    );
    warn(content.is_enciphered, Warning::Enciphered);
    warn(look::has_invisible(&subject), Warning::Invisible);
    let letter = Letter {
        message_id: message_id.clone(),
        subject: thread::subject(header),
        automatic: automatic::read(header, &structure, &people.from.address, own),
        from: people.from,
        to: people.to,
        cc: people.cc,
        reply_to: people.reply_to,
        brief: brief(&content, &subject),
        warnings,
    };
    let mut thread = thread::read(header, own);
    if matches!(
        letter.automatic,
        Some(Automatic::Report | Automatic::Complaint)
    ) {
        thread::refer(&mut thread, returned::original(raw, &structure));
    }
    Some(Reading {
        returned: returned::read(raw, &structure, &content.text.plain, own),
        external_id: external_id(raw, whole, &message_id),
        written_at: written_at(whole),
        sender: people.sender,
        text: std::mem::take(&mut content.text),
        files: content.files,
        thread,
        letter,
    })
}

/// The new words, where they are less than all.
fn brief(content: &Content, subject: &str) -> Option<String> {
    const FORWARDS: &[&str] = &["fw:", "fwd:", "пересл:", "переслать:", "пер:", "пересылка:"];
    let subject = subject.trim_start().to_lowercase();
    let is_forward = FORWARDS.iter().any(|start| subject.starts_with(start));
    let marked = content.marked.as_deref();
    let brief = brief::read(&content.text.plain, marked, is_forward)?;
    Some(clean::body(&brief)).filter(|brief| !brief.trim().is_empty())
}

/// Whether a header is a letter's: it has at least one field that letters have.
fn is_letter(whole: &Part<'_>) -> bool {
    const FIELDS: &[&str] = &[
        "From",
        "To",
        "Cc",
        "Bcc",
        "Subject",
        "Date",
        "Message-ID",
        "Received",
        "Return-Path",
        "Delivered-To",
        "Sender",
        "Reply-To",
        "MIME-Version",
        "Content-Type",
    ];
    FIELDS.iter().any(|name| whole.header.has(name))
}

fn written_at(whole: &Part<'_>) -> Option<i64> {
    let date = whole.header.value("Date");
    let date = DateTime::parse_rfc822(text::line(&date, 100).as_str())?;
    date.is_valid().then(|| date.to_timestamp())
}

/// The letter's own name and the beginning of a digest of its content, so that the same
/// letter is known in two mailboxes, and another one under the same name is another.
/// What servers add on the way is not in the digest.
fn external_id(raw: &[u8], whole: &Part<'_>, message_id: &str) -> String {
    const FIELDS: &[&str] = &[
        "From",
        "To",
        "Cc",
        "Subject",
        "Date",
        "Message-ID",
        "Content-Type",
    ];
    const NAME_BYTES_MAX: usize = 230;
    let mut digest = Sha256::new();
    for name in FIELDS {
        for value in whole.header.all(name) {
            digest.update(name.as_bytes());
            let words = value
                .split(u8::is_ascii_whitespace)
                .filter(|it| !it.is_empty());
            for word in words {
                digest.update(b" ");
                digest.update(word);
            }
            digest.update(b"\n");
        }
    }
    // Whether lines end with CR LF or LF is the server's choice as well.
    let body = raw[whole.body.start..].trim_ascii_end();
    let mut bare = Vec::new();
    for piece in body.chunks(64 << 10) {
        bare.clear();
        let mut from = 0;
        for cr in memchr::memchr_iter(b'\r', piece) {
            bare.extend_from_slice(&piece[from..cr]);
            from = cr + 1;
        }
        bare.extend_from_slice(&piece[from..]);
        digest.update(&bare);
    }
    let digest: [u8; 32] = digest.finalize().into();
    let hex = hex(&digest[..8]);
    if message_id.is_empty() || message_id.len() > NAME_BYTES_MAX {
        hex
    } else {
        format!("{message_id} {hex}")
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// Opens a file of a letter by its source.
pub(super) fn open(letter: &Bytes, source: &str) -> Option<Pieces> {
    if source == body::WHOLE {
        return Some(Pieces::new(letter.clone(), Encoding::Identity));
    }
    let structure = walk::walk(letter);
    if source == body::REST {
        let rest = structure.rest?;
        return Some(Pieces::new(letter.slice(rest), Encoding::Identity));
    }
    let index: usize = source.strip_prefix("part ")?.parse().ok()?;
    let part = structure.parts.get(index).filter(|it| !it.is_multipart)?;
    Some(Pieces::new(
        letter.slice(part.body.clone()),
        part.encoding(),
    ))
}

fn disposition(part: &Part<'_>) -> Value {
    Value::read(&part.header.value("Content-Disposition"))
}

/// The name that a part gives its file.
fn declared_name(part: &Part<'_>, disposition: &Value) -> Option<String> {
    disposition
        .words("filename")
        .or_else(|| part.content.words("name"))
}

/// A name for a part's file, safe on any system.
fn file_name(part: &Part<'_>) -> String {
    if let Some(name) = declared_name(part, &disposition(part)) {
        return text::file_name(&name);
    }
    let name = match part.media_type() {
        "text/plain" => "text.txt",
        "text/html" => "text.html",
        "text/calendar" => "invite.ics",
        "message/rfc822" | "message/global" => "letter.eml",
        "message/delivery-status" => "delivery-status.txt",
        "message/feedback-report" => "feedback-report.txt",
        "message/disposition-notification" => "disposition-notification.txt",
        "text/rfc822-headers" => "headers.txt",
        "text/vcard" | "text/x-vcard" | "text/directory" => "card.vcf",
        "text/csv" => "table.csv",
        "application/pdf" => "file.pdf",
        "application/ms-tnef" => "winmail.dat",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "smime.p7m",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "smime.p7s",
        "application/pgp-signature" => "signature.asc",
        "application/pgp-encrypted" => "version.asc",
        "image/jpeg" | "image/pjpeg" => "picture.jpg",
        "image/png" => "picture.png",
        "image/gif" => "picture.gif",
        _ => "file",
    };
    name.to_owned()
}
