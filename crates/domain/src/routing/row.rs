//! What waits in one row, and who works for its queue, in the course of one pass of
//! `settle`.

use std::cell::OnceCell;
use std::collections::btree_map::Values;
use std::sync::Arc;

use super::explanation::Standing;
use super::snapshot::{RowKey, Stand};
use super::worker::{Worker, position};
use super::{CandidateKeys, Place, QueueRules, Rule, Snapshot, Waiting};
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
    now: Timestamp,
    snapshot: &'a Snapshot,
    /// Once somebody may get something of the row.
    members: OnceCell<Vec<Member>>,
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
            now,
            snapshot,
            members: OnceCell::new(),
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

    /// Who works for the queue, in the order of their ids.
    pub(super) fn members(&self, workers: &[Worker<'a>]) -> &[Member] {
        self.members.get_or_init(|| {
            let them = self.snapshot.members_of(&self.key.queue);
            them.filter_map(|candidate| {
                let place = candidate.membership(&self.key.queue)?;
                Some(Member {
                    worker: position(workers, candidate.operator)?,
                    position: place.position,
                    age_needed: self.rules.age_needed(&self.key.skills, &candidate.skills),
                })
            })
            .collect()
        })
    }

    /// True while an entry is not offered to anybody.
    pub(super) fn pauses(&self, entry: &Entry<'a>) -> bool {
        entry
            .waiting
            .not_before
            .is_some_and(|pause| pause > self.now)
    }

    /// How somebody works for the queue.
    pub(super) fn member(&self, worker: usize, workers: &[Worker<'a>]) -> Option<&Member> {
        let members = self.members(workers);
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
        let worker = &workers[member.worker];
        let operator = worker.candidate.operator;
        let age = self.now.since(waiting.place.eligible_at);
        if let Some(rule) = worker.stopped(self.key.medium) {
            Some(rule)
        } else if member.age_needed.is_none_or(|needed| needed > age) {
            Some(Rule::MissingSkill)
        } else if waiting.tried.contains(&operator) {
            Some(Rule::Tried)
        } else if self
            .holder(workers, waiting)
            .is_some_and(|it| it != operator)
        {
            Some(Rule::HeldForOther)
        } else {
            None
        }
    }

    /// For whom a conversation is held now.
    pub(super) fn holder(&self, workers: &[Worker<'a>], waiting: &Waiting) -> Option<OperatorId> {
        let preferred = waiting.preferred?;
        let until = waiting.place.eligible_at + self.rules.sticky_wait;
        if until <= self.now || waiting.tried.contains(&preferred) {
            return None;
        }
        let member = self.member(position(workers, preferred)?, workers)?;
        let age = self.now.since(waiting.place.eligible_at);
        let is_here = workers[member.worker].candidate.barred(self.now).is_none();
        let is_able = member.age_needed.is_some_and(|needed| needed <= age);
        (is_here && is_able).then_some(preferred)
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
        let mut first: Option<(CandidateKeys, Member)> = None;
        let mut last_asked = None;
        for member in self.members(workers) {
            let kept_out = if plain {
                workers[member.worker].stopped(self.key.medium).is_some()
            } else {
                self.kept_out(member, workers, waiting).is_some()
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

    /// Everybody, with what keeps them out for reasons of their own, as it was when this
    /// was first asked.
    pub(super) fn standing(&mut self, workers: &[Worker<'a>]) -> Standing {
        if let Some(standing) = &self.standing {
            return standing.clone();
        }
        let medium = self.key.medium;
        let them = self.members(workers).iter();
        let them = them.map(|member| &workers[member.worker]);
        let standing = Standing {
            members: them
                .clone()
                .map(|worker| worker.candidate.operator)
                .collect(),
            rules: them.map(|worker| worker.stopped(medium)).collect(),
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
