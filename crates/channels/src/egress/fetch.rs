//! Files of messages, which a provider says are somewhere.

use std::io;

use domain::Millis;
use futures::StreamExt as _;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::call::{Body, Call, To};
use super::client::{Client, Due, duration};
use super::disposition;
use super::error::CallError;
use crate::{FetchError, File};

/// So often a server may send us on.
const REDIRECTS_MAX: usize = 3;

/// What a file may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How large it may be.
    pub bytes_max: u64,
    /// How long it may take, from the call to its last byte.
    pub time_max: Millis,
}

/// A file that is there to be read.
pub struct Fetched {
    /// What is in it. Ends with an error when it breaks off or breaks a limit.
    pub content: File,
    /// What type it is said to be of.
    pub content_type: Option<String>,
    /// What it is said to be called, without folders.
    pub name: Option<String>,
    /// How long it is said to be.
    pub length: Option<u64>,
}

impl Client {
    /// Opens a file. Follows a few redirects, each checked as the first address, and
    /// shows the headers of the call only to those that may see them.
    pub async fn fetch(&self, call: Call, limits: Limits) -> Result<Fetched, FetchError> {
        let due = Due::within(duration(limits.time_max));
        let place = self.place(&call.to, &call.query);
        let mut place = place.map_err(FetchError::Gone)?;
        let (headers, hosts, method) = (call.headers.clone(), call.hosts, call.method.clone());
        let mut hop = call;
        for _ in 0..=REDIRECTS_MAX {
            if !self.may_see(&place.url, hosts) {
                hop.headers.clear();
            }
            let response = self.send(&place, hop, due).await;
            let response = response.map_err(no_answer)?;
            if !response.status().is_redirection() || method != Method::GET {
                return opened(response, limits.bytes_max, due.at);
            }
            let next = text_of(response.headers(), header::LOCATION);
            let next = next.and_then(|next| place.url.join(&next).ok());
            let next = next.ok_or_else(|| FetchError::Gone("a redirect to nowhere".to_owned()))?;
            place = self.elsewhere(next).map_err(FetchError::Gone)?;
            hop = Call::new(Method::GET, To::Path(String::new()), Body::Empty);
            hop.headers.clone_from(&headers);
        }
        Err(FetchError::Gone("too many redirects".to_owned()))
    }
}

fn opened(response: Response, bytes_max: u64, deadline: Instant) -> Result<Fetched, FetchError> {
    check(response.status())?;
    let length = response.content_length();
    if length.is_some_and(|length| length > bytes_max) {
        return Err(FetchError::Gone(format!("larger than {bytes_max} bytes")));
    }
    let headers = response.headers();
    let named = text_of(headers, header::CONTENT_DISPOSITION);
    Ok(Fetched {
        content_type: text_of(headers, header::CONTENT_TYPE),
        name: named.as_deref().and_then(disposition::file_name),
        length,
        content: capped(response, bytes_max, deadline),
    })
}

fn check(status: StatusCode) -> Result<(), FetchError> {
    let words = format!("the server answered {}", status.as_u16());
    match status.as_u16() {
        200 => Ok(()),
        // Who we are may be set right.
        401 | 408 | 425 | 429 | 500.. => Err(FetchError::Later(words)),
        _ => Err(FetchError::Gone(words)),
    }
}

fn no_answer(error: CallError) -> FetchError {
    match error {
        CallError::Refused(reason) => FetchError::Gone(reason),
        CallError::NotSent(reason) | CallError::InDoubt(reason) => FetchError::Later(reason),
    }
}

/// What is read until it breaks a limit.
fn capped(response: Response, bytes_max: u64, deadline: Instant) -> File {
    let start = (response, bytes_max, deadline);
    let read = async |(mut response, left, deadline): (Response, u64, Instant)| {
        let piece = timeout_at(deadline, response.chunk()).await;
        let piece = piece.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        // The cause, not the address.
        let piece = piece.map_err(|error| io::Error::other(super::error::reason(&error)))?;
        let Some(piece) = piece else {
            return Ok(None);
        };
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let left = left.checked_sub(length);
        let left = left.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        Ok(Some((piece, (response, left, deadline))))
    };
    futures::stream::try_unfold(start, read).boxed()
}

fn text_of(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
