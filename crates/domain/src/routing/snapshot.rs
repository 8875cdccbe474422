use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Skills, Waiting};
use crate::message::Medium;
use crate::operator::Load;
use crate::{ConversationId, OperatorId, QueueId, Timestamp};

/// What `settle` looks at: everything that waits and everybody who works, kept in
/// order. Adding and taking out cost the logarithm of its size, so whoever keeps one
/// up to date pays for what changes and not for what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    queues: BTreeMap<QueueId, Rows>,
    stands: BTreeMap<ConversationId, (RowKey, Stand)>,
    /// Of what waits, that about which somebody was asked in this round.
    asked: BTreeSet<ConversationId>,
    operators: BTreeMap<OperatorId, Candidate>,
    crews: BTreeMap<QueueId, Crew>,
}

/// What waits in a queue, row by row.
pub(super) type Rows = BTreeMap<RowKey, BTreeMap<Stand, Waiting>>;

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

/// Who works for a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Crew {
    members: BTreeSet<OperatorId>,
    /// Those whom no rule bars.
    by_room: BTreeMap<Room, BTreeSet<OperatorId>>,
    turns: BTreeSet<(i64, OperatorId)>,
}

/// What somebody carries of what they can: who is alike in it has room for the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Room {
    pub(super) load: Load,
    pub(super) capacity: u32,
}

impl Crew {
    fn add(&mut self, candidate: &Candidate) {
        self.members.insert(candidate.operator);
        self.turns.insert((candidate.turn, candidate.operator));
        if candidate.barred.is_none() {
            let alike = self.by_room.entry(Room::of(candidate)).or_default();
            alike.insert(candidate.operator);
        }
    }

    fn remove(&mut self, candidate: &Candidate) {
        self.members.remove(&candidate.operator);
        self.turns.remove(&(candidate.turn, candidate.operator));
        let room = Room::of(candidate);
        if let Some(alike) = self.by_room.get_mut(&room) {
            alike.remove(&candidate.operator);
            if alike.is_empty() {
                self.by_room.remove(&room);
            }
        }
    }

    /// The number of the last turn that any of them had.
    pub(super) fn last_turn(&self) -> Option<i64> {
        self.turns.last().map(|(turn, _)| *turn)
    }

    /// Those whom no rule bars and whose room is enough.
    pub(super) fn with_room(
        &self,
        is_enough: impl Fn(&Room) -> bool,
    ) -> impl Iterator<Item = OperatorId> {
        let rooms = self.by_room.iter();
        let enough = rooms.filter(move |(room, _)| is_enough(room));
        enough.flat_map(|(_, alike)| alike).copied()
    }
}

impl Room {
    fn of(candidate: &Candidate) -> Self {
        Self {
            load: candidate.load.clone(),
            capacity: candidate.capacity,
        }
    }
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
        let rows = self.queues.entry(waiting.queue.clone()).or_default();
        rows.entry(key).or_default().insert(stand, waiting);
    }

    /// Takes out what waits no more.
    pub fn remove(&mut self, conversation: ConversationId) -> Option<Waiting> {
        let (key, stand) = self.stands.remove(&conversation)?;
        self.asked.remove(&conversation);
        let rows = self.queues.get_mut(&key.queue)?;
        let row = rows.get_mut(&key)?;
        let removed = row.remove(&stand);
        if row.is_empty() {
            rows.remove(&key);
        }
        if rows.is_empty() {
            self.queues.remove(&key.queue);
        }
        removed
    }

    /// Adds an operator, or changes them.
    pub fn put_operator(&mut self, operator: Candidate) {
        self.remove_operator(operator.operator);
        for membership in &operator.memberships {
            let crew = self.crews.entry(membership.queue.clone()).or_default();
            crew.add(&operator);
        }
        self.operators.insert(operator.operator, operator);
    }

    /// Takes out an operator.
    pub fn remove_operator(&mut self, operator: OperatorId) -> Option<Candidate> {
        let removed = self.operators.remove(&operator)?;
        for membership in &removed.memberships {
            if let Some(crew) = self.crews.get_mut(&membership.queue) {
                crew.remove(&removed);
                if crew.members.is_empty() {
                    self.crews.remove(&membership.queue);
                }
            }
        }
        Some(removed)
    }

    /// One that waits.
    pub fn get(&self, conversation: ConversationId) -> Option<&Waiting> {
        let (key, stand) = self.stands.get(&conversation)?;
        self.queues.get(&key.queue)?.get(key)?.get(stand)
    }

    /// Everything that waits, row by row.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        let rows = self.queues.values().flat_map(BTreeMap::values);
        rows.flat_map(BTreeMap::values)
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
    pub fn waiting_of(&self, queue: &QueueId) -> impl Iterator<Item = &Waiting> + use<'_> {
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
        let crew = self.crews.get(queue);
        crew.into_iter()
            .flat_map(|crew| &crew.members)
            .filter_map(|id| self.operators.get(id))
    }

    /// Who works for a queue, if anybody does.
    pub(super) fn crew_of(&self, queue: &QueueId) -> Option<&Crew> {
        self.crews.get(queue)
    }

    /// The queues in which something waits.
    pub(super) fn queues(&self) -> impl Iterator<Item = (&QueueId, &Rows)> {
        self.queues.iter()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (&RowKey, &BTreeMap<Stand, Waiting>)> {
        self.queues.values().flatten()
    }

    pub(super) fn rows_of(
        &self,
        queue: &QueueId,
    ) -> impl Iterator<Item = (&RowKey, &BTreeMap<Stand, Waiting>)> + use<'_> {
        self.queues.get(queue).into_iter().flatten()
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
