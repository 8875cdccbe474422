//! Viber's API: what a call is, and what its answers mean.

use domain::{Millis, Timestamp};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::errors::Failure;
use crate::egress::{Body, Call, Client, Limits};
use crate::{FetchError, File};

/// Where no clock is at hand, a wait that a server asks for by a date is none.
pub(super) const NO_CLOCK: Timestamp = Timestamp(0);
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-viber-auth-token");
/// What clients may send each other.
const FETCHED: Limits = Limits {
    bytes_max: 200 << 20,
    time_max: Millis::from_secs(300),
};

/// A bot's connection.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    token: HeaderValue,
}

impl Api {
    pub(super) fn new(client: Client, token: HeaderValue) -> Self {
        Self { client, token }
    }

    /// Calls a method. Refusals, too, come with the status of success.
    pub(super) async fn call(
        &self,
        method: &str,
        fields: Value,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let call = Call::post(method, Body::Json(fields));
        let call = call.header(TOKEN_HEADER, self.token.clone());
        let reply = self.client.call(call, now).await?;
        if reply.status.is_server_error() || reply.status.as_u16() == 429 {
            let after = reply.retry_after;
            let words = reply.to_string();
            return Err(Failure::Busy { words, after });
        }
        let told = reply.json()?;
        let code = told["status"].as_i64();
        match code {
            Some(0) => Ok(told),
            Some(code) => Err(Failure::told(code, &told)),
            None => Err(Failure::InDoubt("an answer without \"status\"".to_owned())),
        }
    }

    /// Opens a file of a message.
    pub(super) async fn file(&self, url: &str) -> Result<File, FetchError> {
        let fetched = self.client.fetch(Call::get_at(url), FETCHED).await?;
        Ok(fetched.content)
    }
}
