use super::{
    Cause, Input, Kind, MOVES_MAX, Maker, Notice, Obligation, Occasion, Outcome, Outcomes, Promise,
    Refusal, Rule, Rules, Stage, State, Terms, Wish, promise_for,
};
use crate::conversation::Client;
use crate::message::Medium;
use crate::{ContactId, Millis, ObligationId, OperatorId, QueueId, Timestamp};

const ANNA: OperatorId = OperatorId::new(1);
const BORIS: OperatorId = OperatorId::new(2);
/// Promised at 1,000 for 2,000; reminded of at 1,900, escalated at 2,050, broken at
/// 2,500.
const MADE: Timestamp = Timestamp(1_000);
const DUE: Timestamp = Timestamp(2_000);
const TERMS: Terms = Terms {
    lead: Millis(100),
    grace: Millis(50),
    limit: Millis(500),
};

const fn open(stage: Stage, escalated: Option<Cause>) -> State {
    State::Open { stage, escalated }
}

fn promise(state: State) -> Obligation {
    Obligation {
        id: ObligationId::new(7),
        kind: Kind::Callback,
        client: Client {
            contact: ContactId::from("c7"),
            display_name: String::new(),
            avatar_url: None,
            address: "+79990000000".to_owned(),
            provisional: false,
            known: false,
        },
        origin: ContactId::from("c7"),
        conversation: None,
        thread: None,
        line: None,
        queue: QueueId::from("sales"),
        owner: Some(ANNA),
        note: String::new(),
        reach: String::new(),
        created_at: MADE,
        created_by: Maker::Operator(ANNA),
        promised_for: DUE,
        due_at: DUE,
        set_at: MADE,
        terms: TERMS,
        state,
        moves: Vec::new(),
        version: 1,
    }
}

const PROMISED: State = open(Stage::Promised, None);
const REMINDED: State = open(Stage::Reminded, None);
const NOW_DUE: State = open(Stage::Due, None);
const OVERDUE: State = open(Stage::Due, Some(Cause::Overdue));
const ORPHAN: State = open(Stage::Promised, Some(Cause::OwnerGone));

fn kept(at: i64) -> State {
    State::Kept {
        at: Timestamp(at),
        by: Some(ANNA),
    }
}

fn late(at: i64) -> State {
    State::Late {
        at: Timestamp(at),
        by: Some(ANNA),
    }
}

fn broken(at: i64) -> State {
    State::Broken { at: Timestamp(at) }
}

fn waived(at: i64) -> State {
    State::Waived {
        at: Timestamp(at),
        by: Some(ANNA),
        reason: "wrote by mail".to_owned(),
    }
}

fn check(from: State, now: i64, input: Input, expect: Result<(State, Option<Notice>), Refusal>) {
    let told = format!("{from:?} at {now}: {input:?}");
    let before = promise(from);
    let mut after = before.clone();
    match (after.handle(Timestamp(now), input), expect) {
        (Ok(notice), Ok(expect)) => assert_eq!((after.state, notice), expect, "{told}"),
        (Err(refusal), Err(expect)) => {
            assert_eq!(refusal, expect, "{told}");
            assert_eq!(after, before, "{told}: a refusal changes nothing");
        }
        (got, expect) => panic!("{told}: {got:?}, expected {expect:?}"),
    }
}

#[test]
fn time_passes() {
    for (from, now, expect) in [
        (PROMISED, 1_899, (PROMISED, None)),
        (PROMISED, 1_900, (REMINDED, Some(Notice::Soon))),
        (REMINDED, 1_999, (REMINDED, None)),
        (REMINDED, 2_000, (NOW_DUE, Some(Notice::Due))),
        (NOW_DUE, 2_049, (NOW_DUE, None)),
        (NOW_DUE, 2_050, (OVERDUE, Some(Notice::Escalated))),
        (OVERDUE, 2_499, (OVERDUE, None)),
        (OVERDUE, 2_500, (broken(2_500), Some(Notice::Broken))),
        // After a long stop the last notice alone is told.
        (PROMISED, 2_000, (NOW_DUE, Some(Notice::Due))),
        (PROMISED, 2_050, (OVERDUE, Some(Notice::Escalated))),
        (PROMISED, 9_999, (broken(9_999), Some(Notice::Broken))),
        // Whose owner is gone is the supervisors' from then on, and still reminded of.
        (
            ORPHAN,
            1_900,
            (
                open(Stage::Reminded, Some(Cause::OwnerGone)),
                Some(Notice::Soon),
            ),
        ),
        (
            ORPHAN,
            2_060,
            (open(Stage::Due, Some(Cause::OwnerGone)), Some(Notice::Due)),
        ),
    ] {
        check(from, now, Input::Due, Ok(expect));
    }
}

