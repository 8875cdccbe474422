//! The router explains itself: to whoever waits for work, and about whoever waits for an
//! answer.

use domain::Millis;
use domain::operator::Role;
use domain::routing::{Relaxation, Skills};
use e2e::http::Answer;
use e2e::{OperatorClient, TestGateway, http};
use proto::inbox::v1 as pb;
use serde_json::{Value, json};

async fn ask(gateway: &TestGateway, who: &OperatorClient, method: &str, body: Value) -> Answer {
    let name = format!("switchboard.routing.v1.Routing/{method}");
    http::call(&gateway.url(), &name, Some(&who.token), &body).await
}

/// Why somebody gets no work, in their own eyes.
async fn why(gateway: &TestGateway, who: &OperatorClient) -> Answer {
    ask(gateway, who, "WhyNotMe", json!({})).await
}

/// Who is kept out by which rule.
fn groups(answer: &Answer) -> Vec<(String, Vec<String>)> {
    let json = answer.json();
    let members = json["members"].as_array().cloned().unwrap_or_default();
    let mut groups: Vec<_> = members
        .iter()
        .map(|group| {
            let rule = group["rule"].as_str().unwrap_or_default().to_owned();
            let ids = group["operatorIds"].as_array().cloned().unwrap_or_default();
            let ids = ids.iter().map(|id| id.as_str().unwrap().to_owned());
            (rule, ids.collect())
        })
        .collect();
    groups.sort();
    groups
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_conversation_still_waits() {
    let gateway = TestGateway::start_with(|settings| {
        let main = settings.rules.queues.get_mut(&"main".into()).unwrap();
        main.skills = ["lang:ru"].into_iter().collect::<Skills>();
        main.relaxations = vec![Relaxation {
            after: Millis::from_secs(600),
            drop: domain::routing::Dropped::All,
        }];
    })
    .await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let bob = gateway.person("bob", Role::Operator, &["main"]).await;
    let olga = gateway.person("olga", Role::Operator, &["other"]).await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "здравствуйте").await;
    let waiting = anna
        .wait_for("a conversation", |kind| match kind {
            pb::event::Kind::ConversationOpened(opened) => Some(opened),
            _ => None,
        })
        .await;
    let which = json!({"conversationId": waiting.id});
    let told = ask(&gateway, &boss, "WhyStillWaiting", which.clone()).await;
    let (anna_id, bob_id) = (anna.id.to_string(), bob.id.to_string());
    assert_eq!(
        groups(&told),
        [
            ("missing_skill".to_owned(), vec![anna_id.clone()]),
            ("not_ready".to_owned(), vec![bob_id]),
        ]
    );
    let json = told.json();
    assert_eq!(json["skills"], json!(["lang:ru"]));
    assert!(json["relaxesAt"].is_string(), "{json}");
    assert_eq!(
        (&json["position"], &json["ahead"]),
        (&json!(1), &Value::Null)
    );
    // Whoever works for the queue sees the same; others see nothing.
    let same = ask(&gateway, &anna, "WhyStillWaiting", which.clone()).await;
    assert_eq!(groups(&same), groups(&told));
    let hidden = ask(&gateway, &olga, "WhyStillWaiting", which.clone()).await;
    assert_eq!(hidden.code(), "not_found");
    // Nobody has it yet, so nothing explains whose it is.
    let nobody = ask(&gateway, &boss, "ExplainOffer", which.clone()).await;
    assert_eq!(nobody.code(), "not_found");

    gateway.clock().advance(600_001);
    let (offer, _) = anna.offered().await;
    let asked = ask(&gateway, &boss, "WhyStillWaiting", which.clone()).await;
    assert_eq!(asked.json()["offerId"], offer.id);
    let explained = ask(&gateway, &boss, "ExplainOffer", which.clone()).await;
    assert_eq!(explained.json()["offer"]["id"], offer.id);
    anna.accept_offer(&offer.id).await.unwrap();
    let moved_on = ask(&gateway, &boss, "WhyStillWaiting", which.clone()).await;
    assert_eq!(moved_on.code(), "failed_precondition");
    let explained = ask(&gateway, &anna, "ExplainOffer", which).await;
    let explained = explained.json();
    assert_eq!(explained["chosen"]["operatorId"], anna_id);
    assert_eq!(explained["excluded"][0]["rule"], "not_ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_somebody_gets_no_work() {
    let gateway = TestGateway::start().await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut bob = gateway.ready_operator("bob").await;
    let quiet = why(&gateway, &bob).await.json();
    assert_eq!(quiet["barred"], Value::Null);
    assert_eq!(quiet["queues"][0]["queueId"], "main");
    assert_eq!(quiet["queues"][0]["head"], Value::Null);
    assert_eq!(quiet["queues"][0]["beforeMe"], 1, "Anna came first");

    anna.set_presence(pb::Presence::Away).await;
    let away = why(&gateway, &anna).await.json();
    assert_eq!(away["barred"], "not_ready");
    // A colleague's is a supervisor's to ask.
    let of_anna = json!({"operatorId": anna.id.to_string()});
    let denied = ask(&gateway, &bob, "WhyNotMe", of_anna.clone()).await;
    assert_eq!(denied.code(), "permission_denied");
    let told = ask(&gateway, &boss, "WhyNotMe", of_anna).await.json();
    assert_eq!(told["barred"], "not_ready");
    let unknown = ask(&gateway, &boss, "WhyNotMe", json!({"operatorId": "999999"})).await;
    assert_eq!(unknown.code(), "not_found");

    // Bob declines, and nobody else is there: he was asked in this round.
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let (offer, asked) = bob.offered().await;
    let decline = pb::DeclineOfferRequest {
        offer_id: offer.id,
        reason: "lunch".to_owned(),
        client_id: String::new(),
    };
    bob.inbox.decline_offer(decline).await.unwrap();
    let told = why(&gateway, &bob).await.json();
    assert_eq!(told["barred"], "cooling_down");
    assert!(told["coolDownUntil"].is_string());
    assert_eq!(told["queues"][0]["waiting"], 1);
    let head = &told["queues"][0]["head"];
    assert_eq!(head["conversationId"], asked.id);
    assert_eq!(head["why"], "cooling_down");
}

/// How long the two questions take with 10,000 that wait. Ignored: a measurement.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: run it by name, with --no-capture"]
async fn ten_thousand_waiting() {
    let mut gateway = TestGateway::start().await;
    drop(gateway.person("boss", Role::Supervisor, &["main"]).await);
    for number in 0..100 {
        let login = format!("op{number}");
        drop(
            gateway
                .person(&login, Role::Operator, &["main", "other"])
                .await,
        );
    }
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let path = gateway.store_path();
    gateway.stop().await;
    let store = rusqlite::Connection::open(&path).unwrap();
    let made = store.execute_batch(
        "with recursive number(n) as (select 1 union all select n + 1 from number where n < 9999)
         insert into conversation
         select conversation.id + n, conversation.thread + 1000000 + n, queue, contact, operator,
           state, band, eligible_at + n, seq + n, deadline, last_at, unread,
           json_set(doc, '$.id', conversation.id + n, '$.place.seq', seq + n,
             '$.place.eligible_at', eligible_at + n)
         from conversation, number;
         update tally set count = 10000 where state = 'queued'",
    );
    made.unwrap();
    drop(store);
    gateway.restart().await;
    let last = gateway
        .engine()
        .read::<_, store::StoreError>(|view| view.queued_in(&"main".into(), 20_000))
        .await
        .unwrap();
    assert_eq!(last.len(), 10_000);
    let boss = gateway.sign_in("boss").await;
    let id = last.last().unwrap().conversation.to_string();
    for (method, body) in [
        ("WhyStillWaiting", json!({"conversationId": id})),
        ("WhyNotMe", json!({})),
        ("GetProof", json!({})),
    ] {
        let begun = engine::clock::now();
        let answer = ask(&gateway, &boss, method, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let took = engine::clock::now().since(begun);
        println!("{method}: {} ms", took.0);
    }
}
