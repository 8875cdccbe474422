//! Taking, giving, putting away and ending conversations.

use std::collections::BTreeSet;

use domain::conversation::{CloseReason, Conversation, Ending, Input, Offer, OfferState, State};
use domain::operator::{Link, Presence};
use domain::routing::{CandidateKeys, Cause, Explanation, Place, QueueRules, WrapUp};
use domain::{ConversationId, OfferId, OperatorId, QueueId, Timestamp, text};
use serde::{Deserialize, Serialize};
use store::Tx;

use super::{ActError, Actor, held, seen};
use crate::opening;
use crate::reason::Reason;
use crate::{Engine, change, routing};

/// How far ahead something can be put away.
const SNOOZE_MAX_MS: i64 = 366 * 86_400_000;

/// To whom a conversation is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// An operator.
    Operator(OperatorId),
    /// A queue.
    Queue(QueueId),
}

impl Engine {
    /// Takes a waiting conversation out of turn, or takes one over.
    pub async fn take_conversation(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
    ) -> Result<Conversation, ActError> {
        let me = actor.person()?;
        let who = actor.clone();
        let fingerprint = format!("take {id:?}").into_bytes();
        let rules = self.rules();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let found = seen(tx, &who, id)?;
            let over_capacity = routing::is_over_capacity(tx, &rules, me, &found);
            if over_capacity && !who.supervises() && !rules.capacity.may_exceed {
                return Err(ActError::Refused(Reason::NoRoom));
            }
            let input = Input::Take {
                operator: me,
                over_capacity,
            };
            Ok(change::conversation(tx, &found, input)?)
        })
        .await
    }

    /// Gives a conversation to a colleague, who is asked, or to a queue.
    pub async fn transfer_conversation(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
        target: Target,
        reset_age: bool,
        note: &str,
    ) -> Result<Conversation, ActError> {
        let (engine, who) = (self.clone(), actor.clone());
        let note = text::body(note, 16_000);
        let fingerprint = format!("transfer {id:?} {target:?} {reset_age} {note}").into_bytes();
        let rules = self.rules();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            engine.check_target(&target)?;
            let found = held(tx, &who, id)?;
            if !note.is_empty() {
                super::messages::write_note(tx, &who, &found, &note, None, BTreeSet::new())?;
            }
            // The note changed the conversation.
            let found = held(tx, &who, id)?;
            match target {
                Target::Queue(queue) => {
                    let new_place = reset_age.then(|| opening::place(tx, &rules, &found.line));
                    let skills = rules.skills(&found.line, &queue);
                    let input = Input::ToQueue {
                        queue,
                        skills,
                        new_place,
                    };
                    Ok(change::conversation(tx, &found, input)?)
                }
                Target::Operator(operator) => {
                    let timeout = rules
                        .queues
                        .get(&found.queue)
                        .map_or(domain::Millis::from_secs(60), |queue| {
                            queue.offer_timeout_of(found.medium)
                        });
                    let expires_at = tx.now() + timeout;
                    ask(tx, &found, operator, expires_at)
                }
            }
        })
        .await
    }

    /// Gives a conversation away, whoever has it; the new owner is not asked.
    pub async fn reassign(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
        target: Target,
        reason: &str,
    ) -> Result<Conversation, ActError> {
        let (engine, who) = (self.clone(), actor.clone());
        let reason = text::line(reason, 200);
        let fingerprint = format!("reassign {id:?} {target:?} {reason}").into_bytes();
        let rules = self.rules();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            engine.check_target(&target)?;
            let found = seen(tx, &who, id)?;
            tx.audit(
                &who,
                "conversation.reassign",
                &id.to_string(),
                &format!("{target:?}: {reason}"),
            )?;
            let input = match target {
                Target::Queue(queue) => Input::ToQueue {
                    skills: rules.skills(&found.line, &queue),
                    queue,
                    new_place: None,
                },
                Target::Operator(operator) => {
                    able(tx, operator)?;
                    Input::Take {
                        operator,
                        over_capacity: routing::is_over_capacity(tx, &rules, operator, &found),
                    }
                }
            };
            Ok(change::conversation(tx, &found, input)?)
        })
        .await
    }

    /// Puts a waiting conversation at the head of its queue.
    pub async fn move_to_front(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
        reason: &str,
    ) -> Result<Conversation, ActError> {
        let who = actor.clone();
        let reason = text::line(reason, 200);
        let fingerprint = format!("front {id:?} {reason}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let found = seen(tx, &who, id)?;
            let first = tx
                .first_place(&found.queue)?
                .unwrap_or(found.place)
                .min(found.place);
            let place = Place {
                eligible_at: first.eligible_at - domain::Millis(1),
                ..first
            };
            let moved = change::conversation(tx, &found, Input::Move { place })?;
            tx.audit(&who, "conversation.move_to_front", &id.to_string(), &reason)?;
            Ok(moved)
        })
        .await
    }

    /// Puts a conversation away.
    pub async fn snooze_conversation(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
        until: Option<Timestamp>,
    ) -> Result<Conversation, ActError> {
        let now = self.now();
        if until.is_some_and(|until| until <= now || until.0 > now.0 + SNOOZE_MAX_MS) {
            return Err(ActError::Invalid {
                field: "until",
                problem: Reason::SnoozeTime,
            });
        }
        let who = actor.clone();
        let fingerprint = format!("snooze {id:?} {until:?}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let found = held(tx, &who, id)?;
            Ok(change::conversation(tx, &found, Input::Snooze { until })?)
        })
        .await
    }

    /// Ends a conversation; as spam also blocks its sender.
    pub async fn finish_conversation(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
        disposition: &str,
        spam: bool,
    ) -> Result<Conversation, ActError> {
        let who = actor.clone();
        let disposition = text::line(disposition, 100);
        let fingerprint = format!("finish {id:?} {disposition} {spam}").into_bytes();
        let rules = self.rules();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let found = held(tx, &who, id)?;
            if spam {
                super::reach::block_sender(tx, &who, &found, "spam")?;
            }
            let queue = rules.of(&found.queue);
            check_disposition(&queue, &found, &disposition, spam)?;
            let wrap_up = (!spam).then(|| ending(&queue, tx.now())).flatten();
            let reason = if spam {
                CloseReason::Spam
            } else {
                CloseReason::Finished
            };
            Ok(change::conversation(
                tx,
                &found,
                Input::Finish {
                    reason,
                    disposition,
                    wrap_up,
                },
            )?)
        })
        .await
    }

    /// Opens an ended conversation again, as a new one of its thread.
    pub async fn reopen_conversation(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
    ) -> Result<Conversation, ActError> {
        let who = actor.clone();
        let engine = self.clone();
        let fingerprint = format!("reopen {id:?}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let found = seen(tx, &who, id)?;
            if found.is_open() {
                return Err(ActError::Refused(Reason::StillOpen));
            }
            engine.begin(tx, &who, found.thread)
        })
        .await
    }

    /// Takes part in a colleague's conversation, or leaves it.
    pub async fn join_conversation(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
        leave: bool,
    ) -> Result<Conversation, ActError> {
        let me = actor.person()?;
        let who = actor.clone();
        let fingerprint = format!("join {id:?} {leave}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let before = seen(tx, &who, id)?;
            let mut after = before.clone();
            if leave {
                after.participants.remove(&me);
            } else if !after.is_open() {
                return Err(ActError::Refused(Reason::Ended));
            } else if after.owner() != Some(me) {
                after.participants.insert(me);
            }
            if after != before {
                tx.save_conversation(&before, &mut after)?;
            }
            Ok(after)
        })
        .await
    }

    /// Within the writer's turn, so that no reload drops the queue before it is used.
    fn check_target(&self, target: &Target) -> Result<(), ActError> {
        match target {
            Target::Queue(queue) if !self.serving().has_queue(queue) => {
                Err(ActError::NotFound("queue"))
            }
            Target::Queue(_) | Target::Operator(_) => Ok(()),
        }
    }
}

