//! The commands, a file each.

mod admin;
mod backup;
mod bench;
mod completions;
mod config;
mod conformance;
mod contacts;
mod dead_letters;
mod doctor;
mod man;
mod normalize;
mod people;
mod reload;
mod serve;
mod webhooks;
pub(crate) mod whatif;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::config::{Config, Problems, load};
use crate::out;

/// The environment, read once.
pub(crate) type Environment = Vec<(String, String)>;

/// What a command ends with when what it was given is wrong.
const WRONG_INPUT: u8 = 2;

/// Does what was typed.
pub(crate) fn run(cli: Cli, environment: Environment) -> anyhow::Result<ExitCode> {
    let file = cli.config.as_deref();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the second match has them all"
    )]
    let command = match cli.command.unwrap_or(Command::Serve) {
        Command::Config(args) => return config::run(args.command, file, environment),
        Command::Normalize(args) => return normalize::run(&args),
        Command::Conformance { command } => return conformance::run(command),
        Command::Completions(args) => return completions::run(args.shell),
        Command::Man => return man::run(),
        Command::Bench(args) => return bench::run(args),
        command => command,
    };
    let source = Source {
        file: file.map(Path::to_path_buf),
        environment,
    };
    let config = match configured(&source) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    match command {
        Command::Operator { command } => people::operator(config, command),
        Command::Token { command } => people::token(config, command),
        Command::Contacts { command } => contacts::run(config, command),
        Command::DeadLetters { command } => dead_letters::run(config, command),
        Command::Webhooks { command } => webhooks::run(config, command),
        Command::Doctor(args) => doctor::run(config, &args),
        Command::Backup { file } => backup::backup(&config, &file),
        Command::Whatif(args) => whatif::run(&config, &source, &args),
        Command::Restore { file } => backup::restore(&config, &file),
        Command::Serve
        | Command::Config(_)
        | Command::Normalize(_)
        | Command::Conformance { .. }
        | Command::Completions(_)
        | Command::Man
        | Command::Bench(_) => serve::run(config, source),
    }
}

/// Where the configuration comes from.
struct Source {
    file: Option<PathBuf>,
    environment: Environment,
}

impl Source {
    fn load(&self) -> Result<Config, Problems> {
        load(self.file.as_deref(), self.environment.iter().cloned())
    }
}

/// The configuration, or every problem told.
fn configured(source: &Source) -> Result<Config, ExitCode> {
    source.load().map_err(|problems| {
        out::problem(problems);
        ExitCode::from(WRONG_INPUT)
    })
}
