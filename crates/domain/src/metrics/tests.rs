use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::event::{Audience, EventKind};
use crate::message::Medium;
use crate::operator::{CapacityRules, Link, Load, Operator, Presence, Role};
use crate::rating::{Rating, Score};
use crate::routing::Skills;
use crate::{ContactId, ConversationId, LineId, OperatorId, QueueId, Timestamp};
use proptest::prelude::{Strategy, any, proptest};

const ANNA: OperatorId = OperatorId::new(1);
const BORIS: OperatorId = OperatorId::new(2);
/// Ten in the morning.
const TEN: i64 = 10 * HOUR_MS;

fn standing(phase: Phase) -> Standing {
    Standing {
        id: ConversationId::new(7),
        line: LineId::from("site"),
        queue: QueueId::from("main"),
        phase,
        preferred: None,
        returned: false,
        created_at: Timestamp(TEN),
        counted: Counted::default(),
    }
}

const fn with(operator: OperatorId, work: Work) -> Phase {
    Phase::InHand { operator, work }
}

/// Tells a life, each step with its second, and sums what it counts for.
fn live(steps: Vec<(i64, Standing)>) -> Vec<Increment> {
    let mut counted = Vec::new();
    let mut before: Option<Standing> = None;
    for (second, mut after) in steps {
        // What a person set stays; since when is the fold's own.
        let at = Timestamp(TEN + second * 1_000);
        after.counted.since = observe::conversation(before.as_ref(), &after, at, &mut counted);
        before = Some(after);
    }
    counted
}

fn sum(counted: &[Increment], operator: Option<OperatorId>, queue: &str) -> Counts {
    let mut counts = Counts::default();
    for one in counted {
        let here = one
            .key
            .queue
            .as_ref()
            .is_some_and(|known| known.as_str() == queue);
        if here && one.key.operator == operator {
            counts.add(one.what.number(), one.by);
        }
    }
    counts
}

fn all(counted: &[Increment]) -> Counts {
    let mut counts = Counts::default();
    for one in counted {
        counts.add(one.what.number(), one.by);
    }
    counts
}

#[track_caller]
fn check(counts: &Counts, expect: &[(Counter, i64)]) {
    for (counter, count) in expect {
        assert_eq!(counts.get(*counter), *count, "{counter:?} of {counts:?}");
    }
}

#[test]
fn a_life_from_the_queue_to_the_end() {
    let mut replied = standing(with(ANNA, Work::Talk));
    replied.counted.first_reply_at = Some(Timestamp(TEN + 40_000));
    let mut wrapped = replied.clone();
    wrapped.phase = with(ANNA, Work::WrapUp);
    let mut ended = replied.clone();
    ended.phase = Phase::Ended(Ending::Finished);
    let counted = live(vec![
        (0, standing(Phase::Waiting)),
        (30, standing(with(ANNA, Work::Talk))),
        (40, replied),
        (130, wrapped),
        (150, ended),
    ]);
    let nobody = sum(&counted, None, "main");
    check(
        &nobody,
        &[
            (Counter::Opened, 1),
            (Counter::Offered, 1),
            (Counter::Answered, 0),
        ],
    );
    let annas = sum(&counted, Some(ANNA), "main");
    check(
        &annas,
        &[
            (Counter::Answered, 1),
            (Counter::AnsweredWaitMs, 30_000),
            (Counter::TalkMs, 100_000),
            (Counter::WrapUpMs, 20_000),
            (Counter::Handled, 1),
            (Counter::Closed, 1),
            (Counter::FirstReplies, 1),
            (Counter::FirstReplyMs, 40_000),
            (Counter::Transferred, 0),
        ],
    );
    assert_eq!(annas.within(Histogram::Answered, 5), 1, "within 30 s");
    assert_eq!(annas.within(Histogram::Answered, 4), 0, "not within 20 s");
}

