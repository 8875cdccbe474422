//! Forms as fast as they are taken, beside the least that a durable answer costs.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::Setting;
use crate::child::Child;
use crate::figures::{figure, median, note, tell};
use crate::gateway::{FORM, Gateway, Handing, folder};
use crate::load::{Answered, End, Plan, check_stored, submit};
use crate::machine::{cpu_seconds, load_average, memory};
use crate::watch::{Wanted, Watcher};

/// Longer than it takes to work off what a round has taken in.
const DRAIN_MAX: Duration = Duration::from_mins(5);

/// What a round has measured.
struct Round {
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Processor seconds of the server for 1,000 answers.
    cpu: f64,
    /// The same, until an operator's stream has read of everything.
    cpu_whole: f64,
    /// The same, for 1,000 stored messages.
    cpu_stored: f64,
    /// From the last answer until an operator's stream had read of everything.
    drain_seconds: f64,
    stored: usize,
    pss_kb: f64,
}

pub(crate) async fn run(setting: &Setting, connections: usize, seconds: u64) -> anyhow::Result<()> {
    let before = load_average();
    let end = End::After(Duration::from_secs(seconds));
    let (mut limits, mut ours) = (Vec::new(), Vec::new());
    for round in 1..=setting.rounds {
        let limit = limit(setting, connections, end).await?;
        note(&format!("round {round}: limit {:.0}/s", limit.rate));
        limits.push(limit);
        let own = own(setting, connections, end).await?;
        note(&format!(
            "round {round}: switchboard {:.0}/s, {:.3} CPU-s per 1,000 to the answer, {:.3} in all",
            own.rate, own.cpu, own.cpu_whole
        ));
        ours.push(own);
    }
    let survivors = crash(setting, connections).await?;
    let of = |figure: fn(&Round) -> f64| (median(&ours, figure), median(&limits, figure));
    let (rate, limit_rate) = of(|round| round.rate);
    let (p50, limit_p50) = of(|round| round.p50_ms);
    let (p99, limit_p99) = of(|round| round.p99_ms);
    let (cpu, limit_cpu) = of(|round| round.cpu);
    let (whole, _) = of(|round| round.cpu_whole);
    let (whole_stored, _) = of(|round| round.cpu_stored);
    let (drain, _) = of(|round| round.drain_seconds);
    let (pss, _) = of(|round| round.pss_kb);
    let load = load_average();
    let rates: Vec<_> = ours.iter().map(|round| figure(round.rate)).collect();
    let limit_rates: Vec<_> = limits.iter().map(|round| figure(round.rate)).collect();
    tell(
        &format!(
            "ingest, {connections} connections: {rate:.0}/s = {:.2} of the limit's {limit_rate:.0}/s; \
             p50 {p50:.1} ms, p99 {p99:.1} ms ({:.1} times the limit's); CPU per 1,000: \
             {cpu:.3} s to the answer, {whole:.3} s to an operator's stream (limit {limit_cpu:.3} s); \
             {survivors} acknowledged before kill -9, none lost; load {before:.1} to {load:.1}",
            rate / limit_rate,
            p99 / limit_p99
        ),
        &json!({
            "workload": "ingest",
            "connections": connections,
            "seconds": seconds,
            "rounds": setting.rounds,
            "rate": figure(rate),
            "rates": rates,
            "limit_rate": figure(limit_rate),
            "limit_rates": limit_rates,
            "rate_ratio": figure(rate / limit_rate),
            "p50_ms": figure(p50),
            "p99_ms": figure(p99),
            "limit_p50_ms": figure(limit_p50),
            "limit_p99_ms": figure(limit_p99),
            "p99_ratio": figure(p99 / limit_p99),
            "cpu_s_per_1000": figure(cpu),
            "cpu_s_per_1000_whole_path": figure(whole),
            "cpu_s_per_1000_stored_whole_path": figure(whole_stored),
            "limit_cpu_s_per_1000": figure(limit_cpu),
            "drain_seconds": figure(drain),
            "pss_mb": figure(pss / 1_000.0),
            "stored": ours.iter().map(|round| round.stored).collect::<Vec<_>>(),
            "kill_acknowledged": survivors,
            "kill_lost": 0,
            "load_before": figure(before),
            "load_after": figure(load),
        }),
    )?;
    Ok(())
}

