//! What `settle` has to do, in the most obvious way and without regard to cost:
//! look at everybody and everything anew for every decision.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use domain::operator::Load;
use domain::routing::{
    Assignment, Candidate, CandidateKeys, Cause, Decision, Dropped, Explanation, Place, QueueRules,
    RoutingRules, Rule, Skills, Strategy, Waiting,
};
use domain::{ConversationId, OperatorId, QueueId, Timestamp};

/// What waits, who works and by which rules, at one moment.
#[derive(Clone)]
pub(crate) struct Office<'a> {
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) operators: Vec<Candidate>,
    pub(crate) rules: &'a RoutingRules,
    pub(crate) now: Timestamp,
}

/// What stands before what in one queue, at one moment.
pub(crate) type Stands = (i32, Timestamp, i64, ConversationId);

/// Everything that is decided.
pub(crate) fn settle(mut office: Office<'_>) -> Vec<Decision> {
    let mut last_turn = office.last_turn();
    let mut decisions = office.end_rounds();
    let now = office.now;
    office
        .waiting
        .retain(|entry| entry.not_before.is_none_or(|pause| pause <= now));
    while let Some((operator, conversation)) = office.next_match() {
        let entry = office.entry(conversation).clone();
        let (mut asked, decision) = office.decide(operator, &entry);
        decisions.push(decision);
        office
            .waiting
            .retain(|other| other.conversation != conversation);
        asked.sort();
        for operator in asked {
            last_turn += 1;
            office.occupy(operator, &entry, last_turn);
        }
    }
    decisions
}

