use std::collections::BTreeMap;

use super::{
    Draws, Figure, Figures, Plan, Recorder, Recording, Seed, Staffing, Synthetic, difference, run,
};
use crate::event::Event;
use crate::forecast::{ErlangA, ErlangC, Traffic, estimate};
use crate::message::Medium;
use crate::metrics::Thresholds;
use crate::routing::{Assignment, QueueRules, RoutingRules, Snapshot, Strategy, WrapUp, outlook};
use crate::{ConversationId, Millis, QueueId, Timestamp};

const FROM: Timestamp = Timestamp(1_750_000_000_000 / 3_600_000 * 3_600_000);

fn load() -> Synthetic {
    Synthetic {
        queue: QueueId::from("main"),
        medium: Medium::Voice,
        arrivals_per_hour: 200.0,
        aht: Millis::from_secs(180),
        patience: None,
        operators: 14,
        capacity: 100,
        hours: 50,
        answer: Millis(0),
        declined: 0.0,
        missed: 0.0,
    }
}

fn plain(change: impl FnOnce(&mut QueueRules)) -> RoutingRules {
    let mut queue = QueueRules::new(QueueId::from("main"));
    change(&mut queue);
    RoutingRules {
        queues: BTreeMap::from([(queue.id.clone(), queue)]),
        ..RoutingRules::default()
    }
}

fn direct() -> RoutingRules {
    plain(|queue| queue.assignment = Assignment::Direct)
}

fn same(rules: &RoutingRules, seed: u64) -> Plan {
    Plan {
        before: rules.clone(),
        after: rules.clone(),
        seed: Seed(seed),
    }
}

fn figures(recording: &Recording, plan: &Plan) -> Figures {
    Figures::of(&run(recording, plan, |_| {}, |_| {}).counted)
}

fn of(figure: Figure, figures: &Figures) -> f64 {
    let value = figure.of(&figures.all, Thresholds::default());
    value.expect("something was counted")
}

/// The mean over seeds, and how far off it may be: three times its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let count = f64::from(u32::try_from(values.len()).expect("few"));
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|it| (it - mean).powi(2)).sum();
    (mean, 3.0 * (squares / (count - 1.0) / count).sqrt())
}

fn over_seeds(load: &Synthetic, rules: &RoutingRules, figure: Figure) -> (f64, f64) {
    let seeds = (1..=20).map(|seed| {
        let recording = load.recording(rules, Seed(seed), FROM);
        of(figure, &figures(&recording, &same(rules, seed)))
    });
    mean(&seeds.collect::<Vec<_>>())
}

#[test]
fn without_impatience_it_is_erlang_c() {
    let (load, rules) = (load(), direct());
    let traffic = Traffic::of_arrivals(200, Millis::from_secs(3_600), load.aht).expect("a load");
    let model = ErlangC::new(traffic, load.operators).expect("a queue");
    let asa = model.asa().expect("it ends");
    assert_eq!(asa, Millis(7_836), "the published vector");
    let (mean, off) = over_seeds(&load, &rules, Figure::Asa);
    eprintln!("ASA {mean:.3} ± {off:.3} s, Erlang C 7.836 s");
    assert!((mean - 7.836).abs() < off && off < 2.0, "{mean} ± {off}");
    let level = model.service_level(Millis::from_secs(20)) * 100.0;
    let (mean, off) = over_seeds(&load, &rules, Figure::ServiceLevel);
    eprintln!("service level {mean:.2} ± {off:.2} %, Erlang C {level:.2} %");
    assert!((mean - level).abs() < off && off < 2.0, "{mean} ± {off}");
}

#[test]
fn with_impatience_it_is_erlang_a() {
    let load = Synthetic {
        arrivals_per_hour: 48.0 * 60.0,
        aht: Millis::from_secs(60),
        patience: Some(Millis::from_secs(120)),
        operators: 50,
        hours: 4,
        ..load()
    };
    let rules = direct();
    let traffic = Traffic::of_load(48.0, load.aht).expect("a load");
    let model = ErlangA::new(traffic, 50, Millis::from_secs(120)).expect("a queue");
    let share = model.abandon_probability() * 100.0;
    assert!((share - 3.0912).abs() < 1e-4, "the published vector");
    let (mean, off) = over_seeds(&load, &rules, Figure::Abandonment);
    eprintln!("abandonment {mean:.3} ± {off:.3} %, Erlang A {share:.3} %");
    assert!((mean - share).abs() < off && off < 1.0, "{mean} ± {off}");
}

