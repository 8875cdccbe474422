//! Forms at a steady rate: from the moment that each was due to the moment that the
//! operator who gets it has read of it.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures::future::try_join_all;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::Setting;
use crate::dice::body;
use crate::figures::{Times, figure, median, note, tell};
use crate::gateway::{FORM, Gateway, Handing};
use crate::http1::Connection;
use crate::machine::{cpu_seconds, load_average, round_trip_times, sync_times};
use crate::operators::{Operator, sign_up};

/// Connections that submit in turn: one that waits for its answer holds up nobody.
const CONNECTIONS: usize = 64;
const DRAIN_MAX: Duration = Duration::from_mins(1);

struct Round {
    p50_ms: f64,
    p99_ms: f64,
    ack_p50_ms: f64,
    ack_p99_ms: f64,
    limit_p50_ms: f64,
    limit_p99_ms: f64,
    cpu: f64,
}

pub(crate) async fn run(
    setting: &Setting,
    rate: u32,
    operators: usize,
    seconds: u64,
) -> anyhow::Result<()> {
    let before = load_average();
    let mut rounds = Vec::new();
    for number in 1..=setting.rounds {
        let round = round(setting, rate, operators, seconds).await?;
        note(&format!(
            "round {number}: p50 {:.2} ms, p99 {:.2} ms",
            round.p50_ms, round.p99_ms
        ));
        rounds.push(round);
    }
    let of = |figure: fn(&Round) -> f64| median(&rounds, figure);
    let (p50, p99) = (of(|round| round.p50_ms), of(|round| round.p99_ms));
    let limit = of(|round| round.limit_p50_ms);
    let load = load_average();
    tell(
        &format!(
            "latency, {rate}/s, {operators} operators: p50 {p50:.2} ms = {:.1} times the limit's \
             {limit:.2} ms, p99 {p99:.1} ms; each read once by the operator who got it; \
             load {before:.1} to {load:.1}",
            p50 / limit
        ),
        &json!({
            "workload": "latency",
            "rate": rate,
            "operators": operators,
            "seconds": seconds,
            "rounds": setting.rounds,
            "p50_ms": figure(p50),
            "p99_ms": figure(p99),
            "p50_ms_rounds": rounds.iter().map(|round| figure(round.p50_ms)).collect::<Vec<_>>(),
            "p99_ms_rounds": rounds.iter().map(|round| figure(round.p99_ms)).collect::<Vec<_>>(),
            "ack_p50_ms": figure(of(|round| round.ack_p50_ms)),
            "ack_p99_ms": figure(of(|round| round.ack_p99_ms)),
            "limit_p50_ms": figure(limit),
            "limit_p99_ms": figure(of(|round| round.limit_p99_ms)),
            "p50_ratio": figure(p50 / limit),
            "cpu_s_per_1000": figure(of(|round| round.cpu)),
            "load_before": figure(before),
            "load_after": figure(load),
        }),
    )?;
    Ok(())
}

async fn round(
    setting: &Setting,
    rate: u32,
    operators: usize,
    seconds: u64,
) -> anyhow::Result<Round> {
    let handing = Handing {
        assign: "direct",
        form_cost: 1,
        queues: 1,
    };
    let count = u64::from(rate) * seconds;
    if count > operators as u64 * 100 {
        bail!("an operator takes 100: take more operators, or less seconds or rate");
    }
    let gateway = Gateway::start(setting, handing)?;
    let (mut sync, mut trip) = (sync_times(gateway.folder())?, round_trip_times().await?);
    let operators = sign_up(&gateway, operators).await?;
    try_join_all(operators.iter().map(Operator::ready)).await?;
    let cpu = cpu_seconds(gateway.id());
    let (due, mut acks) = submit_steadily(&gateway, rate, count).await?;
    everybody_has_read(&operators, &due).await?;
    let cpu = cpu_seconds(gateway.id()) - cpu;
    let mut times = Times::default();
    for operator in &operators {
        operator.watcher.look(|read| {
            for (number, due) in &due {
                if let Some(at) = read.at.get(number) {
                    times.add(at.duration_since(*due));
                }
            }
        });
    }
    Ok(Round {
        p50_ms: times.p50_ms(),
        p99_ms: times.p99_ms(),
        ack_p50_ms: acks.p50_ms(),
        ack_p99_ms: acks.p99_ms(),
        limit_p50_ms: sync.p50_ms() + 2.0 * trip.p50_ms(),
        limit_p99_ms: sync.p99_ms() + 2.0 * trip.p99_ms(),
        cpu: cpu / (count as f64 / 1_000.0),
    })
}

/// Submits at a rate, whatever the answers take. Answers when each was due.
async fn submit_steadily(
    gateway: &Gateway,
    rate: u32,
    count: u64,
) -> anyhow::Result<(Vec<(u64, Instant)>, Times)> {
    let pause = Duration::from_secs(1) * u32::try_from(CONNECTIONS)? / rate;
    let begun = Instant::now();
    let lanes = (0..CONNECTIONS as u64).map(|lane| {
        let address = gateway.address();
        async move {
            let lane = tokio::spawn(async move {
                let mut connection = Connection::open(address).await?;
                let mut times = Times::default();
                let mut due = Vec::new();
                let first =
                    begun + Duration::from_millis(100) + pause * lane as u32 / CONNECTIONS as u32;
                tokio::time::sleep_until(first).await;
                let mut ticks = interval(pause);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
                for number in (lane..count).step_by(CONNECTIONS) {
                    let at = ticks.tick().await;
                    let status = connection.post(FORM, &body(number)).await?;
                    if !(200..300).contains(&status) {
                        bail!("a submission was answered with {status}");
                    }
                    times.add(at.elapsed());
                    due.push((number, at));
                }
                Ok((due, times))
            });
            lane.await.context("a lane of the load")?
        }
    });
    let mut all = (Vec::new(), Times::default());
    for (due, times) in try_join_all(lanes).await? {
        all.0.extend(due);
        all.1.extend(times);
    }
    Ok(all)
}

/// Each has to be with one operator, who has read of it once.
async fn everybody_has_read(operators: &[Operator], due: &[(u64, Instant)]) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let mut readers: HashMap<u64, usize> = HashMap::new();
        for operator in operators {
            operator.watcher.look(|read| {
                for (number, _) in due {
                    if read.at.contains_key(number) {
                        *readers.entry(*number).or_default() += 1;
                    }
                }
            });
        }
        if let Some((number, _)) = due
            .iter()
            .find(|(number, _)| readers.get(number) > Some(&1))
        {
            bail!("WRONG: submission {number} became two operators'");
        }
        if readers.len() == due.len() {
            return Ok(());
        }
        if begun.elapsed() > DRAIN_MAX {
            bail!(
                "WRONG: {} of {} submissions reached an operator",
                readers.len(),
                due.len()
            );
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
