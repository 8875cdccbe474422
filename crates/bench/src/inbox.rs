//! A large inbox: what it costs when it is empty, how fast it is read when it is
//! full, and how soon the gateway is back on it after a crash.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use proto::inbox::v1 as pb;
use proto::inbox::v1::inbox_client::InboxClient;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Setting;
use crate::dice::{Dice, body, word};
use crate::figures::{Times, figure, median, note, tell};
use crate::gateway::{FORM, Gateway, Handing, Signed, apart};
use crate::http1::Connection;
use crate::load::{End, Plan, submit};
use crate::machine::{Memory, cpu_seconds, load_average, memory, rest};
use crate::watch::{Wanted, Watcher};

/// Reads of each kind.
const READS: usize = 500;
const FILLERS: usize = 64;
const DRAIN_MAX: Duration = Duration::from_mins(30);

/// What an empty gateway costs.
struct Empty {
    start_ms: f64,
    memory: Memory,
    cpu_share: f64,
    binary_mb: f64,
}

#[derive(Default)]
struct Reads {
    list: Times,
    next_page: Times,
    open: Times,
    search: Times,
}

/// How soon it is back, in milliseconds.
struct Back {
    ready: f64,
    first_answer: f64,
    streaming: f64,
}

pub(crate) async fn run(setting: &Setting, conversations: usize) -> anyhow::Result<()> {
    let before = load_average();
    let (apart, _copy) = apart(setting)?;
    let (mut gateway, empty) = start_empty(&apart).await?;
    note(&format!(
        "empty: ready after {:.0} ms; filling",
        empty.start_ms
    ));
    let begun = Instant::now();
    fill(&gateway, conversations).await?;
    let filling = begun.elapsed().as_secs_f64();
    note(&format!("filled in {filling:.0} s; reading"));
    let mut inbox = gateway.inbox().await?;
    let mut reads = Reads::default();
    for round in 0..setting.rounds {
        read(&mut inbox, &mut reads, conversations, round as u64).await?;
    }
    drop(inbox);
    let full = memory(gateway.id());
    let mut backs = Vec::new();
    for round in 1..=setting.rounds {
        let back = crash(&mut gateway, conversations + round).await?;
        note(&format!("back after {:.0} ms", back.first_answer));
        backs.push(back);
    }
    gateway.stop()?;
    let store_mb = fs::metadata(gateway.store())?.len() as f64 / 1e6;
    report(
        setting,
        conversations,
        &empty,
        &mut reads,
        &backs,
        [before, filling, full.pss_kb, store_mb],
    )
}

fn report(
    setting: &Setting,
    conversations: usize,
    empty: &Empty,
    reads: &mut Reads,
    backs: &[Back],
    [before, filling, full_kb, store_mb]: [f64; 4],
) -> anyhow::Result<()> {
    let first_answer = median(backs, |back| back.first_answer);
    let load = load_average();
    tell(
        &format!(
            "inbox, {conversations} conversations: list p50 {:.2} ms, p99 {:.1} ms; open p50 \
             {:.2} ms; search p50 {:.2} ms; after kill -9 the first answer in {first_answer:.0} ms; \
             empty: ready in {:.0} ms, {:.1} MB of PSS, {:.1} MB of program; \
             load {before:.1} to {load:.1}",
            reads.list.p50_ms(),
            reads.list.p99_ms(),
            reads.open.p50_ms(),
            reads.search.p50_ms(),
            empty.start_ms,
            empty.memory.pss_kb / 1_000.0,
            empty.binary_mb,
        ),
        &json!({
            "workload": "inbox",
            "conversations": conversations,
            "reads": READS * setting.rounds,
            "list": told(&mut reads.list),
            "next_page": told(&mut reads.next_page),
            "open": told(&mut reads.open),
            "search": told(&mut reads.search),
            "fill_seconds": figure(filling),
            "full_pss_mb": figure(full_kb / 1_000.0),
            "store_mb": figure(store_mb),
            "crash_ready_ms": figure(median(backs, |back| back.ready)),
            "crash_first_answer_ms": figure(first_answer),
            "crash_streaming_ms": figure(median(backs, |back| back.streaming)),
            "empty_ready_ms": figure(empty.start_ms),
            "empty_rss_mb": figure(empty.memory.rss_kb / 1_000.0),
            "empty_pss_mb": figure(empty.memory.pss_kb / 1_000.0),
            "empty_cpu_share": figure(empty.cpu_share),
            "binary_mb": figure(empty.binary_mb),
            "load_before": figure(before),
            "load_after": figure(load),
        }),
    )?;
    Ok(())
}

fn told(times: &mut Times) -> Value {
    json!({"p50_ms": figure(times.p50_ms()), "p99_ms": figure(times.p99_ms())})
}

