//! Promises to clients, apart from what people do with them: their timers, what the
//! queues' rules promise, whom they follow, and how they are counted.

use std::sync::Arc;

use domain::conversation::Conversation;
use domain::event::{Event, EventKind};
use domain::obligation::{
    Input, Kind, Maker, Obligation, Occasion, Outcome, Refusal, Rule, Rules, Stage, State,
    promise_for,
};
use domain::{ContactId, Millis, ObligationId, OperatorId, Timestamp};
use store::{StoreError, Tx};

use crate::opening::KnownContact;
use crate::{ActError, Engine};

/// Promises of which somebody is told in one transaction.
const BATCH: i64 = 256;

impl Engine {
    /// Tells of the promises whose time has come, and answers when the next one's does.
    pub(crate) async fn promises_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let now = self.now();
        let due = self
            .read::<_, StoreError>(move |view| view.obligations_due(now, BATCH))
            .await?;
        if !due.is_empty() {
            self.store().write(move |tx| all_due(tx, due)).await?;
        }
        self.read(|view| view.next_obligation_deadline()).await
    }

    /// Says how many promises are open, for whoever watches the gateway.
    pub(crate) async fn measure_promises(&self) {
        let now = self.now();
        let counted = self
            .read::<_, StoreError>(move |view| view.obligation_counts(None, None, now))
            .await;
        let Ok(counts) = counted else {
            return;
        };
        for outcome in OUTCOMES {
            metrics::counter!("obligations_total", "outcome" => outcome.name()).increment(0);
        }
        metrics::gauge!("obligations_open").set(float(counts.seen));
        metrics::gauge!("obligations_overdue").set(float(counts.seen_overdue));
        metrics::gauge!("obligations_escalated").set(float(counts.escalated));
    }
}

const OUTCOMES: [Outcome; 4] = [
    Outcome::Kept,
    Outcome::Late,
    Outcome::Broken,
    Outcome::Waived,
];

#[expect(
    clippy::cast_precision_loss,
    reason = "a metric needs no more than 52 bits"
)]
fn float(number: i64) -> f64 {
    number as f64
}

/// Counts the promises that ended in a commit.
pub(crate) fn count(events: &[Arc<Event>]) {
    for event in events {
        let told = match &event.kind {
            EventKind::ObligationChanged { obligation, .. }
            | EventKind::ObligationDue { obligation, .. } => obligation,
            EventKind::ConversationOpened(_)
            | EventKind::ConversationChanged(_)
            | EventKind::ConversationLeft { .. }
            | EventKind::MessageAdded { .. }
            | EventKind::MessageChanged { .. }
            | EventKind::OfferMade { .. }
            | EventKind::OfferEnded(_)
            | EventKind::PresenceChanged(_)
            | EventKind::ContactChanged { .. }
            | EventKind::ContactsMerged { .. }
            | EventKind::Rated { .. }
            | EventKind::Reviewed(_)
            | EventKind::CannedRepliesChanged { .. }
            | EventKind::QueueChanged { .. }
            | EventKind::MentionsChanged { .. } => continue,
        };
        if let Some(outcome) = told.outcome() {
            metrics::counter!("obligations_total", "outcome" => outcome.name()).increment(1);
        }
    }
}

/// Why a promise did not change.
pub(crate) enum ChangeError {
    Refused(Refusal),
    Store(StoreError),
}

impl From<ChangeError> for ActError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => refusal.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for StoreError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => Self::Broken(refusal.to_string()),
            ChangeError::Store(error) => error,
        }
    }
}

/// Changes a promise as `before` was read, and writes what follows.
pub(crate) fn change(
    tx: &mut Tx<'_>,
    before: &Obligation,
    input: Input,
) -> Result<Obligation, ChangeError> {
    let mut after = before.clone();
    let notice = after
        .handle(tx.now(), input)
        .map_err(ChangeError::Refused)?;
    if after != *before {
        tx.save_obligation(before, &mut after, notice)
            .map_err(ChangeError::Store)?;
    }
    Ok(after)
}

fn all_due(tx: &mut Tx<'_>, due: Vec<ObligationId>) -> Result<(), StoreError> {
    for id in due {
        let Some(found) = tx.obligation(id)? else {
            continue;
        };
        // Somebody may have moved or ended it meanwhile.
        if found.next_deadline().is_some_and(|at| at <= tx.now()) {
            change(tx, &found, Input::Due)?;
        }
    }
    Ok(())
}

/// Gives what an operator promised to the supervisors of its queues: they work here no
/// more.
pub(crate) fn owner_gone(tx: &mut Tx<'_>, operator: OperatorId) -> Result<(), StoreError> {
    for promise in tx.open_obligations_of(operator)? {
        change(tx, &promise, Input::OwnerGone { operator })?;
    }
    Ok(())
}

