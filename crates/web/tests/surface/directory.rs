//! A contact directory that answers by what it is asked for, and whose streams are
//! fed by the test.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use channels::host::ClientIp;
use futures::{Stream, StreamExt as _, stream};
use proto::contacts::v1::contact_directory_server::ContactDirectory;
use proto::contacts::v1::*;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt as _};

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A call that has reached the directory and stays open.
pub(crate) struct Opened {
    pub(crate) cursor: String,
    pub(crate) feed: mpsc::Sender<Result<WatchContactsResponse, Status>>,
    /// Answered when the call's future or stream is dropped.
    pub(crate) dropped: oneshot::Receiver<()>,
    /// Lets a waiting unary call answer.
    pub(crate) release: oneshot::Sender<()>,
    /// How many answers the stream has made so far.
    pub(crate) made: Arc<AtomicUsize>,
}

pub(crate) struct Directory(mpsc::Sender<Opened>);

/// Tells its receiver that it was dropped.
struct Guard(Option<oneshot::Sender<()>>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(dropped) = self.0.take() {
            let _ = dropped.send(());
        }
    }
}

struct Inside {
    answers: mpsc::Receiver<Result<WatchContactsResponse, Status>>,
    guard: Guard,
    released: oneshot::Receiver<()>,
    made: Arc<AtomicUsize>,
}

impl Directory {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Opened>) {
        let (tell, opened) = mpsc::channel(16);
        (Self(tell), opened)
    }

    fn open(&self, cursor: &str) -> Inside {
        let (feed, answers) = mpsc::channel(8);
        let (dropping, dropped) = oneshot::channel();
        let (release, released) = oneshot::channel();
        let made = Arc::new(AtomicUsize::new(0));
        let _ = self.0.try_send(Opened {
            cursor: cursor.to_owned(),
            feed,
            dropped,
            release,
            made: made.clone(),
        });
        Inside {
            answers,
            guard: Guard(Some(dropping)),
            released,
            made,
        }
    }
}

pub(crate) fn change(cursor: &str, id: &str) -> WatchContactsResponse {
    WatchContactsResponse {
        cursor: cursor.to_owned(),
        change: Some(watch_contacts_response::Change::Changed(contact(id))),
    }
}

fn contact(id: &str) -> Contact {
    Contact {
        id: id.to_owned(),
        ..Contact::default()
    }
}

/// What the directory sees of a caller, as a name.
fn caller(request: &Request<GetContactRequest>) -> Contact {
    let names = [
        "authorization",
        "cookie",
        "origin",
        "traceparent",
        "user-agent",
        "x-other",
    ];
    let mut seen: Vec<_> = names
        .iter()
        .filter_map(|name| {
            Some(format!(
                "{name}={}",
                request.metadata().get(*name)?.to_str().ok()?
            ))
        })
        .collect();
    if let Some(ip) = request.extensions().get::<ClientIp>() {
        seen.push(format!("ip={}", ip.0));
    }
    Contact {
        profile: Some(Profile {
            display_name: seen.join("|"),
            ..Profile::default()
        }),
        ..contact("caller")
    }
}

fn missing() -> Status {
    let mut details = ErrorDetails::with_error_info("NO_CONTACT", "switchboard", []);
    details.add_bad_request_violation("contact_id", "names nobody");
    let mut status =
        Status::with_error_details(tonic::Code::NotFound, "no such contact: Ы", details);
    status
        .metadata_mut()
        .insert("x-hint", "look elsewhere".parse().unwrap());
    status
}

fn unimplemented<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("not in this script"))
}

