use std::collections::{BTreeMap, BTreeSet};

use super::{
    Assignment, Candidate, CandidateKeys, Decision, Explanation, Place, QueueRules, RoutingRules,
    Rule, Snapshot, Waiting, settle,
};
use crate::message::Medium;
use crate::operator::{Load, Membership};
use crate::{ConversationId, OperatorId, QueueId, Timestamp};

const NOW: Timestamp = Timestamp(100_000);

fn id(raw: i64) -> OperatorId {
    OperatorId::new(raw)
}

fn chat(number: i64) -> Waiting {
    Waiting {
        conversation: ConversationId::new(number),
        queue: QueueId::from("sales"),
        medium: Medium::Chat,
        place: Place {
            band: 0,
            eligible_at: Timestamp(number),
            seq: number,
        },
        tried: BTreeSet::new(),
        last_asked: None,
        round: 1,
        not_before: None,
    }
}

fn operator(raw: i64) -> Candidate {
    Candidate {
        operator: id(raw),
        memberships: vec![Membership {
            queue: QueueId::from("sales"),
            rank: 0,
        }],
        load: Load::default(),
        capacity: 100,
        idle_since: Timestamp(raw),
        auto_accept: false,
        barred: None,
    }
}

fn explanation(decision: &Decision) -> &Explanation {
    match decision {
        Decision::Offer { explanation, .. } | Decision::Assign { explanation, .. } => explanation,
        Decision::NextRound { .. } => panic!("nobody was chosen"),
    }
}

#[test]
fn a_decision_explains_itself() {
    let mut operators: Vec<_> = (1..=7).map(operator).collect();
    operators[0].barred = Some(Rule::NotReady);
    operators[1].capacity = 10;
    operators[3].load.occupy(Medium::Voice);
    let mut first = chat(1);
    first.tried = BTreeSet::from([id(1), id(3)]);
    first.last_asked = Some(id(5));
    let snapshot = Snapshot {
        waiting: vec![chat(2), first],
        operators,
    };
    let decisions = settle(&snapshot, &RoutingRules::default(), NOW);
    let [second, first] = &decisions[..] else {
        panic!("there are two to place: {decisions:?}");
    };
    // The third is the longest idle and was asked about the first chat already.
    assert_eq!(
        explanation(second).chosen,
        CandidateKeys {
            operator: id(3),
            load: 0,
            capacity: 100,
            idle_since: Timestamp(3),
        }
    );
    let runner_up = |decision| explanation(decision).runner_up.map(|keys| keys.operator);
    assert_eq!(runner_up(second), Some(id(5)));
    assert_eq!(explanation(first).chosen.operator, id(6));
    assert_eq!(runner_up(first), Some(id(7)));
    assert_eq!(
        explanation(first).excluded.by_rule(),
        BTreeMap::from([
            (Rule::NotReady, BTreeSet::from([id(1)])),
            (Rule::WhileOn, BTreeSet::from([id(4)])),
            (Rule::NoRoom, BTreeSet::from([id(2)])),
            (Rule::Tried, BTreeSet::from([id(3)])),
            (Rule::LastAsked, BTreeSet::from([id(5)])),
        ])
    );
}

#[test]
fn earlier_decisions_of_the_pass_are_explained_too() {
    let mut operators = vec![operator(1), operator(2)];
    for operator in &mut operators {
        operator.capacity = 25;
    }
    let snapshot = Snapshot {
        waiting: vec![chat(1), chat(2), chat(3)],
        operators,
    };
    let decisions = settle(&snapshot, &RoutingRules::default(), NOW);
    let sets: Vec<_> = decisions
        .iter()
        .map(|decision| explanation(decision).excluded.by_rule())
        .collect();
    let full = BTreeMap::from([(Rule::NoRoom, BTreeSet::from([id(1)]))]);
    assert_eq!(sets, [BTreeMap::new(), full]);
    let written = serde_json::to_string(&decisions).unwrap();
    let read: Vec<Decision> = serde_json::from_str(&written).unwrap();
    assert_eq!(read, decisions);
}

#[test]
fn a_member_twice_is_one_member() {
    let mut operators = vec![operator(1), operator(2)];
    operators[0].capacity = 25;
    for operator in &mut operators {
        let again = operator.memberships[0].clone();
        operator.memberships.push(again);
    }
    let snapshot = Snapshot {
        waiting: vec![chat(1), chat(2)],
        operators,
    };
    let decisions = settle(&snapshot, &RoutingRules::default(), NOW);
    let excluded = &explanation(&decisions[1]).excluded;
    assert_eq!(excluded.members()[..], [id(1), id(2)]);
    assert_eq!(excluded.rules(), [Some(Rule::NoRoom), None]);
}

#[test]
fn everybody_was_asked() {
    let check = |change: fn(&mut Vec<Candidate>), begins_anew: bool| {
        let mut operators = vec![operator(1), operator(2)];
        change(&mut operators);
        let mut asked = chat(1);
        asked.tried = BTreeSet::from([id(1)]);
        let snapshot = Snapshot {
            waiting: vec![asked],
            operators,
        };
        let decisions = settle(&snapshot, &RoutingRules::default(), NOW);
        let next_round = Decision::NextRound {
            conversation: ConversationId::new(1),
            round: 2,
            not_before: Timestamp(105_000),
        };
        assert_eq!(
            decisions.contains(&next_round),
            begins_anew,
            "{decisions:?}"
        );
    };
    check(|_| {}, false);
    check(|all| all[1].barred = Some(Rule::CoolingDown), false);
    check(|all| all[1].load.occupy(Medium::Voice), false);
    check(|all| all[1].barred = Some(Rule::NotReady), true);
    check(|all| all[1].barred = Some(Rule::NotResponding), true);
    check(|all| all[1].capacity = 24, true);
    check(Vec::clear, false);
}

#[test]
fn who_is_asked_and_who_is_given() {
    let mut rules = RoutingRules::default();
    let snapshot = |auto_accept| {
        let mut operator = operator(1);
        operator.auto_accept = auto_accept;
        Snapshot {
            waiting: vec![chat(1)],
            operators: vec![operator],
        }
    };
    let asked =
        |auto_accept, rules: &RoutingRules| match &settle(&snapshot(auto_accept), rules, NOW)[..] {
            [Decision::Offer { expires_at, .. }] => Some(*expires_at),
            [Decision::Assign { .. }] => None,
            other => panic!("one decision is due: {other:?}"),
        };
    assert_eq!(asked(false, &rules), Some(Timestamp(130_000)));
    assert_eq!(asked(true, &rules), None);
    let mut sales = QueueRules::new(QueueId::from("sales"));
    sales.assignment = Assignment::Direct;
    rules.queues.insert(sales.id.clone(), sales);
    assert_eq!(asked(false, &rules), None);
}

#[test]
fn shares_are_compared_exactly() {
    let keys = |load, capacity, idle_since, raw| CandidateKeys {
        operator: id(raw),
        load,
        capacity,
        idle_since: Timestamp(idle_since),
    };
    let ordered = [
        keys(0, 10, 5, 3),
        keys(333_333_333, 1_000_000_000, 9, 9),
        keys(1, 3, 1, 4),
        keys(2, 6, 1, 5),
        keys(1, 3, 2, 1),
        keys(1_500_000_000, 3_000_000_000, 0, 6),
        keys(120, 100, 0, 7),
        keys(0, 0, 0, 2),
    ];
    assert!(ordered.is_sorted());
}
