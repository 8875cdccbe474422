//! The rules of queues: whom they ask, how long they wait for whom, where they lead on,
//! and what comes when a conversation is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Millis;
use domain::hours::Schedule;
use domain::operator::{Membership, Role};
use domain::routing::{Dropped, Exit, Overflow, QueueRules, Relaxation, Strategy, Trigger, WrapUp};
use e2e::gateway::{PASSWORD, line};
use e2e::real::{Life, Server};
use e2e::{OperatorClient, TestGateway, Visitor, http};
use engine::people::NewOperator;
use engine::reload::ReloadError;
use engine::{Engine, Settings};
use proto::inbox::v1 as pb;
use proto::inbox::v1::ConversationState as State;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::Code;

const DAY_MS: i64 = 86_400_000;

/// A gateway whose queue `main` has other rules, with the line `shop` for `other`.
async fn gateway(change: impl Fn(&mut QueueRules) + Send + Sync + 'static) -> TestGateway {
    TestGateway::start_with(move |settings| {
        let url = settings.public_url.clone();
        settings.lines.push(line("shop", "webchat", "other", &url));
        change(main_of(settings));
    })
    .await
}

fn main_of(settings: &mut Settings) -> &mut QueueRules {
    settings.rules.queues.get_mut(&"main".into()).unwrap()
}

/// An operator who is ready.
async fn ready(
    gateway: &TestGateway,
    login: &str,
    queues: &[&str],
    skills: &[&str],
) -> OperatorClient {
    let new = NewOperator {
        login: login.to_owned(),
        password: PASSWORD.to_owned(),
        display_name: login.to_owned(),
        role: Role::Operator,
        memberships: queues
            .iter()
            .zip(0..)
            .map(|(queue, position)| Membership {
                queue: (*queue).into(),
                rank: 0,
                position,
            })
            .collect(),
        skills: skills.iter().copied().collect(),
        capacity: 0,
        auto_accept: false,
    };
    gateway.engine().add_operator(None, "", new).await.unwrap();
    let mut client = gateway.sign_in(login).await;
    client.ready().await;
    client
}

async fn written(gateway: &TestGateway, line: &str, text: &str) -> Visitor {
    let mut visitor = Visitor::open(&gateway.url(), line, None, 0).await;
    visitor.say("c-1", text).await;
    visitor
}

/// Waits for a conversation with these last words to be in a state.
async fn becomes(who: &mut OperatorClient, text: &str, state: State) -> pb::Conversation {
    who.wait_for(&format!("{text:?} to be {state:?}"), |kind| match kind {
        Kind::ConversationOpened(now) | Kind::ConversationChanged(now) => {
            (now.last_message_text == text && now.state() == state).then_some(now)
        }
        _ => None,
    })
    .await
}

async fn ended(who: &mut OperatorClient, offer: &str) -> pb::OfferState {
    who.wait_for("the end of an offer", |kind| match kind {
        Kind::OfferEnded(ended) if ended.id == offer => Some(ended.state()),
        _ => None,
    })
    .await
}

/// Other settings for a gateway that runs.
async fn reload(
    engine: &Engine,
    change: impl FnOnce(&mut Settings),
) -> Result<engine::reload::Changes, ReloadError> {
    let mut settings = Settings::clone(&engine.settings());
    change(&mut settings);
    engine.reload(settings).await
}

async fn call(server: &Server, method: &str, token: Option<&str>, body: Value) -> Value {
    let method = format!("switchboard.admin.v1.Admin/{method}");
    http::call(&server.url, &method, token, &body).await.json()
}

async fn signed_in(server: &Server, login: &str) -> OperatorClient {
    let login = json!({"login": login, "password": PASSWORD, "token": true});
    let told = call(server, "Login", None, login).await;
    let id = told["operator"]["id"].as_str().unwrap().parse().unwrap();
    let token = told["token"].as_str().unwrap();
    OperatorClient::connect(&server.url, domain::OperatorId::new(id), token).await
}

