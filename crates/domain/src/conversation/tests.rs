mod states;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Client, CloseReason, Conversation, Effect, Ending, Input, OfferOutcome, Owner, Refusal, State,
};
use crate::message::Medium;
use crate::metrics::Counted;
use crate::routing::{Exit, Place, Skills};
use crate::{ContactId, ConversationId, LineId, OfferId, OperatorId, QueueId, ThreadId, Timestamp};

const ANNA: OperatorId = OperatorId::new(1);
const BORIS: OperatorId = OperatorId::new(2);
const CLARA: OperatorId = OperatorId::new(3);
const PENDING: OfferId = OfferId::new(50);
const ALSO: OfferId = OfferId::new(52);
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
        skills: Skills::default(),
        tried: BTreeSet::new(),
        last_asked: None,
        round: 1,
        asked_at: None,
        not_before: None,
        preferred: None,
        last_owner: None,
        returned: false,
        over_capacity: false,
        overflows_taken: 0,
        overflow_home: None,
        overflow_at: None,
        overflow: None,
        callback: None,
        away: None,
        park_at: None,
        unread_count: 0,
        subject: None,
        participants: BTreeSet::new(),
        mentioned: BTreeSet::new(),
        created_at: Timestamp(1_000),
        answered_at: None,
        disposition: String::new(),
        counted: Counted::default(),
        last_message: None,
        version: 1,
    }
}

fn deferred() -> State {
    State::Deferred { until: NOW }
}

fn offered() -> State {
    State::Offered {
        offer: PENDING,
        operator: ANNA,
        expires_at: NOW,
        others: BTreeMap::new(),
    }
}

fn ringing() -> State {
    State::Offered {
        offer: PENDING,
        operator: ANNA,
        expires_at: NOW,
        others: BTreeMap::from([(CLARA, ALSO)]),
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
        until: Some(NOW),
    }
}

fn wrapping_up(until: i64, fixed: bool) -> State {
    State::WrapUp {
        operator: ANNA,
        since: Timestamp(5_000),
        answered_since: Timestamp(5_000),
        until: Timestamp(until),
        fixed,
        reason: CloseReason::Spam,
    }
}

fn abandoned() -> State {
    State::Abandoned {
        since: Timestamp(5_000),
        until: NOW,
    }
}

fn closed() -> State {
    State::Closed {
        at: Timestamp(3_000),
        reason: CloseReason::Finished,
    }
}

fn inbound(owner: Owner) -> Input {
    Input::Inbound {
        owner,
        place: NEW_PLACE,
    }
}

fn answered() -> Input {
    Input::Answered {
        park_at: Some(Timestamp(50_000)),
    }
}

fn left() -> Input {
    Input::Left {
        until: Timestamp(60_000),
    }
}

fn callback() -> Input {
    Input::CallbackWanted {
        phone: "+1 555 0100".to_owned(),
    }
}

fn offer() -> Input {
    Input::Ring {
        offers: BTreeMap::from([(BORIS, NEW)]),
        expires_at: Timestamp(70_000),
    }
}

fn ring() -> Input {
    Input::Ring {
        offers: BTreeMap::from([(BORIS, NEW), (CLARA, ALSO)]),
        expires_at: Timestamp(70_000),
    }
}

fn assign() -> Input {
    Input::Assign {
        operator: BORIS,
        turn: 51,
    }
}

fn next_round() -> Input {
    Input::NextRound {
        round: 2,
        not_before: Timestamp(15_000),
    }
}

fn patience() -> Input {
    Input::Patience {
        overflow_at: Some(Timestamp(12_000)),
    }
}

fn overflow(exit: Exit) -> Input {
    Input::Overflow {
        taken: 1,
        exit,
        skills: Skills::default(),
        reason: "max_wait".to_owned(),
    }
}

