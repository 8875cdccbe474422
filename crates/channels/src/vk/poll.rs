//! Bots Long Poll: the gateway asks what is new. Where it is in the events is written
//! down, so that what happens while it is away is told when it is back.

use std::time::Duration;

use domain::{Millis, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Connection;
use super::api::VERSION;
use super::config::Intake;
use super::errors::Failure;
use super::event::{Event, Typing};
use super::receive::key;
use crate::intake::accept;
use crate::{Envelope, Host, RunError};

/// What may come.
pub(super) const EVENTS: [&str; 8] = [
    "message_new",
    "message_reply",
    "message_edit",
    "message_allow",
    "message_deny",
    "message_read",
    "message_event",
    "message_reaction_event",
];
/// How long the server may wait for news.
const WAIT: Millis = Millis::from_secs(25);
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// Pauses of a connection that fails grow up to this.
pub(super) const PAUSE_MAX: Duration = Duration::from_mins(1);

/// A long poll's server, and what it knows us by.
#[derive(Deserialize)]
struct Server {
    #[serde(rename = "server")]
    address: String,
    key: String,
    ts: Value,
}

/// What it answers.
#[derive(Deserialize)]
struct News {
    failed: Option<i64>,
    #[serde(default)]
    ts: Value,
    #[serde(default)]
    updates: Vec<Box<RawValue>>,
}

/// Where we are.
struct Place {
    server: Option<Server>,
    /// None where the next one is as good as any.
    ts: Option<String>,
}

/// Who tells the same once as a text and once as a number.
fn ts_of(value: &Value) -> Option<String> {
    let text = value.as_str().map(str::to_owned);
    text.or_else(|| value.as_i64().map(|number| number.to_string()))
}

impl Connection {
    /// Keeps the line connected, by either way.
    pub(super) async fn stay(&self, host: &dyn Host) -> Result<(), RunError> {
        match &self.config.intake {
            Intake::Poll => self.poll(host).await,
            // Somebody set it up by hand, and looks after it.
            Intake::Webhook {
                confirmation: Some(_),
                ..
            } => std::future::pending().await,
            Intake::Webhook { url, secret, .. } => self.watch(host, url, secret).await,
        }
    }

    async fn poll(&self, host: &dyn Host) -> Result<(), RunError> {
        let ts = host.bookmark(&self.line, &self.note_name()).await;
        let ts = ts.map_err(|refused| RunError(refused.to_string()))?;
        let mut place = Place { server: None, ts };
        let mut pause = PAUSE;
        loop {
            match self.turn(host, &mut place).await {
                Ok(()) => {
                    pause = PAUSE;
                    self.trouble.set(None);
                }
                Err(failure) => {
                    tracing::warn!(line.id = %self.line, %failure, "events cannot be had");
                    self.trouble.set(Some(failure.to_string()));
                    place.server = None;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Asks once.
    async fn turn(&self, host: &dyn Host, place: &mut Place) -> Result<(), Failure> {
        if place.server.is_none() {
            let server = self.enter(host.now()).await?;
            if place.ts.is_none() {
                place.ts = ts_of(&server.ts);
                self.note(host, place).await?;
            }
            place.server = Some(server);
        }
        let Some(server) = &place.server else {
            return Ok(());
        };
        let wait = (WAIT.0 / 1_000).to_string();
        let query = [
            ("act", "a_check"),
            ("key", &server.key),
            ("ts", place.ts.as_deref().unwrap_or_default()),
            ("wait", &wait),
        ];
        let told = self.api.ask(&server.address, &query, WAIT, host.now());
        let news: News = serde_json::from_slice(&told.await?)
            .map_err(|error| Failure::InDoubt(format!("events that cannot be read: {error}")))?;
        match news.failed {
            None => {}
            // The key is too old.
            Some(2) => {
                place.server = None;
                return Ok(());
            }
            Some(1) => self.catch_up(host).await?,
            Some(_) => {
                self.catch_up(host).await?;
                (place.server, place.ts) = (None, None);
                return Ok(());
            }
        }
        self.take_all(host, news.updates).await?;
        let ts = ts_of(&news.ts);
        if ts.is_some() && ts != place.ts {
            place.ts = ts;
            self.note(host, place).await?;
        }
        Ok(())
    }

    /// The note of where we are, which is of no use for another community.
    fn note_name(&self) -> String {
        format!("ts of {}", self.api.group())
    }

    async fn note(&self, host: &dyn Host, place: &Place) -> Result<(), Failure> {
        let ts = place.ts.as_deref().unwrap_or_default();
        let noted = host.set_bookmark(&self.line, &self.note_name(), ts).await;
        noted.map_err(|refused| Failure::NotSent(refused.to_string()))
    }

    /// Has the long poll switched on, and asks where it is.
    async fn enter(&self, now: Timestamp) -> Result<Server, Failure> {
        let mut fields = vec![
            ("enabled", "1".to_owned()),
            ("api_version", VERSION.to_owned()),
            ("message_typing_state", "1".to_owned()),
        ];
        fields.extend(EVENTS.map(|event| (event, "1".to_owned())));
        let set = self
            .api
            .call_group("groups.setLongPollSettings", &fields, now);
        match set.await {
            Ok(_) => {}
            // Without the right to do so somebody did it by hand, or is told below.
            Err(failure @ Failure::Refused { .. }) if !failure.is_of_token() => {
                tracing::info!(line.id = %self.line, %failure, "what may come is not set");
            }
            Err(failure) => return Err(failure),
        }
        let told = self
            .api
            .call_group("groups.getLongPollServer", &[], now)
            .await?;
        serde_json::from_value(told)
            .map_err(|error| Failure::InDoubt(format!("a server that cannot be read: {error}")))
    }

    async fn take_all(&self, host: &dyn Host, updates: Vec<Box<RawValue>>) -> Result<(), Failure> {
        let mut events = Vec::new();
        for update in updates {
            let raw = update.get().as_bytes().to_vec();
            if let Some(peer) = typing(&raw) {
                host.typing(&self.line, &peer.to_string(), true);
                continue;
            }
            events.push(Envelope {
                event_key: key(&raw),
                raw: raw.into(),
                rest: None,
            });
        }
        let taken = accept(host, &self.line, events).await;
        taken.map_err(Failure::InDoubt)
    }
}

/// Who is typing, if that is all.
fn typing(raw: &[u8]) -> Option<i64> {
    let event: Event = serde_json::from_slice(raw).ok()?;
    if event.kind != "message_typing_state" {
        return None;
    }
    let typing: Typing = serde_json::from_value(event.object).ok()?;
    Some(typing.from_id)
}
