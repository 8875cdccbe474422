//! What a site chat tells of the queue, and what its visitors can say there.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use channels::host::{Act, RatingAsk, Standing, ThreadSignal};
use domain::message::InboundKind;
use domain::rating::Score;
use domain::{ConversationId, Millis, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::host::{NOW, events, router};
use crate::webchat::{Page, SHOP, Server};

fn third() -> Standing {
    Standing {
        position: 3,
        expected: Some(Millis(90_000)),
        low: Some(Millis(43_800)),
        high: Some(Millis(143_900)),
        closed_until: None,
        callback: true,
        callback_left: false,
    }
}

fn ask(conversation: i64) -> RatingAsk {
    RatingAsk {
        conversation: ConversationId::new(conversation),
        operator_name: "Ann".to_owned(),
        score: None,
        comment: String::new(),
        until: NOW + Millis(1_000),
    }
}

/// Somebody who has written once.
async fn known(server: &Server) -> (Page, String, String) {
    let (mut page, id, token) = server.visitor().await;
    let message = json!({"type": "message", "client_id": "m-1", "text": "Hello"});
    assert_eq!(page.ask(&message).await["type"], "ack");
    (page, id, token)
}

async fn told(server: &Server, page: &mut Page, id: &str, standing: Option<Standing>) -> Value {
    server.host.signal(id, ThreadSignal::Standing(standing));
    page.next().await
}

#[tokio::test]
async fn who_waits_is_told_of_their_place() {
    let server = Server::start(SHOP).await;
    let (mut page, id, token) = known(&server).await;
    let first = told(&server, &mut page, &id, Some(third())).await;
    assert_eq!(
        first,
        json!({
            "type": "standing", "position": 3, "expected_ms": 90_000, "low_ms": 43_800,
            "high_ms": 143_900, "callback": true, "callback_left": false,
        })
    );
    let unknown = Standing {
        position: 2,
        expected: None,
        low: None,
        high: None,
        ..third()
    };
    let second = told(&server, &mut page, &id, Some(unknown)).await;
    assert_eq!(
        second,
        json!({"type": "standing", "position": 2, "callback": true, "callback_left": false})
    );
    // A page that comes back is told at once.
    server.host.stand(&id, third());
    let (mut again, _) = server.hello(json!({"token": token})).await;
    assert_eq!(again.next().await["type"], "synced");
    assert_eq!(again.next().await, first);
    let over = json!({
        "type": "standing", "position": 0, "callback": false, "callback_left": false,
    });
    assert_eq!(told(&server, &mut again, &id, None).await, over);
    // Once is enough.
    server.host.signal(&id, ThreadSignal::Standing(None));
    assert_eq!(again.ask(&json!({"type": "ping"})).await["type"], "pong");
}

#[tokio::test]
async fn a_closed_line_says_until_when() {
    let server = Server::start(SHOP).await;
    let opens = Timestamp(NOW.0 + 3_600_000);
    server.host.close_until(opens);
    let request = Request::get("/chat/site/config")
        .body(Body::empty())
        .unwrap();
    let pages = router(&server.channel, &server.host);
    let answer = pages.oneshot(request).await.unwrap();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    let config: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(config["closed_until"], json!(opens.0));
    assert_eq!(config["line"], "site");
    let (mut page, id, _) = known(&server).await;
    let closed = Standing {
        position: 0,
        closed_until: Some(opens),
        ..third()
    };
    let frame = told(&server, &mut page, &id, Some(closed)).await;
    assert_eq!(
        (&frame["position"], &frame["closed_until"]),
        (&json!(0), &json!(opens.0))
    );
}

#[tokio::test]
async fn a_number_can_be_left() {
    let server = Server::start(SHOP).await;
    let (mut page, id, _) = known(&server).await;
    let leave = json!({
        "type": "callback", "client_id": "c-1", "phone": "8 (916) 123-45-67", "comment": "evening",
    });
    let ack = json!({"type": "ack", "client_id": "c-1"});
    assert_eq!(page.ask(&leave).await, ack);
    assert_eq!(page.ask(&leave).await, ack);
    let after = json!({"type": "message", "client_id": "m-2", "text": "Thanks"});
    page.ask(&after).await;
    let events = events(&server.channel, &server.host);
    assert_eq!(events.len(), 3);
    assert_eq!(
        events[1].kind,
        InboundKind::CallbackRequest {
            phone: "+79161234567".to_owned(),
            comment: "evening".to_owned(),
        }
    );
    assert_eq!(events[1].message_id, Some(format!("{id}:c-1")));
    // It suggests a contact from then on.
    let claims = |index: usize| {
        let identities = &events[index].sender.identities;
        identities.iter().any(|one| one.value == "+79161234567")
    };
    assert!(!claims(0) && claims(1) && claims(2));
}

#[tokio::test]
async fn a_number_that_cannot_be_dialled_is_refused() {
    let server = Server::start(SHOP).await;
    let (mut page, _, _) = known(&server).await;
    let long = "x".repeat(1_001);
    for (client_id, phone, comment, code) in [
        ("c-1", "call me", "", "phone"),
        ("c-1", "", "", "phone"),
        ("c-1", "123", "", "phone"),
        ("c 1", "+79161234567", "", "client_id"),
        ("c-1", "+79161234567", long.as_str(), "text_too_long"),
    ] {
        let frame = json!({
            "type": "callback", "client_id": client_id, "phone": phone, "comment": comment,
        });
        let refused = page.ask(&frame).await;
        assert_eq!(
            (&refused["type"], &refused["code"]),
            (&json!("refused"), &json!(code))
        );
        assert_eq!(refused["client_id"], client_id);
    }
    assert_eq!(server.host.journal().len(), 1);
    server.host.deny(Some(Act::Write));
    let frame = json!({"type": "callback", "client_id": "c-1", "phone": "+79161234567"});
    assert_eq!(page.ask(&frame).await["code"], "too_often");
}

#[tokio::test]
async fn a_number_without_consent_is_refused_where_it_begins_a_conversation() {
    let options = format!("{SHOP}\nconsent = true");
    let server = Server::start(&options).await;
    let (mut page, _, _) = server.visitor().await;
    let frame = json!({"type": "callback", "client_id": "c-1", "phone": "+79161234567"});
    assert_eq!(page.ask(&frame).await["code"], "consent_required");
    page.say(&json!({"type": "profile", "consent": true})).await;
    assert_eq!(page.ask(&frame).await["type"], "ack");
}

#[tokio::test]
async fn an_ended_conversation_is_rated() {
    let server = Server::start(SHOP).await;
    let (mut page, id, token) = known(&server).await;
    server.host.ask(&id, Some(ask(77)));
    server.host.signal(&id, ThreadSignal::Ended);
    let asked = json!({
        "type": "rate", "conversation_id": "77", "operator_name": "Ann", "comment": "",
        "until": NOW.0 + 1_000,
    });
    assert_eq!(page.next().await, asked);
    let rating = |client_id: &str, score: i64| {
        json!({
            "type": "rating", "client_id": client_id, "conversation_id": "77", "score": score,
            "comment": "Quick",
        })
    };
    let acknowledged = page.ask(&rating("r-1", 5)).await;
    assert_eq!(acknowledged, json!({"type": "ack", "client_id": "r-1"}));
    assert_eq!(page.ask(&rating("r-2", 4)).await["type"], "ack");
    let rated: Vec<InboundKind> = events(&server.channel, &server.host)
        .into_iter()
        .skip(1)
        .map(|event| event.kind)
        .collect();
    let kind = |score: u8| InboundKind::Rating {
        score: Score::try_from(score).unwrap(),
        comment: "Quick".to_owned(),
        conversation: Some(ConversationId::new(77)),
    };
    assert_eq!(rated, [kind(5), kind(4)]);

    // A page that comes back is asked as well, and told what was said.
    let given = RatingAsk {
        score: Score::try_from(4).ok(),
        comment: "Quick".to_owned(),
        ..ask(77)
    };
    server.host.ask(&id, Some(given));
    server.host.reply(&id, 5, "Bye");
    let (mut again, _) = server.hello(json!({"token": token})).await;
    assert_eq!(again.next().await["type"], "message");
    assert_eq!(again.next().await["type"], "synced");
    let told = again.next().await;
    assert_eq!(
        (&told["score"], &told["comment"]),
        (&json!(4), &json!("Quick"))
    );
}

#[tokio::test]
async fn what_cannot_be_rated_is_refused() {
    let server = Server::start(SHOP).await;
    let (mut page, id, _) = known(&server).await;
    // There is nothing to rate: nobody is asked.
    server.host.signal(&id, ThreadSignal::Ended);
    let rating = |conversation: &str, score: i64, comment: &str| {
        json!({
            "type": "rating", "client_id": "r-1", "conversation_id": conversation,
            "score": score, "comment": comment,
        })
    };
    assert_eq!(
        page.ask(&rating("77", 5, "")).await["code"],
        "rating_closed"
    );
    server.host.ask(&id, Some(ask(77)));
    let long = "x".repeat(1_001);
    for (frame, code) in [
        (rating("78", 5, ""), "rating_closed"),
        (rating("no id", 5, ""), "rating"),
        (rating("77", 0, ""), "rating"),
        (rating("77", 6, ""), "rating"),
        (rating("77", -1, ""), "rating"),
        (rating("77", 5, &long), "text_too_long"),
    ] {
        let refused = page.ask(&frame).await;
        assert_eq!(
            (&refused["type"], &refused["code"]),
            (&json!("refused"), &json!(code))
        );
    }
    assert_eq!(server.host.journal().len(), 1);
}

#[tokio::test]
async fn the_host_knows_who_is_there() {
    let server = Server::start(SHOP).await;
    let (first, id, token) = server.visitor().await;
    let there = (id.clone(), true);
    assert_eq!(server.host.presence_seen(), std::slice::from_ref(&there));
    let (mut second, _) = server.hello(json!({"token": token})).await;
    second.next().await;
    assert_eq!(server.host.presence_seen().len(), 1);
    first.close().await;
    assert_eq!(second.ask(&json!({"type": "ping"})).await["type"], "pong");
    second.close().await;
    // A new visitor's turn comes after the end of the last one.
    while server.host.presence_seen().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.host.presence_seen(), [there, (id, false)]);
}
