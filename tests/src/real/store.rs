use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// While work goes on, this is how often it is looked at how much is left.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A gateway's store, read beside it.
#[derive(Debug)]
pub struct Store {
    store: Connection,
}

impl Store {
    /// Opens it.
    pub fn open(path: &Path) -> Self {
        let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        store.busy_timeout(Duration::from_secs(10)).unwrap();
        Self { store }
    }

    /// Waits until everything that came is processed, however long that takes.
    pub async fn processed(&self) {
        let left = "select exists (select 1 from journal where state = 0)";
        while self.store.query_row(left, [], |row| row.get(0)).unwrap() {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The texts that a line's clients wrote, in order.
    pub fn written(&self, line: &str) -> Vec<String> {
        let texts = "select doc ->> '$.content.text.plain' from message
                     where line = ?1 and direction = 'inbound' order by id";
        self.texts(texts, line)
    }

    /// The texts that wait to be sent by a line and are not under way, in order.
    pub fn unsent(&self, line: &str) -> Vec<String> {
        let texts = "select message.doc ->> '$.content.text.plain' from outbox
                     join message on message.id = outbox.message
                     where outbox.line = ?1 and outbox.sending = 0 order by outbox.id";
        self.texts(texts, line)
    }

    fn texts(&self, sql: &str, line: &str) -> Vec<String> {
        let mut found = self.store.prepare(sql).unwrap();
        let texts = found.query_map([line], |row| row.get(0)).unwrap();
        texts.map(Result::unwrap).collect()
    }
}
