use super::{CloseReason, Conversation, OfferOutcome, State};
use crate::routing::Place;
use crate::{Millis, OfferId, OperatorId, QueueId, Timestamp};

/// How long an operator who declined gets nothing.
const COOL_DOWN: Millis = Millis::from_secs(10);

/// Everything that can happen to a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The client wrote.
    Inbound {
        /// The owner is Ready and has room, if the conversation is parked.
        owner_free: bool,
        /// Where it would wait, if it is parked and the owner is not free.
        place: Place,
    },
    /// The router asks an operator.
    Offer {
        /// The new offer.
        offer: OfferId,
        /// Whom.
        operator: OperatorId,
        /// Until when.
        expires_at: Timestamp,
    },
    /// The router gives it to an operator without asking.
    Assign {
        /// Whom.
        operator: OperatorId,
    },
    /// The router begins a new round.
    NextRound {
        /// Its number.
        round: u32,
        /// The end of the pause.
        not_before: Timestamp,
    },
    /// The operator who is asked says yes.
    Accept {
        /// Which offer.
        offer: OfferId,
        /// Who.
        operator: OperatorId,
    },
    /// The operator who is asked says no.
    Decline {
        /// Which offer.
        offer: OfferId,
        /// Who.
        operator: OperatorId,
        /// Why.
        reason: String,
    },
    /// The operator who is asked has gone away.
    OperatorGone {
        /// Who.
        operator: OperatorId,
    },
    /// An operator takes it out of turn or takes it over.
    Take {
        /// Who.
        operator: OperatorId,
    },
    /// Somebody gives it to a queue.
    ToQueue {
        /// Which queue.
        queue: QueueId,
        /// Start with a new place; the caller has stamped it already.
        new_place: Option<Place>,
    },
    /// Somebody gives it to an operator, who is asked.
    ToOperator {
        /// The new offer.
        offer: OfferId,
        /// Whom.
        operator: OperatorId,
        /// Until when.
        expires_at: Timestamp,
    },
    /// A supervisor changes its place.
    Move {
        /// The new place.
        place: Place,
    },
    /// Its owner puts it away.
    Snooze {
        /// Until when; else until the client writes.
        until: Option<Timestamp>,
    },
    /// Somebody ends it.
    Finish {
        /// Why.
        reason: CloseReason,
        /// The verdict.
        disposition: String,
    },
    /// The time of [`Conversation::next_deadline`] has come.
    Due {
        /// The owner is Ready and has room, if the conversation is parked.
        owner_free: bool,
        /// Where it would wait, if it is parked and the owner is not free.
        place: Place,
    },
}

/// What has to happen elsewhere because of a change, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The operator carries it from now on.
    Occupy(OperatorId),
    /// The operator carries it no more.
    Release {
        /// Who.
        operator: OperatorId,
        /// True when it was answered, so that idleness counts from now.
        handled: bool,
    },
    /// An offer ended.
    OfferEnded {
        /// Which.
        offer: OfferId,
        /// How.
        outcome: OfferOutcome,
    },
    /// The operator did not answer an offer.
    Missed(OperatorId),
    /// The operator answered an offer, one way or the other.
    Responded(OperatorId),
    /// The operator declined: gets nothing until then.
    CoolDown {
        /// Who.
        operator: OperatorId,
        /// Until when.
        until: Timestamp,
    },
}

/// Why something cannot be done now. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has ended.
    #[error("the conversation has ended")]
    Closed,
    /// The offer is not the pending one.
    #[error("the offer is no longer pending")]
    OfferEnded,
    /// The offer was made to somebody else.
    #[error("the offer was made to another operator")]
    NotYours,
    /// It does not wait.
    #[error("the conversation is not waiting")]
    NotWaiting,
    /// It is nobody's.
    #[error("no operator has the conversation")]
    NotActive,
}

