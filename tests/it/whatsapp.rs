//! WhatsApp from end to end: a client writes to a number of the Cloud API, an operator
//! answers in the real inbox, the client gets it.

use channels::Verdict;
use e2e::operator::text_of;
use e2e::providers::Fault;
use e2e::providers::whatsapp::{
    APP_SECRET, Event, NUMBER, OTHER_NUMBER, TOKEN, VERIFY_TOKEN, WhatsApp, notice, refusal, sign,
    user_id,
};
use e2e::{Bridge, OperatorClient, TestGateway, bridge, gateway, http, until};
use proto::channels::v1::DeliveryState;
use proto::contacts::v1 as contacts;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};

const ANNA: &str = "79161234567";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and a picture";

async fn gateway(whatsapp: &WhatsApp) -> TestGateway {
    let url = whatsapp.api_url();
    TestGateway::start_with(move |settings| {
        // Two numbers of one app, and of two queues.
        let lines = [
            ("whatsapp", NUMBER, "main"),
            ("second", OTHER_NUMBER, "other"),
        ];
        for (id, number, queue) in lines {
            let url = url.clone();
            let options = toml::toml! {
                phone_number_id = number
                token = TOKEN
                app_secret = APP_SECRET
                verify_token = VERIFY_TOKEN
                hook = "app"
                api_url = url
            };
            let public_url = settings.public_url.clone();
            let line = gateway::line_with(id, "whatsapp", queue, &public_url, options);
            settings.lines.push(line);
        }
    })
    .await
}

struct Scene {
    whatsapp: WhatsApp,
    gateway: TestGateway,
    olga: OperatorClient,
    conversation: String,
}

/// Anna wrote, and Olga has it.
async fn scene() -> Scene {
    let whatsapp = WhatsApp::start().await;
    let gateway = gateway(&whatsapp).await;
    let mut olga = gateway.ready_operator("olga").await;
    whatsapp.says(ANNA, "Здравствуйте! 👋");
    whatsapp.deliver(&hook(&gateway)).await;
    let conversation = olga.accept().await;
    assert_eq!(conversation.last_message_text, "Здравствуйте! 👋");
    Scene {
        whatsapp,
        gateway,
        olga,
        conversation: conversation.id,
    }
}

async fn post(hook: &str, body: &str, signature: Option<&str>) -> u16 {
    let mut call = e2e::providers::platform::Call::bare(body);
    if let Some(signature) = signature {
        call.headers
            .push(("x-hub-signature-256", signature.to_owned()));
    }
    call.post(hook).await.status.as_u16()
}

fn hook(gateway: &TestGateway) -> String {
    format!("{}/hooks/app", gateway.url())
}

impl Scene {
    /// Meta calls with all that happened.
    async fn deliver(&self) {
        self.whatsapp.deliver(&hook(&self.gateway)).await;
    }

    async fn says(&mut self, client_id: &str, text: &str) -> pb::Message {
        let id = self.conversation.clone();
        self.olga.say(&id, client_id, text).await.unwrap()
    }

    /// Anna writes, and Olga reads it.
    async fn hears(&mut self, text: &str) -> pb::Message {
        self.whatsapp.says(ANNA, text);
        self.deliver().await;
        self.olga.hears(text).await
    }

    /// It is told what became of what was sent as this one.
    async fn told(&self, sent: usize, status: &str) {
        self.whatsapp.status(sent, status);
        self.deliver().await;
    }

    /// The next time that a message is changed.
    async fn changed(&mut self, of: &str, is_it: impl Fn(&pb::Message) -> bool) -> pb::Message {
        self.olga
            .wait_for("a change", |kind| match kind {
                Kind::MessageChanged(message) if message.id == of && is_it(&message) => {
                    Some(message)
                }
                _ => None,
            })
            .await
    }

    /// What becomes of a message.
    async fn fate(&mut self, of: &pb::Message, wanted: DeliveryState) -> pb::Message {
        self.changed(&of.id, |message| message.delivery() == wanted)
            .await
    }

    /// Time passes until so much was sent to Anna.
    async fn passes_until_sent(&self, count: usize) {
        until("it is sent", || async {
            self.gateway.clock().advance(2_000);
            self.whatsapp.sent().len() >= count
        })
        .await;
    }

