//! Other settings while the gateway runs. Everything is checked and changed within
//! the writer's turn, so that nothing enters a queue while it is dropped.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use domain::event::EventKind;
use domain::routing::LineRules;
use domain::{LineId, QueueId};
use store::{JournalEntry, StoreError, Taken, Tally, View};

use crate::held::{Held, Next};
use crate::new_rules;
use crate::serving::{Served, Serving};
use crate::webhooks::{self, Webhook};
use crate::{Engine, Line, Settings};

/// How often it is looked whether there is room for an event that waited.
const ROOM_PACE: Duration = Duration::from_millis(100);

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Lines.
    pub lines: Difference<LineId>,
    /// Queues.
    pub queues: Difference<QueueId>,
    /// What conversations take of an operator.
    pub capacity: bool,
    /// Outgoing webhooks.
    pub webhooks: Difference<String>,
    /// How many answers still wait to go out by a line that was removed.
    pub unsent: Vec<(LineId, i64)>,
}

/// What is other in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference<T> {
    /// New.
    pub added: Vec<T>,
    /// Other than before.
    pub changed: Vec<T>,
    /// Gone.
    pub removed: Vec<T>,
}

impl<T> Default for Difference<T> {
    fn default() -> Self {
        Self {
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
        }
    }
}

impl Changes {
    /// Each change in a few words.
    pub fn told(&self) -> Vec<String> {
        let mut told = self.lines.told("line");
        told.extend(self.queues.told("queue"));
        if self.capacity {
            told.push("capacity changed".to_owned());
        }
        told.extend(self.webhooks.told("webhook"));
        for (line, count) in &self.unsent {
            told.push(format!("{count} answers of \"{line}\" still go out"));
        }
        told
    }
}

impl<T> Difference<T> {
    fn all(&self) -> impl Iterator<Item = &T> {
        let known = self.added.iter().chain(&self.changed);
        known.chain(&self.removed)
    }
}

impl<T: Display> Difference<T> {
    fn told(&self, what: &str) -> Vec<String> {
        let changes = [
            ("added", &self.added),
            ("changed", &self.changed),
            ("removed", &self.removed),
        ];
        let each = changes
            .iter()
            .flat_map(|(how, ids)| ids.iter().map(move |id| format!("{what} \"{id}\" {how}")));
        each.collect()
    }
}

/// Why settings were not taken. Nothing has changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReloadError {
    /// Queues that would be dropped are not empty.
    #[error("{} would be dropped and hold conversations", .0.len())]
    InUse(Vec<QueueInUse>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A queue that cannot be dropped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "holds conversations ({waiting} waiting, {active} with operators, {parked} put away): \
     keep it until they are finished or given to another queue"
)]
pub struct QueueInUse {
    /// The queue.
    pub id: QueueId,
    waiting: i64,
    active: i64,
    parked: i64,
}

impl Engine {
    /// Takes other lines, queues and rules, all of them or none. The rest of the
    /// settings has to be as before. A line whose channel is the same object as
    /// before stays connected.
    pub async fn reload(&self, settings: Settings) -> Result<Changes, ReloadError> {
        let (serving, stop) = (Arc::clone(&self.inner.serving), self.inner.stop.clone());
        let before = self.serving();
        let written = self
            .store()
            .write(move |tx| {
                let before = serving.borrow().clone();
                let in_use = in_use(tx, &before, &settings)?;
                if !in_use.is_empty() {
                    return Err(ReloadError::InUse(in_use));
                }
                let now = Arc::new(before.followed_by(settings, &stop));
                let changes = changes(&before, &now);
                let told = changes.told().join(", ");
                tx.audit(None, "configuration.reload", "", &told)?;
                for queue in changes.queues.all() {
                    let queue = queue.clone();
                    tx.emit(EventKind::QueueChanged { queue })?;
                }
                webhooks::enrol(tx, &now.settings().webhooks)?;
                new_rules::follow(tx, before.rules(), now.rules())?;
                serving.send_replace(Arc::clone(&now));
                tx.unsettle();
                Ok((before, now))
            })
            .await;
        let (before, now) = match written {
            Ok(both) => both,
            Err(error) => {
                // The commit may have failed after the change.
                self.inner.serving.send_replace(before);
                return Err(error);
            }
        };
        self.inner.feed.renew();
        for old in before.lines() {
            let same = now.line(&old.line.id);
            if same.is_none_or(|same| !same.is_connected_as(old)) {
                old.stop.cancel();
            }
        }
        for new in now.lines() {
            let old = before.line(&new.line.id);
            if old.is_none_or(|old| !old.is_connected_as(new)) {
                self.supervise_line(new.clone(), old.map(|old| old.ended.clone()));
            }
        }
        self.supervise("catch up", self.clone().catch_up());
        self.inner.wakes.outbox.notify_one();
        // Theirs began before the commit.
        self.inner.runners.wake_all();
        let mut changes = changes(&before, &now);
        for line in changes.lines.removed.clone() {
            let id = line.clone();
            let unsent = self.read::<_, StoreError>(move |view| view.outbox_count(&id));
            match unsent.await {
                Ok(count) => changes.unsent.push((line, count)),
                // It is done all the same.
                Err(error) => {
                    tracing::error!(line.id = %line, %error, "what waits to be sent was not counted");
                }
            }
        }
        changes.unsent.retain(|(_, count)| *count > 0);
        Ok(changes)
    }

