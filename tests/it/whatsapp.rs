//! WhatsApp from end to end: a client writes to a number of the Cloud API, an operator
//! answers in the real inbox, the client gets it.

use channels::Verdict;
use e2e::operator::text_of;
use e2e::providers::whatsapp::{
    NUMBER, OTHER_NUMBER, VERIFY_TOKEN, WhatsApp, notice, refusal, user_id,
};
use e2e::providers::{Fault, Platform};
use e2e::{Scene, TestGateway, gateway, http, until};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use serde_json::{Value, json};

const ANNA: &str = "79161234567";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and a picture";

/// Anna wrote, and Olga has it.
async fn scene() -> Scene<WhatsApp> {
    let mut scene = Scene::<WhatsApp>::called().await;
    scene.provider.says(ANNA, "Здравствуйте! 👋");
    deliver(&scene).await;
    scene.takes("Здравствуйте! 👋").await;
    scene
}

/// Meta calls with all that happened.
async fn deliver(scene: &Scene<WhatsApp>) {
    scene.provider.deliver(&scene.hook()).await;
}

/// Anna writes, and Olga reads it.
async fn hears(scene: &mut Scene<WhatsApp>, text: &str) -> pb::Message {
    scene.provider.says(ANNA, text);
    deliver(scene).await;
    scene.olga.hears(text).await
}

