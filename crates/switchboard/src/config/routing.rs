//! Whom the router asks, for how long, and where it leads on.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::Medium;
use domain::routing::{
    Assignment, Dropped, Exit, OVERFLOWS_MAX, Overflow, QueueRules, Relaxation, Skills, Strategy,
    Trigger, WrapUp,
};
use domain::{Millis, QueueId};
use engine::people::{SKILLS_MAX, skill_name};

use super::document::{Entry, Value};
use super::hours::Hours;
use super::section::Section;
use super::texts::{Text, texts};
use super::value::{Count, Typed, Wrong, choice, unknown, wrong};

/// More steps than anybody can keep apart.
const RELAXATIONS_MAX: usize = 16;
/// More than fit into a list that one chooses from.
const DISPOSITIONS_MAX: usize = 50;
const DISPOSITION_CHARS_MAX: usize = 100;

/// What a queue says to clients.
const TEXTS: [Text; 4] = [
    Text {
        key: "closed_reply",
        chars_max: 1_000,
    },
    Text {
        key: "voicemail_reply",
        chars_max: 1_000,
    },
    Text {
        key: "form_reply",
        chars_max: 1_000,
    },
    Text {
        key: "callback_reply",
        chars_max: 1_000,
    },
];

/// What a queue may name.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Every `[[hours]]`.
    pub(super) hours: &'a Hours,
    /// The ids of all queues.
    pub(super) queues: &'a BTreeSet<String>,
}

