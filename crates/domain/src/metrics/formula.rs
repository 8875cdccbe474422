//! The metrics by their standard names, each with its formula's id. What a formula
//! divides is told beside its value, so that rows can be put together by others.

use super::{Counter, Counts, Diversion, Histogram, STEPS_S, steps_within};
use crate::message::Medium;
use crate::operator::CapacityRules;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A length of time.
    Seconds,
    /// A part of one.
    Ratio,
    /// A number of points.
    Score,
}

impl Unit {
    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Seconds => "seconds",
            Self::Ratio => "ratio",
            Self::Score => "score",
        }
    }
}

/// One metric of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The standard name.
    pub name: &'static str,
    /// The formula's id, which never means another formula.
    pub formula: &'static str,
    /// What the value is.
    pub unit: Unit,
    /// What is divided, or the value itself.
    pub numerator: f64,
    /// By what; none when nothing is divided.
    pub denominator: Option<f64>,
}

impl Metric {
    /// The value; none when it would be a division by zero.
    pub fn value(&self) -> Option<f64> {
        match self.denominator {
            None => Some(self.numerator),
            Some(0.0) => None,
            Some(denominator) => Some(self.numerator / denominator),
        }
    }
}

/// What "soon" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    target: usize,
    short: usize,
}

impl Default for Thresholds {
    /// An answer within 20 seconds; who leaves within 5 gave nobody a chance.
    fn default() -> Self {
        Self {
            target: 4,
            short: 1,
        }
    }
}

impl Thresholds {
    /// Of seconds that are ends of steps; see [`STEPS_S`].
    pub fn new(target_s: i64, short_s: i64) -> Option<Self> {
        Some(Self {
            target: steps_within(target_s)?,
            short: steps_within(short_s)?,
        })
    }

    /// The time within which an answer is in time, in seconds.
    pub fn target_s(self) -> i64 {
        STEPS_S[self.target - 1]
    }

    /// The time within which giving up is too short to count, in seconds.
    pub fn short_s(self) -> i64 {
        STEPS_S[self.short - 1]
    }
}

/// How much of a histogram's steps are looked at for a percentile.
const PERCENTILES: [(&str, &str, f64); 3] = [
    ("answer_time_p50", "percentile.answered_wait.50", 0.5),
    ("answer_time_p80", "percentile.answered_wait.80", 0.8),
    ("answer_time_p95", "percentile.answered_wait.95", 0.95),
];

/// What stands for the part of the names, in the order of [`Diversion::ALL`].
const DIVERTED: [(&str, &str); 9] = [
    ("diverted_to_queue", "count.diverted.queue"),
    ("diverted_closed", "count.diverted.closed"),
    ("diverted_to_voicemail", "count.diverted.voicemail"),
    ("diverted_to_form", "count.diverted.form"),
    ("diverted_to_callback", "count.diverted.callback"),
    ("diverted_by_hours", "count.diverted.hours"),
    ("diverted_by_full_queue", "count.diverted.full_queue"),
    ("diverted_unstaffed", "count.diverted.unstaffed"),
    ("diverted_otherwise", "count.diverted.other"),
];

/// Every metric of some counters. Those about the time of operators are there only
/// when `of_operators`: no line or queue has a share in it.
pub fn metrics(
    counts: &Counts,
    soon: Thresholds,
    rules: &CapacityRules,
    of_operators: bool,
) -> Vec<Metric> {
    let mut all = volumes(counts, soon);
    all.extend(service_levels(counts, soon));
    all.extend([
        abandonment_rate(counts),
        abandonment_rate_without_short(counts, soon),
        asa(counts),
    ]);
    all.extend(PERCENTILES.into_iter().filter_map(|(name, formula, part)| {
        let seconds = percentile(counts, Histogram::Answered, part)?;
        Some(plain(name, formula, Unit::Seconds, seconds))
    }));
    all.extend([
        first_response_time(counts),
        aht(counts),
        talk_time(counts),
        hold_time(counts),
        wrap_up_time(counts),
        offer_acceptance_rate(counts),
        rona_rate(counts),
        transfer_rate(counts),
        reopen_rate(counts),
        promise_kept_rate(counts),
        csat(counts),
        csat_mean(counts),
    ]);
    if of_operators {
        all.extend([
            seconds("ready_idle_time", "sum.ready_idle", counts, Counter::IdleMs),
            seconds("handling_time", "sum.handling", counts, Counter::BusyMs),
            seconds("away_time", "sum.away", counts, Counter::AwayMs),
            seconds(
                "not_responding_time",
                "sum.not_responding",
                counts,
                Counter::NotRespondingMs,
            ),
            occupancy(counts),
            capacity_utilization(counts, rules),
        ]);
    }
    all
}

