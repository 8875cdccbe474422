use std::collections::{BTreeMap, BTreeSet};

use super::{
    CapacityRules, Effect, GRACE, Input, Link, Load, Operator, Presence, Role, RoutingState,
};
use crate::message::Medium;
use crate::routing::{Rule, Skills};
use crate::{OperatorId, Timestamp};

fn anna() -> Operator {
    Operator {
        id: OperatorId::new(1),
        login: "anna".to_owned(),
        display_name: "Anna".to_owned(),
        role: Role::Operator,
        disabled: false,
        memberships: Vec::new(),
        skills: Skills::default(),
        capacity: 100,
        auto_accept: false,
        presence: Presence::Ready,
        next_presence: None,
        idle_since: Timestamp(500),
        turn: 0,
        load: Load::default(),
        wrapping_up: 0,
        misses: 0,
        not_responding: false,
        cool_down_until: None,
        link: Link::Unwatched,
        lost_at: None,
        version: 1,
    }
}

fn away() -> Presence {
    Presence::Away {
        reason: "lunch".to_owned(),
    }
}

fn say(presence: Presence) -> Input {
    Input::SetPresence {
        presence,
        when_idle: false,
    }
}

fn say_later(presence: Presence) -> Input {
    Input::SetPresence {
        presence,
        when_idle: true,
    }
}

fn occupy() -> Input {
    occupy_with(Medium::Chat, 0)
}

fn occupy_with(medium: Medium, turn: i64) -> Input {
    Input::Occupy { medium, turn }
}

fn release(handled: bool) -> Input {
    Input::Release {
        medium: Medium::Chat,
        handled,
    }
}

fn missed(medium: Medium) -> Input {
    Input::Missed { medium }
}

fn cool() -> Input {
    Input::CoolDown {
        until: Timestamp(10_000),
    }
}

const GONE: &[Effect] = &[Effect::Gone];
const WORK: &[Effect] = &[Effect::MayTakeWork];
const LOST: &[Effect] = &[Effect::Lost];
const NONE: &[Effect] = &[];

/// Each step: the time, what happens, what follows, the state after it.
fn check(steps: Vec<(i64, Input, &[Effect], RoutingState)>) -> Operator {
    let rules = CapacityRules::default();
    let mut operator = anna();
    for (number, (now, input, effects, state)) in steps.into_iter().enumerate() {
        let now = Timestamp(now);
        let context = format!("step {number}, {input:?}");
        assert_eq!(operator.handle(now, input), effects, "{context}");
        assert_eq!(operator.routing_state(now, &rules), state, "{context}");
    }
    operator
}

#[test]
fn load_goes_up_and_down() {
    use RoutingState::{Free, Full, Partial};
    let anna = check(vec![
        (1_000, occupy(), NONE, Partial),
        (1_100, occupy(), NONE, Partial),
        (1_200, occupy(), NONE, Partial),
        (1_300, occupy_with(Medium::Messenger, 0), NONE, Full),
        (2_000, release(true), WORK, Partial),
        (3_000, release(false), WORK, Partial),
        (3_100, release(true), WORK, Partial),
        (
            3_200,
            Input::Release {
                medium: Medium::Messenger,
                handled: false,
            },
            WORK,
            Free,
        ),
    ]);
    assert_eq!(anna.idle_since, Timestamp(3_100));
}

#[test]
fn away_and_back_keeps_idleness() {
    use RoutingState::{Free, NotReady};
    let anna = check(vec![
        (1_000, say(away()), GONE, NotReady),
        (2_000, say(Presence::Offline), NONE, NotReady),
        (3_000, say(Presence::Ready), WORK, Free),
        (4_000, Input::SignIn, NONE, Free),
    ]);
    assert_eq!(anna.idle_since, Timestamp(500));
}

#[test]
fn the_first_login_begins_idleness() {
    for first in [Input::SignIn, say(Presence::Ready)] {
        let mut new = anna();
        new.idle_since = Timestamp::default();
        new.handle(Timestamp(7_000), first);
        new.handle(Timestamp(8_000), Input::SignIn);
        assert_eq!(new.idle_since, Timestamp(7_000));
    }
}

#[test]
fn a_missed_call_is_one_too_many() {
    use RoutingState::{Free, NotResponding};
    let anna = check(vec![
        (1_000, missed(Medium::Voice), GONE, NotResponding),
        (2_000, Input::Responded, NONE, NotResponding),
        (3_000, say(Presence::Ready), WORK, Free),
    ]);
    assert_eq!(anna.misses, 0);
    assert_eq!(anna.idle_since, Timestamp(500));
}

