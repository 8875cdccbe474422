//! Outgoing webhooks: nothing is lost, nothing comes out of order, and a receiver that
//! is away holds nobody up.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Millis;
use domain::operator::Role;
use e2e::gateway::PASSWORD;
use e2e::http::Events;
use e2e::real::{Life, Server};
use e2e::receiver::{Delivery, KEY, Met};
use e2e::{OperatorClient, Receiver, TestGateway, http, soon};
use engine::webhooks::{EVENTS, Roots, Secret, Target, Webhook};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

fn secret(key: [u8; 32]) -> Secret {
    Secret::parse(&format!("whsec_{}", STANDARD.encode(key))).unwrap()
}

fn webhook(id: &str, receiver: &Receiver) -> Webhook {
    Webhook {
        id: id.to_owned(),
        target: Target::parse(&receiver.url).unwrap(),
        secrets: vec![secret(KEY)],
        events: BTreeSet::from(EVENTS),
        queues: BTreeSet::new(),
        timeout: Millis(SECOND),
        roots: Roots::public(),
    }
}

/// A gateway that tells receivers, and its admin.
struct House {
    gateway: TestGateway,
    token: String,
}

impl House {
    async fn of(webhooks: Vec<Webhook>) -> Self {
        Self::with(Arc::new(Mutex::new(webhooks))).await
    }

    /// What is configured may change with a restart.
    async fn with(webhooks: Arc<Mutex<Vec<Webhook>>>) -> Self {
        let gateway = TestGateway::start_with(move |settings| {
            settings.webhooks.clone_from(&webhooks.lock().unwrap());
        })
        .await;
        let engine = gateway.engine();
        let (_, token) = engine
            .add_token(None, "admin", Role::Admin, None, Vec::new())
            .await
            .unwrap();
        Self { gateway, token }
    }

    async fn call(&self, method: &str, body: Value) -> Value {
        let name = format!("switchboard.admin.v1.Admin/{method}");
        let answer = http::call(&self.gateway.url(), &name, Some(&self.token), &body).await;
        assert_eq!(answer.code(), "", "{method}: {}", answer.text());
        answer.json()
    }

    async fn status(&self, id: &str) -> Value {
        let listed = self.call("ListWebhooks", json!({})).await;
        let found = listed["webhooks"].as_array().unwrap().iter();
        let mut found = found.filter(|webhook| webhook["id"] == id);
        found.next().unwrap_or_else(|| panic!("{id}")).clone()
    }

    /// Waits until a webhook is as it should be.
    async fn until(&self, id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let status = self.status(id).await;
                if is_so(&status) {
                    return status;
                }
                tokio::task::yield_now().await;
            }
        };
        soon(what, wait).await
    }

    async fn failed(&self, attempts: i64) -> Value {
        self.until("crm", "a failure", |status| status["attempts"] == attempts)
            .await
    }

    async fn acts(&self, act: &str) -> Vec<Value> {
        let found = self.call("ListAudit", json!({"act": act})).await;
        found["entries"].as_array().cloned().unwrap_or_default()
    }

    /// A new client writes, and it is processed.
    async fn writes(&self, text: &str) {
        let mut visitor = self.gateway.visitor().await;
        visitor.say("m-1", text).await;
        let processed = async {
            let engine = self.gateway.engine();
            let pending = || engine.read::<_, store::StoreError>(|view| view.journal_counts());
            while pending().await.unwrap().0 > 0 {
                tokio::task::yield_now().await;
            }
        };
        soon("it is processed", processed).await;
    }
}

