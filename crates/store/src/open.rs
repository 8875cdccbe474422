//! Opening the embedded store: the lock, the checks, the migrations.

use std::fs::{File, TryLockError};
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::OpenError;

/// Every migration, in order; a store's `user_version` counts those it has.
const MIGRATIONS: [&str; 2] = [
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_merged.sql"),
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

pub(crate) fn writer(path: &Path, durability: crate::Durability) -> Result<Connection, OpenError> {
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|error| failed(path, &error))?;
    configure(&connection, durability).map_err(|error| failed(path, &error))?;
    check(path, &connection)?;
    migrate(path, &mut connection)?;
    Ok(connection)
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
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    keep_plans(connection)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}

/// Else a statement whose limit is a parameter is planned anew at every use.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The quick check reads every page's structure; the deep one stays with
/// `switchboard doctor`, since it costs minutes on a large store.
fn check(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let version = user_version(path, connection)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        return Err(OpenError::Newer {
            path: path.display().to_string(),
            found: version,
            known,
        });
    }
    let verdict: String = connection
        .query_row("pragma quick_check(1)", (), |row| row.get(0))
        .map_err(|error| failed(path, &error))?;
    if verdict != "ok" {
        return Err(OpenError::Damaged {
            path: path.display().to_string(),
            detail: verdict,
        });
    }
    Ok(())
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
