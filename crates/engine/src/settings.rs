//! What the configuration tells the engine, already checked.

use std::path::PathBuf;
use std::sync::Arc;

use channels::{Channel, Kind};
use domain::hours::Schedule;
use domain::routing::RoutingRules;
use domain::{LineId, Millis, QueueId};

use crate::webhooks::Webhook;

/// Everything the engine is told, at its start and by a reload.
#[derive(Clone)]
pub struct Settings {
    /// The embedded store's file.
    pub store_path: PathBuf,
    /// Where files are kept.
    pub files_path: PathBuf,
    /// Where the gateway is reached from outside, without a slash at the end.
    pub public_url: String,
    /// Who serves the contact directory.
    pub contacts: ContactsEndpoint,
    /// Every line, as configured.
    pub lines: Vec<Line>,
    /// Every queue, as configured.
    pub queues: Vec<Queue>,
    /// The rules of the queues and of capacity.
    pub rules: RoutingRules,
    /// Bounds.
    pub limits: Limits,
    /// Programs that are told what happens.
    pub webhooks: Vec<Webhook>,
}

/// Who serves the contact directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactsEndpoint {
    /// We do.
    BuiltIn,
    /// Somebody else does, by the same contract.
    Remote {
        /// `http://…` or `https://…`.
        url: String,
        /// Sent as a bearer token, if there is one.
        token: Option<String>,
        /// After so long a message goes on with a provisional contact.
        timeout: Millis,
    },
}

/// One line.
#[derive(Clone)]
pub struct Line {
    /// Its id.
    pub id: LineId,
    /// Its name for people.
    pub display_name: String,
    /// The kind of channel.
    pub kind: &'static Kind,
    /// The queue its conversations go to.
    pub queue: QueueId,
    /// ISO 3166 region for phones written without a country code.
    pub default_region: String,
    /// Its own hours, in place of its queue's.
    pub hours: Option<Arc<Schedule>>,
    /// The connection.
    pub channel: Arc<dyn Channel>,
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its id.
    pub id: QueueId,
    /// Its name for people.
    pub display_name: String,
    /// Whether clients are asked for a rating when their conversation has ended, where
    /// the channel can.
    pub ask_rating: bool,
}

/// Bounds on what the engine holds at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Journal entries that wait for processing; more are refused before the ack.
    pub journal_pending_max: usize,
    /// Tries before a journal entry goes to the dead letters.
    pub attempts_max: u32,
    /// The largest file, in bytes.
    pub attachment_bytes_max: u64,
    /// Free space below which nothing more is taken in, in bytes.
    pub disk_free_bytes_min: u64,
    /// Connections, messages and uploads one address may make a minute.
    pub acts_per_minute_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            journal_pending_max: 50_000,
            attempts_max: 5,
            attachment_bytes_max: 20 * 1024 * 1024,
            disk_free_bytes_min: 256 * 1024 * 1024,
            acts_per_minute_max: 600,
        }
    }
}