/// A load with everything in it, and its events.
fn busy_week(arrivals_per_hour: f64, hours: u32) -> (RoutingRules, Vec<Event>, Timestamp) {
    let rules = plain(|queue| queue.wrap_up = WrapUp::Timed(Millis::from_secs(20)));
    let load = Synthetic {
        arrivals_per_hour,
        operators: 14,
        hours,
        patience: Some(Millis::from_secs(90)),
        answer: Millis::from_secs(3),
        declined: 0.05,
        missed: 0.03,
        ..load()
    };
    let made_up = load.recording(&rules, Seed(7), FROM);
    let mut events = Vec::new();
    run(
        &made_up,
        &same(&rules, 7),
        |event| events.push(event.clone()),
        |_| {},
    );
    // As if they were gone at the end: so the log ends.
    (rules, events, made_up.to())
}

fn recorded(events: &[Event], from: Timestamp, to: Timestamp) -> Recording {
    let mut recorder = Recorder::new(from, to);
    for event in events {
        recorder.read(event);
    }
    recorder.finish()
}

#[test]
fn an_unchanged_configuration_reproduces_the_record() {
    let (rules, events, to) = busy_week(200.0, 10);
    for from in [FROM, FROM + Millis::from_secs(4 * 3_600 + 1_234)] {
        let recording = recorded(&events, from, to);
        assert_eq!(recording.left_out(), super::LeftOut::default());
        for seed in [1, 2] {
            let told = run(&recording, &same(&rules, seed), |_| {}, |_| {});
            assert_eq!(told.departed, 0, "decisions that were not as recorded");
            let comparison = told.counted.compare(recording.counted().counts());
            assert_eq!(comparison.different, Vec::new());
            assert_eq!(comparison.in_doubt, 0);
            assert!(comparison.equal > 10, "{comparison:?}");
        }
    }
}

#[test]
#[ignore = "prints a figure, and takes its time"]
fn a_week_of_fifty_thousand() {
    let begun = seconds();
    let (rules, events, to) = busy_week(298.0, 168);
    let made = seconds();
    let recording = recorded(&events, FROM, to);
    let read = seconds();
    let told = run(&recording, &same(&rules, 1), |_| {}, |_| {});
    let comparison = told.counted.compare(recording.counted().counts());
    assert_eq!(comparison.different, Vec::new());
    eprintln!(
        "{} conversations, {} events: made in {:.1} s, read in {:.1} s, replayed in {:.1} s, \
         {} rows of counters equal, {} different",
        recording.arrivals(),
        events.len(),
        made - begun,
        read - made,
        seconds() - read,
        comparison.equal,
        comparison.different.len(),
    );
}

#[expect(clippy::disallowed_methods, reason = "a figure for people")]
fn seconds() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("it is after 1970").as_secs_f64()
}

#[test]
fn one_operator_more_answers_sooner_and_one_fewer_later() {
    let (rules, events, to) = busy_week(250.0, 10);
    let recording = recorded(&events, FROM, to);
    let was = Figures::of(recording.counted());
    let by = |change: i32| {
        let queue = QueueId::from("main");
        let staffing = Staffing { queue, by: change };
        let changed = recording.staffed(&staffing).expect("there are enough");
        let runs = (1..=5).map(|seed| figures(&changed, &same(&rules, seed)));
        let soon = Thresholds::default();
        let pairs = runs.map(|it| {
            let of = |figures: &Figures| Figure::Asa.of(&figures.all, soon);
            (of(&was), of(&it))
        });
        difference(pairs).expect("something was counted")
    };
    let (more, fewer) = (by(1), by(-1));
    assert!(more.high < 0.0, "{more:?}");
    assert!(fewer.low > 0.0, "{fewer:?}");
    let none = recording.staffed(&Staffing {
        queue: QueueId::from("main"),
        by: -15,
    });
    assert!(none.is_none(), "more than there are");
}

#[test]
fn other_rules_change_what_they_should() {
    let (rules, events, to) = busy_week(250.0, 10);
    let recording = recorded(&events, FROM, to);
    let plan = Plan {
        before: rules.clone(),
        after: plain(|queue| queue.wrap_up = WrapUp::Off),
        seed: Seed(1),
    };
    let was = Figures::of(recording.counted());
    let is = figures(&recording, &plan);
    assert!(of(Figure::Asa, &is) < of(Figure::Asa, &was));
    assert!(of(Figure::Abandonment, &is) < of(Figure::Abandonment, &was));
    let manual = Plan {
        after: plain(|queue| queue.strategy = Strategy::Manual),
        ..plan
    };
    let is = figures(&recording, &manual);
    assert_eq!(is.all.get(crate::metrics::Counter::Answered), 0);
}

