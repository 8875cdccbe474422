//! The one writer: a thread that takes what waits, writes it in one transaction, and
//! answers after the commit. A batch grows by itself while the commit before it runs,
//! so an idle store answers after one fsync and a busy one shares it among hundreds.
//! In a simulation it has no thread, and whoever asks does what waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::health::Health;
use crate::job::Job;
use crate::ops::metrics;
use crate::tx::{Mark, Signals, WriterState};
use crate::waiting::{Haste, Waiting};
use crate::{Hooks, StoreError, Tx, faults, log, words};

/// Operations that wait for the writer. More make their callers wait: a second of
/// work at the measured rate.
const WAITING_MAX: usize = 8_192;

pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<(Haste, Job)>>,
    place: Place,
}

/// Where what waits is done.
enum Place {
    /// On a thread of its own, until it is waited for.
    Thread(Option<JoinHandle<()>>),
    /// With whoever asks.
    Here(Box<Mutex<(Turn, Waiting<Job>)>>),
}

impl Writer {
    pub(crate) fn start(
        connection: Connection,
        hooks: Hooks,
        health: Arc<Health>,
    ) -> Result<Self, StoreError> {
        let turn = Turn::new(connection, hooks, health)?;
        let (jobs, channel) = mpsc::channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || turn.run(Waiting::new(channel)))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            place: Place::Thread(Some(thread)),
        })
    }

    /// As [`Self::start`], without a thread.
    pub(crate) fn start_here(
        connection: Connection,
        hooks: Hooks,
        health: Arc<Health>,
    ) -> Result<Self, StoreError> {
        let turn = Turn::new(connection, hooks, health)?;
        let (jobs, channel) = mpsc::channel(WAITING_MAX);
        Ok(Self {
            jobs: Some(jobs),
            place: Place::Here(Box::new(Mutex::new((turn, Waiting::new(channel))))),
        })
    }

    /// Runs a job, and answers after it is durable.
    pub(crate) async fn write<T, E>(
        &self,
        haste: Haste,
        (job, answered): (Job, oneshot::Receiver<Result<T, E>>),
    ) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        let sent = jobs.send((haste, job)).await;
        sent.map_err(|_| StoreError::Closed)?;
        if let Place::Here(turn) = &self.place {
            // Whoever asks meanwhile is in the same transaction.
            let here = Here(turn);
            tokio::task::yield_now().await;
            drop(here);
        }
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }
}

/// Does what waits in the end, also when whoever asked for it has gone.
struct Here<'a>(&'a Mutex<(Turn, Waiting<Job>)>);

impl Drop for Here<'_> {
    fn drop(&mut self) {
        let mut turn = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (turn, waiting) = &mut *turn;
        while waiting.has_some() {
            turn.take(waiting);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The channel's end lets the thread finish what it has taken.
        self.jobs = None;
        if let Place::Thread(thread) = &mut self.place
            && let Some(thread) = thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended with a panic");
        }
    }
}

struct Turn {
    connection: Connection,
    log_length: log::Length,
    state: WriterState,
    /// The state could not be read again after a lost transaction.
    stale: bool,
    /// The log could not be folded, and must be before anything else is taken.
    unfolded: bool,
    hooks: Hooks,
    health: Arc<Health>,
}

