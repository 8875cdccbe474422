//! The project's chores: `cargo xtask test`, `ci`, `bench`, `new-channel NAME`.

mod bench;
mod ci;
mod new_channel;
mod peers;
mod report;
mod soak;
mod test;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use report::Report;

/// The project's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Install what the tests need and this machine allows, then run all of them.
    Test,
    /// Everything that must hold before a change is taken: format, lints,
    /// dependencies, then the tests.
    Ci,
    /// Measure a release build: one workload of `switchboard bench` or of the tests, or
    /// all of them.
    Bench {
        /// Which one.
        #[arg(value_parser = bench::workload)]
        name: Option<String>,
        /// Given on to it.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Kill the gateway and cut its power, again and again, under load.
    Soak(soak::Soak),
    /// Write the folder of a new channel, its page, its lines in the registry and its
    /// section of the example.
    NewChannel {
        /// Its kind, such as sms-test: small letters, digits and -.
        name: String,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let root = root()?;
    match Cli::parse().chore {
        Chore::Test => {
            let mut report = Report::default();
            test::run(&root, &mut report)?;
            Ok(report.finish())
        }
        Chore::Ci => {
            let mut report = Report::default();
            ci::run(&root, &mut report)?;
            test::run(&root, &mut report)?;
            Ok(report.finish())
        }
        Chore::Bench { name, arguments } => bench::run(&root, name.as_deref(), &arguments),
        Chore::Soak(soak) => {
            let mut report = Report::default();
            soak::run(&root, &mut report, &soak)?;
            Ok(report.finish())
        }
        Chore::NewChannel { name } => {
            for path in new_channel::run(&root, &name)? {
                report::say(path.display());
            }
            // The formatter has its own order of modules.
            let formatted = tools::cargo(&root).args(["fmt", "-p", "channels"]).status();
            formatted.context("formatting the new files")?;
            report::say("Next: say in mod.rs what it is. It passes every test as it is.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The project that cargo was called in. Asked for at run time: a build folder may
/// be shared by several clones.
fn root() -> anyhow::Result<PathBuf> {
    let ours = tools::variable("CARGO_MANIFEST_DIR").context("call it as `cargo xtask`")?;
    let root = Path::new(&ours).parent();
    root.map(Path::to_path_buf).context("finding the project")
}
