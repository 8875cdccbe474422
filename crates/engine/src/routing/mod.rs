//! The routing pass: what waits and who is free, from the store to `settle` and
//! back, inside the writer's transaction. Every durable state is settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::conversation::{Conversation, Input, Offer, OfferOutcome, OfferState};
use domain::operator::{Operator, RoutingState};
use domain::routing::{Decision, Explanation, RoutingRules, Rule, Snapshot, Waiting, settle};
use domain::{ConversationId, OfferId, OperatorId, QueueId, Timestamp};
use store::{PageKey, StoreError, Tx};

use crate::change;

/// How many of a queue's heads are read at once, at least and at most. A pass
/// reads on while somebody stays free.
const PAGE_MIN: usize = 16;
const PAGE_MAX: usize = 256;

/// Settles every queue. Cheap when nothing waits or nobody could take anything.
pub(crate) fn pass(tx: &mut Tx<'_>, rules: &RoutingRules) -> Result<(), StoreError> {
    let mut heads = Heads::open(tx)?;
    if heads.queues.is_empty() {
        return Ok(());
    }
    loop {
        let operators = tx
            .operators()
            .filter(|operator| heads.concerns(operator))
            .cloned()
            .collect::<Vec<_>>();
        if !operators
            .iter()
            .any(|operator| may_be_asked(operator, tx.now()))
        {
            return Ok(());
        }
        let free = operators
            .iter()
            .filter(|operator| is_free(operator, tx.now(), rules))
            .count();
        let grown = heads.read_on(tx, page_size(free))?;
        let snapshot = Snapshot {
            waiting: heads.waiting.values().map(waiting).collect(),
            operators: operators
                .iter()
                .map(|operator| operator.candidate(tx.now()))
                .collect(),
        };
        let decisions = settle(&snapshot, rules, tx.now());
        let idle = decisions.is_empty();
        for decision in decisions {
            heads.apply(tx, decision)?;
        }
        if free == 0 || (idle && !grown) {
            return Ok(());
        }
    }
}

fn page_size(free: usize) -> usize {
    (free * 4).clamp(PAGE_MIN, PAGE_MAX)
}

/// Could take something now or after a cool-down: counts for a round of asking.
fn may_be_asked(operator: &Operator, now: Timestamp) -> bool {
    matches!(operator.barred(now), None | Some(Rule::CoolingDown))
}

fn is_free(operator: &Operator, now: Timestamp, rules: &RoutingRules) -> bool {
    matches!(
        operator.routing_state(now, &rules.capacity),
        RoutingState::Free | RoutingState::Partial
    )
}

fn waiting(conversation: &Conversation) -> Waiting {
    Waiting {
        conversation: conversation.id,
        queue: conversation.queue.clone(),
        medium: conversation.medium,
        place: conversation.place,
        tried: conversation.tried.clone(),
        last_asked: conversation.last_asked,
        round: conversation.round,
        not_before: conversation.not_before,
    }
}

/// The heads of the queues, as far as the pass has read them.
struct Heads {
    queues: BTreeMap<QueueId, Reading>,
    waiting: BTreeMap<ConversationId, Conversation>,
}

#[derive(Default)]
struct Reading {
    after: Option<PageKey>,
    at_end: bool,
}

impl Heads {
    fn open(tx: &Tx<'_>) -> Result<Self, StoreError> {
        let queues = tx
            .tallies()?
            .into_iter()
            .filter(|tally| tally.queued > 0)
            .map(|tally| (tally.queue, Reading::default()))
            .collect();
        Ok(Self {
            queues,
            waiting: BTreeMap::new(),
        })
    }

    fn concerns(&self, operator: &Arc<Operator>) -> bool {
        operator
            .memberships
            .iter()
            .any(|membership| self.queues.contains_key(&membership.queue))
    }

    /// Reads the next page of every queue that has one. False when none had.
    fn read_on(&mut self, tx: &Tx<'_>, page: usize) -> Result<bool, StoreError> {
        let mut grown = false;
        for (queue, reading) in &mut self.queues {
            if reading.at_end {
                continue;
            }
            let limit = i64::try_from(page).unwrap_or(i64::MAX);
            let found = tx.waiting_heads(queue, reading.after, limit)?;
            reading.at_end = found.len() < page;
            if let Some(last) = found.last() {
                reading.after = Some(PageKey {
                    band: i64::from(last.place.band),
                    at: last.place.eligible_at,
                    id: last.place.seq,
                });
                grown = true;
            }
            self.waiting
                .extend(found.into_iter().map(|head| (head.id, head)));
        }
        Ok(grown)
    }

    fn apply(&mut self, tx: &mut Tx<'_>, decision: Decision) -> Result<(), StoreError> {
        match decision {
            Decision::Offer {
                conversation,
                operator,
                expires_at,
                explanation,
            } => {
                let waiting = self.take(conversation)?;
                offer(tx, &waiting, operator, expires_at, explanation)?;
            }
            Decision::Assign {
                conversation,
                operator,
                explanation,
            } => {
                let waiting = self.take(conversation)?;
                assign(tx, &waiting, operator, explanation)?;
            }
            Decision::NextRound {
                conversation,
                round,
                not_before,
            } => {
                let waiting = self.take(conversation)?;
                let input = Input::NextRound { round, not_before };
                let paused = change::conversation(tx, &waiting, input)?;
                self.waiting.insert(paused.id, paused);
            }
        }
        Ok(())
    }

    fn take(&mut self, id: ConversationId) -> Result<Conversation, StoreError> {
        self.waiting
            .remove(&id)
            .ok_or_else(|| StoreError::Broken(format!("conversation {id} was not read")))
    }
}

/// Asks an operator.
pub(crate) fn offer(
    tx: &mut Tx<'_>,
    waiting: &Conversation,
    operator: OperatorId,
    expires_at: Timestamp,
    explanation: Explanation,
) -> Result<Conversation, change::ChangeError> {
    let id = OfferId::new(tx.fresh_id());
    let input = Input::Offer {
        offer: id,
        operator,
        expires_at,
    };
    let offered = change::conversation(tx, waiting, input)?;
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
    Ok(offered)
}

/// Gives a conversation to an operator at once; the offer is kept as accepted, for
/// its explanation.
pub(crate) fn assign(
    tx: &mut Tx<'_>,
    waiting: &Conversation,
    operator: OperatorId,
    explanation: Explanation,
) -> Result<Conversation, change::ChangeError> {
    let assigned = change::conversation(tx, waiting, Input::Assign { operator })?;
    let now = tx.now();
    let offer = Offer {
        id: OfferId::new(tx.fresh_id()),
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

/// Whether an operator could take one more conversation of this medium now.
pub(crate) fn has_room(
    tx: &Tx<'_>,
    rules: &RoutingRules,
    operator: OperatorId,
    conversation: &Conversation,
) -> bool {
    tx.operator(operator).is_some_and(|operator| {
        operator.barred(tx.now()).is_none()
            && rules
                .capacity
                .check(&operator.load, operator.capacity, conversation.medium)
                .is_ok()
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
