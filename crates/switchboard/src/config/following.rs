//! One configuration after another: what a running gateway cannot take over, and
//! which lines stay connected.

use std::collections::BTreeMap;

use channels::LineSetup;
use domain::LineId;
use engine::reload::QueueInUse;

use super::document::{Place, Table, Value, to_toml};
use super::{Config, Problem, Problems};

/// Sections that are read at the start alone.
const FIXED: [&str; 5] = ["contacts", "coordination", "limits", "server", "store"];

/// Keys that a running gateway cannot change, with what was written.
pub(super) type Fixed = BTreeMap<String, (toml::Value, Place)>;

/// Collects them from the whole document.
pub(super) fn fixed(document: &Table) -> Fixed {
    let mut fixed = Fixed::new();
    for (name, entry) in document {
        let Value::Table(section) = &entry.value else {
            continue;
        };
        for (key, entry) in section {
            if FIXED.contains(&name.as_str()) || (name == "log" && key == "format") {
                let written = (to_toml(entry.value.clone()), entry.place.clone());
                fixed.insert(format!("{name}.{key}"), written);
            }
        }
    }
    fixed
}

impl Config {
    /// What keeps a running gateway from going over to this.
    pub(crate) fn against(&self, before: &Self) -> Option<Problems> {
        let keys = before.fixed.keys().chain(self.fixed.keys());
        let mut problems: Vec<Problem> = keys
            .filter(|key| self.value(key) != before.value(key))
            .map(|key| {
                let problem = "has changed, which needs a restart; set it back to reload the rest";
                Problem::new(self.place(key), key, problem)
            })
            .collect();
        // The file that holds a secret may have changed while its name has not.
        if problems.is_empty() && self.settings.contacts != before.settings.contacts {
            let key = "contacts.token_file";
            let problem = "the file has changed, which needs a restart";
            problems.push(Problem::new(self.place(key), key, problem));
        }
        problems.sort();
        problems.dedup();
        (!problems.is_empty()).then_some(Problems(problems))
    }

    /// Tells that queues which it does not have are not empty.
    pub(crate) fn misses(&self, in_use: &[QueueInUse]) -> Problems {
        let problems = in_use.iter().map(|queue| {
            let key = format!("queue {:?}", queue.id.as_str());
            Problem::new(self.whole.clone(), &key, &queue.to_string())
        });
        Problems(problems.collect())
    }

    /// Keeps the connections of lines about which nothing has changed but, maybe,
    /// their queue.
    pub(crate) fn keep_connections(&mut self, before: &Self) {
        for line in &mut self.settings.lines {
            let old = before.settings.lines.iter().find(|old| old.id == line.id);
            if let Some(old) = old
                && std::ptr::eq(old.kind, line.kind)
                && before.setups.get(&line.id) == self.setups.get(&line.id)
            {
                line.channel = old.channel.clone();
            }
        }
    }

    fn value(&self, key: &str) -> Option<&toml::Value> {
        self.fixed.get(key).map(|(value, _)| value)
    }

    /// Where a key is written; the whole file if it is not there any more.
    fn place(&self, key: &str) -> Place {
        match self.fixed.get(key) {
            Some((_, place)) if !place.is_in(super::THE_DEFAULTS) => place.clone(),
            Some(_) | None => self.whole.clone(),
        }
    }
}

/// What each line was built from.
pub(super) type Setups = BTreeMap<LineId, LineSetup>;
