//! A queue in the store, drained by operators who become Ready at once: given to them
//! as they are, or offered, accepted and finished one by one.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use futures::future::try_join_all;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::inbox_client::InboxClient;
use proto::routing::v1::GetProofRequest;
use proto::routing::v1::routing_client::RoutingClient;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::Setting;
use crate::book::Book;
use crate::figures::Times;
use crate::gateway::{FORM, Gateway, Handing, Signed};
use crate::load::{End, Plan, submit};
use crate::machine::{cpu_seconds, rest, sync_times};
use crate::operators::{hire, say_ready};
use crate::watch::{next_event, subscribe};

/// What waits, and how many drain it.
pub(crate) const WAITING: usize = 5_000;
/// Each has room for a hundred.
pub(crate) const GIVEN_TO: usize = 50;
/// Each has room for one.
pub(crate) const OFFERED_TO: usize = 200;
const CONNECTIONS: usize = 20;
const DRAIN_MAX: Duration = Duration::from_mins(3);

pub(crate) struct Given {
    pub(crate) rate: f64,
    pub(crate) cpu: f64,
    pub(crate) sync_p50_ms: f64,
}

pub(crate) struct Offered {
    pub(crate) rate: f64,
    pub(crate) cpu: f64,
    /// From the answer that somebody is free to the offer in their stream.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// The same from the call.
    pub(crate) call_p50_ms: f64,
    pub(crate) call_p99_ms: f64,
    /// What the gateway's own proof has judged.
    pub(crate) judged: i64,
}

/// Operators with room for everything become Ready; one stream is open.
pub(crate) async fn give(setting: &Setting) -> anyhow::Result<Given> {
    let gateway = Gateway::start(
        setting,
        Handing {
            assign: "direct",
            form_cost: 1,
            queues: 1,
        },
    )?;
    let mut sync = sync_times(gateway.folder())?;
    let book = fill(&gateway, 1).await?;
    let mut operators = hire(&gateway, GIVEN_TO, 1).await?;
    let cpu = cpu_seconds(gateway.id());
    let begun = Instant::now();
    try_join_all(operators.iter_mut().map(|(_, inbox)| say_ready(inbox))).await?;
    book.until("given", WAITING, |read| read.given.len(), DRAIN_MAX)
        .await?;
    let last = book.look(|read| read.given_at());
    let seconds = last.unwrap_or(begun).duration_since(begun).as_secs_f64();
    let cpu = cpu_seconds(gateway.id()) - cpu;
    book.look(|read| {
        let mut has: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, operator) in &read.given {
            *has.entry(operator).or_default() += 1;
        }
        ensure!(
            has.values().all(|number| *number <= 100),
            "WRONG: somebody was given more than a hundred"
        );
        read.check()
    })?;
    Ok(Given {
        rate: WAITING as f64 / seconds,
        cpu: cpu / (WAITING as f64 / 1_000.0),
        sync_p50_ms: sync.p50_ms(),
    })
}

