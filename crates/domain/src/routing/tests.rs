mod outlook;
mod overflow;
mod strategies;

use std::collections::{BTreeMap, BTreeSet};

use super::settle::{Pass, Who, configured};
use super::{
    Assignment, Candidate, CandidateKeys, Cause, Decision, Dropped, Explanation, Place, QueueRules,
    Relaxation, RoutingRules, Rule, Skills, Snapshot, Strategy, Waiting, settle,
};
use crate::message::Medium;
use crate::operator::{Load, Membership};
use crate::{ConversationId, Millis, OperatorId, QueueId, Timestamp};

const NOW: Timestamp = Timestamp(100_000);

fn id(raw: i64) -> OperatorId {
    OperatorId::new(raw)
}

/// Waits since its number, in the queue `sales`.
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
        skills: Skills::default(),
        preferred: None,
        tried: BTreeSet::new(),
        last_asked: None,
        asked_at: None,
        round: 1,
        not_before: None,
    }
}

fn chat_in(queue: &str, number: i64) -> Waiting {
    Waiting {
        queue: QueueId::from(queue),
        ..chat(number)
    }
}

/// Idle since their number; works for the queue `sales`.
fn operator(raw: i64) -> Candidate {
    Candidate {
        operator: id(raw),
        memberships: vec![member_of("sales", 0)],
        skills: Skills::default(),
        load: Load::default(),
        capacity: 100,
        idle_since: Timestamp(raw),
        turn: 0,
        auto_accept: false,
        barred: None,
        cool_down_until: None,
    }
}

/// Carries so many chats; four are all that fits.
fn loaded(raw: i64, chats: u32) -> Candidate {
    let mut busy = operator(raw);
    for _ in 0..chats {
        busy.load.occupy(Medium::Chat);
    }
    busy
}

fn member_of(queue: &str, rank: i32) -> Membership {
    Membership {
        queue: QueueId::from(queue),
        rank,
        position: 0,
    }
}

/// Rules of `sales` that are not the usual ones.
fn rules_of_sales(change: impl FnOnce(&mut QueueRules)) -> RoutingRules {
    let mut sales = QueueRules::new(QueueId::from("sales"));
    change(&mut sales);
    RoutingRules {
        queues: BTreeMap::from([(sales.id.clone(), sales)]),
        ..RoutingRules::default()
    }
}

fn explanation(decision: &Decision) -> &Explanation {
    match decision {
        Decision::Offer { explanation, .. } | Decision::Assign { explanation, .. } => explanation,
        Decision::Ring { .. } | Decision::NextRound { .. } => {
            panic!("nobody was chosen: {decision:?}")
        }
    }
}

/// Who gets what, in the order of deciding.
fn pairs(decisions: &[Decision]) -> Vec<(i64, i64)> {
    let pair = |decision| {
        let chosen = explanation(decision).chosen.operator;
        (decision.conversation().get(), chosen.get())
    };
    decisions.iter().map(pair).collect()
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
    let snapshot = Snapshot::new([chat(2), first], operators);
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
            open: 0,
            turn: 0,
            position: 0,
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
    for decision in &decisions {
        let explanation = explanation(decision);
        assert_eq!(explanation.derive(), explanation.chosen.operator);
    }
}

#[test]
fn who_was_asked_last_is_never_the_next() {
    let mut again = chat(1);
    again.last_asked = Some(id(2));
    let snapshot = Snapshot::new([again], [operator(1), operator(2)]);
    let decisions = settle(&snapshot, &RoutingRules::default(), NOW);
    assert_eq!(pairs(&decisions), [(1, 1)]);
    let why = explanation(&decisions[0]);
    assert_eq!(why.runner_up, None);
    assert_eq!(
        why.excluded.by_rule(),
        BTreeMap::from([(Rule::LastAsked, BTreeSet::from([id(2)]))])
    );
}

#[test]
fn earlier_decisions_of_the_pass_are_explained_too() {
    let mut operators = vec![operator(1), operator(2)];
    for operator in &mut operators {
        operator.capacity = 25;
    }
    let snapshot = Snapshot::new([chat(1), chat(2), chat(3)], operators);
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
    let snapshot = Snapshot::new([chat(1), chat(2)], operators);
    let decisions = settle(&snapshot, &RoutingRules::default(), NOW);
    let excluded = &explanation(&decisions[1]).excluded;
    assert_eq!(excluded.members()[..], [id(1), id(2)]);
    assert_eq!(excluded.rules(), [Some(Rule::NoRoom), None]);
}

