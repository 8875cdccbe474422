//! Which visitors are connected here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::routes::Endpoint;

/// How many connections each visitor has, of those who have one.
#[derive(Default)]
pub(super) struct Present(Mutex<BTreeMap<String, usize>>);

impl Endpoint {
    /// A connection of a visitor's begins.
    pub(super) fn comes(&self, visitor_id: &str) {
        self.count(visitor_id, |connections| connections + 1);
    }

    /// A connection of a visitor's ends.
    pub(super) fn leaves(&self, visitor_id: &str) {
        self.count(visitor_id, |connections| connections.saturating_sub(1));
    }

    fn count(&self, visitor_id: &str, change: impl FnOnce(usize) -> usize) {
        let present = &self.chat.present.0;
        let mut present = present.lock().unwrap_or_else(PoisonError::into_inner);
        let before = present.get(visitor_id).copied().unwrap_or(0);
        let after = change(before);
        if after == 0 {
            present.remove(visitor_id);
        } else {
            present.insert(visitor_id.to_owned(), after);
        }
        // Told under the lock, so that the host hears of coming and going in the order
        // of both.
        if (before == 0) != (after == 0) {
            let line = &self.chat.config.line;
            self.host.client_present(line, visitor_id, after > 0);
        }
    }
}
