//! The truth: everything that must survive, written in the transaction of the
//! change that caused it.
//!
//! An operation is a plain function over a [`Tx`]. One writer takes all that
//! wait, runs them in one transaction so that each can be undone alone, and answers them
//! after the commit, which is after the fsync. The routing pass runs inside the
//! same transaction ([`Hooks::settle`]), so every durable state is settled.

mod error;
pub mod faults;
mod folder;
mod health;
mod inspect;
mod job;
mod log;
mod open;
mod ops;
mod recorded;
mod roster;
mod tx;
mod view;
mod waiting;
mod words;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use domain::metrics::Comparison;
use domain::{Millis, Timestamp};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use error::{OpenError, StoreError};
pub use folder::make_folder;
use job::Job;
pub use ops::acts::PastAct;
pub use ops::audit::{AuditEntry, AuditFilter, AuditSeal, AuditVerdict, Auditor, verify_audit};
pub use ops::contacts::{ContactChange, DirectoryContact, Merge};
pub use ops::conversations::{Folder, PageKey, Tally};
pub use ops::journal::{JournalEntry, JournalState, Journaled, PendingOfLine};
pub use ops::mentions::Mention;
pub use ops::metrics::{MetricRow, OperatorClock};
pub use ops::obligations::{ObligationCounts, ObligationKey, Standing, Whose};
pub use ops::outbox::{Due, OutboxEntry};
pub use ops::people::{ApiToken, Session};
pub use ops::ratings::RatingFilter;
pub use ops::reach::{Block, Provisional, StoredSuggestion, Upload};
pub use ops::replies::{CannedReply, RepliesAfter, Variant};
pub use ops::threads::ThreadRow;
pub use ops::webhooks::{WebhookDoc, WebhookRow, WebhookState};
pub use recorded::{read_events, recorded_period, recorded_reloads};
pub use tx::{Signals, Taken, Tx};
pub use view::View;
use waiting::Haste;

/// How many connections read at once: a page of the inbox is a few short reads,
/// and there are two cores.
const READERS: usize = 4;

/// What a commit means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// On the disk.
    #[default]
    Full,
    /// In the system's hands; a power cut may lose it. For the control run of the
    /// power-cut test only.
    Normal,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What a commit means.
    pub durability: Durability,
    /// Every page of a store up to this size is read before it is used, in a tenth of a
    /// second; of a larger one soon afterwards.
    pub read_first_bytes_max: u64,
    /// How soon: after the first rush of a start.
    pub read_rest_after: Duration,
    /// Everything is done on the thread that asks for it, and no other thread has a say
    /// in what comes first: for simulations, which have to repeat themselves.
    pub on_one_thread: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            read_first_bytes_max: 32 << 20,
            read_rest_after: Duration::from_secs(5),
            on_one_thread: false,
        }
    }
}

impl From<Durability> for Options {
    fn from(durability: Durability) -> Self {
        Self {
            durability,
            ..Self::default()
        }
    }
}

/// What the engine gives the store at its start.
pub struct Hooks {
    /// The clock.
    pub now: Box<dyn Fn() -> Timestamp + Send>,
    /// Settles the queues before a commit that changed what can be matched. An
    /// error undoes the pass alone; the commit goes on.
    pub settle: Box<dyn Fn(&mut Tx<'_>) -> Result<(), StoreError> + Send>,
    /// Hears of each commit, in order.
    pub committed: Box<dyn FnMut(Signals) + Send>,
}

/// The open store. Dropping it waits for what was accepted.
pub struct Store {
    // First, so that it holds nothing any more when the writer folds the log.
    _inspection: Option<inspect::Inspection>,
    writer: writer::Writer,
    health: Arc<health::Health>,
    path: PathBuf,
    on_one_thread: bool,
    readers: Arc<Readers>,
    _lock: open::Lock,
}

struct Readers {
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens the store, migrating it if need be.
    pub fn open(path: &Path, durability: Durability, hooks: Hooks) -> Result<Self, OpenError> {
        Self::open_with(path, durability.into(), hooks)
    }

