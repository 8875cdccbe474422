//! How updates come: we ask, or Telegram calls. Either way an update is told to be taken
//! only when it is durable.

use std::sync::Arc;
use std::time::Duration;

use domain::Millis;
use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Connection;
use super::api::{Api, Failure};
use super::config::{Intake, PAUSE_MAX};
use crate::egress::Body;
use crate::intake::accept;
use crate::{Delivery, Envelope, HookError, Host, Received, RunError, hook};

/// What may come. Reactions and membership come only when they are asked for.
const ALLOWED: [&str; 5] = [
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "message_reaction",
];
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// How long the server may wait for news; its own bound is 50 s.
const POLL: Millis = Millis::from_secs(25);
const PAUSE: Duration = Duration::from_secs(1);
/// How often the webhook is looked after: it can be removed by whoever has the token.
const WATCH: Duration = Duration::from_mins(5);

/// Checks a call of Telegram's.
pub(super) fn receive(intake: &Intake, delivery: &Delivery) -> Result<Received, HookError> {
    let Intake::Webhook { secret, .. } = intake else {
        return Err(HookError::NotAHook);
    };
    hook::check_secret(&delivery.headers, SECRET_HEADER, secret)?;
    if delivery.method != Method::POST {
        return Err(HookError::Malformed("updates come by POST".to_owned()));
    }
    // A refusal would hold up all that this client writes after it: what cannot be read
    // is kept as it is.
    let key = key(&delivery.body);
    let key = key.unwrap_or_else(|| hook::unreadable(&delivery.body));
    Ok(Received {
        envelopes: vec![Envelope {
            event_key: key,
            raw: delivery.body.clone(),
            rest: None,
        }],
        ack: hook::taken("text/plain", ""),
    })
}

fn key(raw: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Numbered {
        update_id: i64,
    }
    let read: Numbered = serde_json::from_slice(raw).ok()?;
    Some(read.update_id.to_string())
}

impl Connection {
    pub(super) async fn stay(
        &self,
        host: Arc<dyn Host>,
        stop: CancellationToken,
    ) -> Result<(), RunError> {
        let work = async {
            match &self.config.intake {
                Intake::Poll => self.poll(host.as_ref()).await,
                Intake::Webhook { url, secret } => self.watch(host.as_ref(), url, secret).await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            never = work => never,
        }
    }

    async fn poll(&self, host: &dyn Host) -> Result<(), RunError> {
        let mut offset = 0;
        let mut pause = PAUSE;
        let mut may_ask = false;
        loop {
            let asked = if may_ask {
                self.ask(host, offset).await
            } else {
                // While a webhook is set, nothing may be asked.
                self.forget_webhook(host).await.map(|()| offset)
            };
            match asked {
                Ok(next) => {
                    (offset, pause, may_ask) = (next, PAUSE, true);
                    self.trouble.set(None);
                }
                Err(failure) => {
                    may_ask &= !matches!(failure, Failure::Refused { code: 409, .. });
                    self.trouble.set(Some(failure.to_string()));
                    let wait = failure.retry_after().unwrap_or(pause);
                    tracing::warn!(line.id = %self.line, %failure, "updates cannot be had");
                    tokio::time::sleep(wait.min(PAUSE_MAX)).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Asks for what is new; answers what to ask for next. To ask behind an update says
    /// that it was taken.
    async fn ask(&self, host: &dyn Host, offset: i64) -> Result<i64, Failure> {
        let fields = json!({
            "offset": offset,
            "timeout": POLL.0 / 1_000,
            "allowed_updates": ALLOWED,
        });
        let body = Body::Json(fields);
        let api = &self.api;
        let told = api
            .call_waiting("getUpdates", body, POLL, host.now())
            .await?;
        let updates: Vec<Box<RawValue>> = serde_json::from_value(told)
            .map_err(|error| Failure::InDoubt(format!("updates that cannot be read: {error}")))?;
        let mut next = offset;
        let mut letters = Vec::new();
        for update in updates {
            let raw = update.get().as_bytes().to_vec();
            let key = key(&raw).unwrap_or_else(|| hook::unreadable(&raw));
            if let Ok(number) = key.parse::<i64>() {
                next = next.max(number + 1);
            }
            letters.push(Envelope {
                event_key: key,
                raw: raw.into(),
                rest: None,
            });
        }
        let taken = accept(host, &self.line, letters).await;
        taken.map_err(Failure::InDoubt)?;
        Ok(next)
    }

    async fn forget_webhook(&self, host: &dyn Host) -> Result<(), Failure> {
        let body = Body::Json(json!({"drop_pending_updates": false}));
        self.api.call("deleteWebhook", body, host.now()).await?;
        Ok(())
    }

    /// Sets the webhook, and sets it again when it is gone or leads elsewhere.
    async fn watch(&self, host: &dyn Host, url: &str, secret: &str) -> Result<(), RunError> {
        let mut pause = PAUSE;
        let mut is_set = false;
        loop {
            let looked = self.look_after(host, url, secret, is_set).await;
            match looked {
                Ok(trouble) => {
                    self.trouble.set(trouble);
                    (is_set, pause) = (true, PAUSE);
                    tokio::time::sleep(WATCH).await;
                }
                Err(failure) => {
                    tracing::warn!(line.id = %self.line, %failure, "the webhook is not set");
                    self.trouble.set(Some(failure.to_string()));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    async fn look_after(
        &self,
        host: &dyn Host,
        url: &str,
        secret: &str,
        is_set: bool,
    ) -> Result<Option<String>, Failure> {
        let api: &Api = &self.api;
        let info = api.call("getWebhookInfo", Body::Empty, host.now()).await?;
        // The secret that it was set with is not told: after a start it is set anew.
        if !is_set || info["url"].as_str() != Some(url) {
            if is_set {
                tracing::warn!(line.id = %self.line, "the webhook was changed, and is set again");
            }
            let fields = json!({
                "url": url,
                "secret_token": secret,
                "allowed_updates": ALLOWED,
                "drop_pending_updates": false,
            });
            api.call("setWebhook", Body::Json(fields), host.now())
                .await?;
            return Ok(None);
        }
        Ok(complaint(&info, host.now().0 / 1_000))
    }
}

/// What Telegram has to say about our webhook, if that is news.
pub(super) fn complaint(info: &Value, now_s: i64) -> Option<String> {
    let waiting = info["pending_update_count"].as_i64().unwrap_or(0);
    let at = info["last_error_date"].as_i64()?;
    let error = info["last_error_message"].as_str()?;
    let is_news = now_s - at < 2 * i64::try_from(WATCH.as_secs()).unwrap_or(600);
    (is_news && waiting > 0).then(|| {
        let error = domain::text::line(error, 200);
        format!("Telegram cannot reach the webhook, and {waiting} updates wait: {error}")
    })
}
