//! What other rules of the router change about conversations that nobody answers yet.

use domain::conversation::{Conversation, Input, Owner, State};
use domain::routing::{Exit, Overflow, RoutingRules};
use domain::{ConversationId, QueueId, Timestamp};
use store::{StoreError, Tx};

use crate::{Engine, change, routing};

impl Engine {
    /// The rules may be others than those of the run before.
    pub(crate) async fn begin_with_the_rules(&self) -> Result<(), StoreError> {
        let rules = self.rules();
        let write = self.store().write(move |tx| begin(tx, &rules));
        write.await
    }
}

/// Has the rules of a start apply to what it finds.
fn begin(tx: &mut Tx<'_>, rules: &RoutingRules) -> Result<(), StoreError> {
    for found in tx.conversations_deferred()? {
        let mut after = found.clone();
        defer_anew(&mut after, rules, tx.now())?;
        if after != found {
            tx.save_conversation(&found, &mut after)?;
        }
    }
    let mut queues = rules.queues.values();
    let lead_on = queues.any(|queue| !queue.overflows.is_empty() || queue.hours.is_some())
        || rules.lines.values().any(|line| line.hours.is_some());
    // Else the rules have nothing to say, and a great many may wait.
    if lead_on {
        let waiting = tx.floor().waiting();
        let waiting: Vec<ConversationId> = waiting.map(|waiting| waiting.conversation).collect();
        for id in waiting {
            if let Some(found) = tx.conversation(id)? {
                routing::look(tx, rules, found, false)?;
            }
        }
    }
    Ok(())
}

/// Has other rules apply to what came while there were those before.
pub(crate) fn follow(
    tx: &mut Tx<'_>,
    before: &RoutingRules,
    now: &RoutingRules,
) -> Result<(), StoreError> {
    if before == now {
        return Ok(());
    }
    for found in tx.conversations_unanswered()? {
        let mut after = found.clone();
        adapt(&mut after, before, now);
        defer_anew(&mut after, now, tx.now())?;
        if after != found {
            tx.save_conversation(&found, &mut after)?;
        }
        // It has not come just now, so a queue that is full lets it stay.
        routing::look(tx, now, after, false)?;
    }
    Ok(())
}

/// The queue by whose rules a conversation goes.
fn home(conversation: &Conversation) -> &QueueId {
    let home = conversation.overflow_home.as_ref();
    home.unwrap_or(&conversation.queue)
}

/// Keeps what is needed and which ways out were taken as the rules have it now. What was
/// needed of its own accord stays.
fn adapt(conversation: &mut Conversation, before: &RoutingRules, now: &RoutingRules) {
    let home = home(conversation).clone();
    let (old, new) = (before.of(&home), now.of(&home));
    let taken = conversation.overflows_taken;
    let let_all = numbered(&old.overflows)
        .any(|(number, way)| taken & number != 0 && way.exit == Exit::AnySkills);
    if !let_all && conversation.skills == before.skills(&conversation.line, &home) {
        conversation.skills = now.skills(&conversation.line, &home);
    }
    conversation.overflows_taken = still_taken(taken, &old.overflows, &new.overflows);
}

/// The ways out that were taken, by their numbers in another list.
fn still_taken(taken: u32, before: &[Overflow], now: &[Overflow]) -> u32 {
    let is_same = |one: &Overflow, other: &Overflow| {
        // Somebody may have changed its age or its length.
        one.exit == other.exit
            && std::mem::discriminant(&one.when) == std::mem::discriminant(&other.when)
    };
    let was_taken = |way: &Overflow| {
        numbered(before).any(|(number, old)| taken & number != 0 && is_same(old, way))
    };
    numbered(now)
        .filter(|(_, way)| was_taken(way))
        .fold(0, |taken, (number, _)| taken | number)
}

/// Each way out with its bit.
fn numbered(overflows: &[Overflow]) -> impl Iterator<Item = (u32, &Overflow)> {
    (0..u32::BITS).map(|number| 1 << number).zip(overflows)
}

/// When what came outside the hours begins to wait, by the hours as they are now.
fn defer_anew(
    conversation: &mut Conversation,
    rules: &RoutingRules,
    now: Timestamp,
) -> Result<(), StoreError> {
    if !matches!(conversation.state, State::Deferred { .. }) {
        return Ok(());
    }
    let hours = rules.hours(&conversation.line, home(conversation));
    let until = hours
        .filter(|hours| !hours.is_open(now))
        .and_then(|hours| hours.next_opening(now))
        .unwrap_or(now);
    let place = conversation.place;
    let inputs = [
        Some(Input::Defer { until }),
        (until <= now).then_some(Input::Due {
            owner: Owner::Gone,
            place,
        }),
    ];
    for input in inputs.into_iter().flatten() {
        let handled = conversation.handle(now, input);
        handled.map_err(change::ChangeError::from)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::Millis;
    use domain::routing::Trigger;

    use super::*;

    fn way(when: Trigger, exit: Exit) -> Overflow {
        Overflow { when, exit }
    }

    #[test]
    fn a_way_that_was_taken_is_taken_wherever_it_stands_now() {
        let waited = |secs| Trigger::Waited(Millis::from_secs(secs));
        let before = [
            way(waited(60), Exit::AnySkills),
            way(Trigger::Unstaffed, Exit::Form),
            way(waited(300), Exit::Queue("b".into())),
        ];
        let now = [
            way(Trigger::Full(3), Exit::Queue("b".into())),
            way(waited(200), Exit::Queue("b".into())),
            way(Trigger::Unstaffed, Exit::Form),
        ];
        assert_eq!(still_taken(0b101, &before, &now), 0b010);
        assert_eq!(still_taken(0b010, &before, &now), 0b100);
        assert_eq!(still_taken(0b111, &before, &before), 0b111);
        assert_eq!(still_taken(0b111, &before, &[]), 0);
    }
}
