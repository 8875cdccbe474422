//! Who gets which conversation: a pure function of what waits, who is free, and
//! the time.

mod explanation;
mod group;
mod rules;
mod settle;
#[cfg(test)]
mod tests;

pub use explanation::{CandidateKeys, Cause, Excluded, Explanation, Rule};
pub use rules::{Assignment, QueueRules, RoutingRules};
pub use settle::settle;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::message::Medium;
use crate::operator::{CapacityRules, Load, Membership};
use crate::{ConversationId, OperatorId, QueueId, Timestamp};

/// Where a conversation stands in its queue. Stamped once by the store's writer;
/// changed afterwards only by audited acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Lower is served first; 0 unless configured.
    pub band: i32,
    /// The moment of enqueueing minus any age credit.
    pub eligible_at: Timestamp,
    /// Breaks ties of time.
    pub seq: i64,
}

/// A conversation that waits, as the router sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which one.
    pub conversation: ConversationId,
    /// Where it waits.
    pub queue: QueueId,
    /// What it costs.
    pub medium: Medium,
    /// Where it stands.
    pub place: Place,
    /// Operators who were asked in this round.
    pub tried: BTreeSet<OperatorId>,
    /// Who was asked or had it last, in whichever round.
    pub last_asked: Option<OperatorId>,
    /// The round of asking, from 1.
    pub round: u32,
    /// A pause between rounds: not offered before.
    pub not_before: Option<Timestamp>,
}

/// An operator, as the router sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub operator: OperatorId,
    /// For which queues.
    pub memberships: Vec<Membership>,
    /// What they carry, pending offers included.
    pub load: Load,
    /// Units in all.
    pub capacity: u32,
    /// See [`crate::operator::Operator::idle_since`].
    pub idle_since: Timestamp,
    /// Gets conversations without being asked.
    pub auto_accept: bool,
    /// Why they take nothing at all just now, if they do not.
    pub barred: Option<Rule>,
}

impl Candidate {
    /// What the operator is ordered by.
    pub fn keys(&self, rules: &CapacityRules) -> CandidateKeys {
        CandidateKeys {
            operator: self.operator,
            load: self.load.units(rules),
            capacity: self.capacity,
            idle_since: self.idle_since,
        }
    }

    /// What keeps the operator from anything of this medium, if something does.
    pub fn stopped(&self, rules: &CapacityRules, medium: Medium) -> Option<Rule> {
        self.barred
            .or_else(|| rules.check(&self.load, self.capacity, medium).err())
    }
}

/// What `settle` looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// What waits, in any order. May be the heads of long queues only: then the
    /// caller asks again for more while an operator stays free.
    pub waiting: Vec<Waiting>,
    /// Everybody who works for the queues concerned, in any order.
    pub operators: Vec<Candidate>,
}

/// What `settle` wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Ask this operator until then.
    Offer {
        /// Which conversation.
        conversation: ConversationId,
        /// Whom.
        operator: OperatorId,
        /// When the offer times out.
        expires_at: Timestamp,
        /// Why.
        explanation: Explanation,
    },
    /// Give it to this operator at once.
    Assign {
        /// Which conversation.
        conversation: ConversationId,
        /// Whom.
        operator: OperatorId,
        /// Why.
        explanation: Explanation,
    },
    /// Everybody was asked: forget who, and begin again after a pause.
    NextRound {
        /// Which conversation.
        conversation: ConversationId,
        /// The number of the new round.
        round: u32,
        /// The end of the pause.
        not_before: Timestamp,
    },
}
