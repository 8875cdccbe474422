//! Writing first: in a thread that is known, or by a letter to an address.

use std::collections::BTreeMap;
use std::sync::Arc;

use channels::Capability;
use domain::conversation::{Conversation, Input};
use domain::identity::{Identity, Trust};
use domain::message::{Address, Medium, Sender, Thread};
use domain::{LineId, OperatorId, QueueId, ThreadId, text};
use store::{Provisional, ThreadRow, Tx};

use super::messages::must_be_able;
use super::{ActError, Actor};
use crate::contacts::reconcile;
use crate::opening::{self, KnownContact};
use crate::process;
use crate::reason::Reason;
use crate::{Engine, Line, asked, change, routing};

const SUBJECT_CHARS_MAX: usize = 998;

/// A thread that begins with us.
#[derive(Clone, Debug)]
pub struct NewThread {
    /// The line to write by.
    pub line: LineId,
    /// Whom to write to.
    pub address: String,
    /// What it is about.
    pub subject: String,
}

impl Engine {
    /// Writes first, to a thread that is known.
    pub async fn start_conversation(
        &self,
        actor: &Actor,
        client_id: &str,
        thread: ThreadId,
    ) -> Result<Conversation, ActError> {
        let who = actor.clone();
        let engine = self.clone();
        let fingerprint = format!("start {thread:?}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            engine.begin(tx, &who, thread)
        })
        .await
    }

    pub(super) fn begin(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        thread: ThreadId,
    ) -> Result<Conversation, ActError> {
        let me = actor.person()?;
        let thread = tx.thread(thread)?.ok_or(ActError::NotFound("thread"))?;
        let last = tx
            .last_conversation_of(thread.id)?
            .filter(|last| actor.may_see(last))
            .ok_or(ActError::NotFound("thread"))?;
        if last.is_open() {
            return Err(ActError::Refused(Reason::ThreadIsOpen));
        }
        let line = self.line(&thread.line).ok_or_else(|| {
            ActError::Unsupported(Reason::LineGone {
                line: thread.line.clone(),
            })
        })?;
        let contact = KnownContact {
            id: tx.target_of(&thread.contact)?,
            profile: domain::identity::Profile {
                display_name: last.client.display_name.clone(),
                avatar_url: last.client.avatar_url.clone(),
                ..domain::identity::Profile::default()
            },
            provisional: last.client.provisional,
        };
        self.open(tx, me, &line, &thread, &contact, Some(last.queue))
    }

    /// Writes first, to an address: a thread of its own, with whomever the directory says
    /// it is.
    pub async fn write_first(
        &self,
        actor: &Actor,
        client_id: &str,
        new: NewThread,
    ) -> Result<Conversation, ActError> {
        let me = actor.person()?;
        let line = self.line(&new.line);
        let works_there = |line: &Arc<Line>| {
            let queues = actor.queues();
            queues.is_none_or(|queues| queues.contains(&line.queue))
        };
        let line = line.filter(works_there).ok_or(ActError::NotFound("line"))?;
        must_be_able(&line, Capability::WriteFirst, "write first")?;
        if line.kind.descriptor.medium != Medium::Email {
            return Err(invalid("line_id", Reason::NoLetters));
        }
        let address = written_to(&line, &new.address)?;
        let subject = text::line(&new.subject, SUBJECT_CHARS_MAX);
        let engine = self.clone();
        let fingerprint = format!("write first {new:?}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let (thread, contact) = begun(tx, &line, address, subject)?;
            engine.open(tx, me, &line, &thread, &contact, None)
        })
        .await
    }

    fn open(
        &self,
        tx: &mut Tx<'_>,
        me: OperatorId,
        line: &Line,
        thread: &ThreadRow,
        contact: &KnownContact,
        queue: Option<QueueId>,
    ) -> Result<Conversation, ActError> {
        let serving = self.serving();
        let rules = serving.rules();
        let mut conversation = opening::conversation(tx, rules, line, thread, contact)?;
        conversation.counted.ours = true;
        if let Some(queue) = queue.filter(|queue| serving.has_queue(queue)) {
            conversation.queue = queue;
        }
        tx.open_conversation(&mut conversation)?;
        Ok(change::conversation(
            tx,
            &conversation,
            Input::Take {
                operator: me,
                over_capacity: routing::is_over_capacity(tx, rules, me, &conversation),
            },
        )?)
    }
}

/// The address, if letters can be written to it from a line.
fn written_to(line: &Line, address: &str) -> Result<Identity, ActError> {
    let told = Address {
        name: String::new(),
        address: address.to_owned(),
    };
    let address = asked::readable(&told).ok_or_else(|| {
        let address = text::line(address, 320);
        invalid("address", Reason::NoLetterAddress { address })
    })?;
    let own = line.channel.addresses();
    if own
        .iter()
        .any(|own| own.eq_ignore_ascii_case(&address.address))
    {
        return Err(invalid("address", Reason::ToOurselves));
    }
    Ok(Identity {
        kind: "email".to_owned(),
        issuer: String::new(),
        value: address.address,
        // Nobody was there to prove it.
        trust: Trust::Claimed,
    })
}

/// A thread with an address. The directory is asked whose it is right after.
fn begun(
    tx: &mut Tx<'_>,
    line: &Line,
    address: Identity,
    subject: String,
) -> Result<(ThreadRow, KnownContact), ActError> {
    let sender = Sender {
        identities: vec![address],
        ..Sender::default()
    };
    let contact = process::provisional(tx.fresh_id(), &sender);
    let id = ThreadId::new(tx.fresh_id());
    let thread = ThreadRow {
        id,
        line: line.id.clone(),
        thread_key: format!("begun/{id}"),
        contact: contact.id.clone(),
        origin: contact.id.clone(),
        sender: sender.clone(),
        context: Thread {
            subject: Some(subject).filter(|subject| !subject.is_empty()),
            ..Thread::default()
        },
        token: process::token(line),
        participants: BTreeMap::new(),
        unreachable: None,
    };
    tx.save_thread(&thread)?;
    let request = Provisional {
        contact: contact.id.clone(),
        thread: id,
        line: line.id.clone(),
        sender,
        attempts: 0,
    };
    tx.save_provisional(&request, reconcile::first_try(tx.now()))?;
    Ok((thread, contact))
}

const fn invalid(field: &'static str, problem: Reason) -> ActError {
    ActError::Invalid { field, problem }
}