/// How many a folder holds, which has to be what its counter says.
async fn held(who: &mut OperatorClient, folder: pb::Folder) -> usize {
    let page = who.list(folder).await;
    let counted = page.counts.iter().find(|count| count.folder() == folder);
    let held = page.conversations.len();
    assert_eq!(
        usize::try_from(counted.unwrap().count).unwrap(),
        held,
        "{folder:?}"
    );
    held
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_says_who_answers_and_where_it_leads() {
    let folder = TempDir::new().unwrap();
    let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
    let config = std::fs::read_to_string(&server.config).unwrap();
    let rules = "[[queue]]\nid = \"main\"\nskills = [\"billing\"]\n\
         overflow = [{ unstaffed = true, to = \"queue:second\" }]\n\
         [[queue]]\nid = \"second\"\nstrategy = \"strict_list\"\ndispositions = [\"sold\"]\n\
         disposition_required = true\nwrap_up = \"manual\"\n";
    std::fs::write(
        &server.config,
        config.replace("[[queue]]\nid = \"main\"\n", rules),
    )
    .unwrap();
    let Life::Ready(_, Some(token)) = server.start(&[]).await else {
        panic!("{}", server.said());
    };
    let first =
        json!({"setUpToken": token, "login": "boss", "password": PASSWORD, "displayName": "Boss"});
    call(&server, "SetUp", None, first).await;
    let boss = signed_in(&server, "boss").await;
    for (login, position) in [("anna", 2), ("bob", 1)] {
        let new = json!({
            "login": login, "password": PASSWORD, "displayName": login, "role": "OPERATOR",
            "queues": [{"queueId": "second", "position": position}],
            "skills": ["Billing "],
        });
        let added = call(&server, "CreateOperator", Some(&boss.token), new).await;
        assert_eq!(added["skills"], json!(["billing"]));
    }
    let mut anna = signed_in(&server, "anna").await;
    anna.ready().await;
    let mut bob = signed_in(&server, "bob").await;
    bob.ready().await;

    // Nobody works for its queue, and Bob is the top of the other's list.
    let mut visitor = Visitor::open(&server.url, "site", None, 0).await;
    visitor.say("c-1", "hello").await;
    let (offer, led_on) = bob.offered().await;
    assert_eq!(
        (
            led_on.queue_id.as_str(),
            led_on.overflow_exit.as_str(),
            led_on.overflow_reason.as_str(),
            led_on.overflow_from_queue_id.as_str(),
        ),
        ("second", "queue", "unstaffed", "main")
    );
    assert_eq!(led_on.waiting_since, led_on.created_at, "the age is kept");
    bob.accept_offer(&offer.id).await.unwrap();

    let finish = |disposition: &str| pb::FinishConversationRequest {
        conversation_id: led_on.id.clone(),
        disposition: disposition.to_owned(),
        ..Default::default()
    };
    let mut inbox = bob.inbox.clone();
    let refused = inbox.finish_conversation(finish("lost")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("sold"), "{refused:?}");
    let wrapping = inbox.finish_conversation(finish("")).await.unwrap();
    assert_eq!(wrapping.into_inner().state(), State::WrappingUp);
    let refused = inbox.finish_conversation(finish("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let ended = inbox.finish_conversation(finish("sold")).await.unwrap();
    assert_eq!(ended.into_inner().state(), State::Closed);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_needed_is_relaxed_with_time() {
    let gateway = gateway(|main| {
        main.skills = ["billing", "lang:ru"].into_iter().collect();
        main.relaxations = vec![
            Relaxation {
                after: Millis::from_secs(60),
                drop: Dropped::These(["lang:ru"].into_iter().collect()),
            },
            Relaxation {
                after: Millis::from_secs(120),
                drop: Dropped::All,
            },
        ];
    })
    .await;
    let mut anna = ready(&gateway, "anna", &["main"], &[]).await;
    let mut bob = ready(&gateway, "bob", &["main"], &["billing"]).await;
    let _visitor = written(&gateway, "site", "in Russian").await;
    let waiting = becomes(&mut anna, "in Russian", State::Queued).await;
    assert_eq!(waiting.skills, ["billing", "lang:ru"]);
    gateway.clock().advance(59_000);
    // Whoever can do it all is asked at once.
    let mut carl = ready(&gateway, "carl", &["main"], &["billing", "lang:ru"]).await;
    let (offer, asked) = carl.offered().await;
    assert_eq!(asked.id, waiting.id);
    let decline = pb::DeclineOfferRequest {
        offer_id: offer.id,
        reason: "busy".to_owned(),
        ..Default::default()
    };
    carl.inbox.decline_offer(decline).await.unwrap();
    gateway.clock().advance(1_001);
    let (offer, asked) = bob.offered().await;
    assert_eq!(asked.id, waiting.id);
    // For Anna it is too early until then.
    gateway.clock().advance(30_001);
    assert_eq!(ended(&mut bob, &offer.id).await, pb::OfferState::TimedOut);
    gateway.clock().advance(30_001);
    let (_, asked) = anna.offered().await;
    assert_eq!(asked.id, waiting.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_goes_on_with_the_age() {
    let gateway = gateway(|main| {
        main.overflows = vec![
            Overflow {
                when: Trigger::Waited(Millis::from_secs(300)),
                exit: Exit::Queue("other".into()),
            },
            Overflow {
                when: Trigger::Waited(Millis::from_secs(600)),
                exit: Exit::Form,
            },
        ];
    })
    .await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let _first = written(&gateway, "site", "first").await;
    becomes(&mut boss, "first", State::Queued).await;
    gateway.clock().advance(200_000);
    // It came to the other queue later, but is older than this.
    let _second = written(&gateway, "shop", "second").await;
    becomes(&mut boss, "second", State::Queued).await;
    gateway.clock().advance(100_001);
    let led_on = boss
        .wait_for("the other queue", |kind| match kind {
            Kind::ConversationChanged(now) => (now.queue_id == "other").then_some(now),
            _ => None,
        })
        .await;
    assert_eq!(led_on.overflow_reason, "max_wait");
    let mut carol = ready(&gateway, "carol", &["other"], &[]).await;
    assert_eq!(carol.accept().await.last_message_text, "first");
    assert_eq!(carol.accept().await.last_message_text, "second");

    let _third = written(&gateway, "site", "third").await;
    carol.set_presence(pb::Presence::Away).await;
    becomes(&mut boss, "third", State::Queued).await;
    gateway.clock().advance(600_001);
    let ended = becomes(&mut boss, "third", State::Closed).await;
    assert_eq!(
        (ended.close_reason.as_str(), ended.overflow_exit.as_str()),
        ("diverted", "form")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_asked_and_the_first_has_it() {
    let gateway = gateway(|main| main.strategy = Strategy::RingAll).await;
    let mut anna = ready(&gateway, "anna", &["main"], &[]).await;
    let mut bob = ready(&gateway, "bob", &["main"], &[]).await;
    let _visitor = written(&gateway, "site", "hello").await;
    let (to_anna, asked) = anna.offered().await;
    let (to_bob, same) = bob.offered().await;
    assert_eq!(asked.id, same.id);
    assert_eq!(asked.asked_operator_ids.len(), 2);
    for who in [&mut anna, &mut bob] {
        assert_eq!(held(who, pb::Folder::Mine).await, 1);
    }
    anna.accept_offer(&to_anna.id).await.unwrap();
    let refused = bob.accept_offer(&to_bob.id).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert_eq!(held(&mut anna, pb::Folder::Mine).await, 1);
    assert_eq!(held(&mut bob, pb::Folder::Mine).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finishes_up_gets_nothing_of_any_queue() {
    let gateway = gateway(|main| {
        main.wrap_up = WrapUp::Manual(Millis::from_secs(300));
        main.dispositions = vec!["sold".to_owned(), "no sale".to_owned()];
    })
    .await;
    let mut anna = ready(&gateway, "anna", &["main", "other"], &[]).await;
    let me = anna.inbox.get_me(pb::GetMeRequest {}).await.unwrap();
    for queue in me.into_inner().queues {
        let (wrap_up, verdicts) = match queue.id.as_str() {
            "main" => ("manual", 2),
            _ => ("off", 0),
        };
        assert_eq!(queue.wrap_up, wrap_up);
        assert_eq!(queue.dispositions.len(), verdicts);
        assert!(!queue.disposition_required);
    }
    let _first = written(&gateway, "site", "first").await;
    let first = anna.accept().await;
    assert_eq!(
        anna.finish(&first.id).await.unwrap().state(),
        State::WrappingUp
    );
    for folder in [pb::Folder::Mine, pb::Folder::AllOpen] {
        assert_eq!(held(&mut anna, folder).await, 1);
    }
    let _second = written(&gateway, "shop", "second").await;
    becomes(&mut anna, "second", State::Queued).await;
    let waiting = anna.list(pb::Folder::Waiting).await;
    assert_eq!((waiting.conversations.len(), waiting.offers.len()), (1, 0));
    assert_eq!(anna.finish(&first.id).await.unwrap().state(), State::Closed);
    assert_eq!(anna.accept().await.last_message_text, "second");
}

/// Open on the day after tomorrow alone.
fn later() -> Arc<Schedule> {
    // The first day of all was a Thursday.
    let today = usize::try_from(engine::clock::now().0 / DAY_MS + 3).unwrap();
    let mut week = [const { "" }; 7];
    week[(today + 2) % 7] = "24h";
    let week = week.map(|hours| hours.parse().unwrap());
    Arc::new(Schedule::new("UTC".parse().unwrap(), week, Vec::new()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_it_was_closed_opens_in_its_order() {
    let gateway = gateway(|main| main.hours = Some(later())).await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut visitors = Vec::new();
    for text in ["first", "second", "third"] {
        visitors.push(written(&gateway, "site", text).await);
        let deferred = becomes(&mut boss, text, State::Deferred).await;
        assert!(deferred.state_until.is_some());
        gateway.clock().advance(1_000);
    }
    assert_eq!(held(&mut boss, pb::Folder::AllOpen).await, 3);
    assert_eq!(held(&mut boss, pb::Folder::Waiting).await, 0);
    gateway.clock().advance(2 * DAY_MS);
    for text in ["first", "second", "third"] {
        becomes(&mut boss, text, State::Queued).await;
    }
    let mut anna = ready(&gateway, "anna", &["main"], &[]).await;
    for text in ["first", "second", "third"] {
        assert_eq!(anna.accept().await.last_message_text, text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_apply_to_what_waits() {
    let gateway = gateway(|main| {
        main.hours = Some(later());
        main.skills = ["biling"].into_iter().collect();
    })
    .await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let _visitor = written(&gateway, "site", "hello").await;
    becomes(&mut boss, "hello", State::Deferred).await;

    // It waits for the hours, so its queue cannot go.
    let refused = reload(gateway.engine(), |settings| {
        settings.lines.retain(|line| line.queue.as_str() != "main");
        settings.queues.retain(|queue| queue.id.as_str() != "main");
        settings.rules.queues.remove(&"main".into());
    });
    let Err(ReloadError::InUse(in_use)) = refused.await else {
        panic!("the queue is dropped");
    };
    assert!(in_use[0].to_string().contains("(1 waiting"), "{in_use:?}");

    // Open now, and the skill's name is right.
    let changes = reload(gateway.engine(), |settings| {
        let main = main_of(settings);
        main.hours = None;
        main.skills = ["billing"].into_iter().collect();
    });
    let changes = changes.await.unwrap();
    assert_eq!(changes.queues.changed, ["main".into()]);
    let waiting = becomes(&mut boss, "hello", State::Queued).await;
    assert_eq!(waiting.skills, ["billing"]);

    // A queue that is full lets those stay who were there before; one that leads on
    // when nobody is at work does not.
    let lead_on = |when| Overflow {
        when,
        exit: Exit::Queue("other".into()),
    };
    let _another = written(&gateway, "site", "another").await;
    becomes(&mut boss, "another", State::Queued).await;
    let full = reload(gateway.engine(), |settings| {
        main_of(settings).overflows = vec![lead_on(Trigger::Full(1))];
    });
    full.await.unwrap();
    let waiting = boss.list(pb::Folder::Waiting).await.conversations;
    assert!(waiting.iter().all(|found| found.queue_id == "main"));
    let unstaffed = reload(gateway.engine(), |settings| {
        main_of(settings).overflows = vec![lead_on(Trigger::Unstaffed)];
    });
    unstaffed.await.unwrap();
    let waiting = boss.list(pb::Folder::Waiting).await.conversations;
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|found| found.queue_id == "other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_changed_while_it_was_stopped_apply() {
    let is_open = Arc::new(AtomicBool::new(false));
    let now_open = Arc::clone(&is_open);
    let mut gateway = gateway(move |main| {
        let closed = !now_open.load(Ordering::SeqCst);
        main.hours = closed.then(later);
    })
    .await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let _visitor = written(&gateway, "site", "hello").await;
    becomes(&mut boss, "hello", State::Deferred).await;
    is_open.store(true, Ordering::SeqCst);
    gateway.restart().await;
    let mut anna = ready(&gateway, "anna", &["main"], &[]).await;
    assert_eq!(anna.accept().await.last_message_text, "hello");
}
