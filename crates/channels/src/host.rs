//! What the engine does for a channel.

use async_trait::async_trait;
use bytes::Bytes;
use domain::event::Cursor;
use domain::message::{Attachment, Content, Delivery};
use domain::rating::Score;
use domain::{ConversationId, LineId, MessageId, Millis, Timestamp};
use futures::stream::BoxStream;
use std::collections::VecDeque;
use std::net::IpAddr;
use tokio::sync::broadcast;

use crate::{Envelope, File};

/// What the engine does for a channel. The engine implements it once; the
/// contract suite once more.
#[async_trait]
pub trait Host: Send + Sync + 'static {
    /// Makes one event durable. The provider may be told as soon as this answers.
    async fn accept(&self, line: &LineId, envelope: Envelope) -> Result<Accepted, Refused>;

    /// Makes events durable in their order, and takes those out of `envelopes` that are.
    /// When it refuses, nothing of what is left was taken.
    async fn accept_all(
        &self,
        line: &LineId,
        envelopes: &mut VecDeque<Envelope>,
    ) -> Result<(), Refused> {
        while let Some(next) = envelopes.front() {
            self.accept(line, next.clone()).await?;
            envelopes.pop_front();
        }
        Ok(())
    }

    /// Passes on that a client is typing. Leaves no trace.
    fn typing(&self, line: &LineId, thread_key: &str, active: bool);

    /// What a client may see of a thread after a cursor, in order of change; at
    /// most `limit` messages. `Cursor(0)` is the beginning.
    async fn thread_log(
        &self,
        line: &LineId,
        thread_key: &str,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<ClientMessage>, Refused>;

    /// Whom a thread was bound to; none when it is anybody's who knows its name. It
    /// may have no message yet.
    async fn thread_owner(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> Result<Option<String>, Refused>;

    /// Binds a thread to an owner, for good, unless it has one; answers whose it is
    /// then. When several try at once, on whatever node, all are told the same.
    async fn bind_thread(
        &self,
        line: &LineId,
        thread_key: &str,
        owner: &str,
    ) -> Result<String, Refused>;

    /// Tells when there is more in a thread's log, and what leaves no trace. A
    /// receiver that lags only has to read the log again.
    fn watch(&self, line: &LineId, thread_key: &str) -> broadcast::Receiver<ThreadSignal>;

    /// Where a thread's client stands in the queue, for a connection that has just
    /// opened; later news of it come by [`Self::watch`]. None while there is nothing
    /// to tell: nobody waits there, and the line is open.
    async fn standing(&self, line: &LineId, thread_key: &str) -> Result<Option<Standing>, Refused>;

    /// When a line opens again; none while it is open. Asked for each page that
    /// shows the line: must not do I/O.
    fn closed_until(&self, line: &LineId) -> Option<Timestamp>;

    /// Tells that the first connection of a thread opened or the last one closed, on
    /// this node. A page that is reloaded is gone for a moment. Leaves at once.
    fn client_present(&self, line: &LineId, thread_key: &str, present: bool);

    /// What a thread's client may rate now, if there is something: a conversation of
    /// theirs that has ended. The channel asks it of a fresh connection and after
    /// [`ThreadSignal::Ended`].
    async fn rating_ask(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> Result<Option<RatingAsk>, Refused>;

    /// Stores a file durably, refusing what is larger than `bytes_max`. The
    /// attachment's name and type are made safe here.
    async fn store_file(
        &self,
        file_name: &str,
        bytes_max: u64,
        content: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<Attachment, Refused>;

    /// Opens a stored file.
    async fn open_file(&self, attachment: &Attachment) -> std::io::Result<File>;

    /// A note that a line's connection left for the next one, such as how far it has
    /// read.
    async fn bookmark(&self, line: &LineId, name: &str) -> Result<Option<String>, Refused>;

    /// Leaves such a note: durable when this answers. Names have at most 256 bytes,
    /// notes at most 4,096.
    async fn set_bookmark(&self, line: &LineId, name: &str, note: &str) -> Result<(), Refused>;

    /// A link by which this thread's client can fetch a file for five minutes.
    fn file_link(&self, line: &LineId, thread_key: &str, attachment: &Attachment) -> String;

    /// The same for a provider that fetches the file for its client: good for a day, and
    /// with the file's name at the end of its path, by which some tell what it is.
    fn lasting_file_link(
        &self,
        line: &LineId,
        thread_key: &str,
        attachment: &Attachment,
    ) -> String {
        self.file_link(line, thread_key, attachment)
    }

    /// Asks whether somebody may do something that costs us.
    fn admit(&self, act: Act, ip: IpAddr, key: &str) -> Result<(), RetryAfter>;

    /// The time, in milliseconds since 1970.
    fn now(&self) -> Timestamp;

    /// So many random bytes, good enough for secrets.
    fn random_bytes(&self) -> [u8; 32];

    /// A secret for one purpose: the same on every node and after a restart, and
    /// unrelated to that of any other purpose.
    fn secret(&self, purpose: &str) -> [u8; 32];
}

/// An event was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is durable.
    New,
    /// It was durable before.
    Duplicate,
}

/// Why the engine does not do it now. Nothing was stored: do not acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too much waits already, the disk is full, or the gateway is stopping.
    #[error("try again in {} ms: {reason}", retry_after.0)]
    Busy {
        /// When to try again.
        retry_after: Millis,
        /// For the log.
        reason: String,
    },
    /// It will never be taken like this.
    #[error("{0}")]
    Invalid(String),
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Open a connection or a page of ours.
    Connect,
    /// Begin a conversation or submit a form.
    Begin,
    /// Send a message.
    Write,
    /// Upload a file.
    Upload,
}

/// Too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too often; try again in {} ms", .0.0)]
pub struct RetryAfter(pub Millis);

/// What leaves no trace in a thread, and the news that there is something to
/// read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadSignal {
    /// There is something in the log up to this cursor.
    Log(Cursor),
    /// An operator is typing or stopped.
    OperatorTyping {
        /// The name to show.
        display_name: String,
        /// False when they stopped.
        active: bool,
    },
    /// The client's standing in the queue changed; none when they wait no more.
    Standing(Option<Standing>),
    /// The thread's conversation has ended: there may be something to rate.
    Ended,
}

