//! Avito's API: short-lived tokens, had for the application's own secret, and calls by them.

use std::time::Duration;

use domain::message::Attachment;
use domain::{Millis, Timestamp};
use http::{HeaderValue, Method, header};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::config::Config;
use super::content::VOICE;
use super::failure::Failure;
use crate::egress::{Body, Call, Client, Limits, Reply, To, Upload};
use crate::{FetchError, File};

/// Where no clock is at hand, a wait that a server asks for by a date is none.
pub(super) const NO_CLOCK: Timestamp = Timestamp(0);
/// A hundred messages with long texts.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// How much longer a picture may take than a word.
const UPLOAD: Millis = Millis::from_secs(90);
/// What clients may send, as far as it is kept.
const FETCHED: Limits = Limits {
    bytes_max: 64 << 20,
    time_max: Millis::from_secs(120),
};
/// A token is not used so shortly before its end.
const MARGIN: Duration = Duration::from_mins(1);
/// Where Avito does not say how long a token is good.
const EXPIRES_SECS: u64 = 3_600;
const EXPIRES_SECS_MAX: u64 = 86_400;

/// An account's connection.
pub(super) struct Api {
    client: Client,
    user: u64,
    client_id: String,
    client_secret: String,
    /// Whoever asks for a token while one is asked for waits for the same.
    token: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    /// Until when it is used.
    until: Instant,
    /// It was had just now, and not used before.
    is_fresh: bool,
}

