//! Viber from end to end: a client writes to the bot, an operator answers in the real inbox,
//! the client gets it.

use channels::{Check, Verdict};
use e2e::operator::text_of;
use e2e::providers::viber::{TOKEN, Viber, refusal};
use e2e::providers::{Fault, Platform};
use e2e::{OperatorClient, TestGateway, gateway, http, until};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};

const ANNA: &str = "3SQNc4FPUQmysaM/AQEhXg==";
const WELCOME: &str = "Здравствуйте! Напишите нам.";

async fn gateway(viber: &Viber) -> TestGateway {
    let url = viber.desk.url.clone();
    TestGateway::start_with(move |settings| {
        let url = url.clone();
        let options = toml::toml! {
            token = TOKEN
            sender_name = "Магазин"
            welcome = WELCOME
            api_url = url
        };
        let public_url = settings.public_url.clone();
        let line = gateway::line_with("viber", "viber", "main", &public_url, options);
        settings.lines.push(line);
    })
    .await
}

struct Scene {
    viber: Viber,
    gateway: TestGateway,
    olga: OperatorClient,
    conversation: String,
}

/// Anna wrote, and Olga has it.
async fn scene() -> Scene {
    let viber = Viber::start().await;
    let gateway = gateway(&viber).await;
    let mut olga = gateway.ready_operator("olga").await;
    until("the webhook is set", || async {
        !viber.webhook().is_empty()
    })
    .await;
    viber.says(ANNA, "Здравствуйте!");
    viber.deliver().await;
    let conversation = olga.accept().await;
    assert_eq!(conversation.last_message_text, "Здравствуйте!");
    let contact = conversation.contact.unwrap();
    assert_eq!(contact.display_name, format!("Client {ANNA}"));
    Scene {
        viber,
        gateway,
        olga,
        conversation: conversation.id,
    }
}

impl Scene {
    async fn says(&mut self, client_id: &str, text: &str) -> pb::Message {
        let id = self.conversation.clone();
        self.olga.say(&id, client_id, text).await.unwrap()
    }

    /// What becomes of a message.
    async fn fate(&mut self, of: &pb::Message, wanted: DeliveryState) -> pb::Message {
        self.olga
            .wait_for(&format!("{wanted:?}"), |kind| match kind {
                Kind::MessageChanged(message)
                    if message.id == of.id && message.delivery() == wanted =>
                {
                    Some(message)
                }
                _ => None,
            })
            .await
    }

    /// Anna writes, and Olga reads it.
    async fn hears(&mut self, text: &str) -> pb::Message {
        self.viber.says(ANNA, text);
        self.viber.deliver().await;
        self.olga.hears(text).await
    }

    async fn messages(&mut self) -> Vec<pb::Message> {
        let id = self.conversation.clone();
        self.olga.messages(&id).await
    }

    /// Sends a file up; answers the id of the upload.
    async fn uploads(&self, name: &str, content: &[u8]) -> String {
        let request = http::request(::http::Method::POST, "/uploads", Some(&self.olga.token))
            .header("x-file-name", name)
            .body(content.to_vec().into())
            .unwrap();
        let answer = http::send(&self.gateway.url(), request).await;
        answer.json()["uploadId"].as_str().unwrap().to_owned()
    }

    fn trouble(&self) -> Option<String> {
        let line = self.gateway.engine().line(&"viber".into()).unwrap();
        let status = self.gateway.engine().line_status(&line);
        Some(status).filter(|status| status != "up")
    }

