//! `cargo xtask soak`: the tests of survival, longer than in a normal run.

use std::path::Path;

use crate::report::{Kind, Report, Runner};
use crate::tools::cargo;

/// Kills and cuts the gateway so many times.
pub(crate) fn run(
    root: &Path,
    report: &mut Report,
    kills: u64,
    power_cuts: u64,
) -> anyhow::Result<()> {
    let mut build = cargo(root);
    build.args(["build", "--workspace", "--bins", "--tests"]);
    if !report.run("build", Kind::Preparation, &mut build)? {
        return Ok(());
    }
    let soaks = [
        ("kill_loop", "SWITCHBOARD_SOAK_KILLS", kills),
        ("power_cut", "SWITCHBOARD_SOAK_POWER_CUTS", power_cuts),
    ];
    for (module, variable, times) in soaks {
        if times == 0 {
            continue;
        }
        let mut test = cargo(root);
        // The whole workspace again: another selection would be built anew.
        test.args(["test", "--workspace", "--test", "it", "--"]);
        test.args(["--nocapture", &format!("{module}::")]);
        test.env(variable, times.to_string());
        let name = format!("{module}, {times} times");
        report.run(&name, Kind::Tests(Runner::Cargo), &mut test)?;
    }
    Ok(())
}
