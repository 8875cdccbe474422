//! The truth: everything that must survive, written in the transaction of the
//! change that caused it.
//!
//! An operation is a plain function over a [`Tx`]. One writer takes all that
//! wait, runs them in one transaction, each behind a savepoint, and answers them
//! after the commit, which is after the fsync. The routing pass runs inside the
//! same transaction ([`Hooks::settle`]), so every durable state is settled.

mod error;
pub mod faults;
mod folder;
mod open;
mod ops;
mod tx;
mod view;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;

use domain::Timestamp;
use rusqlite::Connection;
use tokio::sync::Semaphore;

pub use error::{OpenError, StoreError};
pub use folder::make_folder;
pub use ops::acts::PastAct;
pub use ops::contacts::{ContactChange, DirectoryContact, Merge};
pub use ops::conversations::{Folder, PageKey, Tally};
pub use ops::journal::{JournalEntry, JournalState, Journaled};
pub use ops::outbox::OutboxEntry;
pub use ops::people::{ApiToken, AuditEntry, Session};
pub use ops::reach::{Block, Provisional, StoredSuggestion, Upload};
pub use ops::threads::ThreadRow;
pub use tx::{Signals, Taken, Tx};
pub use view::View;

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
    writer: writer::Writer,
    path: PathBuf,
    readers: Arc<Readers>,
    _lock: open::Lock,
}

struct Readers {
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Store {
    /// Opens the store, migrating it if need be.
    pub fn open(path: &Path, durability: Durability, hooks: Hooks) -> Result<Self, OpenError> {
        let lock = open::lock(path)?;
        let connection = open::writer(path, durability)?;
        let idle = (0..READERS)
            .map(|_| open::reader(path))
            .collect::<rusqlite::Result<Vec<_>>>()
            .map_err(|error| open::failed(path, &error))?;
        let writer = writer::Writer::start(connection, hooks).map_err(|error| {
            let (path, detail) = (path.display().to_string(), error.to_string());
            if matches!(error, StoreError::Corrupt(_)) {
                OpenError::Damaged { path, detail }
            } else {
                OpenError::Unreachable { path, detail }
            }
        })?;
        Ok(Self {
            writer,
            path: path.to_owned(),
            readers: Arc::new(Readers {
                permits: Semaphore::new(READERS),
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
        self.writer.write(op).await
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
        let readers = Arc::clone(&self.readers);
        // The permits are as many as the connections, so one is always idle here.
        let _permit = self
            .readers
            .permits
            .acquire()
            .await
            .map_err(|_| StoreError::Closed)?;
        let task = tokio::task::spawn_blocking(move || {
            let connection = readers
                .take()
                .ok_or_else(|| StoreError::Broken("no idle reader".to_owned()))?;
            let result = query(&View::new(&connection));
            readers.put(connection);
            result
        });
        task.await
            .unwrap_or_else(|_| Err(StoreError::Panicked.into()))
    }

    /// Whether the last commit succeeded.
    pub fn is_healthy(&self) -> bool {
        self.writer.is_healthy()
    }

    /// Copies a consistent state of the store to a new file while it is used.
    pub fn backup(&self, target: &Path) -> Result<(), StoreError> {
        backup(&self.path, target)
    }
}

impl Readers {
    fn take(&self) -> Option<Connection> {
        self.lock().pop()
    }

    fn put(&self, connection: Connection) {
        self.lock().push(connection);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
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
