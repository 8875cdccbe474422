//! What became of a hand-over, written down.

use channels::SendError;
use domain::message::{Action, Delivery, Outbound, Part, Receipt};
use domain::{Millis, Timestamp};
use store::{OutboxEntry, StoreError, Tx};

use crate::Engine;
use crate::act::{delivered, named};

/// How long a line whose credentials are refused rests.
const REAUTHORIZE_REST: Millis = Millis::from_secs(60);
/// Waits after a failure, however long or short the provider's own hint.
const RETRY_MIN: Millis = Millis(10);
const RETRY_MAX: Millis = Millis::from_secs(300);

/// What an outcome means for what comes behind.
pub(super) enum Next {
    /// Nothing.
    GoOn,
    /// The whole line waits so long.
    Rest(Millis),
}

impl Engine {
    pub(super) async fn write_outcome(
        &self,
        entry: OutboxEntry,
        outcome: Result<Receipt, SendError>,
    ) -> Result<Next, StoreError> {
        metrics::counter!("outbound_total", "outcome" => name(&outcome)).increment(1);
        self.inner.refusals.note(&entry.outbound.line, &outcome);
        let next = match &outcome {
            Err(SendError::LineBusy { after, .. }) => Next::Rest(bounded(*after)),
            Err(SendError::Reauthorize(_)) => Next::Rest(REAUTHORIZE_REST),
            Ok(_)
            | Err(
                SendError::RetryAfter { .. }
                | SendError::Rejected { .. }
                | SendError::ContactUnreachable { .. }
                | SendError::Uncertain(_)
                | SendError::Unsupported,
            ) => Next::GoOn,
        };
        self.store()
            .write(move |tx| note(tx, &entry, &outcome))
            .await?;
        Ok(next)
    }
}

fn name(outcome: &Result<Receipt, SendError>) -> &'static str {
    match outcome {
        Ok(_) => "sent",
        Err(
            SendError::RetryAfter { .. } | SendError::LineBusy { .. } | SendError::Reauthorize(_),
        ) => "retried",
        Err(SendError::Uncertain(_)) => "uncertain",
        Err(
            SendError::Rejected { .. }
            | SendError::ContactUnreachable { .. }
            | SendError::Unsupported,
        ) => "failed",
    }
}

fn bounded(after: Millis) -> Millis {
    after.clamp(RETRY_MIN, RETRY_MAX)
}

fn note(
    tx: &mut Tx<'_>,
    entry: &OutboxEntry,
    outcome: &Result<Receipt, SendError>,
) -> Result<(), StoreError> {
    let retry = |tx: &mut Tx<'_>, after: Millis| {
        let next_at: Timestamp = tx.now() + bounded(after);
        tx.outbox_retry(entry.id, next_at)
    };
    match outcome {
        Err(SendError::RetryAfter { after, .. }) => return retry(tx, *after),
        // The line rests; this one is the first when it goes on.
        Err(SendError::LineBusy { .. } | SendError::Reauthorize(_)) => {
            return retry(tx, RETRY_MIN);
        }
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
    let outbound = &entry.outbound;
    if let Err(SendError::ContactUnreachable { operator_text }) = outcome
        && let Some(mut thread) = tx.thread(outbound.recipient.thread)?
    {
        thread.unreachable = Some(operator_text.clone());
        tx.save_thread(&thread)?;
    }
    // The fate of an edit or reaction is not the message's.
    if !matches!(outbound.action, Action::Send { .. }) {
        return Ok(());
    }
    match outcome {
        Ok(receipt) => taken(tx, outbound, receipt),
        Err(SendError::Uncertain(reason)) => ended(tx, outbound, Delivery::Uncertain, reason),
        Err(error) => ended(tx, outbound, Delivery::Failed, &error.to_string()),
    }
}

/// The provider took a message, or a part of one: it is sent with the last.
fn taken(tx: &mut Tx<'_>, outbound: &Outbound, receipt: &Receipt) -> Result<(), StoreError> {
    let message = outbound.message;
    let id = receipt.message_id.clone();
    if let (Some(_), Some(id)) = (outbound.part, &id) {
        named(tx, message, id)?;
    }
    if outbound.part.is_none_or(Part::is_last) {
        return delivered(tx, message, receipt.delivery, id, &receipt.error_text);
    }
    Ok(())
}

/// A message, or a part of one, was not taken. What is left of it is not sent: half a
/// message more would not make it whole.
fn ended(
    tx: &mut Tx<'_>,
    outbound: &Outbound,
    delivery: Delivery,
    reason: &str,
) -> Result<(), StoreError> {
    let reason = match outbound.part {
        Some(Part { number, of }) => {
            tx.outbox_drop(outbound.recipient.thread, outbound.message)?;
            format!("part {number} of {of}: {reason}")
        }
        None => reason.to_owned(),
    };
    delivered(tx, outbound.message, delivery, None, &reason)
}
