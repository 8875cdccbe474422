//! What waits, matched with who is free: `settle` in memory, and a queue in the
//! store drained by operators who become Ready.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{bail, ensure};
use domain::message::Medium;
use domain::operator::{Load, Membership};
use domain::routing::{
    Candidate, Decision, Place, RoutingRules, Skills, Snapshot, Waiting, settle,
};
use domain::{ConversationId, OperatorId, QueueId, Timestamp};
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Setting;
use crate::dice::Dice;
use crate::figures::{figure, median, note, tell};
use crate::gateway::{FORM, Gateway, Handing};
use crate::load::{End, Plan, submit};
use crate::machine::{cpu_seconds, load_average, sync_times};
use crate::operators::{Operator, sign_up};
use crate::watch::{Wanted, Watcher};

const WAITING: [usize; 4] = [100, 1_000, 10_000, 100_000];
const QUEUES: u64 = 50;
const SKILLS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// How many become free at once while everybody else is busy.
const FREED: u64 = 100;
/// What waits in the store, and how many drain it.
const DURABLE: usize = 1_000;
const DRAINERS: usize = 50;
const NOW: Timestamp = Timestamp(10_000_000);
const DRAIN_MAX: Duration = Duration::from_mins(1);

struct InMemory {
    decisions: usize,
    rate: f64,
    /// One pass over a snapshot that is kept, when some become free.
    freed_us: f64,
}

struct Durable {
    rate: f64,
    cpu: f64,
    sync_p50_ms: f64,
}

pub(crate) async fn run(setting: &Setting, operators: usize) -> anyhow::Result<()> {
    let before = load_average();
    let mut in_memory: [Vec<InMemory>; WAITING.len()] = Default::default();
    let mut durable = Vec::new();
    for round in 1..=setting.rounds {
        for (rounds, waiting) in in_memory.iter_mut().zip(WAITING) {
            rounds.push(match_in_memory(waiting, operators, round as u64)?);
        }
        let drained = drain(setting).await?;
        note(&format!("round {round}: durable {:.0}/s", drained.rate));
        durable.push(drained);
    }
    let rates: Vec<f64> = in_memory
        .iter()
        .map(|rounds| median(rounds, |round| round.rate))
        .collect();
    let freed: Vec<f64> = in_memory
        .iter()
        .map(|rounds| median(rounds, |round| round.freed_us))
        .collect();
    let sizes: Vec<Value> = WAITING
        .iter()
        .zip(&in_memory)
        .zip(rates.iter().zip(&freed))
        .map(|((waiting, rounds), (rate, freed))| {
            json!({
                "waiting": waiting,
                "decisions": rounds.first().map(|round| round.decisions),
                "rate": figure(*rate),
                "pass_us_when_100_become_free": figure(*freed),
            })
        })
        .collect();
    let rate = median(&durable, |round| round.rate);
    let cpu = median(&durable, |round| round.cpu);
    let load = load_average();
    tell(
        &format!(
            "routing, {operators} operators, {QUEUES} queues: {:.0}, {:.0}, {:.0} and {:.0} \
             decisions/s in memory with 100, 1,000, 10,000 and 100,000 waiting; a pass when \
             {FREED} become free {:.0} µs with 1,000 and {:.0} µs with 100,000 waiting; \
             {rate:.0}/s durably, {cpu:.3} CPU-s per 1,000; load {before:.1} to {load:.1}",
            rates[0], rates[1], rates[2], rates[3], freed[1], freed[3]
        ),
        &json!({
            "workload": "routing",
            "operators": operators,
            "rounds": setting.rounds,
            "in_memory": sizes,
            "queues": QUEUES,
            "skills": SKILLS.len(),
            "pass_cost_at_100_000_of_1_000": figure(freed[3] / freed[1]),
            "durable_waiting": DURABLE,
            "durable_operators": DRAINERS,
            "durable_rate": figure(rate),
            "durable_cpu_s_per_1000": figure(cpu),
            "fdatasync_p50_ms": figure(median(&durable, |round| round.sync_p50_ms)),
            "load_before": figure(before),
            "load_after": figure(load),
        }),
    )?;
    Ok(())
}

