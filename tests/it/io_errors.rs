//! The disk fails: nothing is acknowledged that it does not keep, nothing is lost, and
//! it goes on when the disk does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::Timestamp;
use e2e::crashfs::{CrashFs, Fault};
use e2e::real::{Crew, Findings, Gate, Life, Load, Random, Server, audit, readiness, set_up, told};
use e2e::soon;
use rusqlite::Connection;
use serde_json::{Value, json};
use store::{Durability, Hooks, Store, StoreError};
use tempfile::TempDir;
use tokio::time::Instant;

const CREW: Crew = Crew {
    visitors: 3,
    // One: whoever is told to come again must not be overtaken by himself.
    unanswered_max: 1,
    forms: 1,
    threads: 0,
    operators: 0,
};

/// Acknowledged before anything is tried.
const ENOUGH: usize = 40;
/// How soon it must go on.
const RESUMED_MAX: Duration = Duration::from_secs(10);

/// A gateway on a disk that can fail, under load, with something acknowledged.
struct Scene {
    disk: CrashFs,
    server: Server,
    load: Load,
    gate: Gate,
    random: Random,
    _folder: TempDir,
}

impl Scene {
    /// Or why it cannot be played here.
    async fn begin() -> Result<Self, String> {
        let folder = TempDir::new().unwrap();
        let mount = folder.path().join("disk");
        std::fs::create_dir(&mount).unwrap();
        let disk =
            CrashFs::mount(&mount).map_err(|error| format!("FUSE cannot be used: {error}"))?;
        let mut server = Server::new(folder.path(), &mount.join("data"), "0B");
        let tokens = set_up(&mut server, CREW).await;
        let gate = Gate::default();
        let mut random = Random::new(1);
        let load = Load::begin(&server.url, &gate, tokens, CREW, &mut random);
        let mut scene = Self {
            disk,
            server,
            load,
            gate,
            random,
            _folder: folder,
        };
        scene.start().await;
        scene.load.ledger.acked_at_least(ENOUGH).await;
        Ok(scene)
    }

    async fn start(&mut self) {
        let Life::Ready(..) = self.server.start(&[]).await else {
            panic!("it does not start:\n{}", self.server.said());
        };
        self.gate.open();
    }

    async fn end(mut self) -> Findings {
        self.load.drain().await;
        let findings = audit(&self.server, &mut self.load).await;
        self.server.stop().await;
        assert!(findings.is_clean(), "{findings:?}");
        findings
    }
}

/// Writes fail for a while. What is told, or why it cannot be done here.
async fn writes_fail(fault: Fault) -> Result<Value, String> {
    let scene = Scene::begin().await?;
    let ledger = scene.load.ledger.clone();
    scene.disk.fail(fault, "");
    let red = readiness(&scene.server.url, false);
    let red = soon("it says that it is not ready", red).await;
    assert!(red.to_string().contains("cannot be written"), "{red}");
    // Whoever is told to come again has nothing under way any more.
    let everybody = CREW.visitors + CREW.forms;
    ledger.put_off_more(2 * everybody).await;
    let before = ledger.acked_so_far();
    ledger.put_off_more(2 * everybody).await;
    let while_failing = ledger.acked_so_far() - before;

    scene.disk.repair();
    let repaired = Instant::now();
    let green = readiness(&scene.server.url, true);
    soon("it is ready again", green).await;
    ledger.acked_at_least(before + ENOUGH).await;
    let resumed = repaired.elapsed();
    let findings = scene.end().await;
    assert_eq!(while_failing, 0);
    assert!(resumed <= RESUMED_MAX, "{resumed:?}");
    Ok(json!({
        "acked_while_failing": while_failing,
        "resumed_ms": resumed.as_millis(),
        "findings": findings,
    }))
}

