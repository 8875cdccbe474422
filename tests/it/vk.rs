//! VK from end to end: a client writes to the community, an operator answers in the real
//! inbox, the client gets it.

use channels::{Check, Verdict};
use e2e::operator::text_of;
use e2e::providers::vk::{GROUP, SECRET, TOKEN, Vk, error, message};
use e2e::providers::{Fault, Platform};
use e2e::{Scene, TestGateway, http, until};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};

/// Beyond 2⁵³: ids are no floats.
const ANNA: i64 = 9_007_199_254_740_993;
const HOUR: i64 = 3_600_000;

/// Anna wrote, and Olga has it.
async fn wrote(mut scene: Scene<Vk>) -> Scene<Vk> {
    scene.provider.says(ANNA, "Здравствуйте!");
    if !scene.asks() {
        assert_eq!(scene.provider.deliver().await, 0);
    }
    let conversation = scene.takes("Здравствуйте!").await;
    assert_eq!(conversation.contact.unwrap().display_name, "Анна Иванова");
    scene
}

async fn scene() -> Scene<Vk> {
    wrote(Scene::asking().await).await
}

/// The number of the n-th message that was sent, in its dialogue.
fn number(scene: &Scene<Vk>, at: usize) -> i64 {
    let sent = scene.provider.sent();
    sent[at]["conversation_message_id"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Добрый день!"]);

    // An answer to that very message, a reaction to it, and that it was read.
    let number = number(&scene, 0);
    let answered = json!({"conversation_message_id": number, "from_id": -GROUP, "text": ""});
    scene
        .provider
        .sends(ANNA, json!({"text": "Да", "reply_message": answered}));
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, answer.id);
    let reaction = json!({"reacted_id": ANNA, "peer_id": ANNA, "cmid": number, "reaction_id": 1});
    scene.provider.happens("message_reaction_event", reaction);
    let reacted = scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(reacted.reactions[0].emoji, "❤");
    scene.provider.reads(ANNA, number);
    scene.fate(&answer, DeliveryState::Read).await;

    // Other words of the client's.
    let first = scene.provider.says(ANNA, "Опечатка");
    let shown = scene.olga.hears("Опечатка").await;
    let other = message(ANNA, ANNA, first, json!({"text": "Поправка"}));
    scene.provider.happens("message_edit", other);
    let changed = scene.changed(&shown.id, |_| true).await;
    assert_eq!(text_of(&changed), "Поправка");
    assert_eq!(changed.revisions[0].text, "Опечатка");
    // What VK tells of our own answer is not another one.
    let words = scene.texts().await;
    assert_eq!(words, ["Здравствуйте!", "Добрый день!", "Да", "Поправка"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_changes_reacts_types_and_takes_back() {
    let mut scene = scene().await;
    let photo = scene
        .uploads("shop.png", b"\x89PNG\r\n\x1a\n picture")
        .await;
    let note = scene.uploads("note.txt", b"words").await;
    let sent = scene.sends_files("a-1", "Вот", &[&photo, &note]).await;
    scene.fate(&sent, DeliveryState::Sent).await;
    let in_vk = scene.provider.sent().remove(0);
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
    scene.provider.desk.until_seen("messages.edit", 1).await;
    until("it is changed", || async {
        scene.provider.texts_of(ANNA) == ["Вот так"]
    })
    .await;
    assert_eq!(kinds(&scene.provider.sent()[0]), ["photo", "doc"]);

    let id = scene.conversation.clone();
    let theirs = scene.olga.messages(&id).await.remove(0);
    let react = pb::ReactRequest {
        message_id: theirs.id,
        emoji: "👍".to_owned(),
        client_id: "r-1".to_owned(),
    };
    scene.olga.inbox.react(react).await.unwrap();
    scene
        .provider
        .desk
        .until_seen("messages.sendReaction", 1)
        .await;
    let reacted = &scene.provider.fields_of("messages.sendReaction")[0];
    assert_eq!(reacted["reaction_id"], "4");

    let typing = pb::SetTypingRequest {
        conversation_id: id,
        active: true,
    };
    scene.olga.inbox.set_typing(typing).await.unwrap();
    scene
        .provider
        .desk
        .until_seen("messages.setActivity", 1)
        .await;
    let delete = pb::DeleteMessageRequest {
        message_id: sent.id,
        client_id: "d-1".to_owned(),
    };
    scene.olga.inbox.delete_message(delete).await.unwrap();
    scene.provider.desk.until_seen("messages.delete", 1).await;
    until("it is gone", || async { scene.provider.sent().is_empty() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vk_does_not_take_is_told_by_its_name() {
    let mut scene = scene().await;
    let program = scene.uploads("setup.exe", b"MZ").await;
    let sent = scene.sends_files("a-1", "Вот", &[&program]).await;
    let failed = scene.fate(&sent, DeliveryState::Failed).await;
    assert!(
        failed.delivery_error.starts_with("setup.exe: "),
        "{failed:?}"
    );
    assert!(failed.delivery_error.contains("not allowed"), "{failed:?}");
    assert!(scene.provider.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_places_come_whole() {
    let mut scene = scene().await;
    let vk = &scene.provider;
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

async fn call(gateway: &TestGateway, body: String) -> (u16, String) {
    let request = http::request(::http::Method::POST, "/hooks/vk", None);
    let answer = http::send(&gateway.url(), request.body(body.into()).unwrap()).await;
    (answer.status.as_u16(), answer.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_word_of_confirmation_is_not_for_everybody() {
    let scene = Scene::<Vk>::called().await;
    let ask = |group: i64, secret: &str| {
        json!({"type": "confirmation", "group_id": group, "secret": secret}).to_string()
    };
    assert_eq!(call(&scene.gateway, ask(GROUP, SECRET)).await.0, 200);
    assert_eq!(call(&scene.gateway, ask(GROUP, "wrong")).await.0, 403);
    assert_eq!(call(&scene.gateway, ask(GROUP + 1, SECRET)).await.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_set_up_by_hand_is_confirmed_and_left_alone() {
    let vk = Vk::start().await;
    let mut options = vk.called();
    options.insert("confirmation".to_owned(), "1a2b3c4d".into());
    let mut scene = Scene::begin(vk, "vk", options).await;
    let ask = json!({"type": "confirmation", "group_id": GROUP}).to_string();
    let told = call(&scene.gateway, ask).await;
    assert_eq!(told, (200, "1a2b3c4d".to_owned()));
    let said = message(ANNA, ANNA, 1, json!({"text": "Здравствуйте!"}));
    let event = json!({"type": "message_new", "event_id": "e", "v": "5.199",
        "group_id": GROUP, "secret": SECRET, "object": {"message": said}});
    let told = call(&scene.gateway, event.to_string()).await;
    assert_eq!(told, (200, "ok".to_owned()));
    scene.takes("Здравствуйте!").await;
    let desk = &scene.provider.desk;
    assert!(desk.seen("groups.getCallbackServers").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_doubt_is_sent_again_and_arrives_once() {
    let mut scene = scene().await;
    let desk = &scene.provider.desk;
    let too_many = error(6, "Too many requests per second");
    desk.fail("messages.send", Fault::Answer(200, too_many));
    desk.fail("messages.send", Fault::Answer(502, json!("<html>")));
    desk.fail("messages.send", Fault::DoneAndDropped);
    desk.fail("messages.send", Fault::Dropped);
    let first = scene.says("a-1", "first").await;
    let second = scene.says("a-2", "second").await;
    until("both are there", || async {
        scene.gateway.clock().advance(1_000);
        scene.provider.desk.seen("messages.send").len() == 6
    })
    .await;
    let first = scene.fate(&first, DeliveryState::Sent).await;
    scene.fate(&second, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["first", "second"]);

    // It is known by the number that it got the first time.
    let answered = json!({"conversation_message_id": number(&scene, 0), "from_id": -GROUP});
    scene
        .provider
        .sends(ANNA, json!({"text": "Да", "reply_message": answered}));
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, first.id);
    let words = scene.texts().await;
    assert_eq!(words, ["Здравствуйте!", "first", "second", "Да"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_hours_ago_is_found_and_not_sent_again() {
    let mut scene = scene().await;
    scene
        .provider
        .desk
        .fail("messages.send", Fault::DoneAndDropped);
    let sent = scene.says("a-1", "once").await;
    scene.provider.desk.until_seen("messages.send", 1).await;
    until("it is there", || async { scene.provider.sent().len() == 1 }).await;
    scene.provider.forget_random_ids();
    scene.gateway.clock().advance(3 * HOUR);
    scene
        .provider
        .desk
        .until_seen("messages.getHistory", 1)
        .await;
    scene.provider.says(ANNA, "ага");
    scene.olga.hears("ага").await;
    let next = scene.says("a-2", "twice").await;
    scene.fate(&next, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["once", "twice"]);
    let id = scene.conversation.clone();
    let all = scene.olga.messages(&id).await;
    let known = all.iter().find(|one| one.id == sent.id).unwrap();
    assert_eq!(known.delivery(), DeliveryState::Sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_own_end() {
    let mut scene = scene().await;
    let too_long = error(914, "Message is too long");
    let desk = &scene.provider.desk;
    desk.fail("messages.send", Fault::Answer(200, too_long));
    let refused = scene.says("a-1", "first").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert_eq!(failed.delivery_error, "VK says: Message is too long (914)");

    scene.provider.block(ANNA);
    let blocked = scene.says("a-2", "second").await;
    let failed = scene.fate(&blocked, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("without permission (901)"));
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-3", "third").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_forbids_messages_is_not_written_to_until_they_allow_them() {
    let mut scene = scene().await;
    let id = scene.conversation.clone();
    scene
        .provider
        .happens("message_deny", json!({"user_id": ANNA}));
    scene.provider.writes_in_app(ANNA, "denied");
    scene.olga.hears("denied").await;
    let refused = scene.olga.say(&id, "a-1", "first").await.unwrap_err();
    assert!(refused.message().contains("blocked"), "{refused}");
    scene
        .provider
        .happens("message_allow", json!({"user_id": ANNA, "key": ""}));
    scene.provider.writes_in_app(ANNA, "allowed");
    scene.olga.hears("allowed").await;
    let sent = scene.says("a-2", "second").await;
    scene.fate(&sent, DeliveryState::Sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_goes_in_parts_and_is_one_message() {
    let mut scene = scene().await;
    let long = "слово ".repeat(1_500);
    let answer = scene.says("a-1", &long).await;
    scene.fate(&answer, DeliveryState::Sent).await;
    scene.provider.says(ANNA, "долго");
    scene.olga.hears("долго").await;
    assert_eq!(scene.texts().await.len(), 3);
    // Read as far as the last part.
    scene.provider.reads(ANNA, number(&scene, 2));
    scene.fate(&answer, DeliveryState::Read).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_in_the_app_is_shown() {
    let mut scene = scene().await;
    scene.provider.writes_in_app(ANNA, "Из приложения");
    let shown = scene.olga.hears("Из приложения").await;
    assert_eq!(shown.delivery(), DeliveryState::Sent);
    assert!(scene.provider.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_told_and_answered() {
    let mut scene = scene().await;
    let press = json!({"user_id": ANNA, "peer_id": ANNA, "event_id": "press-1",
        "payload": {"action": "track"}, "conversation_message_id": 1});
    scene.provider.happens("message_event", press);
    scene.provider.sends(
        ANNA,
        json!({"text": "Где?", "payload": "{\"button\":\"where\"}"}),
    );
    let (_, payload) = scene.pressed().await;
    assert_eq!(payload, "{\"action\":\"track\"}");
    let (title, _) = scene.pressed().await;
    assert_eq!(title, "Где?");
    let method = "messages.sendMessageEventAnswer";
    scene.provider.desk.until_seen(method, 1).await;
    let answered = scene.provider.fields_of(method);
    assert_eq!(answered[0]["event_id"], "press-1");
    assert_eq!(answered[0]["user_id"], ANNA.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_the_gateway_is_away_is_told_when_it_is_back() {
    let mut scene = scene().await;
    scene.provider.change_key();
    scene.provider.says(ANNA, "another key");
    scene.olga.hears("another key").await;
    scene.gateway.stop().await;
    scene.provider.says(ANNA, "nobody there");
    scene.gateway.restart().await;
    scene.olga = scene.gateway.sign_in("olga").await;
    scene.provider.says(ANNA, "back");
    scene.olga.hears("back").await;
    let words = scene.texts().await;
    let expected = ["Здравствуйте!", "another key", "nobody there", "back"];
    assert_eq!(words, expected);

    // What the poll has forgotten is still in the dialogue.
    scene.gateway.stop().await;
    scene.provider.says(ANNA, "forgotten");
    scene.provider.forget_events();
    let asked = scene.provider.desk.seen("lp").len();
    scene.gateway.restart().await;
    scene.olga = scene.gateway.sign_in("olga").await;
    scene.provider.desk.until_seen("lp", asked + 2).await;
    scene.provider.says(ANNA, "remembered");
    scene.olga.hears("remembered").await;
    let words = scene.texts().await;
    assert_eq!(words[4..], ["forgotten", "remembered"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_is_shown() {
    let mut scene = scene().await;
    let typing = json!({"state": "typing", "from_id": ANNA, "to_id": -GROUP});
    scene.provider.happens("message_typing_state", typing);
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
    let options = vk.called();
    let Scene {
        provider: vk,
        gateway: _gateway,
        ..
    } = Scene::begin(vk, "vk", options).await;
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
    for scene in [Scene::asking().await, Scene::called().await] {
        let scene = wrote(scene).await;
        let line = scene.gateway.engine().line(&"vk".into()).unwrap();
        let checks = line.channel.check().await;
        let is_good = |check: &Check| matches!(check.verdict, Verdict::Good(_));
        assert_eq!(checks.len(), 3);
        assert!(checks.iter().all(is_good), "{checks:?}");
        scene.provider.revoke(true);
        let checks = line.channel.check().await;
        let told = format!("{checks:?}");
        assert!(told.contains("make a new access key"), "{told}");
        assert!(!told.contains(TOKEN), "{told}");
    }
}
