//! How long one waits and how many operators are needed: formulas with their
//! authors, and nothing else.
//!
//! Everywhere the load is in erlangs: arrivals per unit of time, times the mean
//! handling time. The models assume that conversations arrive one by one and
//! independently, and that an operator handles one at a time.

mod abandonment;
mod erlang;
mod gamma;
mod handling;
mod wait;

#[cfg(test)]
mod tests;

use crate::Millis;

pub use abandonment::ErlangA;
pub use erlang::{ErlangC, OPERATORS_MAX, Target, Traffic, erlang_b, operators_needed};
pub use handling::{HandlingTime, WINDOW};
pub use wait::{Estimate, estimate};

#[expect(clippy::cast_precision_loss, reason = "exact up to 285,000 years")]
fn seconds(span: Millis) -> f64 {
    span.0 as f64 / 1_000.0
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from a float saturates"
)]
fn millis(seconds: f64) -> Millis {
    Millis((seconds * 1_000.0).round() as i64)
}
