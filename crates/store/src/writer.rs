//! The one writer: a thread that takes all that waits, writes it in one
//! transaction, and answers after the commit. A batch grows by itself while the
//! commit before it runs, so an idle store answers after one fsync and a busy one
//! shares it among hundreds.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::tx::{Signals, WriterState};
use crate::{Hooks, StoreError, Tx, faults, words};

/// Operations that wait for the writer. More make their callers wait: a second of
/// work at the measured rate.
const WAITING_MAX: usize = 8_192;
/// Operations of one transaction. Beyond this the fsync is shared widely enough,
/// and a longer batch only makes its first operation wait.
const BATCH_MAX: usize = 256;

/// An operation, or why it cannot be run; answers whether to keep what it did.
type Job = Box<dyn FnOnce(Result<&mut Tx<'_>, StoreError>) -> (Done, bool) + Send>;
type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    healthy: Arc<AtomicBool>,
}

impl Writer {
    pub(crate) fn start(connection: Connection, hooks: Hooks) -> Result<Self, StoreError> {
        let state = WriterState::load(&connection)?;
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        let healthy = Arc::new(AtomicBool::new(true));
        let turn = Turn {
            connection,
            state,
            stale: false,
            hooks,
            healthy: Arc::clone(&healthy),
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || turn.run(waiting))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
            healthy,
        })
    }

    pub(crate) async fn write<T, E>(
        &self,
        op: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            // A panic undoes this operation alone; what it touched in memory is
            // undone with it.
            let result = match tx {
                Ok(tx) => catch_unwind(AssertUnwindSafe(|| op(tx)))
                    .unwrap_or_else(|_| Err(StoreError::Panicked.into())),
                Err(error) => Err(error.into()),
            };
            let keep = result.is_ok();
            let done: Done = Box::new(move |committed| {
                let result = match committed {
                    Ok(()) => result,
                    Err(error) => Err(error.into()),
                };
                // Nobody waits any more when the caller has gone: the work is done
                // all the same.
                let _ = answer.send(result);
            });
            (done, keep)
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The channel's end lets the thread finish what it has taken.
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended with a panic");
        }
    }
}

struct Turn {
    connection: Connection,
    state: WriterState,
    /// The state could not be read again after a lost transaction.
    stale: bool,
    hooks: Hooks,
    healthy: Arc<AtomicBool>,
}

impl Turn {
    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = waiting.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH_MAX
                && let Ok(next) = waiting.try_recv()
            {
                batch.push(next);
            }
            self.transact(&mut batch);
        }
    }

    fn transact(&mut self, batch: &mut Vec<Job>) {
        self.state.now = self.state.now.max((self.hooks.now)());
        let mut answers = Vec::with_capacity(batch.len());
        let outcome = self.fill(batch, &mut answers);
        let outcome = outcome.and_then(|()| self.commit());
        match &outcome {
            Ok(()) => {
                self.healthy.store(true, Ordering::Relaxed);
                let signals = std::mem::take(&mut self.state.signals);
                (self.hooks.committed)(signals);
            }
            Err(error) => {
                self.recover(error);
                // Those that were not reached are told the same.
                let unreached = batch.drain(..).rev();
                answers.extend(unreached.map(|job| job(Err(error.clone())).0));
            }
        }
        for done in answers {
            done(outcome.clone());
        }
    }

    fn fill(&mut self, batch: &mut Vec<Job>, answers: &mut Vec<Done>) -> Result<(), StoreError> {
        self.connection.execute_batch("begin immediate")?;
        if self.stale {
            self.reload()?;
        }
        self.state.reserve_ids(&self.connection)?;
        // The last is taken first, so that what is left after a failure is what
        // was not reached.
        batch.reverse();
        while let Some(job) = batch.pop() {
            let (answer, outcome) = guarded(&self.connection, &mut self.state, |tx| {
                let (done, keep) = job(Ok(tx));
                (Some(done), keep)
            });
            answers.extend(answer);
            outcome?;
        }
        if self.state.unsettled {
            self.settle()?;
        }
        words::write(&self.connection, &mut self.state.words)
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        let Self {
            connection,
            state,
            hooks,
            ..
        } = self;
        let mut failure = None;
        let (_, outcome) = guarded(connection, state, |tx| {
            let result = catch_unwind(AssertUnwindSafe(|| (hooks.settle)(tx)))
                .unwrap_or(Err(StoreError::Panicked));
            let keep = result.is_ok();
            failure = result.err();
            (None, keep)
        });
        outcome?;
        // What the pass itself changed is settled by it.
        state.unsettled = false;
        if let Some(error) = failure {
            tracing::error!(%error, "the routing pass failed; the sweeper will try again");
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        faults::point("before-commit");
        self.connection.execute_batch("commit")?;
        faults::point("after-commit");
        Ok(())
    }

    fn recover(&mut self, error: &StoreError) {
        tracing::error!(%error, "a commit failed; nothing of it was acknowledged");
        self.healthy.store(false, Ordering::Relaxed);
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

/// Runs something behind a savepoint and undoes it alone if it does not want to be
/// kept. An error means that the whole transaction is lost.
fn guarded(
    connection: &Connection,
    state: &mut WriterState,
    run: impl FnOnce(&mut Tx<'_>) -> (Option<Done>, bool),
) -> (Option<Done>, Result<(), StoreError>) {
    // Without its savepoint the operation still runs, and is lost with the rest.
    let begun = execute(connection, "savepoint op");
    let mark = state.mark();
    let (done, keep) = run(&mut Tx::new(connection, state));
    if connection.is_autocommit() {
        // SQLite itself rolled everything back: the disk is full or failing.
        let lost = StoreError::Unavailable("the transaction was rolled back".to_owned());
        return (done, Err(lost));
    }
    if !keep {
        state.undo_to(&mark);
    }
    let outcome = begun
        .and_then(|()| {
            if keep {
                Ok(())
            } else {
                execute(connection, "rollback to op")
            }
        })
        .and_then(|()| execute(connection, "release op"));
    (done, outcome)
}

fn execute(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute(())?;
    Ok(())
}
