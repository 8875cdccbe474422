//! The write-ahead log: when it is folded into the database, and what a failed sync
//! of it means.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, ffi};

/// Pages in the log before it is folded: 16 MiB, so that a start has little to read
/// and a fold has many pages that were written more than once.
const PAGES_MAX: u32 = 4_000;
/// How long a store that closes may fold: less than a service manager waits.
const CLOSING_MAX: Duration = Duration::from_secs(10);
/// How long a store that closes waits for somebody else who reads it.
const READERS_MAX: Duration = Duration::from_secs(2);

/// How many pages the log holds, as of the last commit.
pub(crate) struct Length(Arc<AtomicU32>);

impl Length {
    pub(crate) fn watch(connection: &mut Connection) -> rusqlite::Result<Self> {
        let length = Arc::new(AtomicU32::new(0));
        let told = Arc::clone(&length);
        connection.wal_hook(Some(move |_: &mut _, pages: i32| {
            told.store(u32::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self(length))
    }

    pub(crate) fn is_long(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= PAGES_MAX
    }
}

/// Folds the log as far as nobody reads what is older, waiting for nobody.
pub(crate) fn fold(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("pragma wal_checkpoint(passive)", (), |_| Ok(()))
}

/// Folds the whole log and empties it, so that the database alone is the store; false
/// when there is not the time.
pub(crate) fn fold_and_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(READERS_MAX)?;
    let interrupt = connection.get_interrupt_handle();
    let (done, is_done) = channel::<()>();
    let watch = std::thread::spawn(move || {
        if is_done.recv_timeout(CLOSING_MAX) == Err(RecvTimeoutError::Timeout) {
            interrupt.interrupt();
        }
    });
    let folded = connection.query_row("pragma wal_checkpoint(truncate)", (), |row| {
        Ok(row.get::<_, i64>(0)? == 0)
    });
    drop(done);
    // It only waits: it cannot have panicked.
    let _ = watch.join();
    match folded {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            Ok(false)
        }
        folded => folded,
    }
}

/// Ends the process if a sync has failed. The system says so once and then takes the
/// pages for written: no later sync tells what is on the disk. The next start reads
/// the log and writes anew all it finds there.
pub(crate) fn die_if_unsynced(error: &rusqlite::Error) {
    let code = error.sqlite_error().map(|error| error.extended_code);
    if matches!(
        code,
        Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
    ) {
        tracing::error!(
            %error,
            "the disk does not say that it keeps what is written: ending now, and nothing that \
             is not safe was acknowledged. Look at the disk; a start takes up everything that \
             was acknowledged"
        );
        std::process::abort();
    }
}
