//! Figures, and how they are told.

use std::io::{self, Write as _};
use std::time::Duration;

use serde_json::Value;

/// How long each of many things took, in microseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times(Vec<u64>);

impl Times {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took.as_micros() as u64);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The time that a share of them did not exceed, in milliseconds.
    pub(crate) fn within_ms(&mut self, share: f64) -> f64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        let at = (share * last as f64).round() as usize;
        self.0.get(at).map_or(f64::NAN, |us| *us as f64 / 1_000.0)
    }

    pub(crate) fn p50_ms(&mut self) -> f64 {
        self.within_ms(0.5)
    }

    pub(crate) fn p99_ms(&mut self) -> f64 {
        self.within_ms(0.99)
    }
}

/// The middle one of a figure of every round.
pub(crate) fn median<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(figure).collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A figure as JSON, with as many digits as it deserves; null when it is not known.
pub(crate) fn figure(value: f64) -> Value {
    let scale = match value.abs() {
        size if size >= 100.0 => 1.0,
        size if size >= 1.0 => 100.0,
        _ => 10_000.0,
    };
    Value::from((value * scale).round() / scale)
}

/// Prints the two lines of a workload.
pub(crate) fn tell(human: &str, json: &Value) -> io::Result<()> {
    say(human)?;
    say(&json.to_string())
}

/// Prints a line at once: a parent may be waiting for it.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Tells what goes on, apart from the results.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Times, median};

    #[test]
    fn percentiles_and_medians() {
        let mut times = Times::default();
        for ms in (1..=100).rev() {
            times.add(Duration::from_millis(ms));
        }
        assert!((times.p50_ms() - 51.0).abs() < 0.1);
        assert!((times.p99_ms() - 99.0).abs() < 0.1);
        assert!((median(&[3.0, 1.0, 2.0], |value| *value) - 2.0).abs() < 1e-9);
    }
}
