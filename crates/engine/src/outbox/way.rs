//! Each line's way out, apart from all others: one provider that does not answer, or
//! wants less, holds up nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{LineId, ThreadId, Timestamp};

use super::pace::Meter;
use crate::Line;

/// Threads of one line that are sent to at once.
const SENDING_MAX: usize = 32;

/// Every line's way out.
#[derive(Default)]
pub(super) struct Ways {
    ways: Mutex<BTreeMap<LineId, Arc<Way>>>,
    /// Threads that are being sent to, whatever their lines became meanwhile.
    busy: Mutex<BTreeSet<ThreadId>>,
}

/// One line's.
pub(super) struct Way {
    pub(super) line: Arc<Line>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sending: usize,
    rests_until: Timestamp,
    meter: Meter,
}

/// A thread that is being sent to, until this is dropped.
pub(super) struct Turn {
    ways: Arc<Ways>,
    pub(super) way: Arc<Way>,
    pub(super) thread: ThreadId,
}

impl Ways {
    /// A line's way; a fresh one when it was connected anew.
    pub(super) fn of(&self, line: &Arc<Line>) -> Arc<Way> {
        let mut ways = lock(&self.ways);
        if let Some(known) = ways.get(&line.id)
            && Arc::ptr_eq(&known.line.channel, &line.channel)
        {
            return Arc::clone(known);
        }
        let fresh = Arc::new(Way {
            line: Arc::clone(line),
            state: Mutex::default(),
        });
        ways.insert(line.id.clone(), Arc::clone(&fresh));
        fresh
    }

    /// Gives a thread its turn, unless it has one or the way is full.
    pub(super) fn turn(self: &Arc<Self>, way: &Arc<Way>, thread: ThreadId) -> Option<Turn> {
        let mut state = lock(&way.state);
        if state.sending >= SENDING_MAX || !lock(&self.busy).insert(thread) {
            return None;
        }
        state.sending += 1;
        Some(Turn {
            ways: Arc::clone(self),
            way: Arc::clone(way),
            thread,
        })
    }
}

impl Way {
    /// How many more threads may be sent to, or when the line has rested.
    pub(super) fn places(&self, now: Timestamp) -> Result<usize, Timestamp> {
        let state = lock(&self.state);
        if state.rests_until > now {
            return Err(state.rests_until);
        }
        Ok(SENDING_MAX.saturating_sub(state.sending))
    }

    /// Whether a thread may send now, or from when on.
    pub(super) fn take(&self, thread: ThreadId, now: Timestamp) -> Result<(), Timestamp> {
        let pace = self.line.channel.pace();
        let mut state = lock(&self.state);
        if state.rests_until > now {
            return Err(state.rests_until);
        }
        state.meter.take(pace, thread, now)
    }

    /// Lets the whole line rest.
    pub(super) fn rest(&self, until: Timestamp) {
        let mut state = lock(&self.state);
        state.rests_until = state.rests_until.max(until);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.ways.busy).remove(&self.thread);
        lock(&self.way.state).sending -= 1;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
