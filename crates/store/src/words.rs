//! What is searched for by words.
//!
//! The index writes what it holds in memory at every savepoint, as a piece that has to
//! be merged later. An operation has a savepoint of its own, so its words wait until
//! every operation of the transaction is done: with 64 messages in a transaction this
//! saves a third of the store's instructions. They go when their operation is undone,
//! and a search in the same transaction does not find them yet.

use rusqlite::Connection;

use crate::{StoreError, Tx};

/// An index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    Messages,
    Contacts,
}

/// A change of an index that waits.
#[derive(Debug)]
pub(crate) struct Words {
    index: Index,
    id: i64,
    /// Whether it may have other words already.
    is_known: bool,
    /// The words; none when it is not to be found any more.
    text: Option<String>,
}

impl Tx<'_> {
    /// Makes something new found by its words.
    pub(crate) fn index(&mut self, index: Index, id: i64, words: String) {
        self.state.words.push(Words {
            index,
            id,
            is_known: false,
            text: Some(words),
        });
    }

    /// Gives other words to something, or none.
    pub(crate) fn index_again(&mut self, index: Index, id: i64, words: Option<String>) {
        self.state.words.push(Words {
            index,
            id,
            is_known: true,
            text: words,
        });
    }
}

/// Writes what waits, after the last savepoint of the transaction.
pub(crate) fn write(connection: &Connection, waiting: &mut Vec<Words>) -> Result<(), StoreError> {
    for entry in waiting.drain(..) {
        let (delete, insert) = match entry.index {
            Index::Messages => (
                "delete from message_words where rowid = ?1",
                "insert into message_words (rowid, words) values (?1, ?2)",
            ),
            Index::Contacts => (
                "delete from contact_words where rowid = ?1",
                "insert into contact_words (rowid, words) values (?1, ?2)",
            ),
        };
        if entry.is_known {
            connection.prepare_cached(delete)?.execute([entry.id])?;
        }
        if let Some(words) = entry.text {
            connection
                .prepare_cached(insert)?
                .execute((entry.id, words))?;
        }
    }
    Ok(())
}
