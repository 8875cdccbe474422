use std::collections::BTreeSet;

use super::{Client, CloseReason, Conversation, Effect, Input, OfferOutcome, State};
use crate::message::Medium;
use crate::metrics::Counted;
use crate::routing::Place;
use crate::{ContactId, ConversationId, LineId, OfferId, OperatorId, QueueId, ThreadId, Timestamp};

const ANNA: OperatorId = OperatorId::new(1);
const BORIS: OperatorId = OperatorId::new(2);
const PENDING: OfferId = OfferId::new(50);
const NEW: OfferId = OfferId::new(51);
const OLD_PLACE: Place = place(1_000, 1);
const NEW_PLACE: Place = place(9_000, 9);
const NOW: Timestamp = Timestamp(10_000);

const fn place(at: i64, seq: i64) -> Place {
    Place {
        band: 0,
        eligible_at: Timestamp(at),
        seq,
    }
}

fn conversation(state: State) -> Conversation {
    Conversation {
        id: ConversationId::new(7),
        thread: ThreadId::new(7),
        line: LineId::from("bot"),
        channel: "telegram".to_owned(),
        medium: Medium::Messenger,
        queue: QueueId::from("sales"),
        client: Client {
            contact: ContactId::from("c7"),
            display_name: String::new(),
            avatar_url: None,
            address: "@client".to_owned(),
            provisional: false,
            known: false,
        },
        state,
        place: OLD_PLACE,
        tried: BTreeSet::new(),
        last_asked: None,
        round: 1,
        not_before: None,
        preferred: None,
        last_owner: None,
        returned: false,
        unread_count: 0,
        subject: None,
        participants: BTreeSet::new(),
        created_at: Timestamp(1_000),
        answered_at: None,
        disposition: String::new(),
        counted: Counted::default(),
        last_message: None,
        version: 1,
    }
}

fn offered() -> State {
    State::Offered {
        offer: PENDING,
        operator: ANNA,
        expires_at: Timestamp(10_000),
    }
}

fn active() -> State {
    State::Active {
        operator: ANNA,
        since: Timestamp(2_000),
    }
}

fn parked() -> State {
    State::Parked {
        operator: ANNA,
        until: Some(Timestamp(10_000)),
    }
}

fn closed() -> State {
    State::Closed {
        at: Timestamp(3_000),
        reason: CloseReason::Finished,
    }
}

fn inbound(owner_free: bool) -> Input {
    Input::Inbound {
        owner_free,
        place: NEW_PLACE,
    }
}

fn offer() -> Input {
    Input::Offer {
        offer: NEW,
        operator: BORIS,
        expires_at: Timestamp(70_000),
    }
}

fn assign() -> Input {
    Input::Assign { operator: BORIS }
}

fn next_round() -> Input {
    Input::NextRound {
        round: 2,
        not_before: Timestamp(15_000),
    }
}

fn accept(offer: OfferId, operator: OperatorId) -> Input {
    Input::Accept { offer, operator }
}

fn decline(offer: OfferId, operator: OperatorId) -> Input {
    Input::Decline {
        offer,
        operator,
        reason: "busy".to_owned(),
    }
}

fn gone(operator: OperatorId) -> Input {
    Input::OperatorGone { operator }
}

fn take(operator: OperatorId) -> Input {
    Input::Take { operator }
}

fn to_queue(new_place: Option<Place>) -> Input {
    Input::ToQueue {
        queue: QueueId::from("support"),
        new_place,
    }
}

fn to_operator() -> Input {
    Input::ToOperator {
        offer: NEW,
        operator: BORIS,
        expires_at: Timestamp(70_000),
    }
}

fn shift() -> Input {
    Input::Move { place: NEW_PLACE }
}

fn snooze() -> Input {
    Input::Snooze {
        until: Some(Timestamp(90_000)),
    }
}

fn finish() -> Input {
    Input::Finish {
        reason: CloseReason::Finished,
        disposition: "sold".to_owned(),
    }
}

fn due(owner_free: bool) -> Input {
    Input::Due {
        owner_free,
        place: NEW_PLACE,
    }
}

fn state_text(state: &State) -> String {
    match state {
        State::Queued => "queued".to_owned(),
        State::Offered {
            offer, operator, ..
        } => format!("offered {offer} to {operator}"),
        State::Active { operator, .. } => format!("active {operator}"),
        State::Parked { operator, .. } => format!("parked {operator}"),
        State::Closed { .. } => "closed".to_owned(),
    }
}

