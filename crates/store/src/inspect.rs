//! Whether the store's file is whole.
//!
//! Reading every page takes about 3 ms for a megabyte that the system has in memory
//! and 11 ms for one that comes from the disk. A small store is read before anything
//! else; of a large one the start only sees that the ends of every table can be read,
//! and the rest is read afterwards, at the lowest priority, while the store is used. It
//! is read at every start and not only after an unclean end: disks and people damage
//! files between a clean stop and the next start, too.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, InterruptHandle};

use crate::health::Health;
use crate::{StoreError, open};

/// The least that the system gives a thread.
const LOWEST_PRIORITY: i32 = 19;
/// The pause between two attempts to interrupt it.
const INTERRUPT_PAUSE: Duration = Duration::from_millis(1);

/// What a check says: nothing when all is well.
type Damage = Option<String>;

/// The size of the store in bytes, of which some may still stand in the log.
pub(crate) fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = number("page_count")? * number("page_size")?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}

/// Reads every page.
pub(crate) fn read_all(connection: &Connection) -> rusqlite::Result<Damage> {
    verdict(connection, "pragma quick_check(1)")
}

/// Reads both ends of every table, where the oldest and the newest rows stand. That
/// the file is as long as it says SQLite sees by itself.
pub(crate) fn glance(connection: &Connection) -> rusqlite::Result<()> {
    let mut tables = connection.prepare(
        "select name, wr from pragma_table_list
         where schema = 'main' and type in ('table', 'shadow')",
    )?;
    let tables = tables.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
    for table in tables {
        let (name, without_rowid): (String, bool) = table?;
        let name = quoted(&name);
        let sql = if without_rowid {
            format!("select * from {name} limit 1")
        } else {
            format!(
                "select * from {name} where rowid in
                   ((select min(rowid) from {name}), (select max(rowid) from {name}))"
            )
        };
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(())?;
        while rows.next()?.is_some() {}
    }
    Ok(())
}

/// The check that goes on while the store is used.
pub(crate) struct Inspection {
    /// Dropped to say that the store is closing.
    open: Option<Sender<()>>,
    interrupt: InterruptHandle,
    thread: Option<JoinHandle<()>>,
}

impl Inspection {
    /// Begins after a while, so that the first work after a start has the machine for
    /// itself.
    pub(crate) fn begin(
        path: &Path,
        after: Duration,
        health: Arc<Health>,
    ) -> Result<Self, StoreError> {
        let connection = open::reader(path)?;
        let interrupt = connection.get_interrupt_handle();
        let (open, closing) = channel();
        let path = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("store-check".to_owned())
            .spawn(move || {
                if closing.recv_timeout(after) == Err(RecvTimeoutError::Timeout) {
                    inspect(&path, &connection, &closing, &health);
                }
            })
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            open: Some(open),
            interrupt,
            thread: Some(thread),
        })
    }
}

impl Drop for Inspection {
    fn drop(&mut self) {
        self.open = None;
        let Some(thread) = self.thread.take() else {
            return;
        };
        // Between two tables there is nothing to interrupt.
        while !thread.is_finished() {
            self.interrupt.interrupt();
            std::thread::sleep(INTERRUPT_PAUSE);
        }
        if thread.join().is_err() {
            tracing::error!("the check of the store ended with a panic");
        }
    }
}

fn inspect(path: &Path, connection: &Connection, closing: &Receiver<()>, health: &Health) {
    // On Linux this is the priority of this thread alone.
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST_PRIORITY) {
        tracing::warn!(%error, "the store is checked at the usual priority");
    }
    match read_by_table(connection, closing) {
        Ok(Some(damage)) => {
            tracing::error!(
                store.path = %path.display(),
                detail = damage,
                "the store is damaged: nothing more is taken in. Stop the gateway, keep a copy of \
                 the store, and restore the last backup with `switchboard restore`"
            );
            health.set_damaged(damage);
        }
        Ok(None) => tracing::info!(store.path = %path.display(), "the store is whole"),
        Err(StoreError::Closed) => {}
        Err(error) => tracing::error!(
            store.path = %path.display(),
            %error,
            "the store could not be checked; run `switchboard doctor`"
        ),
    }
}

/// Reads one table after the other: a state that is read keeps the log from being
/// folded, and so none is read for longer than the largest table takes. A page that
/// belongs to nothing, or to two tables, is left to `switchboard doctor`.
fn read_by_table(connection: &Connection, closing: &Receiver<()>) -> Result<Damage, StoreError> {
    let names = {
        let mut tables =
            connection.prepare("select name from sqlite_schema where type = 'table'")?;
        let names = tables.query_map((), |row| row.get(0))?;
        names.collect::<rusqlite::Result<Vec<String>>>()?
    };
    // With the schema come the pages that are free.
    for name in std::iter::once("sqlite_schema".to_owned()).chain(names) {
        if closing.try_recv() == Err(TryRecvError::Disconnected) {
            return Err(StoreError::Closed);
        }
        let sql = format!("pragma quick_check({})", quoted(&name));
        match verdict(connection, &sql) {
            Ok(None) => {}
            Ok(damage) => return Ok(damage),
            Err(error) if was_interrupted(&error) => return Err(StoreError::Closed),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

fn was_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted)
}

fn verdict(connection: &Connection, sql: &str) -> rusqlite::Result<Damage> {
    let told = connection.query_row(sql, (), |row| row.get::<_, String>(0));
    match told {
        Ok(told) if told == "ok" => Ok(None),
        Ok(told) => Ok(Some(told)),
        Err(error) if is_damage(&error) => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    matches!(
        error.sqlite_error_code(),
        Some(Code::DatabaseCorrupt | Code::NotADatabase)
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
