//! What a client can be told who waits: how many stand before them, and who could
//! answer.

use std::collections::BTreeMap;

use super::row::{Standpoint, standpoint};
use super::settle::configured;
use super::snapshot::{RowKey, Stand};
use super::{QueueRules, RoutingRules, Snapshot, Strategy, Waiting};
use crate::message::Medium;
use crate::{ConversationId, Millis, OperatorId, QueueId, Timestamp};

/// How things look for somebody who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// 1 for whoever is next: one more than there are before them of those whom an
    /// operator could answer who could also answer them. What is being offered just now
    /// is not counted.
    pub position: u32,
    /// Operators at work who could answer, busy or not.
    pub staffed: u32,
    /// How many such conversations they can answer at once.
    pub slots: u32,
}

type Waits = BTreeMap<Stand, Waiting>;

/// How things look for one that waits.
pub fn outlook(
    snapshot: &Snapshot,
    rules: &RoutingRules,
    now: Timestamp,
    conversation: ConversationId,
) -> Option<Outlook> {
    let (key, _) = snapshot.stand_of(conversation)?;
    let waiting = snapshot.get(conversation)?;
    let view = View::new(snapshot, rules, now);
    let own = view.rules_of(&key.queue);
    let able = view.able(key, waiting);
    let stands = standpoint(waiting, own, now);
    let before: usize = view
        .rows_shared_with(&able)
        .iter()
        .map(|row| row.entries().take_while(|other| *other < stands).count())
        .sum();
    Some(view.outlook_of(before, key.medium, &able))
}

/// How things look for everybody who waits at the other end, but in queues from which
/// operators take what they choose.
pub fn outlooks(
    snapshot: &Snapshot,
    rules: &RoutingRules,
    now: Timestamp,
) -> Vec<(ConversationId, Outlook)> {
    let view = View::new(snapshot, rules, now);
    let mut all = Vec::new();
    for (key, waits) in snapshot.rows() {
        let own = view.rules_of(&key.queue);
        if own.strategy == Strategy::Manual || !key.medium.is_live() {
            continue;
        }
        let mut able: Option<Vec<OperatorId>> = None;
        let mut others = Vec::new();
        for waiting in waits.values() {
            // Who may answer changes along a row where age counts, and only there.
            let them = match &able {
                Some(known) if key.skills.is_empty() => known.clone(),
                Some(_) | None => view.able(key, waiting),
            };
            if able.as_ref() != Some(&them) {
                others = view
                    .rows_shared_with(&them)
                    .iter()
                    .map(|row| (row.entries().peekable(), 0_usize))
                    .collect();
                able = Some(them);
            }
            let stands = standpoint(waiting, own, now);
            let mut before = 0;
            for (entries, passed) in &mut others {
                while entries.next_if(|other| *other < stands).is_some() {
                    *passed += 1;
                }
                before += *passed;
            }
            let able = able.as_deref().unwrap_or_default();
            let outlook = view.outlook_of(before, key.medium, able);
            all.push((waiting.conversation, outlook));
        }
    }
    all
}

struct View<'a> {
    snapshot: &'a Snapshot,
    rules: &'a RoutingRules,
    now: Timestamp,
    unknown: BTreeMap<QueueId, QueueRules>,
}

/// The part of a row that somebody of a set of operators may answer.
struct Shared<'a> {
    waits: &'a Waits,
    rules: &'a QueueRules,
    now: Timestamp,
    age_needed: Millis,
}

impl<'a> Shared<'a> {
    fn entries(&self) -> impl Iterator<Item = Standpoint> + use<'a> {
        let (rules, now, age_needed) = (self.rules, self.now, self.age_needed);
        self.waits
            .values()
            .take_while(move |waiting| now.since(waiting.place.eligible_at) >= age_needed)
            .map(move |waiting| standpoint(waiting, rules, now))
    }
}

impl<'a> View<'a> {
    fn new(snapshot: &'a Snapshot, rules: &'a RoutingRules, now: Timestamp) -> Self {
        Self {
            snapshot,
            rules,
            now,
            unknown: configured(snapshot, rules),
        }
    }

    fn outlook_of(&self, before: usize, medium: Medium, able: &[OperatorId]) -> Outlook {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let able = able.iter().filter_map(|id| self.snapshot.operator(*id));
        Outlook {
            position: count(before.saturating_add(1)),
            staffed: count(able.clone().count()),
            slots: able
                .map(|member| self.rules.capacity.slots(member.capacity, medium))
                .fold(0, u32::saturating_add),
        }
    }

    fn rules_of(&self, queue: &QueueId) -> &QueueRules {
        // One or the other has every queue in which something waits.
        self.rules
            .queues
            .get(queue)
            .unwrap_or_else(|| &self.unknown[queue])
    }

    /// Who at work may answer a conversation of this row and age, in the order of their
    /// ids.
    fn able(&self, key: &RowKey, waiting: &Waiting) -> Vec<OperatorId> {
        let rules = self.rules_of(&key.queue);
        let age = self.now.since(waiting.place.eligible_at);
        self.snapshot
            .members_of(&key.queue)
            .filter(|member| {
                member.is_staffed(&self.rules.capacity, key.medium)
                    && rules
                        .age_needed(&key.skills, &member.skills)
                        .is_some_and(|needed| needed <= age)
            })
            .map(|member| member.operator)
            .collect()
    }

    fn rows_shared_with(&self, able: &[OperatorId]) -> Vec<Shared<'_>> {
        let rows = self.snapshot.rows();
        let shared = rows.filter_map(|(key, waits)| {
            let rules = self.rules_of(&key.queue);
            let age_needed = able
                .iter()
                .filter_map(|id| self.snapshot.operator(*id))
                .filter(|member| {
                    member.membership(&key.queue).is_some()
                        && member.is_staffed(&self.rules.capacity, key.medium)
                })
                .filter_map(|member| rules.age_needed(&key.skills, &member.skills))
                .min()?;
            Some(Shared {
                waits,
                rules,
                now: self.now,
                age_needed,
            })
        });
        shared.collect()
    }
}
