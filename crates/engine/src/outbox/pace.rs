//! Keeps to how fast a line may send, as its channel tells it. In memory: after a restart
//! a burst may go out once more, and the provider says so if it minds.

use std::collections::BTreeMap;

use channels::{Pace, Rate};
use domain::{Millis, ThreadId, Timestamp};

/// Threads remembered before those that are free again are forgotten.
const THREADS_MAX: usize = 4_096;

/// A span in microseconds: rates are not whole milliseconds.
type Micros = i64;

/// When a line and its threads may send next.
#[derive(Debug, Default)]
pub(super) struct Meter {
    line: Bucket,
    threads: BTreeMap<ThreadId, Bucket>,
}

/// Leaks one at a time, evenly, and holds as many as a rate allows at once.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// When it will be empty.
    empty_at: Micros,
}

impl Meter {
    /// Takes one place for a thread, or tells when there will be one.
    pub(super) fn take(
        &mut self,
        pace: Pace,
        thread: ThreadId,
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        let of_thread = self.threads.get(&thread).copied().unwrap_or_default();
        let free_at = self
            .line
            .free_at(pace.line)
            .max(of_thread.free_at(pace.thread));
        if free_at > now {
            return Err(free_at);
        }
        self.line.fill(pace.line, now);
        if pace.thread.is_some() {
            if self.threads.len() >= THREADS_MAX {
                self.threads
                    .retain(|_, bucket| bucket.empty_at > micros(now));
            }
            self.threads
                .entry(thread)
                .or_default()
                .fill(pace.thread, now);
        }
        Ok(())
    }
}

impl Bucket {
    /// From when on there is room for one more.
    fn free_at(self, rate: Option<Rate>) -> Timestamp {
        let Some(rate) = rate else {
            return Timestamp(0);
        };
        let room = rate.per.0 * 1_000 - step(rate);
        let at = self.empty_at - room;
        Timestamp(at.div_euclid(1_000) + i64::from(at.rem_euclid(1_000) > 0))
    }

    fn fill(&mut self, rate: Option<Rate>, now: Timestamp) {
        if let Some(rate) = rate {
            self.empty_at = self.empty_at.max(micros(now)) + step(rate);
        }
    }
}

fn micros(at: Timestamp) -> Micros {
    at.0.saturating_mul(1_000)
}

/// What one takes of a rate.
fn step(rate: Rate) -> Micros {
    let Millis(per) = rate.per;
    per.max(1).saturating_mul(1_000) / i64::from(rate.count.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000_000;

    /// When each of so many goes out, in milliseconds, when each goes as soon as it may.
    fn sent(pace: Pace, threads: &[i64]) -> Vec<i64> {
        let mut meter = Meter::default();
        let mut now = Timestamp(START);
        let mut at = Vec::new();
        for thread in threads {
            while let Err(later) = meter.take(pace, ThreadId::new(*thread), now) {
                assert!(later > now);
                now = later;
            }
            at.push(now.0 - START);
        }
        at
    }

    #[test]
    fn without_a_pace_everything_goes_at_once() {
        assert_eq!(sent(Pace::default(), &[1, 1, 2, 1]), [0, 0, 0, 0]);
    }

    #[test]
    fn a_line_sends_so_many_at_once_and_the_rest_evenly() {
        let pace = Pace {
            line: Some(Rate::per_second(3)),
            thread: None,
        };
        assert_eq!(
            sent(pace, &[1, 2, 3, 4, 5, 6, 7]),
            [0, 0, 0, 334, 667, 1_000, 1_334]
        );
    }

    #[test]
    fn a_thread_waits_and_others_do_not() {
        let pace = Pace {
            line: Some(Rate::per_second(30)),
            thread: Some(Rate::per_second(1)),
        };
        assert_eq!(sent(pace, &[1, 2, 3, 1, 1]), [0, 0, 0, 1_000, 2_000]);
    }

    #[test]
    fn what_is_free_again_is_forgotten() {
        let pace = Pace {
            line: None,
            thread: Some(Rate::per_second(1)),
        };
        let mut meter = Meter::default();
        for thread in 0..20_000 {
            let now = Timestamp(START + thread * 10);
            assert_eq!(meter.take(pace, ThreadId::new(thread), now), Ok(()));
        }
        assert!(meter.threads.len() <= THREADS_MAX);
    }
}
