use super::gamma::quantile;
use super::{millis, seconds};
use crate::Millis;

/// The shares of waits below the range and below its end.
const RANGE: (f64, f64) = (0.1, 0.9);

/// How long somebody who waits has still to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The mean.
    pub expected: Millis,
    /// One in ten waits less.
    pub low: Millis,
    /// One in ten waits longer.
    pub high: Millis,
}

/// The wait at a position, the first of which is 1, with so many operators who are
/// there and may take it, each busy for the mean handling time.
///
/// While all are busy, one of `n` operators becomes free every `AHT/n` on the mean,
/// at intervals that are exponential (L. Kleinrock, "Queueing Systems", volume 1,
/// 1975, M/M/n), so the wait at position `k` is the sum of `k` of these: it has the
/// gamma distribution with shape `k` and scale `AHT/n`, whose mean is `k·AHT/n`. The
/// range is that of its 10 % and 90 % quantiles. Nothing comes back when nobody is
/// there or nothing is known of the handling time.
pub fn estimate(position: u32, operators: u32, aht: Millis) -> Option<Estimate> {
    if position == 0 || operators == 0 || aht.0 <= 0 {
        return None;
    }
    let shape = f64::from(position);
    let scale = seconds(aht) / f64::from(operators);
    Some(Estimate {
        expected: millis(shape * scale),
        low: millis(quantile(shape, RANGE.0) * scale),
        high: millis(quantile(shape, RANGE.1) * scale),
    })
}
