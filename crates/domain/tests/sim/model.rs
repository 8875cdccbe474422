//! `settle` decides as the naive model does, explains itself truly, and decides the
//! same for the same snapshot.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use domain::message::Medium;
use domain::operator::{CapacityRules, Load, Membership};
use domain::routing::{
    Assignment, Candidate, Decision, Dropped, Place, QueueRules, Relaxation, RoutingRules, Rule,
    Skills, Snapshot, Strategy as Order, Waiting, outlook, outlooks, settle,
};
use domain::{ConversationId, Millis, OperatorId, QueueId, Timestamp};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::assertions;
use crate::reference::{self, Office};

const NOW: Timestamp = Timestamp(1_000);
const OPERATORS_MAX: i64 = 7;
const QUEUES: [&str; 4] = ["sales", "support", "calls", "unknown"];
const SKILLS: [&str; 3] = ["billing", "lang:de", "lang:fr"];
const STRATEGIES: [Order; 6] = [
    Order::LongestIdle,
    Order::LeastBusy,
    Order::RoundRobin,
    Order::RingAll,
    Order::StrictList,
    Order::Manual,
];

fn a_queue() -> impl Strategy<Value = QueueId> {
    select(&QUEUES[..]).prop_map(QueueId::from)
}

fn a_medium() -> impl Strategy<Value = Medium> {
    select(&Medium::ALL[..])
}

fn an_operator() -> impl Strategy<Value = OperatorId> {
    (1..=OPERATORS_MAX).prop_map(OperatorId::new)
}

fn some_skills(more: bool) -> impl Strategy<Value = Skills> {
    let count = if more { 0..=3 } else { 0..=2 };
    let named =
        subsequence(&SKILLS[..], count).prop_map(|names| names.into_iter().collect::<Skills>());
    prop_oneof![
        2 => Just(Skills::default()),
        1 => named,
    ]
}

/// Now, a little earlier or a little later.
fn about_now() -> impl Strategy<Value = Option<Timestamp>> {
    prop_oneof![
        6 => Just(None),
        1 => (NOW.0 - 1..=NOW.0 + 1).prop_map(|at| Some(Timestamp(at))),
    ]
}

fn waiting(number: i64) -> impl Strategy<Value = Waiting> {
    (
        (a_queue(), a_medium()),
        (-1..3_i32, 0..5_i64, 0..5_i64),
        some_skills(false),
        (
            option::weighted(0.2, an_operator()),
            btree_set(an_operator(), 0..4),
        ),
        (option::weighted(0.3, an_operator()), about_now()),
        (option::weighted(0.7, 0..5_i64), 1..4_u32),
    )
        .prop_map(
            move |(
                (queue, medium),
                (band, at, seq),
                skills,
                (preferred, tried),
                (last_asked, not_before),
                (asked_at, round),
            )| Waiting {
                conversation: ConversationId::new(number),
                queue,
                medium,
                place: Place {
                    band,
                    eligible_at: Timestamp(NOW.0 - 100 + at * 10),
                    seq,
                },
                skills,
                preferred,
                tried,
                last_asked,
                asked_at: asked_at.map(|at| Timestamp(NOW.0 - 52 + at)),
                round,
                not_before,
            },
        )
}

fn a_membership() -> impl Strategy<Value = Membership> {
    (a_queue(), 0..2_i32, 0..3_i32).prop_map(|(queue, rank, position)| Membership {
        queue,
        rank,
        position,
    })
}

