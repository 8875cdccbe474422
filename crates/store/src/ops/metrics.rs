//! Counters of what happens: kept in the writer's memory through a transaction, and
//! written after its operations, so that an operation that is undone counts for
//! nothing and a row that many change is written once.

use std::collections::{BTreeMap, BTreeSet};

use domain::conversation::{Conversation, Offer};
use domain::event::Cursor;
use domain::message::Message;
use domain::metrics::{
    Activity, Comparison, Counts, Hour, Increment, Key, Replay, Standing, observe,
};
use domain::operator::Operator;
use domain::{ConversationId, LineId, Millis, OperatorId, QueueId, Timestamp};
use rusqlite::Connection;

use crate::{StoreError, Tx, View};

/// Rows that are remembered as they are written. An hour of a large office has more,
/// and then some are read again.
const KNOWN_MAX: usize = 4_096;
/// Events read at once when counters are made again.
const REPLAY_PAGE: i64 = 1_000;

/// An operator's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorClock {
    /// Up to when their time is counted.
    pub counted_at: Timestamp,
    /// Since when they do what they do.
    pub since: Timestamp,
}

/// One row of counters, as it is read.
#[derive(Clone, Copy, Debug)]
pub struct MetricRow<'a> {
    /// When.
    pub hour: Hour,
    /// On which line; empty for the time of operators.
    pub line: &'a str,
    /// In which queue; empty for the time of operators.
    pub queue: &'a str,
    /// By whom.
    pub operator: Option<OperatorId>,
    packed: &'a [u8],
}

impl MetricRow<'_> {
    /// Adds the counters to others.
    pub fn add_to(&self, counts: &mut Counts) -> Result<(), StoreError> {
        counts
            .merge_packed(self.packed)
            .map_err(|error| StoreError::Corrupt(format!("metrics of {}: {error}", self.hour.0)))
    }

    fn key(&self) -> Key {
        Key {
            hour: self.hour,
            line: (!self.line.is_empty()).then(|| LineId::from(self.line)),
            queue: (!self.queue.is_empty()).then(|| QueueId::from(self.queue)),
            operator: self.operator,
        }
    }
}

/// What the writer keeps for the counting.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    /// What this transaction counted.
    pub(crate) fresh: Vec<Increment>,
    clocks: BTreeMap<OperatorId, OperatorClock>,
    /// The clocks before the operation.
    pub(crate) undo: Vec<(OperatorId, Option<OperatorClock>)>,
    moved: BTreeSet<OperatorId>,
    channels: BTreeMap<LineId, String>,
    fresh_channels: BTreeMap<LineId, String>,
    /// The lines of conversations of this transaction.
    lines: BTreeMap<ConversationId, LineId>,
    known: BTreeMap<Key, Counts>,
}

impl Counting {
    pub(crate) fn load(view: &View<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            clocks: view.operator_clocks()?,
            channels: view.metric_channels()?,
            ..Self::default()
        })
    }

    pub(crate) fn undo_to(&mut self, fresh: usize) {
        self.fresh.truncate(fresh);
        for (id, before) in self.undo.drain(..).rev() {
            match before {
                Some(clock) => self.clocks.insert(id, clock),
                None => self.clocks.remove(&id),
            };
        }
    }

    fn of_line(&mut self, conversation: &Conversation) {
        let line = &conversation.line;
        self.lines.insert(conversation.id, line.clone());
        if self.channels.get(line) != Some(&conversation.channel) {
            let channel = conversation.channel.clone();
            self.fresh_channels.insert(line.clone(), channel);
        }
    }
}

