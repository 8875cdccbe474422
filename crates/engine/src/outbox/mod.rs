//! The way out: each thread's messages in order, threads at once, every outcome
//! written down. What may have been sent is not sent again by itself, unless the
//! channel makes it harmless.

mod outcome;
mod pace;
mod refusals;
mod way;

use std::sync::Arc;
use std::time::Duration;

use channels::SendError;
use domain::{Millis, Timestamp};
use store::{OutboxEntry, StoreError};
use tokio_util::task::TaskTracker;

use crate::{Engine, Line};
use outcome::Next;
pub(crate) use refusals::Refusals;
use way::{Turn, Way, Ways};

/// Even without news the outbox is looked at so often.
const SWEEP: Millis = Millis::from_secs(1);
/// So long what is being handed over keeps the gateway from stopping.
const STOPPING_MAX: Duration = Duration::from_secs(5);
/// Threads of a line that are looked at in one go: more than can be sent to at once.
const PAGE: i64 = 256;

pub(crate) async fn run(engine: Engine) {
    let ways = Arc::new(Ways::default());
    let under_way = TaskTracker::new();
    let stop = engine.stopping();
    while !stop.is_cancelled() {
        let next = hand_out(&engine, &ways, &under_way).await;
        let pause = next.min(engine.now() + SWEEP).since(engine.now());
        let pause = Duration::from_millis(u64::try_from(pause.0).unwrap_or(0));
        tokio::select! {
            // Always in this order: a simulation repeats itself.
            biased;
            () = stop.cancelled() => {}
            () = engine.inner.wakes.outbox.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    // What is being handed over right now finishes first, or is given up soon.
    under_way.close();
    under_way.wait().await;
}

/// Begins what may begin, line by line; answers when to look again without news.
async fn hand_out(engine: &Engine, ways: &Arc<Ways>, under_way: &TaskTracker) -> Timestamp {
    let mut next = Timestamp(i64::MAX);
    let lines = engine
        .read::<_, StoreError>(|view| view.outbox_lines())
        .await
        .unwrap_or_default();
    for id in lines {
        // What waits for a line that is not there waits on.
        let Some(line) = engine.serving().line_of_old(&id).cloned() else {
            continue;
        };
        let way = ways.of(&line);
        match way.places(engine.now()) {
            Err(rested) => next = next.min(rested),
            Ok(0) => {}
            Ok(places) => {
                let later = hand_out_line(engine, ways, &way, places, under_way).await;
                next = next.min(later);
            }
        }
    }
    next
}

async fn hand_out_line(
    engine: &Engine,
    ways: &Arc<Ways>,
    way: &Arc<Way>,
    places: usize,
    under_way: &TaskTracker,
) -> Timestamp {
    let (id, now) = (way.line.id.clone(), engine.now());
    let due = engine
        .read::<_, StoreError>(move |view| view.outbox_due(&id, now, PAGE))
        .await
        .unwrap_or_default();
    let mut next = due.next_at.unwrap_or(Timestamp(i64::MAX));
    let mut begun = 0;
    for thread in due.threads {
        if begun == places {
            break;
        }
        let Some(turn) = ways.turn(way, thread) else {
            continue;
        };
        if let Err(later) = way.take(thread, engine.now()) {
            next = next.min(later);
            continue;
        }
        begun += 1;
        let engine = engine.clone();
        under_way.spawn(async move {
            let lane = engine.clone();
            let sending = tokio::spawn(async move { lane.send_thread(&turn).await });
            if sending.await.is_err() {
                tracing::error!(thread.id = %thread, "sending panicked");
            }
            engine.inner.wakes.outbox.notify_one();
        });
    }
    next
}

impl Engine {
    /// Hands over what a thread has, until nothing is due.
    async fn send_thread(&self, turn: &Turn) {
        let (way, thread) = (&turn.way, turn.thread);
        let mut is_first = true;
        loop {
            let head = self
                .read::<_, StoreError>(move |view| view.outbox_head(thread))
                .await;
            let Ok(Some(entry)) = head else { return };
            let now = self.now();
            if entry.next_at > now || self.inner.stop.is_cancelled() {
                return;
            }
            // The first has taken its place already.
            if !std::mem::take(&mut is_first) && way.take(thread, now).is_err() {
                return;
            }
            match self.send_one(&way.line, entry).await {
                Ok(Next::GoOn) => {}
                Ok(Next::Rest(span)) => way.rest(self.now() + span),
                Err(error) => {
                    tracing::error!(thread.id = %thread, %error, "an outcome was not written down");
                    return;
                }
            }
        }
    }

    async fn send_one(&self, line: &Line, entry: OutboxEntry) -> Result<Next, StoreError> {
        let id = entry.id;
        let harmless = line.kind.descriptor.idempotent_send;
        let doubt = || SendError::Uncertain("the gateway stopped while sending".to_owned());
        if entry.sending && !harmless {
            // A try began before a crash; nobody knows how it ended.
            return self.write_outcome(entry, Err(doubt())).await;
        }
        if !harmless {
            self.store()
                .write::<_, StoreError>(move |tx| tx.outbox_sending(id))
                .await?;
        }
        store::faults::point("before-send");
        let host = self.host();
        let send = line.channel.send(&entry.outbound, &host);
        let time_max = line.channel.send_time_max();
        let outcome = tokio::select! {
            // Always in this order: a simulation repeats itself.
            biased;
            outcome = tokio::time::timeout(time_max, send) => outcome.unwrap_or_else(|_| {
                Err(SendError::Uncertain("the channel did not answer".to_owned()))
            }),
            // It is sent again at the next start.
            () = self.must_stop(), if harmless => return Ok(Next::GoOn),
            () = self.must_stop() => Err(doubt()),
        };
        store::faults::point("after-send");
        self.write_outcome(entry, outcome).await
    }

    /// Waits until the gateway was told to stop, and some more.
    async fn must_stop(&self) {
        self.inner.stop.cancelled().await;
        tokio::time::sleep(STOPPING_MAX).await;
    }
}