#[test]
fn what_somebody_does_ends_it() {
    let keep = || Input::Keep { by: Some(ANNA) };
    let waive = || Input::Waive {
        by: Some(ANNA),
        reason: "wrote by mail".to_owned(),
    };
    for (from, now, input, expect) in [
        (PROMISED, 1_001, keep(), Ok(kept(1_001))),
        (NOW_DUE, 2_000, keep(), Ok(kept(2_000))),
        // The timer may be a moment behind: the time alone decides.
        (REMINDED, 2_001, keep(), Ok(late(2_001))),
        (OVERDUE, 2_400, keep(), Ok(late(2_400))),
        (ORPHAN, 1_500, keep(), Ok(kept(1_500))),
        (OVERDUE, 2_400, waive(), Ok(waived(2_400))),
        (PROMISED, 1_001, waive(), Ok(waived(1_001))),
        (kept(1_500), 1_501, keep(), Err(Refusal::Done)),
        (late(2_400), 2_401, waive(), Err(Refusal::Done)),
        (broken(2_500), 2_501, keep(), Err(Refusal::Broken)),
        (waived(1_500), 1_501, keep(), Err(Refusal::Waived)),
        (kept(1_500), 9_999, Input::Due, Err(Refusal::Done)),
        (waived(1_500), 9_999, Input::Due, Err(Refusal::Waived)),
    ] {
        check(from, now, input, expect.map(|state| (state, None)));
    }
}

#[test]
fn it_gets_another_owner() {
    let assign = |owner| Input::Assign { owner };
    let gone = |operator| Input::OwnerGone { operator };
    let told = Some(Notice::Escalated);
    for (from, input, expect, owner) in [
        (PROMISED, assign(Some(BORIS)), (PROMISED, None), Some(BORIS)),
        (PROMISED, assign(None), (PROMISED, None), None),
        (OVERDUE, assign(Some(BORIS)), (OVERDUE, None), Some(BORIS)),
        (ORPHAN, assign(Some(BORIS)), (PROMISED, None), Some(BORIS)),
        (PROMISED, gone(ANNA), (ORPHAN, told), None),
        (PROMISED, gone(BORIS), (PROMISED, None), Some(ANNA)),
        (OVERDUE, gone(ANNA), (OVERDUE, None), None),
    ] {
        let mut after = promise(from.clone());
        let notice = after.handle(Timestamp(1_100), input.clone()).unwrap();
        assert_eq!((after.state, notice), expect, "{from:?}: {input:?}");
        assert_eq!(after.owner, owner, "{from:?}: {input:?}");
    }
}

/// What becomes of a promise that is moved at `now` to `to`, and kept at `done`.
fn moved(now: i64, wish: Wish, to: i64, done: i64) -> Outcome {
    let mut promise = promise(OVERDUE);
    let input = Input::Move {
        by: Some(ANNA),
        due_at: Timestamp(to),
        wish,
        reason: String::new(),
    };
    promise.handle(Timestamp(now), input).unwrap();
    assert_eq!(promise.state, PROMISED);
    assert_eq!(promise.due_at, Timestamp(to));
    assert_eq!(promise.moves.len(), 1);
    let keep = Input::Keep { by: Some(ANNA) };
    promise.handle(Timestamp(done), keep).unwrap();
    promise.outcome().unwrap()
}

#[test]
fn whose_wish_decides_what_it_is_judged_by() {
    for (now, wish, to, done, expect) in [
        (1_500, Wish::Client, 3_000, 3_000, Outcome::Kept),
        (1_500, Wish::Client, 3_000, 3_001, Outcome::Late),
        // The client wants it sooner, so sooner it is to be.
        (1_500, Wish::Client, 1_600, 1_700, Outcome::Late),
        (1_500, Wish::Ours, 3_000, 2_000, Outcome::Kept),
        (1_500, Wish::Ours, 3_000, 2_001, Outcome::Late),
        (1_500, Wish::Ours, 1_600, 1_700, Outcome::Kept),
        // What was missed stays missed.
        (2_100, Wish::Client, 3_000, 2_900, Outcome::Late),
    ] {
        let got = moved(now, wish, to, done);
        assert_eq!(got, expect, "{wish:?} at {now} to {to}, done at {done}");
    }
}