impl Tx<'_> {
    /// Counts a new or changed conversation, and keeps with it what the next change
    /// has to know.
    pub(crate) fn count_conversation(
        &mut self,
        before: Option<&Conversation>,
        after: &mut Conversation,
    ) {
        let at = self.now();
        let counting = &mut self.state.counting;
        counting.of_line(after);
        let before = before.map(Standing::of);
        let standing = Standing::of(after);
        after.counted.since =
            observe::conversation(before.as_ref(), &standing, at, &mut counting.fresh);
    }

    pub(crate) fn count_message(&mut self, message: &Message, queue: &QueueId) {
        let at = self.now();
        observe::message(message, queue, at, &mut self.state.counting.fresh);
    }

    /// Counts an offer; its conversation is read when this transaction has not.
    pub(crate) fn count_offer(&mut self, offer: &Offer) -> Result<(), StoreError> {
        let known = self.state.counting.lines.get(&offer.conversation).cloned();
        let line = match known {
            Some(line) => Some(line),
            None => self.conversation(offer.conversation)?.map(|read| read.line),
        };
        if let Some(line) = line {
            let at = self.now();
            observe::offer(offer, &line, at, &mut self.state.counting.fresh);
        }
        Ok(())
    }

    /// Counts the time of an operator up to now.
    pub(crate) fn count_operator(&mut self, before: Option<&Operator>, after: &Operator) {
        let at = self.now();
        let counting = &mut self.state.counting;
        let clock = counting.clocks.get(&after.id).copied();
        let mut since = at;
        if let (Some(before), Some(clock)) = (before, clock) {
            observe::span(before, clock.counted_at, at, &mut counting.fresh);
            if Activity::of(before) == Activity::of(after) {
                since = clock.since;
            }
        }
        let moved = OperatorClock {
            counted_at: at,
            since,
        };
        counting.clocks.insert(after.id, moved);
        counting.undo.push((after.id, clock));
        counting.moved.insert(after.id);
    }

    /// Forgets counters of hours before `before`, a few at a time.
    pub fn prune_metrics(&mut self, before: Timestamp, limit: i64) -> Result<usize, StoreError> {
        self.execute(
            "delete from metric where (hour, line, queue, operator) in (
               select hour, line, queue, operator from metric where hour < ?1
               order by hour limit ?2)",
            (Hour::of(before).0, limit),
        )
    }
}

/// Writes what was counted, after the last savepoint of the transaction, and answers
/// it.
pub(crate) fn write(
    connection: &Connection,
    counting: &mut Counting,
) -> Result<Vec<Increment>, StoreError> {
    write_clocks(connection, counting)?;
    write_channels(connection, counting)?;
    counting.lines.clear();
    let fresh = std::mem::take(&mut counting.fresh);
    let mut sums: BTreeMap<&Key, Counts> = BTreeMap::new();
    for one in &fresh {
        sums.entry(&one.key)
            .or_default()
            .add(one.what.number(), one.by);
    }
    for (key, sum) in sums {
        add(connection, &mut counting.known, key, &sum)?;
    }
    Ok(fresh)
}

fn write_clocks(connection: &Connection, counting: &mut Counting) -> Result<(), StoreError> {
    for id in std::mem::take(&mut counting.moved) {
        let Some(clock) = counting.clocks.get(&id) else {
            continue;
        };
        connection
            .prepare_cached(
                "insert into metric_operator (operator, counted_at, since) values (?1, ?2, ?3)
                 on conflict (operator) do update set counted_at = excluded.counted_at,
                   since = excluded.since",
            )?
            .execute((id.get(), clock.counted_at.0, clock.since.0))?;
    }
    Ok(())
}

fn write_channels(connection: &Connection, counting: &mut Counting) -> Result<(), StoreError> {
    for (line, channel) in std::mem::take(&mut counting.fresh_channels) {
        connection
            .prepare_cached(
                "insert into metric_line (line, channel) values (?1, ?2)
                 on conflict (line) do update set channel = excluded.channel",
            )?
            .execute((line.as_str(), &channel))?;
        counting.channels.insert(line, channel);
    }
    Ok(())
}

/// Adds to a row, which is remembered until the hour is over.
fn add(
    connection: &Connection,
    known: &mut BTreeMap<Key, Counts>,
    key: &Key,
    sum: &Counts,
) -> Result<(), StoreError> {
    let line = key.line.as_ref().map_or("", LineId::as_str);
    let queue = key.queue.as_ref().map_or("", QueueId::as_str);
    let operator = key.operator.map_or(0, OperatorId::get);
    let place = (key.hour.0, line, queue, operator);
    if !known.contains_key(key) {
        let is_over = known
            .first_key_value()
            .is_some_and(|(first, _)| first.hour < key.hour);
        if is_over || known.len() >= KNOWN_MAX {
            known.clear();
        }
        let mut counts = Counts::default();
        let stored: Option<Vec<u8>> = View::new(connection).row(
            "select counts from metric
             where hour = ?1 and line = ?2 and queue = ?3 and operator = ?4",
            place,
            |row| Ok(row.get(0)?),
        )?;
        if let Some(stored) = stored {
            counts
                .merge_packed(&stored)
                .map_err(|error| StoreError::Corrupt(format!("metrics: {error}")))?;
        }
        known.insert(key.clone(), counts);
    }
    let Some(counts) = known.get_mut(key) else {
        return Ok(());
    };
    counts.merge(sum);
    connection
        .prepare_cached(
            "insert into metric (hour, line, queue, operator, counts)
             values (?1, ?2, ?3, ?4, ?5)
             on conflict do update set counts = excluded.counts",
        )?
        .execute((place.0, place.1, place.2, place.3, counts.pack()))?;
    Ok(())
}

