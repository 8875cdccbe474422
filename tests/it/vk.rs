//! VK from end to end: a client writes to the community, an operator answers in the real
//! inbox, the client gets it.

use channels::{Check, Verdict};
use e2e::operator::text_of;
use e2e::providers::Fault;
use e2e::providers::vk::{GROUP, TOKEN, Vk, error, message};
use e2e::{OperatorClient, TestGateway, gateway, http, until};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};

/// Beyond 2⁵³: ids are no floats.
const ANNA: i64 = 9_007_199_254_740_993;
const SECRET: &str = "a_secret_of_sixteen";
const HOUR: i64 = 3_600_000;

async fn gateway(vk: &Vk, intake: &'static str, confirmation: Option<&str>) -> TestGateway {
    let mut options = toml::Table::new();
    for (key, value) in [
        ("token", TOKEN),
        ("intake", intake),
        ("webhook_secret", SECRET),
        ("api_url", vk.desk.url.as_str()),
    ] {
        options.insert(key.to_owned(), value.into());
    }
    options.insert("group_id".to_owned(), GROUP.into());
    if let Some(word) = confirmation {
        options.insert("confirmation".to_owned(), word.into());
    }
    TestGateway::start_with(move |settings| {
        let public_url = settings.public_url.clone();
        let line = gateway::line_with("vk", "vk", "main", &public_url, options.clone());
        settings.lines.push(line);
    })
    .await
}

struct Scene {
    vk: Vk,
    gateway: TestGateway,
    olga: OperatorClient,
    conversation: String,
}

