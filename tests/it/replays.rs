//! Whatever a gateway does, its log replayed under the same rules gives the same counters,
//! row by row.

use std::sync::Arc;
use std::time::Duration;

use domain::Millis;
use domain::hours::Schedule;
use domain::message::Medium;
use domain::metrics::Counter;
use domain::operator::{Membership, Role};
use domain::routing::{
    Assignment, Dropped, Exit, Overflow, QueueRules, Relaxation, Strategy, Trigger, WrapUp,
};
use domain::whatif::{LeftOut, run};
use e2e::gateway::PASSWORD;
use e2e::{OperatorClient, TestGateway, Visitor};
use engine::people::NewOperator;
use proto::inbox::v1 as pb;
use proto::inbox::v1::ConversationState as State;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::transfer_conversation_request::Target;
use serde_json::json;

use crate::whatif::{plan, recorded};

const DAY_S: i64 = 86_400;

/// A gateway, and a supervisor who watches.
struct Scene {
    gateway: TestGateway,
    boss: OperatorClient,
}

impl Scene {
    async fn new(change: impl Fn(&mut QueueRules) + Send + Sync + 'static) -> Self {
        let gateway = TestGateway::start_with(move |settings| {
            let main = settings.rules.queues.get_mut(&"main".into());
            change(main.unwrap());
        })
        .await;
        let boss = gateway.person("boss", Role::Supervisor, &[]).await;
        Self { gateway, boss }
    }

    /// An operator who is ready.
    async fn works(&self, login: &str, queues: &[&str], skills: &[&str]) -> OperatorClient {
        let new = NewOperator {
            login: login.to_owned(),
            password: PASSWORD.to_owned(),
            display_name: login.to_owned(),
            role: Role::Operator,
            memberships: queues
                .iter()
                .map(|queue| Membership {
                    queue: (*queue).into(),
                    rank: 0,
                    position: 0,
                })
                .collect(),
            skills: skills.iter().copied().collect(),
            capacity: 0,
            auto_accept: false,
        };
        let engine = self.gateway.engine();
        engine.add_operator(None, "", new).await.unwrap();
        let mut client = self.gateway.sign_in(login).await;
        client.ready().await;
        client
    }

    fn pass(&self, seconds: i64) {
        self.gateway.clock().advance(seconds * 1_000 + 1);
    }

    /// Somebody writes; the conversation that begins.
    async fn written(&mut self) -> (Visitor, String) {
        let mut visitor = self.gateway.visitor().await;
        visitor.say("c-1", "hello").await;
        (visitor, self.opened().await)
    }

    async fn opened(&mut self) -> String {
        let boss = &mut self.boss;
        boss.wait_for("a conversation", |kind| match kind {
            Kind::ConversationOpened(now) => Some(now.id),
            _ => None,
        })
        .await
    }

    async fn becomes(&mut self, id: &str, state: State) -> pb::Conversation {
        let boss = &mut self.boss;
        boss.wait_for(&format!("{state:?}"), |kind| match kind {
            Kind::ConversationChanged(now) => (now.id == id && now.state() == state).then_some(now),
            _ => None,
        })
        .await
    }

    async fn led_to_other(&mut self, id: &str) {
        let boss = &mut self.boss;
        boss.wait_for("the other queue", |kind| match kind {
            Kind::ConversationChanged(now) => {
                (now.id == id && now.queue_id == "other").then_some(())
            }
            _ => None,
        })
        .await;
    }

    /// The same while time passes, a little at a time.
    async fn comes_to(&mut self, id: &str, state: State) -> pb::Conversation {
        let clock = self.gateway.clock().clone();
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let passes = async {
            loop {
                ticks.tick().await;
                clock.advance(500);
            }
        };
        tokio::select! {
            done = self.becomes(id, state) => done,
            () = passes => unreachable!("time does not end"),
        }
    }

