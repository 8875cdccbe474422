//! Queues and lines, of which there are many.

use std::collections::{BTreeMap, BTreeSet};

use channels::{ConfigProblem, Kind, LineSetup, registry};
use domain::routing::{LineRules, QueueRules};
use domain::{LineId, Millis, QueueId, obligation};
use engine::settings::{Line, Queue};

use super::Problem;
use super::document::{Entry, Place, Table, Value, merge};
use super::following::Setups;
use super::hours::Hours;
use super::routing::{self, Known};
use super::section::Section;
use super::value::{Typed, Wrong, unknown, wrong};

/// The region of a line that names none.
const REGION: &str = "RU";

/// Every queue.
#[derive(Default)]
pub(super) struct Queues {
    pub(super) list: Vec<Queue>,
    pub(super) rules: BTreeMap<QueueId, QueueRules>,
    /// Also of queues in which something is wrong.
    ids: BTreeSet<String>,
}

/// Every line.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) list: Vec<Line>,
    pub(super) rules: BTreeMap<LineId, LineRules>,
    pub(super) setups: Setups,
}

/// The id of a line, a queue or hours.
struct Id(String);

impl Typed for Id {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let id = String::read(entry)?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if id.len() <= 64 && id.chars().all(good) {
            Ok(Self(id))
        } else {
            let problem = "must be at most 64 small letters, digits, - and _, such as \"site-2\"";
            wrong(entry, problem)
        }
    }
}

/// Lays the defaults under each queue that is written.
pub(super) fn underlay_queues(written: &mut Table, defaults: &Table) {
    let Some(Value::List(queues)) = written.get_mut("queue").map(|entry| &mut entry.value) else {
        return;
    };
    for queue in queues {
        if let Value::Table(own) = &mut queue.value {
            let mut merged = defaults.clone();
            merged.remove("id");
            merge(&mut merged, std::mem::take(own));
            *own = merged;
        }
    }
}

pub(super) fn queues(
    tables: Vec<(Place, Table)>,
    hours: &Hours,
    problems: &mut Vec<Problem>,
) -> Queues {
    let mut queues = Queues::default();
    // A queue may lead to one that comes after it.
    let named = tables.iter().filter_map(|(_, table)| table.get("id"));
    let ids: BTreeSet<String> = named
        .filter_map(|entry| Id::read(entry).ok())
        .map(|Id(id)| id)
        .collect();
    let known = Known {
        hours,
        queues: &ids,
    };
    for (number, (place, table)) in tables.into_iter().enumerate() {
        let mut section = Section::new(format!("queue #{}", number + 1), place, table, problems);
        if let Some((queue, rules)) = queue(&mut section, known, &mut queues.ids) {
            queues.list.push(queue);
            queues.rules.insert(rules.id.clone(), rules);
        }
        section.finish();
    }
    queues
}

fn queue(
    section: &mut Section<'_>,
    known: Known<'_>,
    ids: &mut BTreeSet<String>,
) -> Option<(Queue, QueueRules)> {
    let id = id(section, ids);
    let name = section.read::<String>("name");
    let ask_rating = section.read::<bool>("ask_rating");
    let promises = promises(section);
    let rules = routing::queue(section, id.as_deref(), known)?;
    let rules = QueueRules {
        promises: promises?,
        ..rules
    };
    let queue = Queue {
        id: rules.id.clone(),
        display_name: name.unwrap_or_else(|| rules.id.to_string()),
        ask_rating: ask_rating?,
    };
    Some((queue, rules))
}

/// What is promised to clients, and when somebody is told of a promise.
fn promises(section: &mut Section<'_>) -> Option<obligation::Rules> {
    let callback_within = section.read::<Millis>("callback_within");
    let lead = section.read::<Millis>("promise_remind_before");
    let grace = section.read::<Millis>("promise_escalate_after");
    let limit = section.read::<Millis>("promise_broken_after");
    if let (Some(grace), Some(limit)) = (grace, limit)
        && limit < grace
    {
        let problem =
            "must not be less than promise_escalate_after: the supervisors are told first";
        section.problem("promise_broken_after", problem);
    }
    Some(obligation::Rules {
        callback_within,
        terms: obligation::Terms {
            lead: lead?,
            grace: grace?,
            limit: limit?,
        },
    })
}

