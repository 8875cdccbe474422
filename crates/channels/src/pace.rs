//! How fast a provider takes messages, and how long it lets us answer.

use domain::Millis;

/// So many within a span, all at once if need be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u32,
    /// Within how long.
    pub per: Millis,
}

/// How fast a line may send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// All of it together.
    pub line: Option<Rate>,
    /// To one client.
    pub thread: Option<Rate>,
}

impl Rate {
    /// So many a second.
    pub const fn per_second(count: u32) -> Self {
        Self {
            count,
            per: Millis::from_secs(1),
        }
    }
}
