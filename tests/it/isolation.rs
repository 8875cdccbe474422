//! Whether one channel's trouble is the others': visitors of a site and their operator,
//! while one provider answers nobody and another calls ten times as often as they write.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use e2e::http::Connection;
use e2e::operator::{Signed, text_of};
use e2e::providers::telegram::Telegram;
use e2e::providers::vk::Vk;
use e2e::providers::{Fault, Platform};
use e2e::real::{Crew, Server, Store, figure, given, hire, load_average, median, set_up};
use e2e::{OperatorClient, Visitor};
use futures::future::join_all;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::inbox_client::InboxClient;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::contract::books::{number_in, word, word_in};

/// Answers nobody.
type Dead = Telegram;
/// Calls too often.
type Loud = Vk;

const ROUNDS: u64 = 5;
/// Visitors of the site, and what each of them and the operator write in a round.
const VISITORS: usize = 10;
const MESSAGES: usize = 16;
/// From one visitor's message to the next one's, and from answer to answer.
const PACE: Duration = Duration::from_millis(50);
/// Calls of the loud one for one message of a visitor.
const CALLS: u32 = 10;
const CALLERS: usize = 16;
/// Clients of either provider.
const CLIENTS: usize = 100;
/// Answers that wait for the dead one.
const QUEUED: u64 = 10_000;

const QUEUES: &str = "[[queue]]\nid = \"main\"\nassign = \"direct\"\n\
                      [[queue]]\nid = \"other\"\nassign = \"direct\"\n";
/// Everybody's operator has room for them.
const CAPACITY: &str = "[capacity]\ncost = { chat = 0, messenger = 0 }\n";

/// A gateway that is a process of its own, and everybody around it.
struct Place {
    server: Server,
    dead: Dead,
    loud: Loud,
    olga: OperatorClient,
    /// The operator of the providers' lines, and what reads their feed.
    boris: InboxClient<Signed>,
    listens: JoinHandle<()>,
    visitors: Vec<Guest>,
    /// The visitors' conversations.
    conversations: Vec<String>,
    /// What the loud one told so far.
    told: Vec<String>,
    _folder: TempDir,
}

/// A visitor, and the answers that they were shown, by their ids.
struct Guest {
    visitor: Visitor,
    shown: BTreeMap<i64, (Instant, String)>,
}

/// What is written one way in one conversation, and when it is due.
type Due = Vec<(Instant, String)>;
/// How long it took.
type Times = Vec<Duration>;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, of a release build: cargo xtask bench isolation"]
async fn how_long_others_wait_beside_a_dead_provider_and_a_flood() {
    let queued = usize::try_from(given("SWITCHBOARD_QUEUED").unwrap_or(QUEUED)).unwrap();
    let rounds = given("SWITCHBOARD_ROUNDS").unwrap_or(ROUNDS);
    let (mut quiet, mut disturbed) = (Place::open().await, Place::open().await);
    let begun = Instant::now();
    disturbed.dies(queued).await;
    let queuing = begun.elapsed();
    let before = load_average();
    let mut times: [Vec<[Times; 2]>; 2] = Default::default();
    for number in 0..rounds {
        times[0].push(quiet.round(number).await);
        let begins = Instant::now() + PACE;
        let flood = disturbed.flood(begins);
        times[1].push(disturbed.round(number).await);
        flood.await.unwrap();
    }
    let load = load_average();
    let told = disturbed.told.len();
    let tried = disturbed.ends(queued).await;
    quiet.ends(0).await;
    println!(
        "{}",
        json!({
            "test": "isolation",
            "rounds": rounds,
            "messages": VISITORS * MESSAGES,
            "per_s": figure(1.0 / PACE.as_secs_f64()),
            "queued": queued,
            "queuing_s": queuing.as_secs(),
            "tried": tried,
            "flood": told,
            "to_operator_ms": compare(&times, 0),
            "to_client_ms": compare(&times, 1),
            "load_before": figure(before),
            "load_after": figure(load),
        })
    );
}

/// The medians of the rounds, quiet and disturbed, of one way.
fn compare([quiet, disturbed]: &[Vec<[Times; 2]>; 2], way: usize) -> Value {
    let of = |rounds: &[[Times; 2]], percent: usize| {
        let figures = rounds.iter().map(|ways| within_ms(&ways[way], percent));
        median(figures)
    };
    let all = |rounds: &[[Times; 2]]| {
        let p99s = rounds.iter().map(|ways| figure(within_ms(&ways[way], 99)));
        json!({"p50": figure(of(rounds, 50)), "p99": figure(of(rounds, 99)),
            "p99_of_rounds": p99s.collect::<Vec<_>>()})
    };
    let (p99, beside) = (of(quiet, 99), of(disturbed, 99));
    json!({"quiet": all(quiet), "disturbed": all(disturbed),
        "p99_ratio": figure(beside / p99), "p99_more": figure(beside - p99)})
}

/// The time that so many of a hundred did not exceed.
fn within_ms(times: &Times, percent: usize) -> f64 {
    let mut times = times.clone();
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0
}

