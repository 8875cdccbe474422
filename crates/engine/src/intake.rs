//! The one way in: a raw envelope is durable before anybody is told that it came.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use channels::Envelope;
use channels::host::{Accepted, Refused};
use domain::{LineId, Millis, Timestamp};
use store::faults::{self, Bug};
use store::{Journaled, StoreError};

use crate::Engine;

/// The longest dedupe key.
const EVENT_KEY_BYTES_MAX: usize = 256;
/// How long a sender waits before it tries again when too much waits here.
const BUSY: Millis = Millis::from_secs(1);

impl Engine {
    /// Takes an envelope in. Whoever brought it may be told as soon as this
    /// answers.
    pub async fn accept(&self, line: &LineId, envelope: Envelope) -> Result<Accepted, Refused> {
        let known = self
            .line(line)
            .ok_or_else(|| Refused::Invalid(format!("there is no line {line}")))?;
        let raw_max = known.kind.descriptor.delivery_bytes_max;
        let rest = envelope.rest.as_ref().map_or(0, |rest| rest.size_bytes);
        let bytes = (envelope.raw.len() as u64).saturating_add(rest);
        if bytes > raw_max as u64 {
            return Err(Refused::Invalid(format!(
                "the event has {bytes} bytes; this line takes at most {raw_max}"
            )));
        }
        if envelope.event_key.is_empty() || envelope.event_key.len() > EVENT_KEY_BYTES_MAX {
            return Err(Refused::Invalid(format!(
                "the event key must have 1 to {EVENT_KEY_BYTES_MAX} bytes"
            )));
        }
        if self.inner.stop.is_cancelled() {
            return Err(busy("the gateway is stopping"));
        }
        if self.inner.disk.is_nearly_full() {
            return Err(busy("the disk is nearly full"));
        }
        if !self.make_room() {
            return Err(busy("too much waits to be processed"));
        }
        // Goes on when whoever waits for it goes away, so that what is counted as
        // pending is counted off, too.
        let journaling = tokio::spawn(self.clone().journal(line.clone(), envelope));
        if faults::is_planted(Bug::EarlyAck) {
            return Ok(Accepted::New);
        }
        let journaled = journaling.await.unwrap_or(Err(StoreError::Panicked));
        faults::point("before-ack");
        match journaled {
            Ok(Journaled::New) => {
                self.note_inbound(&known.id);
                metrics::counter!("inbound_accepted_total").increment(1);
                Ok(Accepted::New)
            }
            Ok(Journaled::Duplicate) => {
                metrics::counter!("inbound_duplicates_total").increment(1);
                Ok(Accepted::Duplicate)
            }
            Err(error) => Err(busy(&error.to_string())),
        }
    }

    /// Counts an entry that is to be processed, if there is room for it.
    pub(crate) fn make_room(&self) -> bool {
        let pending = self.inner.pending.fetch_add(1, Ordering::Relaxed);
        let is_room = pending < self.settings().limits.journal_pending_max;
        if !is_room {
            self.inner.pending.fetch_sub(1, Ordering::Relaxed);
        }
        is_room
    }

    async fn journal(self, line: LineId, envelope: Envelope) -> Result<Journaled, StoreError> {
        let journaled = self
            .store()
            .write_repeatable::<_, StoreError>(move |tx| {
                let rest = envelope.rest.as_ref().map(|rest| rest.sha256.as_str());
                tx.journal(&line, &envelope.event_key, &envelope.raw, rest)
            })
            .await;
        if !matches!(journaled, Ok(Journaled::New)) {
            self.inner.pending.fetch_sub(1, Ordering::Relaxed);
        }
        journaled
    }
}

impl Engine {
    fn note_inbound(&self, line: &LineId) {
        let mut last = self
            .inner
            .last_inbound
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.insert(line.clone(), self.now());
    }

    /// When the last event of a line came since the start.
    pub fn last_inbound(&self, line: &LineId) -> Option<Timestamp> {
        let last = self
            .inner
            .last_inbound
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        last.get(line).copied()
    }
}

fn busy(reason: &str) -> Refused {
    Refused::Busy {
        retry_after: BUSY,
        reason: reason.to_owned(),
    }
}
