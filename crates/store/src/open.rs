//! Opening the embedded store: the lock, the checks, the migrations.

use std::fs::{File, TryLockError};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::OpenError;
use crate::ops::audit;
use crate::{Options, inspect, log};

/// Every migration, in order; a store's `user_version` counts those it has.
const MIGRATIONS: [&str; 14] = [
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_merged.sql"),
    include_str!("../migrations/0003_owners.sql"),
    include_str!("../migrations/0004_joined.sql"),
    include_str!("../migrations/0005_rosters.sql"),
    include_str!("../migrations/0006_audit_chain.sql"),
    include_str!("../migrations/0007_webhooks.sql"),
    include_str!("../migrations/0008_replies.sql"),
    include_str!("../migrations/0009_metrics.sql"),
    include_str!("../migrations/0010_obligations.sql"),
    include_str!("../migrations/0011_ratings.sql"),
    include_str!("../migrations/0012_states.sql"),
    include_str!("../migrations/0013_letters.sql"),
    include_str!("../migrations/0014_parts.sql"),
];

/// Holds the store for this process alone, as long as it lives.
pub(crate) struct Lock {
    _file: File,
}

pub(crate) fn lock(path: &Path) -> Result<Lock, OpenError> {
    let lock_path = path.with_extension("lock");
    let unreachable = |error: std::io::Error| OpenError::Unreachable {
        path: lock_path.display().to_string(),
        detail: error.to_string(),
    };
    if let Some(folder) = path.parent()
        && !folder.as_os_str().is_empty()
    {
        // What clients write is nobody else's on this machine.
        crate::make_folder(folder).map_err(unreachable)?;
    }
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(unreachable)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(unreachable(error)),
    }
}

/// The writing connection, and whether the store is too large to have been read whole.
pub(crate) fn writer(path: &Path, options: Options) -> Result<(Connection, bool), OpenError> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|error| failed(path, &error))?;
    configure(&connection, options.durability).map_err(|error| failed(path, &error))?;
    let is_large = check(path, &connection, options.read_first_bytes_max)?;
    migrate(path, &mut connection)?;
    // Whoever sends something again is told that it is here already. What a process that
    // was killed, or could not sync, has left in the log may be there in the system's
    // memory only: it is written anew, and synced, before anybody is told anything.
    log::fold(&connection)
        .and_then(|()| after_migrations(&connection))
        .map_err(|error| failed(path, &error))?;
    Ok((connection, is_large))
}

pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -4_000)?;
    keep_plans(&connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn configure(connection: &Connection, durability: crate::Durability) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    let synchronous = match durability {
        crate::Durability::Full => "full",
        crate::Durability::Normal => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // The writer folds the log by itself, after its answers, and sees if that fails.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    keep_plans(connection)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}

/// Nothing is written before the commit, so that it is the commit that fails. A
/// migration may need the memory for more.
fn after_migrations(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "cache_spill", false)
}

/// Else a statement whose limit is a parameter is planned anew at every use.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Refuses what is newer or damaged; answers whether there is too much to have been
/// read whole. The deepest check stays with `switchboard doctor`.
fn check(path: &Path, connection: &Connection, read_max: u64) -> Result<bool, OpenError> {
    let version = user_version(path, connection)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        return Err(OpenError::Newer {
            path: path.display().to_string(),
            found: version,
            known,
        });
    }
    let is_large = inspect::size(connection).map_err(|error| failed(path, &error))? > read_max;
    let damage = if is_large {
        inspect::glance(connection).map(|()| None)
    } else {
        inspect::read_all(connection)
    };
    match damage.map_err(|error| failed(path, &error))? {
        None => Ok(is_large),
        Some(detail) => Err(OpenError::Damaged {
            path: path.display().to_string(),
            detail,
        }),
    }
}

fn migrate(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let version = user_version(path, connection)?;
    for (index, migration) in (1_i64..).zip(MIGRATIONS) {
        if index <= version {
            continue;
        }
        let step = |connection: &mut Connection| {
            let tx = connection.transaction()?;
            tx.execute_batch(migration)?;
            if index == audit::CHAINED_AT {
                audit::chain(&tx)?;
            }
            tx.pragma_update(None, "user_version", index)?;
            tx.commit()
        };
        step(connection).map_err(|error| failed(path, &error))?;
    }
    Ok(())
}

fn user_version(path: &Path, connection: &Connection) -> Result<i64, OpenError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| failed(path, &error))
}

pub(crate) fn failed(path: &Path, error: &rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode as Code;
    let path = path.display().to_string();
    let detail = error.to_string();
    match error.sqlite_error_code() {
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => OpenError::Damaged { path, detail },
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => OpenError::InUse(path),
        _ => OpenError::Unreachable { path, detail },
    }
}
