//! Whether the replay is what was recorded, and if it is not: of what, and why.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::metrics::{Comparison, Key};
use domain::whatif::Recording;

use super::text;
use crate::out;

/// Reloads that are told one by one.
const TOLD_MAX: usize = 5;

/// Says how much of the record came out again.
pub(super) fn tell(
    recording: &Recording,
    departed: u64,
    comparison: &Comparison,
    reloads: &[(Timestamp, String)],
) -> anyhow::Result<()> {
    out::line(format_args!(
        "{} to {}: {} conversations.",
        text(recording.from()),
        text(recording.to()),
        recording.arrivals()
    ))?;
    let (equal, different) = (comparison.equal, comparison.different.len());
    if departed == 0 && different == 0 {
        out::line(format_args!(
            "Replayed with the configuration unchanged: {equal} rows of counters are as recorded, \
             and none is different."
        ))?;
    } else {
        out::line(format_args!(
            "Replayed with the configuration unchanged: {equal} rows of counters are as recorded, \
             {different} are different, {departed} decisions were others. What is compared below \
             is two replays."
        ))?;
        if different > 0 {
            let whose: BTreeSet<String> = comparison.different.iter().map(whose).collect();
            let whose: Vec<String> = whose.into_iter().collect();
            out::line(format_args!("Different: {}.", whose.join(", ")))?;
        }
        why(recording, reloads)?;
    }
    let left_out = recording.left_out();
    if left_out.begun_before + left_out.unexplained > 0 {
        out::line(format_args!(
            "Not replayed: {} conversations that began before the log, {} changes that no act \
             explains.",
            left_out.begun_before, left_out.unexplained
        ))?;
    }
    Ok(())
}

/// The queue, or the operator's time, that a row is of.
fn whose<T>((key, ..): &(Key, T, T)) -> String {
    match (&key.queue, key.operator) {
        (Some(queue), _) => format!("queue {}", queue.as_str()),
        (None, Some(operator)) => format!("the time of operator {operator}"),
        (None, None) => "the whole".to_owned(),
    }
}

fn why(recording: &Recording, reloads: &[(Timestamp, String)]) -> anyhow::Result<()> {
    for (at, told) in reloads.iter().take(TOLD_MAX) {
        let at = text(*at);
        out::line(format_args!(
            "The configuration was another one before {at}: {told}."
        ))?;
    }
    if let more @ 1.. = reloads.len().saturating_sub(TOLD_MAX) {
        out::line(format_args!("It was changed {more} times more before."))?;
    }
    let left_out = recording.left_out();
    if reloads.is_empty() && left_out.begun_before + left_out.unexplained == 0 {
        out::line(format_args!(
            "No change of the configuration is recorded in this period. One that was made while \
             the gateway was stopped is not recorded."
        ))?;
    }
    Ok(())
}
