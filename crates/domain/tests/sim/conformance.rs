//! Failures seen in public trackers of other systems, one test each.
//!
//! T12 is in `seeds`. What is of the whole gateway is in the `e2e` package: T7 is
//! `feed::everything_is_seen_once_across_gaps`, T15 and T17 are
//! `racing::a_burst_of_first_messages_makes_one_contact_each`, T16 is
//! `racing::a_form_that_is_sent_again_and_again_is_one_submission`, and T18 is
//! `racing::a_retried_message_is_sent_once`.

use domain::conversation::{Input, Refusal, State};
use domain::message::Medium::{Chat, Email, Messenger, Voice};
use domain::operator::{self, Presence};
use domain::routing::{Place, QueueRules, RoutingRules, Rule, Skills, Strategy, WrapUp};
use domain::{ConversationId, Millis, OperatorId, QueueId, Timestamp};

use crate::world::World;

const SECOND: Millis = Millis::from_secs(1);

fn office(queues_of_each: &[&[(&str, i32)]]) -> (World, Vec<OperatorId>) {
    office_by(|_| {}, queues_of_each)
}

/// With rules of the queue `sales` that are not the usual ones.
fn office_by(
    change: fn(&mut QueueRules),
    queues_of_each: &[&[(&str, i32)]],
) -> (World, Vec<OperatorId>) {
    let mut sales = QueueRules::new(QueueId::from("sales"));
    change(&mut sales);
    let mut world = World::new(RoutingRules {
        queues: [(sales.id.clone(), sales)].into(),
        ..RoutingRules::default()
    });
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
        world.wait(SECOND);
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
fn t2_what_cannot_wait_for_a_lost_operator_goes_to_others_with_its_place() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)]]);
    let [chat, mail, asked] = [Chat, Email, Chat].map(|medium| {
        let id = world.arrive("sales", medium);
        let operator = them[0];
        let take = Input::Take {
            operator,
            over_capacity: false,
        };
        if medium != Chat || world.conversations.len() == 1 {
            world.act(id, take).unwrap();
        }
        id
    });
    let place = world.conversations[&chat].place;
    world.tell(them[0], &operator::Input::Disconnected);
    assert_eq!(world.operator_of(asked), Some(them[1]), "asked at once");
    world.wait(Millis(59_999));
    assert_eq!(world.operator_of(chat), Some(them[0]), "the grace");
    world.wait(Millis(1));
    assert_eq!(world.operator_of(chat), Some(them[1]));
    assert_eq!(world.conversations[&chat].place, place);
    assert!(world.conversations[&chat].returned);
    assert_eq!(world.operator_of(mail), Some(them[0]), "mail waits");
    assert_eq!(world.operators[&them[0]].presence, Presence::Offline);
    sound(&world);
}

#[test]
fn t2_who_is_back_within_the_grace_goes_on() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)]]);
    let chat = world.arrive("sales", Chat);
    world.accept(chat).unwrap();
    world.tell(them[0], &operator::Input::Disconnected);
    world.wait(Millis(59_999));
    world.tell(them[0], &operator::Input::Connected);
    world.wait(Millis::from_secs(3_600));
    assert_eq!(world.operator_of(chat), Some(them[0]));
    sound(&world);
}

#[test]
fn t3_a_known_client_is_not_held_for_somebody_who_is_not_there() {
    for absent in [true, false] {
        let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)]]);
        if absent {
            world.say(them[1], away());
        } else {
            let call = world.arrive("sales", Voice);
            let take = Input::Take {
                operator: them[1],
                over_capacity: false,
            };
            world.act(call, take).unwrap();
        }
        let place = world.new_place();
        let skills = Skills::default();
        let id = world.arrive_with("sales", Chat, place, skills, Some(them[1]));
        let at_once = world.operator_of(id);
        assert_eq!(at_once, absent.then_some(them[0]));
        if !absent {
            world.wait(Millis(59_999));
            assert_eq!(world.operator_of(id), None, "held while they are busy");
            world.wait(Millis(1));
            assert_eq!(world.operator_of(id), Some(them[0]));
        }
        sound(&world);
    }
}