fn volumes(counts: &Counts, soon: Thresholds) -> Vec<Metric> {
    let one =
        |name, formula, counter| plain(name, formula, Unit::Count, float(counts.get(counter)));
    let short = float(counts.within(Histogram::Abandoned, soon.short));
    let diverted = |why: Diversion| counts.get(why.counter());
    let all_diverted: i64 = Diversion::ALL.into_iter().map(diverted).sum();
    let mut volumes = vec![
        one("opened", "count.opened", Counter::Opened),
        one("started", "count.started", Counter::Started),
        one("deferred", "count.deferred", Counter::Deferred),
        one("offered", "count.offered", Counter::Offered),
        one("answered", "count.answered", Counter::Answered),
        one("abandoned", "count.abandoned", Counter::Abandoned),
        plain(
            "short_abandons",
            "count.abandoned.short",
            Unit::Count,
            short,
        ),
        plain(
            "diverted",
            "count.diverted",
            Unit::Count,
            float(all_diverted),
        ),
    ];
    let by_reason = Diversion::ALL.into_iter().zip(DIVERTED);
    volumes.extend(
        by_reason
            .map(|(why, (name, formula))| plain(name, formula, Unit::Count, float(diverted(why)))),
    );
    volumes.extend([
        one("handled", "count.handled", Counter::Handled),
        one("closed", "count.closed", Counter::Closed),
        one("reopened", "count.reopened", Counter::Reopened),
        one("transferred", "count.transferred", Counter::Transferred),
        one("returned", "count.returned", Counter::Returned),
        one("messages_in", "count.messages.in", Counter::MessagesIn),
        one("messages_out", "count.messages.out", Counter::MessagesOut),
        one("offers_made", "count.offers.made", Counter::OffersMade),
        one(
            "offers_accepted",
            "count.offers.accepted",
            Counter::OffersAccepted,
        ),
        one(
            "offers_declined",
            "count.offers.declined",
            Counter::OffersDeclined,
        ),
        one("rona", "count.offers.timed_out", Counter::OffersTimedOut),
        one(
            "offers_rescinded",
            "count.offers.rescinded",
            Counter::OffersRescinded,
        ),
        one(
            "offers_revoked",
            "count.offers.revoked",
            Counter::OffersRevoked,
        ),
        one("assigned", "count.assigned", Counter::Assigned),
        one("ratings", "count.ratings", Counter::Ratings),
    ]);
    volumes
}

/// The five definitions of the service level in use, the default first: it is the
/// strictest.
pub fn service_levels(counts: &Counts, soon: Thresholds) -> [Metric; 5] {
    let answered = counts.get(Counter::Answered);
    let abandoned = counts.get(Counter::Abandoned);
    let in_time = counts.within(Histogram::Answered, soon.target);
    let left_in_time = counts.within(Histogram::Abandoned, soon.target);
    let left_at_once = counts.within(Histogram::Abandoned, soon.short);
    let all = answered + abandoned;
    let level = |name, formula, numerator, denominator| {
        ratio(name, formula, Unit::Ratio, numerator, denominator)
    };
    [
        level(
            "service_level",
            "sl.answered_in_time/answered_and_abandoned",
            in_time,
            all,
        ),
        level(
            "service_level_of_answered",
            "sl.answered_in_time/answered",
            in_time,
            answered,
        ),
        level(
            "service_level_all_in_time",
            "sl.answered_and_abandoned_in_time/answered_and_abandoned",
            in_time + left_in_time,
            all,
        ),
        level(
            "service_level_late_abandons",
            "sl.answered_in_time/answered_and_abandoned_late",
            in_time,
            answered + abandoned - left_in_time,
        ),
        level(
            "service_level_short_abandons",
            "sl.answered_in_time_and_short_abandons/answered_and_abandoned",
            in_time + left_at_once,
            all,
        ),
    ]
}

