//! The feed: whoever comes back with their cursor sees everything once.

use std::collections::{BTreeMap, BTreeSet};

use domain::operator::Role;
use e2e::http::Events;
use e2e::operator::{Bearer, Signed, text_of};
use e2e::{OperatorClient, TestGateway, Visitor, http, soon};
use futures::future::join_all;
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::inbox_client::InboxClient;
use proto::inbox::v1::subscribe_response::Step;
use rusqlite::Connection;
use serde_json::Value;
use tonic::Code;
use tonic::transport::Endpoint;

const FEED: &str = "/switchboard.inbox.v1.Inbox/Subscribe";
const THE_END: &str = "the end";

/// Reproducible luck.
struct Luck(u64);

impl Luck {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

/// What a page that only applies events shows.
#[derive(Clone, Debug, Default, PartialEq)]
struct Page {
    conversations: BTreeMap<String, pb::Conversation>,
    messages: BTreeMap<String, pb::Message>,
}

impl Page {
    fn apply(&mut self, kind: Kind) {
        match kind {
            Kind::ConversationOpened(new) | Kind::ConversationChanged(new) => {
                self.conversations.insert(new.id.clone(), new);
            }
            Kind::MessageAdded(new) | Kind::MessageChanged(new) => {
                self.messages.insert(new.id.clone(), new);
            }
            _ => {}
        }
    }