/// That what came is in order, each event under an id of its own.
fn check_order(came: &[Delivery]) {
    let mut last = 0;
    for delivery in came {
        assert!(delivery.cursor() >= last, "out of order: {delivery:?}");
        last = delivery.cursor();
    }
    let bodies: BTreeSet<_> = came.iter().map(|one| (&one.id, &one.body)).collect();
    let ids: BTreeSet<_> = came.iter().map(|one| &one.id).collect();
    let cursors: BTreeSet<_> = came.iter().map(Delivery::cursor).collect();
    assert_eq!((bodies.len(), ids.len()), (cursors.len(), cursors.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_what_subscribers_are_told() {
    let receiver = Receiver::start().await;
    let mut rotating = webhook("crm", &receiver);
    rotating.secrets = vec![secret([1; 32]), secret(KEY)];
    let house = House::of(vec![rotating]).await;
    let begun = house.call("ListWebhooks", json!({})).await;
    assert_eq!(begun["webhooks"][0]["state"], "WEBHOOK_UP");
    let url = begun["webhooks"][0]["url"].as_str().unwrap();
    assert!(url.ends_with("/hook"), "{url}: the query may be a key");
    let path = "/switchboard.inbox.v1.Inbox/Subscribe";
    let mut feed = Events::open(&house.gateway.url(), path, &house.token, "0").await;

    let mut anna = house.gateway.ready_operator("anna").await;
    let mut visitor = house.gateway.visitor().await;
    visitor.say("m-1", "is anybody there?").await;
    let conversation = anna.accept().await;
    anna.say(&conversation.id, "r-1", "yes, I am")
        .await
        .unwrap();
    visitor.hears("yes, I am").await;
    anna.finish(&conversation.id).await.unwrap();
    receiver
        .until("the end", |came| {
            let ended = |one: &&Delivery| one.json.to_string().contains("\"CLOSED\"");
            came.iter().find(ended).map(|_| ())
        })
        .await;

    let taken = receiver.taken();
    check_order(&taken);
    let kinds: BTreeSet<&str> = taken.iter().map(Delivery::kind).collect();
    for kind in [
        "conversation_opened",
        "message_added",
        "offer_made",
        "presence_changed",
    ] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    let mut compared = 0;
    while compared < taken.len() {
        let sent = feed.next().await.unwrap();
        if sent.data["event"].is_null() {
            continue;
        }
        assert_eq!(taken[compared].json["data"], sent.data["event"]);
        assert_eq!(taken[compared].json["cursor"], sent.data["cursor"]);
        assert_eq!(taken[compared].json["timestamp"], sent.data["event"]["at"]);
        compared += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_in_its_turn_under_its_id() {
    let receiver = Receiver::start().await;
    let house = House::of(vec![webhook("crm", &receiver)]).await;
    receiver.next([Met::Status(500), Met::Drop, Met::Hang]);
    let other = Receiver::start().await;
    receiver.next([Met::With(307, "location", other.url.clone())]);
    house.writes("first").await;
    house.writes("second").await;

    // As the specification recommends, and no sooner.
    for (attempts, pause, error) in [
        (1, 5 * SECOND, "it answered 500: it is as it is"),
        (2, 5 * MINUTE, "without an answer"),
        (3, 30 * MINUTE, "did not answer within 1s"),
        (4, 2 * HOUR, "a redirect, which is not followed"),
    ] {
        let status = house.failed(attempts).await;
        assert_eq!(status["state"], "WEBHOOK_RETRYING");
        let told = status["error"].as_str().unwrap();
        assert!(told.contains(error), "{told}");
        assert_eq!(receiver.came().len(), usize::try_from(attempts).unwrap());
        house.gateway.clock().advance(pause);
    }
    receiver.told("second").await;
    assert_eq!(other.came().len(), 0);
    let came = receiver.came();
    check_order(&came);
    let first: BTreeSet<_> = came[..5].iter().map(|one| &one.id).collect();
    assert_eq!(first.len(), 1, "one event was tried five times");
    let up = |status: &Value| status["state"] == "WEBHOOK_UP" && status["behindCount"].is_null();
    let status = house.until("crm", "it is up", up).await;
    assert_eq!(status["error"], Value::Null);
    let taken = receiver.taken().len().to_string();
    assert_eq!(status["deliveredCount"], taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_asks_for_a_pause_or_to_be_left_alone() {
    let receiver = Receiver::start().await;
    let house = House::of(vec![webhook("crm", &receiver)]).await;
    receiver.next([
        Met::With(429, "retry-after", "90".to_owned()),
        Met::Status(410),
    ]);
    house.writes("first").await;
    house.failed(1).await;
    house.gateway.clock().advance(80 * SECOND);
    house.writes("second").await;
    assert_eq!(receiver.came().len(), 1);
    house.gateway.clock().advance(11 * SECOND);
    receiver.count(2).await;
    let gone = house
        .until("crm", "gone", |status| status["state"] == "WEBHOOK_GONE")
        .await;
    assert_eq!(gone["attempts"], 2);
    assert_eq!(house.acts("webhook.gone").await[0]["subject"], "crm");
    house.gateway.clock().advance(48 * HOUR);
    assert_eq!(receiver.came().len(), 2);

    let resume = json!({"webhookId": "crm", "clientId": "once"});
    house.call("ResumeWebhook", resume.clone()).await;
    house.call("ResumeWebhook", resume).await;
    receiver.told("second").await;
    check_order(&receiver.came());
    let first = receiver.came()[0].id.clone();
    assert_eq!(receiver.taken()[0].id, first, "nothing was left out");
    assert_eq!(house.acts("webhook.resume").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_will_never_take_can_be_left_out() {
    let receiver = Receiver::start().await;
    let house = House::of(vec![webhook("crm", &receiver)]).await;
    receiver.otherwise(Met::Status(400));
    house.writes("first").await;
    house.failed(1).await;
    let poison = receiver.came()[0].cursor();
    receiver.otherwise(Met::Status(200));
    let request = json!({"webhookId": "crm", "from": "RESUME_FROM_NEXT"});
    house.call("ResumeWebhook", request).await;
    receiver
        .until("the next one", |came| came.get(1).map(|_| ()))
        .await;
    assert_eq!(receiver.taken()[0].cursor(), poison + 1);

    receiver.otherwise(Met::Status(400));
    house.writes("second").await;
    house.failed(1).await;
    house.writes("third").await;
    receiver.otherwise(Met::Status(200));
    let request = json!({"webhookId": "crm", "from": "RESUME_FROM_NOW"});
    house.call("ResumeWebhook", request).await;
    house.writes("fourth").await;
    receiver.told("fourth").await;
    // What becomes of the conversation later is told, and names its last message.
    let mut messages = receiver.taken();
    messages.retain(|one| one.kind() == "message_added");
    let messages = format!("{messages:?}");
    assert!(!messages.contains("third"), "{messages}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_holds_nobody_up() {
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    slow.otherwise(Met::Hang);
    let mut hangs = webhook("slow", &slow);
    hangs.timeout = Millis(60 * SECOND);
    let mut chosen = webhook("quick", &quick);
    chosen.events = BTreeSet::from(["message_added"]);
    chosen.queues = BTreeSet::from(["main".into()]);
    let house = House::of(vec![hangs, chosen]).await;
    for text in ["one", "two", "three"] {
        house.writes(text).await;
        quick.told(text).await;
    }
    assert_eq!(slow.came().len(), 1);
    assert!(quick.came().iter().all(|one| one.kind() == "message_added"));
    assert_eq!(quick.came().len(), 3);
    // Nor does it hold up the end.
    let mut gateway = house.gateway;
    soon("the gateway stops", gateway.stop()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_changes_nothing() {
    let receiver = Receiver::start().await;
    let mut house = House::of(vec![webhook("crm", &receiver)]).await;
    house.writes("first").await;
    receiver.told("first").await;
    receiver.otherwise(Met::Status(503));
    house.writes("second").await;
    let before = house.failed(1).await;
    house.gateway.restart().await;
    let after = house.status("crm").await;
    for key in ["attempts", "nextTryAt", "failingSince", "error"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    house.writes("third").await;
    receiver.otherwise(Met::Status(200));
    house.gateway.clock().advance(5 * SECOND);
    receiver.told("third").await;
    check_order(&receiver.came());
    let taken: Vec<i64> = receiver.taken().iter().map(Delivery::cursor).collect();
    let distinct: BTreeSet<i64> = taken.iter().copied().collect();
    let last = *taken.last().unwrap();
    let first = *taken.first().unwrap();
    let all: BTreeSet<i64> = (first..=last).collect();
    let missing: Vec<&i64> = all.difference(&distinct).collect();
    assert!(missing.is_empty(), "{missing:?} are missing");
    assert_eq!(
        taken.len(),
        distinct.len(),
        "an orderly end repeats nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_has_forgotten_is_counted_and_the_rest_told() {
    let receiver = Receiver::start().await;
    let mut house = House::of(vec![webhook("crm", &receiver)]).await;
    receiver.otherwise(Met::Status(503));
    house.writes("first").await;
    let failed = house.failed(1).await;
    house.writes("second").await;
    let store = house.gateway.store_path();
    house.gateway.stop().await;
    let file = Connection::open(store).unwrap();
    let cursor = "select cursor from webhook where id = 'crm'";
    let cursor: i64 = file.query_row(cursor, (), |row| row.get(0)).unwrap();
    let forget = "delete from event where cursor <= ?1 + 2";
    file.execute(forget, [cursor]).unwrap();
    drop(file);
    receiver.otherwise(Met::Status(200));
    house.gateway.restart().await;
    house.gateway.clock().advance(MINUTE);
    receiver.told("second").await;
    let lost = |status: &Value| status["lostCount"] == "2";
    house.until("crm", "the gap is told", lost).await;
    assert_eq!(failed["lostCount"], Value::Null);
    assert_eq!(receiver.taken()[0].cursor(), cursor + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_begins_ends_and_changes_them() {
    let (first, second) = (Receiver::start().await, Receiver::start().await);
    let house = House::of(Vec::new()).await;
    house.writes("before").await;
    let reload = async |webhooks: Vec<Webhook>| {
        let engine = house.gateway.engine();
        let settings = engine::Settings {
            webhooks,
            ..(*engine.settings()).clone()
        };
        engine.reload(settings).await.unwrap()
    };
    let changes = reload(vec![webhook("crm", &first)]).await;
    assert_eq!(changes.told(), ["webhook \"crm\" added"]);
    house.writes("one").await;
    first.told("one").await;
    let is_old = |delivery: &Delivery| {
        delivery.kind() == "message_added"
            && String::from_utf8_lossy(&delivery.body).contains("before")
    };
    assert!(!first.came().iter().any(is_old));

    first.otherwise(Met::Status(410));
    house.writes("two").await;
    let gone = |status: &Value| status["state"] == "WEBHOOK_GONE";
    house.until("crm", "gone", gone).await;
    // Another address is another try.
    let changes = reload(vec![webhook("crm", &second)]).await;
    assert_eq!(changes.told(), ["webhook \"crm\" changed"]);
    second.told("two").await;
    let reloads = house.acts("configuration.reload").await;
    assert_eq!(reloads[0]["detail"], "webhook \"crm\" changed");

    reload(Vec::new()).await;
    house.writes("three").await;
    let status = house.status("crm").await;
    assert_eq!(status["state"], "WEBHOOK_UNCONFIGURED");
    reload(vec![webhook("crm", &second)]).await;
    second.told("three").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_tells_what_came_of_it_and_moves_nothing() {
    let receiver = Receiver::start().await;
    let house = House::of(vec![webhook("crm", &receiver)]).await;
    let test = json!({"webhookId": "crm"});
    let tested = house.call("TestWebhook", test.clone()).await;
    assert_eq!(
        (&tested["taken"], &tested["httpStatus"]),
        (&json!(true), &json!(204))
    );
    let came = receiver.until("the test", |came| {
        came.iter()
            .find(|one| one.kind() == "webhook_test")
            .cloned()
    });
    assert_eq!(came.await.json["data"], json!({}));
    receiver.otherwise(Met::Hang);
    let tested = house.call("TestWebhook", test).await;
    assert_eq!(tested["taken"], Value::Null);
    assert!(tested["text"].as_str().unwrap().contains("did not answer"));
    assert_eq!(house.status("crm").await["attempts"], Value::Null);
    assert_eq!(house.acts("webhook.test").await.len(), 2);
}

async fn submit(server: &Server, number: usize) -> bool {
    let body = json!({
        "submission_id": format!("{number:08x}-0000-4000-8000-000000000000"),
        "message": format!("words {number} of a client"),
    });
    let request = http::request(::http::Method::POST, "/forms/form", None)
        .header("content-type", "application/json")
        .body(http_body_util::Full::from(body.to_string()))
        .unwrap();
    http::send(&server.url, request).await.status == 200
}

/// Killed as by `kill -9` while it delivers: what was not told is told, what may have
/// been told is told again under the same id, and nothing overtakes.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_tells_the_rest() {
    const LIVES: usize = 4;
    const PER_LIFE: usize = 12;
    let receiver = Receiver::start().await;
    let folder = TempDir::new().unwrap();
    let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
    let config = std::fs::read_to_string(&server.config).unwrap();
    let secret = STANDARD.encode(KEY);
    let hook = format!(
        "[[webhook]]\nid = \"crm\"\nurl = {:?}\nsecret = \"whsec_{secret}\"\n",
        receiver.url
    );
    std::fs::write(&server.config, format!("{config}{hook}")).unwrap();
    let mut token = None;
    for life in 0..LIVES {
        let Life::Ready(_, told) = server.start(&[]).await else {
            panic!("{}", server.said());
        };
        // Each start has a link of its own.
        token = told.or(token);
        for number in 0..PER_LIFE {
            assert!(submit(&server, life * PER_LIFE + number).await);
        }
        // In the middle of telling the last of them.
        receiver
            .told(&format!("words {} of", life * PER_LIFE + 3))
            .await;
        if life + 1 < LIVES {
            server.kill().await;
        }
    }
    for number in 0..LIVES * PER_LIFE {
        receiver.told(&format!("words {number} of")).await;
    }
    let came = receiver.came();
    let bodies: BTreeSet<_> = came.iter().map(|one| (&one.id, &one.body)).collect();
    let ids: BTreeSet<_> = came.iter().map(|one| &one.id).collect();
    let cursors: BTreeSet<_> = came.iter().map(Delivery::cursor).collect();
    assert_eq!((bodies.len(), ids.len()), (cursors.len(), cursors.len()));
    let (first, last) = (cursors.first().unwrap(), cursors.last().unwrap());
    let all: BTreeSet<i64> = (*first..=*last).collect();
    assert_eq!(cursors, all, "an event was left out");
    // Told for the first time, each comes behind all before it.
    let mut newest = 0;
    for one in &came {
        if one.cursor() > newest {
            assert_eq!(one.cursor(), if newest == 0 { *first } else { newest + 1 });
            newest = one.cursor();
        }
    }
    let boss = sign_up(&server, &token.unwrap()).await;
    let verify = "switchboard.admin.v1.Admin/VerifyAudit";
    let verdict = http::call(&server.url, verify, Some(&boss.token), &json!({})).await;
    assert_eq!(verdict.json()["whole"], true);
}

async fn sign_up(server: &Server, set_up: &str) -> OperatorClient {
    let admin = async |method: &str, body: Value| {
        let name = format!("switchboard.admin.v1.Admin/{method}");
        let answer = http::call(&server.url, &name, None, &body).await;
        assert_eq!(answer.code(), "", "{method}: {}", answer.text());
        answer.json()
    };
    let first =
        json!({"setUpToken": set_up, "login": "boss", "password": PASSWORD, "displayName": "Boss"});
    admin("SetUp", first).await;
    let login = json!({"login": "boss", "password": PASSWORD, "token": true});
    let signed_in = admin("Login", login).await;
    let id = signed_in["operator"]["id"].as_str().unwrap();
    let id = domain::OperatorId::new(id.parse().unwrap());
    OperatorClient::connect(&server.url, id, signed_in["token"].as_str().unwrap()).await
}