impl Place {
    async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
        let nobody = Crew {
            visitors: 0,
            unanswered_max: 0,
            forms: 0,
            threads: 0,
            operators: 0,
        };
        let tokens = set_up(&mut server, nobody).await;
        let (dead, loud) = (Dead::open().await, Loud::open().await);
        let config = std::fs::read_to_string(&server.config).unwrap();
        let config = config.replace("[[queue]]\nid = \"main\"\n", QUEUES) + CAPACITY;
        std::fs::write(&server.config, config).unwrap();
        server.add_line(Dead::KIND, "other", &dead.called());
        server.add_line(Loud::KIND, "other", &loud.called());
        server.begin().await;
        tokio::join!(dead.ready(), loud.ready());
        let mut olga = hire(&server.url, &tokens, "olga", "main").await;
        let mut boris = hire(&server.url, &tokens, "boris", "other").await;
        let (visitors, conversations) = visitors(&server.url, &mut olga).await;
        Self {
            server,
            dead,
            loud,
            olga,
            boris: boris.inbox.clone(),
            listens: tokio::spawn(async move { boris.listens().await }),
            visitors,
            conversations,
            told: Vec::new(),
            _folder: folder,
        }
    }

    /// One provider falls silent, with so many answers to hand over to it.
    async fn dies(&mut self, queued: usize) {
        let hook = self.dead.hook().unwrap();
        let clients = (0..CLIENTS).map(|number| Dead::client(u32::try_from(number).unwrap()));
        let clients: Vec<String> = clients.collect();
        for client in &clients {
            let call = self.dead.call(&self.dead.words(client, client));
            assert!(Dead::is_taken(&call.post(&hook).await));
        }
        let conversations = mine(&mut self.boris, CLIENTS).await;
        self.dead.desk.plan(|_, _| Some(Fault::Hang));
        let talks = clients.iter().enumerate().map(|(first, client)| {
            let (mut inbox, conversation) = (self.boris.clone(), &conversations[client]);
            async move {
                for number in (first..queued).step_by(CLIENTS) {
                    answer(&mut inbox, conversation, word(number)).await;
                }
            }
        });
        join_all(talks).await;
    }

    /// The other provider calls at a steady rate, whatever the answers take, as long as a
    /// round lasts.
    fn flood(&mut self, begins: Instant) -> JoinHandle<()> {
        let hook = self.loud.hook().unwrap();
        let pace = PACE / CALLS;
        let mut calls: Vec<Vec<(Instant, Bytes)>> = vec![Vec::new(); CALLERS];
        let count = u32::try_from(VISITORS * MESSAGES).unwrap() * CALLS;
        for (number, place) in (0..count).zip((0..CALLERS).cycle()) {
            let text = word(self.told.len());
            let client = number % u32::try_from(CLIENTS).unwrap();
            let body = self.loud.words(&Loud::client(client), &text);
            calls[place].push((begins + pace * number, self.loud.call(&body).bytes(&hook)));
            self.told.push(text);
        }
        let url = self.server.url.clone();
        tokio::spawn(async move {
            let callers = calls.into_iter().map(|calls| async {
                let mut connection = Connection::open(&url).await;
                for (due, call) in calls {
                    sleep_until(due).await;
                    let answer = connection.ask(&call).await;
                    assert!(Loud::is_taken(&answer), "{answer:?}");
                }
            });
            join_all(callers).await;
        })
    }

    /// Everybody writes at a steady rate; answers how long it took to the operator and to
    /// the visitors, each message there once and in order.
    async fn round(&mut self, number: u64) -> [Times; 2] {
        let begins = Instant::now() + PACE;
        let due = |way: &str| {
            let of = |visitor: usize| {
                let all = (0..MESSAGES).map(|message| {
                    let place = u32::try_from(message * VISITORS + visitor).unwrap();
                    let text = format!("{way}-{number}-{visitor}-{message}");
                    (begins + PACE * place, text)
                });
                all.collect::<Due>()
            };
            (0..VISITORS).map(of).collect::<Vec<Due>>()
        };
        let (written, answers) = (due("written"), due("answer"));
        let visitors = self.visitors.iter_mut().zip(&written);
        let visitors = visitors.map(|(guest, written)| visit(guest, written));
        let inbox = &self.olga.inbox.clone();
        let talks = self.conversations.iter().zip(&answers);
        let talks = talks.map(|(conversation, answers)| async move {
            for (due, text) in answers {
                sleep_until(*due).await;
                answer(&mut inbox.clone(), conversation, text.clone()).await;
            }
        });
        let (heard, given, _) = tokio::join!(
            hear(&mut self.olga, &self.conversations),
            join_all(visitors),
            join_all(talks)
        );
        [took(&written, &heard), took(&answers, &given)]
    }

    /// Makes sure that nothing is missing; answers how many of the answers to the dead one
    /// were tried.
    async fn ends(mut self, queued: usize) -> usize {
        let store = Store::open(&self.server.store);
        store.processed().await;
        let mut there = store.written(Loud::KIND);
        there.sort_unstable();
        self.told.sort_unstable();
        assert_eq!(there, self.told, "the flood is stored");
        self.server.stop().await;
        self.listens.await.unwrap();
        let tried = self.dead.desk.seen(Dead::SENDS);
        let tried: Vec<usize> = tried.iter().filter_map(word_in).collect();
        let unsent = store.unsent(Dead::KIND);
        let unsent = unsent.iter().map(|text| number_in(text).unwrap());
        let mut in_order: Vec<Vec<usize>> = vec![Vec::new(); CLIENTS];
        for number in tried.iter().copied().chain(unsent) {
            in_order[number % CLIENTS].push(number);
        }
        for (first, answers) in in_order.iter().enumerate() {
            let said = (first..queued).step_by(CLIENTS);
            assert_eq!(answers, &said.collect::<Vec<_>>());
        }
        tried.len()
    }
}

