//! One line's way to its provider.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Millis, Timestamp};
use futures::StreamExt as _;
use http::{HeaderValue, header};
use reqwest::multipart::{Form, Part};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, Url};
use tokio::time::{Instant, timeout_at};

use super::call::{Body, Call, To, Upload, form_of};
use super::error::CallError;
use super::guard::{Denied, Reach, Resolver, World};
use super::proxy::Proxy;
use super::reply::Reply;
use super::roots::Roots;
use super::target::Target;
use crate::File;

const HEADERS_MAX: usize = 64;
/// A connection is kept so long: shorter than most servers do, which would end it while
/// we begin to use it.
const IDLE_MAX: Duration = Duration::from_secs(15);
/// A connection is there in so long, and in half of the time of a call.
const CONNECT_MAX: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("Switchboard/", env!("CARGO_PKG_VERSION"));

/// What a client is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// The server, and below what its paths are.
    pub target: Target,
    /// Whom its certificate, and that of others, may be from.
    pub roots: Roots,
    /// By whom it is reached, unless it is on this machine.
    pub proxy: Option<Proxy>,
    /// How long an answer may take.
    pub timeout: Millis,
}

/// Calls one provider: its own server, and what it says is elsewhere. Keeps connections,
/// follows no redirects and tries nothing twice. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    target: Target,
    timeout: Duration,
    /// For the provider's own server.
    own: reqwest::Client,
    /// For whatever is public.
    others: reqwest::Client,
    world: World,
    proxy: Option<Proxy>,
}

/// A request that can be sent, and by which of the two.
pub(super) struct Place {
    pub(super) url: Url,
    is_own: bool,
}

/// When an exchange has to be over, and how long that was from its begin.
#[derive(Clone, Copy)]
pub(super) struct Due {
    pub(super) at: Instant,
    limit: Duration,
}

impl Due {
    pub(super) fn within(limit: Duration) -> Self {
        let at = Instant::now() + limit;
        Self { at, limit }
    }
}

impl Setup {
    /// The server with what is usual: the authorities of browsers and no proxy.
    pub fn new(target: Target, timeout: Millis) -> Self {
        Self {
            target,
            roots: Roots::public(),
            proxy: None,
            timeout,
        }
    }
}

impl Client {
    /// Makes ready to call a server; nothing is sent yet.
    pub fn new(setup: &Setup) -> Result<Self, String> {
        Self::within(setup, World::real())
    }

    pub(super) fn within(setup: &Setup, world: World) -> Result<Self, String> {
        let is_tls = setup.target.is_tls();
        // In clear only to this machine, whatever a name server says.
        let reach = if is_tls { Reach::Anywhere } else { Reach::Here };
        let proxy = setup.proxy.as_ref();
        let build = |reach, proxy| build(setup, &world, reach, proxy);
        Ok(Self {
            inner: Arc::new(Inner {
                target: setup.target.clone(),
                timeout: duration(setup.timeout),
                own: build(reach, proxy.filter(|_| is_tls))?,
                others: build(Reach::Public, proxy)?,
                world,
                proxy: setup.proxy.clone(),
            }),
        })
    }

    /// Asks, and says what came of it: an answer, or why there is none.
    pub async fn call(&self, mut call: Call, now: Timestamp) -> Result<Reply, CallError> {
        let due = Due::within(self.inner.timeout + duration(call.wait));
        let most = call.answer_bytes_max;
        let place = self.place(&call.to, &call.query);
        let place = place.map_err(CallError::Refused)?;
        if !self.may_see(&place.url, call.hosts) {
            call.headers.clear();
        }
        let mut response = self.send(&place, call, due).await?;
        // What it answered is known already: a rest that breaks off or does not end
        // only costs the connection.
        let mut body = Vec::new();
        let is_whole = timeout_at(due.at, read(&mut response, &mut body, most)).await;
        Ok(Reply {
            status: response.status(),
            retry_after: Reply::pause(response.headers(), now),
            headers: std::mem::take(response.headers_mut()),
            body,
            is_whole: is_whole == Ok(true),
        })
    }

    /// Where a call goes, if it may go there.
    pub(super) fn place(&self, to: &To, query: &[(String, String)]) -> Result<Place, String> {
        let mut place = match to {
            To::Path(path) => Place {
                url: self.inner.target.below(path)?,
                is_own: true,
            },
            To::Url(url) => {
                let url = Url::parse(url).map_err(|_| "its address is none".to_owned())?;
                self.elsewhere(url)?
            }
        };
        if !query.is_empty() {
            place.url.query_pairs_mut().extend_pairs(query);
        }
        Ok(place)
    }

    /// An address that somebody gave us. A server on this machine, which is there for
    /// tests or stands for the provider's, may give its own.
    pub(super) fn elsewhere(&self, url: Url) -> Result<Place, String> {
        let target = &self.inner.target;
        let has_user = !url.username().is_empty() || url.password().is_some();
        let is_own = !target.is_tls() && target.is_origin_of(&url) && !has_user;
        if !is_own {
            self.inner.world.admit(&url)?;
            let proxy = self.inner.proxy.as_ref();
            // Its name is not looked up as others are.
            if proxy.is_some_and(|proxy| url.host_str() == Some(proxy.host())) {
                return Err("its address is the proxy's".to_owned());
            }
        }
        Ok(Place { url, is_own })
    }