    async fn messages(&mut self) -> Vec<pb::Message> {
        let id = self.conversation.clone();
        self.olga.messages(&id).await
    }

    /// Whose a conversation is.
    async fn contact(&mut self, conversation: &str) -> String {
        let request = pb::GetConversationRequest {
            conversation_id: conversation.to_owned(),
        };
        let answer = self.olga.inbox.get_conversation(request).await.unwrap();
        let conversation = answer.into_inner().conversation.unwrap();
        conversation.contact.unwrap().id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.whatsapp.texts_of(ANNA), ["Добрый день!"]);
    // Late, twice and in no order.
    for status in ["delivered", "sent", "delivered"] {
        scene.told(0, status).await;
    }
    scene.fate(&answer, DeliveryState::Delivered).await;
    scene.told(0, "read").await;
    scene.fate(&answer, DeliveryState::Read).await;

    // An answer to that very message, a reaction to it, and none any more.
    let sent = scene.whatsapp.sent()[0]["id"].clone();
    let fields = json!({"text": {"body": "Да"}, "context": {"from": "15550783881", "id": sent}});
    scene.whatsapp.sends(ANNA, "text", fields);
    scene.deliver().await;
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, answer.id);
    for (reaction, shown) in [
        (json!({"message_id": sent, "emoji": "❤"}), Some("❤")),
        (json!({ "message_id": sent }), None),
    ] {
        let fields = json!({ "reaction": reaction });
        scene.whatsapp.sends(ANNA, "reaction", fields);
        scene.deliver().await;
        let reacted = scene.changed(&answer.id, |_| true).await;
        let emoji = reacted.reactions.first().map(|it| it.emoji.as_str());
        assert_eq!(emoji, shown);
    }

    // Olga reacts to what Anna wrote, by WhatsApp's name of it.
    let first = scene.messages().await.remove(0);
    let react = pb::ReactRequest {
        message_id: first.id,
        emoji: "👍".to_owned(),
        client_id: "a-2".to_owned(),
    };
    scene.olga.inbox.react(react).await.unwrap();
    let sent = scene.whatsapp.desk.until_seen("messages", 2).await;
    let reaction = sent[1].json()["reaction"].clone();
    assert_eq!(reaction["emoji"], "👍");
    assert!(
        reaction["message_id"]
            .as_str()
            .unwrap()
            .starts_with("wamid.")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_changes_their_words_or_takes_them_back() {
    let mut scene = scene().await;
    let first = scene.whatsapp.says(ANNA, "Опечатка");
    scene.deliver().await;
    let shown = scene.olga.hears("Опечатка").await;
    let other = json!({"type": "text", "text": {"body": "Поправка"}});
    let fields = json!({"edit": {"original_message_id": first, "message": other}});
    scene.whatsapp.sends(ANNA, "edit", fields);
    scene.deliver().await;
    let changed = scene.changed(&shown.id, |_| true).await;
    assert_eq!(text_of(&changed), "Поправка");
    assert_eq!(changed.revisions[0].text, "Опечатка");
    let fields = json!({"revoke": {"original_message_id": first}});
    scene.whatsapp.sends(ANNA, "revoke", fields);
    scene.deliver().await;
    let gone = scene.changed(&shown.id, |it| it.deleted_at.is_some()).await;
    assert_eq!(text_of(&gone), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_and_go() {
    let mut scene = scene().await;
    let kept = scene.whatsapp.keep(PNG);
    let image = json!({"id": kept, "mime_type": "image/png", "caption": "Вот"});
    // Once it cannot be had, and once it is broken on the way.
    scene.whatsapp.desk.fail("file_id", Fault::Dropped);
    scene
        .whatsapp
        .desk
        .fail("file", Fault::Answer(200, json!("half")));
    scene
        .whatsapp
        .sends(ANNA, "image", json!({ "image": image }));
    scene.deliver().await;
    let picture = scene.olga.hears("Вот").await;
    assert_eq!(picture.attachments[0].sha256.len(), 64);
    assert_eq!(
        i64::try_from(PNG.len()),
        Ok(picture.attachments[0].size_bytes)
    );
    // What is gone is shown as missing, and holds nothing up.
    let lost = json!({"id": "1234", "mime_type": "image/png", "caption": "Пропало"});
    scene
        .whatsapp
        .sends(ANNA, "image", json!({ "image": lost }));
    scene.deliver().await;
    let lost = scene.olga.hears("Пропало").await;
    assert_eq!(lost.attachments[0].sha256, "");

    let upload = http::request(::http::Method::POST, "/uploads", Some(&scene.olga.token))
        .header("x-file-name", "%D1%81%D1%85%D0%B5%D0%BC%D0%B0.png")
        .body(PNG.into())
        .unwrap();
    let uploaded = http::send(&scene.gateway.url(), upload).await.json();
    let request = pb::SendMessageRequest {
        conversation_id: scene.conversation.clone(),
        client_id: "a-1".to_owned(),
        text: "Схема".to_owned(),
        upload_ids: vec![uploaded["uploadId"].as_str().unwrap().to_owned()],
        ..Default::default()
    };
    // The file was taken and the answer lost: nobody saw it, so it goes again.
    scene.whatsapp.desk.fail("media", Fault::DoneAndDropped);
    let sent = scene.olga.inbox.send_message(request).await.unwrap();
    let clock = scene.gateway.clock();
    scene.whatsapp.desk.until_seen("media", 1).await;
    until("the file goes again", || async {
        clock.advance(1_000);
        scene.whatsapp.desk.seen("media").len() == 2
    })
    .await;
    scene.fate(&sent.into_inner(), DeliveryState::Sent).await;
    let image = &scene.whatsapp.sent()[0]["image"];
    assert_eq!(image["caption"], "Схема");
    assert!(image["id"].is_string());
    let form = &scene.whatsapp.desk.seen("media")[1].body;
    assert!(form.windows(PNG.len()).any(|bytes| bytes == PNG));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_again_is_one_message_each() {
    let mut scene = scene().await;
    let hook = hook(&scene.gateway);
    let word = |number: usize| {
        let text = format!("слово {number}");
        scene
            .whatsapp
            .message(ANNA, "text", json!({"text": {"body": text}}))
    };
    let events: Vec<Event> = (0..20).map(word).collect();
    let call = async |events: &[Event]| {
        let body = notice(events);
        let signature = sign(APP_SECRET, &body);
        assert_eq!(post(&hook, &body, Some(&signature)).await, 200);
    };
    // The first time in order, some at once; then ten times in any order and bundle.
    for events in events.chunks(3) {
        call(events).await;
    }
    for round in 0..10 {
        let mut again = events.clone();
        again.rotate_left(round * 7 % 20);
        for events in again.chunks(round + 1) {
            call(events).await;
        }
    }
    scene.hears("конец").await;
    let all = scene.messages().await;
    let mut words: Vec<&str> = all.iter().map(text_of).collect();
    words.retain(|text| text.starts_with("слово"));
    let expected: Vec<String> = (0..20).map(|number| format!("слово {number}")).collect();
    assert_eq!(words, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_signed_so_is_of_nobody() {
    let mut scene = scene().await;
    let hook = hook(&scene.gateway);
    let words = json!({"text": {"body": "forged"}});
    let body = notice(&[scene.whatsapp.message("79160000666", "text", words)]);
    let good = sign(APP_SECRET, &body);
    let forged = [
        None,
        Some(String::new()),
        Some("sha256=".to_owned()),
        Some(good.replace("sha256=", "")),
        Some(good.replace("sha256=", "sha1=")),
        Some(good[..good.len() - 1].to_owned()),
        Some(sign("an older secret of the app", &body)),
        Some(sign(APP_SECRET, &body.replace("forged", "Forged"))),
    ];
    for signature in forged {
        let status = post(&hook, &body, signature.as_deref()).await;
        assert_eq!(status, 403, "{signature:?}");
    }
    // What cannot be read is kept and acknowledged, or it would come for a week.
    for odd in [
        "not JSON",
        "{}",
        "[]",
        r#"{"entry":[{"changes":[{"value":7}]}]}"#,
    ] {
        let status = post(&hook, odd, Some(&sign(APP_SECRET, odd))).await;
        assert_eq!(status, 200, "{odd}");
    }
    // A kind of a later day is shown, a reaction to nothing is not.
    let fields = json!({"hologram": {"id": 7}});
    scene.whatsapp.sends(ANNA, "hologram", fields);
    let nothing = json!({"reaction": {"message_id": "wamid.none", "emoji": "❤"}});
    scene.whatsapp.sends(ANNA, "reaction", nothing);
    scene.hears("конец").await;
    let all = scene.messages().await;
    assert_eq!(all.len(), 3);
    let odd = all[1].content.clone();
    assert!(matches!(odd, Some(pb::message::Content::Unsupported(_))));
    let role = domain::operator::Role::Supervisor;
    let mut boss = scene.gateway.person("boss", role, &[]).await;
    let all = boss.list(pb::Folder::AllOpen).await;
    assert_eq!(all.conversations.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn meta_is_told_that_it_is_here() {
    let scene = scene().await;
    let ask = async |query: &str| {
        let path = format!("/hooks/app?{query}");
        let request = http::request(::http::Method::GET, &path, None);
        let request = request.body("".into()).unwrap();
        let answer = http::send(&scene.gateway.url(), request).await;
        (answer.status.as_u16(), answer.text())
    };
    let good =
        format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={VERIFY_TOKEN}");
    assert_eq!(ask(&good).await, (200, "1158201444".to_owned()));
    let forged = good.replace(VERIFY_TOKEN, "another-word-of-sixteen");
    assert_eq!(ask(&forged).await.0, 403);
    assert_eq!(ask("hub.mode=subscribe&hub.challenge=1").await.0, 403);

    // Asked for the administrator, it knows the number, or says why not.
    let line = scene.gateway.engine().line(&"whatsapp".into()).unwrap();
    let number = line.channel.check().await.remove(0).verdict;
    assert!(matches!(number, Verdict::Good(told) if told.contains("+1 555-078-3881")));
    scene.whatsapp.revoke(true);
    let number = line.channel.check().await.remove(0).verdict;
    assert!(matches!(number, Verdict::Bad(told) if told.contains("(190)")));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_own_end() {
    let mut scene = scene().await;
    let fail = |whatsapp: &WhatsApp, status, body| {
        whatsapp.desk.fail("messages", Fault::Answer(status, body));
    };
    // The number, the client and the server want to be left alone for a while.
    fail(&scene.whatsapp, 400, refusal(130_429, "Rate limit hit"));
    fail(
        &scene.whatsapp,
        400,
        refusal(131_056, "Too many to this client"),
    );
    fail(
        &scene.whatsapp,
        500,
        refusal(131_000, "Something went wrong"),
    );
    fail(&scene.whatsapp, 502, json!("<html>"));
    let first = scene.says("a-1", "first").await;
    let second = scene.says("a-2", "second").await;
    scene.passes_until_sent(2).await;
    scene.fate(&first, DeliveryState::Sent).await;
    scene.fate(&second, DeliveryState::Sent).await;
    assert_eq!(scene.whatsapp.texts_of(ANNA), ["first", "second"]);

    fail(
        &scene.whatsapp,
        400,
        refusal(131_009, "The value is not valid"),
    );
    let refused = scene.says("a-3", "third").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("The value is not valid"));

    // Accepted is not delivered.
    let accepted = scene.says("a-4", "fourth").await;
    scene.fate(&accepted, DeliveryState::Sent).await;
    scene.told(2, "failed").await;
    let failed = scene.fate(&accepted, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("ecosystem"), "{failed:?}");

    scene.whatsapp.lose(ANNA);
    let lost = scene.says("a-5", "fifth").await;
    let failed = scene.fate(&lost, DeliveryState::Failed).await;
    assert!(
        failed.delivery_error.contains("undeliverable"),
        "{failed:?}"
    );
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-6", "sixth").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_loses_and_doubles_nothing() {
    let mut scene = scene().await;
    for status in [503, 500, 502, 503, 500] {
        let body = json!({"error": {"message": "Service temporarily unavailable", "code": 2}});
        let fault = Fault::Answer(status, body);
        scene.whatsapp.desk.fail("messages", fault);
    }
    let words: Vec<String> = (0..8).map(|number| format!("word {number}")).collect();
    let mut last = None;
    for (number, text) in words.iter().enumerate() {
        last = Some(scene.says(&format!("a-{number}"), text).await);
    }
    scene.passes_until_sent(words.len()).await;
    scene.fate(&last.unwrap(), DeliveryState::Sent).await;
    assert_eq!(scene.whatsapp.texts_of(ANNA), words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_clears_a_doubt_and_names_the_message() {
    let mut scene = scene().await;
    scene.whatsapp.desk.fail("messages", Fault::DoneAndDropped);
    let taken = scene.says("a-1", "taken").await;
    scene.fate(&taken, DeliveryState::Uncertain).await;
    scene.whatsapp.desk.fail("messages", Fault::Dropped);
    let lost = scene.says("a-2", "lost").await;
    scene.fate(&lost, DeliveryState::Uncertain).await;
    let after = scene.says("a-3", "after").await;
    scene.fate(&after, DeliveryState::Sent).await;
    // Nobody sent anything again by itself.
    assert_eq!(scene.whatsapp.texts_of(ANNA), ["taken", "after"]);

    scene.told(0, "delivered").await;
    scene.fate(&taken, DeliveryState::Delivered).await;
    let sent = scene.whatsapp.sent()[0]["id"].clone();
    let fields = json!({"text": {"body": "Да"}, "context": {"id": sent}});
    scene.whatsapp.sends(ANNA, "text", fields);
    scene.deliver().await;
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, taken.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_goes_in_parts_or_says_which_did_not() {
    let mut scene = scene().await;
    let long = "слово ".repeat(1_500);
    let answer = scene.says("a-1", &long).await;
    scene.fate(&answer, DeliveryState::Sent).await;
    let texts = scene.whatsapp.texts_of(ANNA);
    assert_eq!(texts.len(), 3);
    assert_eq!(texts.join(" ").split(' ').count(), 1_500);
    // The second fails on the way: that the others arrive does not hide it.
    for (sent, status) in [(0, "delivered"), (1, "failed"), (2, "delivered")] {
        scene.told(sent, status).await;
    }
    scene.hears("конец").await;
    let all = scene.messages().await;
    let failed = all.iter().find(|message| message.id == answer.id).unwrap();
    assert_eq!(failed.delivery(), DeliveryState::Failed);
    assert!(
        failed.delivery_error.starts_with("part 2 of 3: "),
        "{failed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_after_a_day() {
    let mut scene = scene().await;
    let hour = 60 * 60 * 1_000;
    scene.gateway.clock().advance(23 * hour);
    let early = scene.says("a-1", "early").await;
    scene.fate(&early, DeliveryState::Sent).await;
    scene.gateway.clock().advance(hour);
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-2", "late").await.unwrap_err();
    assert!(refused.message().contains("24 hours"), "{refused}");
    assert_eq!(scene.whatsapp.texts_of(ANNA), ["early"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_on_the_phone_is_shown() {
    let mut scene = scene().await;
    scene.whatsapp.types_on_the_phone(ANNA, "С телефона");
    scene.deliver().await;
    let shown = scene.olga.hears("С телефона").await;
    assert_eq!(shown.direction(), pb::Direction::Outbound);
    assert_eq!(shown.operator_id, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_that_they_are_read_and_answered() {
    let mut scene = scene().await;
    let second = scene.whatsapp.says(ANNA, "Ещё");
    scene.deliver().await;
    let last = scene.olga.hears("Ещё").await;
    let read = pb::MarkReadRequest {
        conversation_id: scene.conversation.clone(),
        message_id: last.id,
    };
    scene.olga.inbox.mark_read(read).await.unwrap();
    let typing = pb::SetTypingRequest {
        conversation_id: scene.conversation.clone(),
        active: true,
    };
    scene.whatsapp.desk.until_seen("sign", 1).await;
    scene.olga.inbox.set_typing(typing).await.unwrap();
    let signs = scene.whatsapp.desk.until_seen("sign", 2).await;
    for sign in &signs {
        assert_eq!(sign.json()["message_id"], *second);
        assert_eq!(sign.json()["status"], "read");
    }
    assert_eq!(signs[0].json()["typing_indicator"], Value::Null);
    assert_eq!(signs[1].json()["typing_indicator"]["type"], "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_an_app_takes_its_own() {
    let mut scene = scene().await;
    let role = domain::operator::Role::Operator;
    let mut boris = scene.gateway.person("boris", role, &["other"]).await;
    boris.ready().await;
    let text = |text: &str| json!({"text": {"body": text}});
    let own = scene.whatsapp.message(ANNA, "text", text("for Olga"));
    let mut other = scene
        .whatsapp
        .message("79160000002", "text", text("for Boris"));
    other.number = OTHER_NUMBER;
    let mut nobodys = scene
        .whatsapp
        .message("79160000003", "text", text("for nobody"));
    nobodys.number = "7";
    let body = notice(&[own, other, nobodys]);
    let signature = sign(APP_SECRET, &body);
    assert_eq!(
        post(&hook(&scene.gateway), &body, Some(&signature)).await,
        200
    );
    scene.olga.hears("for Olga").await;
    let conversation = boris.accept().await;
    assert_eq!(conversation.last_message_text, "for Boris");
    boris.say(&conversation.id, "b-1", "Hi").await.unwrap();
    let sent = scene.whatsapp.desk.until_seen("messages", 1).await;
    assert!(sent[0].path.contains(OTHER_NUMBER));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hides_their_number_stays_the_same_and_is_answered() {
    let mut scene = scene().await;
    let mut hidden = scene
        .whatsapp
        .message(ANNA, "text", json!({"text": {"body": "Без номера"}}));
    hidden.event.as_object_mut().unwrap().remove("from");
    hidden.contact = json!({"profile": {"name": "Anna", "username": "anna.p"},
                            "user_id": user_id(ANNA)});
    scene.whatsapp.happens(hidden);
    scene.deliver().await;
    let shown = scene.olga.hears("Без номера").await;
    assert_eq!(shown.conversation_id, scene.conversation);
    let answer = scene.says("a-1", "Хорошо").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    let sent = &scene.whatsapp.sent()[0];
    assert_eq!(
        (&sent["recipient"], &sent["to"]),
        (&json!(user_id(ANNA)), &Value::Null)
    );
    // Its status names nobody, and is understood.
    scene.told(0, "failed").await;
    scene.fate(&answer, DeliveryState::Failed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_is_proven_and_joins_one_person() {
    let mut scene = scene().await;
    let bridge = Bridge::connect(&scene.gateway).await;
    let mut called = bridge::message("li", "m-1", "By telephone");
    let identities = &mut called.sender.as_mut().unwrap().identities;
    identities.push(contacts::Identity {
        kind: "phone".to_owned(),
        value: format!("+{ANNA}"),
        trust: contacts::Trust::Proven.into(),
        ..Default::default()
    });
    bridge.push(called).await.unwrap();
    let other = scene.olga.accept().await.id;
    let own = scene.conversation.clone();
    assert_eq!(scene.contact(&own).await, scene.contact(&other).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_holds_everything_and_loses_nothing() {
    let mut scene = scene().await;
    scene.whatsapp.revoke(true);
    let first = scene.says("a-1", "later").await;
    let second = scene.says("a-2", "still later").await;
    until("the line says so", || async {
        let line = scene.gateway.engine().line(&"whatsapp".into()).unwrap();
        scene.gateway.engine().line_status(&line).contains("(190)")
    })
    .await;
    // What clients write comes in all the same.
    scene.hears("while you were away").await;
    scene.whatsapp.revoke(false);
    scene.passes_until_sent(2).await;
    scene.fate(&first, DeliveryState::Sent).await;
    scene.fate(&second, DeliveryState::Sent).await;
    assert_eq!(scene.whatsapp.texts_of(ANNA), ["later", "still later"]);
    let line = scene.gateway.engine().line(&"whatsapp".into()).unwrap();
    assert_eq!(scene.gateway.engine().line_status(&line), "up");
}
