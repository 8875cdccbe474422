//! The log.

use anyhow::{Context as _, anyhow};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::reload::Handle;

use crate::config::{Log, LogFormat};

/// What is logged, to be changed while the gateway runs.
pub(crate) struct Level(Box<dyn Fn(EnvFilter) -> anyhow::Result<()> + Send>);

impl Level {
    fn of<S: 'static>(handle: Handle<EnvFilter, S>) -> Self {
        Self(Box::new(move |filter| Ok(handle.reload(filter)?)))
    }

    /// Logs by another level from now on.
    pub(crate) fn set(&self, level: &str) -> anyhow::Result<()> {
        self.0(filter(level)?)
    }
}

/// Starts the log on standard error. Once in a process.
pub(crate) fn init(log: &Log) -> anyhow::Result<Level> {
    let filter = filter(&log.level)?;
    let log_builder = tracing_subscriber::fmt().with_writer(std::io::stderr);
    let (level, begun) = match log.format {
        LogFormat::Human => {
            let log_builder = log_builder.with_env_filter(filter).with_filter_reloading();
            (
                Level::of(log_builder.reload_handle()),
                log_builder.try_init(),
            )
        }
        LogFormat::Json => {
            let log_builder = log_builder.json().flatten_event(true);
            let log_builder = log_builder.with_env_filter(filter).with_filter_reloading();
            (
                Level::of(log_builder.reload_handle()),
                log_builder.try_init(),
            )
        }
    };
    begun
        .map_err(|error| anyhow!(error))
        .context("starting the log")?;
    Ok(level)
}

/// Libraries that log what they send and receive when they are asked for everything:
/// passwords and letters. Nobody asks them.
const TALKATIVE: [&str; 1] = ["async_imap=warn"];

fn filter(level: &str) -> anyhow::Result<EnvFilter> {
    let mut filter = EnvFilter::try_new(level).context("reading log.level")?;
    for directive in TALKATIVE {
        let directive = directive.parse().context("quieting a library")?;
        filter = filter.add_directive(directive);
    }
    Ok(filter)
}
