//! Failures seen in public trackers of other systems, one test each.

use domain::conversation::{Input, Refusal, State};
use domain::message::Medium::{Chat, Email, Messenger, Voice};
use domain::operator::Presence;
use domain::routing::{Place, RoutingRules};
use domain::{ConversationId, Millis, OperatorId, Timestamp};

use crate::world::World;

fn office(queues_of_each: &[&[(&str, i32)]]) -> (World, Vec<OperatorId>) {
    let mut world = World::new(RoutingRules::default());
    let them = queues_of_each.iter().zip(1..);
    let them = them.map(|(queues, id)| world.hire(id, queues)).collect();
    (world, them)
}

fn away() -> Presence {
    Presence::Away {
        reason: "lunch".to_owned(),
    }
}

fn sound(world: &World) {
    assert_eq!(world.violations, Vec::<String>::new());
}

#[test]
fn t1_backlog_drains_oldest_first_on_every_free_event() {
    let (mut world, them) = office(&[&[("sales", 0)]]);
    world.say(them[0], Presence::Offline);
    let mut backlog = Vec::new();
    for _ in 0..20 {
        backlog.push(world.arrive("sales", Messenger));
        world.pass_time(world.now + Millis::from_secs(1));
    }
    world.say(them[0], Presence::Ready);
    for (served, id) in backlog.iter().enumerate() {
        assert_eq!(world.operator_of(*id), Some(them[0]), "number {served}");
        let with_operator = backlog
            .iter()
            .filter(|id| world.operator_of(**id).is_some());
        assert_eq!(with_operator.count(), 5.min(backlog.len() - served));
        world.accept(*id).unwrap();
        world.finish(*id).unwrap();
    }
    sound(&world);
}

#[test]
fn t4_operators_are_ordered_by_share_then_idleness_then_id() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)], &[("sales", 0)]]);
    world.operators.get_mut(&them[1]).unwrap().capacity = 200;
    let order: Vec<_> = (0..8)
        .map(|_| {
            let id = world.arrive("sales", Chat);
            world.operator_of(id).unwrap().get()
        })
        .collect();
    // Shares in quarters: 1, 2, 3 are idle; 2 can carry twice as much.
    assert_eq!(order, [1, 2, 3, 2, 1, 2, 3, 2]);
    sound(&world);
}

#[test]
fn t4_away_and_back_does_not_send_to_the_end() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)]]);
    world.say(them[0], away());
    world.say(them[0], Presence::Ready);
    let id = world.arrive("sales", Chat);
    assert_eq!(world.operator_of(id), Some(them[0]));
    sound(&world);
}

#[test]
fn t5_capacity_counts_offers() {
    let (mut world, them) = office(&[&[("sales", 0)]]);
    let all: Vec<_> = (0..64).map(|_| world.arrive("sales", Chat)).collect();
    let offered = |world: &World| {
        let with_operator = all.iter().filter(|id| world.operator_of(**id).is_some());
        with_operator.count()
    };
    assert_eq!(offered(&world), 4, "four chats of 25 units");
    let accepted = all.iter().filter(|id| world.accept(**id).is_ok()).count();
    assert_eq!(accepted, 4);
    assert_eq!(offered(&world), 4);
    let anna = &world.operators[&them[0]];
    assert_eq!(anna.load.units(&world.rules.capacity), 100);
    sound(&world);
}

#[test]
fn t6_one_accept_wins_and_the_late_one_is_told() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)]]);
    let id = world.arrive("sales", Chat);
    let State::Offered { offer, .. } = world.conversations[&id].state else {
        panic!("it is offered");
    };
    world.pass_time(world.now + Millis::from_secs(30));
    let late = Input::Accept {
        offer,
        operator: them[0],
    };
    assert_eq!(world.act(id, late), Err(Refusal::OfferEnded));
    assert_eq!(world.operator_of(id), Some(them[1]));
    assert_eq!(world.accept(id), Ok(()));
    assert_eq!(world.accept(id), Err(Refusal::OfferEnded));
    sound(&world);
}

