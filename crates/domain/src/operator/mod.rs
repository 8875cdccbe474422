//! The people who answer: what they chose, what the router makes of it, and how
//! much they can carry.

mod capacity;
mod presence;
#[cfg(test)]
mod tests;

pub use capacity::{CapacityRules, Load};
pub use presence::{Effect, Input, RoutingState};

use serde::{Deserialize, Serialize};

use crate::{OperatorId, QueueId, Timestamp};

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers clients of their queues.
    Operator,
    /// Sees and moves everything.
    Supervisor,
    /// Also manages people, tokens and lines.
    Admin,
}

/// Whether a person takes work, as they chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Takes work.
    Ready,
    /// At work, takes nothing new.
    Away {
        /// In the person's own words.
        reason: String,
    },
    /// Not at work.
    Offline,
}

/// A queue an operator works for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The queue.
    pub queue: QueueId,
    /// The operator's order of queues: lower is served first.
    pub rank: i32,
}

/// A person who answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Unique in the store.
    pub id: OperatorId,
    /// The name to sign in by; unique, lower case.
    pub login: String,
    /// The name that colleagues and clients see.
    pub display_name: String,
    /// What they may do.
    pub role: Role,
    /// May not sign in, gets nothing.
    pub disabled: bool,
    /// The queues they work for.
    pub memberships: Vec<Membership>,
    /// Units in all.
    pub capacity: u32,
    /// Offers are accepted by themselves.
    pub auto_accept: bool,
    /// What they chose.
    pub presence: Presence,
    /// Takes effect when nothing is carried any more; until then nothing new comes
    /// unless it is Ready.
    pub next_presence: Option<Presence>,
    /// The end of the last handled conversation, or the first login; zero before.
    /// Away and back, a decline and a timeout leave it.
    pub idle_since: Timestamp,
    /// What they carry: active conversations and pending offers.
    pub load: Load,
    /// Offers missed in a row.
    pub misses: u32,
    /// Missed too many; gets nothing until they say Ready.
    pub not_responding: bool,
    /// Declined a moment ago; gets nothing until then.
    pub cool_down_until: Option<Timestamp>,
    /// Rises with every change.
    pub version: i64,
}
