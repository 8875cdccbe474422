use std::path::Path;
use std::sync::Arc;

use domain::Timestamp;
use rusqlite::Connection;
use store::{Durability, Hooks, OpenError, Store, StoreError};
use tempfile::TempDir;

use crate::{numbers, open, say};

fn refusal(path: &Path) -> OpenError {
    let hooks = Hooks {
        now: Box::new(|| Timestamp(0)),
        settle: Box::new(|_| Ok(())),
        committed: Box::new(|_| {}),
    };
    match Store::open(path, Durability::Full, hooks) {
        Ok(_) => panic!("the store was opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_store_is_opened_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let refused = refusal(&path);
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    assert!(refused.to_string().contains("stop it first"));
    let restored = store::restore(&path, &path);
    assert!(restored.is_err(), "a store in use is not replaced");
    drop(opened);
    open(&path);
}

#[tokio::test]
async fn what_is_damaged_is_not_served() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, "this is not a store".repeat(500)).unwrap();
    let refused = refusal(&path);
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("restore the last backup"));

    // Now a store of which one page after the other is spoilt.
    let path = folder.path().join("other.db");
    let opened = open(&path);
    for _ in 0..200 {
        say(&opened.store).await.unwrap();
    }
    drop(opened);
    let connection = Connection::open(&path).unwrap();
    connection
        .pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))
        .unwrap();
    drop(connection);
    let whole = std::fs::read(&path).unwrap();
    for cut in [whole.len() / 2, whole.len() - 4_096] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let refused = refusal(&path);
        assert!(
            matches!(refused, OpenError::Damaged { .. }),
            "{cut}: {refused}"
        );
    }
    let pages = whole.len() / 4_096;
    let mut spoilt = 0;
    for page in 1..pages {
        let mut bytes = whole.clone();
        bytes[page * 4_096..page * 4_096 + 16].fill(0xff);
        std::fs::write(&path, &bytes).unwrap();
        let refused = refusal(&path);
        assert!(
            matches!(refused, OpenError::Damaged { .. }),
            "page {page}: {refused}"
        );
        spoilt += 1;
    }
    println!("spoilt {spoilt}, served 0");
}

#[tokio::test]
async fn a_store_that_was_closed_is_one_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let log = folder.path().join("store.db-wal");
    let in_log = || std::fs::metadata(&log).map_or(0, |about| about.len());
    let opened = open(&path);
    for _ in 0..50 {
        say(&opened.store).await.unwrap();
    }
    assert!(in_log() > 0);
    drop(opened);
    assert_eq!(in_log(), 0);
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    assert_eq!(numbers_of(&copy), 50);

    // Somebody who reads an older state keeps the log, and holds up nobody for long.
    let opened = open(&path);
    say(&opened.store).await.unwrap();
    let reader = Connection::open(&path).unwrap();
    let begun = tokio::time::Instant::now();
    reader.execute_batch("begin; select * from meta").unwrap();
    say(&opened.store).await.unwrap();
    drop(opened);
    assert!(begun.elapsed() < std::time::Duration::from_secs(4));
    assert!(in_log() > 0);
    assert_eq!(numbers_of(&path), 52);
}

#[tokio::test]
async fn a_newer_store_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path));
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refused = refusal(&path);
    assert!(
        matches!(refused, OpenError::Newer { found: 99, .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("newer release"));
}

#[tokio::test]
async fn a_backup_under_load_is_a_state_that_was() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let writing = Arc::clone(&opened.store);
    let load = tokio::spawn(async move {
        for _ in 0..300 {
            let both = writing.write::<_, StoreError>(|tx| {
                let cursor = crate::tell(tx)?;
                tx.set_meta("last", &cursor.0.to_string())
            });
            both.await.unwrap();
        }
    });
    let mut copies = 0;
    while !load.is_finished() {
        let copy = folder.path().join(format!("copy-{copies}.db"));
        let (from, to) = (Arc::clone(&opened.store), copy.clone());
        tokio::task::spawn_blocking(move || from.backup(&to).unwrap())
            .await
            .unwrap();
        let numbers = numbers(&copy);
        let expect: Vec<i64> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, expect);
        let last: Option<String> = Connection::open(&copy)
            .unwrap()
            .query_row("select value from meta where key = 'last'", (), |row| {
                row.get(0)
            })
            .ok();
        assert_eq!(last, numbers.last().map(ToString::to_string));
        copies += 1;
    }
    load.await.unwrap();
    assert!(
        opened
            .store
            .backup(&folder.path().join("copy-0.db"))
            .is_err(),
        "a backup overwrites nothing"
    );
    drop(opened);

    let kept = store::restore(&folder.path().join("copy-0.db"), &path).unwrap();
    assert_eq!(numbers_of(&kept.unwrap()), 300, "what was is kept");
    let opened = open(&path);
    let restored = numbers_of(&path);
    let next = say(&opened.store).await.unwrap();
    assert_eq!(usize::try_from(next.0).unwrap(), restored + 1);
    println!("backups {copies}, inconsistent 0");
}

fn numbers_of(path: &Path) -> usize {
    numbers(path).len()
}
