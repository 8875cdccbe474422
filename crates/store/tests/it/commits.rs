use std::collections::BTreeSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::event::Cursor;
use rusqlite::Connection;
use store::{Journaled, StoreError};
use tempfile::TempDir;

use crate::{hold, numbers, open, say, tell};

#[tokio::test]
async fn an_operation_that_fails_is_undone_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let store = &opened.store;
    let held = hold(store).await;
    let before = opened.commits.load(Ordering::SeqCst);
    let first = say(store);
    let failing = store.write::<(), _>(|tx| {
        tell(tx)?;
        tx.set_meta("failing", "1")?;
        Err(StoreError::Broken("on purpose".to_owned()))
    });
    let panicking = store.write::<(), StoreError>(|tx| {
        tell(tx)?;
        tx.set_meta("panicking", "1")?;
        panic!("on purpose")
    });
    let last = store.write(|tx| {
        tx.set_meta("last", "1")?;
        tell(tx)
    });
    let release = async {
        // By now the others wait for the writer.
        drop(held);
        Ok::<(), StoreError>(())
    };
    let (first, failing, panicking, last, _) =
        tokio::join!(first, failing, panicking, last, release);

    assert_eq!(first.unwrap(), Cursor(1));
    assert!(matches!(failing, Err(StoreError::Broken(_))), "{failing:?}");
    assert!(matches!(panicking, Err(StoreError::Panicked)));
    assert_eq!(last.unwrap(), Cursor(2));
    let commits = opened.commits.load(Ordering::SeqCst) - before;
    assert!(commits <= 2, "{commits}: the one that held, and the batch");
    let kept = store
        .read::<_, StoreError>(|view| {
            Ok((
                view.meta("failing")?,
                view.meta("panicking")?,
                view.meta("last")?,
            ))
        })
        .await
        .unwrap();
    assert_eq!(kept, (None, None, Some("1".to_owned())));
    assert_eq!(numbers(&path), [1, 2]);
}

#[tokio::test]
async fn one_that_shares_a_savepoint_is_undone_alone_too() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let store = &opened.store;
    let held = hold(store).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let good = |name: &'static str| {
        let runs = Arc::clone(&runs);
        store.write_repeatable::<_, StoreError>(move |tx| {
            runs.fetch_add(1, Ordering::SeqCst);
            tx.set_meta(name, "1")?;
            tell(tx)
        })
    };
    let failing = store.write_repeatable::<(), _>(|tx| {
        tell(tx)?;
        tx.set_meta("failing", "1")?;
        Err(StoreError::Broken("on purpose".to_owned()))
    });
    let panicking = store.write_behind::<(), StoreError>(|tx| {
        tx.set_meta("panicking", "1")?;
        panic!("on purpose")
    });
    let alone = store.write::<_, StoreError>(tell);
    let release = async {
        drop(held);
        Ok::<(), StoreError>(())
    };
    let (first, failing, second, alone, third, panicking, _) = tokio::join!(
        good("first"),
        failing,
        good("second"),
        alone,
        good("third"),
        panicking,
        release
    );

    assert!(matches!(failing, Err(StoreError::Broken(_))), "{failing:?}");
    assert!(matches!(panicking, Err(StoreError::Panicked)));
    let told: Vec<_> = [first, second, alone, third].map(Result::unwrap).to_vec();
    assert_eq!(told, [1, 2, 3, 4].map(Cursor), "in order, none twice");
    assert_eq!(numbers(&path), [1, 2, 3, 4]);
    // The first shared with the one that failed, the third with the one that panicked.
    assert_eq!(runs.load(Ordering::SeqCst), 5);
    let kept = store
        .read::<_, StoreError>(|view| {
            let names = ["first", "failing", "second", "panicking", "third"];
            names
                .iter()
                .map(|name| view.meta(name))
                .collect::<Result<Vec<_>, _>>()
        })
        .await
        .unwrap();
    let one = Some("1".to_owned());
    assert_eq!(kept, [one.clone(), None, one.clone(), None, one]);
}

#[tokio::test]
async fn numbers_of_events_have_no_gap_and_ids_never_come_twice() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let opened = open(&path);
        let store = &opened.store;
        for number in 0..20 {
            let given = store
                .write(move |tx| {
                    let ids = (tx.fresh_id(), tx.fresh_id());
                    tell(tx)?;
                    // Every third fails, and must not give its event's number away.
                    if number % 3 == 0 {
                        return Err(StoreError::Broken(format!("{ids:?}")));
                    }
                    Ok(ids)
                })
                .await;
            if let Ok((one, two)) = given {
                assert!(one < two);
                assert!(ids.last().is_none_or(|last| *last < one), "ids rise");
                assert!(ids.insert(one) && ids.insert(two));
            }
        }
        assert_eq!(
            opened.published.load(Ordering::SeqCst),
            *numbers(&path).last().unwrap()
        );
    }
    let expect: Vec<i64> = (1..=3 * 13).collect();
    assert_eq!(numbers(&path), expect);
}

