//! The way out: each thread's messages in order, threads at once, every outcome
//! written down. What may have been sent is not sent again by itself, unless the
//! channel makes it harmless.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use channels::SendError;
use domain::message::{Action, Delivery, Receipt};
use domain::{Millis, ThreadId, Timestamp};
use store::{OutboxEntry, StoreError, Tx};
use tokio::sync::Semaphore;

use crate::act::delivered;
use crate::{Engine, Line};

/// Messages of one line handed over at once.
const SENDING_MAX: usize = 64;
/// Even without news the outbox is looked at so often.
const SWEEP: Duration = Duration::from_secs(1);
/// How long a line whose credentials are refused rests.
const REAUTHORIZE_REST: Millis = Millis::from_secs(60);
/// Waits after a failure, however short the channel's own hint.
const RETRY_MAX: Millis = Millis::from_secs(300);
/// So long what is being handed over keeps the gateway from stopping.
const STOPPING_MAX: Duration = Duration::from_secs(5);
const PAGE: i64 = 512;

pub(crate) async fn run(engine: Engine) {
    let busy: Arc<Mutex<HashSet<ThreadId>>> = Arc::default();
    let places = Arc::new(Semaphore::new(SENDING_MAX));
    let stop = engine.stopping();
    while !stop.is_cancelled() {
        let heads = engine
            .read::<_, StoreError>(|view| view.outbox_heads(0, PAGE))
            .await
            .unwrap_or_default();
        let now = engine.now();
        let mut next = now + Millis(i64::try_from(SWEEP.as_millis()).unwrap_or(1_000));
        for head in heads {
            let thread = head.outbound.recipient.thread;
            if lock(&busy).contains(&thread) {
                continue;
            }
            if head.next_at > now {
                next = next.min(head.next_at);
                continue;
            }
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            lock(&busy).insert(thread);
            let (engine, busy) = (engine.clone(), Arc::clone(&busy));
            tokio::spawn(async move {
                let lane = engine.clone();
                if tokio::spawn(async move { lane.send_thread(thread).await })
                    .await
                    .is_err()
                {
                    tracing::error!(thread.id = %thread, "sending panicked");
                }
                lock(&busy).remove(&thread);
                drop(place);
                engine.inner.wakes.outbox.notify_one();
            });
        }
        let pause = Duration::from_millis(u64::try_from(next.since(now).0).unwrap_or(0));
        tokio::select! {
            // Always in this order: a simulation repeats itself.
            biased;
            () = stop.cancelled() => {}
            () = engine.inner.wakes.outbox.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    // What is being handed over right now finishes first, or is given up soon.
    let everybody = u32::try_from(SENDING_MAX).unwrap_or(u32::MAX);
    if places.acquire_many(everybody).await.is_err() {
        tracing::error!("the outbox was closed");
    }
}

fn lock(busy: &Mutex<HashSet<ThreadId>>) -> std::sync::MutexGuard<'_, HashSet<ThreadId>> {
    busy.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Hands over what a thread has, until nothing is due.
    async fn send_thread(&self, thread: ThreadId) {
        loop {
            let head = self
                .read::<_, StoreError>(move |view| view.outbox_head(thread))
                .await;
            let Ok(Some(entry)) = head else { return };
            if entry.next_at > self.now() || self.inner.stop.is_cancelled() {
                return;
            }
            let Some(line) = self.serving().line_of_old(&entry.outbound.line).cloned() else {
                return;
            };
            if let Err(error) = self.send_one(&line, entry).await {
                tracing::error!(thread.id = %thread, %error, "an outcome was not written down");
                return;
            }
        }
    }

    async fn send_one(&self, line: &Line, entry: OutboxEntry) -> Result<(), StoreError> {
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
            () = self.must_stop(), if harmless => return Ok(()),
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

    async fn write_outcome(
        &self,
        entry: OutboxEntry,
        outcome: Result<Receipt, SendError>,
    ) -> Result<(), StoreError> {
        let name = match &outcome {
            Ok(_) => "sent",
            Err(SendError::RetryAfter { .. } | SendError::Reauthorize(_)) => "retried",
            Err(SendError::Uncertain(_)) => "uncertain",
            Err(
                SendError::Rejected { .. }
                | SendError::ContactUnreachable { .. }
                | SendError::Unsupported,
            ) => "failed",
        };
        metrics::counter!("outbound_total", "outcome" => name).increment(1);
        self.store()
            .write(move |tx| note(tx, &entry, &outcome))
            .await
    }
}

fn note(
    tx: &mut Tx<'_>,
    entry: &OutboxEntry,
    outcome: &Result<Receipt, SendError>,
) -> Result<(), StoreError> {
    let retry = |tx: &mut Tx<'_>, after: Millis| {
        let next_at: Timestamp = tx.now() + Millis(after.0.clamp(10, RETRY_MAX.0));
        tx.outbox_retry(entry.id, next_at)
    };
    match outcome {
        Err(SendError::RetryAfter { after, .. }) => return retry(tx, *after),
        Err(SendError::Reauthorize(_)) => return retry(tx, REAUTHORIZE_REST),
        Ok(_)
        | Err(
            SendError::Rejected { .. }
            | SendError::ContactUnreachable { .. }
            | SendError::Uncertain(_)
            | SendError::Unsupported,
        ) => {}
    }
    if !tx.outbox_end(entry.id)? {
        return Ok(());
    }
    // The fate of an edit or reaction is not the message's.
    let sends = matches!(entry.outbound.action, Action::Send { .. });
    let message = entry.outbound.message;
    match outcome {
        Ok(receipt) if sends => delivered(
            tx,
            message,
            receipt.delivery,
            receipt.message_id.clone(),
            &receipt.error_text,
        ),
        Ok(_) => Ok(()),
        Err(SendError::Uncertain(reason)) if sends => {
            delivered(tx, message, Delivery::Uncertain, None, reason)
        }
        Err(error) => {
            if let SendError::ContactUnreachable { operator_text } = error
                && let Some(mut thread) = tx.thread(entry.outbound.recipient.thread)?
            {
                thread.unreachable = Some(operator_text.clone());
                tx.save_thread(&thread)?;
            }
            if sends {
                delivered(tx, message, Delivery::Failed, None, &error.to_string())
            } else {
                Ok(())
            }
        }
    }
}
