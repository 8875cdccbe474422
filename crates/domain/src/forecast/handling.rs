use serde::{Deserialize, Serialize};

use crate::Millis;

/// Of how many conversations the mean is made, in effect: each counts for one part in
/// ten, the one before it for nine tenths of that, and so on.
pub const WINDOW: u32 = 10;

/// The mean handling time of a queue, in which what was long ago fades: the
/// exponentially weighted mean (S. W. Roberts, "Control Chart Tests Based on
/// Geometric Moving Averages", 1959) with the weight 1/[`WINDOW`]. The first
/// conversations are a plain mean, so that the very first is not weighed too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandlingTime {
    mean: Millis,
    count: u32,
}

impl HandlingTime {
    /// The mean, unless nothing was handled yet.
    pub fn mean(self) -> Option<Millis> {
        (self.count > 0).then_some(self.mean)
    }

    /// The mean with one more conversation.
    #[must_use]
    pub fn with(self, handled: Millis) -> Self {
        let count = self.count.saturating_add(1).min(WINDOW);
        let (parts, mean) = (i64::from(count), self.mean.0);
        let away = handled.0.max(0) - mean;
        // To the nearest: cut off, the mean would lag behind for ever.
        let step = away.saturating_add(away.signum() * (parts / 2)) / parts;
        Self {
            mean: Millis(mean + step),
            count,
        }
    }
}
