//! Every contact that conversations know, read anew: after the directory could not
//! tell what had happened to them.

use domain::ContactId;
use futures::{StreamExt as _, TryStreamExt as _};
use proto::contacts::v1 as pb;
use store::StoreError;
use tonic::Code;

use super::following::known;
use super::{become_one, renew, tell_of};
use crate::Engine;
use crate::opening::{KnownContact, is_provisional};

/// Contacts read from the store at once.
const PAGE: i64 = 1_000;
/// Contacts asked about at once: enough to hide the way to a remote directory,
/// little beside what it has to do anyway.
const AT_ONCE: usize = 8;

pub(super) async fn read_anew(engine: &Engine) -> Result<(), String> {
    let mut after = ContactId::new("");
    let mut count = 0_usize;
    loop {
        let from = after.clone();
        let page = engine
            .read::<_, StoreError>(move |view| view.contacts_heard_of(&from, PAGE))
            .await
            .map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { break };
        after = last.clone();
        // The directory has never heard of our own.
        let asked = page.into_iter().filter(|id| !is_provisional(id));
        count += futures::stream::iter(asked.map(|id| read_one(engine, id)))
            .buffer_unordered(AT_ONCE)
            .try_fold(0, async |count, ()| Ok(count + 1))
            .await?;
    }
    tracing::info!(count, "every contact was read anew");
    Ok(())
}

async fn read_one(engine: &Engine, id: ContactId) -> Result<(), String> {
    let asked = pb::GetContactRequest {
        contact_id: id.to_string(),
    };
    let mut client = engine.directory().client();
    let call = tokio::time::timeout(engine.directory().timeout(), client.get_contact(asked));
    let found = match call.await {
        Ok(Ok(contact)) => Some(known(contact.into_inner())),
        Ok(Err(status)) if status.code() == Code::NotFound => None,
        Ok(Err(status)) => return Err(status.message().to_owned()),
        Err(_) => return Err("it took too long".to_owned()),
    };
    engine
        .store()
        .write(move |tx| take(tx, &id, found.as_ref()))
        .await
        .map_err(|error: StoreError| error.to_string())
}

fn take(
    tx: &mut store::Tx<'_>,
    id: &ContactId,
    found: Option<&KnownContact>,
) -> Result<(), StoreError> {
    match found {
        Some(contact) if contact.id == *id => {
            // Not each of them is news.
            if renew(tx, contact)?.anew > 0 {
                tell_of(tx, id)?;
            }
            Ok(())
        }
        Some(contact) if tx.target_of(id)? == contact.id => Ok(()),
        Some(contact) => become_one(tx, id, contact),
        None => tx.forget_suggestions(id),
    }
}