/// How an operator of the queue finishes up.
fn ending(queue: &QueueRules, now: Timestamp) -> Option<Ending> {
    let (span, fixed) = match queue.wrap_up {
        WrapUp::Off => return None,
        WrapUp::Timed(span) | WrapUp::Manual(span) => (span, false),
        WrapUp::Fixed(span) => (span, true),
    };
    let until = now + span;
    Some(Ending { until, fixed })
}

/// Refuses to end a conversation without the verdict that its queue wants. While it is
/// finished up there is still time to give it.
fn check_disposition(
    queue: &QueueRules,
    found: &Conversation,
    disposition: &str,
    spam: bool,
) -> Result<(), ActError> {
    let allowed = &queue.dispositions;
    let problem = if !disposition.is_empty()
        && !allowed.is_empty()
        && !allowed.iter().any(|known| known == disposition)
    {
        Reason::DispositionUnknown {
            known: allowed.join(", "),
        }
    } else if queue.disposition_needed
        && !spam
        && disposition.is_empty()
        && found.disposition.is_empty()
        && (queue.wrap_up == WrapUp::Off || matches!(found.state, State::WrapUp { .. }))
        && found.owner().is_some()
    {
        Reason::DispositionNeeded
    } else {
        return Ok(());
    };
    Err(ActError::Invalid {
        field: "disposition",
        problem,
    })
}

