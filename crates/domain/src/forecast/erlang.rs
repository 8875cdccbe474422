//! Erlang's formulas, which know no impatience.

use super::{millis, seconds};
use crate::Millis;

/// More operators than this are not counted with.
pub const OPERATORS_MAX: u32 = 10_000;

/// What comes in, and how long each takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Traffic {
    load: f64,
    aht: Millis,
}

impl Traffic {
    /// A load in erlangs: finite and not negative. The handling time is more than
    /// zero.
    pub fn of_load(load: f64, aht: Millis) -> Option<Self> {
        let good = load.is_finite() && load >= 0.0 && aht.0 > 0;
        good.then_some(Self { load, aht })
    }

    /// So many conversations in such a time.
    pub fn of_arrivals(count: u32, within: Millis, aht: Millis) -> Option<Self> {
        Self::of_load(f64::from(count) * seconds(aht) / seconds(within), aht)
    }

    /// In erlangs: how many operators it keeps busy, were nobody ever idle.
    pub fn load(self) -> f64 {
        self.load
    }

    /// The mean handling time.
    pub fn aht(self) -> Millis {
        self.aht
    }
}

/// The share of conversations that find everybody busy when nobody waits, but goes
/// away at once: `B(N) = A B(N-1) / (N + A B(N-1))`, `B(0) = 1` (A. K. Erlang, 1917;
/// the recurrence as in R. B. Cooper, "Introduction to Queueing Theory", 1981). Every
/// term is positive, so it is exact for any number of operators.
pub fn erlang_b(load: f64, operators: u32) -> f64 {
    (1..=operators).fold(1.0, |blocked, n| one_more(load, n, blocked))
}

fn one_more(load: f64, operators: u32, blocked: f64) -> f64 {
    let busy = load * blocked;
    busy / (f64::from(operators) + busy)
}

/// A queue in which everybody waits until they are served (A. K. Erlang, 1917; the
/// M/M/N queue as in L. Kleinrock, "Queueing Systems", volume 1, 1975).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangC {
    traffic: Traffic,
    operators: u32,
    wait_probability: f64,
}

impl ErlangC {
    /// For 1 to [`OPERATORS_MAX`] operators.
    pub fn new(traffic: Traffic, operators: u32) -> Option<Self> {
        let known = (1..=OPERATORS_MAX).contains(&operators);
        known.then(|| Self::of_blocked(traffic, operators, erlang_b(traffic.load, operators)))
    }

    /// `C = N B / (N - A (1 - B))`; when there is more load than operators the queue
    /// only grows, and everybody waits.
    fn of_blocked(traffic: Traffic, operators: u32, blocked: f64) -> Self {
        let n = f64::from(operators);
        let wait_probability = if traffic.load < n {
            n * blocked / (n - traffic.load + traffic.load * blocked)
        } else {
            1.0
        };
        Self {
            traffic,
            operators,
            wait_probability,
        }
    }

    /// The share of conversations that wait at all.
    pub fn wait_probability(self) -> f64 {
        self.wait_probability
    }

    /// The share that is answered within such a time: `1 - C e^(-(N - A) T / AHT)`.
    pub fn service_level(self, within: Millis) -> f64 {
        let spare = self.spare();
        if spare <= 0.0 {
            return 0.0;
        }
        let spans = seconds(within).max(0.0) / seconds(self.traffic.aht);
        1.0 - self.wait_probability * (-spare * spans).exp()
    }

    /// The average speed of answer, over all conversations: `C AHT / (N - A)`. None
    /// when the queue only grows.
    pub fn asa(self) -> Option<Millis> {
        self.asa_seconds().map(millis)
    }

    pub(super) fn asa_seconds(self) -> Option<f64> {
        let spare = self.spare();
        (spare > 0.0).then(|| self.wait_probability * seconds(self.traffic.aht) / spare)
    }

    /// The share of their time for which operators are busy: `A / N`, and 1 at most.
    pub fn occupancy(self) -> f64 {
        (self.traffic.load / f64::from(self.operators)).min(1.0)
    }

    fn spare(self) -> f64 {
        f64::from(self.operators) - self.traffic.load
    }
}

/// A service level to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Of all conversations, such as 0.8; less than 1.
    pub share: f64,
    /// Is answered within this time.
    pub within: Millis,
}

/// The fewest operators with whom the target is reached; none when it takes more than
/// [`OPERATORS_MAX`].
pub fn operators_needed(traffic: Traffic, target: Target) -> Option<u32> {
    let mut blocked = 1.0;
    (1..=OPERATORS_MAX).find(|operators| {
        blocked = one_more(traffic.load, *operators, blocked);
        let queue = ErlangC::of_blocked(traffic, *operators, blocked);
        queue.spare() > 0.0 && queue.service_level(target.within) >= target.share
    })
}
