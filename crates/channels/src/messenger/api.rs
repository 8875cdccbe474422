//! The Graph API: what a call is.

use domain::{Millis, Timestamp};
use http::{HeaderValue, header};
use serde_json::Value;

use super::config::Config;
use super::failure::Failure;
use crate::egress::{Body, Call, Client, Limits};
use crate::{FetchError, File};

/// Where no clock is at hand, a wait that a server asks for by a date is none.
pub(super) const NO_CLOCK: Timestamp = Timestamp(0);
/// How much longer than a call a file may take.
const UPLOAD_MAX: Millis = Millis::from_secs(120);
/// What clients may send each other.
const FETCHED: Limits = Limits {
    bytes_max: 100 << 20,
    time_max: Millis::from_secs(180),
};

/// An account's connection. The account itself is `me`: whose token it is.
pub(super) struct Api {
    client: Client,
    authorization: HeaderValue,
}

impl Api {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            client: config.client.clone(),
            authorization: config.authorization.clone(),
        }
    }

    /// Sends a message, or shows a sign.
    pub(super) async fn messages(&self, fields: Value, now: Timestamp) -> Result<Value, Failure> {
        let call = Call::post("me/messages", Body::Json(fields));
        self.call(call, now).await
    }

    /// Hands over a file; answers its id.
    pub(super) async fn upload(&self, body: Body, now: Timestamp) -> Result<String, Failure> {
        let mut call = Call::post("me/message_attachments", body);
        call.wait = UPLOAD_MAX;
        let told = self.call(call, now).await?;
        let id = told["attachment_id"].as_str().map(str::to_owned);
        id.ok_or_else(|| Failure::InDoubt("a file was taken without an id".to_owned()))
    }

    /// What is known of somebody or something.
    pub(super) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, Failure> {
        let mut call = Call::get(path);
        for (name, value) in query {
            call = call.query(name, *value);
        }
        self.call(call, NO_CLOCK).await
    }

    /// Has the account's app told of these events.
    pub(super) async fn subscribe(&self, events: &[String]) -> Result<(), Failure> {
        let call = Call::post("me/subscribed_apps", Body::Empty);
        let call = call.query("subscribed_fields", events.join(","));
        self.call(call, NO_CLOCK).await.map(drop)
    }

    /// What is known of a token, by the app that it was made for.
    pub(super) async fn token(&self, token: &str, app: &str) -> Result<Value, Failure> {
        let call = Call::get("debug_token")
            .query("input_token", token)
            .query("access_token", app);
        self.answered(call, NO_CLOCK).await
    }

    /// Opens a file of a message. Its address is its own secret.
    pub(super) async fn file(&self, url: &str) -> Result<File, FetchError> {
        let fetched = self.client.fetch(Call::get_at(url), FETCHED).await?;
        Ok(fetched.content)
    }

    async fn call(&self, call: Call, now: Timestamp) -> Result<Value, Failure> {
        let call = call.header(header::AUTHORIZATION, self.authorization.clone());
        self.answered(call, now).await
    }

    async fn answered(&self, call: Call, now: Timestamp) -> Result<Value, Failure> {
        let reply = self.client.call(call, now).await?;
        if reply.is_taken() {
            return Ok(reply.json()?);
        }
        Err(Failure::told(&reply))
    }
}
