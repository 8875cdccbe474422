//! The gateway asks for updates. MAX keeps them for a short while only, and tells none
//! while it has somebody to call.

use std::time::Duration;

use domain::Millis;
use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Connection;
use super::failure::Failure;
use super::receive::key;
use super::watch::{KINDS, subscriptions};
use crate::egress::Body;
use crate::intake::accept;
use crate::{Envelope, Host, RunError};

/// How long MAX may wait for news.
const WAIT: Millis = Millis::from_secs(25);
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// Pauses of a connection that fails grow up to this.
pub(super) const PAUSE_MAX: Duration = Duration::from_mins(1);

/// What is new.
#[derive(Deserialize)]
struct News {
    #[serde(default)]
    updates: Vec<Box<RawValue>>,
    marker: Option<i64>,
}

impl Connection {
    pub(super) async fn poll(&self, host: &dyn Host) -> Result<(), RunError> {
        let mut pause = PAUSE;
        let mut may_ask = false;
        // Without one MAX goes on where it was last told to.
        let mut marker = None;
        loop {
            let asked = if may_ask {
                self.turn(host, &mut marker).await
            } else {
                self.unsubscribe(host).await
            };
            match asked {
                Ok(()) => {
                    (may_ask, pause) = (true, PAUSE);
                    self.trouble.set(None);
                }
                Err(failure) => {
                    tracing::warn!(line.id = %self.line, %failure, "updates cannot be had");
                    self.trouble.set(Some(failure.to_string()));
                    may_ask = false;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Asks once. To ask behind updates says that they were taken.
    async fn turn(&self, host: &dyn Host, marker: &mut Option<i64>) -> Result<(), Failure> {
        let (wait, kinds) = ((WAIT.0 / 1_000).to_string(), KINDS.join(","));
        let place = marker.map(|marker| marker.to_string());
        let mut query = vec![("limit", "100"), ("timeout", &wait), ("types", &kinds)];
        query.extend(place.as_deref().map(|place| ("marker", place)));
        let told = self.api.updates(&query, WAIT, host.now()).await?;
        let news: News = serde_json::from_slice(&told)
            .map_err(|error| Failure::InDoubt(format!("updates that cannot be read: {error}")))?;
        let updates = news.updates.iter().map(|update| {
            let raw = update.get().as_bytes().to_vec();
            Envelope {
                event_key: key(&raw),
                raw: raw.into(),
                rest: None,
            }
        });
        let taken = accept(host, &self.line, updates.collect()).await;
        taken.map_err(Failure::InDoubt)?;
        *marker = news.marker.or(*marker);
        Ok(())
    }

    /// Nobody else is to be called.
    async fn unsubscribe(&self, host: &dyn Host) -> Result<(), Failure> {
        for subscription in subscriptions(&self.api, host.now()).await? {
            tracing::info!(line.id = %self.line, "a subscription is removed, as updates are asked for");
            let query = [("url", subscription.url.as_str())];
            let gone = self.on_subscriptions(host.now(), Method::DELETE, &query, Body::Empty);
            gone.await?;
        }
        Ok(())
    }
}