#[test]
fn what_is_drawn_follows_from_the_seed() {
    let (rules, events, to) = busy_week(250.0, 5);
    let recording = recorded(&events, FROM, to);
    let fewer = Staffing {
        queue: QueueId::from("main"),
        by: -2,
    };
    let changed = recording.staffed(&fewer).expect("there are enough");
    let counts = |seed| {
        let told = run(&changed, &same(&rules, seed), |_| {}, |_| {});
        told.counted.counts().clone()
    };
    assert_eq!(counts(3), counts(3));
    assert_ne!(counts(3), counts(4));
}

#[test]
fn patience_counts_those_who_were_answered() {
    let queue = QueueId::from("main");
    let mut draws = Draws::default();
    // Of four, one leaves after 10 s, one is answered after 20 s, one leaves after 30 s,
    // and one is answered after 40 s: 3/4 stay past 10 s, and half of these past 30 s.
    for (seconds, left) in [(10, true), (20, false), (30, true), (40, false)] {
        draws.waited(&queue, Millis::from_secs(seconds), left);
    }
    draws.finish();
    let leaves = |over, share| {
        let left = draws.leaves(&queue, Millis::from_secs(over), share);
        left.map(|at| at.0 / 1_000)
    };
    assert_eq!(leaves(0, 0.76), Some(10));
    assert_eq!(leaves(0, 0.74), Some(30));
    assert_eq!(leaves(0, 0.37), None, "nobody was seen to leave later");
    assert_eq!(leaves(15, 0.51), Some(30), "who waited for 15 s");
    assert_eq!(leaves(15, 0.49), None);
    assert_eq!(draws.patience(&queue), Some(Millis::from_secs(50)));
}

#[test]
fn intervals_hold_eight_of_ten() {
    let pairs = (0..=10).map(|number| (Some(1.0), Some(f64::from(number))));
    let told = difference(pairs).expect("there are some");
    let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
    assert!(near(told.was, 1.0) && near(told.would_be, 5.0) && near(told.by, 4.0));
    assert!(near(told.low, 0.0) && near(told.high, 8.0), "{told:?}");
    assert_eq!(difference([(None, Some(1.0))]), None);
}

/// The wait that is told at the moment of arrival, when everybody is busy, against the
/// wait that it becomes: of 80 % ranges 75 to 85 % hold.
#[test]
fn the_told_range_of_a_wait_holds() {
    let load = Synthetic {
        arrivals_per_hour: 1_000.0,
        operators: 52,
        hours: 24,
        ..load()
    };
    let rules = direct();
    let (mut held, mut told) = (0_u32, 0_u32);
    for seed in 1..=4 {
        let recording = load.recording(&rules, Seed(seed), FROM);
        let mut events = Vec::new();
        run(
            &recording,
            &same(&rules, seed),
            |it| events.push(it.clone()),
            |_| {},
        );
        let mut waits: BTreeMap<ConversationId, (Timestamp, crate::forecast::Estimate)> =
            BTreeMap::new();
        let mut snapshot = Snapshot::new(
            [],
            recording.people.iter().map(|operator| operator.candidate()),
        );
        for event in &events {
            watch(
                event,
                load.aht,
                &rules,
                &mut snapshot,
                &mut waits,
                &mut |is_within| {
                    told += 1;
                    held += u32::from(is_within);
                },
            );
        }
    }
    let share = f64::from(held) / f64::from(told);
    eprintln!("{told} waits were told, {:.1} % were within", share * 100.0);
    assert!(told > 10_000, "{told}");
    assert!((0.75..=0.85).contains(&share), "{share}");
}

fn watch(
    event: &Event,
    aht: Millis,
    rules: &RoutingRules,
    snapshot: &mut Snapshot,
    waits: &mut BTreeMap<ConversationId, (Timestamp, crate::forecast::Estimate)>,
    tell: &mut dyn FnMut(bool),
) {
    use crate::event::EventKind;
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else matters here")]
    match &event.kind {
        EventKind::ConversationOpened(it) => {
            if let Some(waiting) = it.waiting() {
                snapshot.put(waiting);
            }
            let is_free = |candidate: &crate::routing::Candidate| candidate.load.is_empty();
            if snapshot.operators().any(is_free) {
                return;
            }
            let outlook = outlook(snapshot, rules, event.at, it.id).expect("it waits");
            let range = estimate(outlook.position, outlook.slots, aht);
            waits.insert(it.id, (event.at, range.expect("somebody is there")));
        }
        EventKind::ConversationChanged(it) => {
            snapshot.remove(it.id);
            if let Some(waiting) = it.waiting() {
                snapshot.put(waiting);
            }
            if it.answered_at.is_some()
                && let Some((since, range)) = waits.remove(&it.id)
            {
                let wait = event.at.since(since);
                tell(range.low <= wait && wait <= range.high);
            }
        }
        EventKind::PresenceChanged(it) => snapshot.put_operator(it.candidate()),
        _ => {}
    }
}
