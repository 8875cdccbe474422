//! Viber from end to end: a client writes to the bot, an operator answers in the real inbox,
//! the client gets it.

use channels::{Check, Verdict};
use e2e::operator::text_of;
use e2e::providers::Fault;
use e2e::providers::viber::{Viber, WELCOME, refusal};
use e2e::{Scene, http, until};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use serde_json::{Value, json};

const ANNA: &str = "3SQNc4FPUQmysaM/AQEhXg==";

/// Anna wrote, and Olga has it.
async fn scene() -> Scene<Viber> {
    let mut scene = Scene::<Viber>::called().await;
    scene.provider.says(ANNA, "Здравствуйте!");
    scene.provider.deliver().await;
    let conversation = scene.takes("Здравствуйте!").await;
    let contact = conversation.contact.unwrap();
    assert_eq!(contact.display_name, format!("Client {ANNA}"));
    scene
}

/// Anna writes, and Olga reads it.
async fn hears(scene: &mut Scene<Viber>, text: &str) -> pb::Message {
    scene.provider.says(ANNA, text);
    scene.provider.deliver().await;
    scene.olga.hears(text).await
}

/// Lets time pass until so many messages were handed over, or tried to be.
async fn waits_for_calls(scene: &Scene<Viber>, count: usize) {
    let is_enough = |scene: &Scene<Viber>| scene.provider.desk.seen("send_message").len() >= count;
    scene.passes_until("calls", 500, is_enough).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Добрый день!"]);
    let sent = &scene.provider.sent()[0];
    assert_eq!(sent["sender"]["name"], "Магазин");
    assert_eq!(sent["tracking_data"], format!("message {}", answer.id));

    // Each of Anna's two devices tells of it, and not in order.
    scene.provider.receipt(0, "delivered");
    scene.provider.deliver().await;
    scene.fate(&answer, DeliveryState::Delivered).await;
    for kind in ["seen", "delivered", "seen"] {
        scene.provider.receipt(0, kind);
    }
    scene.provider.deliver().await;
    scene.fate(&answer, DeliveryState::Read).await;
    hears(&mut scene, "Спасибо").await;
    let all = scene.messages().await;
    let known = all.iter().find(|one| one.id == answer.id).unwrap();
    assert_eq!(known.delivery(), DeliveryState::Read);

    let lost = scene.says("a-2", "Пожалуйста").await;
    scene.fate(&lost, DeliveryState::Sent).await;
    scene.provider.receipt(1, "failed");
    scene.provider.deliver().await;
    let failed = scene.fate(&lost, DeliveryState::Failed).await;
    assert_eq!(failed.delivery_error, "failure description");

    let line = scene.gateway.engine().line(&"viber".into()).unwrap();
    let checks: Vec<Check> = line.channel.check().await;
    let is_good = |check: &Check| matches!(check.verdict, Verdict::Good(_));
    assert!(checks.iter().all(is_good), "{checks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_places_and_cards_come_whole() {
    let mut scene = scene().await;
    let viber = &scene.provider;
    let media = viber.keep("\u{89}PNG one");
    viber.sends(
        ANNA,
        json!({"type": "picture", "text": "Вот", "media": media}),
    );
    let media = viber.keep("%PDF-1.4 two");
    viber.sends(
        ANNA,
        json!({"type": "file", "media": media, "file_name": "счёт.pdf", "file_size": 12}),
    );
    let media = format!("{}/file/0", viber.desk.url);
    viber.sends(ANNA, json!({"type": "video", "media": media}));
    viber.sends(
        ANNA,
        json!({"type": "location", "location": {"lat": 55.75, "lon": 37.61}}),
    );
    let card = json!({"name": "Борис", "phone_number": "79161234567"});
    viber.sends(ANNA, json!({"type": "contact", "contact": card}));
    hears(&mut scene, "всё").await;
    let all = scene.messages().await;
    let picture = all.iter().find(|one| text_of(one) == "Вот").unwrap();
    assert_eq!(picture.attachments[0].sha256.len(), 64);
    let names = all.iter().flat_map(|one| &one.attachments);
    let names: Vec<&str> = names.map(|file| file.file_name.as_str()).collect();
    assert!(names.contains(&"счёт.pdf"), "{names:?}");
    let has = |is: fn(&pb::message::Content) -> bool| {
        all.iter().any(|one| one.content.as_ref().is_some_and(is))
    };
    assert!(has(|it| matches!(it, pb::message::Content::Location(_))));
    assert!(has(|it| matches!(it, pb::message::Content::ContactCard(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_fetched_by_who_is_sent_them() {
    let mut scene = scene().await;
    let picture: &[u8] = b"\x89PNG\r\n\x1a\n picture";
    let files = [
        scene.uploads("витрина.png", picture).await,
        scene.uploads("note.txt", b"words").await,
    ];
    let files = files.each_ref().map(String::as_str);
    let sent = scene.sends_files("a-1", "Вот", &files).await;
    scene.fate(&sent, DeliveryState::Sent).await;
    let shape: Vec<(Value, Value, Value)> = scene
        .provider
        .sent()
        .iter()
        .map(|one| {
            (
                one["type"].clone(),
                one["text"].clone(),
                one["file_name"].clone(),
            )
        })
        .collect();
    let none = Value::Null;
    assert_eq!(
        shape,
        [
            (json!("picture"), json!("Вот"), none.clone()),
            (json!("file"), none, json!("note.txt"))
        ]
    );
    assert_eq!(scene.provider.fetched(), [picture, b"words"]);

    // Receipts of the last part are the message's.
    scene.provider.receipt(0, "seen");
    scene.provider.receipt(1, "delivered");
    scene.provider.deliver().await;
    scene.fate(&sent, DeliveryState::Delivered).await;

    // A client's phone may be off for a while; after a day the link is good no more.
    let media = scene.provider.sent()[0]["media"].clone();
    let link = media.as_str().unwrap();
    let (address, path) = link.split_at(link.find("/files/").unwrap());
    for (ahead_ms, status) in [(23 * 3_600_000, 200), (2 * 3_600_000, 403)] {
        scene.gateway.clock().advance(ahead_ms);
        let request = http::request(::http::Method::GET, path, None);
        let answer = http::send(address, request.body("".into()).unwrap()).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_own_end() {
    let mut scene = scene().await;
    let desk = &scene.provider.desk;
    desk.fail("send_message", Fault::Answer(503, json!("<html>")));
    desk.fail(
        "send_message",
        Fault::Answer(200, refusal(12, "tooManyRequests")),
    );
    let first = scene.says("a-1", "first").await;
    let second = scene.says("a-2", "second").await;
    waits_for_calls(&scene, 2).await;
    until("the line says so", || async {
        let trouble = scene.trouble();
        trouble.is_some_and(|told| told.contains("tooManyRequests"))
    })
    .await;
    waits_for_calls(&scene, 4).await;
    scene.fate(&first, DeliveryState::Sent).await;
    scene.fate(&second, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["first", "second"]);
    assert_eq!(scene.trouble(), None);

    let wrong = refusal(3, "badData");
    let desk = &scene.provider.desk;
    desk.fail("send_message", Fault::Answer(200, wrong));
    let refused = scene.says("a-3", "third").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert_eq!(failed.delivery_error, "Viber says: badData (3)");

    scene.provider.unsubscribes(ANNA);
    let gone = scene.says("a-4", "fourth").await;
    let failed = scene.fate(&gone, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("receiverNotSubscribed"));
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-5", "fifth").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
    // Whoever writes can be written to.
    hears(&mut scene, "Я снова здесь").await;
    let sent = scene.says("a-6", "sixth").await;
    scene.fate(&sent, DeliveryState::Sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_is_known_to_when_it_is_answered() {
    let mut scene = scene().await;
    scene
        .provider
        .desk
        .fail("send_message", Fault::DoneAndDropped);
    let doubtful = scene.says("a-1", "Может быть").await;
    scene.fate(&doubtful, DeliveryState::Uncertain).await;
    scene.provider.says(ANNA, "Да, вижу");
    scene.provider.deliver().await;
    scene.fate(&doubtful, DeliveryState::Delivered).await;

    // What did not arrive stays in doubt, whatever she answers.
    scene.provider.desk.fail("send_message", Fault::Dropped);
    let lost = scene.says("a-2", "Пропало").await;
    scene.fate(&lost, DeliveryState::Uncertain).await;
    hears(&mut scene, "Алло?").await;
    let all = scene.messages().await;
    let known = all.iter().find(|one| one.id == lost.id).unwrap();
    assert_eq!(known.delivery(), DeliveryState::Uncertain);
    assert_eq!(scene.provider.texts_of(ANNA), ["Может быть"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_was_removed_is_set_again() {
    let mut scene = scene().await;
    let hook = scene.provider.webhook();
    scene.provider.forget_webhook();
    let waiting = scene.says("a-1", "later").await;
    scene.provider.desk.until_seen("set_webhook", 2).await;
    waits_for_calls(&scene, 2).await;
    scene.fate(&waiting, DeliveryState::Sent).await;
    assert_eq!(scene.provider.webhook(), hook);
    assert_eq!(scene.provider.texts_of(ANNA), ["later"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_is_welcomed_once_and_what_a_link_says_is_shown() {
    let mut scene = scene().await;
    let boris = "Bor1sBor1sBor1sBor1sBo==";
    scene.provider.opens(boris, Some("order-4711"));
    // The same again, as where an answer was lost.
    let again = scene.provider.waiting();
    scene.provider.deliver().await;
    assert_eq!(scene.provider.texts_of(boris), [WELCOME]);
    for event in again {
        scene.provider.happens(event);
    }
    scene.provider.deliver().await;
    let second = scene.olga.accept().await;
    let shown = scene.olga.messages(&second.id).await;
    let [only] = shown.as_slice() else {
        panic!("{shown:?}")
    };
    let Some(pb::message::Content::Postback(press)) = &only.content else {
        panic!("{only:?}")
    };
    assert_eq!(press.payload, "order-4711");
    // Who has written before is not welcomed.
    scene.provider.opens(ANNA, None);
    scene.provider.deliver().await;
    assert!(scene.provider.texts_of(ANNA).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_more_messages_gets_none() {
    let mut scene = scene().await;
    let sent = scene.says("a-1", "first").await;
    scene.fate(&sent, DeliveryState::Sent).await;
    scene.provider.unsubscribes(ANNA);
    scene.provider.receipt(0, "seen");
    scene.provider.deliver().await;
    scene.fate(&sent, DeliveryState::Read).await;
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-2", "second").await.unwrap_err();
    assert!(refused.message().contains("the client left"), "{refused}");
    assert_eq!(scene.provider.texts_of(ANNA), ["first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_says_which_part_did_not_go() {
    let mut scene = scene().await;
    let long = "слово ".repeat(3_000);
    let desk = &scene.provider.desk;
    desk.fail("send_message", Fault::Answer(200, refusal(3, "badData")));
    let answer = scene.says("a-2", &long).await;
    let failed = scene.fate(&answer, DeliveryState::Failed).await;
    assert!(
        failed.delivery_error.starts_with("part 1 of 3: "),
        "{failed:?}"
    );
    let next = scene.says("a-3", "short").await;
    scene.fate(&next, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA).len(), 1);
}
