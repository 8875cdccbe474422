//! Whether the router keeps its own laws, judged from what was written and by other code
//! than the router's.
//!
//! A [`Witness`] reads the log of events, in which every change of a conversation or an
//! operator stands as it was made, and so knows how everything stood at each offer. It
//! knows nothing of the router but its rules, and shares none of its code: eligibility,
//! capacity and order are written here a second time, on purpose.

mod fitness;
mod standing;
mod witness;

pub use standing::Standing;
pub use witness::{Counts, Witness};

use serde::{Deserialize, Serialize};

use crate::{ConversationId, OperatorId, Timestamp};

/// What must always hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Law {
    /// Nobody is passed by somebody of the same queue who stands behind them.
    Overtake,
    /// Of the free operators, the first in the queue's order is asked.
    IdleOrder,
    /// Nobody is given more than they can carry.
    Capacity,
    /// Nobody is asked who is not there, has not the skills, or was asked already.
    Unfit,
    /// A conversation is in one place.
    TwoPlaces,
    /// Nothing waits that somebody who is free could answer.
    WorkLeft,
    /// What stands in the rows is what the log says.
    RowsDiffer,
    /// Counts and documents agree with each other.
    Books,
}

impl Law {
    /// Every law.
    pub const ALL: [Self; 8] = [
        Self::Overtake,
        Self::IdleOrder,
        Self::Capacity,
        Self::Unfit,
        Self::TwoPlaces,
        Self::WorkLeft,
        Self::RowsDiffer,
        Self::Books,
    ];

    /// The name in the contract and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overtake => "overtake",
            Self::IdleOrder => "idle_order",
            Self::Capacity => "capacity",
            Self::Unfit => "unfit",
            Self::TwoPlaces => "two_places",
            Self::WorkLeft => "work_left",
            Self::RowsDiffer => "rows_differ",
            Self::Books => "books",
        }
    }
}

/// A law was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which one.
    pub law: Law,
    /// When.
    pub at: Timestamp,
    /// The conversation concerned.
    pub conversation: Option<ConversationId>,
    /// The operator concerned.
    pub operator: Option<OperatorId>,
    /// What is wrong, for whoever looks into it.
    pub detail: String,
}
