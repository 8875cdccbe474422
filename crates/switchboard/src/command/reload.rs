//! `SIGHUP`: the configuration is read anew and taken whole, or not at all.

use std::fmt::Display;

use engine::Engine;
use engine::reload::{Changes, Difference, ReloadError};

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
        let mut told = told(&changes);
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

fn told(changes: &Changes) -> Vec<String> {
    let mut told = of("line", &changes.lines);
    told.extend(of("queue", &changes.queues));
    if changes.capacity {
        told.push("capacity changed".to_owned());
    }
    for (line, count) in &changes.unsent {
        told.push(format!("{count} answers of \"{line}\" still go out"));
    }
    told
}

fn of<T: Display>(what: &str, difference: &Difference<T>) -> Vec<String> {
    let changes = [
        ("added", &difference.added),
        ("changed", &difference.changed),
        ("removed", &difference.removed),
    ];
    let each = changes
        .iter()
        .flat_map(|(how, ids)| ids.iter().map(move |id| format!("{what} \"{id}\" {how}")));
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_by_its_name() {
        let changes = Changes {
            lines: Difference {
                added: vec!["shop".into()],
                changed: Vec::new(),
                removed: vec!["site".into()],
            },
            queues: Difference {
                changed: vec!["main".into()],
                ..Difference::default()
            },
            capacity: true,
            unsent: vec![("site".into(), 2)],
        };
        assert_eq!(
            told(&changes).join(", "),
            "line \"shop\" added, line \"site\" removed, queue \"main\" changed, \
             capacity changed, 2 answers of \"site\" still go out"
        );
    }
}