/// It is told what became of what was sent as this one.
async fn told(scene: &Scene<WhatsApp>, sent: usize, status: &str) {
    scene.provider.status(sent, status);
    deliver(scene).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Добрый день!"]);
    // Late, twice and in no order.
    for status in ["delivered", "sent", "delivered"] {
        told(&scene, 0, status).await;
    }
    scene.fate(&answer, DeliveryState::Delivered).await;
    told(&scene, 0, "read").await;
    scene.fate(&answer, DeliveryState::Read).await;

    // An answer to that very message, a reaction to it, and none any more.
    let sent = scene.provider.sent()[0]["id"].clone();
    let fields = json!({"text": {"body": "Да"}, "context": {"from": "15550783881", "id": sent}});
    scene.provider.sends(ANNA, "text", fields);
    deliver(&scene).await;
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, answer.id);
    for (reaction, shown) in [
        (json!({"message_id": sent, "emoji": "❤"}), Some("❤")),
        (json!({ "message_id": sent }), None),
    ] {
        let fields = json!({ "reaction": reaction });
        scene.provider.sends(ANNA, "reaction", fields);
        deliver(&scene).await;
        let reacted = scene.changed(&answer.id, |_| true).await;
        let emoji = reacted.reactions.first().map(|it| it.emoji.as_str());
        assert_eq!(emoji, shown);
    }

    let nothing = json!({"reaction": {"message_id": "wamid.none", "emoji": "❤"}});
    scene.provider.sends(ANNA, "reaction", nothing);
    hears(&mut scene, "Всё").await;
    assert_eq!(scene.messages().await.len(), 4);

    // Olga reacts to what Anna wrote, by WhatsApp's name of it.
    let first = scene.messages().await.remove(0);
    let react = pb::ReactRequest {
        message_id: first.id,
        emoji: "👍".to_owned(),
        client_id: "a-2".to_owned(),
    };
    scene.olga.inbox.react(react).await.unwrap();
    let sent = scene.provider.desk.until_seen("messages", 2).await;
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
    let first = scene.provider.says(ANNA, "Опечатка");
    deliver(&scene).await;
    let shown = scene.olga.hears("Опечатка").await;
    let other = json!({"type": "text", "text": {"body": "Поправка"}});
    let fields = json!({"edit": {"original_message_id": first, "message": other}});
    scene.provider.sends(ANNA, "edit", fields);
    deliver(&scene).await;
    let changed = scene.changed(&shown.id, |_| true).await;
    assert_eq!(text_of(&changed), "Поправка");
    assert_eq!(changed.revisions[0].text, "Опечатка");
    let fields = json!({"revoke": {"original_message_id": first}});
    scene.provider.sends(ANNA, "revoke", fields);
    deliver(&scene).await;
    let gone = scene.changed(&shown.id, |it| it.deleted_at.is_some()).await;
    assert_eq!(text_of(&gone), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_and_go() {
    let mut scene = scene().await;
    let kept = scene.provider.keep(PNG);
    let image = json!({"id": kept, "mime_type": "image/png", "caption": "Вот"});
    // Once it cannot be had, and once it is broken on the way.
    scene.provider.desk.fail("file_id", Fault::Dropped);
    scene
        .provider
        .desk
        .fail("file", Fault::Answer(200, json!("half")));
    scene
        .provider
        .sends(ANNA, "image", json!({ "image": image }));
    deliver(&scene).await;
    let picture = scene.olga.hears("Вот").await;
    assert_eq!(picture.attachments[0].sha256.len(), 64);
    assert_eq!(
        i64::try_from(PNG.len()),
        Ok(picture.attachments[0].size_bytes)
    );
    // What is gone is shown as missing, and holds nothing up.
    let lost = json!({"id": "1234", "mime_type": "image/png", "caption": "Пропало"});
    scene
        .provider
        .sends(ANNA, "image", json!({ "image": lost }));
    deliver(&scene).await;
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
    scene.provider.desk.fail("media", Fault::DoneAndDropped);
    let sent = scene.olga.inbox.send_message(request).await.unwrap();
    let clock = scene.gateway.clock();
    scene.provider.desk.until_seen("media", 1).await;
    until("the file goes again", || async {
        clock.advance(1_000);
        scene.provider.desk.seen("media").len() == 2
    })
    .await;
    scene.fate(&sent.into_inner(), DeliveryState::Sent).await;
    let image = &scene.provider.sent()[0]["image"];
    assert_eq!(image["caption"], "Схема");
    assert!(image["id"].is_string());
    let form = &scene.provider.desk.seen("media")[1].body;
    assert!(form.windows(PNG.len()).any(|bytes| bytes == PNG));
}

#[tokio::test(flavor = "multi_thread")]
async fn meta_is_told_that_it_is_here() {
    let scene = scene().await;
    let ask = async |query: &str| {
        let path = format!("/hooks/whatsapp?{query}");
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
    scene.provider.revoke(true);
    let number = line.channel.check().await.remove(0).verdict;
    assert!(matches!(number, Verdict::Bad(told) if told.contains("(190)")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_leads_elsewhere_is_told() {
    let whatsapp = WhatsApp::start().await;
    whatsapp.leads_to("https://old.example/hooks/whatsapp");
    let options = whatsapp.called();
    let scene = Scene::begin(whatsapp, "whatsapp", options).await;
    until("the line says so", || async {
        let trouble = scene.trouble();
        trouble.is_some_and(|told| told.contains("leads to https://old.example/hooks/whatsapp"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_own_end() {
    let mut scene = scene().await;
    let wrong = refusal(131_009, "The value is not valid");
    scene
        .provider
        .desk
        .fail("messages", Fault::Answer(400, wrong));
    let refused = scene.says("a-3", "third").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("The value is not valid"));

    // Accepted is not delivered.
    let accepted = scene.says("a-4", "fourth").await;
    scene.fate(&accepted, DeliveryState::Sent).await;
    told(&scene, 0, "failed").await;
    let failed = scene.fate(&accepted, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("ecosystem"), "{failed:?}");

    scene.provider.lose(ANNA);
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
async fn a_status_clears_a_doubt_and_names_the_message() {
    let mut scene = scene().await;
    scene.provider.desk.fail("messages", Fault::DoneAndDropped);
    let taken = scene.says("a-1", "taken").await;
    scene.fate(&taken, DeliveryState::Uncertain).await;
    scene.provider.desk.fail("messages", Fault::Dropped);
    let lost = scene.says("a-2", "lost").await;
    scene.fate(&lost, DeliveryState::Uncertain).await;
    let after = scene.says("a-3", "after").await;
    scene.fate(&after, DeliveryState::Sent).await;
    // Nobody sent anything again by itself.
    assert_eq!(scene.provider.texts_of(ANNA), ["taken", "after"]);

    told(&scene, 0, "delivered").await;
    scene.fate(&taken, DeliveryState::Delivered).await;
    let sent = scene.provider.sent()[0]["id"].clone();
    let fields = json!({"text": {"body": "Да"}, "context": {"id": sent}});
    scene.provider.sends(ANNA, "text", fields);
    deliver(&scene).await;
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, taken.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_says_which_part_did_not_arrive() {
    let mut scene = scene().await;
    let long = "слово ".repeat(1_500);
    let answer = scene.says("a-1", &long).await;
    scene.fate(&answer, DeliveryState::Sent).await;
    // The second fails on the way: that the others arrive does not hide it.
    for (sent, status) in [(0, "delivered"), (1, "failed"), (2, "delivered")] {
        told(&scene, sent, status).await;
    }
    hears(&mut scene, "конец").await;
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
    assert_eq!(scene.provider.texts_of(ANNA), ["early"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_on_the_phone_is_shown() {
    let mut scene = scene().await;
    scene.provider.types_on_the_phone(ANNA, "С телефона");
    deliver(&scene).await;
    let shown = scene.olga.hears("С телефона").await;
    assert_eq!(shown.direction(), pb::Direction::Outbound);
    assert_eq!(shown.operator_id, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_that_they_are_read_and_answered() {
    let mut scene = scene().await;
    let second = scene.provider.says(ANNA, "Ещё");
    deliver(&scene).await;
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
    scene.provider.desk.until_seen("sign", 1).await;
    scene.olga.inbox.set_typing(typing).await.unwrap();
    let signs = scene.provider.desk.until_seen("sign", 2).await;
    for sign in &signs {
        assert_eq!(sign.json()["message_id"], *second);
        assert_eq!(sign.json()["status"], "read");
    }
    assert_eq!(signs[0].json()["typing_indicator"], Value::Null);
    assert_eq!(signs[1].json()["typing_indicator"]["type"], "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_an_app_takes_its_own() {
    let whatsapp = WhatsApp::start().await;
    let numbers = [
        ("whatsapp", NUMBER, "main"),
        ("second", OTHER_NUMBER, "other"),
    ];
    let lines = numbers.map(|(id, number, queue)| {
        let mut options = whatsapp.number(number);
        options.insert("hook".to_owned(), "app".into());
        (id, queue, options)
    });
    let gateway = TestGateway::start_with(move |settings| {
        for (id, queue, options) in lines.clone() {
            let public_url = settings.public_url.clone();
            let line = gateway::line_with(id, "whatsapp", queue, &public_url, options);
            settings.lines.push(line);
        }
    })
    .await;
    let mut scene = Scene::with(whatsapp, "whatsapp", gateway).await;
    let role = domain::operator::Role::Operator;
    let mut boris = scene.gateway.person("boris", role, &["other"]).await;
    boris.ready().await;
    let text = |text: &str| json!({"text": {"body": text}});
    let own = scene.provider.message(ANNA, "text", text("for Olga"));
    let mut other = scene
        .provider
        .message("79160000002", "text", text("for Boris"));
    other.number = OTHER_NUMBER;
    let mut nobodys = scene
        .provider
        .message("79160000003", "text", text("for nobody"));
    nobodys.number = "7";
    let body = notice(&[own, other, nobodys]);
    let hook = format!("{}/hooks/app", scene.gateway.url());
    let answer = scene.provider.call(&body).post(&hook).await;
    assert_eq!(answer.status, 200);
    scene.takes("for Olga").await;
    let conversation = boris.accept().await;
    assert_eq!(conversation.last_message_text, "for Boris");
    boris.say(&conversation.id, "b-1", "Hi").await.unwrap();
    let sent = scene.provider.desk.until_seen("messages", 1).await;
    assert!(sent[0].path.contains(OTHER_NUMBER));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hides_their_number_stays_the_same_and_is_answered() {
    let mut scene = scene().await;
    let mut hidden = scene
        .provider
        .message(ANNA, "text", json!({"text": {"body": "Без номера"}}));
    hidden.event.as_object_mut().unwrap().remove("from");
    hidden.contact = json!({"profile": {"name": "Anna", "username": "anna.p"},
                            "user_id": user_id(ANNA)});
    scene.provider.happens(hidden);
    deliver(&scene).await;
    let shown = scene.olga.hears("Без номера").await;
    assert_eq!(shown.conversation_id, scene.conversation);
    let answer = scene.says("a-1", "Хорошо").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    let sent = &scene.provider.sent()[0];
    assert_eq!(
        (&sent["recipient"], &sent["to"]),
        (&json!(user_id(ANNA)), &Value::Null)
    );
    // Its status names nobody, and is understood.
    told(&scene, 0, "failed").await;
    scene.fate(&answer, DeliveryState::Failed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_is_proven_and_joins_one_person() {
    let mut scene = scene().await;
    let other = scene.is_called_from(&format!("+{ANNA}")).await;
    let own = scene.conversation.clone();
    scene.become_one(&own, &other).await;
}
