use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fitness::{Moment, is_there, rank};
use super::standing::Standing;
use super::{Finding, Law};
use crate::conversation::{Conversation, Offer, OfferState};
use crate::event::{Event, EventKind};
use crate::message::Medium;
use crate::operator::Operator;
use crate::routing::{Cause, QueueRules, RoutingRules, Strategy};
use crate::{ConversationId, Millis, OperatorId, QueueId, Timestamp};

/// Of those that wait before an offer, so many of each band are looked at, the oldest
/// first. A router that overtakes passes over a queue's head, and that is within it.
const BEFORE_MAX: usize = 256;
/// So many free operators are looked at for whom work may have been left.
const FREE_MAX: usize = 256;
/// Work that is left is a violation when it was left for so long.
const LEFT_FOR: Millis = Millis(1_000);

/// What was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Offers and assignments of the router.
    pub offers: u64,
    /// Of which nothing was known before.
    pub not_judged: u64,
    /// Before which so much waited that only the oldest was looked at.
    pub in_part: u64,
}

/// Everything that waits or is carried and everybody who works, as the log tells it.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    standing: BTreeMap<ConversationId, Standing>,
    waiting: BTreeMap<QueueId, BTreeMap<i32, BTreeSet<(Timestamp, i64, ConversationId)>>>,
    operators: BTreeMap<OperatorId, Arc<Operator>>,
    members: BTreeMap<QueueId, BTreeSet<OperatorId>>,
    carried: BTreeMap<OperatorId, BTreeMap<ConversationId, Medium>>,
    /// What waited last and does no more, as it was.
    placed: Option<Standing>,
    /// The turns of those who got it, from before.
    turns: BTreeMap<OperatorId, i64>,
    suspects: BTreeMap<Suspect, Timestamp>,
    counts: Counts,
}

/// Somebody who was free while something waited that they could answer. It is the same
/// work only as long as neither was asked about anything.
type Suspect = (ConversationId, OperatorId, i64, usize);

impl Witness {
    /// Begins with what stands in the store at one moment.
    pub fn new(
        conversations: impl IntoIterator<Item = Standing>,
        operators: impl IntoIterator<Item = Operator>,
    ) -> Self {
        let mut witness = Self::default();
        for operator in operators {
            witness.put_operator(Arc::new(operator));
        }
        for standing in conversations {
            witness.put(standing.id, Some(standing));
        }
        witness.placed = None;
        witness
    }

    /// What was judged since this was last asked.
    pub fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Takes note of an event, and judges it.
    pub fn see(&mut self, event: &Event, rules: &RoutingRules) -> Vec<Finding> {
        match &event.kind {
            EventKind::ConversationOpened(conversation)
            | EventKind::ConversationChanged(conversation)
            | EventKind::ConversationLeft { conversation, .. } => {
                self.changed(event.at, conversation, rules)
            }
            EventKind::PresenceChanged(operator) => {
                self.put_operator(Arc::clone(operator));
                Vec::new()
            }
            EventKind::OfferMade { offer, .. } => self.judge(event.at, offer, rules),
            EventKind::OfferEnded(offer) => {
                // What is given at once has no event of its own.
                let at_once = matches!(offer.state, OfferState::Ended { .. })
                    && offer.made_at == offer.expires_at;
                if at_once {
                    self.judge(event.at, offer, rules)
                } else {
                    Vec::new()
                }
            }
            EventKind::MessageAdded { .. }
            | EventKind::MessageChanged { .. }
            | EventKind::ContactChanged { .. }
            | EventKind::ContactsMerged { .. }
            | EventKind::Rated { .. }
            | EventKind::Reviewed(_)
            | EventKind::CannedRepliesChanged { .. }
            | EventKind::QueueChanged { .. }
            | EventKind::MentionsChanged { .. }
            | EventKind::ObligationChanged { .. }
            | EventKind::ObligationDue { .. } => Vec::new(),
        }
    }

    fn changed(
        &mut self,
        at: Timestamp,
        conversation: &Conversation,
        rules: &RoutingRules,
    ) -> Vec<Finding> {
        let id = conversation.id;
        let mut found = Vec::new();
        let after = Standing::of(conversation);
        if let Some(after) = &after {
            let rings = rules.of(&after.queue).strategy == Strategy::RingAll;
            let known = self
                .standing
                .get(&id)
                .map_or(0, |known| known.carriers.len());
            if after.carriers.len() > 1 && known < 2 && !rings {
                found.push(finding(
                    Law::TwoPlaces,
                    at,
                    id,
                    None,
                    format!("{} operators are asked at once", after.carriers.len()),
                ));
            }
        }
        self.put(id, after);
        found
    }

