//! The subscription by which the account's events come: looked after, and made anew when it
//! is gone. Meta ends one that fails for hours.

use std::time::Duration;

use serde_json::Value;

use super::Connection;
use super::api::Api;
use super::config::Config;
use super::failure::Failure;
use crate::RunError;

const PAUSE: Duration = Duration::from_secs(1);
/// Pauses of a connection that fails grow up to this.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// How often the subscription is looked after: whoever leads the account can end it.
const WATCH: Duration = Duration::from_mins(5);

impl Connection {
    pub(super) async fn watch(&self) -> Result<(), RunError> {
        let mut pause = PAUSE;
        loop {
            let wait = match look_after(&self.api, &self.config).await {
                Ok(()) => {
                    pause = PAUSE;
                    self.trouble.set(None);
                    WATCH
                }
                Err(failure) => {
                    tracing::warn!(line.id = %self.line, %failure, "the subscription is not there");
                    self.trouble.set(Some(failure.to_string()));
                    let wait = pause;
                    pause = (pause * 2).min(PAUSE_MAX);
                    wait
                }
            };
            tokio::time::sleep(wait).await;
        }
    }
}

async fn look_after(api: &Api, config: &Config) -> Result<(), Failure> {
    let missing = missing(api, config).await?;
    if missing.is_empty() {
        return Ok(());
    }
    tracing::info!(missing = missing.join(","), "the subscription is made");
    api.subscribe(&config.events).await
}

/// What the app is not told of, of what it is to be.
pub(super) async fn missing(api: &Api, config: &Config) -> Result<Vec<String>, Failure> {
    let told = api.get("me/subscribed_apps", &[]).await?;
    let known = subscribed(&told, config.app.as_deref());
    let events = config.events.iter();
    let missing = events.filter(|event| !known.contains(&event.as_str()));
    Ok(missing.cloned().collect())
}

/// What the app is told of: where its id is not known, what any is.
fn subscribed<'a>(told: &'a Value, app: Option<&str>) -> Vec<&'a str> {
    let apps = told["data"].as_array().into_iter().flatten();
    let ours = apps.filter(|known| app.is_none_or(|app| known["id"] == app));
    let fields = ours.filter_map(|known| known["subscribed_fields"].as_array());
    fields.flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_our_own_subscription_counts_where_it_is_known() {
        let told = json!({"data": [
            {"id": "1", "subscribed_fields": ["feed"]},
            {"id": "2", "subscribed_fields": ["messages", "message_reads"]},
            {"id": "3"},
        ]});
        assert_eq!(subscribed(&told, Some("2")), ["messages", "message_reads"]);
        assert_eq!(subscribed(&told, Some("1")), ["feed"]);
        assert_eq!(subscribed(&told, None).len(), 3);
        for app in ["3", "4"] {
            assert!(subscribed(&told, Some(app)).is_empty(), "{app}");
        }
        assert!(subscribed(&json!({}), None).is_empty());
    }
}