fn defer() -> Input {
    Input::Defer {
        until: Timestamp(80_000),
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

fn lost(operator: OperatorId) -> Input {
    Input::OperatorLost { operator }
}

fn take(operator: OperatorId) -> Input {
    Input::Take {
        operator,
        over_capacity: false,
    }
}

fn to_queue(new_place: Option<Place>) -> Input {
    Input::ToQueue {
        queue: QueueId::from("support"),
        skills: Skills::default(),
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
        wrap_up: None,
    }
}

fn finish_up(fixed: bool) -> Input {
    Input::Finish {
        reason: CloseReason::Finished,
        disposition: String::new(),
        wrap_up: Some(Ending {
            until: Timestamp(40_000),
            fixed,
        }),
    }
}

fn due(owner: Owner) -> Input {
    Input::Due {
        owner,
        place: NEW_PLACE,
    }
}

fn state_text(state: &State) -> String {
    match state {
        State::Deferred { .. } => "deferred".to_owned(),
        State::Queued => "queued".to_owned(),
        State::Offered {
            offer,
            operator,
            others,
            ..
        } => {
            let others = others.iter();
            let others = others.map(|(operator, offer)| format!("{offer} to {operator}"));
            let all: Vec<_> = [format!("{offer} to {operator}")]
                .into_iter()
                .chain(others)
                .collect();
            format!("offered {}", all.join(" and "))
        }
        State::Active { operator, .. } => format!("active {operator}"),
        State::Parked { operator, .. } => format!("parked {operator}"),
        State::WrapUp { operator, .. } => format!("wrap-up {operator}"),
        State::Abandoned { .. } => "abandoned".to_owned(),
        State::Closed { reason, .. } => format!("closed {}", reason.name()),
    }
}

fn effect_text(effect: &Effect) -> String {
    match effect {
        Effect::Occupy { operator, turn } => format!("occupy {operator} turn {turn}"),
        Effect::Release {
            operator,
            handled: true,
        } => format!("handled {operator}"),
        Effect::Release {
            operator,
            handled: false,
        } => format!("release {operator}"),
        Effect::WrapUpBegun(operator) => format!("begun {operator}"),
        Effect::WrapUpEnded(operator) => format!("ended {operator}"),
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

fn check_of(mut conversation: Conversation, input: Input, expect: &str) -> Conversation {
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
    conversation
}

fn check(state: State, input: Input, expect: &str) {
    check_of(conversation(state), input, expect);
}

#[test]
fn how_the_owner_stands_decides_about_the_client_who_writes() {
    for (state, input, expect) in [
        (active(), inbound(Owner::Busy), "active 1"),
        (active(), inbound(Owner::Gone), "queued, handled 1"),
        (parked(), inbound(Owner::Busy), "queued"),
        (parked(), inbound(Owner::Gone), "queued"),
        (parked(), due(Owner::Busy), "queued"),
        (parked(), due(Owner::Gone), "queued"),
        (
            wrapping_up(20_000, true),
            inbound(Owner::Gone),
            "active 1, ended 1",
        ),
    ] {
        check(state, input, expect);
    }
    let mut chat = conversation(active());
    chat.medium = Medium::Chat;
    check_of(chat, inbound(Owner::Gone), "active 1");
}

#[test]
fn of_those_who_are_asked_at_once_any_may_accept() {
    check(
        ringing(),
        accept(ALSO, CLARA),
        "active 3, 52 accepted, responded 3, 50 rescinded, release 1",
    );
    check(ringing(), accept(ALSO, ANNA), "NotYours");
    check(
        ringing(),
        decline(ALSO, CLARA),
        "offered 50 to 1, 52 declined, release 3, responded 3, cool 3 until 20000",
    );
    check(
        ringing(),
        gone(CLARA),
        "offered 50 to 1, 52 revoked, release 3",
    );
    let mut conversation = conversation(ringing());
    conversation.handle(NOW, decline(PENDING, ANNA)).unwrap();
    conversation.handle(NOW, decline(ALSO, CLARA)).unwrap();
    assert_eq!(conversation.state, State::Queued);
    assert_eq!(conversation.tried, BTreeSet::from([ANNA, CLARA]));
}

#[test]
fn a_live_conversation_comes_back_from_who_is_lost_and_another_stays() {
    for (medium, expect) in [
        (Medium::Voice, "queued, handled 1"),
        (Medium::Chat, "queued, handled 1"),
        (Medium::Messenger, "active 1"),
        (Medium::Sms, "active 1"),
        (Medium::Email, "active 1"),
        (Medium::Form, "active 1"),
    ] {
        let mut before = conversation(active());
        before.medium = medium;
        let after = check_of(before, lost(ANNA), expect);
        assert_eq!(after.returned, medium.is_live());
        assert_eq!(after.place, OLD_PLACE);
    }
    let mut other = conversation(active());
    other.medium = Medium::Chat;
    check_of(other, lost(BORIS), "active 1");
}

#[test]
fn who_was_asked_is_remembered_for_the_round() {
    let mut conversation = conversation(offered());
    conversation.last_asked = Some(ANNA);
    conversation.handle(NOW, decline(PENDING, ANNA)).unwrap();
    assert_eq!(conversation.tried, BTreeSet::from([ANNA]));
    assert_eq!(conversation.asked_at, Some(NOW));
    conversation.handle(NOW, next_round()).unwrap();
    assert_eq!(conversation.tried, BTreeSet::new());
    assert_eq!(conversation.last_asked, Some(ANNA));
    assert_eq!(conversation.round, 2);
    assert_eq!(conversation.next_deadline(), Some(Timestamp(15_000)));
    conversation
        .handle(Timestamp(15_000), due(Owner::Free))
        .unwrap();
    assert_eq!(conversation.next_deadline(), None);
}

#[test]
fn who_let_an_offer_time_out_was_asked_and_who_went_away_was_not() {
    for (state, input, tried) in [
        (offered(), due(Owner::Free), BTreeSet::from([ANNA])),
        (ringing(), due(Owner::Free), BTreeSet::from([ANNA, CLARA])),
        (offered(), gone(ANNA), BTreeSet::new()),
        (offered(), lost(ANNA), BTreeSet::new()),
    ] {
        let mut conversation = conversation(state);
        conversation.handle(NOW, input).unwrap();
        assert_eq!(conversation.tried, tried);
    }
}

#[test]
fn the_owner_of_before_is_preferred_after_a_pause() {
    for (state, input) in [
        (parked(), inbound(Owner::Busy)),
        (active(), inbound(Owner::Gone)),
    ] {
        let mut conversation = conversation(state);
        conversation.last_asked = Some(ANNA);
        conversation.handle(NOW, input).unwrap();
        assert_eq!(conversation.preferred, Some(ANNA));
        assert_eq!(conversation.last_asked, None);
        conversation.handle(NOW, to_queue(None)).unwrap();
        assert_eq!(conversation.preferred, None);
    }
}

#[test]
fn silence_puts_a_conversation_aside() {
    let mut conversation = conversation(active());
    conversation.handle(NOW, answered()).unwrap();
    assert_eq!(conversation.next_deadline(), Some(Timestamp(50_000)));
    let early = conversation.handle(Timestamp(49_999), due(Owner::Free));
    assert_eq!(early, Ok(Vec::new()));
    let mut heard = conversation.clone();
    heard.handle(NOW, inbound(Owner::Free)).unwrap();
    assert_eq!(heard.next_deadline(), None);
    let effects = conversation.handle(Timestamp(50_000), due(Owner::Free));
    assert_eq!(
        effects,
        Ok(vec![Effect::Release {
            operator: ANNA,
            handled: true
        }])
    );
    let aside = State::Parked {
        operator: ANNA,
        until: None,
    };
    assert_eq!(conversation.state, aside);
    assert_eq!(conversation.next_deadline(), None);
}

#[test]
fn a_verdict_is_taken_while_the_time_runs_on() {
    let mut conversation = conversation(active());
    conversation.handle(NOW, finish_up(true)).unwrap();
    assert_eq!(conversation.next_deadline(), Some(Timestamp(40_000)));
    let early = conversation.handle(NOW, finish_up(true));
    assert_eq!(early, Err(Refusal::WrapUpFixed));
    assert_eq!(conversation.handle(NOW, finish()), Ok(Vec::new()));
    assert_eq!(conversation.disposition, "sold");
    assert!(conversation.is_open());
    conversation
        .handle(Timestamp(40_000), due(Owner::Free))
        .unwrap();
    assert!(!conversation.is_open());
    assert_eq!(conversation.disposition, "sold");
}

#[test]
fn a_client_who_comes_back_in_time_has_the_place_of_before() {
    let mut conversation = conversation(State::Queued);
    conversation.tried = BTreeSet::from([BORIS]);
    conversation.round = 3;
    let before = conversation.clone();
    conversation.handle(NOW, left()).unwrap();
    assert_eq!(conversation.next_deadline(), Some(Timestamp(60_000)));
    assert!(!conversation.waits());
    conversation.handle(Timestamp(59_999), Input::Back).unwrap();
    assert_eq!(conversation, before);
    conversation.handle(NOW, left()).unwrap();
    conversation
        .handle(Timestamp(60_000), due(Owner::Free))
        .unwrap();
    let late = conversation.handle(Timestamp(60_001), Input::Back);
    assert_eq!(late, Err(Refusal::Closed));
}

#[test]
fn what_was_taken_without_room_stays_so_while_it_is_carried() {
    for input in [take(ANNA), inbound(Owner::Busy)] {
        let mut conversation = conversation(State::Queued);
        let anna = Input::Take {
            operator: ANNA,
            over_capacity: true,
        };
        conversation.handle(NOW, anna).unwrap();
        conversation.handle(NOW, finish_up(false)).unwrap();
        conversation.handle(NOW, input).unwrap();
        assert!(conversation.over_capacity);
        conversation.handle(NOW, take(BORIS)).unwrap();
        assert!(!conversation.over_capacity);
    }
}

#[test]
fn a_pause_that_ended_meanwhile_is_over() {
    for (state, input) in [
        (abandoned(), Input::Back),
        (abandoned(), inbound(Owner::Gone)),
        (deferred(), due(Owner::Gone)),
    ] {
        let mut conversation = conversation(state);
        conversation.not_before = Some(NOW);
        conversation.handle(NOW, input.clone()).unwrap();
        assert_eq!(conversation.next_deadline(), None, "{input:?}");
    }
}

#[test]
fn who_waits_for_a_call_need_not_stay() {
    let mut conversation = conversation(State::Queued);
    conversation.handle(NOW, callback()).unwrap();
    conversation.handle(NOW, left()).unwrap();
    assert_eq!(conversation.state, State::Queued);
    let callback = conversation.callback.unwrap();
    assert_eq!(callback.phone, "+1 555 0100");
    assert_eq!(callback.asked_at, NOW);
}

#[test]
fn a_way_out_to_another_queue_keeps_the_age_and_whose_rules_count() {
    let mut conversation = conversation(State::Queued);
    conversation.tried = BTreeSet::from([ANNA]);
    conversation.handle(NOW, patience()).unwrap();
    assert_eq!(conversation.next_deadline(), Some(Timestamp(12_000)));
    let support = Exit::Queue(QueueId::from("support"));
    let calls = Exit::Queue(QueueId::from("calls"));
    conversation.handle(NOW, overflow(support)).unwrap();
    conversation.handle(NOW, overflow(calls.clone())).unwrap();
    assert_eq!(conversation.queue, QueueId::from("calls"));
    assert_eq!(conversation.overflow_home, Some(QueueId::from("sales")));
    assert_eq!(conversation.place, OLD_PLACE);
    assert_eq!(conversation.tried, BTreeSet::new());
    let last = conversation.overflow.clone().unwrap();
    assert_eq!(last.from, QueueId::from("support"));
    assert_eq!((last.exit, last.reason.as_str()), (calls, "max_wait"));
    conversation.handle(NOW, to_queue(None)).unwrap();
    assert_eq!(conversation.overflow_home, None);
    assert_eq!(conversation.overflow, None);
    assert_eq!(conversation.overflows_taken, 0);
}

#[test]
fn no_way_out_is_due_while_somebody_is_asked() {
    let mut conversation = conversation(offered());
    conversation.handle(NOW, patience()).unwrap();
    conversation.overflow_at = Some(Timestamp(1));
    assert_eq!(conversation.next_deadline(), Some(NOW));
    conversation.handle(NOW, due(Owner::Free)).unwrap();
    assert_eq!(conversation.next_deadline(), Some(Timestamp(1)));
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
