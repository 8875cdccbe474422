//! The load generator: workloads against a gateway of its own, each with its limit
//! measured beside it in the same run, and with its correctness checked. A fast run
//! that is wrong is an error.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures for people, far below what the types hold"
)]

mod book;
mod ceiling;
mod chats;
mod child;
mod dice;
mod drain;
mod figures;
mod gateway;
mod http1;
mod inbox;
mod ingest;
mod instructions;
mod latency;
mod load;
mod machine;
mod mail;
mod matching;
mod operators;
mod routing;
mod sockets;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

/// Where and how often a workload runs.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The gateway's program, which is also the one that limits are measured by.
    pub program: PathBuf,
    /// A temporary folder is made in this one: its disk is what is measured.
    pub folder: PathBuf,
    /// Rounds; the medians of them are told.
    pub rounds: usize,
}

/// What to do.
#[derive(Clone, Debug)]
pub enum Workload {
    /// Forms are submitted as fast as they are taken.
    Ingest {
        /// Connections that submit at once.
        connections: usize,
        /// How long a round takes.
        seconds: u64,
    },
    /// Forms are submitted at a steady rate while operators listen.
    Latency {
        /// Forms in a second.
        rate: u32,
        /// Operators who listen.
        operators: usize,
        /// How long a round takes.
        seconds: u64,
    },
    /// What waits is matched with who is free, in memory and durably.
    Routing {
        /// Operators in memory.
        operators: usize,
    },
    /// Visitors keep the chat open and say nothing.
    Chats {
        /// How many.
        sockets: usize,
        /// How long some others write.
        seconds: u64,
    },
    /// A large inbox is read, and the gateway restarted on it.
    Inbox {
        /// How large.
        conversations: usize,
    },
    /// A mailbox is taken in, and one with twice as many letters.
    Mail {
        /// How many letters.
        letters: usize,
    },
    /// The child of `Ingest` that is its limit.
    Ceiling {
        /// The file to append to.
        file: PathBuf,
    },
    /// `Routing` in memory, for a count of its instructions.
    Settle {
        /// How many wait.
        waiting: usize,
        /// How many of a thousand operators become free in a pass.
        free: u64,
        /// How often.
        passes: u32,
    },
    /// The child of `Chats` that is its visitors.
    Sockets {
        /// The gateway.
        address: SocketAddr,
        /// How many.
        count: usize,
    },
}

/// Runs a workload and prints what it measured: a line for people and one of JSON.
pub fn run(setting: &Setting, workload: Workload) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        tokio::select! {
            result = begin(setting, workload) => result,
            // What is dropped ends its children and removes its folder.
            stop = stopped() => stop.and_then(|()| anyhow::bail!("interrupted")),
        }
    })
}

async fn stopped() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut hang_up = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

async fn begin(setting: &Setting, workload: Workload) -> anyhow::Result<()> {
    if machine::is_in_memory(&setting.folder) {
        figures::note(&format!(
            "{} is in memory: take --folder on the disk to be measured",
            setting.folder.display()
        ));
    }
    match workload {
        Workload::Ingest {
            connections,
            seconds,
        } => ingest::run(setting, connections, seconds).await,
        Workload::Latency {
            rate,
            operators,
            seconds,
        } => latency::run(setting, rate, operators, seconds).await,
        Workload::Routing { operators } => routing::run(setting, operators).await,
        Workload::Chats { sockets, seconds } => chats::run(setting, sockets, seconds).await,
        Workload::Inbox { conversations } => inbox::run(setting, conversations).await,
        Workload::Mail { letters } => mail::run(setting, letters).await,
        Workload::Ceiling { file } => ceiling::serve(&file).await,
        Workload::Settle {
            waiting,
            free,
            passes,
        } => routing::settle(waiting, free, passes),
        Workload::Sockets { address, count } => sockets::hold(address, count).await,
    }
}
