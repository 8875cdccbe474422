//! What is compared, and the models beside it.

use std::collections::BTreeMap;

use crate::forecast::{ErlangA, ErlangC, Traffic};
use crate::metrics::{
    Counter, Counts, HOUR_MS, Hour, Replay, Thresholds, abandonment_rate, aht, asa, occupancy,
    service_levels,
};
use crate::{Millis, OperatorId, QueueId};

/// The formula of the service level: answered in time, of all that were answered or
/// abandoned.
const SERVICE_LEVEL: usize = 2;
/// The part of the drawn outcomes below an interval, and above it.
const TAIL: f64 = 0.1;

/// The counters of a period, put together.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Of everything.
    pub all: Counts,
    /// By queue.
    pub queues: BTreeMap<QueueId, Counts>,
    /// By operator.
    pub operators: BTreeMap<OperatorId, Counts>,
    /// By hour.
    pub hours: BTreeMap<Hour, Counts>,
}

impl Figures {
    /// What a fold of events has counted.
    pub fn of(counted: &Replay) -> Self {
        let mut figures = Self::default();
        for (key, counts) in counted.counts() {
            figures.all.merge(counts);
            if let Some(queue) = &key.queue {
                let of_queue = figures.queues.entry(queue.clone()).or_default();
                of_queue.merge(counts);
            }
            if let Some(operator) = key.operator {
                figures.operators.entry(operator).or_default().merge(counts);
            }
            figures.hours.entry(key.hour).or_default().merge(counts);
        }
        figures
    }
}

/// One number that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Conversations that came to a queue.
    Offered,
    /// Conversations that an operator took up.
    Answered,
    /// The average speed of answer, in seconds.
    Asa,
    /// The share answered in time.
    ServiceLevel,
    /// The share whose clients left.
    Abandonment,
    /// The share of their time in which operators have work in hand.
    Occupancy,
}

impl Figure {
    /// What is told of every queue.
    pub const OF_QUEUES: [Self; 5] = [
        Self::Offered,
        Self::Answered,
        Self::Asa,
        Self::ServiceLevel,
        Self::Abandonment,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Answered => "answered",
            Self::Asa => "ASA, s",
            Self::ServiceLevel => "service level, %",
            Self::Abandonment => "abandonment, %",
            Self::Occupancy => "occupancy, %",
        }
    }

    /// Its value by the formulas of the metrics; none when there is nothing to divide
    /// by. Shares are in percent.
    pub fn of(self, counts: &Counts, soon: Thresholds) -> Option<f64> {
        match self {
            Self::Offered => Some(float(counts.get(Counter::Offered))),
            Self::Answered => Some(float(counts.get(Counter::Answered))),
            Self::Asa => asa(counts).value(),
            Self::ServiceLevel => {
                let level = service_levels(counts, soon)[SERVICE_LEVEL].value();
                level.map(|share| share * 100.0)
            }
            Self::Abandonment => abandonment_rate(counts).value().map(|share| share * 100.0),
            Self::Occupancy => occupancy(counts).value().map(|share| share * 100.0),
        }
    }
}

/// What was, what would have been, and how far apart they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The mean of what was.
    pub was: f64,
    /// The mean of what would have been.
    pub would_be: f64,
    /// The mean difference.
    pub by: f64,
    /// One difference in ten is less.
    pub low: f64,
    /// One difference in ten is more.
    pub high: f64,
}

/// Of runs in pairs: what was and what would have been, with the same things drawn.
/// None when there is no run with both.
pub fn difference(
    pairs: impl IntoIterator<Item = (Option<f64>, Option<f64>)>,
) -> Option<Difference> {
    let both = pairs.into_iter().filter_map(|(was, is)| Some((was?, is?)));
    let both: Vec<(f64, f64)> = both.collect();
    let mut apart: Vec<f64> = both.iter().map(|(was, is)| is - was).collect();
    let (low, high) = drawn_interval(&mut apart)?;
    let mean = |numbers: &mut dyn Iterator<Item = f64>| numbers.sum::<f64>() / length(both.len());
    Some(Difference {
        was: mean(&mut both.iter().map(|(was, _)| *was)),
        would_be: mean(&mut both.iter().map(|(_, is)| *is)),
        by: mean(&mut apart.iter().copied()),
        low,
        high,
    })
}

/// The interval in which eight of ten of these are. None of none.
pub fn drawn_interval(numbers: &mut [f64]) -> Option<(f64, f64)> {
    numbers.sort_by(f64::total_cmp);
    Some((quantile(numbers, TAIL)?, quantile(numbers, 1.0 - TAIL)?))
}

/// Between the two numbers around it, where it falls between two.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length is an index"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share * length(sorted.len().checked_sub(1)?);
    let below = at.floor();
    let (low, part) = (sorted.get(below as usize)?, at - below);
    let high = sorted.get(below as usize + 1).unwrap_or(low);
    Some(low + (high - low) * part)
}

/// What comes into a queue and who is there for it, on the mean of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The load.
    pub traffic: Traffic,
    /// How many conversations can be answered at once.
    pub servers: u32,
    /// The mean time until clients leave, if any do.
    pub patience: Option<Millis>,
}

/// The mean load of a queue's counters in a period. None when nothing was handled or
/// nobody was there.
pub fn rates(
    counts: &Counts,
    period: Millis,
    servers: f64,
    patience: Option<Millis>,
) -> Option<Rates> {
    let aht = aht(counts).value()?;
    let offered = u32::try_from(counts.get(Counter::Offered)).ok()?;
    Some(Rates {
        traffic: Traffic::of_arrivals(offered, period, millis(aht))?,
        servers: count(servers),
        patience,
    })
    .filter(|rates| rates.servers > 0)
}

/// What the models say of the same load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Models {
    /// Nobody leaves: none when there are more operators than it counts with.
    pub c: Option<ErlangC>,
    /// Clients leave after a time that is exponential; none when none did.
    pub a: Option<ErlangA>,
}

/// The models beside a load.
pub fn models(rates: Rates) -> Models {
    let patience = rates.patience;
    Models {
        c: ErlangC::new(rates.traffic, rates.servers),
        a: patience.and_then(|patience| ErlangA::new(rates.traffic, rates.servers, patience)),
    }
}

impl Figures {
    /// How many of these operators were at work, on the mean of a period.
    pub fn staff<'a>(
        &self,
        operators: impl IntoIterator<Item = &'a OperatorId>,
        period: Millis,
    ) -> f64 {
        let at_work = operators
            .into_iter()
            .filter_map(|id| self.operators.get(id));
        let time: i64 = at_work
            .map(|counts| counts.get(Counter::IdleMs) + counts.get(Counter::BusyMs))
            .sum();
        float(time) / float(period.0.max(1))
    }

    /// Hours of the period that has them.
    pub const fn hours_of(period: Millis) -> i64 {
        period.0 / HOUR_MS
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
fn length(number: usize) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates"
)]
fn count(number: f64) -> u32 {
    number.round() as u32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from a float saturates"
)]
fn millis(seconds: f64) -> Millis {
    Millis((seconds * 1_000.0).round() as i64)
}
