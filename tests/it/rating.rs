//! What clients and supervisors think of conversations, and numbers to call back.

use domain::operator::Role;
use domain::rating::RATING_WINDOW;
use e2e::operator::text_of;
use e2e::{Bridge, OperatorClient, TestGateway, Visitor, bridge, http};
use proto::channels::v1 as channels;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::message::Content;
use serde_json::{Value, json};

const SCORE: &str = "switchboard.inbox.v1.Inbox/ScoreConversation";
const RATINGS: &str = "switchboard.inbox.v1.Inbox/ListRatings";

/// Anna has answered a visitor, and the conversation has ended.
async fn over(gateway: &TestGateway, anna: &mut OperatorClient) -> (Visitor, pb::Conversation) {
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "Do you have it in blue?").await;
    let conversation = anna.accept().await;
    anna.say(&conversation.id, "a-1", "We do.").await.unwrap();
    visitor.hears("We do.").await;
    anna.finish(&conversation.id).await.unwrap();
    (visitor, conversation)
}

fn rating(client_id: &str, conversation: &str, score: i32, comment: &str) -> Value {
    json!({
        "type": "rating", "client_id": client_id, "conversation_id": conversation,
        "score": score, "comment": comment,
    })
}

async fn rated(who: &mut OperatorClient) -> pb::Rating {
    who.wait_for("a rating", |kind| match kind {
        Kind::Rated(rating) => Some(rating),
        _ => None,
    })
    .await
}

