//! Channels: every way a client can reach us, each in a folder of its own.
//!
//! A channel converts and transports; the engine decides. A channel never looks
//! up contacts, opens conversations or retries by itself.

pub mod check;
pub mod descriptor;
pub mod egress;
pub mod error;
pub mod host;
pub mod networks;
pub mod pace;
// By its path, so that the channels it names are folders beside it.
#[path = "registry.rs"]
pub mod registry;
pub mod sanitize;
pub mod uplink;

mod clean;
mod hook;
mod hub;
mod intake;
mod marks;
mod options;
mod origin;
mod refusal;
mod sent;
mod split;
mod upload;

#[cfg(test)]
mod contract_tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Millis;
use domain::message::{
    Action, Attachment, Inbound, Outbound, Receipt, Recipient, Sender, Template, Thread,
};
use futures::stream::BoxStream;
use tokio_util::sync::CancellationToken;

pub use check::{Check, Verdict};
pub use descriptor::{Capability, Descriptor};
pub use error::{ConfigProblem, FetchError, HookError, Malformed, SendError};
pub use host::Host;
pub use pace::{Pace, Rate};
pub use registry::{Kind, LineSetup};
pub use uplink::Uplink;

/// One line's connection to its provider.
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    /// What the engine, the inbox and the router need to know of this kind.
    fn descriptor(&self) -> &'static Descriptor;

    /// Turns one journal entry into events. Called once or more for an entry, in
    /// any process: pure, quick, and never an error for a kind it does not know
    /// (that is `Unsupported`).
    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed>;

    /// Hands one thing over to the provider and tells what became of it. Called
    /// in order within a thread, never twice at once for one thread. Must not
    /// retry: the error says what the engine does next. Files are opened by
    /// [`Host::open_file`].
    async fn send(&self, outbound: &Outbound, host: &Arc<dyn Host>) -> Result<Receipt, SendError>;

    /// How long [`Self::send`] may take before its outcome is in doubt.
    fn send_time_max(&self) -> Duration {
        Duration::from_mins(1)
    }

    /// How fast the line may send. The engine keeps to it; what a provider asks for
    /// beyond that is told by [`SendError`].
    fn pace(&self) -> Pace {
        Pace::default()
    }

    /// How long after the client's last message they may be written to; none when always.
    fn reply_window(&self) -> Option<Millis> {
        None
    }

    /// What the provider takes one after the other, where it does not take a message at
    /// once: long texts, several files. Pure; each part is handed over by itself.
    fn parts(&self, action: Action) -> Vec<Action> {
        vec![action]
    }

    /// The wordings that the provider has approved for the line, or why they cannot be
    /// told.
    async fn templates(&self) -> Result<Vec<Template>, String> {
        Ok(Vec::new())
    }

    /// Lets a client see what an operator does. Leaves no trace: it may be left out, and
    /// a failure is nobody's concern.
    async fn show(&self, sign: &Sign, recipient: &Recipient) {
        let _ = (sign, recipient);
    }

    /// Asks the provider who somebody is that has not written in a thread before, and what
    /// it is about, where events do not tell. What it does not say stays as it is.
    async fn introduce(&self, sender: &mut Sender, thread: &mut Thread) {
        let _ = (sender, thread);
    }

    /// Opens a file that an event brought along, by its `source`, so that it can be
    /// stored. Called in any process, perhaps again for the same file.
    async fn fetch(&self, raw: &Bytes, attachment: &Attachment) -> Result<File, FetchError> {
        let _ = (raw, attachment);
        Err(FetchError::Gone("the channel fetches no files".to_owned()))
    }

    /// The provider's id of a message that is not sent yet, where it is ours to choose:
    /// always the same for one message. What answers the message is known by it.
    fn name(&self, outbound: &Outbound) -> Option<String> {
        let _ = outbound;
        None
    }

    /// The line's own addresses: what is sent there comes back here.
    fn addresses(&self) -> Vec<String> {
        Vec::new()
    }

    /// The name of the webhook that brings the line's deliveries, where it is not the
    /// line's own: several lines of one app then each take what is theirs of a delivery.
    fn hook(&self) -> Option<&str> {
        None
    }

    /// Checks a webhook delivery on its raw bytes and splits it into envelopes.
    /// Called before anything is stored; must not do I/O.
    fn receive(&self, delivery: &Delivery) -> Result<Received, HookError> {
        let _ = delivery;
        Err(HookError::NotAHook)
    }

    /// Keeps the line connected until `stop`. Called once, on one node, and again
    /// with a growing pause when it returns an error or panics. Takes events in by
    /// [`Host::accept`] and tells the provider only after that has answered.
    async fn run(&self, host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        let _ = host;
        stop.cancelled().await;
        Ok(())
    }

    /// Pages and sockets of this line's own, on absolute paths that contain the
    /// line's id. Called on every node, once at start and once after each change of
    /// the configuration; `stop` is cancelled when the node drains or the line was
    /// built anew, and open sockets end themselves then.
    fn routes(
        self: Arc<Self>,
        host: Arc<dyn Host>,
        stop: CancellationToken,
    ) -> Option<axum::Router> {
        let _ = (host, stop);
        None
    }

    /// What is wrong with the line's connection on this node just now, for a person to
    /// read. Asked often: must not do I/O.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Tries for an administrator whether the line's servers are there and let us in.
    /// Called beside a line that runs, or without one; must not change anything.
    async fn check(&self) -> Vec<Check> {
        Vec::new()
    }

    /// The link by which a program of somebody else's serves this line.
    fn uplink(&self) -> Option<&Uplink> {
        None
    }
}

/// What an operator does that a client may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// They are typing.
    Typing,
    /// They have read what the client wrote, up to this message by the provider's id.
    Read(String),
    /// A press of a button came in, by the provider's id of it.
    Pressed(String),
}

/// A webhook request as it came.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// GET or POST.
    pub method: http::Method,
    /// What stands behind `/hooks/{hook}`, with the query.
    pub path_and_query: String,
    /// Every header.
    pub headers: http::HeaderMap,
    /// Where it came from, as declared proxies have it.
    pub from: IpAddr,
    /// The body, at most [`Descriptor::delivery_bytes_max`].
    pub body: Bytes,
}

/// One event to be journalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Dedupe key of the delivery, unique within the line, at most 256 bytes.
    pub event_key: String,
    /// What [`Channel::normalize`] will be given.
    pub raw: Bytes,
    /// A stored file with the rest of it, to be read on behind `raw`: for what is too
    /// large to be held in memory while it arrives. Its beginning, read alone, tells the
    /// thread.
    pub rest: Option<Attachment>,
}

/// A file while it is read.
pub type File = BoxStream<'static, std::io::Result<Bytes>>;

/// What a checked webhook delivery contains.
#[derive(Clone, Debug)]
pub struct Received {
    /// The events, in order. May be none.
    pub envelopes: Vec<Envelope>,
    /// What the provider wants to hear once they are durable.
    pub ack: Ack,
}

/// The answer to a webhook.
#[derive(Clone, Debug)]
pub struct Ack {
    /// The status.
    pub status: http::StatusCode,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// Why a line's connection ended.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RunError(pub String);
