//! What `settle` has to do, in the most obvious way and without regard to cost:
//! look at everybody and everything anew for every decision.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use domain::operator::Load;
use domain::routing::{
    Assignment, Candidate, CandidateKeys, Cause, Decision, Explanation, QueueRules, RoutingRules,
    Rule, Snapshot, Waiting,
};
use domain::{OperatorId, Timestamp};

pub(crate) fn settle(snapshot: &Snapshot, rules: &RoutingRules, now: Timestamp) -> Vec<Decision> {
    let mut decisions = Vec::new();
    let mut operators = snapshot.operators.clone();
    let mut waiting = snapshot.waiting.clone();
    waiting.retain(|entry| entry.not_before.is_none_or(|pause| pause <= now));
    waiting.sort_by_key(|entry| (entry.place, entry.conversation));
    waiting.retain(|entry| {
        let all_asked = all_were_asked(entry, &operators, rules);
        if all_asked {
            decisions.push(Decision::NextRound {
                conversation: entry.conversation,
                round: entry.round + 1,
                not_before: now + queue_rules(entry, rules).round_pause,
            });
        }
        !all_asked
    });
    loop {
        operators.sort_by(|one, other| order(one, other, rules));
        let found = operators.iter().position(|operator| {
            waiting
                .iter()
                .any(|entry| may_get(operator, entry, &operators, rules))
        });
        let Some(index) = found else {
            return decisions;
        };
        let entry = waiting
            .iter()
            .filter(|entry| may_get(&operators[index], entry, &operators, rules))
            .min_by_key(|entry| {
                let rank = rank(&operators[index], entry);
                (rank, entry.place, entry.conversation)
            })
            .expect("one was just found")
            .clone();
        waiting.retain(|other| other.conversation != entry.conversation);
        decisions.push(decision(&operators[index], &entry, &operators, rules, now));
        operators[index].load.occupy(entry.medium);
    }
}

/// By load fraction, idleness, id. Division is correctly rounded, so equal
/// fractions of small numbers give equal quotients and others do not.
pub(crate) fn order(one: &Candidate, other: &Candidate, rules: &RoutingRules) -> Ordering {
    let share = |it: &Candidate| match it.capacity {
        0 => f64::INFINITY,
        capacity => f64::from(it.load.units(&rules.capacity)) / f64::from(capacity),
    };
    share(one)
        .total_cmp(&share(other))
        .then(one.idle_since.cmp(&other.idle_since))
        .then(one.operator.cmp(&other.operator))
}

pub(crate) fn rank(operator: &Candidate, entry: &Waiting) -> Option<i32> {
    let mine = operator.memberships.iter();
    mine.filter(|it| it.queue == entry.queue)
        .map(|it| it.rank)
        .min()
}

/// The first rule between an operator and a conversation.
pub(crate) fn rule(operator: &Candidate, entry: &Waiting, rules: &RoutingRules) -> Option<Rule> {
    let check = || {
        let capacity = &rules.capacity;
        capacity.check(&operator.load, operator.capacity, entry.medium)
    };
    if rank(operator, entry).is_none() {
        Some(Rule::NotMember)
    } else if let Some(barred) = operator.barred {
        Some(barred)
    } else if let Err(rule) = check() {
        Some(rule)
    } else if entry.tried.contains(&operator.operator) {
        Some(Rule::Tried)
    } else {
        None
    }
}

/// No rule stands against it, and it is not the same operator again while somebody
/// else is free.
pub(crate) fn may_get(
    operator: &Candidate,
    entry: &Waiting,
    operators: &[Candidate],
    rules: &RoutingRules,
) -> bool {
    let others_free = || {
        let mut others = operators.iter();
        others.any(|it| it.operator != operator.operator && rule(it, entry, rules).is_none())
    };
    let again = entry.last_asked == Some(operator.operator);
    rule(operator, entry, rules).is_none() && !(again && others_free())
}

fn all_were_asked(entry: &Waiting, operators: &[Candidate], rules: &RoutingRules) -> bool {
    let mut acceptors = operators.iter().filter(|it| {
        rank(it, entry).is_some()
            && (it.barred.is_none() || it.barred == Some(Rule::CoolingDown))
            && rules
                .capacity
                .check(&Load::default(), it.capacity, entry.medium)
                .is_ok()
    });
    acceptors.clone().next().is_some() && acceptors.all(|it| entry.tried.contains(&it.operator))
}

fn queue_rules(entry: &Waiting, rules: &RoutingRules) -> QueueRules {
    let configured = rules.queues.get(&entry.queue).cloned();
    configured.unwrap_or_else(|| QueueRules::new(entry.queue.clone()))
}

fn decision(
    chosen: &Candidate,
    entry: &Waiting,
    operators: &[Candidate],
    rules: &RoutingRules,
    now: Timestamp,
) -> Decision {
    let others: Vec<Candidate> = operators
        .iter()
        .filter(|other| other.operator != chosen.operator)
        .cloned()
        .collect();
    let runner_up = others
        .iter()
        .find(|other| may_get(other, entry, &others, rules));
    let mut excluded: BTreeMap<Rule, BTreeSet<OperatorId>> = BTreeMap::new();
    for other in &others {
        let next = runner_up.is_some_and(|next| next.operator == other.operator);
        let again = entry.last_asked == Some(other.operator);
        let rule = rule(other, entry, rules).or((again && !next).then_some(Rule::LastAsked));
        if let Some(rule) = rule.filter(|rule| *rule != Rule::NotMember) {
            excluded.entry(rule).or_default().insert(other.operator);
        }
    }
    let keys = |it: &Candidate| CandidateKeys {
        operator: it.operator,
        load: it.load.units(&rules.capacity),
        capacity: it.capacity,
        idle_since: it.idle_since,
    };
    let explanation = Explanation {
        cause: Cause::Queue,
        place: entry.place,
        round: entry.round,
        chosen: keys(chosen),
        runner_up: runner_up.map(keys),
        excluded: excluded.into(),
    };
    let queue = queue_rules(entry, rules);
    let (conversation, operator) = (entry.conversation, chosen.operator);
    if chosen.auto_accept || queue.assignment == Assignment::Direct {
        Decision::Assign {
            conversation,
            operator,
            explanation,
        }
    } else {
        Decision::Offer {
            conversation,
            operator,
            expires_at: now + queue.offer_timeout_of(entry.medium),
            explanation,
        }
    }
}
