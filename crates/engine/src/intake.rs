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
        let taken = self.take_in(line, vec![envelope]).await?;
        Ok(taken.first().copied().unwrap_or(Accepted::New))
    }

    /// Takes envelopes in, in their order and by one commit: as many of the first as
    /// there is room for. Answers what became of each of these.
    pub(crate) async fn take_in(
        &self,
        line: &LineId,
        mut envelopes: Vec<Envelope>,
    ) -> Result<Vec<Accepted>, Refused> {
        let known = self
            .line(line)
            .ok_or_else(|| Refused::Invalid(format!("there is no line {line}")))?;
        let raw_max = known.kind.descriptor.delivery_bytes_max;
        let mut wrong = envelopes.iter().enumerate();
        let wrong = wrong.find_map(|(at, envelope)| Some((at, problem(envelope, raw_max)?)));
        match wrong {
            Some((0, problem)) => return Err(Refused::Invalid(problem)),
            Some((at, _)) => envelopes.truncate(at),
            None => {}
        }
        if self.inner.stop.is_cancelled() {
            return Err(busy("the gateway is stopping"));
        }
        if self.inner.disk.is_nearly_full() {
            return Err(busy("the disk is nearly full"));
        }
        envelopes.truncate(self.make_room(envelopes.len()));
        if envelopes.is_empty() {
            return Err(busy("too much waits to be processed"));
        }
        let count = envelopes.len();
        // Goes on when whoever waits for it goes away, so that what is counted as
        // pending is counted off, too.
        let journaling = tokio::spawn(self.clone().journal(line.clone(), envelopes));
        if faults::is_planted(Bug::EarlyAck) {
            return Ok(vec![Accepted::New; count]);
        }
        let journaled = journaling.await.unwrap_or(Err(StoreError::Panicked));
        faults::point("before-ack");
        let journaled = journaled.map_err(|error| busy(&error.to_string()))?;
        let taken = journaled.into_iter().map(|journaled| match journaled {
            Journaled::New => Accepted::New,
            Journaled::Duplicate => Accepted::Duplicate,
        });
        let taken: Vec<Accepted> = taken.collect();
        self.count(&known.id, &taken);
        Ok(taken)
    }

    fn count(&self, line: &LineId, taken: &[Accepted]) {
        let new = taken.iter().filter(|it| **it == Accepted::New).count();
        let duplicates = taken.len() - new;
        if new > 0 {
            self.note_inbound(line);
            metrics::counter!("inbound_accepted_total").increment(new as u64);
        }
        if duplicates > 0 {
            metrics::counter!("inbound_duplicates_total").increment(duplicates as u64);
        }
    }

    /// Counts entries that are to be processed; answers for how many of them there is
    /// room.
    pub(crate) fn make_room(&self, wanted: usize) -> usize {
        let most = self.settings().limits.journal_pending_max;
        let room = |pending: usize| wanted.min(most.saturating_sub(pending));
        let (relaxed, pending) = (Ordering::Relaxed, &self.inner.pending);
        let before = pending.fetch_update(relaxed, relaxed, |now| Some(now + room(now)));
        before.map_or(0, room)
    }

    async fn journal(
        self,
        line: LineId,
        envelopes: Vec<Envelope>,
    ) -> Result<Vec<Journaled>, StoreError> {
        let count = envelopes.len();
        let journaled = self
            .store()
            .write_repeatable::<_, StoreError>(move |tx| {
                let taken = envelopes.iter().map(|envelope| {
                    let rest = envelope.rest.as_ref().map(|rest| rest.sha256.as_str());
                    tx.journal(&line, &envelope.event_key, &envelope.raw, rest)
                });
                taken.collect::<Result<Vec<_>, _>>()
            })
            .await;
        let new = |journaled: &&Journaled| **journaled == Journaled::New;
        let new = journaled
            .as_ref()
            .map_or(0, |all| all.iter().filter(new).count());
        self.inner.pending.fetch_sub(count - new, Ordering::Relaxed);
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

/// Why an envelope can never be taken in.
fn problem(envelope: &Envelope, raw_max: usize) -> Option<String> {
    let rest = envelope.rest.as_ref().map_or(0, |rest| rest.size_bytes);
    let bytes = (envelope.raw.len() as u64).saturating_add(rest);
    if bytes > raw_max as u64 {
        return Some(format!(
            "the event has {bytes} bytes; this line takes at most {raw_max}"
        ));
    }
    let key = envelope.event_key.len();
    (key == 0 || key > EVENT_KEY_BYTES_MAX)
        .then(|| format!("the event key must have 1 to {EVENT_KEY_BYTES_MAX} bytes"))
}

fn busy(reason: &str) -> Refused {
    Refused::Busy {
        retry_after: BUSY,
        reason: reason.to_owned(),
    }
}
