use serde_json::json;

use super::*;
use crate::message::Medium;
use crate::routing::Place;

const ANNA: OperatorId = OperatorId::new(1);
const BORIS: OperatorId = OperatorId::new(2);
const DAY: i64 = 24 * 3_600_000;
const END: i64 = 1_000_000;

fn conversation(state: &State, last_owner: Option<OperatorId>) -> Conversation {
    let place = Place {
        band: 0,
        eligible_at: Timestamp(1),
        seq: 1,
    };
    let document = json!({
        "id": 7, "thread": 7, "line": "site", "channel": "chat", "medium": Medium::Chat,
        "queue": "sales", "state": state, "place": place, "round": 1, "last_owner": last_owner,
        "returned": false, "unread_count": 0, "created_at": 1, "version": 1,
        "client": {
            "contact": "c7", "display_name": "", "avatar_url": null, "address": "",
            "provisional": false, "known": false,
        },
    });
    serde_json::from_value(document).unwrap()
}

fn ended(reason: CloseReason) -> State {
    State::Closed {
        at: Timestamp(END),
        reason,
    }
}

#[test]
fn a_score_is_one_to_five() {
    for number in 0..=u8::MAX {
        let score = serde_json::from_str::<Score>(&number.to_string()).ok();
        let expected = (1..=5).contains(&number).then_some(number);
        assert_eq!(score.map(Score::get), expected);
    }
    assert!(serde_json::from_str::<Score>("300").is_err());
    assert!(serde_json::from_str::<Score>("-1").is_err());
    assert!(serde_json::from_str::<Score>("4.5").is_err());
}

#[test]
fn a_conversation_can_be_rated_for_a_day() {
    let finished = ended(CloseReason::Finished);
    let active = State::Active {
        operator: BORIS,
        since: Timestamp(5),
    };
    // State, last owner, first rated at, now, until.
    let cases = [
        (finished.clone(), Some(ANNA), None, END, Some(END + DAY)),
        (
            finished.clone(),
            Some(ANNA),
            None,
            END + DAY,
            Some(END + DAY),
        ),
        (finished.clone(), Some(ANNA), None, END + DAY + 1, None),
        // A rating can be changed for a day after it was given.
        (
            finished.clone(),
            Some(ANNA),
            Some(END + DAY - 1),
            END + DAY + 1,
            Some(END + 2 * DAY - 1),
        ),
        (
            finished.clone(),
            Some(ANNA),
            Some(END - 500),
            END + 1,
            Some(END + DAY),
        ),
        // Nobody answered.
        (finished, None, None, END, None),
        (State::Queued, None, None, END, None),
        (ended(CloseReason::Spam), Some(ANNA), None, END, None),
        (active, Some(BORIS), None, END, Some(END + DAY)),
        (State::Queued, Some(ANNA), None, END, Some(END + DAY)),
    ];
    for (state, last_owner, rated_at, now, expected) in cases {
        let of = format!("{state:?} {last_owner:?} {rated_at:?} {now}");
        let conversation = conversation(&state, last_owner);
        let until = rateable_until(&conversation, rated_at.map(Timestamp), Timestamp(now));
        assert_eq!(until, expected.map(Timestamp), "{of}");
    }
}

#[test]
fn it_counts_for_whoever_answers_or_answered_last() {
    let active = State::Active {
        operator: BORIS,
        since: Timestamp(5),
    };
    assert_eq!(
        rated_operator(&conversation(&active, Some(ANNA))),
        Some(BORIS)
    );
    assert_eq!(
        rated_operator(&conversation(&State::Queued, Some(ANNA))),
        Some(ANNA)
    );
    assert_eq!(rated_operator(&conversation(&State::Queued, None)), None);
}
