//! The subscription by which Avito calls here: made, and made again when it is gone. Behind
//! it Avito is asked for what it may have kept to itself.

use std::time::Duration;

use domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Connection;
use super::api::Api;
use super::failure::Failure;
use super::missed::Missed;
use crate::{Host, RunError};

const PAUSE: Duration = Duration::from_secs(1);
/// Pauses of a connection that fails grow up to this.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// In which form messages are told.
const VERSION: &str = "3";
const VERSION_NUMBER: u64 = 3;

/// Whom Avito calls.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Subscription {
    pub(super) url: String,
    #[serde(default)]
    version: Value,
}

impl Subscription {
    pub(super) fn leads_to(&self, url: &str) -> bool {
        // Told as a text, as a number, or with a letter before it.
        let version = self
            .version
            .as_str()
            .map(|told| told.trim_start_matches('v'));
        self.url == url && (version == Some(VERSION) || self.version == VERSION_NUMBER)
    }

    /// Whether it led here before the gateway got another address or the line another
    /// secret.
    fn is_former(&self, url: &str) -> bool {
        let (Some(hook), Some(path)) = (url.rfind('/'), url.find("/hooks/")) else {
            return false;
        };
        let of_hook = url
            .get(..=hook)
            .is_some_and(|hook| self.url.starts_with(hook));
        let of_path = url.get(path..).is_some_and(|path| self.url.ends_with(path));
        self.url != url && (of_hook || of_path)
    }
}

/// Everybody whom Avito calls: one does not replace another.
pub(super) async fn subscriptions(api: &Api, now: Timestamp) -> Result<Vec<Subscription>, Failure> {
    let mut told = api.post("v1/subscriptions", &Value::Null, now).await?;
    let all = told.get_mut("subscriptions").map(Value::take);
    let all = all
        .filter(|all| !all.is_null())
        .unwrap_or_else(|| json!([]));
    serde_json::from_value(all)
        .map_err(|error| Failure::InDoubt(format!("subscriptions that cannot be read: {error}")))
}

impl Connection {
    pub(super) async fn watch(&self, host: &dyn Host) -> Result<(), RunError> {
        let mut missed = Missed::since(host, &self.line).await?;
        let mut pause = PAUSE;
        loop {
            match self.turn(host, &mut missed).await {
                Ok(()) => {
                    self.trouble.set(None);
                    pause = PAUSE;
                    tokio::time::sleep(self.config.check_every).await;
                }
                Err(failure) => {
                    tracing::warn!(line.id = %self.line, %failure, "messages may be missed");
                    self.trouble.set(Some(failure.to_string()));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    async fn turn(&self, host: &dyn Host, missed: &mut Missed) -> Result<(), Failure> {
        self.look_after(host.now()).await?;
        self.look_for(missed, host).await
    }

    async fn look_after(&self, now: Timestamp) -> Result<(), Failure> {
        let url = self.config.webhook();
        let all = subscriptions(&self.api, now).await?;
        if !all.iter().any(|known| known.leads_to(&url)) {
            tracing::info!(line.id = %self.line, "the subscription is made");
            let fields = json!({ "url": url });
            self.api.post("v3/webhook", &fields, now).await?;
        }
        for former in all.iter().filter(|known| known.is_former(&url)) {
            let fields = json!({ "url": former.url });
            self.api
                .post("v1/webhook/unsubscribe", &fields, now)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://new.example/hooks/avito/secret";

    #[test]
    fn a_former_address_is_one_of_the_same_line() {
        let known = |url: &str| Subscription {
            url: url.to_owned(),
            version: json!("3"),
        };
        let is_former = |url: &str| known(url).is_former(URL);
        assert!(is_former("https://old.example/hooks/avito/secret"));
        assert!(is_former("https://new.example/hooks/avito/older-secret"));
        for url in [
            URL,
            "https://new.example/hooks/avito-2/secret",
            "https://old.example/hooks/avito/other",
            "https://crm.example/avito",
        ] {
            assert!(!is_former(url), "{url}");
        }
    }

    #[test]
    fn what_is_told_in_another_form_does_not_lead_here() {
        let leads = |version: Value| {
            let url = URL.to_owned();
            Subscription { url, version }.leads_to(URL)
        };
        assert!(leads(json!("3")) && leads(json!(3)) && leads(json!("v3")));
        assert!(!leads(json!("2")) && !leads(json!(1)) && !leads(json!(null)));
    }
}
