//! Why a conversation waits, and why an operator gets nothing: the domain's answers over
//! what a reader finds in the store, so that no question keeps the writer from its work.

use std::collections::BTreeSet;

use domain::conversation::{Conversation, Offer, State};
use domain::routing::{self, Snapshot, WhyNot, WhyWaiting};
use domain::{ConversationId, OperatorId, QueueId, Timestamp};
use store::{StoreError, View};

use super::{ActError, Actor, seen};
use crate::Engine;
use crate::reason::Reason;

/// So many waiting conversations are looked at for one question: some tens of
/// milliseconds of a reader.
const WAITING_MAX: usize = 20_000;

/// Why a conversation waits.
#[derive(Clone, Debug)]
pub struct StillWaiting {
    /// When this was so.
    pub at: Timestamp,
    /// The conversation.
    pub conversation: Conversation,
    /// Why; none while somebody is being asked.
    pub why: Option<WhyWaiting>,
    /// More waits than was looked at.
    pub is_partial: bool,
}

/// Why an operator gets nothing.
#[derive(Clone, Debug)]
pub struct NotMe {
    /// When this was so.
    pub at: Timestamp,
    /// Why.
    pub why: WhyNot,
    /// More waits than was looked at.
    pub is_partial: bool,
}

impl Engine {
    /// The offer that says why a conversation went to whom it went: the actor's own while
    /// they are asked.
    pub async fn explain_conversation(
        &self,
        actor: &Actor,
        id: ConversationId,
    ) -> Result<Offer, ActError> {
        let who = actor.clone();
        self.read(move |view| {
            let asked = seen(view, &who, id)?.asked();
            let own = who.operator.and_then(|me| asked.get(&me));
            let offer = match own {
                Some(own) => view.offer(*own)?,
                None => view.deciding_offer_of(id)?,
            };
            offer.ok_or(ActError::NotFound("offer of this conversation"))
        })
        .await
    }

    /// Why a conversation still waits.
    pub async fn why_still_waiting(
        &self,
        actor: &Actor,
        id: ConversationId,
    ) -> Result<StillWaiting, ActError> {
        let (who, rules, at) = (actor.clone(), self.rules(), self.now());
        self.read(move |view| {
            let conversation = seen(view, &who, id)?;
            let mut answer = StillWaiting {
                at,
                why: None,
                is_partial: false,
                conversation,
            };
            match &answer.conversation.state {
                State::Queued => {}
                State::Offered { .. } => return Ok(answer),
                State::Deferred { .. }
                | State::Active { .. }
                | State::Parked { .. }
                | State::WrapUp { .. }
                | State::Abandoned { .. }
                | State::Closed { .. } => {
                    return Err(ActError::Refused(Reason::NotWaiting));
                }
            }
            let queue = &answer.conversation.queue;
            let mut floor = Floor::of_everybody(view)?;
            // Those who could answer it may have other queues that come first.
            let others: BTreeSet<QueueId> = floor
                .snapshot
                .members_of(queue)
                .flat_map(|member| &member.memberships)
                .map(|membership| membership.queue.clone())
                .filter(|other| other != queue)
                .collect();
            floor.read(view, queue)?;
            for other in &others {
                floor.read(view, other)?;
            }
            if let Some(waiting) = answer.conversation.waiting() {
                floor.snapshot.put(waiting);
            }
            answer.why = routing::why_waiting(&floor.snapshot, &rules, at, id);
            answer.is_partial = floor.is_partial;
            Ok(answer)
        })
        .await
    }

    /// Why an operator gets nothing; of somebody else for supervisors only.
    pub async fn why_not_me(
        &self,
        actor: &Actor,
        operator: Option<OperatorId>,
    ) -> Result<NotMe, ActError> {
        let operator = match operator {
            Some(other) if actor.operator == Some(other) || actor.supervises() => other,
            Some(_) => {
                return Err(ActError::Denied(Reason::AskedAboutOthers));
            }
            None => actor.person()?,
        };
        let (rules, at) = (self.rules(), self.now());
        self.read(move |view| {
            let mut floor = Floor::of_everybody(view)?;
            let queues: BTreeSet<QueueId> = floor
                .snapshot
                .operator(operator)
                .into_iter()
                .flat_map(|candidate| &candidate.memberships)
                .map(|membership| membership.queue.clone())
                .collect();
            for queue in &queues {
                floor.read(view, queue)?;
            }
            let why = routing::why_not(&floor.snapshot, &rules, at, operator)
                .ok_or(ActError::NotFound("operator"))?;
            Ok(NotMe {
                at,
                why,
                is_partial: floor.is_partial,
            })
        })
        .await
    }
}

/// The part of what the router looks at that a question is about.
struct Floor {
    snapshot: Snapshot,
    is_partial: bool,
}

impl Floor {
    fn of_everybody(view: &View<'_>) -> Result<Self, StoreError> {
        let operators = view.all_operators()?;
        Ok(Self {
            snapshot: Snapshot::new([], operators.iter().map(|known| known.candidate())),
            is_partial: false,
        })
    }

    /// Reads what waits in a queue, as far as there is room.
    fn read(&mut self, view: &View<'_>, queue: &QueueId) -> Result<(), StoreError> {
        let room = WAITING_MAX.saturating_sub(self.snapshot.len());
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let mut waiting = view.queued_in(queue, limit.saturating_add(1))?;
        self.is_partial |= waiting.len() > room;
        waiting.truncate(room);
        for waiting in waiting {
            self.snapshot.put(waiting);
        }
        Ok(())
    }
}
