//! A large store is looked at while it is used; a small one before.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::Timestamp;
use store::{Durability, Hooks, OpenError, Options, Store, StoreError};
use tempfile::TempDir;

use crate::{say, tell};

/// Too large to be read first, whatever its size.
const LARGE: Options = Options {
    durability: Durability::Full,
    read_first_bytes_max: 0,
    read_rest_after: Duration::ZERO,
    on_one_thread: false,
};

fn open(path: &Path, options: Options) -> Result<Arc<Store>, OpenError> {
    let hooks = Hooks {
        now: Box::new(|| Timestamp(1_000)),
        settle: Box::new(|_| Ok(())),
        committed: Box::new(|_| {}),
    };
    Store::open_with(path, options, hooks).map(Arc::new)
}

fn raw(number: usize) -> Vec<u8> {
    format!("raw {number}.{:900}", ' ').into_bytes()
}

/// A store with so many envelopes in its journal, in one file.
async fn filled(path: &Path, entries: usize) {
    let store = open(path, Options::default()).unwrap();
    for number in 0..entries {
        store
            .write::<_, StoreError>(move |tx| {
                tell(tx)?;
                let raw = Bytes::from(raw(number));
                tx.journal(&"line".into(), &format!("e-{number}"), &raw, None)
            })
            .await
            .unwrap();
    }
}

/// Spoils the page that holds an entry.
fn spoil(path: &Path, entry: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let raw = raw(entry);
    let at = bytes.windows(raw.len()).position(|found| found == raw);
    let page = at.unwrap() / 4_096 * 4_096;
    bytes[page..page + 16].fill(0xff);
    std::fs::write(path, bytes).unwrap();
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    assert!(waited.is_ok(), "{what}");
}

#[tokio::test]
async fn damage_in_the_middle_of_a_large_store_ends_all_writing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    filled(&path, 400).await;
    spoil(&path, 200);
    let small = open(&path, Options::default()).err().unwrap();
    assert!(matches!(small, OpenError::Damaged { .. }), "{small}");

    let later = Options {
        read_rest_after: Duration::from_millis(200),
        ..LARGE
    };
    let store = open(&path, later).unwrap();
    say(&store).await.unwrap();
    until("the damage is found", || !store.is_healthy()).await;
    println!("found: {}", store.damage().unwrap());
    let refused = say(&store).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(refused.to_string().contains("damaged"), "{refused}");
    assert!(!store.is_healthy(), "it does not get well by itself");
    drop(store);
    let log = std::fs::metadata(folder.path().join("store.db-wal")).unwrap();
    assert!(log.len() > 0, "what is damaged is left as it is");
}

#[tokio::test]
async fn what_is_broken_at_the_ends_of_a_large_store_is_refused_at_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    filled(&path, 400).await;
    let whole = std::fs::read(&path).unwrap();
    let far = Options {
        read_rest_after: Duration::from_hours(1),
        ..LARGE
    };
    for entry in [0, 399] {
        spoil(&path, entry);
        let refused = open(&path, far).err().unwrap();
        assert!(
            matches!(refused, OpenError::Damaged { .. }),
            "{entry}: {refused}"
        );
        std::fs::write(&path, &whole).unwrap();
    }
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let refused = open(&path, far).err().unwrap();
    assert!(
        matches!(refused, OpenError::Damaged { .. }),
        "cut: {refused}"
    );
    std::fs::write(&path, &whole).unwrap();
    open(&path, far).unwrap();
}

#[tokio::test]
async fn a_whole_store_is_found_whole_under_load() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    filled(&path, 400).await;
    for _ in 0..5 {
        let store = open(&path, LARGE).unwrap();
        for _ in 0..200 {
            say(&store).await.unwrap();
        }
        assert_eq!(store.damage(), None);
        // Closing does not wait for the check.
        drop(store);
    }
}
