//! The store's promises: what fails costs itself alone, and what was not durable
//! was never acknowledged.

#![expect(
    clippy::unwrap_used,
    reason = "a scenario that cannot go on has failed"
)]

mod audit;
mod commits;
mod damage;
mod explanations;
mod files;
mod lists;
mod metrics;
mod obligations;
mod owners;
mod ratings;
mod replies;
mod words;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc;

use domain::event::{Cursor, EventKind};
use domain::{ContactId, Timestamp};
use rusqlite::Connection;
use store::{Durability, Hooks, Store, StoreError, Tx};

/// A store with a clock that stands still, and a count of its commits.
struct Opened {
    store: Arc<Store>,
    commits: Arc<AtomicUsize>,
    published: Arc<AtomicI64>,
}

fn open(path: &Path) -> Opened {
    let commits = Arc::new(AtomicUsize::new(0));
    let published = Arc::new(AtomicI64::new(0));
    let (counted, told) = (Arc::clone(&commits), Arc::clone(&published));
    let hooks = Hooks {
        now: Box::new(|| Timestamp(1_000)),
        settle: Box::new(|_| Ok(())),
        committed: Box::new(move |signals| {
            counted.fetch_add(1, Ordering::SeqCst);
            for event in &signals.events {
                let before = told.swap(event.cursor.0, Ordering::SeqCst);
                assert!(before < event.cursor.0, "an event was published twice");
            }
        }),
    };
    Opened {
        store: Arc::new(Store::open(path, Durability::Full, hooks).unwrap()),
        commits,
        published,
    }
}

/// Lets operations gather: whatever is begun before the sender is dropped is one
/// batch.
async fn hold(store: &Arc<Store>) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (begun, running) = tokio::sync::oneshot::channel();
    let store = Arc::clone(store);
    tokio::spawn(async move {
        store
            .write::<_, StoreError>(move |_| {
                let _ = begun.send(());
                let _ = released.recv();
                Ok(())
            })
            .await
    });
    running.await.unwrap();
    release
}

fn tell(tx: &mut Tx<'_>) -> Result<Cursor, StoreError> {
    let contact = ContactId::from("c");
    tx.emit(EventKind::ContactChanged { contact })
}

/// Says something; the event's number.
async fn say(store: &Store) -> Result<Cursor, StoreError> {
    store.write(tell).await
}

/// Every event number in the log.
fn numbers(path: &Path) -> Vec<i64> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("select cursor from event order by cursor")
        .unwrap();
    let rows = statement.query_map((), |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}