    /// Lets time pass until so many messages were handed over, or tried to be.
    async fn waits_for_calls(&self, count: usize) {
        until("calls", || async {
            self.gateway.clock().advance(500);
            self.viber.desk.seen("send_message").len() >= count
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.viber.texts_of(ANNA), ["Добрый день!"]);
    let sent = &scene.viber.sent()[0];
    assert_eq!(sent["sender"]["name"], "Магазин");
    assert_eq!(sent["tracking_data"], format!("message {}", answer.id));

    // Each of Anna's two devices tells of it, and not in order.
    scene.viber.receipt(0, "delivered");
    scene.viber.deliver().await;
    scene.fate(&answer, DeliveryState::Delivered).await;
    for kind in ["seen", "delivered", "seen"] {
        scene.viber.receipt(0, kind);
    }
    scene.viber.deliver().await;
    scene.fate(&answer, DeliveryState::Read).await;
    scene.hears("Спасибо").await;
    let all = scene.messages().await;
    let known = all.iter().find(|one| one.id == answer.id).unwrap();
    assert_eq!(known.delivery(), DeliveryState::Read);

    let lost = scene.says("a-2", "Пожалуйста").await;
    scene.fate(&lost, DeliveryState::Sent).await;
    scene.viber.receipt(1, "failed");
    scene.viber.deliver().await;
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
    let viber = &scene.viber;
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
    scene.hears("всё").await;
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
    let request = pb::SendMessageRequest {
        conversation_id: scene.conversation.clone(),
        client_id: "a-1".to_owned(),
        text: "Вот".to_owned(),
        upload_ids: files.to_vec(),
        ..Default::default()
    };
    let sent = scene.olga.inbox.send_message(request).await;
    let sent = sent.unwrap().into_inner();
    scene.fate(&sent, DeliveryState::Sent).await;
    let shape: Vec<(Value, Value, Value)> = scene
        .viber
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
    assert_eq!(scene.viber.fetched(), [picture, b"words"]);

    // Receipts of the last part are the message's.
    scene.viber.receipt(0, "seen");
    scene.viber.receipt(1, "delivered");
    scene.viber.deliver().await;
    scene.fate(&sent, DeliveryState::Delivered).await;

    // A client's phone may be off for a while; after a day the link is good no more.
    let media = scene.viber.sent()[0]["media"].clone();
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
async fn redeliveries_are_one_message_each() {
    let mut scene = scene().await;
    let viber = &scene.viber;
    for number in 0..20 {
        viber.says(ANNA, &format!("слово {number}"));
    }
    let events = viber.waiting();
    viber.deliver().await;
    for round in 0..10 {
        let mut again = events.clone();
        again.rotate_left(round * 7 % 20);
        for event in again {
            viber.happens(event);
        }
        viber.deliver().await;
    }
    scene.hears("конец").await;
    let all = scene.messages().await;
    let mut words: Vec<&str> = all.iter().map(text_of).collect();
    words.retain(|text| text.starts_with("слово"));
    let expected: Vec<String> = (0..20).map(|number| format!("слово {number}")).collect();
    assert_eq!(words, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_token_is_nobody() {
    let scene = scene().await;
    let forged = scene
        .viber
        .message("666", json!({"type": "text", "text": "forged"}));
    let (body, hook) = (forged.to_string(), scene.viber.webhook());
    for call in scene.viber.forged(&body) {
        assert_eq!(call.post(&hook).await.status, 403, "{call:?}");
    }
    // What cannot be read is taken all the same, and kept.
    assert_eq!(scene.viber.call("not JSON").post(&hook).await.status, 200);
    let mut boss = scene
        .gateway
        .person("boss", domain::operator::Role::Supervisor, &[])
        .await;
    let all = boss.list(pb::Folder::AllOpen).await;
    assert_eq!(all.conversations.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_own_end() {
    let mut scene = scene().await;
    let desk = &scene.viber.desk;
    desk.fail("send_message", Fault::Answer(503, json!("<html>")));
    desk.fail(
        "send_message",
        Fault::Answer(200, refusal(12, "tooManyRequests")),
    );
    let first = scene.says("a-1", "first").await;
    let second = scene.says("a-2", "second").await;
    scene.waits_for_calls(2).await;
    until("the line says so", || async {
        let trouble = scene.trouble();
        trouble.is_some_and(|told| told.contains("tooManyRequests"))
    })
    .await;
    scene.waits_for_calls(4).await;
    scene.fate(&first, DeliveryState::Sent).await;
    scene.fate(&second, DeliveryState::Sent).await;
    assert_eq!(scene.viber.texts_of(ANNA), ["first", "second"]);
    assert_eq!(scene.trouble(), None);

    let wrong = refusal(3, "badData");
    let desk = &scene.viber.desk;
    desk.fail("send_message", Fault::Answer(200, wrong));
    let refused = scene.says("a-3", "third").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert_eq!(failed.delivery_error, "Viber says: badData (3)");

    scene.viber.unsubscribes(ANNA);
    let gone = scene.says("a-4", "fourth").await;
    let failed = scene.fate(&gone, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("receiverNotSubscribed"));
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-5", "fifth").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
    // Whoever writes can be written to.
    scene.hears("Я снова здесь").await;
    let sent = scene.says("a-6", "sixth").await;
    scene.fate(&sent, DeliveryState::Sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_is_known_to_when_it_is_answered() {
    let mut scene = scene().await;
    scene.viber.desk.fail("send_message", Fault::DoneAndDropped);
    let doubtful = scene.says("a-1", "Может быть").await;
    scene.fate(&doubtful, DeliveryState::Uncertain).await;
    scene.viber.says(ANNA, "Да, вижу");
    scene.viber.deliver().await;
    scene.fate(&doubtful, DeliveryState::Delivered).await;

    // What did not arrive stays in doubt, whatever she answers.
    scene.viber.desk.fail("send_message", Fault::Dropped);
    let lost = scene.says("a-2", "Пропало").await;
    scene.fate(&lost, DeliveryState::Uncertain).await;
    scene.hears("Алло?").await;
    let all = scene.messages().await;
    let known = all.iter().find(|one| one.id == lost.id).unwrap();
    assert_eq!(known.delivery(), DeliveryState::Uncertain);
    assert_eq!(scene.viber.texts_of(ANNA), ["Может быть"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_was_removed_is_set_again() {
    let mut scene = scene().await;
    let hook = scene.viber.webhook();
    scene.viber.forget_webhook();
    let waiting = scene.says("a-1", "later").await;
    scene.viber.desk.until_seen("set_webhook", 2).await;
    scene.waits_for_calls(2).await;
    scene.fate(&waiting, DeliveryState::Sent).await;
    assert_eq!(scene.viber.webhook(), hook);
    assert_eq!(scene.viber.texts_of(ANNA), ["later"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_is_welcomed_once_and_what_a_link_says_is_shown() {
    let mut scene = scene().await;
    let boris = "Bor1sBor1sBor1sBor1sBo==";
    scene.viber.opens(boris, Some("order-4711"));
    // The same again, as where an answer was lost.
    let again = scene.viber.waiting();
    scene.viber.deliver().await;
    assert_eq!(scene.viber.texts_of(boris), [WELCOME]);
    for event in again {
        scene.viber.happens(event);
    }
    scene.viber.deliver().await;
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
    scene.viber.opens(ANNA, None);
    scene.viber.deliver().await;
    assert!(scene.viber.texts_of(ANNA).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_more_messages_gets_none() {
    let mut scene = scene().await;
    let sent = scene.says("a-1", "first").await;
    scene.fate(&sent, DeliveryState::Sent).await;
    scene.viber.unsubscribes(ANNA);
    scene.viber.receipt(0, "seen");
    scene.viber.deliver().await;
    scene.fate(&sent, DeliveryState::Read).await;
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-2", "second").await.unwrap_err();
    assert!(refused.message().contains("the client left"), "{refused}");
    assert_eq!(scene.viber.texts_of(ANNA), ["first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_goes_in_parts_or_says_which_did_not() {
    let mut scene = scene().await;
    let long = "слово ".repeat(3_000);
    let answer = scene.says("a-1", &long).await;
    scene.fate(&answer, DeliveryState::Sent).await;
    let texts = scene.viber.texts_of(ANNA);
    assert_eq!(texts.len(), 3);
    assert_eq!(texts.join(" ").split(' ').count(), 3_000);

    let desk = &scene.viber.desk;
    desk.fail("send_message", Fault::Answer(200, refusal(3, "badData")));
    let answer = scene.says("a-2", &long).await;
    let failed = scene.fate(&answer, DeliveryState::Failed).await;
    assert!(
        failed.delivery_error.starts_with("part 1 of 3: "),
        "{failed:?}"
    );
    let next = scene.says("a-3", "short").await;
    scene.fate(&next, DeliveryState::Sent).await;
    assert_eq!(scene.viber.texts_of(ANNA).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_holds_everything_and_loses_nothing() {
    let mut scene = scene().await;
    scene.viber.revoke(true);
    let first = scene.says("a-1", "first").await;
    let second = scene.says("a-2", "second").await;
    until("the line says so", || async {
        let trouble = scene.trouble();
        trouble.is_some_and(|told| told.contains("invalidAuthToken"))
    })
    .await;
    scene.viber.revoke(false);
    scene.hears("while it was held").await;
    until("the line has rested", || async {
        scene.gateway.clock().advance(1_000);
        scene.viber.texts_of(ANNA).len() == 2
    })
    .await;
    scene.fate(&first, DeliveryState::Sent).await;
    scene.fate(&second, DeliveryState::Sent).await;
    assert_eq!(scene.viber.texts_of(ANNA), ["first", "second"]);
}
