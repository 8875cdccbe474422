//! `cargo xtask bench`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::peers;
use crate::report::say;
use crate::tools::cargo;

const WORKLOADS: [&str; 6] = ["ingest", "latency", "routing", "chats", "inbox", "mail"];

/// What others do, beside `routing`.
const PEERS: &str = "peers";

/// Builds the program as it is shipped, then runs one workload or all of them; each
/// prints its own results.
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
    Ok(ExitCode::from(u8::from(!all_went_well)))
}

/// Whether there is such a workload.
pub(crate) fn workload(name: &str) -> Result<String, String> {
    if name == PEERS || WORKLOADS.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(format!("there are {} and {PEERS}", WORKLOADS.join(", ")))
    }
}
