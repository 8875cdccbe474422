//! The order of operators under each strategy, and queues of several together.

use super::*;

/// Three operators, one of them busy, who stand in another order by every key.
fn office() -> Vec<Candidate> {
    let mut them: Vec<_> = (1..=4).map(operator).collect();
    for (it, (idle_since, turn, position)) in
        them.iter_mut()
            .zip([(40, 9, 2), (30, 8, 4), (20, 0, 3), (10, 7, 1)])
    {
        it.idle_since = Timestamp(idle_since);
        it.turn = turn;
        it.memberships[0].position = position;
    }
    // A quarter of 100, of two: more conversations, and a smaller share.
    them[3].load.occupy(Medium::Chat);
    them[2].capacity = 400;
    them[2].load.occupy(Medium::Form);
    them[2].load.occupy(Medium::Form);
    them
}

fn served(strategy: Strategy, count: i64) -> Vec<i64> {
    let rules = rules_of_sales(|sales| sales.strategy = strategy);
    let snapshot = Snapshot::new((1..=count).map(chat), office());
    let decisions = settle(&snapshot, &rules, NOW);
    assert!(decisions.is_sorted_by_key(Decision::conversation));
    pairs(&decisions).into_iter().map(|(_, who)| who).collect()
}

#[test]
fn each_strategy_has_its_order() {
    // Shares of 0, 0, 1/20 and 1/4; of the idle ones the second is idle longer.
    assert_eq!(served(Strategy::LongestIdle, 6), [2, 1, 3, 3, 3, 3]);
    // 0, 0, 2 and 1 conversations; then the longest idle of the equally busy.
    assert_eq!(served(Strategy::LeastBusy, 6), [2, 1, 4, 2, 1, 4]);
    // Who was never asked, then by turns.
    assert_eq!(served(Strategy::RoundRobin, 6), [3, 4, 2, 1, 3, 4]);
    // From the top of the list as long as there is room.
    assert_eq!(served(Strategy::StrictList, 6), [4, 4, 4, 1, 1, 1]);
    assert_eq!(served(Strategy::Manual, 6), Vec::<i64>::new());
}

#[test]
fn everybody_who_is_free_is_asked_at_once() {
    let rules = rules_of_sales(|sales| sales.strategy = Strategy::RingAll);
    let mut them: Vec<_> = (1..=5).map(operator).collect();
    them[1].load.occupy(Medium::Voice);
    them[2].memberships.push(member_of("calls", -1));
    let urgent = chat_in("calls", 9);
    let tried = Waiting {
        tried: BTreeSet::from([id(4)]),
        ..chat(1)
    };
    let snapshot = Snapshot::new([tried, urgent], them);
    let decisions = settle(&snapshot, &rules, NOW);
    let [ring, calls] = &decisions[..] else {
        panic!("there are two: {decisions:?}");
    };
    assert_eq!(explanation(calls).chosen.operator, id(3));
    let Decision::Ring {
        operators,
        expires_at,
        ..
    } = ring
    else {
        panic!("all are asked: {ring:?}");
    };
    assert_eq!(*expires_at, Timestamp(130_000));
    let asked: Vec<_> = operators.keys().map(|it| it.get()).collect();
    assert_eq!(asked, [1, 5]);
    for (who, why) in operators {
        assert_eq!(why.cause, Cause::Ring);
        assert_eq!(why.derive(), *who);
        let other = if *who == id(1) { id(5) } else { id(1) };
        assert_eq!(why.runner_up.map(|it| it.operator), Some(other));
        assert_eq!(
            why.excluded.by_rule(),
            BTreeMap::from([
                (Rule::WhileOn, BTreeSet::from([id(2)])),
                (Rule::Tried, BTreeSet::from([id(4)])),
                (Rule::HasBetter, BTreeSet::from([id(3)])),
            ])
        );
    }
}

#[test]
fn who_accepts_by_themselves_has_what_rings() {
    let rules = rules_of_sales(|sales| sales.strategy = Strategy::RingAll);
    let mut them: Vec<_> = (1..=3).map(operator).collect();
    them[1].auto_accept = true;
    let decisions = settle(&Snapshot::new([chat(1)], them), &rules, NOW);
    let [Decision::Assign { explanation, .. }] = &decisions[..] else {
        panic!("it is given: {decisions:?}");
    };
    assert_eq!(explanation.chosen.operator, id(2));
    assert_eq!(explanation.cause, Cause::Ring);
    assert_eq!(explanation.derive(), id(2));
    assert_eq!(explanation.excluded.by_rule(), BTreeMap::new());
}

#[test]
fn who_does_not_get_what_rings_finds_something_else() {
    let rules = rules_of_sales(|sales| sales.strategy = Strategy::RingAll);
    let mut them = [operator(1), operator(2)];
    them[0].memberships.push(member_of("support", 1));
    them[1].auto_accept = true;
    let waiting = [chat(1), chat_in("support", 2)];
    let decisions = settle(&Snapshot::new(waiting, them), &rules, NOW);
    assert_eq!(pairs(&decisions), [(1, 2), (2, 1)]);
}

#[test]
fn of_two_who_want_each_others_the_older_conversation_has_its_choice() {
    // The list of sales begins with 2, that of support with 1; 1 prefers sales, 2
    // prefers support.
    let mut rules = rules_of_sales(|sales| sales.strategy = Strategy::StrictList);
    let mut support = rules.queues[&QueueId::from("sales")].clone();
    support.id = QueueId::from("support");
    rules.queues.insert(support.id.clone(), support);
    let works = |raw, sales: (i32, i32), support: (i32, i32)| {
        let membership = |queue: &str, (rank, position)| Membership {
            queue: QueueId::from(queue),
            rank,
            position,
        };
        Candidate {
            memberships: vec![membership("sales", sales), membership("support", support)],
            capacity: 25,
            ..operator(raw)
        }
    };
    let them = [works(1, (0, 2), (1, 1)), works(2, (1, 1), (0, 2))];
    for (sales, support, expect) in [(1, 2, [(1, 2), (2, 1)]), (2, 1, [(1, 1), (2, 2)])] {
        let waiting = [chat_in("sales", sales), chat_in("support", support)];
        let decisions = settle(&Snapshot::new(waiting, them.clone()), &rules, NOW);
        assert_eq!(pairs(&decisions), expect);
    }
}

#[test]
fn a_band_counts_until_age_counts_more() {
    let band = |number: i64, band| Waiting {
        place: Place {
            band,
            ..chat(number).place
        },
        ..chat(number)
    };
    let first_at = |now| {
        let snapshot = Snapshot::new([band(1, 5), band(2, 1), chat(3)], [operator(1)]);
        let decisions = settle(&snapshot, &RoutingRules::default(), Timestamp(now));
        let order = decisions.iter().map(|it| it.conversation().get());
        order.collect::<Vec<_>>()
    };
    assert_eq!(first_at(100_000), [3, 2, 1]);
    // After a quarter of an hour by age alone, but for what was moved to the front.
    assert_eq!(first_at(900_001), [1, 3, 2]);
    assert_eq!(first_at(900_002), [1, 2, 3]);
    let moved = band(4, -1);
    let snapshot = Snapshot::new([band(1, 5), moved], [operator(1)]);
    let decisions = settle(&snapshot, &RoutingRules::default(), Timestamp(2_000_000));
    assert_eq!(decisions[0].conversation().get(), 4);
}
