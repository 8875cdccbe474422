//! What every provider's server is made of: a port, what it was asked, and how it is told
//! to fail.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::soon;

/// How the next call of a kind is met.
#[derive(Clone, Debug)]
pub enum Fault {
    /// With an answer of the provider's, and nothing done.
    Answer(u16, Value),
    /// Done, and the connection closed without an answer.
    DoneAndDropped,
    /// Closed without being done.
    Dropped,
    /// Not done, and not answered until [`Desk::hang_up`] closes it.
    Hang,
}

/// A call as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The method of HTTP.
    pub method: Method,
    /// Where it went, with the query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// What was sent.
    pub body: Bytes,
}

impl Seen {
    /// What was sent, read as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// What a form or a query says.
pub type Fields = BTreeMap<String, String>;

/// What a provider answers: a status and a body.
pub(super) type Answer = (u16, Bytes);
type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Serve = Arc<dyn Fn(Seen) -> Answering + Send + Sync>;
/// Names a call for faults and counts, such as by its method of the API.
type Name = fn(&Seen) -> String;
/// Chooses how a call is met.
type Plan = Box<dyn FnMut(&str, &Seen) -> Option<Fault> + Send>;

#[derive(Default)]
struct State {
    faults: VecDeque<(String, Fault)>,
    plan: Option<Plan>,
    seen: Vec<(String, Seen)>,
}

/// A provider's port.
pub struct Desk {
    /// Where it is, without a slash at the end.
    pub url: String,
    state: Arc<Mutex<State>>,
    changed: watch::Receiver<()>,
    counter: Arc<Counter>,
    /// None while the port is closed.
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl Desk {
    /// Opens a port. `serve` answers what no fault takes.
    pub async fn open<F>(name: Name, serve: impl Fn(Seen) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::<Mutex<State>>::default();
        let (tell, changed) = watch::channel(());
        let serve: Serve = Arc::new(move |seen| Box::pin(serve(seen)));
        let counter = Arc::new(Counter {
            name,
            serve,
            state: Arc::clone(&state),
            tell,
            hung_up: Notify::new(),
        });
        let serving = tokio::spawn(Arc::clone(&counter).open(listener));
        Self {
            url,
            state,
            changed,
            counter,
            serving: Mutex::new(Some(serving)),
        }
    }

    /// Closes the port, and every connection to it.
    pub async fn shut(&self) {
        let serving = lock(&self.serving).take();
        if let Some(serving) = serving {
            serving.abort();
            // Nobody is listening any more when it has ended.
            let _ = serving.await;
        }
    }

    /// Opens the port that was closed.
    pub async fn reopen(&self) {
        let listener = TcpListener::bind(&self.url["http://".len()..]).await;
        let serving = tokio::spawn(Arc::clone(&self.counter).open(listener.unwrap()));
        *lock(&self.serving) = Some(serving);
    }

    /// Meets calls as a plan has it, where no single fault does: by their names, and what
    /// they are.
    pub fn plan(&self, plan: impl FnMut(&str, &Seen) -> Option<Fault> + Send + 'static) {
        lock(&self.state).plan = Some(Box::new(plan));
    }

    /// Meets all calls as they should be met.
    pub fn mend(&self) {
        let mut state = lock(&self.state);
        state.plan = None;
        state.faults.clear();
    }

    /// Closes what hangs.
    pub fn hang_up(&self) {
        self.counter.hung_up.notify_waiters();
    }

    /// Meets the next call of a name so. Faults of one name come in their order.
    pub fn fail(&self, name: &str, fault: Fault) {
        lock(&self.state).faults.push_back((name.to_owned(), fault));
    }

    /// What was asked by a name so far, also what was met with a fault.
    pub fn seen(&self, name: &str) -> Vec<Seen> {
        let state = lock(&self.state);
        let of_name = state.seen.iter().filter(|(known, _)| known == name);
        of_name.map(|(_, seen)| seen.clone()).collect()
    }

    /// Waits until so many calls of a name came.
    pub async fn until_seen(&self, name: &str, count: usize) -> Vec<Seen> {
        let mut changed = self.changed.clone();
        let wait = async {
            loop {
                changed.mark_unchanged();
                let seen = self.seen(name);
                if seen.len() >= count {
                    return seen;
                }
                changed.changed().await.unwrap();
            }
        };
        soon(&format!("{count} calls of {name}"), wait).await
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(serving) = lock(&self.serving).take() {
            serving.abort();
        }
    }
}

struct Counter {
    name: Name,
    serve: Serve,
    state: Arc<Mutex<State>>,
    tell: watch::Sender<()>,
    hung_up: Notify,
}

impl Counter {
    async fn open(self: Arc<Self>, listener: TcpListener) {
        let mut clients = tokio::task::JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let counter = Arc::clone(&self);
            clients.spawn(async move {
                let service = service_fn(move |request| {
                    let counter = Arc::clone(&counter);
                    async move { counter.meet(request).await }
                });
                // Ends with an error where a fault ends it.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    /// An error closes the connection.
    async fn meet(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let seen = Seen {
            method: head.method,
            path: path.to_owned(),
            headers: head.headers,
            body,
        };
        let name = (self.name)(&seen);
        // Listening before anybody can know that it hangs.
        let hung_up = self.hung_up.notified();
        let fault = lock(&self.state).meet(name, &seen);
        self.tell.send_replace(());
        let (status, body) = match fault {
            None => (self.serve)(seen).await,
            Some(Fault::Answer(status, body)) => (status, body.to_string().into()),
            Some(Fault::DoneAndDropped) => {
                (self.serve)(seen).await;
                return Err(Closed);
            }
            Some(Fault::Dropped) => return Err(Closed),
            Some(Fault::Hang) => {
                hung_up.await;
                return Err(Closed);
            }
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        Ok(response)
    }
}

impl State {
    /// Writes a call down, and answers how it is met.
    fn meet(&mut self, name: String, seen: &Seen) -> Option<Fault> {
        let at = self.faults.iter().position(|(known, _)| *known == name);
        let single = at.and_then(|at| self.faults.remove(at));
        let single = single.map(|(_, fault)| fault);
        let planned = || self.plan.as_mut()?(&name, seen);
        let fault = single.or_else(planned);
        self.seen.push((name, seen.clone()));
        fault
    }
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed")
    }
}

impl std::error::Error for Closed {}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The fields behind an address.
pub(super) fn query(path: &str) -> Fields {
    let (_, query) = path.split_once('?').unwrap_or_default();
    form(query.as_bytes())
}

/// The fields of a form.
pub(super) fn form(body: &[u8]) -> Fields {
    let pairs = body.split(|byte| *byte == b'&');
    let pairs = pairs.filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        Some((decoded(&pair[..at]), decoded(&pair[at + 1..])))
    });
    pairs.collect()
}

fn decoded(encoded: &[u8]) -> String {
    let mut bytes = Vec::new();
    let mut rest = encoded;
    while let [first, behind @ ..] = rest {
        rest = behind;
        if let (b'%', [high, low, behind @ ..]) = (first, behind) {
            let pair = String::from_utf8(vec![*high, *low]).unwrap();
            bytes.push(u8::from_str_radix(&pair, 16).unwrap());
            rest = behind;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}
