//! Killed at any instant and started again: nothing lost, nothing doubled.

use std::time::Duration;

use e2e::real::{Crew, Findings, Gate, Life, Load, Random, Server, audit, given, set_up};
use e2e::soon;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::timeout;

/// Where the gateway can be made to die by itself.
const POINTS: [&str; 6] = [
    "before-commit",
    "after-commit",
    "before-ack",
    "after-process",
    "before-send",
    "after-send",
];

/// At which pass of a point it dies after the first time.
const PASSES: [u64; 7] = [1, 2, 3, 5, 8, 13, 21];

/// A later pass that is not come by in this time was not to be. The first one always
/// comes.
const POINT_PATIENCE: Duration = Duration::from_secs(2);

/// Kills in a normal run.
const KILLS: u64 = 50;

const CREW: Crew = Crew {
    visitors: 6,
    unanswered_max: 4,
    forms: 2,
    threads: 3,
    operators: 3,
};

/// How a life of the gateway ends.
#[derive(Debug)]
enum Death {
    /// By a signal, so long after it was ready.
    Killed(Duration),
    /// By a signal, so long after it was started, ready or not.
    KilledEarly(Duration),
    /// By itself, at a named point.
    AtPoint(String),
}

fn deaths(kills: u64, random: &mut Random) -> Vec<Death> {
    let millis = |random: &mut Random, max| Duration::from_millis(random.below(max));
    let first = POINTS.iter().map(|point| (point, Some(1)));
    let later = POINTS.iter().cycle().map(|point| (point, None));
    let mut points = first.chain(later);
    let mut deaths = Vec::new();
    for number in 0..kills {
        deaths.push(match number % 5 {
            0 | 2 => {
                let (point, pass) = points.next().unwrap();
                let pass = pass.unwrap_or_else(|| *random.choose(&PASSES));
                Death::AtPoint(format!("{point}:{pass}"))
            }
            1 if random.once_in(3) => Death::KilledEarly(millis(random, 150)),
            _ => Death::Killed(millis(random, 300)),
        });
    }
    deaths
}

struct Run {
    findings: Findings,
    recoveries: Vec<Duration>,
    by_itself: Vec<String>,
    took: Duration,
}

async fn run(deaths: Vec<Death>, crew: Crew, bug: Option<&str>, random: &mut Random) -> Run {
    let folder = TempDir::new().unwrap();
    let begun = tokio::time::Instant::now();
    let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
    let tokens = set_up(&mut server, crew).await;
    let gate = Gate::default();
    let mut load = Load::begin(&server.url, &gate, tokens, crew, random);
    let planted = bug.map(|bug| ("SWITCHBOARD_TEST_BUG", bug));
    let environment: Vec<_> = planted.into_iter().collect();
    let mut run = Run {
        findings: Findings::default(),
        recoveries: Vec::new(),
        by_itself: Vec::new(),
        took: Duration::ZERO,
    };
    for death in deaths {
        match death {
            Death::KilledEarly(after) => {
                server.spawn(&environment);
                tokio::time::sleep(after).await;
                server.kill().await;
            }
            Death::Killed(after) => {
                run.recoveries.push(ready(&mut server, &environment).await);
                gate.open();
                tokio::time::sleep(after).await;
                server.kill().await;
            }
            Death::AtPoint(plan) => {
                let armed = [&environment[..], &[("SWITCHBOARD_TEST_DIE_AT", &plan)]].concat();
                // A point may come before it is ready.
                if let Life::Ready(..) = server.start(&armed).await {
                    gate.open();
                    if plan.ends_with(":1") {
                        soon(&plan, server.ended()).await;
                    } else if timeout(POINT_PATIENCE, server.ended()).await.is_err() {
                        server.kill().await;
                        continue;
                    }
                }
                run.by_itself.push(plan);
            }
        }
    }
    run.recoveries.push(ready(&mut server, &[]).await);
    gate.open();
    load.drain().await;
    run.findings = audit(&server, &mut load).await;
    server.stop().await;
    run.took = begun.elapsed();
    run
}

async fn ready(server: &mut Server, environment: &[(&str, &str)]) -> Duration {
    match server.start(environment).await {
        Life::Ready(took, _) => took,
        Life::Died => panic!("it does not start again:\n{}", server.said()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_instant_nothing_is_lost_or_doubled() {
    let (seed, mut random) = Random::seeded();
    let kills = given("SWITCHBOARD_SOAK_KILLS").unwrap_or(KILLS);
    let deaths = deaths(kills, &mut random);
    let mut run = run(deaths, CREW, None, &mut random).await;
    run.recoveries.sort();
    let p99 = run.recoveries[(run.recoveries.len() - 1) * 99 / 100];
    run.by_itself.sort();
    run.by_itself.dedup();
    println!(
        "{}",
        json!({
            "test": "kill_loop",
            "seed": seed,
            "kills": kills,
            "points": run.by_itself,
            "findings": run.findings,
            "recovery_ms_p99": p99.as_millis(),
            "took_s": run.took.as_secs(),
        })
    );
    assert!(run.findings.is_clean(), "{:?}", run.findings);
    assert!(run.findings.acked > 0);
    if kills >= KILLS {
        assert!(run.findings.replies > 0);
        for point in POINTS {
            let mut came_by = run.by_itself.iter();
            assert!(came_by.any(|plan| plan.starts_with(point)), "{point}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ack_before_the_commit_is_found_out() {
    let (seed, mut random) = Random::seeded();
    let crew = Crew {
        visitors: 3,
        forms: 1,
        operators: 0,
        threads: 0,
        ..CREW
    };
    // By a signal only: a point behind the ack might not be come by, and a gateway that
    // acknowledges at once is handed more in seconds than it works off in a minute.
    let deaths = (0..8).map(|_| Death::Killed(Duration::from_millis(random.below(300))));
    let run = run(deaths.collect(), crew, Some("early-ack"), &mut random).await;
    println!(
        "{}",
        json!({"test": "kill_loop_control", "seed": seed, "findings": run.findings})
    );
    assert!(run.findings.lost > 0, "{:?}", run.findings);
}