/// Makes a commit impossible while `meta` has the key `poison`, and a transaction
/// be rolled back by SQLite itself at the key `rollback`.
pub(crate) fn lay_traps(path: &std::path::Path) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "create table whole (id integer primary key);
             create table part (of integer references whole (id) deferrable initially deferred);
             create trigger poison after insert on meta when new.key = 'poison'
             begin insert into part values (1); end;
             create trigger rolled after insert on meta when new.key = 'rollback'
             begin select raise(rollback, 'the disk is full'); end;",
        )
        .unwrap();
}

#[tokio::test]
async fn a_lost_transaction_acknowledges_nothing_and_the_next_one_goes_on() {
    for trap in ["poison", "rollback"] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store.db");
        drop(open(&path));
        lay_traps(&path);
        let opened = open(&path);
        let store = &opened.store;
        assert_eq!(say(store).await.unwrap(), Cursor(1));

        let held = hold(store).await;
        let before = say(store);
        let trapped = store.write::<_, StoreError>(move |tx| tx.set_meta(trap, "1"));
        let after = say(store);
        let release = async { drop(held) };
        let (before, trapped, after, ()) = tokio::join!(before, trapped, after, release);
        for (which, lost) in [("before", before.err()), ("after", after.err())] {
            let lost = lost.unwrap_or_else(|| panic!("{trap}: {which} was acknowledged"));
            assert!(
                !matches!(lost, StoreError::Closed),
                "{trap}: {which} must be told to try again, not that the store closes: {lost}"
            );
        }
        assert!(trapped.is_err());
        assert!(!store.is_healthy());
        assert_eq!(numbers(&path), [1], "{trap}");

        assert_eq!(say(store).await.unwrap(), Cursor(2), "{trap}");
        assert!(store.is_healthy());
        assert_eq!(numbers(&path), [1, 2], "{trap}");
        assert_eq!(opened.published.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_store_that_is_locked_tells_everybody_to_try_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let mut other = Connection::open(&path).unwrap();
    let lock = other
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    let (one, two) = tokio::join!(say(&opened.store), say(&opened.store));
    for lost in [one, two] {
        assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    }
    assert!(!opened.store.is_healthy());
    lock.rollback().unwrap();
    assert_eq!(say(&opened.store).await.unwrap(), Cursor(1));
    assert!(opened.store.is_healthy());
}

/// A file system of so many KiB, until it is dropped; none where that needs rights
/// we do not have.
struct Small(TempDir);

impl Small {
    fn mount(kib: u32) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(folder.path())
            .output()
            .is_ok_and(|done| done.status.success());
        mounted.then_some(Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[tokio::test]
async fn a_full_disk_acknowledges_nothing_and_is_left_by_itself() {
    let Some(small) = Small::mount(2_048) else {
        println!("skipped: a small file system cannot be mounted here");
        return;
    };
    let path = small.0.path().join("store.db");
    let ballast = small.0.path().join("ballast");
    std::fs::write(&ballast, vec![0; 512 << 10]).unwrap();
    let opened = open(&path);
    let store = &opened.store;
    let raw = Bytes::from(vec![7; 20 << 10]);
    let mut acknowledged = Vec::new();
    let full = loop {
        let (key, raw) = (format!("e-{}", acknowledged.len()), raw.clone());
        let taken = key.clone();
        let written = store
            .write::<_, StoreError>(move |tx| tx.journal(&"line".into(), &taken, &raw, None))
            .await;
        match written {
            Ok(_) => acknowledged.push(key),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1_000, "the disk never gets full");
    };
    assert!(matches!(full, StoreError::Unavailable(_)), "{full}");
    assert!(!store.is_healthy());
    let known = store
        .read::<_, StoreError>(|view| {
            let left = view.journal_left()?.into_iter();
            let entries = left.map(|seq| view.journal_entry(seq));
            entries.collect::<Result<Vec<_>, _>>()
        })
        .await
        .unwrap();
    let known: Vec<String> = known
        .into_iter()
        .flatten()
        .map(|entry| entry.event_key)
        .collect();
    assert_eq!(
        known, acknowledged,
        "exactly what was acknowledged is there"
    );

    std::fs::remove_file(&ballast).unwrap();
    let again = tokio::time::timeout(
        Duration::from_secs(10),
        store.write::<_, StoreError>(|tx| tx.journal(&"line".into(), "more", &Bytes::new(), None)),
    );
    assert_eq!(again.await.unwrap().unwrap(), Journaled::New);
    assert!(store.is_healthy());
    println!("acknowledged {}, lost 0", acknowledged.len() + 1);
}
