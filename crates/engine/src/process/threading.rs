//! Which thread a letter belongs to.
//!
//! In the order of trust, within the line:
//!
//! 1. it refers to a letter of ours, whose name nobody can guess; the latest first;
//! 2. it was sent to an address that we gave out with the thread's token;
//! 3. it refers to a letter of a client's, and its sender takes part in that thread with
//!    an address that is as well vouched for as it was there: anybody can know such a
//!    name;
//! 4. else it begins a thread. A subject never joins anything.
//!
//! Whoever came by 1 or 2 and took no part in the thread before is a stranger there, and
//! so is whoever sent a letter that is told to be forged: it is shown as theirs. A guest
//! takes part and is not the client: somebody who got a copy. Neither changes whose the
//! thread is or where answers go.

use domain::LineId;
use domain::identity::Identity;
use domain::message::{
    Automatic, Content, Direction, Inbound, InboundKind, Letter, Medium, Text, Thread, Warning,
};
use store::{StoreError, ThreadRow, Tx, View};

use crate::{Line, asked, people};

/// Addresses that take part in one thread.
const PARTICIPANTS_MAX: usize = 100;
/// Names of earlier letters that an answer tells.
const REFERENCES_MAX: usize = 20;
/// 100 bits.
const TOKEN_LENGTH: usize = 20;

/// Puts an event into the thread it belongs to. A bounce belongs to the thread of the
/// message that came back.
pub(super) fn place(
    view: &View<'_>,
    line: &LineId,
    inbound: &mut Inbound,
) -> Result<(), StoreError> {
    if let InboundKind::Bounce { target, .. } = &inbound.kind {
        if let Some(bounced) = view.message_by_external_id(line, target, Direction::Outbound)? {
            if let Some(thread) = view.thread(bounced.thread)? {
                inbound.thread_key = thread.thread_key;
            }
            return Ok(());
        }
        // Of a letter that is not known here: somebody is to see it.
        let InboundKind::Bounce { reason, .. } = &inbound.kind else {
            return Ok(());
        };
        inbound.kind = InboundKind::Message(Content::Text(Text::plain(reason)));
        return Ok(());
    }
    if inbound.letter.is_none() {
        return Ok(());
    }
    let Some(thread) = find(view, line, inbound)? else {
        return Ok(());
    };
    let takes_part = takes_part(&thread, inbound);
    inbound.thread_key = thread.thread_key;
    if let Some(letter) = inbound.letter.as_mut().filter(|_| !takes_part) {
        letter.warnings.insert(Warning::Stranger);
    }
    Ok(())
}

fn find(
    view: &View<'_>,
    line: &LineId,
    inbound: &Inbound,
) -> Result<Option<ThreadRow>, StoreError> {
    let references = &inbound.thread.references;
    for name in references.iter().rev() {
        if let Some(ours) = view.message_by_external_id(line, name, Direction::Outbound)? {
            return view.thread(ours.thread);
        }
    }
    if let Some(token) = &inbound.thread.token
        && let Some(thread) = view.thread_by_token(token)?
        && thread.line == *line
    {
        return Ok(Some(thread));
    }
    for name in references.iter().rev() {
        for letter in view.letters_named(line, name)? {
            let thread = view.thread(letter.thread)?;
            if let Some(thread) = thread.filter(|thread| takes_part(thread, inbound)) {
                return Ok(Some(thread));
            }
        }
    }
    Ok(None)
}

/// Whether the sender took part before, with an address that was no better vouched for.
fn takes_part(thread: &ThreadRow, inbound: &Inbound) -> bool {
    let known = |sender: &Identity| {
        let before = thread.participants.get(&sender.value);
        before.is_some_and(|before| sender.trust >= *before)
    };
    sender(inbound).is_some_and(known) && !is_warned_of(inbound, Warning::Forged)
}

/// The address a letter came from, and how well it is vouched for.
fn sender(inbound: &Inbound) -> Option<&Identity> {
    let identities = &inbound.sender.identities;
    identities.iter().find(|it| it.kind == "email")
}

/// Whether it is a letter of somebody who takes no part in its thread.
pub(super) fn is_stranger(inbound: &Inbound) -> bool {
    is_warned_of(inbound, Warning::Stranger)
}

fn is_warned_of(inbound: &Inbound, warning: Warning) -> bool {
    let letter = inbound.letter.as_deref();
    letter.is_some_and(|letter: &Letter| letter.warnings.contains(&warning))
}