fn candidate(number: i64) -> impl Strategy<Value = Candidate> {
    let rules = vec![
        Rule::NotReady,
        Rule::NotResponding,
        Rule::Disconnected,
        Rule::WrapUp,
    ];
    (
        vec(a_membership(), 0..4),
        some_skills(true),
        vec(a_medium(), 0..3),
        select(vec![0_u32, 15, 30, 50, 100, 100, 100]),
        (0..4_i64, 0..4_i64),
        prop::bool::weighted(0.2),
        option::weighted(0.14, select(rules)),
        about_now(),
    )
        .prop_map(
            move |(
                memberships,
                skills,
                carried,
                capacity,
                (idle_since, turn),
                auto_accept,
                barred,
                cool_down_until,
            )| {
                let mut load = Load::default();
                for medium in carried {
                    load.occupy(medium);
                }
                Candidate {
                    operator: OperatorId::new(number),
                    memberships,
                    skills,
                    load,
                    capacity,
                    idle_since: Timestamp(idle_since),
                    turn,
                    auto_accept,
                    barred,
                    cool_down_until,
                }
            },
        )
}

/// What waits and who works, told in short.
#[derive(Clone)]
struct Everything(Vec<Waiting>, Vec<Candidate>);

impl fmt::Debug for Everything {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for waiting in &self.0 {
            writeln!(f, "{waiting:?}")?;
        }
        for operator in &self.1 {
            writeln!(f, "{operator:?}")?;
        }
        Ok(())
    }
}

/// Rules, told in short.
#[derive(Clone)]
struct Rules(RoutingRules);

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (queue, rules) in &self.0.queues {
            let QueueRules {
                strategy,
                assignment,
                sticky_wait,
                ageing,
                relaxations,
                ..
            } = rules;
            writeln!(
                f,
                "{queue}: {strategy:?} {assignment:?} sticky {sticky_wait:?} ageing {ageing:?} \
                 {relaxations:?}"
            )?;
        }
        write!(f, "{:?}", self.0.capacity)
    }
}

fn an_office_of(
    operators: RangeInclusive<i64>,
    conversations: RangeInclusive<i64>,
) -> impl Strategy<Value = Everything> {
    let everybody = operators.prop_flat_map(|count| (1..=count).map(candidate).collect::<Vec<_>>());
    let everything =
        conversations.prop_flat_map(|count| (1..=count).map(waiting).collect::<Vec<_>>());
    (everything, everybody).prop_map(|(waiting, operators)| Everything(waiting, operators))
}

fn an_office() -> impl Strategy<Value = Everything> {
    an_office_of(0..=OPERATORS_MAX, 0..=15)
}

/// Ages are 60 to 100, so 70, 80 and 90 part them.
fn some_age() -> impl Strategy<Value = Millis> {
    select(vec![0, 70, 80, 90, 200]).prop_map(Millis)
}

fn a_relaxation() -> impl Strategy<Value = Relaxation> {
    let dropped = prop_oneof![
        1 => Just(Dropped::All),
        2 => some_skills(true).prop_map(Dropped::These),
    ];
    (some_age(), dropped).prop_map(|(after, drop)| Relaxation { after, drop })
}

fn rules_of(queue: &'static str) -> impl Strategy<Value = QueueRules> {
    (
        select(&STRATEGIES[..]),
        prop::bool::weighted(0.25),
        (some_age(), some_age()),
        vec(a_relaxation(), 0..3),
    )
        .prop_map(
            move |(strategy, direct, (sticky_wait, ageing), mut relaxations)| {
                relaxations.sort_by_key(|relaxation| relaxation.after);
                let mut rules = QueueRules::new(QueueId::from(queue));
                rules.strategy = strategy;
                if direct {
                    rules.assignment = Assignment::Direct;
                }
                rules.sticky_wait = sticky_wait;
                rules.ageing = ageing;
                rules.relaxations = relaxations;
                // Last asked 48 to 52 ago.
                rules.round_wait = Millis(50);
                rules
            },
        )
}

