//! Journal entries that wait for their line, and stay in order when it comes: what
//! is new waits behind them until all of them went on.

use std::collections::{BTreeMap, VecDeque};

use domain::LineId;

#[derive(Debug, Default)]
pub(crate) struct Held {
    lines: BTreeMap<LineId, Backlog>,
}

/// What waits for one line.
#[derive(Debug, Default)]
struct Backlog {
    entries: VecDeque<i64>,
    /// The last that was sent on; entries up to it may pass.
    sent: i64,
    /// The last that passed.
    passed: i64,
}

/// What to do next about a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send this one on.
    Send(i64),
    /// The one that was sent has not passed yet.
    Wait,
    /// Nothing waits any more.
    Done,
}

impl Held {
    /// Whether an entry may go on to its line; otherwise it waits here.
    pub(crate) fn may_pass(&mut self, line: &LineId, entry: i64, is_served: bool) -> bool {
        let Some(backlog) = self.lines.get_mut(line) else {
            if !is_served {
                let backlog = self.lines.entry(line.clone()).or_default();
                backlog.entries.push_back(entry);
            }
            return is_served;
        };
        if entry > backlog.sent {
            backlog.entries.push_back(entry);
            return false;
        }
        backlog.passed = entry;
        if !is_served {
            // The line is gone again.
            backlog.entries.push_front(entry);
        }
        is_served
    }

    /// The lines for which something waits.
    pub(crate) fn lines(&self) -> Vec<LineId> {
        self.lines.keys().cloned().collect()
    }

    /// What comes next of a line that is served now.
    pub(crate) fn next(&mut self, line: &LineId) -> Next {
        let Some(backlog) = self.lines.get_mut(line) else {
            return Next::Done;
        };
        if let Some(entry) = backlog.entries.pop_front() {
            return Next::Send(entry);
        }
        if backlog.passed < backlog.sent {
            return Next::Wait;
        }
        self.lines.remove(line);
        Next::Done
    }

    /// Says that an entry is sent on now.
    pub(crate) fn sent(&mut self, line: &LineId, entry: i64) {
        if let Some(backlog) = self.lines.get_mut(line) {
            backlog.sent = entry;
        }
    }

    /// Puts back what could not be sent.
    pub(crate) fn put_back(&mut self, line: &LineId, entry: i64) {
        let backlog = self.lines.entry(line.clone()).or_default();
        backlog.entries.push_front(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_waits_behind_what_waited() {
        let line = LineId::from("l");
        let mut held = Held::default();
        assert!(held.may_pass(&line, 1, true), "nothing waits");
        assert!(!held.may_pass(&line, 2, false));
        assert!(!held.may_pass(&line, 3, false));
        // The line is there; what comes now is younger.
        assert!(!held.may_pass(&line, 4, true));
        assert_eq!(held.next(&line), Next::Send(2));
        held.sent(&line, 2);
        assert_eq!(held.next(&line), Next::Send(3));
        held.sent(&line, 3);
        assert!(held.may_pass(&line, 2, true));
        assert!(!held.may_pass(&line, 5, true));
        assert_eq!(held.next(&line), Next::Send(4));
        held.sent(&line, 4);
        assert!(held.may_pass(&line, 3, true));
        assert!(held.may_pass(&line, 4, true));
        assert_eq!(held.next(&line), Next::Send(5));
        held.sent(&line, 5);
        // On its way behind one that was taken in meanwhile.
        assert_eq!(held.next(&line), Next::Wait);
        assert!(!held.may_pass(&line, 6, true));
        assert!(held.may_pass(&line, 5, true));
        assert_eq!(held.next(&line), Next::Send(6));
        held.sent(&line, 6);
        assert!(held.may_pass(&line, 6, true));
        assert_eq!(held.next(&line), Next::Done);
        assert!(held.may_pass(&line, 7, true));
        assert!(held.lines().is_empty());
    }

    #[test]
    fn a_line_that_goes_again_keeps_what_was_under_way_first() {
        let line = LineId::from("l");
        let mut held = Held::default();
        held.may_pass(&line, 1, false);
        held.may_pass(&line, 2, false);
        assert_eq!(held.next(&line), Next::Send(1));
        held.sent(&line, 1);
        assert!(!held.may_pass(&line, 1, false));
        assert_eq!(held.next(&line), Next::Send(1));
        held.put_back(&line, 1);
        assert_eq!(held.next(&line), Next::Send(1));
    }
}
