//! What becomes of every state by everything that can happen.

use super::*;

/// Everything that can happen, in the order of [`Input`].
fn everything() -> Vec<(&'static str, Input)> {
    vec![
        ("the client writes", inbound(Owner::Free)),
        ("the operator writes", answered()),
        ("the client leaves", left()),
        ("the client is back", Input::Back),
        ("a callback is wanted", callback()),
        ("offer", offer()),
        ("ring", ring()),
        ("assign", assign()),
        ("next round", next_round()),
        ("patience", patience()),
        (
            "overflow to a queue",
            overflow(Exit::Queue(QueueId::from("support"))),
        ),
        ("overflow to any skills", overflow(Exit::AnySkills)),
        ("overflow to voicemail", overflow(Exit::Voicemail)),
        ("defer", defer()),
        ("accept", accept(PENDING, ANNA)),
        ("accept by another", accept(PENDING, BORIS)),
        ("accept of another offer", accept(NEW, ANNA)),
        ("decline", decline(PENDING, ANNA)),
        ("decline by another", decline(PENDING, BORIS)),
        ("the operator goes", gone(ANNA)),
        ("the operator is lost", lost(ANNA)),
        ("take", take(ANNA)),
        ("take by another", take(BORIS)),
        ("to a queue", to_queue(None)),
        ("to an operator", to_operator()),
        ("move", shift()),
        ("snooze", snooze()),
        ("finish", finish()),
        ("finish with wrap-up", finish_up(false)),
        ("due", due(Owner::Free)),
    ]
}

/// Checks everything that can happen in a state: a line each, what happens and what
/// becomes of it.
fn check_all(state: &State, expected: &str) {
    let expected: Vec<_> = expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let inputs = everything();
    assert_eq!(inputs.len(), expected.len());
    for ((what, input), line) in inputs.into_iter().zip(expected) {
        let becomes = line
            .strip_prefix(what)
            .and_then(|rest| rest.strip_prefix(": "));
        check(state.clone(), input, becomes.expect(line));
    }
}

#[test]
fn while_deferred() {
    check_all(
        &deferred(),
        "
        the client writes: deferred
        the operator writes: deferred
        the client leaves: deferred
        the client is back: deferred
        a callback is wanted: deferred
        offer: NotWaiting
        ring: NotWaiting
        assign: NotWaiting
        next round: NotWaiting
        patience: deferred
        overflow to a queue: NotWaiting
        overflow to any skills: NotWaiting
        overflow to voicemail: NotWaiting
        defer: deferred
        accept: OfferEnded
        accept by another: OfferEnded
        accept of another offer: OfferEnded
        decline: OfferEnded
        decline by another: OfferEnded
        the operator goes: deferred
        the operator is lost: deferred
        take: active 1, occupy 1 turn 0
        take by another: active 2, occupy 2 turn 0
        to a queue: queued
        to an operator: offered 51 to 2, occupy 2 turn 51
        move: NotWaiting
        snooze: NotActive
        finish: closed finished
        finish with wrap-up: closed finished
        due: queued
        ",
    );
}

#[test]
fn while_queued() {
    check_all(
        &State::Queued,
        "
        the client writes: queued
        the operator writes: queued
        the client leaves: abandoned
        the client is back: queued
        a callback is wanted: queued
        offer: offered 51 to 2, occupy 2 turn 51
        ring: offered 51 to 2 and 52 to 3, occupy 2 turn 51, occupy 3 turn 52
        assign: active 2, occupy 2 turn 51
        next round: queued
        patience: queued
        overflow to a queue: queued
        overflow to any skills: queued
        overflow to voicemail: closed diverted
        defer: deferred
        accept: OfferEnded
        accept by another: OfferEnded
        accept of another offer: OfferEnded
        decline: OfferEnded
        decline by another: OfferEnded
        the operator goes: queued
        the operator is lost: queued
        take: active 1, occupy 1 turn 0
        take by another: active 2, occupy 2 turn 0
        to a queue: queued
        to an operator: offered 51 to 2, occupy 2 turn 51
        move: queued
        snooze: NotActive
        finish: closed finished
        finish with wrap-up: closed finished
        due: queued
        ",
    );
}

#[test]
fn while_offered() {
    check_all(
        &offered(),
        "
        the client writes: offered 50 to 1
        the operator writes: offered 50 to 1
        the client leaves: abandoned, 50 rescinded, release 1
        the client is back: offered 50 to 1
        a callback is wanted: offered 50 to 1
        offer: NotWaiting
        ring: NotWaiting
        assign: NotWaiting
        next round: NotWaiting
        patience: offered 50 to 1
        overflow to a queue: NotWaiting
        overflow to any skills: NotWaiting
        overflow to voicemail: NotWaiting
        defer: NotWaiting
        accept: active 1, 50 accepted, responded 1
        accept by another: NotYours
        accept of another offer: OfferEnded
        decline: queued, 50 declined, release 1, responded 1, cool 1 until 20000
        decline by another: NotYours
        the operator goes: queued, 50 revoked, release 1
        the operator is lost: queued, 50 revoked, release 1
        take: active 1, 50 accepted, responded 1
        take by another: active 2, 50 rescinded, release 1, occupy 2 turn 0
        to a queue: queued, 50 rescinded, release 1
        to an operator: offered 51 to 2, 50 rescinded, release 1, occupy 2 turn 51
        move: offered 50 to 1
        snooze: NotActive
        finish: closed finished, 50 rescinded, release 1
        finish with wrap-up: closed finished, 50 rescinded, release 1
        due: queued, 50 timed out, release 1, missed 1
        ",
    );
}