#[test]
fn two_texts_missed_in_a_row_are_too_many() {
    use RoutingState::{Free, NotReady, NotResponding};
    check(vec![
        (1_000, missed(Medium::Email), NONE, Free),
        (2_000, Input::Responded, NONE, Free),
        (3_000, missed(Medium::Chat), NONE, Free),
        (4_000, missed(Medium::Sms), GONE, NotResponding),
        (4_500, missed(Medium::Sms), NONE, NotResponding),
        (5_000, say(away()), GONE, NotReady),
        (6_000, say(Presence::Ready), WORK, Free),
        (7_000, missed(Medium::Sms), NONE, Free),
    ]);
}

#[test]
fn who_declined_cools_down() {
    use RoutingState::{CoolingDown, Free};
    check(vec![
        (1_000, cool(), NONE, CoolingDown),
        (9_999, Input::Due, NONE, CoolingDown),
        (10_000, Input::Due, WORK, Free),
        (10_000, Input::Due, NONE, Free),
    ]);
    let anna = check(vec![
        (1_000, cool(), NONE, CoolingDown),
        (2_000, say(Presence::Ready), WORK, Free),
    ]);
    assert_eq!(anna.next_deadline(), None);
    let anna = check(vec![(1_000, cool(), NONE, CoolingDown)]);
    assert_eq!(anna.next_deadline(), Some(Timestamp(10_000)));
    assert_eq!(anna.barred(Timestamp(10_000)), None);
}

#[test]
fn the_next_presence_waits_for_the_last_release() {
    use RoutingState::{Free, NotReady, Partial};
    let anna = check(vec![
        (1_000, occupy(), NONE, Partial),
        (1_000, occupy(), NONE, Partial),
        (2_000, say_later(away()), NONE, NotReady),
        (3_000, release(true), NONE, NotReady),
        (4_000, release(true), GONE, NotReady),
        (5_000, say(Presence::Ready), WORK, Free),
    ]);
    assert_eq!(anna.next_presence, None);
    check(vec![
        (1_000, say_later(away()), GONE, NotReady),
        (1_500, occupy(), NONE, NotReady),
        (2_000, say_later(Presence::Ready), NONE, NotReady),
        (3_000, release(true), WORK, Free),
    ]);
    check(vec![
        (1_000, occupy(), NONE, Partial),
        (2_000, say_later(away()), NONE, NotReady),
        (2_500, say(Presence::Ready), WORK, Partial),
        (3_000, release(true), WORK, Free),
    ]);
}

#[test]
fn nothing_comes_while_something_is_finished_up() {
    use RoutingState::{Free, Partial, WrapUp};
    let anna = check(vec![
        (1_000, occupy(), NONE, Partial),
        (1_000, occupy(), NONE, Partial),
        (2_000, Input::WrapUpBegun, NONE, WrapUp),
        (3_000, Input::WrapUpBegun, NONE, WrapUp),
        (4_000, Input::WrapUpEnded, NONE, WrapUp),
        (4_000, release(true), NONE, WrapUp),
        (5_000, Input::WrapUpEnded, WORK, Partial),
        (5_000, release(true), WORK, Free),
    ]);
    assert_eq!(anna.idle_since, Timestamp(5_000));
    let mut busy = anna;
    busy.handle(Timestamp(6_000), Input::WrapUpBegun);
    assert_eq!(busy.barred(Timestamp(6_000)), Some(Rule::WrapUp));
}

#[test]
fn who_comes_back_within_the_grace_has_lost_nothing() {
    use RoutingState::{Disconnected, Free, Partial};
    let anna = check(vec![
        (500, Input::Connected, WORK, Free),
        (1_000, occupy(), NONE, Partial),
        (2_000, Input::Disconnected, GONE, Disconnected),
        (3_000, Input::Disconnected, NONE, Disconnected),
        (61_999, Input::Due, NONE, Disconnected),
        (61_999, Input::Connected, WORK, Partial),
        (62_000, Input::Due, NONE, Partial),
    ]);
    assert_eq!(anna.next_deadline(), None);
    assert_eq!(anna.presence, Presence::Ready);
}

#[test]
fn who_does_not_come_back_is_lost_and_offline() {
    use RoutingState::{Disconnected, NotReady, Partial};
    let mut anna = check(vec![
        (1_000, occupy(), NONE, Partial),
        (2_000, Input::Disconnected, GONE, Disconnected),
        (62_000, Input::Due, LOST, NotReady),
        (62_000, Input::Due, NONE, NotReady),
        (70_000, Input::Connected, NONE, NotReady),
        (71_000, say(Presence::Ready), WORK, Partial),
    ]);
    assert_eq!(anna.next_deadline(), None);
    anna.handle(Timestamp(72_000), Input::Disconnected);
    assert_eq!(anna.next_deadline(), Some(Timestamp(72_000) + GRACE));
}