#[test]
fn it_cannot_be_moved_into_the_past_or_for_ever() {
    let to = |due_at| Input::Move {
        by: Some(ANNA),
        due_at: Timestamp(due_at),
        wish: Wish::Client,
        reason: "busy".to_owned(),
    };
    check(PROMISED, 1_500, to(1_500), Err(Refusal::Past));
    check(kept(1_200), 1_500, to(3_000), Err(Refusal::Done));
    let mut promise = promise(PROMISED);
    for number in 0..MOVES_MAX {
        let due_at = 3_000 + i64::try_from(number).unwrap();
        promise.handle(Timestamp(1_500), to(due_at)).unwrap();
    }
    let refused = promise.handle(Timestamp(1_500), to(9_000));
    assert_eq!(refused, Err(Refusal::TooManyMoves));
    assert_eq!(promise.moves.len(), MOVES_MAX);
}

#[test]
fn a_short_promise_is_reminded_of_at_half_time() {
    for (set_at, expect) in [(1_000, 1_900), (1_800, 1_900), (1_900, 1_950)] {
        let promise = Obligation {
            set_at: Timestamp(set_at),
            ..promise(PROMISED)
        };
        assert_eq!(promise.next_deadline(), Some(Timestamp(expect)), "{set_at}");
    }
}

#[test]
fn supervisors_hear_of_it_before_it_is_broken() {
    let strange = Obligation {
        terms: Terms {
            grace: Millis(900),
            ..TERMS
        },
        ..promise(OVERDUE)
    };
    assert_eq!(strange.next_deadline(), Some(Timestamp(2_900)));
}

#[test]
#[expect(clippy::too_many_lines, reason = "the cases are a table")]
fn rules_promise_what_can_be_done() {
    let rules = Rules {
        callback_within: Some(Millis(1_800)),
        terms: TERMS,
    };
    let phone = || Some("+79990000000".to_owned());
    let address = || Some("@client".to_owned());
    let (call, write) = (Kind::Callback, Kind::Reply);
    for (rule, medium, phone, address, expect) in [
        (
            Rule::OnMissedCall,
            Medium::Voice,
            phone(),
            None,
            Some((call, "+79990000000")),
        ),
        (
            Rule::OnMissedCall,
            Medium::Voice,
            None,
            address(),
            Some((call, "@client")),
        ),
        (
            Rule::OnAbandoned,
            Medium::Voice,
            phone(),
            None,
            Some((call, "+79990000000")),
        ),
        (
            Rule::OnAbandoned,
            Medium::Chat,
            phone(),
            address(),
            Some((call, "+79990000000")),
        ),
        (
            Rule::OnAbandoned,
            Medium::Chat,
            None,
            address(),
            Some((write, "@client")),
        ),
        (
            Rule::OnAbandoned,
            Medium::Messenger,
            phone(),
            address(),
            Some((write, "@client")),
        ),
        (
            Rule::OnDiverted,
            Medium::Email,
            None,
            address(),
            Some((write, "@client")),
        ),
        (
            Rule::OnDiverted,
            Medium::Form,
            phone(),
            None,
            Some((call, "+79990000000")),
        ),
        (Rule::OnAbandoned, Medium::Chat, None, None, None),
    ] {
        let occasion = Occasion {
            rule,
            medium,
            phone,
            address,
        };
        let promised = promise_for(&occasion, &rules, MADE, |now, within| now + within);
        let expect = expect.map(|(kind, reach)| Promise {
            kind,
            due_at: Timestamp(2_800),
            reach: reach.to_owned(),
        });
        assert_eq!(promised, expect, "{occasion:?}");
        let nothing = promise_for(&occasion, &Rules::default(), MADE, |now, _| now);
        assert_eq!(nothing, None, "{occasion:?}");
    }
}

#[test]
fn the_rate_counts_what_was_to_be_done() {
    let mut outcomes = Outcomes::default();
    assert_eq!(outcomes.kept_rate(), None);
    for (outcome, expect) in [
        (Outcome::Waived, None),
        (Outcome::Kept, Some(1.0)),
        (Outcome::Kept, Some(1.0)),
        (Outcome::Late, Some(2.0 / 3.0)),
        (Outcome::Broken, Some(0.5)),
        (Outcome::Waived, Some(0.5)),
    ] {
        outcomes.add(outcome);
        assert_eq!(outcomes.kept_rate(), expect, "{outcomes:?}");
    }
}