    /// These things were counted, and the replay counts what was counted.
    fn replays(self, happened: &[(Counter, i64)]) {
        let recording = recorded(&self.gateway);
        assert_eq!(recording.left_out(), LeftOut::default());
        let counts = recording.counted().counts();
        for (counter, least) in happened {
            let sum: i64 = counts.values().map(|row| row.get(*counter)).sum();
            assert!(sum >= *least, "{counter:?} is {sum}");
        }
        let told = run(&recording, &plan(&self.gateway), |_| {}, |_| {});
        assert_eq!(told.counted.compare(counts).different, []);
        assert_eq!(told.departed, 0);
    }
}

async fn decline(who: &mut OperatorClient) {
    let (offer, _) = who.offered().await;
    let no = pb::DeclineOfferRequest {
        offer_id: offer.id,
        ..Default::default()
    };
    who.inbox.decline_offer(no).await.unwrap();
}

async fn snooze(scene: &Scene, who: &mut OperatorClient, id: &str, seconds: Option<i64>) {
    let now = scene.gateway.engine().now();
    let until = seconds.map(|seconds| now + Millis::from_secs(seconds));
    let away = pb::SnoozeConversationRequest {
        conversation_id: id.to_owned(),
        until: until.map(engine::contacts::convert::timestamp),
        ..Default::default()
    };
    who.inbox.snooze_conversation(away).await.unwrap();
}

async fn give(who: &mut OperatorClient, id: &str, reset_age: bool, target: Target) {
    let request = pb::TransferConversationRequest {
        conversation_id: id.to_owned(),
        target: Some(target),
        reset_age,
        ..Default::default()
    };
    who.inbox.transfer_conversation(request).await.unwrap();
}

async fn take(who: &mut OperatorClient, id: &str) {
    let request = pb::TakeConversationRequest {
        conversation_id: id.to_owned(),
        ..Default::default()
    };
    who.inbox.take_conversation(request).await.unwrap();
}

async fn finish(who: &mut OperatorClient, id: &str, disposition: &str) {
    let request = pb::FinishConversationRequest {
        conversation_id: id.to_owned(),
        disposition: disposition.to_owned(),
        ..Default::default()
    };
    who.inbox.finish_conversation(request).await.unwrap();
}

/// Open on the day after tomorrow alone.
fn later() -> Arc<Schedule> {
    let today = engine::clock::now().0 / 1_000 / DAY_S;
    // The first day of all was a Thursday.
    let open = usize::try_from(today + 3 + 2).unwrap() % 7;
    let mut week = [const { "" }; 7];
    week[open] = "24h";
    let week = week.map(|hours| hours.parse().unwrap());
    Arc::new(Schedule::new("UTC".parse().unwrap(), week, Vec::new()))
}

