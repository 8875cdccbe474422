//! A section that is read key by key; what nobody reads is unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::document::{Entry, Place, Table, Value, to_toml};
use super::value::{Typed, Wrong, unknown, wrong};

/// The table that holds nothing but words for people, whatever they are called.
const WORDS: &str = "texts";

/// A table being read.
pub(super) struct Section<'p> {
    /// Stands before every key in a problem.
    pub(super) name: String,
    place: Place,
    entries: Table,
    places: BTreeMap<String, Place>,
    /// Keys whose files could not be read, which is told.
    unread: BTreeSet<String>,
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
            unread: BTreeSet::new(),
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

    /// Replaces every `key_file` by a `key` that holds what the file says, in tables
    /// within, too, so that a secret need not stand in the configuration.
    pub(super) fn read_files(&mut self) {
        let mut files = Files::default();
        files.read("", &mut self.entries);
        for (key, place, problem) in files.problems {
            let key = self.path(&key);
            self.problems.push(Problem::new(place, &key, &problem));
        }
        self.unread = files.unread;
    }

    /// The keys that are there and not read yet.
    pub(super) fn keys(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// Whether a key is written and not read yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Adds a problem with a key, or with what it would stand in if there is no such
    /// key.
    pub(super) fn problem(&mut self, key: &str, problem: &str) {
        if self.unread.contains(key) {
            return;
        }
        let entry = self.entries.get(key).map(|entry| &entry.place);
        let mut place = entry.or_else(|| self.places.get(key));
        let mut within = key;
        while let (None, Some((table, _))) = (place, within.rsplit_once('.')) {
            place = self.places.get(table);
            within = table;
        }
        let place = place.unwrap_or(&self.place).clone();
        let key = self.path(key);
        self.problems.push(Problem::new(place, &key, problem));
    }

    /// Every key that was not read, for whoever knows them.
    pub(super) fn rest(&mut self) -> toml::Table {
        let rest = std::mem::take(&mut self.entries);
        rest.into_iter()
            .map(|(key, entry)| {
                note_places(&key, &entry, &mut self.places);
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

/// Names tables as those do who read them: `smtp`, `mailbox #2`.
fn numbered(key: &str, index: usize) -> String {
    format!("{key} #{}", index + 1)
}

fn note_places(key: &str, entry: &Entry, places: &mut BTreeMap<String, Place>) {
    places.insert(key.to_owned(), entry.place.clone());
    let mut within = |key: &str, table: &Table| {
        for (inner, entry) in table {
            note_places(&format!("{key}.{inner}"), entry, places);
        }
    };
    match &entry.value {
        Value::Table(table) => within(key, table),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                note_places(&numbered(key, index), item, places);
            }
        }
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {}
    }
}

/// What is read in place of the names of files.
#[derive(Default)]
struct Files {
    problems: Vec<(String, Place, String)>,
    unread: BTreeSet<String>,
}

impl Files {
    fn read(&mut self, path: &str, table: &mut Table) {
        let keys: Vec<String> = table.keys().cloned().collect();
        for key in keys {
            if let Some(bare) = key.strip_suffix("_file") {
                self.replace(path, table, bare, &key);
            } else if key != WORDS
                && let Some(entry) = table.get_mut(&key)
            {
                self.read_within(&format!("{path}{key}"), &mut entry.value);
            }
        }
    }

    fn read_within(&mut self, path: &str, value: &mut Value) {
        match value {
            Value::Table(table) => self.read(&format!("{path}."), table),
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.read_within(&numbered(path, index), &mut item.value);
                }
            }
            Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {}
        }
    }

    fn replace(&mut self, path: &str, table: &mut Table, key: &str, file_key: &str) {
        let Some(entry) = table.remove(file_key) else {
            return;
        };
        let told = format!("{path}{file_key}");
        if table.contains_key(key) {
            let problem = format!("is given beside {key}; keep one");
            let place = entry.place.clone();
            self.problems.push((told.clone(), place, problem));
        }
        let text = String::read(&entry).and_then(|name| {
            std::fs::read_to_string(&name)
                .or_else(|error| wrong(&entry, format!("{name:?} cannot be read: {error}")))
        });
        match text {
            Ok(text) => {
                let value = Value::Text(text.trim_end().to_owned());
                let place = entry.place;
                table.insert(key.to_owned(), Entry { value, place });
            }
            Err(wrongs) => {
                table.remove(key);
                self.unread.insert(format!("{path}{key}"));
                let told = wrongs
                    .into_iter()
                    .map(|(place, text)| (told.clone(), place, text));
                self.problems.extend(told);
            }
        }
    }
}
