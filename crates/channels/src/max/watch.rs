//! The subscription by which MAX calls here: made, and made anew when it is gone. MAX ends
//! one that fails for eight hours.

use std::time::Duration;

use domain::Timestamp;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Connection;
use super::api::Api;
use super::failure::Failure;
use super::poll::{PAUSE, PAUSE_MAX};
use crate::egress::Body;
use crate::{Host, RunError};

/// What may come.
pub(super) const KINDS: [&str; 7] = [
    "message_created",
    "message_callback",
    "message_edited",
    "message_removed",
    "bot_started",
    "bot_stopped",
    "dialog_removed",
];
/// How often the subscription is looked after.
const WATCH: Duration = Duration::from_mins(5);

/// Whom MAX calls.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Subscription {
    pub(super) url: String,
    /// None for all of them.
    update_types: Option<Vec<String>>,
}

impl Subscription {
    fn has_all(&self) -> bool {
        let kinds = self.update_types.as_ref();
        kinds.is_none_or(|kinds| {
            let has = |kind: &&str| kinds.iter().any(|known| known == kind);
            kinds.is_empty() || KINDS.iter().all(has)
        })
    }

    /// Whether it led here before the gateway got another address.
    fn is_former(&self, url: &str) -> bool {
        let path = url.find("/hooks/").and_then(|at| url.get(at..));
        self.url != url && path.is_some_and(|path| self.url.ends_with(path))
    }
}

/// Everybody whom MAX calls: one does not replace another.
pub(super) async fn subscriptions(api: &Api, now: Timestamp) -> Result<Vec<Subscription>, Failure> {
    let mut told = api.get("subscriptions", &[], now).await?;
    let all = told.get_mut("subscriptions").map(Value::take);
    serde_json::from_value(all.unwrap_or_default())
        .map_err(|error| Failure::InDoubt(format!("subscriptions that cannot be read: {error}")))
}

impl Connection {
    pub(super) async fn watch(
        &self,
        host: &dyn Host,
        url: &str,
        secret: &str,
    ) -> Result<(), RunError> {
        let mut pause = PAUSE;
        let mut is_set = false;
        loop {
            match self.look_after(host.now(), url, secret, is_set).await {
                Ok(()) => {
                    self.trouble.set(None);
                    (is_set, pause) = (true, PAUSE);
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

    async fn look_after(
        &self,
        now: Timestamp,
        url: &str,
        secret: &str,
        is_set: bool,
    ) -> Result<(), Failure> {
        let all = subscriptions(&self.api, now).await?;
        let ours = all.iter().find(|known| known.url == url);
        // The secret that it was made with is not told: after a start it is made anew.
        if !is_set || !ours.is_some_and(Subscription::has_all) {
            if is_set {
                tracing::warn!(line.id = %self.line, "the subscription was gone, and is made again");
            }
            let fields = json!({"url": url, "secret": secret, "update_types": KINDS});
            self.on_subscriptions(now, Method::POST, &[], Body::Json(fields))
                .await?;
        }
        for former in all.iter().filter(|known| known.is_former(url)) {
            let query = [("url", former.url.as_str())];
            self.on_subscriptions(now, Method::DELETE, &query, Body::Empty)
                .await?;
        }
        Ok(())
    }

    pub(super) async fn on_subscriptions(
        &self,
        now: Timestamp,
        method: Method,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<(), Failure> {
        let done = self.api.call(method, "subscriptions", query, body, now);
        done.await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::extract::State;
    use axum::routing::get;
    use axum::{Json, Router};
    use domain::LineId;
    use tokio::net::TcpListener;

    use super::*;
    use crate::LineSetup;

    const URL: &str = "https://gateway.example/hooks/max";
    const SECRET: &str = "a-secret-of-sixteen";
    const NOW: Timestamp = Timestamp(0);

    /// What was subscribed, and what is left of it.
    type Kept = Arc<Mutex<(usize, Vec<Value>)>>;

    async fn told(State(kept): State<Kept>) -> Json<Value> {
        Json(json!({"subscriptions": kept.lock().unwrap().1}))
    }

    async fn made(State(kept): State<Kept>, Json(mut body): Json<Value>) -> Json<Value> {
        let mut kept = kept.lock().unwrap();
        assert_eq!(body["secret"].take(), SECRET);
        kept.0 += 1;
        kept.1 = vec![body];
        Json(json!({"success": true}))
    }

    /// A line, and the server that it calls.
    async fn line(kept: Kept) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api_url = format!("http://{}", listener.local_addr().unwrap());
        let pages = Router::new().route("/subscriptions", get(told).post(made));
        let pages = pages.with_state(kept);
        tokio::spawn(async move { axum::serve(listener, pages).await });
        let setup = LineSetup {
            id: LineId::from("max"),
            display_name: String::new(),
            default_region: "RU".to_owned(),
            public_url: "https://gateway.example".to_owned(),
            options: toml::toml! {
                token = "a-token-of-the-bot"
                webhook_secret = SECRET
                api_url = api_url
            },
        };
        Connection::new(&setup).unwrap()
    }

    #[tokio::test]
    async fn a_subscription_that_is_gone_is_made_again() {
        let kept = Kept::default();
        let line = line(Arc::clone(&kept)).await;
        let look = async |is_set| {
            line.look_after(NOW, URL, SECRET, is_set).await.unwrap();
            kept.lock().unwrap().0
        };
        assert_eq!(look(false).await, 1);
        assert_eq!(look(true).await, 1);
        // Of a former start nobody knows the secret.
        assert_eq!(look(false).await, 2);
        kept.lock().unwrap().1.clear();
        assert_eq!(look(true).await, 3);
        kept.lock().unwrap().1[0]["update_types"] = json!(["message_created"]);
        assert_eq!(look(true).await, 4);
        assert_eq!(look(true).await, 4);
    }

    fn subscription(url: &str, kinds: Option<&[&str]>) -> Subscription {
        Subscription {
            url: url.to_owned(),
            update_types: kinds.map(|kinds| kinds.iter().map(|kind| (*kind).to_owned()).collect()),
        }
    }

    #[test]
    fn a_former_address_is_one_of_the_same_line() {
        let url = "https://new.example/hooks/max";
        let is_former = |known: &str| subscription(known, None).is_former(url);
        assert!(is_former("https://old.example/hooks/max"));
        assert!(!is_former(url));
        assert!(!is_former("https://old.example/hooks/max-2"));
        assert!(!is_former("https://old.example/bot"));
    }

    #[test]
    fn what_tells_too_little_is_made_anew() {
        let has_all = |kinds| subscription("u", kinds).has_all();
        assert!(has_all(None) && has_all(Some(&[])) && has_all(Some(&KINDS)));
        assert!(!has_all(Some(&["message_created"])));
    }
}
