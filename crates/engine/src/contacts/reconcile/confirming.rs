//! Asks again about contacts that were made while the directory could not be asked.

use std::time::Duration;

use domain::{Millis, Timestamp};
use store::{Provisional, StoreError, Tx};

use super::super::lookup::{Asked, Found, named};
use super::{become_one, suggest};
use crate::Engine;

/// How long to wait before asking again: doubles from the first to the second.
const RETRY_MIN: Millis = Millis::from_secs(2);
const RETRY_MAX: Millis = Millis::from_secs(300);
/// Provisional contacts asked about at once.
const BATCH: i64 = 64;
/// Even without news the provisional ones are looked at so often.
const SWEEP: Duration = Duration::from_secs(2);

pub(super) async fn confirm(engine: &Engine) {
    loop {
        let now = engine.now();
        let due = engine
            .read::<_, StoreError>(move |view| view.provisional_due(now, BATCH))
            .await
            .unwrap_or_default();
        if due.is_empty() {
            tokio::time::sleep(SWEEP).await;
            continue;
        }
        for provisional in due {
            if let Err(error) = confirm_one(engine, provisional).await {
                tracing::error!(%error, "a provisional contact was not confirmed");
                tokio::time::sleep(SWEEP).await;
            }
        }
    }
}

async fn confirm_one(engine: &Engine, provisional: Provisional) -> Result<(), StoreError> {
    let of = provisional.thread;
    let thread = engine
        .read::<_, StoreError>(move |view| view.thread(of))
        .await?;
    let line = engine.line(&provisional.line);
    let key = thread.as_ref().map_or("", |known| &known.thread_key);
    let asked = Asked {
        line_id: &provisional.line,
        line: line.as_deref(),
        sender: named(&provisional.sender, &provisional.line, key, thread.as_ref()),
    };
    match engine.directory().find(asked, engine.now(), true).await {
        Ok(found) => {
            engine
                .store()
                .write(move |tx| confirmed(tx, &provisional, &found))
                .await
        }
        Err(error) => {
            tracing::warn!(%error, "the contact directory does not answer");
            put_off(engine, provisional).await
        }
    }
}

async fn put_off(engine: &Engine, mut provisional: Provisional) -> Result<(), StoreError> {
    let pause = RETRY_MIN.0 << provisional.attempts.min(10);
    provisional.attempts += 1;
    engine
        .store()
        .write(move |tx| {
            // Somebody else may have confirmed it meanwhile.
            if tx.provisional(&provisional.contact)?.is_none() {
                return Ok(());
            }
            let next_at = tx.now() + Millis(pause.min(RETRY_MAX.0));
            tx.save_provisional(&provisional, next_at)
        })
        .await
}

fn confirmed(tx: &mut Tx<'_>, provisional: &Provisional, found: &Found) -> Result<(), StoreError> {
    if !tx.end_provisional(&provisional.contact)? {
        return Ok(());
    }
    suggest(tx, found)?;
    tx.threads_begin_with(&provisional.contact, &found.contact.id)?;
    tx.obligations_begin_with(&provisional.contact, &found.contact.id)?;
    become_one(tx, &provisional.contact, &found.contact)
}

/// When to ask about a fresh provisional contact.
pub(crate) fn first_try(now: Timestamp) -> Timestamp {
    now + RETRY_MIN
}
