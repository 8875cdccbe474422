//! What an admin's stream tells of a queue: who came in which order, and who was
//! given away in which.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{bail, ensure};
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::gateway::Gateway;
use crate::watch::{next_event, subscribe};

/// What was read so far.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Conversations, with their queue and each one's number in it.
    opened: BTreeMap<String, (String, usize)>,
    queues: BTreeMap<String, usize>,
    /// Conversations and operators, as they were put together.
    pub(crate) given: Vec<(String, String)>,
    given_at: Option<Instant>,
    owned: BTreeSet<String>,
    pub(crate) closed: BTreeSet<String>,
    failed: Option<String>,
}

pub(crate) struct Book {
    read: Arc<Mutex<Read>>,
    task: JoinHandle<()>,
}

impl Drop for Book {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Book {
    pub(crate) async fn open(gateway: &Gateway) -> anyhow::Result<Self> {
        let mut feed = subscribe(&mut gateway.inbox().await?).await?;
        let read = Arc::new(Mutex::new(Read::default()));
        let noted = Arc::clone(&read);
        let task = tokio::spawn(async move {
            loop {
                match next_event(&mut feed).await {
                    Ok(kind) => lock(&noted).note(kind),
                    Err(error) => {
                        lock(&noted).failed = Some(format!("{error:#}"));
                        return;
                    }
                }
            }
        });
        Ok(Self { read, task })
    }

    pub(crate) fn look<T>(&self, look: impl FnOnce(&Read) -> T) -> T {
        look(&lock(&self.read))
    }

    /// Waits until there are so many of something.
    pub(crate) async fn until(
        &self,
        what: &str,
        wanted: usize,
        count: impl Fn(&Read) -> usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let (found, failed) = self.look(|read| (count(read), read.failed.clone()));
            if found >= wanted {
                return Ok(());
            }
            if let Some(failed) = failed {
                bail!("after {found} of {wanted} {what}: {failed}");
            }
            ensure!(
                begun.elapsed() < patience,
                "WRONG: {found} of {wanted} {what}, and no more"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Read {
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else matters here")]
    fn note(&mut self, kind: Kind) {
        match kind {
            Kind::ConversationOpened(opened) => {
                self.open(opened.id, opened.queue_id);
            }
            Kind::OfferMade(pb::OfferMade {
                offer: Some(offer), ..
            }) => self.give(offer.conversation_id, offer.operator_id),
            Kind::ConversationChanged(changed) => match changed.state() {
                // Without an offer, it is given when it is theirs.
                pb::ConversationState::Active
                    if self.owned.insert(changed.id.clone())
                        && self.given.len() < self.owned.len() =>
                {
                    self.give(changed.id, changed.operator_id);
                }
                pb::ConversationState::Closed => {
                    self.closed.insert(changed.id);
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn open(&mut self, conversation: String, queue: String) {
        let length = self.queues.entry(queue.clone()).or_default();
        self.opened.insert(conversation, (queue, *length));
        *length += 1;
    }

    fn give(&mut self, conversation: String, operator: String) {
        self.given.push((conversation, operator));
        self.given_at = Some(Instant::now());
    }

    pub(crate) fn opened(&self) -> usize {
        self.opened.len()
    }

    /// When the last one was given away.
    pub(crate) fn given_at(&self) -> Option<Instant> {
        self.given_at
    }

    /// Everything was given away once, each queue in the order in which it came.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let mut next: BTreeMap<&str, usize> = BTreeMap::new();
        for (conversation, _) in &self.given {
            let Some((queue, number)) = self.opened.get(conversation) else {
                bail!("WRONG: {conversation} was given away and never came");
            };
            let next = next.entry(queue).or_default();
            ensure!(
                number == next,
                "WRONG: {conversation} was given away as number {next} of its queue, and came \
                 as number {number}"
            );
            *next += 1;
        }
        for (queue, length) in &self.queues {
            let given = next.get(queue.as_str()).copied().unwrap_or(0);
            ensure!(
                given == *length,
                "WRONG: {given} of {length} of the queue {queue} were given away"
            );
        }
        Ok(())
    }
}

fn lock(read: &Mutex<Read>) -> std::sync::MutexGuard<'_, Read> {
    read.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::Read;

    #[test]
    fn who_overtakes_or_is_left_is_told() {
        let given = |order: &[&str]| {
            let mut read = Read::default();
            for (id, queue) in [("a", "main"), ("b", "main"), ("c", "other"), ("d", "main")] {
                read.open(id.to_owned(), queue.to_owned());
            }
            for id in order {
                read.give((*id).to_owned(), "anna".to_owned());
            }
            read.check().is_ok()
        };
        assert!(given(&["a", "b", "c", "d"]));
        assert!(given(&["c", "a", "b", "d"]));
        assert!(!given(&["a", "d", "b", "c"]));
        assert!(!given(&["a", "b", "d"]));
        assert!(!given(&["a", "b", "b", "c", "d"]));
        assert!(!given(&["a", "b", "c", "d", "e"]));
    }
}
