//! The same counters again, from the event log alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Counts, Hour, Increment, Key, Standing, observe};
use crate::conversation::{Conversation, Offer};
use crate::event::{Event, EventKind};
use crate::operator::Operator;
use crate::{ConversationId, LineId, OperatorId, Timestamp};

/// Reads events in order and counts what they say.
///
/// A log that was cut off begins in the middle: of a conversation that is met for the
/// first time nobody knows how it stood before. Where that matters the counters are in
/// doubt and are not compared.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    conversations: BTreeMap<ConversationId, Standing>,
    operators: BTreeMap<OperatorId, (Arc<Operator>, Timestamp)>,
    counts: BTreeMap<Key, Counts>,
    /// Hours before this one were not read whole.
    whole_from: Option<Hour>,
    doubts: BTreeSet<(Hour, Option<LineId>)>,
    /// The time of these operators is in doubt up to that hour.
    unsure: BTreeMap<OperatorId, Hour>,
    fresh: Vec<Increment>,
}

/// What came of comparing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Rows that are the same.
    pub equal: usize,
    /// Rows that could not be compared, because the log does not reach back far enough.
    pub in_doubt: usize,
    /// Rows that are not the same: where, what is stored, what the log says.
    pub different: Vec<(Key, Counts, Counts)>,
}

impl Replay {
    /// Begins with a log that has everything since counting began.
    pub fn of_all() -> Self {
        Self::default()
    }

    /// Begins with a log that was cut off at this moment.
    pub fn from(first: Timestamp) -> Self {
        Self {
            whole_from: Some(Hour::of(first).next()),
            ..Self::default()
        }
    }

    /// Counts from nothing again, and forgets nothing of how everything stands.
    pub fn begin_anew(&mut self) {
        self.counts.clear();
    }

    /// Counts one event more.
    pub fn read(&mut self, event: &Event) {
        let at = event.at;
        match &event.kind {
            EventKind::ConversationOpened(opened) => self.conversation(opened, true, at),
            EventKind::ConversationChanged(changed) => self.conversation(changed, false, at),
            EventKind::MessageAdded { message, audience } => {
                observe::message(message, &audience.queue, at, &mut self.fresh);
            }
            EventKind::OfferMade {
                offer,
                conversation,
            } => observe::offer(offer, &conversation.line, at, &mut self.fresh),
            EventKind::OfferEnded(offer) => self.offer(offer, at),
            EventKind::PresenceChanged(operator) => self.operator(operator, at),
            EventKind::Rated { .. }
            | EventKind::ObligationChanged { .. }
            | EventKind::ObligationDue { .. } => {
                observe::told(&event.kind, at, &mut self.fresh);
            }
            EventKind::ConversationLeft { .. }
            | EventKind::MessageChanged { .. }
            | EventKind::ContactChanged { .. }
            | EventKind::ContactsMerged { .. }
            | EventKind::Reviewed(_)
            | EventKind::CannedRepliesChanged { .. }
            | EventKind::QueueChanged { .. }
            | EventKind::MentionsChanged { .. } => {}
        }
        for increment in self.fresh.drain(..) {
            let counts = self.counts.entry(increment.key).or_default();
            counts.add(increment.what.number(), increment.by);
        }
    }

    fn conversation(&mut self, after: &Conversation, is_new: bool, at: Timestamp) {
        let mut standing = Standing::of(after);
        let before = self.conversations.get(&after.id);
        if before.is_some() || is_new {
            standing.counted.since = observe::conversation(before, &standing, at, &mut self.fresh);
        } else {
            self.doubts.insert((Hour::of(at), Some(after.line.clone())));
        }
        self.conversations.insert(after.id, standing);
    }

    fn offer(&mut self, offer: &Offer, at: Timestamp) {
        match self.conversations.get(&offer.conversation) {
            Some(known) => observe::offer(offer, &known.line, at, &mut self.fresh),
            None => {
                self.doubts.insert((Hour::of(at), None));
            }
        }
    }

    fn operator(&mut self, after: &Arc<Operator>, at: Timestamp) {
        let known = self.operators.insert(after.id, (Arc::clone(after), at));
        match known {
            Some((before, since)) => observe::span(&before, since, at, &mut self.fresh),
            None => {
                self.unsure.insert(after.id, Hour::of(at));
            }
        }
    }

    /// The first hour that is compared.
    pub fn first_hour(&self) -> Hour {
        self.whole_from.unwrap_or(Hour(i64::MIN))
    }

    /// What was counted.
    pub fn counts(&self) -> &BTreeMap<Key, Counts> {
        &self.counts
    }

    /// Compares what is stored with what the log says.
    pub fn compare(&self, stored: &BTreeMap<Key, Counts>) -> Comparison {
        let nothing = Counts::default();
        let keys: BTreeSet<&Key> = stored.keys().chain(self.counts.keys()).collect();
        let mut comparison = Comparison::default();
        for key in keys {
            let kept = stored.get(key).unwrap_or(&nothing);
            let told = self.counts.get(key).unwrap_or(&nothing);
            if self.is_in_doubt(key) {
                comparison.in_doubt += 1;
            } else if kept == told {
                comparison.equal += 1;
            } else {
                let different = (key.clone(), kept.clone(), told.clone());
                comparison.different.push(different);
            }
        }
        comparison
    }

    fn is_in_doubt(&self, key: &Key) -> bool {
        let Some(whole_from) = self.whole_from else {
            return false;
        };
        if key.hour < whole_from || self.doubts.contains(&(key.hour, None)) {
            return true;
        }
        match (&key.line, key.operator) {
            (Some(line), _) => self.doubts.contains(&(key.hour, Some(line.clone()))),
            // Who has not been heard of since then may have been there all the time.
            (None, Some(operator)) => self
                .unsure
                .get(&operator)
                .is_none_or(|until| key.hour <= *until),
            (None, None) => false,
        }
    }
}