#[test]
fn while_several_are_asked() {
    check_all(
        &ringing(),
        "
        the client writes: offered 50 to 1 and 52 to 3
        the operator writes: offered 50 to 1 and 52 to 3
        the client leaves: abandoned, 50 rescinded, release 1, 52 rescinded, release 3
        the client is back: offered 50 to 1 and 52 to 3
        a callback is wanted: offered 50 to 1 and 52 to 3
        offer: NotWaiting
        ring: NotWaiting
        assign: NotWaiting
        next round: NotWaiting
        patience: offered 50 to 1 and 52 to 3
        overflow to a queue: NotWaiting
        overflow to any skills: NotWaiting
        overflow to voicemail: NotWaiting
        defer: NotWaiting
        accept: active 1, 50 accepted, responded 1, 52 rescinded, release 3
        accept by another: NotYours
        accept of another offer: OfferEnded
        decline: offered 52 to 3, 50 declined, release 1, responded 1, cool 1 until 20000
        decline by another: NotYours
        the operator goes: offered 52 to 3, 50 revoked, release 1
        the operator is lost: offered 52 to 3, 50 revoked, release 1
        take: active 1, 50 accepted, responded 1, 52 rescinded, release 3
        take by another: active 2, 50 rescinded, release 1, 52 rescinded, release 3, occupy 2 turn 0
        to a queue: queued, 50 rescinded, release 1, 52 rescinded, release 3
        to an operator: offered 51 to 2, 50 rescinded, release 1, 52 rescinded, release 3, occupy 2 turn 51
        move: offered 50 to 1 and 52 to 3
        snooze: NotActive
        finish: closed finished, 50 rescinded, release 1, 52 rescinded, release 3
        finish with wrap-up: closed finished, 50 rescinded, release 1, 52 rescinded, release 3
        due: queued, 50 timed out, release 1, 52 timed out, release 3, missed 1, missed 3
        ",
    );
}

#[test]
fn while_active() {
    check_all(
        &active(),
        "
        the client writes: active 1
        the operator writes: active 1
        the client leaves: active 1
        the client is back: active 1
        a callback is wanted: active 1
        offer: NotWaiting
        ring: NotWaiting
        assign: NotWaiting
        next round: NotWaiting
        patience: active 1
        overflow to a queue: NotWaiting
        overflow to any skills: NotWaiting
        overflow to voicemail: NotWaiting
        defer: NotWaiting
        accept: OfferEnded
        accept by another: OfferEnded
        accept of another offer: OfferEnded
        decline: OfferEnded
        decline by another: OfferEnded
        the operator goes: active 1
        the operator is lost: active 1
        take: active 1
        take by another: active 2, handled 1, occupy 2 turn 0
        to a queue: queued, handled 1
        to an operator: offered 51 to 2, handled 1, occupy 2 turn 51
        move: NotWaiting
        snooze: parked 1, handled 1
        finish: closed finished, handled 1
        finish with wrap-up: wrap-up 1, begun 1
        due: active 1
        ",
    );
}

#[test]
fn while_parked() {
    check_all(
        &parked(),
        "
        the client writes: active 1, occupy 1 turn 0
        the operator writes: parked 1
        the client leaves: parked 1
        the client is back: parked 1
        a callback is wanted: parked 1
        offer: NotWaiting
        ring: NotWaiting
        assign: NotWaiting
        next round: NotWaiting
        patience: parked 1
        overflow to a queue: NotWaiting
        overflow to any skills: NotWaiting
        overflow to voicemail: NotWaiting
        defer: NotWaiting
        accept: OfferEnded
        accept by another: OfferEnded
        accept of another offer: OfferEnded
        decline: OfferEnded
        decline by another: OfferEnded
        the operator goes: parked 1
        the operator is lost: parked 1
        take: active 1, occupy 1 turn 0
        take by another: active 2, occupy 2 turn 0
        to a queue: queued
        to an operator: offered 51 to 2, occupy 2 turn 51
        move: NotWaiting
        snooze: parked 1
        finish: closed finished
        finish with wrap-up: closed finished
        due: active 1, occupy 1 turn 0
        ",
    );
}

