//! Joins the machines and the router as the engine does (`crates/engine/src/change.rs`,
//! `routing.rs`, `timers.rs`): one call here is one transaction there.

use std::collections::BTreeMap;

use domain::conversation::{
    self, Conversation, Effect, Ending, Input, OfferOutcome, Owner, Refusal, State,
};
use domain::operator;
use domain::routing::{Decision, Patience, QueueStatus, WrapUp};
use domain::{ConversationId, OfferId, OperatorId, QueueId, Timestamp};

use crate::assertions;
use crate::planted;
use crate::world::{Clock, World, may_move};

impl World {
    /// Changes a conversation, and everything that follows from it.
    pub(crate) fn change(&mut self, id: ConversationId, input: Input) -> Result<(), Refusal> {
        let before = self.conversations.get(&id).ok_or(Refusal::Closed)?;
        let (mut after, was) = (before.clone(), before.state.clone());
        let may_move = may_move(before, &input);
        let meant = input.clone();
        let input = planted::bend_input(self, id, input);
        if self.tells {
            eprintln!("{} {id} {was:?} {input:?}", self.now);
        }
        let effects = after.handle(self.now, input)?;
        planted::bend_after(self, &meant, &mut after);
        let kept = may_move || after.place == self.conversations[&id].place;
        assertions::of_place(id, kept, &mut self.violations);
        self.note_input(id, &meant, &after);
        let medium = after.medium;
        self.save(after);
        if self.conversations.get(&id).is_some_and(|it| {
            it.state == State::Queued && (was != State::Queued || is_move(&meant))
        }) {
            self.to_look_after.insert(id);
        }
        for effect in effects {
            self.carry_out(id, effect, medium);
        }
        Ok(())
    }

    fn save(&mut self, conversation: Conversation) {
        let id = conversation.id;
        self.snapshot.remove(id);
        if let Some(waiting) = conversation.waiting() {
            self.snapshot.put(waiting);
        }
        if conversation.is_open() {
            self.conversations.insert(id, conversation);
        } else {
            self.conversations.remove(&id);
            self.to_look_after.remove(&id);
            self.ended += 1;
            self.figures.ended(&conversation);
        }
    }

    fn carry_out(&mut self, id: ConversationId, effect: Effect, medium: domain::message::Medium) {
        use operator::Input as ToOperator;
        let (operator, input) = match effect {
            Effect::Occupy { operator, turn } => (operator, ToOperator::Occupy { medium, turn }),
            Effect::Release { operator, handled } => {
                (operator, ToOperator::Release { medium, handled })
            }
            Effect::WrapUpBegun(operator) => (operator, ToOperator::WrapUpBegun),
            Effect::WrapUpEnded(operator) => (operator, ToOperator::WrapUpEnded),
            Effect::Missed(operator) => (operator, ToOperator::Missed { medium }),
            Effect::Responded(operator) => (operator, ToOperator::Responded),
            Effect::CoolDown { operator, until } => (operator, ToOperator::CoolDown { until }),
            Effect::OfferEnded { offer, outcome } => {
                self.offer_ended(id, offer, &outcome);
                return;
            }
        };
        self.affect(operator, &input);
    }

    fn offer_ended(&mut self, id: ConversationId, offer: OfferId, outcome: &OfferOutcome) {
        if self.pending.remove(&offer).is_none() {
            self.violations
                .push(format!("I6: {offer} of {id} ended twice"));
        }
        self.figures.offer_ended(outcome);
    }