/// Refuses to give anything to somebody who does not work here any more.
fn able(tx: &Tx<'_>, id: OperatorId) -> Result<(), ActError> {
    match tx.operator(id) {
        Some(operator) if !operator.disabled => Ok(()),
        Some(_) | None => Err(ActError::NotFound("operator")),
    }
}

/// Asks a colleague for it, whatever their load, unless they are away or would not see it.
fn ask(
    tx: &mut Tx<'_>,
    found: &Conversation,
    operator: OperatorId,
    expires_at: Timestamp,
) -> Result<Conversation, ActError> {
    able(tx, operator)?;
    let colleague = tx
        .operator(operator)
        .ok_or(ActError::NotFound("operator"))?;
    if colleague.presence != Presence::Ready {
        return Err(ActError::Refused(Reason::ColleagueNotReady));
    }
    if colleague.link == Link::Down || colleague.not_responding {
        return Err(ActError::Refused(Reason::ColleagueUnreachable));
    }
    if matches!(found.state, State::Active { operator: owner, .. } if owner == operator) {
        return Ok(found.clone());
    }
    let id = OfferId::new(tx.fresh_id());
    let input = Input::ToOperator {
        offer: id,
        operator,
        expires_at,
    };
    let asked = change::conversation(tx, found, input)?;
    let offer = Offer {
        id,
        conversation: asked.id,
        operator,
        queue: asked.queue.clone(),
        state: OfferState::Pending,
        made_at: tx.now(),
        expires_at,
        explanation: Explanation {
            cause: Cause::Transfer,
            strategy: domain::routing::Strategy::default(),
            place: asked.place,
            round: asked.round,
            skills: domain::routing::Skills::default(),
            chosen: CandidateKeys {
                operator,
                load: colleague
                    .load
                    .units(&domain::operator::CapacityRules::default()),
                capacity: colleague.capacity,
                idle_since: colleague.idle_since,
                open: colleague.load.total(),
                turn: colleague.turn,
                position: 0,
            },
            runner_up: None,
            excluded: domain::routing::Excluded::default(),
        },
    };
    tx.make_offer(&offer, &asked)?;
    if colleague.auto_accept {
        let accept = Input::Accept {
            offer: id,
            operator,
        };
        return Ok(change::conversation(tx, &asked, accept)?);
    }
    Ok(asked)
}
