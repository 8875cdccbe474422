//! What waits to be processed: in memory while it is little, by its number in the journal
//! beyond that. However much comes at once, memory stays bounded.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use store::Taken;
use tokio::sync::mpsc;

use crate::Engine;

/// So many bytes of entries wait in memory.
const HELD_BYTES_MAX: usize = 16 << 20;

enum Waiting {
    /// The entry, to spare reading it again.
    Here(Taken),
    /// Where it is.
    InJournal(i64),
}

/// Where entries are put.
#[derive(Clone)]
pub(crate) struct Entrance {
    waiting: mpsc::Sender<Waiting>,
    held: Arc<AtomicUsize>,
}

/// Where they are taken from, in their order.
pub(crate) struct Queue {
    waiting: mpsc::Receiver<Waiting>,
    held: Arc<AtomicUsize>,
    /// What the journal held at the start.
    left: VecDeque<i64>,
}

/// A queue with room for so many entries.
pub(crate) fn queue(entries_max: usize) -> (Entrance, Queue) {
    let (entrance, waiting) = mpsc::channel(entries_max);
    let held = Arc::new(AtomicUsize::new(0));
    let entrance = Entrance {
        waiting: entrance,
        held: Arc::clone(&held),
    };
    let left = VecDeque::new();
    (
        entrance,
        Queue {
            waiting,
            held,
            left,
        },
    )
}

impl Entrance {
    /// Puts an entry, if there is room; false when it stays in the journal.
    pub(crate) fn push(&self, entry: Taken) -> bool {
        let Ok(place) = self.waiting.try_reserve() else {
            return false;
        };
        place.send(self.hold(entry));
        true
    }

    /// Puts an entry as soon as there is room; false when nobody takes any more.
    pub(crate) async fn put(&self, entry: Taken) -> bool {
        let Ok(place) = self.waiting.reserve().await else {
            return false;
        };
        place.send(self.hold(entry));
        true
    }

    fn hold(&self, entry: Taken) -> Waiting {
        let bytes = entry.raw.len();
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes <= HELD_BYTES_MAX {
            return Waiting::Here(entry);
        }
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        Waiting::InJournal(entry.seq)
    }
}

impl Queue {
    /// Puts what the journal held at the start before all others.
    pub(crate) fn begin_with(&mut self, left: Vec<i64>) {
        self.left = left.into();
    }

    /// The next entry; none when there will be none. May be given up while it waits.
    pub(super) async fn next(&mut self) -> Option<Next> {
        if let Some(seq) = self.left.pop_front() {
            return Some(Next::InJournal(seq));
        }
        Some(match self.waiting.recv().await? {
            Waiting::Here(entry) => {
                self.held.fetch_sub(entry.raw.len(), Ordering::Relaxed);
                Next::Here(entry)
            }
            Waiting::InJournal(seq) => Next::InJournal(seq),
        })
    }
}

/// What comes next.
pub(super) enum Next {
    Here(Taken),
    InJournal(i64),
}

impl Next {
    /// The entry; none when it has ended meanwhile, or the gateway stops.
    pub(super) async fn entry(self, engine: &Engine) -> Option<Taken> {
        match self {
            Self::Here(entry) => Some(entry),
            Self::InJournal(seq) => engine.entry_when_it_can_be_read(seq).await.map(Taken::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::{LineId, Timestamp};

    use super::*;

    fn entry(seq: i64, bytes: usize) -> Taken {
        Taken {
            seq,
            line: LineId::from("mail"),
            received_at: Timestamp(0),
            raw: Bytes::from(vec![b'x'; bytes]),
            rest: None,
        }
    }

    #[tokio::test]
    async fn what_waits_beyond_its_room_waits_in_the_journal_and_in_order() {
        let (entrance, mut queue) = queue(100);
        queue.begin_with(vec![1, 2]);
        for seq in 3..=40 {
            assert!(entrance.push(entry(seq, 1 << 20)));
        }
        assert_eq!(entrance.held.load(Ordering::Relaxed), HELD_BYTES_MAX);
        let mut here = 0;
        for expected in 1..=40 {
            let seq = match queue.next().await.unwrap() {
                Next::Here(entry) => {
                    here += 1;
                    entry.seq
                }
                Next::InJournal(seq) => seq,
            };
            assert_eq!(seq, expected);
        }
        assert_eq!(here, 16);
        assert_eq!(entrance.held.load(Ordering::Relaxed), 0);
        // There is room again.
        assert!(entrance.put(entry(41, 1)).await);
        assert!(matches!(queue.next().await, Some(Next::Here(_))));
    }

    #[tokio::test]
    async fn a_full_queue_takes_nothing() {
        let (entrance, queue) = queue(1);
        assert!(entrance.push(entry(1, 1)));
        assert!(!entrance.push(entry(2, 1)));
        drop(queue);
        assert!(!entrance.put(entry(3, 1)).await);
    }
}
