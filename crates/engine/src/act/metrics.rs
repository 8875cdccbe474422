//! Reading the metrics.

use std::collections::{BTreeMap, BTreeSet};

use domain::metrics::{Counts, HOUR_MS, Hour, Thresholds, observe};
use domain::{LineId, OperatorId, QueueId, Timestamp};
use jiff::tz::TimeZone;
use store::{MetricRow, StoreError, View};

use super::{ActError, Actor};
use crate::Engine;
use crate::reason::{Reason, malformed};

/// The longest range, and the longest of which every hour has a row.
const DAYS_MAX: i64 = 400;
const DAYS_BY_HOUR_MAX: i64 = 31;
/// Rows read for one answer: seconds of work, and far more than an office of a hundred
/// makes in a year.
const ROWS_MAX: usize = 3_000_000;
/// Names in one filter.
const FILTER_MAX: usize = 200;

/// By what metrics are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// All in one.
    #[default]
    Nothing,
    /// Each hour.
    Hour,
    /// Each day of the time zone.
    Day,
    /// Each hour of the day, of all days.
    HourOfDay,
    /// Each queue.
    Queue,
    /// Each line.
    Line,
    /// Each kind of channel.
    Channel,
    /// Each operator.
    Operator,
}

/// Which metrics.
#[derive(Clone, Debug, Default)]
pub struct MetricsQuery {
    /// The beginning.
    pub from: Timestamp,
    /// The end.
    pub to: Timestamp,
    /// By what they are put together.
    pub grouping: Grouping,
    /// The IANA name of a time zone; empty for UTC.
    pub time_zone: String,
    /// Only these queues, if any.
    pub queues: BTreeSet<QueueId>,
    /// Only these lines, if any.
    pub lines: BTreeSet<LineId>,
    /// Only these kinds of channel, if any.
    pub channels: BTreeSet<String>,
    /// Only what these have in hand, if any.
    pub operators: BTreeSet<OperatorId>,
    /// What "soon" means.
    pub soon: Thresholds,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsRow {
    /// What it is about, by name.
    pub key: String,
    /// When the hour or day begins.
    pub starts_at: Option<Timestamp>,
    /// What was counted.
    pub counts: Counts,
}

/// Metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsAnswer {
    /// In order.
    pub rows: Vec<MetricsRow>,
    /// All in one.
    pub total: MetricsRow,
    /// The hours that count: the first, and the one after the last.
    pub hours: (Hour, Hour),
    /// Whether the time of operators is in it.
    pub of_operators: bool,
}

/// A time zone by its IANA name; UTC when there is none.
fn zone(name: &str) -> Result<TimeZone, ActError> {
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    TimeZone::get(name).map_err(|_| ActError::Invalid {
        field: "time_zone",
        problem: malformed("give the IANA name of a time zone, such as Europe/Moscow"),
    })
}

impl Engine {
    /// The metrics of a range of hours, in groups.
    pub async fn metrics(
        &self,
        actor: &Actor,
        query: MetricsQuery,
    ) -> Result<MetricsAnswer, ActError> {
        let zone = zone(&query.time_zone)?;
        let hours = hours(&query)?;
        check_filters(&query)?;
        let (actor, now) = (actor.clone(), self.now());
        self.read(move |view| {
            let reading = Reading {
                channels: view.metric_channels()?,
                of_operators: has_operators(&actor, &query),
                actor,
                query,
                zone,
            };
            reading.read(view, hours, now)
        })
        .await
    }
}

fn hours(query: &MetricsQuery) -> Result<(Hour, Hour), ActError> {
    let invalid = |field, problem| Err(ActError::Invalid { field, problem });
    if query.from.0 <= 0 {
        return invalid("from", malformed("give the beginning"));
    }
    if query.to <= query.from {
        return invalid("to", malformed("give a time after the beginning"));
    }
    let days_max = if query.grouping == Grouping::Hour {
        DAYS_BY_HOUR_MAX
    } else {
        DAYS_MAX
    };
    if query.to.since(query.from).0 > days_max * 24 * HOUR_MS {
        return invalid("to", Reason::RangeTooLong { max: days_max });
    }
    let last = Hour::of(Timestamp(query.to.0 - 1));
    Ok((Hour::of(query.from), last.next()))
}

fn too_many() -> ActError {
    ActError::Invalid {
        field: "to",
        problem: Reason::TooMuchToAdd,
    }
}

fn check_filters(query: &MetricsQuery) -> Result<(), ActError> {
    let sizes = [
        ("queue_ids", query.queues.len()),
        ("line_ids", query.lines.len()),
        ("channels", query.channels.len()),
        ("operator_ids", query.operators.len()),
    ];
    match sizes.into_iter().find(|(_, size)| *size > FILTER_MAX) {
        Some((field, _)) => Err(ActError::Invalid {
            field,
            problem: malformed(format!("give at most {FILTER_MAX}")),
        }),
        None => Ok(()),
    }
}

