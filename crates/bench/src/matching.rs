//! `settle` in memory: what waits, matched with who is free.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{bail, ensure};
use domain::message::Medium;
use domain::operator::{Load, Membership};
use domain::routing::{
    Candidate, Decision, Place, RoutingRules, Skills, Snapshot, Waiting, settle,
};
use domain::{ConversationId, OperatorId, QueueId, Timestamp};

use crate::dice::Dice;
use crate::machine::thread_seconds;

pub(crate) const QUEUES: u64 = 50;
pub(crate) const SKILLS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Forms that an operator has room for.
const ROOM: u32 = 10;
const NOW: Timestamp = Timestamp(10_000_000);

/// One pass over everything, with everybody free: decisions, and how many of them in a
/// second of a processor.
pub(crate) fn all_at_once(
    waiting: usize,
    operators: usize,
    seed: u64,
) -> anyhow::Result<(usize, f64)> {
    let snapshot = snapshot(waiting, operators, seed);
    let rules = RoutingRules::default();
    // Small passes are repeated, or the clock would be what is measured.
    let passes = (20_000 / waiting).max(1);
    let mut decisions = Vec::new();
    let begun = thread_seconds();
    for _ in 0..passes {
        decisions = settle(&snapshot, &rules, NOW);
    }
    let seconds = thread_seconds() - begun;
    check(&snapshot, &rules, &decisions)?;
    let rate = (decisions.len() * passes) as f64 / seconds;
    Ok((decisions.len(), rate))
}

/// A floor on which everybody is busy and as many wait as ever: again and again some
/// become free, and whom they get is replaced by a newcomer.
pub(crate) struct Floor {
    snapshot: Snapshot,
    rules: RoutingRules,
    dice: Dice,
    operators: u64,
    next: i64,
}

impl Floor {
    pub(crate) fn new(waiting: usize, operators: usize, seed: u64) -> Self {
        let mut snapshot = snapshot(waiting, operators, seed);
        let all: Vec<Candidate> = snapshot.operators().cloned().collect();
        for candidate in all {
            snapshot.put_operator(with(candidate, ROOM));
        }
        Self {
            snapshot,
            rules: RoutingRules::default(),
            dice: Dice::new(seed),
            operators: operators as u64,
            next: (waiting as u64).cast_signed() + 1,
        }
    }

    /// So many have one place free, or all of theirs when everybody has. Answers how
    /// many decisions were made.
    pub(crate) fn pass(&mut self, free: u64) -> usize {
        let is_everybody = free >= self.operators;
        let taken = if is_everybody { 0 } else { ROOM - 1 };
        let mut ids = BTreeSet::new();
        for at in 0..free.min(self.operators) {
            let any = self.dice.below(self.operators);
            let id = if is_everybody { at } else { any };
            ids.insert(id.cast_signed() + 1);
        }
        self.load(&ids, taken);
        let decisions = settle(&self.snapshot, &self.rules, NOW);
        for decision in &decisions {
            if let Some(mut newcomer) = self.snapshot.remove(decision.conversation()) {
                newcomer.conversation = ConversationId::new(self.next);
                newcomer.place.seq = self.next;
                newcomer.place.eligible_at = Timestamp(9_000_000);
                self.next += 1;
                self.snapshot.put(newcomer);
            }
        }
        self.load(&ids, ROOM);
        decisions.len()
    }

    fn load(&mut self, ids: &BTreeSet<i64>, forms: u32) {
        for id in ids {
            if let Some(candidate) = self.snapshot.operator(OperatorId::new(*id)).cloned() {
                self.snapshot.put_operator(with(candidate, forms));
            }
        }
    }

    /// Decisions, and the microseconds of a processor for each.
    pub(crate) fn run(&mut self, free: u64, passes: u32) -> (usize, f64) {
        let begun = thread_seconds();
        let decisions: usize = (0..passes).map(|_| self.pass(free)).sum();
        let spent = thread_seconds() - begun;
        (decisions, spent * 1e6 / decisions as f64)
    }
}

