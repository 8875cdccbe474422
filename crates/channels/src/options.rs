//! Reads a line's own keys, collecting everything that is wrong with them.

use toml::{Table, Value};

use crate::{ConfigProblem, LineSetup};

/// A line's keys, those left that nobody asked for yet.
pub(crate) struct Options {
    rest: Table,
    problems: Vec<ConfigProblem>,
}

impl Options {
    pub(crate) fn of(setup: &LineSetup) -> Self {
        Self {
            rest: setup.options.clone(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.take(key, "a text in quotes", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    pub(crate) fn flag(&mut self, key: &str) -> bool {
        self.take(key, "true or false", Value::as_bool)
            .unwrap_or(false)
    }

    pub(crate) fn flag_or(&mut self, key: &str, default: bool) -> bool {
        self.take(key, "true or false", Value::as_bool)
            .unwrap_or(default)
    }

    /// A number of at least one and at most `max`, which is also the default.
    pub(crate) fn at_most(&mut self, key: &str, max: u64) -> u64 {
        let want = format!("a whole number from 1 to {max}");
        let read = |value: &Value| {
            let number = u64::try_from(value.as_integer()?).ok()?;
            (1..=max).contains(&number).then_some(number)
        };
        self.take(key, &want, read).unwrap_or(max)
    }

    pub(crate) fn list(&mut self, key: &str) -> Option<Vec<String>> {
        self.take(key, "a list of texts, like [\"…\"]", |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        })
    }

    pub(crate) fn table(&mut self, key: &str) -> Table {
        self.take(key, "a table", |value| value.as_table().cloned())
            .unwrap_or_default()
    }

    pub(crate) fn problem(&mut self, key: &str, problem: impl Into<String>) {
        self.problems.push(ConfigProblem {
            key: key.to_owned(),
            problem: problem.into(),
        });
    }

    /// Ends the reading: keys that nobody asked for are misspelt.
    pub(crate) fn finish<T>(mut self, read: T) -> Result<T, Vec<ConfigProblem>> {
        let left: Vec<String> = self.rest.keys().cloned().collect();
        for key in left {
            self.problem(
                &key,
                "there is no such key for this kind of line: remove it or correct its name",
            );
        }
        if self.problems.is_empty() {
            Ok(read)
        } else {
            Err(self.problems)
        }
    }

    fn take<T>(
        &mut self,
        key: &str,
        want: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.rest.remove(key)?;
        let read = read(&value);
        if read.is_none() {
            self.problem(key, format!("has to be {want}"));
        }
        read
    }
}
