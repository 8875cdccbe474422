//! Positions and how many could answer.

use super::super::{outlook, outlooks};
use super::*;

fn check(snapshot: &Snapshot, rules: &RoutingRules, expected: &[(i64, u32, u32)]) {
    let all: BTreeMap<_, _> = outlooks(snapshot, rules, NOW).into_iter().collect();
    for (number, position, staffed) in expected {
        let conversation = ConversationId::new(*number);
        let all = all.get(&conversation).copied();
        let seen = all.map(|outlook| (outlook.position, outlook.staffed));
        assert_eq!(seen, Some((*position, *staffed)), "of {number}");
        let one = outlook(snapshot, rules, NOW, conversation);
        assert_eq!(one, all, "{number} alone");
    }
    assert_eq!(all.len(), expected.len());
}

#[test]
fn only_those_count_who_could_take_an_operator_away() {
    let works = |raw, queues: &[&str]| Candidate {
        memberships: queues.iter().map(|queue| member_of(queue, 0)).collect(),
        ..operator(raw)
    };
    let mut absent = works(4, &["sales", "calls"]);
    absent.barred = Some(Rule::NotReady);
    let operators = [
        works(1, &["sales"]),
        works(2, &["support", "sales"]),
        works(3, &["calls"]),
        absent,
    ];
    let waiting = [
        chat_in("support", 1),
        chat_in("calls", 2),
        chat_in("sales", 3),
        chat_in("sales", 4),
        chat_in("calls", 5),
        chat_in("support", 6),
        chat_in("nobody", 7),
    ];
    check(
        &Snapshot::new(waiting, operators),
        &RoutingRules::default(),
        &[
            (1, 1, 1),
            (2, 1, 1),
            // Before it one of support, whose operator works for sales too.
            (3, 2, 2),
            (4, 3, 2),
            (5, 2, 1),
            (6, 4, 1),
            (7, 1, 0),
        ],
    );
}

#[test]
fn skills_and_their_relaxation_count() {
    let rules = rules_of_sales(|sales| {
        sales.relaxations = vec![Relaxation {
            after: Millis(99_997),
            drop: Dropped::All,
        }];
    });
    let french = |number| Waiting {
        skills: ["lang:fr"].into_iter().collect(),
        ..chat(number)
    };
    let mut speaks = operator(2);
    speaks.skills = ["lang:fr"].into_iter().collect();
    let waiting = [french(1), french(3), chat(4), french(5), chat(6)];
    check(
        &Snapshot::new(waiting.clone(), [operator(1), speaks]),
        &rules,
        // The first two are so old that anybody may answer.
        &[(1, 1, 2), (3, 2, 2), (4, 3, 2), (5, 4, 1), (6, 5, 2)],
    );
    check(
        &Snapshot::new(waiting, [operator(1)]),
        &rules,
        // For the fourth there is nobody, so it stands before nobody and behind nobody.
        &[(1, 1, 1), (3, 2, 1), (4, 3, 1), (5, 1, 0), (6, 4, 1)],
    );
}

#[test]
fn bands_and_age_count_as_the_router_counts_them() {
    let later = |number: i64, band| Waiting {
        place: Place {
            band,
            eligible_at: Timestamp(number * 1_000),
            seq: number,
        },
        ..chat(number)
    };
    let waiting = [later(1, 2), later(2, 2), later(3, 0), later(50, -1)];
    let rules = rules_of_sales(|sales| sales.ageing = Millis(98_500));
    check(
        &Snapshot::new(waiting, [operator(1)]),
        &rules,
        &[(50, 1, 1), (1, 2, 1), (3, 3, 1), (2, 4, 1)],
    );
}

#[test]
fn where_operators_choose_nobody_is_told_a_position() {
    let rules = rules_of_sales(|sales| sales.strategy = Strategy::Manual);
    let snapshot = Snapshot::new([chat(1), chat_in("support", 2)], [operator(1)]);
    check(&snapshot, &rules, &[(2, 1, 0)]);
}

#[test]
fn who_is_too_small_or_busy() {
    let mut small = operator(1);
    small.capacity = 24;
    let mut busy = operator(2);
    busy.load.occupy(Medium::Voice);
    let mut finishes_up = operator(3);
    finishes_up.barred = Some(Rule::WrapUp);
    let snapshot = Snapshot::new([chat(1)], [small, busy, finishes_up]);
    check(&snapshot, &RoutingRules::default(), &[(1, 1, 2)]);
}
