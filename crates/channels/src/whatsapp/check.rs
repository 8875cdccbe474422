//! Whether the number is there and ours, for an administrator and all along.

use std::time::Duration;

use domain::Timestamp;
use serde_json::Value;

use super::Connection;
use super::api::{Api, Failure};
use crate::{Check, RunError, SendError};

/// How often the number is asked about: what comes in does not tell that its token is
/// good no more, or that nothing comes in because another server is called.
const WATCH: Duration = Duration::from_mins(5);

const NO_CLOCK: Timestamp = Timestamp(0);
const NUMBER: &str = "display_phone_number,verified_name,quality_rating";
const WEBHOOK: &str = "webhook_configuration";

impl Connection {
    pub(super) async fn watch(&self) -> Result<(), RunError> {
        loop {
            let trouble = self.wrong().await;
            if let Some(trouble) = &trouble {
                tracing::warn!(line.id = %self.line, trouble, "the number is not in order");
            }
            self.trouble.set(trouble);
            tokio::time::sleep(WATCH).await;
        }
    }

    async fn wrong(&self) -> Option<String> {
        if let Err(failure) = self.api.number(NUMBER, NO_CLOCK).await {
            return Some(failure.to_string());
        }
        // Not every token may ask this.
        let told = self.api.number(WEBHOOK, NO_CLOCK).await.ok()?;
        let ours = &self.config.hub.url;
        let set = set(&told).filter(|url| url != ours)?;
        Some(format!("its webhook leads to {set}, and not to {ours}"))
    }
}

pub(super) async fn check(api: &Api, webhook: &str) -> Vec<Check> {
    let number = match api.number(NUMBER, NO_CLOCK).await {
        Ok(told) => self::number(&told),
        Err(failure) => return vec![Check::bad("the number", advice(failure))],
    };
    let webhook = match api.number(WEBHOOK, NO_CLOCK).await {
        Ok(told) => self::webhook(&told, webhook),
        Err(failure) => Check::doubtful("the webhook", failure.to_string()),
    };
    vec![number, webhook]
}

fn advice(failure: Failure) -> String {
    let told = failure.to_string();
    if matches!(failure.outcome(), SendError::Reauthorize(_)) {
        return format!(
            "{told}: look at phone_number_id, and whether the token may use the number"
        );
    }
    told
}

fn number(told: &Value) -> Check {
    let text = |name: &str| told[name].as_str().unwrap_or("?").to_owned();
    let (number, name) = (text("display_phone_number"), text("verified_name"));
    let told = format!("it is {number}, {name}");
    match text("quality_rating").as_str() {
        "RED" => Check::doubtful("the number", told + "; clients complain of what it sends"),
        _ => Check::good("the number", told),
    }
}

/// Whom Meta calls: what is set for the number, or else for the account, or for the app.
fn set(told: &Value) -> Option<&str> {
    let set = &told["webhook_configuration"];
    let mut levels = ["phone_number", "whatsapp_business_account", "application"].iter();
    levels.find_map(|level| set[*level].as_str())
}

fn webhook(told: &Value, ours: &str) -> Check {
    let what = "the webhook";
    match set(told) {
        Some(url) if url == ours => Check::good(what, "it leads here"),
        Some(url) => Check::doubtful(what, format!("it leads to {url}, and not to {ours}")),
        None => Check::doubtful(
            what,
            format!("none is told: in the app it has to be {ours}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use serde_json::json;

    #[test]
    fn the_nearest_webhook_counts() {
        let ours = "https://gateway.example/hooks/whatsapp";
        let verdict = |set: Value| webhook(&json!({"webhook_configuration": set}), ours).verdict;
        let good = verdict(json!({"application": "https://old.example", "phone_number": ours}));
        assert!(matches!(good, Verdict::Good(_)));
        for doubtful in [
            json!({"application": ours, "whatsapp_business_account": "https://other.example"}),
            json!({}),
            Value::Null,
        ] {
            assert!(matches!(verdict(doubtful), Verdict::Doubtful(_)));
        }
    }
}