/// The rules of a queue; `id` is none when it is wrong, and then the rest is still
/// checked.
pub(super) fn queue(
    section: &mut Section<'_>,
    id: Option<&str>,
    known: Known<'_>,
) -> Option<QueueRules> {
    const ASSIGNMENTS: [(&str, Assignment); 2] =
        [("offer", Assignment::Offer), ("direct", Assignment::Direct)];
    let strategies = Strategy::ALL.map(|strategy| (strategy.name(), strategy));
    let strategy = section.read_with("strategy", |entry| choice(entry, &strategies));
    let assignment = section.read_with("assign", |entry| choice(entry, &ASSIGNMENTS));
    if (strategy, assignment) == (Some(Strategy::RingAll), Some(Assignment::Direct)) {
        let problem = "\"direct\" gives it to one, and strategy \"ring_all\" asks everybody; \
                       change one of the two";
        section.problem("assign", problem);
    }
    let offer_timeout = section.read_with("offer_timeout", offer_timeout);
    let round_pause = section.read::<Millis>("round_pause");
    let round_wait = section.read_with("round_wait", or_zero);
    let sticky_wait = section.read_with("sticky_wait", or_zero);
    let ageing = section.read_with("ageing", or_never);
    let skills = section.read_with("skills", skills);
    let relaxations = relaxations(section);
    let wrap_up = wrap_up(section);
    let dispositions = section.read_with("dispositions", dispositions);
    let disposition_needed = section.read::<bool>("disposition_required");
    let park_after = section.read_with("park_after", park_after);
    let abandon_after = section.read_with("abandon_after", or_zero);
    let resume_within = section.read_with("resume_within", or_zero);
    let overflows = overflows(section, id, known);
    let counts_rounds = |overflow: &Overflow| matches!(overflow.when, Trigger::Rounds(_));
    if strategy == Some(Strategy::Manual) && overflows.iter().flatten().any(counts_rounds) {
        let problem = "has rounds, and with strategy \"manual\" nobody is asked; use waited";
        section.problem("overflow", problem);
    }
    let hours = known.hours.of(section);
    let mut texts = texts(section, &TEXTS);
    Some(QueueRules {
        id: QueueId::from(id?),
        strategy: strategy?,
        assignment: assignment?,
        offer_timeout: offer_timeout?,
        round_pause: round_pause?,
        round_wait: round_wait?,
        sticky_wait: sticky_wait?,
        ageing: ageing?,
        skills: skills?,
        relaxations: relaxations?,
        wrap_up: wrap_up?,
        disposition_needed: disposition_needed?,
        dispositions: dispositions?,
        park_after: park_after?,
        abandon_after: abandon_after?,
        resume_within: resume_within?,
        overflows: overflows?,
        hours,
        closed_reply: texts.remove("closed_reply"),
        voicemail_reply: texts.remove("voicemail_reply"),
        form_reply: texts.remove("form_reply"),
        promises: domain::obligation::Rules::default(),
        callback_reply: texts.remove("callback_reply"),
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

/// A time that may be left out: none for "off" and "never".
struct Span(Option<Millis>);

impl Typed for Span {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        match String::read(entry).as_deref() {
            Ok("off" | "never") => Ok(Self(None)),
            Ok(_) | Err(_) => match Millis::read(entry) {
                Ok(span) => Ok(Self(Some(span))),
                Err(_) => wrong(
                    entry,
                    "must be a time such as \"30s\" or \"5m\", or \"off\"",
                ),
            },
        }
    }
}

/// A time; off is none at all.
pub(super) fn or_zero(entry: &Entry) -> Result<Millis, Vec<Wrong>> {
    Span::read(entry).map(|Span(span)| span.unwrap_or(Millis(0)))
}

/// A time; off is longer than anything waits.
fn or_never(entry: &Entry) -> Result<Millis, Vec<Wrong>> {
    Span::read(entry).map(|Span(span)| span.unwrap_or(Millis(i64::MAX)))
}

/// One time for everything but calls, or a table.
fn park_after(entry: &Entry) -> Result<BTreeMap<Medium, Millis>, Vec<Wrong>> {
    let spans: BTreeMap<Medium, Span> = if let Value::Table(table) = &entry.value {
        let mut wrongs = Vec::new();
        if let Some(call) = table.get(Medium::Voice.name()) {
            let problem = "a call cannot be put aside; remove voice";
            wrongs.push((call.place.clone(), problem.to_owned()));
        }
        let spans = BTreeMap::read(entry).unwrap_or_else(|more| {
            wrongs.extend(more);
            BTreeMap::new()
        });
        if !wrongs.is_empty() {
            return Err(wrongs);
        }
        spans
    } else {
        let Span(span) = Span::read(entry)?;
        let media = Medium::ALL.into_iter();
        media
            .filter(|medium| *medium != Medium::Voice)
            .map(|medium| (medium, Span(span)))
            .collect()
    };
    let given = spans.into_iter();
    Ok(given
        .filter_map(|(medium, Span(span))| Some((medium, span?)))
        .collect())
}

/// A skill by its name.
struct Skill(String);

impl Typed for Skill {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let text = String::read(entry)?;
        match skill_name(&text) {
            Ok(name) => Ok(Self(name)),
            Err(problem) => wrong(entry, format!("{text:?} is no skill; {problem}")),
        }
    }
}

pub(super) fn skills(entry: &Entry) -> Result<Skills, Vec<Wrong>> {
    let names = Vec::<Skill>::read(entry)?;
    if names.len() > SKILLS_MAX {
        let problem = format!("has {} skills; write at most {SKILLS_MAX}", names.len());
        return wrong(entry, problem);
    }
    Ok(names.into_iter().map(|Skill(name)| name).collect())
}

fn relaxations(section: &mut Section<'_>) -> Option<Vec<Relaxation>> {
    const EXAMPLE: &str = "{ after = \"60s\", drop = \"all\" }";
    let mut last: Option<Relaxation> = None;
    section.each("relax", RELAXATIONS_MAX, EXAMPLE, |step| {
        let after = step.require::<Millis>("after", "write such as after = \"60s\"");
        let drop = step.require_with("drop", "write such as drop = [\"lang:ru\"]", dropped);
        let relaxation = Relaxation {
            after: after?,
            drop: drop?,
        };
        match last.as_ref() {
            Some(last) if last.after >= relaxation.after => {
                step.problem("after", "must be longer than that of the one before");
            }
            Some(last) if last.drop == Dropped::All => {
                step.problem("drop", "comes after all were dropped; remove it");
            }
            Some(_) | None => {}
        }
        last = Some(relaxation.clone());
        Some(relaxation)
    })
}

fn dropped(entry: &Entry) -> Result<Dropped, Vec<Wrong>> {
    if let Value::Text(text) = &entry.value {
        return if text == "all" {
            Ok(Dropped::All)
        } else {
            wrong(
                entry,
                "must be \"all\" or a list of skills such as [\"lang:ru\"]",
            )
        };
    }
    let skills = skills(entry)?;
    if skills.is_empty() {
        return wrong(entry, "names no skill; write some, or \"all\"");
    }
    Ok(Dropped::These(skills))
}

fn wrap_up(section: &mut Section<'_>) -> Option<WrapUp> {
    const KINDS: [(&str, fn(Millis) -> WrapUp); 4] = [
        ("off", |_| WrapUp::Off),
        ("timed", WrapUp::Timed),
        ("fixed", WrapUp::Fixed),
        ("manual", WrapUp::Manual),
    ];
    let kind = section.read_with("wrap_up", |entry| choice(entry, &KINDS));
    let time = section.read::<Millis>("wrap_up_time");
    Some(kind?(time?))
}

fn dispositions(entry: &Entry) -> Result<Vec<String>, Vec<Wrong>> {
    let names = Vec::<Disposition>::read(entry)?;
    if names.len() > DISPOSITIONS_MAX {
        let count = names.len();
        return wrong(
            entry,
            format!("has {count} dispositions; write at most {DISPOSITIONS_MAX}"),
        );
    }
    let mut seen = BTreeSet::new();
    for Disposition(name) in &names {
        if !seen.insert(name) {
            return wrong(entry, format!("has {name:?} twice; write each once"));
        }
    }
    Ok(names.into_iter().map(|Disposition(name)| name).collect())
}

/// A verdict, as operators choose it.
struct Disposition(String);

impl Typed for Disposition {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let text = String::read(entry)?;
        let name = domain::text::line(&text, DISPOSITION_CHARS_MAX + 1);
        match name.chars().count() {
            0 => wrong(entry, "is blank; write a word or remove it"),
            1..=DISPOSITION_CHARS_MAX => Ok(Self(name)),
            _ => {
                let problem =
                    format!("is too long; write at most {DISPOSITION_CHARS_MAX} characters");
                wrong(entry, problem)
            }
        }
    }
}