fn effect_text(effect: &Effect) -> String {
    match effect {
        Effect::Occupy(operator) => format!("occupy {operator}"),
        Effect::Release {
            operator,
            handled: true,
        } => format!("handled {operator}"),
        Effect::Release {
            operator,
            handled: false,
        } => format!("release {operator}"),
        Effect::OfferEnded { offer, outcome } => {
            let how = match outcome {
                OfferOutcome::Accepted => "accepted",
                OfferOutcome::Declined { .. } => "declined",
                OfferOutcome::TimedOut => "timed out",
                OfferOutcome::Rescinded { .. } => "rescinded",
                OfferOutcome::Revoked { .. } => "revoked",
            };
            format!("{offer} {how}")
        }
        Effect::Missed(operator) => format!("missed {operator}"),
        Effect::Responded(operator) => format!("responded {operator}"),
        Effect::CoolDown { operator, until } => format!("cool {operator} until {until}"),
    }
}

fn check(state: State, input: Input, expect: &str) {
    let mut conversation = conversation(state);
    let before = conversation.clone();
    let context = format!("{} + {input:?}", state_text(&before.state));
    let got = match conversation.handle(NOW, input) {
        Ok(effects) => {
            let mut parts = vec![state_text(&conversation.state)];
            parts.extend(effects.iter().map(effect_text));
            parts.join(", ")
        }
        Err(refusal) => {
            assert_eq!(conversation, before, "{context}: refused and yet changed");
            format!("{refusal:?}")
        }
    };
    assert_eq!(got, expect, "{context}");
}

#[test]
fn while_queued() {
    for (input, expect) in [
        (inbound(true), "queued"),
        (offer(), "offered 51 to 2, occupy 2"),
        (assign(), "active 2, occupy 2"),
        (next_round(), "queued"),
        (accept(PENDING, ANNA), "OfferEnded"),
        (decline(PENDING, ANNA), "OfferEnded"),
        (gone(ANNA), "queued"),
        (take(BORIS), "active 2, occupy 2"),
        (to_queue(None), "queued"),
        (to_operator(), "offered 51 to 2, occupy 2"),
        (shift(), "queued"),
        (snooze(), "NotActive"),
        (finish(), "closed"),
        (due(true), "queued"),
    ] {
        check(State::Queued, input, expect);
    }
}

#[test]
fn while_offered() {
    for (input, expect) in [
        (inbound(true), "offered 50 to 1"),
        (offer(), "NotWaiting"),
        (assign(), "NotWaiting"),
        (next_round(), "NotWaiting"),
        (accept(PENDING, ANNA), "active 1, 50 accepted, responded 1"),
        (accept(PENDING, BORIS), "NotYours"),
        (accept(NEW, ANNA), "OfferEnded"),
        (
            decline(PENDING, ANNA),
            "queued, 50 declined, release 1, responded 1, cool 1 until 20000",
        ),
        (decline(PENDING, BORIS), "NotYours"),
        (gone(ANNA), "queued, 50 revoked, release 1"),
        (gone(BORIS), "offered 50 to 1"),
        (take(ANNA), "active 1, 50 accepted, responded 1"),
        (take(BORIS), "active 2, 50 rescinded, release 1, occupy 2"),
        (to_queue(None), "queued, 50 rescinded, release 1"),
        (
            to_operator(),
            "offered 51 to 2, 50 rescinded, release 1, occupy 2",
        ),
        (shift(), "offered 50 to 1"),
        (snooze(), "NotActive"),
        (finish(), "closed, 50 rescinded, release 1"),
        (due(true), "queued, 50 timed out, release 1, missed 1"),
    ] {
        check(offered(), input, expect);
    }
}

#[test]
fn while_active() {
    for (input, expect) in [
        (inbound(false), "active 1"),
        (offer(), "NotWaiting"),
        (assign(), "NotWaiting"),
        (next_round(), "NotWaiting"),
        (accept(PENDING, ANNA), "OfferEnded"),
        (decline(PENDING, ANNA), "OfferEnded"),
        (gone(ANNA), "active 1"),
        (take(ANNA), "active 1"),
        (take(BORIS), "active 2, handled 1, occupy 2"),
        (to_queue(None), "queued, handled 1"),
        (to_operator(), "offered 51 to 2, handled 1, occupy 2"),
        (shift(), "NotWaiting"),
        (snooze(), "parked 1, handled 1"),
        (finish(), "closed, handled 1"),
        (due(true), "active 1"),
    ] {
        check(active(), input, expect);
    }
}