fn with(mut candidate: Candidate, forms: u32) -> Candidate {
    candidate.load = Load::default();
    for _ in 0..forms {
        candidate.load.occupy(Medium::Form);
    }
    candidate
}

/// Everybody works for three of the queues, has half of the skills, and is free for ten
/// forms. Half of what waits needs a skill.
fn snapshot(waiting: usize, operators: usize, seed: u64) -> Snapshot {
    let mut dice = Dice::new(seed);
    let queue = |number: u64| QueueId::from(format!("queue-{number}").as_str());
    let waiting: Vec<Waiting> = (0_i64..)
        .take(waiting)
        .map(|number| Waiting {
            conversation: ConversationId::new(number + 1),
            queue: queue(dice.below(QUEUES)),
            medium: Medium::Form,
            place: Place {
                band: 0,
                eligible_at: Timestamp(dice.below(9_000_000).cast_signed()),
                seq: number,
            },
            skills: SKILLS
                .get(dice.below(2 * SKILLS.len() as u64) as usize)
                .into_iter()
                .copied()
                .collect(),
            preferred: None,
            tried: BTreeSet::new(),
            last_asked: None,
            asked_at: None,
            round: 1,
            not_before: None,
        })
        .collect();
    let operators = (0_i64..).take(operators).map(|number| {
        let first = dice.below(QUEUES);
        Candidate {
            operator: OperatorId::new(number + 1),
            memberships: (0..3)
                .map(|rank| Membership {
                    queue: queue((first + rank) % QUEUES),
                    rank: rank as i32,
                    position: 0,
                })
                .collect(),
            skills: SKILLS
                .into_iter()
                .filter(|_| dice.below(2) == 0)
                .collect::<Skills>(),
            load: Load::default(),
            capacity: 100,
            idle_since: Timestamp(dice.below(9_000_000).cast_signed()),
            turn: 0,
            auto_accept: false,
            barred: None,
            cool_down_until: None,
        }
    });
    Snapshot::new(waiting, operators)
}

/// Each once, nobody with more than fits, every queue from its head, and nothing left
/// that somebody free could take.
fn check(snapshot: &Snapshot, rules: &RoutingRules, decisions: &[Decision]) -> anyhow::Result<()> {
    let mut loads: BTreeMap<OperatorId, Load> = BTreeMap::new();
    let mut placed = BTreeSet::new();
    for decision in decisions {
        let (Decision::Offer {
            conversation,
            operator,
            ..
        }
        | Decision::Assign {
            conversation,
            operator,
            ..
        }) = decision
        else {
            bail!("WRONG: nobody was asked before, and a round has ended");
        };
        ensure!(
            placed.insert(*conversation),
            "WRONG: {conversation} was given twice"
        );
        loads.entry(*operator).or_default().occupy(Medium::Form);
    }
    let units = |load: &Load| load.units(&rules.capacity);
    ensure!(
        loads.values().all(|load| units(load) <= 100),
        "WRONG: somebody has more than fits"
    );
    let mut left: BTreeMap<(&QueueId, &Skills), Place> = BTreeMap::new();
    for waiting in snapshot.waiting() {
        if !placed.contains(&waiting.conversation) {
            let first = left
                .entry((&waiting.queue, &waiting.skills))
                .or_insert(waiting.place);
            *first = waiting.place.min(*first);
        }
    }
    for waiting in snapshot.waiting() {
        let overtaken = left.get(&(&waiting.queue, &waiting.skills));
        ensure!(
            !placed.contains(&waiting.conversation)
                || overtaken.is_none_or(|first| waiting.place < *first),
            "WRONG: a conversation was overtaken in its queue"
        );
    }
    for candidate in snapshot.operators() {
        let is_free = loads.get(&candidate.operator).map_or(0, units) <= 90;
        let is_theirs = |(queue, skills): &(&QueueId, &Skills)| {
            candidate.membership(queue).is_some() && candidate.skills.cover(skills)
        };
        ensure!(
            !is_free || !left.keys().any(is_theirs),
            "WRONG: somebody is free for something that waits"
        );
    }
    Ok(())
}
