//! Many at once: one accept wins, one person is one contact, one reply is sent
//! once, and nobody carries more than they can.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::operator::Role;
use e2e::operator::Bearer;
use e2e::{Bridge, OperatorClient, TestGateway, Visitor, http, soon};
use futures::future::join_all;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::inbox_client::InboxClient;
use rusqlite::Connection;
use serde_json::json;
use tokio::sync::Barrier;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

/// Another connection of somebody.
async fn again(gateway: &TestGateway, who: &OperatorClient) -> InboxClient<e2e::operator::Signed> {
    let endpoint = Endpoint::from_shared(gateway.url()).unwrap();
    let channel = endpoint.connect().await.unwrap();
    InboxClient::with_interceptor(channel, Bearer(who.token.clone()))
}

fn accept(offer_id: &str) -> pb::AcceptOfferRequest {
    pb::AcceptOfferRequest {
        offer_id: offer_id.to_owned(),
        client_id: String::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_64_accepts_wins() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let bob = gateway.ready_operator("bob").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let (offer, _) = anna.offered().await;
    let gate = Arc::new(Barrier::new(64));
    let mut tries = Vec::new();
    for number in 0..8 {
        // One connection in eight is a colleague's, who was not asked.
        let colleague = number == 7;
        let client = again(&gateway, if colleague { &bob } else { &anna }).await;
        for _ in 0..8 {
            let (mut client, gate) = (client.clone(), Arc::clone(&gate));
            let request = accept(&offer.id);
            tries.push(tokio::spawn(async move {
                gate.wait().await;
                (colleague, client.accept_offer(request).await)
            }));
        }
    }
    let mut accepted = Vec::new();
    for outcome in join_all(tries).await {
        match outcome.unwrap() {
            (false, Ok(conversation)) => accepted.push(conversation.into_inner()),
            (false, Err(status)) => {
                assert_eq!(status.code(), Code::FailedPrecondition, "{status}");
                assert!(status.message().contains("accepted before"), "{status}");
            }
            (true, outcome) => assert_eq!(outcome.unwrap_err().code(), Code::NotFound),
        }
    }
    assert_eq!(accepted.len(), 1);
    assert_eq!(accepted[0].operator_id, anna.id.to_string());
    println!("accepts 64, accepted 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_count_as_load_under_64_accepts() {
    let gateway = TestGateway::start().await;
    let bridge = Bridge::connect(&gateway).await;
    let pushes = (0..64).map(|number| {
        let bridge = bridge.clone();
        async move { bridge.says(&format!("client-{number}"), "1", "hello").await }
    });
    join_all(pushes).await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut people = Vec::new();
    for number in 0..8 {
        let name = format!("operator-{number}");
        people.push(gateway.person(&name, Role::Operator, &["main"]).await);
    }
    // Everybody takes what they are offered as it comes, all at once.
    join_all(people.iter_mut().map(async |who| {
        who.ready().await;
        for _ in 0..5 {
            who.accept().await;
        }
    }))
    .await;
    let me = boss.inbox.get_me(pb::GetMeRequest {}).await.unwrap();
    for colleague in me.into_inner().colleagues {
        // Five messengers at 20 units each.
        assert_eq!((colleague.load, colleague.capacity), (100, 100));
    }
    let open = boss.list(pb::Folder::AllOpen).await.conversations;
    let active = open
        .iter()
        .filter(|one| one.state() == pb::ConversationState::Active);
    assert_eq!((active.count(), open.len()), (40, 64));
}

/// Waits until so many messages were heard of.
async fn heard(who: &mut OperatorClient, messages: usize) {
    for _ in 0..messages {
        who.wait_for("a message", |kind| {
            matches!(kind, Kind::MessageAdded(_)).then_some(())
        })
        .await;
    }
}

/// Counts of the store's file: contacts, conversations, threads, messages.
fn counts(store: &Connection) -> (i64, i64, i64, i64) {
    store
        .query_row(
            "select (select count(*) from contact), (select count(*) from conversation),
                    (select count(*) from thread), (select count(*) from message)",
            (),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap()
}

/// The ends of the names of each thread's messages, as they were taken in and as
/// they are told.
fn orders(store: &Connection) -> BTreeMap<i64, (Vec<String>, Vec<String>)> {
    let mut orders: BTreeMap<i64, (Vec<String>, Vec<String>)> = BTreeMap::new();
    let mut statement = store
        .prepare("select thread, external_id from message order by cursor")
        .unwrap();
    let told = statement.query_map((), |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
    let mut thread_of = BTreeMap::new();
    for (thread, name) in told.unwrap().map(Result::unwrap) {
        thread_of.insert(name.clone(), thread);
        orders.entry(thread).or_default().1.push(name);
    }
    let mut statement = store
        .prepare("select event_key from journal order by seq")
        .unwrap();
    let taken = statement.query_map((), |row| row.get::<_, String>(0));
    for key in taken.unwrap().map(Result::unwrap) {
        // A chat's key says what was done before who did it.
        let name = key.strip_prefix("m:").unwrap_or(&key);
        orders
            .entry(thread_of[name])
            .or_default()
            .0
            .push(name.to_owned());
    }
    orders
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_first_messages_makes_one_contact_each() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let first = Bridge::connect(&gateway).await;
    let mut bridges = vec![first.again(&gateway).await, first.again(&gateway).await];
    bridges.push(first);
    let mut pushes = Vec::new();
    for number in 0..50 * 20 {
        let bridge = bridges[number % 3].clone();
        pushes.push(tokio::spawn(async move {
            let (who, key) = (format!("client-{}", number % 50), (number / 50).to_string());
            assert!(!bridge.says(&who, &key, &key).await);
            // The platform did not hear the answer.
            assert!(bridge.says(&who, &key, &key).await);
        }));
    }
    for push in join_all(pushes).await {
        push.unwrap();
    }
    heard(&mut boss, 1_000).await;
    let store = Connection::open(gateway.store_path()).unwrap();
    assert_eq!(counts(&store), (50, 50, 50, 1_000));
    for (taken, told) in orders(&store).values() {
        assert_eq!(told.len(), 20);
        assert_eq!(taken, told, "in the order in which they were taken in");
    }
    println!("identities 50, messages 1000, contacts 50, conversations 50, misordered 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_with_many_pages_is_one_visitor() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let gate = Arc::new(Barrier::new(10 * 4));
    let mut pages = Vec::new();
    for _ in 0..10 {
        let (token, _) = gateway.visitor().await.vanish();
        for page in 0..4 {
            let mut page_of = Visitor::open(&gateway.url(), "site", Some(&token), 0).await;
            let gate = Arc::clone(&gate);
            pages.push(tokio::spawn(async move {
                gate.wait().await;
                for number in 0..5 {
                    page_of.write(&format!("{page}-{number}"), "hello").await;
                }
                for number in 0..5 {
                    page_of.acked(&format!("{page}-{number}")).await;
                }
            }));
        }
    }
    for page in join_all(pages).await {
        page.unwrap();
    }
    heard(&mut boss, 200).await;
    let store = Connection::open(gateway.store_path()).unwrap();
    assert_eq!(counts(&store), (10, 10, 10, 200));
    let totals: (i64, i64) = store
        .query_row(
            "select min(n), max(n) from (select count(*) n from message group by thread)",
            (),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(totals, (20, 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_sent_again_and_again_is_one_submission() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let url = gateway.url();
    let submissions = (0..20 * 5).map(async |number| {
        let body = json!({
            "submission_id": format!("00000000-0000-4000-8000-0000000000{:02}", number % 5),
            "email": "anna@example.com",
            "message": "hello",
        });
        let request = http::request(::http::Method::POST, "/forms/form", None)
            .header("content-type", "application/json")
            .header("origin", &url)
            .body(body.to_string().into())
            .unwrap();
        let answer = http::send(&url, request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    });
    join_all(submissions).await;
    heard(&mut boss, 5).await;
    let store = Connection::open(gateway.store_path()).unwrap();
    // An address that is only claimed joins nobody's conversation.
    let (_, conversations, threads, messages) = counts(&store);
    assert_eq!((conversations, threads, messages), (5, 5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retried_message_is_sent_once() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let conversation = anna.accept().await;
    let request = pb::SendMessageRequest {
        conversation_id: conversation.id.clone(),
        client_id: "a-1".to_owned(),
        text: "once".to_owned(),
        ..Default::default()
    };
    let gate = Arc::new(Barrier::new(32));
    let tries = (0..32).map(|_| {
        let (mut client, gate) = (anna.inbox.clone(), Arc::clone(&gate));
        let request = request.clone();
        tokio::spawn(async move {
            gate.wait().await;
            client.send_message(request).await.unwrap().into_inner().id
        })
    });
    let ids: Vec<String> = join_all(tries)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let other = anna.say(&conversation.id, "a-1", "something else").await;
    assert_eq!(other.unwrap_err().code(), Code::AlreadyExists);
    let elsewhere = pb::SendMessageRequest {
        reply_to_message_id: ids[0].clone(),
        ..request
    };
    let other = anna.inbox.send_message(elsewhere).await;
    assert_eq!(other.unwrap_err().code(), Code::AlreadyExists);
    anna.say(&conversation.id, "a-2", "the end").await.unwrap();

    let mut shown = Vec::new();
    loop {
        let frame = visitor.frame("message").await;
        // A message whose delivery moves on is shown once more.
        if frame["author"] == "operator" && !shown.contains(&frame["id"]) {
            shown.push(frame["id"].clone());
        }
        if frame["text"] == "the end" {
            break;
        }
    }
    assert_eq!(shown.len(), 2);
    assert_eq!(anna.messages(&conversation.id).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_take_it_one_has_it() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    boss.hears("hello").await;
    let waiting = boss.list(pb::Folder::Waiting).await.conversations;
    let id = waiting[0].id.clone();
    let mut people = Vec::new();
    for name in ["anna", "bob", "carl", "dora"] {
        people.push(gateway.person(name, Role::Operator, &["main"]).await);
    }
    let takes = people.iter_mut().map(async |who| {
        let request = pb::TakeConversationRequest {
            conversation_id: id.clone(),
            client_id: String::new(),
        };
        who.inbox.take_conversation(request).await.unwrap();
    });
    join_all(takes).await;
    let open = boss.list(pb::Folder::AllOpen).await.conversations;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].state(), pb::ConversationState::Active);
    let me = boss.inbox.get_me(pb::GetMeRequest {}).await.unwrap();
    for colleague in me.into_inner().colleagues {
        let carried = if colleague.id == open[0].operator_id {
            25
        } else {
            0
        };
        assert_eq!(colleague.load, carried, "{}", colleague.display_name);
    }
}

/// What became of an offer that two things raced for.
fn lost(outcome: Result<tonic::Response<pb::Conversation>, Status>, why: &str) -> bool {
    match outcome {
        Ok(accepted) => {
            assert_eq!(accepted.into_inner().state(), pb::ConversationState::Active);
            false
        }
        Err(status) => {
            assert_eq!(status.code(), Code::FailedPrecondition);
            assert!(status.message().contains(why), "{status}");
            true
        }
    }
}

/// Where a conversation is, and with whom.
async fn seen(boss: &mut OperatorClient, id: &str) -> pb::Conversation {
    let open = boss.list(pb::Folder::AllOpen).await.conversations;
    open.into_iter().find(|one| one.id == id).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accept_races_with_the_timeout() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let (mut won, mut late) = (0, 0);
    for round in 0..8 {
        let mut visitor = gateway.visitor().await;
        visitor.say("c-1", "hello").await;
        let (offer, conversation) = anna.offered().await;
        // The later rounds let the timers go first.
        let mut client = anna.inbox.clone();
        gateway.clock().advance(30_001);
        if round >= 4 {
            boss.wait_for("the timeout", |kind| match kind {
                Kind::OfferEnded(ended) => (ended.id == offer.id).then_some(()),
                _ => None,
            })
            .await;
        }
        if lost(client.accept_offer(accept(&offer.id)).await, "timed out") {
            late += 1;
            let now = seen(&mut boss, &conversation.id).await;
            assert_ne!(now.state(), pb::ConversationState::Active);
            // Whoever missed two says Ready again; the conversation comes back.
            anna.ready().await;
            gateway.clock().advance(5_001);
            let (again, back) = anna.offered().await;
            assert_eq!(back.id, conversation.id);
            anna.accept_offer(&again.id).await.unwrap();
        } else {
            won += 1;
        }
        anna.finish(&conversation.id).await.unwrap();
    }
    assert!(late >= 4);
    println!("accepted in time {won}, late {late}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_is_asked_no_more() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut bob = gateway.person("bob", Role::Operator, &["main"]).await;
    for round in 0..8 {
        let mut visitor = gateway.visitor().await;
        visitor.say("c-1", "hello").await;
        let (offer, conversation) = anna.offered().await;
        bob.ready().await;
        let mut client = anna.inbox.clone();
        let away = pb::SetPresenceRequest {
            presence: pb::Presence::Away.into(),
            ..Default::default()
        };
        let gone = if round == 0 {
            // Nothing races: the offer is revoked at once.
            client.set_presence(away).await.unwrap();
            lost(anna.inbox.accept_offer(accept(&offer.id)).await, "revoked")
        } else {
            let mut other = anna.inbox.clone();
            let (gone, accepted) = tokio::join!(
                client.set_presence(away),
                other.accept_offer(accept(&offer.id))
            );
            gone.unwrap();
            lost(accepted, "revoked")
        };
        let owner = if gone {
            let (offer, asked) = bob.offered().await;
            assert_eq!(asked.id, conversation.id);
            bob.accept_offer(&offer.id).await.unwrap();
            &mut bob
        } else {
            &mut anna
        };
        let now = seen(&mut boss, &conversation.id).await;
        assert_eq!(now.operator_id, owner.id.to_string());
        owner.finish(&conversation.id).await.unwrap();
        bob.set_presence(pb::Presence::Away).await;
        anna.ready().await;
    }
    soon("the end", gateway.engine().stop()).await;
}