    /// As [`Self::open`], with more say in how.
    pub fn open_with(path: &Path, options: Options, hooks: Hooks) -> Result<Self, OpenError> {
        let lock = open::lock(path)?;
        let (connection, is_large) = open::writer(path, options)?;
        let idle = (0..READERS)
            .map(|_| open::reader(path))
            .collect::<rusqlite::Result<Vec<_>>>()
            .map_err(|error| open::failed(path, &error))?;
        let health = Arc::new(health::Health::default());
        let start = if options.on_one_thread {
            writer::Writer::start_here
        } else {
            writer::Writer::start
        };
        let writer =
            start(connection, hooks, Arc::clone(&health)).map_err(|error| refused(path, error))?;
        let begin = || {
            let health = Arc::clone(&health);
            inspect::Inspection::begin(path, options.read_rest_after, health)
        };
        let inspection = is_large
            .then(begin)
            .transpose()
            .map_err(|error| refused(path, error))?;
        Ok(Self {
            _inspection: inspection,
            writer,
            health,
            path: path.to_owned(),
            on_one_thread: options.on_one_thread,
            readers: Arc::new(Readers {
                permits: Arc::new(Semaphore::new(READERS)),
                idle: Mutex::new(idle),
            }),
            _lock: lock,
        })
    }

    /// Runs an operation and answers after it is durable. An error of the
    /// operation undoes it alone.
    pub async fn write<T, E>(
        &self,
        op: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.write(Haste::Now, Job::once(op)).await
    }

    /// As [`Store::write`], and cheaper in a crowd: operations that come to the same
    /// when they are undone and run again are kept apart only when one of them fails.
    pub async fn write_repeatable<T, E>(
        &self,
        op: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let job = Job::repeatable(op);
        self.writer.write(Haste::Now, job).await
    }

    /// As [`Store::write_repeatable`], when there is time: an operation on what is
    /// durable already lets those go first whom somebody waits for.
    pub async fn write_behind<T, E>(
        &self,
        op: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let job = Job::repeatable(op);
        self.writer.write(Haste::Later, job).await
    }

