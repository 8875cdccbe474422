//! The feed: every event, in order, to everybody who listens. A reader keeps a
//! cursor; the last events are held in memory, older ones are read from the log, so
//! a slow reader costs nobody anything and misses nothing.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use domain::event::{Cursor, Event};
use store::{Store, StoreError};
use tokio::sync::watch;

/// Events held in memory: some seconds of a busy gateway, so that live readers
/// never touch the disk.
const RECENT_MAX: usize = 8_192;
/// Events handed to a reader at once.
const BATCH_MAX: usize = 256;

/// Where events are published and read.
pub struct Feed {
    recent: RwLock<VecDeque<Arc<Event>>>,
    newest: watch::Sender<Cursor>,
}

/// One reader's place in the feed.
pub struct Reader {
    feed: Arc<Feed>,
    store: Arc<Store>,
    newest: watch::Receiver<Cursor>,
    cursor: Cursor,
}

/// What a reader gets.
#[derive(Debug)]
pub enum Step {
    /// What happened next, in order; never empty.
    Events(Vec<Arc<Event>>),
    /// The log does not reach back to the reader's cursor: load anew, and go on
    /// from here.
    Reset(Cursor),
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self {
            recent: RwLock::new(VecDeque::new()),
            newest: watch::Sender::new(Cursor(0)),
        }
    }

    /// Tells where the log ended when the gateway started.
    pub(crate) fn start_at(&self, cursor: Cursor) {
        self.newest.send_replace(cursor);
    }

    pub(crate) fn publish(&self, events: &[Arc<Event>]) {
        let Some(last) = events.last() else {
            return;
        };
        {
            let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
            recent.extend(events.iter().cloned());
            let excess = recent.len().saturating_sub(RECENT_MAX);
            recent.drain(..excess);
        }
        self.newest.send_replace(last.cursor);
    }

    /// The number of the last event.
    pub fn newest(&self) -> Cursor {
        *self.newest.borrow()
    }

    /// Begins to read after a cursor; none begins with what happens next.
    pub fn read(self: &Arc<Self>, store: &Arc<Store>, cursor: Option<Cursor>) -> Reader {
        Reader {
            feed: Arc::clone(self),
            store: Arc::clone(store),
            newest: self.newest.subscribe(),
            cursor: cursor.unwrap_or_else(|| self.newest()),
        }
    }

    fn recent_after(&self, cursor: Cursor) -> Option<Vec<Arc<Event>>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let oldest = recent.front()?.cursor;
        if cursor.0 + 1 < oldest.0 {
            return None;
        }
        let begin = recent.partition_point(|event| event.cursor <= cursor);
        Some(recent.range(begin..).take(BATCH_MAX).cloned().collect())
    }
}

impl Reader {
    /// Waits for what comes next.
    pub async fn next(&mut self) -> Result<Step, StoreError> {
        loop {
            let newest = *self.newest.borrow_and_update();
            if self.cursor > newest {
                // A cursor from another life of the store.
                self.cursor = newest;
                return Ok(Step::Reset(newest));
            }
            if self.cursor < newest {
                return self.read_on(newest).await;
            }
            self.newest
                .changed()
                .await
                .map_err(|_| StoreError::Closed)?;
        }
    }

    async fn read_on(&mut self, newest: Cursor) -> Result<Step, StoreError> {
        let cursor = self.cursor;
        let recent = self.feed.recent_after(cursor);
        let found = if recent.is_some() {
            recent
        } else {
            let limit = i64::try_from(BATCH_MAX).unwrap_or(i64::MAX);
            self.store
                .read(move |view| view.events_after(cursor, limit))
                .await?
        };
        match found {
            Some(events) if !events.is_empty() => {
                self.cursor = events.last().map_or(cursor, |event| event.cursor);
                Ok(Step::Events(events))
            }
            Some(_) | None => {
                self.cursor = newest;
                Ok(Step::Reset(newest))
            }
        }
    }

    /// How far the reader has read.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }
}
