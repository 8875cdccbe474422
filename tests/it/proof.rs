//! The gateway judges its own routing. What a store says in which rows were changed by
//! hand is not what the router remembers, so that it does wrong before the eyes of the
//! proof: each law has a violation planted.

use std::collections::BTreeMap;

use domain::OperatorId;
use domain::operator::Role;
use domain::proof::Law;
use e2e::{OperatorClient, TestGateway, Visitor, http};
use engine::Proof;
use proto::inbox::v1 as pb;
use rusqlite::Connection;
use serde_json::json;

/// A fresh look.
async fn look(gateway: &TestGateway) -> Proof {
    gateway.clock().advance(1_001);
    gateway.engine().prove().await.unwrap()
}

async fn written(gateway: &TestGateway) -> Visitor {
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    visitor
}

/// Waits for so many conversations, and names them in the order of their coming.
async fn opened(who: &mut OperatorClient, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let id = who
            .wait_for("a conversation", |kind| match kind {
                pb::event::Kind::ConversationOpened(opened) => Some(opened.id),
                _ => None,
            })
            .await;
        ids.push(id);
    }
    ids
}

/// Changes rows by hand.
fn by_hand(gateway: &TestGateway, sql: &str) {
    let store = Connection::open(gateway.store_path()).unwrap();
    store
        .busy_timeout(std::time::Duration::from_secs(5))
        .unwrap();
    store.execute_batch(sql).unwrap();
}

fn broken(proof: &Proof) -> Vec<Law> {
    proof.broken.keys().copied().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_days_work_breaks_no_law() {
    let mut gateway = TestGateway::start().await;
    drop(gateway.person("boss", Role::Supervisor, &[]).await);
    let mut anna = gateway.ready_operator("anna").await;
    let mut bob = gateway.ready_operator("bob").await;
    look(&gateway).await;
    let mut visitors = Vec::new();
    for turn in 0..6 {
        visitors.push(written(&gateway).await);
        let who = if turn % 2 == 0 { &mut anna } else { &mut bob };
        let conversation = who.accept().await;
        if turn == 5 {
            who.finish(&conversation.id).await.unwrap();
        }
    }
    let proof = look(&gateway).await;
    assert_eq!(proof.broken, BTreeMap::new(), "{:?}", proof.found);
    assert_eq!((proof.offers, proof.not_judged, proof.in_part), (6, 0, 0));
    assert!(proof.rows > 0);
    // It is an account over all runs.
    gateway.restart().await;
    let after = look(&gateway).await;
    assert_eq!((after.offers, after.since), (6, proof.since));
    let boss = gateway.sign_in("boss").await;
    let name = "switchboard.routing.v1.Routing/GetProof";
    let told = http::call(&gateway.url(), name, Some(&boss.token), &json!({})).await;
    let told = told.json();
    assert_eq!(told["offers"], "6");
    assert_eq!(told["laws"].as_array().unwrap().len(), Law::ALL.len());
    assert_eq!(told["violations"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overtake_is_found() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let _one = written(&gateway).await;
    let _two = written(&gateway).await;
    let ids = opened(&mut anna, 2).await;
    look(&gateway).await;
    by_hand(
        &gateway,
        &format!(
            "update conversation set eligible_at = 1,
               doc = json_set(doc, '$.place.eligible_at', 1) where id = {}",
            ids[1]
        ),
    );
    assert_eq!(broken(&look(&gateway).await), [Law::RowsDiffer]);
    anna.ready().await;
    anna.offered().await;
    let proof = look(&gateway).await;
    assert_eq!(broken(&proof), [Law::Overtake, Law::RowsDiffer]);
    let found = proof.found.iter().find(|found| found.law == Law::Overtake);
    let found = found.unwrap();
    assert_eq!(found.conversation.unwrap().to_string(), ids[1]);
    assert_eq!(found.operator, Some(anna.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_idle_for_longer_is_found() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let bob = gateway.ready_operator("bob").await;
    look(&gateway).await;
    by_hand(
        &gateway,
        &format!(
            "update operator set doc = json_set(doc, '$.idle_since', 1) where id = {}",
            bob.id
        ),
    );
    assert_eq!(broken(&look(&gateway).await), [Law::RowsDiffer]);
    let _visitor = written(&gateway).await;
    anna.offered().await;
    let proof = look(&gateway).await;
    assert_eq!(broken(&proof), [Law::IdleOrder, Law::RowsDiffer]);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_and_the_wrong_one_are_found() {
    let gateway = TestGateway::start().await;
    let mut bob = gateway.ready_operator("bob").await;
    let mut visitors = Vec::new();
    for _ in 0..4 {
        visitors.push(written(&gateway).await);
        bob.accept().await;
    }
    let mut anna = gateway.person("anna", Role::Operator, &["main"]).await;
    visitors.push(written(&gateway).await);
    let waits = opened(&mut anna, 1).await;
    look(&gateway).await;
    let (bob, to) = (bob.id, anna.id);
    by_hand(
        &gateway,
        &format!(
            "update conversation set operator = {to},
               doc = json_set(doc, '$.state.active.operator', {to}) where operator = {bob};
             update conversation set doc = json_set(doc, '$.tried', json('[{to}]'))
               where id = {}",
            waits[0]
        ),
    );
    let rows = look(&gateway).await;
    assert_eq!(broken(&rows), [Law::RowsDiffer, Law::Books]);
    assert_eq!(rows.broken[&Law::RowsDiffer], 5);
    anna.ready().await;
    anna.offered().await;
    let proof = look(&gateway).await;
    assert_eq!(proof.broken.get(&Law::Capacity), Some(&1), "{proof:?}");
    assert_eq!(proof.broken.get(&Law::Unfit), Some(&1), "{proof:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_places_are_found() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let _one = written(&gateway).await;
    let _two = written(&gateway).await;
    let (asked, _) = anna.offered().await;
    let (given, _) = anna.offered().await;
    anna.accept_offer(&given.id).await.unwrap();
    look(&gateway).await;
    // One more is asked about the first; the second has an owner and is offered.
    let somebody = OperatorId::new(anna.id.get() + 1);
    by_hand(
        &gateway,
        &format!(
            "insert into offer (id, conversation, operator, pending, doc)
               select id + 900000, conversation, {somebody}, 1, doc from offer where id = {};
             update offer set pending = 1 where id = {}",
            asked.id, given.id
        ),
    );
    let proof = look(&gateway).await;
    assert_eq!(proof.broken.get(&Law::TwoPlaces), Some(&2), "{proof:?}");
    // What stands is told once.
    let again = look(&gateway).await;
    assert_eq!(again.broken, proof.broken);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_is_left_is_found() {
    let gateway = TestGateway::start_with(|settings| {
        let main = settings.rules.queues.get_mut(&"main".into()).unwrap();
        main.skills = ["lang:ru"].into_iter().collect();
    })
    .await;
    let mut anna = gateway.ready_operator("anna").await;
    let _visitor = written(&gateway).await;
    let waits = opened(&mut anna, 1).await;
    assert_eq!(broken(&look(&gateway).await), []);
    by_hand(
        &gateway,
        &format!(
            "update conversation set doc = json_remove(doc, '$.skills') where id = {}",
            waits[0]
        ),
    );
    // Seen to differ, then seen twice to be left.
    look(&gateway).await;
    look(&gateway).await;
    let proof = look(&gateway).await;
    assert_eq!(
        broken(&proof),
        [Law::WorkLeft, Law::RowsDiffer],
        "{proof:?}"
    );
    assert_eq!(proof.broken[&Law::WorkLeft], 1);
}
