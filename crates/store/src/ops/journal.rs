use bytes::Bytes;
use domain::{LineId, Timestamp};
use rusqlite::Row;

use crate::{StoreError, Taken, Tx, View};

/// How a journal entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalState {
    /// Durable, not processed.
    Pending,
    /// Processed.
    Done,
    /// Could not be processed; kept for a person.
    Dead,
    /// Not wanted, such as from a blocked sender; the note says why.
    Refused,
}

impl JournalState {
    const fn code(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Done => 1,
            Self::Dead => 2,
            Self::Refused => 3,
        }
    }

    fn of(code: i64) -> Result<Self, StoreError> {
        match code {
            0 => Ok(Self::Pending),
            1 => Ok(Self::Done),
            2 => Ok(Self::Dead),
            3 => Ok(Self::Refused),
            other => Err(StoreError::Corrupt(format!("journal state {other}"))),
        }
    }
}

/// A raw envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its number; the order of arrival.
    pub seq: i64,
    /// The line it came by.
    pub line: LineId,
    /// Its dedupe key within the line.
    pub event_key: String,
    /// When it came.
    pub received_at: Timestamp,
    /// As it came.
    pub raw: Vec<u8>,
    /// How it stands.
    pub state: JournalState,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong, or why it was refused.
    pub note: String,
    /// The stored file, by its SHA-256, that goes on behind `raw`.
    pub rest: Option<String>,
}

impl From<JournalEntry> for Taken {
    fn from(entry: JournalEntry) -> Self {
        Self {
            seq: entry.seq,
            line: entry.line,
            received_at: entry.received_at,
            raw: entry.raw.into(),
            rest: entry.rest,
        }
    }
}

/// What of one line waits to be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingOfLine {
    /// The line.
    pub line: LineId,
    /// How many entries.
    pub count: i64,
    /// When the first of them came.
    pub oldest_at: Timestamp,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journaled {
    /// It is durable with this transaction.
    New,
    /// It was durable before.
    Duplicate,
}

fn entry(row: &Row<'_>) -> Result<JournalEntry, StoreError> {
    Ok(JournalEntry {
        seq: row.get(0)?,
        line: LineId::new(row.get::<_, String>(1)?),
        event_key: row.get(2)?,
        received_at: Timestamp(row.get(3)?),
        raw: row.get(4)?,
        state: JournalState::of(row.get(5)?)?,
        attempts: row.get(6)?,
        note: row.get(7)?,
        rest: row.get(8)?,
    })
}

impl Tx<'_> {
    /// Takes a raw envelope in, once.
    pub fn journal(
        &mut self,
        line: &LineId,
        event_key: &str,
        raw: &Bytes,
        rest: Option<&str>,
    ) -> Result<Journaled, StoreError> {
        let received_at = self.now();
        let seq = self.fresh_id();
        let written = self.execute(
            "insert into journal (seq, line, event_key, received_at, raw, rest)
             values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (line, event_key) do nothing",
            (
                seq,
                line.as_str(),
                event_key,
                received_at.0,
                raw.as_ref(),
                rest,
            ),
        )?;
        if written == 0 {
            return Ok(Journaled::Duplicate);
        }
        self.state.signals.journal.push(Taken {
            seq,
            line: line.clone(),
            received_at,
            raw: raw.clone(),
            rest: rest.map(str::to_owned),
        });
        Ok(Journaled::New)
    }

    /// Ends the processing of an entry. False when it had ended before: then the
    /// caller must do nothing.
    pub fn journal_end(
        &mut self,
        seq: i64,
        state: JournalState,
        note: &str,
    ) -> Result<bool, StoreError> {
        let changed = self.execute(
            "update journal set state = ?2, note = ?3 where seq = ?1 and state = 0",
            (seq, state.code(), note),
        )?;
        Ok(changed == 1)
    }

    /// Notes a failed try and answers how many there were.
    pub fn journal_failed(&mut self, seq: i64, error: &str) -> Result<u32, StoreError> {
        self.execute(
            "update journal set attempts = attempts + 1, note = ?2 where seq = ?1",
            (seq, error),
        )?;
        Ok(self
            .row(
                "select attempts from journal where seq = ?1",
                [seq],
                |row| Ok(row.get(0)?),
            )?
            .unwrap_or(0))
    }

    /// Makes a dead letter pending again. False when there is no such one.
    pub fn journal_replay(&mut self, seq: i64) -> Result<bool, StoreError> {
        let changed = self.execute(
            "update journal set state = 0, attempts = 0, note = '' where seq = ?1 and state = 2",
            [seq],
        )?;
        if changed == 0 {
            return Ok(false);
        }
        if let Some(entry) = self.journal_entry(seq)? {
            self.state.signals.journal.push(entry.into());
        }
        Ok(true)
    }

    /// Forgets processed entries that came before `before`, a few at a time; their
    /// event keys are kept that long. Answers how many went.
    pub fn journal_prune(&mut self, before: Timestamp, limit: i64) -> Result<usize, StoreError> {
        self.execute(
            "delete from journal where seq in (
               select seq from journal where received_at < ?1 and state in (1, 3)
               order by seq limit ?2)",
            (before.0, limit),
        )
    }
}

impl View<'_> {
    /// One entry.
    pub fn journal_entry(&self, seq: i64) -> Result<Option<JournalEntry>, StoreError> {
        self.row(
            "select seq, line, event_key, received_at, raw, state, attempts, note, rest
             from journal where seq = ?1",
            [seq],
            entry,
        )
    }

    /// The numbers of all pending entries, in order of arrival.
    pub fn journal_left(&self) -> Result<Vec<i64>, StoreError> {
        self.rows(
            "select seq from journal where state = 0 order by seq",
            [],
            |row| Ok(row.get(0)?),
        )
    }

    /// Dead letters before a number, the newest first.
    pub fn dead_letters(&self, before: i64, limit: i64) -> Result<Vec<JournalEntry>, StoreError> {
        self.rows(
            "select seq, line, event_key, received_at, raw, state, attempts, note, rest
             from journal where state = 2 and seq < ?1 order by seq desc limit ?2",
            (before, limit),
            entry,
        )
    }

    /// What is pending, by line.
    pub fn journal_pending_by_line(&self) -> Result<Vec<PendingOfLine>, StoreError> {
        self.rows(
            "select line, count(*), min(received_at) from journal where state = 0
             group by line order by line",
            (),
            |row| {
                Ok(PendingOfLine {
                    line: LineId::new(row.get::<_, String>(0)?),
                    count: row.get(1)?,
                    oldest_at: Timestamp(row.get(2)?),
                })
            },
        )
    }

    /// How many entries are pending, and how many are dead.
    pub fn journal_counts(&self) -> Result<(i64, i64), StoreError> {
        Ok(self
            .row(
                "select (select count(*) from journal where state = 0),
                        (select count(*) from journal where state = 2)",
                (),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?
            .unwrap_or((0, 0)))
    }
}
