//! The gateway asks for events.

use std::time::Duration;

use domain::Millis;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Connection;
use super::event::{CALLBACK, CREATED, SYSTEM};
use super::failure::Failure;
use super::receive::key;
use super::watch::{subscriptions, unsubscribe};
use crate::intake::accept;
use crate::{Envelope, Host, RunError};

/// What may come.
const KINDS: [&str; 3] = [CREATED, CALLBACK, SYSTEM];
/// How long OK may wait for news.
const WAIT: Millis = Millis::from_secs(25);
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// Pauses of a connection that fails grow up to this.
pub(super) const PAUSE_MAX: Duration = Duration::from_mins(1);
/// The name of the note that says how far events were taken.
const MARKER: &str = "marker";

/// What is new.
#[derive(Deserialize)]
struct News {
    #[serde(default)]
    updates: Vec<Box<RawValue>>,
    #[serde(default)]
    marker: Value,
}

impl Connection {
    pub(super) async fn poll(&self, host: &dyn Host) -> Result<(), RunError> {
        let kept = host.bookmark(&self.line, MARKER).await;
        let kept = kept.map_err(|refused| RunError(refused.to_string()))?;
        let mut marker = kept.unwrap_or_default();
        let mut pause = PAUSE;
        let mut may_ask = false;
        loop {
            let asked = if may_ask {
                self.turn(host, &mut marker).await
            } else {
                self.may_ask(host).await
            };
            match asked {
                Ok(()) => {
                    (may_ask, pause) = (true, PAUSE);
                    self.trouble.set(None);
                }
                Err(failure) => {
                    tracing::warn!(line.id = %self.line, %failure, "events cannot be had");
                    self.trouble.set(Some(failure.to_string()));
                    may_ask = false;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Has events kept to be asked for, and nobody called any more by this line.
    async fn may_ask(&self, host: &dyn Host) -> Result<(), Failure> {
        for known in subscriptions(&self.api, host.now()).await? {
            if known.is_former(&self.line, "") {
                tracing::info!(line.id = %self.line, "a subscription is removed, as events are asked for");
                unsubscribe(&self.api, &known, host.now()).await?;
            }
        }
        let fields = json!({"types": KINDS, "longPolling": true});
        let made = self.api.post("me/subscribe", &fields, host.now()).await;
        made.map(drop)
    }

    /// Asks once.
    async fn turn(&self, host: &dyn Host, marker: &mut String) -> Result<(), Failure> {
        let begun = Instant::now();
        let told = match self.ask(host, marker).await {
            // The place may be one that is no more: what was taken is known again.
            Err(failure @ Failure::Refused { .. }) => {
                marker.clear();
                return Err(failure);
            }
            told => told?,
        };
        let news: News = serde_json::from_slice(&told)
            .map_err(|error| Failure::InDoubt(format!("events that cannot be read: {error}")))?;
        let is_quiet = news.updates.is_empty();
        let events = news.updates.iter().map(|event| envelope(event)).collect();
        let taken = accept(host, &self.line, events).await;
        taken.map_err(Failure::InDoubt)?;
        let next = match news.marker {
            Value::String(next) => next,
            Value::Number(next) => next.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
        };
        if !next.is_empty() && next != *marker {
            let kept = host.set_bookmark(&self.line, MARKER, &next).await;
            kept.map_err(|refused| Failure::InDoubt(refused.to_string()))?;
            *marker = next;
        }
        // It did not wait for us.
        if is_quiet && begun.elapsed() < PAUSE {
            tokio::time::sleep_until(begun + PAUSE).await;
        }
        Ok(())
    }

    /// Events are kept by OK until a place behind them is known here.
    async fn ask(&self, host: &dyn Host, marker: &str) -> Result<Vec<u8>, Failure> {
        let (wait, kinds) = ((WAIT.0 / 1_000).to_string(), KINDS.join(","));
        let mut query = vec![("count", "100"), ("timeout", &wait), ("types", &kinds)];
        if marker.is_empty() {
            query.push(("commit", "false"));
        } else {
            query.extend([("marker", marker), ("commit", "true")]);
        }
        self.api.updates(&query, WAIT, host.now()).await
    }
}

/// An event, which may be told as a text.
fn envelope(told: &RawValue) -> Envelope {
    let within: Option<String> = serde_json::from_str(told.get()).ok();
    let raw = within.unwrap_or_else(|| told.get().to_owned()).into_bytes();
    Envelope {
        event_key: key(&raw),
        raw: raw.into(),
        rest: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_the_same_as_a_text() {
        let event = json!({"message": {"mid": "mid:C1.2"}});
        let raw = |told: Value| envelope(&serde_json::value::to_raw_value(&told).unwrap());
        assert_eq!(raw(event.clone()), raw(json!(event.to_string())));
        assert_eq!(raw(event).event_key, "MESSAGE_CREATED mid:C1.2");
    }
}