#[test]
fn who_goes_home_with_work_in_hand_is_lost_after_the_grace() {
    use RoutingState::{NotReady, Partial};
    check(vec![
        (1_000, occupy(), NONE, Partial),
        (2_000, say(Presence::Offline), GONE, NotReady),
        (30_000, say(Presence::Offline), NONE, NotReady),
        (62_000, Input::Due, LOST, NotReady),
    ]);
    let anna = check(vec![
        (1_000, occupy(), NONE, Partial),
        (2_000, say(Presence::Offline), GONE, NotReady),
        (30_000, say(away()), NONE, NotReady),
    ]);
    assert_eq!(anna.next_deadline(), None, "back in time");
    let anna = check(vec![(2_000, say(Presence::Offline), GONE, NotReady)]);
    assert_eq!(anna.next_deadline(), None, "nothing to lose");
}

#[test]
fn who_takes_something_and_cannot_be_reached_is_lost_too() {
    use RoutingState::{Disconnected, NotReady};
    check(vec![
        (1_000, Input::Disconnected, GONE, Disconnected),
        (61_000, Input::Due, LOST, NotReady),
        (70_000, occupy(), NONE, NotReady),
        (129_999, Input::Due, NONE, NotReady),
        (130_000, Input::Due, LOST, NotReady),
    ]);
}

#[test]
fn turns_only_rise() {
    let mut anna = anna();
    for (turn, expect) in [(7, 7), (0, 7), (5, 7), (9, 9)] {
        anna.handle(Timestamp(1), occupy_with(Medium::Form, turn));
        assert_eq!(anna.turn, expect);
    }
}

#[test]
fn the_disabled_take_nothing() {
    let mut gone = anna();
    gone.disabled = true;
    assert_eq!(gone.barred(Timestamp(1)), Some(Rule::NotReady));
}

#[test]
fn rules_are_checked_in_their_order() {
    let mut rules = CapacityRules::default();
    let mut load = Load::default();
    assert_eq!(rules.check(&load, 100, Medium::Voice), Ok(()));
    assert_eq!(rules.check(&load, 99, Medium::Voice), Err(Rule::NoRoom));
    load.occupy(Medium::Voice);
    assert_eq!(rules.check(&load, 100, Medium::Voice), Err(Rule::WhileOn));
    assert_eq!(rules.check(&load, 100, Medium::Email), Err(Rule::WhileOn));
    rules.blocked_while_on = BTreeMap::new();
    assert_eq!(rules.check(&load, 100, Medium::Voice), Err(Rule::MediumCap));
    assert_eq!(rules.check(&load, 100, Medium::Email), Err(Rule::NoRoom));
    assert_eq!(rules.check(&load, 110, Medium::Email), Ok(()));
    load.release(Medium::Voice);
    assert!(load.is_empty());
}

/// The published example of ROUTING, Capacity.
#[test]
fn the_published_seven_steps() {
    use Medium::{Chat, Email as Task, Voice};
    let others_than = |medium: Medium| -> BTreeSet<Medium> {
        Medium::ALL.into_iter().filter(|it| *it != medium).collect()
    };
    let rules = CapacityRules {
        may_exceed: true,
        cost: BTreeMap::from([(Chat, 1), (Task, 1), (Voice, 1)]),
        count_max: BTreeMap::from([(Chat, 2), (Task, 1), (Voice, 1)]),
        blocked_while_on: BTreeMap::from([(Chat, others_than(Chat)), (Voice, others_than(Voice))]),
    };
    let mut load = Load::default();
    let offered = |load: &mut Load, medium: Medium| {
        let fits = rules.check(load, 100, medium).is_ok();
        if fits {
            load.occupy(medium);
        }
        fits
    };
    load.occupy(Chat);
    assert!(!offered(&mut load, Task), "1: on a chat no task");
    assert!(offered(&mut load, Chat), "2: a second chat");
    load.release(Chat);
    load.release(Chat);
    assert!(offered(&mut load, Task), "3: chats end, the task comes");
    assert!(offered(&mut load, Chat), "4: on a task a chat");
    assert!(!offered(&mut load, Voice), "5: on a chat no call");
    load.release(Chat);
    assert!(
        offered(&mut load, Voice),
        "6: the chat ends, the call comes"
    );
    assert!(!offered(&mut load, Task), "7: on a call no task");
}
