//! The feed: every event, in order, to everybody who listens. A reader keeps a
//! cursor; the last events are held in memory, older ones are read from the log, so
//! a slow reader costs nobody anything and misses nothing.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;
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
    recent: RwLock<VecDeque<Arc<Told>>>,
    newest: watch::Sender<Cursor>,
}

/// An event on its way to its readers, with what one of them made of it for all others.
#[derive(Debug)]
pub struct Told {
    event: Arc<Event>,
    full: OnceLock<Bytes>,
    bare: OnceLock<Bytes>,
}

/// How much of an event a reader may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// All of it.
    Full,
    /// Not all of it.
    Bare,
}

impl Told {
    fn new(event: Arc<Event>) -> Arc<Self> {
        Arc::new(Self {
            event,
            full: OnceLock::new(),
            bare: OnceLock::new(),
        })
    }

    /// The event itself.
    pub const fn event(&self) -> &Arc<Event> {
        &self.event
    }

    /// The event as everybody reads it who may know as much of it; made by the first.
    pub fn shared(&self, form: Form, make: impl FnOnce() -> Bytes) -> Bytes {
        let bytes = match form {
            Form::Full => &self.full,
            Form::Bare => &self.bare,
        };
        bytes.get_or_init(make).clone()
    }
}

impl Deref for Told {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
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
    Events(Vec<Arc<Told>>),
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
            recent.extend(events.iter().cloned().map(Told::new));
            let excess = recent.len().saturating_sub(RECENT_MAX);
            recent.drain(..excess);
        }
        self.newest.send_replace(last.cursor);
    }

    /// Forgets what readers have made of events: other settings make something else.
    pub(crate) fn renew(&self) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        for told in recent.iter_mut() {
            *told = Told::new(Arc::clone(&told.event));
        }
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

    fn recent_after(&self, cursor: Cursor, newest: Cursor) -> Option<Vec<Arc<Told>>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let oldest = recent.front()?.cursor;
        if cursor.0 + 1 < oldest.0 {
            return None;
        }
        let begin = recent.partition_point(|event| event.cursor <= cursor);
        let after = recent.range(begin..).take(BATCH_MAX);
        let told = after.take_while(|event| event.cursor <= newest);
        Some(told.cloned().collect())
    }
}

impl Reader {
    /// Waits for what comes next.
    pub async fn next(&mut self) -> Result<Step, StoreError> {
        loop {
            let newest = *self.newest.borrow_and_update();
            if self.cursor > newest && !self.is_stored().await? {
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

    /// Whether the log has come as far as the cursor: an event is read by others as
    /// soon as it is committed, and told here a moment later.
    async fn is_stored(&self) -> Result<bool, StoreError> {
        let read = self.store.read(|view| view.event_range());
        let (_, newest) = read.await?;
        Ok(self.cursor <= newest)
    }

    /// Reads what follows the cursor, up to what was told of: a reader that were ahead
    /// of that would seem to come from another life.
    async fn read_on(&mut self, newest: Cursor) -> Result<Step, StoreError> {
        let cursor = self.cursor;
        let recent = self.feed.recent_after(cursor, newest);
        let found = if recent.is_some() {
            recent
        } else {
            let told = newest.0.saturating_sub(cursor.0);
            let told = usize::try_from(told).unwrap_or(BATCH_MAX);
            let limit = i64::try_from(told.min(BATCH_MAX)).unwrap_or(i64::MAX);
            let read = self
                .store
                .read(move |view| view.events_after(cursor, limit));
            let logged = read.await?;
            logged.map(|events| events.into_iter().map(Told::new).collect())
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

#[cfg(test)]
mod tests {
    use domain::event::EventKind;
    use domain::{ContactId, Timestamp};
    use store::{Durability, Hooks};

    use super::*;

    /// A store with so many events, of which the feed was not told yet.
    async fn store_with(events: usize) -> (tempfile::TempDir, Arc<Store>, Vec<Arc<Event>>) {
        let folder = tempfile::TempDir::new().unwrap();
        let (told, tells) = std::sync::mpsc::channel();
        let hooks = Hooks {
            now: Box::new(|| Timestamp(1_000)),
            settle: Box::new(|_| Ok(())),
            committed: Box::new(move |signals| {
                let _ = told.send(signals.events);
            }),
        };
        let path = folder.path().join("store.db");
        let store = Store::open(&path, Durability::Full, hooks).unwrap();
        let write = store.write::<_, StoreError>(move |tx| {
            for _ in 0..events {
                let contact = ContactId::from("c");
                tx.emit(EventKind::ContactChanged { contact })?;
            }
            Ok(())
        });
        write.await.unwrap();
        let events = tells.try_iter().flatten().collect();
        (folder, Arc::new(store), events)
    }

    fn cursors(step: Step) -> Vec<i64> {
        match step {
            Step::Events(events) => events.iter().map(|event| event.cursor.0).collect(),
            Step::Reset(cursor) => panic!("reset to {cursor:?}"),
        }
    }

    #[tokio::test]
    async fn nobody_is_ahead_of_what_was_told() {
        let (_folder, store, events) = store_with(3).await;
        let feed = Arc::new(Feed::new());
        feed.start_at(Cursor(2));
        let mut from_log = feed.read(&store, Some(Cursor(0)));
        assert_eq!(cursors(from_log.next().await.unwrap()), [1, 2]);

        // Between the two halves of `publish`.
        let told = events.iter().cloned().map(Told::new);
        feed.recent.write().unwrap().extend(told);
        let mut from_memory = feed.read(&store, Some(Cursor(1)));
        assert_eq!(cursors(from_memory.next().await.unwrap()), [2]);
        feed.newest.send_replace(Cursor(3));
        assert_eq!(cursors(from_memory.next().await.unwrap()), [3]);
    }

    #[tokio::test]
    async fn what_one_made_is_everybodys_until_the_settings_change() {
        let (_folder, store, events) = store_with(1).await;
        let feed = Arc::new(Feed::new());
        feed.publish(&events);
        let read = async |form, made: &'static str| {
            let mut reader = feed.read(&store, Some(Cursor(0)));
            match reader.next().await.unwrap() {
                Step::Events(events) => {
                    events[0].shared(form, || Bytes::from_static(made.as_bytes()))
                }
                Step::Reset(cursor) => panic!("reset to {cursor:?}"),
            }
        };
        assert_eq!(read(Form::Full, "first").await, "first");
        assert_eq!(read(Form::Full, "second").await, "first");
        assert_eq!(read(Form::Bare, "third").await, "third");
        feed.renew();
        assert_eq!(read(Form::Full, "fourth").await, "fourth");
    }

    #[tokio::test]
    async fn a_cursor_that_was_read_from_the_store_is_of_this_life() {
        let (_folder, store, events) = store_with(4).await;
        let feed = Arc::new(Feed::new());
        feed.start_at(Cursor(2));
        let mut ahead = feed.read(&store, Some(Cursor(3)));
        let told = async { feed.publish(&events[2..]) };
        let (step, ()) = tokio::join!(ahead.next(), told);
        assert_eq!(cursors(step.unwrap()), [4]);

        let feed = Arc::new(Feed::new());
        feed.start_at(Cursor(2));
        let mut foreign = feed.read(&store, Some(Cursor(5)));
        let step = foreign.next().await.unwrap();
        assert!(matches!(step, Step::Reset(Cursor(2))), "{step:?}");
    }
}
