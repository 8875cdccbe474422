//! What holds of a promise whatever happens to it, and in whatever order.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use domain::conversation::Client;
use domain::obligation::{
    Cause, Input, Kind, Maker, Notice, Obligation, Outcome, Rule, Stage, State, Terms, Wish,
};
use domain::{ContactId, Millis, ObligationId, OperatorId, QueueId, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;

const MADE: Timestamp = Timestamp(1_000);

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Time passes, and every timer fires when it is due.
    Wait(i64),
    /// Time passes while the gateway is down; then the timers fire once.
    Stop(i64),
    Keep,
    Waive,
    Move(Wish, i64),
    Assign(Option<i64>),
    Gone(i64),
}

fn a_step() -> impl Strategy<Value = Step> {
    let wish = prop_oneof![Just(Wish::Client), Just(Wish::Ours)];
    prop_oneof![
        8 => (0..200_i64).prop_map(Step::Wait),
        2 => (0..900_i64).prop_map(Step::Stop),
        1 => Just(Step::Keep),
        1 => Just(Step::Waive),
        4 => (wish, -20..500_i64).prop_map(|(wish, by)| Step::Move(wish, by)),
        2 => prop::option::of(1..4_i64).prop_map(Step::Assign),
        2 => (1..4_i64).prop_map(Step::Gone),
    ]
}

fn some_terms() -> impl Strategy<Value = Terms> {
    (0..200_i64, 0..200_i64, 0..600_i64).prop_map(|(lead, grace, limit)| Terms {
        lead: Millis(lead),
        grace: Millis(grace),
        limit: Millis(limit),
    })
}

fn promise(terms: Terms, within: i64, owner: Option<i64>) -> Obligation {
    Obligation {
        id: ObligationId::new(1),
        kind: Kind::Reply,
        client: Client {
            contact: ContactId::from("c"),
            display_name: String::new(),
            avatar_url: None,
            address: String::new(),
            provisional: false,
            known: false,
        },
        origin: ContactId::from("c"),
        conversation: None,
        thread: None,
        line: None,
        queue: QueueId::from("main"),
        owner: owner.map(OperatorId::new),
        note: String::new(),
        reach: String::new(),
        created_at: MADE,
        created_by: Maker::Rule(Rule::OnAbandoned),
        promised_for: MADE + Millis(within),
        due_at: MADE + Millis(within),
        set_at: MADE,
        terms,
        state: State::Open {
            stage: Stage::Promised,
            escalated: None,
        },
        moves: Vec::new(),
        version: 1,
    }
}

/// The promise with what is known of it from outside.
struct World {
    now: Timestamp,
    promise: Obligation,
    /// What it is to be judged by.
    judged_by: Timestamp,
    /// What was told since it was given its time.
    told: BTreeSet<Notice>,
    ended: u32,
}

impl World {
    #[expect(clippy::needless_pass_by_value, reason = "reads as the machine's own")]
    fn happen(&mut self, input: Input) {
        let before = self.promise.clone();
        let result = self.promise.handle(self.now, input.clone());
        let Ok(notice) = result else {
            assert_eq!(self.promise, before, "a refusal changes nothing");
            return;
        };
        assert!(before.is_open(), "{before:?} took {input:?}");
        if let Input::Move { due_at, wish, .. } = input {
            if wish == Wish::Client && self.now <= self.judged_by {
                self.judged_by = due_at;
            }
            self.told.clear();
        }
        if matches!(input, Input::Assign { .. }) {
            // Whoever gets it may be told again that it is overdue.
            self.told.remove(&Notice::Escalated);
        }
        if let Some(notice) = notice {
            assert!(self.told.insert(notice), "{notice:?} is told twice");
        }
        if let Some(outcome) = self.promise.outcome() {
            self.ended += 1;
            let expect = match input {
                Input::Keep { .. } if self.now <= self.judged_by => Outcome::Kept,
                Input::Keep { .. } => Outcome::Late,
                Input::Waive { .. } => Outcome::Waived,
                Input::Due => Outcome::Broken,
                Input::Move { .. } | Input::Assign { .. } | Input::OwnerGone { .. } => {
                    panic!("{input:?} ended it")
                }
            };
            assert_eq!(outcome, expect, "at {}", self.now);
            assert_eq!(self.promise.ended_at(), Some(self.now));
        }
    }

