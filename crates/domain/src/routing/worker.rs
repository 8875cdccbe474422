//! An operator in the course of one pass of `settle`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{Candidate, CandidateKeys, Rule, Strategy};
use crate::message::Medium;
use crate::operator::{CapacityRules, Load};
use crate::{Millis, Timestamp};

/// The number of media, for tables indexed by medium.
pub(super) const MEDIA: usize = Medium::ALL.len();

/// An operator's turn in the order over all queues.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) keys: CandidateKeys,
    pub(super) worker: usize,
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.keys.compare(&other.keys, Strategy::LongestIdle)
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A row of a queue that an operator works for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Post {
    pub(super) rank: i32,
    pub(super) row: usize,
    /// Their place in the queue's list.
    pub(super) position: i32,
    /// How old a conversation must be so that they may answer it; none when they never
    /// may.
    pub(super) age_needed: Option<Millis>,
}

/// An operator. The load only grows in a pass, so who has once no room for a medium
/// has none until the end.
pub(super) struct Worker<'a> {
    pub(super) candidate: &'a Candidate,
    pub(super) keys: CandidateKeys,
    /// In the order of rank and row.
    pub(super) posts: Vec<Post>,
    /// Who must look again when this one has room no more.
    pub(super) watchers: Vec<usize>,
    load: Cow<'a, Load>,
    stops: [Option<Rule>; MEDIA],
    is_barred: bool,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        candidate: &'a Candidate,
        rules: &CapacityRules,
        media: &BTreeSet<Medium>,
        now: Timestamp,
    ) -> Self {
        let barred = candidate.barred(now);
        let mut stops = [barred; MEDIA];
        if barred.is_none() {
            for medium in media {
                stops[*medium as usize] = candidate.stopped(rules, *medium, now);
            }
        }
        Self {
            candidate,
            keys: candidate.keys(rules),
            posts: Vec::new(),
            watchers: Vec::new(),
            load: Cow::Borrowed(&candidate.load),
            stops,
            is_barred: barred.is_some(),
        }
    }

    /// What keeps the operator from the medium now.
    pub(super) fn stopped(&self, medium: Medium) -> Option<Rule> {
        self.stops[medium as usize]
    }

    /// True when nothing of what waits can be theirs.
    pub(super) fn is_out(&self, media: &BTreeSet<Medium>) -> bool {
        self.is_barred || media.iter().all(|medium| self.stopped(*medium).is_some())
    }

    /// The operator's turn, unless they take nothing at all.
    pub(super) fn turn(&self, index: usize) -> Option<Turn> {
        let turn = Turn {
            keys: self.keys,
            worker: index,
        };
        (!self.is_barred).then_some(turn)
    }

    /// Carries one more; tells from which media it keeps the operator, and why.
    pub(super) fn occupy(
        &mut self,
        medium: Medium,
        rules: &CapacityRules,
        media: &BTreeSet<Medium>,
        turn: i64,
    ) -> Vec<(Medium, Rule)> {
        self.load.to_mut().occupy(medium);
        self.keys.load = self.load.units(rules);
        self.keys.open = self.load.total();
        self.keys.turn = turn;
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

/// Finds an operator among those of a pass.
pub(super) fn position(workers: &[Worker<'_>], operator: crate::OperatorId) -> Option<usize> {
    workers
        .binary_search_by_key(&operator, |worker| worker.candidate.operator)
        .ok()
}