    /// Changes an operator, and everything that follows from it.
    pub(crate) fn affect(&mut self, id: OperatorId, input: &operator::Input) {
        self.note_operator(id, input);
        if self.tells {
            eprintln!("{} operator {id} {input:?}", self.now);
        }
        let now = self.now;
        let operator = self.operators.get_mut(&id).expect("nobody is ever fired");
        let effects = operator.handle(now, input.clone());
        planted::bend_operator(self.planted, now, input, operator);
        let candidate = operator.candidate();
        self.snapshot.put_operator(candidate);
        for effect in planted::bend_effects(self.planted, effects) {
            match effect {
                operator::Effect::MayTakeWork => {}
                operator::Effect::Gone => {
                    self.tell_all(
                        |it| it.asked().contains_key(&id),
                        || Input::OperatorGone { operator: id },
                    );
                }
                operator::Effect::Lost => {
                    self.figures.lost += 1;
                    self.tell_all(
                        |it| it.carriers().contains(&id),
                        || Input::OperatorLost { operator: id },
                    );
                }
            }
        }
    }

    fn tell_all(&mut self, which: impl Fn(&Conversation) -> bool, what: impl Fn() -> Input) {
        let them = self.conversations.values().filter(|it| which(it));
        for id in them.map(|it| it.id).collect::<Vec<_>>() {
            // What came before may have ended it.
            if self.conversations.contains_key(&id) {
                self.change(id, what()).expect("it is open");
            }
        }
    }

    /// How the owner of a conversation stands.
    pub(crate) fn owner(&self, id: ConversationId) -> Owner {
        let conversation = &self.conversations[&id];
        let Some(owner) = conversation.owner().and_then(|it| self.operators.get(&it)) else {
            return Owner::Gone;
        };
        let medium = conversation.medium;
        let candidate = owner.candidate();
        let stopped = candidate.stopped(&self.rules.capacity, medium, self.now);
        match stopped {
            None => Owner::Free,
            Some(_) if owner.is_gone() => Owner::Gone,
            Some(_) => Owner::Busy,
        }
    }

    /// How the operator of a conversation finishes up, as its queue has it.
    pub(crate) fn ending(&self, id: ConversationId) -> Option<Ending> {
        let queue = &self.conversations[&id].queue;
        let (time, fixed) = match self.rules.of(queue).wrap_up {
            WrapUp::Off => return None,
            WrapUp::Timed(time) | WrapUp::Manual(time) => (time, false),
            WrapUp::Fixed(time) => (time, true),
        };
        let until = self.now + time;
        Some(Ending { until, fixed })
    }

    /// Lets the time of a conversation's deadline have come.
    pub(crate) fn due(&mut self, id: ConversationId) {
        let (owner, place) = (self.owner(id), self.new_place());
        let due = Input::Due { owner, place };
        self.change(id, due).expect("nothing is due of the closed");
        self.to_look_after.insert(id);
    }

    /// Looks whether the rules of its queue lead a conversation on. True if they do.
    pub(crate) fn look_after(&mut self, id: ConversationId, arrives: bool) -> bool {
        let mut led_on = false;
        while let Some(it) = self.conversations.get(&id)
            && it.state == State::Queued
        {
            let home = it.overflow_home.as_ref().unwrap_or(&it.queue).clone();
            let (queue, rules) = (it.queue.clone(), self.rules.of(&home).into_owned());
            let hours = self.clock_of(&home);
            let status = QueueStatus {
                waiting: u32::try_from(self.snapshot.waiting_in(&queue) - 1).expect("few"),
                is_staffed: self.is_staffed(it),
                is_open: hours.as_ref().is_none_or(|it| it.is_open(self.now)),
            };
            let patience = Patience {
                eligible_at: it.place.eligible_at,
                round: it.round,
                taken: it.overflows_taken,
                arrives,
            };
            let next = if let Some((taken, way)) = rules.overflow(patience, status, self.now) {
                let (exit, reason) = (way.exit.clone(), way.when.reason().to_owned());
                self.figures.overflows += 1;
                Input::Overflow {
                    taken,
                    exit,
                    skills: it.skills.clone(),
                    reason,
                }
            } else if let Some(hours) = hours.as_ref().filter(|_| !status.is_open) {
                self.figures.deferred += 1;
                let until = hours.opens(self.now);
                Input::Defer { until }
            } else {
                let by_age = rules.next_overflow(patience.eligible_at, patience.taken);
                let closes = hours.map(|it| it.closes(self.now));
                let overflow_at = by_age.into_iter().chain(closes).min();
                if it.overflow_at != overflow_at {
                    let patience = Input::Patience { overflow_at };
                    self.change(id, patience).expect("it is open");
                }
                return led_on;
            };
            self.change(id, next).expect("it waits");
            led_on = true;
        }
        led_on
    }

