//! A section that is read key by key; what nobody reads is unknown.

use std::collections::BTreeMap;

use super::Problem;
use super::document::{Entry, Place, Table, Value, to_toml};
use super::value::{Typed, Wrong, unknown, wrong};

/// A table being read.
pub(super) struct Section<'p> {
    /// Stands before every key in a problem.
    pub(super) name: String,
    place: Place,
    entries: Table,
    places: BTreeMap<String, Place>,
    problems: &'p mut Vec<Problem>,
}

impl<'p> Section<'p> {
    pub(super) fn new(
        name: impl Into<String>,
        place: Place,
        entries: Table,
        problems: &'p mut Vec<Problem>,
    ) -> Self {
        Self {
            name: name.into(),
            place,
            entries,
            places: BTreeMap::new(),
            problems,
        }
    }

    /// Reads a key if it is there. Nothing comes back when it is wrong, too: then
    /// the problem is told, and no configuration comes of it.
    pub(super) fn read<T: Typed>(&mut self, key: &str) -> Option<T> {
        self.read_with(key, T::read)
    }

    pub(super) fn read_with<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&Entry) -> Result<T, Vec<Wrong>>,
    ) -> Option<T> {
        let entry = self.take(key)?;
        match read(&entry) {
            Ok(value) => Some(value),
            Err(wrongs) => {
                let key = self.path(key);
                let told = wrongs.into_iter();
                self.problems
                    .extend(told.map(|(place, problem)| Problem::new(place, &key, &problem)));
                None
            }
        }
    }

    /// Reads a key that must be there.
    pub(super) fn require<T: Typed>(&mut self, key: &str, hint: &str) -> Option<T> {
        self.require_with(key, hint, T::read)
    }

    pub(super) fn require_with<T>(
        &mut self,
        key: &str,
        hint: &str,
        read: impl FnOnce(&Entry) -> Result<T, Vec<Wrong>>,
    ) -> Option<T> {
        if !self.entries.contains_key(key) {
            self.problem(key, &format!("is missing; {hint}"));
        }
        self.read_with(key, read)
    }

    /// Reads a list of tables, each as a section. What is wrong with one is told, and
    /// the rest is still read.
    pub(super) fn each<T>(
        &mut self,
        key: &str,
        count_max: usize,
        example: &str,
        mut read: impl FnMut(&mut Section<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.read_with(key, |entry| match &entry.value {
            Value::List(items) if items.len() > count_max => {
                let count = items.len();
                wrong(
                    entry,
                    format!("has {count} of them; write at most {count_max}"),
                )
            }
            Value::List(items) => Ok(items.clone()),
            Value::Text(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Table(_) => wrong(entry, format!("must be a list such as [{example}]")),
        })?;
        let name = self.path(key);
        let mut values = Vec::new();
        for item in items {
            let Value::Table(table) = item.value else {
                let problem = format!("must be a table such as {example}");
                self.problems
                    .push(Problem::new(item.place, &name, &problem));
                continue;
            };
            let mut section = Section::new(name.clone(), item.place, table, self.problems);
            values.extend(read(&mut section));
            section.finish();
        }
        Some(values)
    }

    /// Replaces every `key_file` by a `key` that holds what the file says, so that
    /// a secret need not stand in the configuration.
    pub(super) fn read_files(&mut self) {
        for file_key in &self.keys() {
            if let Some(key) = file_key.strip_suffix("_file") {
                self.read_file(key, file_key);
            }
        }
    }

    fn read_file(&mut self, key: &str, file_key: &str) {
        if self.entries.contains_key(key) {
            self.problem(file_key, &format!("is given beside {key}; keep one"));
        }
        let Some(path) = self.read::<String>(file_key) else {
            return;
        };
        let place = self.places[file_key].clone();
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let value = Value::Text(text.trim_end().to_owned());
                self.entries.insert(key.to_owned(), Entry { value, place });
            }
            Err(error) => {
                self.entries.remove(key);
                self.places.insert(key.to_owned(), place);
                self.problem(file_key, &format!("{path:?} cannot be read: {error}"));
            }
        }
    }

    /// The keys that are there and not read yet.
    pub(super) fn keys(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// Whether a key is written and not read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Adds a problem with a key, or with the whole section if it has no such key.
    pub(super) fn problem(&mut self, key: &str, problem: &str) {
        let entry = self.entries.get(key).map(|entry| &entry.place);
        let place = entry.or_else(|| self.places.get(key));
        let place = place.unwrap_or(&self.place).clone();
        let key = self.path(key);
        self.problems.push(Problem::new(place, &key, problem));
    }

    /// Every key that was not read, for whoever knows them.
    pub(super) fn rest(&mut self) -> toml::Table {
        let rest = std::mem::take(&mut self.entries);
        rest.into_iter()
            .map(|(key, entry)| {
                self.places.insert(key.clone(), entry.place);
                (key, to_toml(entry.value))
            })
            .collect()
    }

    /// Tells of every key that was not read.
    pub(super) fn finish(mut self) {
        for (key, entry) in std::mem::take(&mut self.entries) {
            let known = self.places.keys().map(String::as_str);
            let problem = unknown(&key, known, "the keys here are");
            let place = entry.place;
            self.problems
                .push(Problem::new(place, &self.name, &problem));
        }
    }

    fn take(&mut self, key: &str) -> Option<Entry> {
        let entry = self.entries.remove(key);
        let place = entry.as_ref().map_or(&self.place, |entry| &entry.place);
        self.places.insert(key.to_owned(), place.clone());
        entry
    }

    fn path(&self, key: &str) -> String {
        if key.is_empty() {
            self.name.clone()
        } else {
            format!("{}.{key}", self.name)
        }
    }
}