impl Conversation {
    /// Lets something happen at `now`. An error leaves everything as it was.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Result<Vec<Effect>, Refusal> {
        if !self.is_open() {
            return Err(Refusal::Closed);
        }
        match input {
            Input::Inbound { owner_free, place } => Ok(self.wake(now, owner_free, place)),
            Input::Offer {
                offer,
                operator,
                expires_at,
            } => self.ask(offer, operator, expires_at),
            Input::Assign { operator } => {
                self.must_wait()?;
                Ok(self.give(now, operator))
            }
            Input::NextRound { round, not_before } => {
                self.must_wait()?;
                self.tried.clear();
                self.round = round;
                self.not_before = Some(not_before);
                Ok(Vec::new())
            }
            Input::Accept { offer, operator } => self.accept(now, offer, operator),
            Input::Decline {
                offer,
                operator,
                reason,
            } => self.decline(now, offer, operator, reason),
            Input::OperatorGone { operator } => Ok(self.operator_gone(operator)),
            Input::Take { operator } => Ok(self.take(now, operator)),
            Input::ToQueue { queue, new_place } => {
                let effects = self.leave("given to a queue");
                self.queue = queue;
                self.enter_queue(new_place);
                self.preferred = None;
                Ok(effects)
            }
            Input::ToOperator {
                offer,
                operator,
                expires_at,
            } => {
                let mut effects = self.leave("given to a colleague");
                self.enter_queue(None);
                effects.extend(self.ask(offer, operator, expires_at)?);
                Ok(effects)
            }
            Input::Move { place } => match self.state {
                State::Queued | State::Offered { .. } => {
                    self.place = place;
                    Ok(Vec::new())
                }
                State::Active { .. } | State::Parked { .. } | State::Closed { .. } => {
                    Err(Refusal::NotWaiting)
                }
            },
            Input::Snooze { until } => self.snooze(until),
            Input::Finish {
                reason,
                disposition,
            } => {
                let effects = self.leave("finished");
                self.state = State::Closed { at: now, reason };
                self.disposition = disposition;
                Ok(effects)
            }
            Input::Due { owner_free, place } => Ok(self.due(now, owner_free, place)),
        }
    }

    fn must_wait(&self) -> Result<(), Refusal> {
        match self.state {
            State::Queued => Ok(()),
            State::Offered { .. }
            | State::Active { .. }
            | State::Parked { .. }
            | State::Closed { .. } => Err(Refusal::NotWaiting),
        }
    }

    fn ask(
        &mut self,
        offer: OfferId,
        operator: OperatorId,
        expires_at: Timestamp,
    ) -> Result<Vec<Effect>, Refusal> {
        self.must_wait()?;
        self.state = State::Offered {
            offer,
            operator,
            expires_at,
        };
        self.last_asked = Some(operator);
        self.not_before = None;
        Ok(vec![Effect::Occupy(operator)])
    }

    fn give(&mut self, now: Timestamp, operator: OperatorId) -> Vec<Effect> {
        self.become_active(now, operator);
        vec![Effect::Occupy(operator)]
    }

    fn become_active(&mut self, now: Timestamp, operator: OperatorId) {
        // Who gives it back to the queue should not be the first to get it again.
        self.last_asked = Some(operator);
        self.state = State::Active {
            operator,
            since: now,
        };
        self.last_owner = Some(operator);
        self.answered_at.get_or_insert(now);
        self.participants.remove(&operator);
        self.tried.clear();
        self.round = 1;
        self.not_before = None;
        self.preferred = None;
        self.returned = false;
    }

    fn accept(
        &mut self,
        now: Timestamp,
        offer: OfferId,
        operator: OperatorId,
    ) -> Result<Vec<Effect>, Refusal> {
        self.must_be_asked(offer, operator)?;
        Ok(self.accepted(now, offer, operator))
    }

    fn accepted(&mut self, now: Timestamp, offer: OfferId, operator: OperatorId) -> Vec<Effect> {
        // The operator carries it since the offer was made.
        self.become_active(now, operator);
        vec![
            Effect::OfferEnded {
                offer,
                outcome: OfferOutcome::Accepted,
            },
            Effect::Responded(operator),
        ]
    }

    fn decline(
        &mut self,
        now: Timestamp,
        offer: OfferId,
        operator: OperatorId,
        reason: String,
    ) -> Result<Vec<Effect>, Refusal> {
        self.must_be_asked(offer, operator)?;
        self.tried.insert(operator);
        self.state = State::Queued;
        Ok(vec![
            Effect::OfferEnded {
                offer,
                outcome: OfferOutcome::Declined { reason },
            },
            Effect::Release {
                operator,
                handled: false,
            },
            Effect::Responded(operator),
            Effect::CoolDown {
                operator,
                until: now + COOL_DOWN,
            },
        ])
    }

    fn must_be_asked(&self, asked: OfferId, who: OperatorId) -> Result<(), Refusal> {
        match self.state {
            State::Offered {
                offer, operator, ..
            } if offer == asked => {
                if operator == who {
                    Ok(())
                } else {
                    Err(Refusal::NotYours)
                }
            }
            State::Offered { .. }
            | State::Queued
            | State::Active { .. }
            | State::Parked { .. }
            | State::Closed { .. } => Err(Refusal::OfferEnded),
        }
    }

    fn operator_gone(&mut self, gone: OperatorId) -> Vec<Effect> {
        match self.state {
            State::Offered {
                offer, operator, ..
            } if operator == gone => {
                self.state = State::Queued;
                vec![
                    Effect::OfferEnded {
                        offer,
                        outcome: OfferOutcome::Revoked {
                            reason: "the operator went away".to_owned(),
                        },
                    },
                    Effect::Release {
                        operator,
                        handled: false,
                    },
                ]
            }
            State::Offered { .. }
            | State::Queued
            | State::Active { .. }
            | State::Parked { .. }
            | State::Closed { .. } => Vec::new(),
        }
    }

    fn take(&mut self, now: Timestamp, operator: OperatorId) -> Vec<Effect> {
        match self.state {
            State::Active {
                operator: owner, ..
            } if owner == operator => return Vec::new(),
            State::Offered {
                offer,
                operator: asked,
                ..
            } if asked == operator => return self.accepted(now, offer, operator),
            State::Queued
            | State::Offered { .. }
            | State::Active { .. }
            | State::Parked { .. }
            | State::Closed { .. } => {}
        }
        let mut effects = self.leave("taken by a colleague");
        effects.extend(self.give(now, operator));
        effects
    }

    /// Ends whatever holds the conversation now, before something new does.
    fn leave(&mut self, why: &str) -> Vec<Effect> {
        match self.state {
            State::Queued | State::Parked { .. } | State::Closed { .. } => Vec::new(),
            State::Offered {
                offer, operator, ..
            } => vec![
                Effect::OfferEnded {
                    offer,
                    outcome: OfferOutcome::Rescinded {
                        reason: why.to_owned(),
                    },
                },
                Effect::Release {
                    operator,
                    handled: false,
                },
            ],
            State::Active { operator, .. } => vec![Effect::Release {
                operator,
                handled: true,
            }],
        }
    }

    fn enter_queue(&mut self, new_place: Option<Place>) {
        self.state = State::Queued;
        self.tried.clear();
        self.round = 1;
        self.not_before = None;
        if let Some(place) = new_place {
            self.place = place;
        }
    }

    fn snooze(&mut self, until: Option<Timestamp>) -> Result<Vec<Effect>, Refusal> {
        match self.state {
            State::Active { operator, .. } => {
                self.state = State::Parked { operator, until };
                Ok(vec![Effect::Release {
                    operator,
                    handled: true,
                }])
            }
            State::Parked { operator, .. } => {
                self.state = State::Parked { operator, until };
                Ok(Vec::new())
            }
            State::Queued | State::Offered { .. } | State::Closed { .. } => Err(Refusal::NotActive),
        }
    }

    fn wake(&mut self, now: Timestamp, owner_free: bool, place: Place) -> Vec<Effect> {
        match self.state {
            State::Parked { operator, .. } => {
                if owner_free {
                    return self.give(now, operator);
                }
                self.enter_queue(Some(place));
                self.preferred = Some(operator);
                self.last_asked = None;
                Vec::new()
            }
            State::Queued | State::Offered { .. } | State::Active { .. } | State::Closed { .. } => {
                Vec::new()
            }
        }
    }

    fn due(&mut self, now: Timestamp, owner_free: bool, place: Place) -> Vec<Effect> {
        match self.state {
            State::Offered {
                offer,
                operator,
                expires_at,
            } if expires_at <= now => {
                self.tried.insert(operator);
                self.state = State::Queued;
                vec![
                    Effect::OfferEnded {
                        offer,
                        outcome: OfferOutcome::TimedOut,
                    },
                    Effect::Release {
                        operator,
                        handled: false,
                    },
                    Effect::Missed(operator),
                ]
            }
            State::Parked {
                until: Some(until), ..
            } if until <= now => self.wake(now, owner_free, place),
            State::Queued => {
                if self.not_before.is_some_and(|pause| pause <= now) {
                    self.not_before = None;
                }
                Vec::new()
            }
            State::Offered { .. }
            | State::Active { .. }
            | State::Parked { .. }
            | State::Closed { .. } => Vec::new(),
        }
    }
}
