//! What providers have approved for their lines to say. Asked for when somebody wants to
//! know, and kept for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use channels::Capability;
use domain::message::{FilledTemplate, Template};
use domain::{LineId, Millis, Timestamp, text};

use crate::act::{ActError, Actor, must_be_able};
use crate::reason::Reason;
use crate::{Engine, Line};

/// How long what a provider told is good.
const FRESH: Millis = Millis::from_secs(5 * 60);
/// How long a provider may take to tell.
const WAIT: Duration = Duration::from_secs(20);
/// Of what one variable becomes.
const VALUE_CHARS_MAX: usize = 1_024;

/// What was told of each line, and when.
#[derive(Default)]
pub(crate) struct Templates(Mutex<BTreeMap<LineId, (Timestamp, Told)>>);

type Told = Arc<Vec<Template>>;

/// A template with what the client is to read.
pub(crate) struct Worded {
    pub(crate) template: Template,
    pub(crate) filled: FilledTemplate,
    pub(crate) text: String,
}

impl Templates {
    fn known(&self, line: &LineId, since: Timestamp) -> Option<Told> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, told) = known.get(line)?;
        (*at >= since).then(|| Arc::clone(told))
    }

    fn keep(&self, line: &LineId, at: Timestamp, told: &Told) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(line.clone(), (at, Arc::clone(told)));
    }
}

impl Engine {
    /// What may be sent on a line whatever its provider's reply window.
    pub async fn templates(&self, actor: &Actor, line: &LineId) -> Result<Told, ActError> {
        actor.person()?;
        let works_there = |line: &Arc<Line>| {
            let queues = actor.queues();
            queues.is_none_or(|queues| queues.contains(&line.queue))
        };
        let line = self.line(line).filter(works_there);
        let line = line.ok_or(ActError::NotFound("line"))?;
        must_be_able(&line, Capability::Templates, "send templates")?;
        self.told(&line, Timestamp(self.now().0 - FRESH.0)).await
    }

    /// A template of a line with its gaps filled.
    pub(crate) async fn worded(
        &self,
        line: &Arc<Line>,
        wanted: &FilledTemplate,
    ) -> Result<Worded, ActError> {
        must_be_able(line, Capability::Templates, "send templates")?;
        let find = |told: Told| {
            let is_it =
                |known: &&Template| known.name == wanted.name && known.language == wanted.language;
            told.iter().find(is_it).cloned()
        };
        let now = self.now();
        let mut found = find(self.told(line, Timestamp(now.0 - FRESH.0)).await?);
        if found.is_none() {
            // It may have been approved a moment ago.
            found = find(self.told(line, now).await?);
        }
        let template = found.ok_or_else(|| {
            invalid(Reason::NoTemplate {
                name: text::line(&wanted.name, 100),
            })
        })?;
        let mut values = BTreeMap::new();
        for variable in &template.variables {
            let given = wanted.values.get(&variable.id);
            let value = text::line(given.map_or("", String::as_str), VALUE_CHARS_MAX);
            if value.trim().is_empty() {
                let variable = variable.id.clone();
                return Err(invalid(Reason::TemplateGap { variable }));
            }
            values.insert(variable.id.clone(), value);
        }
        Ok(Worded {
            text: template.filled(&values),
            filled: FilledTemplate {
                values,
                ..wanted.clone()
            },
            template,
        })
    }

    async fn told(&self, line: &Line, since: Timestamp) -> Result<Told, ActError> {
        let kept = &self.inner.templates;
        if let Some(known) = kept.known(&line.id, since) {
            return Ok(known);
        }
        let asked = tokio::time::timeout(WAIT, line.channel.templates()).await;
        let told = asked.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
        let told = told.map_err(|cause| {
            ActError::Refused(Reason::TemplatesNotTold {
                cause: text::line(&cause, 300),
            })
        })?;
        let told = Arc::new(told);
        kept.keep(&line.id, self.now(), &told);
        Ok(told)
    }
}

fn invalid(problem: Reason) -> ActError {
    ActError::Invalid {
        field: "template",
        problem,
    }
}
