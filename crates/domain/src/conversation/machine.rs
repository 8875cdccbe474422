use std::collections::BTreeMap;

use super::input::{Effect, Ending, Input, Owner, Refusal};
use super::{Callback, CloseReason, Conversation, OfferOutcome, Overflowed, State};
use crate::routing::{Exit, Place, Skills};
use crate::{Millis, OfferId, OperatorId, Timestamp};

/// How long an operator who declined gets nothing.
const COOL_DOWN: Millis = Millis::from_secs(10);

impl Conversation {
    /// Lets something happen at `now`. An error leaves everything as it was.
    #[expect(
        clippy::too_many_lines,
        reason = "an arm for everything that can happen"
    )]
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Result<Vec<Effect>, Refusal> {
        if !self.is_open() {
            return Err(Refusal::Closed);
        }
        match input {
            Input::Inbound { owner, place } => Ok(self.inbound(now, owner, place)),
            Input::Answered { park_at } => {
                self.park_at = park_at;
                Ok(Vec::new())
            }
            Input::Left { until } => Ok(self.left(now, until)),
            Input::Away(away) => {
                if self.waits() && self.callback.is_none() {
                    self.away = Some(away);
                }
                Ok(Vec::new())
            }
            Input::Back => {
                self.resume(now);
                Ok(Vec::new())
            }
            Input::CallbackWanted { phone } => {
                self.resume(now);
                self.callback = Some(Callback {
                    phone,
                    asked_at: now,
                });
                Ok(Vec::new())
            }
            Input::Ring { offers, expires_at } => self.ask(offers, expires_at),
            Input::Assign { operator, turn } => {
                self.must_be_queued()?;
                Ok(self.give(now, operator, turn))
            }
            Input::NextRound { round, not_before } => {
                self.must_be_queued()?;
                self.tried.clear();
                self.round = round;
                self.not_before = Some(not_before);
                Ok(Vec::new())
            }
            Input::Patience { overflow_at } => {
                self.overflow_at = overflow_at;
                Ok(Vec::new())
            }
            Input::Overflow {
                taken,
                exit,
                skills,
                reason,
            } => self.lead_on(now, taken, exit, skills, reason),
            Input::Defer { until } => {
                if !matches!(self.state, State::Deferred { .. }) {
                    self.must_be_queued()?;
                }
                self.state = State::Deferred { until };
                self.overflow_at = None;
                Ok(Vec::new())
            }
            Input::Accept { offer, operator } => self.accept(now, offer, operator),
            Input::Decline {
                offer,
                operator,
                reason,
            } => self.decline(now, offer, operator, reason),
            Input::OperatorGone { operator } => Ok(self.operator_gone(now, operator)),
            Input::OperatorLost { operator } => Ok(self.operator_lost(now, operator)),
            Input::Take {
                operator,
                over_capacity,
            } => Ok(self.take(now, operator, over_capacity)),
            Input::ToQueue {
                queue,
                skills,
                new_place,
            } => {
                let effects = self.leave("given to a queue");
                self.queue = queue;
                self.skills = skills;
                self.enter_queue(new_place);
                self.preferred = None;
                self.overflows_taken = 0;
                self.overflow_home = None;
                self.overflow = None;
                Ok(effects)
            }
            Input::ToOperator {
                offer,
                operator,
                expires_at,
            } => {
                let mut effects = self.leave("given to a colleague");
                self.enter_queue(None);
                effects.extend(self.ask(BTreeMap::from([(operator, offer)]), expires_at)?);
                Ok(effects)
            }
            Input::Move { place } => {
                if !self.waits() {
                    return Err(Refusal::NotWaiting);
                }
                self.place = place;
                Ok(Vec::new())
            }
            Input::Snooze { until } => self.snooze(until),
            Input::Finish {
                reason,
                disposition,
                wrap_up,
            } => self.finish(now, reason, disposition, wrap_up),
            Input::Due { owner, place } => Ok(self.due(now, owner, place)),
        }
    }

    fn must_be_queued(&self) -> Result<(), Refusal> {
        if self.state == State::Queued {
            Ok(())
        } else {
            Err(Refusal::NotWaiting)
        }
    }

    fn ask(
        &mut self,
        mut offers: BTreeMap<OperatorId, OfferId>,
        expires_at: Timestamp,
    ) -> Result<Vec<Effect>, Refusal> {
        self.must_be_queued()?;
        let effects = offers
            .iter()
            .map(|(operator, offer)| Effect::Occupy {
                operator: *operator,
                turn: offer.get(),
            })
            .collect();
        let (operator, offer) = offers.pop_first().ok_or(Refusal::NotWaiting)?;
        self.state = State::Offered {
            offer,
            operator,
            expires_at,
            others: offers,
        };
        self.last_asked = Some(operator);
        self.not_before = None;
        Ok(effects)
    }

    fn give(&mut self, now: Timestamp, operator: OperatorId, turn: i64) -> Vec<Effect> {
        self.become_active(now, operator);
        vec![Effect::Occupy { operator, turn }]
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
        self.asked_at = None;
        self.overflow_at = None;
        self.preferred = None;
        self.returned = false;
        self.over_capacity = false;
        self.park_at = None;
        self.away = None;
    }

    /// Its operator, who was finishing up, goes on with it.
    fn go_on(&mut self, now: Timestamp, operator: OperatorId) -> Vec<Effect> {
        let over_capacity = self.over_capacity;
        self.become_active(now, operator);
        self.over_capacity = over_capacity;
        vec![Effect::WrapUpEnded(operator)]
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
        let mut asked = self.asked();
        asked.remove(&operator);
        // The operator carries it since the offer was made.
        self.become_active(now, operator);
        let mut effects = vec![
            Effect::OfferEnded {
                offer,
                outcome: OfferOutcome::Accepted,
            },
            Effect::Responded(operator),
        ];
        effects.extend(take_back(asked, &rescinded("a colleague accepted it")));
        effects
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
        self.ask_no_more(now, operator);
        let outcome = OfferOutcome::Declined { reason };
        let mut effects = take_back(BTreeMap::from([(operator, offer)]), &outcome);
        effects.push(Effect::Responded(operator));
        effects.push(Effect::CoolDown {
            operator,
            until: now + COOL_DOWN,
        });
        Ok(effects)
    }

    fn must_be_asked(&self, offer: OfferId, who: OperatorId) -> Result<(), Refusal> {
        let asked = self.asked();
        if asked.get(&who) == Some(&offer) {
            Ok(())
        } else if asked.values().any(|pending| *pending == offer) {
            Err(Refusal::NotYours)
        } else {
            Err(Refusal::OfferEnded)
        }
    }

    /// Waits for the others who are asked, or for whoever comes next.
    fn ask_no_more(&mut self, now: Timestamp, who: OperatorId) {
        let mut left = self.asked();
        left.remove(&who);
        let State::Offered { expires_at, .. } = self.state else {
            return;
        };
        self.state = match left.pop_first() {
            Some((operator, offer)) => State::Offered {
                offer,
                operator,
                expires_at,
                others: left,
            },
            None => State::Queued,
        };
        self.asked_at = Some(now);
    }

    fn operator_gone(&mut self, now: Timestamp, gone: OperatorId) -> Vec<Effect> {
        let Some(offer) = self.asked().remove(&gone) else {
            return Vec::new();
        };
        self.ask_no_more(now, gone);
        let outcome = OfferOutcome::Revoked {
            reason: "the operator takes nothing any more".to_owned(),
        };
        take_back(BTreeMap::from([(gone, offer)]), &outcome)
    }

    fn operator_lost(&mut self, now: Timestamp, lost: OperatorId) -> Vec<Effect> {
        match self.state {
            State::Active { operator, .. } if operator == lost && self.medium.is_live() => {
                let effects = self.leave("the operator has gone");
                self.enter_queue(None);
                self.returned = true;
                effects
            }
            State::WrapUp {
                operator, reason, ..
            } if operator == lost => self.close(now, reason, "the operator has gone"),
            State::Offered { .. } => self.operator_gone(now, lost),
            State::Deferred { .. }
            | State::Queued
            | State::Active { .. }
            | State::Parked { .. }
            | State::WrapUp { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => Vec::new(),
        }
    }

    fn take(&mut self, now: Timestamp, taker: OperatorId, over_capacity: bool) -> Vec<Effect> {
        match self.state {
            State::Active { operator, .. } if operator == taker => return Vec::new(),
            State::WrapUp { operator, .. } if operator == taker => {
                return self.go_on(now, taker);
            }
            State::Offered { .. } => {
                if let Some(offer) = self.asked().get(&taker) {
                    return self.accepted(now, *offer, taker);
                }
            }
            State::Deferred { .. }
            | State::Queued
            | State::Active { .. }
            | State::Parked { .. }
            | State::WrapUp { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => {}
        }
        let mut effects = self.leave("taken by a colleague");
        effects.extend(self.give(now, taker, 0));
        self.over_capacity = over_capacity;
        effects
    }

    /// Ends whatever holds the conversation now, before something new does.
    fn leave(&mut self, why: &str) -> Vec<Effect> {
        match self.state {
            State::Offered { .. } => take_back(self.asked(), &rescinded(why)),
            State::Active { operator, .. } => vec![Effect::Release {
                operator,
                handled: true,
            }],
            State::WrapUp { operator, .. } => vec![
                Effect::WrapUpEnded(operator),
                Effect::Release {
                    operator,
                    handled: true,
                },
            ],
            State::Deferred { .. }
            | State::Queued
            | State::Parked { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => Vec::new(),
        }
    }

    fn close(&mut self, now: Timestamp, reason: CloseReason, why: &str) -> Vec<Effect> {
        let effects = self.leave(why);
        self.state = State::Closed { at: now, reason };
        effects
    }

    fn enter_queue(&mut self, new_place: Option<Place>) {
        self.state = State::Queued;
        self.tried.clear();
        self.round = 1;
        self.not_before = None;
        self.asked_at = None;
        self.overflow_at = None;
        self.park_at = None;
        self.over_capacity = false;
        if let Some(place) = new_place {
            self.place = place;
        }
    }

    fn lead_on(
        &mut self,
        now: Timestamp,
        taken: u32,
        exit: Exit,
        skills: Skills,
        reason: String,
    ) -> Result<Vec<Effect>, Refusal> {
        self.must_be_queued()?;
        let from = self.queue.clone();
        self.overflows_taken = taken;
        self.overflow_at = None;
        let effects = match &exit {
            Exit::Queue(queue) => {
                let home = self.overflow_home.take().unwrap_or_else(|| from.clone());
                self.queue = queue.clone();
                self.skills = skills;
                self.enter_queue(None);
                self.overflow_home = Some(home);
                Vec::new()
            }
            Exit::AnySkills => {
                self.skills = Skills::default();
                Vec::new()
            }
            Exit::Voicemail | Exit::Form | Exit::Callback => {
                self.close(now, CloseReason::Diverted, "diverted")
            }
        };
        self.overflow = Some(Overflowed {
            from,
            exit,
            reason,
            at: now,
        });
        Ok(effects)
    }

    fn snooze(&mut self, until: Option<Timestamp>) -> Result<Vec<Effect>, Refusal> {
        match self.state {
            State::Active { operator, .. } => {
                self.park_at = None;
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
            State::Deferred { .. }
            | State::Queued
            | State::Offered { .. }
            | State::WrapUp { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => Err(Refusal::NotActive),
        }
    }

    fn finish(
        &mut self,
        now: Timestamp,
        reason: CloseReason,
        disposition: String,
        wrap_up: Option<Ending>,
    ) -> Result<Vec<Effect>, Refusal> {
        if let State::WrapUp { until, fixed, .. } = self.state
            && fixed
            && until > now
        {
            if disposition.is_empty() {
                return Err(Refusal::WrapUpFixed);
            }
            // The verdict is taken, and the time runs on.
            self.disposition = disposition;
            return Ok(Vec::new());
        }
        if !disposition.is_empty() {
            self.disposition = disposition;
        }
        match (&self.state, wrap_up) {
            (State::Active { operator, since }, Some(ending)) => {
                let (operator, answered_since) = (*operator, *since);
                self.park_at = None;
                self.state = State::WrapUp {
                    operator,
                    since: now,
                    answered_since,
                    until: ending.until,
                    fixed: ending.fixed,
                    reason,
                };
                Ok(vec![Effect::WrapUpBegun(operator)])
            }
            (State::WrapUp { reason, .. }, _) => {
                let reason = *reason;
                Ok(self.close(now, reason, "finished"))
            }
            _ => Ok(self.close(now, reason, "finished")),
        }
    }

    fn inbound(&mut self, now: Timestamp, owner: Owner, place: Place) -> Vec<Effect> {
        self.park_at = None;
        self.away = None;
        match self.state {
            State::Parked { .. } => self.wake(now, owner, place),
            State::Active { operator, .. } if owner == Owner::Gone && !self.medium.is_live() => {
                let effects = self.leave("the operator has gone");
                self.wait_for(operator, place);
                self.returned = true;
                effects
            }
            State::WrapUp { operator, .. } => self.go_on(now, operator),
            State::Abandoned { .. } => {
                self.resume(now);
                Vec::new()
            }
            State::Deferred { .. }
            | State::Queued
            | State::Offered { .. }
            | State::Active { .. }
            | State::Closed { .. } => Vec::new(),
        }
    }

    fn wake(&mut self, now: Timestamp, owner: Owner, place: Place) -> Vec<Effect> {
        let State::Parked { operator, .. } = self.state else {
            return Vec::new();
        };
        if owner == Owner::Free {
            return self.give(now, operator, 0);
        }
        self.wait_for(operator, place);
        Vec::new()
    }

    /// Waits anew, for its owner of before if they can.
    fn wait_for(&mut self, owner: OperatorId, place: Place) {
        self.enter_queue(Some(place));
        self.preferred = Some(owner);
        self.last_asked = None;
    }

    fn left(&mut self, now: Timestamp, until: Timestamp) -> Vec<Effect> {
        if !self.waits() || self.callback.is_some() {
            return Vec::new();
        }
        let effects = take_back(self.asked(), &rescinded("the client left"));
        self.away = None;
        self.state = State::Abandoned { since: now, until };
        effects
    }

    fn resume(&mut self, now: Timestamp) {
        self.away = None;
        if matches!(self.state, State::Abandoned { .. }) {
            self.state = State::Queued;
            self.end_pause(now);
        }
    }

    /// Forgets a pause between rounds that is over.
    fn end_pause(&mut self, now: Timestamp) {
        if self.not_before.is_some_and(|pause| pause <= now) {
            self.not_before = None;
        }
    }

    fn due(&mut self, now: Timestamp, owner: Owner, place: Place) -> Vec<Effect> {
        if let Some(away) = self.away
            && away.gives_up_at <= now
        {
            self.away = None;
            return self.left(away.gives_up_at, away.until);
        }
        match self.state {
            State::Deferred { until } if until <= now => {
                self.state = State::Queued;
                self.end_pause(now);
                Vec::new()
            }
            State::Offered { expires_at, .. } if expires_at <= now => {
                let asked = self.asked();
                let missed: Vec<_> = asked.keys().copied().map(Effect::Missed).collect();
                self.tried.extend(asked.keys());
                self.state = State::Queued;
                self.asked_at = Some(now);
                let mut effects = take_back(asked, &OfferOutcome::TimedOut);
                effects.extend(missed);
                effects
            }
            State::Active { operator, .. } if self.park_at.is_some_and(|at| at <= now) => {
                self.park_at = None;
                self.state = State::Parked {
                    operator,
                    until: None,
                };
                vec![Effect::Release {
                    operator,
                    handled: true,
                }]
            }
            State::Parked {
                until: Some(until), ..
            } if until <= now => self.wake(now, owner, place),
            State::WrapUp { until, reason, .. } if until <= now => {
                self.close(now, reason, "finished")
            }
            State::Abandoned { until, .. } if until <= now => {
                self.close(now, CloseReason::Abandoned, "the client left")
            }
            State::Queued => {
                self.end_pause(now);
                Vec::new()
            }
            State::Deferred { .. }
            | State::Offered { .. }
            | State::Active { .. }
            | State::Parked { .. }
            | State::WrapUp { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => Vec::new(),
        }
    }
}

fn rescinded(why: &str) -> OfferOutcome {
    OfferOutcome::Rescinded {
        reason: why.to_owned(),
    }
}

/// Ends offers, each with the place it took.
fn take_back(offers: BTreeMap<OperatorId, OfferId>, outcome: &OfferOutcome) -> Vec<Effect> {
    offers
        .into_iter()
        .flat_map(|(operator, offer)| {
            [
                Effect::OfferEnded {
                    offer,
                    outcome: outcome.clone(),
                },
                Effect::Release {
                    operator,
                    handled: false,
                },
            ]
        })
        .collect()
}