    fn clock_of(&self, queue: &QueueId) -> Option<Clock> {
        let hours = self.hours.get(queue)?;
        let written = self.schedule.clone().map(Clock::Written);
        Some(written.unwrap_or(Clock::Counted(*hours)))
    }

    fn is_staffed(&self, conversation: &Conversation) -> bool {
        let outlook =
            domain::routing::outlook(&self.snapshot, &self.rules, self.now, conversation.id);
        outlook.is_some_and(|outlook| outlook.staffed > 0)
    }

    /// The routing pass: everything durable is settled.
    pub(crate) fn settle(&mut self) {
        for _ in 0..50 {
            self.look_after_all();
            let decisions = planted::bend_settle(self);
            self.check_decisions(&decisions);
            let is_over = decisions.is_empty();
            for decision in decisions {
                self.apply(decision);
            }
            if is_over && !self.look_after_all() {
                self.check_state();
                return;
            }
        }
        self.violations.push("settling does not end".to_owned());
    }

    /// True if the rules led something on.
    fn look_after_all(&mut self) -> bool {
        let mut led_on = false;
        let mut due: Vec<ConversationId> = self.to_look_after.iter().copied().collect();
        self.to_look_after.clear();
        let queued = self.snapshot.waiting().map(|it| it.conversation);
        due.extend(queued.filter(|it| {
            let it = &self.conversations[it];
            let home = it.overflow_home.as_ref().unwrap_or(&it.queue);
            !self.rules.of(home).overflows.is_empty()
        }));
        for id in due {
            led_on |= self.look_after(id, false);
        }
        led_on
    }

    fn apply(&mut self, decision: Decision) {
        let (id, input) = match decision {
            Decision::Offer {
                conversation,
                operator,
                expires_at,
                ..
            } => (conversation, self.offer(conversation, operator, expires_at)),
            Decision::Ring {
                conversation,
                operators,
                expires_at,
            } => {
                self.figures.rings += 1;
                let offers = operators.into_keys();
                let offers = offers.map(|it| (it, self.new_offer(conversation, it)));
                let offers = offers.collect();
                (conversation, Input::Ring { offers, expires_at })
            }
            Decision::Assign {
                conversation,
                operator,
                ..
            } => {
                self.figures.assignments += 1;
                let turn = self.next_id();
                (conversation, Input::Assign { operator, turn })
            }
            Decision::NextRound {
                conversation,
                round,
                not_before,
            } => {
                self.figures.next_rounds += 1;
                self.to_look_after.insert(conversation);
                (conversation, Input::NextRound { round, not_before })
            }
        };
        if let Err(refusal) = self.change(id, input) {
            let what = format!("I6: a decision on {id} was refused: {refusal}");
            self.violations.push(what);
        }
    }

    fn offer(&mut self, id: ConversationId, operator: OperatorId, expires_at: Timestamp) -> Input {
        Input::Ring {
            offers: BTreeMap::from([(operator, self.new_offer(id, operator))]),
            expires_at,
        }
    }

    pub(crate) fn new_offer(&mut self, id: ConversationId, operator: OperatorId) -> OfferId {
        self.figures.offers += 1;
        let offer = OfferId::new(self.next_id());
        self.pending.insert(offer, (id, operator));
        offer
    }
}

/// Changes by which rules it goes.
fn is_move(input: &conversation::Input) -> bool {
    matches!(input, Input::ToQueue { .. } | Input::Move { .. })
}
