//! `settle` decides as the naive model does, and the same for the same snapshot.

use std::ops::RangeInclusive;

use domain::message::Medium;
use domain::operator::{CapacityRules, Load, Membership};
use domain::routing::{
    Assignment, Candidate, Place, QueueRules, RoutingRules, Rule, Snapshot, Waiting, settle,
};
use domain::{ConversationId, OperatorId, QueueId, Timestamp};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{assertions, reference};

const NOW: Timestamp = Timestamp(1_000);
const OPERATORS_MAX: i64 = 7;
const QUEUES: [&str; 3] = ["sales", "support", "calls"];

fn a_queue() -> impl Strategy<Value = QueueId> {
    select(&QUEUES[..]).prop_map(QueueId::from)
}

fn a_medium() -> impl Strategy<Value = Medium> {
    select(&Medium::ALL[..])
}

fn an_operator() -> impl Strategy<Value = OperatorId> {
    (1..=OPERATORS_MAX).prop_map(OperatorId::new)
}

fn waiting(number: i64) -> impl Strategy<Value = Waiting> {
    (
        (a_queue(), a_medium()),
        (0..2_i32, 0..5_i64, 0..5_i64),
        btree_set(an_operator(), 0..4),
        option::of(an_operator()),
        prop_oneof![
            6 => Just(None),
            1 => (NOW.0 - 1..=NOW.0 + 1).prop_map(|at| Some(Timestamp(at))),
        ],
    )
        .prop_map(
            move |((queue, medium), (band, at, seq), tried, last_asked, not_before)| Waiting {
                conversation: ConversationId::new(number),
                queue,
                medium,
                place: Place {
                    band,
                    eligible_at: Timestamp(at),
                    seq,
                },
                tried,
                last_asked,
                round: 1,
                not_before,
            },
        )
}

fn candidate(number: i64) -> impl Strategy<Value = Candidate> {
    (
        vec(
            (a_queue(), 0..2_i32).prop_map(|(queue, rank)| Membership { queue, rank }),
            0..4,
        ),
        vec(a_medium(), 0..3),
        select(vec![0_u32, 15, 30, 50, 100, 100, 100]),
        0..4_i64,
        prop::bool::weighted(0.2),
        prop_oneof![
            6 => Just(None),
            1 => select(vec![Rule::NotReady, Rule::NotResponding, Rule::CoolingDown]).prop_map(Some),
        ],
    )
        .prop_map(
            move |(memberships, carried, capacity, idle_since, auto_accept, barred)| {
                let mut load = Load::default();
                for medium in carried {
                    load.occupy(medium);
                }
                Candidate {
                    operator: OperatorId::new(number),
                    memberships,
                    load,
                    capacity,
                    idle_since: Timestamp(idle_since),
                    auto_accept,
                    barred,
                }
            },
        )
}

fn a_snapshot_of(
    operators: RangeInclusive<i64>,
    conversations: RangeInclusive<i64>,
) -> impl Strategy<Value = Snapshot> {
    let everybody = operators.prop_flat_map(|count| {
        let them: Vec<_> = (1..=count).map(candidate).collect();
        them.prop_shuffle()
    });
    let everything = conversations.prop_flat_map(|count| {
        let it: Vec<_> = (1..=count).map(waiting).collect();
        it.prop_shuffle()
    });
    (everything, everybody).prop_map(|(waiting, operators)| Snapshot { waiting, operators })
}

fn a_snapshot() -> impl Strategy<Value = Snapshot> {
    a_snapshot_of(0..=OPERATORS_MAX, 0..=15)
}

fn the_rules() -> impl Strategy<Value = RoutingRules> {
    prop::bool::ANY.prop_map(|crossed| {
        let mut calls = QueueRules::new(QueueId::from("calls"));
        calls.assignment = Assignment::Direct;
        let mut capacity = CapacityRules::default();
        if crossed {
            // Carrying mail blocks chats: the rule that keeps somebody out changes.
            let blocked = capacity.blocked_while_on.entry(Medium::Email).or_default();
            blocked.insert(Medium::Chat);
            capacity.count_max.insert(Medium::Messenger, 2);
        }
        RoutingRules {
            queues: [(calls.id.clone(), calls)].into(),
            capacity,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn settle_decides_as_the_model_does(snapshot in a_snapshot(), rules in the_rules()) {
        let decisions = settle(&snapshot, &rules, NOW);
        prop_assert_eq!(&decisions, &reference::settle(&snapshot, &rules, NOW));
        let violations = assertions::of_decisions(&snapshot, &decisions, &rules, NOW);
        prop_assert_eq!(violations, Vec::<String>::new());
    }

    /// I8, in bytes.
    #[test]
    fn i8_order_of_the_snapshot_does_not_matter(
        (snapshot, shuffled) in a_snapshot().prop_flat_map(|snapshot| {
            let waiting = Just(snapshot.waiting.clone()).prop_shuffle();
            let operators = Just(snapshot.operators.clone()).prop_shuffle();
            let shuffled = (waiting, operators)
                .prop_map(|(waiting, operators)| Snapshot { waiting, operators });
            (Just(snapshot), shuffled)
        }),
        rules in the_rules(),
    ) {
        let bytes = |snapshot| serde_json::to_string(&settle(snapshot, &rules, NOW)).unwrap();
        prop_assert_eq!(bytes(&snapshot), bytes(&shuffled));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Queues of many operators are looked through in another way.
    #[test]
    fn settle_decides_as_the_model_does_in_a_large_office(
        snapshot in a_snapshot_of(200..=240, 40..=60),
        rules in the_rules(),
    ) {
        let decisions = settle(&snapshot, &rules, NOW);
        prop_assert_eq!(&decisions, &reference::settle(&snapshot, &rules, NOW));
    }
}