/// The average speed of answer.
pub fn asa(counts: &Counts) -> Metric {
    average(
        "asa",
        "asa.wait/answered",
        counts.get(Counter::AnsweredWaitMs),
        counts.get(Counter::Answered),
    )
}

/// The average handling time.
pub fn aht(counts: &Counts) -> Metric {
    let work = [Counter::TalkMs, Counter::HoldMs, Counter::WrapUpMs];
    average(
        "aht",
        "aht.talk_hold_wrap_up/handled",
        work.into_iter().map(|counter| counts.get(counter)).sum(),
        counts.get(Counter::Handled),
    )
}

/// The average time in conversation.
pub fn talk_time(counts: &Counts) -> Metric {
    let handled = counts.get(Counter::Handled);
    average(
        "talk_time",
        "talk/handled",
        counts.get(Counter::TalkMs),
        handled,
    )
}

/// The average time on hold.
pub fn hold_time(counts: &Counts) -> Metric {
    let handled = counts.get(Counter::Handled);
    average(
        "hold_time",
        "hold/handled",
        counts.get(Counter::HoldMs),
        handled,
    )
}

/// The average time of the work afterwards.
pub fn wrap_up_time(counts: &Counts) -> Metric {
    let handled = counts.get(Counter::Handled);
    average(
        "wrap_up_time",
        "wrap_up/handled",
        counts.get(Counter::WrapUpMs),
        handled,
    )
}

/// The average time from a conversation's beginning to the first reply of a person.
pub fn first_response_time(counts: &Counts) -> Metric {
    average(
        "frt",
        "frt.first_reply/replied",
        counts.get(Counter::FirstReplyMs),
        counts.get(Counter::FirstReplies),
    )
}

/// The part of those who waited to an end that gave up.
pub fn abandonment_rate(counts: &Counts) -> Metric {
    let abandoned = counts.get(Counter::Abandoned);
    ratio(
        "abandonment_rate",
        "abandoned/answered_and_abandoned",
        Unit::Ratio,
        abandoned,
        counts.get(Counter::Answered) + abandoned,
    )
}

/// The same without those who left almost at once.
pub fn abandonment_rate_without_short(counts: &Counts, soon: Thresholds) -> Metric {
    let late = counts.get(Counter::Abandoned) - counts.within(Histogram::Abandoned, soon.short);
    ratio(
        "abandonment_rate_without_short",
        "abandoned_not_short/answered_and_abandoned_not_short",
        Unit::Ratio,
        late,
        counts.get(Counter::Answered) + late,
    )
}

/// The part of an operator's working time with something in hand.
pub fn occupancy(counts: &Counts) -> Metric {
    let busy = counts.get(Counter::BusyMs);
    ratio(
        "occupancy",
        "handling/handling_and_ready_idle",
        Unit::Ratio,
        busy,
        busy + counts.get(Counter::IdleMs),
    )
}

/// The part of the operators' capacity that is in use, by the costs of now.
pub fn capacity_utilization(counts: &Counts, rules: &CapacityRules) -> Metric {
    let used = Medium::ALL.into_iter().map(|medium| {
        let carried = counts.get(Counter::carried(medium));
        carried.saturating_mul(i64::from(rules.cost_of(medium)))
    });
    ratio(
        "capacity_utilization",
        "units_in_use/units_at_work",
        Unit::Ratio,
        used.sum(),
        counts.get(Counter::CapacityUnitMs),
    )
}

