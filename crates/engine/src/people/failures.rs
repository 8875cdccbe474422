//! Sign-ins that failed, noted in the audit log: each of them, but no more in a minute
//! than a person could read. Whoever tries a list of passwords must not fill the disk.

use std::sync::{Mutex, PoisonError};

use domain::{Millis, Timestamp};
use store::StoreError;

use super::session::Browser;
use crate::Engine;

const NOTED_PER_MINUTE: u32 = 60;
const MINUTE: Millis = Millis::from_secs(60);

/// How many were noted lately.
#[derive(Default)]
pub(crate) struct Failures(Mutex<Lately>);

#[derive(Default)]
struct Lately {
    since: Timestamp,
    noted: u32,
    left_out: u64,
}

impl Failures {
    /// Whether another one is noted; with how many that were not since the last.
    fn take(&self, now: Timestamp) -> Option<u64> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(lately.since) >= MINUTE {
            lately.since = now;
            lately.noted = 0;
        }
        if lately.noted >= NOTED_PER_MINUTE {
            lately.left_out += 1;
            return None;
        }
        lately.noted += 1;
        Some(std::mem::take(&mut lately.left_out))
    }
}

impl Engine {
    /// Notes that somebody could not sign in. The name is only that of somebody known:
    /// what is typed there by mistake may be a password.
    pub(super) async fn note_failure(&self, known: Option<&str>, why: &str, browser: &Browser) {
        metrics::counter!("sign_ins_failed_total").increment(1);
        let Some(left_out) = self.inner.failures.take(self.now()) else {
            return;
        };
        let subject = known.unwrap_or_default().to_owned();
        let mut detail = format!("{why}; {browser}");
        if left_out > 0 {
            detail = format!("{why}; {left_out} more were not noted; {browser}");
        }
        let noted = self
            .store()
            .write::<_, StoreError>(move |tx| tx.audit(None, "sign_in.fail", &subject, &detail));
        if let Err(error) = noted.await {
            tracing::error!(%error, "a failed sign-in was not noted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_not_written_down() {
        let failures = Failures::default();
        let at = |second: i64| Timestamp(1_000_000 + second * 1_000);
        for _ in 0..NOTED_PER_MINUTE {
            assert_eq!(failures.take(at(0)), Some(0));
        }
        assert_eq!(failures.take(at(30)), None);
        assert_eq!(failures.take(at(59)), None);
        assert_eq!(failures.take(at(60)), Some(2));
        assert_eq!(failures.take(at(61)), Some(0));
    }
}
