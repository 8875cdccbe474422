//! What is asked of a server.

use std::fmt;

use bytes::Bytes;
use domain::Millis;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use crate::File;

/// An answer is read so far where nothing else is said.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// One request. What it says, and where, is never shown.
pub struct Call {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub to: To,
    /// What is added to the query.
    pub query: Vec<(String, String)>,
    /// Headers beside those of the body: for the client's own server, and for `hosts`.
    pub headers: HeaderMap,
    /// Other hosts that may see the headers, with what is below them.
    pub hosts: &'static [&'static str],
    /// What is sent.
    pub body: Body,
    /// How much longer than others this one may take: what a long poll waits.
    pub wait: Millis,
    /// So far the answer is read.
    pub answer_bytes_max: usize,
}

/// Where a call goes.
pub enum To {
    /// To the client's own server, below its base address. Empty for the base itself.
    Path(String),
    /// To an address that somebody gave us: it must be public.
    Url(String),
}

/// What is sent.
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// Fields of a form.
    Form(Vec<(String, String)>),
    /// Bytes of a type.
    Bytes(HeaderValue, Bytes),
    /// Fields and files of a form.
    Multipart(Vec<(String, String)>, Vec<Upload>),
}

/// A file that is sent while it is read.
pub struct Upload {
    /// The field of the form.
    pub field: String,
    /// Its name, for those who get it.
    pub name: String,
    /// Its type.
    pub content_type: String,
    /// How long it is.
    pub length: u64,
    /// What is in it.
    pub content: File,
}

impl Call {
    /// Asks for what is at a path below the base.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, To::Path(path.into()), Body::Empty)
    }

    /// Sends something to a path below the base.
    pub fn post(path: impl Into<String>, body: Body) -> Self {
        Self::new(Method::POST, To::Path(path.into()), body)
    }

    /// Asks for what is at an address that somebody gave us.
    pub fn get_at(url: impl Into<String>) -> Self {
        Self::new(Method::GET, To::Url(url.into()), Body::Empty)
    }

    /// Sends something to an address that somebody gave us.
    pub fn post_at(url: impl Into<String>, body: Body) -> Self {
        Self::new(Method::POST, To::Url(url.into()), body)
    }

    /// Any other request.
    pub fn new(method: Method, to: To, body: Body) -> Self {
        Self {
            method,
            to,
            query: Vec::new(),
            headers: HeaderMap::new(),
            hosts: &[],
            body,
            wait: Millis(0),
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }

    /// Adds to the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// Without what could be secret, which is nearly everything.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// Writes the fields of a form as they are sent.
pub(super) fn form_of(fields: &[(String, String)]) -> String {
    let mut form = String::new();
    for (name, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        encode(name, &mut form);
        form.push('=');
        encode(value, &mut form);
    }
    form
}

fn encode(text: &str, form: &mut String) {
    use fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            let _ = write!(form, "%{byte:02X}");
        }
    }
}
