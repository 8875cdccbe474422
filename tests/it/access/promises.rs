//! Promises of another queue.

use domain::Millis;
use engine::contacts::convert::timestamp;
use serde_json::json;

use super::{house, inbox};

#[tokio::test(flavor = "multi_thread")]
async fn another_queues_promises_are_not_there() {
    let mut house = house().await;
    let url = house.gateway.url();
    house.anna.ready().await;
    house.visitor.say("c-1", "call me").await;
    let mine = house.anna.accept().await;
    let contact = mine.contact.clone().unwrap().id;
    let due_at = timestamp(house.gateway.engine().now() + Millis(3_600_000)).to_string();
    let promise = json!({"conversationId": mine.id, "dueAt": due_at, "note": "a secret word"});
    let made = inbox(&url, &house.anna, "ScheduleCallback", promise.clone()).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let id = made.json()["id"].clone();
    for (method, body) in [
        ("ScheduleCallback", promise),
        ("ResolveObligation", json!({"obligationId": id, "kept": {}})),
        (
            "ResolveObligation",
            json!({"obligationId": id, "waived": {"reason": "x"}}),
        ),
        (
            "ResolveObligation",
            json!({"obligationId": id, "moved": {"dueAt": due_at, "wish": "OBLIGATION_WISH_OURS"}}),
        ),
        (
            "ResolveObligation",
            json!({"obligationId": id, "assigned": {"operatorId": house.olga.id.to_string()}}),
        ),
        (
            "ResolveObligation",
            json!({"obligationId": "x", "kept": {}}),
        ),
    ] {
        let answer = inbox(&url, &house.olga, method, body.clone()).await;
        assert_eq!(answer.code(), "not_found", "{body}: {}", answer.text());
    }
    for body in [
        json!({}),
        json!({"scope": "OBLIGATION_SCOPE_QUEUES"}),
        json!({"scope": "OBLIGATION_SCOPE_QUEUES", "contactId": contact}),
        json!({"scope": "OBLIGATION_SCOPE_QUEUES", "filter": "OBLIGATION_FILTER_DONE"}),
    ] {
        let answer = inbox(&url, &house.olga, "ListObligations", body.clone()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        assert!(
            !answer.text().contains("secret"),
            "{body}: {}",
            answer.text()
        );
    }
    let all = json!({"scope": "OBLIGATION_SCOPE_ALL"});
    for (who, expect) in [(&house.olga, 403), (&house.anna, 403)] {
        let answer = inbox(&url, who, "ListObligations", all.clone()).await;
        assert_eq!(answer.status, expect, "{}", answer.text());
    }
    let untouched = inbox(&url, &house.anna, "ListObligations", json!({})).await;
    let untouched = &untouched.json()["obligations"][0];
    assert_eq!(untouched["state"], "OBLIGATION_STATE_OPEN");
    assert_eq!(untouched["version"], made.json()["version"]);
}
