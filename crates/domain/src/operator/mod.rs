//! The people who answer: what they chose, what the router makes of it, and how
//! much they can carry.

mod capacity;
mod presence;
#[cfg(test)]
mod tests;

pub use capacity::{CapacityRules, Load};
pub use presence::{Effect, GRACE, Input, RoutingState};

use serde::{Deserialize, Serialize};

use crate::routing::Skills;
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
    /// The queue's order of operators, where it goes by a list: the least is the top.
    #[serde(default)]
    pub position: i32,
}

/// Whether a person's pages or programs can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Nobody looks: no feed of theirs was ever open.
    #[default]
    Unwatched,
    /// At least one feed is open.
    Up,
    /// The last feed has ended.
    Down,
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
    /// What they can do, such as `billing` or `lang:ru`.
    #[serde(default, skip_serializing_if = "Skills::is_empty")]
    pub skills: Skills,
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
    /// The id of the last offer they had, for the order of turns; 0 before the first.
    #[serde(default)]
    pub turn: i64,
    /// What they carry: pending offers, active conversations and those they finish up.
    pub load: Load,
    /// Conversations that they finish up; nothing new comes as long as there is one.
    #[serde(default)]
    pub wrapping_up: u32,
    /// Offers missed in a row.
    pub misses: u32,
    /// Missed too many; gets nothing until they say Ready.
    pub not_responding: bool,
    /// Declined a moment ago; gets nothing until then.
    pub cool_down_until: Option<Timestamp>,
    /// Whether they can be reached.
    #[serde(default)]
    pub link: Link,
    /// They have gone, and then what cannot wait for them goes to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_at: Option<Timestamp>,
    /// Rises with every change.
    pub version: i64,
}
