//! What waits in one row, and who works for its queue, in the course of one pass of
//! `settle`.

use std::collections::btree_map::Values;
use std::sync::Arc;

use super::explanation::Standing;
use super::snapshot::{RowKey, Stand};
use super::worker::{Worker, position};
use super::{Candidate, CandidateKeys, Place, QueueRules, Rule, Snapshot, Waiting};
use crate::operator::CapacityRules;
use crate::{ConversationId, Millis, OperatorId, Timestamp};

/// What stands before what: the band with regard to age, then the place, then the id.
pub(super) type Standpoint = (i32, Place, ConversationId);

/// The order of all that waits in a queue, at this time.
pub(super) fn standpoint(waiting: &Waiting, rules: &QueueRules, now: Timestamp) -> Standpoint {
    let place = waiting.place;
    let band = if now.since(place.eligible_at) >= rules.ageing {
        place.band.min(0)
    } else {
        place.band
    };
    // The band of the place itself counts no more.
    (band, Place { band: 0, ..place }, waiting.conversation)
}

/// A conversation and where it stands, side by side for quick comparing.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) stands: Standpoint,
    pub(super) waiting: &'a Waiting,
}

/// Somebody who works for the queue of a row.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) worker: usize,
    pub(super) position: i32,
    /// How old a conversation must be for their skills; none when it never is.
    pub(super) age_needed: Option<Millis>,
}

/// The conversations of one row, read as far as the pass has come.
pub(super) struct Row<'a> {
    pub(super) key: &'a RowKey,
    pub(super) rules: &'a QueueRules,
    /// Who was kept out anew since `standing` was made.
    pub(super) since: Vec<(OperatorId, Rule)>,
    /// Those of the pass who work for the queue, in the order of their ids.
    pub(super) members: Vec<Member>,
    now: Timestamp,
    snapshot: &'a Snapshot,
    unread: Values<'a, Stand, Waiting>,
    entries: Vec<Entry<'a>>,
    /// By entry: itself while it waits, else one behind it that is nearer to the next
    /// that waits. Paths are halved when walked, so walking stays short.
    next: Vec<usize>,
    standing: Option<Standing>,
}

impl<'a> Row<'a> {
    pub(super) fn new(
        key: &'a RowKey,
        rules: &'a QueueRules,
        waiting: Values<'a, Stand, Waiting>,
        snapshot: &'a Snapshot,
        now: Timestamp,
    ) -> Self {
        Self {
            key,
            rules,
            since: Vec::new(),
            members: Vec::new(),
            now,
            snapshot,
            unread: waiting,
            entries: Vec::new(),
            next: Vec::new(),
            standing: None,
        }
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.next[at] = at + 1;
    }

    /// The first at `from` or behind it that still waits.
    pub(super) fn first_from(&mut self, from: usize) -> Option<(usize, Entry<'a>)> {
        let mut at = from;
        loop {
            while self.entries.len() <= at {
                let waiting = self.unread.next()?;
                self.next.push(self.entries.len());
                self.entries.push(Entry {
                    stands: standpoint(waiting, self.rules, self.now),
                    waiting,
                });
            }
            let next = self.next[at];
            if next == at {
                return self.entries.get(at).map(|entry| (at, *entry));
            }
            let beyond = self.next.get(next).copied().unwrap_or(next);
            self.next[at] = beyond;
            at = beyond;
        }
    }

    /// True while an entry is not offered to anybody.
    pub(super) fn pauses(&self, entry: &Entry<'a>) -> bool {
        entry
            .waiting
            .not_before
            .is_some_and(|pause| pause > self.now)
    }

    /// How somebody works for the queue.
    pub(super) fn member(&self, worker: usize) -> Option<&Member> {
        let members = &self.members;
        let at = members
            .binary_search_by_key(&worker, |member| member.worker)
            .ok()?;
        members.get(at)
    }

