//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use channels::registry::KINDS;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use store::AuditSeal;

use crate::command::whatif::{Load, Moment, Operators};

/// Every channel a client writes by, one queue, the next free operator.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version)]
pub(crate) struct Cli {
    /// What to do; without it: serve.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// The configuration; without it: a demo in ./data.
    #[arg(long, global = true, env = "SWITCHBOARD_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway.
    Serve,
    /// Check a configuration or print the example.
    Config(ConfigArgs),
    /// Convert raw provider payloads to one line of JSON per event.
    Normalize(NormalizeArgs),
    /// Manage the people who answer.
    Operator {
        /// What to do.
        #[command(subcommand)]
        command: OperatorCommand,
    },
    /// Manage the keys of programs.
    Token {
        /// What to do.
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Take contacts in and give them out.
    Contacts {
        /// What to do.
        #[command(subcommand)]
        command: ContactsCommand,
    },
    /// See and repeat what could not be processed.
    DeadLetters {
        /// What to do.
        #[command(subcommand)]
        command: DeadLettersCommand,
    },
    /// See outgoing webhooks, try them and begin again.
    Webhooks {
        /// What to do.
        #[command(subcommand)]
        command: WebhooksCommand,
    },
    /// Check somebody's service against the contract.
    Conformance {
        /// What to check.
        #[command(subcommand)]
        command: ConformanceCommand,
    },
    /// Try every configured line and service for real.
    Doctor(DoctorArgs),
    /// Copy a consistent state of the store to a new file, while it is used.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Put a backup in the place of the store; the gateway must be stopped.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// Replay a recorded period, or a load that is made up, under another configuration
    /// or with other people, and compare. Changes nothing.
    Whatif(WhatifArgs),
    /// Measure a gateway of its own on this machine, and the limits beside it.
    Bench(BenchArgs),
    /// Print what makes a shell complete our commands.
    Completions(CompletionsArgs),
    /// Print the manual page.
    Man,
}

/// `conformance …`
#[derive(Debug, Subcommand)]
pub(crate) enum ConformanceCommand {
    /// Check a contact directory: a line per case, exit 1 if any fails. It makes some
    /// hundred contacts there: check a directory that may have them.
    Contacts {
        /// Where it listens, `http://…` or `https://…`.
        #[arg(long, value_name = "URL")]
        endpoint: String,
        /// Sent as a bearer token.
        #[arg(long, env = "SWITCHBOARD_CONFORMANCE_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
}

/// What a person may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoleName {
    /// Answers clients of their queues.
    Operator,
    /// Sees and moves everything.
    Supervisor,
    /// Also manages people, tokens and lines.
    Admin,
}

/// `operator …`
#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Make an operator; the password comes on standard input.
    Add {
        /// The name to sign in by.
        login: String,
        /// The name to show; without it: the login.
        #[arg(long)]
        name: Option<String>,
        /// Rights.
        #[arg(long, value_enum, default_value = "operator")]
        role: RoleName,
        /// A queue, as `main`; with the operator's order of queues `main:2`; with the
        /// queue's order of operators, too, `main:2:1`. Lower is first. Repeatable.
        #[arg(long = "queue", value_name = "QUEUE[:RANK[:POSITION]]")]
        queues: Vec<String>,
        /// What they can do, such as `billing` or `lang:ru`; repeatable.
        #[arg(long = "skill", value_name = "SKILL")]
        skills: Vec<String>,
        /// How much they carry at once, in units; a call takes 100.
        #[arg(long, value_parser = clap::value_parser!(i32).range(1..=10_000))]
        capacity: Option<i32>,
    },
    /// Change somebody; what is not given stays.
    Change {
        /// The login.
        login: String,
        /// What is to be other.
        #[command(flatten)]
        change: OperatorChange,
    },
    /// List everybody: login, presence, role, queues, skills, name.
    List,
    /// Let somebody sign in no more.
    Disable {
        /// The login.
        login: String,
    },
    /// Set a password, which comes on standard input, and end the sessions.
    Password {
        /// The login.
        login: String,
    },
}

/// `operator change …`
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct OperatorChange {
    /// The name to show.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Rights.
    #[arg(long, value_enum)]
    pub(crate) role: Option<RoleName>,
    /// A queue, as with `add`; repeatable. Those that are given are all they have.
    #[arg(long = "queue", value_name = "QUEUE[:RANK[:POSITION]]")]
    pub(crate) queues: Vec<String>,
    /// No queue at all.
    #[arg(long, conflicts_with = "queues")]
    pub(crate) no_queues: bool,
    /// What they can do; repeatable. Those that are given are all they have.
    #[arg(long = "skill", value_name = "SKILL")]
    pub(crate) skills: Vec<String>,
    /// No skill at all.
    #[arg(long, conflicts_with = "skills")]
    pub(crate) no_skills: bool,
    /// How much they carry at once, in units; a call takes 100.
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub(crate) capacity: Option<i32>,
}

/// `token …`
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a key and print it, this once.
    Create {
        /// What it is for.
        name: String,
        /// Rights.
        #[arg(long, value_enum, default_value = "operator")]
        role: RoleName,
        /// The login of the operator it acts as.
        #[arg(long, value_name = "LOGIN")]
        operator: Option<String>,
        /// A line it may bridge; repeatable.
        #[arg(long = "line", value_name = "LINE")]
        lines: Vec<String>,
    },
    /// List every key.
    List,
    /// End a key.
    Revoke {
        /// Its id, from the list.
        id: String,
    },
}

