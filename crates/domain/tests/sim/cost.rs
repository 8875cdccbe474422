//! What a pass costs, told as figures: 1,000 operators, 50 queues, 8 skills.
//!
//! `cargo test --release -p domain --test sim -- --ignored --nocapture cost`

#![expect(
    clippy::disallowed_methods,
    reason = "it reads a clock and prints; nothing is asserted"
)]

use std::collections::BTreeSet;
use std::time::SystemTime;

use domain::message::Medium;
use domain::operator::{Load, Membership};
use domain::routing::{
    Candidate, Place, QueueRules, RoutingRules, Skills, Snapshot, Strategy, Waiting, settle,
};
use domain::{ConversationId, OperatorId, QueueId, Timestamp};

use crate::transition::Random;

const NOW: Timestamp = Timestamp(10_000_000);
const OPERATORS: u64 = 1_000;
const QUEUES: u64 = 50;
const SKILLS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const STRATEGIES: [Strategy; 4] = [
    Strategy::LongestIdle,
    Strategy::LeastBusy,
    Strategy::RoundRobin,
    Strategy::StrictList,
];

fn queue(number: u64) -> QueueId {
    QueueId::from(format!("queue-{number:02}").as_str())
}

fn waiting(number: i64, random: &mut Random) -> Waiting {
    let skilled = random.one_in(2);
    let skill = random.pick(&SKILLS).filter(|_| skilled);
    Waiting {
        conversation: ConversationId::new(number),
        queue: queue(random.below(QUEUES)),
        medium: Medium::Voice,
        place: Place {
            band: 0,
            eligible_at: Timestamp(random.millis(9_000_000).0),
            seq: number,
        },
        skills: skill.into_iter().collect(),
        preferred: None,
        tried: BTreeSet::new(),
        last_asked: None,
        asked_at: None,
        round: 1,
        not_before: None,
    }
}

/// Works for three queues, has four skills, and is on a call.
fn busy(number: i64, random: &mut Random) -> Candidate {
    let first = random.below(QUEUES);
    let mut load = Load::default();
    load.occupy(Medium::Voice);
    let memberships = (0..3).map(|rank| Membership {
        queue: queue((first + rank) % QUEUES),
        rank: i32::try_from(rank).expect("small"),
        position: random.small(100),
    });
    let memberships = memberships.collect();
    let mut skills: Vec<&str> = SKILLS.to_vec();
    skills.retain(|_| random.one_in(2));
    Candidate {
        operator: OperatorId::new(number),
        memberships,
        skills: skills.into_iter().collect::<Skills>(),
        load,
        capacity: 100,
        idle_since: Timestamp(random.millis(9_000_000).0),
        turn: 0,
        auto_accept: false,
        barred: None,
        cool_down_until: None,
    }
}

fn rules(mixed: bool) -> RoutingRules {
    let mut rules = RoutingRules::default();
    for number in 0..QUEUES {
        let mut it = QueueRules::new(queue(number));
        if mixed {
            it.strategy = STRATEGIES[usize::try_from(number % 4).expect("small")];
        }
        rules.queues.insert(it.id.clone(), it);
    }
    rules
}

/// Seconds of the processor, where the system tells them: others may be at work too.
fn seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|it| it.split(' ').next()?.parse::<f64>().ok());
    nanos.map_or_else(
        || {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.expect("it is after 1970").as_secs_f64()
        },
        |nanos| nanos / 1e9,
    )
}

#[test]
#[ignore = "prints figures, and only means something optimised"]
fn cost_of_a_pass() {
    // One of them, for a profiler: `WAITING=1000 FREE=100`.
    let wanted = |name| std::env::var(name).ok().and_then(|it| it.parse().ok());
    let (wanted_free, wanted_count): (Option<u64>, Option<u64>) =
        (wanted("FREE"), wanted("WAITING"));
    for (free, passes) in [(1_u64, 400_u64), (100, 40), (1_000, 10)] {
        for mixed in [false, true] {
            for count in [100_u64, 1_000, 10_000, 100_000] {
                let is_wanted = wanted_free.is_none_or(|it| it == free)
                    && wanted_count.is_none_or(|it| it == count);
                if is_wanted {
                    cost_of(count, free, passes, &rules(mixed), mixed);
                }
            }
        }
    }
}

/// So many operators become free in a snapshot that is kept; what is given to them is
/// put back afterwards.
fn cost_of(count: u64, free: u64, passes: u64, rules: &RoutingRules, mixed: bool) {
    let mut random = Random::new(count);
    let signed = |number: u64| i64::try_from(number).expect("small");
    let mut snapshot = Snapshot::new(
        (1..=signed(count)).map(|number| waiting(number, &mut random)),
        [],
    );
    for number in 1..=signed(OPERATORS) {
        snapshot.put_operator(busy(number, &mut random));
    }
    let mut decided = 0;
    let begun = seconds();
    for _ in 0..passes {
        let ids: BTreeSet<i64> = (0..free)
            .map(|at| {
                let any = signed(random.below(OPERATORS)) + 1;
                if free == OPERATORS {
                    signed(at) + 1
                } else {
                    any
                }
            })
            .collect();
        let before: Vec<Candidate> = ids
            .iter()
            .filter_map(|id| snapshot.operator(OperatorId::new(*id)).cloned())
            .collect();
        for candidate in &before {
            let mut free = candidate.clone();
            free.load = Load::default();
            snapshot.put_operator(free);
        }
        decided += settle(&snapshot, rules, NOW).len();
        for candidate in before {
            snapshot.put_operator(candidate);
        }
    }
    let seconds = seconds() - begun;
    let per_pass = seconds / f64::from(u32::try_from(passes).expect("small")) * 1e6;
    let rate = f64::from(u32::try_from(decided).expect("small")) / seconds;
    let kind = if mixed { "mixed" } else { "longest idle" };
    eprintln!(
        "{kind}, {free} of {OPERATORS} become free, {count} wait: {per_pass:.0} µs a pass, \
         {rate:.0} decisions/s"
    );
}
