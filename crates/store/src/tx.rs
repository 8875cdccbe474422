use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use domain::conversation::Conversation;
use domain::event::{Cursor, Event, EventKind};
use domain::metrics::Increment;
use domain::metrics::observe;
use domain::operator::Operator;
use domain::routing::{Snapshot, Waiting};
use domain::{ConversationId, LineId, OperatorId, Timestamp};
use rusqlite::Connection;

use crate::ops::metrics::Counting;
use crate::roster::Rosters;
use crate::words::Words;
use crate::{StoreError, View};

/// How many ids are set aside at once; after a crash as many are skipped at most.
const ID_BLOCK: i64 = 1 << 20;
/// A batch never uses more ids than this: a few per operation.
const ID_RESERVE: i64 = 1 << 17;

/// One transaction of the writer. Reads see what was written before in it.
pub struct Tx<'a> {
    view: View<'a>,
    pub(crate) state: &'a mut WriterState,
}

/// What a commit tells the engine.
#[derive(Debug, Default)]
pub struct Signals {
    /// Envelopes that were taken in, in order.
    pub journal: Vec<Taken>,
    /// What happened, in order.
    pub events: Vec<Arc<Event>>,
    /// Threads whose log has grown, by line and thread key.
    pub threads: Vec<(LineId, String, Cursor)>,
    /// Threads whose conversation has ended, by line and thread key.
    pub ended: Vec<(LineId, String)>,
    /// There is something new to send.
    pub outbox: bool,
    /// The earliest of the deadlines that were set.
    pub deadline: Option<Timestamp>,
    /// The built-in directory has changed.
    pub directory: bool,
    /// What was counted.
    pub counted: Vec<Increment>,
}

/// An envelope that was taken in.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Its number in the journal.
    pub seq: i64,
    /// The line it came by.
    pub line: LineId,
    /// When it came.
    pub received_at: Timestamp,
    /// As it came.
    pub raw: Bytes,
    /// The stored file, by its SHA-256, that goes on behind `raw`.
    pub rest: Option<String>,
}

/// What the writer keeps between transactions. Everything can be read again from
/// the store.
pub(crate) struct WriterState {
    pub(crate) now: Timestamp,
    next_id: i64,
    ids_end: i64,
    next_cursor: i64,
    /// Every operator: a pass looks at all of them, and there are few.
    pub(crate) operators: BTreeMap<OperatorId, Arc<Operator>>,
    pub(crate) undo: Vec<(OperatorId, Option<Arc<Operator>>)>,
    /// Everything that waits and everybody who works, as the router sees them.
    floor: Snapshot,
    floor_undo: Vec<(ConversationId, Option<Waiting>)>,
    /// What began to wait, or waits elsewhere, since the queues' rules looked at it.
    arrivals: Vec<ConversationId>,
    pub(crate) signals: Signals,
    /// Written after the operations of a transaction.
    pub(crate) words: Vec<Words>,
    pub(crate) counting: Counting,
    pub(crate) rosters: Rosters,
    pub(crate) unsettled: bool,
}

/// Where an operation began, to undo it alone.
pub(crate) struct Mark {
    next_cursor: i64,
    journal: usize,
    events: usize,
    threads: usize,
    ended: usize,
    words: usize,
    arrivals: Vec<ConversationId>,
    counted: usize,
    outbox: bool,
    deadline: Option<Timestamp>,
    directory: bool,
    unsettled: bool,
}

impl WriterState {
    pub(crate) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let view = View::new(connection);
        let next_id = view
            .row("select value from meta where key = 'next_id'", (), |row| {
                Ok(row.get::<_, String>(0)?)
            })?
            .and_then(|text| text.parse().ok())
            .unwrap_or(1);
        let (cursor, at) = view
            .row(
                "select cursor, at from event order by cursor desc limit 1",
                (),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?
            .unwrap_or((0, 0));
        let operators: BTreeMap<_, _> = view
            .all_operators()?
            .into_iter()
            .map(|operator| (operator.id, Arc::new(operator)))
            .collect();
        let floor = view.floor_of(operators.values().map(|operator| operator.as_ref()))?;
        Ok(Self {
            now: Timestamp(at),
            next_id,
            ids_end: next_id,
            next_cursor: cursor + 1,
            operators,
            undo: Vec::new(),
            floor,
            floor_undo: Vec::new(),
            arrivals: Vec::new(),
            signals: Signals::default(),
            words: Vec::new(),
            counting: Counting::load(&view)?,
            rosters: Rosters::new(),
            unsettled: true,
        })
    }

    /// Sets ids aside, outside any operation's savepoint.
    pub(crate) fn reserve_ids(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.ids_end - self.next_id < ID_RESERVE {
            self.ids_end = self.next_id + ID_BLOCK;
            connection
                .prepare_cached(
                    "insert into meta (key, value) values ('next_id', ?1)
                     on conflict (key) do update set value = excluded.value",
                )?
                .execute([self.ids_end.to_string()])?;
        }
        Ok(())
    }

    pub(crate) fn mark(&mut self) -> Mark {
        self.undo.clear();
        self.floor_undo.clear();
        self.counting.undo.clear();
        Mark {
            next_cursor: self.next_cursor,
            journal: self.signals.journal.len(),
            events: self.signals.events.len(),
            threads: self.signals.threads.len(),
            ended: self.signals.ended.len(),
            words: self.words.len(),
            arrivals: self.arrivals.clone(),
            counted: self.counting.fresh.len(),
            outbox: self.signals.outbox,
            deadline: self.signals.deadline,
            directory: self.signals.directory,
            unsettled: self.unsettled,
        }
    }

