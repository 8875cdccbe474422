use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::message::Medium;
use crate::routing::Rule;

/// What conversations cost and which may be held at once: one set of rules over
/// all queues and lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacityRules {
    /// Units per conversation.
    pub cost: BTreeMap<Medium, u32>,
    /// The most conversations of a medium at once; no entry is no cap.
    pub count_max: BTreeMap<Medium, u32>,
    /// While on the key, none of the value is offered.
    pub blocked_while_on: BTreeMap<Medium, BTreeSet<Medium>>,
    /// Operators may take more than fits, by their own choice. Supervisors always may.
    pub may_exceed: bool,
}

/// How many conversations of each medium an operator carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Load(BTreeMap<Medium, u32>);

impl Default for CapacityRules {
    fn default() -> Self {
        Self {
            cost: BTreeMap::from([
                (Medium::Voice, 100),
                (Medium::Chat, 25),
                (Medium::Messenger, 20),
                (Medium::Sms, 20),
                (Medium::Email, 10),
                (Medium::Form, 10),
            ]),
            count_max: BTreeMap::from([(Medium::Voice, 1)]),
            blocked_while_on: BTreeMap::from([(Medium::Voice, Medium::ALL.into_iter().collect())]),
            may_exceed: true,
        }
    }
}

impl CapacityRules {
    /// Units that one conversation of the medium takes.
    pub fn cost_of(&self, medium: Medium) -> u32 {
        self.cost.get(&medium).copied().unwrap_or(0)
    }

    /// How many conversations of the medium, and of no other, somebody can carry.
    pub fn slots(&self, capacity: u32, medium: Medium) -> u32 {
        let fits = capacity
            .checked_div(self.cost_of(medium))
            .unwrap_or(u32::MAX);
        let blocks = self
            .blocked_while_on
            .get(&medium)
            .is_some_and(|blocked| blocked.contains(&medium));
        let count_max = self.count_max.get(&medium).copied();
        let count_max = count_max.unwrap_or(u32::MAX);
        fits.min(count_max).min(if blocks { 1 } else { u32::MAX })
    }

    /// Whether somebody who carries `load` has room for one more of the medium;
    /// else the first rule that stands against it.
    pub fn check(&self, load: &Load, capacity: u32, medium: Medium) -> Result<(), Rule> {
        let blocks = |carried| {
            self.blocked_while_on
                .get(&carried)
                .is_some_and(|blocked| blocked.contains(&medium))
        };
        if load.iter().any(|(carried, _)| blocks(carried)) {
            return Err(Rule::WhileOn);
        }
        if self
            .count_max
            .get(&medium)
            .is_some_and(|count_max| load.count(medium) >= *count_max)
        {
            return Err(Rule::MediumCap);
        }
        if load.units(self).saturating_add(self.cost_of(medium)) > capacity {
            return Err(Rule::NoRoom);
        }
        Ok(())
    }
}

impl Load {
    /// One conversation more.
    pub fn occupy(&mut self, medium: Medium) {
        *self.0.entry(medium).or_default() += 1;
    }

    /// One conversation less.
    pub fn release(&mut self, medium: Medium) {
        match self.0.get_mut(&medium) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => {
                self.0.remove(&medium);
            }
            None => debug_assert!(false, "released a conversation that was not carried"),
        }
    }

    /// Conversations of one medium.
    pub fn count(&self, medium: Medium) -> u32 {
        self.0.get(&medium).copied().unwrap_or(0)
    }

    /// Units in use.
    pub fn units(&self, rules: &CapacityRules) -> u32 {
        self.0
            .iter()
            .map(|(medium, count)| rules.cost_of(*medium).saturating_mul(*count))
            .fold(0, u32::saturating_add)
    }

    /// Conversations of every medium.
    pub fn total(&self) -> u32 {
        self.0.values().copied().fold(0, u32::saturating_add)
    }

    /// True when nothing is carried.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is carried, medium by medium.
    pub fn iter(&self) -> impl Iterator<Item = (Medium, u32)> + '_ {
        self.0.iter().map(|(medium, count)| (*medium, *count))
    }
}