    /// The settings in use and the lines that run because of them.
    pub fn serving(&self) -> Arc<Serving> {
        self.inner.serving.borrow().clone()
    }

    /// The line of a journal entry; none when it has to wait until there is one, or
    /// behind others that waited.
    pub(crate) fn line_of(&self, entry: &Taken) -> Option<Arc<Line>> {
        // Under the lock, so that no reload comes between looking and noting.
        let mut held = self.held();
        let line = self.serving().line_of_old(&entry.line).cloned();
        let may_pass = held.may_pass(&entry.line, entry.seq, line.is_some());
        line.filter(|_| may_pass)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        let held = self.inner.held.lock();
        held.unwrap_or_else(PoisonError::into_inner)
    }

    /// Has what waited for lines that are there now processed.
    async fn catch_up(self) {
        // After an earlier reload's.
        let _turn = self.inner.catching_up.lock().await;
        let lines = self.held().lines();
        for line in lines {
            while self.serving().line(&line).is_some() {
                let next = self.held().next(&line);
                match next {
                    Next::Send(seq) if self.send_on(&line, seq).await => {}
                    Next::Wait => tokio::time::sleep(ROOM_PACE).await,
                    Next::Send(_) | Next::Done => break,
                }
                if self.inner.stop.is_cancelled() {
                    return;
                }
            }
        }
    }

    /// Sends an entry on to its line when there is room for it; false when the gateway
    /// stops.
    async fn send_on(&self, line: &LineId, seq: i64) -> bool {
        while !self.make_room() {
            if self.inner.stop.is_cancelled() {
                self.held().put_back(line, seq);
                return false;
            }
            tokio::time::sleep(ROOM_PACE).await;
        }
        let Some(entry) = self.entry_when_it_can_be_read(seq).await else {
            self.inner.pending.fetch_sub(1, Ordering::Relaxed);
            return true;
        };
        self.held().sent(line, seq);
        self.inner.entries.put(entry.into()).await
    }

    /// A journal entry, however long it takes; none when there is none any more, or when
    /// the gateway stops and it stays for the next start.
    pub(crate) async fn entry_when_it_can_be_read(&self, seq: i64) -> Option<JournalEntry> {
        let stop = self.stopping();
        while !stop.is_cancelled() {
            let read = self.read::<_, StoreError>(move |view| view.journal_entry(seq));
            match read.await {
                Ok(found) => return found,
                Err(error) => {
                    tracing::error!(journal.seq = seq, %error, "an event cannot be read now");
                    tokio::time::sleep(ROOM_PACE).await;
                }
            }
        }
        None
    }

