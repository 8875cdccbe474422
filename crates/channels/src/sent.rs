//! What was sent for sure, for providers that know no number of ours by which to send a
//! message again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// So many names are kept.
const SENT_MAX: usize = 1_000;

/// The names of messages of which the provider said that they were sent: none of them is
/// one in doubt, whatever it says.
#[derive(Default)]
pub(crate) struct Sent(Mutex<VecDeque<String>>);

impl Sent {
    pub(crate) fn note(&self, name: &str) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.push_back(name.to_owned());
        let surplus = names.len().saturating_sub(SENT_MAX);
        names.drain(..surplus);
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().any(|known| known == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_up_to_a_bound() {
        let sent = Sent::default();
        for number in 0..=SENT_MAX {
            sent.note(&number.to_string());
        }
        assert!(!sent.has("0"));
        assert!(sent.has("1") && sent.has(&SENT_MAX.to_string()));
    }
}
