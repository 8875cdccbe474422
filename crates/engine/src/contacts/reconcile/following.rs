//! Follows the directory's changes from where the last run stopped.

use std::time::Duration;

use domain::ContactId;
use proto::contacts::v1 as pb;
use proto::contacts::v1::watch_contacts_response::Change;
use store::{StoreError, Tx};
use tonic::{Code, Status, Streaming};

use super::super::convert;
use super::{become_one, renew, rereading, tell_of};
use crate::Engine;
use crate::obligations;
use crate::opening::KnownContact;

/// Where a directory's cursor is kept, followed by the address of a remote one: a
/// cursor means nothing to another directory.
const CURSOR: &str = "contacts_cursor";

/// Follows until the gateway stops.
pub(super) async fn watch(engine: &Engine) {
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
    let (first, mut changes) = match begin(engine, &cursor).await {
        Err(status) if !cursor.is_empty() && is_about_the_cursor(&status) => {
            tracing::warn!(
                error = status.message(),
                "the contact directory cannot go on from the cursor: every contact is read anew"
            );
            // What happens from here on is in the stream, what happened before is read.
            let begun = begin(engine, "").await.map_err(text)?;
            rereading::read_anew(engine).await?;
            begun
        }
        begun => begun.map_err(text)?,
    };
    take(engine, &place, first).await?;
    while let Some(step) = changes.message().await.map_err(text)? {
        take(engine, &place, step).await?;
    }
    Ok(())
}

type Changes = Streaming<pb::WatchContactsResponse>;

/// Opens the stream as far as its first answer, by which it has taken the cursor.
async fn begin(
    engine: &Engine,
    cursor: &str,
) -> Result<(pb::WatchContactsResponse, Changes), Status> {
    let asked = pb::WatchContactsRequest {
        cursor: cursor.to_owned(),
    };
    let mut client = engine.directory().client();
    let mut changes = client.watch_contacts(asked).await?.into_inner();
    let first = changes.message().await?;
    let first = first.ok_or_else(|| Status::unavailable("the stream ended at once"))?;
    Ok((first, changes))
}

/// The contract's word is `OUT_OF_RANGE`; the others say it too.
pub(in crate::contacts) fn is_about_the_cursor(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::OutOfRange | Code::InvalidArgument | Code::FailedPrecondition | Code::NotFound
    )
}

async fn take(engine: &Engine, place: &str, step: pb::WatchContactsResponse) -> Result<(), String> {
    let place = place.to_owned();
    engine
        .store()
        .write(move |tx| {
            apply(tx, step.change)?;
            tx.set_meta(&place, &step.cursor)
        })
        .await
        .map_err(|error: StoreError| error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "reads as `map_err(text)`")]
fn text(status: Status) -> String {
    status.message().to_owned()
}

fn apply(tx: &mut Tx<'_>, change: Option<Change>) -> Result<(), StoreError> {
    match change {
        Some(Change::Changed(contact)) => {
            let contact = known(contact);
            if renew(tx, &contact)?.in_all > 0 {
                tell_of(tx, &contact.id)?;
            }
            Ok(())
        }
        Some(Change::Merged(merged)) => match merged.contact {
            Some(contact) => {
                let from = ContactId::new(merged.merged_contact_id);
                become_one(tx, &from, &known(contact))
            }
            None => Ok(()),
        },
        Some(Change::Erased(erased)) => {
            let erased = ContactId::new(erased.contact_id);
            // Suggestions tell the addresses that two contacts share.
            tx.forget_suggestions(&erased)?;
            obligations::forget(tx, &erased)
        }
        None => Ok(()),
    }
}

/// A contact as the directory has it.
pub(super) fn known(contact: pb::Contact) -> KnownContact {
    KnownContact {
        id: ContactId::new(contact.id),
        profile: convert::profile_from(&contact.profile.unwrap_or_default()),
        provisional: false,
    }
}
