//! The types of values, read where they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use domain::Millis;
use domain::message::Medium;
use web::listen::TrustedProxies;

use super::document::{Entry, Place, Value};

/// What is wrong, and where within the value.
pub(super) type Wrong = (Place, String);

/// A type of value.
pub(super) trait Typed: Sized {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>>;
}

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) u64);

/// A number from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count(pub(super) u32);

/// The address or network of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy(pub(super) String);

/// An `http://` or `https://` address without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WebUrl(pub(super) String);

pub(super) fn wrong<T>(entry: &Entry, problem: impl Into<String>) -> Result<T, Vec<Wrong>> {
    Err(vec![(entry.place.clone(), problem.into())])
}

/// Reads one of a few words.
pub(super) fn choice<T: Copy>(entry: &Entry, choices: &[(&str, T)]) -> Result<T, Vec<Wrong>> {
    let text = String::read(entry)?;
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names = choices.iter().map(|(name, _)| *name);
    wrong(entry, unknown(&text, names, "write"))
}

/// Tells that a name is unknown, which it may have meant, and what is known.
pub(super) fn unknown<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    verb: &str,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, known.iter().copied()) {
        Some(candidate) => format!("{name:?} is unknown; did you mean {candidate:?}?"),
        None if known.is_empty() => format!("{name:?} is unknown"),
        None => format!("{name:?} is unknown; {verb} {}", known.join(", ")),
    }
}

/// What a name may have meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, remove or change to come from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// A number with a unit behind it, in the smallest unit.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The text of a variable, which cannot know what type it has unless it replaces
/// a value.
fn from_variable(entry: &Entry) -> Option<&str> {
    match (&entry.value, &entry.place) {
        (Value::Text(text), Place::Variable(_)) => Some(text),
        _ => None,
    }
}

impl Typed for String {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let Value::Text(text) = &entry.value else {
            return wrong(entry, "must be a text in quotes");
        };
        if text.is_empty() {
            return wrong(entry, "is empty; write a value or remove the key");
        }
        Ok(text.clone())
    }
}

impl Typed for PathBuf {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        String::read(entry).map(Self::from)
    }
}

impl Typed for u32 {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let number = if let Value::Integer(number) = entry.value {
            Self::try_from(number).ok()
        } else {
            from_variable(entry).and_then(|text| text.parse().ok())
        };
        number.map_or_else(|| wrong(entry, "must be a whole number, 0 or more"), Ok)
    }
}

impl Typed for Count {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        match u32::read(entry) {
            Ok(number) if number > 0 => Ok(Self(number)),
            Ok(_) | Err(_) => wrong(entry, "must be a whole number, 1 or more"),
        }
    }
}

impl Typed for i32 {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let number = if let Value::Integer(number) = entry.value {
            Self::try_from(number).ok()
        } else {
            from_variable(entry).and_then(|text| text.parse().ok())
        };
        number.map_or_else(
            || wrong(entry, "must be a whole number such as 0 or -1"),
            Ok,
        )
    }
}

impl Typed for bool {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let given = if let Value::Boolean(given) = entry.value {
            Some(given)
        } else {
            from_variable(entry).and_then(|text| text.parse().ok())
        };
        given.map_or_else(|| wrong(entry, "must be true or false, without quotes"), Ok)
    }
}

impl Typed for Millis {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        const UNITS: [(&str, u64); 5] = [
            ("ms", 1),
            ("s", 1_000),
            ("m", 60_000),
            ("h", 3_600_000),
            ("d", 86_400_000),
        ];
        let text = String::read(entry).unwrap_or_default();
        let millis = measured(&text, &UNITS).and_then(|millis| i64::try_from(millis).ok());
        match millis {
            Some(millis) if millis > 0 => Ok(Self(millis)),
            Some(_) | None => wrong(entry, "must be a time such as \"500ms\", \"30s\" or \"5m\""),
        }
    }
}

impl Typed for Bytes {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        const UNITS: [(&str, u64); 7] = [
            ("B", 1),
            ("kB", 1_000),
            ("MB", 1_000_000),
            ("GB", 1_000_000_000),
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
        ];
        let text = String::read(entry).unwrap_or_default();
        match measured(&text, &UNITS) {
            Some(bytes) => Ok(Self(bytes)),
            None => wrong(
                entry,
                "must be a size such as \"500kB\", \"20MB\" or \"1GiB\"",
            ),
        }
    }
}

impl Typed for SocketAddr {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let text = String::read(entry)?;
        let text = text.replacen("localhost:", "127.0.0.1:", 1);
        text.parse().or_else(|_| {
            let problem = "must be an address with a port, such as \"127.0.0.1:8080\"";
            wrong(entry, problem)
        })
    }
}

impl Typed for Proxy {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let text = String::read(entry)?;
        match TrustedProxies::parse([text.as_str()]) {
            Ok(_) => Ok(Self(text)),
            Err(_) => wrong(
                entry,
                "must be an address or a network such as \"10.0.0.0/8\"",
            ),
        }
    }
}

impl Typed for WebUrl {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let text = String::read(entry)?;
        let text = text.trim_end_matches('/');
        let expected = "must be an address such as \"https://chat.example.com\"";
        let Ok(uri) = text.parse::<http::Uri>() else {
            return wrong(entry, expected);
        };
        let Some(authority) = uri.authority() else {
            return wrong(entry, expected);
        };
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            wrong(entry, "must begin with http:// or https://")
        } else if authority.as_str().contains('@') {
            wrong(entry, "must not contain a user or a password")
        } else if uri
            .path_and_query()
            .is_some_and(|rest| rest.as_str() != "/")
        {
            wrong(entry, "must end after the host and the port")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl Typed for Medium {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        choice(entry, &Self::ALL.map(|medium| (medium.name(), medium)))
    }
}

impl<T: Typed> Typed for Vec<T> {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        if let Value::List(entries) = &entry.value {
            all(entries.iter().map(T::read))
        } else if from_variable(entry).is_some() {
            T::read(entry).map(|one| vec![one])
        } else {
            wrong(entry, "must be a list in square brackets")
        }
    }
}

impl<T: Typed + Ord> Typed for BTreeSet<T> {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        Vec::read(entry).map(Self::from_iter)
    }
}

impl<T: Typed> Typed for BTreeMap<Medium, T> {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let Value::Table(table) = &entry.value else {
            return wrong(entry, "must be a table such as { chat = …, email = … }");
        };
        let pairs = table.iter().map(|(key, value)| {
            let name = Entry {
                value: Value::Text(key.clone()),
                place: value.place.clone(),
            };
            Ok((Medium::read(&name)?, T::read(value)?))
        });
        all(pairs).map(Self::from_iter)
    }
}

/// Everything, or everything that is wrong.
fn all<T>(results: impl Iterator<Item = Result<T, Vec<Wrong>>>) -> Result<Vec<T>, Vec<Wrong>> {
    let mut values = Vec::new();
    let mut wrongs = Vec::new();
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(more) => wrongs.extend(more),
        }
    }
    if wrongs.is_empty() {
        Ok(values)
    } else {
        Err(wrongs)
    }
}