/// Whether a thread's letter is of somebody who takes part in it and is not its client,
/// who is also reached where they ask to be answered.
pub(super) fn is_guest(
    view: &View<'_>,
    thread: &ThreadRow,
    inbound: &Inbound,
) -> Result<bool, StoreError> {
    let (Some(sender), Some(client)) = (sender(inbound), thread.address()) else {
        return Ok(false);
    };
    if inbound.letter.is_none() || client.kind != sender.kind || client.key() == sender.key() {
        return Ok(false);
    }
    let asked = asked::elsewhere(view, thread)?;
    Ok(!asked.iter().any(|it| it.address == sender.value))
}

/// Whether no person wrote it or a program answers it, and nobody has to: it is shown
/// where it belongs and changes nothing.
pub(super) fn is_aside(inbound: &Inbound) -> bool {
    if matches!(inbound.kind, InboundKind::Aside(_)) {
        return true;
    }
    let letter = inbound.letter.as_deref();
    letter
        .and_then(|letter| letter.automatic)
        .is_some_and(|automatic| match automatic {
            Automatic::Reply | Automatic::Report | Automatic::Complaint => true,
            // Somebody may have written it for all that: a group address of the
            // company's own marks its letters so.
            Automatic::Notice | Automatic::List => false,
        })
}

/// The thread as it is told after an event: what does not say what it is about is about
/// the same, and the answer to a letter names all that went before.
pub(super) fn go_on(context: &mut Thread, inbound: &Inbound) {
    let before = std::mem::replace(context, inbound.thread.clone());
    let Some(letter) = &inbound.letter else {
        context.subject = context.subject.take().or(before.subject);
        return;
    };
    context.subject = before.subject.or(context.subject.take());
    context.token = None;
    if !letter.message_id.is_empty() && !context.references.contains(&letter.message_id) {
        context.references.push(letter.message_id.clone());
    }
    if let Some(first) = before.references.first()
        && !context.references.contains(first)
    {
        context.references.insert(0, first.clone());
    }
    let surplus = context.references.len().saturating_sub(REFERENCES_MAX);
    // The first names the thread, the last ones what is answered.
    if surplus > 0 {
        context.references.drain(1..=surplus);
    }
}

/// Lets the writer of a letter take part in its thread.
pub(super) fn join(
    tx: &mut Tx<'_>,
    thread: &mut ThreadRow,
    inbound: &Inbound,
) -> Result<(), StoreError> {
    let Some(sender) = sender(inbound).filter(|_| inbound.letter.is_some()) else {
        return Ok(());
    };
    let address = &sender.value;
    if !is_aside(inbound) {
        tx.forget_returned(&thread.line, address)?;
    }
    let is_room = thread.participants.len() < PARTICIPANTS_MAX;
    if is_room || thread.participants.contains_key(address) {
        let known = thread.participants.entry(address.clone());
        let known = known.or_insert(sender.trust);
        *known = sender.trust.max(*known);
    }
    Ok(())
}

/// A thread's name that nobody can guess, on a line of mail.
pub(crate) fn token(line: &Line) -> Option<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (line.kind.descriptor.medium == Medium::Email).then(|| {
        let random = people::random_bytes();
        let letters = random.iter().take(TOKEN_LENGTH);
        letters
            .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use domain::message::{Content, InboundKind, Sender, Text};

    use super::*;

    /// A letter without a name, and what it refers to.
    fn letter(references: Vec<String>) -> Inbound {
        Inbound {
            event_key: String::new(),
            message_id: None,
            thread_key: String::new(),
            sent_at: domain::Timestamp(0),
            sender: Sender::default(),
            thread: Thread {
                references,
                ..Thread::default()
            },
            attachments: Vec::new(),
            letter: Some(Box::default()),
            album: None,
            kind: InboundKind::Message(Content::Text(Text::default())),
        }
    }

    #[test]
    fn a_letter_needs_no_name() {
        let mut context = Thread::default();
        go_on(&mut context, &letter(Vec::new()));
        assert!(context.references.is_empty());
    }

    #[test]
    fn of_many_references_the_first_and_the_last_stay() {
        let name = |number: usize| format!("{number}@client.test");
        let mut context = letter(vec![name(0)]).thread;
        go_on(
            &mut context,
            &letter((1..=REFERENCES_MAX).map(name).collect()),
        );
        assert_eq!(context.references.len(), REFERENCES_MAX);
        assert_eq!(context.references[..2], [name(0), name(2)]);
    }
}