impl Api {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            client: config.client.clone(),
            user: config.user,
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            token: Mutex::default(),
        }
    }

    /// The account's number.
    pub(super) fn user(&self) -> u64 {
        self.user
    }

    /// Asks for something of the account's.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let make = || {
            let call = Call::get(self.path(path));
            let add = |call: Call, (name, value): &(&str, &str)| call.query(name, *value);
            query.iter().fold(call, add)
        };
        Ok(self.again(make, now).await?.json()?)
    }

    /// Has something done, by nothing but its address where the fields are null.
    pub(super) async fn post(
        &self,
        path: &str,
        fields: &Value,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let make = || {
            let body = if fields.is_null() {
                Body::Empty
            } else {
                Body::Json(fields.clone())
            };
            Call::post(self.path(path), body)
        };
        Ok(self.again(make, now).await?.json()?)
    }

    /// Hands a picture over, once.
    pub(super) async fn upload(&self, file: Upload, now: Timestamp) -> Result<Value, Failure> {
        let body = Body::Multipart(Vec::new(), vec![file]);
        let mut call = Call::post(self.path("v1/~/uploadImages"), body);
        call.wait = UPLOAD;
        Ok(self.ask(call, now).await?.json()?)
    }

    /// A first `~` stands for the account, and a slash at the beginning for the whole API.
    fn path(&self, path: &str) -> String {
        match (path.strip_prefix('/'), path.split_once("/~/")) {
            (Some(path), _) => path.to_owned(),
            (None, Some((version, path))) => {
                format!("messenger/{version}/accounts/{}/{path}", self.user)
            }
            (None, None) => format!("messenger/{path}"),
        }
    }

    /// A token that has ended before its time is replaced.
    async fn again(&self, make: impl Fn() -> Call, now: Timestamp) -> Result<Reply, Failure> {
        match self.ask(make(), now).await {
            Err(Failure::Stale) => self.ask(make(), now).await,
            answer => answer,
        }
    }

    async fn ask(&self, call: Call, now: Timestamp) -> Result<Reply, Failure> {
        let token = self.token(now).await?;
        let mut call = call.header(header::AUTHORIZATION, token.header.clone());
        call.answer_bytes_max = ANSWER_BYTES_MAX;
        let reply = self.client.call(call, now).await?;
        if reply.is_taken() {
            return Ok(reply);
        }
        let failure = Failure::told(&reply);
        if failure.is_of_token() {
            self.forget(&token).await;
            if !token.is_fresh {
                return Err(Failure::Stale);
            }
        }
        Err(failure)
    }

    /// A token that is good for a minute at least.
    async fn token(&self, now: Timestamp) -> Result<Token, Failure> {
        let mut known = self.token.lock().await;
        if let Some(token) = known.as_ref().filter(|token| token.until > Instant::now()) {
            return Ok(token.clone());
        }
        *known = None;
        let token = self.granted(now).await?;
        *known = Some(Token {
            is_fresh: false,
            ..token.clone()
        });
        Ok(token)
    }

    /// Avito did not take this one: the next is another.
    async fn forget(&self, token: &Token) {
        let mut known = self.token.lock().await;
        let is_it = known
            .as_ref()
            .is_some_and(|known| known.header == token.header);
        known.take_if(|_| is_it);
    }

    async fn granted(&self, now: Timestamp) -> Result<Token, Failure> {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let call = Call::new(
            Method::POST,
            To::Path("token".to_owned()),
            Body::Form(fields.into()),
        );
        // Whatever becomes of it, nothing was sent to a client.
        let reply = self.client.call(call, now).await;
        let reply = reply.map_err(|error| Failure::NotSent(error.to_string()))?;
        let told: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let header = told["access_token"].as_str().and_then(bearer);
        let header = header.filter(|_| reply.is_taken());
        let header = header.ok_or_else(|| Failure::of_token(&reply))?;
        let secs = told["expires_in"].as_u64().unwrap_or(EXPIRES_SECS);
        let good = Duration::from_secs(secs.min(EXPIRES_SECS_MAX)).saturating_sub(MARGIN);
        Ok(Token {
            header,
            until: Instant::now() + good,
            is_fresh: true,
        })
    }

    /// Opens a file of a message.
    pub(super) async fn file(&self, attachment: &Attachment) -> Result<File, FetchError> {
        let gone = || FetchError::Gone("the file has no address".to_owned());
        let source = attachment.source.as_deref().ok_or_else(gone)?;
        let url = match source.strip_prefix(VOICE) {
            Some(id) => self.voice(id).await?,
            None => source.to_owned(),
        };
        let fetched = self.client.fetch(Call::get_at(url), FETCHED).await?;
        Ok(fetched.content)
    }

    /// Where a voice message is, for an hour.
    async fn voice(&self, id: &str) -> Result<String, FetchError> {
        let query = [("voice_ids", id)];
        let told = self.get("v1/~/getVoiceFiles", &query, NO_CLOCK).await;
        let told = told.map_err(|failure| failure.of_file())?;
        let url = told["voices_urls"][id].as_str().map(str::to_owned);
        url.ok_or_else(|| FetchError::Gone("there is no such voice message".to_owned()))
    }
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut value = value.ok().filter(|_| is_plain)?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::routing::post;
    use axum::{Json, Router};
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::super::config::tests::setup;
    use super::*;

    /// How many tokens so many calls take, where each is good for so long.
    async fn tokens_of(calls: usize, expires_secs: u64) -> usize {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let token = move || async move {
            let number = counted.fetch_add(1, Ordering::Relaxed);
            Json(json!({"access_token": format!("t{number}"), "expires_in": expires_secs}))
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api_url = format!("http://{}", listener.local_addr().unwrap());
        let done = || async { Json(json!({"ok": true})) };
        let pages = Router::new().route("/token", post(token));
        let pages = pages.route("/messenger/v1/accounts/7/chats/a~b/read", post(done));
        tokio::spawn(async move { axum::serve(listener, pages).await });
        let config = Config::read(&setup(toml::toml! {
            user_id = 7
            client_id = "id"
            client_secret = "secret"
            webhook_secret = "0123456789abcdef"
            api_url = api_url
        }));
        let api = Api::new(&config.unwrap());
        let call = || async {
            let told = api
                .post("v1/~/chats/a~b/read", &Value::Null, NO_CLOCK)
                .await;
            assert_eq!(told, Ok(json!({"ok": true})));
        };
        futures::future::join_all((0..calls).map(|_| call())).await;
        count.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn a_token_is_replaced_before_it_ends() {
        assert_eq!(tokens_of(5, 86_400).await, 1);
        // What is good for no more than a minute is good for one call.
        assert_eq!(tokens_of(5, 60).await, 5);
    }
}
