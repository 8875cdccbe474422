//! Queues and lines, of which there are many.

use std::collections::{BTreeMap, BTreeSet};

use channels::{Capability, ConfigProblem, Kind, LineSetup, registry};
use domain::message::Medium;
use domain::routing::{Assignment, LineRules, QueueRules};
use domain::{LineId, Millis, QueueId, obligation};
use engine::settings::{Line, Queue};

use super::Problem;
use super::document::{Entry, Place, Table, Value, merge};
use super::following::Setups;
use super::hours::Hours;
use super::section::Section;
use super::texts::{Text, texts};
use super::value::{Typed, Wrong, choice, unknown, wrong};

/// The region of a line that names none.
const REGION: &str = "RU";

/// What a queue says to clients.
const TEXTS: [Text; 1] = [Text {
    key: "closed_reply",
    chars_max: 1_000,
}];

/// Every queue.
#[derive(Default)]
pub(super) struct Queues {
    pub(super) list: Vec<Queue>,
    pub(super) rules: BTreeMap<QueueId, QueueRules>,
    /// Also of queues in which something is wrong.
    ids: BTreeSet<String>,
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
    for (number, (place, table)) in tables.into_iter().enumerate() {
        let mut section = Section::new(format!("queue #{}", number + 1), place, table, problems);
        if let Some((queue, rules)) = queue(&mut section, hours, &mut queues.ids) {
            queues.list.push(queue);
            queues.rules.insert(rules.id.clone(), rules);
        }
        section.finish();
    }
    queues
}

fn queue(
    section: &mut Section<'_>,
    hours: &Hours,
    ids: &mut BTreeSet<String>,
) -> Option<(Queue, QueueRules)> {
    const STRATEGIES: [(&str, ()); 1] = [("longest_idle", ())];
    const ASSIGNMENTS: [(&str, Assignment); 2] =
        [("offer", Assignment::Offer), ("direct", Assignment::Direct)];
    let id = id(section, ids);
    let name = section.read::<String>("name");
    section.read_with("strategy", |entry| choice(entry, &STRATEGIES));
    let assignment = section.read_with("assign", |entry| choice(entry, &ASSIGNMENTS));
    let offer_timeout = section.read_with("offer_timeout", offer_timeout);
    let round_pause = section.read::<Millis>("round_pause");
    let ask_rating = section.read::<bool>("ask_rating");
    let hours = hours.of(section);
    let mut texts = texts(section, &TEXTS);
    let promises = promises(section);
    let id = QueueId::new(id?);
    Some((
        Queue {
            id: id.clone(),
            display_name: name.unwrap_or_else(|| id.to_string()),
            ask_rating: ask_rating?,
            promises: promises?,
        },
        QueueRules {
            assignment: assignment?,
            offer_timeout: offer_timeout?,
            round_pause: round_pause?,
            hours,
            closed_reply: texts.remove("closed_reply"),
            ..QueueRules::new(id)
        },
    ))
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

/// One time for every medium, or a table.
fn offer_timeout(entry: &Entry) -> Result<BTreeMap<Medium, Millis>, Vec<Wrong>> {
    if matches!(entry.value, Value::Table(_)) {
        return BTreeMap::read(entry);
    }
    let timeout = Millis::read(entry)?;
    Ok(Medium::ALL.map(|medium| (medium, timeout)).into())
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
) -> (Vec<Line>, Setups) {
    let mut lines = Vec::new();
    let mut setups = Setups::new();
    let mut ids = BTreeSet::new();
    for (number, (place, table)) in tables.into_iter().enumerate() {
        let mut section = Section::new(format!("line #{}", number + 1), place, table, problems);
        if let Some((line, setup)) = line(&mut section, public_url, queues, hours, &mut ids) {
            setups.insert(line.id.clone(), setup);
            lines.push(line);
        }
    }
    (lines, setups)
}

fn line(
    section: &mut Section<'_>,
    public_url: &str,
    queues: &Queues,
    hours: &Hours,
    ids: &mut BTreeSet<String>,
) -> Option<(Line, LineSetup)> {
    let id = id(section, ids);
    let name = section.read::<String>("name");
    let region = section.read_with("region", region);
    let hours = hours.of(section);
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
        hours,
        channel,
    };
    Some((line, setup))
}

/// What the router knows of the lines.
pub(super) fn rules_of(lines: &[Line]) -> BTreeMap<LineId, LineRules> {
    let rules = lines.iter().map(|line| {
        let rules = LineRules {
            hours: line.hours.clone(),
            replies: line.kind.descriptor.can(Capability::Reply),
            ..LineRules::default()
        };
        (line.id.clone(), rules)
    });
    rules.collect()
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
