use domain::message::Outbound;
use domain::{LineId, MessageId, ThreadId, Timestamp};
use rusqlite::Row;

use crate::{StoreError, Tx, View};

/// Something to hand over to a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxEntry {
    /// Its number; the order within a thread.
    pub id: i64,
    /// When to try.
    pub next_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// A try began and its end is not known: after a crash it is in doubt.
    pub sending: bool,
    /// What to do.
    pub outbound: Outbound,
}

/// What of a line is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Threads whose first entry is due, in its order.
    pub threads: Vec<ThreadId>,
    /// When the next entry is due that is not yet.
    pub next_at: Option<Timestamp>,
}

fn entry(row: &Row<'_>) -> Result<OutboxEntry, StoreError> {
    let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(OutboxEntry {
        outbound: serde_json::from_str(text)?,
        id: row.get(1)?,
        next_at: Timestamp(row.get(2)?),
        attempts: row.get(3)?,
        sending: row.get(4)?,
    })
}

impl Tx<'_> {
    /// Puts something into the outbox.
    pub fn enqueue(&mut self, outbound: &Outbound) -> Result<(), StoreError> {
        let id = self.fresh_id();
        self.execute(
            "insert into outbox (id, line, thread, message, next_at, attempts, sending, doc)
             values (?1, ?2, ?3, ?4, ?5, 0, 0, ?6)",
            (
                id,
                outbound.line.as_str(),
                outbound.recipient.thread.get(),
                outbound.message.get(),
                self.now().0,
                serde_json::to_string(outbound)?,
            ),
        )?;
        self.state.signals.outbox = true;
        Ok(())
    }

    /// Says that a try begins, so that a crash leaves a doubt and not a silence.
    pub fn outbox_sending(&mut self, id: i64) -> Result<(), StoreError> {
        self.execute(
            "update outbox set sending = 1, attempts = attempts + 1 where id = ?1",
            [id],
        )?;
        Ok(())
    }

    /// Puts an entry off. Nothing was sent.
    pub fn outbox_retry(&mut self, id: i64, next_at: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "update outbox set sending = 0, next_at = ?2 where id = ?1",
            (id, next_at.0),
        )?;
        Ok(())
    }

    /// Takes back what is left of a message that is sent in parts.
    pub fn outbox_drop(&mut self, thread: ThreadId, message: MessageId) -> Result<(), StoreError> {
        self.execute(
            "delete from outbox where thread = ?1 and message = ?2
               and json_extract(doc, '$.part') is not null",
            (thread.get(), message.get()),
        )?;
        Ok(())
    }

    /// Ends an entry. False when it had ended before.
    pub fn outbox_end(&mut self, id: i64) -> Result<bool, StoreError> {
        Ok(self.execute("delete from outbox where id = ?1", [id])? == 1)
    }
}

impl View<'_> {
    /// Lines that have anything to be sent.
    pub fn outbox_lines(&self) -> Result<Vec<LineId>, StoreError> {
        // From one line to the next in the index, however much each has.
        self.rows(
            "with recursive lines(line) as (
               select min(line) from outbox
               union all
               select (select min(line) from outbox where line > lines.line)
               from lines where lines.line is not null)
             select line from lines where line is not null",
            [],
            |row| Ok(LineId::new(row.get::<_, String>(0)?)),
        )
    }

    /// What of a line is due: at most so many threads.
    pub fn outbox_due(&self, line: &LineId, now: Timestamp, limit: i64) -> Result<Due, StoreError> {
        let threads = self.rows(
            "select thread from outbox as head
             where line = ?1 and next_at <= ?2
               and not exists (
                 select 1 from outbox as earlier
                 where earlier.thread = head.thread and earlier.id < head.id)
             order by id limit ?3",
            (line.as_str(), now.0, limit),
            |row| Ok(ThreadId::new(row.get(0)?)),
        )?;
        let next_at = self.row(
            "select min(next_at) from outbox where line = ?1 and next_at > ?2",
            (line.as_str(), now.0),
            |row| Ok(row.get::<_, Option<i64>>(0)?),
        )?;
        Ok(Due {
            threads,
            next_at: next_at.flatten().map(Timestamp),
        })
    }

    /// The first entry of a thread.
    pub fn outbox_head(&self, thread: ThreadId) -> Result<Option<OutboxEntry>, StoreError> {
        self.row(
            "select doc, id, next_at, attempts, sending from outbox
             where thread = ?1 order by id limit 1",
            [thread.get()],
            entry,
        )
    }

    /// How much of a line waits to be sent.
    pub fn outbox_count(&self, line: &LineId) -> Result<i64, StoreError> {
        self.row(
            "select count(*) from outbox where line = ?1",
            [line.as_str()],
            |row| Ok(row.get(0)?),
        )
        .map(|count| count.unwrap_or(0))
    }

    /// Whether anything about a message waits to be sent.
    pub fn outbox_holds(&self, thread: ThreadId, message: MessageId) -> Result<bool, StoreError> {
        self.row(
            "select 1 from outbox where thread = ?1 and message = ?2 limit 1",
            (thread.get(), message.get()),
            |_| Ok(()),
        )
        .map(|found| found.is_some())
    }
}
