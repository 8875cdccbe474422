//! Random events by the hundred thousand, and none of them may break an invariant.

use domain::operator::Presence;
use domain::routing::{Assignment, Decision, QueueRules, RoutingRules, Snapshot, settle};
use domain::{Millis, QueueId, Timestamp};

use crate::transition::{Random, step};
use crate::world::{Settle, World};

fn world() -> World {
    let mut direct = QueueRules::new(QueueId::from("direct"));
    direct.assignment = Assignment::Direct;
    let mut world = World::new(RoutingRules {
        queues: [(direct.id.clone(), direct)].into(),
        ..RoutingRules::default()
    });
    world.hire(1, &[("sales", 0), ("support", 1)]);
    world.hire(2, &[("sales", 0), ("support", 0), ("direct", 1)]);
    world.hire(3, &[("support", 0), ("calls", 0)]);
    world.hire(4, &[("calls", 0), ("direct", 0)]);
    world.hire(
        5,
        &[("sales", 2), ("support", 1), ("calls", 0), ("direct", 0)],
    );
    world
}

fn run(events: u64, seed: u64, settle: Settle) -> World {
    let mut world = world();
    world.settle = settle;
    let mut random = Random(seed);
    for event in 0..events {
        step(&mut world, &mut random);
        if !world.violations.is_empty() {
            world
                .violations
                .push(format!("at event {event} of seed {seed}"));
            break;
        }
    }
    world
}

/// I7: when everybody works, everything is served in finite time.
fn drain(world: &mut World) {
    let everybody: Vec<_> = world.operators.keys().copied().collect();
    for _ in 0..2_000 {
        for id in &everybody {
            let operator = world.operators.get_mut(id).expect("they work here");
            operator.capacity = 100;
            world.say(*id, Presence::Ready);
        }
        let open: Vec<_> = world.conversations.keys().copied().collect();
        for id in open {
            // Refused when it only waits, and has to wait on.
            let _ = world.accept(id);
            if world.conversations[&id].owner().is_some() {
                world.finish(id).expect("it is open");
            }
        }
        if world.conversations.is_empty() {
            return;
        }
        world.pass_time(world.now + Millis::from_secs(1));
    }
    let left = world.conversations.len();
    world
        .violations
        .push(format!("I7: {left} were never served"));
}

fn check(events: u64, seed: u64) {
    let mut world = run(events, seed, settle);
    if world.violations.is_empty() {
        drain(&mut world);
    }
    assert_eq!(world.violations, Vec::<String>::new());
    let figures = format!(
        "{events} events, seed {seed}, 0 violations: {:?}",
        world.figures
    );
    eprintln!("{figures}");
}

#[test]
fn t12_no_invariant_breaks_in_a_hundred_thousand_events() {
    check(60_000, 1);
    check(40_000, 2);
}

/// `cargo test -p domain --test sim -- --ignored --nocapture million`
#[test]
#[ignore = "takes minutes without optimisation"]
fn t12_no_invariant_breaks_in_a_million_events() {
    check(1_000_000, 3);
}

fn newest_first(snapshot: &Snapshot, rules: &RoutingRules, now: Timestamp) -> Vec<Decision> {
    let mut wrong = snapshot.clone();
    for waiting in &mut wrong.waiting {
        waiting.place.eligible_at.0 *= -1;
        waiting.place.seq *= -1;
    }
    settle(&wrong, rules, now)
}

fn without_caps(snapshot: &Snapshot, rules: &RoutingRules, now: Timestamp) -> Vec<Decision> {
    let mut wrong = snapshot.clone();
    for operator in &mut wrong.operators {
        operator.capacity *= 2;
    }
    settle(&wrong, rules, now)
}

fn least_idle(snapshot: &Snapshot, rules: &RoutingRules, now: Timestamp) -> Vec<Decision> {
    let mut wrong = snapshot.clone();
    for operator in &mut wrong.operators {
        operator.idle_since.0 *= -1;
    }
    settle(&wrong, rules, now)
}

fn head_blocks(snapshot: &Snapshot, rules: &RoutingRules, now: Timestamp) -> Vec<Decision> {
    let mut wrong = snapshot.clone();
    wrong.waiting.sort_by_key(|waiting| waiting.place);
    wrong.waiting.truncate(1);
    settle(&wrong, rules, now)
}

fn same_again(snapshot: &Snapshot, rules: &RoutingRules, now: Timestamp) -> Vec<Decision> {
    let mut wrong = snapshot.clone();
    for waiting in &mut wrong.waiting {
        waiting.tried.clear();
    }
    settle(&wrong, rules, now)
}

fn twice(snapshot: &Snapshot, rules: &RoutingRules, now: Timestamp) -> Vec<Decision> {
    let once = settle(snapshot, rules, now);
    [once.clone(), once].concat()
}

#[test]
fn the_assertions_find_wrong_routers() {
    let wrong: [(&str, Settle, &str); 6] = [
        ("newest first", newest_first, "I2"),
        ("capacity ignored", without_caps, "I4"),
        ("least idle first", least_idle, "I3"),
        ("the head blocks", head_blocks, "I1"),
        ("asked again in the round", same_again, "tried"),
        ("decided twice", twice, "I6"),
    ];
    for (name, wrong, invariant) in wrong {
        let violations = run(5_000, 4, wrong).violations;
        assert!(
            violations.iter().any(|it| it.contains(invariant)),
            "{name}: {violations:?}"
        );
    }
}
