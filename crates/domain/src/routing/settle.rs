use std::collections::{BTreeMap, BTreeSet};

use super::group::{Entry, Group, Line, MEDIA, Turn, Worker};
use super::{
    Assignment, Candidate, Cause, Decision, Excluded, Explanation, Place, RoutingRules, Rule,
    Snapshot, Waiting,
};
use crate::message::Medium;
use crate::{ConversationId, OperatorId, QueueId, Timestamp};

/// Matches what waits with who is free.
///
/// Again and again the first operator in the order of [`CandidateKeys`] for whom
/// anything waits gets the first conversation in the order of (rank of the queue
/// with them, [`super::Place`]); then they stand in the order with one more to carry.
/// It ends when nothing that waits and nobody who is free belong together.
///
/// Equal snapshots give equal decisions, whatever the order of their vectors.
/// Besides sorting the snapshot, a decision costs about the logarithm of its size
/// for each queue of the operator; passing over conversations that were declined
/// costs as much as their `tried` sets are large.
pub fn settle(snapshot: &Snapshot, rules: &RoutingRules, now: Timestamp) -> Vec<Decision> {
    let mut pass = Pass::new(snapshot, rules, now);
    while let Some(turn) = pass.turns.pop_first() {
        if let Some(found) = pass.best_for(turn.worker) {
            pass.give(turn.worker, found);
        }
    }
    pass.into_decisions()
}

struct Pass<'a> {
    rules: &'a RoutingRules,
    now: Timestamp,
    /// In the order of their ids.
    workers: Vec<Worker<'a>>,
    groups: Vec<Group<'a>>,
    /// The media of `groups`.
    media: BTreeSet<Medium>,
    /// Who may still find something.
    turns: BTreeSet<Turn>,
    next_rounds: Vec<Decision>,
    matches: Vec<Match<'a>>,
}

/// A conversation in the line of a group.
#[derive(Clone, Copy)]
struct Found<'a> {
    rank: i32,
    entry: Entry<'a>,
    group: usize,
    at: usize,
}

struct Match<'a> {
    group: usize,
    waiting: &'a Waiting,
    auto_accept: bool,
    explanation: Explanation,
}

type GroupsOfQueue = [Option<usize>; MEDIA];

impl<'a> Pass<'a> {
    fn new(snapshot: &'a Snapshot, rules: &'a RoutingRules, now: Timestamp) -> Self {
        let mut pass = Self {
            rules,
            now,
            workers: Vec::new(),
            groups: Vec::new(),
            media: BTreeSet::new(),
            turns: BTreeSet::new(),
            next_rounds: Vec::new(),
            matches: Vec::new(),
        };
        let mut by_queue: BTreeMap<&QueueId, GroupsOfQueue> = BTreeMap::new();
        let mut entries: Vec<Vec<Entry<'_>>> = Vec::new();
        for waiting in &snapshot.waiting {
            if waiting.not_before.is_some_and(|pause| pause > now) {
                continue;
            }
            let groups = by_queue.entry(&waiting.queue).or_default();
            let group = *groups[waiting.medium as usize].get_or_insert_with(|| {
                pass.groups.push(Group::new(waiting.medium));
                entries.push(Vec::new());
                entries.len() - 1
            });
            entries[group].push(Entry::new(waiting));
        }
        pass.media = pass.groups.iter().map(|group| group.medium).collect();
        pass.enlist(snapshot, &by_queue);
        pass.line_up(entries);
        pass
    }

    fn enlist(&mut self, snapshot: &'a Snapshot, by_queue: &BTreeMap<&QueueId, GroupsOfQueue>) {
        let mut candidates: Vec<&Candidate> = snapshot.operators.iter().collect();
        candidates.sort_unstable_by_key(|candidate| candidate.operator);
        for candidate in candidates {
            let mut posts = Vec::new();
            for membership in &candidate.memberships {
                let groups = by_queue.get(&membership.queue);
                for group in groups.into_iter().flatten().flatten() {
                    posts.push((membership.rank, *group));
                }
            }
            if posts.is_empty() {
                continue;
            }
            posts.sort_unstable();
            for (_, group) in &posts {
                let members = &mut self.groups[*group].members;
                // Somebody may be named twice for a queue, with another rank.
                if members.last() != Some(&self.workers.len()) {
                    members.push(self.workers.len());
                }
            }
            let worker = Worker::new(candidate, posts, &self.rules.capacity, &self.media);
            self.workers.push(worker);
        }
        let turns = self.workers.iter().enumerate();
        self.turns = turns
            .filter_map(|(index, worker)| worker.turn(index))
            .collect();
    }

    fn line_up(&mut self, entries: Vec<Vec<Entry<'a>>>) {
        let mut all_asked = Vec::new();
        for (group, mut entries) in self.groups.iter_mut().zip(entries) {
            entries.retain(|entry| {
                let asked =
                    group.all_were_asked(entry.waiting, &self.workers, &self.rules.capacity);
                if asked {
                    all_asked.push(*entry);
                }
                !asked
            });
            group.line = Line::new(entries);
        }
        all_asked.sort_unstable_by_key(|entry| entry.stands);
        for Entry { waiting, .. } in all_asked {
            let pause = self.rules.of(&waiting.queue).round_pause;
            self.next_rounds.push(Decision::NextRound {
                conversation: waiting.conversation,
                round: waiting.round.saturating_add(1),
                not_before: self.now + pause,
            });
        }
    }

