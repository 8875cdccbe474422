//! The invariants of ROUTING, each told as a list of violations.

use domain::routing::{Candidate, Decision, Explanation, Rule, Strategy, Waiting};
use domain::{ConversationId, OperatorId};

use crate::reference::{Office, rank};

/// I1 to I4 of one pass, and the truth of what it says, by doing again what was
/// decided.
pub(crate) fn of_decisions(office: Office<'_>, decisions: &[Decision]) -> Vec<String> {
    let mut violations = Vec::new();
    let office = replay(office, decisions, &mut violations);
    for entry in &office.waiting {
        for operator in &office.operators {
            if office.may(operator, entry) {
                violations.push(format!(
                    "I1: {} waits and {} is free",
                    entry.conversation, operator.operator
                ));
            }
        }
    }
    violations
}

/// What waits and who works after all that was decided, pauses left in.
pub(crate) fn after<'a>(office: Office<'a>, decisions: &[Decision]) -> Office<'a> {
    let (before, now) = (office.waiting.clone(), office.now);
    let mut after = replay(office, decisions, &mut Vec::new());
    for entry in before {
        let decided = decisions
            .iter()
            .find(|it| it.conversation() == entry.conversation);
        if let Some(Decision::NextRound {
            round, not_before, ..
        }) = decided
        {
            after.waiting.push(Waiting {
                tried: [].into(),
                round: *round,
                not_before: Some(*not_before),
                ..entry
            });
        } else if decided.is_none() && entry.not_before.is_some_and(|pause| pause > now) {
            after.waiting.push(entry);
        }
    }
    after
}

fn replay<'a>(
    mut office: Office<'a>,
    decisions: &[Decision],
    violations: &mut Vec<String>,
) -> Office<'a> {
    let now = office.now;
    office
        .waiting
        .retain(|entry| entry.not_before.is_none_or(|pause| pause <= now));
    // Whose round has ended waits no more for anybody.
    let mut waiting = office.waiting.clone();
    for decision in decisions {
        if let Decision::NextRound { conversation, .. } = decision {
            office.waiting.retain(|it| it.conversation != *conversation);
        }
    }
    for decision in decisions {
        let conversation = decision.conversation();
        let at = waiting
            .iter()
            .position(|it| it.conversation == conversation);
        let Some(at) = at else {
            violations.push(format!("I6: {conversation} does not wait"));
            continue;
        };
        let entry = waiting.remove(at);
        let chosen: Vec<(OperatorId, &Explanation)> = match decision {
            Decision::Offer {
                operator,
                explanation,
                ..
            }
            | Decision::Assign {
                operator,
                explanation,
                ..
            } => vec![(*operator, explanation)],
            Decision::Ring { operators, .. } => {
                operators.iter().map(|(who, why)| (*who, why)).collect()
            }
            Decision::NextRound { .. } => {
                if !office.all_were_asked(&entry) {
                    violations.push(format!("{conversation}: the round has not ended"));
                }
                continue;
            }
        };
        for (operator, explanation) in &chosen {
            of_match(&office, *operator, &entry, explanation, violations);
            if explanation.derive() != *operator {
                violations.push(format!("{conversation}: not derived from its explanation"));
            }
        }
        of_all(&office, &entry, &chosen, violations);
        office.waiting.retain(|it| it.conversation != conversation);
        let last_turn = office.operators.iter().map(|it| it.turn).max();
        for (turn, (operator, _)) in (last_turn.unwrap_or(0) + 1..).zip(&chosen) {
            if office.candidate(*operator).is_some() {
                office.occupy(*operator, &entry, turn);
            }
        }
    }
    office
}

fn of_match(
    office: &Office<'_>,
    chosen: OperatorId,
    entry: &Waiting,
    explanation: &Explanation,
    violations: &mut Vec<String>,
) {
    let what = format!("{} to {chosen}", entry.conversation);
    let Some(chosen) = office.candidate(chosen) else {
        violations.push(format!("{what}: nobody"));
        return;
    };
    match office.rule(chosen, entry) {
        None => {}
        Some(rule @ (Rule::WhileOn | Rule::MediumCap | Rule::NoRoom)) => {
            violations.push(format!("I4: {what}: {}", rule.name()));
        }
        Some(rule) => violations.push(format!("{what}: {}", rule.name())),
    }
    if !office.may(chosen, entry) {
        violations.push(format!("{what}: may not"));
    }
    of_preferences(office, chosen, entry, violations);
    of_explanation(office, chosen, entry, explanation, violations);
}