#[test]
fn everybody_was_asked() {
    let rules = rules_of_sales(|sales| {
        sales.skills = Skills::default();
        sales.relaxations = vec![Relaxation {
            after: Millis(100_000),
            drop: Dropped::All,
        }];
    });
    let next_round = Decision::NextRound {
        conversation: ConversationId::new(1),
        round: 2,
        not_before: Timestamp(105_000),
    };
    let check_of = |change: fn(&mut Vec<Candidate>), asked: Waiting, begins_anew: bool| {
        let mut operators = vec![operator(1), operator(2)];
        change(&mut operators);
        let decisions = settle(&Snapshot::new([asked], operators), &rules, NOW);
        let context = format!("{decisions:?}");
        assert_eq!(decisions.contains(&next_round), begins_anew, "{context}");
    };
    let asked = || Waiting {
        tried: BTreeSet::from([id(1)]),
        asked_at: Some(Timestamp(40_001)),
        ..chat(1)
    };
    let check = |change, begins_anew| check_of(change, asked(), begins_anew);
    check(|_| {}, false);
    check(|all| all[1].cool_down_until = Some(NOW + Millis(1)), false);
    check(|all| all[1].load.occupy(Medium::Voice), false);
    check(|all| all[1].barred = Some(Rule::WrapUp), false);
    check(|all| all[1].barred = Some(Rule::NotReady), true);
    check(|all| all[1].barred = Some(Rule::NotResponding), true);
    check(|all| all[1].barred = Some(Rule::Disconnected), true);
    check(|all| all[1].capacity = 24, true);
    check(|all| all[1].memberships.clear(), true);
    check(Vec::clear, false);
    // Those who are busy are waited for during a minute.
    let patient = Waiting {
        asked_at: Some(Timestamp(40_000)),
        ..asked()
    };
    let busy: fn(&mut Vec<Candidate>) = |all| all[1].load.occupy(Medium::Voice);
    check_of(busy, patient.clone(), true);
    check_of(|_| {}, patient, false);
    // Who lacks a skill is waited for no more than others who cannot answer.
    let french = || Waiting {
        skills: ["lang:fr"].into_iter().collect(),
        ..asked()
    };
    let one_speaks: fn(&mut Vec<Candidate>) =
        |all| all[0].skills = ["lang:fr"].into_iter().collect();
    check_of(one_speaks, french(), true);
    let mut old = french();
    old.place.eligible_at = Timestamp(0);
    check_of(one_speaks, old, false);
}

#[test]
fn who_is_asked_and_who_is_given() {
    let asked = |auto_accept, rules: &RoutingRules| {
        let mut operator = operator(1);
        operator.auto_accept = auto_accept;
        let snapshot = Snapshot::new([chat(1)], [operator]);
        match &settle(&snapshot, rules, NOW)[..] {
            [Decision::Offer { expires_at, .. }] => Some(*expires_at),
            [Decision::Assign { .. }] => None,
            other => panic!("one decision is due: {other:?}"),
        }
    };
    let usual = RoutingRules::default();
    assert_eq!(asked(false, &usual), Some(Timestamp(130_000)));
    assert_eq!(asked(true, &usual), None);
    let direct = rules_of_sales(|sales| sales.assignment = Assignment::Direct);
    assert_eq!(asked(false, &direct), None);
}

#[test]
fn skills_are_needed_until_they_are_relaxed() {
    let rules = rules_of_sales(|sales| {
        sales.relaxations = vec![
            Relaxation {
                after: Millis(1_000),
                drop: Dropped::These(["billing"].into_iter().collect()),
            },
            Relaxation {
                after: Millis(2_000),
                drop: Dropped::All,
            },
        ];
    });
    let mut call = chat(1);
    call.place.eligible_at = NOW;
    call.skills = ["billing", "lang:fr"].into_iter().collect();
    let able = |raw: i64, skills: &[&str]| Candidate {
        skills: skills.iter().copied().collect(),
        ..operator(raw)
    };
    let everybody = [
        able(1, &[]),
        able(2, &["lang:fr", "sales"]),
        able(3, &["billing", "lang:fr"]),
    ];
    for (age, chosen, needed, lacking) in [
        (0, 3, vec!["billing", "lang:fr"], vec![1, 2]),
        (999, 3, vec!["billing", "lang:fr"], vec![1, 2]),
        (1_000, 2, vec!["lang:fr"], vec![1]),
        (2_000, 1, vec![], vec![]),
    ] {
        let snapshot = Snapshot::new([call.clone()], everybody.clone());
        let decisions = settle(&snapshot, &rules, NOW + Millis(age));
        assert_eq!(pairs(&decisions), [(1, chosen)], "after {age} ms");
        let why = explanation(&decisions[0]);
        assert_eq!(why.skills.iter().collect::<Vec<_>>(), needed);
        let lacking: BTreeSet<_> = lacking.into_iter().map(id).collect();
        let excluded = why.excluded.by_rule();
        assert_eq!(
            excluded.get(&Rule::MissingSkill).cloned(),
            Some(lacking).filter(|them| !them.is_empty())
        );
    }
}

