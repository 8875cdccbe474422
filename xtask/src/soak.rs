//! `cargo xtask soak`: the tests of survival, longer than in a normal run.

use std::path::Path;

use clap::Args;

use crate::report::{Kind, Report, Runner};
use crate::tools::cargo;

/// What is done to the gateway, and how often or long; nothing of what is 0.
#[derive(Debug, Args)]
pub(crate) struct Soak {
    /// How many kills.
    #[arg(long, default_value_t = 0)]
    kills: u64,
    /// How many kills while letters come in.
    #[arg(long, default_value_t = 0)]
    mail_kills: u64,
    /// How many power cuts.
    #[arg(long, default_value_t = 0)]
    power_cuts: u64,
    /// For how many seconds its contact directory is away, then late, then broken,
    /// while clients write.
    #[arg(long, default_value_t = 0)]
    outage_secs: u64,
}

pub(crate) fn run(root: &Path, report: &mut Report, soak: &Soak) -> anyhow::Result<()> {
    let mut build = cargo(root);
    build.args(["build", "--workspace", "--bins", "--tests"]);
    if !report.run("build", Kind::Preparation, &mut build)? {
        return Ok(());
    }
    let soaks = [
        ("kill_loop", "SWITCHBOARD_SOAK_KILLS", soak.kills),
        ("mail_kills", "SWITCHBOARD_SOAK_MAIL_KILLS", soak.mail_kills),
        ("power_cut", "SWITCHBOARD_SOAK_POWER_CUTS", soak.power_cuts),
        (
            "remote_directory",
            "SWITCHBOARD_SOAK_OUTAGE_SECS",
            soak.outage_secs,
        ),
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
        let name = format!("{module}, {times}");
        report.run(&name, Kind::Tests(Runner::Cargo), &mut test)?;
    }
    Ok(())
}
