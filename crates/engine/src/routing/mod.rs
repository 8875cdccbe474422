//! The routing pass: what waits and who is free, from the store to `settle` and
//! back, inside the writer's transaction. Every durable state is settled.

mod patience;

use std::collections::{BTreeMap, BTreeSet};

use domain::conversation::{
    CloseReason, Conversation, Input, Offer, OfferOutcome, OfferState, Owner, State,
};
use domain::message::Medium;
use domain::obligation::Rule;
use domain::operator::{Operator, Presence};
use domain::routing::{Decision, Explanation, RoutingRules, settle};
use domain::{ConversationId, Millis, OfferId, OperatorId, QueueId, Timestamp};
use store::{StoreError, Tx};

use crate::{change, obligations};

pub(crate) use patience::look;

/// Settles every queue. Cheap when nothing waits or nobody could take anything.
pub(crate) fn pass(tx: &mut Tx<'_>, rules: &RoutingRules) -> Result<(), StoreError> {
    patience::arrivals(tx, rules)?;
    patience::unstaffed(tx, rules)?;
    for decision in settle(tx.floor(), rules, tx.now()) {
        apply(tx, rules, decision)?;
    }
    Ok(())
}

fn apply(tx: &mut Tx<'_>, rules: &RoutingRules, decision: Decision) -> Result<(), StoreError> {
    let id = decision.conversation();
    let waiting = tx
        .conversation(id)?
        .ok_or_else(|| StoreError::Broken(format!("conversation {id} is not there")))?;
    match decision {
        Decision::Offer {
            operator,
            expires_at,
            explanation,
            ..
        } => {
            let offers = BTreeMap::from([(operator, explanation)]);
            offer(tx, &waiting, offers, expires_at)?;
        }
        Decision::Ring {
            operators,
            expires_at,
            ..
        } => {
            offer(tx, &waiting, operators, expires_at)?;
        }
        Decision::Assign {
            operator,
            explanation,
            ..
        } => {
            assign(tx, &waiting, operator, explanation)?;
        }
        Decision::NextRound {
            round, not_before, ..
        } => {
            let input = Input::NextRound { round, not_before };
            let paused = change::conversation(tx, &waiting, input)?;
            // A round in vain may be what the queue's rules wait for.
            look(tx, rules, paused, false)?;
        }
    }
    Ok(())
}

/// Asks operators, all at once.
fn offer(
    tx: &mut Tx<'_>,
    waiting: &Conversation,
    explanations: BTreeMap<OperatorId, Explanation>,
    expires_at: Timestamp,
) -> Result<Conversation, change::ChangeError> {
    let offers: BTreeMap<_, _> = explanations
        .keys()
        .map(|operator| (*operator, OfferId::new(tx.fresh_id())))
        .collect();
    let input = Input::Ring {
        offers: offers.clone(),
        expires_at,
    };
    let offered = change::conversation(tx, waiting, input)?;
    for ((operator, id), explanation) in offers.into_iter().zip(explanations.into_values()) {
        let offer = Offer {
            id,
            conversation: offered.id,
            operator,
            queue: offered.queue.clone(),
            state: OfferState::Pending,
            made_at: tx.now(),
            expires_at,
            explanation,
        };
        tx.make_offer(&offer, &offered)?;
    }
    Ok(offered)
}

/// Gives a conversation to an operator at once; the offer is kept as accepted, for
/// its explanation.
fn assign(
    tx: &mut Tx<'_>,
    waiting: &Conversation,
    operator: OperatorId,
    explanation: Explanation,
) -> Result<Conversation, change::ChangeError> {
    let id = OfferId::new(tx.fresh_id());
    let input = Input::Assign {
        operator,
        turn: id.get(),
    };
    let assigned = change::conversation(tx, waiting, input)?;
    let now = tx.now();
    let offer = Offer {
        id,
        conversation: assigned.id,
        operator,
        queue: assigned.queue.clone(),
        state: OfferState::Ended {
            at: now,
            outcome: OfferOutcome::Accepted,
        },
        made_at: now,
        expires_at: now,
        explanation,
    };
    tx.end_offer(&offer)?;
    Ok(assigned)
}

