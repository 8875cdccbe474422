//! Explanations of waiting agree with what the router then does.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::Medium;
use domain::operator::{Load, Membership};
use domain::routing::{
    Candidate, Decision, Dropped, NotYours, Place, QueueRules, Relaxation, RoutingRules, Rule,
    Skills, Snapshot, Strategy, Waiting, settle, why_not, why_waiting,
};
use domain::{ConversationId, Millis, OperatorId, QueueId, Timestamp};
use proptest::prelude::{
    Just, ProptestConfig, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::strategy::Strategy as Arbitrarily;

const NOW: Timestamp = Timestamp(10_000_000);
const QUEUES: [&str; 3] = ["sales", "support", "vip"];

fn queue(name: &str) -> QueueId {
    QueueId::from(name)
}

fn id(raw: i64) -> OperatorId {
    OperatorId::new(raw)
}

fn chat(number: i64, in_queue: &str, age: Millis) -> Waiting {
    Waiting {
        conversation: ConversationId::new(number),
        queue: queue(in_queue),
        medium: Medium::Chat,
        place: Place {
            band: 0,
            eligible_at: NOW - age,
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

fn operator(raw: i64, queues: &[&str]) -> Candidate {
    Candidate {
        operator: id(raw),
        memberships: queues
            .iter()
            .map(|name| Membership {
                queue: queue(name),
                rank: 0,
                position: 0,
            })
            .collect(),
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

fn carrying(mut operator: Candidate, medium: Medium, count: u32) -> Candidate {
    for _ in 0..count {
        operator.load.occupy(medium);
    }
    operator
}

/// Rules of every strategy but the last queue's, which is given.
fn rules(strategy: Strategy) -> RoutingRules {
    let queues = QUEUES.map(|name| {
        let mut own = QueueRules::new(queue(name));
        own.relaxations = vec![Relaxation {
            after: Millis::from_secs(120),
            drop: Dropped::All,
        }];
        own.strategy = strategy;
        (own.id.clone(), own)
    });
    RoutingRules {
        queues: queues.into_iter().collect(),
        ..RoutingRules::default()
    }
}

fn skills(names: &[&str]) -> Skills {
    names.iter().copied().collect()
}

#[test]
fn everybody_is_named_with_what_keeps_them_out() {
    let mut asked = chat(1, "sales", Millis::from_secs(30));
    asked.skills = skills(&["lang:ru"]);
    asked.tried = BTreeSet::from([id(3)]);
    asked.place.band = 2;
    let mut operators = vec![
        operator(1, &["sales"]),
        carrying(operator(2, &["sales"]), Medium::Chat, 4),
        operator(3, &["sales"]),
        operator(4, &["sales"]),
        carrying(operator(5, &["sales"]), Medium::Chat, 3),
        operator(6, &["support"]),
    ];
    for operator in &mut operators {
        operator.skills = skills(&["lang:ru"]);
    }
    operators[0].barred = Some(Rule::NotReady);
    operators[3].skills = Skills::default();
    operators[4].cool_down_until = Some(NOW + Millis(1));
    let earlier = chat(2, "sales", Millis::from_secs(60));
    let snapshot = Snapshot::new([asked, earlier], operators);
    let why = why_waiting(
        &snapshot,
        &rules(Strategy::LongestIdle),
        NOW,
        ConversationId::new(1),
    );
    let why = why.expect("it waits");
    assert_eq!(
        why.members,
        BTreeMap::from([
            (Some(Rule::NotReady), vec![id(1)]),
            (Some(Rule::NoRoom), vec![id(2)]),
            (Some(Rule::Tried), vec![id(3)]),
            (Some(Rule::MissingSkill), vec![id(4)]),
            (Some(Rule::CoolingDown), vec![id(5)]),
        ])
    );
    assert_eq!((why.band, why.ahead), (2, 1));
    assert_eq!(why.lifted_at, Some(NOW + Millis::from_secs(870)));
    assert_eq!(why.skills, skills(&["lang:ru"]));
    let relaxed = (NOW + Millis::from_secs(90), Skills::default());
    assert_eq!(why.relaxes, Some(relaxed));
    let next = why.next.expect("somebody is at work");
    assert_eq!((next.keys.operator, next.is_free), (id(2), false));
    assert_eq!(next.before, 1, "the earlier one");
}

#[test]
fn a_hold_and_a_pause_are_told() {
    let mut held = chat(1, "sales", Millis::from_secs(10));
    held.preferred = Some(id(1));
    let mut paused = chat(2, "sales", Millis::from_secs(5));
    paused.not_before = Some(NOW + Millis(500));
    let operators = [
        carrying(operator(1, &["sales"]), Medium::Chat, 4),
        operator(2, &["sales"]),
    ];
    let snapshot = Snapshot::new([held, paused], operators);
    let rules = rules(Strategy::LongestIdle);
    let why = |number| why_waiting(&snapshot, &rules, NOW, ConversationId::new(number));
    let first = why(1).expect("it waits");
    assert_eq!(first.held, Some((id(1), NOW + Millis::from_secs(50))));
    assert_eq!(first.members[&Some(Rule::HeldForOther)], [id(2)]);
    assert_eq!(first.next.map(|next| next.keys.operator), Some(id(1)));
    let second = why(2).expect("it waits");
    assert_eq!(second.paused_until, Some(NOW + Millis(500)));
    assert_eq!(second.members[&None], [id(2)]);
    assert!(why(3).is_none());
    let why = why_not(&snapshot, &rules, NOW, id(2)).expect("there is such an operator");
    let foremost = why.queues[0].head.as_ref().expect("two wait");
    let until = NOW + Millis::from_secs(50);
    assert_eq!(
        foremost.why,
        NotYours::Held {
            operator: id(1),
            until
        }
    );
}

#[test]
fn why_somebody_gets_nothing() {
    let check = |change: &dyn Fn(&mut Waiting, &mut Candidate, &mut Candidate), strategy, why| {
        let mut first = chat(1, "sales", Millis::from_secs(10));
        let mut me = operator(2, &["sales"]);
        let mut other = operator(1, &["sales"]);
        other.barred = Some(Rule::NotReady);
        change(&mut first, &mut me, &mut other);
        let snapshot = Snapshot::new([first], [me, other]);
        let told = why_not(&snapshot, &rules(strategy), NOW, id(2)).expect("I am there");
        let head = told.queues[0].head.as_ref().expect("one waits");
        assert_eq!(head.why, why);
    };
    let idle = Strategy::LongestIdle;
    check(&|_, _, _| {}, idle, NotYours::Yours);
    check(&|_, _, _| {}, Strategy::Manual, NotYours::TakeIt);
    let full = NotYours::KeptOut(Rule::NoRoom);
    check(&|_, me, _| me.capacity = 10, idle, full.clone());
    check(&|_, me, _| me.capacity = 10, Strategy::Manual, full);
    check(
        &|chat, _, _| chat.tried = BTreeSet::from([id(2)]),
        idle,
        NotYours::KeptOut(Rule::Tried),
    );
    check(
        &|chat, me, _| {
            chat.skills = skills(&["billing", "lang:ru"]);
            me.skills = skills(&["lang:ru"]);
        },
        idle,
        NotYours::MissingSkills {
            missing: skills(&["billing"]),
            until: Some(NOW + Millis::from_secs(110)),
        },
    );
    check(
        &|_, _, other| other.barred = None,
        idle,
        NotYours::OtherFirst { operator: id(1) },
    );
    check(
        &|_, _, other| other.barred = None,
        Strategy::RingAll,
        NotYours::Yours,
    );
    check(
        &|chat, _, other| {
            other.barred = None;
            chat.last_asked = Some(id(2));
        },
        idle,
        NotYours::KeptOut(Rule::LastAsked),
    );
    check(
        &|chat, _, _| chat.not_before = Some(NOW + Millis(1)),
        idle,
        NotYours::Paused {
            until: NOW + Millis(1),
        },
    );
}

#[test]
fn another_queue_comes_first_and_nothing_waits() {
    let mut me = operator(1, &["sales", "vip", "support"]);
    me.memberships[0].rank = 5;
    let idle_for_longer = operator(0, &["support"]);
    let busy = carrying(operator(-1, &["support"]), Medium::Voice, 1);
    let snapshot = Snapshot::new(
        [
            chat(1, "sales", Millis::from_secs(60)),
            chat(2, "vip", Millis::from_secs(10)),
        ],
        [me, idle_for_longer, busy],
    );
    let told = why_not(&snapshot, &rules(Strategy::LongestIdle), NOW, id(1));
    let told = told.expect("I am there");
    let of = |name: &str| {
        let found = told.queues.iter().find(|one| one.queue == queue(name));
        found.expect("it is one of mine")
    };
    let why = |name| of(name).head.as_ref().map(|head| head.why.clone());
    let better = NotYours::HasBetter {
        queue: queue("vip"),
    };
    assert_eq!(why("sales"), Some(better));
    assert_eq!(why("vip"), Some(NotYours::Yours));
    assert_eq!(why("support"), None);
    assert_eq!(of("support").before_me, 1);
    assert_eq!(of("sales").before_me, 0);
    let order: Vec<_> = told.queues.iter().map(|one| one.queue.as_str()).collect();
    assert_eq!(order, ["support", "vip", "sales"]);
}

fn subset() -> impl Arbitrarily<Value = Skills> {
    proptest::sample::subsequence(vec!["billing", "lang:ru"], 0..=2)
        .prop_map(|names| names.into_iter().collect())
}

fn few_operators() -> impl Arbitrarily<Value = BTreeSet<OperatorId>> {
    proptest::collection::btree_set((1_i64..=6).prop_map(id), 0..=3)
}

fn some_operator() -> impl Arbitrarily<Value = Option<OperatorId>> {
    proptest::option::of((1_i64..=6).prop_map(id))
}

fn medium() -> impl Arbitrarily<Value = Medium> {
    prop_oneof![
        4 => Just(Medium::Chat),
        1 => Just(Medium::Email),
        1 => Just(Medium::Voice),
    ]
}

fn some_waiting(number: i64) -> impl Arbitrarily<Value = Waiting> {
    (
        (0_usize..3, medium(), -1_i32..=2, 0_i64..1_200),
        (subset(), few_operators(), some_operator(), some_operator()),
        proptest::option::weighted(0.1, 1_i64..5_000),
    )
        .prop_map(
            move |((at, medium, band, age), (skills, tried, preferred, last), pause)| {
                let mut waiting = chat(number, QUEUES[at], Millis::from_secs(age));
                waiting.medium = medium;
                waiting.place.band = band;
                waiting.skills = skills;
                waiting.tried = tried;
                waiting.preferred = preferred;
                waiting.last_asked = last;
                waiting.not_before = pause.map(|pause| NOW + Millis(pause));
                waiting
            },
        )
}

fn some_candidate(raw: i64) -> impl Arbitrarily<Value = Candidate> {
    let barred = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Rule::NotReady)),
        1 => Just(Some(Rule::WrapUp)),
    ];
    (
        proptest::collection::vec((0_usize..3, 0_i32..2, 0_i32..3), 1..=3),
        (
            subset(),
            barred,
            proptest::option::weighted(0.1, 1_i64..5_000),
        ),
        (0_u32..=4, 0_i64..4, 0_i64..4, any::<bool>()),
    )
        .prop_map(
            move |(posts, (skills, barred, cool), (chats, idle, turn, auto))| {
                let mut found = carrying(operator(raw, &[]), Medium::Chat, chats);
                found.memberships = posts
                    .into_iter()
                    .map(|(at, rank, position)| Membership {
                        queue: queue(QUEUES[at]),
                        rank,
                        position,
                    })
                    .collect();
                found.skills = skills;
                found.barred = barred;
                found.cool_down_until = cool.map(|cool| NOW + Millis(cool));
                found.idle_since = Timestamp(idle);
                found.turn = turn;
                found.auto_accept = auto;
                found
            },
        )
}

fn world() -> impl Arbitrarily<Value = (Vec<Waiting>, Vec<Candidate>, RoutingRules)> {
    let waiting: Vec<_> = (1..=7).map(some_waiting).collect();
    let operators: Vec<_> = (1..=6).map(some_candidate).collect();
    let strategies = proptest::collection::vec(proptest::sample::select(&Strategy::ALL[..]), 3);
    (waiting, operators, strategies, 0_usize..=7).prop_map(
        |(mut waiting, operators, strategies, count)| {
            waiting.truncate(count);
            let mut rules = rules(Strategy::LongestIdle);
            for (own, strategy) in rules.queues.values_mut().zip(strategies) {
                own.strategy = strategy;
            }
            (waiting, operators, rules)
        },
    )
}

fn given(decision: &Decision) -> Vec<OperatorId> {
    match decision {
        Decision::Offer { operator, .. } | Decision::Assign { operator, .. } => vec![*operator],
        Decision::Ring { operators, .. } => operators.keys().copied().collect(),
        Decision::NextRound { .. } => Vec::new(),
    }
}

/// The snapshot after the decisions.
fn settled(mut snapshot: Snapshot, decisions: &[Decision]) -> Snapshot {
    for decision in decisions {
        let Some(mut waiting) = snapshot.remove(decision.conversation()) else {
            continue;
        };
        if let Decision::NextRound { not_before, .. } = decision {
            waiting.tried.clear();
            waiting.not_before = Some(*not_before);
            snapshot.put(waiting);
            continue;
        }
        for operator in given(decision) {
            let known = snapshot.operator(operator).cloned();
            let mut known = known.expect("whoever is chosen is there");
            known.load.occupy(waiting.medium);
            snapshot.put_operator(known);
        }
    }
    snapshot
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Each member is told of once; whoever the router chooses was not said to be kept
    /// out for good; and when it has done its work, something keeps everybody out of
    /// whatever still waits.
    #[test]
    fn what_is_told_is_what_happens((waiting, operators, rules) in world()) {
        let before = Snapshot::new(waiting, operators);
        let decisions = settle(&before, &rules, NOW);
        for one in before.waiting() {
            let why = why_waiting(&before, &rules, NOW, one.conversation);
            let why = why.expect("it waits");
            let told: Vec<_> = why.members.values().flatten().copied().collect();
            let once: BTreeSet<_> = told.iter().copied().collect();
            let members = before.members_of(&one.queue).map(|member| member.operator);
            prop_assert_eq!(told.len(), once.len());
            prop_assert_eq!(once, members.collect::<BTreeSet<_>>());
            let own = decisions.iter().filter(|it| it.conversation() == one.conversation);
            for chosen in own.flat_map(given) {
                let at = why.members.iter().find(|(_, them)| them.contains(&chosen));
                let rule = at.and_then(|(rule, _)| *rule);
                let may_change = [None, Some(Rule::HasBetter), Some(Rule::LastAsked)];
                prop_assert!(may_change.contains(&rule), "{chosen} is {rule:?}");
            }
        }
        let after = settled(before, &decisions);
        let again = settle(&after, &rules, NOW);
        prop_assert!(again.is_empty(), "{decisions:?}, then {again:?}");
        for one in after.waiting() {
            let why = why_waiting(&after, &rules, NOW, one.conversation);
            let why = why.expect("it waits still");
            let is_left = why.paused_until.is_none() && why.strategy != Strategy::Manual;
            prop_assert!(!is_left || !why.members.contains_key(&None), "{why:?}");
        }
    }

    /// With one that waits, who is told to be next is chosen.
    #[test]
    fn who_is_next_is_next((mut waiting, operators, rules) in world()) {
        waiting.truncate(1);
        let snapshot = Snapshot::new(waiting, operators);
        let decisions = settle(&snapshot, &rules, NOW);
        for one in snapshot.waiting() {
            let why = why_waiting(&snapshot, &rules, NOW, one.conversation);
            let why = why.expect("it waits");
            let chosen: Vec<_> = decisions.iter().flat_map(given).collect();
            let is_rung = why.strategy == Strategy::RingAll;
            if let [chosen] = chosen[..] && !is_rung {
                let next = why.next.expect("somebody is next");
                prop_assert_eq!((next.keys.operator, next.is_free), (chosen, true));
                prop_assert_eq!(next.before, 0);
            }
            for operator in snapshot.operators() {
                let told = why_not(&snapshot, &rules, NOW, operator.operator);
                let told = told.expect("they are there");
                let heads = told.queues.iter().filter_map(|queue| queue.head.as_ref());
                let is_theirs = heads.clone().any(|head| head.why == NotYours::Yours);
                prop_assert!(is_theirs || is_rung || !chosen.contains(&operator.operator));
                prop_assert!(!is_theirs || is_rung || chosen.contains(&operator.operator));
            }
        }
    }
}
