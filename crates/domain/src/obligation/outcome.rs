use serde::{Deserialize, Serialize};

use super::{Obligation, State};

/// How a promise ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done in time.
    Kept,
    /// Done after the time the client was told.
    Late,
    /// Not done.
    Broken,
    /// No longer needed; counts for nothing.
    Waived,
}

/// How many promises ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Done in time.
    pub kept: u64,
    /// Done after the time the client was told.
    pub late: u64,
    /// Not done.
    pub broken: u64,
    /// No longer needed.
    pub waived: u64,
}

impl Outcome {
    /// The name in storage and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Late => "late",
            Self::Broken => "broken",
            Self::Waived => "waived",
        }
    }
}

impl Obligation {
    /// How it ended; none while it is open.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.state {
            State::Open { .. } => None,
            State::Kept { .. } => Some(Outcome::Kept),
            State::Late { .. } => Some(Outcome::Late),
            State::Broken { .. } => Some(Outcome::Broken),
            State::Waived { .. } => Some(Outcome::Waived),
        }
    }
}

impl Outcomes {
    /// Counts one more.
    pub fn add(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Kept => &mut self.kept,
            Outcome::Late => &mut self.late,
            Outcome::Broken => &mut self.broken,
            Outcome::Waived => &mut self.waived,
        };
        *count += 1;
    }

    /// The promise-kept rate, kept / (kept + late + broken), from 0 to 1; none when
    /// nothing that counts has ended.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate needs no more than 52 bits"
    )]
    pub fn kept_rate(&self) -> Option<f64> {
        let all = self.kept + self.late + self.broken;
        (all > 0).then(|| self.kept as f64 / all as f64)
    }
}
