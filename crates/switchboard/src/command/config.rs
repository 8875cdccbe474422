//! `switchboard config …`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::{Environment, Source, configured};
use crate::cli::ConfigCommand;
use crate::config::DEFAULTS;
use crate::out;

pub(super) fn run(
    command: ConfigCommand,
    served: Option<&Path>,
    environment: Environment,
) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check { file } => check(file.as_deref().or(served), environment),
        ConfigCommand::PrintDefault => {
            out::raw(DEFAULTS.as_bytes()).context("printing the example")?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(file: Option<&Path>, environment: Environment) -> anyhow::Result<ExitCode> {
    let name = file.map_or("the built-in demo".into(), Path::to_string_lossy);
    let source = Source {
        file: file.map(Path::to_path_buf),
        environment,
    };
    match configured(&source) {
        Ok(config) => {
            let (lines, queues) = (config.settings.lines.len(), config.settings.queues.len());
            out::line(format_args!(
                "{name}: good, lines: {lines}, queues: {queues}"
            ))
            .context("printing the result")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(code) => Ok(code),
    }
}
