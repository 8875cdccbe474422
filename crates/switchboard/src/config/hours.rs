//! Opening hours, and what is said outside them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::hours::{DayHours, Days, Holiday, Schedule, Zone};

use super::Problem;
use super::document::{Entry, Place, Table, Value};
use super::lines::id;
use super::section::Section;
use super::value::{Typed, Wrong, nearest, unknown, wrong};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// More would be a calendar and slow every look at it.
const HOLIDAYS_MAX: usize = 1_000;

/// Every `[[hours]]`.
#[derive(Default)]
pub(super) struct Hours {
    schedules: BTreeMap<String, Arc<Schedule>>,
    /// Also of hours in which something is wrong.
    ids: BTreeSet<String>,
}

impl Hours {
    /// True when there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Those that a section names.
    pub(super) fn of(&self, section: &mut Section<'_>) -> Option<Arc<Schedule>> {
        let id = section.read::<String>("hours")?;
        if !self.ids.contains(&id) {
            let known = self.ids.iter().map(String::as_str);
            let problem = if self.ids.is_empty() {
                format!("{id:?} is unknown; add a section [[hours]] with id = {id:?}")
            } else {
                unknown(&id, known, "the hours are")
            };
            section.problem("hours", &problem);
        }
        self.schedules.get(&id).cloned()
    }
}

pub(super) fn hours(tables: Vec<(Place, Table)>, problems: &mut Vec<Problem>) -> Hours {
    let mut hours = Hours::default();
    for (number, (place, table)) in tables.into_iter().enumerate() {
        let mut section = Section::new(format!("hours #{}", number + 1), place, table, problems);
        let id = id(&mut section, &mut hours.ids);
        if let (Some(schedule), Some(id)) = (schedule(&mut section), id) {
            hours.schedules.insert(id, Arc::new(schedule));
        }
        section.finish();
    }
    hours
}

fn schedule(section: &mut Section<'_>) -> Option<Schedule> {
    let zone = section.require::<Zone>("zone", "write such as zone = \"Europe/Moscow\"");
    let holidays = section.read_with("holidays", holidays);
    let week = week(section);
    Some(Schedule::new(zone?, week, holidays.unwrap_or_default()))
}

/// Days that are not given are closed.
fn week(section: &mut Section<'_>) -> [DayHours; 7] {
    let mut week = [const { None }; 7];
    let mut keys: Vec<(String, Vec<usize>)> = section
        .keys()
        .into_iter()
        .filter_map(|key| days(&key).map(|days| (key, days)))
        .collect();
    if keys.is_empty() {
        section.problem("", "has no day; write such as mon-fri = \"09:00-18:00\"");
    }
    // A single day is told to be in a range, not the range to have a single day.
    keys.sort_by_key(|(_, days)| std::cmp::Reverse(days.len()));
    let mut given: [Option<String>; 7] = [const { None }; 7];
    for (key, days) in keys {
        let hours = section.read_with(&key, day_hours);
        if let Some(other) = days.iter().find_map(|day| given[*day].as_ref()) {
            section.problem(&key, &format!("is in {other} too; give each day once"));
        }
        for day in days {
            given[day] = Some(key.clone());
            week[day].clone_from(&hours);
        }
    }
    // Whoever misspells a day is told them all.
    for day in DAYS {
        section.read_with(day, day_hours);
    }
    week.map(Option::unwrap_or_default)
}

/// The days of a key: `sat`, `mon-fri`, or `mon_fri` as a variable writes it.
fn days(key: &str) -> Option<Vec<usize>> {
    let day = |name: &str| DAYS.iter().position(|day| *day == name);
    let (first, last) = key.split_once(['-', '_']).unwrap_or((key, key));
    let (first, last) = (day(first)?, day(last)?);
    let count = (last + DAYS.len() - first) % DAYS.len() + 1;
    Some((first..first + count).map(|day| day % DAYS.len()).collect())
}

/// One text, or a list of them.
fn items(entry: &Entry) -> &[Entry] {
    match &entry.value {
        Value::List(entries) => entries,
        Value::Text(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Table(_) => std::slice::from_ref(entry),
    }
}

fn day_hours(entry: &Entry) -> Result<DayHours, Vec<Wrong>> {
    let mut openings = Vec::new();
    let mut wrongs = Vec::new();
    for item in items(entry) {
        match DayHours::read(item) {
            Ok(hours) => openings.extend_from_slice(hours.openings()),
            Err(more) => wrongs.extend(more),
        }
    }
    if wrongs.is_empty() {
        DayHours::new(openings).or_else(|error| wrong(entry, error.to_string()))
    } else {
        Err(wrongs)
    }
}

fn holidays(entry: &Entry) -> Result<Vec<Holiday>, Vec<Wrong>> {
    let items = items(entry);
    if items.len() > HOLIDAYS_MAX {
        let problem = format!("has more than {HOLIDAYS_MAX} holidays; remove those that are over");
        return wrong(entry, problem);
    }
    let mut seen = BTreeSet::<Days>::new();
    let mut holidays = Vec::new();
    let mut wrongs = Vec::new();
    for item in items {
        match Holiday::read(item) {
            Ok(holiday) if seen.insert(holiday.days) => holidays.push(holiday),
            Ok(Holiday { days, .. }) => {
                let problem = format!(
                    "\"{days}\" is there twice; write it once, such as \
                     \"{days} 10:00-12:00, 14:00-16:00\""
                );
                wrongs.push((item.place.clone(), problem));
            }
            Err(more) => wrongs.extend(more),
        }
    }
    if wrongs.is_empty() {
        Ok(holidays)
    } else {
        Err(wrongs)
    }
}

impl Typed for Zone {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let name = String::read(entry)?;
        name.parse().or_else(|_| {
            let names = Zone::names();
            let city = format!("/{}", name.to_lowercase());
            let city = names.iter().find(|n| n.to_lowercase().ends_with(&city));
            let meant = city.map(String::as_str);
            let meant = meant.or_else(|| nearest(&name, names.iter().map(String::as_str)));
            let problem = match meant {
                Some(meant) => format!("{name:?} is unknown; did you mean {meant:?}?"),
                None => format!(
                    "{name:?} is unknown; write a zone of the IANA database such as \
                     \"Europe/Moscow\""
                ),
            };
            wrong(entry, problem)
        })
    }
}

impl Typed for DayHours {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let hours = String::read(entry)?.parse::<Self>();
        hours.or_else(|error| wrong(entry, error.to_string()))
    }
}

impl Typed for Holiday {
    fn read(entry: &Entry) -> Result<Self, Vec<Wrong>> {
        let holiday = String::read(entry)?.parse::<Self>();
        holiday.or_else(|error| wrong(entry, error.to_string()))
    }
}