#[test]
fn who_leaves_and_returns_has_waited_all_the_time() {
    let left = |at: i64| {
        standing(Phase::Left {
            at: Timestamp(TEN + at * 1_000),
        })
    };
    let counted = live(vec![
        (0, standing(Phase::Waiting)),
        (10, left(10)),
        (20, standing(Phase::Waiting)),
        (50, standing(with(ANNA, Work::Talk))),
    ]);
    let counts = all(&counted);
    check(
        &counts,
        &[
            (Counter::Offered, 1),
            (Counter::Answered, 1),
            (Counter::AnsweredWaitMs, 50_000),
            (Counter::Abandoned, 0),
        ],
    );
    let left_at = Timestamp(TEN + 10_000);
    let counted = live(vec![
        (0, standing(Phase::Waiting)),
        (10, left(10)),
        (300, standing(Phase::Ended(Ending::Abandoned { left_at }))),
    ]);
    let counts = all(&counted);
    check(
        &counts,
        &[
            (Counter::Abandoned, 1),
            (Counter::AbandonedWaitMs, 10_000),
            (Counter::Answered, 0),
            (Counter::Closed, 1),
        ],
    );
}

#[test]
fn every_way_out_of_a_queue_is_counted_once() {
    let cases = [
        (
            Phase::Ended(Ending::Diverted(Diversion::Voicemail)),
            Counter::DivertedToVoicemail,
        ),
        (Phase::Ended(Ending::Finished), Counter::DivertedClosed),
        (Phase::Deferred, Counter::DivertedByHours),
        (with(ANNA, Work::Talk), Counter::Answered),
        (
            Phase::Ended(Ending::Abandoned {
                left_at: Timestamp(TEN),
            }),
            Counter::Abandoned,
        ),
    ];
    for (phase, counter) in cases {
        let counts = all(&live(vec![
            (0, standing(Phase::Waiting)),
            (9, standing(phase)),
        ]));
        let ways = Diversion::ALL
            .map(Diversion::counter)
            .into_iter()
            .chain([Counter::Answered, Counter::Abandoned]);
        let taken: Vec<_> = ways.filter(|way| counts.get(*way) > 0).collect();
        assert_eq!(taken, [counter], "{phase:?}");
    }
}

#[test]
fn a_wait_goes_on_in_another_queue() {
    let mut moved = standing(Phase::Waiting);
    moved.queue = QueueId::from("other");
    let mut answered = moved.clone();
    answered.phase = with(BORIS, Work::Talk);
    let counted = live(vec![
        (0, standing(Phase::Waiting)),
        (60, moved),
        (90, answered),
    ]);
    let main = sum(&counted, None, "main");
    check(
        &main,
        &[(Counter::Offered, 1), (Counter::DivertedToQueue, 1)],
    );
    let others = sum(&counted, None, "other");
    check(&others, &[(Counter::Offered, 1)]);
    let boris = sum(&counted, Some(BORIS), "other");
    check(
        &boris,
        &[(Counter::Answered, 1), (Counter::AnsweredWaitMs, 90_000)],
    );
}

#[test]
fn what_changes_hands_is_told_apart() {
    let mut lost = standing(Phase::Waiting);
    lost.returned = true;
    let mut woke = standing(Phase::Waiting);
    woke.preferred = Some(ANNA);
    let parked = standing(with(ANNA, Work::Parked));
    let cases = [
        (
            standing(with(ANNA, Work::Talk)),
            standing(Phase::Waiting),
            1,
            0,
            1,
        ),
        (
            standing(with(ANNA, Work::Talk)),
            standing(with(BORIS, Work::Talk)),
            1,
            0,
            1,
        ),
        (standing(with(ANNA, Work::Talk)), lost, 0, 1, 1),
        (parked.clone(), woke, 0, 0, 1),
        (parked.clone(), standing(Phase::Waiting), 1, 0, 1),
        (standing(with(ANNA, Work::Talk)), parked, 0, 0, 0),
    ];
    for (from, to, transferred, returned, handled) in cases {
        let what = format!("{:?} {:?}", from.phase, to.phase);
        let counted = live(vec![(0, from), (10, to)]);
        let annas = sum(&counted, Some(ANNA), "main");
        assert_eq!(annas.get(Counter::Transferred), transferred, "{what}");
        assert_eq!(annas.get(Counter::Returned), returned, "{what}");
        assert_eq!(annas.get(Counter::Handled), handled, "{what}");
    }
}

