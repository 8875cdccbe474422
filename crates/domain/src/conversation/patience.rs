//! What the queue's rules make of a conversation for which nobody is found.

use super::{Conversation, Input, State};
use crate::Timestamp;
use crate::routing::{Exit, Patience, QueueRules, QueueStatus, RoutingRules, Snapshot};

/// A conversation is led on so often at once, at most: queues may lead to each other.
pub const STEPS_MAX: usize = 8;

impl Conversation {
    /// What happens to it now by the queue's rules while it waits: it goes the way out that
    /// they say, or waits for the hours to begin, or they say when they look again. None
    /// when nothing does. `arrives` when it has only just come.
    pub fn next_step(
        &self,
        rules: &RoutingRules,
        floor: &Snapshot,
        now: Timestamp,
        arrives: bool,
    ) -> Option<Input> {
        if self.state != State::Queued {
            return None;
        }
        let home = rules.of(self.overflow_home.as_ref().unwrap_or(&self.queue));
        let hours = rules.hours(&self.line, &self.queue);
        let is_open = hours.is_none_or(|hours| hours.is_open(now));
        let patience = Patience {
            eligible_at: self.place.eligible_at,
            round: self.round,
            taken: self.overflows_taken,
            arrives,
        };
        let status = self.queue_status(rules, &home, floor, is_open);
        if let Some((taken, overflow)) = home.overflow(patience, status, now) {
            let exit = usable(rules, &overflow.exit);
            let skills = match &exit {
                Exit::Queue(queue) => rules.skills(&self.line, queue),
                Exit::AnySkills | Exit::Voicemail | Exit::Form | Exit::Callback => {
                    self.skills.clone()
                }
            };
            return Some(Input::Overflow {
                taken,
                exit,
                skills,
                reason: overflow.when.reason().to_owned(),
            });
        }
        if !is_open && let Some(until) = hours.and_then(|hours| hours.next_opening(now)) {
            return Some(Input::Defer { until });
        }
        let closing = hours
            .filter(|_| is_open)
            .and_then(|hours| hours.next_closing(now));
        let next = home.next_overflow(patience.eligible_at, patience.taken);
        let overflow_at = closing.into_iter().chain(next).min();
        (overflow_at != self.overflow_at).then_some(Input::Patience { overflow_at })
    }

    fn queue_status(
        &self,
        rules: &RoutingRules,
        home: &QueueRules,
        floor: &Snapshot,
        is_open: bool,
    ) -> QueueStatus {
        let others = floor.waiting_in(&self.queue).saturating_sub(1);
        QueueStatus {
            waiting: u32::try_from(others).unwrap_or(u32::MAX),
            is_staffed: floor.members_of(&self.queue).any(|member| {
                member.is_staffed(&rules.capacity, self.medium)
                    && home.age_needed(&self.skills, &member.skills).is_some()
            }),
            is_open,
        }
    }
}

/// A queue that is not there any more leads nowhere: its conversations stay where anybody
/// may answer them.
fn usable(rules: &RoutingRules, exit: &Exit) -> Exit {
    let is_gone = matches!(exit, Exit::Queue(queue) if !rules.queues.contains_key(queue));
    if is_gone {
        Exit::AnySkills
    } else {
        exit.clone()
    }
}
