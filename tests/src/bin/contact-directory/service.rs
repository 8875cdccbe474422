//! The contract, as far as it is required.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use proto::contacts::v1 as pb;
use proto::contacts::v1::contact_directory_server::ContactDirectory;
use tokio::sync::watch;
use tonic::{Request, Response, Status, Streaming};

use crate::book::Book;

/// How it behaves.
#[derive(Clone, Copy)]
pub(crate) enum Mood {
    Well,
    /// Does what is asked, and answers after so long.
    Late(Duration),
    /// Refuses everything.
    Broken,
}

pub(crate) struct Service {
    book: Arc<Mutex<Book>>,
    grown: watch::Sender<usize>,
    mood: Mood,
}

impl Service {
    pub(crate) fn new(book: Book, mood: Mood) -> Self {
        Self {
            grown: watch::Sender::new(book.cursor()),
            book: Arc::new(Mutex::new(book)),
            mood,
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn in_mood<T>(&self, answer: impl FnOnce() -> Answer<T>) -> Answer<T> {
        if matches!(self.mood, Mood::Broken) {
            return Err(Status::internal("something is broken"));
        }
        let answer = answer();
        if let Mood::Late(by) = self.mood {
            tokio::time::sleep(by).await;
        }
        answer
    }
}

type Answer<T> = Result<Response<T>, Status>;
type Stream_<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn unserved<T>() -> Answer<T> {
    Err(Status::unimplemented("this directory does not serve it"))
}

#[tonic::async_trait]
impl ContactDirectory for Service {
    type ExportContactsStream = Stream_<pb::ExportContactsResponse>;
    type WatchContactsStream = Stream_<pb::WatchContactsResponse>;

    async fn resolve_contact(
        &self,
        request: Request<pb::ResolveContactRequest>,
    ) -> Answer<pb::ResolveContactResponse> {
        let request = request.into_inner();
        self.in_mood(|| {
            let mut book = self.book();
            let answer = book.resolve(&request, engine::clock::now())?;
            self.grown.send_replace(book.cursor());
            Ok(Response::new(answer))
        })
        .await
    }

    async fn get_contact(&self, request: Request<pb::GetContactRequest>) -> Answer<pb::Contact> {
        let id = request.into_inner().contact_id;
        self.in_mood(|| {
            let found = self.book().get(&id);
            let found = found.ok_or_else(|| Status::not_found("there is no such contact"))?;
            Ok(Response::new(found))
        })
        .await
    }

    async fn watch_contacts(
        &self,
        request: Request<pb::WatchContactsRequest>,
    ) -> Answer<Self::WatchContactsStream> {
        let asked = request.into_inner().cursor;
        let newest = self.book().cursor();
        let cursor = match asked.as_str() {
            "" => newest,
            asked => asked
                .parse()
                .ok()
                .filter(|cursor| *cursor <= newest)
                .ok_or_else(|| Status::invalid_argument("the cursor is not one of ours"))?,
        };
        let opened = pb::WatchContactsResponse {
            cursor: cursor.to_string(),
            change: None,
        };
        let (book, grown) = (Arc::clone(&self.book), self.grown.subscribe());
        let changes = futures::stream::unfold((cursor, grown), move |(cursor, mut grown)| {
            let book = Arc::clone(&book);
            async move {
                grown.wait_for(|newest| *newest > cursor).await.ok()?;
                let book = book.lock().unwrap_or_else(PoisonError::into_inner);
                let page = book.changes_after(cursor);
                Some((page, (book.cursor(), grown)))
            }
        });
        let changes = changes.flat_map(futures::stream::iter);
        let told = futures::stream::once(async { opened }).chain(changes);
        Ok(Response::new(Box::pin(told.map(Ok))))
    }

    async fn list_contacts(
        &self,
        _: Request<pb::ListContactsRequest>,
    ) -> Answer<pb::ListContactsResponse> {
        unserved()
    }

    async fn search_contacts(
        &self,
        _: Request<pb::SearchContactsRequest>,
    ) -> Answer<pb::SearchContactsResponse> {
        unserved()
    }

    async fn update_contact(&self, _: Request<pb::UpdateContactRequest>) -> Answer<pb::Contact> {
        unserved()
    }

    async fn link_identity(&self, _: Request<pb::LinkIdentityRequest>) -> Answer<pb::Contact> {
        unserved()
    }

    async fn unlink_identity(&self, _: Request<pb::UnlinkIdentityRequest>) -> Answer<pb::Contact> {
        unserved()
    }

    async fn merge_contacts(
        &self,
        _: Request<pb::MergeContactsRequest>,
    ) -> Answer<pb::MergeContactsResponse> {
        unserved()
    }

    async fn undo_merge(&self, _: Request<pb::UndoMergeRequest>) -> Answer<pb::UndoMergeResponse> {
        unserved()
    }

    async fn erase_contact(
        &self,
        _: Request<pb::EraseContactRequest>,
    ) -> Answer<pb::EraseContactResponse> {
        unserved()
    }

    async fn import_contacts(
        &self,
        _: Request<Streaming<pb::ImportContactsRequest>>,
    ) -> Answer<pb::ImportContactsResponse> {
        unserved()
    }

    async fn export_contacts(
        &self,
        _: Request<pb::ExportContactsRequest>,
    ) -> Answer<Self::ExportContactsStream> {
        unserved()
    }
}