/// I2 and I3: nobody and nothing else would both rather have each other. The
/// conversation goes to whom it wants; and the operator wants it before all others, or
/// has to give way to it in a circle of wishes, because it stands first there.
fn of_preferences(
    office: &Office<'_>,
    chosen: &Candidate,
    entry: &Waiting,
    violations: &mut Vec<String>,
) {
    let strategy = office.rules_of(&entry.queue).strategy;
    if strategy == Strategy::Manual {
        violations.push(format!("{}: nobody gives it", entry.conversation));
    }
    let (operator, conversation) = (chosen.operator, entry.conversation);
    let is_rung = strategy == Strategy::RingAll;
    if !is_rung
        && let Some(wanted) = office.wanted_by(entry)
        && wanted.operator != operator
    {
        let wanted = wanted.operator;
        violations.push(format!("I3: {conversation} to {operator} before {wanted}"));
    }
    let mut passed = chosen;
    for _ in &office.operators {
        let Some(wish) = office.wishes(passed) else {
            violations.push(format!(
                "I2: {conversation} to {operator}, who wants nothing"
            ));
            return;
        };
        // In a circle, what stands before in the queue of a wish goes first.
        let goes_first = wish.queue == entry.queue && office.stands(entry) < office.stands(wish);
        if wish.conversation == conversation || goes_first {
            return;
        }
        if office.stands(wish) < office.stands(entry) {
            let other = wish.conversation;
            violations.push(format!(
                "I2: {conversation} overtakes {other} at {operator}"
            ));
            return;
        }
        passed = office.wanted_by(wish).unwrap_or(chosen);
    }
    violations.push(format!(
        "I2: {operator} would rather have another than {conversation}"
    ));
}

/// Every key, every exclusion and the runner-up are true of who works, and nobody is
/// missing.
fn of_explanation(
    office: &Office<'_>,
    chosen: &Candidate,
    entry: &Waiting,
    explanation: &Explanation,
    violations: &mut Vec<String>,
) {
    let what = format!("{} to {}", entry.conversation, chosen.operator);
    let mut untrue = |thing: String| violations.push(format!("untrue, {what}: {thing}"));
    for keys in explanation.runner_up.iter().chain([&explanation.chosen]) {
        let Some(it) = office.candidate(keys.operator) else {
            untrue(format!("nobody is {}", keys.operator));
            continue;
        };
        let position = it.membership(&entry.queue).map(|it| it.position);
        if keys.load != it.load.units(&office.rules.capacity)
            || keys.open != it.load.total()
            || keys.capacity != it.capacity
            || keys.idle_since != it.idle_since
            || Some(keys.position) != position
        {
            untrue(format!("{keys:?}"));
        }
    }
    if let Some(next) = explanation.runner_up
        && office
            .candidate(next.operator)
            .is_none_or(|next| office.rule(next, entry).is_some())
    {
        untrue(format!("{} may not be the next", next.operator));
    }
    if explanation.place != entry.place
        || explanation.round != entry.round
        || explanation.skills != office.needed(entry)
    {
        untrue("place, round or skills".to_owned());
    }
    let excluded = explanation.excluded.by_rule();
    for (rule, who) in excluded
        .iter()
        .flat_map(|(rule, them)| them.iter().map(move |who| (*rule, *who)))
    {
        let Some(it) = office.candidate(who) else {
            untrue(format!("{who} is kept out and not there"));
            continue;
        };
        let is_true = match (office.rule(it, entry), rule) {
            (Some(found), said) => found == said,
            (None, Rule::LastAsked) => entry.last_asked == Some(who) && who != chosen.operator,
            (None, Rule::HasBetter) => office
                .wishes(it)
                .is_some_and(|wish| wish.conversation != entry.conversation),
            (None, _) => false,
        };
        if !is_true {
            untrue(format!("{who} is kept out by {}", rule.name()));
        }
    }
}

/// Nobody is missing: who works for the queue was chosen, comes after, or is kept out.
fn of_all(
    office: &Office<'_>,
    entry: &Waiting,
    chosen: &[(OperatorId, &Explanation)],
    violations: &mut Vec<String>,
) {
    let Some((first, explanation)) = chosen.first() else {
        violations.push(format!("{}: nobody is chosen", entry.conversation));
        return;
    };
    let excluded = explanation.excluded.by_rule();
    let is_out = |who: OperatorId| excluded.values().any(|them| them.contains(&who));
    let strategy = office.rules_of(&entry.queue).strategy;
    for member in office
        .operators
        .iter()
        .filter(|it| rank(it, entry).is_some())
    {
        let who = member.operator;
        let is_chosen = chosen.iter().any(|(it, _)| *it == who);
        let comes_after = explanation.runner_up.is_some_and(|next| {
            next.operator == who
                || office
                    .candidate(next.operator)
                    .is_some_and(|next| office.order(next, member, &entry.queue, strategy).is_lt())
        });
        if !is_chosen && !is_out(who) && !comes_after {
            violations.push(format!(
                "untrue, {} to {first}: {who} is forgotten",
                entry.conversation
            ));
        }
    }
}

/// I5: what must leave the place alone.
pub(crate) fn of_place(conversation: ConversationId, kept: bool, violations: &mut Vec<String>) {
    if !kept {
        violations.push(format!("I5: {conversation} lost its place"));
    }
}

/// Where two ways of deciding part.
pub(crate) fn difference(decided: &[Decision], model: &[Decision]) -> Option<String> {
    let parts = decided.iter().zip(model).find(|(one, other)| one != other);
    match parts {
        Some((one, other)) => Some(format!("{one:?}\ninstead of {other:?}")),
        None if decided.len() == model.len() => None,
        None => Some(format!("{} instead of {}", decided.len(), model.len())),
    }
}
