//! The Graph API: what a call is, and what its answers mean.

use bytes::Bytes;
use domain::message::Attachment;
use domain::{Millis, Timestamp};
use http::{HeaderValue, Method};
use serde_json::Value;

use super::content::OCTETS;
use super::failure::Failure;
use crate::egress::{Body, Call, Client, Limits, Reply, To, Upload};
use crate::{FetchError, File};

/// Where no clock is at hand, a wait that a server asks for by a date is none.
pub(super) const NO_CLOCK: Timestamp = Timestamp(0);
/// What every call that has something done is sent as.
const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=utf-8");
/// A hundred events with long texts.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// How much longer a file may take than a word.
const UPLOAD: Millis = Millis::from_secs(120);
/// What clients may send each other, as far as it is kept.
const FETCHED: Limits = Limits {
    bytes_max: 250 << 20,
    time_max: Millis::from_secs(300),
};

/// A group's connection.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    token: String,
}

impl Api {
    pub(super) fn new(client: Client, token: String) -> Self {
        Self { client, token }
    }

    /// Asks for something.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Value, Failure> {
        Ok(self.ask(Call::get(path), query, now).await?.json()?)
    }

    /// Has something done.
    pub(super) async fn post(
        &self,
        path: &str,
        fields: &Value,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let body = Body::Bytes(JSON, Bytes::from(fields.to_string()));
        let call = Call::new(Method::POST, To::Path(path.to_owned()), body);
        Ok(self.ask(call, &[], now).await?.json()?)
    }

    /// Asks for events, as they are.
    pub(super) async fn updates(
        &self,
        query: &[(&str, &str)],
        wait: Millis,
        now: Timestamp,
    ) -> Result<Vec<u8>, Failure> {
        let mut call = Call::get("me/updates");
        call.wait = wait;
        let reply = self.ask(call, query, now).await?;
        if reply.is_whole {
            return Ok(reply.body);
        }
        Err(Failure::InDoubt("the events broke off".to_owned()))
    }

    async fn ask(
        &self,
        mut call: Call,
        query: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Reply, Failure> {
        call = call.query("access_token", self.token.as_str());
        for (name, value) in query {
            call = call.query(name, *value);
        }
        call.answer_bytes_max = ANSWER_BYTES_MAX;
        let reply = self.client.call(call, now).await?;
        Failure::check(&reply)?;
        Ok(reply)
    }

    /// Hands a file to a server that takes files, which need not be told who we are;
    /// answers what it says, if that is JSON.
    pub(super) async fn upload(
        &self,
        url: &str,
        file: Upload,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let mut call = Call::post_at(url, Body::Multipart(Vec::new(), vec![file]));
        call.wait = UPLOAD;
        let reply = self.client.call(call, now).await?;
        Failure::check(&reply)?;
        Ok(serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    /// Opens a file of a message.
    pub(super) async fn file(&self, attachment: &Attachment) -> Result<File, FetchError> {
        let gone = |why: &str| FetchError::Gone(why.to_owned());
        let source = attachment.source.as_deref();
        let source = source.ok_or_else(|| gone("the file has no address"))?;
        let fetched = self.client.fetch(Call::get_at(source), FETCHED).await?;
        let kind = fetched.content_type.unwrap_or_default();
        if kind
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
            && attachment.media_type != OCTETS
        {
            return Err(gone("its address leads to a page"));
        }
        Ok(fetched.content)
    }
}
