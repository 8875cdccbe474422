//! When a delivery that failed is tried again: the times that Standard Webhooks
//! recommends, a little later by chance, so that a receiver that comes back is not
//! met by everybody at once.

use domain::{Millis, Timestamp};
use store::{WebhookRow, WebhookState};

use channels::egress::Reply;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The pause after the first failure, the second, and so on.
const PAUSES: [i64; 9] = [
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];
/// The longest pause that a receiver may ask for.
const ASKED_MAX: Millis = Millis(24 * HOUR);
const ASKED_MIN: Millis = Millis(SECOND);
/// So many tries, and so long, before a receiver is given up.
const ATTEMPTS_MIN: u32 = 10;
const DEAD_AFTER: Millis = Millis(72 * HOUR);
/// Pauses grow by up to a fifth.
const JITTER_PART: i64 = 5;

/// A number by chance.
pub type Dice = std::sync::Arc<dyn Fn() -> u16 + Send + Sync>;

/// The pause after so many failures in a row.
pub(super) fn pause(attempts: u32, chance: u16) -> Millis {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let pause = PAUSES.get(index).copied().unwrap_or(24 * HOUR);
    let jitter = pause / JITTER_PART * i64::from(chance) / i64::from(u16::MAX);
    Millis(pause + jitter)
}

/// Writes into the row how a delivery that failed goes on.
pub(super) fn failed(
    row: &mut WebhookRow,
    outcome: &Result<Reply, String>,
    now: Timestamp,
    chance: u16,
) {
    row.attempts = row.attempts.saturating_add(1);
    let since = *row.doc.failing_since.get_or_insert(now);
    let asked = match outcome {
        Ok(reply) => reply.retry_after,
        Err(_) => None,
    };
    row.next_at = now
        + asked.map_or_else(
            || pause(row.attempts, chance),
            |asked| Millis(asked.0.clamp(ASKED_MIN.0, ASKED_MAX.0)),
        );
    row.doc.last_error = match outcome {
        Ok(reply) => reply.to_string(),
        Err(problem) => problem.clone(),
    };
    if outcome.as_ref().is_ok_and(Reply::is_gone) {
        row.state = WebhookState::Gone;
    } else if row.attempts >= ATTEMPTS_MIN && now.since(since) >= DEAD_AFTER {
        row.state = WebhookState::Suspended;
    }
}

#[cfg(test)]
mod tests {
    use domain::event::Cursor;
    use http::StatusCode;
    use store::WebhookDoc;

    use super::*;

    fn row() -> WebhookRow {
        WebhookRow {
            id: "crm".to_owned(),
            cursor: Cursor(7),
            state: WebhookState::Delivers,
            next_at: Timestamp(0),
            attempts: 0,
            version: 0,
            doc: WebhookDoc::default(),
        }
    }

    fn reply(status: u16, retry_after: Option<i64>) -> Reply {
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: retry_after.map(Millis),
            body: Vec::new(),
            headers: http::HeaderMap::new(),
            is_whole: true,
        }
    }

    #[test]
    fn pauses_are_those_of_the_specification_and_a_little_more() {
        let seconds: Vec<i64> = (1..=11).map(|n| pause(n, 0).0 / SECOND).collect();
        assert_eq!(
            seconds,
            [
                5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, 86_400, 86_400
            ]
        );
        assert_eq!(pause(1, u16::MAX), Millis(6 * SECOND));
        assert_eq!(pause(2, u16::MAX / 2 + 1).0 / SECOND, 330);
    }

    #[test]
    fn a_receiver_that_stays_dead_is_given_up_after_days_and_the_cursor_stays() {
        let (mut row, mut now) = (row(), Timestamp(0));
        for _ in 0..9 {
            failed(&mut row, &Err("refused".to_owned()), now, 0);
            assert_eq!(row.state, WebhookState::Delivers);
            now = row.next_at;
        }
        failed(&mut row, &Err("refused".to_owned()), now, 0);
        assert_eq!((row.state, row.attempts), (WebhookState::Suspended, 10));
        assert!(now.0 > 3 * 24 * HOUR && now.0 < 4 * 24 * HOUR, "{now:?}");
        assert_eq!(row.cursor, Cursor(7));
        assert_eq!(row.doc.last_error, "refused");
    }

    #[test]
    fn our_own_absence_is_not_held_against_a_receiver() {
        let mut row = row();
        failed(&mut row, &Err("refused".to_owned()), Timestamp(0), 0);
        failed(
            &mut row,
            &Err("refused".to_owned()),
            Timestamp(10 * 24 * HOUR),
            0,
        );
        assert_eq!(row.state, WebhookState::Delivers);
    }

    #[test]
    fn a_receiver_says_itself_when_to_come_again() {
        let mut row = row();
        failed(
            &mut row,
            &Ok(reply(429, Some(90 * SECOND))),
            Timestamp(0),
            u16::MAX,
        );
        assert_eq!(row.next_at, Timestamp(90 * SECOND));
        failed(&mut row, &Ok(reply(503, Some(0))), Timestamp(0), 0);
        assert_eq!(row.next_at, Timestamp(SECOND));
        failed(&mut row, &Ok(reply(503, Some(i64::MAX))), Timestamp(0), 0);
        assert_eq!(row.next_at, Timestamp(24 * HOUR));
        // For ever "in a second" is dead, too.
        for at in 0..20 {
            failed(&mut row, &Ok(reply(429, Some(SECOND))), Timestamp(at), 0);
        }
        assert_eq!(row.state, WebhookState::Delivers);
        failed(
            &mut row,
            &Ok(reply(429, Some(SECOND))),
            Timestamp(DEAD_AFTER.0),
            0,
        );
        assert_eq!(row.state, WebhookState::Suspended);
    }

    #[test]
    fn who_is_gone_is_not_asked_again() {
        let mut row = row();
        failed(&mut row, &Ok(reply(410, None)), Timestamp(0), 0);
        assert_eq!(row.state, WebhookState::Gone);
    }
}
