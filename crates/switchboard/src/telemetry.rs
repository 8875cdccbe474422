//! The log.

use anyhow::{Context as _, anyhow};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts the log on standard error. Once in a process.
pub(crate) fn init(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.level).context("reading log.level")?;
    let log_builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Human => log_builder.try_init(),
        LogFormat::Json => log_builder.json().flatten_event(true).try_init(),
    }
    .map_err(|error| anyhow!(error))
    .context("starting the log")
}
