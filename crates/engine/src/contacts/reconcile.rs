//! Keeps conversations true to the directory: confirms contacts that were made
//! while it could not be reached, and follows merges and changed names.

use std::time::Duration;

use domain::ContactId;
use domain::event::EventKind;
use domain::{Millis, Timestamp};
use proto::contacts::v1 as pb;
use proto::contacts::v1::watch_contacts_response::Change;
use store::{Provisional, StoreError, StoredSuggestion, Tx};

use super::{Found, convert};
use crate::Engine;
use crate::opening::{self, KnownContact};

/// How long to wait before asking again: doubles from the first to the second.
const RETRY_MIN: Millis = Millis::from_secs(2);
const RETRY_MAX: Millis = Millis::from_secs(300);
/// Provisional contacts asked about at once.
const BATCH: i64 = 64;
/// Even without news the provisional ones are looked at so often.
const SWEEP: Duration = Duration::from_secs(2);
/// Where a directory's cursor is kept, followed by the address of a remote one: a
/// cursor means nothing to another directory.
const CURSOR: &str = "contacts_cursor";

pub(crate) async fn run(engine: Engine) {
    let stop = engine.stopping();
    tokio::select! {
        () = stop.cancelled() => {}
        () = watch(&engine) => {}
        () = confirm(&engine) => {}
    }
}

async fn confirm(engine: &Engine) {
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
    let Some(line) = engine.line(&provisional.line) else {
        return put_off(engine, provisional).await;
    };
    let found = engine
        .directory()
        .find(line, &provisional.sender, engine.now(), true)
        .await;
    match found {
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
    become_one(tx, &provisional.contact, &found.contact)
}

/// Keeps what the directory suggests about a contact.
pub(crate) fn suggest(tx: &mut Tx<'_>, found: &Found) -> Result<(), StoreError> {
    for (other, reason, confidence) in &found.suggestions {
        let suggestion = StoredSuggestion {
            id: tx.fresh_id(),
            contact: found.contact.id.clone(),
            other: other.clone(),
            reason: domain::text::line(reason, 200),
            confidence: confidence.clamp(0.0, 1.0),
        };
        tx.suggest(&suggestion)?;
    }
    Ok(())
}

/// Gives everything of one contact to another, whose id it stands for from now on.
fn become_one(tx: &mut Tx<'_>, from: &ContactId, into: &KnownContact) -> Result<(), StoreError> {
    if *from == into.id {
        return Ok(());
    }
    tx.redirect(from, &into.id)?;
    tx.forget_suggestions(from)?;
    for id in tx.conversations_to_contact(from, &into.id)? {
        let Some(before) = tx.conversation(id)? else {
            continue;
        };
        let Some(thread) = tx.thread(before.thread)? else {
            continue;
        };
        let mut after = before.clone();
        after.client = opening::client(&thread, into, before.client.known);
        tx.save_conversation(&before, &mut after)?;
    }
    tx.emit(EventKind::ContactsMerged {
        merged: from.clone(),
        into: into.id.clone(),
    })?;
    Ok(())
}

/// Shows a contact's new name wherever it is open.
fn rename(tx: &mut Tx<'_>, contact: &KnownContact) -> Result<(), StoreError> {
    let mut touched = false;
    for before in tx.conversations_of(&contact.id, i64::MAX, 200)? {
        let Some(thread) = tx.thread(before.thread)? else {
            continue;
        };
        let mut after = before.clone();
        after.client = opening::client(&thread, contact, before.client.known);
        if after != before {
            tx.save_conversation(&before, &mut after)?;
        }
        touched = true;
    }
    if touched {
        tx.emit(EventKind::ContactChanged {
            contact: contact.id.clone(),
        })?;
    }
    Ok(())
}

/// Follows the directory's changes from where the last run stopped.
async fn watch(engine: &Engine) {
    let mut pause = Duration::from_millis(200);
    loop {
        match follow(engine).await {
            Ok(()) => pause = Duration::from_millis(200),
            Err(error) => {
                tracing::warn!(%error, "the contact directory's changes cannot be followed");
                pause = (pause * 2).min(Duration::from_mins(1));
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn follow(engine: &Engine) -> Result<(), String> {
    let place = match engine.directory().url() {
        Some(url) => format!("{CURSOR} {url}"),
        None => CURSOR.to_owned(),
    };
    let known = place.clone();
    let cursor = engine
        .read::<_, StoreError>(move |view| view.meta(&known))
        .await
        .map_err(|error| error.to_string())?
        .unwrap_or_default();
    let mut changes = engine
        .directory()
        .client()
        .watch_contacts(pb::WatchContactsRequest { cursor })
        .await
        .map_err(|status| status.message().to_owned())?
        .into_inner();
    while let Some(step) = changes
        .message()
        .await
        .map_err(|status| status.message().to_owned())?
    {
        let place = place.clone();
        engine
            .store()
            .write(move |tx| {
                apply(tx, step.change)?;
                tx.set_meta(&place, &step.cursor)
            })
            .await
            .map_err(|error: StoreError| error.to_string())?;
    }
    Ok(())
}

fn apply(tx: &mut Tx<'_>, change: Option<Change>) -> Result<(), StoreError> {
    match change {
        Some(Change::Changed(contact)) => {
            let contact = known(contact);
            // A merge that was taken back: the id stands for itself again.
            if tx.target_of(&contact.id)? != contact.id {
                tx.unredirect(&contact.id)?;
                restore(tx, &contact)?;
            }
            rename(tx, &contact)
        }
        Some(Change::Merged(merged)) => match merged.contact {
            Some(contact) => {
                let from = ContactId::new(merged.merged_contact_id);
                become_one(tx, &from, &known(contact))
            }
            None => Ok(()),
        },
        // Suggestions tell the addresses that two contacts share.
        Some(Change::Erased(erased)) => tx.forget_suggestions(&ContactId::new(erased.contact_id)),
        None => Ok(()),
    }
}

/// Gives a contact that returned from a merge its threads again.
fn restore(tx: &mut Tx<'_>, contact: &KnownContact) -> Result<(), StoreError> {
    for thread in tx.threads_of_origin(&contact.id)? {
        for id in tx.thread_to_contact(thread.id, &contact.id)? {
            if let Some(before) = tx.conversation(id)? {
                let mut after = before.clone();
                after.client = opening::client(&thread, contact, before.client.known);
                tx.save_conversation(&before, &mut after)?;
            }
        }
    }
    Ok(())
}

fn known(contact: pb::Contact) -> KnownContact {
    KnownContact {
        id: ContactId::new(contact.id),
        profile: convert::profile_from(&contact.profile.unwrap_or_default()),
        provisional: false,
    }
}

/// When to ask about a fresh provisional contact.
pub(crate) fn first_try(now: Timestamp) -> Timestamp {
    now + RETRY_MIN
}
