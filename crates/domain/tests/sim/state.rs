//! What holds of every state between two events.

use std::collections::BTreeMap;

use domain::conversation::{Conversation, State};
use domain::message::Medium;
use domain::operator::{GRACE, Link, Load, Operator, Presence};
use domain::routing::Snapshot;
use domain::{OfferId, OperatorId};

use crate::world::World;

/// What two places told differently.
pub(crate) fn violations(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    let mut carried: BTreeMap<OperatorId, Carried> = BTreeMap::new();
    let mut pending = BTreeMap::new();
    for conversation in world.conversations.values() {
        of_conversation(world, conversation, &mut found);
        for carrier in conversation.carriers() {
            carried.entry(carrier).or_default().add(conversation);
        }
        for (operator, offer) in conversation.asked() {
            pending.insert(offer, (conversation.id, operator));
            of_offer(&world.operators[&operator], offer, &mut found);
        }
    }
    for operator in world.operators.values() {
        let carried = carried.remove(&operator.id).unwrap_or_default();
        of_operator(world, operator, &carried, &mut found);
    }
    if pending != world.pending {
        found.push("I6: pending offers and offered conversations differ".to_owned());
    }
    let open = u64::try_from(world.conversations.len()).unwrap_or(u64::MAX);
    if world.opened != open + world.ended {
        found.push("conservation: opened is not open and ended".to_owned());
    }
    let waiting = |it: &&Conversation| it.state == State::Queued;
    let waiting = world.conversations.values().filter(waiting).count();
    if waiting != world.snapshot.len() {
        found.push("nobody in two places: the snapshot and the queue differ".to_owned());
    }
    found
}

/// The snapshot that was kept is what is made anew from what is durable.
pub(crate) fn of_snapshot(world: &World) -> Option<String> {
    let office = world.office();
    let anew = Snapshot::new(office.waiting, office.operators);
    (anew != world.snapshot).then(|| "the snapshot is not what is durable".to_owned())
}

#[derive(Default)]
struct Carried {
    load: Load,
    by_the_rules: Load,
    wrapping_up: u32,
}

impl Carried {
    fn add(&mut self, conversation: &Conversation) {
        let Conversation { medium, state, .. } = conversation;
        self.load.occupy(*medium);
        if !conversation.over_capacity {
            self.by_the_rules.occupy(*medium);
        }
        self.wrapping_up += u32::from(matches!(state, State::WrapUp { .. }));
    }
}

fn of_conversation(world: &World, it: &Conversation, found: &mut Vec<String>) {
    let id = it.id;
    if it.next_deadline().is_some_and(|at| at <= world.now) {
        found.push(format!("{id}: a deadline has passed: {:?}", it.state));
    }
    let asked = world.asked.get(&id).cloned().unwrap_or_default();
    if it.tried != asked {
        let tried = &it.tried;
        found.push(format!("tried: {id} has {tried:?}, asked were {asked:?}"));
    }
    if let State::Active { operator, since } = it.state
        && it.medium.is_live()
        && let Some(down) = world.down.get(&operator)
        && since.max(*down) + GRACE <= world.now
    {
        found.push(format!("T2: {operator} is lost and has {id}"));
    }
    if let State::Deferred { until } = it.state {
        let home = it.overflow_home.as_ref().unwrap_or(&it.queue);
        let opens = world.hours.get(home).map(|hours| {
            let before = until - domain::Millis(1);
            hours.is_open(until) && !hours.is_open(before)
        });
        if opens != Some(true) {
            found.push(format!(
                "hours: {id} waits for {until}, which is no opening"
            ));
        }
    }
    if it.state == State::Queued {
        let home = it.overflow_home.as_ref().unwrap_or(&it.queue);
        if world
            .hours
            .get(home)
            .is_some_and(|hours| !hours.is_open(world.now))
        {
            found.push(format!("hours: {id} waits while {home} is closed"));
        }
    }
    if let State::Abandoned { .. } = it.state
        && it.callback.is_some()
    {
        found.push(format!("{id}: who waits for a call has given up"));
    }
}

fn of_offer(operator: &Operator, offer: OfferId, found: &mut Vec<String>) {
    let takes_offers = operator.presence == Presence::Ready
        && operator.link != Link::Down
        && !operator.not_responding
        && !operator.disabled;
    if !takes_offers {
        found.push(format!("T14: {offer} stays with {}", operator.id));
    }
}

fn of_operator(world: &World, it: &Operator, carried: &Carried, found: &mut Vec<String>) {
    let id = it.id;
    if it.load != carried.load {
        found.push(format!("load of {id} is not what it carries"));
    }
    if it.wrapping_up != carried.wrapping_up {
        found.push(format!("wrap-up of {id} is not what it finishes up"));
    }
    let units = carried.by_the_rules.units(&world.rules.capacity);
    let calls = carried.by_the_rules.count(Medium::Voice);
    if !world.shrunk && (units > it.capacity || calls > 1) {
        found.push(format!("I4: {id} carries {units} of {}", it.capacity));
    }
    if it.next_deadline().is_some_and(|at| at <= world.now) {
        found.push(format!("{id}: a deadline has passed"));
    }
    if it.idle_since != world.idle[&id] {
        let (has, was) = (it.idle_since, world.idle[&id]);
        found.push(format!("idle: {id} has {has} and not {was}"));
    }
}
