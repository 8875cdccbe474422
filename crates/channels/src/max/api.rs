//! The API of bots: what a call is, and what its answers mean.

use domain::message::Attachment;
use domain::{Millis, Timestamp};
use http::{HeaderValue, Method, header};
use serde_json::Value;

use super::content::VIDEO;
use super::failure::Failure;
use crate::egress::{Body, Call, Client, Limits, Reply, To, Upload};
use crate::{FetchError, File};

/// Where no clock is at hand, a wait that a server asks for by a date is none.
pub(super) const NO_CLOCK: Timestamp = Timestamp(0);
/// A hundred updates with long texts.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// How much longer a file may take than a word.
const UPLOAD: Millis = Millis::from_secs(120);
/// What clients may send each other, as far as it is kept.
const FETCHED: Limits = Limits {
    bytes_max: 250 << 20,
    time_max: Millis::from_secs(300),
};
/// How large a video is had, the best first.
const VIDEOS: [&str; 6] = [
    "mp4_1080", "mp4_720", "mp4_480", "mp4_360", "mp4_240", "mp4_144",
];

/// A bot's connection.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    authorization: HeaderValue,
}

impl Api {
    pub(super) fn new(client: Client, authorization: HeaderValue) -> Self {
        Self {
            client,
            authorization,
        }
    }

    /// Asks for something.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Value, Failure> {
        self.call(Method::GET, path, query, Body::Empty, now).await
    }

    /// Has something done.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        let call = Call::new(method, To::Path(path.to_owned()), body);
        let told = self.ask(call, query, now).await?.json()?;
        if told["success"] == false {
            return Err(Failure::unsuccessful(&told));
        }
        Ok(told)
    }

    /// Asks for updates, as they are.
    pub(super) async fn updates(
        &self,
        query: &[(&str, &str)],
        wait: Millis,
        now: Timestamp,
    ) -> Result<Vec<u8>, Failure> {
        let mut call = Call::get("updates");
        call.wait = wait;
        let reply = self.ask(call, query, now).await?;
        if reply.is_whole {
            return Ok(reply.body);
        }
        Err(Failure::InDoubt("the updates broke off".to_owned()))
    }

    async fn ask(
        &self,
        mut call: Call,
        query: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<Reply, Failure> {
        for (name, value) in query {
            call = call.query(name, *value);
        }
        call = call.header(header::AUTHORIZATION, self.authorization.clone());
        call.answer_bytes_max = ANSWER_BYTES_MAX;
        let reply = self.client.call(call, now).await?;
        if reply.is_taken() {
            return Ok(reply);
        }
        Err(Failure::told(&reply))
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
        if !reply.is_taken() {
            return Err(Failure::told(&reply));
        }
        Ok(serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    /// Opens a file of a message.
    pub(super) async fn file(&self, attachment: &Attachment) -> Result<File, FetchError> {
        let gone = || FetchError::Gone("the file has no address".to_owned());
        let source = attachment.source.as_deref().ok_or_else(gone)?;
        let url = match source.strip_prefix(VIDEO) {
            Some(token) => self.video(token).await?,
            None => source.to_owned(),
        };
        let fetched = self.client.fetch(Call::get_at(url), FETCHED).await?;
        Ok(fetched.content)
    }

    /// Where a video is.
    async fn video(&self, token: &str) -> Result<String, FetchError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if token.is_empty() || !token.bytes().all(is_plain) {
            return Err(FetchError::Gone("the video has no name".to_owned()));
        }
        let told = self.get(&format!("videos/{token}"), &[], NO_CLOCK).await;
        let told = told.map_err(|failure| match failure {
            Failure::Refused {
                status: 400 | 403 | 404,
                ..
            } => FetchError::Gone(failure.to_string()),
            Failure::Refused { .. } | Failure::NotSent(_) | Failure::InDoubt(_) => {
                FetchError::Later(failure.to_string())
            }
        })?;
        let mut urls = VIDEOS.iter().filter_map(|name| told["urls"][name].as_str());
        let url = urls.next().map(str::to_owned);
        url.ok_or_else(|| FetchError::Later("the video is not ready".to_owned()))
    }
}