async fn limit(setting: &Setting, connections: usize, end: End) -> anyhow::Result<Round> {
    let folder = folder(setting)?;
    let mut command = Command::new(&setting.program);
    command
        .args(["bench", "ceiling"])
        .arg(folder.path().join("log"));
    let child = Child::start(&mut command)?;
    let address = child.says("Ready.")?;
    let plan = Plan {
        address: address.parse().context("reading the limit's address")?,
        path: "/",
        lines: 1,
        connections,
        end,
        may_break: false,
    };
    let before = cpu_seconds(child.id());
    let answered = submit(&plan).await?;
    let cpu = cpu_seconds(child.id()) - before;
    Ok(measured(answered, child.id(), cpu, cpu, 0.0))
}

fn measured(mut answered: Answered, pid: u32, cpu: f64, whole: f64, drain_seconds: f64) -> Round {
    let thousands = answered.count as f64 / 1_000.0;
    Round {
        rate: answered.count as f64 / answered.seconds,
        p50_ms: answered.times.p50_ms(),
        p99_ms: answered.times.p99_ms(),
        cpu: cpu / thousands,
        cpu_whole: whole / thousands,
        cpu_stored: whole / (answered.numbers.len() as f64 / 1_000.0),
        drain_seconds,
        stored: answered.numbers.len(),
        pss_kb: memory(pid).pss_kb,
    }
}

async fn own(setting: &Setting, connections: usize, end: End) -> anyhow::Result<Round> {
    let gateway = Gateway::start(setting, Handing::default())?;
    let watcher = Watcher::open(&mut gateway.inbox().await?, Wanted::Message).await?;
    let plan = Plan {
        address: gateway.address(),
        path: FORM,
        lines: 1,
        connections,
        end,
        may_break: false,
    };
    let before = cpu_seconds(gateway.id());
    let answered = submit(&plan).await?;
    let cpu = cpu_seconds(gateway.id()) - before;
    let begun = tokio::time::Instant::now();
    watcher.until(answered.numbers.len(), DRAIN_MAX).await?;
    let whole = cpu_seconds(gateway.id()) - before;
    let drain = begun.elapsed().as_secs_f64();
    let twice = watcher.look(|read| read.twice);
    if twice > 0 {
        bail!("WRONG: a stream has read of {twice} submissions twice");
    }
    check_stored(&answered, &gateway.stored().await?)?;
    Ok(measured(answered, gateway.id(), cpu, whole, drain))
}

/// Kills the gateway in the middle, starts it again, and counts who was answered
/// before: every one of them has to be there.
async fn crash(setting: &Setting, connections: usize) -> anyhow::Result<usize> {
    let mut gateway = Gateway::start(setting, Handing::default())?;
    let plan = Plan {
        address: gateway.address(),
        path: FORM,
        lines: 1,
        connections,
        end: End::After(Duration::from_mins(1)),
        may_break: true,
    };
    let load = tokio::spawn(async move { submit(&plan).await });
    tokio::time::sleep(Duration::from_secs(2)).await;
    gateway.kill()?;
    let answered = load.await??;
    gateway.start_again()?;
    let begun = tokio::time::Instant::now();
    loop {
        let result = check_stored(&answered, &gateway.stored().await?);
        match result {
            Ok(()) => return Ok(answered.numbers.len()),
            // What waits in the journal is worked off after the start.
            Err(_) if begun.elapsed() < DRAIN_MAX / 3 => {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(error) => return Err(error.context("after kill -9")),
        }
    }
}
