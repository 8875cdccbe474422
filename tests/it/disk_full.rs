//! The disk fills up: nothing is acknowledged, everybody is told to come again, and
//! it goes on by itself when there is room.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::real::{Crew, Gate, Life, Load, Random, Server, audit, readiness, set_up, told};
use e2e::soon;
use serde_json::{Value, json};
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

/// A small disk, gone when it is dropped.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(folder: PathBuf) -> Result<Self, String> {
        std::fs::create_dir(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"])
            .arg(&folder);
        match mount.output() {
            Ok(output) if output.status.success() => Ok(Self { folder }),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Fills it until so many bytes are left, or until nothing more goes in.
    fn fill(&self, left: u64) -> PathBuf {
        let ballast = self.folder.join("ballast");
        let mut file = std::fs::File::create(&ballast).unwrap();
        let piece = vec![1; 4_096];
        let size = 64 << 20;
        let mut used = used(&self.folder);
        while used + left < size && file.write_all(&piece).is_ok() {
            used += 4_096;
        }
        ballast
    }
}

/// What the files of a folder take.
fn used(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let entry = entry.unwrap();
            match entry.metadata() {
                Ok(about) if about.is_dir() => used(&entry.path()),
                Ok(about) => about.len(),
                Err(_) => 0,
            }
        })
        .sum()
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

/// Fills the disk under load and frees it again. What is told, or why it cannot be
/// done here.
async fn run(left: u64, free_min: &str, reason: &str) -> Result<Value, String> {
    let folder = TempDir::new().unwrap();
    let disk = SmallDisk::mount(folder.path().join("disk"))?;
    let mut server = Server::new(folder.path(), &disk.folder.join("data"), free_min);
    let tokens = set_up(&mut server, CREW).await;
    let gate = Gate::default();
    let mut random = Random::new(1);
    let mut load = Load::begin(&server.url, &gate, tokens, CREW, &mut random);
    let Life::Ready(..) = server.start(&[]).await else {
        panic!("it does not start:\n{}", server.said());
    };
    gate.open();
    load.ledger.acked_at_least(ENOUGH).await;

    let ballast = disk.fill(left);
    let red = soon(
        "it says that it is not ready",
        readiness(&server.url, false),
    )
    .await;
    assert!(red.to_string().contains(reason), "{red}");
    // Whoever is told to come again has nothing under way any more.
    let everybody = CREW.visitors + CREW.forms;
    load.ledger.put_off_more(2 * everybody).await;
    let before = load.ledger.acked_so_far();
    load.ledger.put_off_more(2 * everybody).await;
    let while_full = load.ledger.acked_so_far() - before;

    std::fs::remove_file(ballast).unwrap();
    let freed = Instant::now();
    soon("it is ready again", readiness(&server.url, true)).await;
    load.ledger.acked_at_least(before + ENOUGH).await;
    let resumed = freed.elapsed();
    load.drain().await;
    let findings = audit(&server, &mut load).await;
    server.stop().await;
    assert_eq!(while_full, 0);
    assert!(findings.is_clean(), "{findings:?}");
    Ok(json!({
        "acked_while_full": while_full,
        "resumed_ms": resumed.as_millis(),
        "findings": findings,
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_mark_nothing_is_taken_in() {
    let outcome = run(24 << 20, "32MiB", "the disk is nearly full").await;
    println!("{}", told("disk_nearly_full", outcome));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_is_acknowledged() {
    let outcome = run(0, "0B", "the store cannot be written").await;
    println!("{}", told("disk_full", outcome));
}