    /// What keeps a member from one conversation of the row, if something does, but for
    /// the rule of [`Rule::LastAsked`].
    pub(super) fn kept_out(
        &self,
        member: &Member,
        workers: &[Worker<'a>],
        waiting: &Waiting,
    ) -> Option<Rule> {
        self.kept_out_beside(self.holder(waiting), member, workers, waiting)
    }

    /// The same where it is known for whom the conversation is held.
    pub(super) fn kept_out_beside(
        &self,
        holder: Option<OperatorId>,
        member: &Member,
        workers: &[Worker<'a>],
        waiting: &Waiting,
    ) -> Option<Rule> {
        let worker = &workers[member.worker];
        let operator = worker.candidate.operator;
        let age = self.now.since(waiting.place.eligible_at);
        if let Some(rule) = worker.stopped(self.key.medium) {
            Some(rule)
        } else if member.age_needed.is_none_or(|needed| needed > age) {
            Some(Rule::MissingSkill)
        } else if waiting.tried.contains(&operator) {
            Some(Rule::Tried)
        } else if holder.is_some_and(|it| it != operator) {
            Some(Rule::HeldForOther)
        } else {
            None
        }
    }

    /// For whom a conversation is held now.
    pub(super) fn holder(&self, waiting: &Waiting) -> Option<OperatorId> {
        let preferred = waiting.preferred?;
        let until = waiting.place.eligible_at + self.rules.sticky_wait;
        if until <= self.now || waiting.tried.contains(&preferred) {
            return None;
        }
        let candidate = self.snapshot.operator(preferred)?;
        candidate.membership(&self.key.queue)?;
        let needed = self.rules.age_needed(&self.key.skills, &candidate.skills)?;
        let age = self.now.since(waiting.place.eligible_at);
        (candidate.barred(self.now).is_none() && needed <= age).then_some(preferred)
    }

    /// True when nothing but one rule of its own keeps anybody from it: nobody was asked
    /// and nobody is preferred.
    fn is_plain(waiting: &Waiting) -> bool {
        waiting.tried.is_empty() && waiting.preferred.is_none() && waiting.last_asked.is_none()
    }

    /// A member's keys as this queue's order sees them.
    pub(super) fn keys(member: &Member, workers: &[Worker<'a>]) -> CandidateKeys {
        CandidateKeys {
            position: member.position,
            ..workers[member.worker].keys
        }
    }

    /// The first of the members in this queue's order who may get a conversation, past
    /// those to skip. Who had it last comes only when nobody else may.
    pub(super) fn first_for(
        &self,
        workers: &[Worker<'a>],
        waiting: &Waiting,
        skip: impl Fn(usize) -> bool,
    ) -> Option<Member> {
        let strategy = self.rules.strategy;
        let plain = Self::is_plain(waiting) && self.key.skills.is_empty();
        let holder = self.holder(waiting);
        let mut first: Option<(CandidateKeys, Member)> = None;
        let mut last_asked = None;
        for member in &self.members {
            let kept_out = if plain {
                workers[member.worker].stopped(self.key.medium).is_some()
            } else {
                self.kept_out_beside(holder, member, workers, waiting)
                    .is_some()
            };
            if kept_out || skip(member.worker) {
                continue;
            }
            let keys = Self::keys(member, workers);
            if waiting.last_asked == Some(keys.operator) {
                last_asked = Some(*member);
                continue;
            }
            if first.is_none_or(|(other, _)| keys.compare(&other, strategy).is_lt()) {
                first = Some((keys, *member));
            }
        }
        first.map(|(_, member)| member).or(last_asked)
    }

    /// Everybody who works for the queue, with what keeps them out for reasons of their
    /// own, as it was when this was first asked.
    pub(super) fn standing(
        &mut self,
        workers: &[Worker<'a>],
        capacity: &CapacityRules,
    ) -> Standing {
        if let Some(standing) = &self.standing {
            return standing.clone();
        }
        let medium = self.key.medium;
        let stopped = |candidate: &Candidate| match position(workers, candidate.operator) {
            Some(worker) => workers[worker].stopped(medium),
            None => candidate.stopped(capacity, medium, self.now),
        };
        let members = self.snapshot.members_of(&self.key.queue);
        let (members, rules): (Vec<_>, Vec<_>) = members
            .map(|candidate| (candidate.operator, stopped(candidate)))
            .unzip();
        let standing = Standing {
            members: members.into(),
            rules: rules.into(),
        };
        self.standing.insert(standing).clone()
    }

    /// Remembers that a rule keeps somebody out from now on.
    pub(super) fn note(&mut self, operator: OperatorId, rule: Rule) {
        // Before the first decision, `standing` will tell it.
        if self.standing.is_some() {
            self.since.push((operator, rule));
        }
    }

    pub(super) fn into_since(self) -> Arc<[(OperatorId, Rule)]> {
        self.since.into()
    }
}
