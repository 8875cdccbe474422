use serde::{Deserialize, Serialize};

use super::Diversion;
use crate::conversation::{CloseReason, Conversation, State};
use crate::routing::Exit;
use crate::{ConversationId, LineId, Millis, OperatorId, QueueId, Timestamp};

/// A conversation that begins so soon after the thread's last one is a reopened one.
pub const REOPENED_WITHIN: Millis = Millis::from_secs(24 * 3_600);

/// What a conversation keeps for the counting. It is part of the conversation, so
/// that the event log has it, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Since when it is in its present phase: for one that waits, since the client
    /// began to wait. The store sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When a person replied first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_reply_at: Option<Timestamp>,
    /// An operator began it: the client did not wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ours: bool,
    /// The thread's last one had ended a short while before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

impl Counted {
    /// For a conversation that begins now, after the thread's last one.
    pub fn beginning(last: Option<&Conversation>, now: Timestamp) -> Self {
        let ended = last.and_then(|last| match last.state {
            State::Closed { at, .. } => Some(at),
            State::Deferred { .. }
            | State::Queued
            | State::Offered { .. }
            | State::Active { .. }
            | State::Parked { .. }
            | State::WrapUp { .. }
            | State::Abandoned { .. } => None,
        });
        Self {
            again: ended.is_some_and(|ended| now.since(ended) < REOPENED_WITHIN),
            ..Self::default()
        }
    }
}

/// Where a conversation stands, as far as counting goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Came outside hours, and waits for them.
    Deferred,
    /// In a queue, whether somebody is asked or not.
    Waiting,
    /// The client has left, and may come back to the same place.
    Left {
        /// When.
        at: Timestamp,
    },
    /// An operator has it.
    InHand {
        /// Who.
        operator: OperatorId,
        /// What they do.
        work: Work,
    },
    /// Over.
    Ended(Ending),
}

/// What an operator does with a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Answers the client.
    Talk,
    /// Lets the client wait on the line.
    Hold,
    /// Finishes the work about it.
    WrapUp,
    /// Has put it away.
    Parked,
}

/// How a conversation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By a person of ours.
    Finished,
    /// The client gave up.
    Abandoned {
        /// When they left.
        left_at: Timestamp,
    },
    /// It went another way.
    Diverted(Diversion),
}

/// What the fold looks at of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which one.
    pub id: ConversationId,
    /// The line it came by.
    pub line: LineId,
    /// The queue it waits in or came from.
    pub queue: QueueId,
    /// Where it stands.
    pub phase: Phase,
    /// Whom it was with before it came back to the queue.
    pub preferred: Option<OperatorId>,
    /// Came back from an operator who was lost.
    pub returned: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// What it keeps for the counting.
    pub counted: Counted,
}

impl Standing {
    /// How a conversation stands.
    pub fn of(conversation: &Conversation) -> Self {
        Self {
            id: conversation.id,
            line: conversation.line.clone(),
            queue: conversation.queue.clone(),
            phase: phase(conversation),
            preferred: conversation.preferred,
            returned: conversation.returned,
            created_at: conversation.created_at,
            counted: conversation.counted,
        }
    }

    /// Who has it.
    pub fn operator(&self) -> Option<OperatorId> {
        match self.phase {
            Phase::InHand { operator, .. } => Some(operator),
            Phase::Deferred | Phase::Waiting | Phase::Left { .. } | Phase::Ended(_) => None,
        }
    }
}

/// The phase of a state. A new state of conversations needs one arm here.
fn phase(conversation: &Conversation) -> Phase {
    let in_hand = |operator, work| Phase::InHand { operator, work };
    match conversation.state {
        State::Deferred { .. } => Phase::Deferred,
        State::Queued | State::Offered { .. } => Phase::Waiting,
        State::Active { operator, .. } => in_hand(operator, Work::Talk),
        State::Parked { operator, .. } => in_hand(operator, Work::Parked),
        State::WrapUp { operator, .. } => in_hand(operator, Work::WrapUp),
        State::Abandoned { since, .. } => Phase::Left { at: since },
        State::Closed { at, reason } => Phase::Ended(match reason {
            CloseReason::Finished | CloseReason::Spam => Ending::Finished,
            CloseReason::Abandoned => Ending::Abandoned { left_at: at },
            CloseReason::Diverted => Ending::Diverted(diversion(conversation)),
        }),
    }
}

/// Where the queue's rules led a conversation out of the queue, or else why.
fn diversion(conversation: &Conversation) -> Diversion {
    let Some(overflow) = &conversation.overflow else {
        return Diversion::Other;
    };
    match overflow.exit {
        Exit::Voicemail => Diversion::Voicemail,
        Exit::Form => Diversion::Form,
        Exit::Callback => Diversion::Callback,
        Exit::Queue(_) => Diversion::Queue,
        Exit::AnySkills => Diversion::Other,
    }
}