/// Syncs of the files with such names fail; then, after the next start, the current.
async fn syncs_fail(name_end: &'static str) -> Result<Value, String> {
    let mut scene = Scene::begin().await?;
    let ledger = scene.load.ledger.clone();
    scene.disk.fail(Fault::Sync, name_end);
    soon("it ends by itself", scene.server.ended()).await;
    let said = scene.server.said();
    assert!(said.contains("Look at the disk"), "{said}");
    let again = scene.server.start(&[]).await;
    assert!(matches!(again, Life::Died), "it does not trust the disk");

    scene.disk.repair();
    let repaired = Instant::now();
    let before = ledger.acked_so_far();
    scene.start().await;
    // First of all what was not answered is sent again, and is in the log already.
    ledger.acked_at_least(before + 1).await;
    let resumed = repaired.elapsed();
    scene.disk.cut();
    scene.server.kill().await;
    scene.disk.restore(&mut scene.random);
    scene.start().await;
    let findings = scene.end().await;
    assert!(resumed <= RESUMED_MAX, "{resumed:?}");
    Ok(json!({
        "acked_before": before,
        "resumed_ms": resumed.as_millis(),
        "findings": findings,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn while_writes_fail_nothing_is_acknowledged() {
    println!("{}", told("io_write", writes_fail(Fault::Write).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_read_only_disk_nothing_is_acknowledged() {
    println!(
        "{}",
        told("io_read_only", writes_fail(Fault::ReadOnly).await)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_it_ends_and_nothing_of_it_is_believed() {
    println!("{}", told("io_sync", syncs_fail("").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_of_a_fold_it_ends_too() {
    println!("{}", told("io_sync_fold", syncs_fail(".db").await));
}

/// Puts so much into the journal that the store is large, and spoils a page of it.
fn damage(store: &Path) {
    const ENTRIES: usize = 60_000;
    let connection = Connection::open(store).unwrap();
    connection
        .execute(
            "insert into journal (seq, line, event_key, received_at, raw, state)
             select -value, 'site', 'old-' || value, 4102444800000,
               'raw ' || value || '.' || hex(zeroblob(400)), 1
             from json_each(?1)",
            [json!((1..=ENTRIES).collect::<Vec<_>>()).to_string()],
        )
        .unwrap();
    let fold = "pragma wal_checkpoint(truncate)";
    connection.query_row(fold, (), |_| Ok(())).unwrap();
    drop(connection);
    let mut bytes = std::fs::read(store).unwrap();
    let raw = format!("raw {}.", ENTRIES / 2).into_bytes();
    let at = bytes.windows(raw.len()).position(|found| found == raw);
    let page = at.unwrap() / 4_096 * 4_096;
    bytes[page..page + 16].fill(0xff);
    std::fs::write(store, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_store_with_a_damaged_page_is_found_out_and_takes_nothing_more() {
    let folder = TempDir::new().unwrap();
    let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
    let tokens = set_up(&mut server, CREW).await;
    let log = server.store.with_extension("db-wal");
    let log_bytes = std::fs::metadata(log).map_or(0, |about| about.len());
    assert_eq!(log_bytes, 0, "a clean stop leaves one file");
    damage(&server.store);
    let gate = Gate::default();
    let load = Load::begin(&server.url, &gate, tokens, CREW, &mut Random::new(1));
    let Life::Ready(took, _) = server.start(&[]).await else {
        panic!("it does not start:\n{}", server.said());
    };
    gate.open();
    load.ledger.acked_at_least(1).await;
    let begun = Instant::now();
    let red = readiness(&server.url, false);
    soon("the damage is found", red).await;
    let found = begun.elapsed();
    let everybody = CREW.visitors + CREW.forms;
    load.ledger.put_off_more(2 * everybody).await;
    let before = load.ledger.acked_so_far();
    load.ledger.put_off_more(2 * everybody).await;
    assert_eq!(load.ledger.acked_so_far(), before);
    let said = server.said();
    assert!(said.contains("switchboard restore"), "{said}");
    server.stop().await;
    let figures = json!({
        "ready_ms": took.as_millis(),
        "found_ms": found.as_millis(),
        "acked_after": 0,
    });
    println!("{}", told("io_damage", Ok(figures)));
}

fn open(path: &Path) -> Arc<Store> {
    let hooks = Hooks {
        now: Box::new(|| Timestamp(1_000)),
        settle: Box::new(|_| Ok(())),
        committed: Box::new(|_| {}),
    };
    Arc::new(Store::open(path, Durability::Full, hooks).unwrap())
}

async fn take(store: &Store, number: i64) -> Result<(), StoreError> {
    let raw = Bytes::from(vec![7; 60_000]);
    store
        .write::<_, StoreError>(move |tx| {
            tx.journal(&"line".into(), &number.to_string(), &raw, None)
        })
        .await
        .map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_folded_takes_nothing_more() {
    let folder = TempDir::new().unwrap();
    let disk = match CrashFs::mount(folder.path()) {
        Ok(disk) => disk,
        Err(error) => return println!("skipped: io_fold: FUSE cannot be used: {error}"),
    };
    let path = folder.path().join("data").join("store.db");
    let store = open(&path);
    take(&store, 0).await.unwrap();
    disk.fail(Fault::Write, ".db");
    let mut taken = 1;
    let refused = loop {
        match take(&store, taken).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
        assert!(taken < 1_000, "the log grows and nobody says anything");
    };
    assert!(refused.to_string().contains("folded"), "{refused}");
    assert!(!store.is_healthy());
    take(&store, -1).await.unwrap_err();

    disk.repair();
    take(&store, taken).await.unwrap();
    assert!(store.is_healthy());
    disk.cut();
    drop(store);
    disk.restore(&mut Random::new(1));
    drop(open(&path));
    let connection = Connection::open(&path).unwrap();
    let kept: i64 = connection
        .query_row("select count(*) from journal", (), |row| row.get(0))
        .unwrap();
    assert_eq!(kept, taken + 1);
    println!(
        "{}",
        json!({"test": "io_fold", "taken": taken, "kept": kept})
    );
}
