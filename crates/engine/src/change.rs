//! Lets something happen to a conversation or an operator, with everything that
//! follows from it, in one transaction.

use domain::conversation::{Conversation, Effect, Input, Offer, OfferState, Refusal, State};
use domain::operator;
use domain::{Millis, OfferId, OperatorId, Timestamp};
use store::{StoreError, Tx};

/// Why a change did not happen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ChangeError> for StoreError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => Self::Broken(refusal.to_string()),
            ChangeError::Store(error) => error,
        }
    }
}

/// Changes a conversation as `before` was read, and writes what follows.
pub(crate) fn conversation(
    tx: &mut Tx<'_>,
    before: &Conversation,
    input: Input,
) -> Result<Conversation, ChangeError> {
    let mut after = before.clone();
    let effects = after.handle(tx.now(), input)?;
    if after != *before {
        tx.save_conversation(before, &mut after)?;
        if let Some(handled) = handled(tx.now(), before, &after) {
            tx.note_pace(&after.queue, after.medium, handled)?;
        }
    }
    carry_out(tx, &after, effects)?;
    Ok(after)
}

/// How long a conversation kept its operator busy, if it does no more.
fn handled(now: Timestamp, before: &Conversation, after: &Conversation) -> Option<Millis> {
    let since = match before.state {
        State::Active { since, .. } => since,
        State::WrapUp { answered_since, .. } => answered_since,
        State::Deferred { .. }
        | State::Queued
        | State::Offered { .. }
        | State::Parked { .. }
        | State::Abandoned { .. }
        | State::Closed { .. } => return None,
    };
    let goes_on = matches!(after.state, State::Active { .. } | State::WrapUp { .. })
        && after.owner() == before.owner();
    (!goes_on).then(|| now.since(since))
}

/// Writes what follows from a change of a conversation.
pub(crate) fn carry_out(
    tx: &mut Tx<'_>,
    conversation: &Conversation,
    effects: Vec<Effect>,
) -> Result<(), StoreError> {
    let medium = conversation.medium;
    for effect in effects {
        match effect {
            Effect::Occupy { operator: id, turn } => {
                operator(tx, id, operator::Input::Occupy { medium, turn })?;
            }
            Effect::WrapUpBegun(id) => operator(tx, id, operator::Input::WrapUpBegun)?,
            Effect::WrapUpEnded(id) => operator(tx, id, operator::Input::WrapUpEnded)?,
            Effect::Release {
                operator: id,
                handled,
            } => operator(tx, id, operator::Input::Release { medium, handled })?,
            Effect::Missed(id) => operator(tx, id, operator::Input::Missed { medium })?,
            Effect::Responded(id) => operator(tx, id, operator::Input::Responded)?,
            Effect::CoolDown {
                operator: id,
                until,
            } => operator(tx, id, operator::Input::CoolDown { until })?,
            Effect::OfferEnded { offer, outcome } => {
                let at = tx.now();
                end_offer(tx, offer, OfferState::Ended { at, outcome })?;
            }
        }
    }
    Ok(())
}

fn end_offer(tx: &mut Tx<'_>, id: OfferId, state: OfferState) -> Result<(), StoreError> {
    let known = tx
        .offer(id)?
        .ok_or_else(|| StoreError::Broken(format!("offer {id} is not there")))?;
    tx.end_offer(&Offer { state, ..known })
}

/// Changes an operator, and writes what follows: who goes away is asked no more, and
/// what cannot wait for somebody who was lost goes to others.
pub(crate) fn operator(
    tx: &mut Tx<'_>,
    id: OperatorId,
    input: operator::Input,
) -> Result<(), StoreError> {
    let before = tx
        .operator(id)
        .ok_or_else(|| StoreError::Broken(format!("operator {id} is not there")))?;
    let mut after = (*before).clone();
    let effects = after.handle(tx.now(), input);
    if after != *before {
        let deadline = after.next_deadline();
        tx.save_operator(after, deadline)?;
    }
    for effect in effects {
        match effect {
            operator::Effect::MayTakeWork => tx.unsettle(),
            operator::Effect::Gone => revoke_offers(tx, id)?,
            operator::Effect::Lost => hand_back(tx, id)?,
        }
    }
    Ok(())
}

fn revoke_offers(tx: &mut Tx<'_>, id: OperatorId) -> Result<(), StoreError> {
    for offer in tx.pending_offers_of(id)? {
        if let Some(asked) = tx.conversation(offer.conversation)? {
            conversation(tx, &asked, Input::OperatorGone { operator: id })?;
        }
    }
    Ok(())
}

fn hand_back(tx: &mut Tx<'_>, id: OperatorId) -> Result<(), StoreError> {
    for held in tx.conversations_with(id)? {
        conversation(tx, &held, Input::OperatorLost { operator: id })?;
    }
    revoke_offers(tx, id)
}
