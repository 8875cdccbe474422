//! What is measured: counters by hour, line, queue and operator, and the formulas of
//! the standard metrics over them.
//!
//! The counters come from changes, by the same functions whether a change happens
//! ([`observe`]) or is read from the event log ([`Replay`]), so that each can be
//! checked by the other. A new state of conversations needs an arm in [`Standing::of`];
//! a new kind of event that counts, one in [`Replay::read`].

mod counter;
mod counts;
mod formula;
pub mod observe;
mod replay;
mod standing;
#[cfg(test)]
mod tests;

pub use counter::{Counter, Diversion, Histogram, STEPS_S, Slot, steps_within};
pub use counts::{Counts, CutShort, HOUR_MS, Hour, Increment, Key};
pub use formula::{
    Metric, Thresholds, Unit, abandonment_rate, abandonment_rate_without_short, aht, asa,
    capacity_utilization, csat, csat_mean, first_response_time, hold_time, metrics, occupancy,
    offer_acceptance_rate, percentile, promise_kept_rate, reopen_rate, rona_rate, service_levels,
    talk_time, transfer_rate, wrap_up_time,
};
pub use observe::Activity;
pub use replay::{Comparison, Replay};
pub use standing::{Counted, Ending, Phase, REOPENED_WITHIN, Standing, Work};