    /// Reads what is committed.
    pub async fn read<T, E>(
        &self,
        query: impl FnOnce(&View<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if self.on_one_thread {
            // Others go on meanwhile, as they do beside a thread.
            tokio::task::yield_now().await;
            return self.read_rows(query).await;
        }
        let readers = Arc::clone(&self.readers);
        let permit = self.reader().await?;
        let task = tokio::task::spawn_blocking(move || {
            let result = readers.lend(query);
            // The query goes on when whoever asked has gone, and so does the leave.
            drop(permit);
            result
        });
        task.await
            .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }

    /// As [`Store::read`], of a few rows by their keys: on the caller's own thread,
    /// since handing it to another costs more than such a query.
    pub async fn read_rows<T, E>(
        &self,
        query: impl FnOnce(&View<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let _permit = self.reader().await?;
        self.readers.lend(query)
    }

    /// Leave to use a connection. There are as many as connections, so with one of
    /// them a connection is idle.
    async fn reader(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let permits = Arc::clone(&self.readers.permits);
        let permit = permits.acquire_owned().await;
        permit.map_err(|_| StoreError::Closed)
    }

    /// Whether the last commit succeeded and the file is whole, as far as is known.
    pub fn is_healthy(&self) -> bool {
        self.health.is_good()
    }

    /// What is wrong with the file, if something was found: nothing is written any more
    /// then, and a backup has to be restored.
    pub fn damage(&self) -> Option<&str> {
        self.health.damage()
    }

    /// Copies a consistent state of the store to a new file while it is used.
    pub fn backup(&self, target: &Path) -> Result<(), StoreError> {
        backup(&self.path, target)
    }
}

fn refused(path: &Path, error: StoreError) -> OpenError {
    let path = path.display().to_string();
    match error {
        StoreError::Corrupt(detail) => OpenError::Damaged { path, detail },
        StoreError::Unavailable(_)
        | StoreError::Broken(_)
        | StoreError::Panicked
        | StoreError::Closed
        | StoreError::Overloaded => OpenError::Unreachable {
            path,
            detail: error.to_string(),
        },
    }
}

impl Readers {
    fn lend<T, E: From<StoreError>>(
        &self,
        query: impl FnOnce(&View<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.lock().pop().ok_or(StoreError::Overloaded)?;
        // A connection outlives a query that panics.
        let result = catch_unwind(AssertUnwindSafe(|| one_picture(&connection, query)));
        self.lock().push(connection);
        result.unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Everything that a query reads is of one moment.
fn one_picture<T, E: From<StoreError>>(
    connection: &Connection,
    query: impl FnOnce(&View<'_>) -> Result<T, E>,
) -> Result<T, E> {
    // Ended when it is dropped, whatever happens in between.
    let transaction = connection
        .unchecked_transaction()
        .map_err(StoreError::from)?;
    query(&View::new(&transaction))
}

/// Copies a consistent state of the store at `path` to the new file `target`,
/// whether or not a gateway is using it.
pub fn backup(path: &Path, target: &Path) -> Result<(), StoreError> {
    if target.exists() {
        return Err(StoreError::Broken(format!(
            "{} exists already: give another name",
            target.display()
        )));
    }
    let source = open::reader(path)?;
    let mut copy = Connection::open(target)?;
    {
        let backup = rusqlite::backup::Backup::new(&source, &mut copy)?;
        backup.run_to_completion(4_096, std::time::Duration::ZERO, None)?;
    }
    let verdict: String = copy.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Corrupt(verdict));
    }
    copy.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
    drop(copy);
    std::fs::File::open(target)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Reads every page of the store at `path` and says whether it is whole, whether or
/// not a gateway is using it.
pub fn check(path: &Path) -> Result<(), StoreError> {
    let connection = open::reader(path)?;
    let verdict: String =
        connection.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(StoreError::Corrupt(verdict))
    }
}

/// Counts the metrics of the store at `path` again from its event log, at most so far
/// back, and compares, whether or not a gateway is using it.
pub fn compare_metrics(path: &Path, back: Millis) -> Result<Comparison, StoreError> {
    let connection = open::reader(path)?;
    one_picture(&connection, |view| view.compare_metrics(Some(back)))
}

/// Puts a backup in the place of the store at `path`, which no process may be
/// using; the store so far is kept beside it, and its name is answered.
pub fn restore(backup: &Path, path: &Path) -> Result<Option<PathBuf>, RestoreError> {
    let _lock = open::lock(path)?;
    let source = open::reader(backup).map_err(StoreError::from)?;
    let verdict: String = source
        .pragma_query_value(None, "integrity_check", |row| row.get(0))
        .map_err(StoreError::from)?;
    if verdict != "ok" {
        return Err(StoreError::Corrupt(verdict).into());
    }
    drop(source);
    let io = |error: std::io::Error| StoreError::Unavailable(error.to_string());
    let kept = if path.exists() {
        // Folding the log into the file makes the old store one file to keep.
        let old = Connection::open(path).map_err(StoreError::from)?;
        old.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))
            .map_err(StoreError::from)?;
        drop(old);
        let mut kept = path.with_extension("before-restore");
        let mut number = 1;
        while kept.exists() {
            number += 1;
            kept = path.with_extension(format!("before-restore-{number}"));
        }
        std::fs::rename(path, &kept).map_err(io)?;
        Some(kept)
    } else {
        None
    };
    let fresh = path.with_extension("restoring");
    std::fs::copy(backup, &fresh).map_err(io)?;
    std::fs::File::open(&fresh)
        .and_then(|file| file.sync_all())
        .map_err(io)?;
    std::fs::rename(&fresh, path).map_err(io)?;
    Ok(kept)
}

/// Why a backup was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store is in use or cannot be reached.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The backup is damaged or the disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
