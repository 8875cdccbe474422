//! Who goes, and who comes back: operators whose connection is lost, and clients who wait
//! no longer.

use std::sync::Arc;
use std::time::Duration;

use domain::Millis;
use domain::hours::Schedule;
use domain::operator::Role;
use domain::routing::QueueRules;
use domain::text::Localized;
use e2e::operator::text_of;
use e2e::{OperatorClient, TestGateway, Visitor};
use proto::inbox::v1 as pb;
use proto::inbox::v1::ConversationState as State;
use proto::inbox::v1::event::Kind;
use serde_json::json;

const GRACE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// A gateway whose queue `main` has other rules.
async fn gateway(change: impl Fn(&mut QueueRules) + Send + Sync + 'static) -> TestGateway {
    TestGateway::start_with(move |settings| {
        let main = settings.rules.queues.get_mut(&"main".into());
        change(main.unwrap());
    })
    .await
}

/// Lets time pass, a little at a time, until something has happened.
async fn while_time_passes<T>(gateway: &TestGateway, happens: impl Future<Output = T>) -> T {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let passes = async {
        loop {
            ticks.tick().await;
            gateway.clock().advance(500);
        }
    };
    tokio::select! {
        done = happens => done,
        () = passes => unreachable!("time does not end"),
    }
}

async fn becomes(who: &mut OperatorClient, state: State) -> pb::Conversation {
    who.wait_for(
        &format!("a conversation to be {state:?}"),
        |kind| match kind {
            Kind::ConversationOpened(now) | Kind::ConversationChanged(now) => {
                (now.state() == state).then_some(now)
            }
            _ => None,
        },
    )
    .await
}

async fn is_seen_as(who: &mut OperatorClient, id: &str, state: pb::RoutingState) {
    who.wait_for(&format!("{id} to be {state:?}"), |kind| match kind {
        Kind::PresenceChanged(now) => (now.id == id && now.routing_state() == state).then_some(()),
        _ => None,
    })
    .await;
}

/// T2, T14.
#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_connection_is_asked_no_more_and_may_come_back() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let anna = gateway.ready_operator("anna").await;
    let anna_id = anna.id.to_string();
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let asked = becomes(&mut boss, State::Offered).await;
    assert_eq!(asked.operator_id, anna_id);
    let mut bob = gateway.ready_operator("bob").await;
    drop(anna);
    let lost = is_seen_as(&mut boss, &anna_id, pb::RoutingState::Disconnected);
    while_time_passes(&gateway, lost).await;
    let (_, offered) = bob.offered().await;
    assert_eq!(offered.id, asked.id);
    assert_eq!(offered.waiting_since, asked.waiting_since);

    let anna = gateway.sign_in("anna").await;
    is_seen_as(&mut boss, &anna_id, pb::RoutingState::Free).await;
    drop(anna);
}

/// T2: nobody is left with a live chat that is nobody's any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_operators_chats_return_with_their_place() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let anna_id = anna.id.to_string();
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let taken = anna.accept().await;
    drop(anna);
    let lost = is_seen_as(&mut boss, &anna_id, pb::RoutingState::Disconnected);
    while_time_passes(&gateway, lost).await;
    let still = boss.list(pb::Folder::AllOpen).await;
    assert_eq!(
        still.conversations[0].operator_id, anna_id,
        "the grace runs"
    );
    gateway.clock().advance(GRACE_MS);
    let back = becomes(&mut boss, State::Queued).await;
    assert!(back.returned);
    assert_eq!(back.waiting_since, taken.waiting_since);
    is_seen_as(&mut boss, &anna_id, pb::RoutingState::NotReady).await;
    let mut bob = gateway.ready_operator("bob").await;
    assert_eq!(bob.offered().await.1.id, taken.id);
}

/// A gateway that was away has seen nobody go.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_come_back_after_a_restart_is_lost_too() {
    let mut gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let anna_id = anna.id.to_string();
    // It is written that she is here.
    is_seen_as(&mut anna, &anna_id, pb::RoutingState::Free).await;
    drop(anna);
    gateway.restart().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let lost = is_seen_as(&mut boss, &anna_id, pb::RoutingState::Disconnected);
    while_time_passes(&gateway, lost).await;
}

