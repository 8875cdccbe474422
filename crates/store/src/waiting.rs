//! What waits for the writer: first what somebody is kept waiting by, then what has
//! time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

/// Operations taken up at once. Beyond it their callers wait in the channel.
const HELD_MAX: usize = 8_192;
/// Operations of one transaction. Beyond this the fsync is shared widely enough,
/// and a longer batch only makes its first operation wait.
const BATCH_MAX: usize = 256;
/// What has time gets this much of a transaction, or this part of what others took
/// before it, so that no flood brings it to a standstill.
const SHARE_MIN: Duration = Duration::from_millis(1);
const SHARE_PART: u32 = 4;
/// It gets this much when nobody was kept waiting for a while: whoever comes now waits
/// for it.
const SHARE_ALONE: Duration = Duration::from_millis(25);
const A_WHILE: Duration = Duration::from_millis(50);

/// Whether somebody is kept waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// A client's acknowledgement, an operator's act.
    Now,
    /// What is durable already and is worked on.
    Later,
}

pub(crate) struct Waiting<J> {
    channel: mpsc::Receiver<(Haste, J)>,
    now: VecDeque<J>,
    later: VecDeque<J>,
    /// When somebody was kept waiting last.
    last_now: Option<Instant>,
}

impl<J> Waiting<J> {
    pub(crate) fn new(channel: mpsc::Receiver<(Haste, J)>) -> Self {
        Self {
            channel,
            now: VecDeque::new(),
            later: VecDeque::new(),
            last_now: None,
        }
    }

    /// Waits until there is something; false when nothing can come any more.
    pub(crate) fn wait(&mut self) -> bool {
        if self.now.is_empty() && self.later.is_empty() {
            match self.channel.blocking_recv() {
                Some(first) => self.hold(first),
                None => return false,
            }
        }
        self.take_up();
        true
    }

    /// Whether there is something now.
    pub(crate) fn has_some(&mut self) -> bool {
        self.take_up();
        !(self.now.is_empty() && self.later.is_empty())
    }

    fn take_up(&mut self) {
        while self.now.len() + self.later.len() < HELD_MAX
            && let Ok(next) = self.channel.try_recv()
        {
            self.hold(next);
        }
    }

    fn hold(&mut self, (haste, job): (Haste, J)) {
        match haste {
            Haste::Now => {
                self.now.push_back(job);
                self.last_now = Some(Instant::now());
            }
            Haste::Later => self.later.push_back(job),
        }
    }

    /// Begins a transaction.
    pub(crate) fn batch(&mut self) -> Batch<'_, J> {
        let begun = Instant::now();
        let is_busy = |last| begun.duration_since(last) < A_WHILE;
        let share = if self.last_now.is_some_and(is_busy) {
            SHARE_MIN
        } else {
            SHARE_ALONE
        };
        Batch {
            waiting: self,
            begun,
            share,
            later_since: None,
            taken: 0,
        }
    }

    /// All there is, in order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = J> {
        self.now.drain(..).chain(self.later.drain(..))
    }
}

/// What one transaction takes.
pub(crate) struct Batch<'a, J> {
    waiting: &'a mut Waiting<J>,
    begun: Instant,
    share: Duration,
    later_since: Option<Instant>,
    taken: usize,
}

impl<J> Iterator for Batch<'_, J> {
    type Item = J;

    fn next(&mut self) -> Option<J> {
        if let Some(job) = self.first() {
            return Some(job);
        }
        let at = Instant::now();
        let since = *self.later_since.get_or_insert(at);
        let share = self
            .share
            .max(since.duration_since(self.begun) / SHARE_PART);
        if at.duration_since(since) < share
            && let Some(job) = self.waiting.later.pop_front()
        {
            return Some(job);
        }
        // Who came meanwhile need not wait for another commit.
        self.waiting.take_up();
        self.first()
    }
}

impl<J> Batch<'_, J> {
    fn first(&mut self) -> Option<J> {
        if self.taken == BATCH_MAX {
            return None;
        }
        let job = self.waiting.now.pop_front()?;
        self.taken += 1;
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(jobs: impl IntoIterator<Item = (Haste, u32)>) -> Waiting<u32> {
        let (sender, channel) = mpsc::channel(1_000);
        for job in jobs {
            sender.try_send(job).unwrap();
        }
        Waiting::new(channel)
    }

    #[test]
    fn what_somebody_waits_for_comes_first_each_in_order() {
        let jobs = [
            (Haste::Later, 1),
            (Haste::Now, 2),
            (Haste::Later, 3),
            (Haste::Now, 4),
        ];
        let mut waiting = waiting(jobs);
        assert!(waiting.wait());
        assert_eq!(waiting.batch().collect::<Vec<_>>(), [2, 4, 1, 3]);
        assert!(!waiting.wait(), "nobody can send any more");
    }

    #[test]
    fn what_has_time_is_never_at_a_standstill() {
        let urgent = (0..900).map(|number| (Haste::Now, number));
        let mut waiting = waiting(urgent.chain([(Haste::Later, 1_000)]));
        assert!(waiting.wait());
        let batch: Vec<_> = waiting.batch().collect();
        assert_eq!(batch.len(), BATCH_MAX + 1);
        assert_eq!(batch.last(), Some(&1_000));
    }

    #[test]
    fn it_leaves_off_when_its_time_is_over() {
        let mut waiting = waiting((0..10).map(|number| (Haste::Later, number)));
        assert!(waiting.wait());
        let mut batch = waiting.batch();
        assert_eq!(batch.next(), Some(0));
        batch.later_since = Instant::now().checked_sub(SHARE_ALONE);
        assert_eq!(batch.next(), None);
        assert_eq!(waiting.drain().count(), 9, "they wait for their turn");
    }
}
