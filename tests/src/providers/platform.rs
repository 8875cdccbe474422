//! What the contract suite has to know of a messenger: only in what it differs from others.

use std::fmt::Write as _;
use std::future::Future;

use ::http::Method;
use bytes::Bytes;
use http_body_util::Full;
use proto::channels::v1::DeliveryState;
use serde_json::Value;
use toml::Table;

use super::desk::{Desk, Fault};
use crate::http;

/// Beyond 2⁵³: what reads ids as floats takes one client for another.
const CLIENT: u64 = 9_007_199_254_740_993;

/// A messenger's server, and its line.
pub trait Platform: Sized + Send + Sync + 'static {
    /// The kind of the line, which is also its id.
    const KIND: &'static str;
    /// What the desk calls the call by which words are sent.
    const SENDS: &'static str;
    /// What becomes of a message that was taken without a word.
    const TAKEN: DeliveryState = DeliveryState::Uncertain;
    /// What becomes of one that was not taken, and of which nobody knows.
    const DROPPED: DeliveryState = DeliveryState::Uncertain;

    /// Opens a server.
    fn open() -> impl Future<Output = Self> + Send;

    /// Its port.
    fn desk(&self) -> &Desk;

    /// What is configured of a line that is called.
    fn called(&self) -> Table;

    /// What is configured of one that asks, where there is such a way.
    fn asking(&self) -> Option<Table> {
        None
    }

    /// Waits until the server knows whom to call.
    fn ready(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Where the server was told to call, unless somebody does that by hand.
    fn hook(&self) -> Option<String> {
        None
    }

    /// Waits until somebody asks, or something would not be told.
    fn is_asked(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// A client's id. The next one's is as near to it as can be.
    fn client(number: u32) -> String {
        (CLIENT + u64::from(number)).to_string()
    }

    /// What tells that a client wrote something just now.
    fn words(&self, client: &str, text: &str) -> String;

    /// What tells the same under another name, where there is such a thing.
    fn renamed(&self, body: &str) -> String {
        body.to_owned()
    }

    /// What tells that a client sent kinds of things that nobody knows yet.
    fn strange(&self, client: &str) -> Vec<String>;

    /// What cannot be read, and has to be taken all the same.
    fn unreadable() -> &'static [&'static str] {
        &["not JSON", "{}", "[]", "7", "\"\""]
    }

    /// The call of the webhook that brings something.
    fn call(&self, body: &str) -> Call;

    /// Calls that bring the same and are of somebody else: without a secret, with an empty
    /// one, a wrong one, one of before, or one that is good for something else.
    fn forged(&self, body: &str) -> Vec<Call>;

    /// Whether it is told that a call was taken, in the very words.
    fn is_taken(answer: &http::Answer) -> bool {
        answer.status == 200
    }

    /// Has something told to whoever asks. Only where [`Self::asking`] is a way.
    fn tell(&self, body: &str) {
        let _ = body;
    }

    /// The texts that a client was given.
    fn given(&self, client: &str) -> Vec<String>;

    /// What stands in the call that sends an answer to the message that this tells of, where
    /// one message can answer another.
    fn quoted(&self, body: &str) -> Option<String> {
        let _ = body;
        None
    }

    /// The answer to whoever sends too much, and how many milliseconds it asks for.
    fn flood() -> (Fault, i64);

    /// The line's token is good no more, or again.
    fn shut_out(&self, is_out: bool);
}

/// A platform that tells of an album in pieces.
pub trait Albums: Platform {
    /// What tells of pictures, which are the files with these contents, with words below
    /// the first.
    fn pieces(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String>;
}

/// A platform that shows answers below a message, to be given by a press.
pub trait Buttons: Platform {
    /// What tells that a client pressed a button of the last message that was sent; none
    /// when there is no such button.
    fn press(&self, client: &str, label: &str) -> Option<String>;
}

/// What clients put to messages that they like.
pub(super) const HEART: &str = "❤";

/// What clients do besides writing. What a platform does not tell of, nothing tells.
pub trait Acts: Platform {
    /// What tells that a client sent pictures, which are the files with these contents, with
    /// words.
    fn pictures(&self, client: &str, text: &str, pictures: &[Bytes]) -> Vec<String>;

