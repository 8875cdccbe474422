//! Where a client who waits stands, as channels ask for it, and whether they are
//! still there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use channels::Capability;
use channels::host::{Standing, ThreadSignal};
use domain::conversation::{Away, Conversation, Input, State};
use domain::forecast::estimate;
use domain::routing::{Outlook, RoutingRules, outlook, outlooks};
use domain::{ConversationId, LineId, Millis, Timestamp};
use store::{StoreError, Tx, View};
use tokio::sync::mpsc;

use crate::{Engine, Line, change};

/// How often everybody who waits is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// A client is told of a better place no more often than this.
const TOLD_PAUSE: Millis = Millis::from_secs(15);
/// Comings and goings that wait to be written; more are lost, and their conversations
/// only wait longer.
pub(crate) const COMINGS_MAX: usize = 16_384;
/// Comings and goings written at once.
const COMINGS_AT_ONCE: usize = 256;

/// A client came or went.
pub(crate) struct Coming {
    line: LineId,
    thread_key: String,
    present: bool,
}

/// Whom a client waits as.
type Key = (LineId, String);

/// Whose page is open.
#[derive(Default)]
pub(crate) struct Present(Mutex<BTreeSet<Key>>);

impl Present {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Told {
    position: u32,
    callback_left: bool,
    at: Timestamp,
}

impl Engine {
    /// Where a thread's client stands; none while there is nothing to tell.
    pub(crate) async fn standing_of(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> Result<Option<Standing>, StoreError> {
        let (named, key) = (line.clone(), thread_key.to_owned());
        let found = self
            .read::<_, StoreError>(move |view| open_of(view, &named, &key))
            .await?;
        let Some(conversation) = found else {
            return Ok(None);
        };
        if let State::Deferred { until } = conversation.state {
            return Ok(Some(deferred(
                self.can_call_back(line),
                until,
                &conversation,
            )));
        }
        if conversation.state != State::Queued {
            return Ok(None);
        }
        let (rules, id) = (self.rules(), conversation.id);
        let looked = self
            .store()
            .write::<_, StoreError>(move |tx| {
                let Some(outlook) = outlook(tx.floor(), &rules, tx.now(), id) else {
                    return Ok(None);
                };
                let pace = tx.pace(&conversation.queue, conversation.medium)?;
                Ok(Some((conversation, outlook, pace)))
            })
            .await?;
        Ok(looked.map(|(conversation, outlook, pace)| {
            standing(self.can_call_back(line), &conversation, outlook, pace)
        }))
    }

    /// When a line opens again; none while it is open.
    pub(crate) fn line_closed_until(&self, line: &LineId) -> Option<Timestamp> {
        let queue = self.line(line)?.queue.clone();
        let (rules, now) = (self.rules(), self.now());
        let hours = rules.hours(line, &queue)?;
        if hours.is_open(now) {
            return None;
        }
        hours.next_opening(now)
    }

    /// Notes that a client came or went. Answers at once; what it changes is written
    /// in a task of its own.
    pub(crate) fn note_presence(&self, line: &LineId, thread_key: &str, present: bool) {
        let key = (line.clone(), thread_key.to_owned());
        let coming = Coming {
            line: line.clone(),
            thread_key: thread_key.to_owned(),
            present,
        };
        {
            let mut here = self.inner.present.lock();
            if present {
                here.insert(key);
            } else {
                here.remove(&key);
            }
        }
        if self.inner.comings.try_send(coming).is_err() {
            tracing::warn!(line.id = %line, "too many clients come and go at once");
        }
    }

    /// Whoever had gone before what they wrote was processed has to come back like
    /// everybody who waits at a page.
    pub(crate) fn expect_writer_back(
        &self,
        tx: &mut Tx<'_>,
        rules: &RoutingRules,
        line: &Line,
        thread_key: &str,
    ) -> Result<(), StoreError> {
        let key = (line.id.clone(), thread_key.to_owned());
        let waits_at_a_page = line.kind.descriptor.can(Capability::QueueNotices);
        if !waits_at_a_page || self.inner.present.lock().contains(&key) {
            return Ok(());
        }
        match open_of(tx, &line.id, thread_key)? {
            Some(open) if open.away.is_none() => went(tx, rules, &open),
            Some(_) | None => Ok(()),
        }
    }

    fn can_call_back(&self, line: &LineId) -> bool {
        self.line(line)
            .is_some_and(|line| line.kind.descriptor.can(Capability::Callback))
    }

    /// Whoever waited at a page when the gateway stopped has to come back.
    pub(crate) async fn expect_clients_back(&self) -> Result<(), StoreError> {
        let lines: Vec<LineId> = self
            .settings()
            .lines
            .iter()
            .filter(|line| line.kind.descriptor.can(Capability::QueueNotices))
            .map(|line| line.id.clone())
            .collect();
        let rules = self.rules();
        self.store()
            .write(move |tx| {
                for conversation in tx.live_and_waiting()? {
                    if conversation.away.is_none() && lines.contains(&conversation.line) {
                        went(tx, &rules, &conversation)?;
                    }
                }
                Ok(())
            })
            .await
    }
}

/// The open conversation of a thread.
fn open_of(
    view: &View<'_>,
    line: &LineId,
    thread_key: &str,
) -> Result<Option<Conversation>, StoreError> {
    match view.thread_by_key(line, thread_key)? {
        Some(thread) => view.open_conversation_of(thread.id),
        None => Ok(None),
    }
}

fn deferred(callback: bool, until: Timestamp, conversation: &Conversation) -> Standing {
    Standing {
        position: 0,
        expected: None,
        low: None,
        high: None,
        closed_until: Some(until),
        callback,
        callback_left: conversation.callback.is_some(),
    }
}

fn standing(
    callback: bool,
    conversation: &Conversation,
    outlook: Outlook,
    pace: Option<Millis>,
) -> Standing {
    let estimate = pace.and_then(|pace| estimate(outlook.position, outlook.slots, pace));
    Standing {
        position: outlook.position,
        expected: estimate.map(|it| it.expected),
        low: estimate.map(|it| it.low),
        high: estimate.map(|it| it.high),
        closed_until: None,
        callback,
        callback_left: conversation.callback.is_some(),
    }
}

fn went(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    conversation: &Conversation,
) -> Result<(), StoreError> {
    let queue = rules.of(&conversation.queue);
    if queue.abandon_after.0 == 0 || !conversation.medium.is_live() || !conversation.waits() {
        return Ok(());
    }
    let gives_up_at = tx.now() + queue.abandon_after;
    let away = Away {
        gives_up_at,
        until: gives_up_at + queue.resume_within,
    };
    change::conversation(tx, conversation, Input::Away(away))?;
    Ok(())
}

/// Writes who came and went, until the gateway stops.
pub(crate) async fn follow(engine: Engine, mut comings: mpsc::Receiver<Coming>) {
    let stop = engine.stopping();
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            () = stop.cancelled() => return,
            taken = comings.recv_many(&mut batch, COMINGS_AT_ONCE) => {
                if taken == 0 {
                    return;
                }
            }
        }
        // The last word of a client counts.
        let last: BTreeMap<Key, bool> = batch
            .into_iter()
            .map(|coming| ((coming.line, coming.thread_key), coming.present))
            .collect();
        if let Err(error) = engine.write_comings(last).await {
            tracing::error!(%error, "who came and went was not written");
        }
    }
}

