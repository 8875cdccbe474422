//! The event log of a store that another process may be using.

use std::path::Path;

use domain::Timestamp;
use domain::event::{Cursor, Event};

use crate::{AuditFilter, StoreError, one_picture, open};

/// Events read at once.
const PAGE: i64 = 1_000;
/// The act of a changed configuration, as it is audited.
const RELOAD: &str = "configuration.reload";

/// Reads the event log of the store at `path` from its beginning, whether or not a
/// gateway is using it, until `each` answers false. Everything that is read is of one
/// moment.
pub fn read_events(path: &Path, mut each: impl FnMut(&Event) -> bool) -> Result<(), StoreError> {
    let connection = open::reader(path)?;
    one_picture(&connection, |view| {
        let (oldest, _) = view.event_range()?;
        let mut cursor = Cursor(oldest.0 - 1);
        while let Some(events) = view.events_after(cursor, PAGE)?
            && let Some(last) = events.last()
        {
            cursor = last.cursor;
            if !events.iter().all(|event| each(event)) {
                break;
            }
        }
        Ok(())
    })
}

/// When the first and the last event of the log happened, the same way; none when it is
/// empty.
pub fn recorded_period(path: &Path) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let connection = open::reader(path)?;
    one_picture(&connection, |view| {
        let (oldest, newest) = view.event_range()?;
        let at = |cursor: Cursor| {
            let found = view.events_after(Cursor(cursor.0 - 1), 1)?;
            Ok::<_, StoreError>(found.and_then(|events| events.first().map(|event| event.at)))
        };
        Ok(at(oldest)?.zip(at(newest)?))
    })
}

/// When the configuration was changed while the gateway ran, and what of it, the same way;
/// the newest first.
pub fn recorded_reloads(
    path: &Path,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(Timestamp, String)>, StoreError> {
    let connection = open::reader(path)?;
    one_picture(&connection, |view| {
        let filter = AuditFilter {
            act: RELOAD.to_owned(),
            since: Some(from),
            until: Some(to),
            ..AuditFilter::default()
        };
        let acts = view.audit_before(i64::MAX, &filter, PAGE)?;
        Ok(acts.into_iter().map(|act| (act.at, act.detail)).collect())
    })
}
