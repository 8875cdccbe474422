//! `cargo xtask bench`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use crate::peers;
use crate::report::say;
use crate::tools::cargo;

const WORKLOADS: [&str; 6] = ["ingest", "latency", "routing", "chats", "inbox", "mail"];

/// Workloads that are scenarios of the tests, by the ends of their names.
const SCENARIOS: [(&str, &str); 2] = [
    ("platforms", "how_fast_messages_are_taken"),
    ("isolation", "how_long_others_wait"),
];

/// What others do, beside `routing`.
const PEERS: &str = "peers";

/// Builds the program as it is shipped, then runs one workload or all of them; each
/// prints its own results. Arguments are for workloads of the program itself.
pub(crate) fn run(
    root: &Path,
    name: Option<&str>,
    arguments: &[String],
) -> anyhow::Result<ExitCode> {
    if name == Some(PEERS) {
        peers::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut build = cargo(root);
    build.args(["build", "--release", "--package", "switchboard"]);
    if !build.status().context("building")?.success() {
        return Ok(ExitCode::FAILURE);
    }
    let all_went_well = WORKLOADS
        .into_iter()
        .filter(|workload| name.is_none_or(|name| name == *workload))
        .try_fold(true, |so_far, workload| {
            say(format_args!("\n=== {workload}"));
            let mut bench = cargo(root);
            bench
                .args(["run", "--release", "--quiet", "--package", "switchboard"])
                .args(["--", "bench", workload])
                .args(arguments);
            let status = bench
                .status()
                .with_context(|| format!("running {workload}"))?;
            if workload == "routing" {
                peers::run()?;
            }
            anyhow::Ok(so_far && status.success())
        })?;
    let all_went_well = SCENARIOS
        .into_iter()
        .filter(|(scenario, _)| name.is_none_or(|name| name == *scenario))
        .try_fold(all_went_well, |so_far, (scenario, test)| {
            say(format_args!("\n=== {scenario}"));
            anyhow::Ok(play(root, test)? && so_far)
        })?;
    Ok(ExitCode::from(u8::from(!all_went_well)))
}

/// Plays a scenario with the program as it is shipped.
fn play(root: &Path, test: &str) -> anyhow::Result<bool> {
    let mut scenario = cargo(root);
    // The whole workspace, as for the tests: another selection would be built anew.
    scenario
        .args(["test", "--quiet", "--workspace", "--test", "it", "--", test])
        .args(["--ignored", "--nocapture", "--test-threads=1"])
        .env("SWITCHBOARD_BIN", released("switchboard")?);
    let status = scenario.status();
    Ok(status.with_context(|| format!("playing {test}"))?.success())
}

/// A program as it is shipped, built beside where we were built.
fn released(name: &str) -> anyhow::Result<PathBuf> {
    let ours = std::env::current_exe().context("finding our own program")?;
    let target = ours.ancestors().nth(2).context("finding what was built")?;
    Ok(target.join("release").join(name))
}

/// Whether there is such a workload.
pub(crate) fn workload(name: &str) -> Result<String, String> {
    let scenarios = SCENARIOS.map(|(scenario, _)| scenario);
    let known = [&WORKLOADS[..], &scenarios, &[PEERS]].concat();
    if known.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(format!("there are {}", known.join(", ")))
    }
}
