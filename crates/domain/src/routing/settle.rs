use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::row::{Entry, Member, Row, Standpoint, standpoint};
use super::snapshot::Rows;
use super::worker::{Post, Turn, Worker};
use super::{
    Assignment, Candidate, Cause, Decision, Excluded, Explanation, QueueRules, RoutingRules, Rule,
    Snapshot, Strategy, Waiting,
};
use crate::message::Medium;
use crate::{ConversationId, OperatorId, QueueId, Timestamp};

/// In a queue of so few the members are looked through faster than the order of all
/// operators.
const MEMBERS_SCAN_MAX: usize = 64;

/// Matches what waits with who is free.
///
/// An operator wants the first conversation in the order of (rank of its queue with
/// them, band with regard to age, [`super::Place`]) of those that they may answer. A
/// conversation wants the first operator in its queue's [`Strategy`] of those who may.
/// Again and again, beginning with the first operator in the order of
/// [`Strategy::LongestIdle`], wishes are followed until two want each other: these are
/// put together. When the wishes run in a circle, the conversation of the circle that
/// stands first gets whom it wants; unless something of the same queue stands before it
/// that this one may answer, which then goes first. It ends when nothing that waits and nobody who is
/// free belong together.
///
/// Equal snapshots give equal decisions. A pass looks at every queue in which something
/// waits and at everybody there who has room for it, however many have none. A decision
/// costs about the logarithm of what waits for each row of the operator's queues, and
/// the telling of what kept the others of its queue out; passing over conversations that
/// were declined or are held for somebody costs as much as there are of them.
pub fn settle(snapshot: &Snapshot, rules: &RoutingRules, now: Timestamp) -> Vec<Decision> {
    if snapshot.is_empty() {
        return Vec::new();
    }
    let configured = configured(snapshot, rules);
    let mut pass = Pass::new(snapshot, &configured, rules, now, Who::HasRoom);
    while let Some(turn) = pass.turns.pop_first() {
        let Some(found) = pass.best_for(turn.worker) else {
            continue;
        };
        let (worker, found) = pass.pair(turn.worker, found);
        // Somebody else may get it, and then this one may still find something.
        pass.turns.insert(turn);
        pass.give(worker, found);
    }
    pass.into_decisions()
}

/// The rules of every queue in which something waits.
pub(super) fn configured(
    snapshot: &Snapshot,
    rules: &RoutingRules,
) -> BTreeMap<QueueId, QueueRules> {
    let mut unknown = BTreeMap::new();
    for (queue, _) in snapshot.queues() {
        if !rules.queues.contains_key(queue) {
            unknown.insert(queue.clone(), QueueRules::new(queue.clone()));
        }
    }
    unknown
}

/// At whom a pass looks, of those who work for a queue in which something waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Those who have room for something of it: nobody else can get anything.
    HasRoom,
    /// Everybody.
    Everybody,
}

pub(super) struct Pass<'a> {
    pub(super) rules: &'a RoutingRules,
    pub(super) now: Timestamp,
    /// In the order of their ids.
    pub(super) workers: Vec<Worker<'a>>,
    pub(super) rows: Vec<Row<'a>>,
    /// The media of `rows`.
    media: BTreeSet<Medium>,
    /// Who may still find something.
    turns: BTreeSet<Turn>,
    /// The number of the last turn that anybody had.
    last_turn: i64,
    next_rounds: Vec<Decision>,
    /// What begins a new round.
    pub(super) exhausted: BTreeSet<ConversationId>,
    matches: Vec<Match<'a>>,
}

/// A conversation in a row.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) rank: i32,
    pub(super) entry: Entry<'a>,
    row: usize,
    at: usize,
}

