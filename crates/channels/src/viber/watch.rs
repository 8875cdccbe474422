//! The webhook that leads here: set, and set again when it is gone or leads elsewhere.

use std::time::Duration;

use serde_json::{Value, json};

use super::Connection;
use super::errors::Failure;
use crate::{Host, RunError};

/// What may come beside messages, subscriptions and their end, which always do.
const EVENTS: [&str; 6] = [
    "delivered",
    "seen",
    "failed",
    "subscribed",
    "unsubscribed",
    "conversation_started",
];
const PAUSE: Duration = Duration::from_secs(1);
/// Pauses of a connection that fails grow up to this.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// How often the webhook is looked after: whoever has the token can remove it.
const WATCH: Duration = Duration::from_mins(5);

impl Connection {
    pub(super) async fn watch(&self, host: &dyn Host) -> Result<(), RunError> {
        let mut pause = PAUSE;
        let mut is_set = false;
        loop {
            let wait = match self.look_after(host, is_set).await {
                Ok(()) => {
                    (is_set, pause) = (true, PAUSE);
                    self.trouble.set(None);
                    WATCH
                }
                Err(failure) => {
                    tracing::warn!(line.id = %self.line, %failure, "the webhook is not set");
                    self.trouble.set(Some(failure.to_string()));
                    let wait = pause;
                    pause = (pause * 2).min(PAUSE_MAX);
                    wait
                }
            };
            // A sender notices sooner.
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.is_unset.notified(), if wait == WATCH => {}
            }
        }
    }

    async fn look_after(&self, host: &dyn Host, is_set: bool) -> Result<(), Failure> {
        let url = &self.config.webhook;
        // With what it was set is not all told: after a start it is set anew.
        if is_set {
            let told = self
                .api
                .call("get_account_info", json!({}), host.now())
                .await?;
            if leads_to(&told, url) {
                return Ok(());
            }
            tracing::warn!(line.id = %self.line, "the webhook was changed, and is set again");
        }
        // Viber calls it before this answers.
        let fields = json!({
            "url": url,
            "event_types": EVENTS,
            "send_name": true,
            "send_photo": true,
        });
        self.api.call("set_webhook", fields, host.now()).await?;
        Ok(())
    }
}

/// Whether an account's events come to an address.
pub(super) fn leads_to(account: &Value, url: &str) -> bool {
    account["webhook"].as_str() == Some(url)
}
