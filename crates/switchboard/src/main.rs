//! Switchboard: every channel a client writes by, one queue, the next free
//! operator.

mod cli;
mod command;
mod config;
mod out;
mod telemetry;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use store::faults::{self, Bug};

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let environment = environment();
    arm_faults(&environment);
    match command::run(cli, environment) {
        Ok(code) => code,
        // Whoever read our output has read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            out::problem(format_args!("switchboard: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The environment, read here and nowhere else.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Lets a test kill this process at a named point, or plant a bug that it has to
/// find. Not in a release build.
fn arm_faults(environment: &[(String, String)]) {
    if !cfg!(debug_assertions) {
        return;
    }
    for (name, value) in environment {
        match (name.as_str(), value.as_str()) {
            ("SWITCHBOARD_TEST_DIE_AT", plan) => faults::arm(plan),
            ("SWITCHBOARD_TEST_BUG", "early-ack") => faults::plant(Bug::EarlyAck),
            ("SWITCHBOARD_TEST_BUG", "lazy-sync") => faults::plant(Bug::LazySync),
            _ => {}
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .root_cause()
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
