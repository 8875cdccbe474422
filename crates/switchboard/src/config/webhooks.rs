//! Outgoing webhooks, of which there are many.

use std::collections::BTreeSet;

use domain::{Millis, QueueId};
use engine::webhooks::{EVENTS, Roots, Secret, Target, Webhook};

use super::Problem;
use super::document::{Entry, Place, Table};
use super::lines::{Queues, id, known_queue};
use super::section::Section;
use super::value::{Typed, Wrong, unknown, wrong};

/// Each has a task and a connection of its own.
const WEBHOOKS_MAX: usize = 50;
const TIMEOUT: Millis = Millis::from_secs(15);
const TIMEOUT_MIN: Millis = Millis::from_secs(1);
/// The rest waits behind an event that is not answered.
const TIMEOUT_MAX: Millis = Millis::from_secs(60);

/// The name of a kind of event.
struct EventName(&'static str);

impl Typed for EventName {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let text = String::read(entry)?;
        match EVENTS.iter().find(|name| **name == text) {
            Some(name) => Ok(Self(name)),
            None => wrong(entry, unknown(&text, EVENTS, "the events are")),
        }
    }
}

pub(super) fn webhooks(
    tables: Vec<(Place, Table)>,
    queues: &Queues,
    problems: &mut Vec<Problem>,
) -> Vec<Webhook> {
    let mut webhooks = Vec::new();
    let mut ids = BTreeSet::new();
    for (number, (place, table)) in tables.into_iter().enumerate() {
        let mut section = Section::new(format!("webhook #{}", number + 1), place, table, problems);
        if number == WEBHOOKS_MAX {
            let problem = format!(
                "there are more than {WEBHOOKS_MAX} webhooks; have one program \
                                   tell the others"
            );
            section.problem("", &problem);
        }
        webhooks.extend(webhook(&mut section, queues, &mut ids));
        section.finish();
    }
    webhooks
}

fn webhook(
    section: &mut Section<'_>,
    queues: &Queues,
    ids: &mut BTreeSet<String>,
) -> Option<Webhook> {
    let id = id(section, ids);
    section.read_files();
    if !section.has("url") {
        section.problem("url", "is missing; write where events are sent to");
    }
    let target = section.read_with("url", |entry| {
        Target::parse(&String::read(entry)?).or_else(|problem| wrong(entry, problem))
    });
    if !section.has("secret") {
        section.problem(
            "secret",
            "is missing; write secret or secret_file, \"whsec_\" and the output of \
             `openssl rand -base64 32`: the receiver checks signatures by it",
        );
    }
    let current = section.read_with("secret", secret);
    let previous = section.read_with("previous_secret", secret);
    let events = section.read::<Vec<EventName>>("events");
    let wanted = section.read::<Vec<String>>("queues").unwrap_or_default();
    let queues = wanted
        .iter()
        .map(|queue| known_queue(section, "queues", queues, queue))
        .collect::<Option<BTreeSet<QueueId>>>();
    let timeout = section.read_with("timeout", |entry| {
        let timeout = Millis::read(entry)?;
        if (TIMEOUT_MIN..=TIMEOUT_MAX).contains(&timeout) {
            Ok(timeout)
        } else {
            wrong(entry, "must be from \"1s\" to \"60s\"")
        }
    });
    let roots = section.read_with("ca", |entry| {
        Roots::of_pem(&String::read(entry)?).or_else(|problem| wrong(entry, problem))
    });
    let events = match events {
        Some(events) => events.into_iter().map(|EventName(name)| name).collect(),
        None => BTreeSet::from(EVENTS),
    };
    Some(Webhook {
        id: id?,
        target: target?,
        secrets: [Some(current?), previous].into_iter().flatten().collect(),
        events,
        queues: queues?,
        timeout: timeout.unwrap_or(TIMEOUT),
        roots: roots.unwrap_or_else(Roots::public),
    })
}

fn secret(entry: &Entry) -> Result<Secret, Vec<Wrong>> {
    Secret::parse(&String::read(entry)?).or_else(|problem| wrong(entry, problem))
}
