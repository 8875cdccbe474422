//! The queues' rules for those for whom nobody is found: ways out by age, by length,
//! by rounds, for want of staff, and at the end of the hours.

use domain::conversation::{Conversation, Input, State};
use domain::routing::{Exit, Patience, QueueRules, QueueStatus, RoutingRules, Trigger};
use domain::{ConversationId, QueueId};
use store::{StoreError, Tx};

use crate::{change, notices};

/// How many are looked at in one pass because a queue has lost its staff.
const UNSTAFFED_MAX: usize = 256;
/// A conversation is led on so often at once, at most: queues may lead to each other.
const STEPS_MAX: usize = 8;

/// Looks at everything that began to wait.
pub(super) fn arrivals(tx: &mut Tx<'_>, rules: &RoutingRules) -> Result<(), StoreError> {
    for id in tx.take_arrivals() {
        if let Some(arrived) = tx.conversation(id)? {
            let is_new = arrived.created_at == tx.now();
            look(tx, rules, arrived, is_new)?;
        }
    }
    Ok(())
}

/// Looks at what waits in queues that lead on when nobody is at work.
pub(super) fn unstaffed(tx: &mut Tx<'_>, rules: &RoutingRules) -> Result<(), StoreError> {
    for queue in rules.queues.values() {
        let leads_on = queue
            .overflows
            .iter()
            .any(|overflow| overflow.when == Trigger::Unstaffed);
        let staff = tx.floor().members_of(&queue.id);
        if !leads_on || staff.into_iter().any(|member| member.barred.is_none()) {
            continue;
        }
        let waiting: Vec<ConversationId> = tx
            .floor()
            .waiting_of(&queue.id)
            .take(UNSTAFFED_MAX)
            .map(|waiting| waiting.conversation)
            .collect();
        for id in waiting {
            if let Some(found) = tx.conversation(id)? {
                look(tx, rules, found, false)?;
            }
        }
    }
    Ok(())
}

/// Lets the queue's rules look at a conversation that waits: it goes the way out that
/// they say, or they say when they look again.
pub(crate) fn look(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    mut conversation: Conversation,
    arrives: bool,
) -> Result<Conversation, StoreError> {
    for _ in 0..STEPS_MAX {
        if conversation.state != State::Queued {
            break;
        }
        let home = conversation.overflow_home.as_ref();
        let home = home.unwrap_or(&conversation.queue);
        let own = rules.of(home);
        let hours = rules.hours(&conversation.line, &conversation.queue);
        let now = tx.now();
        let status = QueueStatus {
            is_open: hours.is_none_or(|hours| hours.is_open(now)),
            ..status(tx, rules, &own, &conversation)
        };
        let patience = Patience {
            eligible_at: conversation.place.eligible_at,
            round: conversation.round,
            taken: conversation.overflows_taken,
            arrives,
        };
        if let Some((taken, overflow)) = own.overflow(patience, status, now) {
            let exit = usable(rules, &overflow.exit);
            let skills = match &exit {
                Exit::Queue(queue) => rules.skills(&conversation.line, queue),
                Exit::AnySkills | Exit::Voicemail | Exit::Form | Exit::Callback => {
                    conversation.skills.clone()
                }
            };
            let input = Input::Overflow {
                taken,
                exit: exit.clone(),
                skills,
                reason: overflow.when.reason().to_owned(),
            };
            conversation = change::conversation(tx, &conversation, input)?;
            notices::led_out(tx, rules, &conversation, &exit)?;
            super::promise(tx, rules, &conversation)?;
            continue;
        }
        if !status.is_open
            && let Some(until) = hours.and_then(|hours| hours.next_opening(now))
        {
            let deferred = change::conversation(tx, &conversation, Input::Defer { until })?;
            notices::closed(tx, rules, &deferred)?;
            return Ok(deferred);
        }
        let closing = hours.and_then(|hours| hours.next_closing(now));
        let next = own.next_overflow(patience.eligible_at, patience.taken);
        let overflow_at = closing.into_iter().chain(next).min();
        if overflow_at == conversation.overflow_at {
            break;
        }
        conversation = change::conversation(tx, &conversation, Input::Patience { overflow_at })?;
        break;
    }
    Ok(conversation)
}

/// A queue that a reload dropped leads nowhere: its conversations stay where anybody may
/// answer them.
fn usable(rules: &RoutingRules, exit: &Exit) -> Exit {
    let is_gone = matches!(exit, Exit::Queue(queue) if !rules.queues.contains_key(queue));
    if is_gone {
        Exit::AnySkills
    } else {
        exit.clone()
    }
}

fn status(
    tx: &Tx<'_>,
    rules: &RoutingRules,
    own: &QueueRules,
    conversation: &Conversation,
) -> QueueStatus {
    let queue: &QueueId = &conversation.queue;
    let others = tx.floor().waiting_in(queue).saturating_sub(1);
    QueueStatus {
        waiting: u32::try_from(others).unwrap_or(u32::MAX),
        is_staffed: tx.floor().members_of(queue).any(|member| {
            member.is_staffed(&rules.capacity, conversation.medium)
                && own
                    .age_needed(&conversation.skills, &member.skills)
                    .is_some()
        }),
        is_open: true,
    }
}
