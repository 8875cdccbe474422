//! An operator of another queue.

use e2e::operator::text_of;
use serde_json::json;

use super::{house, inbox};

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "the cases are a table")]
async fn another_queues_conversations_are_not_there() {
    let mut house = house().await;
    let url = house.gateway.url();
    house.anna.ready().await;
    house.visitor.say("c-1", "a secret word").await;
    let mine = house.anna.accept().await;
    let said = house
        .anna
        .say(&mine.id, "a-1", "a secret answer")
        .await
        .unwrap();
    house.other_visitor.say("c-1", "a second secret").await;
    let (offer, offered) = house.anna.offered().await;
    let contact = mine.contact.clone().unwrap().id;
    let id = &mine.id;
    let mut refused = 0;
    for (method, body) in [
        ("GetConversation", json!({"conversationId": id})),
        ("ListTimeline", json!({"conversationId": id})),
        ("ListTimeline", json!({"contactId": contact})),
        (
            "ListConversations",
            json!({"queueId": "main", "folder": "WAITING"}),
        ),
        ("AcceptOffer", json!({"offerId": offer.id})),
        ("DeclineOffer", json!({"offerId": offer.id})),
        ("TakeConversation", json!({"conversationId": offered.id})),
        (
            "SendMessage",
            json!({"conversationId": id, "text": "x", "clientId": "o-1"}),
        ),
        (
            "AddNote",
            json!({"conversationId": id, "text": "x", "clientId": "o-2"}),
        ),
        ("EditMessage", json!({"messageId": said.id, "text": "x"})),
        ("DeleteMessage", json!({"messageId": said.id})),
        ("React", json!({"messageId": said.id, "emoji": "x"})),
        ("MarkRead", json!({"conversationId": id})),
        ("SetTyping", json!({"conversationId": id, "active": true})),
        ("SaveDraft", json!({"conversationId": id, "text": "x"})),
        (
            "TransferConversation",
            json!({"conversationId": id, "queueId": "other"}),
        ),
        ("SnoozeConversation", json!({"conversationId": id})),
        ("FinishConversation", json!({"conversationId": id})),
        ("ReopenConversation", json!({"conversationId": id})),
        ("JoinConversation", json!({"conversationId": id})),
        ("StartConversation", json!({"threadId": mine.thread_id})),
        (
            "routing.v1.Routing/ExplainOffer",
            json!({"offerId": offer.id}),
        ),
        (
            "routing.v1.Routing/ExplainOffer",
            json!({"conversationId": id}),
        ),
        (
            "routing.v1.Routing/WhyStillWaiting",
            json!({"conversationId": offered.id}),
        ),
    ] {
        let answer = inbox(&url, &house.olga, method, body.clone()).await;
        assert_eq!(
            answer.code(),
            "not_found",
            "{method} {body}: {}",
            answer.text()
        );
        // As if it had never been.
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        assert_eq!(
            digits(&answer.json()["message"].to_string()),
            0,
            "{}",
            answer.text()
        );
        refused += 1;
    }
    for (method, body) in [
        (
            "routing.v1.Routing/Reassign",
            json!({"conversationId": id, "queueId": "other"}),
        ),
        (
            "routing.v1.Routing/MoveToFront",
            json!({"conversationId": offered.id}),
        ),
        ("routing.v1.Routing/GetQueue", json!({"queueId": "main"})),
        (
            "routing.v1.Routing/WhyNotMe",
            json!({"operatorId": house.anna.id.to_string()}),
        ),
        ("routing.v1.Routing/GetProof", json!({})),
    ] {
        let answer = inbox(&url, &house.olga, method, body).await;
        assert_eq!(
            answer.code(),
            "permission_denied",
            "{method}: {}",
            answer.text()
        );
        refused += 1;
    }
    for (method, body) in [
        ("SearchMessages", json!({"query": "secret"})),
        ("ListConversations", json!({"folder": "ALL_OPEN"})),
        ("ListConversations", json!({"folder": "WAITING"})),
        ("ListConversations", json!({"folder": "ENDED"})),
        ("ListConversations", json!({"contactId": contact})),
        ("GetMe", json!({})),
        ("routing.v1.Routing/ListQueues", json!({})),
    ] {
        let answer = inbox(&url, &house.olga, method, body).await;
        assert_eq!(answer.status, 200, "{method}");
        let text = answer.text();
        assert!(!text.contains("secret"), "{method}: {text}");
        let main = answer.json()["queues"]
            .as_array()
            .is_some_and(|queues| queues.iter().any(|queue| queue["id"] == "main"));
        assert!(!main, "{method}: {text}");
        refused += 1;
    }
    let found = inbox(
        &url,
        &house.anna,
        "SearchMessages",
        json!({"query": "secret"}),
    )
    .await;
    assert_eq!(found.json()["hits"].as_array().unwrap().len(), 3);
    let untouched = house.anna.messages(id).await;
    let texts: Vec<&str> = untouched.iter().map(text_of).collect();
    assert_eq!(texts, ["a secret word", "a secret answer"]);
    println!("own-object cells {refused}, unexpected 0");
}
