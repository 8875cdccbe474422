use std::collections::BTreeSet;

use crate::conversation::{Conversation, State};
use crate::message::Medium;
use crate::routing::{Place, Skills};
use crate::{ConversationId, OperatorId, QueueId, Timestamp};

/// How a conversation stands, as far as it matters to whom it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub(super) id: ConversationId,
    pub(super) queue: QueueId,
    pub(super) medium: Medium,
    pub(super) place: Place,
    pub(super) skills: Skills,
    pub(super) preferred: Option<OperatorId>,
    pub(super) tried: BTreeSet<OperatorId>,
    pub(super) last_asked: Option<OperatorId>,
    pub(super) not_before: Option<Timestamp>,
    /// It waits, and nobody is being asked.
    pub(super) waits: bool,
    /// Who has it or is asked about it.
    pub(super) carriers: BTreeSet<OperatorId>,
    /// Who finishes it up.
    pub(super) finished_by: Option<OperatorId>,
}

impl Standing {
    /// How a conversation stands; none when it waits for nobody and nobody carries it.
    pub fn of(conversation: &Conversation) -> Option<Self> {
        let mut standing = Self {
            id: conversation.id,
            queue: conversation.queue.clone(),
            medium: conversation.medium,
            place: conversation.place,
            skills: conversation.skills.clone(),
            preferred: conversation.preferred,
            tried: conversation.tried.clone(),
            last_asked: conversation.last_asked,
            not_before: conversation.not_before,
            waits: false,
            carriers: BTreeSet::new(),
            finished_by: None,
        };
        match &conversation.state {
            State::Queued => standing.waits = true,
            State::Offered {
                operator, others, ..
            } => {
                standing.carriers = others.keys().copied().chain([*operator]).collect();
            }
            State::Active { operator, .. } => {
                standing.carriers.insert(*operator);
            }
            State::WrapUp { operator, .. } => {
                standing.carriers.insert(*operator);
                standing.finished_by = Some(*operator);
            }
            State::Deferred { .. }
            | State::Parked { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => return None,
        }
        Some(standing)
    }
}
