//! The tasks that deliver: one for each webhook, begun and ended as the configuration
//! says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::event::Event;
use store::{StoreError, WebhookRow, WebhookState};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::delivery::deliver;
use super::schedule::{Dice, failed};
use super::{Render, Webhook, gap, id_of};
use crate::feed::{Step, Told};
use crate::{Engine, Reader};
use channels::egress::{Client, Reply};

/// How far a cursor may be ahead of what is written down of it: so many events are
/// told again at most after the process was killed.
const UNSAVED_MAX: u32 = 64;
/// A cursor that moved is written down so soon.
const SAVE_AFTER: Duration = Duration::from_secs(1);
/// How often a webhook that waits looks at the clock, which may be moved.
const LOOK: Duration = Duration::from_millis(500);
/// The pause after the store could not be used.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How long a delivery that is under way may still take at the end.
const GRACE: Duration = Duration::from_secs(5);

/// Where the tasks are told that an admin changed something.
#[derive(Default)]
pub(crate) struct Runners(Mutex<BTreeMap<String, Arc<Notify>>>);

impl Runners {
    pub(super) fn of(&self, id: &str) -> Arc<Notify> {
        let mut wakes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(wakes.entry(id.to_owned()).or_default())
    }

    /// Tells all of them that their rows may have changed.
    pub(crate) fn wake_all(&self) {
        let wakes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.values().for_each(|wake| wake.notify_one());
    }
}

struct Running {
    webhook: Webhook,
    stop: CancellationToken,
    ended: CancellationToken,
}

#[derive(Clone)]
struct Runner {
    engine: Engine,
    webhook: Arc<Webhook>,
    render: Render,
    dice: Dice,
    wake: Arc<Notify>,
    stop: CancellationToken,
}

/// What a delivery was interrupted by.
enum Interrupted {
    Stop,
    No(Result<Reply, String>),
}

impl Engine {
    /// Begins to deliver, now and after every reload. To be called once, by whoever can
    /// say what an event looks like.
    pub fn deliver_webhooks(&self, render: Render, dice: Dice) {
        let engine = self.clone();
        self.supervise("webhooks", async move {
            attend(&engine, &render, &dice).await;
        });
    }
}

/// Keeps the tasks that the configuration wants.
async fn attend(engine: &Engine, render: &Render, dice: &Dice) {
    let mut serving = engine.inner.serving.subscribe();
    let mut running: BTreeMap<String, Running> = BTreeMap::new();
    let stop = engine.stopping();
    while !stop.is_cancelled() {
        let wanted = serving.borrow_and_update().settings().webhooks.clone();
        for (id, old) in &running {
            if wanted.iter().all(|webhook| webhook.id != *id) {
                old.stop.cancel();
            }
        }
        for webhook in wanted {
            let before = match running.remove(&webhook.id) {
                Some(same) if same.webhook == webhook && !same.stop.is_cancelled() => {
                    running.insert(webhook.id.clone(), same);
                    continue;
                }
                Some(old) => {
                    old.stop.cancel();
                    Some(old.ended)
                }
                None => None,
            };
            let id = webhook.id.clone();
            running.insert(id, begin(engine, webhook, render, dice, before));
        }
        tokio::select! {
            () = stop.cancelled() => {}
            changed = serving.changed() => if changed.is_err() { return },
        }
    }
}

/// Begins a webhook's task, after the one before it has ended: two would tell things
/// out of order.
fn begin(
    engine: &Engine,
    webhook: Webhook,
    render: &Render,
    dice: &Dice,
    before: Option<CancellationToken>,
) -> Running {
    let (stop, ended) = (engine.inner.stop.child_token(), CancellationToken::new());
    let runner = Runner {
        wake: engine.inner.runners.of(&webhook.id),
        webhook: Arc::new(webhook.clone()),
        engine: engine.clone(),
        render: Arc::clone(render),
        dice: Arc::clone(dice),
        stop: stop.clone(),
    };
    let guard = ended.clone().drop_guard();
    engine.inner.tasks.spawn(async move {
        let _ended = guard;
        if let Some(before) = before {
            before.cancelled().await;
        }
        while !runner.stop.is_cancelled() {
            if let Err(error) = tokio::spawn(runner.clone().run()).await {
                let id = &runner.webhook.id;
                tracing::error!(webhook.id = id, %error, "a webhook's task panicked");
                metrics::counter!("task_panics_total", "task" => "webhooks").increment(1);
                runner.rest(STORE_PAUSE).await;
            }
        }
    });
    Running {
        webhook,
        stop,
        ended,
    }
}

