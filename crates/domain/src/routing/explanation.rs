use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Place;
use crate::{OperatorId, Timestamp};

/// Why a decision went as it did: enough to derive it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What kind of decision it was.
    pub cause: Cause,
    /// Where the conversation stood.
    pub place: Place,
    /// The round of asking, from 1.
    pub round: u32,
    /// Who was chosen, as they stood before.
    pub chosen: CandidateKeys,
    /// Who would have been next.
    pub runner_up: Option<CandidateKeys>,
    /// Everybody else of the queue, by the first rule that kept them out.
    pub excluded: Excluded,
}

/// The kind of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// By the order of the queue.
    Queue,
    /// A colleague gave it to this operator.
    Transfer,
    /// It came back to its owner.
    Owner,
}

/// What an operator is ordered by; the least is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateKeys {
    /// Who.
    pub operator: OperatorId,
    /// Units in use.
    pub load: u32,
    /// Units in all.
    pub capacity: u32,
    /// See [`crate::operator::Operator::idle_since`].
    pub idle_since: Timestamp,
}

impl CandidateKeys {
    /// Compares the used shares of capacity exactly; who has no capacity comes last.
    fn cmp_share(&self, other: &Self) -> Ordering {
        let crosswise = |load: u32, capacity: u32| u64::from(load) * u64::from(capacity);
        (self.capacity == 0)
            .cmp(&(other.capacity == 0))
            .then_with(|| {
                crosswise(self.load, other.capacity).cmp(&crosswise(other.load, self.capacity))
            })
    }
}

impl Ord for CandidateKeys {
    fn cmp(&self, other: &Self) -> Ordering {
        self.cmp_share(other)
            .then_with(|| self.idle_since.cmp(&other.idle_since))
            .then_with(|| self.operator.cmp(&other.operator))
            // Only keys of one operator at different moments come so far.
            .then_with(|| self.load.cmp(&other.load))
            .then_with(|| self.capacity.cmp(&other.capacity))
    }
}

impl PartialOrd for CandidateKeys {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Operators by the first rule that kept them out.
///
/// The decisions of one pass share what they have in common, so that an
/// explanation costs the same in a queue of ten and of a thousand operators.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(
    from = "BTreeMap<Rule, BTreeSet<OperatorId>>",
    into = "BTreeMap<Rule, BTreeSet<OperatorId>>"
)]
pub struct Excluded {
    /// Before the first decision of the pass on the same queue and medium.
    standing: Standing,
    /// Who was kept out anew, or by another rule, in the course of the pass.
    since: Arc<[(OperatorId, Rule)]>,
    /// How much of `since` had happened before this decision.
    since_len: usize,
    /// Who was kept out of this conversation only.
    own: Vec<(OperatorId, Rule)>,
}

/// Who was looked at, and what kept each of them out.
#[derive(Clone, Default)]
pub(super) struct Standing {
    /// In the order of their ids.
    pub(super) members: Arc<[OperatorId]>,
    /// In the order of `members`.
    pub(super) rules: Arc<[Option<Rule>]>,
}

impl Excluded {
    pub(super) fn new(standing: Standing, since_len: usize, own: Vec<(OperatorId, Rule)>) -> Self {
        Self {
            standing,
            since: Arc::default(),
            since_len,
            own,
        }
    }

    /// Of each of these members what kept them out, if something did. The members stand
    /// in the order of their ids.
    pub fn of_members(members: Arc<[OperatorId]>, rules: Arc<[Option<Rule>]>) -> Self {
        debug_assert_eq!(members.len(), rules.len());
        debug_assert!(members.is_sorted());
        Self::new(Standing { members, rules }, 0, Vec::new())
    }

    /// Hands over what happened in the pass, once it is over.
    pub(super) fn complete(&mut self, since: Arc<[(OperatorId, Rule)]>) {
        self.since = since;
    }

    /// Everybody who was looked at, kept out or not, in the order of their ids: who
    /// works for the queue.
    pub fn members(&self) -> &Arc<[OperatorId]> {
        &self.standing.members
    }

    /// What kept each of the members out, in their order.
    pub fn rules(&self) -> Vec<Option<Rule>> {
        let mut rules = self.standing.rules.to_vec();
        for (operator, rule) in self.since[..self.since_len].iter().chain(&self.own) {
            // Whoever is kept out in the course of a pass works for the queue.
            if let Ok(at) = self.standing.members.binary_search(operator) {
                rules[at] = Some(*rule);
            }
        }
        rules
    }

    /// The sets. Costs as much as there are members.
    pub fn by_rule(&self) -> BTreeMap<Rule, BTreeSet<OperatorId>> {
        let mut sets: BTreeMap<Rule, BTreeSet<OperatorId>> = BTreeMap::new();
        for (operator, rule) in self.standing.members.iter().zip(self.rules()) {
            if let Some(rule) = rule {
                sets.entry(rule).or_default().insert(*operator);
            }
        }
        sets
    }
}

impl From<BTreeMap<Rule, BTreeSet<OperatorId>>> for Excluded {
    fn from(sets: BTreeMap<Rule, BTreeSet<OperatorId>>) -> Self {
        let mut by_operator = BTreeMap::new();
        for (rule, operators) in sets {
            for operator in operators {
                by_operator.entry(operator).or_insert(Some(rule));
            }
        }
        Self::of_members(
            by_operator.keys().copied().collect(),
            by_operator.values().copied().collect(),
        )
    }
}

impl From<Excluded> for BTreeMap<Rule, BTreeSet<OperatorId>> {
    fn from(excluded: Excluded) -> Self {
        excluded.by_rule()
    }
}

impl PartialEq for Excluded {
    fn eq(&self, other: &Self) -> bool {
        self.by_rule() == other.by_rule()
    }
}

impl Eq for Excluded {}

impl fmt::Debug for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.by_rule().fmt(f)
    }
}

/// What keeps an operator out, in the order of checking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Does not work for the queue.
    NotMember,
    /// Away or offline by own choice.
    NotReady,
    /// Missed offers and has not said Ready since.
    NotResponding,
    /// Declined a moment ago.
    CoolingDown,
    /// Carries something that blocks this medium.
    WhileOn,
    /// Carries as many of this medium as allowed.
    MediumCap,
    /// Has not enough units left.
    NoRoom,
    /// Was asked in this round.
    Tried,
    /// Was the last to be asked or to have it, and somebody else is free.
    LastAsked,
}

impl Rule {
    /// The name in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotMember => "not_member",
            Self::NotReady => "not_ready",
            Self::NotResponding => "not_responding",
            Self::CoolingDown => "cooling_down",
            Self::WhileOn => "while_on",
            Self::MediumCap => "medium_cap",
            Self::NoRoom => "no_room",
            Self::Tried => "tried",
            Self::LastAsked => "last_asked",
        }
    }
}
