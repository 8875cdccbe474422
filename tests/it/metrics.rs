//! The metrics of a running gateway: what happened is counted once, by its standard
//! names, for those who may see it, and the event log says the same.

use domain::operator::Role;
use e2e::http::{self, Answer};
use e2e::{OperatorClient, TestGateway, soon};
use proto::inbox::v1 as pb;
use proto::routing::v1 as routing;
use proto::routing::v1::routing_client::RoutingClient;
use serde_json::{Value, json};
use store::StoreError;

const METRICS: &str = "switchboard.routing.v1.Routing/GetMetrics";
const HOUR_MS: i64 = 3_600_000;

/// Asks for the day around now.
async fn ask(gateway: &TestGateway, who: &OperatorClient, mut more: Value) -> Answer {
    let now = gateway.engine().now().0;
    let time = |ms: i64| {
        let at = engine::contacts::convert::timestamp(domain::Timestamp(ms));
        at.to_string()
    };
    for (name, ms) in [("from", now - 12 * HOUR_MS), ("to", now + HOUR_MS)] {
        if more.get(name).is_none() {
            more[name] = json!(time(ms));
        }
    }
    http::call(&gateway.url(), METRICS, Some(&who.token), &more).await
}

async fn rows(gateway: &TestGateway, who: &OperatorClient, more: Value) -> Value {
    let answer = ask(gateway, who, more).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// One metric of a row; none when it has no value or is not there.
fn metric(row: &Value, name: &str) -> Option<f64> {
    let metrics = row["metrics"].as_array().unwrap();
    let found = metrics.iter().find(|metric| metric["name"] == name)?;
    found["value"].as_f64()
}

#[track_caller]
fn check(row: &Value, expect: &[(&str, f64)]) {
    for (name, value) in expect {
        let found = metric(row, name);
        // What the machine takes comes on top of what the clock was moved by.
        let most = if ["asa", "aht", "frt"].contains(name) {
            9.0
        } else {
            0.01
        };
        let near = found.is_some_and(|found| (-0.01..=most).contains(&(found - value)));
        assert!(near, "{name}: {found:?}, not {value}");
    }
}

async fn compared(gateway: &TestGateway) {
    let found = gateway
        .engine()
        .read::<_, StoreError>(|view| view.compare_metrics(None))
        .await
        .unwrap();
    assert_eq!(found.different, []);
    assert_eq!(found.in_doubt, 0);
    assert!(found.equal > 2, "{found:?}");
}

/// Anna declines, Bob answers after half a minute, talks for two and gives it to the
/// other queue, where Olga takes it after ten seconds and ends it. A second visitor is
/// answered by Anna at once.
pub(crate) async fn a_day(gateway: &TestGateway, olga: &mut OperatorClient) {
    let clock = gateway.clock();
    let mut anna = gateway.ready_operator("anna").await;
    let mut bob = gateway.ready_operator("bob").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let (offer, _) = anna.offered().await;
    clock.advance(20_000);
    let no = pb::DeclineOfferRequest {
        offer_id: offer.id,
        reason: "busy".to_owned(),
        client_id: String::new(),
    };
    anna.inbox.decline_offer(no).await.unwrap();
    let (offer, _) = bob.offered().await;
    clock.advance(10_000);
    let talk = bob.accept_offer(&offer.id).await.unwrap();
    clock.advance(5_000);
    bob.say(&talk.id, "m-1", "good day").await.unwrap();
    visitor.hears("good day").await;
    clock.advance(115_000);
    let give = pb::TransferConversationRequest {
        conversation_id: talk.id.clone(),
        target: Some(pb::transfer_conversation_request::Target::QueueId(
            "other".to_owned(),
        )),
        ..Default::default()
    };
    bob.inbox.transfer_conversation(give).await.unwrap();
    let (offer, _) = olga.offered().await;
    clock.advance(10_000);
    olga.accept_offer(&offer.id).await.unwrap();
    clock.advance(60_000);
    olga.finish(&talk.id).await.unwrap();
    let mut second = gateway.visitor().await;
    second.say("c-1", "me too").await;
    let (offer, _) = anna.offered().await;
    anna.accept_offer(&offer.id).await.unwrap();
    // The first one comes back within the day.
    visitor.say("c-2", "once more").await;
    bob.accept().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_counted_by_the_standard_names() {
    let mut gateway = TestGateway::start().await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut olga = gateway.person("olga", Role::Operator, &["other"]).await;
    olga.ready().await;
    a_day(&gateway, &mut olga).await;
    compared(&gateway).await;

    let all = rows(&gateway, &boss, json!({})).await;
    let expect = [
        ("opened", 3.0),
        ("reopened", 1.0),
        ("offered", 4.0),
        ("answered", 4.0),
        ("abandoned", 0.0),
        ("handled", 2.0),
        ("closed", 1.0),
        ("transferred", 1.0),
        ("transfer_rate", 0.5),
        ("offers_made", 5.0),
        ("offers_declined", 1.0),
        ("offers_accepted", 4.0),
        ("messages_in", 3.0),
        ("messages_out", 1.0),
        // 30 s, 10 s, and twice at once.
        ("service_level", 0.75),
        ("asa", 10.0),
        ("aht", 90.0),
        ("frt", 35.0),
    ];
    check(&all["total"], &expect);
    assert_eq!(all["rows"], Value::Null, "one row is enough");
    assert_eq!(metric(&all["total"], "csat"), None, "nobody was asked");
    assert!(metric(&all["total"], "occupancy").is_some_and(|part| part > 0.1));

    let all = rows(&gateway, &boss, json!({"grouping": "BY_QUEUE"})).await;
    let by_queue = all["rows"].as_array().unwrap();
    assert_eq!(by_queue[0]["key"], "main");
    check(
        &by_queue[0],
        &[("offered", 3.0), ("answered", 3.0), ("aht", 120.0)],
    );
    assert_eq!(by_queue[1]["key"], "other");
    check(
        &by_queue[1],
        &[("offered", 1.0), ("asa", 10.0), ("aht", 60.0)],
    );
    assert_eq!(
        metric(&by_queue[1], "occupancy"),
        None,
        "queues share operators"
    );

    for (grouping, key) in [("BY_LINE", "site"), ("BY_CHANNEL", "webchat")] {
        let all = rows(&gateway, &boss, json!({"grouping": grouping})).await;
        assert_eq!(all["rows"][0]["key"], key);
        check(&all["rows"][0], &[("offered", 4.0)]);
    }
    for grouping in ["BY_HOUR", "BY_DAY", "BY_HOUR_OF_DAY"] {
        let zone = json!({"grouping": grouping, "timeZone": "Asia/Kolkata"});
        let all = rows(&gateway, &boss, zone).await;
        let rows = all["rows"].as_array().unwrap();
        let sum: f64 = rows.iter().filter_map(|row| metric(row, "offered")).sum();
        assert!((sum - 4.0).abs() < 0.1, "{grouping}");
    }
    let filtered = rows(&gateway, &boss, json!({"queueIds": ["other"]})).await;
    check(&filtered["total"], &[("offered", 1.0), ("answered", 1.0)]);

    gateway.restart().await;
    compared(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_their_queues_and_their_own_work() {
    let gateway = TestGateway::start().await;
    let mut olga = gateway.person("olga", Role::Operator, &["other"]).await;
    olga.ready().await;
    a_day(&gateway, &mut olga).await;
    let bob = gateway.sign_in("bob").await;

    let olgas = rows(&gateway, &olga, json!({"grouping": "BY_QUEUE"})).await;
    assert_eq!(olgas["rows"].as_array().unwrap().len(), 1, "{olgas}");
    assert_eq!(olgas["rows"][0]["key"], "other");
    let bobs = rows(&gateway, &bob, json!({})).await;
    check(&bobs["total"], &[("offered", 3.0), ("answered", 3.0)]);
    let people = rows(&gateway, &bob, json!({"grouping": "BY_OPERATOR"})).await;
    let keys: Vec<_> = people["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["key"].as_str().unwrap_or("nobody"))
        .collect();
    assert_eq!(keys, ["nobody", &bob.id.to_string()]);
    check(&people["rows"][1], &[("answered", 2.0), ("handled", 1.0)]);
    assert!(metric(&people["rows"][1], "occupancy").is_some());
    let foreign = json!({"operatorIds": [olga.id.to_string()]});
    let nothing = rows(&gateway, &bob, foreign).await;
    check(&nothing["total"], &[("answered", 0.0), ("handled", 0.0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_senseless_question_is_told_what_to_do() {
    let gateway = TestGateway::start().await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let many: Vec<_> = (0..201).map(|number| format!("q{number}")).collect();
    let cases = [
        (json!({"timeZone": "Moscow"}), "time_zone"),
        (json!({"serviceLevelSeconds": 25}), "service_level_seconds"),
        (json!({"shortAbandonSeconds": -1}), "short_abandon_seconds"),
        (json!({"from": null}), "from"),
        (json!({"to": null}), "to"),
        (json!({"to": "1970-01-02T00:00:00Z"}), "to"),
        (json!({"from": "2024-01-01T00:00:00Z"}), "to"),
        (
            json!({"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z",
                "grouping": "BY_HOUR"}),
            "to",
        ),
        (json!({"queueIds": many}), "queue_ids"),
    ];
    for (question, field) in cases {
        let answer = ask(&gateway, &boss, question.clone()).await;
        assert_eq!(answer.code(), "invalid_argument", "{question}");
        let text = answer.json()["message"].to_string();
        assert!(
            text.contains(&format!("{field}: give")),
            "{question}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_feeds_a_wallboard() {
    let gateway = TestGateway::start().await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut olga = gateway.person("olga", Role::Operator, &["other"]).await;
    olga.ready().await;
    a_day(&gateway, &mut olga).await;
    let ask = || routing::WatchQueuesRequest {
        time_zone: "Europe/Moscow".to_owned(),
    };
    let mut watching = RoutingClient::new(boss.signed());
    let mut board = watching.watch_queues(ask()).await.unwrap().into_inner();
    let first = soon("the board", board.message()).await.unwrap().unwrap();
    let main = &first.queues[0];
    let today = main.today.unwrap();
    // A day that ends between two steps of the scenario has less.
    assert!(today.offered <= 3 && today.service_level_seconds == 20);
    assert_eq!(main.active, 2);
    let busy = main
        .activities
        .iter()
        .map(|known| (known.activity(), known.operators));
    assert_eq!(busy.collect::<Vec<_>>(), [(routing::Activity::Busy, 2)]);
    let people: Vec<_> = first
        .operators
        .iter()
        .map(|who| {
            (
                who.display_name.as_str(),
                who.activity(),
                who.since.is_some(),
            )
        })
        .collect();
    let expect = [
        ("olga", routing::Activity::Idle, true),
        ("anna", routing::Activity::Busy, true),
        ("bob", routing::Activity::Busy, true),
    ];
    assert_eq!(people, expect);

    olga.set_presence(pb::Presence::Away).await;
    let next = soon("news", board.message()).await.unwrap().unwrap();
    assert_eq!(next.operators[0].activity(), routing::Activity::OnABreak);
    // An operator sees themselves only.
    let mut own = RoutingClient::new(olga.signed());
    let mut board = own.watch_queues(ask()).await.unwrap().into_inner();
    let own = soon("the board", board.message()).await.unwrap().unwrap();
    assert_eq!((own.queues.len(), own.operators.len()), (1, 1));
}
