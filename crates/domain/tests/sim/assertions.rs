//! The invariants of ROUTING, each told as a list of violations.

use std::collections::{BTreeMap, BTreeSet};

use domain::conversation::State;
use domain::operator::{Load, Presence};
use domain::routing::{Candidate, Decision, RoutingRules, Rule, Snapshot, Waiting};
use domain::{ConversationId, OperatorId, Timestamp};

use crate::reference::{may_get, order, rank, rule};
use crate::world::World;

/// I1 to I4 of one pass, by doing again what was decided.
pub(crate) fn of_decisions(
    snapshot: &Snapshot,
    decisions: &[Decision],
    rules: &RoutingRules,
    now: Timestamp,
) -> Vec<String> {
    let mut violations = Vec::new();
    let mut operators = snapshot.operators.clone();
    let mut waiting = snapshot.waiting.clone();
    waiting.retain(|entry| entry.not_before.is_none_or(|pause| pause <= now));
    for decision in decisions {
        let (conversation, operator) = match decision {
            Decision::NextRound { conversation, .. } => (*conversation, None),
            Decision::Offer {
                conversation,
                operator,
                ..
            }
            | Decision::Assign {
                conversation,
                operator,
                ..
            } => (*conversation, Some(*operator)),
        };
        let Some(at) = waiting
            .iter()
            .position(|it| it.conversation == conversation)
        else {
            violations.push(format!("I6: {conversation} does not wait"));
            continue;
        };
        if let Some(operator) = operator {
            of_match(
                operator,
                &waiting[at],
                &waiting,
                &operators,
                rules,
                &mut violations,
            );
            if let Some(chosen) = operators.iter_mut().find(|it| it.operator == operator) {
                chosen.load.occupy(waiting[at].medium);
            }
        }
        waiting.remove(at);
    }
    for entry in &waiting {
        for operator in &operators {
            if may_get(operator, entry, &operators, rules) {
                violations.push(format!(
                    "I1: {} waits and {} is free",
                    entry.conversation, operator.operator
                ));
            }
        }
    }
    violations
}

fn of_match(
    chosen: OperatorId,
    entry: &Waiting,
    waiting: &[Waiting],
    operators: &[Candidate],
    rules: &RoutingRules,
    violations: &mut Vec<String>,
) {
    let what = format!("{} to {chosen}", entry.conversation);
    let Some(chosen) = operators.iter().find(|it| it.operator == chosen) else {
        violations.push(format!("{what}: nobody"));
        return;
    };
    match rule(chosen, entry, rules) {
        None => {}
        Some(rule @ (Rule::WhileOn | Rule::MediumCap | Rule::NoRoom)) => {
            violations.push(format!("I4: {what}: {}", rule.name()));
        }
        Some(rule) => violations.push(format!("{what}: {}", rule.name())),
    }
    let stands = |it: &Waiting| (rank(chosen, it), it.place, it.conversation);
    for other in waiting {
        if stands(other) < stands(entry) && may_get(chosen, other, operators, rules) {
            violations.push(format!("I2: {what} overtakes {}", other.conversation));
        }
    }
    for other in operators {
        if order(other, chosen, rules).is_lt() && may_get(other, entry, operators, rules) {
            violations.push(format!("I3: {what} before {}", other.operator));
        }
    }
}

/// I6 and consistency: what operators carry is what conversations say.
pub(crate) fn of_state(world: &World) -> Vec<String> {
    let mut violations = Vec::new();
    let mut carried: BTreeMap<OperatorId, Load> = BTreeMap::new();
    let mut pending = BTreeSet::new();
    for conversation in world.conversations.values() {
        if let Some(carrier) = conversation.carrier() {
            let load = carried.entry(carrier).or_default();
            load.occupy(conversation.medium);
        }
        if let State::Offered {
            offer, operator, ..
        } = conversation.state
        {
            pending.insert(offer);
            if world.operators[&operator].presence != Presence::Ready {
                violations.push(format!("T14: {offer} stays with {operator}"));
            }
        }
        if conversation
            .next_deadline()
            .is_some_and(|at| at <= world.now)
        {
            violations.push(format!("{}: a deadline has passed", conversation.id));
        }
    }
    for (id, operator) in &world.operators {
        if operator.load != carried.remove(id).unwrap_or_default() {
            violations.push(format!("load of {id} is not what it carries"));
        }
    }
    if pending != world.pending {
        violations.push("I6: pending offers and offered conversations differ".to_owned());
    }
    violations
}

/// I5: what must leave the place alone.
pub(crate) fn of_place(conversation: ConversationId, kept: bool, violations: &mut Vec<String>) {
    if !kept {
        violations.push(format!("I5: {conversation} lost its place"));
    }
}
