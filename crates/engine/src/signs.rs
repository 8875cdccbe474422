//! What operators do that clients may see on their channel, and that leaves no trace. It
//! is let go rather than kept waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use channels::Sign;
use domain::LineId;
use domain::message::Recipient;

use crate::Engine;

/// Signs of one line that are under way at once.
const UNDER_WAY_MAX: usize = 8;
/// After so long nobody is interested any more.
const TIME_MAX: Duration = Duration::from_secs(5);

/// How many signs of each line are under way.
#[derive(Default)]
pub(crate) struct Signs(Mutex<BTreeMap<LineId, usize>>);

impl Signs {
    /// Counts one more, unless there are enough.
    fn begin(&self, line: &LineId) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(line.clone()).or_default();
        if *count >= UNDER_WAY_MAX {
            return false;
        }
        *count += 1;
        true
    }

    fn end(&self, line: &LineId) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(line) {
            *count -= 1;
        }
    }
}

impl Engine {
    /// Shows a client something, if there is room for it just now.
    pub(crate) fn show(&self, line: &LineId, recipient: Recipient, sign: Sign) {
        let Some(line) = self.line(line) else { return };
        let signs = Arc::clone(&self.inner.signs);
        if !signs.begin(&line.id) {
            return;
        }
        let stop = self.stopping();
        self.inner.tasks.spawn(async move {
            let shown = tokio::time::timeout(TIME_MAX, line.channel.show(&sign, &recipient));
            tokio::select! {
                () = stop.cancelled() => {}
                _ = shown => {}
            }
            signs.end(&line.id);
        });
    }
}
