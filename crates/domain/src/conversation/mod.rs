//! A conversation's life: one handling cycle of one contact on one line.

mod machine;
mod offer;
#[cfg(test)]
mod tests;

pub use machine::{Effect, Input, Refusal};
pub use offer::{Offer, OfferOutcome, OfferState};

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::event::Audience;
use crate::message::Medium;
use crate::metrics::Counted;
use crate::routing::Place;
use crate::{
    ContactId, ConversationId, LineId, MessageId, OfferId, OperatorId, QueueId, ThreadId, Timestamp,
};

/// Where a conversation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for a free operator.
    Queued,
    /// Still waits while an operator is asked.
    Offered {
        /// The pending offer.
        offer: OfferId,
        /// Who is asked.
        operator: OperatorId,
        /// When the offer times out.
        expires_at: Timestamp,
    },
    /// An operator answers it.
    Active {
        /// Who.
        operator: OperatorId,
        /// Since when.
        since: Timestamp,
    },
    /// Put away; costs nothing.
    Parked {
        /// Whose it is.
        operator: OperatorId,
        /// When it comes back by itself.
        until: Option<Timestamp>,
    },
    /// Ended.
    Closed {
        /// When.
        at: Timestamp,
        /// Why.
        reason: CloseReason,
    },
}

/// Why a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// An operator finished it.
    Finished,
    /// An operator finished it and blocked the sender.
    Spam,
}

/// What lists show of the contact, kept with the conversation so that a list is
/// one read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The contact.
    pub contact: ContactId,
    /// The name; empty when none is known.
    pub display_name: String,
    /// A picture.
    pub avatar_url: Option<String>,
    /// The address to show when there is no name.
    pub address: String,
    /// Not confirmed by the directory yet.
    pub provisional: bool,
    /// Had conversations before this one.
    pub known: bool,
}

/// The last message, for lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMessage {
    /// Which one.
    pub id: MessageId,
    /// When it came or went.
    pub at: Timestamp,
    /// Its beginning; at most 200 characters.
    pub text: String,
    /// True when it is the client's.
    pub inbound: bool,
}

/// One handling cycle of one contact on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Unique in the store.
    pub id: ConversationId,
    /// The thread; at most one open conversation each.
    pub thread: ThreadId,
    /// The line it came by.
    pub line: LineId,
    /// The line's channel kind.
    pub channel: String,
    /// The channel's class.
    pub medium: Medium,
    /// The queue it waits in or came from.
    pub queue: QueueId,
    /// Who it is with.
    pub client: Client,
    /// Where it stands.
    pub state: State,
    /// Its place, kept always.
    pub place: Place,
    /// Operators who were asked in this round.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tried: BTreeSet<OperatorId>,
    /// Who was asked or had it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_asked: Option<OperatorId>,
    /// The round of asking, from 1.
    pub round: u32,
    /// The pause between rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Who should get it if they can: the owner of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<OperatorId>,
    /// Who answered it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_owner: Option<OperatorId>,
    /// Came back from an operator who was lost.
    pub returned: bool,
    /// Messages of the client that its operator has not read.
    pub unread_count: u32,
    /// The subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Colleagues who take part without owning it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub participants: BTreeSet<OperatorId>,
    /// When it began.
    pub created_at: Timestamp,
    /// When its first owner accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// The operator's verdict at the end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub disposition: String,
    /// The last message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<LastMessage>,
    /// What it keeps for the metrics.
    #[serde(default)]
    pub counted: Counted,
    /// Rises with every change.
    pub version: i64,
}

impl Conversation {
    /// Who owns it or is asked.
    pub fn operator(&self) -> Option<OperatorId> {
        match self.state {
            State::Offered { operator, .. }
            | State::Active { operator, .. }
            | State::Parked { operator, .. } => Some(operator),
            State::Queued | State::Closed { .. } => None,
        }
    }

    /// Who owns it.
    pub fn owner(&self) -> Option<OperatorId> {
        match self.state {
            State::Active { operator, .. } | State::Parked { operator, .. } => Some(operator),
            State::Queued | State::Offered { .. } | State::Closed { .. } => None,
        }
    }

    /// Whose capacity it takes.
    pub fn carrier(&self) -> Option<OperatorId> {
        match self.state {
            State::Offered { operator, .. } | State::Active { operator, .. } => Some(operator),
            State::Queued | State::Parked { .. } | State::Closed { .. } => None,
        }
    }

    /// Who may see it, apart from those who see everything.
    pub fn audience(&self) -> Audience {
        Audience {
            queue: self.queue.clone(),
            operators: self
                .participants
                .iter()
                .copied()
                .chain(self.operator())
                .collect(),
        }
    }

    /// True until it has ended.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }

    /// When time alone changes it next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match self.state {
            State::Queued => self.not_before,
            State::Offered { expires_at, .. } => Some(expires_at),
            State::Parked { until, .. } => until,
            State::Active { .. } | State::Closed { .. } => None,
        }
    }
}