#[test]
fn t8_order_across_queues() {
    let (mut world, them) = office(&[&[("sales", 1), ("support", 0), ("calls", 1)]]);
    world.say(them[0], Presence::Offline);
    let mut arrive = |queue| {
        world.pass_time(world.now + Millis::from_secs(1));
        world.arrive(queue, Voice)
    };
    let (sales, calls) = (arrive("sales"), arrive("calls"));
    let (support, later) = (arrive("support"), arrive("sales"));
    world.say(them[0], Presence::Ready);
    // A call takes everything, so they come one by one: rank first, then age.
    for id in [support, sales, calls, later] {
        assert_eq!(world.operator_of(id), Some(them[0]));
        world.accept(id).unwrap();
        world.finish(id).unwrap();
    }
    sound(&world);
}

#[test]
fn t9_somebody_always_comes_first() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)], &[("sales", 0)]]);
    for operator in world.operators.values_mut() {
        operator.idle_since = Timestamp(500);
    }
    let mut place = None;
    for round in 0..20 {
        let id = world.arrive("sales", Voice);
        let same: &Place = place.get_or_insert(world.conversations[&id].place);
        let same = *same;
        world.act(id, Input::Move { place: same }).unwrap();
        let first = world.operator_of(id).unwrap();
        world.decline(id).unwrap();
        assert_ne!(world.operator_of(id), Some(first), "round {round}");
        world.accept(id).unwrap();
        world.finish(id).unwrap();
        world.pass_time(world.now + Millis::from_secs(10));
    }
    assert_eq!(them.len(), 3);
    sound(&world);
}

#[test]
fn t9_the_only_operator_is_asked_again_after_a_pause() {
    let (mut world, them) = office(&[&[("sales", 0)]]);
    let id = world.arrive("sales", Chat);
    world.decline(id).unwrap();
    assert_eq!(world.operator_of(id), None);
    assert_eq!(world.conversations[&id].round, 2);
    world.pass_time(world.now + Millis(9_999));
    assert_eq!(world.operator_of(id), None, "ten seconds to cool down");
    world.pass_time(world.now + Millis(1));
    assert_eq!(world.operator_of(id), Some(them[0]));
    sound(&world);
}

#[test]
fn t10_an_ineligible_head_blocks_nobody() {
    let (mut world, them) = office(&[&[("sales", 0)]]);
    let mail = world.arrive("sales", Email);
    world.accept(mail).unwrap();
    let call = world.arrive("sales", Voice);
    let nobodys = world.arrive("elsewhere", Chat);
    let chat = world.arrive("sales", Chat);
    assert_eq!(world.operator_of(call), None, "no room for a call");
    assert_eq!(world.operator_of(nobodys), None);
    assert_eq!(world.operator_of(chat), Some(them[0]));
    sound(&world);
}

#[test]
fn t14_an_offer_does_not_stay_with_who_went_away() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)]]);
    let ids: Vec<ConversationId> = (0..4).map(|_| world.arrive("sales", Chat)).collect();
    let place = world.conversations[&ids[0]].place;
    assert_eq!(world.operator_of(ids[0]), Some(them[0]));
    world.accept(ids[2]).unwrap();
    world.say(them[0], away());
    assert_eq!(world.operator_of(ids[0]), Some(them[1]));
    assert_eq!(world.conversations[&ids[0]].place, place);
    assert_eq!(
        world.operator_of(ids[2]),
        Some(them[0]),
        "what was accepted stays"
    );
    assert_eq!(world.figures.revoked, 1);
    assert_eq!(world.operators[&them[0]].misses, 0);
    sound(&world);
}

#[test]
fn the_last_asked_gets_it_when_nobody_else_is_free_any_more() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0), ("calls", 0)]]);
    for id in &them {
        world.say(*id, Presence::Offline);
    }
    let call = world.arrive("calls", Voice);
    let chat = world.arrive("sales", Chat);
    world.conversations.get_mut(&chat).unwrap().last_asked = Some(them[0]);
    for operator in world.operators.values_mut() {
        operator.presence = Presence::Ready;
    }
    // The first is skipped for the chat while the second is free, who takes the
    // older call: then the first gets the chat after all.
    world.settle();
    assert_eq!(world.operator_of(call), Some(them[1]));
    assert_eq!(world.operator_of(chat), Some(them[0]));
    sound(&world);
}
