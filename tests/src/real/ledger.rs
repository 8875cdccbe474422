use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::soon;

/// What every client sent and what it was told became of it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    books: Arc<Mutex<Books>>,
    /// How many were acknowledged, and how many put off.
    counts: Arc<watch::Sender<(usize, u64)>>,
}

/// The books.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// By sender.
    pub(super) inbound: BTreeMap<String, Sent>,
    /// Operators' messages by their words.
    pub(super) replies: BTreeMap<String, Reply>,
    /// What visitors were shown of operators, by message, by sender.
    pub(super) shown: BTreeMap<String, BTreeMap<i64, String>>,
    /// What the bridge's program was given, by thread, in order, each once.
    pub(super) bridged: BTreeMap<String, Vec<i64>>,
}

/// A sender's messages, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) last: u64,
    pub(super) acked: BTreeSet<u64>,
}

/// An operator's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Sent, not answered.
    Open,
    /// Accepted.
    Acked,
    /// Not accepted.
    Refused,
}

impl Ledger {
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a sender's next message.
    pub(super) fn next(&self, sender: &str) -> u64 {
        let mut books = self.books();
        let sent = books.inbound.entry(sender.to_owned()).or_default();
        sent.last += 1;
        sent.last
    }

    pub(super) fn acked(&self, sender: &str, number: u64) {
        if let Some(sent) = self.books().inbound.get_mut(sender) {
            sent.acked.insert(number);
        }
        self.counts.send_modify(|(acked, _)| *acked += 1);
    }

    pub(super) fn replied(&self, words: &str, reply: Reply) {
        self.books().replies.insert(words.to_owned(), reply);
    }

    pub(super) fn put_off(&self) {
        self.counts.send_modify(|(_, put_off)| *put_off += 1);
    }

    /// How many messages of clients were acknowledged so far.
    pub fn acked_so_far(&self) -> usize {
        self.counts.borrow().0
    }

    /// Waits until so many messages of clients were acknowledged.
    pub async fn acked_at_least(&self, count: usize) {
        let mut counts = self.counts.subscribe();
        let reached = counts.wait_for(|(acked, _)| *acked >= count);
        soon("enough is acknowledged", reached).await.unwrap();
    }

    /// Waits until clients were told to come again so many times more.
    pub async fn put_off_more(&self, count: u64) {
        let mut counts = self.counts.subscribe();
        let before = counts.borrow_and_update().1;
        let reached = counts.wait_for(|(_, put_off)| *put_off >= before + count);
        soon("clients are told to come again", reached)
            .await
            .unwrap();
    }
}

/// The words of a sender's message.
pub(super) fn words(sender: &str, number: u64) -> String {
    format!("{sender}-{number}")
}

/// The sender and the number that words tell.
pub(super) fn read_words(words: &str) -> Option<(&str, u64)> {
    let (sender, number) = words.lines().next()?.rsplit_once('-')?;
    Some((sender, number.parse().ok()?))
}