    /// What tells only now what a client wrote so many hours ago. Only where it matters when.
    fn late(&self, client: &str, text: &str, hours: i64) -> Option<String> {
        let _ = (client, text, hours);
        None
    }

    /// What tells that the last message that was sent is on the client's device.
    fn arrives(&self) -> Option<String> {
        None
    }

    /// What tells that the client has read it.
    fn reads(&self) -> Option<String> {
        None
    }

    /// What tells that the client put a heart to it.
    fn likes(&self) -> Option<String> {
        None
    }
}

/// The object within something that says this under a key.
pub(super) fn found(within: &Value, key: &str, says: &str) -> Option<Value> {
    match within {
        Value::Object(fields) if fields.get(key).is_some_and(|it| it == says) => {
            Some(within.clone())
        }
        Value::Object(fields) => fields.values().find_map(|it| found(it, key, says)),
        Value::Array(items) => items.iter().find_map(|it| found(it, key, says)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// A call of a webhook.
#[derive(Clone, Debug)]
pub struct Call {
    /// What stands behind the address of the line's hook.
    pub behind: String,
    /// Its headers besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// What it brings.
    pub body: String,
}

impl Call {
    /// One without a secret.
    pub fn bare(body: &str) -> Self {
        Self::behind(body, "")
    }

    /// One to an address behind the line's.
    pub fn behind(body: &str, behind: impl Into<String>) -> Self {
        Self {
            behind: behind.into(),
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    /// One with a header.
    pub fn with(body: &str, header: &'static str, value: impl Into<String>) -> Self {
        Self {
            headers: vec![(header, value.into())],
            ..Self::bare(body)
        }
    }

    /// Calls a webhook.
    pub async fn post(&self, hook: &str) -> http::Answer {
        let (address, path) = hook.split_at(hook.find("/hooks").unwrap());
        let path = format!("{path}{}", self.behind);
        let mut request = http::request(Method::POST, &path, None);
        request = request.header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::from(self.body.clone())).unwrap();
        http::send(address, request).await
    }

    /// The bytes of such a call, for a connection that is kept.
    pub fn bytes(&self, hook: &str) -> Bytes {
        let (address, path) = hook.split_at(hook.find("/hooks").unwrap());
        let mut head = format!(
            "POST {path}{} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n",
            self.behind,
            address.trim_start_matches("http://"),
            self.body.len()
        );
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        (head + "\r\n" + &self.body).into()
    }
}

/// Calls that do not say the secret in a header.
pub fn forged_secrets(body: &str, header: &'static str, secret: &str) -> Vec<Call> {
    let wrong = [
        String::new(),
        secret[1..].to_owned(),
        format!("{secret}{secret}"),
        secret.to_uppercase(),
        "an-older-secret-of-ours".to_owned(),
    ];
    let wrong = wrong.map(|secret| Call::with(body, header, secret));
    [vec![Call::bare(body)], wrong.to_vec()].concat()
}

/// Calls that are not signed so in a header. `sign` tells how a body is signed with a key.
pub fn forged_signatures(
    body: &str,
    header: &'static str,
    key: &str,
    sign: impl Fn(&str, &str) -> String,
) -> Vec<Call> {
    let good = sign(key, body);
    let wrong = [
        String::new(),
        good[1..].to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("sha1={good}"),
        sign("an older key of ours", body),
        sign("", body),
        sign(key, &format!("{body} ")),
        sign(key, ""),
    ];
    let wrong = wrong.map(|signature| Call::with(body, header, signature));
    [vec![Call::bare(body)], wrong.to_vec()].concat()
}
