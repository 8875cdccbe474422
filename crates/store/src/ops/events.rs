use std::sync::Arc;

use domain::Timestamp;
use domain::event::{Cursor, Event, EventKind};

use crate::{StoreError, Tx, View};

impl View<'_> {
    /// Events after a cursor, in order. None when the log no longer reaches back
    /// that far: then the reader has to load anew.
    pub fn events_after(
        &self,
        cursor: Cursor,
        limit: i64,
    ) -> Result<Option<Vec<Arc<Event>>>, StoreError> {
        let (oldest, newest) = self.event_range()?;
        if cursor > newest || cursor.0 + 1 < oldest.0 {
            return Ok(None);
        }
        self.rows(
            "select cursor, at, doc from event where cursor > ?1 order by cursor limit ?2",
            (cursor.0, limit),
            |row| {
                let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
                Ok(Arc::new(Event {
                    cursor: Cursor(row.get(0)?),
                    at: Timestamp(row.get(1)?),
                    kind: serde_json::from_str::<EventKind>(text)?,
                }))
            },
        )
        .map(Some)
    }

    /// The oldest event that is kept and the newest; `(1, 0)` when there is none.
    pub fn event_range(&self) -> Result<(Cursor, Cursor), StoreError> {
        self.row(
            "select coalesce((select min(cursor) from event), 1),
                    coalesce((select max(cursor) from event), 0)",
            (),
            |row| Ok((Cursor(row.get(0)?), Cursor(row.get(1)?))),
        )
        .map(|range| range.unwrap_or((Cursor(1), Cursor(0))))
    }
}

impl Tx<'_> {
    /// Forgets events from before `before`, a few at a time, the newest one never.
    pub fn prune_events(&mut self, before: Timestamp, limit: i64) -> Result<usize, StoreError> {
        self.execute(
            "delete from event where cursor in (
               select cursor from event
               where at < ?1 and cursor < (select max(cursor) from event)
               order by cursor limit ?2)",
            (before.0, limit),
        )
    }
}