#[test]
fn nobody_waits_for_what_an_operator_begins() {
    let mut begun = standing(Phase::Waiting);
    begun.counted.ours = true;
    begun.counted.again = true;
    let mut taken = begun.clone();
    taken.phase = with(ANNA, Work::Talk);
    let mut replied = taken.clone();
    replied.counted.first_reply_at = Some(Timestamp(TEN + 5_000));
    let mut given = replied.clone();
    given.phase = Phase::Waiting;
    let counts = all(&live(vec![
        (0, begun),
        (0, taken),
        (5, replied),
        (60, given),
    ]));
    check(
        &counts,
        &[
            (Counter::Started, 1),
            (Counter::Reopened, 1),
            (Counter::Answered, 0),
            (Counter::FirstReplies, 0),
            (Counter::TalkMs, 60_000),
            // From now on the client waits.
            (Counter::Offered, 1),
        ],
    );
}

fn operator(presence: Presence, chats: u32) -> Operator {
    let mut load = Load::default();
    for _ in 0..chats {
        load.occupy(Medium::Chat);
    }
    Operator {
        id: ANNA,
        login: "anna".to_owned(),
        display_name: "Anna".to_owned(),
        role: Role::Operator,
        disabled: false,
        memberships: Vec::new(),
        capacity: 100,
        auto_accept: false,
        presence,
        next_presence: None,
        idle_since: Timestamp(0),
        skills: Skills::default(),
        turn: 0,
        load,
        wrapping_up: 0,
        misses: 0,
        not_responding: false,
        cool_down_until: None,
        link: Link::Unwatched,
        lost_at: None,
        version: 1,
    }
}

#[test]
fn time_is_cut_at_the_hour() {
    let mut counted = Vec::new();
    let from = Timestamp(TEN + 50 * 60_000);
    let to = Timestamp(TEN + 125 * 60_000);
    observe::span(&operator(Presence::Ready, 2), from, to, &mut counted);
    let minutes = |hour: i64, counter: Counter| {
        let here = counted
            .iter()
            .filter(|one| one.key.hour == Hour(hour) && one.what == Slot::Of(counter));
        here.map(|one| one.by).sum::<i64>() / 60_000
    };
    for (hour, expect) in [(10, 10), (11, 60), (12, 5)] {
        assert_eq!(minutes(hour, Counter::BusyMs), expect);
        assert_eq!(minutes(hour, Counter::CarriedChatMs), expect * 2);
        assert_eq!(minutes(hour, Counter::CapacityUnitMs), expect * 100);
        assert_eq!(minutes(hour, Counter::IdleMs), 0);
    }
}

#[test]
fn occupancy_and_utilization() {
    let mut counted = Vec::new();
    let minute = |number: i64| Timestamp(TEN + number * 60_000);
    let steps = [
        (Presence::Ready, 0, 0, 10),
        (Presence::Ready, 2, 10, 40),
        (away(), 0, 40, 50),
        (Presence::Offline, 0, 50, 60),
    ];
    for (presence, chats, from, to) in steps {
        let operator = operator(presence, chats);
        observe::span(&operator, minute(from), minute(to), &mut counted);
    }
    let counts = all(&counted);
    assert_eq!(occupancy(&counts).value(), Some(0.75));
    let rules = CapacityRules::default();
    // Two chats of 25 units for 30 of 40 minutes.
    let utilization = capacity_utilization(&counts, &rules).value();
    assert_eq!(utilization, Some(0.375));
    assert_eq!(counts.get(Counter::AwayMs), 600_000);
}

fn away() -> Presence {
    Presence::Away {
        reason: "lunch".to_owned(),
    }
}

fn add(counts: &mut Counts, histogram: Histogram, seconds: i64, number: i64) {
    counts.add(histogram.step_of(seconds * 1_000).number(), number);
}

/// Answered 1000 of which 860 within 20 s; abandoned 60, of which 10 within 5 s, 10
/// more within 20 s and 40 later.
fn published() -> Counts {
    let mut counts = Counts::default();
    counts.add(Counter::Answered.slot(), 1_000);
    counts.add(Counter::Abandoned.slot(), 60);
    add(&mut counts, Histogram::Answered, 20, 860);
    add(&mut counts, Histogram::Answered, 21, 140);
    add(&mut counts, Histogram::Abandoned, 5, 10);
    add(&mut counts, Histogram::Abandoned, 6, 10);
    add(&mut counts, Histogram::Abandoned, 90, 40);
    counts
}