impl Turn {
    fn new(
        mut connection: Connection,
        hooks: Hooks,
        health: Arc<Health>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            state: WriterState::load(&connection)?,
            log_length: log::Length::watch(&mut connection)?,
            connection,
            stale: false,
            unfolded: false,
            hooks,
            health,
        })
    }

    fn run(mut self, mut waiting: Waiting<Job>) {
        while waiting.wait() {
            self.take(&mut waiting);
        }
        self.close();
    }

    /// Does what waits, as much as one transaction takes.
    fn take(&mut self, waiting: &mut Waiting<Job>) {
        if let Err(error) = self.may_write() {
            refuse(waiting, &error);
            return;
        }
        self.transact(waiting);
        // After the answers: nobody waits for it.
        if self.log_length.is_long() {
            self.fold();
        }
    }

    /// Says no when what is written could not be kept.
    fn may_write(&mut self) -> Result<(), StoreError> {
        if self.unfolded && self.health.damage().is_none() {
            self.fold();
        }
        if let Some(damage) = self.health.damage() {
            return Err(StoreError::Unavailable(format!("it is damaged: {damage}")));
        }
        if self.unfolded {
            return Err(StoreError::Unavailable(
                "its log cannot be folded".to_owned(),
            ));
        }
        Ok(())
    }

    fn fold(&mut self) {
        let folded = log::fold(&self.connection);
        self.unfolded = folded.is_err();
        if let Err(error) = folded {
            log::die_if_unsynced(&error);
            self.health.set_failing(true);
            tracing::error!(%error, "the store's log could not be folded");
        }
    }

    /// Leaves the store as one file that can be copied. Of a damaged one nothing more
    /// is touched.
    fn close(&self) {
        if self.health.damage().is_some() {
            return;
        }
        match log::fold_and_empty(&self.connection) {
            Ok(true) => {}
            Ok(false) => tracing::warn!("somebody reads the store: its log stays beside it"),
            Err(error) => tracing::error!(%error, "the store's log stays beside it"),
        }
    }

    fn transact(&mut self, waiting: &mut Waiting<Job>) {
        self.state.now = self.state.now.max((self.hooks.now)());
        let mut done = Vec::new();
        let outcome = self.fill(waiting, &mut done);
        let outcome = outcome.and_then(|()| self.commit());
        match &outcome {
            Ok(()) => {
                self.health.set_failing(false);
                let signals = std::mem::take(&mut self.state.signals);
                (self.hooks.committed)(signals);
            }
            Err(error) => self.recover(error),
        }
        for job in done {
            job.answer(outcome.clone());
        }
        if let Err(error) = &outcome {
            // Whoever waits behind them is not kept until it works again.
            refuse(waiting, error);
        }
    }

    fn fill(&mut self, waiting: &mut Waiting<Job>, done: &mut Vec<Job>) -> Result<(), StoreError> {
        self.connection.execute_batch("begin immediate")?;
        if self.stale {
            self.reload()?;
        }
        self.state.reserve_ids(&self.connection)?;
        let mut shared = None;
        for mut job in waiting.batch() {
            if job.repeatable {
                self.together(&mut shared, job, done)?;
                continue;
            }
            let outcome = self
                .part(&mut shared)
                .and_then(|()| guarded(&self.connection, &mut self.state, |tx| job.run(tx)));
            done.push(job);
            outcome?;
        }
        self.part(&mut shared)?;
        if self.state.unsettled {
            self.settle()?;
        }
        words::write(&self.connection, &mut self.state.words)?;
        let counting = &mut self.state.counting;
        self.state.signals.counted = metrics::write(&self.connection, counting)?;
        Ok(())
    }

    /// Runs a job behind one savepoint with those before it. When it fails all of them
    /// are undone, and each is run again behind one of its own.
    fn together(
        &mut self,
        shared: &mut Option<Shared>,
        mut job: Job,
        done: &mut Vec<Job>,
    ) -> Result<(), StoreError> {
        let Self {
            connection, state, ..
        } = self;
        let before = shared.take();
        // Without its savepoint the operation still runs, and is lost with the rest.
        let opened = match before {
            Some(_) => Ok(()),
            None => execute(connection, "savepoint op"),
        };
        let begun = before.unwrap_or_else(|| Shared {
            mark: state.mark(),
            first: done.len(),
        });
        let keep = job.run(&mut Tx::new(connection, state));
        done.push(job);
        opened?;
        still_open(connection)?;
        if keep {
            *shared = Some(begun);
            return Ok(());
        }
        state.undo_to(&begun.mark);
        execute(connection, "rollback to op")?;
        execute(connection, "release op")?;
        for job in &mut done[begun.first..] {
            guarded(connection, state, |tx| job.run(tx))?;
        }
        Ok(())
    }

    /// Ends a shared savepoint, so that what comes next can be undone alone.
    fn part(&self, shared: &mut Option<Shared>) -> Result<(), StoreError> {
        match shared.take() {
            Some(_) => execute(&self.connection, "release op"),
            None => Ok(()),
        }
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        let Self {
            connection,
            state,
            hooks,
            ..
        } = self;
        let mut failure = None;
        guarded(connection, state, |tx| {
            let result = catch_unwind(AssertUnwindSafe(|| (hooks.settle)(tx)))
                .unwrap_or(Err(StoreError::Panicked));
            let keep = result.is_ok();
            failure = result.err();
            keep
        })?;
        // What the pass itself changed is settled by it.
        state.unsettled = false;
        if let Some(error) = failure {
            tracing::error!(%error, "the routing pass failed; the sweeper will try again");
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        faults::point("before-commit");
        self.connection
            .execute_batch("commit")
            .inspect_err(log::die_if_unsynced)?;
        faults::point("after-commit");
        Ok(())
    }

    fn recover(&mut self, error: &StoreError) {
        tracing::error!(%error, "a commit failed; nothing of it was acknowledged");
        self.health.set_failing(true);
        self.state.signals = Signals::default();
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("rollback")
        {
            tracing::error!(%error, "a failed transaction could not be rolled back");
        }
        if let Err(error) = self.reload() {
            tracing::error!(%error, "the store cannot be read");
        }
    }

    /// Forgets what a lost transaction left in memory.
    fn reload(&mut self) -> Result<(), StoreError> {
        self.stale = true;
        let mut state = WriterState::load(&self.connection)?;
        state.now = state.now.max(self.state.now);
        self.state = state;
        self.stale = false;
        Ok(())
    }
}

fn refuse(waiting: &mut Waiting<Job>, error: &StoreError) {
    for job in waiting.drain() {
        job.answer(Err(error.clone()));
    }
}

/// A savepoint that several jobs share.
struct Shared {
    mark: Mark,
    /// Where the first of them stands among those that are done.
    first: usize,
}

/// Runs something behind a savepoint and undoes it alone if it does not want to be
/// kept. An error means that the whole transaction is lost.
fn guarded(
    connection: &Connection,
    state: &mut WriterState,
    run: impl FnOnce(&mut Tx<'_>) -> bool,
) -> Result<(), StoreError> {
    // Without its savepoint the operation still runs, and is lost with the rest.
    let begun = execute(connection, "savepoint op");
    let mark = state.mark();
    let keep = run(&mut Tx::new(connection, state));
    still_open(connection)?;
    begun?;
    if !keep {
        state.undo_to(&mark);
        execute(connection, "rollback to op")?;
    }
    execute(connection, "release op")
}

/// SQLite itself rolls everything back when the disk is full or failing.
fn still_open(connection: &Connection) -> Result<(), StoreError> {
    if connection.is_autocommit() {
        return Err(StoreError::Unavailable(
            "the transaction was rolled back".to_owned(),
        ));
    }
    Ok(())
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute(())?;
    Ok(())
}
