//! Many contacts in, and all of them out.

use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use proto::contacts::v1 as pb;
use store::{Auditor, Store};
use tonic::{Code, Status, Streaming};

use super::failure::Failure;
use super::{BuiltIn, resolving, shown};

const REJECTED_MAX: usize = 1_000;
/// Enough to make the reads few, little enough for the memory of a slow reader's
/// stream.
const PAGE: i64 = 256;

impl BuiltIn {
    pub(super) async fn import(
        &self,
        by: Auditor,
        mut rows: Streaming<pb::ImportContactsRequest>,
    ) -> Result<pb::ImportContactsResponse, Status> {
        let mut report = pb::ImportContactsResponse::default();
        let mut first: Option<(String, bool)> = None;
        let outcome = self.import_rows(&mut rows, &mut report, &mut first).await;
        let is_dry = first.is_none_or(|(_, dry_run)| dry_run);
        if !is_dry {
            let detail = format!(
                "{} made, {} matched, {} rejected",
                report.created, report.matched, report.rejected_count
            );
            self.store
                .write::<_, Failure>(move |tx| Ok(tx.audit(by, "contacts.import", "", &detail)?))
                .await?;
        }
        outcome.map(|()| report)
    }

    async fn import_rows(
        &self,
        rows: &mut Streaming<pb::ImportContactsRequest>,
        report: &mut pb::ImportContactsResponse,
        first: &mut Option<(String, bool)>,
    ) -> Result<(), Status> {
        while let Some(row) = rows.next().await {
            let row = row?;
            let (region, dry_run) = first
                .get_or_insert_with(|| (row.default_region.clone(), row.dry_run))
                .clone();
            let number = row.row;
            match self.import_row(row, region, dry_run).await {
                Ok(pb::Outcome::Created) => report.created += 1,
                Ok(pb::Outcome::Matched | pb::Outcome::Unspecified) => report.matched += 1,
                Err(status) if status.code() == Code::Unavailable => return Err(status),
                Err(status) => {
                    report.rejected_count += 1;
                    if report.rejected.len() < REJECTED_MAX {
                        report.rejected.push(pb::RejectedRow {
                            row: number,
                            reason: status.message().to_owned(),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    async fn import_row(
        &self,
        row: pb::ImportContactsRequest,
        region: String,
        dry_run: bool,
    ) -> Result<pb::Outcome, Status> {
        let request = pb::ResolveContactRequest {
            identities: row.identities,
            profile: row.profile,
            source: Some(pb::Source {
                channel: "import".to_owned(),
                ..pb::Source::default()
            }),
            idempotency_key: String::new(),
            default_region: region,
        };
        if dry_run {
            let tried = self.read(move |view| resolving::try_out(view, &request));
            return Ok(tried.await?.into_inner());
        }
        let outcome = self
            .store
            .write::<_, Failure>(move |tx| Ok(resolving::resolve(tx, &request)?.outcome()));
        Ok(outcome.await?)
    }
}

/// After which row an export goes on.
pub(super) fn after(contact_id: &str) -> Result<i64, Failure> {
    if contact_id.is_empty() {
        return Ok(0);
    }
    contact_id
        .parse()
        .map_err(|_| Failure::Invalid("after_contact_id: not a contact's id".to_owned()))
}

pub(super) fn export(
    store: Arc<Store>,
    after: i64,
) -> impl Stream<Item = Result<pb::ExportContactsResponse, Status>> + Send {
    let pages = futures::stream::try_unfold(after, move |after| {
        let store = Arc::clone(&store);
        async move {
            let (page, last) = store
                .read::<_, Failure>(move |view| {
                    let found = view.directory_contacts_after(after, PAGE)?;
                    let last = found.last().map(|contact| contact.id);
                    let page = found.iter().map(|contact| {
                        Ok(pb::ExportContactsResponse {
                            contact: Some(shown(view, contact)?),
                        })
                    });
                    Ok((page.collect::<Result<Vec<_>, Failure>>()?, last))
                })
                .await?;
            Ok::<_, Status>(last.map(|last| (page, last)))
        }
    });
    rows_of(pages)
}

/// A stream of pages, row by row.
pub(super) fn rows_of<T: Send>(
    pages: impl Stream<Item = Result<Vec<T>, Status>> + Send,
) -> impl Stream<Item = Result<T, Status>> + Send {
    pages.flat_map(|page| {
        futures::stream::iter(match page {
            Ok(page) => page.into_iter().map(Ok).collect(),
            Err(status) => vec![Err(status)],
        })
    })
}
