//! From a letter to an event.

use bytes::Bytes;
use domain::identity::{Identity, Trust};
use domain::message::{Content, Inbound, InboundKind, Sender};
use domain::{LineId, Timestamp, text};

use super::config::Config;
use super::journal::{self, Found};
use super::letter::{self, Failure, Own, Pieces, Reading, Returned};
use crate::{Malformed, clean};

/// Reads a journal entry.
pub(super) fn normalize(raw: &[u8], config: &Config) -> Result<Vec<Inbound>, Malformed> {
    let mut addresses = vec![config.address.clone()];
    addresses.extend(config.aliases.iter().cloned());
    let own = Own {
        line: config.line.clone(),
        addresses,
        trusted_servers: config.trusted_servers.clone(),
    };
    normalize_entry(raw, &own)
}

pub(super) fn normalize_entry(raw: &[u8], own: &Own) -> Result<Vec<Inbound>, Malformed> {
    let (found, letter) = journal::read(raw)?;
    events(letter, &found, own)
}

/// Reads a letter as it lies in a file, for a line of which nothing is known.
pub(super) fn normalize_letter(raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
    let own = Own {
        line: LineId::from("email"),
        addresses: Vec::new(),
        trusted_servers: Vec::new(),
    };
    events(raw, &Found::default(), &own)
}

/// Opens a file that a letter in the journal brought along, by its source.
pub(super) fn open(entry: &Bytes, source: &str) -> Option<Pieces> {
    let (_, letter) = journal::read(entry).ok()?;
    letter::open(&entry.slice_ref(letter), source)
}

/// Leaves room for a number behind it.
const KEY_BYTES_MAX: usize = 250;

fn events(raw: &[u8], found: &Found, own: &Own) -> Result<Vec<Inbound>, Malformed> {
    let reading = letter::read(raw, found.cut_from.is_some(), own)
        .ok_or_else(|| Malformed("not a letter: it has no header".to_owned()))?;
    let returned = reading.returned.clone();
    let message = message(reading, found, own);
    Ok(match returned {
        Some(returned) => bounces(&message, returned),
        None => vec![message],
    })
}

/// One event for each whom the letter did not reach.
fn bounces(message: &Inbound, Returned { target, failures }: Returned) -> Vec<Inbound> {
    let numbered = |key: &str, index: usize| match index {
        0 => key.to_owned(),
        index => format!("{key} #{index}"),
    };
    // What is told of it is the reason.
    let mut message = message.clone();
    if let Some(letter) = &mut message.letter {
        letter.brief = None;
    }
    let events = failures.into_iter().enumerate().map(|(index, failure)| {
        let Failure {
            recipient,
            permanent,
            reason,
        } = failure;
        Inbound {
            event_key: numbered(&message.event_key, index),
            message_id: message.message_id.as_deref().map(|id| numbered(id, index)),
            attachments: Vec::new(),
            kind: InboundKind::Bounce {
                target: target.clone(),
                recipient,
                permanent,
                reason,
            },
            ..message.clone()
        }
    });
    events.collect()
}

fn message(reading: Reading, found: &Found, own: &Own) -> Inbound {
    let external_id = external_id(&reading, found);
    let key = found.event_key();
    let is_found = !found.mailbox.is_empty() && clean::is_key(&key) && key.len() <= KEY_BYTES_MAX;
    let event_key = if is_found { key } else { external_id.clone() };
    // The clock of our own server is believed before the sender's.
    let written_at = reading
        .written_at
        .map_or(0, |secs| secs.saturating_mul(1_000));
    let sent_at = match found.received_at {
        Timestamp(0) => Timestamp(written_at),
        received_at => received_at,
    };
    // A letter without a sender is from somebody who is known by nothing else.
    let identity = reading.sender.unwrap_or_else(|| Identity {
        kind: "letter".to_owned(),
        issuer: own.line.as_str().to_owned(),
        value: external_id.clone(),
        trust: Trust::Claimed,
    });
    Inbound {
        event_key,
        message_id: Some(external_id.clone()),
        thread_key: external_id,
        sent_at,
        sender: Sender {
            identities: vec![identity],
            display_name: text::display_name(&reading.letter.from.name),
            ..Sender::default()
        },
        thread: reading.thread,
        attachments: reading.files,
        letter: Some(Box::new(reading.letter)),
        album: None,
        kind: InboundKind::Message(Content::Text(reading.text)),
    }
}

/// What one letter is known by. Of letters that nobody gave a name, two may say the same
/// and be two all the same: the time when each came tells them apart.
fn external_id(reading: &Reading, found: &Found) -> String {
    let id = &reading.external_id;
    match found.received_at {
        Timestamp(at) if at != 0 && reading.letter.message_id.is_empty() => format!("{id} {at}"),
        Timestamp(_) => id.clone(),
    }
}