    fn put(&mut self, id: ConversationId, after: Option<Standing>) {
        if let Some(before) = self.standing.remove(&id) {
            for operator in &before.carriers {
                if let Some(carried) = self.carried.get_mut(operator) {
                    carried.remove(&id);
                }
            }
            if before.waits {
                self.take_out(&before);
                if after.as_ref().is_some_and(|after| !after.waits) {
                    self.placed = Some(before);
                    self.turns.clear();
                }
            }
        }
        let Some(after) = after else {
            return;
        };
        for operator in &after.carriers {
            let carried = self.carried.entry(*operator).or_default();
            carried.insert(id, after.medium);
        }
        if after.waits {
            self.waiting
                .entry(after.queue.clone())
                .or_default()
                .entry(after.place.band)
                .or_default()
                .insert((after.place.eligible_at, after.place.seq, id));
        }
        self.standing.insert(id, after);
    }

    fn take_out(&mut self, standing: &Standing) {
        let place = standing.place;
        if let Some(bands) = self.waiting.get_mut(&standing.queue)
            && let Some(band) = bands.get_mut(&place.band)
        {
            band.remove(&(place.eligible_at, place.seq, standing.id));
            if band.is_empty() {
                bands.remove(&place.band);
            }
        }
    }

    fn put_operator(&mut self, operator: Arc<Operator>) {
        let id = operator.id;
        if let Some(before) = self.operators.get(&id) {
            if before.turn != operator.turn {
                self.turns.insert(id, before.turn);
            }
            for membership in &before.memberships {
                if let Some(members) = self.members.get_mut(&membership.queue) {
                    members.remove(&id);
                }
            }
        }
        for membership in &operator.memberships {
            let members = self.members.entry(membership.queue.clone()).or_default();
            members.insert(id);
        }
        self.operators.insert(id, operator);
    }

    pub(super) fn operator(&self, id: OperatorId) -> Option<&Operator> {
        self.operators.get(&id).map(Arc::as_ref)
    }

    pub(super) fn members(&self, queue: &QueueId) -> impl Iterator<Item = &Operator> {
        let members = self.members.get(queue).into_iter().flatten();
        members.filter_map(|id| self.operator(*id))
    }

    pub(super) fn carried_by(
        &self,
        operator: OperatorId,
    ) -> impl Iterator<Item = (ConversationId, Medium)> {
        let carried = self.carried.get(&operator).into_iter().flatten();
        carried.map(|(conversation, medium)| (*conversation, *medium))
    }

    /// The last turn of an operator, before what is being placed just now.
    pub(super) fn turn_before(
        &self,
        operator: OperatorId,
        placed: Option<ConversationId>,
    ) -> Option<i64> {
        let last = self.placed.as_ref().map(|placed| placed.id);
        let before = self.turns.get(&operator).filter(|_| placed == last);
        let now = || self.operators.get(&operator).map(|known| known.turn);
        before.copied().or_else(now)
    }

    /// What waits in a queue, band by band and the oldest first.
    fn bands(&self, queue: &QueueId) -> impl Iterator<Item = impl Iterator<Item = &Standing>> {
        let bands = self.waiting.get(queue).into_iter().flatten();
        bands.map(|(_, band)| band.iter().filter_map(|(_, _, id)| self.standing.get(id)))
    }

    fn judge(&mut self, at: Timestamp, offer: &Offer, rules: &RoutingRules) -> Vec<Finding> {
        match offer.explanation.cause {
            // A colleague's wish goes by no order.
            Cause::Transfer | Cause::Owner => return Vec::new(),
            Cause::Queue | Cause::Sticky | Cause::Ring => {}
        }
        let placed = self
            .placed
            .as_ref()
            .filter(|placed| placed.id == offer.conversation);
        let (Some(placed), Some(operator)) = (placed, self.operator(offer.operator)) else {
            self.counts.not_judged += 1;
            return Vec::new();
        };
        let moment = Moment {
            witness: self,
            rules,
            at,
            placed: Some(placed.id),
        };
        let own = rules.of(&placed.queue);
        let mut found = Vec::new();
        let mut note = |law, conversation, detail: String| {
            found.push(finding(law, at, conversation, Some(operator.id), detail));
        };
        if let Some(why) = moment.unfit(operator, placed) {
            note(Law::Unfit, placed.id, why.to_owned());
        } else if moment.is_twice_running(operator.id, placed) {
            note(Law::Unfit, placed.id, "was the last to be asked".to_owned());
        }
        if !moment.has_room(operator, placed.medium) {
            let detail = format!("has no room for one more {}", placed.medium.name());
            note(Law::Capacity, placed.id, detail);
        }
        let (overtaken, in_part) = moment.overtaken(operator, placed, &own);
        if let Some(overtaken) = overtaken {
            let detail = format!("was passed by conversation {}", placed.id);
            note(Law::Overtake, overtaken, detail);
        }
        if let Some(first) = moment.passed_over(operator, placed, &own) {
            let detail = format!("operator {first} was free and stands before");
            note(Law::IdleOrder, placed.id, detail);
        }
        self.counts.offers += 1;
        self.counts.in_part += u64::from(in_part);
        found
    }

