//! Reads a line's own keys, collecting everything that is wrong with them.

use std::ops::RangeInclusive;

use domain::Millis;
use http::HeaderValue;
use toml::{Table, Value};

use crate::egress::{Client, Proxy, Roots, Setup, Target};
use crate::{ConfigProblem, LineSetup};

/// A line's keys, those left that nobody asked for yet.
pub(crate) struct Options {
    rest: Table,
    /// Stands before the keys of a table within the section.
    path: String,
    problems: Vec<ConfigProblem>,
}

impl Options {
    pub(crate) fn of(setup: &LineSetup) -> Self {
        Self {
            rest: setup.options.clone(),
            path: String::new(),
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

    pub(crate) fn number(&mut self, key: &str, range: RangeInclusive<u64>, default: u64) -> u64 {
        let want = format!("a whole number from {} to {}", range.start(), range.end());
        let read = |value: &Value| {
            let number = u64::try_from(value.as_integer()?).ok()?;
            range.contains(&number).then_some(number)
        };
        self.take(key, &want, read).unwrap_or(default)
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<String> = choices
            .iter()
            .map(|(word, _)| format!("{word:?}"))
            .collect();
        let want = format!("one of {}", words.join(", "));
        self.take(key, &want, |value| {
            let word = value.as_str()?;
            choices
                .iter()
                .find_map(|(known, choice)| (*known == word).then_some(*choice))
        })
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

    /// Reads a table by keys of its own.
    pub(crate) fn within<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let table = self.take(key, "a table", |value| value.as_table().cloned())?;
        Some(self.read_within(key, table, read))
    }

    /// Reads each of a list of tables by keys of its own.
    pub(crate) fn each<T>(&mut self, key: &str, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let tables: Option<Vec<Table>> = self.take(key, "tables, like [[line.…]]", |value| {
            let tables = value.as_array()?.iter();
            tables.map(|item| item.as_table().cloned()).collect()
        });
        let tables = tables.unwrap_or_default().into_iter().enumerate();
        tables
            .map(|(index, table)| {
                let key = format!("{key} #{}", index + 1);
                self.read_within(&key, table, &mut read)
            })
            .collect()
    }

    fn read_within<T>(&mut self, key: &str, table: Table, read: impl FnOnce(&mut Self) -> T) -> T {
        let mut within = Self {
            rest: table,
            path: format!("{}{key}.", self.path),
            problems: Vec::new(),
        };
        let value = read(&mut within);
        within.refuse_the_rest();
        self.problems.append(&mut within.problems);
        value
    }

    /// How a provider's server is reached: its base address under `key`, or the usual one,
    /// with `ca` (authorities besides those of browsers) and `proxy`.
    pub(crate) fn server(&mut self, key: &str, usual: &str, timeout: Millis) -> Option<Client> {
        let address = self.text(key).unwrap_or_else(|| usual.to_owned());
        let (authorities, proxy) = (self.text("ca"), self.text("proxy"));
        let roots = match authorities {
            Some(pem) => Roots::public_and_pem(&pem),
            None => Ok(Roots::public()),
        };
        let roots = self.good("ca", roots);
        let proxy = proxy.map(|proxy| self.good("proxy", Proxy::parse(&proxy)));
        let target = self.good(key, Target::parse(&address))?;
        let setup = Setup {
            roots: roots?,
            proxy: match proxy {
                Some(proxy) => Some(proxy?),
                None => None,
            },
            ..Setup::new(target, timeout)
        };
        self.good(key, Client::new(&setup))
    }

    fn good<T>(&mut self, key: &str, read: Result<T, String>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problem(key, problem);
                None
            }
        }
    }

    /// Whether a key is written and not read yet.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.rest.contains_key(key)
    }

    pub(crate) fn problem(&mut self, key: &str, problem: impl Into<String>) {
        self.problems.push(ConfigProblem {
            key: format!("{}{key}", self.path),
            problem: problem.into(),
        });
    }

    /// Ends the reading: keys that nobody asked for are misspelt.
    pub(crate) fn finish<T>(mut self, read: T) -> Result<T, Vec<ConfigProblem>> {
        self.refuse_the_rest();
        if self.problems.is_empty() {
            Ok(read)
        } else {
            Err(self.problems)
        }
    }

    fn refuse_the_rest(&mut self) {
        let left: Vec<String> = self.rest.keys().cloned().collect();
        for key in left {
            self.problem(
                &key,
                "there is no such key for this kind of line: remove it or correct its name",
            );
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

/// What calls begin with that show a token; none where it is no token.
pub(crate) fn bearer(token: &str) -> Option<HeaderValue> {
    let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value = value.ok().filter(|_| is_plain)?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether something is of letters, digits, `_` and `-`, and so long.
pub(crate) fn is_word(word: &str, min: usize, max: usize) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (min..=max).contains(&word.len()) && word.bytes().all(known)
}
