//! What a letter says of the thread it belongs to. None of it is believed here.

use domain::message::Thread;

use super::Own;
use super::address;
use super::header::Header;
use crate::clean;

const REFERENCES_MAX: usize = 100;
const TOKEN_LENGTH: usize = 20;
const SUBJECT_CHARS_MAX: usize = 998;
/// Where servers write whom they took a letter in for, then whom it says to be for.
const RECIPIENT_FIELDS: &[&str] = &[
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Envelope-To",
    "To",
    "Cc",
];

/// What a letter is about.
pub(super) fn subject(header: &Header<'_>) -> String {
    header.line("Subject", SUBJECT_CHARS_MAX)
}

/// What a letter says of its thread.
pub(super) fn read(header: &Header<'_>, own: &Own) -> Thread {
    let mut references = Vec::new();
    for name in ["References", "In-Reply-To"] {
        for value in header.values(name).take(10) {
            references.extend(ids(&value));
        }
    }
    let subject = subject(header);
    Thread {
        subject: Some(subject).filter(|subject| !subject.is_empty()),
        references: shortened(references),
        token: token(header, own),
        ..Thread::default()
    }
}

/// Lets a thread refer to one more letter, the latest.
pub(super) fn refer(thread: &mut Thread, id: Option<String>) {
    let references = std::mem::take(&mut thread.references);
    thread.references = shortened(references.into_iter().chain(id).collect());
}

/// The name that a letter gives itself; empty when it has none that can be kept.
pub(super) fn message_id(header: &Header<'_>) -> String {
    let value = header.value("Message-ID");
    let first = ids(&value).into_iter().next();
    first.unwrap_or_else(|| clean::key(value.trim()))
}

/// The names of letters in a text: what stands in angles, or words with an `@` where
/// nothing does.
pub(super) fn ids(text: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((id, behind)) = after.split_once('>') else {
            break;
        };
        // A name that was wrapped, or the beginning of one that was never ended.
        let id = id.rsplit('<').next().unwrap_or_default();
        let id: String = id.chars().filter(|c| !c.is_whitespace()).collect();
        ids.push(id);
        rest = behind;
    }
    if ids.is_empty() {
        let words = text
            .split([' ', '\t', ','])
            .filter(|word| word.contains('@'));
        ids.extend(words.map(str::to_owned));
    }
    ids.retain(|id| clean::is_key(id));
    ids
}

/// The first names the thread, the latest say what is answered.
fn shortened(all: Vec<String>) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    // Of a name that stands twice, the later place tells more.
    for id in all.into_iter().rev() {
        if seen.insert(id.clone()) {
            ids.push(id);
        }
    }
    ids.reverse();
    if ids.len() > REFERENCES_MAX {
        ids.drain(1..=ids.len() - REFERENCES_MAX);
    }
    ids
}

/// The token in an address of ours that a letter was sent to.
fn token(header: &Header<'_>, own: &Own) -> Option<String> {
    RECIPIENT_FIELDS.iter().find_map(|name| {
        header.values(name).take(20).find_map(|value| {
            let list = address::read(&value);
            let mut addresses = list.mailboxes.iter().map(|it| it.address.as_str());
            addresses.find_map(|address| own.token_in(address))
        })
    })
}

/// Whether something can be a token of ours.
pub(super) fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}
