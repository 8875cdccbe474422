//! Why lines may not send just now, for people to read: whatever a channel itself knows,
//! whoever sends is the first to hear it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use channels::SendError;
use domain::LineId;
use domain::message::Receipt;

/// What was last said to lines that have to wait as a whole.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<LineId, String>>);

impl Refusals {
    /// What a line was told last, until something is taken again.
    pub(crate) fn of(&self, line: &LineId) -> Option<String> {
        self.lock().get(line).cloned()
    }

    pub(super) fn note(&self, line: &LineId, outcome: &Result<Receipt, SendError>) {
        match outcome {
            Ok(_) => {
                self.lock().remove(line);
            }
            Err(SendError::Reauthorize(reason) | SendError::LineBusy { reason, .. }) => {
                self.lock().insert(line.clone(), reason.clone());
            }
            // They are of one message, or of one client.
            Err(
                SendError::RetryAfter { .. }
                | SendError::Rejected { .. }
                | SendError::ContactUnreachable { .. }
                | SendError::Uncertain(_)
                | SendError::Unsupported,
            ) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LineId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