/// T13.
#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_leaves_gives_up_and_may_come_back_to_the_old_place() {
    let gateway = gateway(|main| {
        main.promises.callback_within = Some(Millis::from_secs(1_800));
    })
    .await;
    let mut boss = gateway.person("boss", Role::Supervisor, &["main"]).await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "anybody?").await;
    let waits = becomes(&mut boss, State::Queued).await;
    let (token, cursor) = visitor.vanish();
    let left = while_time_passes(&gateway, becomes(&mut boss, State::Abandoned)).await;
    assert!(left.state_until.is_some());

    let visitor = Visitor::open(&gateway.url(), "site", Some(&token), cursor).await;
    let back = becomes(&mut boss, State::Queued).await;
    assert_eq!(back.waiting_since, waits.waiting_since);

    drop(visitor);
    while_time_passes(&gateway, becomes(&mut boss, State::Abandoned)).await;
    gateway.clock().advance(600_000);
    let ended = becomes(&mut boss, State::Closed).await;
    assert_eq!(ended.close_reason, "abandoned");
    let promised = boss
        .inbox
        .list_obligations(pb::ListObligationsRequest {
            scope: pb::ObligationScope::All.into(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(promised.obligations.len(), 1, "somebody will see to it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_told_and_a_number_keeps_it() {
    let gateway = TestGateway::start().await;
    let mut boss = gateway.person("boss", Role::Supervisor, &["main"]).await;
    let mut first = gateway.visitor().await;
    first.say("c-1", "one").await;
    becomes(&mut boss, State::Queued).await;
    let mut second = gateway.visitor().await;
    second.say("c-1", "two").await;
    becomes(&mut boss, State::Queued).await;
    // Nobody works, so nobody stands before anybody.
    let _anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let (token, cursor) = (second.token.clone(), second.cursor);
    let mut again = Visitor::open(&gateway.url(), "site", Some(&token), cursor).await;
    let told = again.frame("standing").await;
    assert_eq!(told["position"], 1);
    assert_eq!(told["callback"], true);

    let call = json!({"type": "callback", "client_id": "c-2", "phone": "+7 912 345-67-89"});
    second.send(call).await;
    let wanted = boss
        .wait_for("a callback to be wanted", |kind| match kind {
            Kind::ConversationChanged(now) => (!now.callback_phone.is_empty()).then_some(now),
            _ => None,
        })
        .await;
    assert_eq!(wanted.callback_phone, "+79123456789");
    drop((second, again));
    let (_, _) = first.vanish();
    // The other one gives up; whoever left a number does not.
    let gone = while_time_passes(&gateway, becomes(&mut boss, State::Abandoned)).await;
    assert_ne!(gone.id, wanted.id);
    let waiting = boss.list(pb::Folder::Waiting).await;
    assert_eq!(waiting.conversations.len(), 1);
    assert_eq!(waiting.conversations[0].id, wanted.id);
}

/// Open on the day after tomorrow alone.
fn closed() -> Arc<Schedule> {
    let today = usize::try_from(engine::clock::now().0 / DAY_MS + 3).unwrap();
    let mut week = [const { "" }; 7];
    week[(today + 2) % 7] = "24h";
    let week = week.map(|hours| hours.parse().unwrap());
    Arc::new(Schedule::new("UTC".parse().unwrap(), week, Vec::new()))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_while_it_is_closed_is_told_once() {
    let gateway = gateway(|main| {
        main.hours = Some(closed());
        main.closed_reply = Some(Arc::new(Localized::new("We are closed.")));
    })
    .await;
    let mut boss = gateway.person("boss", Role::Supervisor, &["main"]).await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    visitor.hears("We are closed.").await;
    let deferred = boss.list(pb::Folder::AllOpen).await.conversations.remove(0);
    assert_eq!(deferred.state(), State::Deferred);
    visitor.say("c-2", "hello?").await;
    boss.hears("hello?").await;
    let messages = boss.messages(&deferred.id).await;
    let ours: Vec<_> = messages
        .iter()
        .filter(|message| message.direction() == pb::Direction::Outbound)
        .collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(text_of(ours[0]), "We are closed.");
    assert_eq!(ours[0].operator_id, "");
}

/// A client of a messenger who is silent takes no capacity, and comes back to whom they
/// had.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_client_is_put_aside_and_brought_back() {
    let gateway = gateway(|main| {
        let chat = domain::message::Medium::Chat;
        main.park_after.insert(chat, Millis::from_secs(600));
    })
    .await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let taken = anna.accept().await;
    anna.say(&taken.id, "a-1", "yes?").await.unwrap();
    visitor.hears("yes?").await;
    gateway.clock().advance(600_000);
    becomes(&mut anna, State::Parked).await;
    visitor.say("c-2", "here I am").await;
    let back = becomes(&mut anna, State::Active).await;
    assert_eq!(back.operator_id, anna.id.to_string());
}