/// Visitors whom the operator has, and their conversations.
async fn visitors(url: &str, olga: &mut OperatorClient) -> (Vec<Guest>, Vec<String>) {
    let mut visitors = Vec::new();
    for number in 0..VISITORS {
        let mut visitor = Visitor::open(url, "site", None, 0).await;
        let text = number.to_string();
        visitor.say(&text, &text).await;
        olga.hears(&text).await;
        let shown = BTreeMap::new();
        visitors.push(Guest { visitor, shown });
    }
    let conversations = mine(&mut olga.inbox, VISITORS).await;
    let conversations = (0..VISITORS).map(|number| conversations[&number.to_string()].clone());
    (visitors, conversations.collect())
}

/// An operator's conversations by what was written last, once there are so many.
async fn mine(inbox: &mut InboxClient<Signed>, count: usize) -> BTreeMap<String, String> {
    let request = pb::ListConversationsRequest {
        folder: pb::Folder::Mine.into(),
        page_size: 200,
        ..Default::default()
    };
    let wait = async {
        loop {
            let page = inbox.list_conversations(request.clone()).await;
            let page = page.unwrap().into_inner().conversations;
            if page.len() == count {
                let by_text = page.into_iter().map(|one| (one.last_message_text, one.id));
                return by_text.collect();
            }
        }
    };
    e2e::soon("the conversations are given", wait).await
}

async fn answer(inbox: &mut InboxClient<Signed>, conversation: &str, text: String) {
    let request = pb::SendMessageRequest {
        conversation_id: conversation.to_owned(),
        client_id: text.clone(),
        text,
        ..Default::default()
    };
    inbox.send_message(request).await.unwrap();
}

/// What arrived in one conversation, and when.
type Arrived = Vec<(Instant, String)>;

/// A visitor writes what is due, and reads what is answered.
async fn visit(guest: &mut Guest, written: &Due) -> Arrived {
    let before = guest.shown.len();
    let mut left = written.iter().peekable();
    while left.peek().is_some() || guest.shown.len() < before + MESSAGES {
        let due = left.peek().map_or(Instant::now(), |(due, _)| *due);
        tokio::select! {
            () = sleep_until(due), if left.peek().is_some() => {
                let (_, text) = left.next().unwrap();
                guest.visitor.write(text, text).await;
            }
            frame = guest.visitor.next() => guest.is_shown(&frame.unwrap()),
        }
    }
    guest.shown.values().skip(before).cloned().collect()
}

impl Guest {
    /// A page shows messages by their ids. What changes of one, such as that it was sent,
    /// is told by the whole of it, so that a later one may be told of before.
    fn is_shown(&mut self, frame: &Value) {
        assert_ne!(frame["type"], "refused", "{frame}");
        if frame["type"] == "message" && frame["author"] == "operator" {
            let [id, text] = ["id", "text"].map(|name| frame[name].as_str().unwrap());
            let shown = self.shown.entry(id.parse().unwrap());
            shown.or_insert_with(|| (Instant::now(), text.to_owned()));
        }
    }
}

/// The operator reads what everybody writes.
async fn hear(olga: &mut OperatorClient, conversations: &[String]) -> Vec<Arrived> {
    let mut arrived: Vec<Arrived> = vec![Vec::new(); conversations.len()];
    for _ in 0..conversations.len() * MESSAGES {
        let (conversation, text) = olga
            .wait_for("a message", |kind| match kind {
                Kind::MessageAdded(message) => {
                    let is_written = message.direction() == pb::Direction::Inbound;
                    let text = text_of(&message).to_owned();
                    is_written.then_some((message.conversation_id, text))
                }
                _ => None,
            })
            .await;
        let at = conversations.iter().position(|one| *one == conversation);
        arrived[at.unwrap()].push((Instant::now(), text));
    }
    arrived
}

/// How long each took from when it was due, all of them there once and in order.
fn took(due: &[Due], arrived: &[Arrived]) -> Times {
    let mut times = Times::new();
    for (due, arrived) in due.iter().zip(arrived) {
        let texts = |all: &[(Instant, String)]| -> Vec<String> {
            all.iter().map(|(_, text)| text.clone()).collect()
        };
        assert_eq!(texts(arrived), texts(due));
        let pairs = due.iter().zip(arrived);
        times.extend(pairs.map(|((due, _), (at, _))| *at - *due));
    }
    times
}
