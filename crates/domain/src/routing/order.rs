use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::Strategy;
use crate::{OperatorId, Timestamp};

/// What an operator is ordered by, as they stood when it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateKeys {
    /// Who.
    pub operator: OperatorId,
    /// Units in use.
    pub load: u32,
    /// Units in all.
    pub capacity: u32,
    /// See [`crate::operator::Operator::idle_since`].
    pub idle_since: Timestamp,
    /// Conversations carried, pending offers included.
    #[serde(default)]
    pub open: u32,
    /// Their last turn: rises with every offer to anybody; 0 before the first.
    #[serde(default)]
    pub turn: i64,
    /// Their place in the queue's list; the top is the least.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub position: i32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
const fn is_zero(number: &i32) -> bool {
    *number == 0
}

impl CandidateKeys {
    /// Compares the used shares of capacity exactly; who has no capacity comes last.
    fn cmp_share(&self, other: &Self) -> Ordering {
        let crosswise = |load: u32, capacity: u32| u64::from(load) * u64::from(capacity);
        (self.capacity == 0)
            .cmp(&(other.capacity == 0))
            .then_with(|| {
                crosswise(self.load, other.capacity).cmp(&crosswise(other.load, self.capacity))
            })
    }

    /// Which of two the strategy serves first. Never equal for two operators.
    pub fn compare(&self, other: &Self, strategy: Strategy) -> Ordering {
        let by_strategy = match strategy {
            Strategy::LongestIdle | Strategy::RingAll | Strategy::Manual => self
                .cmp_share(other)
                .then_with(|| self.idle_since.cmp(&other.idle_since)),
            Strategy::LeastBusy => self
                .open
                .cmp(&other.open)
                .then_with(|| self.idle_since.cmp(&other.idle_since)),
            Strategy::RoundRobin => self.turn.cmp(&other.turn),
            Strategy::StrictList => self.position.cmp(&other.position),
        };
        by_strategy.then_with(|| self.operator.cmp(&other.operator))
    }
}
