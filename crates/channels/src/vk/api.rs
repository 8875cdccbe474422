//! VK's API: what a call is, and what its answers mean.

use domain::{Millis, Timestamp};
use serde_json::Value;

use super::errors::Failure;
use crate::egress::{Body, Call, Client, Limits, Upload};
use crate::{FetchError, File};

/// The version of the API that everything here is written for.
pub(super) const VERSION: &str = "5.199";
/// Where no clock is at hand, a wait that a server asks for by a date is none.
pub(super) const NO_CLOCK: Timestamp = Timestamp(0);
/// Two hundred messages of a history.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// How much longer a file may take than a word.
const UPLOAD: Millis = Millis::from_secs(60);
/// What clients may send each other.
const FETCHED: Limits = Limits {
    bytes_max: 200 << 20,
    time_max: Millis::from_secs(300),
};

/// A community's connection.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    token: String,
    /// The community's number.
    group: i64,
}

impl Api {
    pub(super) fn new(client: Client, token: String, group: i64) -> Self {
        Self {
            client,
            token,
            group,
        }
    }

    pub(super) fn group(&self) -> i64 {
        self.group
    }

    /// Calls a method.
    pub(super) async fn call(
        &self,
        method: &str,
        fields: &[(&str, String)],
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let fields = fields.iter();
        let mut form: Vec<(String, String)> = fields
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        form.push(("access_token".to_owned(), self.token.clone()));
        form.push(("v".to_owned(), VERSION.to_owned()));
        let mut call = Call::post(format!("method/{method}"), Body::Form(form));
        call.answer_bytes_max = ANSWER_BYTES_MAX;
        let reply = self.client.call(call, now).await?;
        answer(reply.json()?)
    }

    /// Calls a method about the community itself.
    pub(super) async fn call_group(
        &self,
        method: &str,
        fields: &[(&str, String)],
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let mut all = vec![("group_id", self.group.to_string())];
        all.extend_from_slice(fields);
        self.call(method, &all, now).await
    }

    /// Asks a long poll's server for what is new.
    pub(super) async fn ask(
        &self,
        server: &str,
        query: &[(&str, &str)],
        wait: Millis,
        now: Timestamp,
    ) -> Result<Vec<u8>, Failure> {
        let mut call = Call::get_at(server);
        for (name, value) in query {
            call = call.query(name, *value);
        }
        call.wait = wait;
        call.answer_bytes_max = ANSWER_BYTES_MAX;
        let reply = self.client.call(call, now).await?;
        if reply.is_taken() && reply.is_whole {
            return Ok(reply.body);
        }
        Err(Failure::InDoubt(reply.to_string()))
    }

    /// Hands a file to a server that takes files; answers what it says about it.
    pub(super) async fn upload(
        &self,
        url: &str,
        file: Upload,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let mut call = Call::post_at(url, Body::Multipart(Vec::new(), vec![file]));
        call.wait = UPLOAD;
        let reply = self.client.call(call, now).await?;
        if reply.status.is_client_error() {
            return Err(Failure::upload(&reply.to_string()));
        }
        let told = reply.json()?;
        match told["error"].as_str() {
            Some(error) => Err(Failure::upload(error)),
            None => Ok(told),
        }
    }

    /// Opens a file of a message.
    pub(super) async fn file(&self, url: &str) -> Result<File, FetchError> {
        let fetched = self.client.fetch(Call::get_at(url), FETCHED).await?;
        Ok(fetched.content)
    }
}

/// What a method answers, or its refusal, which comes with the same status.
fn answer(mut told: Value) -> Result<Value, Failure> {
    if told["error"].is_object() {
        return Err(Failure::told(&told["error"], "error_code", "error_msg"));
    }
    let response = told.get_mut("response").map(Value::take);
    response.ok_or_else(|| Failure::InDoubt("an answer without \"response\"".to_owned()))
}
