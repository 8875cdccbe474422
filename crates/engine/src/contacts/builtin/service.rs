//! The methods, each handed on to where it is done.

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use prost::Message as _;
use proto::contacts::v1 as pb;
use proto::contacts::v1::contact_directory_server::ContactDirectory;
use store::{Auditor, Tx};
use tonic::{Request, Response, Status, Streaming};

use super::failure::Failure;
use super::{AskedBy, BuiltIn, bulk, editing, live, merging, pages, resolving, shown, watching};

type Answer<T> = Result<Response<T>, Status>;
type Stream_<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ContactDirectory for BuiltIn {
    type ExportContactsStream = Stream_<pb::ExportContactsResponse>;
    type WatchContactsStream = Stream_<pb::WatchContactsResponse>;

    async fn resolve_contact(
        &self,
        request: Request<pb::ResolveContactRequest>,
    ) -> Answer<pb::ResolveContactResponse> {
        let by = by(&request);
        let request = request.into_inner();
        // Most messages are from somebody known, about whom nothing is new: that is
        // a read.
        if request.idempotency_key.is_empty() {
            let asked = request.clone();
            let known = self
                .store
                .read_rows(move |view| resolving::known_and_unchanged(view, &asked));
            if let Some(answer) = known.await? {
                return Ok(Response::new(answer));
            }
            // The gateway itself asks about messages that are durable already.
            let resolve = move |tx: &mut Tx<'_>| resolving::resolve(tx, &request);
            let resolved = match by {
                Some(_) => self.store.write_repeatable(resolve).await,
                None => self.store.write_behind(resolve).await,
            };
            return Ok(Response::new(resolved?));
        }
        let key = request.idempotency_key.clone();
        self.once(by, key, request.encode_to_vec(), move |tx| {
            resolving::resolve(tx, &request)
        })
        .await
    }

    async fn get_contact(&self, request: Request<pb::GetContactRequest>) -> Answer<pb::Contact> {
        let id = request.into_inner().contact_id;
        self.read(move |view| shown(view, &live(view, &id)?)).await
    }

    async fn list_contacts(
        &self,
        request: Request<pb::ListContactsRequest>,
    ) -> Answer<pb::ListContactsResponse> {
        let request = request.into_inner();
        self.read(move |view| pages::list(view, &request)).await
    }

    async fn search_contacts(
        &self,
        request: Request<pb::SearchContactsRequest>,
    ) -> Answer<pb::SearchContactsResponse> {
        let request = request.into_inner();
        self.read(move |view| pages::search(view, &request)).await
    }

    async fn update_contact(
        &self,
        request: Request<pb::UpdateContactRequest>,
    ) -> Answer<pb::Contact> {
        let by = by(&request);
        let request = request.into_inner();
        let key = request.idempotency_key.clone();
        self.once(by, key, request.encode_to_vec(), |tx| {
            editing::update(tx, request)
        })
        .await
    }

    async fn link_identity(
        &self,
        request: Request<pb::LinkIdentityRequest>,
    ) -> Answer<pb::Contact> {
        let by = by(&request);
        let request = request.into_inner();
        let key = request.idempotency_key.clone();
        self.once(by, key, request.encode_to_vec(), move |tx| {
            editing::link(tx, &request)
        })
        .await
    }

    async fn unlink_identity(
        &self,
        request: Request<pb::UnlinkIdentityRequest>,
    ) -> Answer<pb::Contact> {
        let by = by(&request);
        let request = request.into_inner();
        let key = request.idempotency_key.clone();
        self.once(by, key, request.encode_to_vec(), move |tx| {
            editing::unlink(tx, &request)
        })
        .await
    }

    async fn merge_contacts(
        &self,
        request: Request<pb::MergeContactsRequest>,
    ) -> Answer<pb::MergeContactsResponse> {
        let by = by(&request);
        let request = request.into_inner();
        let key = request.idempotency_key.clone();
        self.once(by, key, request.encode_to_vec(), move |tx| {
            merging::merge_asked(tx, &request)
        })
        .await
    }

    async fn undo_merge(
        &self,
        request: Request<pb::UndoMergeRequest>,
    ) -> Answer<pb::UndoMergeResponse> {
        let by = by(&request);
        let request = request.into_inner();
        let key = request.idempotency_key.clone();
        self.once(by, key, request.encode_to_vec(), move |tx| {
            merging::undo_asked(tx, &request)
        })
        .await
    }

    async fn erase_contact(
        &self,
        request: Request<pb::EraseContactRequest>,
    ) -> Answer<pb::EraseContactResponse> {
        let by = by(&request);
        let auditor = auditor(&request);
        let request = request.into_inner();
        let key = request.idempotency_key.clone();
        self.once(by, key, request.encode_to_vec(), move |tx| {
            editing::erase(tx, &request)?;
            tx.audit(auditor, "contact.erase", &request.contact_id, "")?;
            Ok(pb::EraseContactResponse {})
        })
        .await
    }

    async fn import_contacts(
        &self,
        request: Request<Streaming<pb::ImportContactsRequest>>,
    ) -> Answer<pb::ImportContactsResponse> {
        let by = auditor(&request);
        self.import(by, request.into_inner())
            .await
            .map(Response::new)
    }

    async fn export_contacts(
        &self,
        request: Request<pb::ExportContactsRequest>,
    ) -> Answer<Self::ExportContactsStream> {
        let by = auditor(&request);
        let asked = request.into_inner().after_contact_id;
        let after = bulk::after(&asked)?;
        let detail = match asked.as_str() {
            "" => String::new(),
            asked => format!("after contact {asked}"),
        };
        // Before the first of them is told.
        self.store
            .write::<_, Failure>(move |tx| Ok(tx.audit(by, "contacts.export", "", &detail)?))
            .await?;
        let contacts = bulk::export(Arc::clone(&self.store), after);
        Ok(Response::new(Box::pin(contacts)))
    }

    async fn watch_contacts(
        &self,
        request: Request<pb::WatchContactsRequest>,
    ) -> Answer<Self::WatchContactsStream> {
        // Before the cursor is read, so that nothing falls between the two.
        let wakes = self.changed.subscribe();
        let asked = request.into_inner().cursor;
        let cursor = self.read(move |view| watching::cursor(view, &asked));
        let cursor = cursor.await?.into_inner();
        let changes = watching::watch(Arc::clone(&self.store), wakes, cursor);
        Ok(Response::new(Box::pin(changes)))
    }
}

fn by<T>(request: &Request<T>) -> Option<AskedBy> {
    request.extensions().get().cloned()
}

/// Who asks, for the audit log; the command line when nobody is named.
fn auditor<T>(request: &Request<T>) -> Auditor {
    request.extensions().get().copied().unwrap_or_default()
}