#[test]
fn the_five_service_levels_as_published() {
    let levels = service_levels(&published(), Thresholds::default());
    let found = levels.map(|level| {
        let percent = level.value().unwrap() * 100.0;
        (level.name, format!("{percent:.2}"))
    });
    let expect = [
        ("service_level", "81.13"),
        ("service_level_of_answered", "86.00"),
        ("service_level_all_in_time", "83.02"),
        ("service_level_late_abandons", "82.69"),
        ("service_level_short_abandons", "82.08"),
    ];
    assert_eq!(
        found,
        expect.map(|(name, percent)| (name, percent.to_owned()))
    );
}

#[test]
fn the_other_formulas() {
    let mut counts = published();
    let plus = [
        (Counter::AnsweredWaitMs, 12_000_000),
        (Counter::TalkMs, 150_000_000),
        (Counter::HoldMs, 10_000_000),
        (Counter::WrapUpMs, 20_000_000),
        (Counter::Handled, 1_000),
        (Counter::FirstReplyMs, 45_000_000),
        (Counter::FirstReplies, 900),
        (Counter::OffersMade, 1_200),
        (Counter::OffersTimedOut, 60),
        (Counter::OffersAccepted, 900),
        (Counter::Transferred, 50),
        (Counter::Reopened, 30),
        (Counter::Closed, 1_000),
        (Counter::PromisesKept, 18),
        (Counter::PromisesLate, 1),
        (Counter::PromisesBroken, 1),
        (Counter::Ratings, 10),
        (Counter::RatingsSatisfied, 7),
        (Counter::RatingsSum, 41),
    ];
    for (counter, count) in plus {
        counts.add(counter.slot(), count);
    }
    let soon = Thresholds::default();
    let all = metrics(&counts, soon, &CapacityRules::default(), false);
    let value = |name: &str| {
        let metric = all.iter().find(|metric| metric.name == name).unwrap();
        metric.value().unwrap()
    };
    for (name, expect) in [
        ("asa", 12.0),
        ("aht", 180.0),
        ("talk_time", 150.0),
        ("hold_time", 10.0),
        ("wrap_up_time", 20.0),
        ("frt", 50.0),
        ("short_abandons", 10.0),
        ("abandonment_rate", 60.0 / 1_060.0),
        ("abandonment_rate_without_short", 50.0 / 1_050.0),
        ("rona_rate", 0.05),
        ("offer_acceptance_rate", 0.75),
        ("transfer_rate", 0.05),
        ("reopen_rate", 0.03),
        ("promise_kept_rate", 0.9),
        ("csat", 0.7),
        ("csat_mean", 4.1),
    ] {
        assert!(
            (value(name) - expect).abs() < 1e-9,
            "{name}: {}",
            value(name)
        );
    }
    let names: std::collections::BTreeSet<_> = all.iter().map(|metric| metric.name).collect();
    let formulas: std::collections::BTreeSet<_> = all.iter().map(|metric| metric.formula).collect();
    assert_eq!((names.len(), formulas.len()), (all.len(), all.len()));
    assert!(!names.contains("occupancy"), "no queue has a share in it");
}

#[test]
fn nothing_is_divided_by_zero() {
    let nothing = Counts::default();
    let soon = Thresholds::default();
    for metric in metrics(&nothing, soon, &CapacityRules::default(), true) {
        let value = metric.value();
        assert_eq!(
            value.is_none(),
            metric.denominator.is_some(),
            "{}",
            metric.name
        );
        assert!(value.unwrap_or(0.0) == 0.0, "{}", metric.name);
    }
}

#[test]
fn thresholds_are_ends_of_steps() {
    let soon = Thresholds::new(20, 5).unwrap();
    assert_eq!(soon, Thresholds::default());
    assert_eq!((soon.target_s(), soon.short_s()), (20, 5));
    assert_eq!(Thresholds::new(25, 5), None);
    for (ms, step) in [
        (0, 0),
        (5_000, 0),
        (5_001, 1),
        (86_400_000, 18),
        (i64::MAX / 2_000, 19),
    ] {
        let slot = Histogram::Answered.step_of(ms);
        assert_eq!(slot, Slot::Step(Histogram::Answered, step), "{ms}");
    }
}

