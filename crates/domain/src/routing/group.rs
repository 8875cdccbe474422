//! What waits in one queue by one medium, and who works for it, in the course of
//! one pass of `settle`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::explanation::Standing;
use super::{Candidate, CandidateKeys, Place, Rule, Waiting};
use crate::message::Medium;
use crate::operator::{CapacityRules, Load};
use crate::{ConversationId, OperatorId};

/// The number of media, for tables indexed by medium.
pub(super) const MEDIA: usize = Medium::ALL.len();

/// A queue of so few is looked through faster than the order of all operators.
const MEMBERS_SCAN_MAX: usize = 64;

/// An operator's turn in the order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    keys: CandidateKeys,
    pub(super) worker: usize,
}

/// An operator in the course of the pass. The load only grows in it, so who has
/// once no room for a medium has none until the end.
pub(super) struct Worker<'a> {
    pub(super) candidate: &'a Candidate,
    pub(super) keys: CandidateKeys,
    /// Rank and group, in order.
    pub(super) posts: Vec<(i32, usize)>,
    /// Who must look again when this one has room no more.
    pub(super) watchers: Vec<usize>,
    load: Cow<'a, Load>,
    stops: [Option<Rule>; MEDIA],
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        candidate: &'a Candidate,
        posts: Vec<(i32, usize)>,
        rules: &CapacityRules,
        media: &BTreeSet<Medium>,
    ) -> Self {
        let mut stops = [None; MEDIA];
        for medium in media {
            stops[*medium as usize] = candidate.stopped(rules, *medium);
        }
        Self {
            candidate,
            keys: candidate.keys(rules),
            posts,
            watchers: Vec::new(),
            load: Cow::Borrowed(&candidate.load),
            stops,
        }
    }

    /// What keeps the operator from the medium now.
    pub(super) fn stopped(&self, medium: Medium) -> Option<Rule> {
        self.stops[medium as usize]
    }

    /// The operator's turn, unless they take nothing at all.
    pub(super) fn turn(&self, index: usize) -> Option<Turn> {
        let turn = Turn {
            keys: self.keys,
            worker: index,
        };
        self.candidate.barred.is_none().then_some(turn)
    }

    /// Carries one more; tells from which media it keeps the operator, and why.
    pub(super) fn occupy(
        &mut self,
        medium: Medium,
        rules: &CapacityRules,
        media: &BTreeSet<Medium>,
    ) -> Vec<(Medium, Rule)> {
        self.load.to_mut().occupy(medium);
        self.keys.load = self.load.units(rules);
        let mut changes = Vec::new();
        for medium in media {
            let stop = rules
                .check(&self.load, self.candidate.capacity, *medium)
                .err();
            if let Some(rule) = stop
                && self.stops[*medium as usize] != stop
            {
                self.stops[*medium as usize] = stop;
                changes.push((*medium, rule));
            }
        }
        changes
    }
}

/// A conversation and where it stands, side by side for quick comparing.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) stands: (Place, ConversationId),
    pub(super) waiting: &'a Waiting,
}

impl<'a> Entry<'a> {
    pub(super) fn new(waiting: &'a Waiting) -> Self {
        Self {
            stands: (waiting.place, waiting.conversation),
            waiting,
        }
    }
}

/// What waits, in the order of places.
#[derive(Default)]
pub(super) struct Line<'a> {
    entries: Vec<Entry<'a>>,
    /// By entry: itself while it waits, else one behind it that is nearer to the
    /// next that waits. Paths are halved when walked, so walking stays short.
    next: Vec<usize>,
}

impl<'a> Line<'a> {
    pub(super) fn new(mut entries: Vec<Entry<'a>>) -> Self {
        entries.sort_unstable_by_key(|entry| entry.stands);
        let next = (0..entries.len()).collect();
        Self { entries, next }
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.next[at] = at + 1;
    }