/// Reads the id and names the section by it.
pub(super) fn id(section: &mut Section<'_>, ids: &mut BTreeSet<String>) -> Option<String> {
    let Id(id) = section.require("id", "write one such as id = \"main\"")?;
    if let Some((kind, _)) = section.name.split_once(' ') {
        section.name = format!("{kind} {id:?}");
    }
    if !ids.insert(id.clone()) {
        section.problem("id", "is the id of another section too; ids are unique");
    }
    Some(id)
}

pub(super) fn lines(
    tables: Vec<(Place, Table)>,
    public_url: &str,
    queues: &Queues,
    hours: &Hours,
    problems: &mut Vec<Problem>,
) -> Lines {
    let mut lines = Lines::default();
    let mut ids = BTreeSet::new();
    for (number, (place, table)) in tables.into_iter().enumerate() {
        let mut section = Section::new(format!("line #{}", number + 1), place, table, problems);
        if let Some((line, setup, rules)) = line(&mut section, public_url, queues, hours, &mut ids)
        {
            lines.setups.insert(line.id.clone(), setup);
            lines.rules.insert(line.id.clone(), rules);
            lines.list.push(line);
        }
    }
    lines
}

fn line(
    section: &mut Section<'_>,
    public_url: &str,
    queues: &Queues,
    hours: &Hours,
    ids: &mut BTreeSet<String>,
) -> Option<(Line, LineSetup, LineRules)> {
    let id = id(section, ids);
    let name = section.read::<String>("name");
    let region = section.read_with("region", region);
    // What is wrong here is told, and no configuration comes of it.
    let rules = LineRules {
        band: section.read::<i32>("priority").unwrap_or_default(),
        age_credit: section
            .read_with("age_credit", routing::or_zero)
            .unwrap_or_default(),
        skills: section
            .read_with("skills", routing::skills)
            .unwrap_or_default(),
        hours: hours.of(section),
        ..LineRules::default()
    };
    let queue = section.require::<String>("queue", "write the id of a [[queue]]");
    let kind = section.require::<String>("channel", "write the kind of channel");
    let queue = queue.and_then(|queue| known_queue(section, "queue", queues, &queue));
    let kind = kind.and_then(|kind| known_kind(section, &kind))?;
    section.read_files();
    // Without an id the rest is still checked, under a name that is never used.
    let setup_id = LineId::new(id.clone().unwrap_or_default());
    let setup = LineSetup {
        display_name: name.unwrap_or_else(|| setup_id.to_string()),
        id: setup_id,
        default_region: region.unwrap_or_else(|| REGION.to_owned()),
        public_url: public_url.to_owned(),
        options: section.rest(),
    };
    let channel = match (kind.build)(&setup) {
        Ok(channel) => channel,
        Err(wrongs) => {
            for ConfigProblem { key, problem } in wrongs {
                section.problem(&key, &problem);
            }
            return None;
        }
    };
    id?;
    let line = Line {
        id: setup.id.clone(),
        display_name: setup.display_name.clone(),
        kind,
        queue: queue?,
        default_region: setup.default_region.clone(),
        hours: rules.hours.clone(),
        channel,
    };
    Some((line, setup, rules))
}

fn region(entry: &Entry) -> Result<String, Vec<Wrong>> {
    let region = String::read(entry)?;
    if region.len() == 2 && region.chars().all(|c| c.is_ascii_uppercase()) {
        Ok(region)
    } else {
        wrong(entry, "must be a country's two letters, such as \"RU\"")
    }
}

/// The queue that a key names.
pub(super) fn known_queue(
    section: &mut Section<'_>,
    key: &str,
    queues: &Queues,
    id: &str,
) -> Option<QueueId> {
    if queues.ids.contains(id) {
        return Some(QueueId::from(id));
    }
    let known = queues.ids.iter().map(String::as_str);
    section.problem(key, &unknown(id, known, "the queues are"));
    None
}

fn known_kind(section: &mut Section<'_>, kind: &str) -> Option<&'static Kind> {
    let found = registry::find(kind);
    if found.is_none() {
        let known = registry::KINDS.iter().map(|known| known.descriptor.kind);
        section.problem("channel", &unknown(kind, known, "the channels are"));
    }
    found
}
