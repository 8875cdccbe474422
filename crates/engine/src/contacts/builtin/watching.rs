//! What changes, in order, from a cursor on.

use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use proto::contacts::v1 as pb;
use store::{ContactChange, Store, View};
use tokio::sync::broadcast;
use tonic::Status;

use super::failure::Failure;
use super::{bulk, shown};

/// See `bulk::PAGE`.
const PAGE: i64 = 256;

/// Where to begin: what was asked, or now.
pub(super) fn cursor(view: &View<'_>, asked: &str) -> Result<i64, Failure> {
    if asked.is_empty() {
        return Ok(view.last_contact_change()?);
    }
    let cursor = asked
        .parse()
        .map_err(|_| Failure::Invalid("cursor: not one of this directory's".to_owned()))?;
    let newest = view.last_contact_change()?;
    if cursor > newest {
        return Err(Failure::OutOfRange(format!(
            "cursor: the newest is {newest}; the directory may have come from a backup"
        )));
    }
    Ok(cursor)
}

pub(super) fn watch(
    store: Arc<Store>,
    changed: broadcast::Receiver<()>,
    cursor: i64,
) -> impl Stream<Item = Result<pb::WatchContactsResponse, Status>> + Send {
    let opened = pb::WatchContactsResponse {
        cursor: cursor.to_string(),
        change: None,
    };
    let pages = futures::stream::try_unfold((changed, cursor), move |(mut changed, cursor)| {
        let store = Arc::clone(&store);
        async move {
            loop {
                let page = store
                    .read::<_, Failure>(move |view| {
                        view.contact_changes(cursor, PAGE)?
                            .into_iter()
                            .map(|(cursor, change)| watched(view, cursor, &change))
                            .collect::<Result<Vec<_>, Failure>>()
                    })
                    .await?;
                if let Some(last) = page.last() {
                    let last: i64 = last.cursor.parse().unwrap_or(cursor);
                    return Ok::<_, Status>(Some((page, (changed, last))));
                }
                // Lagging only means that there is something to read.
                if let Err(broadcast::error::RecvError::Closed) = changed.recv().await {
                    return Ok(None);
                }
            }
        }
    });
    futures::stream::once(async { Ok(opened) }).chain(bulk::rows_of(pages))
}

fn watched(
    view: &View<'_>,
    cursor: i64,
    change: &ContactChange,
) -> Result<pb::WatchContactsResponse, Failure> {
    use pb::watch_contacts_response::Change;
    let change = match change {
        ContactChange::Changed(id) => view
            .directory_contact(*id)?
            .map(|contact| shown(view, &contact))
            .transpose()?
            .map(Change::Changed),
        ContactChange::Merged { merged, into } => {
            let contact = view
                .directory_contact(*into)?
                .map(|contact| shown(view, &contact))
                .transpose()?;
            Some(Change::Merged(pb::ContactsMerged {
                merged_contact_id: merged.to_string(),
                contact,
            }))
        }
        ContactChange::Erased(id) => Some(Change::Erased(pb::ContactErased {
            contact_id: id.to_string(),
        })),
    };
    Ok(pb::WatchContactsResponse {
        cursor: cursor.to_string(),
        change,
    })
}
