//! MAX from end to end: a client writes to the bot, an operator answers in the real inbox,
//! the client gets it.

use channels::{Check, Verdict};
use e2e::operator::text_of;
use e2e::providers::max::{Max, SECRET, TOKEN, chat, error, user};
use e2e::providers::{Fault, Platform};
use e2e::{Scene, until};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use serde_json::{Value, json};
use sha2::Sha256;

/// Beyond 2⁵³: ids are no floats.
const ANNA: i64 = 9_007_199_254_740_993;

/// Anna wrote, and Olga has it.
async fn wrote(mut scene: Scene<Max>) -> Scene<Max> {
    scene.provider.says(ANNA, "Здравствуйте!");
    if !scene.asks() {
        assert_eq!(scene.provider.deliver().await, 0);
    }
    let conversation = scene.takes("Здравствуйте!").await;
    assert_eq!(conversation.contact.unwrap().display_name, "Анна Иванова");
    scene
}

async fn scene() -> Scene<Max> {
    wrote(Scene::asking().await).await
}

/// What MAX calls the n-th message that was sent.
fn mid(scene: &Scene<Max>, at: usize) -> String {
    let sent = scene.provider.sent();
    sent[at]["body"]["mid"].as_str().unwrap().to_owned()
}

/// An answer of Anna's to the n-th message that was sent.
fn answers(scene: &Scene<Max>, at: usize, text: &str) {
    let answered = json!({"mid": mid(scene, at), "seq": 1, "text": "…"});
    let link = json!({"type": "reply", "message": answered});
    scene.provider.sends(ANNA, json!({ "text": text }), link);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Добрый день!"]);
    answers(&scene, 0, "Да");
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, answer.id);

    // Other words of the client's, and what they take back.
    let message = scene
        .provider
        .message(ANNA, json!({"text": "Опечатка"}), Value::Null);
    let mut other = message.clone();
    scene
        .provider
        .happens("message_created", json!({"message": message}));
    let shown = scene.olga.hears("Опечатка").await;
    other["body"]["text"] = json!("Поправка");
    let mid = other["body"]["mid"].clone();
    scene
        .provider
        .happens("message_edited", json!({"message": other}));
    let changed = scene.changed(&shown.id, |_| true).await;
    assert_eq!(text_of(&changed), "Поправка");
    assert_eq!(changed.revisions[0].text, "Опечатка");
    let removed = json!({"message_id": mid, "chat_id": chat(ANNA), "user_id": ANNA});
    scene.provider.happens("message_removed", removed);
    assert!(
        scene
            .changed(&shown.id, |_| true)
            .await
            .deleted_at
            .is_some()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_a_message_is_one_there_too() {
    let mut scene = scene().await;
    let theirs = scene.messages().await.remove(0);
    let request = pb::SendMessageRequest {
        conversation_id: scene.conversation.clone(),
        client_id: "a-1".to_owned(),
        text: "Именно".to_owned(),
        reply_to_message_id: theirs.id,
        ..Default::default()
    };
    let sent = scene.olga.inbox.send_message(request).await.unwrap();
    scene.fate(&sent.into_inner(), DeliveryState::Sent).await;
    let link = &scene.provider.sent()[0]["link"];
    assert_eq!(link["type"], "reply");
    assert!(link["mid"].as_str().unwrap().starts_with("mid."));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_places_come_whole() {
    let mut scene = scene().await;
    let max = &scene.provider;
    let with_url =
        |kind: &str, url: String| json!({"type": kind, "payload": {"url": url, "token": "t"}});
    let video = max.keep("\0\0\0 ftypmp42 video");
    let video = video.rsplit('/').next().unwrap();
    let files = [
        with_url("image", max.keep("\u{89}PNG one")),
        with_url("image", max.keep("\u{89}PNG two")),
        json!({"type": "video", "payload": {"url": "https://nothing.example/", "token": video}}),
    ];
    max.sends(
        ANNA,
        json!({"text": "Вот", "attachments": files}),
        Value::Null,
    );
    let lost = json!({"type": "file", "filename": "lost.pdf", "size": 7,
        "payload": {"url": format!("{}/file/none", max.desk.url), "token": "t"}});
    max.sends(
        ANNA,
        json!({"text": "Потерян", "attachments": [lost]}),
        Value::Null,
    );
    let place = json!({"type": "location", "latitude": 55.75, "longitude": 37.61});
    max.sends(ANNA, json!({"attachments": [place]}), Value::Null);
    max.says(ANNA, "всё");
    scene.olga.hears("всё").await;
    let all = scene.messages().await;
    let with_files = all.iter().find(|one| text_of(one) == "Вот").unwrap();
    assert_eq!(with_files.attachments.len(), 3);
    let are_stored = with_files
        .attachments
        .iter()
        .all(|file| file.sha256.len() == 64);
    assert!(are_stored, "{with_files:?}");
    let lost = all.iter().find(|one| text_of(one) == "Потерян").unwrap();
    assert_eq!(lost.attachments[0].file_name, "lost.pdf");
    let is_place =
        |message: &pb::Message| matches!(message.content, Some(pb::message::Content::Location(_)));
    assert!(all.iter().any(is_place));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sends_files_changes_types_and_takes_back() {
    let mut scene = scene().await;
    let png = scene
        .uploads("shop.png", b"\x89PNG\r\n\x1a\n picture")
        .await;
    let other = scene.uploads("door.png", b"\x89PNG\r\n\x1a\n door").await;
    let note = scene.uploads("note.txt", b"words").await;
    let sent = scene
        .sends_files("a-1", "Вот", &[&png, &other, &note])
        .await;
    scene.fate(&sent, DeliveryState::Sent).await;
    let kinds = |message: &Value| {
        let all = message["body"]["attachments"].as_array().unwrap().clone();
        let kinds = all
            .iter()
            .map(|one| one["type"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    // Pictures go together, a file alone, and only when it is ready.
    let in_max = scene.provider.sent();
    assert_eq!(in_max.len(), 2);
    assert_eq!(in_max[0]["body"]["text"], "Вот");
    assert_eq!(kinds(&in_max[0]), ["image", "image"]);
    assert_eq!(kinds(&in_max[1]), ["file"]);
    assert_eq!(scene.provider.desk.seen("POST upload").len(), 3);
    assert_eq!(scene.provider.desk.seen("POST messages").len(), 4);

    // Other words leave the files where they are.
    let photo = scene.sends_files("a-2", "Дверь", &[]).await;
    scene.fate(&photo, DeliveryState::Sent).await;
    let edit = pb::EditMessageRequest {
        message_id: photo.id.clone(),
        text: "Окно".to_owned(),
        client_id: "e-1".to_owned(),
    };
    scene.olga.inbox.edit_message(edit).await.unwrap();
    until("it is changed", || async {
        scene.provider.texts_of(ANNA).contains(&"Окно".to_owned())
    })
    .await;
    let body = scene.provider.desk.seen("PUT messages")[0].json();
    assert_eq!(body["attachments"], Value::Null);

    let typing = pb::SetTypingRequest {
        conversation_id: scene.conversation.clone(),
        active: true,
    };
    scene.olga.inbox.set_typing(typing).await.unwrap();
    until("it is shown", || async {
        let acts = scene.provider.desk.seen("POST chats");
        acts.iter().any(|act| {
            act.path == format!("/chats/{}/actions", chat(ANNA))
                && act.json()["action"] == "typing_on"
        })
    })
    .await;
    let delete = pb::DeleteMessageRequest {
        message_id: photo.id,
        client_id: "d-1".to_owned(),
    };
    scene.olga.inbox.delete_message(delete).await.unwrap();
    until("it is gone", || async { scene.provider.sent().len() == 2 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_max_does_not_take_is_told_by_its_name() {
    let mut scene = scene().await;
    let virus = scene.uploads("virus.txt", b"MZ").await;
    let sent = scene.sends_files("a-1", "Вот", &[&virus]).await;
    let failed = scene.fate(&sent, DeliveryState::Failed).await;
    let told = &failed.delivery_error;
    assert!(told.starts_with("virus.txt: "), "{told}");
    assert!(told.contains("not allowed"), "{told}");
    assert!(scene.provider.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_own_end() {
    let mut scene = scene().await;
    let wrong = error("proto.payload", "text: size must be between 0 and 4000");
    let desk = &scene.provider.desk;
    desk.fail("POST messages", Fault::Answer(400, wrong));
    let refused = scene.says("a-3", "third").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert_eq!(
        failed.delivery_error,
        "MAX says: text: size must be between 0 and 4000 (400 proto.payload)"
    );
    scene.provider.stop(ANNA);
    let blocked = scene.says("a-4", "fourth").await;
    let failed = scene.fate(&blocked, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("403 chat.denied"));
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-5", "fifth").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_doubt_is_looked_for_and_never_sent_twice() {
    let mut scene = scene().await;
    let before = scene.says("a-1", "Да").await;
    scene.fate(&before, DeliveryState::Sent).await;

    // Taken, and the answer was lost: the dialogue has it.
    scene
        .provider
        .desk
        .fail("POST messages", Fault::DoneAndDropped);
    let lost = scene.says("a-2", "Да").await;
    scene.fate(&lost, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Да", "Да"]);
    answers(&scene, 1, "Что да?");
    let answer = scene.olga.hears("Что да?").await;
    assert_eq!(answer.reply_to_message_id, lost.id);

    // Not taken, or at least not there: nobody sends it again by itself, and the two
    // before it, which say the same, are others.
    scene.provider.desk.fail("POST messages", Fault::Dropped);
    let doubtful = scene.says("a-3", "Да").await;
    scene.fate(&doubtful, DeliveryState::Uncertain).await;
    let timeout = error("gateway.timeout", "");
    let desk = &scene.provider.desk;
    desk.fail("POST messages", Fault::Answer(504, timeout));
    desk.fail("GET messages", Fault::Dropped);
    let doubtful = scene.says("a-4", "Нет").await;
    scene.fate(&doubtful, DeliveryState::Uncertain).await;
    let after = scene.says("a-5", "после").await;
    scene.fate(&after, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Да", "Да", "после"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_the_bot_is_not_written_to_until_they_start_it() {
    let mut scene = scene().await;
    let id = scene.conversation.clone();
    let told = json!({"chat_id": chat(ANNA), "user": user(ANNA)});
    scene.provider.happens("bot_stopped", told);
    // What is told behind it shows that it is known.
    let theirs = scene.messages().await.remove(0);
    let mut other = scene.provider.first_of(ANNA);
    other["body"]["text"] = json!("Прощайте");
    scene
        .provider
        .happens("message_edited", json!({"message": other}));
    scene.changed(&theirs.id, |_| true).await;
    let refused = scene.olga.say(&id, "a-1", "first").await.unwrap_err();
    assert!(refused.message().contains("blocked"), "{refused}");
    scene.provider.starts(ANNA, Some("order-17"));
    let pressed = scene.pressed().await;
    assert_eq!(pressed, ("/start".to_owned(), "order-17".to_owned()));
    let sent = scene.says("a-2", "second").await;
    scene.fate(&sent, DeliveryState::Sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_goes_in_parts_and_is_one_message() {
    let mut scene = scene().await;
    let long = "слово ".repeat(1_500);
    let answer = scene.says("a-1", &long).await;
    scene.fate(&answer, DeliveryState::Sent).await;
    // Whichever part is answered, it is that message.
    answers(&scene, 1, "долго");
    assert_eq!(
        scene.olga.hears("долго").await.reply_to_message_id,
        answer.id
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_told_and_answered() {
    let mut scene = scene().await;
    let keyboard = json!({"type": "inline_keyboard", "payload": {"buttons":
        [[{"type": "callback", "text": "Где заказ?", "payload": "where"}]]}});
    for at in 1..=2 {
        let mut message = scene.provider.message(
            ANNA,
            json!({"text": "?", "attachments": [keyboard]}),
            Value::Null,
        );
        message["sender"]["is_bot"] = json!(true);
        let callback = json!({"timestamp": at, "callback_id": "a/keyboard+1", "payload": "where",
            "user": user(ANNA)});
        let press = json!({"callback": callback, "message": message});
        scene.provider.happens("message_callback", press);
        let pressed = scene.pressed().await;
        assert_eq!(pressed, ("Где заказ?".to_owned(), "where".to_owned()));
    }
    let answered = scene.provider.desk.until_seen("POST answers", 2).await;
    assert!(answered[0].path.ends_with("?callback_id=a%2Fkeyboard%2B1"));
    assert_eq!(answered[0].json()["notification"], "✓");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proven_number_is_one_person_and_a_claimed_one_a_suggestion() {
    let mut scene = scene().await;
    let other = scene.is_called_from("+79161234567").await;
    let own = scene.conversation.clone();

    // A card with that number that MAX did not sign, then one that it did.
    let vcf = "BEGIN:VCARD\r\nVERSION:3.0\r\nTEL;TYPE=cell:79161234567\r\nFN:Анна\r\nEND:VCARD";
    let code = |token: &str| {
        let mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).unwrap();
        let code = mac.chain_update(vcf).finalize().into_bytes();
        let hex = code.iter().map(|byte| format!("{byte:02x}"));
        hex.collect::<String>()
    };
    let card = |hash: String| {
        json!({"attachments": [{"type": "contact", "payload":
            {"vcf_info": vcf, "hash": hash, "max_info": user(ANNA)}}]})
    };
    scene
        .provider
        .sends(ANNA, card(code("another-bots-token")), Value::Null);
    scene.provider.says(ANNA, "a claim");
    scene.olga.hears("a claim").await;
    let before = (scene.contact(&own).await, scene.contact(&other).await);
    assert_ne!(before.0, before.1);
    scene.provider.sends(ANNA, card(code(TOKEN)), Value::Null);
    scene.provider.says(ANNA, "a proof");
    scene.olga.hears("a proof").await;
    scene.become_one(&own, &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_the_gateway_is_away_is_told_when_it_is_back() {
    let mut scene = scene().await;
    scene.gateway.stop().await;
    scene.provider.says(ANNA, "nobody there");
    scene.gateway.restart().await;
    scene.olga = scene.gateway.sign_in("olga").await;
    scene.provider.says(ANNA, "back");
    scene.olga.hears("back").await;
    let words = scene.texts().await;
    assert_eq!(words, ["Здравствуйте!", "nobody there", "back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_not_called_and_who_is_called_is_called_once() {
    let max = Max::start().await;
    max.subscribe("https://elsewhere.example/bot");
    let options = max.asking().unwrap();
    let Scene { provider: max, .. } = Scene::begin(max, "max", options).await;
    max.desk.until_seen("GET updates", 1).await;
    assert!(max.subscriptions().is_empty());

    let max = Max::start().await;
    max.subscribe("https://elsewhere.example/bot");
    max.subscribe("https://former.example/hooks/max");
    let options = max.called();
    let Scene {
        provider: max,
        gateway: _called,
        ..
    } = Scene::begin(max, "max", options).await;
    max.desk.until_seen("DELETE subscriptions", 1).await;
    until("both are left", || async { max.subscriptions().len() == 2 }).await;
    let left = max.subscriptions();
    assert_eq!(left[0]["url"], "https://elsewhere.example/bot");
    assert!(left[1]["url"].as_str().unwrap().ends_with("/hooks/max"));
    assert_eq!(left[1]["secret"], SECRET);
    let kinds = left[1]["update_types"].as_array().unwrap();
    assert!(kinds.contains(&json!("bot_stopped")), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_told_what_works() {
    for scene in [Scene::asking().await, Scene::called().await] {
        let scene = wrote(scene).await;
        let line = scene.gateway.engine().line(&"max".into()).unwrap();
        let checks = line.channel.check().await;
        let is_good = |check: &Check| matches!(check.verdict, Verdict::Good(_));
        assert_eq!(checks.len(), 2);
        assert!(checks.iter().all(is_good), "{checks:?}");
        scene.provider.subscribe("https://elsewhere.example/bot");
        let told = format!("{:?}", line.channel.check().await);
        assert!(told.contains("elsewhere.example"), "{told}");
        scene.provider.revoke(true);
        let told = format!("{:?}", line.channel.check().await);
        assert!(told.contains("copy the token"), "{told}");
        assert!(!told.contains(TOKEN), "{told}");
    }
}
