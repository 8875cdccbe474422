//! What waits for its turn: one lane for a thread, entries in the order of arrival.

use std::collections::{HashMap, VecDeque};

use domain::LineId;
use domain::message::Inbound;

use super::Work;

/// A lane's name.
pub(super) type Lane = (LineId, String);

/// The lanes with something in them.
#[derive(Default)]
pub(super) struct Lanes {
    waiting: HashMap<Lane, VecDeque<Work>>,
    /// In which lane a letter is that has not been processed yet: what refers to it
    /// comes after it, whatever thread it will turn out to belong to.
    letters: HashMap<Lane, Lane>,
}

impl Lanes {
    /// Adds to a lane and tells which; true when it is new and needs a worker.
    pub(super) fn push(&mut self, work: Work) -> (Lane, bool) {
        let lane = self.lane_of(&work);
        for name in names(&work) {
            self.letters.insert(name, lane.clone());
        }
        if let Some(waiting) = self.waiting.get_mut(&lane) {
            waiting.push_back(work);
            return (lane, false);
        }
        self.waiting.insert(lane.clone(), VecDeque::from([work]));
        (lane, true)
    }

    /// What is next in a lane; none when it is empty, and gone.
    pub(super) fn next(&mut self, lane: &Lane) -> Option<Work> {
        let next = self.waiting.get_mut(lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.waiting.remove(lane);
            if !self.letters.is_empty() {
                self.letters.retain(|_, other| other != lane);
            }
        }
        next
    }

    fn lane_of(&self, work: &Work) -> Lane {
        let line = &work.line.id;
        let first = work.inbounds.first();
        references(first)
            .iter()
            .rev()
            .find_map(|name| self.letters.get(&(line.clone(), name.clone())).cloned())
            .unwrap_or_else(|| (line.clone(), first.map(root).unwrap_or_default()))
    }
}

/// What the first letter of a thread and all that refer to it have in common.
fn root(inbound: &Inbound) -> String {
    let own = inbound.letter.as_ref().map(|letter| &letter.message_id);
    let own = own.filter(|own| !own.is_empty());
    let root = references(Some(inbound)).first().or(own);
    root.unwrap_or(&inbound.thread_key).clone()
}

/// What a letter refers to. Of anything else the channel tells the thread itself.
fn references(inbound: Option<&Inbound>) -> &[String] {
    let letter = inbound.filter(|inbound| inbound.letter.is_some());
    letter.map_or(&[], |letter| &letter.thread.references)
}

fn names(work: &Work) -> Vec<Lane> {
    let letters = work.inbounds.iter().filter_map(|it| it.letter.as_ref());
    letters
        .filter(|letter| !letter.message_id.is_empty())
        .map(|letter| (work.line.id.clone(), letter.message_id.clone()))
        .collect()
}