fn metric_row<'a>(row: &'a rusqlite::Row<'_>) -> rusqlite::Result<MetricRow<'a>> {
    let operator: i64 = row.get(3)?;
    Ok(MetricRow {
        hour: Hour(row.get(0)?),
        line: row.get_ref(1)?.as_str()?,
        queue: row.get_ref(2)?.as_str()?,
        operator: (operator != 0).then(|| OperatorId::new(operator)),
        packed: row.get_ref(4)?.as_blob()?,
    })
}

impl View<'_> {
    /// Reads the counters from one hour up to another, which is not read any more.
    pub fn each_metric<E: From<StoreError>>(
        &self,
        from: Hour,
        to: Hour,
        mut read: impl FnMut(MetricRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error: rusqlite::Error| E::from(error.into());
        let sql = "select hour, line, queue, operator, counts from metric
             where hour >= ?1 and hour < ?2 order by hour";
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query((from.0, to.0)).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            read(metric_row(row).map_err(failed)?)?;
        }
        Ok(())
    }

    /// Whether there are counters of hours before a moment.
    pub fn has_metrics_before(&self, before: Timestamp) -> Result<bool, StoreError> {
        self.row(
            "select exists (select 1 from metric where hour < ?1)",
            [Hour::of(before).0],
            |row| Ok(row.get(0)?),
        )
        .map(|found| found.unwrap_or(false))
    }

    /// The channel of every line that ever had a conversation.
    pub fn metric_channels(&self) -> Result<BTreeMap<LineId, String>, StoreError> {
        let rows = self.rows("select line, channel from metric_line", (), |row| {
            Ok((LineId::new(row.get::<_, String>(0)?), row.get(1)?))
        })?;
        Ok(rows.into_iter().collect())
    }

    /// The clock of every operator of whom something was heard.
    pub fn operator_clocks(&self) -> Result<BTreeMap<OperatorId, OperatorClock>, StoreError> {
        let rows = self.rows(
            "select operator, counted_at, since from metric_operator",
            (),
            |row| {
                let clock = OperatorClock {
                    counted_at: Timestamp(row.get(1)?),
                    since: Timestamp(row.get(2)?),
                };
                Ok((OperatorId::new(row.get(0)?), clock))
            },
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Counts again from the event log, at most so far back, and compares.
    pub fn compare_metrics(&self, back: Option<Millis>) -> Result<Comparison, StoreError> {
        let (oldest, newest) = self.event_range()?;
        let counted_from: i64 = self
            .row(
                "select value from meta where key = 'metrics_from'",
                (),
                |row| Ok(row.get::<_, String>(0)?),
            )?
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let mut cursor = Cursor(counted_from.max(oldest.0 - 1));
        if let Some(back) = back {
            let since = self.last_written_at()? - back;
            cursor = cursor.max(self.cursor_before(since, cursor, newest)?);
        }
        let mut replay = match self.event_at(Cursor(cursor.0 + 1))? {
            Some(first) if cursor.0 > 0 => Replay::from(first),
            Some(_) | None => Replay::of_all(),
        };
        while let Some(events) = self.events_after(cursor, REPLAY_PAGE)?
            && let Some(last) = events.last()
        {
            cursor = last.cursor;
            for event in &events {
                replay.read(event);
            }
        }
        let mut stored: BTreeMap<Key, Counts> = BTreeMap::new();
        self.each_metric(replay.first_hour(), Hour(i64::MAX), |row| {
            row.add_to(stored.entry(row.key()).or_default())
        })?;
        Ok(replay.compare(&stored))
    }

    fn event_at(&self, cursor: Cursor) -> Result<Option<Timestamp>, StoreError> {
        self.row(
            "select at from event where cursor >= ?1 order by cursor limit 1",
            [cursor.0],
            |row| Ok(Timestamp(row.get(0)?)),
        )
    }

    /// The last event before a moment: times rise with the numbers.
    fn cursor_before(
        &self,
        at: Timestamp,
        mut low: Cursor,
        mut high: Cursor,
    ) -> Result<Cursor, StoreError> {
        while low < high {
            let middle = Cursor(low.0 + (high.0 - low.0 + 1) / 2);
            let is_before = self.event_at(middle)?.is_some_and(|found| found < at);
            if is_before {
                low = middle;
            } else {
                high = Cursor(middle.0 - 1);
            }
        }
        Ok(low)
    }
}