/// A webhook's place, and what of it is not written down yet.
struct Place {
    row: WebhookRow,
    unsaved: u32,
}

impl Runner {
    async fn run(self) {
        let webhook = &self.webhook;
        let client = webhook.client();
        let client = match client {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(webhook.id = webhook.id, error, "TLS cannot be used");
                self.stop.cancelled().await;
                return;
            }
        };
        while !self.stop.is_cancelled() {
            let row = match self.row().await {
                Ok(Some(row)) => row,
                Ok(None) => {
                    self.rest(STORE_PAUSE).await;
                    continue;
                }
                Err(error) => {
                    tracing::error!(webhook.id = webhook.id, %error, "a webhook waits for the store");
                    self.rest(STORE_PAUSE).await;
                    continue;
                }
            };
            self.measure(&row);
            let now = self.engine.now();
            if row.state != WebhookState::Delivers {
                self.rest(Duration::MAX).await;
            } else if row.next_at > now {
                let wait = u64::try_from(row.next_at.since(now).0).unwrap_or(0);
                self.rest(Duration::from_millis(wait).min(LOOK)).await;
            } else if let Err(error) = self.follow(row, &client).await {
                tracing::error!(webhook.id = webhook.id, %error, "a webhook's place was not written down");
                self.rest(STORE_PAUSE).await;
            }
        }
    }

    /// Waits so long, unless there is something to do.
    async fn rest(&self, pause: Duration) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = self.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    async fn row(&self) -> Result<Option<WebhookRow>, StoreError> {
        let id = self.webhook.id.clone();
        self.engine.read(move |view| view.webhook(&id)).await
    }

    /// Delivers what happens, until something has to be looked at anew.
    async fn follow(&self, row: WebhookRow, client: &Client) -> Result<(), StoreError> {
        let mut feed = self.engine.read_feed(Some(row.cursor));
        let mut place = Place { row, unsaved: 0 };
        loop {
            let step = tokio::select! {
                step = feed.next() => step?,
                () = self.stop.cancelled() => return self.save(&mut place).await.map(|_| ()),
                () = self.wake.notified() => return self.save(&mut place).await.map(|_| ()),
                () = tokio::time::sleep(SAVE_AFTER), if place.unsaved > 0 => {
                    if !self.save(&mut place).await? {
                        return Ok(());
                    }
                    continue;
                }
            };
            let goes_on = match step {
                Step::Events(events) => self.tell(&events, &mut place, client).await?,
                Step::Reset(_) => {
                    self.skip_gap(&mut place, &feed).await?;
                    false
                }
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    /// Delivers events in order. False when it has to begin anew from what is written
    /// down.
    async fn tell(
        &self,
        events: &[Arc<Told>],
        place: &mut Place,
        client: &Client,
    ) -> Result<bool, StoreError> {
        for event in events {
            let wanted = self.webhook.wants(&event.kind);
            let body = wanted.then(|| (self.render)(&self.engine, event)).flatten();
            if let Some(body) = body {
                if self.stop.is_cancelled() {
                    self.save(place).await?;
                    return Ok(false);
                }
                let Interrupted::No(outcome) = self.post(event, body.into(), client).await else {
                    self.save(place).await?;
                    return Ok(false);
                };
                if !outcome.as_ref().is_ok_and(Reply::is_taken) {
                    self.note_failure(place, &outcome).await?;
                    return Ok(false);
                }
                self.count("taken");
                self.taken(place);
            }
            place.row.cursor = event.cursor;
            place.unsaved += 1;
            if place.unsaved >= UNSAVED_MAX && !self.save(place).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn post(&self, event: &Event, body: Bytes, client: &Client) -> Interrupted {
        let id = id_of(event);
        let posted = deliver(client, &self.webhook, &id, body, self.engine.now());
        let stopped = async {
            self.stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            outcome = posted => Interrupted::No(outcome),
            () = stopped => Interrupted::Stop,
        }
    }

    fn taken(&self, place: &mut Place) {
        let row = &mut place.row;
        if row.attempts > 0 {
            tracing::info!(webhook.id = row.id, "a webhook takes events again");
            // What is told of it is no longer true.
            place.unsaved = UNSAVED_MAX;
        }
        row.attempts = 0;
        row.doc.failing_since = None;
        row.doc.last_error.clear();
        row.doc.delivered += 1;
        row.doc.delivered_at = Some(self.engine.now());
    }

    async fn note_failure(
        &self,
        place: &mut Place,
        outcome: &Result<Reply, String>,
    ) -> Result<(), StoreError> {
        self.count("failed");
        let row = &mut place.row;
        failed(row, outcome, self.engine.now(), (self.dice)());
        let (id, error) = (&row.id, &row.doc.last_error);
        let act = match row.state {
            WebhookState::Delivers => {
                tracing::warn!(
                    webhook.id = id,
                    error,
                    attempts = row.attempts,
                    "a delivery failed"
                );
                None
            }
            WebhookState::Suspended => Some("webhook.suspend"),
            WebhookState::Gone => Some("webhook.gone"),
        };
        if act.is_some() {
            tracing::error!(
                webhook.id = id,
                error,
                "a webhook is not delivered to any more: `switchboard webhooks resume` begins again"
            );
        }
        let row = row.clone();
        self.engine
            .store()
            .write(move |tx| {
                if tx.save_webhook(&row)?
                    && let Some(act) = act
                {
                    tx.audit(None, act, &row.id, &row.doc.last_error)?;
                }
                Ok(())
            })
            .await
    }

    /// The log does not reach back to the cursor.
    async fn skip_gap(&self, place: &mut Place, feed: &Reader) -> Result<(), StoreError> {
        let (oldest, newest) = self
            .engine
            .read::<_, StoreError>(|view| view.event_range())
            .await?;
        let row = &mut place.row;
        let Some((lost, goes_on)) = gap(row.cursor, oldest, newest) else {
            tracing::debug!(cursor = feed.cursor().0, "the feed begins anew");
            self.rest(STORE_PAUSE).await;
            return Ok(());
        };
        tracing::error!(
            webhook.id = row.id,
            lost,
            "events were forgotten before they could be delivered: the rest goes on"
        );
        let id = row.id.clone();
        metrics::counter!("webhook_lost_total", "webhook" => id).increment(lost);
        row.cursor = goes_on;
        row.doc.lost += lost;
        self.save(place).await?;
        Ok(())
    }

    /// Writes the place down. False when an admin has changed it meanwhile.
    async fn save(&self, place: &mut Place) -> Result<bool, StoreError> {
        place.unsaved = 0;
        let row = place.row.clone();
        self.measure(&row);
        self.engine
            .store()
            .write(move |tx| tx.save_webhook(&row))
            .await
    }

    fn count(&self, outcome: &'static str) {
        let id = self.webhook.id.clone();
        metrics::counter!("webhook_deliveries_total", "webhook" => id, "outcome" => outcome)
            .increment(1);
    }

    fn measure(&self, row: &WebhookRow) {
        let behind = self.engine.feed().newest().0.saturating_sub(row.cursor.0);
        let stopped = row.state != WebhookState::Delivers;
        let behind = u32::try_from(behind.max(0)).unwrap_or(u32::MAX);
        metrics::gauge!("webhook_behind", "webhook" => row.id.clone()).set(behind);
        metrics::gauge!("webhook_stopped", "webhook" => row.id.clone()).set(i32::from(stopped));
    }
}
