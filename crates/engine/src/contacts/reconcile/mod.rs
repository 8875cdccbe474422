//! Keeps conversations true to the directory: confirms contacts that were made
//! while it could not be reached, and follows merges and changed names.

mod confirming;
mod following;
mod rereading;

use domain::ContactId;
use domain::event::EventKind;
use store::{StoreError, StoredSuggestion, Tx};

pub(crate) use confirming::first_try;
pub(super) use following::is_about_the_cursor;

use super::Found;
use crate::Engine;
use crate::obligations;
use crate::opening::{self, KnownContact};

pub(crate) async fn run(engine: Engine) {
    let stop = engine.stopping();
    tokio::select! {
        // Always in this order: a simulation repeats itself.
        biased;
        () = stop.cancelled() => {}
        () = following::watch(&engine) => {}
        () = confirming::confirm(&engine) => {}
    }
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
    obligations::follow_merge(tx, from, into)?;
    tx.emit(EventKind::ContactsMerged {
        merged: from.clone(),
        into: into.id.clone(),
    })?;
    Ok(())
}

/// A contact as it is now: what was merged and is no more stands for itself again,
/// and conversations show its name. Answers how many do, and how many did not before.
fn renew(tx: &mut Tx<'_>, contact: &KnownContact) -> Result<Shown, StoreError> {
    if tx.target_of(&contact.id)? != contact.id {
        tx.unredirect(&contact.id)?;
        restore(tx, contact)?;
        obligations::return_to(tx, contact)?;
    }
    obligations::rename(tx, contact)?;
    let mut shown = Shown::default();
    for before in tx.conversations_of(&contact.id, i64::MAX, 200)? {
        let Some(thread) = tx.thread(before.thread)? else {
            continue;
        };
        let mut after = before.clone();
        after.client = opening::client(&thread, contact, before.client.known);
        if after != before {
            tx.save_conversation(&before, &mut after)?;
            shown.anew += 1;
        }
        shown.in_all += 1;
    }
    Ok(shown)
}

/// How many conversations show a contact.
#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    in_all: usize,
    anew: usize,
}

/// Says that a contact is not what it was.
fn tell_of(tx: &mut Tx<'_>, contact: &ContactId) -> Result<(), StoreError> {
    tx.emit(EventKind::ContactChanged {
        contact: contact.clone(),
    })?;
    Ok(())
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