#[test]
fn while_parked() {
    for (input, expect) in [
        (inbound(true), "active 1, occupy 1"),
        (inbound(false), "queued"),
        (offer(), "NotWaiting"),
        (assign(), "NotWaiting"),
        (next_round(), "NotWaiting"),
        (accept(PENDING, ANNA), "OfferEnded"),
        (decline(PENDING, ANNA), "OfferEnded"),
        (gone(ANNA), "parked 1"),
        (take(ANNA), "active 1, occupy 1"),
        (take(BORIS), "active 2, occupy 2"),
        (to_queue(None), "queued"),
        (to_operator(), "offered 51 to 2, occupy 2"),
        (shift(), "NotWaiting"),
        (snooze(), "parked 1"),
        (finish(), "closed"),
        (due(true), "active 1, occupy 1"),
        (due(false), "queued"),
    ] {
        check(parked(), input, expect);
    }
}

#[test]
fn nothing_happens_to_the_closed() {
    for input in [
        inbound(true),
        offer(),
        assign(),
        next_round(),
        accept(PENDING, ANNA),
        decline(PENDING, ANNA),
        gone(ANNA),
        take(ANNA),
        to_queue(None),
        to_operator(),
        shift(),
        snooze(),
        finish(),
        due(true),
    ] {
        check(closed(), input, "Closed");
    }
}

#[test]
fn a_place_changes_by_audited_acts_and_a_return_only() {
    for (state, input, expect) in [
        (State::Queued, inbound(false), OLD_PLACE),
        (State::Queued, offer(), OLD_PLACE),
        (State::Queued, next_round(), OLD_PLACE),
        (offered(), decline(PENDING, ANNA), OLD_PLACE),
        (offered(), due(false), OLD_PLACE),
        (offered(), gone(ANNA), OLD_PLACE),
        (offered(), accept(PENDING, ANNA), OLD_PLACE),
        (active(), to_queue(None), OLD_PLACE),
        (active(), to_operator(), OLD_PLACE),
        (active(), to_queue(Some(NEW_PLACE)), NEW_PLACE),
        (State::Queued, shift(), NEW_PLACE),
        (offered(), shift(), NEW_PLACE),
        (parked(), inbound(true), OLD_PLACE),
        (parked(), inbound(false), NEW_PLACE),
        (parked(), due(false), NEW_PLACE),
    ] {
        let mut conversation = conversation(state);
        let context = format!("{} + {input:?}", state_text(&conversation.state));
        conversation.handle(NOW, input).unwrap();
        assert_eq!(conversation.place, expect, "{context}");
    }
}

#[test]
fn who_was_asked_is_remembered_for_the_round() {
    let mut conversation = conversation(offered());
    conversation.last_asked = Some(ANNA);
    conversation.handle(NOW, decline(PENDING, ANNA)).unwrap();
    assert_eq!(conversation.tried, BTreeSet::from([ANNA]));
    conversation.handle(NOW, next_round()).unwrap();
    assert_eq!(conversation.tried, BTreeSet::new());
    assert_eq!(conversation.last_asked, Some(ANNA));
    assert_eq!(conversation.round, 2);
    assert_eq!(conversation.next_deadline(), Some(Timestamp(15_000)));
    conversation.handle(Timestamp(15_000), due(true)).unwrap();
    assert_eq!(conversation.next_deadline(), None);
}

#[test]
fn who_let_an_offer_time_out_was_asked_and_who_went_away_was_not() {
    for (input, tried) in [
        (due(true), BTreeSet::from([ANNA])),
        (gone(ANNA), BTreeSet::new()),
    ] {
        let mut conversation = conversation(offered());
        conversation.handle(NOW, input).unwrap();
        assert_eq!(conversation.tried, tried);
    }
}

#[test]
fn the_owner_of_before_is_preferred_after_a_pause() {
    let mut conversation = conversation(parked());
    conversation.last_asked = Some(ANNA);
    conversation.handle(NOW, inbound(false)).unwrap();
    assert_eq!(conversation.preferred, Some(ANNA));
    assert_eq!(conversation.last_asked, None);
    conversation.handle(NOW, to_queue(None)).unwrap();
    assert_eq!(conversation.preferred, None);
}

/// T6: whoever accepts first has it; the others are told why not.
#[test]
fn t6_one_accept_wins() {
    let mut conversation = conversation(offered());
    let won = (0..64)
        .flat_map(|_| conversation.handle(NOW, accept(PENDING, ANNA)))
        .count();
    assert_eq!(won, 1);
    assert_eq!(conversation.owner(), Some(ANNA));
    assert_eq!(conversation.answered_at, Some(NOW));
}
