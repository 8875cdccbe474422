//! Telegram from end to end: a client of the Bot API writes, an operator answers in the
//! real inbox, the client gets it.

use e2e::Scene;
use e2e::operator::text_of;
use e2e::providers::Fault;
use e2e::providers::telegram::{Telegram, chat, user};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use serde_json::json;

/// Beyond 2⁵² as JavaScript has it: ids are no floats.
const ANNA: i64 = 5_012_345_678_901_233;

/// Anna wrote, and Olga has it.
async fn scene() -> Scene<Telegram> {
    let mut scene = Scene::<Telegram>::asking().await;
    scene.provider.says(ANNA, "Здравствуйте!");
    scene.takes("Здравствуйте!").await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Добрый день!"]);

    // An answer to that very message, a reaction to it, and other words.
    let sent = scene.provider.sent()[0]["message_id"].as_i64().unwrap();
    scene.provider.sends(
        ANNA,
        json!({"text": "Да", "reply_to_message": {"message_id": sent}}),
    );
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, answer.id);
    scene.provider.happens(
        "message_reaction",
        json!({"chat": chat(ANNA), "user": user(ANNA), "message_id": sent, "date": 1,
               "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "❤"}]}),
    );
    let reacted = scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(reacted.reactions[0].emoji, "❤");
    let first = scene.provider.says(ANNA, "Опечатка");
    let shown = scene.olga.hears("Опечатка").await;
    let other = scene
        .provider
        .message(ANNA, first, json!({"text": "Поправка"}));
    scene.provider.happens("edited_message", other);
    let changed = scene.changed(&shown.id, |_| true).await;
    assert_eq!(text_of(&changed), "Поправка");
    assert_eq!(changed.revisions[0].text, "Опечатка");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_albums_and_places_come_whole() {
    let mut scene = scene().await;
    let telegram = &scene.provider;
    let photo = |id: &str| json!([{"file_id": id, "file_unique_id": id, "width": 9, "height": 9}]);
    for number in 0..3 {
        let id = telegram.keep(format!("\u{89}PNG picture {number}").into_bytes());
        let caption = if number == 0 { "Вот" } else { "" };
        let fields = json!({"photo": photo(&id), "caption": caption, "media_group_id": "g"});
        telegram.sends(ANNA, fields);
    }
    telegram.sends(
        ANNA,
        json!({"location": {"latitude": 55.75, "longitude": 37.61}}),
    );
    telegram.says(ANNA, "всё");
    scene.olga.hears("всё").await;
    let id = scene.conversation.clone();
    let all = scene.olga.messages(&id).await;
    let album = all
        .iter()
        .find(|message| text_of(message) == "Вот")
        .unwrap();
    assert_eq!(album.attachments.len(), 3);
    assert!(album.attachments.iter().all(|file| file.sha256.len() == 64));
    let is_place =
        |message: &&pb::Message| matches!(message.content, Some(pb::message::Content::Location(_)));
    assert!(all.iter().any(|message| is_place(&message)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_own_end() {
    let mut scene = scene().await;
    let wrong = json!({"ok": false, "error_code": 400,
        "description": "Bad Request: message is too long"});
    scene
        .provider
        .desk
        .fail("sendMessage", Fault::Answer(400, wrong));
    let refused = scene.says("a-5", "fifth").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert!(
        failed.delivery_error.contains("message is too long"),
        "{failed:?}"
    );

    scene.provider.block(ANNA);
    let blocked = scene.says("a-6", "sixth").await;
    let failed = scene.fate(&blocked, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("blocked by the user"));
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-7", "seventh").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_says_which_part_did_not_go() {
    let mut scene = scene().await;
    let long = "слово ".repeat(1_500);
    let wrong = json!({"ok": false, "error_code": 400, "description": "Bad Request: no"});
    scene
        .provider
        .desk
        .fail("sendMessage", Fault::Answer(400, wrong));
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

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_told_and_answered() {
    let mut scene = scene().await;
    let message = scene.provider.message(
        ANNA,
        77,
        json!({"text": "?",
        "reply_markup": {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}}),
    );
    let press = json!({"id": "press-1", "from": user(ANNA), "data": "yes", "message": message});
    scene.provider.happens("callback_query", press);
    assert_eq!(scene.pressed().await, ("Да".to_owned(), "yes".to_owned()));
    let answered = scene
        .provider
        .desk
        .until_seen("answerCallbackQuery", 1)
        .await;
    assert_eq!(answered[0].json()["callback_query_id"], "press-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proven_number_is_one_person_and_a_claimed_one_a_suggestion() {
    let mut scene = scene().await;
    let other = scene.is_called_from("+79161234567").await;
    let own = scene.conversation.clone();

    // Somebody else's card with that number, then her own.
    let card = |id: i64| json!({"contact": {"phone_number": "79161234567", "first_name": "A", "user_id": id}});
    scene.provider.sends(ANNA, card(77));
    scene.provider.says(ANNA, "a claim");
    scene.olga.hears("a claim").await;
    let before = (scene.contact(&own).await, scene.contact(&other).await);
    assert_ne!(before.0, before.1);
    scene.provider.sends(ANNA, card(ANNA));
    scene.provider.says(ANNA, "a proof");
    scene.olga.hears("a proof").await;
    scene.become_one(&own, &other).await;
}