#[tonic::async_trait]
impl ContactDirectory for Directory {
    async fn get_contact(
        &self,
        request: Request<GetContactRequest>,
    ) -> Result<Response<Contact>, Status> {
        match request.get_ref().contact_id.as_str() {
            "missing" => Err(missing()),
            "caller" => Ok(Response::new(caller(&request))),
            "panic" => panic!("the script says so"),
            "cookies" => {
                let mut response = Response::new(contact("cookies"));
                let metadata = response.metadata_mut();
                metadata.append("set-cookie", "session=1; HttpOnly".parse().unwrap());
                metadata.append("set-cookie", "theme=dark".parse().unwrap());
                Ok(response)
            }
            "waits" => {
                let inside = self.open("");
                let _guard = inside.guard;
                let _ = inside.released.await;
                Ok(Response::new(contact("waits")))
            }
            id => Ok(Response::new(Contact {
                version: 9_007_199_254_740_993,
                created_at: Some(prost_types::Timestamp {
                    seconds: 0,
                    nanos: 0,
                }),
                ..contact(id)
            })),
        }
    }

    type WatchContactsStream = Answers<WatchContactsResponse>;

    async fn watch_contacts(
        &self,
        request: Request<WatchContactsRequest>,
    ) -> Result<Response<Self::WatchContactsStream>, Status> {
        let cursor = request.into_inner().cursor;
        if cursor == "refused" {
            return Err(Status::unauthenticated("sign in first"));
        }
        let Inside { answers, guard, .. } = self.open(&cursor);
        let answers = ReceiverStream::new(answers).map(move |answer| {
            let _ = &guard;
            answer
        });
        Ok(Response::new(Box::pin(answers)))
    }

    type ExportContactsStream = Answers<ExportContactsResponse>;

    /// Never ends; each answer is 10 kB.
    async fn export_contacts(
        &self,
        _: Request<ExportContactsRequest>,
    ) -> Result<Response<Self::ExportContactsStream>, Status> {
        let Inside { guard, made, .. } = self.open("");
        let answers = stream::repeat_with(move || {
            let _ = &guard;
            made.fetch_add(1, Ordering::SeqCst);
            Ok(ExportContactsResponse {
                contact: Some(contact(&"x".repeat(10_000))),
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn import_contacts(
        &self,
        request: Request<Streaming<ImportContactsRequest>>,
    ) -> Result<Response<ImportContactsResponse>, Status> {
        let mut rows = request.into_inner();
        let mut response = ImportContactsResponse::default();
        while rows.message().await?.is_some() {
            response.created += 1;
        }
        Ok(Response::new(response))
    }

    async fn resolve_contact(
        &self,
        request: Request<ResolveContactRequest>,
    ) -> Result<Response<ResolveContactResponse>, Status> {
        Ok(Response::new(ResolveContactResponse {
            matched_on: request.into_inner().identities,
            outcome: Outcome::Matched.into(),
            ..ResolveContactResponse::default()
        }))
    }

    async fn list_contacts(
        &self,
        _: Request<ListContactsRequest>,
    ) -> Result<Response<ListContactsResponse>, Status> {
        let contacts = (0..200).map(|number| contact(&number.to_string()));
        Ok(Response::new(ListContactsResponse {
            contacts: contacts.collect(),
            ..ListContactsResponse::default()
        }))
    }

    async fn search_contacts(
        &self,
        _: Request<SearchContactsRequest>,
    ) -> Result<Response<SearchContactsResponse>, Status> {
        unimplemented()
    }

    async fn update_contact(
        &self,
        _: Request<UpdateContactRequest>,
    ) -> Result<Response<Contact>, Status> {
        unimplemented()
    }

    async fn link_identity(
        &self,
        _: Request<LinkIdentityRequest>,
    ) -> Result<Response<Contact>, Status> {
        unimplemented()
    }

    async fn unlink_identity(
        &self,
        _: Request<UnlinkIdentityRequest>,
    ) -> Result<Response<Contact>, Status> {
        unimplemented()
    }

    async fn merge_contacts(
        &self,
        _: Request<MergeContactsRequest>,
    ) -> Result<Response<MergeContactsResponse>, Status> {
        unimplemented()
    }

    async fn undo_merge(
        &self,
        _: Request<UndoMergeRequest>,
    ) -> Result<Response<UndoMergeResponse>, Status> {
        unimplemented()
    }

    async fn erase_contact(
        &self,
        _: Request<EraseContactRequest>,
    ) -> Result<Response<EraseContactResponse>, Status> {
        unimplemented()
    }
}
