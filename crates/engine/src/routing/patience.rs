//! The queues' rules for those for whom nobody is found: ways out by age, by length,
//! by rounds, for want of staff, and at the end of the hours.

use domain::ConversationId;
use domain::conversation::{Conversation, Input, STEPS_MAX};
use domain::routing::{RoutingRules, Trigger};
use store::{StoreError, Tx};

use crate::{change, notices};

/// How many are looked at in one pass because a queue has lost its staff.
const UNSTAFFED_MAX: usize = 256;

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
        let step = conversation.next_step(rules, tx.floor(), tx.now(), arrives);
        let Some(input) = step else {
            break;
        };
        let is_deferred = matches!(input, Input::Defer { .. });
        let is_led_on = matches!(input, Input::Overflow { .. });
        conversation = change::conversation(tx, &conversation, input)?;
        if is_deferred {
            notices::closed(tx, rules, &conversation)?;
        }
        if !is_led_on {
            break;
        }
        notices::led_out(tx, rules, &conversation)?;
        super::promise(tx, rules, &conversation)?;
    }
    Ok(conversation)
}
