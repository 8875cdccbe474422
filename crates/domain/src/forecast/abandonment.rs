//! Erlang A: some leave before they are served.

use super::erlang::{OPERATORS_MAX, Traffic, erlang_b};
use super::gamma::{distribution, peak};
use super::{millis, seconds};
use crate::Millis;

/// Longer patience than so many handling times is taken as this: there is no
/// difference any more, and the sums stay short.
const PATIENCE_MAX: f64 = 1e6;

/// A queue whose clients leave after a time that is exponential with a mean: the
/// M/M/N+M queue (C. Palm, "Methods of Judging the Annoyance Caused by Congestion",
/// 1953; the formulas as in A. Mandelbaum and S. Zeltyn, "Service Engineering in
/// Action: The Palm/Erlang-A Queue", 2007).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangA {
    traffic: Traffic,
    operators: u32,
    wait_probability: f64,
    abandon_probability: f64,
    wait_seconds: f64,
}

/// What happens to those who wait.
struct Waiting {
    /// `1 / A(x, y)`, of which Palm's function is made: the share of time with all
    /// operators busy and nobody waiting, of the time with all busy.
    nobody_else: f64,
    /// The mean wait in units of patience, which is the share that leaves.
    abandon: f64,
}

impl ErlangA {
    /// For 1 to [`OPERATORS_MAX`] operators and a mean patience of more than zero.
    pub fn new(traffic: Traffic, operators: u32, patience: Millis) -> Option<Self> {
        if !(1..=OPERATORS_MAX).contains(&operators) || patience.0 <= 0 {
            return None;
        }
        let (load, n) = (traffic.load(), f64::from(operators));
        let aht = seconds(traffic.aht());
        let spans = (seconds(patience) / aht).min(PATIENCE_MAX);
        let waiting = waiting(n * spans, load * spans);
        // P(W > 0) = A B / (1 + (A - 1) B), turned so that nothing overflows.
        let blocked = erlang_b(load, operators);
        let wait_probability = if blocked > 0.0 {
            blocked / (blocked + (1.0 - blocked) * waiting.nobody_else)
        } else {
            0.0
        };
        let abandon_probability = wait_probability * waiting.abandon;
        Some(Self {
            traffic,
            operators,
            wait_probability,
            abandon_probability,
            // P(abandon) = θ E[W]: those who leave are those who wait, at the rate θ.
            wait_seconds: abandon_probability * spans * aht,
        })
    }

    /// The share of conversations that wait at all.
    pub fn wait_probability(self) -> f64 {
        self.wait_probability
    }

    /// The share whose clients leave before they are served.
    pub fn abandon_probability(self) -> f64 {
        self.abandon_probability
    }

    /// The mean wait over all conversations, until they are served or left.
    pub fn mean_wait(self) -> Millis {
        millis(self.wait_seconds)
    }

    /// The share of their time for which operators are busy, with those who stayed.
    pub fn occupancy(self) -> f64 {
        self.traffic.load() * (1.0 - self.abandon_probability) / f64::from(self.operators)
    }

    #[cfg(test)]
    pub(super) fn wait_seconds(self) -> f64 {
        self.wait_seconds
    }
}

/// With `x = Nμ/θ` and `y = λ/θ`, Palm's function is
/// `A(x, y) = x e^y y^-x γ(x, y) = 1 + y/(x+1) + y²/((x+1)(x+2)) + …`, of which the
/// term `j` is the weight of `j` who wait.
fn waiting(x: f64, y: f64) -> Waiting {
    if y > x {
        // P(abandon | wait) = 1/(ρ A) + 1 - 1/ρ. With more load than operators
        // nothing cancels, and the series would be long.
        let nobody_else = peak(x, y) / distribution(x, y).0;
        return Waiting {
            nobody_else,
            abandon: (x * nobody_else + (y - x)) / y,
        };
    }
    let (mut term, mut sum, mut waiters, mut count) = (1.0, 1.0, 0.0, 0.0);
    while term > 0.0 && term * count >= waiters * 1e-17 {
        count += 1.0;
        term *= y / (x + count);
        sum += term;
        waiters += count * term;
    }
    Waiting {
        nobody_else: 1.0 / sum,
        // By Little's law E[W] = E[Q]/λ, and in units of patience θ E[Q]/λ = E[Q]/y.
        abandon: if y > 0.0 { waiters / sum / y } else { 0.0 },
    }
}