/// Operators with room for one, each with a stream, become Ready, accept what they are
/// offered and finish it, until nothing is left.
pub(crate) async fn offer(setting: &Setting, queues: usize) -> anyhow::Result<Offered> {
    let gateway = Gateway::start(
        setting,
        Handing {
            assign: "offer",
            form_cost: 100,
            queues,
        },
    )?;
    let book = fill(&gateway, queues).await?;
    let mut work = JoinSet::new();
    let (tell, mut told) = mpsc::channel(OFFERED_TO);
    let operators = hire(&gateway, OFFERED_TO, queues).await?;
    let cpu = cpu_seconds(gateway.id());
    let begun = Instant::now();
    for (id, inbox) in operators {
        work.spawn(one_by_one(id, inbox, tell.clone()));
    }
    let (mut times, mut call_times) = (Times::default(), Times::default());
    for done in 0..WAITING {
        let slot = tokio::select! {
            slot = timeout(DRAIN_MAX, told.recv()) => slot,
            Some(ended) = work.join_next() => match ended? {
                Ok(never) => match never {},
                Err(error) => return Err(error),
            },
        };
        let slot = slot.with_context(|| format!("WRONG: {done} were offered, and no more"))?;
        let slot = slot.context("nobody works")?;
        times.add(slot.since_answer);
        call_times.add(slot.since_call);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = cpu_seconds(gateway.id()) - cpu;
    book.until("closed", WAITING, |read| read.closed.len(), DRAIN_MAX)
        .await?;
    // Whatever were offered once more would come now.
    rest(1).await;
    work.shutdown().await;
    book.look(|read| read.check())?;
    Ok(Offered {
        rate: WAITING as f64 / seconds,
        cpu: cpu / (WAITING as f64 / 1_000.0),
        p50_ms: times.p50_ms(),
        p99_ms: times.p99_ms(),
        call_p50_ms: call_times.p50_ms(),
        call_p99_ms: call_times.p99_ms(),
        judged: judged(&gateway).await?,
    })
}

/// Fills the queues alike. Answers the book of who came in which order.
async fn fill(gateway: &Gateway, queues: usize) -> anyhow::Result<Book> {
    let book = Book::open(gateway).await?;
    let plan = Plan {
        address: gateway.address(),
        path: FORM,
        lines: queues,
        connections: CONNECTIONS,
        end: End::Count(WAITING / CONNECTIONS),
        may_break: false,
    };
    submit(&plan).await?;
    book.until("waiting", WAITING, |read| read.opened(), DRAIN_MAX)
        .await?;
    Ok(book)
}

/// How long somebody who was free had nothing.
struct Slot {
    since_call: Duration,
    since_answer: Duration,
}

/// Nothing: somebody who works does not end by themselves.
enum Never {}

/// Takes whatever is offered to an operator, and finishes it at once.
async fn one_by_one(
    id: String,
    mut inbox: InboxClient<Signed>,
    tell: mpsc::Sender<Slot>,
) -> anyhow::Result<Never> {
    let mut feed = subscribe(&mut inbox).await?;
    let mut called = Instant::now();
    say_ready(&mut inbox).await?;
    let mut answered = Instant::now();
    loop {
        let Kind::OfferMade(made) = next_event(&mut feed).await? else {
            continue;
        };
        let Some(offer) = made.offer.filter(|offer| offer.operator_id == id) else {
            continue;
        };
        let now = Instant::now();
        let slot = Slot {
            since_call: now.duration_since(called),
            // The stream may be faster than the answer.
            since_answer: now.saturating_duration_since(answered),
        };
        let accept = pb::AcceptOfferRequest {
            offer_id: offer.id.clone(),
            client_id: format!("accept {}", offer.id),
        };
        let accepted = inbox.accept_offer(accept).await;
        accepted.context("WRONG: an offer could not be accepted")?;
        let finish = pb::FinishConversationRequest {
            conversation_id: offer.conversation_id,
            client_id: format!("finish {}", offer.id),
            ..Default::default()
        };
        called = Instant::now();
        inbox.finish_conversation(finish).await?;
        answered = Instant::now();
        if tell.send(slot).await.is_err() {
            bail!("nobody listens");
        }
    }
}

/// What the gateway itself has judged of its offers, and found to be right.
async fn judged(gateway: &Gateway) -> anyhow::Result<i64> {
    let mut routing = RoutingClient::new(gateway.signed().await?);
    let begun = Instant::now();
    loop {
        let proof = routing.get_proof(GetProofRequest {}).await?.into_inner();
        if let Some(law) = proof.laws.iter().find(|law| law.violations != 0) {
            bail!(
                "WRONG: the proof has {} violations of {}",
                law.violations,
                law.name
            );
        }
        if proof.offers + proof.offers_not_judged >= (WAITING as u64).cast_signed() {
            return Ok(proof.offers);
        }
        ensure!(
            begun.elapsed() < DRAIN_MAX,
            "WRONG: the proof knows of {} offers only",
            proof.offers + proof.offers_not_judged
        );
        rest(1).await;
    }
}