    pub(crate) fn undo_to(&mut self, mark: &Mark) {
        self.next_cursor = mark.next_cursor;
        self.signals.journal.truncate(mark.journal);
        self.signals.events.truncate(mark.events);
        self.signals.threads.truncate(mark.threads);
        self.signals.ended.truncate(mark.ended);
        self.words.truncate(mark.words);
        self.arrivals.clone_from(&mark.arrivals);
        self.counting.undo_to(mark.counted);
        // A row that is remembered may have gone with the operation.
        self.rosters.clear();
        self.signals.outbox = mark.outbox;
        self.signals.deadline = mark.deadline;
        self.signals.directory = mark.directory;
        self.unsettled = mark.unsettled;
        for (id, before) in self.undo.drain(..).rev() {
            if let Some(operator) = before {
                self.floor.put_operator(operator.candidate());
                self.operators.insert(id, operator);
            } else {
                self.floor.remove_operator(id);
                self.operators.remove(&id);
            }
        }
        for (id, before) in self.floor_undo.drain(..).rev() {
            if let Some(waiting) = before {
                self.floor.put(waiting);
            } else {
                self.floor.remove(id);
            }
        }
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(connection: &'a Connection, state: &'a mut WriterState) -> Self {
        Self {
            view: View::new(connection),
            state,
        }
    }

    /// The time of this transaction: the clock's, but never before the last one's,
    /// so that a clock jump reorders nothing.
    pub fn now(&self) -> Timestamp {
        self.state.now
    }

    /// A number that nothing in this store has; rises.
    pub fn fresh_id(&mut self) -> i64 {
        let id = self.state.next_id;
        self.state.next_id += 1;
        id
    }

    /// Writes something of no meaning, to see whether anything can be written.
    pub fn probe(&mut self) -> Result<(), StoreError> {
        let at = self.now();
        self.execute(
            "insert into meta (key, value) values ('probed_at', ?1)
             on conflict (key) do update set value = excluded.value",
            [at.0.to_string()],
        )?;
        Ok(())
    }

    /// Says that something changed which the router looks at.
    pub fn unsettle(&mut self) {
        self.state.unsettled = true;
    }

    /// Everything that waits and everybody who works, as of this transaction.
    pub fn floor(&self) -> &Snapshot {
        &self.state.floor
    }

    /// What began to wait, or waits elsewhere, since this was last asked.
    pub fn take_arrivals(&mut self) -> Vec<ConversationId> {
        std::mem::take(&mut self.state.arrivals)
    }

    /// Keeps the floor as the conversation is now.
    pub(crate) fn place_on_floor(&mut self, conversation: &Conversation) {
        let id = conversation.id;
        let before = self.state.floor.remove(id);
        let after = conversation.waiting();
        let queue_before = before.as_ref().map(|waiting| &waiting.queue);
        if let Some(after) = &after
            && queue_before != Some(&after.queue)
        {
            self.state.arrivals.push(id);
        }
        if before.is_some() || after.is_some() {
            self.state.floor_undo.push((id, before));
        }
        if let Some(after) = after {
            self.state.floor.put(after);
        }
    }

    /// Keeps the floor as the operator is now.
    pub(crate) fn operator_on_floor(&mut self, operator: &Operator) {
        self.state.floor.put_operator(operator.candidate());
    }

    /// Writes an event and answers its number.
    pub fn emit(&mut self, kind: EventKind) -> Result<Cursor, StoreError> {
        let cursor = Cursor(self.state.next_cursor);
        let at = self.now();
        self.execute(
            "insert into event (cursor, at, doc) values (?1, ?2, ?3)",
            (cursor.0, at.0, serde_json::to_string(&kind)?),
        )?;
        self.state.next_cursor += 1;
        observe::told(&kind, at, &mut self.state.counting.fresh);
        self.state
            .signals
            .events
            .push(Arc::new(Event { cursor, at, kind }));
        Ok(cursor)
    }

    /// The number that the next event will get.
    pub(crate) fn next_cursor(&self) -> Cursor {
        Cursor(self.state.next_cursor)
    }

    /// Says that a thread's log has grown.
    pub fn touch_thread(&mut self, line: &LineId, thread_key: &str) {
        let cursor = Cursor(self.state.next_cursor - 1);
        self.state
            .signals
            .threads
            .push((line.clone(), thread_key.to_owned(), cursor));
    }

    /// Says that time alone will change something then.
    pub fn set_deadline(&mut self, at: Option<Timestamp>) {
        if let Some(at) = at {
            let earliest = &mut self.state.signals.deadline;
            *earliest = Some(earliest.map_or(at, |known| known.min(at)));
        }
    }

    pub(crate) fn execute(
        &self,
        sql: &'static str,
        params: impl rusqlite::Params,
    ) -> Result<usize, StoreError> {
        Ok(self.view.connection.prepare_cached(sql)?.execute(params)?)
    }
}

impl<'a> Deref for Tx<'a> {
    type Target = View<'a>;

    fn deref(&self) -> &View<'a> {
        &self.view
    }
}