#[tokio::test(flavor = "multi_thread")]
async fn snoozed() {
    let mut scene = Scene::new(|_| {}).await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    let (mut visitor, id) = scene.written().await;
    anna.accept().await;
    // By time, by the client, and to nobody, because she has gone.
    snooze(&scene, &mut anna, &id, Some(3_600)).await;
    scene.becomes(&id, State::Parked).await;
    scene.pass(3_600);
    scene.becomes(&id, State::Active).await;
    snooze(&scene, &mut anna, &id, None).await;
    scene.becomes(&id, State::Parked).await;
    scene.pass(40);
    visitor.say("c-2", "are you there?").await;
    scene.becomes(&id, State::Active).await;
    snooze(&scene, &mut anna, &id, Some(60)).await;
    scene.becomes(&id, State::Parked).await;
    anna.set_presence(pb::Presence::Away).await;
    scene.pass(60);
    scene.becomes(&id, State::Queued).await;
    scene.pass(7);
    anna.ready().await;
    anna.accept().await;
    finish(&mut anna, &id, "").await;
    scene.replays(&[(Counter::Handled, 2), (Counter::TalkMs, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn put_aside_by_silence() {
    let mut scene = Scene::new(|main| {
        main.park_after.insert(Medium::Chat, Millis::from_secs(600));
    })
    .await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    let (mut visitor, id) = scene.written().await;
    anna.accept().await;
    for round in 0..2 {
        anna.say(&id, &format!("a-{round}"), "yes?").await.unwrap();
        scene.pass(300);
        anna.say(&id, &format!("b-{round}"), "well?").await.unwrap();
        scene.pass(600);
        scene.becomes(&id, State::Parked).await;
        scene.pass(100);
        visitor.say(&format!("v-{round}"), "here I am").await;
        scene.becomes(&id, State::Active).await;
    }
    finish(&mut anna, &id, "").await;
    scene.replays(&[(Counter::Handled, 1), (Counter::FirstReplies, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn closed_and_opened_and_closed_while_they_wait() {
    let mut scene = Scene::new(|main| main.hours = Some(later())).await;
    let (_one, first) = scene.written().await;
    scene.pass(2 * DAY_S);
    scene.becomes(&first, State::Queued).await;
    let (_two, second) = scene.written().await;
    scene.pass(DAY_S);
    scene.becomes(&second, State::Deferred).await;
    scene.pass(6 * DAY_S);
    scene.becomes(&second, State::Queued).await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    anna.accept().await;
    anna.accept().await;
    scene.replays(&[(Counter::DivertedByHours, 2), (Counter::Answered, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn led_on_by_age_by_rounds_and_for_want_of_room_and_staff() {
    let led_on = |when, exit| Overflow { when, exit };
    let other = || Exit::Queue("other".into());
    let cases: [(&str, Vec<Overflow>, &[(Counter, i64)]); 4] = [
        (
            "age",
            vec![
                led_on(Trigger::Waited(Millis::from_secs(60)), other()),
                led_on(Trigger::Waited(Millis::from_secs(90)), Exit::Callback),
            ],
            &[
                (Counter::DivertedToQueue, 1),
                (Counter::DivertedToCallback, 1),
            ],
        ),
        (
            "rounds",
            vec![led_on(Trigger::Rounds(1), other())],
            &[(Counter::DivertedToQueue, 1), (Counter::OffersTimedOut, 1)],
        ),
        (
            "room",
            vec![led_on(Trigger::Full(1), other())],
            &[(Counter::DivertedToQueue, 1)],
        ),
        (
            "staff",
            vec![led_on(Trigger::Unstaffed, Exit::Form)],
            &[(Counter::DivertedToForm, 2)],
        ),
    ];
    for (case, overflows, happened) in cases {
        println!("by {case}");
        let mut scene = Scene::new(move |main| main.overflows.clone_from(&overflows)).await;
        let mut anna = scene.works("anna", &["main"], &[]).await;
        if matches!(case, "age" | "room") {
            anna.set_presence(pb::Presence::Away).await;
        }
        let (_one, first) = scene.written().await;
        match case {
            "age" => {
                scene.pass(60);
                scene.led_to_other(&first).await;
                scene.pass(30);
                scene.becomes(&first, State::Closed).await;
            }
            "rounds" => {
                anna.offered().await;
                scene.pass(30);
                scene.led_to_other(&first).await;
            }
            _ => {
                if case == "staff" {
                    decline(&mut anna).await;
                    anna.set_presence(pb::Presence::Away).await;
                    scene.becomes(&first, State::Closed).await;
                }
                scene.written().await;
            }
        }
        let mut bob = scene.works("bob", &["other"], &[]).await;
        if matches!(case, "rounds" | "room") {
            bob.accept().await;
        }
        scene.replays(happened);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_at_once() {
    let mut scene = Scene::new(|main| main.strategy = Strategy::RingAll).await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    let mut bob = scene.works("bob", &["main"], &[]).await;
    let mut carl = scene.works("carl", &["main"], &[]).await;
    let (_one, first) = scene.written().await;
    decline(&mut carl).await;
    scene.pass(5);
    bob.accept().await;
    anna.offered().await;
    let (_two, second) = scene.written().await;
    anna.offered().await;
    bob.offered().await;
    scene.pass(30);
    scene.becomes(&second, State::Queued).await;
    carl.accept().await;
    for (who, id) in [(&mut bob, &first), (&mut carl, &second)] {
        finish(who, id, "").await;
    }
    scene.replays(&[
        (Counter::OffersRescinded, 1),
        (Counter::OffersDeclined, 1),
        (Counter::OffersTimedOut, 2),
        (Counter::Answered, 2),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_needed_is_relaxed() {
    let mut scene = Scene::new(|main| {
        main.skills = ["billing", "lang:ru"].into_iter().collect();
        let after = |seconds, drop| Relaxation {
            after: Millis::from_secs(seconds),
            drop,
        };
        let language = ["lang:ru"].into_iter().collect();
        main.relaxations = vec![
            after(60, Dropped::These(language)),
            after(120, Dropped::All),
        ];
    })
    .await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    let mut bob = scene.works("bob", &["main"], &["billing"]).await;
    let (_one, first) = scene.written().await;
    scene.pass(59);
    scene.pass(1);
    bob.offered().await;
    scene.pass(30);
    scene.becomes(&first, State::Queued).await;
    scene.pass(30);
    anna.accept().await;
    let (_two, second) = scene.written().await;
    let mut carl = scene
        .works("carl", &["main"], &["billing", "lang:ru"])
        .await;
    carl.accept().await;
    finish(&mut carl, &second, "").await;
    scene.replays(&[(Counter::OffersTimedOut, 1), (Counter::Answered, 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_who_vanish() {
    let mut scene = Scene::new(|main| {
        main.wrap_up = WrapUp::Timed(Millis::from_secs(3_600));
    })
    .await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    let (_one, chat) = scene.written().await;
    anna.accept().await;
    let (_two, over) = scene.written().await;
    anna.accept().await;
    finish(&mut anna, &over, "").await;
    scene.becomes(&over, State::WrappingUp).await;
    anna.ready().await;
    // Comes back in time.
    drop(anna);
    scene.pass(4);
    let mut anna = scene.gateway.sign_in("anna").await;
    take(&mut anna, &over).await;
    scene.becomes(&over, State::Active).await;
    let (_three, asked) = scene.written().await;
    anna.offered().await;
    drop(anna);
    scene.comes_to(&asked, State::Queued).await;
    let mut bob = scene.works("bob", &["main"], &[]).await;
    bob.accept().await;
    scene.comes_to(&chat, State::Queued).await;
    bob.accept().await;
    bob.accept().await;
    scene.replays(&[
        (Counter::OffersRevoked, 1),
        (Counter::Returned, 2),
        (Counter::NotRespondingMs, 1),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_of_finishing_up() {
    let span = Millis::from_secs(120);
    for rule in [
        WrapUp::Off,
        WrapUp::Timed(span),
        WrapUp::Manual(span),
        WrapUp::Fixed(span),
    ] {
        println!("{rule:?}");
        let mut scene = Scene::new(move |main| main.wrap_up = rule).await;
        let mut anna = scene.works("anna", &["main"], &[]).await;
        let (mut visitor, first) = scene.written().await;
        anna.accept().await;
        let (_two, second) = scene.written().await;
        anna.accept().await;
        scene.pass(20);
        finish(&mut anna, &first, "").await;
        let (_three, third) = scene.written().await;
        if rule == WrapUp::Off {
            anna.accept().await;
        } else {
            scene.pass(10);
            visitor.say("c-2", "one more thing").await;
            scene.becomes(&first, State::Active).await;
            anna.accept().await;
            finish(&mut anna, &first, "").await;
            finish(&mut anna, &second, "").await;
            scene.pass(30);
            // A verdict ends it, but where the time is fixed.
            finish(&mut anna, &second, "sold").await;
            scene.pass(90);
            scene.becomes(&first, State::Closed).await;
        }
        finish(&mut anna, &third, "").await;
        let wrapped = i64::from(rule != WrapUp::Off);
        scene.replays(&[(Counter::Handled, 1), (Counter::WrapUpMs, wrapped)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn held_for_the_operator_of_before() {
    let mut scene = Scene::new(|main| main.sticky_wait = Millis::from_secs(30)).await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    let (mut visitor, first) = scene.written().await;
    anna.accept().await;
    finish(&mut anna, &first, "").await;
    // Anna is full.
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(scene.written().await);
        anna.accept().await;
    }
    let mut bob = scene.works("bob", &["main"], &[]).await;
    visitor.say("c-2", "me again").await;
    let second = scene.opened().await;
    scene.pass(30);
    bob.accept().await;
    finish(&mut bob, &second, "").await;
    visitor.say("c-3", "and again").await;
    bob.accept().await;
    scene.replays(&[(Counter::Reopened, 2), (Counter::Answered, 7)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn given_to_queues_and_to_colleagues() {
    let mut scene = Scene::new(|_| {}).await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    let (_one, first) = scene.written().await;
    anna.accept().await;
    let mut bob = scene.works("bob", &["main", "other"], &[]).await;
    let bobs = Target::OperatorId(bob.id.to_string());
    scene.pass(5);
    give(&mut anna, &first, false, bobs.clone()).await;
    decline(&mut bob).await;
    anna.accept().await;
    scene.pass(20);
    give(&mut anna, &first, false, bobs.clone()).await;
    scene.pass(2);
    bob.accept().await;
    for reset_age in [false, true] {
        scene.pass(15);
        let queue = Target::QueueId("other".to_owned());
        give(&mut bob, &first, reset_age, queue).await;
        bob.accept().await;
    }
    // Out of turn, and over the shoulder.
    anna.set_presence(pb::Presence::Away).await;
    bob.set_presence(pb::Presence::Away).await;
    let (_two, second) = scene.written().await;
    take(&mut anna, &second).await;
    scene.pass(9);
    take(&mut bob, &second).await;
    anna.ready().await;
    let annas = Target::OperatorId(anna.id.to_string());
    give(&mut bob, &second, false, annas).await;
    scene.pass(30);
    scene.becomes(&second, State::Queued).await;
    scene.replays(&[(Counter::Transferred, 6), (Counter::OffersDeclined, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_who_leave_a_number_or_leave() {
    let mut scene = Scene::new(|_| {}).await;
    let (mut client, called) = scene.written().await;
    let number = json!({"type": "callback", "client_id": "c-2", "phone": "+7 912 345-67-89"});
    client.send(number).await;
    let boss = &mut scene.boss;
    boss.wait_for("a number", |kind| match kind {
        Kind::ConversationChanged(now) => (!now.callback_phone.is_empty()).then_some(()),
        _ => None,
    })
    .await;
    drop(client);
    let (left, gone) = scene.written().await;
    let (token, cursor) = left.vanish();
    scene.comes_to(&gone, State::Abandoned).await;
    let again = Visitor::open(&scene.gateway.url(), "site", Some(&token), cursor).await;
    scene.becomes(&gone, State::Queued).await;
    drop(again);
    scene.comes_to(&gone, State::Abandoned).await;
    scene.pass(600);
    scene.becomes(&gone, State::Closed).await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    assert_eq!(anna.accept().await.id, called);
    scene.pass(60);
    finish(&mut anna, &called, "").await;
    scene.replays(&[(Counter::Abandoned, 1), (Counter::Answered, 1)]);
}

/// What was due while the gateway was stopped is done when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_away() {
    let mut scene = Scene::new(|main| {
        main.abandon_after = Millis(0);
        main.overflows = vec![Overflow {
            when: Trigger::Waited(Millis::from_secs(300)),
            exit: Exit::Queue("other".into()),
        }];
    })
    .await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    let (_one, _) = scene.written().await;
    anna.offered().await;
    scene.gateway.stop().await;
    scene.pass(200);
    scene.gateway.restart().await;
    scene.works("bob", &["other"], &[]).await;
    scene.gateway.stop().await;
    scene.pass(300);
    scene.gateway.restart().await;
    let mut bob = scene.gateway.sign_in("bob").await;
    let offered = bob.list(pb::Folder::Waiting).await.offers;
    if let Some(offer) = offered.first() {
        bob.accept_offer(&offer.id).await.unwrap();
    } else {
        // Anna, who is not back, may be asked once more.
        scene.pass(30);
        bob.accept().await;
    }
    scene.replays(&[(Counter::DivertedToQueue, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn given_without_asking() {
    let mut scene = Scene::new(|main| main.assignment = Assignment::Direct).await;
    let mut anna = scene.works("anna", &["main"], &[]).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(scene.written().await);
        scene.pass(3);
    }
    for (_, id) in &all[..4] {
        finish(&mut anna, id, "").await;
    }
    scene.becomes(&all[4].1, State::Active).await;
    scene.replays(&[(Counter::Assigned, 5), (Counter::Handled, 4)]);
}