/// Where a client who waits stands. What is not known is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// 1 is served next; 0 while there is no place to tell: the line is closed.
    pub position: u32,
    /// How long it may take from now on.
    pub expected: Option<Millis>,
    /// In eight of ten cases it takes at least so long.
    pub low: Option<Millis>,
    /// In eight of ten cases it takes at most so long.
    pub high: Option<Millis>,
    /// When somebody is there again, while the line is closed.
    pub closed_until: Option<Timestamp>,
    /// A number can be left to be called back, which keeps the place.
    pub callback: bool,
    /// A number was left.
    pub callback_left: bool,
}

/// A conversation that its client may rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatingAsk {
    /// Which one.
    pub conversation: ConversationId,
    /// Who answered it last.
    pub operator_name: String,
    /// How it was rated so far.
    pub score: Option<Score>,
    /// What was said with it.
    pub comment: String,
    /// Until when it can be rated or the rating changed.
    pub until: Timestamp,
}

/// Where a client's request came from. The web server puts it into the request's
/// extensions, having looked through declared proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl ClientIp {
    /// Reads it from a request. Requests that came without one share one address,
    /// and so one set of limits.
    pub fn of(extensions: &http::Extensions) -> IpAddr {
        extensions
            .get::<Self>()
            .map_or(IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED), |ip| ip.0)
    }
}

/// A message as its client may see it: cannot carry notes, hidden recipients or
/// anything of an operator's but the name.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientMessage {
    /// The message.
    pub id: MessageId,
    /// Where the client's log stands after it; a changed message comes again with
    /// a later one.
    pub cursor: Cursor,
    /// The name of the operator who wrote it; none for the client.
    pub operator_name: Option<String>,
    /// When it was written.
    pub sent_at: Timestamp,
    /// What it says; none when it was taken back.
    pub content: Option<Content>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// The id the client's own program gave it.
    pub client_id: Option<String>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// Reactions, each with whether it is the client's own.
    pub reactions: Vec<(String, bool)>,
    /// When it was last changed.
    pub edited_at: Option<Timestamp>,
    /// How far an operator's message got.
    pub delivery: Option<Delivery>,
}