    /// Says what stands in the store for queues and lines that are not configured.
    pub(crate) async fn tell_of_the_unconfigured(&self) -> Result<(), StoreError> {
        let (tallies, lines) = self
            .read::<_, StoreError>(|view| Ok((view.tallies()?, view.outbox_lines()?)))
            .await?;
        let serving = self.serving();
        for tally in tallies {
            let in_use = QueueInUse::of(&tally);
            if in_use.is_some() && !serving.has_queue(&tally.queue) {
                tracing::warn!(queue.id = %tally.queue, "conversations stand in a queue that is not configured");
            }
        }
        for line in lines {
            if serving.line(&line).is_none() {
                tracing::warn!(line.id = %line, "answers wait for a line that is not configured");
            }
        }
        Ok(())
    }
}

impl QueueInUse {
    fn of(tally: &Tally) -> Option<Self> {
        let in_use = Self {
            id: tally.queue.clone(),
            waiting: tally.queued + tally.offered + tally.deferred + tally.abandoned,
            active: tally.active + tally.wrap_up,
            parked: tally.parked,
        };
        (in_use.waiting + in_use.active + in_use.parked > 0).then_some(in_use)
    }
}

/// The queues that would be dropped and are not empty.
fn in_use(
    view: &View<'_>,
    before: &Serving,
    settings: &Settings,
) -> Result<Vec<QueueInUse>, StoreError> {
    let is_dropped =
        |id: &QueueId| before.has_queue(id) && !settings.queues.iter().any(|queue| queue.id == *id);
    let tallies = view.tallies()?;
    let dropped = tallies.iter().filter(|tally| is_dropped(&tally.queue));
    Ok(dropped.filter_map(QueueInUse::of).collect())
}

fn changes(before: &Serving, now: &Serving) -> Changes {
    let (old, new) = (before.settings(), now.settings());
    let lines = |serving: &Serving| -> BTreeMap<LineId, (Served, Option<LineRules>)> {
        let lines = serving.lines();
        lines
            .map(|served| {
                let rules = serving.rules().lines.get(&served.line.id).cloned();
                (served.line.id.clone(), (served.clone(), rules))
            })
            .collect()
    };
    let queues = |settings: &Settings| -> BTreeMap<QueueId, _> {
        let queues = settings.queues.iter();
        queues
            .map(|queue| {
                let rules = settings.rules.queues.get(&queue.id).cloned();
                (queue.id.clone(), (queue.clone(), rules))
            })
            .collect()
    };
    Changes {
        lines: difference(
            &lines(before),
            &lines(now),
            |(old, old_rules), (new, new_rules)| {
                old.is_connected_as(new)
                    && old.line.queue == new.line.queue
                    && old.line.display_name == new.line.display_name
                    && old_rules == new_rules
            },
        ),
        queues: difference(&queues(old), &queues(new), |old, new| old == new),
        capacity: old.rules.capacity != new.rules.capacity,
        webhooks: difference(&webhooks_of(old), &webhooks_of(new), |old, new| old == new),
        unsent: Vec::new(),
    }
}

fn webhooks_of(settings: &Settings) -> BTreeMap<String, Webhook> {
    let webhooks = settings.webhooks.iter();
    webhooks
        .map(|webhook| (webhook.id.clone(), webhook.clone()))
        .collect()
}

fn difference<K: Ord + Clone, V>(
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    is_same: impl Fn(&V, &V) -> bool,
) -> Difference<K> {
    let mut difference = Difference::default();
    for (id, value) in new {
        match old.get(id) {
            None => difference.added.push(id.clone()),
            Some(before) if !is_same(before, value) => difference.changed.push(id.clone()),
            Some(_) => {}
        }
    }
    let removed = old.keys().filter(|id| !new.contains_key(*id));
    difference.removed.extend(removed.cloned());
    difference
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_by_its_name() {
        let changes = Changes {
            lines: Difference {
                added: vec!["shop".into()],
                changed: Vec::new(),
                removed: vec!["site".into()],
            },
            queues: Difference {
                changed: vec!["main".into()],
                ..Difference::default()
            },
            capacity: true,
            webhooks: Difference {
                added: vec!["crm".to_owned()],
                ..Difference::default()
            },
            unsent: vec![("site".into(), 2)],
        };
        assert_eq!(
            changes.told().join(", "),
            "line \"shop\" added, line \"site\" removed, queue \"main\" changed, \
             capacity changed, webhook \"crm\" added, 2 answers of \"site\" still go out"
        );
    }
}
