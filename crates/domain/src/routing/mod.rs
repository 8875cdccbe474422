//! Who gets which conversation: a pure function of what waits, who is free, and
//! the time.

mod explanation;
mod order;
mod outlook;
mod overflow;
mod row;
mod rules;
mod settle;
mod skills;
mod snapshot;
#[cfg(test)]
mod tests;
mod why;
mod worker;

pub use explanation::{Cause, Excluded, Explanation, Rule};
pub use order::CandidateKeys;
pub use outlook::{Outlook, outlook, outlooks};
pub use overflow::{Exit, OVERFLOWS_MAX, Overflow, Patience, QueueStatus, Trigger};
pub use rules::{
    Assignment, Dropped, LineRules, QueueRules, Relaxation, RoutingRules, Strategy, WrapUp,
};
pub use settle::settle;
pub use skills::Skills;
pub use snapshot::Snapshot;
pub use why::{Head, NextUp, NotYours, QueueOutlook, WhyNot, WhyWaiting, why_not, why_waiting};

use std::collections::{BTreeMap, BTreeSet};

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
    /// What whoever answers it has to have.
    pub skills: Skills,
    /// For whom it is held for a while: the operator of before.
    pub preferred: Option<OperatorId>,
    /// Operators who were asked in this round.
    pub tried: BTreeSet<OperatorId>,
    /// Who was asked or had it last, in whichever round.
    pub last_asked: Option<OperatorId>,
    /// When the last offer ended.
    pub asked_at: Option<Timestamp>,
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
    /// What they can do.
    pub skills: Skills,
    /// What they carry, pending offers included.
    pub load: Load,
    /// Units in all.
    pub capacity: u32,
    /// See [`crate::operator::Operator::idle_since`].
    pub idle_since: Timestamp,
    /// See [`CandidateKeys::turn`].
    pub turn: i64,
    /// Gets conversations without being asked.
    pub auto_accept: bool,
    /// Why they take nothing at all just now, if they do not.
    pub barred: Option<Rule>,
    /// Declined a moment ago; gets nothing until then.
    pub cool_down_until: Option<Timestamp>,
}

impl Candidate {
    /// What the operator is ordered by, but for their place in a queue's list.
    pub fn keys(&self, rules: &CapacityRules) -> CandidateKeys {
        CandidateKeys {
            operator: self.operator,
            load: self.load.units(rules),
            capacity: self.capacity,
            idle_since: self.idle_since,
            open: self.load.total(),
            turn: self.turn,
            position: 0,
        }
    }

    /// What keeps the operator from everything, if something does.
    pub fn barred(&self, now: Timestamp) -> Option<Rule> {
        self.barred.or_else(|| {
            self.cool_down_until
                .is_some_and(|until| until > now)
                .then_some(Rule::CoolingDown)
        })
    }

    /// What keeps the operator from anything of this medium, if something does.
    pub fn stopped(&self, rules: &CapacityRules, medium: Medium, now: Timestamp) -> Option<Rule> {
        self.barred(now)
            .or_else(|| rules.check(&self.load, self.capacity, medium).err())
    }

    /// Could take something of this medium, now or later: they are at work, and large
    /// enough for it.
    pub fn is_staffed(&self, rules: &CapacityRules, medium: Medium) -> bool {
        matches!(self.barred, None | Some(Rule::WrapUp))
            && rules.check(&Load::default(), self.capacity, medium).is_ok()
    }

    /// How they work for a queue, if they do: the least rank, where they are named twice.
    pub fn membership(&self, queue: &QueueId) -> Option<&Membership> {
        self.memberships
            .iter()
            .filter(|membership| membership.queue == *queue)
            .min_by_key(|membership| (membership.rank, membership.position))
    }
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
    /// Ask all of these until then; the first to accept has it.
    Ring {
        /// Which conversation.
        conversation: ConversationId,
        /// Whom, in order, each with why.
        operators: BTreeMap<OperatorId, Explanation>,
        /// When the offers time out.
        expires_at: Timestamp,
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

impl Decision {
    /// The conversation that it is about.
    pub fn conversation(&self) -> ConversationId {
        match self {
            Self::Offer { conversation, .. }
            | Self::Ring { conversation, .. }
            | Self::Assign { conversation, .. }
            | Self::NextRound { conversation, .. } => *conversation,
        }
    }
}