#[test]
fn while_somebody_finishes_up() {
    check_all(
        &wrapping_up(10_000, false),
        "
        the client writes: active 1, ended 1
        the operator writes: wrap-up 1
        the client leaves: wrap-up 1
        the client is back: wrap-up 1
        a callback is wanted: wrap-up 1
        offer: NotWaiting
        ring: NotWaiting
        assign: NotWaiting
        next round: NotWaiting
        patience: wrap-up 1
        overflow to a queue: NotWaiting
        overflow to any skills: NotWaiting
        overflow to voicemail: NotWaiting
        defer: NotWaiting
        accept: OfferEnded
        accept by another: OfferEnded
        accept of another offer: OfferEnded
        decline: OfferEnded
        decline by another: OfferEnded
        the operator goes: wrap-up 1
        the operator is lost: closed spam, ended 1, handled 1
        take: active 1, ended 1
        take by another: active 2, ended 1, handled 1, occupy 2 turn 0
        to a queue: queued, ended 1, handled 1
        to an operator: offered 51 to 2, ended 1, handled 1, occupy 2 turn 51
        move: NotWaiting
        snooze: NotActive
        finish: closed spam, ended 1, handled 1
        finish with wrap-up: closed spam, ended 1, handled 1
        due: closed spam, ended 1, handled 1
        ",
    );
}

#[test]
fn while_the_time_for_finishing_up_is_fixed() {
    check_all(
        &wrapping_up(20_000, true),
        "
        the client writes: active 1, ended 1
        the operator writes: wrap-up 1
        the client leaves: wrap-up 1
        the client is back: wrap-up 1
        a callback is wanted: wrap-up 1
        offer: NotWaiting
        ring: NotWaiting
        assign: NotWaiting
        next round: NotWaiting
        patience: wrap-up 1
        overflow to a queue: NotWaiting
        overflow to any skills: NotWaiting
        overflow to voicemail: NotWaiting
        defer: NotWaiting
        accept: OfferEnded
        accept by another: OfferEnded
        accept of another offer: OfferEnded
        decline: OfferEnded
        decline by another: OfferEnded
        the operator goes: wrap-up 1
        the operator is lost: closed spam, ended 1, handled 1
        take: active 1, ended 1
        take by another: active 2, ended 1, handled 1, occupy 2 turn 0
        to a queue: queued, ended 1, handled 1
        to an operator: offered 51 to 2, ended 1, handled 1, occupy 2 turn 51
        move: NotWaiting
        snooze: NotActive
        finish: wrap-up 1
        finish with wrap-up: WrapUpFixed
        due: wrap-up 1
        ",
    );
}

#[test]
fn while_the_client_is_gone() {
    check_all(
        &abandoned(),
        "
        the client writes: queued
        the operator writes: abandoned
        the client leaves: abandoned
        the client is back: queued
        a callback is wanted: queued
        offer: NotWaiting
        ring: NotWaiting
        assign: NotWaiting
        next round: NotWaiting
        patience: abandoned
        overflow to a queue: NotWaiting
        overflow to any skills: NotWaiting
        overflow to voicemail: NotWaiting
        defer: NotWaiting
        accept: OfferEnded
        accept by another: OfferEnded
        accept of another offer: OfferEnded
        decline: OfferEnded
        decline by another: OfferEnded
        the operator goes: abandoned
        the operator is lost: abandoned
        take: active 1, occupy 1 turn 0
        take by another: active 2, occupy 2 turn 0
        to a queue: queued
        to an operator: offered 51 to 2, occupy 2 turn 51
        move: NotWaiting
        snooze: NotActive
        finish: closed finished
        finish with wrap-up: closed finished
        due: closed abandoned
        ",
    );
}

#[test]
fn nothing_happens_to_the_closed() {
    for (_, input) in everything() {
        check(closed(), input, "Closed");
    }
}

#[test]
fn a_place_changes_by_audited_acts_and_a_return_only() {
    let moved = |state: &State, what: &str| match (state, what) {
        (State::Queued | State::Offered { .. }, "move") => NEW_PLACE,
        _ => OLD_PLACE,
    };
    for state in [
        deferred(),
        State::Queued,
        offered(),
        ringing(),
        active(),
        parked(),
        wrapping_up(10_000, false),
        abandoned(),
    ] {
        for (what, input) in everything() {
            let mut conversation = conversation(state.clone());
            let _ = conversation.handle(NOW, input);
            let expect = moved(&state, what);
            assert_eq!(
                conversation.place,
                expect,
                "{} + {what}",
                state_text(&state)
            );
        }
    }
    for (state, input) in [
        (active(), to_queue(Some(NEW_PLACE))),
        (active(), inbound(Owner::Gone)),
        (parked(), inbound(Owner::Busy)),
        (parked(), due(Owner::Gone)),
    ] {
        let mut conversation = conversation(state);
        conversation.handle(NOW, input).unwrap();
        assert_eq!(conversation.place, NEW_PLACE);
    }
}