    /// Looks for work that is left now and was left when this was last done: call it
    /// when everything that was written is seen.
    pub fn look(&mut self, now: Timestamp, rules: &RoutingRules) -> Vec<Finding> {
        let moment = Moment {
            witness: self,
            rules,
            at: now,
            placed: None,
        };
        let left = moment.work_left();
        let mut found = Vec::new();
        let mut suspects = BTreeMap::new();
        for suspect in left {
            let since = self.suspects.get(&suspect).copied().unwrap_or(now);
            if since == TOLD {
                suspects.insert(suspect, TOLD);
            } else if now.since(since) >= LEFT_FOR {
                let (conversation, operator, ..) = suspect;
                let detail = format!("waits, and operator {operator} could take it");
                found.push(finding(
                    Law::WorkLeft,
                    since,
                    conversation,
                    Some(operator),
                    detail,
                ));
                suspects.insert(suspect, TOLD);
            } else {
                suspects.insert(suspect, since);
            }
        }
        self.suspects = suspects;
        found
    }

    /// How much waited at the last look although somebody was free for it, told or not.
    pub fn suspects(&self) -> usize {
        self.suspects.len()
    }

    /// Some of what the log says, from a conversation on: to be compared with the rows.
    pub fn sample(
        &self,
        after: Option<ConversationId>,
        count: usize,
    ) -> impl Iterator<Item = (ConversationId, &Standing)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let range = self.standing.range((from, Unbounded));
        range.take(count).map(|(id, standing)| (*id, standing))
    }

    /// Operators whose rows are not what the log says.
    pub fn differing<'a>(&self, rows: impl IntoIterator<Item = &'a Operator>) -> Vec<OperatorId> {
        let rows = rows.into_iter();
        rows.filter(|row| self.operator(row.id) != Some(row))
            .map(|row| row.id)
            .collect()
    }
}

/// It was said already.
const TOLD: Timestamp = Timestamp(i64::MIN);

fn finding(
    law: Law,
    at: Timestamp,
    conversation: ConversationId,
    operator: Option<OperatorId>,
    detail: String,
) -> Finding {
    Finding {
        law,
        at,
        conversation: Some(conversation),
        operator,
        detail,
    }
}

impl Moment<'_> {
    /// The first that stood before what was placed, and that the operator could have
    /// taken; and whether there was more than is looked at.
    fn overtaken(
        &self,
        operator: &Operator,
        placed: &Standing,
        own: &QueueRules,
    ) -> (Option<ConversationId>, bool) {
        let stood = rank(placed, own, self.at);
        let mut in_part = false;
        let mut first: Option<&Standing> = None;
        for band in self.witness.bands(&placed.queue) {
            for (number, earlier) in band.enumerate() {
                // Within a band, age decides: what follows stands behind, too.
                if rank(earlier, own, self.at) >= stood {
                    break;
                }
                if number == BEFORE_MAX {
                    in_part = true;
                    break;
                }
                if self.could_take(operator, earlier) {
                    let is_first = first.is_none_or(|first| {
                        rank(earlier, own, self.at) < rank(first, own, self.at)
                    });
                    first = if is_first { Some(earlier) } else { first };
                    break;
                }
            }
        }
        (first.map(|first| first.id), in_part)
    }

    /// Somebody who could have taken what was placed and stands before whom it went to.
    fn passed_over(
        &self,
        operator: &Operator,
        placed: &Standing,
        own: &QueueRules,
    ) -> Option<OperatorId> {
        if matches!(own.strategy, Strategy::RingAll | Strategy::Manual) {
            return None;
        }
        let others = self.witness.members(&placed.queue);
        others
            .filter(|other| other.id != operator.id)
            .find(|other| {
                self.stands_before(other, operator, own) && self.could_take(other, placed)
            })
            .map(|other| other.id)
    }

    /// What waits although somebody is free for it; for each of them the first found.
    fn work_left(&self) -> Vec<Suspect> {
        let free = self.witness.operators.values().filter(|operator| {
            let mut media = Medium::ALL.into_iter();
            media.any(|medium| self.has_room(operator, medium)) && is_there(operator, self.at)
        });
        free.take(FREE_MAX)
            .filter_map(|operator| self.left_for(operator))
            .collect()
    }

    fn left_for(&self, operator: &Operator) -> Option<Suspect> {
        let queues: BTreeSet<&QueueId> = operator
            .memberships
            .iter()
            .map(|membership| &membership.queue)
            .collect();
        let asked = queues
            .into_iter()
            .filter(|queue| self.rules.of(queue).strategy != Strategy::Manual);
        let heads = asked.flat_map(|queue| self.witness.bands(queue));
        let left = heads
            .flat_map(|band| band.take(BEFORE_MAX))
            .find(|standing| self.could_take(operator, standing))?;
        Some((left.id, operator.id, operator.turn, left.tried.len()))
    }
}
