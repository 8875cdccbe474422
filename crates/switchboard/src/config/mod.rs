//! The configuration: defaults, file and environment, checked as a whole before
//! anything starts. Nothing reads the environment later.

mod document;
mod following;
mod hours;
mod lines;
mod routing;
mod section;
mod sections;
mod texts;
mod value;
mod webhooks;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use domain::routing::RoutingRules;
use engine::settings::Settings;

use document::{Entry, Table, Value};
use following::{Fixed, Setups};
use section::Section;

pub(crate) use document::Place;
pub(crate) use sections::{Log, LogFormat, Server};

/// The documented example, which is the defaults.
pub(crate) const DEFAULTS: &str = include_str!("../../../../config/switchboard.toml");
const DEMO: &str = include_str!("../../../../config/demo.toml");
/// Stands for the file in what is told of the example.
const THE_DEFAULTS: &str = "the defaults";

const SECTIONS: [&str; 11] = [
    "capacity",
    "contacts",
    "coordination",
    "hours",
    "limits",
    "line",
    "log",
    "queue",
    "server",
    "store",
    "webhook",
];

/// A configuration without problems.
#[derive(Clone)]
pub(crate) struct Config {
    /// For the engine.
    pub(crate) settings: Settings,
    /// For the web server.
    pub(crate) server: Server,
    /// For the log.
    pub(crate) log: Log,
    setups: Setups,
    fixed: Fixed,
    /// The place of what is nowhere in the file.
    whole: Place,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    place: Place,
    key: String,
    text: String,
}

/// Everything that is wrong, in the order of the file.
#[derive(Debug)]
pub(crate) struct Problems(Vec<Problem>);

impl Problem {
    fn new(place: Place, key: &str, text: &str) -> Self {
        Self {
            place,
            key: key.to_owned(),
            text: text.to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)
    }
}

impl Problems {
    /// One by one, for the log.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// Reads a file, or the demo if there is none, with the environment over it.
pub(crate) fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, Problems> {
    let Some(path) = file else {
        return parse("the built-in demo", DEMO, environment);
    };
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&name, &text, environment),
        Err(error) => {
            let place = Place::Line {
                file: Arc::from(name),
                line: 1,
            };
            let problem = format!(
                "cannot be read: {error}; `switchboard config print-default` prints one to begin with"
            );
            Err(Problems(vec![Problem::new(place, "", &problem)]))
        }
    }
}

fn parse(
    name: &str,
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, Problems> {
    let file: Arc<str> = Arc::from(name);
    let mut problems = Vec::new();
    let mut document = document::parse(&Arc::from(THE_DEFAULTS), DEFAULTS, &mut problems);
    let queue_defaults = tables(&mut document, "queue", &mut problems).pop();
    let mut written = document::parse(&file, text, &mut problems);
    let illegible: Vec<Place> = problems.iter().map(|p| p.place.clone()).collect();
    if let Some((_, defaults)) = queue_defaults {
        lines::underlay_queues(&mut written, &defaults);
    }
    document::merge(&mut document, written);
    document::overlay(&mut document, environment, &mut problems);
    let config = assemble(file, document, &mut problems);
    // What is read from a line that cannot be read is not what was meant.
    problems.retain(|problem| problem.key.is_empty() || !illegible.contains(&problem.place));
    problems.sort();
    problems.dedup();
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        Some(_) | None => Err(Problems(problems)),
    }
}

fn assemble(file: Arc<str>, mut document: Table, problems: &mut Vec<Problem>) -> Option<Config> {
    let whole = Place::Line { file, line: 1 };
    if !document.contains_key("queue") {
        let problem = "there is no queue; add a section [[queue]] with id = \"main\"";
        problems.push(Problem::new(whole.clone(), "", problem));
    }
    let fixed = following::fixed(&document);
    let hour_tables = tables(&mut document, "hours", problems);
    let queue_tables = tables(&mut document, "queue", problems);
    let line_tables = tables(&mut document, "line", problems);
    let webhook_tables = tables(&mut document, "webhook", problems);
    let server = section(&mut document, "server", problems, sections::server);
    let store = section(&mut document, "store", problems, sections::store);
    section(
        &mut document,
        "coordination",
        problems,
        sections::coordination,
    );
    let contacts = section(&mut document, "contacts", problems, sections::contacts);
    let limits = section(&mut document, "limits", problems, sections::limits);
    let capacity = section(&mut document, "capacity", problems, sections::capacity);
    let log = section(&mut document, "log", problems, sections::log);
    for (key, entry) in document {
        let problem = value::unknown(&key, SECTIONS, "the sections are");
        problems.push(Problem::new(entry.place, "", &problem));
    }
    let hours = hours::hours(hour_tables, problems);
    let queues = lines::queues(queue_tables, &hours, problems);
    let public_url = server.as_ref().map_or("", |server| &server.public_url);
    let lines = lines::lines(line_tables, public_url, &queues, &hours, problems);
    let webhooks = webhooks::webhooks(webhook_tables, &queues, problems);
    let (server, (store_path, files_path)) = (server?, store?);
    let settings = Settings {
        store_path,
        files_path,
        public_url: server.public_url.clone(),
        contacts: contacts?,
        lines: lines.list,
        rules: RoutingRules {
            queues: queues.rules,
            lines: lines.rules,
            capacity: capacity?,
        },
        queues: queues.list,
        limits: limits?,
        webhooks,
    };
    let log = log?;
    Some(Config {
        settings,
        server,
        log,
        setups: lines.setups,
        fixed,
        whole,
    })
}

/// A section, which the defaults have if the file has not.
fn section<T>(
    document: &mut Table,
    name: &str,
    problems: &mut Vec<Problem>,
    read: impl FnOnce(&mut Section<'_>) -> Option<T>,
) -> Option<T> {
    let Entry { value, place } = document.remove(name)?;
    let Value::Table(entries) = value else {
        let problem = format!("must be a section; write [{name}]");
        problems.push(Problem::new(place, name, &problem));
        return None;
    };
    let mut section = Section::new(name, place, entries, problems);
    let value = read(&mut section);
    section.finish();
    value
}

/// Every table of a list of tables.
fn tables(document: &mut Table, name: &str, problems: &mut Vec<Problem>) -> Vec<(Place, Table)> {
    let mut tables = Vec::new();
    let Some(Entry { value, place }) = document.remove(name) else {
        return tables;
    };
    let entries = if let Value::List(entries) = value {
        entries
    } else {
        // `[queue]` for `[[queue]]` is one wrong value, not a list of tables.
        let value = Value::List(Vec::new());
        vec![Entry { value, place }]
    };
    for Entry { value, place } in entries {
        if let Value::Table(table) = value {
            tables.push((place, table));
        } else {
            let problem = format!("must be sections; write [[{name}]]");
            problems.push(Problem::new(place, name, &problem));
        }
    }
    tables
}