fn overflows(
    section: &mut Section<'_>,
    id: Option<&str>,
    known: Known<'_>,
) -> Option<Vec<Overflow>> {
    const EXAMPLE: &str = "{ waited = \"5m\", to = \"form\" }";
    let count_max = usize::try_from(OVERFLOWS_MAX).unwrap_or(usize::MAX);
    let mut before: Vec<Overflow> = Vec::new();
    section.each("overflow", count_max, EXAMPLE, |way| {
        let overflow = overflow(way, id, known)?;
        if let Some(problem) = misplaced(&overflow, &before) {
            way.problem(order(overflow.when).0, problem);
        }
        before.push(overflow.clone());
        Some(overflow)
    })
}

/// What is wrong with a way out after those before it.
fn misplaced(overflow: &Overflow, before: &[Overflow]) -> Option<&'static str> {
    let (key, number) = order(overflow.when);
    let mut same = before
        .iter()
        .filter(|earlier| order(earlier.when).0 == key)
        .peekable();
    same.peek()?;
    if matches!(overflow.when, Trigger::Unstaffed | Trigger::Closing) {
        Some("is there twice; write it once")
    } else if same.clone().any(|earlier| order(earlier.when).1 >= number) {
        Some("is not above that of an earlier one; write them in ascending order")
    } else if matches!(overflow.when, Trigger::Waited(_) | Trigger::Rounds(_))
        && same.any(|earlier| leaves(&earlier.exit))
    {
        Some("comes too late, an earlier one has led out of the queue; remove it")
    } else {
        None
    }
}

/// The key of a trigger, and its number among others of the key.
const fn order(trigger: Trigger) -> (&'static str, i64) {
    match trigger {
        Trigger::Waited(age) => ("waited", age.0),
        Trigger::Rounds(rounds) => ("rounds", rounds as i64),
        Trigger::Unstaffed => ("unstaffed", 0),
        Trigger::Full(length) => ("full", length as i64),
        Trigger::Closing => ("closing", 0),
    }
}

const fn leaves(exit: &Exit) -> bool {
    match exit {
        Exit::Queue(_) | Exit::AnySkills => false,
        Exit::Voicemail | Exit::Form | Exit::Callback => true,
    }
}

fn overflow(way: &mut Section<'_>, id: Option<&str>, known: Known<'_>) -> Option<Overflow> {
    const TRIGGERS: [&str; 5] = ["waited", "full", "rounds", "unstaffed", "closing"];
    let mut given = way.keys();
    given.retain(|key| TRIGGERS.contains(&key.as_str()));
    let triggers = [
        way.read::<Millis>("waited").map(Trigger::Waited),
        way.read("full").map(|Count(length)| Trigger::Full(length)),
        way.read("rounds")
            .map(|Count(rounds)| Trigger::Rounds(rounds)),
        way.read_with("unstaffed", yes).map(|()| Trigger::Unstaffed),
        way.read_with("closing", yes).map(|()| Trigger::Closing),
    ];
    match given.as_slice() {
        [] => way.problem(
            "",
            "does not say when; write waited, full, rounds, unstaffed or closing",
        ),
        [_] => {}
        [..] => {
            let problem = format!("has {}; write one for each", given.join(" and "));
            way.problem("", &problem);
        }
    }
    let exit = way.require_with("to", "write such as to = \"form\"", |entry| {
        exit(entry, id, known.queues)
    });
    if given == ["closing"] && known.hours.is_empty() {
        let problem = "needs hours; add a section [[hours]], and its id to the queue or a line";
        way.problem("closing", problem);
    }
    let when = triggers.into_iter().flatten().next();
    Some(Overflow {
        when: when?,
        exit: exit?,
    })
}

/// What can only be true.
fn yes(entry: &Entry) -> Result<(), Vec<Wrong>> {
    if bool::read(entry)? {
        Ok(())
    } else {
        wrong(entry, "must be true; remove the line if it is not meant")
    }
}

fn exit(entry: &Entry, id: Option<&str>, queues: &BTreeSet<String>) -> Result<Exit, Vec<Wrong>> {
    const PLAIN: [Exit; 4] = [Exit::AnySkills, Exit::Voicemail, Exit::Form, Exit::Callback];
    let text = String::read(entry)?;
    if let Some(queue) = text.strip_prefix("queue:") {
        return if Some(queue) == id {
            wrong(entry, "leads to the same queue; name another one")
        } else if queues.contains(queue) {
            Ok(Exit::Queue(QueueId::from(queue)))
        } else {
            let known = queues.iter().map(String::as_str);
            wrong(entry, unknown(queue, known, "the queues are"))
        };
    }
    let names: Vec<&str> = PLAIN.iter().map(Exit::name).chain(["queue:ID"]).collect();
    let found = PLAIN.into_iter().find(|exit| exit.name() == text);
    found.map_or_else(|| wrong(entry, unknown(&text, names, "write")), Ok)
}