async fn start_empty(setting: &Setting) -> anyhow::Result<(Gateway, Empty)> {
    let begun = Instant::now();
    let gateway = Gateway::start(setting, Handing::default())?;
    let start_ms = ms(begun);
    rest(3).await;
    let cpu = cpu_seconds(gateway.id());
    rest(10).await;
    let empty = Empty {
        start_ms,
        memory: memory(gateway.id()),
        cpu_share: (cpu_seconds(gateway.id()) - cpu) / 10.0,
        binary_mb: fs::metadata(&setting.program)?.len() as f64 / 1e6,
    };
    Ok((gateway, empty))
}

async fn fill(gateway: &Gateway, conversations: usize) -> anyhow::Result<()> {
    let watcher = Watcher::open(&mut gateway.inbox().await?, Wanted::Message).await?;
    let plan = Plan {
        address: gateway.address(),
        path: FORM,
        lines: 1,
        connections: FILLERS,
        end: End::Count(conversations / FILLERS),
        may_break: false,
    };
    let mut filled = submit(&plan).await?.numbers.len();
    if filled < conversations {
        let rest = Plan {
            connections: 1,
            end: End::Count(conversations - filled),
            ..plan
        };
        filled += submit_from(&rest, 1 << 40).await?;
    }
    watcher.until(filled, DRAIN_MAX).await
}

async fn submit_from(plan: &Plan, first: u64) -> anyhow::Result<usize> {
    let End::Count(count) = plan.end else {
        return Ok(0);
    };
    let mut connection = Connection::open(plan.address).await?;
    for number in (first..).take(count) {
        let status = connection.post(plan.path, &body(number)).await?;
        ensure!(status == 200, "a submission was answered with {status}");
    }
    Ok(count)
}

async fn read(
    inbox: &mut InboxClient<Signed>,
    reads: &mut Reads,
    conversations: usize,
    seed: u64,
) -> anyhow::Result<()> {
    let mut dice = Dice::new(seed);
    let folders = [pb::Folder::AllOpen, pb::Folder::Waiting];
    for turn in 0..READS {
        let mut request = pb::ListConversationsRequest {
            folder: folders[turn % 2].into(),
            page_size: 50,
            ..Default::default()
        };
        let begun = Instant::now();
        let page = inbox
            .list_conversations(request.clone())
            .await?
            .into_inner();
        reads.list.add(begun.elapsed());
        let folder = page
            .counts
            .iter()
            .find(|count| count.folder() == folders[turn % 2]);
        let count = folder.map_or(0, |folder| folder.count as usize);
        ensure!(
            count >= conversations,
            "WRONG: {count} of {conversations} are counted"
        );
        ensure!(page.conversations.len() == 50, "WRONG: a page is not full");
        request.page_token.clone_from(&page.next_page_token);
        let begun = Instant::now();
        let next = inbox
            .list_conversations(request.clone())
            .await?
            .into_inner();
        reads.next_page.add(begun.elapsed());
        let opened = &next.conversations[dice.below(50) as usize % next.conversations.len()];
        open(inbox, reads, opened).await?;
    }
    for _ in 0..READS {
        let mut query = String::new();
        word(&mut query, dice.zipf(20_000));
        query.push(' ');
        word(&mut query, dice.zipf(20_000));
        let request = pb::SearchMessagesRequest {
            query,
            ..Default::default()
        };
        let begun = Instant::now();
        inbox.search_messages(request).await?;
        reads.search.add(begun.elapsed());
    }
    Ok(())
}

/// Opens a conversation as the page does: what belongs to it, and its messages.
async fn open(
    inbox: &mut InboxClient<Signed>,
    reads: &mut Reads,
    conversation: &pb::Conversation,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let request = pb::GetConversationRequest {
        conversation_id: conversation.id.clone(),
    };
    inbox.get_conversation(request).await?;
    let request = pb::ListTimelineRequest {
        conversation_id: conversation.id.clone(),
        page_size: 50,
        ..Default::default()
    };
    let timeline = inbox.list_timeline(request).await?.into_inner();
    reads.open.add(begun.elapsed());
    ensure!(
        timeline.messages.len() == 1,
        "WRONG: a conversation has not its one message"
    );
    Ok(())
}

/// Kills the gateway and starts it again.
async fn crash(gateway: &mut Gateway, number: usize) -> anyhow::Result<Back> {
    gateway.kill()?;
    let begun = Instant::now();
    gateway.start_again()?;
    let ready = ms(begun);
    let mut connection = Connection::open(gateway.address()).await?;
    let status = connection
        .post(FORM, &body(1 << 42 | number as u64))
        .await?;
    ensure!(status == 200, "a submission was answered with {status}");
    let first_answer = ms(begun);
    let watcher = Watcher::open(&mut gateway.inbox().await?, Wanted::Message)
        .await
        .context("after kill -9")?;
    let streaming = ms(begun);
    drop(watcher);
    Ok(Back {
        ready,
        first_answer,
        streaming,
    })
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}