/// `contacts …`
#[derive(Debug, Subcommand)]
pub(crate) enum ContactsCommand {
    /// Take contacts in from a CSV or vCard file.
    Import {
        /// The file: `.csv` with a line of names, or `.vcf`.
        file: PathBuf,
        /// Check every row and write nothing.
        #[arg(long)]
        dry_run: bool,
        /// The region of phones without a country code.
        #[arg(long, default_value = "RU", value_name = "REGION")]
        region: String,
        /// Trust the addresses as your own records; without it they are claims, which
        /// match nobody.
        #[arg(long)]
        trusted: bool,
        /// Go on after this row, as an interrupted import told.
        #[arg(long, default_value_t = 0, value_name = "ROW")]
        after: u64,
    },
    /// Give every contact out, as CSV.
    Export {
        /// The file; without it: standard output.
        file: Option<PathBuf>,
    },
}

/// `doctor …`
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// A seal of the audit log that was kept elsewhere, as an earlier run printed it:
    /// whether the log is still the one that it was put on.
    #[arg(long, value_name = "SEAL")]
    pub(crate) audit_seal: Option<AuditSeal>,
}

/// `webhooks …`
#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// List them and how they do.
    List,
    /// Send an event of no meaning to one.
    Test {
        /// Its id.
        id: String,
    },
    /// Deliver to one again, at once, with the event that failed.
    Resume {
        /// Its id.
        id: String,
        /// Leave the event out that failed.
        #[arg(long, conflicts_with = "from_now")]
        skip: bool,
        /// Leave out everything so far.
        #[arg(long)]
        from_now: bool,
    },
}

/// `dead-letters …`
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// List what could not be processed, the newest first.
    List,
    /// Print one as it came.
    Show {
        /// Its id, from the list.
        id: String,
    },
    /// Try one again.
    Replay {
        /// Its id, from the list.
        id: String,
    },
}

/// `config …`
#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// `config …`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Tell everything that is wrong with a configuration; exit 2 if anything is.
    Check {
        /// The file; without it: the one that would be served.
        file: Option<PathBuf>,
    },
    /// Print the documented example, which holds the defaults.
    PrintDefault,
}

/// `normalize …`
#[derive(Args, Debug)]
pub(crate) struct NormalizeArgs {
    /// The kind of channel.
    #[arg(value_parser = PossibleValuesParser::new(
        KINDS.iter().map(|kind| kind.descriptor.kind),
    ))]
    pub(crate) kind: String,
    /// Files of one payload each; without any: one payload on standard input.
    pub(crate) files: Vec<PathBuf>,
    /// The line to name in the events; without it: the kind.
    #[arg(long, value_name = "ID")]
    pub(crate) line: Option<String>,
}

/// `bench …`
#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// What to measure.
    #[command(subcommand)]
    pub(crate) command: BenchCommand,
    /// A temporary folder is made in this one, whose disk is measured; without it: the
    /// system's folder for such.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Rounds; the medians of them are told.
    #[arg(long, global = true, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    pub(crate) rounds: u8,
}

/// `bench …`
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Take forms in as fast as they come, beside the least that a durable answer costs.
    Ingest {
        /// Connections that submit at once.
        #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
        connections: u16,
        /// How long a round takes.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
    },
    /// From a form at a steady rate to the stream of the operator who gets it.
    Latency {
        /// Forms in a second.
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        rate: u32,
        /// Operators who listen; each takes a hundred forms.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        operators: u16,
        /// How long a round takes.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
    },
    /// Match what waits with who is free, in memory and in the store.
    Routing {
        /// Operators in memory.
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        operators: u32,
    },
    /// What an idle visitor of a site costs.
    Chats {
        /// Visitors.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=25_000))]
        sockets: u32,
        /// How long some others write.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
    },
    /// An empty start, a large inbox, and the start after a crash.
    Inbox {
        /// Conversations in it.
        #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(200..=10_000_000))]
        conversations: u32,
    },
    /// Take a mailbox in, beside a client that only reads it; needs Dovecot.
    Mail {
        /// Letters in it; in another one are twice as many.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
        letters: u32,
    },
    /// The limit of `ingest`.
    #[command(hide = true)]
    Ceiling {
        /// The file to append to.
        file: PathBuf,
    },
    /// `routing` in memory, for a count of its instructions.
    #[command(hide = true)]
    Settle {
        /// How many wait.
        waiting: u32,
        /// How many of a thousand operators become free in a pass.
        free: u64,
        /// How often.
        passes: u32,
    },
    /// The visitors of `chats`.
    #[command(hide = true)]
    Sockets {
        /// The gateway.
        address: SocketAddr,
        /// How many.
        count: u32,
    },
}

/// `whatif …`
#[derive(Args, Debug)]
pub(crate) struct WhatifArgs {
    /// The beginning, such as 2026-03-02 or 2026-03-02T09:00:00Z; without it: that of the
    /// event log, which is kept for 14 days.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Moment>,
    /// The end; without it: that of the event log.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<Moment>,
    /// The other configuration; without it: the same one.
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Option<PathBuf>,
    /// So many operators of a queue more or fewer, such as `+2:main`; repeatable.
    #[arg(long, value_name = "±N:QUEUE", allow_hyphen_values = true)]
    pub(crate) operators: Vec<Operators>,
    /// Runs, each with other things drawn: the intervals are made of them.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) seeds: u16,
    /// Draw the waits and the service level by the hour into this SVG file.
    #[arg(long, value_name = "FILE")]
    pub(crate) chart: Option<PathBuf>,
    /// A load that is made up instead of the event log, such as
    /// `arrivals-per-hour=200,aht=180,patience=90,operators=14,hours=8`; times in seconds.
    #[arg(long, value_name = "LOAD", conflicts_with_all = ["from", "to"])]
    pub(crate) synthetic: Option<Load>,
}

/// `completions …`
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }
}