    /// The parts that are compared where the event comes as JSON.
    fn gist(&self) -> Gist {
        Gist {
            conversations: self
                .conversations
                .values()
                .map(|one| {
                    let state = one.state().as_str_name().to_owned();
                    let text = one.last_message_text.clone();
                    (one.id.clone(), (one.version.to_string(), state, text))
                })
                .collect(),
            messages: self
                .messages
                .values()
                .map(|one| {
                    let delivery = one.delivery().as_str_name().to_owned();
                    (one.id.clone(), (text_of(one).to_owned(), delivery))
                })
                .collect(),
        }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Gist {
    conversations: BTreeMap<String, (String, String, String)>,
    messages: BTreeMap<String, (String, String)>,
}

impl Gist {
    fn apply(&mut self, event: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for kind in ["conversationOpened", "conversationChanged"] {
            if let Some(new) = event.get(kind) {
                let is = (
                    text(&new["version"]),
                    text(&new["state"]),
                    text(&new["lastMessageText"]),
                );
                self.conversations.insert(text(&new["id"]), is);
            }
        }
        for kind in ["messageAdded", "messageChanged"] {
            if let Some(new) = event.get(kind) {
                let delivery = match new["delivery"].as_str() {
                    Some(delivery) => delivery,
                    None => DeliveryState::Unspecified.as_str_name(),
                };
                let is = (text(&new["text"]["plain"]), delivery.to_owned());
                self.messages.insert(text(&new["id"]), is);
            }
        }
    }

    fn has_ended(&self) -> bool {
        self.messages.values().any(|(text, _)| text == THE_END)
    }
}

/// What a client has been through.
struct Seen {
    cursors: Vec<i64>,
    drops: usize,
}

async fn by_grpc(mut inbox: InboxClient<Signed>, number: u64) -> (Page, Seen) {
    let mut luck = Luck(number);
    let mut page = Page::default();
    let mut seen = Seen {
        cursors: vec![0],
        drops: 0,
    };
    loop {
        let cursor = seen.cursors.last().unwrap().to_string();
        let opened = inbox.subscribe(pb::SubscribeRequest { cursor }).await;
        let mut feed = opened.unwrap().into_inner();
        let mut left = 1 + luck.below(120);
        while left > 0 {
            left -= 1;
            let told = soon("a step", feed.message()).await.unwrap().unwrap();
            let Some(Step::Event(event)) = told.step else {
                continue;
            };
            if !told.cursor.is_empty() {
                seen.cursors.push(told.cursor.parse().unwrap());
            }
            let Some(kind) = event.kind else { continue };
            let is_end = matches!(&kind, Kind::MessageAdded(said) if text_of(said) == THE_END);
            page.apply(kind);
            if is_end {
                return (page, seen);
            }
        }
        seen.drops += 1;
    }
}

async fn by_http(url: &str, token: &str, number: u64) -> (Gist, Seen) {
    let mut luck = Luck(number);
    let mut gist = Gist::default();
    let mut seen = Seen {
        cursors: vec![0],
        drops: 0,
    };
    loop {
        let cursor = seen.cursors.last().unwrap().to_string();
        let mut feed = Events::open(url, FEED, token, &cursor).await;
        let mut left = 1 + luck.below(120);
        while left > 0 {
            left -= 1;
            let told = feed.next().await.unwrap();
            assert_eq!(told.event, "");
            let Some(event) = told.data.get("event") else {
                continue;
            };
            if !told.id.is_empty() {
                seen.cursors.push(told.id.parse().unwrap());
            }
            gist.apply(event);
            if gist.has_ended() {
                return (gist, seen);
            }
        }
        seen.drops += 1;
    }
}

/// Some visitors and operators at work.
async fn work(gateway: &TestGateway) {
    let mut people = Vec::new();
    for name in ["anna", "bob"] {
        people.push(gateway.ready_operator(name).await);
    }
    let visitors = (0..8).map(async |number| {
        let mut visitor = gateway.visitor().await;
        visitor.say("c-1", &format!("question {number}")).await;
        visitor.say("c-2", "and another one").await;
        visitor.hears("the answer").await;
    });
    let answers = people.iter_mut().map(async |who| {
        let mut answered = Vec::new();
        for number in 0..4 {
            let conversation = who.accept().await;
            let client_id = format!("a-{number}");
            let said = who.say(&conversation.id, &client_id, "the answer").await;
            answered.push(said.unwrap().conversation_id);
        }
        answered
    });
    let (_, answered) = tokio::join!(join_all(visitors), join_all(answers));
    for (who, conversations) in people.iter_mut().zip(answered) {
        for conversation in conversations {
            who.finish(&conversation).await.unwrap();
        }
        who.set_presence(pb::Presence::Offline).await;
    }
}

/// Everything, as a page that is loaded anew shows it.
async fn reload(boss: &mut OperatorClient) -> Page {
    let mut page = Page::default();
    for folder in [pb::Folder::AllOpen, pb::Folder::Ended] {
        for conversation in boss.list(folder).await.conversations {
            for message in boss.messages(&conversation.id).await {
                page.messages.insert(message.id.clone(), message);
            }
            page.conversations
                .insert(conversation.id.clone(), conversation);
        }
    }
    page
}

fn gaps_and_repeats(seen: &Seen, told: &BTreeSet<i64>) -> (usize, usize) {
    let cursors: BTreeSet<i64> = seen.cursors[1..].iter().copied().collect();
    let twice = seen.cursors.len() - 1 - cursors.len();
    assert!(seen.cursors.is_sorted());
    let last = *cursors.last().unwrap();
    (
        told.range(..=last)
            .filter(|cursor| !cursors.contains(cursor))
            .count(),
        twice,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_seen_once_across_gaps() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let url = gateway.url();
    let mut channels = Vec::new();
    for _ in 0..4 {
        let endpoint = Endpoint::from_shared(url.clone()).unwrap();
        channels.push(endpoint.connect().await.unwrap());
    }
    let mut by_grpc_runs = Vec::new();
    let mut by_http_runs = Vec::new();
    for number in 0..200 {
        let token = boss.token.clone();
        if number % 5 == 0 {
            let url = url.clone();
            by_http_runs.push(tokio::spawn(
                async move { by_http(&url, &token, number).await },
            ));
        } else {
            let channel = channels[usize::try_from(number % 4).unwrap()].clone();
            let inbox = InboxClient::with_interceptor(channel, Bearer(token));
            by_grpc_runs.push(tokio::spawn(by_grpc(inbox, number)));
        }
    }
    work(&gateway).await;
    // Nobody is Ready, so nothing that a page shows happens after this.
    let mut last = gateway.visitor().await;
    last.say("c-1", THE_END).await;

    let by_grpc_done = join_all(by_grpc_runs).await;
    let by_http_done = join_all(by_http_runs).await;
    let fresh = reload(&mut boss).await;
    let told = told(&gateway);
    let (mut drops, mut missed, mut twice) = (0, 0, 0);
    let mut count = |seen: &Seen| {
        let (gaps, repeats) = gaps_and_repeats(seen, &told);
        drops += seen.drops;
        missed += gaps;
        twice += repeats;
    };
    for done in by_grpc_done {
        let (page, seen) = done.unwrap();
        count(&seen);
        assert_eq!(page, fresh);
    }
    for done in by_http_done {
        let (gist, seen) = done.unwrap();
        count(&seen);
        assert_eq!(gist, fresh.gist());
    }
    println!(
        "clients 200, events {}, drops {drops}, missed {missed}, twice {twice}",
        told.len()
    );
    assert_eq!((missed, twice), (0, 0));
}

/// The numbers of the events that a supervisor hears of.
fn told(gateway: &TestGateway) -> BTreeSet<i64> {
    let store = Connection::open(gateway.store_path()).unwrap();
    let mut statement = store
        .prepare(
            "select cursor from event where json_extract(doc, '$.conversation_left') is null
             order by cursor",
        )
        .unwrap();
    let rows = statement.query_map((), |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Reads until the feed says to load anew; the cursor to go on from.
async fn reset(inbox: &mut InboxClient<Signed>, cursor: &str) -> i64 {
    let request = pb::SubscribeRequest {
        cursor: cursor.to_owned(),
    };
    let mut feed = inbox.subscribe(request).await.unwrap().into_inner();
    loop {
        let told = soon("a reset", feed.message()).await.unwrap().unwrap();
        match told.step {
            Some(Step::Reset(_)) => return told.cursor.parse().unwrap(),
            Some(Step::Event(event)) => panic!("{cursor} is not known, but: {event:?}"),
            Some(Step::Ready(_)) | None => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_time_begins_anew() {
    let mut gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "one").await;
    boss.hears("one").await;
    let newest: i64 = boss.cursor.parse().unwrap();
    assert!(reset(&mut boss.inbox, "999999999").await >= newest);
    for wrong in ["abc", "1.5", "99999999999999999999"] {
        let request = pb::SubscribeRequest {
            cursor: wrong.to_owned(),
        };
        let refused = boss.inbox.subscribe(request).await.err().unwrap();
        assert_eq!(refused.code(), Code::InvalidArgument, "{wrong}");
    }
    // By server-sent events, too.
    let mut feed = Events::open(&gateway.url(), FEED, &boss.token, "999999999").await;
    let first = feed.next().await.unwrap();
    let told = if first.data.get("reset").is_some() {
        first
    } else {
        feed.next().await.unwrap()
    };
    assert!(told.data.get("reset").is_some(), "{told:?}");
    assert!(told.id.parse::<i64>().unwrap() >= newest);

    // What is old is forgotten.
    drop(feed);
    let path = gateway.store_path();
    let (token, cursor) = visitor.vanish();
    gateway.stop().await;
    let store = Connection::open(&path).unwrap();
    store
        .execute("delete from event where cursor < ?1", [newest])
        .unwrap();
    drop(store);
    gateway.restart().await;
    let mut boss = gateway.sign_in("boss").await;
    let now: i64 = boss.cursor.parse().unwrap();
    for old in ["1", "0", "-7"] {
        assert!(reset(&mut boss.inbox, old).await >= now, "{old}");
    }
    // And it goes on from there.
    let mut visitor = Visitor::open(&gateway.url(), "site", Some(&token), cursor).await;
    visitor.say("c-2", "two").await;
    let heard = boss.hears("two").await;
    let page = reload(&mut boss).await;
    assert!(page.messages.contains_key(&heard.id));
    let refused = http::send(
        &gateway.url(),
        http::request(::http::Method::GET, FEED, Some("wrong"))
            .body(bytes::Bytes::new().into())
            .unwrap(),
    )
    .await;
    assert_eq!(refused.status, 401);
}