impl Office<'_> {
    pub(crate) fn rules_of(&self, queue: &QueueId) -> QueueRules {
        let configured = self.rules.queues.get(queue).cloned();
        configured.unwrap_or_else(|| QueueRules::new(queue.clone()))
    }

    fn entry(&self, conversation: ConversationId) -> &Waiting {
        let mut all = self.waiting.iter();
        all.find(|entry| entry.conversation == conversation)
            .expect("it waits")
    }

    pub(crate) fn candidate(&self, operator: OperatorId) -> Option<&Candidate> {
        self.operators.iter().find(|it| it.operator == operator)
    }

    pub(crate) fn occupy(&mut self, operator: OperatorId, entry: &Waiting, turn: i64) {
        let mut all = self.operators.iter_mut();
        let carrier = all.find(|it| it.operator == operator).expect("they work");
        carrier.load.occupy(entry.medium);
        carrier.turn = turn;
    }

    /// By band, unless it is so old that only what was put before everything goes before
    /// it; then by age.
    pub(crate) fn stands(&self, entry: &Waiting) -> Stands {
        let Place {
            mut band,
            eligible_at,
            seq,
        } = entry.place;
        let is_old = self.now.0 - eligible_at.0 >= self.rules_of(&entry.queue).ageing.0;
        if is_old && band > 0 {
            band = 0;
        }
        (band, eligible_at, seq, entry.conversation)
    }

    /// What is needed of who answers it now.
    pub(crate) fn needed(&self, entry: &Waiting) -> Skills {
        let mut needed: BTreeSet<String> = entry.skills.iter().map(str::to_owned).collect();
        for relaxation in self.rules_of(&entry.queue).relaxations {
            if self.now.0 >= entry.place.eligible_at.0 + relaxation.after.0 {
                match relaxation.drop {
                    Dropped::All => needed.clear(),
                    Dropped::These(dropped) => {
                        for name in dropped.iter() {
                            needed.remove(name);
                        }
                    }
                }
            }
        }
        needed.into_iter().collect()
    }

    fn has_skills(&self, operator: &Candidate, entry: &Waiting) -> bool {
        let had: BTreeSet<&str> = operator.skills.iter().collect();
        self.needed(entry).iter().all(|name| had.contains(name))
    }

    /// For whom it is held at this moment.
    pub(crate) fn holder(&self, entry: &Waiting) -> Option<OperatorId> {
        let preferred = self.candidate(entry.preferred?)?;
        let sticky_wait = self.rules_of(&entry.queue).sticky_wait.0;
        let is_here = rank(preferred, entry).is_some()
            && preferred.barred.is_none()
            && preferred
                .cool_down_until
                .is_none_or(|until| until <= self.now);
        let holds = is_here
            && self.has_skills(preferred, entry)
            && !entry.tried.contains(&preferred.operator)
            && self.now.0 < entry.place.eligible_at.0 + sticky_wait;
        holds.then_some(preferred.operator)
    }

    /// The first rule between an operator and a conversation, but for the last two.
    pub(crate) fn rule(&self, operator: &Candidate, entry: &Waiting) -> Option<Rule> {
        let capacity = &self.rules.capacity;
        if rank(operator, entry).is_none() {
            return Some(Rule::NotMember);
        }
        if operator.barred.is_some() {
            return operator.barred;
        }
        if operator
            .cool_down_until
            .is_some_and(|until| until > self.now)
        {
            return Some(Rule::CoolingDown);
        }
        if let Err(rule) = capacity.check(&operator.load, operator.capacity, entry.medium) {
            return Some(rule);
        }
        if !self.has_skills(operator, entry) {
            return Some(Rule::MissingSkill);
        }
        if entry.tried.contains(&operator.operator) {
            return Some(Rule::Tried);
        }
        let holder = self.holder(entry);
        (holder.is_some() && holder != Some(operator.operator)).then_some(Rule::HeldForOther)
    }

    /// No rule stands against it, and it is not the same operator again while somebody
    /// else is free.
    pub(crate) fn may(&self, operator: &Candidate, entry: &Waiting) -> bool {
        let goes_by_itself = self.rules_of(&entry.queue).strategy != Strategy::Manual;
        let is_again = entry.last_asked == Some(operator.operator);
        let other_is_free = || {
            self.operators.iter().any(|other| {
                other.operator != operator.operator && self.rule(other, entry).is_none()
            })
        };
        goes_by_itself && self.rule(operator, entry).is_none() && !(is_again && other_is_free())
    }

    /// Everything that an operator may get, the best first.
    pub(crate) fn wishes(&self, operator: &Candidate) -> Option<&Waiting> {
        let mine = self.waiting.iter().filter(|it| self.may(operator, it));
        mine.min_by_key(|entry| (rank(operator, entry), self.stands(entry)))
    }

    /// Whom a conversation wants of those who may get it.
    pub(crate) fn wanted_by(&self, entry: &Waiting) -> Option<&Candidate> {
        let strategy = self.rules_of(&entry.queue).strategy;
        let able = self.operators.iter().filter(|it| self.may(it, entry));
        able.min_by(|one, other| self.order(one, other, &entry.queue, strategy))
    }

    /// Which of two operators a strategy serves first. Division is correctly rounded, so
    /// equal fractions of small numbers give equal quotients and others do not.
    pub(crate) fn order(
        &self,
        one: &Candidate,
        other: &Candidate,
        queue: &QueueId,
        strategy: Strategy,
    ) -> Ordering {
        let share = |it: &Candidate| match it.capacity {
            0 => f64::INFINITY,
            capacity => f64::from(it.load.units(&self.rules.capacity)) / f64::from(capacity),
        };
        let open = |it: &Candidate| it.load.iter().map(|(_, count)| count).sum::<u32>();
        let idle = one.idle_since.cmp(&other.idle_since);
        let order = match strategy {
            Strategy::LongestIdle | Strategy::RingAll | Strategy::Manual => {
                share(one).total_cmp(&share(other)).then(idle)
            }
            Strategy::LeastBusy => open(one).cmp(&open(other)).then(idle),
            Strategy::RoundRobin => one.turn.cmp(&other.turn),
            Strategy::StrictList => position(one, queue).cmp(&position(other, queue)),
        };
        order.then(one.operator.cmp(&other.operator))
    }

    /// Follows wishes, from the first operator who has one, until two want each other or
    /// the wishes come back to where they were.
    fn next_match(&self) -> Option<(OperatorId, ConversationId)> {
        let any = QueueId::from("");
        let has_wish = self.operators.iter().filter(|it| self.wishes(it).is_some());
        let mut operator =
            has_wish.min_by(|one, other| self.order(one, other, &any, Strategy::LongestIdle))?;
        // Whose wish it was, the wish, and whom it wants.
        let mut path: Vec<(OperatorId, &Waiting, OperatorId)> = Vec::new();
        loop {
            let wish = self.wishes(operator).expect("something that wants them");
            let wanted = self.wanted_by(wish).expect("at least who wants it");
            if wanted.operator == operator.operator {
                return Some((operator.operator, wish.conversation));
            }
            path.push((operator.operator, wish, wanted.operator));
            if let Some(begin) = path.iter().position(|(it, _, _)| *it == wanted.operator) {
                let circle = path[begin..].iter();
                let first = circle.min_by_key(|(_, wish, _)| self.stands(wish));
                return first.map(|(_, wish, wanted)| self.without_overtaking(*wanted, wish));
            }
            operator = wanted;
        }
    }

    /// Whoever gets what they did not want themselves gets the first of its queue that
    /// they may have; so does whoever is wanted for that instead.
    fn without_overtaking(
        &self,
        mut operator: OperatorId,
        wish: &Waiting,
    ) -> (OperatorId, ConversationId) {
        let mut first = self.first_of_queue(operator, wish);
        loop {
            let wanted = self.wanted_by(first).expect("at least who may get it");
            if wanted.operator == operator {
                return (operator, first.conversation);
            }
            operator = wanted.operator;
            let next = self.first_of_queue(operator, first);
            if next.conversation == first.conversation {
                return (operator, next.conversation);
            }
            first = next;
        }
    }

    /// The first that an operator may get in the queue of one that they may.
    fn first_of_queue<'a>(&'a self, operator: OperatorId, one: &'a Waiting) -> &'a Waiting {
        let mine = self.candidate(operator).expect("they work here");
        let near = self.waiting.iter().filter(|it| it.queue == one.queue);
        near.filter(|it| self.may(mine, it))
            .min_by_key(|it| self.stands(it))
            .unwrap_or(one)
    }

    /// The number of the last turn of anybody who works for a queue in which something
    /// waits.
    fn last_turn(&self) -> i64 {
        let goes = |entry: &&Waiting| self.rules_of(&entry.queue).strategy != Strategy::Manual;
        let turns = self.waiting.iter().filter(goes).flat_map(|entry| {
            let members = self.operators.iter();
            members
                .filter(|it| rank(it, entry).is_some())
                .map(|it| it.turn)
        });
        turns.max().unwrap_or(0)
    }

    /// Takes out those about whom everybody was asked.
    fn end_rounds(&mut self) -> Vec<Decision> {
        let mut ended: Vec<Waiting> = self.waiting.clone();
        ended.retain(|entry| self.all_were_asked(entry));
        ended.sort_by_key(|entry| self.stands(entry));
        self.waiting
            .retain(|entry| !ended.iter().any(|it| it.conversation == entry.conversation));
        let next = |entry: Waiting| Decision::NextRound {
            conversation: entry.conversation,
            round: entry.round + 1,
            not_before: self.now + self.rules_of(&entry.queue).round_pause,
        };
        ended.into_iter().map(next).collect()
    }

    /// Everybody at work who is able was asked. Those who could but are busy are waited
    /// for, though not for ever.
    pub(crate) fn all_were_asked(&self, entry: &Waiting) -> bool {
        let rules = self.rules_of(&entry.queue);
        let capacity = &self.rules.capacity;
        let pauses = entry.not_before.is_some_and(|pause| pause > self.now);
        if pauses || rules.strategy == Strategy::Manual {
            return false;
        }
        let (asked, others): (Vec<_>, Vec<_>) = self
            .operators
            .iter()
            .filter(|it| self.could_answer(it, entry))
            .partition(|it| entry.tried.contains(&it.operator));
        let is_free = |it: &Candidate| {
            it.barred.is_none()
                && it.cool_down_until.is_none_or(|until| until <= self.now)
                && capacity.check(&it.load, it.capacity, entry.medium).is_ok()
        };
        let waits_for_busy = entry
            .asked_at
            .is_none_or(|at| self.now.0 < at.0 + rules.round_wait.0);
        let nobody_is_left = others.iter().all(|it| !waits_for_busy && !is_free(it));
        !asked.is_empty() && nobody_is_left
    }

    /// At work, large enough, and skilled enough at its age.
    fn could_answer(&self, operator: &Candidate, entry: &Waiting) -> bool {
        let capacity = &self.rules.capacity;
        let empty = Load::default();
        rank(operator, entry).is_some()
            && (operator.barred.is_none() || operator.barred == Some(Rule::WrapUp))
            && capacity
                .check(&empty, operator.capacity, entry.medium)
                .is_ok()
            && self.has_skills(operator, entry)
    }

    /// One more than what stands before a conversation and could be answered by somebody
    /// who could also answer it; and how many could.
    pub(crate) fn outlook(&self, entry: &Waiting) -> (usize, usize) {
        let operators = self.operators.iter();
        let able: Vec<_> = operators
            .filter(|it| self.could_answer(it, entry))
            .collect();
        let is_before = |other: &&Waiting| {
            self.stands(other) < self.stands(entry)
                && able.iter().any(|it| self.could_answer(it, other))
        };
        let before = self.waiting.iter().filter(is_before).count();
        (before + 1, able.len())
    }

    /// Who is asked, in order, and the decision.
    fn decide(&self, operator: OperatorId, entry: &Waiting) -> (Vec<OperatorId>, Decision) {
        let queue = self.rules_of(&entry.queue);
        let mut asked = vec![operator];
        if queue.strategy == Strategy::RingAll && queue.assignment == Assignment::Offer {
            let wants = |it: &&Candidate| {
                let wish = self.wishes(it);
                it.operator == operator
                    || wish.is_some_and(|wish| wish.conversation == entry.conversation)
            };
            let mut all: Vec<_> = self.operators.iter().filter(wants).collect();
            all.sort_by(|one, other| self.order(one, other, &entry.queue, queue.strategy));
            asked = all.into_iter().map(|it| it.operator).collect();
        }
        let rings = asked.len() > 1;
        let accepts = |it: &&OperatorId| self.candidate(**it).is_some_and(|it| it.auto_accept);
        let at_once = asked.iter().find(accepts).copied();
        let conversation = entry.conversation;
        let expires_at = self.now + queue.offer_timeout_of(entry.medium);
        let explain = |it: OperatorId| self.explain(it, entry, &asked);
        let first = asked[0];
        if let Some(accepter) = at_once {
            let decision = Decision::Assign {
                conversation,
                operator: accepter,
                explanation: explain(accepter),
            };
            return (vec![accepter], decision);
        }
        let decision = if rings {
            Decision::Ring {
                conversation,
                operators: asked.iter().map(|it| (*it, explain(*it))).collect(),
                expires_at,
            }
        } else if queue.assignment == Assignment::Direct {
            Decision::Assign {
                conversation,
                operator: first,
                explanation: explain(first),
            }
        } else {
            Decision::Offer {
                conversation,
                operator: first,
                expires_at,
                explanation: explain(first),
            }
        };
        (asked, decision)
    }

    fn explain(&self, chosen: OperatorId, entry: &Waiting, asked: &[OperatorId]) -> Explanation {
        let strategy = self.rules_of(&entry.queue).strategy;
        let rings = asked.len() > 1;
        let chosen = self.candidate(chosen).expect("they work");
        let order =
            |one: &Candidate, other: &Candidate| self.order(one, other, &entry.queue, strategy);
        let mut excluded: BTreeMap<Rule, BTreeSet<OperatorId>> = BTreeMap::new();
        let mut next: Vec<&Candidate> = Vec::new();
        for other in &self.operators {
            if other.operator == chosen.operator || rank(other, entry).is_none() {
                continue;
            }
            let is_elsewhere = if rings {
                !asked.contains(&other.operator)
            } else {
                order(other, chosen).is_lt()
            };
            let rule = if let Some(rule) = self.rule(other, entry) {
                rule
            } else if entry.last_asked == Some(other.operator) {
                Rule::LastAsked
            } else if is_elsewhere {
                Rule::HasBetter
            } else {
                next.push(other);
                continue;
            };
            excluded.entry(rule).or_default().insert(other.operator);
        }
        next.sort_by(|one, other| order(one, other));
        let keys = |it: &Candidate| CandidateKeys {
            operator: it.operator,
            load: it.load.units(&self.rules.capacity),
            capacity: it.capacity,
            idle_since: it.idle_since,
            open: it.load.total(),
            turn: it.turn,
            position: position(it, &entry.queue),
        };
        let cause = if rings {
            Cause::Ring
        } else if self.holder(entry).is_some() {
            Cause::Sticky
        } else {
            Cause::Queue
        };
        Explanation {
            cause,
            strategy,
            place: entry.place,
            round: entry.round,
            skills: self.needed(entry),
            chosen: keys(chosen),
            runner_up: next.first().map(|it| keys(it)),
            excluded: excluded.into(),
        }
    }
}

/// How an operator ranks the queue of a conversation, if they work for it.
pub(crate) fn rank(operator: &Candidate, entry: &Waiting) -> Option<i32> {
    let mine = operator.memberships.iter();
    mine.filter(|it| it.queue == entry.queue)
        .map(|it| it.rank)
        .min()
}

/// Where an operator stands in a queue's list; where they are named twice, by the
/// lesser rank.
fn position(operator: &Candidate, queue: &QueueId) -> i32 {
    let mine = operator.memberships.iter();
    mine.filter(|it| it.queue == *queue)
        .map(|it| (it.rank, it.position))
        .min()
        .map_or(0, |(_, position)| position)
}
