//! What people do: clients come and go, operators answer and finish.

use std::sync::Arc;

use super::draw::For;
use super::recording::{Chosen, Deed, Moment};
use super::world::{Task, World};
use crate::conversation::{Away, CloseReason, Ending, Input, State};
use crate::event::EventKind;
use crate::operator;
use crate::routing::{Cause, Explanation, Place, QueueRules, Skills, Strategy, WrapUp};
use crate::{ConversationId, Millis, OfferId, OperatorId};

impl World<'_> {
    pub(super) fn arrive(&mut self, number: usize) {
        let recording = self.recording;
        let Some(arrival) = recording.arrivals.get(number) else {
            return;
        };
        let mut conversation = (*arrival.conversation).clone();
        let (before, after) = (&self.plan.before, &self.plan.after);
        let (line, queue) = (&conversation.line, &conversation.queue);
        if before.lines.get(line).map(|it| (it.band, it.age_credit))
            != after.lines.get(line).map(|it| (it.band, it.age_credit))
        {
            let seq = conversation.place.seq;
            let line = line.clone();
            let place = self.new_place(&line);
            conversation.place = Place { seq, ..place };
        } else if before.skills(line, queue) != after.skills(line, queue) {
            conversation.skills = after.skills(line, queue);
        }
        let begun = Arc::new(conversation.clone());
        self.tell(EventKind::ConversationOpened(begun));
        self.admit(conversation);
    }

    /// Puts what is known of a spell into the calendar, or what is drawn for it.
    pub(super) fn schedule_spell(&mut self, id: ConversationId) {
        let Some(live) = self.conversations.get(&id) else {
            return;
        };
        let (spell, script) = (live.spell, live.script);
        let known = script.and_then(|script| script.spells.get(spell)).copied();
        let mut is_left = false;
        if let Some(script) = script {
            let first = script.acts.partition_point(|act| act.spell < spell);
            for (number, act) in script.acts.iter().enumerate().skip(first) {
                if act.spell != spell {
                    break;
                }
                is_left |= matches!(act.deed, Deed::Left { .. } | Deed::Away { .. });
                let moment = Moment {
                    at: self.now + act.after,
                    order: act.order,
                };
                self.schedule(moment, Task::Act(id, number, spell));
            }
        }
        if self.recording.is_made_up {
            return;
        }
        let lasted = known.map_or(Millis(0), |known| known.lasted);
        let live = &self.conversations[&id];
        let (queue, seed) = (live.it.queue.clone(), self.plan.seed);
        let draws = &self.recording.draws;
        match live.it.state {
            State::Queued if !is_left => {
                let share = seed.draw(id, For::Patience, spell);
                if let Some(wait) = draws.leaves(&queue, lasted, share) {
                    self.schedule_at(self.now + wait, Task::Leave(id, spell));
                }
            }
            State::Active { .. } if known.is_none_or(|known| !known.ended) => {
                let share = seed.draw(id, For::Handling, spell);
                if let Some(time) = draws.handling(&queue, lasted, share) {
                    self.schedule_at(self.now + time, Task::Finish(id, spell));
                }
            }
            State::Deferred { .. }
            | State::Queued
            | State::Offered { .. }
            | State::Active { .. }
            | State::Parked { .. }
            | State::WrapUp { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => {}
        }
    }

    pub(super) fn leave(&mut self, id: ConversationId, spell: usize) {
        let Some(live) = self.conversations.get(&id) else {
            return;
        };
        if live.spell == spell && live.it.waits() {
            let until = self.now + self.plan.after.of(&live.it.queue).resume_within;
            self.do_to(id, Input::Left { until });
        }
    }

    pub(super) fn finish(&mut self, id: ConversationId, spell: usize) {
        let Some(live) = self.conversations.get(&id) else {
            return;
        };
        if live.spell == spell && matches!(live.it.state, State::Active { .. }) {
            let wrap_up = self.ending(&self.plan.after.of(&live.it.queue));
            let input = Input::Finish {
                reason: CloseReason::Finished,
                disposition: String::new(),
                wrap_up,
            };
            self.do_to(id, input);
        }
    }

    fn ending(&self, rules: &QueueRules) -> Option<Ending> {
        let (span, fixed) = match rules.wrap_up {
            WrapUp::Off => return None,
            WrapUp::Timed(span) | WrapUp::Manual(span) => (span, false),
            WrapUp::Fixed(span) => (span, true),
        };
        let until = self.now + span;
        Some(Ending { until, fixed })
    }

    /// Does something that may be refused, because it was recorded of another course of
    /// things.
    fn do_to(&mut self, id: ConversationId, input: Input) {
        if self.change(id, input).is_err() {
            self.on_record = false;
        }
    }

    pub(super) fn answer(&mut self, offer: OfferId, accepts: bool) {
        let Some(made) = self.offers.get(&offer) else {
            return;
        };
        let (id, operator) = (made.conversation, made.operator);
        let input = if accepts {
            Input::Accept { offer, operator }
        } else {
            Input::Decline {
                offer,
                operator,
                reason: String::new(),
            }
        };
        self.do_to(id, input);
    }

    pub(super) fn turn(&mut self, number: usize) {
        let recording = self.recording;
        let Some(turn) = recording.turns.get(number) else {
            return;
        };
        match &turn.what {
            Chosen::Become(operator) => self.become_operator(operator),
            Chosen::Input(input) => self.affect(turn.operator, input.clone()),
        }
    }

    /// Who missed too many, and of whom no record tells when they are back.
    pub(super) fn back(&mut self, operator: OperatorId) {
        let stuck = self.operators.get(&operator);
        if !self.on_record && stuck.is_some_and(|it| it.not_responding) {
            let presence = operator::Presence::Ready;
            let when_idle = false;
            self.affect(
                operator,
                operator::Input::SetPresence {
                    presence,
                    when_idle,
                },
            );
        }
    }

    pub(super) fn due(&mut self, id: ConversationId) {
        let now = self.now;
        let Some(live) = self.conversations.get(&id) else {
            return;
        };
        if live.it.next_deadline().is_none_or(|at| at > now) {
            return;
        }
        let is_queued = live.it.state == State::Queued;
        let overflows = live.it.overflow_at.is_some_and(|at| at <= now);
        let (owner, of_line) = (self.owner(&live.it), live.it.line.clone());
        if !is_queued || !overflows {
            let place = self.new_place(&of_line);
            self.do_to(id, Input::Due { owner, place });
        }
        if let Some(live) = self.conversations.get(&id)
            && live.it.overflow_at.is_some_and(|at| at <= now)
        {
            self.look(id, false);
        }
        self.unsettled = true;
    }

    pub(super) fn act(&mut self, id: ConversationId, number: usize, spell: usize) {
        let Some(live) = self.conversations.get(&id) else {
            return;
        };
        let act = live.script.and_then(|script| script.acts.get(number));
        let Some(deed) = act.map(|act| act.deed.clone()) else {
            return;
        };
        if live.spell == spell {
            self.deed(id, deed);
        }
    }

    #[expect(clippy::too_many_lines, reason = "an arm for everything people do")]
    fn deed(&mut self, id: ConversationId, deed: Deed) {
        let now = self.now;
        let input = match deed {
            Deed::Left { for_up_to } => Input::Left {
                until: now + for_up_to,
            },
            Deed::Away {
                gives_up_after,
                until,
            } => Input::Away(Away {
                gives_up_at: now + gives_up_after,
                until: now + until,
            }),
            Deed::Back => Input::Back,
            Deed::CallbackWanted { phone } => Input::CallbackWanted { phone },
            Deed::Wrote { place } => {
                let owner = self.owner(&self.conversations[&id].it);
                // As it was recorded, while things go as recorded.
                let place = if self.on_record {
                    place
                } else {
                    let line = self.conversations[&id].it.line.clone();
                    self.new_place(&line)
                };
                Input::Inbound { owner, place }
            }
            Deed::Answered { park_after } => Input::Answered {
                park_at: park_after.map(|span| now + span),
            },
            Deed::FirstReply => return self.first_reply(id),
            Deed::Take {
                operator,
                over_capacity,
            } => {
                if !self.operators.contains_key(&operator) {
                    return;
                }
                Input::Take {
                    operator,
                    over_capacity,
                }
            }
            Deed::ToQueue {
                queue,
                skills,
                new_place,
            } => {
                let line = self.conversations[&id].it.line.clone();
                Input::ToQueue {
                    queue,
                    skills,
                    new_place: new_place.then(|| self.new_place(&line)),
                }
            }
            Deed::ToOperator {
                operator,
                for_up_to,
            } => return self.ask_colleague(id, operator, for_up_to),
            Deed::Move { credit, band } => {
                let seq = self.conversations[&id].it.place.seq;
                Input::Move {
                    place: Place {
                        band,
                        eligible_at: now - credit,
                        seq,
                    },
                }
            }
            Deed::Snooze { for_up_to } => Input::Snooze {
                until: for_up_to.map(|span| now + span),
            },
            Deed::Finish {
                reason,
                disposition,
                ending,
            } => Input::Finish {
                reason,
                disposition,
                wrap_up: self.ending_of(id, reason, ending),
            },
        };
        self.do_to(id, input);
    }

    /// As it was recorded while the queue's rules about it are the same.
    fn ending_of(
        &self,
        id: ConversationId,
        reason: CloseReason,
        recorded: Option<(Millis, bool)>,
    ) -> Option<Ending> {
        let queue = &self.conversations[&id].it.queue;
        let before = self.plan.before.of(queue).wrap_up;
        let after = self.plan.after.of(queue);
        if self.recording.is_made_up {
            return self.ending(&after);
        }
        if before == after.wrap_up {
            return recorded.map(|(span, fixed)| Ending {
                until: self.now + span,
                fixed,
            });
        }
        let was_left_out = before != WrapUp::Off && recorded.is_none();
        if reason == CloseReason::Finished && !was_left_out {
            self.ending(&after)
        } else {
            None
        }
    }

    fn first_reply(&mut self, id: ConversationId) {
        let now = self.now;
        if let Some(live) = self.conversations.get_mut(&id)
            && live.it.counted.first_reply_at.is_none()
        {
            live.it.counted.first_reply_at = Some(now);
            let changed = Arc::new(live.it.clone());
            self.tell(EventKind::ConversationChanged(changed));
        }
    }

    /// A colleague is asked, whatever the order says.
    fn ask_colleague(&mut self, id: ConversationId, operator: OperatorId, for_up_to: Millis) {
        let offer = OfferId::new(self.next_id());
        let expires_at = self.now + for_up_to;
        let colleague = self.operators.get(&operator);
        let Some(keys) = colleague.map(|it| it.candidate().keys(&self.plan.after.capacity)) else {
            return;
        };
        let input = Input::ToOperator {
            offer,
            operator,
            expires_at,
        };
        if self.change(id, input).is_err() {
            self.on_record = false;
            return;
        }
        let it = &self.conversations[&id].it;
        let explanation = Explanation {
            cause: Cause::Transfer,
            strategy: Strategy::default(),
            place: it.place,
            round: it.round,
            skills: Skills::default(),
            chosen: keys,
            runner_up: None,
            excluded: crate::routing::Excluded::default(),
        };
        self.made(id, operator, offer, expires_at, explanation);
    }
}
