//! What time alone changes: deadlines are rows, and this task only looks when the
//! next one is. Beside it the sweeper, which settles the queues once a second in
//! case an event was missed, and forgets what is old.

use std::time::Duration;

use domain::operator::Input;
use domain::proof::Law;
use domain::{ConversationId, Millis, OperatorId, Timestamp};
use store::{StoreError, Tx};

use crate::{Engine, change, routing};

/// The sweeper's pace.
const SWEEP: Duration = Duration::from_secs(1);
/// The pace of the check of invariants.
const GUARD: Duration = Duration::from_secs(10);
/// Deadlines handled in one transaction.
const BATCH: i64 = 256;
/// How long events, acts and processed envelopes are kept: beyond every provider's
/// window of redelivery.
const KEEP: Millis = Millis::from_secs(14 * 86_400);
/// How long an upload waits to be used.
const KEEP_UPLOADS: Millis = Millis::from_secs(2 * 86_400);
/// Old rows forgotten at once: little enough to hold nobody up.
const PRUNE: i64 = 500;

pub(crate) async fn run(engine: Engine) {
    let stop = engine.stopping();
    while !stop.is_cancelled() {
        let pause = match engine.tick().await {
            Ok(next) => next.map_or(SWEEP, |at| {
                let wait = at.since(engine.now()).0;
                Duration::from_millis(u64::try_from(wait).unwrap_or(0)).min(SWEEP)
            }),
            Err(error) => {
                tracing::error!(%error, "the timers could not run");
                SWEEP
            }
        };
        tokio::select! {
            // Always in this order: a simulation repeats itself.
            biased;
            () = stop.cancelled() => {}
            () = engine.inner.wakes.timers.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Engine {
    /// Does everything that is due, and answers when the next thing is.
    async fn tick(&self) -> Result<Option<Timestamp>, StoreError> {
        let now = self.now();
        let (conversations, operators, waits) = self
            .read::<_, StoreError>(move |view| {
                let waits = view.tallies()?.iter().any(|tally| tally.queued > 0);
                Ok((
                    view.conversations_due(now, BATCH)?,
                    view.operators_due(now)?,
                    waits,
                ))
            })
            .await?;
        let rules = self.rules();
        let old = self.prune_is_due();
        if !conversations.is_empty() || !operators.is_empty() || waits || old {
            self.store()
                .write::<_, StoreError>(move |tx| {
                    conversations_due(tx, &rules, conversations)?;
                    operators_due(tx, operators)?;
                    if old {
                        forget(tx)?;
                    }
                    tx.unsettle();
                    Ok(())
                })
                .await?;
        }
        self.inner.hub.sweep();
        let promises = self.promises_due().await?;
        self.read(move |view| {
            let conversations = view.next_conversation_deadline()?;
            let operators = view.next_operator_deadline()?;
            Ok(conversations
                .into_iter()
                .chain(operators)
                .chain(promises)
                .min())
        })
        .await
    }

    /// Checks what must always hold, and how much waits in the journal. A violation is a
    /// defect of ours: it is logged and counted, and changes nothing.
    async fn check_invariants(&self) {
        if let Err(error) = self.prove().await {
            tracing::error!(%error, "the invariants were not checked");
        }
        let counts = self.read::<_, StoreError>(|view| view.journal_counts());
        let Ok((pending, dead)) = counts.await else {
            return;
        };
        let Ok(unconfigured) = self.waiting_for_lines().await else {
            return;
        };
        let waiting: i64 = unconfigured.iter().map(|line| line.count).sum();
        // Two looks: what was processed between them is nobody's.
        metrics::gauge!("journal_pending").set(float((pending - waiting).max(0)));
        metrics::gauge!("journal_unconfigured").set(float(waiting));
        metrics::gauge!("journal_dead").set(float(dead));
    }

    /// About once a minute, without a clock of its own.
    fn prune_is_due(&self) -> bool {
        self.now().0 / 1_000 % 60 == 0
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a metric needs no more than 52 bits"
)]
fn float(number: i64) -> f64 {
    number as f64
}

/// Checks what must always hold, every ten seconds.
pub(crate) async fn guard(engine: Engine) {
    let stop = engine.stopping();
    metrics::counter!("invariant_violations_total").absolute(0);
    for law in Law::ALL {
        metrics::counter!("invariant_violations_total", "rule" => law.name()).absolute(0);
    }
    // What is offered from the beginning on is to be judged.
    engine.check_invariants().await;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(GUARD) => {
                engine.check_invariants().await;
                engine.measure_promises().await;
            }
        }
    }
}

fn conversations_due(
    tx: &mut Tx<'_>,
    rules: &domain::routing::RoutingRules,
    due: Vec<ConversationId>,
) -> Result<(), StoreError> {
    for id in due {
        routing::due(tx, rules, id)?;
    }
    Ok(())
}

fn operators_due(tx: &mut Tx<'_>, due: Vec<OperatorId>) -> Result<(), StoreError> {
    for id in due {
        change::operator(tx, id, Input::Due)?;
    }
    Ok(())
}

fn forget(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let before = tx.now() - KEEP;
    tx.prune_events(before, PRUNE)?;
    tx.prune_acts(before, PRUNE)?;
    tx.journal_prune(before, PRUNE)?;
    let uploads = tx.now() - KEEP_UPLOADS;
    tx.prune_uploads(uploads)?;
    Ok(())
}