fn the_rules() -> impl Strategy<Value = Rules> {
    let queues = (
        rules_of("sales"),
        rules_of("support"),
        rules_of("calls"),
        prop::bool::ANY,
    );
    queues.prop_map(|(sales, support, calls, crossed)| {
        let mut capacity = CapacityRules::default();
        if crossed {
            // Carrying mail blocks chats: the rule that keeps somebody out changes.
            let blocked = capacity.blocked_while_on.entry(Medium::Email).or_default();
            blocked.insert(Medium::Chat);
            capacity.count_max.insert(Medium::Messenger, 2);
        }
        Rules(RoutingRules {
            queues: [sales, support, calls]
                .into_iter()
                .map(|rules| (rules.id.clone(), rules))
                .collect(),
            lines: std::collections::BTreeMap::new(),
            capacity,
        })
    })
}

fn snapshot(Everything(waiting, operators): &Everything) -> Snapshot {
    Snapshot::new(waiting.clone(), operators.clone())
}

fn office<'a>(Everything(waiting, operators): &Everything, rules: &'a Rules) -> Office<'a> {
    Office {
        waiting: waiting.clone(),
        operators: operators.clone(),
        rules: &rules.0,
        now: NOW,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn settle_decides_as_the_model_does(all in an_office(), rules in the_rules()) {
        let decisions = settle(&snapshot(&all), &rules.0, NOW);
        let office = office(&all, &rules);
        prop_assert_eq!(assertions::difference(&decisions, &reference::settle(office.clone())), None);
        let violations = assertions::of_decisions(office, &decisions);
        prop_assert_eq!(violations, Vec::<String>::new());
    }

    /// Nothing is left that another look would give to anybody. A round may have ended
    /// because somebody is busy now.
    #[test]
    fn a_second_look_finds_nothing_new(all in an_office(), rules in the_rules()) {
        let decisions = settle(&snapshot(&all), &rules.0, NOW);
        let after = assertions::after(office(&all, &rules), &decisions);
        let mut again = settle(&Snapshot::new(after.waiting, after.operators), &rules.0, NOW);
        again.retain(|decision| !matches!(decision, Decision::NextRound { .. }));
        prop_assert_eq!(again, vec![]);
    }

    /// What a client is told, one by one and all at once.
    #[test]
    fn positions_are_what_the_model_counts(all in an_office(), rules in the_rules()) {
        let snapshot = snapshot(&all);
        let office = office(&all, &rules);
        let told: BTreeMap<_, _> = outlooks(&snapshot, &rules.0, NOW).into_iter().collect();
        for entry in &all.0 {
            let id = entry.conversation;
            let one = outlook(&snapshot, &rules.0, NOW, id);
            let counted = one.map(|it| (it.position as usize, it.staffed as usize));
            prop_assert_eq!(counted, Some(office.outlook(entry)), "of {}", id);
            let by_hand = office.rules_of(&entry.queue).strategy == Order::Manual;
            let is_told = entry.medium.is_live() && !by_hand;
            prop_assert_eq!(told.get(&id).copied(), one.filter(|_| is_told), "of {}", id);
        }
    }

    /// I8, in bytes.
    #[test]
    fn i8_order_of_the_snapshot_does_not_matter(
        (all, shuffled) in an_office().prop_flat_map(|all| {
            let shuffled = (Just(all.0.clone()).prop_shuffle(), Just(all.1.clone()).prop_shuffle());
            let shuffled = shuffled.prop_map(|(waiting, operators)| Everything(waiting, operators));
            (Just(all), shuffled)
        }),
        rules in the_rules(),
    ) {
        let bytes = |all| serde_json::to_string(&settle(&snapshot(all), &rules.0, NOW)).unwrap();
        prop_assert_eq!(bytes(&all), bytes(&shuffled));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Queues of many operators are looked through in another way.
    #[test]
    fn settle_decides_as_the_model_does_in_a_large_office(
        all in an_office_of(200..=240, 40..=60),
        rules in the_rules(),
    ) {
        let decisions = settle(&snapshot(&all), &rules.0, NOW);
        let model = reference::settle(office(&all, &rules));
        prop_assert_eq!(assertions::difference(&decisions, &model), None);
    }
}
