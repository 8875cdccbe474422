//! How far each outgoing webhook has come.

use domain::Timestamp;
use domain::event::Cursor;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::{StoreError, Tx, View};

/// Whether a webhook is delivered to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookState {
    /// It is.
    #[default]
    Delivers,
    /// It failed for days: an admin has to resume it.
    Suspended,
    /// It answered 410: an admin has to resume it.
    Gone,
}

/// One webhook's place in the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRow {
    /// The id of its `[[webhook]]`.
    pub id: String,
    /// The last event that is done with.
    pub cursor: Cursor,
    /// Whether it is delivered to.
    pub state: WebhookState,
    /// Not tried before.
    pub next_at: Timestamp,
    /// Tries in a row that failed.
    pub attempts: u32,
    /// Rises when an admin changes the row: what was read before is then void.
    pub version: i64,
    /// The rest.
    pub doc: WebhookDoc,
}

/// What is told of a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookDoc {
    /// Where it was delivered to when this was written.
    pub url: String,
    /// Since when every try has failed.
    pub failing_since: Option<Timestamp>,
    /// What went wrong the last time.
    pub last_error: String,
    /// When an event was last taken.
    pub delivered_at: Option<Timestamp>,
    /// Events that were taken, ever.
    pub delivered: u64,
    /// Events that the log had forgotten before they could be delivered, ever.
    pub lost: u64,
}

impl WebhookState {
    const fn number(self) -> i64 {
        match self {
            Self::Delivers => 0,
            Self::Suspended => 1,
            Self::Gone => 2,
        }
    }

    fn of(number: i64) -> Result<Self, StoreError> {
        [Self::Delivers, Self::Suspended, Self::Gone]
            .into_iter()
            .find(|state| state.number() == number)
            .ok_or_else(|| StoreError::Corrupt(format!("a webhook in the state {number}")))
    }
}

impl Tx<'_> {
    /// Writes a webhook's row anew if it is of the version that was read, and there.
    /// False when it is not.
    pub fn save_webhook(&mut self, row: &WebhookRow) -> Result<bool, StoreError> {
        let changed = self.execute(
            "update webhook set cursor = ?2, state = ?3, next_at = ?4, attempts = ?5, doc = ?6
             where id = ?1 and version = ?7",
            (
                &row.id,
                row.cursor.0,
                row.state.number(),
                row.next_at.0,
                row.attempts,
                serde_json::to_string(&row.doc)?,
                row.version,
            ),
        )?;
        Ok(changed == 1)
    }

    /// Writes a webhook's row as an admin wants it: what others read before is void.
    pub fn change_webhook(&mut self, row: &WebhookRow) -> Result<(), StoreError> {
        self.execute(
            "insert into webhook (id, cursor, state, next_at, attempts, version, doc)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             on conflict (id) do update set
               cursor = excluded.cursor, state = excluded.state, next_at = excluded.next_at,
               attempts = excluded.attempts, version = webhook.version + 1, doc = excluded.doc",
            (
                &row.id,
                row.cursor.0,
                row.state.number(),
                row.next_at.0,
                row.attempts,
                row.version,
                serde_json::to_string(&row.doc)?,
            ),
        )?;
        Ok(())
    }
}

impl View<'_> {
    /// A webhook's row.
    pub fn webhook(&self, id: &str) -> Result<Option<WebhookRow>, StoreError> {
        self.row(
            "select id, cursor, state, next_at, attempts, version, doc from webhook where id = ?1",
            [id],
            webhook_of,
        )
    }

    /// Every webhook's row, also of those that are not configured any more.
    pub fn webhooks(&self) -> Result<Vec<WebhookRow>, StoreError> {
        self.rows(
            "select id, cursor, state, next_at, attempts, version, doc from webhook
             order by id limit 1000",
            (),
            webhook_of,
        )
    }
}

fn webhook_of(row: &Row<'_>) -> Result<WebhookRow, StoreError> {
    let doc = row.get_ref(6)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(WebhookRow {
        id: row.get(0)?,
        cursor: Cursor(row.get(1)?),
        state: WebhookState::of(row.get(2)?)?,
        next_at: Timestamp(row.get(3)?),
        attempts: row.get(4)?,
        version: row.get(5)?,
        doc: serde_json::from_str(doc)?,
    })
}
