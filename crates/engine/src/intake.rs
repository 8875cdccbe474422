//! The one way in: a raw envelope is durable before anybody is told that it came.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use channels::Envelope;
use channels::host::{Accepted, Refused};
use domain::{LineId, Millis, Timestamp};
use store::faults::{self, Bug};
use store::{Journaled, StoreError};

use crate::{Engine, Line};

/// The longest dedupe key.
const EVENT_KEY_BYTES_MAX: usize = 256;
/// How long a sender waits before it tries again when too much waits here.
const BUSY: Millis = Millis::from_secs(1);

impl Engine {
    /// Takes an envelope in. Whoever brought it may be told as soon as this
    /// answers.
    pub async fn accept(&self, line: &LineId, envelope: Envelope) -> Result<Accepted, Refused> {
        let taken = self.take(line, vec![envelope]).await?;
        Ok(taken.first().copied().unwrap_or(Accepted::New))
    }

    /// Takes envelopes in, in their order; those that are taken are no longer in
    /// `envelopes`.
    pub async fn accept_all(
        &self,
        line: &LineId,
        envelopes: &mut VecDeque<Envelope>,
    ) -> Result<(), Refused> {
        while !envelopes.is_empty() {
            let next = envelopes.iter().cloned().collect();
            let taken = self.take(line, next).await?;
            envelopes.drain(..taken.len());
        }
        Ok(())
    }

    /// Takes in as many of the first envelopes as there is room for, or tells why there
    /// is none for the first.
    async fn take(
        &self,
        line: &LineId,
        mut envelopes: Vec<Envelope>,
    ) -> Result<Vec<Accepted>, Refused> {
        let known = self
            .line(line)
            .ok_or_else(|| Refused::Invalid(format!("there is no line {line}")))?;
        let mut room = 0;
        for envelope in &envelopes {
            match check(&known, envelope).and_then(|()| self.let_in()) {
                Ok(()) => room += 1,
                Err(refused) if room == 0 => return Err(refused),
                Err(_) => break,
            }
        }
        envelopes.truncate(room);
        // Goes on when whoever waits for it goes away, so that what is counted as
        // pending is counted off, too.
        let journaling = tokio::spawn(self.clone().journal(line.clone(), envelopes));
        if faults::is_planted(Bug::EarlyAck) {
            return Ok(vec![Accepted::New; room]);
        }
        let journaled = journaling.await.unwrap_or(Err(StoreError::Panicked));
        faults::point("before-ack");
        let journaled = journaled.map_err(|error| busy(&error.to_string()))?;
        let told = journaled.into_iter().map(|journaled| match journaled {
            Journaled::New => {
                self.note_inbound(&known.id);
                metrics::counter!("inbound_accepted_total").increment(1);
                Accepted::New
            }
            Journaled::Duplicate => {
                metrics::counter!("inbound_duplicates_total").increment(1);
                Accepted::Duplicate
            }
        });
        Ok(told.collect())
    }

    /// Counts an envelope that is to be taken in, if it may be.
    fn let_in(&self) -> Result<(), Refused> {
        if self.inner.stop.is_cancelled() {
            return Err(busy("the gateway is stopping"));
        }
        if self.inner.disk.is_nearly_full() {
            return Err(busy("the disk is nearly full"));
        }
        if !self.make_room() {
            return Err(busy("too much waits to be processed"));
        }
        Ok(())
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

    async fn journal(
        self,
        line: LineId,
        envelopes: Vec<Envelope>,
    ) -> Result<Vec<Journaled>, StoreError> {
        let counted = envelopes.len();
        let journaled = self
            .store()
            .write_repeatable::<_, StoreError>(move |tx| {
                let journaled = envelopes.iter().map(|envelope| {
                    let rest = envelope.rest.as_ref().map(|rest| rest.sha256.as_str());
                    tx.journal(&line, &envelope.event_key, &envelope.raw, rest)
                });
                journaled.collect::<Result<Vec<_>, _>>()
            })
            .await;
        let is_new = |journaled: &&Journaled| **journaled == Journaled::New;
        let new = journaled.iter().flatten().filter(is_new).count();
        let pending = &self.inner.pending;
        pending.fetch_sub(counted - new, Ordering::Relaxed);
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

/// Whether a line takes such an envelope at all.
fn check(line: &Line, envelope: &Envelope) -> Result<(), Refused> {
    let raw_max = line.kind.descriptor.delivery_bytes_max;
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
    Ok(())
}

fn busy(reason: &str) -> Refused {
    Refused::Busy {
        retry_after: BUSY,
        reason: reason.to_owned(),
    }
}
