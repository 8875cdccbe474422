//! The engine as channels see it.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use channels::host::{
    Accepted, Act, ClientMessage, Host, RatingAsk, Refused, RetryAfter, Standing, ThreadSignal,
};
use channels::{Envelope, File};
use domain::event::Cursor;
use domain::message::{Attachment, Author, Direction, Message};
use domain::{LineId, Millis, Timestamp};
use futures::stream::BoxStream;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use store::StoreError;
use tokio::sync::broadcast;

use crate::files::FileError;
use crate::hub::Typing;
use crate::uploads::Viewer;
use crate::{Engine, people};

const BOOKMARK_NAME_BYTES_MAX: usize = 256;
const BOOKMARK_BYTES_MAX: usize = 4_096;

#[async_trait]
impl Host for Engine {
    async fn accept(&self, line: &LineId, envelope: Envelope) -> Result<Accepted, Refused> {
        Self::accept(self, line, envelope).await
    }

    async fn accept_all(
        &self,
        line: &LineId,
        envelopes: &mut VecDeque<Envelope>,
    ) -> Result<(), Refused> {
        Self::accept_all(self, line, envelopes).await
    }

    fn typing(&self, line: &LineId, thread_key: &str, active: bool) {
        let (engine, line, thread_key) = (self.clone(), line.clone(), thread_key.to_owned());
        tokio::spawn(async move {
            let found = engine
                .read::<_, StoreError>(move |view| {
                    let Some(thread) = view.thread_by_key(&line, &thread_key)? else {
                        return Ok(None);
                    };
                    view.open_conversation_of(thread.id)
                })
                .await;
            if let Ok(Some(conversation)) = found {
                engine.inner.hub.type_now(Typing {
                    conversation: conversation.id,
                    operator: None,
                    active,
                    audience: conversation.audience(),
                });
            }
        });
    }