/// The part of the offers that was accepted.
pub fn offer_acceptance_rate(counts: &Counts) -> Metric {
    ratio(
        "offer_acceptance_rate",
        "offers_accepted/offers_made",
        Unit::Ratio,
        counts.get(Counter::OffersAccepted),
        counts.get(Counter::OffersMade),
    )
}

/// The part of the offers that nobody answered.
pub fn rona_rate(counts: &Counts) -> Metric {
    ratio(
        "rona_rate",
        "offers_timed_out/offers_made",
        Unit::Ratio,
        counts.get(Counter::OffersTimedOut),
        counts.get(Counter::OffersMade),
    )
}

/// The part of the handled that was passed on.
pub fn transfer_rate(counts: &Counts) -> Metric {
    ratio(
        "transfer_rate",
        "transferred/handled",
        Unit::Ratio,
        counts.get(Counter::Transferred),
        counts.get(Counter::Handled),
    )
}

/// How many came again soon, for each that ended.
pub fn reopen_rate(counts: &Counts) -> Metric {
    ratio(
        "reopen_rate",
        "reopened/closed",
        Unit::Ratio,
        counts.get(Counter::Reopened),
        counts.get(Counter::Closed),
    )
}

/// The part of the promises that was kept in time.
pub fn promise_kept_rate(counts: &Counts) -> Metric {
    let kept = counts.get(Counter::PromisesKept);
    let missed = counts.get(Counter::PromisesLate) + counts.get(Counter::PromisesBroken);
    ratio(
        "promise_kept_rate",
        "promises_in_time/promises_ended",
        Unit::Ratio,
        kept,
        kept + missed,
    )
}

/// The part of the ratings that is one of the two best of five.
pub fn csat(counts: &Counts) -> Metric {
    ratio(
        "csat",
        "ratings_of_4_and_5/ratings",
        Unit::Ratio,
        counts.get(Counter::RatingsSatisfied),
        counts.get(Counter::Ratings),
    )
}

/// The mean of the ratings.
pub fn csat_mean(counts: &Counts) -> Metric {
    ratio(
        "csat_mean",
        "sum_of_ratings/ratings",
        Unit::Score,
        counts.get(Counter::RatingsSum),
        counts.get(Counter::Ratings),
    )
}

/// The length below which this part of a histogram lies, in seconds: steps are taken
/// as filled evenly, and what is longer than the last as no longer than it.
pub fn percentile(counts: &Counts, histogram: Histogram, part: f64) -> Option<f64> {
    let total = counts.within(histogram, STEPS_S.len() + 1);
    if total == 0 {
        return None;
    }
    let wanted = float(total) * part;
    let mut before = 0.0;
    let mut from = 0.0;
    for (step, end) in STEPS_S.into_iter().enumerate() {
        let here = float(counts.slot(histogram.slot(step)));
        let end = float(end);
        if here > 0.0 && before + here >= wanted {
            return Some(from + (end - from) * ((wanted - before) / here));
        }
        before += here;
        from = end;
    }
    Some(from)
}

fn plain(name: &'static str, formula: &'static str, unit: Unit, value: f64) -> Metric {
    Metric {
        name,
        formula,
        unit,
        numerator: value,
        denominator: None,
    }
}

fn seconds(name: &'static str, formula: &'static str, counts: &Counts, of: Counter) -> Metric {
    plain(
        name,
        formula,
        Unit::Seconds,
        float(counts.get(of)) / 1_000.0,
    )
}

fn average(name: &'static str, formula: &'static str, sum_ms: i64, count: i64) -> Metric {
    Metric {
        name,
        formula,
        unit: Unit::Seconds,
        numerator: float(sum_ms) / 1_000.0,
        denominator: Some(float(count)),
    }
}

fn ratio(
    name: &'static str,
    formula: &'static str,
    unit: Unit,
    numerator: i64,
    denominator: i64,
) -> Metric {
    Metric {
        name,
        formula,
        unit,
        numerator: float(numerator),
        denominator: Some(float(denominator)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a metric needs no more than 52 bits"
)]
fn float(number: i64) -> f64 {
    number as f64
}
