//! The witness finds nothing in what the router does, and finds what another router
//! would do wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::conversation::{Conversation, Effect, Input, Offer, OfferOutcome, OfferState, State};
use domain::event::{Cursor, Event, EventKind};
use domain::message::Medium;
use domain::operator::{self, Operator};
use domain::proof::{Finding, Law, Standing, Witness};
use domain::routing::{
    Cause, Decision, Dropped, Explanation, QueueRules, Relaxation, RoutingRules, Skills, Snapshot,
    Strategy, settle,
};
use domain::{ConversationId, Millis, OfferId, OperatorId, QueueId, Timestamp};
use proptest::prelude::{
    Just, ProptestConfig, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::strategy::Strategy as Arbitrarily;
use serde_json::json;

const NOW: Timestamp = Timestamp(10_000_000);
const QUEUES: [&str; 3] = ["sales", "support", "vip"];

/// A conversation that waits since so long before now.
fn chat(number: i64, queue: &str, age: Millis) -> Conversation {
    serde_json::from_value(json!({
        "id": number, "thread": number, "line": "site", "channel": "webchat",
        "medium": "chat", "queue": queue,
        "client": {
            "contact": "c", "display_name": "", "avatar_url": null, "address": "",
            "provisional": false, "known": false,
        },
        "state": "queued",
        "place": {"band": 0, "eligible_at": (NOW - age).0, "seq": number},
        "round": 1, "returned": false, "unread_count": 0, "created_at": 0, "version": 1,
    }))
    .expect("it is a conversation")
}

fn person(raw: i64, queues: &[(&str, i32, i32)]) -> Operator {
    let memberships: Vec<_> = queues
        .iter()
        .map(|(queue, rank, position)| json!({"queue": queue, "rank": rank, "position": position}))
        .collect();
    serde_json::from_value(json!({
        "id": raw, "login": "anna", "display_name": "Anna", "role": "operator",
        "disabled": false, "memberships": memberships, "capacity": 100,
        "auto_accept": false, "presence": "ready", "next_presence": null,
        "idle_since": raw, "load": {}, "misses": 0, "not_responding": false,
        "cool_down_until": null, "version": 1,
    }))
    .expect("it is an operator")
}

fn rules(strategies: [Strategy; 3]) -> RoutingRules {
    let queues = QUEUES.iter().zip(strategies).map(|(name, strategy)| {
        let mut own = QueueRules::new(QueueId::from(*name));
        own.relaxations = vec![Relaxation {
            after: Millis::from_secs(120),
            drop: Dropped::All,
        }];
        own.strategy = strategy;
        (own.id.clone(), own)
    });
    RoutingRules {
        queues: queues.collect(),
        ..RoutingRules::default()
    }
}

/// A gateway's rows and log, as the engine writes them.
#[derive(Clone)]
struct Books {
    now: Timestamp,
    conversations: BTreeMap<ConversationId, Conversation>,
    operators: BTreeMap<OperatorId, Operator>,
    log: Vec<Event>,
    ids: i64,
}

impl Books {
    fn new(
        conversations: impl IntoIterator<Item = Conversation>,
        operators: impl IntoIterator<Item = Operator>,
    ) -> Self {
        let by_id = |conversation: Conversation| (conversation.id, conversation);
        Self {
            now: NOW,
            conversations: conversations.into_iter().map(by_id).collect(),
            operators: operators.into_iter().map(|it| (it.id, it)).collect(),
            log: Vec::new(),
            ids: 1_000,
        }
    }

    fn witness(&self) -> Witness {
        let standing = self.conversations.values().filter_map(Standing::of);
        Witness::new(standing, self.operators.values().cloned())
    }

    fn snapshot(&self) -> Snapshot {
        let waiting = self
            .conversations
            .values()
            .filter_map(Conversation::waiting);
        Snapshot::new(waiting, self.operators.values().map(Operator::candidate))
    }

    fn emit(&mut self, kind: EventKind) {
        let cursor = Cursor(i64::try_from(self.log.len()).expect("it is short") + 1);
        let at = self.now;
        self.log.push(Event { cursor, at, kind });
    }

    fn operator(&mut self, id: OperatorId, input: operator::Input) {
        let known = self.operators.get_mut(&id).expect("they are there");
        known.handle(self.now, input);
        let known = Arc::new(known.clone());
        self.emit(EventKind::PresenceChanged(known));
    }

    fn change(&mut self, id: ConversationId, input: Input) -> Conversation {
        let known = self.conversations.get_mut(&id).expect("it is there");
        let effects = known.handle(self.now, input).expect("it may happen");
        let after = known.clone();
        self.emit(EventKind::ConversationChanged(Arc::new(after.clone())));
        let medium = after.medium;
        for effect in effects {
            match effect {
                Effect::Occupy { operator, turn } => {
                    self.operator(operator, operator::Input::Occupy { medium, turn });
                }
                Effect::Release { operator, handled } => {
                    self.operator(operator, operator::Input::Release { medium, handled });
                }
                Effect::Missed(operator) => {
                    self.operator(operator, operator::Input::Missed { medium });
                }
                Effect::Responded(operator) => {
                    self.operator(operator, operator::Input::Responded);
                }
                Effect::WrapUpBegun(operator) => {
                    self.operator(operator, operator::Input::WrapUpBegun);
                }
                Effect::WrapUpEnded(operator) => {
                    self.operator(operator, operator::Input::WrapUpEnded);
                }
                Effect::CoolDown { operator, until } => {
                    self.operator(operator, operator::Input::CoolDown { until });
                }
                Effect::OfferEnded { .. } => {}
            }
        }
        after
    }

    fn fresh(&mut self) -> OfferId {
        self.ids += 1;
        OfferId::new(self.ids)
    }

    fn offered(&mut self, id: ConversationId, all: BTreeMap<OperatorId, Explanation>) {
        let offers: BTreeMap<_, _> = all.keys().map(|who| (*who, self.fresh())).collect();
        let expires_at = self.now + Millis(30_000);
        let offered = self.change(
            id,
            Input::Ring {
                offers: offers.clone(),
                expires_at,
            },
        );
        for ((operator, offer), explanation) in offers.into_iter().zip(all.into_values()) {
            let offer = Arc::new(Offer {
                id: offer,
                conversation: id,
                operator,
                queue: offered.queue.clone(),
                state: OfferState::Pending,
                made_at: self.now,
                expires_at,
                explanation,
            });
            let conversation = Arc::new(offered.clone());
            self.emit(EventKind::OfferMade {
                offer,
                conversation,
            });
        }
    }

    fn apply(&mut self, decision: Decision) {
        let id = decision.conversation();
        match decision {
            Decision::Offer {
                operator,
                explanation,
                ..
            } => {
                self.offered(id, BTreeMap::from([(operator, explanation)]));
            }
            Decision::Ring { operators, .. } => self.offered(id, operators),
            Decision::Assign {
                operator,
                explanation,
                ..
            } => {
                let offer = self.fresh();
                let turn = offer.get();
                let assigned = self.change(id, Input::Assign { operator, turn });
                let at = self.now;
                self.emit(EventKind::OfferEnded(Arc::new(Offer {
                    id: offer,
                    conversation: id,
                    operator,
                    queue: assigned.queue,
                    state: OfferState::Ended {
                        at,
                        outcome: OfferOutcome::Accepted,
                    },
                    made_at: at,
                    expires_at: at,
                    explanation,
                })));
            }
            Decision::NextRound {
                round, not_before, ..
            } => {
                self.change(id, Input::NextRound { round, not_before });
            }
        }
    }

    fn settle(&mut self, rules: &RoutingRules) {
        for decision in settle(&self.snapshot(), rules, self.now) {
            self.apply(decision);
        }
    }

    /// An offer as some other router might make it.
    fn offer_anyway(&mut self, conversation: i64, operator: i64) {
        let id = ConversationId::new(conversation);
        let operator = OperatorId::new(operator);
        let known = &self.operators[&operator];
        let explanation = Explanation {
            cause: Cause::Queue,
            strategy: Strategy::LongestIdle,
            place: self.conversations[&id].place,
            round: 1,
            skills: Skills::default(),
            chosen: known.candidate().keys(&RoutingRules::default().capacity),
            runner_up: None,
            excluded: domain::routing::Excluded::default(),
        };
        self.offered(id, BTreeMap::from([(operator, explanation)]));
    }

    fn judged_by(&self, witness: &mut Witness, rules: &RoutingRules) -> Vec<Finding> {
        let log = self.log.iter();
        log.flat_map(|event| witness.see(event, rules)).collect()
    }
}

/// What a router that offers conversation 2 to operator 2 does wrong.
fn planted(change: impl FnOnce(&mut Books)) -> Vec<Law> {
    let sales = [("sales", 0, 0)];
    let mut books = Books::new(
        [
            chat(1, "support", Millis(5_000)),
            chat(2, "sales", Millis(4_000)),
        ],
        [person(2, &sales), person(3, &sales)],
    );
    change(&mut books);
    let rules = rules([Strategy::LongestIdle; 3]);
    let mut witness = books.witness();
    books.offer_anyway(2, 2);
    let found = books.judged_by(&mut witness, &rules);
    assert_eq!(witness.take_counts().offers, 1);
    found.iter().map(|finding| finding.law).collect()
}

fn op(books: &mut Books, raw: i64) -> &mut Operator {
    let known = books.operators.get_mut(&OperatorId::new(raw));
    known.expect("they are there")
}

fn conversation(books: &mut Books, raw: i64) -> &mut Conversation {
    let known = books.conversations.get_mut(&ConversationId::new(raw));
    known.expect("it is there")
}

fn active(mut conversation: Conversation, operator: i64) -> Conversation {
    conversation.state = State::Active {
        operator: OperatorId::new(operator),
        since: NOW,
    };
    conversation
}

#[test]
fn planted_violations_are_found() {
    assert_eq!(planted(|_| {}), []);
    let overtake = planted(|books| conversation(books, 1).queue = "sales".into());
    assert_eq!(overtake, [Law::Overtake]);
    let idle = planted(|books| op(books, 3).idle_since = Timestamp(1));
    assert_eq!(idle, [Law::IdleOrder]);
    let away = planted(|books| op(books, 2).disabled = true);
    assert_eq!(away, [Law::Unfit]);
    let asked = planted(|books| {
        conversation(books, 2).tried = BTreeSet::from([OperatorId::new(2)]);
    });
    assert_eq!(asked, [Law::Unfit]);
    let twice = planted(|books| conversation(books, 2).last_asked = Some(OperatorId::new(2)));
    assert_eq!(twice, [Law::Unfit]);
    let unable = planted(|books| {
        conversation(books, 2).skills = ["lang:ru"].into_iter().collect();
    });
    assert_eq!(unable, [Law::Unfit]);
    let held = planted(|books| conversation(books, 2).preferred = Some(OperatorId::new(3)));
    // Nobody else may be asked, so the other one came first.
    assert_eq!(held, [Law::Unfit]);
    let full = planted(|books| {
        for number in 10..14 {
            let number = ConversationId::new(number);
            let carried = active(chat(number.get(), "sales", Millis(0)), 2);
            books.conversations.insert(number, carried);
        }
    });
    assert_eq!(full, [Law::Capacity, Law::IdleOrder]);
}

#[test]
fn what_keeps_the_earlier_one_back_is_no_violation() {
    let kept: [fn(&mut Conversation); 4] = [
        |it| it.tried = BTreeSet::from([OperatorId::new(2)]),
        |it| it.not_before = Some(NOW + Millis(1)),
        |it| it.skills = ["lang:ru"].into_iter().collect(),
        |it| it.preferred = Some(OperatorId::new(3)),
    ];
    for keep in kept {
        let found = planted(|books| {
            let earlier = conversation(books, 1);
            earlier.queue = "sales".into();
            keep(earlier);
        });
        assert_eq!(found, []);
    }
}

#[test]
fn two_are_asked_at_once_only_where_all_are() {
    let check = |strategy, expect: &[Law]| {
        let rules = rules([strategy; 3]);
        let sales = [("sales", 0, 0)];
        let people = [person(1, &sales), person(2, &sales)];
        let mut books = Books::new([chat(1, "sales", Millis(0))], people);
        let mut witness = books.witness();
        let offers = [1, 2].map(|raw| (OperatorId::new(raw), OfferId::new(raw)));
        let expires_at = NOW + Millis(1);
        let input = Input::Ring {
            offers: offers.into(),
            expires_at,
        };
        books.change(ConversationId::new(1), input);
        let found = books.judged_by(&mut witness, &rules);
        let laws: Vec<_> = found.iter().map(|finding| finding.law).collect();
        assert_eq!(laws, expect);
    };
    check(Strategy::LongestIdle, &[Law::TwoPlaces]);
    check(Strategy::RingAll, &[]);
}

#[test]
fn work_that_is_left_is_told_once() {
    let rules = rules([Strategy::LongestIdle; 3]);
    let books = Books::new(
        [
            chat(1, "sales", Millis(5_000)),
            chat(2, "vip", Millis(5_000)),
        ],
        [person(1, &[("sales", 0, 0)])],
    );
    let mut witness = books.witness();
    let mut look = |after_ms| witness.look(NOW + Millis(after_ms), &rules);
    assert_eq!(look(0), []);
    assert_eq!(look(999), []);
    let found = look(1_000);
    let told: Vec<_> = found
        .iter()
        .map(|finding| (finding.law, finding.conversation.map(ConversationId::get)))
        .collect();
    assert_eq!(told, [(Law::WorkLeft, Some(1))]);
    assert_eq!(look(2_000), []);
    let mut settled = books.clone();
    settled.settle(&rules);
    assert_eq!(settled.judged_by(&mut witness, &rules), []);
    assert_eq!(witness.look(NOW + Millis(9_000), &rules), []);
}

#[test]
fn rows_are_compared_with_the_log() {
    let mut books = Books::new(
        [chat(1, "sales", Millis(0)), chat(2, "sales", Millis(0))],
        [person(1, &[]), person(2, &[])],
    );
    let witness = books.witness();
    conversation(&mut books, 2).place.band = 1;
    op(&mut books, 2).capacity = 1;
    let rows = &books.conversations;
    let differing = |(id, known): (ConversationId, &Standing)| {
        (Standing::of(&rows[&id]).as_ref() != Some(known)).then_some(id.get())
    };
    let found: Vec<_> = witness.sample(None, 9).filter_map(differing).collect();
    assert_eq!(found, [2]);
    assert_eq!(witness.sample(Some(ConversationId::new(1)), 9).count(), 1);
    assert_eq!(
        witness.differing(books.operators.values()),
        [OperatorId::new(2)]
    );
}

/// What the router does with these is judged: nothing is found.
fn keeps_its_laws(mut books: Books, strategies: [Strategy; 3]) {
    let rules = rules(strategies);
    for conversation in books.conversations.clone().into_values() {
        for carrier in conversation.carriers() {
            let medium = conversation.medium;
            op(&mut books, carrier.get()).load.occupy(medium);
        }
    }
    let mut witness = books.witness();
    books.settle(&rules);
    assert_eq!(books.judged_by(&mut witness, &rules), []);
    assert!(witness.take_counts().offers > 0);
    witness.look(NOW, &rules);
    assert_eq!(witness.suspects(), 0);
}

#[test]
fn a_circle_of_wishes_passes_nobody() {
    let old = Millis::from_secs(120);
    let mut chats = [
        chat(1, "sales", old),
        chat(2, "sales", Millis(0)),
        chat(3, "vip", old),
        chat(5, "sales", Millis(0)),
        chat(7, "vip", old),
    ];
    chats[0].place.band = 2;
    chats[2].tried = BTreeSet::from([OperatorId::new(5)]);
    chats[3].place.band = 2;
    chats[4].place.band = 1;
    chats[4].medium = Medium::Voice;
    let mut people = [
        person(2, &[("vip", 1, 0), ("sales", 0, 0)]),
        person(5, &[("vip", 0, 0), ("sales", 0, 0)]),
    ];
    for person in &mut people {
        person.idle_since = Timestamp(0);
        person.capacity = 150;
    }
    keeps_its_laws(
        Books::new(chats, people),
        [
            Strategy::LongestIdle,
            Strategy::LongestIdle,
            Strategy::StrictList,
        ],
    );
}

#[test]
fn turns_come_as_offers_are_numbered() {
    let mut chats = [chat(1, "sales", Millis(0)), chat(3, "support", Millis(0))];
    chats[0].place.band = -1;
    let mut people = [
        person(2, &[("support", 0, 0), ("sales", 0, 0)]),
        person(5, &[("sales", 1, 0), ("support", 1, 0)]),
    ];
    people[0].idle_since = Timestamp(9);
    keeps_its_laws(
        Books::new(chats, people),
        [
            Strategy::RingAll,
            Strategy::RoundRobin,
            Strategy::LongestIdle,
        ],
    );
}

#[test]
fn who_is_passed_over_for_one_who_accepts_by_themselves_looks_again() {
    let chats = [chat(1, "sales", Millis(2)), chat(2, "sales", Millis(1))];
    let mut people = [person(2, &[("sales", 0, 0)]), person(3, &[("sales", 0, 0)])];
    people[1].auto_accept = true;
    people[1].capacity = 25;
    keeps_its_laws(Books::new(chats, people), [Strategy::RingAll; 3]);
}

fn some_skills() -> impl Arbitrarily<Value = Skills> {
    proptest::sample::subsequence(vec!["billing", "lang:ru"], 0..=2)
        .prop_map(|names| names.into_iter().collect())
}

fn somebody() -> impl Arbitrarily<Value = Option<OperatorId>> {
    proptest::option::of((1_i64..=6).prop_map(OperatorId::new))
}

fn some_chat(number: i64) -> impl Arbitrarily<Value = Conversation> {
    let medium = prop_oneof![
        4 => Just(Medium::Chat),
        1 => Just(Medium::Email),
        1 => Just(Medium::Voice),
    ];
    let tried = proptest::collection::btree_set((1_i64..=6).prop_map(OperatorId::new), 0..=3);
    (
        (0_usize..3, medium, -1_i32..=2, 0_i64..1_200),
        (some_skills(), tried, somebody(), somebody()),
        (
            proptest::option::weighted(0.1, 1_i64..5_000),
            proptest::option::weighted(0.3, 1_i64..=6),
        ),
    )
        .prop_map(
            move |((at, medium, band, age), (skills, tried, preferred, last), (pause, owner))| {
                let mut found = chat(number, QUEUES[at], Millis::from_secs(age));
                found.medium = medium;
                found.place.band = band;
                found.skills = skills;
                found.tried = tried;
                found.preferred = preferred;
                found.last_asked = last;
                found.not_before = pause.map(|pause| NOW + Millis(pause));
                match owner {
                    Some(owner) => active(found, owner),
                    None => found,
                }
            },
        )
}

fn some_person(raw: i64) -> impl Arbitrarily<Value = Operator> {
    (
        proptest::collection::vec((0_usize..3, 0_i32..2, 0_i32..3), 1..=3),
        (some_skills(), proptest::option::weighted(0.1, 1_i64..5_000)),
        (
            0_i64..4,
            0_i64..4,
            proptest::bool::weighted(0.2),
            any::<bool>(),
        ),
        proptest::sample::select(vec![40_u32, 100, 150]),
    )
        .prop_map(
            move |(posts, (skills, cool), (idle, turn, auto, ready), capacity)| {
                let posts: Vec<_> = posts
                    .into_iter()
                    .map(|(at, rank, position)| (QUEUES[at], rank, position))
                    .collect();
                let mut found = person(raw, &posts);
                found.skills = skills;
                found.cool_down_until = cool.map(|cool| NOW + Millis(cool));
                found.idle_since = Timestamp(idle);
                found.turn = turn;
                found.auto_accept = auto;
                found.disabled = !ready && raw % 3 == 0;
                found.capacity = capacity;
                found
            },
        )
}

fn some_books() -> impl Arbitrarily<Value = (Books, RoutingRules)> {
    let chats: Vec<_> = (1..=10).map(some_chat).collect();
    let people: Vec<_> = (1..=6).map(some_person).collect();
    let strategies = proptest::array::uniform3(proptest::sample::select(&Strategy::ALL[..]));
    (chats, people, strategies, 0_usize..=10).prop_map(|(mut chats, people, strategies, count)| {
        chats.truncate(count);
        let mut books = Books::new(chats, people);
        for conversation in books.conversations.clone().into_values() {
            for carrier in conversation.carriers() {
                op(&mut books, carrier.get())
                    .load
                    .occupy(conversation.medium);
            }
        }
        (books, rules(strategies))
    })
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Books")
            .field("conversations", &self.conversations)
            .field("operators", &self.operators)
            .finish_non_exhaustive()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Two judges who share no code agree: the witness finds nothing in what the router
    /// does, and no work that it left.
    #[test]
    fn the_router_keeps_its_laws((mut books, rules) in some_books()) {
        let mut witness = books.witness();
        books.settle(&rules);
        let offers = books.log.iter().filter(|event| {
            matches!(
                event.kind,
                EventKind::OfferMade { .. } | EventKind::OfferEnded(_)
            )
        });
        let offers = offers.count() as u64;
        prop_assert_eq!(books.judged_by(&mut witness, &rules), []);
        let counts = witness.take_counts();
        prop_assert_eq!((counts.offers, counts.not_judged), (offers, 0));
        // The moments are one: nothing that time alone changes may come in between.
        let work = (witness.look(NOW, &rules), witness.suspects());
        prop_assert!(work.0.is_empty() && work.1 == 0, "{work:?}");
    }
}