    /// The first at `from` or behind it that still waits.
    pub(super) fn first_from(&mut self, from: usize) -> Option<(usize, Entry<'a>)> {
        let mut at = from;
        while let Some(next) = self.next.get(at).copied()
            && next != at
        {
            let beyond = self.next.get(next).copied().unwrap_or(next);
            self.next[at] = beyond;
            at = beyond;
        }
        self.entries.get(at).map(|entry| (at, *entry))
    }
}

/// One queue's conversations of one medium.
pub(super) struct Group<'a> {
    pub(super) medium: Medium,
    pub(super) line: Line<'a>,
    /// Everybody who works for the queue, in the order of their ids.
    pub(super) members: Vec<usize>,
    /// Who was kept out anew since `standing` was made.
    pub(super) since: Vec<(OperatorId, Rule)>,
    standing: Option<Standing>,
    /// Made when it is first needed.
    acceptors: Option<Vec<OperatorId>>,
}

impl<'a> Group<'a> {
    pub(super) fn new(medium: Medium) -> Self {
        Self {
            medium,
            line: Line::default(),
            members: Vec::new(),
            since: Vec::new(),
            standing: None,
            acceptors: None,
        }
    }

    /// True when everybody who could accept it, now or later, was asked in this
    /// round. Who is too small for the medium even when idle never could.
    pub(super) fn all_were_asked(
        &mut self,
        waiting: &Waiting,
        workers: &[Worker<'a>],
        rules: &CapacityRules,
    ) -> bool {
        if waiting.tried.is_empty() {
            return false;
        }
        let acceptors = self.acceptors.get_or_insert_with(|| {
            self.members
                .iter()
                .map(|index| workers[*index].candidate)
                .filter(|candidate| {
                    matches!(candidate.barred, None | Some(Rule::CoolingDown))
                        && rules
                            .check(&Load::default(), candidate.capacity, self.medium)
                            .is_ok()
                })
                .map(|candidate| candidate.operator)
                .collect()
        });
        !acceptors.is_empty() && acceptors.iter().all(|who| waiting.tried.contains(who))
    }

    /// True for somebody who works for the queue and has room for the medium.
    pub(super) fn is_free(&self, workers: &[Worker<'a>], index: usize) -> bool {
        workers[index].stopped(self.medium).is_none() && self.members.binary_search(&index).is_ok()
    }

    /// The first operator in the order who is free, past those to skip. `turns` must
    /// hold everybody who may get something of this group.
    pub(super) fn first_free(
        &self,
        workers: &[Worker<'a>],
        turns: &BTreeSet<Turn>,
        skip: impl Fn(OperatorId) -> bool,
    ) -> Option<usize> {
        let fits = |turn: &&Turn| self.is_free(workers, turn.worker) && !skip(turn.keys.operator);
        if self.members.len() > MEMBERS_SCAN_MAX {
            return turns.iter().find(fits).map(|turn| turn.worker);
        }
        let members = self.members.iter();
        let free = members.filter_map(|index| workers[*index].turn(*index));
        let first = free.filter(|turn| fits(&turn)).min();
        first.map(|turn| turn.worker)
    }

    /// Everybody, with what keeps them out for reasons of their own, as it was when this
    /// was first asked.
    pub(super) fn standing(&mut self, workers: &[Worker<'a>]) -> Standing {
        let standing = self.standing.get_or_insert_with(|| {
            let members = self.members.iter().map(|index| &workers[*index]);
            Standing {
                members: members
                    .clone()
                    .map(|worker| worker.candidate.operator)
                    .collect(),
                rules: members.map(|worker| worker.stopped(self.medium)).collect(),
            }
        });
        standing.clone()
    }

    /// Remembers that a rule keeps somebody out from now on.
    pub(super) fn note(&mut self, operator: OperatorId, rule: Rule) {
        // Before the first decision, `standing` will tell it.
        if self.standing.is_some() {
            self.since.push((operator, rule));
        }
    }

    pub(super) fn into_since(self) -> Arc<[(OperatorId, Rule)]> {
        self.since.into()
    }
}