    fn best_for(&mut self, worker: usize) -> Option<Found<'a>> {
        let mut best: Option<Found<'a>> = None;
        let mut rivals = Vec::new();
        for post in 0..self.workers[worker].posts.len() {
            let (rank, group) = self.workers[worker].posts[post];
            if best.is_some_and(|best| best.rank < rank) {
                break;
            }
            let medium = self.groups[group].medium;
            if self.workers[worker].stopped(medium).is_some() {
                continue;
            }
            let bound = best.map(|best| best.entry.stands);
            if let Some((at, entry)) = self.first_for(worker, group, bound, &mut rivals) {
                best = Some(Found {
                    rank,
                    entry,
                    group,
                    at,
                });
            }
        }
        if best.is_none() {
            for rival in rivals {
                self.workers[rival].watchers.push(worker);
            }
        }
        best
    }

    /// Finds the first in the group that the operator may get, if it stands before
    /// `bound`. Who is kept from one only because somebody else is free, a rival, must
    /// look again when the rival is not free any more.
    fn first_for(
        &mut self,
        worker: usize,
        group: usize,
        bound: Option<(Place, ConversationId)>,
        rivals: &mut Vec<usize>,
    ) -> Option<(usize, Entry<'a>)> {
        let operator = self.workers[worker].candidate.operator;
        let group = &mut self.groups[group];
        let mut from = 0;
        while let Some((at, entry)) = group.line.first_from(from) {
            if bound.is_some_and(|bound| bound < entry.stands) {
                return None;
            }
            from = at + 1;
            let waiting = entry.waiting;
            if waiting.tried.contains(&operator) {
                continue;
            }
            if waiting.last_asked == Some(operator) {
                // Whoever is out of the order can get nothing that waits.
                let rival = group.first_free(&self.workers, &self.turns, |other| {
                    other == operator || waiting.tried.contains(&other)
                });
                if let Some(rival) = rival {
                    rivals.push(rival);
                    continue;
                }
            }
            return Some((at, entry));
        }
        None
    }

    fn give(&mut self, worker: usize, found: Found<'a>) {
        let explanation = self.explain(worker, found);
        let group = &mut self.groups[found.group];
        group.line.remove(found.at);
        let medium = group.medium;
        self.matches.push(Match {
            group: found.group,
            waiting: found.entry.waiting,
            auto_accept: self.workers[worker].candidate.auto_accept,
            explanation,
        });
        self.occupy(worker, medium);
    }

    fn explain(&mut self, worker: usize, found: Found<'a>) -> Explanation {
        let waiting = found.entry.waiting;
        let chosen = self.workers[worker].keys;
        let group = &mut self.groups[found.group];
        let standing = group.standing(&self.workers);
        let free = |operator| {
            let index = position(&self.workers, operator)?;
            group.is_free(&self.workers, index).then_some(index)
        };
        let asked_last = waiting
            .last_asked
            .filter(|last| *last != chosen.operator && !waiting.tried.contains(last))
            .and_then(|last| Some((last, free(last)?)));
        // Who was asked last may be out of the order only for the others' sake.
        let runner_up = group
            .first_free(&self.workers, &self.turns, |other| {
                other == chosen.operator
                    || waiting.last_asked == Some(other)
                    || waiting.tried.contains(&other)
            })
            .or(asked_last.map(|(_, index)| index));
        let tried = waiting.tried.iter().filter(|who| free(**who).is_some());
        let mut own: Vec<_> = tried.map(|who| (*who, Rule::Tried)).collect();
        if let Some((last, index)) = asked_last
            && runner_up != Some(index)
        {
            own.push((last, Rule::LastAsked));
        }
        Explanation {
            cause: Cause::Queue,
            place: waiting.place,
            round: waiting.round,
            chosen,
            runner_up: runner_up.map(|index| self.workers[index].keys),
            excluded: Excluded::new(standing, group.since.len(), own),
        }
    }

    /// Lets the operator carry one more, and puts them back into the order.
    fn occupy(&mut self, index: usize, medium: Medium) {
        let worker = &mut self.workers[index];
        let mut fills_up = false;
        for (medium, rule) in worker.occupy(medium, &self.rules.capacity, &self.media) {
            fills_up = true;
            for (_, group) in &worker.posts {
                let group = &mut self.groups[*group];
                if group.medium == medium {
                    group.note(worker.candidate.operator, rule);
                }
            }
        }
        self.turns.extend(self.workers[index].turn(index));
        if fills_up {
            for watcher in std::mem::take(&mut self.workers[index].watchers) {
                self.turns.extend(self.workers[watcher].turn(watcher));
            }
        }
    }

    fn into_decisions(self) -> Vec<Decision> {
        let since: Vec<_> = self.groups.into_iter().map(Group::into_since).collect();
        let mut decisions = self.next_rounds;
        decisions.reserve(self.matches.len());
        for mut found in self.matches {
            found
                .explanation
                .excluded
                .complete(since[found.group].clone());
            decisions.push(found.into_decision(self.rules, self.now));
        }
        decisions
    }
}

impl Match<'_> {
    fn into_decision(self, rules: &RoutingRules, now: Timestamp) -> Decision {
        let conversation = self.waiting.conversation;
        let operator = self.explanation.chosen.operator;
        let queue = rules.of(&self.waiting.queue);
        if self.auto_accept || queue.assignment == Assignment::Direct {
            return Decision::Assign {
                conversation,
                operator,
                explanation: self.explanation,
            };
        }
        Decision::Offer {
            conversation,
            operator,
            expires_at: now + queue.offer_timeout_of(self.waiting.medium),
            explanation: self.explanation,
        }
    }
}

fn position(workers: &[Worker<'_>], operator: OperatorId) -> Option<usize> {
    workers
        .binary_search_by_key(&operator, |worker| worker.candidate.operator)
        .ok()
}
