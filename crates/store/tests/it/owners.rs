use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use store::{Store, StoreError};
use tempfile::TempDir;

use crate::{hold, open};

async fn bind(store: &Store, line: &str, thread_key: &str, owner: &str) -> String {
    let (line, thread_key) = (line.into(), thread_key.to_owned());
    let owner = owner.to_owned();
    store
        .write::<_, StoreError>(move |tx| tx.bind_thread(&line, &thread_key, &owner))
        .await
        .unwrap()
}

async fn owner(store: &Store, line: &str, thread_key: &str) -> Option<String> {
    let (line, thread_key) = (line.into(), thread_key.to_owned());
    store
        .read::<_, StoreError>(move |view| view.thread_owner(&line, &thread_key))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_thread_is_bound_once_and_for_good() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let store = &opened.store;
    assert_eq!(owner(store, "site", "v").await, None);
    assert_eq!(bind(store, "site", "v", "u-1").await, "u-1");
    assert_eq!(bind(store, "site", "v", "u-2").await, "u-1");
    assert_eq!(bind(store, "site", "v", "u-1").await, "u-1");
    assert_eq!(owner(store, "site", "w").await, None);
    assert_eq!(
        bind(store, "shop", "v", "u-2").await,
        "u-2",
        "another line's"
    );
    drop(opened);

    let opened = open(&path);
    assert_eq!(owner(&opened.store, "site", "v").await.unwrap(), "u-1");
    assert_eq!(owner(&opened.store, "shop", "v").await.unwrap(), "u-2");
}

#[tokio::test]
async fn of_those_who_bind_at_once_one_wins_and_all_are_told_who() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let held = hold(&opened.store).await;
    let racing: Vec<_> = (0..20)
        .map(|number| {
            let store = Arc::clone(&opened.store);
            tokio::spawn(async move { bind(&store, "site", "v", &format!("u-{number}")).await })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(held);
    let mut told = Vec::new();
    for one in racing {
        told.push(one.await.unwrap());
    }
    let winner = owner(&opened.store, "site", "v").await.unwrap();
    assert_eq!(told, vec![winner; 20]);
}

/// A store as the release before threads had owners left it.
fn before_owners(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    for migration in [
        include_str!("../../migrations/0001_first.sql"),
        include_str!("../../migrations/0002_merged.sql"),
    ] {
        connection.execute_batch(migration).unwrap();
    }
    connection.pragma_update(None, "user_version", 2).unwrap();
    connection
}

#[tokio::test]
async fn threads_of_an_older_store_belong_to_the_users_who_wrote_there() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let connection = before_owners(&path);
    let visitor = r#"{"kind": "visitor", "issuer": "site", "value": "v", "trust": "proven"}"#;
    let user = r#"{"kind": "user", "issuer": "site", "value": "u-1", "trust": "proven"}"#;
    for (id, identities) in [
        (1, format!("[{visitor}, {user}]")),
        (2, format!("[{visitor}]")),
        (3, "[]".to_owned()),
    ] {
        let doc = format!(r#"{{"sender": {{"identities": {identities}}}}}"#);
        connection
            .execute(
                "insert into thread (id, line, thread_key, contact, origin, doc)
                 values (?1, 'site', 'v-' || ?1, 'c', 'c', ?2)",
                (id, doc),
            )
            .unwrap();
    }
    drop(connection);

    let opened = open(&path);
    let store = &opened.store;
    assert_eq!(owner(store, "site", "v-1").await.as_deref(), Some("u-1"));
    assert_eq!(owner(store, "site", "v-2").await, None);
    assert_eq!(owner(store, "site", "v-3").await, None);
    assert_eq!(bind(store, "site", "v-1", "u-2").await, "u-1");
}