#[test]
fn percentiles_lie_within_their_step() {
    let mut counts = Counts::default();
    assert_eq!(percentile(&counts, Histogram::Answered, 0.5), None);
    add(&mut counts, Histogram::Answered, 4, 50);
    add(&mut counts, Histogram::Answered, 25, 50);
    for (part, expect) in [(0.25, 2.5), (0.5, 5.0), (0.75, 25.0), (1.0, 30.0)] {
        let found = percentile(&counts, Histogram::Answered, part).unwrap();
        assert!((found - expect).abs() < 1e-9, "{part}: {found}");
    }
    let mut long = Counts::default();
    add(&mut long, Histogram::Answered, 90_000, 1);
    assert_eq!(percentile(&long, Histogram::Answered, 0.5), Some(86_400.0));
}

#[test]
fn a_rating_that_is_changed_counts_once() {
    let rated = |score: u8, previous: Option<u8>| {
        let score_of = |number| Score::try_from(number).unwrap();
        EventKind::Rated {
            rating: Arc::new(Rating {
                conversation: ConversationId::new(7),
                operator: ANNA,
                line: LineId::from("site"),
                channel: "kind".to_owned(),
                queue: QueueId::from("main"),
                contact: ContactId::from("c"),
                score: score_of(score),
                comment: String::new(),
                at: Timestamp(TEN),
                changed_at: None,
            }),
            previous: previous.map(score_of),
            audience: Audience {
                queue: QueueId::from("main"),
                operators: BTreeSet::new(),
            },
        }
    };
    let mut counted = Vec::new();
    // The last is the first one thought over.
    for (score, previous) in [(5, None), (4, None), (2, None), (1, Some(5))] {
        observe::told(&rated(score, previous), Timestamp(TEN), &mut counted);
    }
    check(
        &sum(&counted, Some(ANNA), "main"),
        &[
            (Counter::Ratings, 3),
            (Counter::RatingsSatisfied, 1),
            (Counter::RatingsSum, 7),
        ],
    );
}

proptest! {
    #[test]
    fn what_is_packed_is_read_back(counts in counts()) {
        let mut read = Counts::default();
        let packed = counts.pack();
        read.merge_packed(&packed).unwrap();
        assert_eq!(&read, &counts);
        if !packed.is_empty() {
            assert!(read.merge_packed(&packed[..packed.len() - 1]).is_err());
        }
    }

    /// Whatever happens, nobody is counted who did not wait, and everybody once.
    #[test]
    fn every_wait_has_at_most_one_end(phases in proptest::collection::vec(0..9_u8, 1..40)) {
        let steps = (0_i64..).zip(phases).map(|(second, number)| {
            let mut step = standing(phase_of(number, second));
            step.queue = if number % 2 == 0 { "main".into() } else { "other".into() };
            (second, step)
        });
        let steps: Vec<_> = steps.collect();
        let waits_still = matches!(
            steps.last().unwrap().1.phase,
            Phase::Waiting | Phase::Left { .. }
        );
        let counts = all(&live(steps));
        let diverted: i64 = Diversion::ALL.iter().map(|why| counts.get(why.counter())).sum();
        let ends = counts.get(Counter::Answered) + counts.get(Counter::Abandoned) + diverted;
        let offered = counts.get(Counter::Offered);
        assert!(
            ends == offered || (waits_still && ends + 1 == offered),
            "{offered} began to wait, {ends} ended"
        );
        let steps = super::STEPS_S.len() + 1;
        assert_eq!(counts.within(Histogram::Answered, steps), counts.get(Counter::Answered));
        assert_eq!(counts.within(Histogram::Abandoned, steps), counts.get(Counter::Abandoned));
    }
}

fn phase_of(number: u8, second: i64) -> Phase {
    let at = Timestamp(TEN + second * 1_000);
    match number {
        0 => Phase::Deferred,
        1 | 2 => Phase::Waiting,
        3 => Phase::Left { at },
        4 => with(ANNA, Work::Talk),
        5 => with(BORIS, Work::Talk),
        6 => with(ANNA, Work::Parked),
        7 => Phase::Ended(Ending::Abandoned { left_at: at }),
        _ => with(ANNA, Work::WrapUp),
    }
}

fn counts() -> impl Strategy<Value = Counts> {
    proptest::collection::vec((any::<u8>(), any::<i64>()), 0..20).prop_map(|all| {
        let mut counts = Counts::default();
        for (slot, by) in all {
            counts.add(slot, by);
        }
        counts
    })
}
