//! A conversation's life: one handling cycle of one contact on one line.

mod input;
mod machine;
mod offer;
mod patience;
#[cfg(test)]
mod tests;

pub use input::{Effect, Ending, Input, Owner, Refusal};
pub use offer::{Offer, OfferOutcome, OfferState};
pub use patience::STEPS_MAX;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::Audience;
use crate::message::Medium;
use crate::metrics::Counted;
use crate::routing::{Exit, Place, Skills, Waiting};
use crate::{
    ContactId, ConversationId, LineId, MessageId, OfferId, OperatorId, QueueId, ThreadId, Timestamp,
};

/// Where a conversation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Came outside the hours; will wait when they begin.
    Deferred {
        /// When they begin.
        until: Timestamp,
    },
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
        /// Who else is asked at the same time, and by which offer.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        others: BTreeMap<OperatorId, OfferId>,
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
    /// Over for the client; its operator finishes up.
    WrapUp {
        /// Who.
        operator: OperatorId,
        /// Since when.
        since: Timestamp,
        /// Since when they answered it before that.
        answered_since: Timestamp,
        /// When it ends by itself.
        until: Timestamp,
        /// They may not end it earlier.
        fixed: bool,
        /// Why it will have ended.
        reason: CloseReason,
    },
    /// The client went while waiting; who comes back in time gets the old place.
    Abandoned {
        /// When they went.
        since: Timestamp,
        /// Until when they may come back.
        until: Timestamp,
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
    /// The client went while waiting, and did not come back in time.
    Abandoned,
    /// The queue's rules led out of the queue; see [`Conversation::overflow`].
    Diverted,
}

impl CloseReason {
    /// The name in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Spam => "spam",
            Self::Abandoned => "abandoned",
            Self::Diverted => "diverted",
        }
    }
}

/// How the queue's rules led a conversation on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflowed {
    /// The queue it came from.
    pub from: QueueId,
    /// Where to.
    pub exit: Exit,
    /// Why, as [`crate::routing::Trigger::reason`] says.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A client of a live medium whose connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// Unless they are back by then, they have given up.
    pub gives_up_at: Timestamp,
    /// Until when they get the old place back after that.
    pub until: Timestamp,
}

/// A client who would rather be called than wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The number, as they gave it.
    pub phone: String,
    /// When they asked for it.
    pub asked_at: Timestamp,
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

impl Client {
    /// Keeps nothing by which somebody knows who it is.
    pub fn forget(&mut self) {
        self.display_name.clear();
        self.avatar_url = None;
        self.address.clear();
    }
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
    /// What whoever answers it has to have.
    #[serde(default, skip_serializing_if = "Skills::is_empty")]
    pub skills: Skills,
    /// Operators who were asked in this round.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tried: BTreeSet<OperatorId>,
    /// Who was asked or had it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_asked: Option<OperatorId>,
    /// The round of asking, from 1.
    pub round: u32,
    /// When the last offer ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
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
    /// Was taken by somebody who had no room for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over_capacity: bool,
    /// Ways out of the queue that were taken; see
    /// [`crate::routing::Patience::taken`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub overflows_taken: u32,
    /// The queue by whose rules it goes while another one has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow_home: Option<QueueId>,
    /// When time alone leads to the next way out, or the queue closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow_at: Option<Timestamp>,
    /// The last way out that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow: Option<Overflowed>,
    /// The client waits for a call, and need not stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
    /// The client is away while they wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
    /// When the silence of the client puts it aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub park_at: Option<Timestamp>,
    /// Messages of the client that its operator has not read.
    pub unread_count: u32,
    /// The subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Colleagues who take part without owning it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub participants: BTreeSet<OperatorId>,
    /// Colleagues whom a note names: they may look, and owe nothing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mentioned: BTreeSet<OperatorId>,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Conversation {
    /// Who owns it or is asked; of those who are asked at once, the first.
    pub fn operator(&self) -> Option<OperatorId> {
        match self.state {
            State::Offered { operator, .. }
            | State::Active { operator, .. }
            | State::Parked { operator, .. }
            | State::WrapUp { operator, .. } => Some(operator),
            State::Deferred { .. }
            | State::Queued
            | State::Abandoned { .. }
            | State::Closed { .. } => None,
        }
    }

    /// Who owns it.
    pub fn owner(&self) -> Option<OperatorId> {
        match self.state {
            State::Active { operator, .. }
            | State::Parked { operator, .. }
            | State::WrapUp { operator, .. } => Some(operator),
            State::Deferred { .. }
            | State::Queued
            | State::Offered { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => None,
        }
    }

    /// The pending offers, by who is asked.
    pub fn asked(&self) -> BTreeMap<OperatorId, OfferId> {
        match &self.state {
            State::Offered {
                offer,
                operator,
                others,
                ..
            } => {
                let mut asked = others.clone();
                asked.insert(*operator, *offer);
                asked
            }
            State::Deferred { .. }
            | State::Queued
            | State::Active { .. }
            | State::Parked { .. }
            | State::WrapUp { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => BTreeMap::new(),
        }
    }

    /// Whose capacity it takes.
    pub fn carriers(&self) -> Vec<OperatorId> {
        match self.state {
            State::Offered { .. } => self.asked().into_keys().collect(),
            State::Active { operator, .. } | State::WrapUp { operator, .. } => vec![operator],
            State::Deferred { .. }
            | State::Queued
            | State::Parked { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => Vec::new(),
        }
    }

    /// Who may see it, apart from those who see everything.
    pub fn audience(&self) -> Audience {
        Audience {
            queue: self.queue.clone(),
            operators: self
                .participants
                .iter()
                .chain(&self.mentioned)
                .copied()
                .chain(self.operator())
                .chain(self.asked().into_keys())
                .collect(),
        }
    }

    /// True until it has ended.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }

    /// True while the client waits for an operator.
    pub fn waits(&self) -> bool {
        matches!(self.state, State::Queued | State::Offered { .. })
    }

    /// As the router sees it, if it is to be given to somebody.
    pub fn waiting(&self) -> Option<Waiting> {
        (self.state == State::Queued).then(|| Waiting {
            conversation: self.id,
            queue: self.queue.clone(),
            medium: self.medium,
            place: self.place,
            skills: self.skills.clone(),
            preferred: self.preferred,
            tried: self.tried.clone(),
            last_asked: self.last_asked,
            asked_at: self.asked_at,
            round: self.round,
            not_before: self.not_before,
        })
    }

    /// When time alone changes it next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let gives_up_at = self.away.map(|away| away.gives_up_at);
        let (first, second) = match self.state {
            State::Deferred { until }
            | State::WrapUp { until, .. }
            | State::Abandoned { until, .. } => (Some(until), None),
            State::Queued => (
                self.not_before,
                self.overflow_at.into_iter().chain(gives_up_at).min(),
            ),
            // No way out is taken while somebody is asked.
            State::Offered { expires_at, .. } => (Some(expires_at), gives_up_at),
            State::Parked { until, .. } => (until, None),
            State::Active { .. } => (self.park_at, None),
            State::Closed { .. } => (None, None),
        };
        first.into_iter().chain(second).min()
    }
}
