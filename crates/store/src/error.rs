//! What can go wrong in the store, by what the caller does about it.

/// The store could not do it. Nothing of the operation has happened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full, read-only or failing: take nothing in, and try again.
    #[error("the store cannot be written: {0}")]
    Unavailable(String),
    /// The operation broke a rule of the schema, or the SQL is wrong.
    #[error("the store refused an operation: {0}")]
    Broken(String),
    /// A row cannot be read back.
    #[error("the store holds something unreadable: {0}")]
    Corrupt(String),
    /// The operation panicked; it alone was undone.
    #[error("an operation on the store panicked")]
    Panicked,
    /// The store is closing.
    #[error("the store is closing")]
    Closed,
    /// Too much waits to be written.
    #[error("too much waits to be written")]
    Overloaded,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let code = error.sqlite_error_code();
        match code {
            Some(
                Code::DiskFull
                | Code::ReadOnly
                | Code::SystemIoFailure
                | Code::CannotOpen
                | Code::OutOfMemory
                | Code::DatabaseBusy
                | Code::DatabaseLocked,
            ) => Self::Unavailable(error.to_string()),
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// The store cannot be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "another switchboard is using {0}: stop it first, or give this one a store of its own \
         ([store] url)"
    )]
    InUse(String),
    /// A newer release wrote it.
    #[error(
        "{path} was written by a newer release (schema {found}, this one knows {known}): start \
         that release, or restore a backup made by this one"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// It is damaged.
    #[error(
        "{path} is damaged ({detail}): keep a copy of it, then restore the last backup with \
         `switchboard restore`"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What SQLite says.
        detail: String,
    },
    /// It cannot be reached.
    #[error("{path} cannot be opened: {detail}")]
    Unreachable {
        /// The file.
        path: String,
        /// What the system says.
        detail: String,
    },
}
