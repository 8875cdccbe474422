//! From the journal to the inbox. Entries are taken in the order of their commit;
//! within a thread one after the other, across threads at once; one that fails
//! holds up nobody but its own thread.

mod album;
mod apply;
mod calling_back;
mod entry;
mod lanes;
mod large;
mod ours;
mod rest;
mod threading;
mod waiting;

pub(crate) use entry::provisional;
pub(crate) use threading::token;
pub(crate) use waiting::{Entrance, Queue, queue};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use domain::message::Inbound;
use store::{JournalState, StoreError, Taken};
use tokio::sync::Semaphore;

use crate::{Engine, Line};
use lanes::{Lane, Lanes};

/// Threads worked on at once: enough to hide a remote directory's latency, few
/// enough to leave the store's batches to others too.
const LANES_MAX: usize = 256;
const RETRY_MIN: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// One journal entry, read.
struct Work {
    seq: i64,
    received_at: Timestamp,
    line: Arc<Line>,
    inbounds: Vec<Inbound>,
    /// Only the beginning of it was read, which tells its lane.
    unread: Option<Taken>,
}

/// What the journal still held at the start, in order.
pub(crate) async fn left_over(engine: &Engine) -> Result<Vec<i64>, StoreError> {
    engine.read(|view| view.journal_left()).await
}

/// Works until the gateway stops and everything taken is done or safe in the
/// journal.
pub(crate) async fn run(engine: Engine, mut entries: Queue) {
    let lanes: Arc<Mutex<Lanes>> = Arc::default();
    let places = Arc::new(Semaphore::new(LANES_MAX));
    let stop = engine.stopping();
    loop {
        let next = tokio::select! {
            // Always in this order: a simulation repeats itself.
            biased;
            () = stop.cancelled() => break,
            next = entries.next() => next,
        };
        let Some(next) = next else { break };
        match next.entry(&engine).await {
            Some(entry) => dispatch(&engine, &lanes, &places, entry).await,
            None => {
                engine.inner.pending.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
    // Whoever holds a place is in the middle of something.
    let everybody = u32::try_from(LANES_MAX).unwrap_or(u32::MAX);
    if places.acquire_many(everybody).await.is_err() {
        tracing::error!("the lanes were closed");
    }
}

async fn dispatch(
    engine: &Engine,
    lanes: &Arc<Mutex<Lanes>>,
    places: &Arc<Semaphore>,
    entry: Taken,
) {
    let Some(line) = engine.line_of(&entry) else {
        // It takes no room from those that can be processed.
        engine.inner.pending.fetch_sub(1, Ordering::Relaxed);
        tracing::warn!(line.id = %entry.line, "an event waits for its line, or behind others that waited for it");
        return;
    };
    let read = match &entry.rest {
        None => read(&line, &entry.raw),
        Some(rest) => Ok(large::beginning(engine, &line, &entry.raw, rest).await),
    };
    let inbounds = match read {
        Ok(inbounds) => inbounds,
        Err(problem) => {
            bury(engine, entry.seq, problem).await;
            return;
        }
    };
    let work = Work {
        seq: entry.seq,
        received_at: entry.received_at,
        inbounds,
        line,
        unread: entry.rest.is_some().then_some(entry),
    };
    let (own, is_new) = lock(lanes).push(work);
    if is_new {
        // Waiting here is what bounds the lanes; the journal holds the rest.
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            return;
        };
        let (engine, waiting) = (engine.clone(), Arc::clone(lanes));
        tokio::spawn(async move {
            work_off(&engine, &waiting, &own).await;
            drop(place);
        });
    }
}

/// What the line's channel makes of an entry, or why it cannot be read.
fn read(line: &Line, raw: &[u8]) -> Result<Vec<Inbound>, String> {
    match catch_unwind(AssertUnwindSafe(|| line.channel.normalize(raw))) {
        Ok(Ok(inbounds)) => Ok(inbounds),
        Ok(Err(malformed)) => Err(malformed.to_string()),
        Err(_) => {
            metrics::counter!("normalize_panics_total").increment(1);
            Err("the channel panicked on it".to_owned())
        }
    }
}

fn lock(lanes: &Mutex<Lanes>) -> MutexGuard<'_, Lanes> {
    lanes.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn work_off(engine: &Engine, lanes: &Mutex<Lanes>, lane: &Lane) {
    loop {
        let next = lock(lanes).next(lane);
        let Some(work) = next else { return };
        if !finish(engine, work).await {
            // The gateway stops. What comes after it in its thread waits with it.
            return;
        }
    }
}

/// Does one entry, however often it takes; an entry that cannot be done goes to the
/// dead letters. False when it was left in the journal for the next start.
async fn finish(engine: &Engine, mut work: Work) -> bool {
    let seq = work.seq;
    if let Some(entry) = work.unread.take() {
        match large::read_whole(engine, &work.line, &entry).await {
            Ok(inbounds) => work.inbounds = inbounds,
            Err(problem) => {
                bury(engine, seq, problem).await;
                return true;
            }
        }
    }
    let work = Arc::new(work);
    let since = engine.now();
    let mut pause = RETRY_MIN;
    loop {
        let attempt = tokio::spawn({
            let (engine, work) = (engine.clone(), Arc::clone(&work));
            async move { entry::attempt(&engine, &work, since).await }
        });
        let error = match attempt.await {
            Ok(Ok(())) => {
                engine.inner.pending.fetch_sub(1, Ordering::Relaxed);
                return true;
            }
            Ok(Err(error)) => error,
            Err(_) => StoreError::Panicked,
        };
        let transient = matches!(error, StoreError::Unavailable(_) | StoreError::Overloaded);
        tracing::error!(journal.seq = seq, %error, "an event was not processed");
        if matches!(error, StoreError::Closed) || engine.inner.stop.is_cancelled() {
            return false;
        }
        if !transient && note_failure(engine, seq, &error).await {
            return true;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_MAX);
    }
}

/// Counts a failed try; true when it was the last one and the entry is dead.
async fn note_failure(engine: &Engine, seq: i64, error: &StoreError) -> bool {
    let error = error.to_string();
    let text = error.clone();
    let attempts = engine
        .store()
        .write::<_, StoreError>(move |tx| tx.journal_failed(seq, &text))
        .await;
    if attempts.is_ok_and(|attempts| attempts >= engine.settings().limits.attempts_max) {
        bury(engine, seq, error).await;
        return true;
    }
    false
}

async fn bury(engine: &Engine, seq: i64, error: String) {
    metrics::counter!("dead_letters_total").increment(1);
    loop {
        let text = error.clone();
        let written = engine
            .store()
            .write::<_, StoreError>(move |tx| tx.journal_end(seq, JournalState::Dead, &text))
            .await;
        match written {
            Ok(_) => break,
            Err(StoreError::Closed) => return,
            Err(problem) => {
                tracing::error!(journal.seq = seq, error = %problem, "a dead letter was not kept");
                tokio::time::sleep(RETRY_MAX).await;
            }
        }
    }
    engine.inner.pending.fetch_sub(1, Ordering::Relaxed);
    tracing::warn!(journal.seq = seq, %error, "an event went to the dead letters");
}
