//! The store of a gateway: one process has it, what cannot be read is not served,
//! and a backup is a state that was.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::operator::Role;
use e2e::gateway::settings;
use e2e::{Bridge, TestGateway};
use engine::{Engine, StartError};
use futures::future::join_all;
use proto::inbox::v1::event::Kind;
use rusqlite::Connection;
use tempfile::TempDir;

async fn refusal(store_path: &Path) -> String {
    let folder = TempDir::new().unwrap();
    let mut settings = settings(folder.path(), "http://127.0.0.1:1");
    settings.store_path = store_path.to_owned();
    match Engine::start(settings, Arc::new(engine::clock::now)).await {
        Ok(_) => panic!("it was started"),
        Err(error @ StartError::Store(_)) => error.to_string(),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_on_the_same_store_is_told_what_to_do() {
    let gateway = TestGateway::start().await;
    let refused = refusal(&gateway.store_path()).await;
    for part in ["another switchboard", "stop it first", "[store] url"] {
        assert!(refused.contains(part), "{refused}");
    }
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "the first one goes on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_read_is_told_what_to_do_about() {
    let folder = TempDir::new().unwrap();
    let damaged = folder.path().join("damaged.db");
    std::fs::write(&damaged, vec![0xab; 20_000]).unwrap();
    let refused = refusal(&damaged).await;
    assert!(refused.contains("switchboard restore"), "{refused}");
    assert_eq!(
        std::fs::read(&damaged).unwrap(),
        vec![0xab; 20_000],
        "left as it was"
    );

    let newer = folder.path().join("newer.db");
    let store = Connection::open(&newer).unwrap();
    store.pragma_update(None, "user_version", 1_000).unwrap();
    drop(store);
    let refused = refusal(&newer).await;
    assert!(refused.contains("start that release"), "{refused}");
}

/// What has to agree in every state that ever was.
fn disagreements(path: &Path) -> Vec<(String, i64)> {
    let store = Connection::open(path).unwrap();
    let checks = [
        (
            "messages without their event",
            "select count(*) from message where not exists (
               select 1 from event where json_extract(doc, '$.message_added.message.id') = message.id)",
        ),
        (
            "conversations without a message",
            "select count(*) from conversation where not exists (
               select 1 from message where message.conversation = conversation.id)",
        ),
        (
            "envelopes done without a message",
            "select count(*) from journal where state = 1 and not exists (
               select 1 from message where message.external_id = journal.event_key)",
        ),
        (
            "tallies that do not count",
            "select coalesce((select sum(count) from tally), 0)
                  - (select count(*) from conversation where state <> 'closed')",
        ),
        (
            "gaps between events",
            "select coalesce(max(cursor), 0) - count(*) from event",
        ),
    ];
    let mut found = Vec::new();
    for (name, sql) in checks {
        let count: i64 = store.query_row(sql, (), |row| row.get(0)).unwrap();
        if count != 0 {
            found.push((name.to_owned(), count));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn a_backup_under_load_is_restored_to_a_state_that_was() {
    let mut gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let bridge = Bridge::connect(&gateway).await;
    let path = gateway.store_path();
    let load = tokio::spawn(async move {
        for round in 0..10 {
            let says = (0..30).map(|number| {
                let bridge = bridge.clone();
                async move {
                    let who = format!("client-{number}");
                    bridge.says(&who, &round.to_string(), "hello").await
                }
            });
            join_all(says).await;
        }
    });
    let mut copies: Vec<PathBuf> = Vec::new();
    while !load.is_finished() {
        let copy = path.with_file_name(format!("copy-{}.db", copies.len()));
        let (from, to) = (path.clone(), copy.clone());
        tokio::task::spawn_blocking(move || store::backup(&from, &to).unwrap())
            .await
            .unwrap();
        assert_eq!(disagreements(&copy), []);
        copies.push(copy);
    }
    load.await.unwrap();
    for _ in 0..300 {
        boss.wait_for("a message", |kind| {
            matches!(kind, Kind::MessageAdded(_)).then_some(())
        })
        .await;
    }
    assert!(
        store::restore(&copies[0], &path).is_err(),
        "not while it is in use"
    );
    gateway.stop().await;
    let restored = copies.swap_remove(copies.len() / 2);
    let count = |path: &Path| -> i64 {
        let store = Connection::open(path).unwrap();
        let sql = "select count(*) from journal";
        store.query_row(sql, (), |row| row.get(0)).unwrap()
    };
    let expect = count(&restored);
    let kept = loop {
        // The last tasks of the gateway let go of the store.
        match store::restore(&restored, &path) {
            Ok(kept) => break kept.unwrap(),
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(count(&kept), 300);
    gateway.restart().await;
    // What the backup had taken in and not worked on is worked on now.
    let sql = "select count(*) from journal where state = 0";
    let store = Connection::open(&path).unwrap();
    e2e::soon("everything is worked on", async {
        while store
            .query_row(sql, (), |row| row.get::<_, i64>(0))
            .unwrap()
            > 0
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(disagreements(&path), []);
    assert_eq!(count(&path), expect);
    // And the platform brings again what was taken in after it.
    let bridge = Bridge::connect(&gateway).await;
    assert!(
        bridge.says("client-0", "0", "hello").await,
        "this was in the backup"
    );
    println!(
        "backups {}, inconsistent 0, restored {expect} of 300",
        copies.len() + 1
    );
}