    async fn thread_log(
        &self,
        line: &LineId,
        thread_key: &str,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<ClientMessage>, Refused> {
        let (line, thread_key) = (line.clone(), thread_key.to_owned());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read::<_, StoreError>(move |view| {
            let Some(thread) = view.thread_by_key(&line, &thread_key)? else {
                return Ok(Vec::new());
            };
            view.thread_log(thread.id, after, limit)?
                .into_iter()
                .map(|(cursor, message)| client_message(view, cursor, message))
                .collect()
        })
        .await
        .map_err(|error| unavailable(&error))
    }

    async fn thread_owner(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> Result<Option<String>, Refused> {
        let (line, thread_key) = (line.clone(), thread_key.to_owned());
        self.read::<_, StoreError>(move |view| view.thread_owner(&line, &thread_key))
            .await
            .map_err(|error| unavailable(&error))
    }

    async fn bind_thread(
        &self,
        line: &LineId,
        thread_key: &str,
        owner: &str,
    ) -> Result<String, Refused> {
        // Only the first time costs a commit.
        if let Some(owner) = self.thread_owner(line, thread_key).await? {
            return Ok(owner);
        }
        let (line, thread_key) = (line.clone(), thread_key.to_owned());
        let owner = owner.to_owned();
        self.store()
            .write::<_, StoreError>(move |tx| tx.bind_thread(&line, &thread_key, &owner))
            .await
            .map_err(|error| unavailable(&error))
    }

    fn watch(&self, line: &LineId, thread_key: &str) -> broadcast::Receiver<ThreadSignal> {
        self.inner.hub.watch(line, thread_key)
    }

    async fn standing(&self, line: &LineId, thread_key: &str) -> Result<Option<Standing>, Refused> {
        let standing = self.standing_of(line, thread_key).await;
        standing.map_err(|error| unavailable(&error))
    }

    fn closed_until(&self, line: &LineId) -> Option<Timestamp> {
        self.line_closed_until(line)
    }

    fn client_present(&self, line: &LineId, thread_key: &str, present: bool) {
        self.note_presence(line, thread_key, present);
    }

    async fn rating_ask(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> Result<Option<RatingAsk>, Refused> {
        let asked = self.ask_of(line, thread_key).await;
        asked.map_err(|error| unavailable(&error))
    }

    async fn store_file(
        &self,
        file_name: &str,
        bytes_max: u64,
        content: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<Attachment, Refused> {
        if self.inner.disk.is_nearly_full() {
            return Err(Refused::Busy {
                retry_after: Millis::from_secs(1),
                reason: "the disk is nearly full".to_owned(),
            });
        }
        self.keep(file_name, bytes_max, content)
            .await
            .map_err(|error| match error {
                FileError::TooLarge(_) => Refused::Invalid(error.to_string()),
                FileError::Io(_) => Refused::Busy {
                    retry_after: Millis::from_secs(1),
                    reason: error.to_string(),
                },
            })
    }

    async fn open_file(&self, attachment: &Attachment) -> io::Result<File> {
        self.inner.files.read(&attachment.sha256).await
    }

    async fn bookmark(&self, line: &LineId, name: &str) -> Result<Option<String>, Refused> {
        let (line, name) = (line.clone(), name.to_owned());
        self.read::<_, StoreError>(move |view| view.bookmark(&line, &name))
            .await
            .map_err(|error| unavailable(&error))
    }

    async fn set_bookmark(&self, line: &LineId, name: &str, note: &str) -> Result<(), Refused> {
        if name.len() > BOOKMARK_NAME_BYTES_MAX || note.len() > BOOKMARK_BYTES_MAX {
            return Err(Refused::Invalid("the bookmark is too long".to_owned()));
        }
        let (line, name, note) = (line.clone(), name.to_owned(), note.to_owned());
        self.store()
            .write_repeatable::<_, StoreError>(move |tx| tx.set_bookmark(&line, &name, &note))
            .await
            .map_err(|error| unavailable(&error))
    }

    fn file_link(&self, line: &LineId, thread_key: &str, attachment: &Attachment) -> String {
        let viewer = Viewer::Client {
            line: line.clone(),
            thread_key: thread_key.to_owned(),
        };
        self.sign_file_link(&viewer, attachment)
    }

    fn lasting_file_link(&self, _: &LineId, _: &str, attachment: &Attachment) -> String {
        self.sign_lasting_file_link(attachment)
    }

    fn admit(&self, act: Act, ip: IpAddr, key: &str) -> Result<(), RetryAfter> {
        self.inner.limits.admit(act, ip, key, self.now())
    }

    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn random_bytes(&self) -> [u8; 32] {
        people::random_bytes()
    }

    fn secret(&self, purpose: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.inner.link_key)
            .expect("a key of any length will do");
        mac.update(b"purpose:");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl Engine {
    /// Stores a file durably.
    pub(crate) async fn keep(
        &self,
        file_name: &str,
        bytes_max: u64,
        content: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<Attachment, FileError> {
        let ticket = URL_SAFE_NO_PAD.encode(people::random_bytes());
        let files = &self.inner.files;
        files.store(&ticket, file_name, bytes_max, content).await
    }
}

fn unavailable(error: &StoreError) -> Refused {
    Refused::Busy {
        retry_after: Millis::from_secs(1),
        reason: error.to_string(),
    }
}

fn client_message(
    view: &store::View<'_>,
    cursor: Cursor,
    message: Message,
) -> Result<ClientMessage, StoreError> {
    let operator_name = match message.author {
        Author::Client => None,
        Author::Gateway | Author::Elsewhere => Some(String::new()),
        Author::Operator(id) => Some(
            view.operator_row(id)?
                .map_or_else(String::new, |operator| operator.display_name),
        ),
    };
    let deleted = message.deleted_at.is_some();
    Ok(ClientMessage {
        id: message.id,
        cursor,
        operator_name,
        sent_at: message.sent_at,
        content: (!deleted).then_some(message.content),
        attachments: if deleted {
            Vec::new()
        } else {
            message.attachments
        },
        client_id: match message.direction {
            Direction::Inbound => message.client_id,
            Direction::Outbound | Direction::Note => None,
        },
        reply_to: message.reply_to,
        reactions: message
            .reactions
            .into_iter()
            .map(|reaction| (reaction.emoji, reaction.author == Author::Client))
            .collect(),
        edited_at: message.edited_at,
        delivery: message.delivery,
    })
}
