//! Which way out is taken, and when.

use super::super::{Exit, Overflow, Patience, QueueStatus, Trigger};
use super::*;

const FINE: QueueStatus = QueueStatus {
    waiting: 3,
    is_staffed: true,
    is_open: true,
};

fn rules() -> QueueRules {
    let mut sales = QueueRules::new(QueueId::from("sales"));
    let ways = [
        (
            Trigger::Waited(Millis(1_000)),
            Exit::Queue(QueueId::from("support")),
        ),
        (Trigger::Waited(Millis(2_000)), Exit::AnySkills),
        (Trigger::Waited(Millis(3_000)), Exit::Voicemail),
        (Trigger::Rounds(2), Exit::Callback),
        (Trigger::Unstaffed, Exit::Form),
        (Trigger::Full(5), Exit::Queue(QueueId::from("calls"))),
        (Trigger::Closing, Exit::Callback),
    ];
    let ways = ways.into_iter().map(|(when, exit)| Overflow { when, exit });
    sales.overflows = ways.collect();
    sales
}

fn patience(taken: u32) -> Patience {
    Patience {
        eligible_at: Timestamp(10_000),
        round: 1,
        taken,
        arrives: false,
    }
}

fn check(patience: Patience, queue: QueueStatus, at: i64, expect: Option<(u32, usize)>) {
    let rules = rules();
    let found = rules.overflow(patience, queue, Timestamp(at));
    let expect = expect.map(|(taken, number)| (taken, &rules.overflows[number]));
    assert_eq!(found, expect, "{patience:?} at {at}");
}

#[test]
fn age_leads_from_one_way_to_the_next() {
    check(patience(0), FINE, 10_999, None);
    check(patience(0), FINE, 11_000, Some((0b1, 0)));
    check(patience(0b1), FINE, 11_000, None);
    check(patience(0b1), FINE, 12_000, Some((0b11, 1)));
    // Whoever was looked at too late leaves the earlier ways behind.
    check(patience(0), FINE, 13_000, Some((0b111, 2)));
    let next = |taken| rules().next_overflow(Timestamp(10_000), taken);
    assert_eq!(next(0), Some(Timestamp(11_000)));
    assert_eq!(next(0b1), Some(Timestamp(12_000)));
    assert_eq!(next(0b111), None);
}

#[test]
fn rounds_staff_length_and_hours() {
    let in_round = |round| Patience {
        round,
        ..patience(0)
    };
    check(in_round(2), FINE, 10_000, None);
    check(in_round(3), FINE, 10_000, Some((0b1000, 3)));
    let unstaffed = QueueStatus {
        is_staffed: false,
        ..FINE
    };
    check(patience(0), unstaffed, 10_000, Some((0b1_0000, 4)));
    check(patience(0b1_0000), unstaffed, 10_000, None);
    let full = QueueStatus { waiting: 5, ..FINE };
    let arrives = Patience {
        arrives: true,
        ..patience(0)
    };
    check(patience(0), full, 10_000, None);
    check(arrives, FINE, 10_000, None);
    check(arrives, full, 10_000, Some((0b10_0000, 5)));
    let closing = QueueStatus {
        is_open: false,
        ..FINE
    };
    check(patience(0), closing, 10_000, Some((0b100_0000, 6)));
    // Of several the last one goes, and only its own kind is left behind.
    check(patience(0), closing, 13_000, Some((0b100_0000, 6)));
}

#[test]
fn reasons_have_names() {
    let named: BTreeSet<_> = rules()
        .overflows
        .iter()
        .map(|way| (way.when.reason(), way.exit.name()))
        .collect();
    assert_eq!(
        named,
        BTreeSet::from([
            ("closing", "callback"),
            ("max_wait", "any_skills"),
            ("max_wait", "queue"),
            ("max_wait", "voicemail"),
            ("nobody_accepted", "callback"),
            ("queue_full", "queue"),
            ("unstaffed", "form"),
        ])
    );
}
