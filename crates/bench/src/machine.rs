//! What the system tells of processes and itself. Where it tells nothing, as
//! elsewhere than on Linux, a figure is not a number.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::figures::Times;

/// The processor time that a process has used, in seconds.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let read = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold anything.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11);
        let user: f64 = fields.next()?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        Some((user + system) / rustix::param::clock_ticks_per_second() as f64)
    };
    read().unwrap_or(f64::NAN)
}

/// The processor time that this thread has used, in seconds: whoever else is at work
/// does not count.
pub(crate) fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// What a process holds in memory, in kilobytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) rss_kb: f64,
    /// Its share of what it has together with others.
    pub(crate) pss_kb: f64,
}

pub(crate) fn memory(pid: u32) -> Memory {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let of = |name: &str| {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        number.and_then(|kb| kb.parse().ok()).unwrap_or(f64::NAN)
    };
    Memory {
        rss_kb: of("Rss:"),
        pss_kb: of("Pss:"),
    }
}

/// The most that a process has ever held in memory, in kilobytes.
pub(crate) fn peak_rss_kb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|kb| kb.parse().ok()).unwrap_or(f64::NAN)
}

/// How many wanted a processor in the last minute.
pub(crate) fn load_average() -> f64 {
    let read = || {
        let text = fs::read_to_string("/proc/loadavg").ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    read().unwrap_or(f64::NAN)
}

/// Whether a folder is on no disk at all, as /tmp is on some systems: then a sync
/// costs nothing and the figures tell nothing of a disk.
pub(crate) fn is_in_memory(folder: &Path) -> bool {
    let read = || {
        let folder = folder.canonicalize().ok()?;
        let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
        let mounts = mounts.lines().filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            Some((fields.next()?, fields.next()?))
        });
        let own = mounts.filter(|(place, _)| folder.starts_with(place));
        let (_, kind) = own.max_by_key(|(place, _)| place.len())?;
        Some(matches!(kind, "tmpfs" | "ramfs"))
    };
    read().unwrap_or(false)
}

/// Lets this process and its children open as many files as the system allows.
pub(crate) fn raise_files() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it a run with many sockets fails, and tells so.
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How long it takes until a small write is on the disk of a folder.
pub(crate) fn sync_times(folder: &Path) -> anyhow::Result<Times> {
    let mut file = File::create(folder.join("sync")).context("writing beside the store")?;
    let mut times = Times::default();
    for _ in 0..300 {
        let begun = Instant::now();
        file.write_all(&[b'x'; 700])?;
        file.sync_data()?;
        times.add(begun.elapsed());
    }
    Ok(times)
}

/// How long a byte takes to a peer on this machine and back.
pub(crate) async fn round_trip_times() -> anyhow::Result<Times> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let echo = tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await?;
        peer.set_nodelay(true)?;
        let mut byte = [0];
        while peer.read(&mut byte).await? == 1 {
            peer.write_all(&byte).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut times = Times::default();
    for _ in 0..1_000 {
        let begun = Instant::now();
        stream.write_all(b"x").await?;
        stream.read_exact(&mut [0]).await?;
        times.add(begun.elapsed());
    }
    drop(stream);
    echo.await??;
    Ok(times)
}

/// A pause in which a process comes to rest.
pub(crate) async fn rest(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