    /// Fires what is due by now.
    fn fire(&mut self) {
        if self
            .promise
            .next_deadline()
            .is_some_and(|at| at <= self.now)
        {
            let before = self.promise.state.clone();
            self.happen(Input::Due);
            assert_ne!(
                self.promise.state, before,
                "a timer that changes nothing fires for ever"
            );
        }
        let late = self
            .promise
            .next_deadline()
            .is_some_and(|at| at <= self.now);
        assert!(!late, "once is enough: {:?}", self.promise);
    }

    fn wait(&mut self, until: Timestamp) {
        while let Some(at) = self.promise.next_deadline().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.fire();
        }
        self.now = until;
        self.check();
    }

    fn check(&self) {
        let promise = &self.promise;
        assert_eq!(promise.next_deadline().is_some(), promise.is_open());
        assert_eq!(promise.outcome().is_some(), !promise.is_open());
        assert!(self.ended <= 1, "it ends once");
        assert_eq!(promise.promised_for, self.judged_by);
        if let State::Open { stage, escalated } = promise.state {
            let (due, terms) = (promise.due_at, promise.terms);
            assert!(
                self.now < due + terms.limit.max(terms.grace),
                "it is broken"
            );
            assert_eq!(due <= self.now, stage == Stage::Due);
            if due + terms.grace <= self.now {
                assert!(escalated.is_some(), "nobody sees to it");
            }
            if promise.owner.is_some() {
                assert_ne!(escalated, Some(Cause::OwnerGone));
            }
        }
        for pair in promise.moves.windows(2) {
            assert_eq!(pair[0].to, pair[1].from, "the history has no gaps");
        }
        let last = promise.moves.last();
        assert!(last.is_none_or(|last| last.to == promise.due_at));
        let text = serde_json::to_string(promise).unwrap();
        assert_eq!(serde_json::from_str::<Obligation>(&text).unwrap(), *promise);
    }

    fn step(&mut self, step: Step) {
        let by = Some(OperatorId::new(1));
        match step {
            Step::Wait(span) => return self.wait(self.now + Millis(span)),
            Step::Stop(span) => self.now = self.now + Millis(span),
            Step::Keep => self.happen(Input::Keep { by }),
            Step::Waive => self.happen(Input::Waive {
                by,
                reason: "not needed".to_owned(),
            }),
            Step::Move(wish, span) => self.happen(Input::Move {
                by,
                due_at: self.now + Millis(span),
                wish,
                reason: String::new(),
            }),
            Step::Assign(owner) => self.happen(Input::Assign {
                owner: owner.map(OperatorId::new),
            }),
            Step::Gone(operator) => self.happen(Input::OwnerGone {
                operator: OperatorId::new(operator),
            }),
        }
        self.fire();
        self.check();
    }
}

proptest! {
    #[test]
    fn a_promise_ends_once_and_as_it_should(
        terms in some_terms(),
        within in 1..500_i64,
        owner in prop::option::of(1..4_i64),
        steps in vec(a_step(), 1..40),
    ) {
        let promise = promise(terms, within, owner);
        let mut world = World {
            now: MADE,
            judged_by: promise.promised_for,
            promise,
            told: BTreeSet::new(),
            ended: 0,
        };
        for step in steps {
            world.step(step);
        }
        // Left alone it ends by itself.
        world.wait(world.now + Millis(10_000));
        prop_assert_eq!(world.ended, 1);
        let last = world.promise.clone();
        for input in [Input::Due, Input::Keep { by: None }, Input::Assign { owner: None }] {
            world.happen(input);
        }
        prop_assert_eq!(world.promise, last, "what has ended stays as it is");
    }
}
