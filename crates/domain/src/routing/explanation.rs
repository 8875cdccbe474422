use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{CandidateKeys, Place, Skills, Strategy};
use crate::OperatorId;

/// Why a decision went as it did: enough to derive it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What kind of decision it was.
    pub cause: Cause,
    /// The order of the operators.
    #[serde(default, skip_serializing_if = "Strategy::is_default")]
    pub strategy: Strategy,
    /// Where the conversation stood.
    pub place: Place,
    /// The round of asking, from 1.
    pub round: u32,
    /// What whoever answers it had to have at its age.
    #[serde(default, skip_serializing_if = "Skills::is_empty")]
    pub skills: Skills,
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
    /// It was held for the operator of before.
    Sticky,
    /// Everybody who was free was asked at once.
    Ring,
}

impl Cause {
    /// The name in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Transfer => "transfer",
            Self::Owner => "owner",
            Self::Sticky => "sticky",
            Self::Ring => "ring",
        }
    }
}

impl Explanation {
    /// Derives the decision again: of those whom nothing kept out, the first in the
    /// order. Who was asked at once with others was chosen beside them.
    pub fn derive(&self) -> OperatorId {
        match self.runner_up {
            Some(other)
                if self.cause != Cause::Ring
                    && other.compare(&self.chosen, self.strategy).is_lt() =>
            {
                other.operator
            }
            Some(_) | None => self.chosen.operator,
        }
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
    /// Lost the connection a moment ago.
    Disconnected,
    /// Missed offers and has not said Ready since.
    NotResponding,
    /// Finishes up after a conversation.
    WrapUp,
    /// Declined a moment ago.
    CoolingDown,
    /// Carries something that blocks this medium.
    WhileOn,
    /// Carries as many of this medium as allowed.
    MediumCap,
    /// Has not enough units left.
    NoRoom,
    /// Has not all of the skills that it needs at its age.
    MissingSkill,
    /// Was asked in this round.
    Tried,
    /// It is held for the operator of before.
    HeldForOther,
    /// Was the last to be asked or to have it, and somebody else is free.
    LastAsked,
    /// Something waits that they answer before this.
    HasBetter,
}

impl Rule {
    /// The name in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotMember => "not_member",
            Self::NotReady => "not_ready",
            Self::Disconnected => "disconnected",
            Self::NotResponding => "not_responding",
            Self::WrapUp => "wrap_up",
            Self::CoolingDown => "cooling_down",
            Self::WhileOn => "while_on",
            Self::MediumCap => "medium_cap",
            Self::NoRoom => "no_room",
            Self::MissingSkill => "missing_skill",
            Self::Tried => "tried",
            Self::HeldForOther => "held_for_other",
            Self::LastAsked => "last_asked",
            Self::HasBetter => "has_better",
        }
    }
}
