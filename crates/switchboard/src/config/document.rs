//! A configuration as it was written: every value with the place it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::Problem;

/// Begins the name of every environment variable that sets a key.
const PREFIX: &str = "SWITCHBOARD__";

pub(super) type Table = BTreeMap<String, Entry>;

/// Where a value was written. Orders problems as one reads the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Line { file: Arc<str>, line: usize },
    Variable(Arc<str>),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    pub(super) place: Place,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    List(Vec<Entry>),
    Table(Table),
}

impl Place {
    pub(super) fn is_in(&self, name: &str) -> bool {
        matches!(self, Self::Line { file, .. } if &**file == name)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// Reads a file's text as far as it can be read.
pub(super) fn parse(file: &Arc<str>, text: &str, problems: &mut Vec<Problem>) -> Table {
    let (table, errors) = DeTable::parse_recoverable(text);
    let lines = Lines { file, text };
    problems.extend(errors.iter().map(|error| {
        let start = error.span().map_or(0, |span| span.start);
        Problem::new(lines.place(start), "", &error.message().replace('\n', ", "))
    }));
    lines.table(table.into_inner())
}

/// Lays one table over another: tables key by key, everything else whole.
pub(super) fn merge(base: &mut Table, over: Table) {
    for (key, entry) in over {
        match (base.get_mut(&key), entry) {
            (
                Some(Entry {
                    value: Value::Table(below),
                    place,
                }),
                Entry {
                    value: Value::Table(above),
                    place: above_place,
                },
            ) => {
                merge(below, above);
                *place = above_place;
            }
            (_, entry) => {
                base.insert(key, entry);
            }
        }
    }
}

/// Lays the environment over a table. `SWITCHBOARD__LINE__SITE__QUEUE` is the key
/// `queue` of the line whose id is `site`; what is not a letter or a digit in an
/// id is `_` in the variable.
pub(super) fn overlay(
    table: &mut Table,
    environment: impl IntoIterator<Item = (String, String)>,
    problems: &mut Vec<Problem>,
) {
    for (name, text) in environment {
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let path = path.to_lowercase();
        let path: Vec<&str> = path.split("__").collect();
        let place = Place::Variable(Arc::from(name.as_str()));
        if path.len() < 2 || path.contains(&"") {
            let problem = "names no key; write SWITCHBOARD__SECTION__KEY";
            problems.push(Problem::new(place, "", problem));
        } else if let Err(problem) = set(table, &path, &text, &place) {
            problems.push(Problem::new(place, "", &problem));
        }
    }
}

fn set(table: &mut Table, path: &[&str], text: &str, place: &Place) -> Result<(), String> {
    let (key, rest) = match path {
        [] => return Ok(()),
        [key, rest @ ..] => (key_of(table, key), rest),
    };
    if rest.is_empty() {
        let value = like(table.get(&key), text, place);
        let place = place.clone();
        table.insert(key, Entry { value, place });
        return Ok(());
    }
    let below = table.entry(key.clone()).or_insert_with(|| Entry {
        value: Value::Table(Table::new()),
        place: place.clone(),
    });
    match &mut below.value {
        Value::Table(below) => set(below, rest, text, place),
        Value::List(entries) => match entries.iter_mut().find_map(|entry| named(entry, rest[0])) {
            Some(below) => set(below, &rest[1..], text, place),
            None => Err(format!("there is no [[{key}]] whose id is {}", rest[0])),
        },
        Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
            Err(format!("{key} is a single value and has no keys"))
        }
    }
}

/// The key that a variable means: `mon_fri` is `mon-fri`, if that is there.
fn key_of(table: &Table, name: &str) -> String {
    let mut keys = table.keys().filter(|key| is_written(key, name));
    let key = if table.contains_key(name) {
        None
    } else {
        keys.next()
    };
    key.map_or_else(|| name.to_owned(), Clone::clone)
}

/// Whether this is how an environment variable writes it, in small letters.
fn is_written(word: &str, name: &str) -> bool {
    let word = word.to_lowercase();
    let written = word
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' });
    written.eq(name.chars())
}

/// The table of a list that has this id, as an environment variable writes it.
fn named<'a>(entry: &'a mut Entry, name: &str) -> Option<&'a mut Table> {
    let Value::Table(table) = &mut entry.value else {
        return None;
    };
    let Value::Text(id) = &table.get("id")?.value else {
        return None;
    };
    is_written(id, name).then_some(table)
}

/// A variable's text in the type of the value that it replaces.
fn like(old: Option<&Entry>, text: &str, place: &Place) -> Value {
    let parsed = match old.map(|entry| &entry.value) {
        Some(Value::Integer(_)) => text.parse().ok().map(Value::Integer),
        Some(Value::Float(_)) => text.parse().ok().map(Value::Float),
        Some(Value::Boolean(_)) => text.parse().ok().map(Value::Boolean),
        Some(Value::List(_)) => Some(Value::List(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Entry {
                    value: Value::Text(part.to_owned()),
                    place: place.clone(),
                })
                .collect(),
        )),
        Some(Value::Text(_) | Value::Table(_)) | None => None,
    };
    parsed.unwrap_or_else(|| Value::Text(text.to_owned()))
}

/// For channels, which read their own keys.
pub(super) fn to_toml(value: Value) -> toml::Value {
    match value {
        Value::Text(text) => toml::Value::String(text),
        Value::Integer(number) => toml::Value::Integer(number),
        Value::Float(number) => toml::Value::Float(number),
        Value::Boolean(flag) => toml::Value::Boolean(flag),
        Value::List(entries) => {
            toml::Value::Array(entries.into_iter().map(|e| to_toml(e.value)).collect())
        }
        Value::Table(table) => toml::Value::Table(
            table
                .into_iter()
                .map(|(key, entry)| (key, to_toml(entry.value)))
                .collect(),
        ),
    }
}

struct Lines<'a> {
    file: &'a Arc<str>,
    text: &'a str,
}

impl Lines<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(self.text);
        Place::Line {
            file: Arc::clone(self.file),
            line: 1 + before.matches('\n').count(),
        }
    }

    fn table(&self, table: DeTable<'_>) -> Table {
        table
            .into_iter()
            .map(|(key, value)| {
                let place = self.place(key.span().start);
                let value = self.value(value.into_inner());
                (key.into_inner().into_owned(), Entry { value, place })
            })
            .collect()
    }

    fn value(&self, value: DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| Value::Text(number.to_string()), Value::Integer),
            DeValue::Float(number) => number
                .as_str()
                .parse()
                .map_or_else(|_| Value::Text(number.to_string()), Value::Float),
            DeValue::Boolean(flag) => Value::Boolean(flag),
            DeValue::Datetime(moment) => Value::Text(moment.to_string()),
            DeValue::Array(items) => Value::List(
                items
                    .into_iter()
                    .map(|item| {
                        let place = self.place(item.span().start);
                        let value = self.value(item.into_inner());
                        Entry { value, place }
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Value::Table(self.table(table)),
        }
    }
}
