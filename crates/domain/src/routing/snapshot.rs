use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Skills, Waiting};
use crate::message::Medium;
use crate::{ConversationId, OperatorId, QueueId, Timestamp};

/// What `settle` looks at: everything that waits and everybody who works, kept in
/// order. Adding and taking out cost the logarithm of its size, so whoever keeps one
/// up to date pays for what changes and not for what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    rows: BTreeMap<RowKey, BTreeMap<Stand, Waiting>>,
    stands: BTreeMap<ConversationId, (RowKey, Stand)>,
    /// Of what waits, that about which somebody was asked in this round.
    asked: BTreeSet<ConversationId>,
    operators: BTreeMap<OperatorId, Candidate>,
    members: BTreeMap<QueueId, BTreeSet<OperatorId>>,
}

/// What conversations of one row have in common. Who waits longer in a row may be
/// answered by everybody who may answer one that has waited shorter, and more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowKey {
    pub(super) queue: QueueId,
    pub(super) medium: Medium,
    pub(super) skills: Skills,
    pub(super) band: i32,
}

/// Where a conversation stands in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stand {
    pub(super) eligible_at: Timestamp,
    pub(super) seq: i64,
    pub(super) conversation: ConversationId,
}

impl Snapshot {
    /// A snapshot of these, in any order.
    pub fn new(
        waiting: impl IntoIterator<Item = Waiting>,
        operators: impl IntoIterator<Item = Candidate>,
    ) -> Self {
        let mut snapshot = Self::default();
        for waiting in waiting {
            snapshot.put(waiting);
        }
        for operator in operators {
            snapshot.put_operator(operator);
        }
        snapshot
    }

    /// Adds what waits, or changes it.
    pub fn put(&mut self, waiting: Waiting) {
        self.remove(waiting.conversation);
        let key = RowKey {
            queue: waiting.queue.clone(),
            medium: waiting.medium,
            skills: waiting.skills.clone(),
            band: waiting.place.band,
        };
        let stand = Stand {
            eligible_at: waiting.place.eligible_at,
            seq: waiting.place.seq,
            conversation: waiting.conversation,
        };
        if !waiting.tried.is_empty() {
            self.asked.insert(waiting.conversation);
        }
        self.stands
            .insert(waiting.conversation, (key.clone(), stand));
        self.rows.entry(key).or_default().insert(stand, waiting);
    }

    /// Takes out what waits no more.
    pub fn remove(&mut self, conversation: ConversationId) -> Option<Waiting> {
        let (key, stand) = self.stands.remove(&conversation)?;
        self.asked.remove(&conversation);
        let row = self.rows.get_mut(&key)?;
        let removed = row.remove(&stand);
        if row.is_empty() {
            self.rows.remove(&key);
        }
        removed
    }

    /// Adds an operator, or changes them.
    pub fn put_operator(&mut self, operator: Candidate) {
        let known = self.operators.get(&operator.operator);
        if known.is_none_or(|known| known.memberships != operator.memberships) {
            self.remove_operator(operator.operator);
            for membership in &operator.memberships {
                self.members
                    .entry(membership.queue.clone())
                    .or_default()
                    .insert(operator.operator);
            }
        }
        self.operators.insert(operator.operator, operator);
    }

    /// Takes out an operator.
    pub fn remove_operator(&mut self, operator: OperatorId) -> Option<Candidate> {
        let removed = self.operators.remove(&operator)?;
        for membership in &removed.memberships {
            if let Some(members) = self.members.get_mut(&membership.queue) {
                members.remove(&operator);
                if members.is_empty() {
                    self.members.remove(&membership.queue);
                }
            }
        }
        Some(removed)
    }

    /// One that waits.
    pub fn get(&self, conversation: ConversationId) -> Option<&Waiting> {
        let (key, stand) = self.stands.get(&conversation)?;
        self.rows.get(key)?.get(stand)
    }

    /// Everything that waits, row by row.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.rows.values().flat_map(BTreeMap::values)
    }

    /// How much waits.
    pub fn len(&self) -> usize {
        self.stands.len()
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.stands.is_empty()
    }

    /// How much waits in a queue.
    pub fn waiting_in(&self, queue: &QueueId) -> usize {
        self.rows_of(queue).map(|(_, row)| row.len()).sum()
    }

    /// What waits in a queue, row by row.
    pub fn waiting_of<'a>(
        &'a self,
        queue: &'a QueueId,
    ) -> impl Iterator<Item = &'a Waiting> + use<'a> {
        self.rows_of(queue).flat_map(|(_, row)| row.values())
    }

    /// Everybody, in the order of their ids.
    pub fn operators(&self) -> impl ExactSizeIterator<Item = &Candidate> {
        self.operators.values()
    }

    /// One operator.
    pub fn operator(&self, id: OperatorId) -> Option<&Candidate> {
        self.operators.get(&id)
    }

    /// Who works for a queue, in the order of their ids.
    pub fn members_of(&self, queue: &QueueId) -> impl Iterator<Item = &Candidate> {
        self.members
            .get(queue)
            .into_iter()
            .flatten()
            .filter_map(|id| self.operators.get(id))
    }

    /// How many work for a queue.
    pub(super) fn members_in(&self, queue: &QueueId) -> usize {
        self.members.get(queue).map_or(0, BTreeSet::len)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (&RowKey, &BTreeMap<Stand, Waiting>)> {
        self.rows.iter()
    }

    pub(super) fn rows_of<'a>(
        &'a self,
        queue: &'a QueueId,
    ) -> impl Iterator<Item = (&'a RowKey, &'a BTreeMap<Stand, Waiting>)> {
        let first = RowKey {
            queue: queue.clone(),
            medium: Medium::ALL[0],
            skills: Skills::default(),
            band: i32::MIN,
        };
        self.rows
            .range(first..)
            .take_while(move |(key, _)| key.queue == *queue)
    }

    pub(super) fn asked(&self) -> impl Iterator<Item = &Waiting> {
        self.asked.iter().filter_map(|id| self.get(*id))
    }

    pub(super) fn stand_of(&self, conversation: ConversationId) -> Option<(&RowKey, Stand)> {
        self.stands
            .get(&conversation)
            .map(|(key, stand)| (key, *stand))
    }
}
