//! The one place that reads the clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use domain::{Millis, Timestamp};

use crate::Clock;

/// How fast a wrong time is mended: a second in ten, so that no timer fires early
/// by more than that and none stands still.
const SLEW: i64 = 10;

/// The system's time, wherever it jumps.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A clock that starts at the system's time and then only goes forward, a little
/// faster or slower until it agrees again: a jump of the system's clock reorders
/// nothing, fires nothing early and holds nothing up.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn steady() -> Clock {
    let state = Mutex::new((Instant::now(), now()));
    Arc::new(move || {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, last) = *state;
        let at = Instant::now();
        let passed = i64::try_from(at.duration_since(read_at).as_millis()).unwrap_or(i64::MAX);
        if passed > 0 {
            *state = (at, step(last, Millis(passed), now()));
        }
        state.1
    })
}

/// Goes on from `last`, `passed` later, towards what the system says.
fn step(last: Timestamp, passed: Millis, system: Timestamp) -> Timestamp {
    let ours = last + passed;
    let most = passed.0 / SLEW;
    let wrong = system.0.saturating_sub(ours.0).clamp(-most, most);
    ours + Millis(wrong)
}

/// A clock that can be told to stand no earlier than some moment.
#[derive(Clone)]
pub(crate) struct Ahead {
    clock: Clock,
    by_ms: Arc<AtomicI64>,
}

impl Ahead {
    pub(crate) fn over(clock: Clock) -> Self {
        Self {
            clock,
            by_ms: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)() + Millis(self.by_ms.load(Ordering::Relaxed))
    }

    /// What was written in a later time than it is now was written before a jump
    /// back: going on from there keeps the order.
    pub(crate) fn not_before(&self, moment: Timestamp) {
        let behind = moment.since(self.now());
        self.by_ms.fetch_add(behind.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_changes_the_pace_and_not_the_time() {
        const DAYS_30: i64 = 30 * 86_400_000;
        for (system, expect) in [
            (11_000, 11_000),
            (11_050, 11_050),
            (10_950, 10_950),
            (11_000 + DAYS_30, 11_100),
            (11_000 - DAYS_30, 10_900),
            (i64::MAX, 11_100),
            (i64::MIN, 10_900),
        ] {
            let time = step(Timestamp(10_000), Millis(1_000), Timestamp(system));
            assert_eq!(time, Timestamp(expect), "system at {system}");
        }
    }

    #[test]
    fn goes_on_from_what_was_written() {
        let clock = Ahead::over(Arc::new(|| Timestamp(1_000)));
        clock.not_before(Timestamp(5_000));
        assert_eq!(clock.now(), Timestamp(5_000));
        clock.not_before(Timestamp(2_000));
        assert_eq!(clock.now(), Timestamp(5_000));
    }
}
