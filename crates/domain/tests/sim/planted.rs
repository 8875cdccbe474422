//! Defects, planted one at a time, to show that the simulation finds them.

use std::sync::Arc;

use domain::conversation::{Conversation, Input, State};
use domain::operator::{self, Operator};
use domain::routing::{Decision, Rule, settle};
use domain::{ConversationId, QueueId, Timestamp};

use crate::transition::{Run, Size};
use crate::world::{Against, World};

/// A defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    /// What comes back to the queue goes before everything.
    LifoRequeue,
    /// Loads are those of before the transaction.
    StaleCapacity,
    /// Away and back begins idleness anew.
    IdleResetOnAway,
    /// Held for somebody who is not there.
    StickyToAbsent,
    /// An offer stays with who has gone.
    OfferNotRevoked,
    /// Finishing up keeps nobody from anything.
    WrapUpLost,
    /// A transfer takes the age away.
    AgeLost,
    /// A new round forgets nobody.
    TriedKept,
    /// Of those who are asked at once, the second to accept has it too.
    DoubleAccept,
    /// Hours of another time zone.
    WrongHours,
}

const ALL: [(Planted, &str); 10] = [
    (Planted::LifoRequeue, "I5"),
    (Planted::StaleCapacity, "I4"),
    (Planted::IdleResetOnAway, "idle"),
    (Planted::StickyToAbsent, "I1"),
    (Planted::OfferNotRevoked, "T14"),
    (Planted::WrapUpLost, "wrap_up"),
    (Planted::AgeLost, "I5"),
    (Planted::TriedKept, "tried"),
    (Planted::DoubleAccept, "I6"),
    (Planted::WrongHours, "hours"),
];

const SEEDS: u64 = 60;

pub(crate) fn bend_input(world: &mut World, id: ConversationId, mut input: Input) -> Input {
    if world.planted == Some(Planted::AgeLost)
        && let Input::ToQueue { new_place, .. } = &mut input
        && new_place.is_none()
    {
        *new_place = Some(world.new_place());
    }
    if world.planted == Some(Planted::DoubleAccept)
        && let Input::Accept { offer, operator } = &input
        && !world.pending.contains_key(offer)
        && world.conversations[&id].owner().is_some()
    {
        input = Input::Take {
            operator: *operator,
            over_capacity: true,
        };
    }
    input
}

pub(crate) fn bend_after(world: &World, input: &Input, after: &mut Conversation) {
    let before = &world.conversations[&after.id];
    if world.planted == Some(Planted::LifoRequeue)
        && matches!(before.state, State::Offered { .. })
        && after.state == State::Queued
    {
        after.place.eligible_at = Timestamp(0);
    }
    if world.planted == Some(Planted::TriedKept) && matches!(input, Input::NextRound { .. }) {
        after.tried = before.tried.clone();
    }
}

pub(crate) fn bend_operator(
    planted: Option<Planted>,
    now: Timestamp,
    input: &operator::Input,
    operator: &mut Operator,
) {
    let chosen = matches!(input, operator::Input::SetPresence { .. });
    if planted == Some(Planted::IdleResetOnAway) && chosen {
        operator.idle_since = now;
    }
}

pub(crate) fn bend_effects(
    planted: Option<Planted>,
    mut effects: Vec<operator::Effect>,
) -> Vec<operator::Effect> {
    if planted == Some(Planted::OfferNotRevoked) {
        effects.retain(|effect| *effect != operator::Effect::Gone);
    }
    effects
}

pub(crate) fn bend_settle(world: &mut World) -> Vec<Decision> {
    let Some(planted) = world.planted else {
        return settle(&world.snapshot, &world.rules, world.now);
    };
    let mut snapshot = world.snapshot.clone();
    match planted {
        Planted::StaleCapacity => {
            for stale in &world.stale {
                let mut candidate = world.operators[&stale.id].candidate();
                candidate.load = stale.load.clone();
                snapshot.put_operator(candidate);
            }
            world.stale = world.operators.values().cloned().collect();
        }
        Planted::StickyToAbsent => {
            for waiting in world.snapshot.waiting() {
                let until = waiting.place.eligible_at + world.rules.of(&waiting.queue).sticky_wait;
                let preferred = waiting.preferred.map(|it| &world.operators[&it]);
                if until > world.now && preferred.is_some_and(|it| it.barred(world.now).is_some()) {
                    snapshot.remove(waiting.conversation);
                }
            }
        }
        Planted::WrapUpLost => {
            for candidate in world.snapshot.operators() {
                if candidate.barred == Some(Rule::WrapUp) {
                    let mut candidate = candidate.clone();
                    candidate.barred = None;
                    snapshot.put_operator(candidate);
                }
            }
        }
        Planted::LifoRequeue
        | Planted::IdleResetOnAway
        | Planted::OfferNotRevoked
        | Planted::AgeLost
        | Planted::TriedKept
        | Planted::DoubleAccept
        | Planted::WrongHours => {}
    }
    settle(&snapshot, &world.rules, world.now)
}

/// TD3: every one of them is found, and by what it breaks.
#[test]
fn ten_of_ten_planted_defects_are_found() {
    let mut found = Vec::new();
    for (planted, invariant) in ALL {
        let seed = (0..SEEDS).find(|seed| {
            let mut run = Run::new(*seed, Size::Middle, Against::Invariants);
            run.world.planted = Some(planted);
            if planted == Planted::WrongHours {
                let night = run.world.hours[&QueueId::from("night")];
                run.world.schedule = Some(Arc::new(night.schedule("Africa/Lagos")));
            }
            run.go(200);
            let violations = &run.world.violations;
            violations.iter().any(|it| it.contains(invariant))
        });
        match seed {
            Some(seed) => found.push(format!("{planted:?} by {invariant} at seed {seed}")),
            None => eprintln!("{planted:?} is not found"),
        }
    }
    for line in &found {
        eprintln!("{line}");
    }
    assert_eq!(found.len(), ALL.len());
}
