//! Instructions of a decision, which do not depend on who else uses the processor.

use std::io::ErrorKind;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::Setting;

/// What one run of the child has told.
struct Counted {
    instructions: f64,
    decisions: f64,
}

/// Instructions of a decision when so many of a thousand operators become free, counted
/// by Valgrind as the difference of two runs; none where there is no Valgrind.
pub(crate) fn of_a_decision(
    setting: &Setting,
    waiting: usize,
    free: u64,
) -> anyhow::Result<Option<f64>> {
    let passes = (1_000 / free).max(2);
    let few = count(setting, waiting, free, passes / 2)?;
    let many = count(setting, waiting, free, passes * 3 / 2)?;
    let (Some(few), Some(many)) = (few, many) else {
        return Ok(None);
    };
    Ok(Some(
        (many.instructions - few.instructions) / (many.decisions - few.decisions),
    ))
}

fn count(
    setting: &Setting,
    waiting: usize,
    free: u64,
    passes: u64,
) -> anyhow::Result<Option<Counted>> {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=cachegrind", "--cache-sim=no"])
        .arg("--cachegrind-out-file=/dev/null")
        .arg(&setting.program)
        .args(["bench", "settle"])
        .args([waiting as u64, free, passes].map(|number| number.to_string()));
    let output = match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        output => output.context("starting valgrind")?,
    };
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "counting instructions: {told}");
    let instructions = told
        .lines()
        .find(|line| line.contains("I ") && line.contains("refs:"))
        .and_then(|line| line.rsplit(' ').next())
        .and_then(|number| number.replace(',', "").parse().ok())
        .with_context(|| format!("valgrind counts no instructions: {told}"))?;
    let decisions = String::from_utf8_lossy(&output.stdout);
    let decisions = decisions.trim().parse().context("reading decisions")?;
    Ok(Some(Counted {
        instructions,
        decisions,
    }))
}