#[test]
fn a_known_client_is_held_for_the_operator_of_before() {
    let held = Waiting {
        preferred: Some(id(2)),
        place: Place {
            eligible_at: NOW,
            ..chat(1).place
        },
        ..chat(1)
    };
    let check = |change: fn(&mut Waiting, &mut Candidate), age: i64, expect: &[(i64, i64)]| {
        let (mut waiting, mut boris) = (held.clone(), operator(2));
        change(&mut waiting, &mut boris);
        let snapshot = Snapshot::new([waiting], [operator(1), boris]);
        let decisions = settle(&snapshot, &RoutingRules::default(), NOW + Millis(age));
        assert_eq!(pairs(&decisions), expect);
        decisions
    };
    let busy: fn(&mut Waiting, &mut Candidate) = |_, boris| boris.load.occupy(Medium::Voice);
    let decisions = check(|_, _| {}, 0, &[(1, 2)]);
    let why = explanation(&decisions[0]);
    assert_eq!(why.cause, Cause::Sticky);
    assert_eq!(
        why.excluded.by_rule(),
        BTreeMap::from([(Rule::HeldForOther, BTreeSet::from([id(1)]))])
    );
    check(busy, 0, &[]);
    check(busy, 59_999, &[]);
    let late = check(busy, 60_000, &[(1, 1)]);
    assert_eq!(explanation(&late[0]).cause, Cause::Queue);
    // T3: somebody absent holds up nobody.
    check(|_, boris| boris.barred = Some(Rule::NotReady), 0, &[(1, 1)]);
    check(
        |_, boris| boris.barred = Some(Rule::Disconnected),
        0,
        &[(1, 1)],
    );
    check(
        |_, boris| boris.cool_down_until = Some(Timestamp(110_000)),
        0,
        &[(1, 1)],
    );
    check(|_, boris| boris.memberships.clear(), 0, &[(1, 1)]);
    check(|it, _| it.tried = [id(2)].into(), 0, &[(1, 1)]);
    check(|it, _| it.last_asked = Some(id(2)), 0, &[(1, 2)]);
}

#[test]
fn shares_are_compared_exactly() {
    let keys = |load, capacity, idle_since, raw| CandidateKeys {
        operator: id(raw),
        load,
        capacity,
        idle_since: Timestamp(idle_since),
        open: 0,
        turn: 0,
        position: 0,
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
    assert!(
        ordered.is_sorted_by(|one, other| { one.compare(other, Strategy::LongestIdle).is_lt() })
    );
}

#[test]
fn what_is_kept_up_to_date_is_what_is_made_anew() {
    let mut kept = Snapshot::new([chat(1), chat(2)], [operator(1), operator(2)]);
    let moved = Waiting {
        queue: QueueId::from("support"),
        tried: BTreeSet::from([id(1)]),
        ..chat(2)
    };
    let transferred = Candidate {
        memberships: vec![member_of("support", 1)],
        ..operator(1)
    };
    kept.put(chat(3));
    kept.put(moved.clone());
    kept.remove(ConversationId::new(1));
    kept.put_operator(transferred.clone());
    kept.put_operator(operator(3));
    kept.remove_operator(id(2));
    kept.put_operator(loaded(4, 2));
    kept.put_operator(Candidate {
        turn: 7,
        ..loaded(4, 1)
    });
    let barred = Candidate {
        barred: Some(Rule::NotReady),
        ..operator(3)
    };
    kept.put_operator(barred.clone());
    let busier = Candidate {
        turn: 7,
        ..loaded(4, 1)
    };
    let anew = Snapshot::new([moved.clone(), chat(3)], [busier, barred, transferred]);
    assert_eq!(kept, anew);
    assert_eq!(kept.len(), 2);
    assert_eq!(kept.waiting_in(&QueueId::from("support")), 1);
    assert_eq!(kept.get(ConversationId::new(2)), Some(&moved));
    assert_eq!(kept.members_of(&QueueId::from("sales")).count(), 2);
    kept.put(chat(2));
    assert_eq!(kept.asked().count(), 0);
}

#[test]
fn a_pass_looks_only_at_those_who_have_room() {
    let elsewhere = Candidate {
        memberships: vec![member_of("support", 0)],
        ..operator(6)
    };
    let resting = Candidate {
        cool_down_until: Some(NOW + Millis(1)),
        ..operator(7)
    };
    let busy = (1..=4).map(|number| loaded(number, 4));
    let others = [operator(5), elsewhere, resting];
    let snapshot = Snapshot::new([chat(1)], busy.chain(others));
    let rules = RoutingRules::default();
    let unknown = configured(&snapshot, &rules);
    let looked_at = |who| {
        let pass = Pass::new(&snapshot, &unknown, &rules, NOW, who);
        let workers = pass.workers.iter();
        let ids: Vec<i64> = workers.map(|it| it.candidate.operator.get()).collect();
        ids
    };
    assert_eq!(looked_at(Who::HasRoom), [5]);
    assert_eq!(looked_at(Who::Everybody), [1, 2, 3, 4, 5, 7]);
}