/// How the owner of a conversation stands towards it. Whoever is only away goes on
/// with what they have.
pub(crate) fn owner(tx: &Tx<'_>, rules: &RoutingRules, conversation: &Conversation) -> Owner {
    let Some(operator) = conversation.owner().and_then(|id| tx.operator(id)) else {
        return Owner::Gone;
    };
    if operator.is_gone() {
        Owner::Gone
    } else if has_room(tx, rules, &operator, conversation) {
        Owner::Free
    } else {
        Owner::Busy
    }
}

/// Whether an operator could take one more conversation of this medium now.
pub(crate) fn has_room(
    tx: &Tx<'_>,
    rules: &RoutingRules,
    operator: &Operator,
    conversation: &Conversation,
) -> bool {
    let check = rules
        .capacity
        .check(&operator.load, operator.capacity, conversation.medium);
    operator.barred(tx.now()).is_none() && check.is_ok()
}

/// Whether an operator who is at work has units left for a conversation that they
/// choose themselves.
pub(crate) fn is_over_capacity(
    tx: &Tx<'_>,
    rules: &RoutingRules,
    operator: OperatorId,
    conversation: &Conversation,
) -> bool {
    tx.operator(operator).is_some_and(|operator| {
        let asked = conversation.carriers().contains(&operator.id);
        let check = rules
            .capacity
            .check(&operator.load, operator.capacity, conversation.medium);
        !asked && operator.presence != Presence::Offline && check.is_err()
    })
}

/// Every queue that an operator works for.
pub(crate) fn queues_of(operator: &Operator) -> BTreeSet<QueueId> {
    operator
        .memberships
        .iter()
        .map(|membership| membership.queue.clone())
        .collect()
}

/// Brings a conversation back from where it was put away, or moves it on, because
/// its time has come.
pub(crate) fn due(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    id: ConversationId,
) -> Result<(), StoreError> {
    let Some(mut found) = tx.conversation(id)? else {
        return Ok(());
    };
    let now = tx.now();
    if found.next_deadline().is_none_or(|at| at > now) {
        return Ok(());
    }
    if found.overflow_at.is_none_or(|at| at > now) || !matches_queued(&found) {
        let owner = owner(tx, rules, &found);
        let place = crate::opening::place(tx, rules, &found.line);
        found = change::conversation(tx, &found, Input::Due { owner, place })?;
        promise(tx, rules, &found)?;
    }
    if matches_queued(&found) && found.overflow_at.is_some_and(|at| at <= now) {
        look(tx, rules, found, false)?;
    }
    Ok(())
}

/// Promises the client of a conversation that ended without an answer that somebody will
/// see to it, if the queue's rules say so.
fn promise(tx: &mut Tx<'_>, rules: &RoutingRules, ended: &Conversation) -> Result<(), StoreError> {
    let State::Closed { reason, .. } = ended.state else {
        return Ok(());
    };
    let rule = match reason {
        CloseReason::Abandoned if ended.medium == Medium::Voice => Rule::OnMissedCall,
        CloseReason::Abandoned => Rule::OnAbandoned,
        CloseReason::Diverted => Rule::OnDiverted,
        CloseReason::Finished | CloseReason::Spam => return Ok(()),
    };
    let home = ended.overflow_home.as_ref().unwrap_or(&ended.queue);
    let promises = rules.of(home).promises;
    let hours = rules.hours(&ended.line, &ended.queue);
    let phone = ended
        .callback
        .as_ref()
        .map(|callback| callback.phone.clone());
    let within_hours = |now: Timestamp, span: Millis| {
        let open = hours.and_then(|hours| hours.after(now, span));
        open.unwrap_or(now + span)
    };
    obligations::promise_by_rule(tx, rule, &promises, ended, phone, within_hours)?;
    Ok(())
}

fn matches_queued(conversation: &Conversation) -> bool {
    conversation.state == State::Queued
}
