//! The main job: a visitor writes, a free operator answers.

use std::collections::BTreeMap;

use e2e::operator::text_of;
use e2e::{TestGateway, Visitor};
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_writes_and_a_free_operator_answers() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;

    visitor.say("c-1", "Do you have it in blue?").await;
    let (offer, offered) = anna.offered().await;
    assert_eq!(offered.last_message_text, "Do you have it in blue?");
    assert!(!offered.contact.unwrap().provisional);

    let accepted = anna.accept_offer(&offer.id).await.unwrap();
    assert_eq!(accepted.state(), pb::ConversationState::Active);
    let sent = anna.say(&accepted.id, "a-1", "We do.").await.unwrap();
    let heard = visitor.hears("We do.").await;
    assert_eq!(heard["operator_name"], "anna");

    let delivery = anna
        .wait_for("the message is sent", |kind| match kind {
            Kind::MessageChanged(message) if message.id == sent.id => Some(message.delivery()),
            _ => None,
        })
        .await;
    assert_eq!(delivery, proto::channels::v1::DeliveryState::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_shows_the_same_thread_once() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "one").await;
    let conversation = anna.accept().await;
    anna.say(&conversation.id, "a-1", "two").await.unwrap();
    visitor.hears("two").await;
    let (token, _) = visitor.vanish();
    anna.say(&conversation.id, "a-2", "three").await.unwrap();

    let mut again = Visitor::open(&gateway.url(), "site", Some(&token), 0).await;
    // One that is marked as sent meanwhile comes again, under its id.
    let mut texts = BTreeMap::new();
    loop {
        let frame = again.next().await.unwrap();
        match frame["type"].as_str() {
            Some("message") => {
                let id: i64 = frame["id"].as_str().unwrap().parse().unwrap();
                texts.insert(id, frame["text"].as_str().unwrap().to_owned());
            }
            Some("synced") => break,
            _ => {}
        }
    }
    let texts: Vec<String> = texts.into_values().collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_survives_a_restart() {
    let mut gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "before").await;
    let conversation = anna.accept().await;
    let (token, cursor) = visitor.vanish();

    gateway.restart().await;
    let mut anna = gateway.sign_in("anna").await;
    let mut visitor = Visitor::open(&gateway.url(), "site", Some(&token), cursor).await;
    // The same message once more, as after a lost ack.
    visitor.say("c-1", "before").await;
    visitor.say("c-2", "after").await;
    anna.hears("after").await;

    let messages = anna.messages(&conversation.id).await;
    let texts: Vec<&str> = messages.iter().map(text_of).collect();
    assert_eq!(texts, ["before", "after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_first_is_served_first() {
    let gateway = TestGateway::start().await;
    let mut visitors = Vec::new();
    for number in 0..5 {
        let mut visitor = gateway.visitor().await;
        visitor.say("c-1", &format!("visitor {number}")).await;
        visitors.push(visitor);
    }
    let mut anna = gateway
        .person("anna", domain::operator::Role::Operator, &["main"])
        .await;
    let waiting = anna.list(pb::Folder::Waiting).await.conversations;
    let first_words: Vec<_> = waiting
        .iter()
        .map(|conversation| conversation.last_message_text.clone())
        .collect();
    anna.ready().await;
    let mut served = Vec::new();
    for _ in 0..4 {
        served.push(anna.accept().await.last_message_text);
    }
    // Four chats are a full load; the fifth waits for a free place.
    assert_eq!(served, first_words[..4]);
    let mine = anna.list(pb::Folder::Mine).await.conversations;
    anna.finish(&mine[0].id).await.unwrap();
    assert_eq!(anna.accept().await.last_message_text, first_words[4]);
}