    /// Whether whoever is at an address may see the headers of a call.
    pub(super) fn may_see(&self, url: &Url, hosts: &[&str]) -> bool {
        let host = url.host_str().unwrap_or_default();
        let is_named = |name: &&str| {
            host.strip_suffix(name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        self.inner.target.is_origin_of(url) || hosts.iter().any(is_named)
    }

    /// Sends a request, and waits for the head of the answer.
    pub(super) async fn send(
        &self,
        place: &Place,
        call: Call,
        due: Due,
    ) -> Result<Response, CallError> {
        let client = if place.is_own {
            &self.inner.own
        } else {
            self.look_ahead(&place.url, due.at).await?;
            &self.inner.others
        };
        let request = client
            .request(call.method, place.url.clone())
            .headers(call.headers);
        let is_broken = Arc::new(AtomicBool::new(false));
        let request = with_body(request, call.body, &is_broken)?;
        let answer = timeout_at(due.at, request.send()).await;
        // Half of a request is none.
        if is_broken.load(Ordering::Acquire) && !matches!(answer, Ok(Ok(_))) {
            let reason = "a file that goes with it could not be read".to_owned();
            return Err(CallError::NotSent(reason));
        }
        let answer = answer.map_err(|_| {
            let limit = due.limit;
            CallError::InDoubt(format!("it did not answer within {limit:?}"))
        })?;
        answer.map_err(|error| CallError::of(&error))
    }

    /// A proxy that looks names up itself is trusted to refuse what it must not reach;
    /// what we see to be wrong it is not asked for.
    async fn look_ahead(&self, url: &Url, deadline: Instant) -> Result<(), CallError> {
        let is_asked = self.inner.proxy.as_ref().is_some_and(Proxy::looks_up);
        let Some(name) = url.domain().filter(|_| is_asked) else {
            return Ok(());
        };
        let found = timeout_at(deadline, (self.inner.world.lookup)(name.to_owned())).await;
        let found = found.ok().and_then(Result::ok).unwrap_or_default();
        let denied = found
            .iter()
            .find(|found| !(self.inner.world.is_public)(found.ip()));
        denied.map_or(Ok(()), |denied| {
            Err(CallError::Refused(Denied(denied.ip()).to_string()))
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.inner.target).finish()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn build(
    setup: &Setup,
    world: &World,
    reach: Reach,
    proxy: Option<&Proxy>,
) -> Result<reqwest::Client, String> {
    let tls = setup.roots.tls().map_err(|error| error.to_string())?;
    let resolver = Resolver {
        world: world.clone(),
        reach,
        proxy: proxy.map(|proxy| proxy.host().to_owned()),
    };
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(resolver)
        .https_only(reach != Reach::Here)
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        .http1_max_headers(HEADERS_MAX)
        .connect_timeout(CONNECT_MAX.min(duration(setup.timeout) / 2))
        .pool_idle_timeout(IDLE_MAX)
        .user_agent(USER_AGENT);
    let words = |error: reqwest::Error| super::error::reason(&error);
    if let Some(proxy) = proxy {
        builder = builder.proxy(proxy.rule().map_err(words)?);
    }
    builder.build().map_err(words)
}

fn with_body(
    request: RequestBuilder,
    body: Body,
    is_broken: &Arc<AtomicBool>,
) -> Result<RequestBuilder, CallError> {
    let (kind, bytes) = match body {
        Body::Empty => return Ok(request),
        Body::Json(value) => (
            HeaderValue::from_static("application/json"),
            value.to_string().into(),
        ),
        Body::Form(fields) => (
            HeaderValue::from_static("application/x-www-form-urlencoded"),
            form_of(&fields).into(),
        ),
        Body::Bytes(kind, bytes) => (kind, bytes),
        Body::Multipart(fields, files) => {
            let mut form = Form::new();
            for (name, value) in fields {
                form = form.text(name, value);
            }
            for file in files {
                let field = file.field.clone();
                let part = part(file, is_broken);
                form = form.part(field, part.map_err(|error| CallError::of(&error))?);
            }
            return Ok(request.multipart(form));
        }
    };
    Ok(request.header(header::CONTENT_TYPE, kind).body(bytes))
}

fn part(file: Upload, is_broken: &Arc<AtomicBool>) -> reqwest::Result<Part> {
    let content = measured(file.content, file.length, Arc::clone(is_broken));
    let content = reqwest::Body::wrap_stream(content);
    Part::stream_with_length(content, file.length)
        .file_name(plain(&file.name))
        .mime_str(&file.content_type)
}

/// A name that can stand between quotes in a head.
fn plain(name: &str) -> String {
    let is_odd = |it: char| it.is_control() || matches!(it, '"' | '\\');
    name.replace(is_odd, "_")
}

/// A file as long as it was said to be.
fn measured(content: File, length: u64, is_broken: Arc<AtomicBool>) -> File {
    let start = (content, length, is_broken);
    let read = async |(mut content, left, is_broken): (File, u64, Arc<AtomicBool>)| {
        if left == 0 {
            return Ok(None);
        }
        if let Some(Ok(mut piece)) = content.next().await {
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - u64::try_from(piece.len()).unwrap_or(left);
            return Ok(Some((piece, (content, left, is_broken))));
        }
        is_broken.store(true, Ordering::Release);
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    };
    futures::stream::try_unfold(start, read).boxed()
}

/// Reads an answer as far as it may go; whether that is to its end.
async fn read(response: &mut Response, body: &mut Vec<u8>, most: usize) -> bool {
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => {
                let room = most.saturating_sub(body.len());
                body.extend_from_slice(&piece[..piece.len().min(room)]);
                if piece.len() > room {
                    return false;
                }
            }
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

pub(super) fn duration(span: Millis) -> Duration {
    Duration::from_millis(u64::try_from(span.0).unwrap_or(1))
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
