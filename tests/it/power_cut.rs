//! The current fails at any instant: what was acknowledged is there, and the store
//! is sound.

use std::path::Path;
use std::time::Duration;

use e2e::crashfs::CrashFs;
use e2e::real::{Crew, Findings, Gate, Life, Load, Random, Server, audit, given, set_up};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Cuts in a normal run.
const CUTS: u64 = 30;

const CREW: Crew = Crew {
    visitors: 4,
    unanswered_max: 4,
    forms: 1,
    threads: 2,
    operators: 2,
};

struct Run {
    findings: Findings,
    damaged: Vec<String>,
    forgotten_bytes: u64,
    took: Duration,
}

/// Runs, or tells why it cannot here.
async fn run(cuts: u64, crew: Crew, bug: Option<&str>, random: &mut Random) -> Result<Run, String> {
    let folder = TempDir::new().unwrap();
    let mount = folder.path().join("disk");
    std::fs::create_dir(&mount).unwrap();
    let disk = CrashFs::mount(&mount).map_err(|error| format!("FUSE cannot be used: {error}"))?;
    let begun = tokio::time::Instant::now();
    let mut server = Server::new(folder.path(), &mount.join("data"), "0B");
    let tokens = set_up(&mut server, crew).await;
    let gate = Gate::default();
    let mut load = Load::begin(&server.url, &gate, tokens, crew, random);
    let planted = bug.map(|bug| ("SWITCHBOARD_TEST_BUG", bug));
    let environment: Vec<_> = planted.into_iter().collect();
    let mut damaged = Vec::new();
    for _ in 0..cuts {
        start(&mut server, &environment).await;
        gate.open();
        tokio::time::sleep(Duration::from_millis(random.below(300))).await;
        disk.cut();
        server.kill().await;
        disk.restore(random);
        damaged.extend(damage(&disk));
    }
    start(&mut server, &environment).await;
    gate.open();
    load.drain().await;
    let findings = audit(&server, &mut load).await;
    server.stop().await;
    Ok(Run {
        findings,
        damaged,
        forgotten_bytes: disk.forgotten_bytes(),
        took: begun.elapsed(),
    })
}

async fn start(server: &mut Server, environment: &[(&str, &str)]) {
    if let Life::Died = server.start(environment).await {
        panic!("it does not start again:\n{}", server.said());
    }
}

/// What is wrong with the store, if anything is. Looks at a copy, so that the gateway
/// itself has to recover.
fn damage(disk: &CrashFs) -> Option<String> {
    let copy = TempDir::new().unwrap();
    disk.copy_durable("data", copy.path()).unwrap();
    let verdict = integrity(&copy.path().join("switchboard.db"));
    (verdict != "ok").then_some(verdict)
}

fn integrity(store: &Path) -> String {
    let connection = Connection::open(store).unwrap();
    let verdict = connection.pragma_query_value(None, "integrity_check", |row| row.get(0));
    verdict.unwrap_or_else(|error| error.to_string())
}

fn told(name: &str, seed: u64, cuts: u64, run: &Run) -> Value {
    json!({
        "test": name,
        "seed": seed,
        "cuts": cuts,
        "damaged": run.damaged.len(),
        "forgotten_bytes": run.forgotten_bytes,
        "findings": run.findings,
        "took_s": run.took.as_secs(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_power_cut_nothing_acknowledged_is_lost() {
    let (seed, mut random) = Random::seeded();
    let cuts = given("SWITCHBOARD_SOAK_POWER_CUTS").unwrap_or(CUTS);
    let run = match run(cuts, CREW, None, &mut random).await {
        Ok(run) => run,
        Err(reason) => return println!("skipped: power_cut: {reason}"),
    };
    println!("{}", told("power_cut", seed, cuts, &run));
    assert!(run.findings.is_clean(), "{:?}", run.findings);
    assert!(run.damaged.is_empty(), "{:?}", run.damaged);
    assert!(run.forgotten_bytes > 0 && run.findings.acked > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_not_synced_is_found_out() {
    let (seed, mut random) = Random::seeded();
    let crew = Crew {
        operators: 0,
        threads: 0,
        ..CREW
    };
    let cuts = 5;
    let run = match run(cuts, crew, Some("lazy-sync"), &mut random).await {
        Ok(run) => run,
        Err(reason) => return println!("skipped: power_cut_control: {reason}"),
    };
    println!("{}", told("power_cut_control", seed, cuts, &run));
    assert!(run.findings.lost > 0, "{:?}", run.findings);
}
