//! Visitors who keep the chat open and say nothing, and what they cost; some others
//! write meanwhile.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Setting;
use crate::child::Child;
use crate::figures::{Times, figure, median, note, tell};
use crate::gateway::{Gateway, Handing, apart};
use crate::machine::{Memory, cpu_seconds, load_average, memory, raise_files, rest};
use crate::sockets::Visitor;
use crate::watch::{Wanted, Watcher};

/// Visitors who write, one message a second each.
const WRITERS: u64 = 200;
/// Files of the gateway's own, beside its visitors'.
const OTHER_FILES: u64 = 500;
const DRAIN_MAX: Duration = Duration::from_mins(1);

struct Round {
    empty: Memory,
    full: Memory,
    after: Memory,
    opening_seconds: f64,
    idle_cpu: f64,
    ack_p50_ms: f64,
    ack_p99_ms: f64,
    seen_p50_ms: f64,
    seen_p99_ms: f64,
}

pub(crate) async fn run(setting: &Setting, sockets: usize, seconds: u64) -> anyhow::Result<()> {
    let files = raise_files();
    let most = files.saturating_sub(WRITERS + OTHER_FILES);
    ensure!(
        sockets as u64 <= most,
        "this system lets a process open {files} files: take --sockets {most} or fewer"
    );
    let before = load_average();
    let (apart, _copy) = apart(setting)?;
    let mut rounds = Vec::new();
    for number in 1..=setting.rounds {
        let round = round(setting, &apart, sockets, seconds).await?;
        note(&format!(
            "round {number}: {:.1} kB of PSS per visitor",
            per_visitor(&round, sockets, |memory| memory.pss_kb)
        ));
        rounds.push(round);
    }
    let of = |figure: fn(&Round) -> f64| median(&rounds, figure);
    let pss = median(&rounds, |round| {
        per_visitor(round, sockets, |memory| memory.pss_kb)
    });
    let rss = median(&rounds, |round| {
        per_visitor(round, sockets, |memory| memory.rss_kb)
    });
    let p99 = of(|round| round.seen_p99_ms);
    let load = load_average();
    tell(
        &format!(
            "chats, {sockets} idle visitors: {pss:.1} kB of PSS each; of {WRITERS} messages a \
             second meanwhile, p99 {p99:.1} ms to an operator's stream; \
             load {before:.1} to {load:.1}"
        ),
        &json!({
            "workload": "chats",
            "sockets": sockets,
            "rounds": setting.rounds,
            "pss_kb_per_visitor": figure(pss),
            "rss_kb_per_visitor": figure(rss),
            "empty_pss_mb": figure(of(|round| round.empty.pss_kb / 1_000.0)),
            "full_pss_mb": figure(of(|round| round.full.pss_kb / 1_000.0)),
            "after_close_pss_mb": figure(of(|round| round.after.pss_kb / 1_000.0)),
            "opening_per_second": figure(sockets as f64 / of(|round| round.opening_seconds)),
            "idle_cpu_share": figure(of(|round| round.idle_cpu)),
            "ack_p50_ms": figure(of(|round| round.ack_p50_ms)),
            "ack_p99_ms": figure(of(|round| round.ack_p99_ms)),
            "seen_p50_ms": figure(of(|round| round.seen_p50_ms)),
            "seen_p99_ms": figure(p99),
            "load_before": figure(before),
            "load_after": figure(load),
        }),
    )?;
    Ok(())
}

fn per_visitor(round: &Round, sockets: usize, kb: impl Fn(&Memory) -> f64) -> f64 {
    (kb(&round.full) - kb(&round.empty)) / sockets as f64
}

async fn round(
    setting: &Setting,
    apart: &Setting,
    sockets: usize,
    seconds: u64,
) -> anyhow::Result<Round> {
    let gateway = Gateway::start(apart, Handing::default())?;
    // A first one, so that what is made once is not counted among the others'.
    Visitor::open(gateway.address())
        .await?
        .say("warm-up", "Hello")
        .await?;
    rest(2).await;
    let empty = memory(gateway.id());
    let begun = Instant::now();
    let mut command = Command::new(&setting.program);
    command
        .args(["bench", "sockets"])
        .arg(gateway.address().to_string())
        .arg(sockets.to_string());
    let mut visitors = Child::start(&mut command)?;
    let open: usize = visitors
        .says("Open.")?
        .parse()
        .context("counting the chats")?;
    ensure!(open == sockets, "WRONG: {open} of {sockets} chats are open");
    let opening_seconds = begun.elapsed().as_secs_f64();
    rest(3).await;
    let full = memory(gateway.id());
    let cpu = cpu_seconds(gateway.id());
    rest(5).await;
    let idle_cpu = (cpu_seconds(gateway.id()) - cpu) / 5.0;
    let (mut acks, mut seen) = write(&gateway, seconds).await?;
    visitors.end_input();
    let gone = visitors.says("Gone.")?;
    ensure!(gone == "0", "WRONG: {gone} chats were closed");
    drop(visitors);
    rest(5).await;
    Ok(Round {
        empty,
        full,
        after: memory(gateway.id()),
        opening_seconds,
        idle_cpu,
        ack_p50_ms: acks.p50_ms(),
        ack_p99_ms: acks.p99_ms(),
        seen_p50_ms: seen.p50_ms(),
        seen_p99_ms: seen.p99_ms(),
    })
}

/// Some visitors write a message every second each. Answers how long the acks took,
/// and how long an operator's stream.
async fn write(gateway: &Gateway, seconds: u64) -> anyhow::Result<(Times, Times)> {
    let watcher = Watcher::open(&mut gateway.inbox().await?, Wanted::Message).await?;
    let writers = (0..WRITERS).map(|writer| {
        let address = gateway.address();
        async move {
            let task = tokio::spawn(async move {
                let mut visitor = Visitor::open(address).await?;
                let mut times = Times::default();
                let mut due = Vec::new();
                tokio::time::sleep(Duration::from_millis(1_000 * writer / WRITERS)).await;
                let mut ticks = interval(Duration::from_secs(1));
                ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
                for turn in 0..seconds {
                    let at = ticks.tick().await;
                    let number = writer << 24 | turn;
                    visitor
                        .say(&number.to_string(), &format!("#{number} Hello there"))
                        .await?;
                    times.add(at.elapsed());
                    due.push((number, at));
                }
                anyhow::Ok((due, times))
            });
            task.await.context("a visitor who writes")?
        }
    });
    let all = try_join_all(writers).await?;
    watcher
        .until((WRITERS * seconds) as usize, DRAIN_MAX)
        .await?;
    let (mut acks, mut seen) = (Times::default(), Times::default());
    for (due, times) in all {
        acks.extend(times);
        watcher.look(|read| {
            ensure!(
                read.twice == 0,
                "WRONG: {} messages were read twice",
                read.twice
            );
            for (number, due) in due {
                let at = read
                    .at
                    .get(&number)
                    .context("WRONG: a message was not read")?;
                seen.add(at.duration_since(due));
            }
            Ok(())
        })?;
    }
    Ok((acks, seen))
}