/// Anna wrote, and Olga has it.
async fn scene(intake: &'static str) -> Scene {
    let vk = Vk::start().await;
    let gateway = gateway(&vk, intake, None).await;
    let mut olga = gateway.ready_operator("olga").await;
    if intake == "webhook" {
        vk.desk.until_seen("groups.setCallbackSettings", 1).await;
        until("the server is confirmed", || async {
            vk.server().is_some_and(|server| server["status"] == "ok")
        })
        .await;
        vk.says(ANNA, "Здравствуйте!");
        assert_eq!(vk.deliver().await, 0);
    } else {
        vk.desk.until_seen("lp", 1).await;
        vk.says(ANNA, "Здравствуйте!");
    }
    let conversation = olga.accept().await;
    assert_eq!(conversation.last_message_text, "Здравствуйте!");
    assert_eq!(conversation.contact.unwrap().display_name, "Анна Иванова");
    Scene {
        vk,
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

    /// The words of the whole conversation, the first first.
    async fn words(&mut self) -> Vec<String> {
        let id = self.conversation.clone();
        let all = self.olga.messages(&id).await;
        all.iter().map(|one| text_of(one).to_owned()).collect()
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

    async fn sends_files(&mut self, client_id: &str, text: &str, files: &[&str]) -> pb::Message {
        let request = pb::SendMessageRequest {
            conversation_id: self.conversation.clone(),
            client_id: client_id.to_owned(),
            text: text.to_owned(),
            upload_ids: files.iter().map(|id| (*id).to_owned()).collect(),
            ..Default::default()
        };
        let sent = self.olga.inbox.send_message(request).await;
        sent.unwrap().into_inner()
    }

    /// The number of the n-th message that was sent, in its dialogue.
    fn number(&self, at: usize) -> i64 {
        self.vk.sent()[at]["conversation_message_id"]
            .as_i64()
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene("poll").await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.vk.texts_of(ANNA), ["Добрый день!"]);

    // An answer to that very message, a reaction to it, and that it was read.
    let number = scene.number(0);
    let answered = json!({"conversation_message_id": number, "from_id": -GROUP, "text": ""});
    scene
        .vk
        .sends(ANNA, json!({"text": "Да", "reply_message": answered}));
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, answer.id);
    let reaction = json!({"reacted_id": ANNA, "peer_id": ANNA, "cmid": number, "reaction_id": 1});
    scene.vk.happens("message_reaction_event", reaction);
    let reacted = scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(reacted.reactions[0].emoji, "❤");
    scene.vk.reads(ANNA, number);
    scene.fate(&answer, DeliveryState::Read).await;

    // Other words of the client's.
    let first = scene.vk.says(ANNA, "Опечатка");
    let shown = scene.olga.hears("Опечатка").await;
    let other = message(ANNA, ANNA, first, json!({"text": "Поправка"}));
    scene.vk.happens("message_edit", other);
    let changed = scene
        .olga
        .wait_for("other words", |kind| match kind {
            Kind::MessageChanged(message) if message.id == shown.id => Some(message),
            _ => None,
        })
        .await;
    assert_eq!(text_of(&changed), "Поправка");
    assert_eq!(changed.revisions[0].text, "Опечатка");
    // What VK tells of our own answer is not another one.
    let words = scene.words().await;
    assert_eq!(words, ["Здравствуйте!", "Добрый день!", "Да", "Поправка"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_changes_reacts_types_and_takes_back() {
    let mut scene = scene("poll").await;
    let photo = scene
        .uploads("shop.png", b"\x89PNG\r\n\x1a\n picture")
        .await;
    let note = scene.uploads("note.txt", b"words").await;
    let sent = scene.sends_files("a-1", "Вот", &[&photo, &note]).await;
    scene.fate(&sent, DeliveryState::Sent).await;
    let in_vk = scene.vk.sent().remove(0);
    let kinds = |message: &Value| {
        let all = message["attachments"].as_array().unwrap().clone();
        let kinds = all
            .iter()
            .map(|one| one["type"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(in_vk["text"], "Вот");
    assert_eq!(kinds(&in_vk), ["photo", "doc"]);

    // Other words leave the files where they are.
    let edit = pb::EditMessageRequest {
        message_id: sent.id.clone(),
        text: "Вот так".to_owned(),
        client_id: "e-1".to_owned(),
    };
    scene.olga.inbox.edit_message(edit).await.unwrap();
    scene.vk.desk.until_seen("messages.edit", 1).await;
    until("it is changed", || async {
        scene.vk.texts_of(ANNA) == ["Вот так"]
    })
    .await;
    assert_eq!(kinds(&scene.vk.sent()[0]), ["photo", "doc"]);

    let id = scene.conversation.clone();
    let theirs = scene.olga.messages(&id).await.remove(0);
    let react = pb::ReactRequest {
        message_id: theirs.id,
        emoji: "👍".to_owned(),
        client_id: "r-1".to_owned(),
    };
    scene.olga.inbox.react(react).await.unwrap();
    scene.vk.desk.until_seen("messages.sendReaction", 1).await;
    let reacted = &scene.vk.fields_of("messages.sendReaction")[0];
    assert_eq!(reacted["reaction_id"], "4");

    let typing = pb::SetTypingRequest {
        conversation_id: id,
        active: true,
    };
    scene.olga.inbox.set_typing(typing).await.unwrap();
    scene.vk.desk.until_seen("messages.setActivity", 1).await;
    let delete = pb::DeleteMessageRequest {
        message_id: sent.id,
        client_id: "d-1".to_owned(),
    };
    scene.olga.inbox.delete_message(delete).await.unwrap();
    scene.vk.desk.until_seen("messages.delete", 1).await;
    until("it is gone", || async { scene.vk.sent().is_empty() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vk_does_not_take_is_told_by_its_name() {
    let mut scene = scene("poll").await;
    let program = scene.uploads("setup.exe", b"MZ").await;
    let sent = scene.sends_files("a-1", "Вот", &[&program]).await;
    let failed = scene.fate(&sent, DeliveryState::Failed).await;
    assert!(
        failed.delivery_error.starts_with("setup.exe: "),
        "{failed:?}"
    );
    assert!(failed.delivery_error.contains("not allowed"), "{failed:?}");
    assert!(scene.vk.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_places_come_whole() {
    let mut scene = scene("poll").await;
    let vk = &scene.vk;
    let photo = |content: &str| {
        let url = vk.keep(content.to_owned());
        json!({"type": "photo", "photo": {"sizes": [
            {"type": "s", "width": 9, "height": 9, "url": "https://small.example/"},
            {"type": "z", "width": 900, "height": 900, "url": url}]}})
    };
    let voice = json!({"type": "audio_message", "audio_message": {
        "duration": 1, "link_ogg": vk.keep("OggS voice"), "link_mp3": ""}});
    let files = [photo("\u{89}PNG one"), photo("\u{89}PNG two"), voice];
    vk.sends(ANNA, json!({"text": "Вот", "attachments": files}));
    let lost = json!({"type": "doc", "doc": {"title": "lost.pdf", "ext": "pdf",
        "url": format!("{}/file/none", vk.desk.url)}});
    vk.sends(ANNA, json!({"text": "Потерян", "attachments": [lost]}));
    vk.sends(
        ANNA,
        json!({"geo": {"coordinates": {"latitude": 55.75, "longitude": 37.61}}}),
    );
    vk.says(ANNA, "всё");
    scene.olga.hears("всё").await;
    let id = scene.conversation.clone();
    let all = scene.olga.messages(&id).await;
    let with_files = all.iter().find(|one| text_of(one) == "Вот").unwrap();
    assert_eq!(with_files.attachments.len(), 3);
    let are_stored = with_files
        .attachments
        .iter()
        .all(|file| file.sha256.len() == 64);
    assert!(are_stored);
    let lost = all.iter().find(|one| text_of(one) == "Потерян").unwrap();
    assert_eq!(lost.attachments[0].file_name, "lost.pdf");
    let is_place =
        |message: &pb::Message| matches!(message.content, Some(pb::message::Content::Location(_)));
    assert!(all.iter().any(is_place));
}

#[tokio::test(flavor = "multi_thread")]
async fn redeliveries_are_one_message_each() {
    let mut scene = scene("webhook").await;
    let vk = &scene.vk;
    let mut events = Vec::new();
    for number in 0..20 {
        let said = message(
            ANNA,
            ANNA,
            5_000 + number,
            json!({"text": format!("слово {number}")}),
        );
        events.push(vk.happens("message_new", json!({"message": said})));
    }
    assert_eq!(vk.deliver().await, 0);
    // The same again ten times, in any order: under their own names and under others.
    for round in 0..10 {
        let mut again = events.clone();
        again.rotate_left(round * 7 % 20);
        for mut event in again {
            vk.again(event.clone());
            event["event_id"] = json!(format!("{} {round}", event["event_id"]));
            vk.again(event);
        }
        assert_eq!(vk.deliver().await, 0);
    }
    vk.says(ANNA, "конец");
    vk.deliver().await;
    scene.olga.hears("конец").await;
    let mut words = scene.words().await;
    words.retain(|text| text.starts_with("слово"));
    let expected: Vec<String> = (0..20).map(|number| format!("слово {number}")).collect();
    assert_eq!(words, expected);
}

async fn call(gateway: &TestGateway, body: String) -> (u16, String) {
    let request = http::request(::http::Method::POST, "/hooks/vk", None);
    let answer = http::send(&gateway.url(), request.body(body.into()).unwrap()).await;
    (answer.status.as_u16(), answer.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_secret_is_nobody() {
    let scene = scene("webhook").await;
    let said = message(666, 666, 1, json!({"text": "forged"}));
    let forged = json!({"type": "message_new", "event_id": "f", "v": "5.199",
        "group_id": GROUP, "object": {"message": said}});
    for secret in [
        Value::Null,
        json!(""),
        json!(7),
        json!("a_secret_of_sixtee"),
        json!("A_SECRET_OF_SIXTEEN"),
        json!("an_older_secret_of_ours"),
    ] {
        let mut body = forged.clone();
        body["secret"] = secret.clone();
        let (status, _) = call(&scene.gateway, body.to_string()).await;
        assert_eq!(status, 403, "{secret}");
    }
    // Not ours, no secret at all, or nothing that can be read.
    let mut foreign = forged.clone();
    foreign["secret"] = json!(SECRET);
    foreign["group_id"] = json!(GROUP + 1);
    for body in [foreign.to_string(), forged.to_string(), "{".to_owned()] {
        assert_eq!(call(&scene.gateway, body).await.0, 403);
    }
    let ask = |group: i64, secret: &str| {
        json!({"type": "confirmation", "group_id": group, "secret": secret}).to_string()
    };
    assert_eq!(call(&scene.gateway, ask(GROUP, "wrong")).await.0, 403);
    assert_eq!(call(&scene.gateway, ask(GROUP + 1, SECRET)).await.0, 403);
    let mut boss = scene
        .gateway
        .person("boss", domain::operator::Role::Supervisor, &[])
        .await;
    let all = boss.list(pb::Folder::AllOpen).await;
    assert_eq!(all.conversations.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_set_up_by_hand_is_confirmed_and_left_alone() {
    let vk = Vk::start().await;
    let gateway = gateway(&vk, "webhook", Some("1a2b3c4d")).await;
    let ask = json!({"type": "confirmation", "group_id": GROUP}).to_string();
    let told = call(&gateway, ask).await;
    assert_eq!(told, (200, "1a2b3c4d".to_owned()));
    let said = message(ANNA, ANNA, 1, json!({"text": "Здравствуйте!"}));
    let event = json!({"type": "message_new", "event_id": "e", "v": "5.199",
        "group_id": GROUP, "secret": SECRET, "object": {"message": said}});
    let mut olga = gateway.ready_operator("olga").await;
    let told = call(&gateway, event.to_string()).await;
    assert_eq!(told, (200, "ok".to_owned()));
    assert_eq!(olga.accept().await.last_message_text, "Здравствуйте!");
    assert!(vk.desk.seen("groups.getCallbackServers").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_doubt_is_sent_again_and_arrives_once() {
    let mut scene = scene("poll").await;
    let desk = &scene.vk.desk;
    let too_many = error(6, "Too many requests per second");
    desk.fail("messages.send", Fault::Answer(200, too_many));
    desk.fail("messages.send", Fault::Answer(502, json!("<html>")));
    desk.fail("messages.send", Fault::DoneAndDropped);
    desk.fail("messages.send", Fault::Dropped);
    let first = scene.says("a-1", "first").await;
    let second = scene.says("a-2", "second").await;
    until("both are there", || async {
        scene.gateway.clock().advance(1_000);
        scene.vk.desk.seen("messages.send").len() == 6
    })
    .await;
    let first = scene.fate(&first, DeliveryState::Sent).await;
    scene.fate(&second, DeliveryState::Sent).await;
    assert_eq!(scene.vk.texts_of(ANNA), ["first", "second"]);

    // It is known by the number that it got the first time.
    let answered = json!({"conversation_message_id": scene.number(0), "from_id": -GROUP});
    scene
        .vk
        .sends(ANNA, json!({"text": "Да", "reply_message": answered}));
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, first.id);
    let words = scene.words().await;
    assert_eq!(words, ["Здравствуйте!", "first", "second", "Да"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_hours_ago_is_found_and_not_sent_again() {
    let mut scene = scene("poll").await;
    scene.vk.desk.fail("messages.send", Fault::DoneAndDropped);
    let sent = scene.says("a-1", "once").await;
    scene.vk.desk.until_seen("messages.send", 1).await;
    until("it is there", || async { scene.vk.sent().len() == 1 }).await;
    scene.vk.forget_random_ids();
    scene.gateway.clock().advance(3 * HOUR);
    scene.vk.desk.until_seen("messages.getHistory", 1).await;
    scene.vk.says(ANNA, "ага");
    scene.olga.hears("ага").await;
    let next = scene.says("a-2", "twice").await;
    scene.fate(&next, DeliveryState::Sent).await;
    assert_eq!(scene.vk.texts_of(ANNA), ["once", "twice"]);
    let id = scene.conversation.clone();
    let all = scene.olga.messages(&id).await;
    let known = all.iter().find(|one| one.id == sent.id).unwrap();
    assert_eq!(known.delivery(), DeliveryState::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_own_end() {
    let mut scene = scene("poll").await;
    let too_long = error(914, "Message is too long");
    let desk = &scene.vk.desk;
    desk.fail("messages.send", Fault::Answer(200, too_long));
    let refused = scene.says("a-1", "first").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert_eq!(failed.delivery_error, "VK says: Message is too long (914)");

    scene.vk.block(ANNA);
    let blocked = scene.says("a-2", "second").await;
    let failed = scene.fate(&blocked, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("without permission (901)"));
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-3", "third").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_forbids_messages_is_not_written_to_until_they_allow_them() {
    let mut scene = scene("poll").await;
    let id = scene.conversation.clone();
    scene.vk.happens("message_deny", json!({"user_id": ANNA}));
    scene.vk.writes_in_app(ANNA, "denied");
    scene.olga.hears("denied").await;
    let refused = scene.olga.say(&id, "a-1", "first").await.unwrap_err();
    assert!(refused.message().contains("blocked"), "{refused}");
    scene
        .vk
        .happens("message_allow", json!({"user_id": ANNA, "key": ""}));
    scene.vk.writes_in_app(ANNA, "allowed");
    scene.olga.hears("allowed").await;
    let sent = scene.says("a-2", "second").await;
    scene.fate(&sent, DeliveryState::Sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_goes_in_parts_and_is_one_message() {
    let mut scene = scene("poll").await;
    let long = "слово ".repeat(1_500);
    let answer = scene.says("a-1", &long).await;
    scene.fate(&answer, DeliveryState::Sent).await;
    let texts = scene.vk.texts_of(ANNA);
    assert_eq!(texts.len(), 3);
    assert_eq!(texts.join(" ").split(' ').count(), 1_500);
    scene.vk.says(ANNA, "долго");
    scene.olga.hears("долго").await;
    assert_eq!(scene.words().await.len(), 3);
    // Read as far as the last part.
    scene.vk.reads(ANNA, scene.number(2));
    scene.fate(&answer, DeliveryState::Read).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_in_the_app_is_shown() {
    let mut scene = scene("poll").await;
    scene.vk.writes_in_app(ANNA, "Из приложения");
    let shown = scene.olga.hears("Из приложения").await;
    assert_eq!(shown.delivery(), DeliveryState::Sent);
    assert!(scene.vk.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_told_and_answered() {
    let mut scene = scene("poll").await;
    let press = json!({"user_id": ANNA, "peer_id": ANNA, "event_id": "press-1",
        "payload": {"action": "track"}, "conversation_message_id": 1});
    scene.vk.happens("message_event", press);
    scene.vk.sends(
        ANNA,
        json!({"text": "Где?", "payload": "{\"button\":\"where\"}"}),
    );
    let pressed = |kind| match kind {
        Kind::MessageAdded(pb::Message {
            content: Some(pb::message::Content::Postback(press)),
            ..
        }) => Some((press.title, press.payload)),
        _ => None,
    };
    let (_, payload) = scene.olga.wait_for("a press", pressed).await;
    assert_eq!(payload, "{\"action\":\"track\"}");
    let (title, _) = scene.olga.wait_for("words", pressed).await;
    assert_eq!(title, "Где?");
    let method = "messages.sendMessageEventAnswer";
    scene.vk.desk.until_seen(method, 1).await;
    let answered = scene.vk.fields_of(method);
    assert_eq!(answered[0]["event_id"], "press-1");
    assert_eq!(answered[0]["user_id"], ANNA.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_holds_everything_and_loses_nothing() {
    let mut scene = scene("poll").await;
    scene.vk.revoke(true);
    let waiting = scene.says("a-1", "later").await;
    scene.vk.says(ANNA, "while you were away");
    until("the line says so", || async {
        let line = scene.gateway.engine().line(&"vk".into()).unwrap();
        line.channel
            .trouble()
            .is_some_and(|told| told.contains("authorization failed"))
    })
    .await;
    scene.vk.revoke(false);
    scene.olga.hears("while you were away").await;
    until("the line has rested", || async {
        scene.gateway.clock().advance(1_000);
        !scene.vk.texts_of(ANNA).is_empty()
    })
    .await;
    scene.fate(&waiting, DeliveryState::Sent).await;
    assert_eq!(scene.vk.texts_of(ANNA), ["later"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_the_gateway_is_away_is_told_when_it_is_back() {
    let mut scene = scene("poll").await;
    scene.vk.change_key();
    scene.vk.says(ANNA, "another key");
    scene.olga.hears("another key").await;
    scene.gateway.stop().await;
    scene.vk.says(ANNA, "nobody there");
    scene.gateway.restart().await;
    scene.olga = scene.gateway.sign_in("olga").await;
    scene.vk.says(ANNA, "back");
    scene.olga.hears("back").await;
    let words = scene.words().await;
    let expected = ["Здравствуйте!", "another key", "nobody there", "back"];
    assert_eq!(words, expected);

    // What the poll has forgotten is still in the dialogue.
    scene.gateway.stop().await;
    scene.vk.says(ANNA, "forgotten");
    scene.vk.forget_events();
    let asked = scene.vk.desk.seen("lp").len();
    scene.gateway.restart().await;
    scene.olga = scene.gateway.sign_in("olga").await;
    scene.vk.desk.until_seen("lp", asked + 2).await;
    scene.vk.says(ANNA, "remembered");
    scene.olga.hears("remembered").await;
    let words = scene.words().await;
    assert_eq!(words[4..], ["forgotten", "remembered"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_shown() {
    let mut scene = scene("poll").await;
    let typing = json!({"state": "typing", "from_id": ANNA, "to_id": -GROUP});
    scene.vk.happens("message_typing_state", typing);
    let conversation = scene.conversation.clone();
    let shown = |kind| match kind {
        Kind::Typing(typing) => Some(typing.conversation_id),
        _ => None,
    };
    let shown = scene.olga.wait_for("typing", shown).await;
    assert_eq!(shown, conversation);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_vk_gave_up_is_set_anew() {
    let vk = Vk::start().await;
    vk.doubt();
    let _gateway = gateway(&vk, "webhook", None).await;
    vk.desk.until_seen("groups.editCallbackServer", 1).await;
    until("the server is confirmed", || async {
        vk.server().is_some_and(|server| server["status"] == "ok")
    })
    .await;
    let server = vk.server().unwrap();
    assert!(server["url"].as_str().unwrap().ends_with("/hooks/vk"));
    assert_eq!(server["secret_key"], SECRET);
    assert_eq!(vk.desk.seen("groups.addCallbackServer").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_told_what_works() {
    for intake in ["poll", "webhook"] {
        let scene = scene(intake).await;
        let line = scene.gateway.engine().line(&"vk".into()).unwrap();
        let checks = line.channel.check().await;
        let is_good = |check: &Check| matches!(check.verdict, Verdict::Good(_));
        assert_eq!(checks.len(), 3);
        assert!(checks.iter().all(is_good), "{checks:?}");
        scene.vk.revoke(true);
        let checks = line.channel.check().await;
        let told = format!("{checks:?}");
        assert!(told.contains("make a new access key"), "{told}");
        assert!(!told.contains(TOKEN), "{told}");
    }
}