#[test]
fn t4_operators_are_ordered_by_share_then_idleness_then_id() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)], &[("sales", 0)]]);
    let mut large = world.operators[&them[1]].clone();
    large.capacity = 200;
    world.put_operator(large);
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
    world.wait(Millis::from_secs(30));
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
fn t6_of_all_who_are_asked_at_once_one_wins() {
    let queues: [&[(&str, i32)]; 8] = [&[("sales", 0)]; 8];
    let (mut world, them) = office_by(|sales| sales.strategy = Strategy::RingAll, &queues);
    let id = world.arrive("sales", Voice);
    let asked = world.conversations[&id].asked();
    assert_eq!(asked.len(), them.len());
    let mut won = Vec::new();
    for (operator, offer) in asked.into_iter().rev() {
        match world.act(id, Input::Accept { offer, operator }) {
            Ok(()) => won.push(operator),
            Err(refusal) => assert_eq!(refusal, Refusal::OfferEnded),
        }
    }
    assert_eq!(won, [them[7]], "the first to say so");
    assert_eq!(world.operator_of(id), Some(them[7]));
    assert_eq!(world.figures.rescinded, 7);
    let loads = world.operators.values().map(|it| it.load.total());
    assert_eq!(loads.sum::<u32>(), 1);
    sound(&world);
}

#[test]
fn t8_order_across_queues() {
    let (mut world, them) = office(&[&[("sales", 1), ("support", 0), ("calls", 1)]]);
    world.say(them[0], Presence::Offline);
    let mut arrive = |queue| {
        world.wait(SECOND);
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
    for id in &them {
        let mut operator = world.operators[id].clone();
        operator.idle_since = Timestamp(500);
        world.idle.insert(*id, operator.idle_since);
        world.put_operator(operator);
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
        world.wait(Millis::from_secs(10));
    }
    sound(&world);
}

#[test]
fn t9_the_only_operator_is_asked_again_after_a_pause() {
    let (mut world, them) = office(&[&[("sales", 0)]]);
    let id = world.arrive("sales", Chat);
    world.decline(id).unwrap();
    assert_eq!(world.operator_of(id), None);
    assert_eq!(world.conversations[&id].round, 2);
    world.wait(Millis(9_999));
    assert_eq!(world.operator_of(id), None, "ten seconds to cool down");
    world.wait(Millis(1));
    assert_eq!(world.operator_of(id), Some(them[0]));
    sound(&world);
}

#[test]
fn t9_somebody_busy_does_not_hold_up_the_next_round_for_ever() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)]]);
    let call = world.arrive("sales", Voice);
    world.accept(call).unwrap();
    let chat = world.arrive("sales", Chat);
    assert_eq!(world.operator_of(chat), Some(them[1]));
    world.decline(chat).unwrap();
    assert_eq!(world.conversations[&chat].round, 1);
    world.wait(Millis(59_999));
    assert_eq!(
        world.conversations[&chat].round, 1,
        "the first may come free"
    );
    world.wait(Millis(1));
    assert_eq!(world.conversations[&chat].round, 2);
    world.wait(Millis(5_000));
    assert_eq!(world.operator_of(chat), Some(them[1]));
    sound(&world);
}

#[test]
fn t10_an_ineligible_head_blocks_nobody() {
    let (mut world, them) = office(&[&[("sales", 0)]]);
    let mail = world.arrive("sales", Email);
    world.accept(mail).unwrap();
    let call = world.arrive("sales", Voice);
    let nobodys = world.arrive("elsewhere", Chat);
    let place = world.new_place();
    let french = ["lang:fr"].into_iter().collect();
    let french = world.arrive_with("sales", Chat, place, french, None);
    let chat = world.arrive("sales", Chat);
    assert_eq!(world.operator_of(call), None, "no room for a call");
    assert_eq!(world.operator_of(nobodys), None);
    assert_eq!(world.operator_of(french), None);
    assert_eq!(world.operator_of(chat), Some(them[0]));
    sound(&world);
}