/// Whether the time of operators belongs to what is asked. It belongs to no line and
/// no queue; and an operator sees their own beside their own work only.
fn has_operators(actor: &Actor, query: &MetricsQuery) -> bool {
    let of_all = query.queues.is_empty() && query.lines.is_empty() && query.channels.is_empty();
    let by_time = match query.grouping {
        Grouping::Nothing | Grouping::Hour | Grouping::Day | Grouping::HourOfDay => true,
        Grouping::Operator => return of_all,
        Grouping::Queue | Grouping::Line | Grouping::Channel => false,
    };
    let is_about_people = actor.queues().is_none() || !query.operators.is_empty();
    of_all && by_time && is_about_people
}

/// What a row is put under, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group(i64, String);

struct Reading {
    actor: Actor,
    query: MetricsQuery,
    zone: TimeZone,
    channels: BTreeMap<LineId, String>,
    of_operators: bool,
}

impl Reading {
    fn read(
        &self,
        view: &View<'_>,
        hours: (Hour, Hour),
        now: Timestamp,
    ) -> Result<MetricsAnswer, ActError> {
        let mut groups: BTreeMap<Group, Counts> = BTreeMap::new();
        let by_time = matches!(
            self.query.grouping,
            Grouping::Nothing | Grouping::Hour | Grouping::Day | Grouping::HourOfDay
        );
        // Rows come hour by hour, and those of an hour are often in one group.
        let mut of_hour = (hours.0, Counts::default());
        let mut rows = 0;
        view.each_metric(hours.0, hours.1, |row| {
            rows += 1;
            if rows > ROWS_MAX {
                return Err(too_many());
            }
            if !self.wants(&row) {
                return Ok(());
            }
            if !by_time {
                row.add_to(groups.entry(self.group(&row)).or_default())?;
                return Ok(());
            }
            if of_hour.0 != row.hour {
                let (hour, counts) = std::mem::replace(&mut of_hour, (row.hour, Counts::default()));
                self.add_hour(&mut groups, hour, &counts);
            }
            row.add_to(&mut of_hour.1)?;
            Ok(())
        })?;
        self.add_hour(&mut groups, of_hour.0, &of_hour.1);
        if self.of_operators {
            self.add_open_spans(view, hours, now, &mut groups)?;
        }
        Ok(self.answer(groups, hours))
    }

    fn add_hour(&self, groups: &mut BTreeMap<Group, Counts>, hour: Hour, counts: &Counts) {
        if !counts.is_empty() {
            let group = groups.entry(self.time_group(hour)).or_default();
            group.merge(counts);
        }
    }

    fn answer(&self, groups: BTreeMap<Group, Counts>, hours: (Hour, Hour)) -> MetricsAnswer {
        let mut total = MetricsRow::default();
        for counts in groups.values() {
            total.counts.merge(counts);
        }
        let is_time = matches!(self.query.grouping, Grouping::Hour | Grouping::Day);
        let has_rows = self.query.grouping != Grouping::Nothing;
        let groups = groups.into_iter().filter(|_| has_rows);
        let rows = groups.map(|(group, counts)| MetricsRow {
            key: group.1,
            starts_at: is_time.then_some(Timestamp(group.0)),
            counts,
        });
        MetricsAnswer {
            rows: rows.collect(),
            total,
            hours,
            of_operators: self.of_operators,
        }
    }

    fn wants(&self, row: &MetricRow<'_>) -> bool {
        let query = &self.query;
        if row.line.is_empty() && !self.of_operators {
            return false;
        }
        let is_named = |name: &str, wanted: bool| !name.is_empty() && wanted;
        let queue = query.queues.is_empty()
            || is_named(
                row.queue,
                query.queues.iter().any(|id| id.as_str() == row.queue),
            );
        let line = query.lines.is_empty()
            || is_named(
                row.line,
                query.lines.iter().any(|id| id.as_str() == row.line),
            );
        let channel = query.channels.is_empty() || query.channels.contains(self.channel(row.line));
        let operator = query.operators.is_empty()
            || row.operator.is_some_and(|id| query.operators.contains(&id));
        queue && line && channel && operator && self.may_see(row)
    }

    /// An operator sees their own, and of others the sums of their queues.
    fn may_see(&self, row: &MetricRow<'_>) -> bool {
        let Some(queues) = self.actor.queues() else {
            return true;
        };
        if row.operator.is_some() && row.operator == self.actor.operator {
            return true;
        }
        let by_person =
            self.query.grouping == Grouping::Operator || !self.query.operators.is_empty();
        let is_sum = row.operator.is_none() || !by_person;
        is_sum && queues.iter().any(|queue| queue.as_str() == row.queue)
    }

