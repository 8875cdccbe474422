use serde::{Deserialize, Serialize};

use crate::routing::Explanation;
use crate::{ConversationId, OfferId, OperatorId, QueueId, Timestamp};

/// How an offer stands. Final states are final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferState {
    /// The operator is asked.
    Pending,
    /// It has ended.
    Ended {
        /// When.
        at: Timestamp,
        /// How.
        outcome: OfferOutcome,
    },
}

/// How an offer ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferOutcome {
    /// By acceptance.
    Accepted,
    /// The operator said no.
    Declined {
        /// In the operator's words.
        reason: String,
    },
    /// Not answered in time.
    TimedOut,
    /// The client has gone, or someone else has it: nobody's miss.
    Rescinded {
        /// For a person to read.
        reason: String,
    },
    /// The operator has gone, or a supervisor took it back.
    Revoked {
        /// For a person to read.
        reason: String,
    },
}

/// A time-limited proposal of one conversation to one operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Unique in the store.
    pub id: OfferId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Who is asked.
    pub operator: OperatorId,
    /// The queue it came from.
    pub queue: QueueId,
    /// How it stands.
    pub state: OfferState,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it times out.
    pub expires_at: Timestamp,
    /// Why it went to whom it went.
    pub explanation: Explanation,
}
