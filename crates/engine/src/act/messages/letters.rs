//! Whom a letter goes to and what it is about.

use domain::MessageId;
use domain::identity::Trust;
use domain::message::{Address, Attachment, Letter, Medium, answer_subject};
use domain::text;
use store::{ThreadRow, Tx};

use super::super::ActError;
use crate::reason::Reason;
use crate::{Line, asked};

/// Addresses of one letter.
const ADDRESSES_MAX: usize = 50;
const SUBJECT_CHARS_MAX: usize = 998;
/// Addresses that take part in one thread.
const PARTICIPANTS_MAX: usize = 100;

/// Whom a letter goes to and what it is about; what is empty is as in the letter that it
/// answers.
#[derive(Clone, Debug, Default)]
pub struct NewLetter {
    /// What it is about.
    pub subject: String,
    /// Whom it is written to.
    pub to: Vec<Address>,
    /// Who gets a copy.
    pub cc: Vec<Address>,
    /// A message that is passed on, with its files.
    pub forwarded: Option<MessageId>,
}

/// The letter to send; none on lines that are not of mail. Whom it goes to takes part in
/// the thread from then on.
pub(super) fn compose(
    tx: &mut Tx<'_>,
    line: &Line,
    thread: &ThreadRow,
    wanted: Option<&NewLetter>,
) -> Result<Option<Letter>, ActError> {
    if line.kind.descriptor.medium != Medium::Email {
        return match wanted {
            None => Ok(None),
            Some(_) => Err(invalid(Reason::NoLetters)),
        };
    }
    let wanted = wanted.cloned().unwrap_or_default();
    let ours: Vec<String> = line.channel.addresses();
    let is_ours = |to: &Address| ours.iter().any(|own| own.eq_ignore_ascii_case(&to.address));
    let mut letter = Letter {
        subject: text::line(&wanted.subject, SUBJECT_CHARS_MAX),
        to: readable(&wanted.to)?,
        cc: readable(&wanted.cc)?,
        ..Letter::default()
    };
    if letter.subject.is_empty() {
        let subject = thread.context.subject.as_deref().unwrap_or_default();
        letter.subject = match tx.last_inbound_of(thread.id)? {
            Some(_) => answer_subject(subject),
            None => subject.to_owned(),
        };
    }
    if letter.to.is_empty() {
        letter.to = answered(tx, thread)?;
    }
    letter.to.retain(|to| !is_ours(to));
    letter.cc.retain(|to| !is_ours(to));
    if letter.to.is_empty() {
        return Err(invalid(Reason::ToOurselves));
    }
    if letter.to.len() + letter.cc.len() > ADDRESSES_MAX {
        return Err(invalid(Reason::TooManyAddresses { max: ADDRESSES_MAX }));
    }
    let mut after = thread.clone();
    for to in letter.to.iter().chain(&letter.cc) {
        if let Some(reason) = tx.returned(&line.id, &to.address)? {
            return Err(ActError::Refused(Reason::LettersComeBack {
                address: to.address.clone(),
                cause: reason,
            }));
        }
        if after.participants.len() < PARTICIPANTS_MAX {
            let participants = &mut after.participants;
            participants
                .entry(to.address.clone())
                .or_insert(Trust::Claimed);
        }
    }
    if after != *thread {
        tx.save_thread(&after)?;
    }
    Ok(Some(letter))
}

/// The files of a message of the thread that is passed on.
pub(super) fn forwarded(
    tx: &Tx<'_>,
    thread: &ThreadRow,
    id: Option<MessageId>,
) -> Result<Vec<Attachment>, ActError> {
    let Some(id) = id else {
        return Ok(Vec::new());
    };
    let message = tx
        .message(id)?
        .filter(|message| message.thread == thread.id);
    let message = message.ok_or(ActError::NotFound("message to pass on"))?;
    let files = message.attachments.into_iter();
    Ok(files.filter(|file| !file.sha256.is_empty()).collect())
}

/// Whom an answer goes to: where the client asks for it, else to the client.
fn answered(tx: &Tx<'_>, thread: &ThreadRow) -> Result<Vec<Address>, ActError> {
    let asked = asked::elsewhere(tx, thread)?;
    if !asked.is_empty() {
        return Ok(asked);
    }
    let client = thread
        .sender
        .identities
        .iter()
        .find(|it| it.kind == "email");
    let client = client.ok_or_else(|| invalid(Reason::NoOneToAnswer))?;
    Ok(vec![Address {
        name: thread.sender.display_name.clone(),
        address: client.value.clone(),
    }])
}

fn readable(addresses: &[Address]) -> Result<Vec<Address>, ActError> {
    let read = |told: &Address| {
        asked::readable(told).ok_or_else(|| {
            let address = text::line(&told.address, 320);
            invalid(Reason::NoLetterAddress { address })
        })
    };
    addresses.iter().map(read).collect()
}

const fn invalid(problem: Reason) -> ActError {
    ActError::Invalid {
        field: "letter",
        problem,
    }
}