async fn open(who: &OperatorClient, id: &str) -> pb::GetConversationResponse {
    let request = pb::GetConversationRequest {
        conversation_id: id.to_owned(),
    };
    let answer = who.inbox.clone().get_conversation(request).await;
    answer.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_is_asked_at_the_end_and_the_operator_hears_it() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let (mut visitor, conversation) = over(&gateway, &mut anna).await;
    let asked = visitor.frame("rate").await;
    assert_eq!(asked["conversation_id"], json!(conversation.id));
    assert_eq!(asked["operator_name"], "anna");
    assert_eq!(asked.get("score"), None);

    visitor
        .send(rating("r-1", &conversation.id, 4, "Quick"))
        .await;
    visitor.acked("r-1").await;
    let first = rated(&mut anna).await;
    assert_eq!((first.score, first.comment.as_str()), (4, "Quick"));
    assert_eq!(first.operator_id, anna.id.to_string());
    assert_eq!(
        (
            first.queue_id.as_str(),
            first.line_id.as_str(),
            first.channel.as_str()
        ),
        ("main", "site", "webchat")
    );
    assert_eq!(first.contact_id, conversation.contact.unwrap().id);

    // Another mind, and the page that comes back knows it.
    visitor.send(rating("r-2", &conversation.id, 2, "")).await;
    visitor.acked("r-2").await;
    let second = rated(&mut anna).await;
    assert_eq!((second.score, second.rated_at), (2, first.rated_at));
    assert!(second.changed_at.is_some());
    let (token, cursor) = visitor.vanish();
    let mut again = Visitor::open(&gateway.url(), "site", Some(&token), cursor).await;
    assert_eq!(again.frame("rate").await["score"], 2);

    let opened = open(&anna, &conversation.id).await;
    assert_eq!(opened.ratings, std::slice::from_ref(&second));
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let list = |body: Value| {
        let (url, token) = (gateway.url(), boss.token.clone());
        async move { http::call(&url, RATINGS, Some(&token), &body).await }
    };
    let mut later = first.rated_at.unwrap();
    let first_at = later.to_string();
    later.seconds += 1;
    let later = later.to_string();
    for (body, found) in [
        (json!({}), 1),
        (
            json!({"queueId": "main", "operatorId": anna.id.to_string()}),
            1,
        ),
        (json!({"queueId": "other"}), 0),
        (json!({"operatorId": boss.id.to_string()}), 0),
        (json!({"scoreMax": 2}), 1),
        (json!({"scoreMax": 1}), 0),
        (json!({"from": first_at, "to": later}), 1),
        (json!({"from": later}), 0),
        (json!({"to": first_at}), 0),
    ] {
        let answer = list(body.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let ratings = answer.json()["ratings"].as_array().map_or(0, Vec::len);
        assert_eq!(ratings, found, "{body}");
    }
    assert_eq!(
        list(json!({"scoreMax": 9})).await.code(),
        "invalid_argument"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_why_by_a_code_and_its_values() {
    let gateway = TestGateway::start().await;
    let boss = gateway.person("boss", Role::Supervisor, &["main"]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "Is anybody there?").await;
    let (_, waiting) = anna.offered().await;
    let id = waiting.id;
    let told = |answer: http::Answer| {
        let details = answer.json()["details"].clone();
        let details = details.as_array().unwrap().clone();
        let info = details
            .into_iter()
            .find(|detail| detail["type"] == "google.rpc.ErrorInfo")
            .unwrap();
        info["debug"].clone()
    };
    let score = |score: i32, comment: String| {
        let body = json!({"conversationId": id, "score": score, "comment": comment});
        let (url, token) = (gateway.url(), boss.token.clone());
        async move { http::call(&url, SCORE, Some(&token), &body).await }
    };
    let refused = score(5, String::new()).await;
    assert_eq!(refused.code(), "failed_precondition");
    let expect = json!({"domain": "switchboard", "reason": "NOBODY_ANSWERED"});
    assert_eq!(told(refused), expect);

    let refused = score(5, "x".repeat(2_000)).await;
    assert_eq!(refused.code(), "invalid_argument");
    let told = told(refused);
    assert_eq!(told["reason"], "TOO_LONG");
    assert_eq!(told["metadata"], json!({"max": "1000"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rating_comes_in_time_or_not_at_all() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let (mut visitor, conversation) = over(&gateway, &mut anna).await;
    visitor.frame("rate").await;
    gateway.clock().advance(RATING_WINDOW.0 + 60_000);
    let late = rating("r-1", &conversation.id, 1, "");
    visitor.send(late).await;
    assert_eq!(visitor.frame("refused").await["code"], "rating_closed");

    // Nobody is asked of a conversation that nobody answered, or of another's.
    let mut other = gateway.visitor().await;
    other.say("c-1", "Hello?").await;
    let theirs = rating("r-1", &conversation.id, 1, "");
    other.send(theirs).await;
    assert_eq!(other.frame("refused").await["code"], "rating_closed");
    assert!(open(&anna, &conversation.id).await.ratings.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_may_ask_for_nothing() {
    let gateway = TestGateway::start_with(|settings| {
        for queue in &mut settings.queues {
            queue.ask_rating = false;
        }
    })
    .await;
    let mut anna = gateway.ready_operator("anna").await;
    let (mut visitor, _) = over(&gateway, &mut anna).await;
    visitor.send(json!({"type": "ping"})).await;
    loop {
        let frame = visitor.next().await.unwrap();
        assert_ne!(frame["type"], "rate");
        if frame["type"] == "pong" {
            break;
        }
    }
    let (token, cursor) = visitor.vanish();
    let mut again = Visitor::open(&gateway.url(), "site", Some(&token), cursor).await;
    again.frame("synced").await;
    again.send(json!({"type": "ping"})).await;
    assert_eq!(again.next().await.unwrap()["type"], "pong");
}

fn bridged(key: &str, content: channels::inbound::Content) -> channels::Inbound {
    channels::Inbound {
        content: Some(content),
        ..bridge::message("li", key, "")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_delivers_ratings() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let bridge = Bridge::connect(&gateway).await;
    let rate = |key: &str, score: i32, conversation_id: &str| {
        bridged(
            key,
            channels::inbound::Content::Rating(channels::Rating {
                score,
                comment: "So so".to_owned(),
                conversation_id: conversation_id.to_owned(),
            }),
        )
    };
    // There is nothing to rate yet.
    bridge.push(rate("r-0", 5, "")).await.unwrap();
    bridge.says("li", "m-1", "Hello").await;
    let conversation = anna.accept().await;
    anna.finish(&conversation.id).await.unwrap();
    bridge.push(rate("r-1", 3, "")).await.unwrap();
    let given = rated(&mut anna).await;
    assert_eq!(
        (given.score, given.conversation_id.as_str()),
        (3, conversation.id.as_str())
    );
    bridge.push(rate("r-2", 4, &conversation.id)).await.unwrap();
    assert_eq!(rated(&mut anna).await.score, 4);
    for (wrong, field) in [
        (rate("r-3", 6, ""), "rating.score"),
        (rate("r-3", 0, ""), "rating.score"),
        (rate("r-3", 5, "nowhere"), "rating.conversation_id"),
    ] {
        let refused = bridge.push(wrong).await.unwrap_err();
        assert!(refused.message().contains(field), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_scores_and_only_the_operator_hears_of_it() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let (mut visitor, conversation) = over(&gateway, &mut anna).await;
    let olga = gateway.person("olga", Role::Operator, &["main"]).await;
    let score = |body: Value, who: &OperatorClient| {
        let (url, token) = (gateway.url(), who.token.clone());
        async move { http::call(&url, SCORE, Some(&token), &body).await }
    };
    let five = json!({
        "conversationId": conversation.id, "score": 5, "comment": "Well done", "clientId": "s-1",
    });
    assert_eq!(score(five.clone(), &anna).await.code(), "permission_denied");
    let given = score(five.clone(), &boss).await;
    assert_eq!(given.status, 200, "{}", given.text());
    assert_eq!(given.json()["operatorId"], anna.id.to_string());
    assert_eq!(score(five, &boss).await.json(), given.json());
    for (field, value) in [
        ("score", json!(0)),
        ("score", json!(6)),
        ("comment", json!("x".repeat(1_001))),
    ] {
        let mut wrong = json!({"conversationId": conversation.id, "score": 3});
        wrong[field] = value;
        let refused = score(wrong, &boss).await;
        assert_eq!(refused.code(), "invalid_argument", "{}", refused.text());
    }
    let scored = |kind| match kind {
        Kind::Scored(score) => Some(score),
        _ => None,
    };
    assert_eq!(anna.wait_for("her score", scored).await.score, 5);
    assert_eq!(
        boss.wait_for("the score", scored).await.comment,
        "Well done"
    );
    let four = json!({"conversationId": conversation.id, "score": 4, "comment": "On reflection"});
    assert_eq!(score(four, &boss).await.status, 200);
    assert_eq!(open(&anna, &conversation.id).await.scores[0].score, 4);
    assert!(open(&olga, &conversation.id).await.scores.is_empty());
    let audit = "switchboard.admin.v1.Admin/ListAudit";
    let root = gateway.person("root", Role::Admin, &[]).await;
    let noted = http::call(&gateway.url(), audit, Some(&root.token), &json!({})).await;
    assert_eq!(noted.text().matches("conversation.score").count(), 2);

    // The client hears nothing of it.
    visitor.send(json!({"type": "ping"})).await;
    loop {
        let frame = visitor.next().await.unwrap();
        assert!(!frame.to_string().contains("Well done"), "{frame}");
        if frame["type"] == "pong" {
            break;
        }
    }
    // What nobody has answered has nobody to score.
    anna.set_presence(pb::Presence::Away).await;
    visitor.say("c-2", "One more thing").await;
    let waiting = boss
        .wait_for("another conversation", |kind| match kind {
            Kind::ConversationOpened(opened) if opened.id != conversation.id => Some(opened.id),
            _ => None,
        })
        .await;
    let early = json!({"conversationId": waiting, "score": 4});
    assert_eq!(score(early, &boss).await.code(), "failed_precondition");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_left_in_the_thread() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;
    let leave = json!({
        "type": "callback", "client_id": "c-1", "phone": "8 916 123-45-67",
        "comment": "after six",
    });
    for _ in 0..2 {
        visitor.send(leave.clone()).await;
        visitor.acked("c-1").await;
    }
    let conversation = anna.accept().await;
    let messages = anna.messages(&conversation.id).await;
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(text_of(&messages[0]), "after six");
    let Some(Content::ContactCard(card)) = &messages[1].content else {
        panic!("{messages:?}")
    };
    assert_eq!(card.display_name, "+79161234567");
    assert_eq!(card.identities[0].kind, "phone");

    let bridge = Bridge::connect(&gateway).await;
    let request = |key: &str, phone: &str| {
        bridged(
            key,
            channels::inbound::Content::CallbackRequest(channels::CallbackRequest {
                phone: phone.to_owned(),
                comment: String::new(),
            }),
        )
    };
    let refused = bridge.push(request("c-0", " ")).await.unwrap_err();
    assert!(refused.message().contains("callback_request.phone"));
    // What cannot be dialled is for a person to read.
    bridge.push(request("c-1", "ask my brother")).await.unwrap();
    let conversation = anna.accept().await;
    let messages = anna.messages(&conversation.id).await;
    let Some(Content::ContactCard(card)) = &messages[0].content else {
        panic!("{messages:?}")
    };
    assert_eq!(
        (card.display_name.as_str(), card.identities.len()),
        ("ask my brother", 0)
    );
}
