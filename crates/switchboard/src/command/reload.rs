//! `SIGHUP`: the configuration is read anew and taken whole, or not at all.

use engine::Engine;
use engine::reload::ReloadError;

use super::Source;
use crate::config::{Config, Problems};
use crate::telemetry::Level;

/// The configuration in use, and where the next one comes from.
pub(super) struct Reloads {
    config: Config,
    source: Source,
    level: Level,
}

/// Why the configuration before goes on.
enum Refused {
    Problems(Problems),
    Other(String),
}

impl Reloads {
    pub(super) fn new(config: Config, source: Source, level: Level) -> Self {
        Self {
            config,
            source,
            level,
        }
    }

    /// The configuration in use.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Goes over to what is written now, or tells why not.
    pub(super) async fn reload(&mut self, engine: &Engine) {
        const REFUSED: &str = "the configuration was not reloaded, the one before goes on";
        match self.try_reload(engine).await {
            Ok(told) => tracing::info!("the configuration was reloaded: {told}"),
            Err(Refused::Problems(problems)) => {
                tracing::error!("{REFUSED}; problems: {}", problems.iter().len());
                for problem in problems.iter() {
                    tracing::error!("{problem}");
                }
            }
            Err(Refused::Other(error)) => tracing::error!("{REFUSED}: {error}"),
        }
    }

    async fn try_reload(&mut self, engine: &Engine) -> Result<String, Refused> {
        let mut config = self.source.load().map_err(Refused::Problems)?;
        if let Some(problems) = config.against(&self.config) {
            return Err(Refused::Problems(problems));
        }
        config.keep_connections(&self.config);
        let changes = match engine.reload(config.settings.clone()).await {
            Ok(changes) => changes,
            Err(ReloadError::InUse(queues)) => {
                return Err(Refused::Problems(config.misses(&queues)));
            }
            Err(ReloadError::Store(error)) => return Err(Refused::Other(error.to_string())),
        };
        let mut told = changes.told();
        if config.log.level != self.config.log.level {
            match self.level.set(&config.log.level) {
                Ok(()) => told.push(format!("log level {:?}", config.log.level)),
                Err(error) => tracing::error!(%error, "the log keeps its level"),
            }
        }
        self.config = config;
        Ok(if told.is_empty() {
            "nothing has changed".to_owned()
        } else {
            told.join(", ")
        })
    }
}