fn match_in_memory(waiting: usize, operators: usize, seed: u64) -> anyhow::Result<InMemory> {
    let mut snapshot = snapshot(waiting, operators, seed);
    let rules = RoutingRules::default();
    // Small passes are repeated, or the clock would be what is measured.
    let passes = (20_000 / waiting).max(1);
    let mut decisions = Vec::new();
    let begun = Instant::now();
    for _ in 0..passes {
        decisions = settle(&snapshot, &rules, NOW);
    }
    let seconds = begun.elapsed().as_secs_f64();
    check(&snapshot, &rules, &decisions)?;
    let freed_us = free_some(&mut snapshot, &rules, operators as u64, seed);
    Ok(InMemory {
        decisions: decisions.len(),
        rate: (decisions.len() * passes) as f64 / seconds,
        freed_us,
    })
}

/// Everybody is busy, again and again some become free: microseconds of one pass over
/// the snapshot, which is kept up to date and not made anew.
fn free_some(snapshot: &mut Snapshot, rules: &RoutingRules, operators: u64, seed: u64) -> f64 {
    const PASSES: u32 = 50;
    let free: Vec<Candidate> = snapshot.operators().cloned().collect();
    let busy = |candidate: &Candidate| {
        let mut busy = candidate.clone();
        busy.load.occupy(Medium::Voice);
        busy
    };
    for candidate in &free {
        snapshot.put_operator(busy(candidate));
    }
    let mut dice = Dice::new(seed);
    let mut spent = Duration::ZERO;
    for _ in 0..PASSES {
        let freed: Vec<&Candidate> = (0..FREED.min(operators))
            .filter_map(|_| free.get(dice.below(operators) as usize))
            .collect();
        let begun = Instant::now();
        for candidate in &freed {
            snapshot.put_operator((*candidate).clone());
        }
        settle(snapshot, rules, NOW);
        spent += begun.elapsed();
        for candidate in &freed {
            snapshot.put_operator(busy(candidate));
        }
    }
    spent.as_secs_f64() * 1e6 / f64::from(PASSES)
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

/// Fills a queue, then lets operators become Ready at once.
async fn drain(setting: &Setting) -> anyhow::Result<Durable> {
    let handing = Handing {
        assign: "direct",
        form_cost: 5,
    };
    let gateway = Gateway::start(setting, handing)?;
    let mut sync = sync_times(gateway.folder())?;
    let arrivals = Watcher::open(&mut gateway.inbox().await?, Wanted::Message).await?;
    let plan = Plan {
        address: gateway.address(),
        path: FORM,
        connections: 20,
        end: End::Count(DURABLE / 20),
        may_break: false,
    };
    let waiting = submit(&plan).await?.numbers.len();
    arrivals.until(waiting, DRAIN_MAX).await?;
    let operators = sign_up(&gateway, DRAINERS).await?;
    let assigned = Watcher::open(&mut gateway.inbox().await?, Wanted::Assigned(None)).await?;
    let cpu = cpu_seconds(gateway.id());
    let begun = Instant::now();
    try_join_all(operators.iter().map(Operator::ready)).await?;
    assigned.until(waiting, DRAIN_MAX).await?;
    let last = assigned.look(|read| read.at.values().max().copied());
    let seconds = last.unwrap_or(begun).duration_since(begun).as_secs_f64();
    let cpu = cpu_seconds(gateway.id()) - cpu;
    for operator in &operators {
        let own = operator.watcher.look(|read| read.at.len());
        ensure!(own <= 20, "WRONG: somebody was given {own} of at most 20");
    }
    Ok(Durable {
        rate: waiting as f64 / seconds,
        cpu: cpu / (waiting as f64 / 1_000.0),
        sync_p50_ms: sync.p50_ms(),
    })
}
