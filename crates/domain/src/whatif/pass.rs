//! The routing pass, as the gateway has it: the queues' rules look at what has come,
//! and `settle` decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draw::For;
use super::recording::{Answer, Moment, Reply};
use super::world::{Task, World};
use crate::conversation::{Input, Offer, OfferOutcome, OfferState, STEPS_MAX, State};
use crate::event::EventKind;
use crate::routing::{Decision, Explanation, Trigger, settle};
use crate::{ConversationId, Millis, OfferId, OperatorId, Timestamp};

/// Passes at one moment, at most.
const PASSES_MAX: usize = 50;

impl World<'_> {
    pub(super) fn settle(&mut self) {
        for _ in 0..PASSES_MAX {
            self.unsettled = false;
            for id in std::mem::take(&mut self.arrived) {
                self.look(id, true);
            }
            self.unstaffed();
            let decisions = settle(&self.snapshot, &self.plan.after, self.now);
            for decision in decisions {
                self.apply(decision);
            }
            // What a pass decides is settled by it, but for what it led on.
            if self.arrived.is_empty() {
                break;
            }
        }
        self.unsettled = false;
    }

    fn unstaffed(&mut self) {
        let plan = self.plan;
        for queue in plan.after.queues.values() {
            let mut ways = queue.overflows.iter();
            let leads_on = ways.any(|way| way.when == Trigger::Unstaffed);
            let is_there = |world: &Self| {
                let mut staff = world.snapshot.members_of(&queue.id);
                staff.any(|member| member.barred.is_none())
            };
            if !leads_on || is_there(self) {
                continue;
            }
            let waiting = self.snapshot.waiting_of(&queue.id);
            let them: Vec<ConversationId> = waiting.map(|it| it.conversation).collect();
            for id in them {
                self.look(id, false);
            }
        }
    }

    /// Lets the queue's rules look at a conversation that waits.
    pub(super) fn look(&mut self, id: ConversationId, arrives: bool) {
        for _ in 0..STEPS_MAX {
            let Some(live) = self.conversations.get(&id) else {
                return;
            };
            if live.it.state != State::Queued {
                return;
            }
            match live
                .it
                .next_step(&self.plan.after, &self.snapshot, self.now, arrives)
            {
                Some(input) => {
                    let is_last = matches!(input, Input::Patience { .. });
                    // It waits, so nothing is refused.
                    let _ = self.change(id, input);
                    if is_last {
                        return;
                    }
                }
                None => return,
            }
        }
    }

    fn apply(&mut self, decision: Decision) {
        let id = decision.conversation();
        match decision {
            Decision::Offer {
                operator,
                expires_at,
                explanation,
                ..
            } => self.offer(id, BTreeMap::from([(operator, explanation)]), expires_at),
            Decision::Ring {
                operators,
                expires_at,
                ..
            } => self.offer(id, operators, expires_at),
            Decision::Assign {
                operator,
                explanation,
                ..
            } => self.assign(id, operator, explanation),
            Decision::NextRound {
                round, not_before, ..
            } => {
                let _ = self.change(id, Input::NextRound { round, not_before });
                self.look(id, false);
            }
        }
    }

    fn offer(
        &mut self,
        id: ConversationId,
        explanations: BTreeMap<OperatorId, Explanation>,
        expires_at: Timestamp,
    ) {
        let offers: BTreeMap<_, _> = explanations
            .keys()
            .map(|operator| (*operator, OfferId::new(self.next_id())))
            .collect();
        let input = Input::Ring {
            offers: offers.clone(),
            expires_at,
        };
        if self.change(id, input).is_err() {
            return;
        }
        for ((operator, offer), explanation) in offers.into_iter().zip(explanations.into_values()) {
            self.made(id, operator, offer, expires_at, explanation);
        }
    }

    /// Keeps an offer that was made, and lets its operator answer.
    pub(super) fn made(
        &mut self,
        id: ConversationId,
        operator: OperatorId,
        offer: OfferId,
        expires_at: Timestamp,
        explanation: Explanation,
    ) {
        let now = self.now;
        let Some(live) = self.conversations.get_mut(&id) else {
            return;
        };
        let number = live.asked;
        live.asked += 1;
        let recorded = live.script.and_then(|script| script.replies.get(number));
        let recorded = recorded.copied();
        let conversation = Arc::new(live.it.clone());
        let made = Offer {
            id: offer,
            conversation: id,
            operator,
            queue: conversation.queue.clone(),
            state: OfferState::Pending,
            made_at: now,
            expires_at,
            explanation,
        };
        self.offers.insert(offer, made.clone());
        self.compare(operator, recorded);
        self.tell(EventKind::OfferMade {
            offer: Arc::new(made),
            conversation,
        });
        self.schedule_answer(id, operator, offer, number, recorded);
    }

    fn assign(&mut self, id: ConversationId, operator: OperatorId, explanation: Explanation) {
        let now = self.now;
        let offer = OfferId::new(self.next_id());
        let Some(live) = self.conversations.get_mut(&id) else {
            return;
        };
        let number = live.asked;
        live.asked += 1;
        let recorded = live.script.and_then(|script| script.replies.get(number));
        let recorded = recorded.copied();
        let queue = live.it.queue.clone();
        self.compare(operator, recorded);
        let turn = offer.get();
        if self.change(id, Input::Assign { operator, turn }).is_err() {
            return;
        }
        self.tell(EventKind::OfferEnded(Arc::new(Offer {
            id: offer,
            conversation: id,
            operator,
            queue,
            state: OfferState::Ended {
                at: now,
                outcome: OfferOutcome::Accepted,
            },
            made_at: now,
            expires_at: now,
            explanation,
        })));
    }

    /// Whether it is as it was recorded.
    fn compare(&mut self, operator: OperatorId, recorded: Option<Reply>) {
        let is_same =
            recorded.is_some_and(|reply| reply.operator == operator && reply.made_at == self.now);
        if !is_same {
            self.departed += 1;
            self.on_record = false;
        }
    }

    fn schedule_answer(
        &mut self,
        id: ConversationId,
        operator: OperatorId,
        offer: OfferId,
        number: usize,
        recorded: Option<Reply>,
    ) {
        let same = recorded.filter(|reply| reply.operator == operator);
        let (answer, after, order) = match same {
            Some(reply) if reply.answer != Answer::Unknown => {
                (reply.answer, reply.after, Some(reply.order))
            }
            Some(_) | None => {
                let seed = self.plan.seed;
                // Of one that was taken back no more is known than that it was not
                // answered so soon.
                let over = same.map_or(Millis(-1), |reply| reply.after);
                let mut drawn = (Answer::Ignores, Millis(0));
                for attempt in 0..8 {
                    let share = seed.draw(id, For::Answer, number * 8 + attempt);
                    drawn = self.recording.draws.reply(operator, share);
                    if drawn.1 > over || self.recording.is_made_up {
                        break;
                    }
                    drawn = (Answer::Ignores, Millis(0));
                }
                (drawn.0, drawn.1, None)
            }
        };
        let task = match answer {
            Answer::Accepts => Task::Accept(offer),
            Answer::Declines => Task::Decline(offer),
            Answer::Ignores | Answer::Unknown => return,
        };
        let at = self.now + after;
        match order {
            Some(order) => self.schedule(Moment { at, order }, task),
            None => self.schedule_at(at, task),
        }
    }
}