struct Match<'a> {
    row: usize,
    waiting: &'a Waiting,
    /// Given at once, and not only offered.
    at_once: bool,
    /// One, or those who are asked at once.
    chosen: Vec<Explanation>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        unknown: &'a BTreeMap<QueueId, QueueRules>,
        rules: &'a RoutingRules,
        now: Timestamp,
        who: Who,
    ) -> Self {
        let mut pass = Self {
            rules,
            now,
            workers: Vec::new(),
            rows: Vec::new(),
            media: BTreeSet::new(),
            turns: BTreeSet::new(),
            last_turn: 0,
            next_rounds: Vec::new(),
            exhausted: BTreeSet::new(),
            matches: Vec::new(),
        };
        pass.begin_rounds(snapshot, unknown);
        let mut queues: BTreeMap<&QueueId, Range<usize>> = BTreeMap::new();
        let mut them: Vec<&Candidate> = Vec::new();
        for (queue, rows) in snapshot.queues() {
            let Some(rules) = rules.queues.get(queue).or(unknown.get(queue)) else {
                continue;
            };
            if rules.strategy == Strategy::Manual {
                continue;
            }
            let known = them.len();
            match who {
                Who::HasRoom => pass.call_up(snapshot, queue, rows, &mut them),
                Who::Everybody => them.extend(snapshot.members_of(queue)),
            }
            if who == Who::Everybody || them.len() > known {
                queues.insert(queue, pass.open(snapshot, rules, rows));
            }
        }
        them.sort_unstable_by_key(|candidate| candidate.operator);
        them.dedup_by_key(|candidate| candidate.operator);
        for candidate in them {
            pass.enlist(candidate, &queues);
        }
        pass
    }

    /// Adds those who have room for something that waits in a queue.
    fn call_up(
        &mut self,
        snapshot: &'a Snapshot,
        queue: &QueueId,
        rows: &Rows,
        them: &mut Vec<&'a Candidate>,
    ) {
        let Some(crew) = snapshot.crew_of(queue) else {
            return;
        };
        self.last_turn = self.last_turn.max(crew.last_turn().unwrap_or(0));
        let media: BTreeSet<Medium> = rows.keys().map(|key| key.medium).collect();
        let capacity = &self.rules.capacity;
        let ids = crew.with_room(|room| {
            let mut media = media.iter();
            media.any(|medium| capacity.check(&room.load, room.capacity, *medium).is_ok())
        });
        let with_room = ids.filter_map(|id| snapshot.operator(id));
        them.extend(with_room.filter(|candidate| candidate.barred(self.now).is_none()));
    }

    /// Begins to read the rows of a queue; tells which they are.
    fn open(
        &mut self,
        snapshot: &'a Snapshot,
        rules: &'a QueueRules,
        rows: &'a Rows,
    ) -> Range<usize> {
        let first = self.rows.len();
        for (key, waiting) in rows {
            self.media.insert(key.medium);
            self.rows
                .push(Row::new(key, rules, waiting.values(), snapshot, self.now));
        }
        first..self.rows.len()
    }

    /// Adds an operator; to be called in the order of their ids.
    fn enlist(&mut self, candidate: &'a Candidate, queues: &BTreeMap<&QueueId, Range<usize>>) {
        let index = self.workers.len();
        let mut worker = Worker::new(candidate, &self.rules.capacity, &self.media, self.now);
        let posts = self.posts_of(candidate, queues);
        for post in &posts {
            let members = &mut self.rows[post.row].members;
            // Somebody may be named twice for a queue: the first counts.
            if members.last().is_none_or(|last| last.worker != index) {
                members.push(Member {
                    worker: index,
                    position: post.position,
                    age_needed: post.age_needed,
                });
            }
        }
        if !worker.is_out(&self.media) {
            worker.posts = posts;
            self.turns.extend(worker.turn(index));
        }
        self.workers.push(worker);
    }

    fn posts_of(
        &self,
        candidate: &Candidate,
        queues: &BTreeMap<&QueueId, Range<usize>>,
    ) -> Vec<Post> {
        let memberships = candidate.memberships.iter();
        let posts = memberships.flat_map(|membership| {
            let rows = queues.get(&membership.queue).cloned().unwrap_or_default();
            rows.map(|row| {
                let Row { rules, key, .. } = &self.rows[row];
                Post {
                    rank: membership.rank,
                    row,
                    position: membership.position,
                    age_needed: rules.age_needed(&key.skills, &candidate.skills),
                }
            })
        });
        let mut posts: Vec<_> = posts.collect();
        posts.sort_unstable();
        posts
    }

    /// Ends the rounds of those about whom everybody was asked.
    fn begin_rounds(&mut self, snapshot: &'a Snapshot, unknown: &BTreeMap<QueueId, QueueRules>) {
        let mut ended: Vec<(Standpoint, Decision)> = Vec::new();
        for waiting in snapshot.asked() {
            let Some(rules) = self
                .rules
                .queues
                .get(&waiting.queue)
                .or(unknown.get(&waiting.queue))
            else {
                continue;
            };
            let pauses = waiting.not_before.is_some_and(|pause| pause > self.now);
            if pauses
                || rules.strategy == Strategy::Manual
                || !self.all_were_asked(snapshot, waiting, rules)
            {
                continue;
            }
            self.exhausted.insert(waiting.conversation);
            let next = Decision::NextRound {
                conversation: waiting.conversation,
                round: waiting.round.saturating_add(1),
                not_before: self.now + rules.round_pause,
            };
            ended.push((standpoint(waiting, rules, self.now), next));
        }
        ended.sort_unstable_by_key(|(stands, _)| *stands);
        self.next_rounds = ended.into_iter().map(|(_, next)| next).collect();
    }

    /// True when everybody who could accept it, now or later, was asked in this round;
    /// those who are busy count only for a while.
    fn all_were_asked(&self, snapshot: &Snapshot, waiting: &Waiting, rules: &QueueRules) -> bool {
        let capacity = &self.rules.capacity;
        let age = self.now.since(waiting.place.eligible_at);
        let busy_count = waiting
            .asked_at
            .is_none_or(|at| at + rules.round_wait > self.now);
        let mut was_asked = false;
        for candidate in snapshot.members_of(&waiting.queue) {
            let is_able = candidate.is_staffed(capacity, waiting.medium)
                && rules
                    .age_needed(&waiting.skills, &candidate.skills)
                    .is_some_and(|needed| needed <= age);
            if !is_able {
                continue;
            }
            if waiting.tried.contains(&candidate.operator) {
                was_asked = true;
            } else if busy_count
                || candidate
                    .stopped(capacity, waiting.medium, self.now)
                    .is_none()
            {
                return false;
            }
        }
        was_asked
    }

    /// The first conversation that an operator may answer, over all their queues.
    pub(super) fn best_for(&mut self, worker: usize) -> Option<Found<'a>> {
        let mut best: Option<Found<'a>> = None;
        let mut rivals = Vec::new();
        for at in 0..self.workers[worker].posts.len() {
            let post = self.workers[worker].posts[at];
            if best.is_some_and(|best| best.rank < post.rank) {
                break;
            }
            let medium = self.rows[post.row].key.medium;
            if post.age_needed.is_none() || self.workers[worker].stopped(medium).is_some() {
                continue;
            }
            let bound = best.map(|best| best.entry.stands);
            if let Some((at, entry)) = self.first_in_row(worker, post, bound, &mut rivals) {
                best = Some(Found {
                    rank: post.rank,
                    entry,
                    row: post.row,
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

    /// The first in the row that the operator may get, if it stands before `bound`. Who
    /// is kept from one only because somebody else is free, a rival, must look again
    /// when the rival is not free any more.
    fn first_in_row(
        &mut self,
        worker: usize,
        post: Post,
        bound: Option<Standpoint>,
        rivals: &mut Vec<usize>,
    ) -> Option<(usize, Entry<'a>)> {
        let operator = self.workers[worker].candidate.operator;
        let mut from = 0;
        while let Some((at, entry)) = self.rows[post.row].first_from(from) {
            if bound.is_some_and(|bound| bound < entry.stands) {
                return None;
            }
            let waiting = entry.waiting;
            let age = self.now.since(waiting.place.eligible_at);
            if post.age_needed.is_none_or(|needed| age < needed) {
                // Those behind it are younger still.
                return None;
            }
            from = at + 1;
            if waiting.not_before.is_some_and(|pause| pause > self.now)
                || waiting.tried.contains(&operator)
                || self.exhausted.contains(&waiting.conversation)
            {
                continue;
            }
            let row = &self.rows[post.row];
            if waiting.preferred.is_some()
                && row.holder(waiting).is_some_and(|holder| holder != operator)
            {
                continue;
            }
            if waiting.last_asked == Some(operator)
                && let Some(rival) = row.first_for(&self.workers, waiting, |it| it == worker)
            {
                rivals.push(rival.worker);
                continue;
            }
            return Some((at, entry));
        }
        None
    }

    /// Follows wishes from an operator and the conversation they want until two want
    /// each other.
    fn pair(&mut self, worker: usize, found: Found<'a>) -> (usize, Found<'a>) {
        // Nobody who may answer it stands before the first in the order of everybody.
        if self.rows[found.row].rules.strategy == Strategy::LongestIdle {
            return (worker, found);
        }
        let mut path = vec![(worker, found)];
        let (mut worker, mut found) = (worker, found);
        loop {
            let row = &self.rows[found.row];
            let Some(wanted) = row.first_for(&self.workers, found.entry.waiting, |_| false) else {
                return (worker, found);
            };
            if wanted.worker == worker {
                return (worker, found);
            }
            if let Some(begin) = path.iter().position(|(other, _)| *other == wanted.worker) {
                let circle = &path[begin..];
                let wishes = circle.iter().map(|(_, found)| *found);
                let wanted = circle[1..].iter().chain(&circle[..1]).map(|(it, _)| *it);
                let (worker, found) = wanted
                    .zip(wishes)
                    .min_by_key(|(_, found)| found.entry.stands)
                    .unwrap_or((worker, found));
                return self.without_overtaking(worker, found);
            }
            let Some(next) = self.best_for(wanted.worker) else {
                return (worker, found);
            };
            (worker, found) = (wanted.worker, next);
            path.push((worker, found));
        }
    }

    /// Whoever gets what they did not want themselves gets the first of its queue that
    /// they may have, or the first of those who are wanted for that does.
    fn without_overtaking(&mut self, mut worker: usize, found: Found<'a>) -> (usize, Found<'a>) {
        let mut first = self.first_in_queue(worker, found);
        // What is found only ever stands further ahead.
        loop {
            let row = &self.rows[first.row];
            match row.first_for(&self.workers, first.entry.waiting, |_| false) {
                Some(wanted) if wanted.worker != worker => worker = wanted.worker,
                Some(_) | None => return (worker, first),
            }
            let next = self.first_in_queue(worker, first);
            if (next.row, next.at) == (first.row, first.at) {
                return (worker, next);
            }
            first = next;
        }
    }

    /// The first that an operator may answer in the queue of one that they may.
    fn first_in_queue(&mut self, worker: usize, found: Found<'a>) -> Found<'a> {
        let queue = &self.rows[found.row].key.queue;
        let mut first = found;
        for at in 0..self.workers[worker].posts.len() {
            let post = self.workers[worker].posts[at];
            let key = self.rows[post.row].key;
            if key.queue != *queue || self.workers[worker].stopped(key.medium).is_some() {
                continue;
            }
            let bound = Some(first.entry.stands);
            if let Some((at, entry)) = self.first_in_row(worker, post, bound, &mut Vec::new()) {
                first = Found {
                    rank: post.rank,
                    entry,
                    row: post.row,
                    at,
                };
            }
        }
        first
    }

    fn give(&mut self, worker: usize, found: Found<'a>) {
        let rules = self.rows[found.row].rules;
        let mut asked = vec![worker];
        if rules.strategy == Strategy::RingAll && rules.assignment == Assignment::Offer {
            asked = self.everybody_for(worker, found);
        }
        let mut at_once = rules.assignment == Assignment::Direct;
        let accepts = |it: &usize| self.workers[*it].candidate.auto_accept;
        let mut chosen = asked.clone();
        if let Some(first) = asked.iter().copied().find(accepts) {
            chosen = vec![first];
            at_once = true;
        }
        let explanations = chosen
            .iter()
            .map(|it| self.explain(*it, found, &asked))
            .collect();
        self.rows[found.row].remove(found.at);
        self.matches.push(Match {
            row: found.row,
            waiting: found.entry.waiting,
            at_once,
            chosen: explanations,
        });
        let medium = self.rows[found.row].key.medium;
        // Turns are counted in the order in which the offers are written.
        chosen.sort_unstable();
        for worker in chosen {
            self.occupy(worker, medium);
        }
    }

    /// Everybody who wants this conversation, in order.
    fn everybody_for(&mut self, worker: usize, found: Found<'a>) -> Vec<usize> {
        let row = &self.rows[found.row];
        let waiting = found.entry.waiting;
        let holder = row.holder(waiting);
        let mut able: Vec<Member> = row
            .members
            .iter()
            .filter(|it| {
                row.kept_out_beside(holder, it, &self.workers, waiting)
                    .is_none()
            })
            .copied()
            .collect();
        able.sort_by(|one, other| {
            Row::keys(one, &self.workers)
                .compare(&Row::keys(other, &self.workers), row.rules.strategy)
        });
        able.into_iter()
            .map(|member| member.worker)
            .filter(|it| {
                *it == worker
                    || self
                        .best_for(*it)
                        .is_some_and(|best| best.row == found.row && best.at == found.at)
            })
            .collect()
    }

    /// Explains why the conversation goes to an operator, who is asked with these.
    fn explain(&mut self, worker: usize, found: Found<'a>, asked: &[usize]) -> Explanation {
        let rings = asked.len() > 1;
        let waiting = found.entry.waiting;
        let standing = self.rows[found.row].standing(&self.workers, &self.rules.capacity);
        let row = &self.rows[found.row];
        let member = row.member(worker).copied().unwrap_or(Member {
            worker,
            position: 0,
            age_needed: None,
        });
        let chosen = Row::keys(&member, &self.workers);
        let strategy = row.rules.strategy;
        let is_plain = waiting.tried.is_empty()
            && waiting.preferred.is_none()
            && waiting.last_asked.is_none()
            && row.key.skills.is_empty()
            && strategy == Strategy::LongestIdle;
        let (runner_up, own) = if is_plain {
            (self.next_in_turn(row, worker), Vec::new())
        } else {
            self.others(row, worker, waiting, asked)
        };
        let cause = if rings {
            Cause::Ring
        } else if row.holder(waiting).is_some() {
            Cause::Sticky
        } else {
            Cause::Queue
        };
        Explanation {
            cause,
            strategy,
            place: waiting.place,
            round: waiting.round,
            skills: row
                .rules
                .skills_at(&row.key.skills, self.now.since(waiting.place.eligible_at)),
            chosen,
            runner_up: runner_up.map(|member| Row::keys(&member, &self.workers)),
            excluded: Excluded::new(standing, row.since.len(), own),
        }
    }

    /// The next of the row's members who is free, where nothing but being free counts.
    fn next_in_turn(&self, row: &Row<'a>, chosen: usize) -> Option<Member> {
        let medium = row.key.medium;
        let is_free = |worker: usize| self.workers[worker].stopped(medium).is_none();
        if row.members.len() > MEMBERS_SCAN_MAX {
            let mut turns = self.turns.iter().map(|turn| turn.worker);
            return turns.find_map(|worker| {
                (worker != chosen && is_free(worker))
                    .then(|| row.member(worker).copied())
                    .flatten()
            });
        }
        let others = row.members.iter().copied();
        others
            .filter(|member| member.worker != chosen && is_free(member.worker))
            .min_by(|one, other| {
                self.workers[one.worker]
                    .keys
                    .compare(&self.workers[other.worker].keys, Strategy::LongestIdle)
            })
    }

    /// Who would have been next, and whom rules of this conversation's own kept out.
    fn others(
        &self,
        row: &Row<'a>,
        chosen: usize,
        waiting: &Waiting,
        asked: &[usize],
    ) -> (Option<Member>, Vec<(OperatorId, Rule)>) {
        let strategy = row.rules.strategy;
        let rings = asked.len() > 1;
        let keys_of = |member: &Member| Row::keys(member, &self.workers);
        let chosen_keys = row.member(chosen).map(keys_of);
        let mut runner_up: Option<Member> = None;
        let mut own = Vec::new();
        let holder = row.holder(waiting);
        for member in row.members.iter().filter(|it| it.worker != chosen) {
            if self.workers[member.worker]
                .stopped(row.key.medium)
                .is_some()
            {
                continue;
            }
            let keys = keys_of(member);
            let is_before =
                chosen_keys.is_some_and(|chosen| keys.compare(&chosen, strategy).is_lt());
            let has_better = if rings {
                !asked.contains(&member.worker)
            } else {
                is_before
            };
            let rule = row
                .kept_out_beside(holder, member, &self.workers, waiting)
                .or_else(|| (waiting.last_asked == Some(keys.operator)).then_some(Rule::LastAsked))
                .or(has_better.then_some(Rule::HasBetter));
            if let Some(rule) = rule {
                own.push((keys.operator, rule));
            } else if runner_up.is_none_or(|first| keys.compare(&keys_of(&first), strategy).is_lt())
            {
                runner_up = Some(*member);
            }
        }
        (runner_up, own)
    }

    /// Lets the operator carry one more, and puts them back into the order.
    fn occupy(&mut self, index: usize, medium: Medium) {
        self.last_turn += 1;
        if let Some(turn) = self.workers[index].turn(index) {
            self.turns.remove(&turn);
        }
        let worker = &mut self.workers[index];
        let changes = worker.occupy(medium, &self.rules.capacity, &self.media, self.last_turn);
        for (medium, rule) in &changes {
            for post in &worker.posts {
                let row = &mut self.rows[post.row];
                if row.key.medium == *medium {
                    row.note(worker.candidate.operator, *rule);
                }
            }
        }
        if !self.workers[index].is_out(&self.media) {
            self.turns.extend(self.workers[index].turn(index));
        }
        if !changes.is_empty() {
            for watcher in std::mem::take(&mut self.workers[index].watchers) {
                self.turns.extend(self.workers[watcher].turn(watcher));
            }
        }
    }

    fn into_decisions(self) -> Vec<Decision> {
        let rules: Vec<_> = self.rows.iter().map(|row| row.rules).collect();
        let since: Vec<_> = self.rows.into_iter().map(Row::into_since).collect();
        let mut decisions = self.next_rounds;
        decisions.reserve(self.matches.len());
        for mut found in self.matches {
            for explanation in &mut found.chosen {
                explanation.excluded.complete(since[found.row].clone());
            }
            let rules = rules[found.row];
            decisions.extend(found.into_decision(rules, self.now));
        }
        decisions
    }
}

impl Match<'_> {
    fn into_decision(mut self, rules: &QueueRules, now: Timestamp) -> Option<Decision> {
        let conversation = self.waiting.conversation;
        let expires_at = now + rules.offer_timeout_of(self.waiting.medium);
        if self.chosen.len() > 1 {
            let each = self.chosen.into_iter();
            return Some(Decision::Ring {
                conversation,
                operators: each.map(|it| (it.chosen.operator, it)).collect(),
                expires_at,
            });
        }
        let explanation = self.chosen.pop()?;
        let operator = explanation.chosen.operator;
        Some(if self.at_once {
            Decision::Assign {
                conversation,
                operator,
                explanation,
            }
        } else {
            Decision::Offer {
                conversation,
                operator,
                expires_at,
                explanation,
            }
        })
    }
}