    fn channel(&self, line: &str) -> &str {
        let known = self.channels.get(&LineId::from(line));
        known.map_or("", String::as_str)
    }

    fn group(&self, row: &MetricRow<'_>) -> Group {
        match self.query.grouping {
            Grouping::Nothing | Grouping::Hour | Grouping::Day | Grouping::HourOfDay => {
                self.time_group(row.hour)
            }
            Grouping::Queue => Group(0, row.queue.to_owned()),
            Grouping::Line => Group(0, row.line.to_owned()),
            Grouping::Channel => Group(0, self.channel(row.line).to_owned()),
            Grouping::Operator => of_operator(row.operator),
        }
    }

    /// The group of everything in an hour, where groups are of time.
    fn time_group(&self, hour: Hour) -> Group {
        let local = || {
            let at = jiff::Timestamp::from_millisecond(hour.start().0).unwrap_or_default();
            at.to_zoned(self.zone.clone())
        };
        match self.query.grouping {
            Grouping::Hour => Group(hour.start().0, String::new()),
            Grouping::Day => {
                let at = local();
                let midnight = at.start_of_day().unwrap_or_else(|_| at.clone());
                Group(midnight.timestamp().as_millisecond(), at.date().to_string())
            }
            Grouping::HourOfDay => {
                let hour = local().hour();
                Group(i64::from(hour), hour.to_string())
            }
            Grouping::Nothing
            | Grouping::Queue
            | Grouping::Line
            | Grouping::Channel
            | Grouping::Operator => Group(0, String::new()),
        }
    }

    /// What operators have been doing since their last change is not written yet.
    fn add_open_spans(
        &self,
        view: &View<'_>,
        hours: (Hour, Hour),
        now: Timestamp,
        groups: &mut BTreeMap<Group, Counts>,
    ) -> Result<(), StoreError> {
        let clocks = view.operator_clocks()?;
        let mut open = Vec::new();
        for operator in view.all_operators()? {
            let wanted =
                self.query.operators.is_empty() || self.query.operators.contains(&operator.id);
            let visible = self.actor.queues().is_none() || self.actor.operator == Some(operator.id);
            if let Some(clock) = clocks.get(&operator.id).filter(|_| wanted && visible) {
                let from = clock.counted_at.max(hours.0.start());
                let to = now.min(hours.1.start());
                observe::span(&operator, from, to, &mut open);
            }
        }
        for one in open {
            let group = if self.query.grouping == Grouping::Operator {
                of_operator(one.key.operator)
            } else {
                self.time_group(one.key.hour)
            };
            groups
                .entry(group)
                .or_default()
                .add(one.what.number(), one.by);
        }
        Ok(())
    }
}

fn of_operator(operator: Option<OperatorId>) -> Group {
    match operator {
        Some(id) => Group(id.get(), id.to_string()),
        None => Group(0, String::new()),
    }
}

/// What queues have counted since midnight, read again only as far as it may have
/// changed.
#[derive(Clone, Debug)]
pub struct Today {
    zone: TimeZone,
    midnight: Timestamp,
    /// The hours before this one are over, and summed.
    hour: Hour,
    over: BTreeMap<String, Counts>,
}

impl Today {
    /// Of the day of a time zone, by its IANA name; of UTC when that is empty.
    pub fn of(time_zone: &str) -> Result<Self, ActError> {
        Ok(Self {
            zone: zone(time_zone)?,
            midnight: Timestamp(i64::MIN),
            hour: Hour(0),
            over: BTreeMap::new(),
        })
    }

    /// What each queue has counted by now.
    pub fn read(
        &mut self,
        view: &View<'_>,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Counts>, StoreError> {
        let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
        let local = at.to_zoned(self.zone.clone());
        let midnight = local.start_of_day().unwrap_or(local).timestamp();
        let midnight = Timestamp(midnight.as_millisecond());
        if midnight != self.midnight {
            self.midnight = midnight;
            self.hour = first_hour_from(midnight);
            self.over.clear();
        }
        let current = Hour::of(now);
        let mut sums = BTreeMap::new();
        view.each_metric(self.hour, current.next(), |row| {
            let sums = if row.hour < current {
                &mut self.over
            } else {
                &mut sums
            };
            if row.queue.is_empty() {
                return Ok(());
            }
            if let Some(known) = sums.get_mut(row.queue) {
                return row.add_to(known);
            }
            row.add_to(sums.entry(row.queue.to_owned()).or_default())
        })?;
        self.hour = current;
        for (queue, counts) in &self.over {
            sums.entry(queue.clone()).or_default().merge(counts);
        }
        Ok(sums)
    }
}

/// Where a zone is not whole hours away, an hour belongs to the day it begins in.
fn first_hour_from(midnight: Timestamp) -> Hour {
    Hour::of(Timestamp(midnight.0 + HOUR_MS - 1))
}