impl Engine {
    async fn write_comings(&self, comings: BTreeMap<Key, bool>) -> Result<(), StoreError> {
        // Most of them wait for nobody.
        let concerned = self
            .read::<_, StoreError>(move |view| {
                let mut concerned = Vec::new();
                for ((line, thread_key), present) in comings {
                    let Some(open) = open_of(view, &line, &thread_key)? else {
                        continue;
                    };
                    let is_back = present
                        && (open.away.is_some() || matches!(open.state, State::Abandoned { .. }));
                    let is_gone = !present && open.waits() && open.away.is_none();
                    if is_back || is_gone {
                        concerned.push((open.id, present));
                    }
                }
                Ok(concerned)
            })
            .await?;
        if concerned.is_empty() {
            return Ok(());
        }
        let rules = self.rules();
        self.store()
            .write(move |tx| {
                for (id, present) in concerned {
                    let Some(found) = tx.conversation(id)?.filter(Conversation::is_open) else {
                        continue;
                    };
                    if present {
                        change::conversation(tx, &found, Input::Back)?;
                    } else {
                        went(tx, &rules, &found)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// Where everybody stands who waits at a page that is open.
    async fn standings(&self) -> Result<BTreeMap<Key, Standing>, StoreError> {
        let lines: BTreeMap<LineId, bool> = self
            .settings()
            .lines
            .iter()
            .filter(|line| line.kind.descriptor.can(Capability::QueueNotices))
            .map(|line| (line.id.clone(), self.can_call_back(&line.id)))
            .collect();
        let rules = self.rules();
        let looked: BTreeMap<ConversationId, Outlook> = self
            .store()
            .write::<_, StoreError>(move |tx| {
                Ok(outlooks(tx.floor(), &rules, tx.now()).into_iter().collect())
            })
            .await?;
        if looked.is_empty() {
            return Ok(BTreeMap::new());
        }
        self.read::<_, StoreError>(move |view| {
            let mut standings = BTreeMap::new();
            for conversation in view.live_and_waiting()? {
                let Some(callback) = lines.get(&conversation.line) else {
                    continue;
                };
                let Some(outlook) = looked.get(&conversation.id) else {
                    continue;
                };
                let Some(thread) = view.thread(conversation.thread)? else {
                    continue;
                };
                let pace = view.pace(&conversation.queue, conversation.medium)?;
                let standing = standing(*callback, &conversation, *outlook, pace);
                standings.insert((thread.line, thread.thread_key), standing);
            }
            Ok(standings)
        })
        .await
    }
}

/// Tells waiting clients where they stand, whenever it is better than what they know,
/// until the gateway stops.
pub(crate) async fn tell(engine: Engine) {
    let stop = engine.stopping();
    let mut told: BTreeMap<Key, Told> = BTreeMap::new();
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if told.is_empty() && !engine.inner.hub.is_watched() {
            continue;
        }
        let standings = match engine.standings().await {
            Ok(standings) => standings,
            Err(error) => {
                tracing::warn!(%error, "nobody was told where they stand");
                continue;
            }
        };
        let now = engine.now();
        told.retain(|key, _| {
            let waits = standings.contains_key(key);
            if !waits {
                let nothing = ThreadSignal::Standing(None);
                engine.inner.hub.signal(&key.0, &key.1, nothing);
            }
            waits
        });
        for (key, standing) in standings {
            let is_news = told.get(&key).is_none_or(|known| {
                known.callback_left != standing.callback_left
                    || (standing.position < known.position && known.at + TOLD_PAUSE <= now)
            });
            if !is_news {
                continue;
            }
            let known = Told {
                position: standing.position,
                callback_left: standing.callback_left,
                at: now,
            };
            let signal = ThreadSignal::Standing(Some(standing));
            engine.inner.hub.signal(&key.0, &key.1, signal);
            told.insert(key, known);
        }
    }
}
