//! What a message says: words of the operator's own, or of a template, with the answers
//! offered below.

use std::collections::BTreeSet;

use channels::Capability;
use domain::message::{Attachment, FilledTemplate};
use domain::text;

use super::super::{ActError, Actor, seen};
use super::NewMessage;
use super::way::must_be_able;
use crate::reason::Reason;
use crate::templates::Worded;
use crate::{Engine, Line};

/// Answers offered with one message, and how long each may be: what every channel with
/// buttons takes.
const BUTTONS_MAX: usize = 10;
const BUTTON_CHARS_MAX: usize = 20;

/// What a message says.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) words: String,
    /// What stands on the buttons below.
    pub(super) buttons: Vec<String>,
    /// What the words were made of.
    pub(super) template: Option<FilledTemplate>,
    /// The beginning of the media type of the file that goes with the template.
    file: Option<&'static str>,
}

impl Engine {
    /// Reads what is to be said; the provider is asked for its templates.
    pub(super) async fn said(&self, actor: &Actor, new: &NewMessage) -> Result<Said, ActError> {
        let words = text::body(&new.text, usize::MAX);
        let Some(template) = &new.template else {
            return Ok(Said {
                buttons: labels(&new.buttons, &words)?,
                words,
                ..Said::default()
            });
        };
        if !words.is_empty() || !new.buttons.is_empty() {
            return Err(invalid("template", Reason::TemplateAlone));
        }
        let (who, id) = (actor.clone(), new.conversation);
        let conversation = self.read(move |view| seen(view, &who, id)).await?;
        let line = self.line(&conversation.line).ok_or_else(|| {
            ActError::Unsupported(Reason::LineGone {
                line: conversation.line.clone(),
            })
        })?;
        let Worded {
            template,
            filled,
            text,
        } = self.worded(&line, template).await?;
        Ok(Said {
            words: text,
            buttons: template.buttons,
            template: Some(filled),
            file: template.file,
        })
    }
}

impl Said {
    /// The answers that are the message's own, and not its template's.
    pub(super) fn offered(&self) -> &[String] {
        match self.template {
            None => &self.buttons,
            Some(_) => &[],
        }
    }

    /// Refuses what the line or the template cannot carry.
    pub(super) fn must_suit(&self, line: &Line, files: &[Attachment]) -> Result<(), ActError> {
        if !self.offered().is_empty() {
            must_be_able(line, Capability::Buttons, "offer answers")?;
        }
        if self.template.is_none() {
            return Ok(());
        }
        let suits = match (self.file, files) {
            (None, []) => true,
            (Some(kind), [file]) => file.media_type.starts_with(kind),
            (None | Some(_), _) => false,
        };
        if suits {
            return Ok(());
        }
        Err(invalid(
            "upload_ids",
            Reason::TemplateFile {
                count: usize::from(self.file.is_some()),
                kind: self.file.unwrap_or_default().to_owned(),
            },
        ))
    }
}

fn labels(wanted: &[String], words: &str) -> Result<Vec<String>, ActError> {
    if wanted.len() > BUTTONS_MAX {
        let max = BUTTONS_MAX;
        return Err(invalid("buttons", Reason::TooManyButtons { max }));
    }
    if !wanted.is_empty() && words.trim().is_empty() {
        return Err(invalid("buttons", Reason::ButtonsAlone));
    }
    let mut known = BTreeSet::new();
    let mut label = |wanted: &String| {
        let label = text::line(wanted, BUTTON_CHARS_MAX + 1).trim().to_owned();
        let is_good = (1..=BUTTON_CHARS_MAX).contains(&label.chars().count());
        let max = BUTTON_CHARS_MAX;
        (is_good && known.insert(label.clone()))
            .then_some(label)
            .ok_or_else(|| invalid("buttons", Reason::Button { max }))
    };
    wanted.iter().map(&mut label).collect()
}

const fn invalid(field: &'static str, problem: Reason) -> ActError {
    ActError::Invalid { field, problem }
}
