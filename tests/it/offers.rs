//! Offers as time goes on: who is asked next, who is left in peace, what comes
//! back, and in which order.

use domain::operator::{Membership, Role};
use domain::routing::Assignment;
use e2e::gateway::{PASSWORD, line};
use e2e::{OperatorClient, TestGateway, Visitor};
use engine::people::NewOperator;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;

async fn written(gateway: &TestGateway, text: &str) -> Visitor {
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", text).await;
    visitor
}

async fn me(who: &mut OperatorClient) -> pb::Operator {
    let me = who.inbox.get_me(pb::GetMeRequest {}).await.unwrap();
    me.into_inner().operator.unwrap()
}

async fn ended(who: &mut OperatorClient, offer: &str) -> pb::OfferState {
    who.wait_for("the end of an offer", |kind| match kind {
        Kind::OfferEnded(ended) if ended.id == offer => Some(ended.state()),
        _ => None,
    })
    .await
}

/// Waits for a conversation to be in a state.
async fn becomes(
    who: &mut OperatorClient,
    id: &str,
    state: pb::ConversationState,
) -> pb::Conversation {
    who.wait_for(&format!("{state:?}"), |kind| match kind {
        Kind::ConversationOpened(now) | Kind::ConversationChanged(now) => {
            (now.id == id && now.state() == state).then_some(now)
        }
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_misses_two_is_left_in_peace_until_ready() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut bob = gateway.ready_operator("bob").await;
    for round in 1..=2 {
        let _visitor = written(&gateway, "hello").await;
        // Anna carries less than Bob, and was idle longer.
        let (offer, asked) = anna.offered().await;
        gateway.clock().advance(30_001);
        let (next, same) = bob.offered().await;
        assert_eq!(same.id, asked.id);
        assert_eq!(ended(&mut anna, &offer.id).await, pb::OfferState::TimedOut);
        assert_eq!(same.waiting_since, asked.waiting_since, "the place is kept");
        bob.accept_offer(&next.id).await.unwrap();
        let routing = me(&mut anna).await.routing_state();
        if round == 1 {
            assert_eq!(routing, pb::RoutingState::Free);
        } else {
            assert_eq!(routing, pb::RoutingState::NotResponding);
        }
    }
    let _third = written(&gateway, "third").await;
    bob.accept().await;
    anna.ready().await;
    assert_eq!(me(&mut anna).await.routing_state(), pb::RoutingState::Free);
    let _fourth = written(&gateway, "fourth").await;
    assert_eq!(anna.accept().await.last_message_text, "fourth");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declines_is_given_a_moment() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let _visitor = written(&gateway, "hello").await;
    let (offer, asked) = anna.offered().await;
    let decline = pb::DeclineOfferRequest {
        offer_id: offer.id.clone(),
        reason: "at lunch".to_owned(),
        client_id: String::new(),
    };
    let declined = anna
        .inbox
        .decline_offer(decline)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(declined.state(), pb::ConversationState::Queued);
    assert_eq!(declined.waiting_since, asked.waiting_since);
    gateway.clock().advance(9_000);
    let routing = me(&mut anna).await.routing_state();
    assert_eq!(routing, pb::RoutingState::CoolingDown);
    // A colleague is asked at once.
    let mut bob = gateway.ready_operator("bob").await;
    gateway.clock().advance(5_000);
    let (offer, same) = bob.offered().await;
    assert_eq!(same.id, asked.id);
    let decline = pb::DeclineOfferRequest {
        offer_id: offer.id,
        ..Default::default()
    };
    bob.inbox.decline_offer(decline).await.unwrap();
    // Everybody was asked: a pause, and from the beginning.
    gateway.clock().advance(5_001);
    let (_, again) = anna.offered().await;
    assert_eq!(again.id, asked.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_keeps_the_age() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let _one = written(&gateway, "one").await;
    let first = anna.accept().await;
    anna.set_presence(pb::Presence::Away).await;
    gateway.clock().advance(60_000);
    let _two = written(&gateway, "two").await;
    let mut bob = gateway.person("bob", Role::Operator, &["main"]).await;

    let to_colleague = |operator: &OperatorClient| pb::TransferConversationRequest {
        conversation_id: first.id.clone(),
        note: "knows about it".to_owned(),
        target: Some(pb::transfer_conversation_request::Target::OperatorId(
            operator.id.to_string(),
        )),
        ..Default::default()
    };
    let refused = anna.inbox.transfer_conversation(to_colleague(&bob)).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::FailedPrecondition);
    bob.ready().await;
    let (_, second) = bob.offered().await;
    assert_eq!(second.last_message_text, "two");
    anna.inbox
        .transfer_conversation(to_colleague(&bob))
        .await
        .unwrap();
    let (offer, given) = bob.offered().await;
    assert_eq!(given.id, first.id);
    assert_eq!(given.waiting_since, first.waiting_since);
    bob.accept_offer(&offer.id).await.unwrap();
    let notes = bob.messages(&first.id).await;
    assert!(
        notes
            .iter()
            .any(|note| note.direction() == pb::Direction::Note)
    );

    // To a queue: it stands before the younger one, unless its age is reset.
    bob.set_presence(pb::Presence::Away).await;
    becomes(&mut bob, &second.id, pb::ConversationState::Queued).await;
    for (reset_age, order) in [(false, ["one", "two"]), (true, ["two", "one"])] {
        let request = pb::TransferConversationRequest {
            conversation_id: first.id.clone(),
            reset_age,
            target: Some(pb::transfer_conversation_request::Target::QueueId(
                "main".to_owned(),
            )),
            ..Default::default()
        };
        bob.inbox.transfer_conversation(request).await.unwrap();
        let waiting = bob.list(pb::Folder::Waiting).await.conversations;
        let texts: Vec<_> = waiting.iter().map(|one| &one.last_message_text).collect();
        assert_eq!(texts, order);
        let take = pb::TakeConversationRequest {
            conversation_id: first.id.clone(),
            client_id: String::new(),
        };
        bob.inbox.take_conversation(take).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_away_comes_back() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = written(&gateway, "hello").await;
    let conversation = anna.accept().await;
    let until = gateway.engine().now() + domain::Millis::from_secs(3_600);
    let snooze = pb::SnoozeConversationRequest {
        conversation_id: conversation.id.clone(),
        until: Some(engine::contacts::convert::timestamp(until)),
        client_id: String::new(),
    };
    let parked = anna
        .inbox
        .snooze_conversation(snooze.clone())
        .await
        .unwrap();
    assert_eq!(parked.into_inner().state(), pb::ConversationState::Parked);
    assert_eq!(
        me(&mut anna).await.load,
        0,
        "what is put away costs nothing"
    );
    // By time.
    gateway.clock().advance(3_600_001);
    let back = becomes(&mut anna, &conversation.id, pb::ConversationState::Active).await;
    assert_eq!(back.operator_id, anna.id.to_string());
    // By the client, to the owner if free.
    let until_told = pb::SnoozeConversationRequest {
        until: None,
        ..snooze
    };
    anna.inbox
        .snooze_conversation(until_told.clone())
        .await
        .unwrap();
    visitor.say("c-2", "are you there?").await;
    anna.hears("are you there?").await;
    let now = anna.list(pb::Folder::Mine).await.conversations;
    assert_eq!(now[0].state(), pb::ConversationState::Active);
    assert_eq!(now[0].unread_count, 2);
    // And to the queue, at its end, if the owner has gone.
    anna.inbox.snooze_conversation(until_told).await.unwrap();
    anna.set_presence(pb::Presence::Offline).await;
    let _other = written(&gateway, "somebody else").await;
    anna.hears("somebody else").await;
    gateway.clock().advance(1_000);
    visitor.say("c-3", "hello?").await;
    anna.hears("hello?").await;
    let waiting = anna.list(pb::Folder::Waiting).await.conversations;
    let texts: Vec<_> = waiting.iter().map(|one| &one.last_message_text).collect();
    assert_eq!(texts, ["somebody else", "hello?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_end_a_new_conversation_begins() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = written(&gateway, "first").await;
    let conversation = anna.accept().await;
    assert!(!conversation.contact.unwrap().known);
    let closed = anna.finish(&conversation.id).await.unwrap();
    assert_eq!(closed.state(), pb::ConversationState::Closed);
    let again = anna.finish(&conversation.id).await;
    assert_eq!(again.unwrap_err().code(), tonic::Code::FailedPrecondition);
    visitor.say("c-2", "one more thing").await;
    let (_, next) = anna.offered().await;
    assert_ne!(next.id, conversation.id);
    assert_eq!(next.thread_id, conversation.thread_id);
    assert!(next.contact.unwrap().known);
    let id = next.id.parse().unwrap();
    let row = gateway
        .engine()
        .read::<_, store::StoreError>(move |view| view.conversation(id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.preferred, Some(anna.id));
    assert_eq!(anna.messages(&conversation.id).await.len(), 1);
    assert_eq!(anna.messages(&next.id).await.len(), 1);
}

async fn operator_of(
    gateway: &TestGateway,
    login: &str,
    queues: &[(&str, i32)],
    auto_accept: bool,
) -> OperatorClient {
    let memberships = queues
        .iter()
        .map(|(queue, rank)| Membership {
            queue: (*queue).into(),
            rank: *rank,
            position: 0,
        })
        .collect();
    let new = NewOperator {
        login: login.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: login.to_owned(),
        role: Role::Operator,
        memberships,
        skills: domain::routing::Skills::default(),
        capacity: 0,
        auto_accept,
    };
    gateway.engine().add_operator(None, "", new).await.unwrap();
    gateway.sign_in(login).await
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_served_by_rank_then_age() {
    let gateway = TestGateway::start_with(|settings| {
        let url = settings.public_url.clone();
        settings.lines.push(line("shop", "webchat", "other", &url));
    })
    .await;
    let mut visitors = Vec::new();
    for (line, text) in [
        ("site", "main 1"),
        ("shop", "other 1"),
        ("site", "main 2"),
        ("shop", "other 2"),
    ] {
        let mut visitor = Visitor::open(&gateway.url(), line, None, 0).await;
        visitor.say("c-1", text).await;
        visitors.push(visitor);
        gateway.clock().advance(1_000);
    }
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    while boss.list(pb::Folder::Waiting).await.conversations.len() < 4 {
        boss.wait_for("a conversation", |kind| {
            matches!(kind, Kind::ConversationOpened(_)).then_some(())
        })
        .await;
    }
    let mut anna = operator_of(&gateway, "anna", &[("main", 2), ("other", 1)], false).await;
    anna.ready().await;
    let mut served = Vec::new();
    for _ in 0..4 {
        served.push(anna.accept().await.last_message_text);
    }
    assert_eq!(served, ["other 1", "other 2", "main 1", "main 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn some_are_not_asked() {
    let direct = |settings: &mut engine::Settings| {
        let main = settings.rules.queues.get_mut(&"main".into()).unwrap();
        main.assignment = Assignment::Direct;
    };
    for auto_accept in [false, true] {
        let gateway = TestGateway::start_with(move |settings| {
            if !auto_accept {
                direct(settings);
            }
        })
        .await;
        let mut anna = operator_of(&gateway, "anna", &[("main", 0)], auto_accept).await;
        anna.ready().await;
        let _visitor = written(&gateway, "hello").await;
        let mine = anna
            .wait_for("what is theirs at once", |kind| match kind {
                Kind::OfferMade(_) => panic!("nobody asks"),
                Kind::ConversationChanged(now) => {
                    (now.state() == pb::ConversationState::Active).then_some(now)
                }
                _ => None,
            })
            .await;
        assert_eq!(mine.operator_id, anna.id.to_string());
        assert_eq!(me(&mut anna).await.load, 25);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_places_and_timers() {
    let mut gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitors = Vec::new();
    for number in 0..6 {
        visitors.push(written(&gateway, &format!("visitor {number}")).await);
        anna.hears(&format!("visitor {number}")).await;
        gateway.clock().advance(10);
    }
    let before = anna.list(pb::Folder::Waiting).await;
    assert_eq!(before.conversations.len(), 6);
    assert_eq!(before.offers.len(), 4);
    gateway.restart().await;
    let mut anna = gateway.sign_in("anna").await;
    let mut bob = gateway.person("bob", Role::Operator, &["main"]).await;
    let after = anna.list(pb::Folder::Waiting).await;
    // That its visitor has to come back is written with each.
    let places = |page: &pb::ListConversationsResponse| {
        let mut conversations = page.conversations.clone();
        for conversation in &mut conversations {
            conversation.version = 0;
        }
        conversations
    };
    assert_eq!(places(&after), places(&before));
    assert_eq!(after.offers, before.offers);

    // The offers from before the restart time out all the same, oldest first.
    bob.ready().await;
    let mut served = Vec::new();
    for _ in 0..2 {
        served.push(bob.accept().await.last_message_text);
    }
    assert_eq!(served, ["visitor 4", "visitor 5"]);
    gateway.clock().advance(30_001);
    for _ in 0..2 {
        served.push(bob.accept().await.last_message_text);
    }
    assert_eq!(served[2..], ["visitor 0", "visitor 1"]);
}
