//! `switchboard bench`

use std::process::ExitCode;

use anyhow::Context as _;
use bench::{Setting, Workload};

use crate::cli::{BenchArgs, BenchCommand};

pub(super) fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let setting = Setting {
        program: std::env::current_exe().context("finding this program")?,
        folder: args.folder.unwrap_or_else(std::env::temp_dir),
        rounds: args.rounds.into(),
    };
    bench::run(&setting, workload(args.command))?;
    Ok(ExitCode::SUCCESS)
}

fn workload(command: BenchCommand) -> Workload {
    match command {
        BenchCommand::Ingest {
            connections,
            seconds,
        } => Workload::Ingest {
            connections: connections.into(),
            seconds,
        },
        BenchCommand::Latency {
            rate,
            operators,
            seconds,
        } => Workload::Latency {
            rate,
            operators: operators.into(),
            seconds,
        },
        BenchCommand::Routing { operators } => Workload::Routing {
            operators: count(operators),
        },
        BenchCommand::Chats { sockets, seconds } => Workload::Chats {
            sockets: count(sockets),
            seconds,
        },
        BenchCommand::Inbox { conversations } => Workload::Inbox {
            conversations: count(conversations),
        },
        BenchCommand::Mail { letters } => Workload::Mail {
            letters: count(letters),
        },
        BenchCommand::Ceiling { file } => Workload::Ceiling { file },
        BenchCommand::Settle {
            waiting,
            free,
            passes,
        } => Workload::Settle {
            waiting: count(waiting),
            free,
            passes,
        },
        BenchCommand::Sockets { address, count } => Workload::Sockets {
            address,
            count: self::count(count),
        },
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