#[test]
fn t11_finishing_up_in_one_queue_holds_in_all() {
    let (mut world, them) = office_by(
        |sales| sales.wrap_up = WrapUp::Timed(Millis::from_secs(20)),
        &[&[("sales", 0), ("support", 0)]],
    );
    let id = world.arrive("sales", Chat);
    world.accept(id).unwrap();
    world.finish(id).unwrap();
    assert!(matches!(
        world.conversations[&id].state,
        State::WrapUp { .. }
    ));
    let other = world.arrive("support", Chat);
    world.wait(Millis(19_999));
    assert_eq!(world.operator_of(other), None);
    let barred = world.operators[&them[0]].barred(world.now);
    assert_eq!(barred, Some(Rule::WrapUp));
    world.wait(Millis(1));
    assert_eq!(world.operator_of(other), Some(them[0]));
    assert!(!world.conversations.contains_key(&id));
    assert_eq!(world.operators[&them[0]].idle_since, world.now);
    sound(&world);
}

#[test]
fn t11_who_says_so_has_finished_up() {
    for (wrap_up, may) in [
        (WrapUp::Timed(Millis::from_secs(20)), true),
        (WrapUp::Manual(Millis::from_secs(20)), true),
        (WrapUp::Fixed(Millis::from_secs(20)), false),
    ] {
        let (mut world, _) = office(&[&[("sales", 0)]]);
        let sales = world.rules.queues.get_mut(&QueueId::from("sales"));
        sales.unwrap().wrap_up = wrap_up;
        let id = world.arrive("sales", Chat);
        world.accept(id).unwrap();
        world.finish(id).unwrap();
        let again = world.finish(id);
        let expect = if may {
            Ok(())
        } else {
            Err(Refusal::WrapUpFixed)
        };
        assert_eq!(again, expect);
        sound(&world);
    }
}

#[test]
fn t13_a_client_who_comes_back_has_the_old_place() {
    let (mut world, them) = office(&[&[("sales", 0)]]);
    let call = world.arrive("sales", Voice);
    world.accept(call).unwrap();
    let first = world.arrive("sales", Voice);
    world.wait(SECOND);
    let second = world.arrive("sales", Voice);
    let leave = |world: &World| Input::Left {
        until: world.now + Millis::from_secs(600),
    };
    world.act(first, leave(&world)).unwrap();
    world.wait(Millis::from_secs(300));
    world.act(first, Input::Back).unwrap();
    world.finish(call).unwrap();
    assert_eq!(world.operator_of(first), Some(them[0]));
    assert_eq!(world.operator_of(second), None);
    // Asked, gone and back: asked again, and nobody's miss.
    world.act(first, leave(&world)).unwrap();
    assert_eq!(world.operator_of(second), Some(them[0]));
    assert_eq!(world.operators[&them[0]].misses, 0);
    world.wait(Millis::from_secs(600));
    assert_eq!(world.act(first, Input::Back), Err(Refusal::Closed));
    assert_eq!(world.figures.abandoned, 1);
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
fn t14_nor_with_who_does_not_respond() {
    let (mut world, them) = office(&[&[("sales", 0)], &[("sales", 0)]]);
    world.say(them[1], away());
    let [first, second] = [Chat, Chat].map(|medium| world.arrive("sales", medium));
    world.wait(Millis::from_secs(15));
    let third = world.arrive("sales", Chat);
    world.say(them[1], Presence::Ready);
    world.wait(Millis::from_secs(15));
    // Two were missed, so the third, which had time left, is taken back.
    for id in [first, second, third] {
        assert_eq!(world.operator_of(id), Some(them[1]));
    }
    let barred = world.operators[&them[0]].barred(world.now);
    assert_eq!(barred, Some(Rule::NotResponding));
    assert_eq!(world.figures.revoked, 1);
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
    let mut asked = world.conversations[&chat].clone();
    asked.last_asked = Some(them[0]);
    world.snapshot.put(asked.waiting().unwrap());
    world.conversations.insert(chat, asked);
    for id in &them {
        let mut operator = world.operators[id].clone();
        operator.presence = Presence::Ready;
        world.put_operator(operator);
    }
    // The first is skipped for the chat while the second is free, who takes the
    // older call: then the first gets the chat after all.
    world.settle();
    assert_eq!(world.operator_of(call), Some(them[1]));
    assert_eq!(world.operator_of(chat), Some(them[0]));
    sound(&world);
}
