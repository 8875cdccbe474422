//! How fast a gateway, a process of its own, takes what a platform tells it, and what that
//! costs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use e2e::http::Connection;
use e2e::providers::Platform;
use e2e::real::{Random, Server, Store, figure, given, load_average, median};
use futures::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use super::books::word;

const ROUNDS: u64 = 3;
const CALLS: u64 = 8_000;
const CLIENTS: u64 = 200;
const CONNECTIONS: usize = 64;
/// Of a hundred calls, those that bring again what was brought before.
const AGAIN: u64 = 30;

/// What a client wrote. When it was told is a place in the order of all beginnings and ends.
struct Message {
    client: u64,
    text: String,
    call: Bytes,
    /// When the first call of it began.
    begun: AtomicUsize,
    /// When the last one was answered.
    taken: AtomicUsize,
}

/// What is told.
#[derive(Default)]
struct Load {
    messages: Vec<Message>,
    /// The calls by their messages, and how many are made.
    calls: Vec<usize>,
    made: AtomicUsize,
    /// Beginnings and ends so far.
    moments: AtomicUsize,
}

/// What one round came to.
struct Round {
    messages: usize,
    taken: Duration,
    to_the_answer: Duration,
    to_the_end: Duration,
}

pub(super) async fn how_fast_messages_are_taken<P: Platform>() -> Value {
    let calls = given("SWITCHBOARD_CALLS").unwrap_or(CALLS);
    let before = load_average();
    let mut rounds = Vec::new();
    for seed in 0..given("SWITCHBOARD_ROUNDS").unwrap_or(ROUNDS) {
        rounds.push(round::<P>(calls, seed).await);
    }
    let thousands = f64::from(u32::try_from(calls).unwrap()) / 1_000.0;
    let of = |figure: fn(&Round) -> Duration| {
        let figures = rounds.iter().map(figure);
        median(figures.map(|time| time.as_secs_f64() / thousands))
    };
    json!({
        "test": "platforms",
        "platform": P::KIND,
        "calls": calls,
        "messages": rounds.iter().map(|round| round.messages).collect::<Vec<_>>(),
        "rate": figure(1_000.0 / of(|round| round.taken)),
        "cpu_s_per_1000": figure(of(|round| round.to_the_answer)),
        "cpu_s_per_1000_whole_path": figure(of(|round| round.to_the_end)),
        "load_before": figure(before),
        "load_after": figure(load_average()),
    })
}

async fn round<P: Platform>(calls: u64, seed: u64) -> Round {
    let provider = P::open().await;
    let folder = TempDir::new().unwrap();
    let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
    server.add_line(P::KIND, "main", &provider.called());
    server.begin().await;
    provider.ready().await;
    let by_hand = || format!("{}/hooks/{}", server.url, P::KIND);
    let hook = provider.hook().unwrap_or_else(by_hand);
    let load = Arc::new(Load::new(&provider, &hook, calls, Random::new(seed)));
    let connections = join_all((0..CONNECTIONS).map(|_| Connection::open(&server.url))).await;

    let (begun, before) = (Instant::now(), server.processor());
    let callers = connections.into_iter();
    let callers = callers.map(|connection| tokio::spawn(tell::<P>(connection, Arc::clone(&load))));
    for caller in join_all(callers).await {
        caller.unwrap();
    }
    let (taken, to_the_answer) = (begun.elapsed(), server.processor().saturating_sub(before));
    let store = Store::open(&server.store);
    store.processed().await;
    let to_the_end = server.processor().saturating_sub(before);
    load.prove(&store.written(P::KIND));
    server.stop().await;
    Round {
        messages: load.messages.len(),
        taken,
        to_the_answer,
        to_the_end,
    }
}

/// Makes calls on one connection, each when the last one is answered, until all are made.
async fn tell<P: Platform>(mut connection: Connection, load: Arc<Load>) {
    while let Some(message) = load.next() {
        message.begun.fetch_min(load.moment(), Ordering::SeqCst);
        let answer = connection.ask(&message.call).await;
        assert!(P::is_taken(&answer), "{answer:?}");
        message.taken.fetch_max(load.moment(), Ordering::SeqCst);
    }
}

impl Load {
    fn new<P: Platform>(provider: &P, hook: &str, calls: u64, mut random: Random) -> Self {
        let mut this = Self::default();
        for _ in 0..calls {
            let known = this.messages.len();
            if known > 0 && random.below(100) < AGAIN {
                let earlier = random.below(u64::try_from(known).unwrap());
                this.calls.push(usize::try_from(earlier).unwrap());
                continue;
            }
            // A few write most.
            let client = (0..3).fold(CLIENTS, |below, _| random.below(below) + 1) - 1;
            let id = P::client(u32::try_from(client).unwrap());
            let text = word(known) + &" Где мой заказ?".repeat(1 + known % 12);
            this.calls.push(known);
            this.messages.push(Message {
                client,
                call: provider.call(&provider.words(&id, &text)).bytes(hook),
                text,
                begun: AtomicUsize::new(usize::MAX),
                taken: AtomicUsize::new(0),
            });
        }
        this
    }

    fn next(&self) -> Option<&Message> {
        let call = self.made.fetch_add(1, Ordering::SeqCst);
        Some(&self.messages[*self.calls.get(call)?])
    }

    fn moment(&self) -> usize {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    /// Fails where not each is there once, or one stands behind one of the same client that
    /// began to be told only when it was taken.
    fn prove(&self, written: &[String]) {
        let by_text = self.messages.iter().map(|message| (&message.text, message));
        let mut left: BTreeMap<_, _> = by_text.collect();
        let mut earliest = BTreeMap::new();
        for text in written.iter().rev() {
            let message = left.remove(text);
            let message = message.unwrap_or_else(|| panic!("{text} is there again, or of nobody"));
            let [begun, taken] =
                [&message.begun, &message.taken].map(|moment| moment.load(Ordering::SeqCst));
            let earliest = earliest.entry(message.client).or_insert(usize::MAX);
            assert!(begun < *earliest, "{text} was overtaken");
            *earliest = taken.min(*earliest);
        }
        assert!(left.is_empty(), "{} are lost", left.len());
    }
}

#[test]
fn what_is_wrong_is_found() {
    let load = |moments: [(usize, usize); 3]| {
        let messages = moments.into_iter().zip(["a", "b", "c"]);
        let messages = messages.map(|((begun, taken), text)| Message {
            client: 1,
            text: text.to_owned(),
            call: Bytes::new(),
            begun: begun.into(),
            taken: taken.into(),
        });
        Load {
            messages: messages.collect(),
            ..Load::default()
        }
    };
    let is_well = |load: &Load, written: &[&str]| {
        let written: Vec<String> = written.iter().map(|text| (*text).to_owned()).collect();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| load.prove(&written))).is_ok()
    };
    let in_turn = load([(0, 1), (2, 3), (4, 5)]);
    assert!(is_well(&in_turn, &["a", "b", "c"]));
    for wrong in [
        &["a", "c", "b"][..],
        &["a", "b"],
        &["a", "b", "c", "c"],
        &["a", "b", "c", "d"],
    ] {
        assert!(!is_well(&in_turn, wrong), "{wrong:?}");
    }
    let at_once = load([(0, 3), (1, 2), (4, 5)]);
    assert!(is_well(&at_once, &["b", "a", "c"]));
    assert!(!is_well(&at_once, &["b", "c", "a"]));
}