/// An operator has written to the client of a conversation: what a rule promised them to
/// write is done. What an operator promised is theirs to say, since a line that only
/// says "I'll look" keeps no promise.
pub(crate) fn answered(
    tx: &mut Tx<'_>,
    conversation: &Conversation,
    by: OperatorId,
) -> Result<(), StoreError> {
    for promise in tx.open_obligations_to(&conversation.client.contact)? {
        let by_rule = matches!(promise.created_by, Maker::Rule(_));
        let here = promise.thread == Some(conversation.thread);
        if by_rule && here && promise.kind == Kind::Reply {
            change(tx, &promise, Input::Keep { by: Some(by) })?;
        }
    }
    Ok(())
}

/// Promises what a queue's rules promise to a client whom nobody answered. None when
/// they promise nothing, or when a rule has promised in this thread before and that is
/// still to be done: a client who calls three times in vain is called back once.
///
/// `phone` is the client's, if one is known. `after` tells the moment at which so much
/// time has passed, within opening hours if there are any; see
/// [`domain::obligation::promise_for`].
pub(crate) fn promise_by_rule(
    tx: &mut Tx<'_>,
    rule: Rule,
    rules: &Rules,
    conversation: &Conversation,
    phone: Option<String>,
    after: impl FnOnce(Timestamp, Millis) -> Timestamp,
) -> Result<Option<Obligation>, StoreError> {
    let is_repeated = tx
        .open_obligations_to(&conversation.client.contact)?
        .iter()
        .any(|known| {
            matches!(known.created_by, Maker::Rule(_)) && known.thread == Some(conversation.thread)
        });
    if is_repeated {
        return Ok(None);
    }
    let address = &conversation.client.address;
    let occasion = Occasion {
        rule,
        medium: conversation.medium,
        phone,
        address: (!address.is_empty()).then(|| address.clone()),
    };
    let now = tx.now();
    let Some(promised) = promise_for(&occasion, rules, now, after) else {
        return Ok(None);
    };
    let promise = Obligation {
        id: ObligationId::new(tx.fresh_id()),
        kind: promised.kind,
        client: conversation.client.clone(),
        origin: conversation.client.contact.clone(),
        conversation: Some(conversation.id),
        thread: Some(conversation.thread),
        line: Some(conversation.line.clone()),
        queue: conversation.queue.clone(),
        owner: None,
        note: String::new(),
        reach: promised.reach,
        created_at: now,
        created_by: Maker::Rule(rule),
        promised_for: promised.due_at,
        due_at: promised.due_at,
        set_at: now,
        terms: rules.terms,
        state: State::Open {
            stage: Stage::Promised,
            escalated: None,
        },
        moves: Vec::new(),
        version: 1,
    };
    tx.add_obligation(&promise)?;
    Ok(Some(promise))
}

/// Gives the promises to one contact to another, whom it became.
pub(crate) fn follow_merge(
    tx: &mut Tx<'_>,
    from: &ContactId,
    into: &KnownContact,
) -> Result<(), StoreError> {
    for promise in tx.open_obligations_to(from)? {
        show(tx, &promise, into)?;
    }
    tx.ended_obligations_to_contact(from, &into.id)
}

/// Gives a contact that returned from a merge the promises to it again.
pub(crate) fn return_to(tx: &mut Tx<'_>, contact: &KnownContact) -> Result<(), StoreError> {
    for promise in tx.open_obligations_of_origin(&contact.id)? {
        show(tx, &promise, contact)?;
    }
    tx.ended_obligations_return(&contact.id)
}

/// Shows the contact's name as it is now.
pub(crate) fn rename(tx: &mut Tx<'_>, contact: &KnownContact) -> Result<(), StoreError> {
    for promise in tx.open_obligations_to(&contact.id)? {
        show(tx, &promise, contact)?;
    }
    Ok(())
}

/// Forgets whom the promises to an erased contact were made to. What was promised stays:
/// somebody has to say what becomes of it.
pub(crate) fn forget(tx: &mut Tx<'_>, erased: &ContactId) -> Result<(), StoreError> {
    for before in tx.open_obligations_to(erased)? {
        let mut after = before.clone();
        after.client.forget();
        after.reach.clear();
        tx.save_obligation(&before, &mut after, None)?;
    }
    tx.ended_obligations_forget(erased)
}

fn show(tx: &mut Tx<'_>, before: &Obligation, contact: &KnownContact) -> Result<(), StoreError> {
    let mut after = before.clone();
    let client = &mut after.client;
    client.contact = contact.id.clone();
    client.provisional = contact.provisional;
    if !contact.profile.display_name.is_empty() {
        client
            .display_name
            .clone_from(&contact.profile.display_name);
    }
    if contact.profile.avatar_url.is_some() {
        client.avatar_url.clone_from(&contact.profile.avatar_url);
    }
    if after != *before {
        tx.save_obligation(before, &mut after, None)?;
    }
    Ok(())
}
