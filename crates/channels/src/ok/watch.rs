//! The subscription by which OK calls here: made, and made anew when it is gone. OK ends
//! one that fails for eight hours.

use std::time::Duration;

use domain::{LineId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Connection;
use super::api::Api;
use super::failure::Failure;
use super::poll::{PAUSE, PAUSE_MAX};
use crate::{Host, RunError};

/// How often the subscription is looked after.
const WATCH: Duration = Duration::from_mins(5);

/// Whom OK calls.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Subscription {
    pub(super) url: String,
}

impl Subscription {
    /// Whether it led here before the line got another address or secret.
    pub(super) fn is_former(&self, line: &LineId, url: &str) -> bool {
        let path = format!("/hooks/{line}/");
        let rest = self.url.split_once(&path).map(|(_, rest)| rest);
        self.url != url && rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
    }

    /// The server alone: the rest of an address is a secret of whoever is there.
    pub(super) fn server(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        format!("{scheme}://{host}")
    }
}

/// Everybody whom OK calls: one does not replace another.
pub(super) async fn subscriptions(api: &Api, now: Timestamp) -> Result<Vec<Subscription>, Failure> {
    let told = api.get("me/subscriptions", &[], now).await?;
    let all = told["subscriptions"].as_array().cloned();
    let all = all.unwrap_or_default().into_iter();
    // One for events that are asked for has no address.
    let called = all.filter(|one| one["url"].is_string());
    let called: Result<_, _> = called.map(serde_json::from_value).collect();
    called.map_err(|error| Failure::InDoubt(format!("subscriptions that cannot be read: {error}")))
}

pub(super) async fn unsubscribe(
    api: &Api,
    known: &Subscription,
    now: Timestamp,
) -> Result<(), Failure> {
    let fields = json!({"url": known.url});
    api.post("me/unsubscribe", &fields, now).await.map(drop)
}

impl Connection {
    pub(super) async fn watch(&self, host: &dyn Host, url: &str) -> Result<(), RunError> {
        let mut pause = PAUSE;
        loop {
            match self.look_after(host.now(), url).await {
                Ok(()) => {
                    self.trouble.set(None);
                    pause = PAUSE;
                    tokio::time::sleep(WATCH).await;
                }
                Err(failure) => {
                    tracing::warn!(line.id = %self.line, %failure, "the subscription is not made");
                    self.trouble.set(Some(failure.to_string()));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    async fn look_after(&self, now: Timestamp, url: &str) -> Result<(), Failure> {
        let all = subscriptions(&self.api, now).await?;
        if all.iter().all(|known| known.url != url) {
            tracing::info!(line.id = %self.line, "the subscription is made");
            let fields = json!({ "url": url });
            let made = self.api.post("me/subscribe", &fields, now).await?;
            if made["success"] == Value::Bool(false) {
                return Err(Failure::unsuccessful("the subscription is not made"));
            }
        }
        for former in all.iter().filter(|known| known.is_former(&self.line, url)) {
            unsubscribe(&self.api, former, now).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::extract::State;
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use tokio::net::TcpListener;

    use super::*;
    use crate::LineSetup;

    const URL: &str = "https://gateway.example/hooks/ok/0123456789abcdef0123456789abcdef";
    const NOW: Timestamp = Timestamp(0);

    /// How often it was subscribed, and what is left of it.
    type Kept = Arc<Mutex<(usize, Vec<Value>)>>;

    async fn told(State(kept): State<Kept>) -> Json<Value> {
        Json(json!({"subscriptions": kept.lock().unwrap().1}))
    }

    async fn made(State(kept): State<Kept>, Json(body): Json<Value>) -> Json<Value> {
        let mut kept = kept.lock().unwrap();
        kept.0 += 1;
        kept.1.push(json!({"url": body["url"], "time": 7}));
        Json(json!({"success": true}))
    }

    async fn ended(State(kept): State<Kept>, Json(body): Json<Value>) -> Json<Value> {
        let mut kept = kept.lock().unwrap();
        kept.1.retain(|known| known["url"] != body["url"]);
        Json(json!({"success": true}))
    }

    /// A line, and the server that it calls.
    async fn line(kept: Kept) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api_url = format!("http://{}", listener.local_addr().unwrap());
        let pages = Router::new()
            .route("/me/subscriptions", get(told))
            .route("/me/subscribe", post(made))
            .route("/me/unsubscribe", post(ended))
            .with_state(kept);
        tokio::spawn(async move { axum::serve(listener, pages).await });
        let setup = LineSetup {
            id: LineId::from("ok"),
            display_name: String::new(),
            default_region: "RU".to_owned(),
            public_url: "https://gateway.example".to_owned(),
            options: toml::toml! {
                token = "tkn18YdUJZe:CQABPOJKAKEKEKEKE"
                webhook_secret = "0123456789abcdef0123456789abcdef"
                api_url = api_url
            },
        };
        Connection::new(&setup).unwrap()
    }

    #[tokio::test]
    async fn a_subscription_that_is_gone_is_made_again() {
        let kept = Kept::default();
        let line = line(Arc::clone(&kept)).await;
        let look = async || {
            line.look_after(NOW, URL).await.unwrap();
            kept.lock().unwrap().0
        };
        assert_eq!(look().await, 1);
        assert_eq!(look().await, 1);
        kept.lock().unwrap().1.clear();
        assert_eq!(look().await, 2);
        // One for events that are asked for, one of a former secret, and another's.
        let others = [
            json!({"longPolling": true}),
            json!({"url": "https://gateway.example/hooks/ok/a-former-secret"}),
            json!({"url": "https://elsewhere.example/bot"}),
        ];
        kept.lock().unwrap().1.extend(others);
        assert_eq!(look().await, 2);
        let urls = |kept: &Kept| -> Vec<Value> {
            let kept = kept.lock().unwrap();
            kept.1.iter().map(|known| known["url"].clone()).collect()
        };
        let left = [
            json!(URL),
            json!(null),
            json!("https://elsewhere.example/bot"),
        ];
        assert_eq!(urls(&kept), left);
    }

    #[test]
    fn a_former_address_is_one_of_the_same_line() {
        let line = LineId::from("ok");
        let is_former = |url: &str| {
            Subscription {
                url: url.to_owned(),
            }
            .is_former(&line, URL)
        };
        assert!(is_former("https://old.example/hooks/ok/secret"));
        assert!(!is_former(URL));
        assert!(!is_former("https://old.example/hooks/ok-2/secret"));
        assert!(!is_former("https://old.example/hooks/ok"));
        assert!(!is_former("https://old.example/bot"));
    }

    #[test]
    fn of_others_no_more_than_the_server_is_told() {
        let server = |url: &str| {
            Subscription {
                url: url.to_owned(),
            }
            .server()
        };
        assert_eq!(
            server("https://a.example:8443/b?c#d"),
            "https://a.example:8443"
        );
        assert_eq!(server("https://a.example?key=1"), "https://a.example");
    }
}
