//! Avito from end to end: a client writes about an advertisement, an operator answers in the
//! real inbox, the client gets it.

use channels::{Check, Verdict};
use e2e::operator::text_of;
use e2e::providers::avito::{ACCOUNT, Avito, ITEM_URL, SECRET, refusal};
use e2e::providers::platform::Call;
use e2e::providers::{Fault, Platform};
use e2e::{Scene, until};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use serde_json::{Value, json};

const ANNA: &str = "9007199254740993";

/// Anna wrote, and Olga has it.
async fn scene() -> Scene<Avito> {
    met(Scene::called().await).await
}

/// The same with a line that looks every second for what it was not told.
async fn looking() -> Scene<Avito> {
    let avito = Avito::start().await;
    let mut options = avito.called();
    options.insert("check_secs".to_owned(), 1.into());
    let scene = Scene::begin(avito, Avito::KIND, options).await;
    scene.provider.ready().await;
    met(scene).await
}

async fn met(mut scene: Scene<Avito>) -> Scene<Avito> {
    scene.provider.says(ANNA, "Здравствуйте!");
    scene.provider.deliver().await;
    let conversation = scene.olga.accept().await;
    assert_eq!(conversation.last_message_text, "Здравствуйте!");
    let about = format!("Mazda 3 2008 · 300 000 ₽ · {ITEM_URL}");
    assert_eq!(conversation.subject, about);
    assert_eq!(conversation.contact.unwrap().display_name, "Анна");
    scene.conversation = conversation.id;
    scene
}

/// Anna writes, and Olga reads it.
async fn hears(scene: &mut Scene<Avito>, text: &str) -> pb::Message {
    scene.provider.says(ANNA, text);
    scene.provider.deliver().await;
    scene.olga.hears(text).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Добрый день!"]);
    // The account is told of its own message, too.
    scene.provider.deliver().await;
    let last = hears(&mut scene, "Ещё продаёте?").await;
    let words = ["Здравствуйте!", "Добрый день!", "Ещё продаёте?"];
    assert_eq!(scene.texts().await, words);

    let request = pb::MarkReadRequest {
        conversation_id: scene.conversation.clone(),
        message_id: last.id,
    };
    scene.olga.inbox.mark_read(request).await.unwrap();
    let anna = &scene.provider;
    until("Anna's messages are read", || async { anna.is_read(ANNA) }).await;

    let line = scene.gateway.engine().line(&"avito".into()).unwrap();
    let checks: Vec<Check> = line.channel.check().await;
    let is_good = |check: &Check| matches!(check.verdict, Verdict::Good(_));
    assert!(
        checks.len() == 2 && checks.iter().all(is_good),
        "{checks:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_advertisement_stays_with_the_chat() {
    let mut scene = scene().await;
    let about = format!("Mazda 3 2008 · 300 000 ₽ · {ITEM_URL}");
    // Of a second message nobody is asked, and the next conversation is about the same.
    hears(&mut scene, "Алло?").await;
    let id = scene.conversation.clone();
    scene.olga.finish(&id).await.unwrap();
    scene.provider.says(ANNA, "Снова я");
    scene.provider.deliver().await;
    let next = scene.olga.accept().await;
    assert_eq!(next.subject, about);
    assert_eq!(scene.provider.desk.seen("chat").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_voices_and_places_come_whole() {
    let mut scene = scene().await;
    let avito = &scene.provider;
    let (small, large) = (avito.keep("small"), avito.keep("\u{89}PNG large"));
    let sizes = json!({"140x105": small, "1280x960": large});
    avito.sends(
        ANNA,
        "image",
        json!({"image": {"sizes": sizes}}),
        Value::Null,
    );
    let voice = avito.speaks("words");
    avito.sends(
        ANNA,
        "voice",
        json!({"voice": {"voice_id": voice}}),
        Value::Null,
    );
    let place = json!({"lat": 55.6, "lon": 37.6, "text": "Москва", "title": "Москва"});
    avito.sends(ANNA, "location", json!({"location": place}), Value::Null);
    let call = json!({"status": "missed", "target_user_id": ACCOUNT});
    avito.sends(ANNA, "call", json!({"call": call}), Value::Null);
    avito.sends(ANNA, "video", json!({}), Value::Null);
    hears(&mut scene, "всё").await;
    let all = scene.messages().await;
    let files: Vec<(&str, i64)> = all
        .iter()
        .flat_map(|one| &one.attachments)
        .map(|file| (file.file_name.as_str(), file.size_bytes))
        .collect();
    assert_eq!(files, [("photo.jpg", 11), ("voice.mp4", 5)]);
    let has = |is: fn(&pb::message::Content) -> bool| {
        all.iter().any(|one| one.content.as_ref().is_some_and(is))
    };
    assert!(has(|it| matches!(it, pb::message::Content::Location(_))));
    assert!(has(|it| matches!(it, pb::message::Content::Unsupported(_))));
    assert!(all.iter().any(|one| text_of(one).starts_with("📞")));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_a_message_and_what_is_taken_back_are_shown() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Какая машина?").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    let sent = scene.provider.sent()[0].clone();
    let avito = &scene.provider;
    let id = avito.sends(
        ANNA,
        "text",
        json!({"text": "Эта"}),
        json!({"id": sent["id"]}),
    );
    avito.deliver().await;
    let quoting = scene.olga.hears("Эта").await;
    assert_eq!(quoting.reply_to_message_id, answer.id);

    scene.provider.takes_back(&id);
    scene.provider.deliver().await;
    scene
        .changed(&quoting.id, |message| message.deleted_at.is_some())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_in_avito_is_shown_once_and_ours_is_known_again() {
    let mut scene = scene().await;
    // What was taken without a word is known by what the webhook tells.
    scene.provider.desk.fail("messages", Fault::DoneAndDropped);
    let doubtful = scene.says("a-1", "Может быть").await;
    scene.fate(&doubtful, DeliveryState::Uncertain).await;
    scene.provider.deliver().await;
    scene.fate(&doubtful, DeliveryState::Sent).await;

    scene.provider.writes(ANNA, "Пишу с телефона");
    let system = json!({"flow_id": "discount", "text": "Отправлена скидка"});
    let notice = scene.provider.message(ANNA, "0", "system", system);
    scene.provider.again(notice.clone());
    scene.provider.again(notice);
    hears(&mut scene, "Спасибо").await;
    let all = scene.messages().await;
    let words: Vec<&str> = all.iter().map(text_of).collect();
    let expected = [
        "Здравствуйте!",
        "Может быть",
        "Пишу с телефона",
        "ℹ️ Отправлена скидка",
        "Спасибо",
    ];
    assert_eq!(words, expected);
    scene.nobody_else_waits(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_webhook_tells_before_the_answer_is_not_doubled() {
    let mut scene = scene().await;
    scene.provider.hurry();
    let long = "слово ".repeat(400);
    let first = scene.says("a-1", &long).await;
    scene.fate(&first, DeliveryState::Sent).await;
    let picture = scene
        .uploads("витрина.png", b"\x89PNG\r\n\x1a\n picture")
        .await;
    let second = scene.sends_files("a-2", "Вот", &[&picture]).await;
    scene.fate(&second, DeliveryState::Sent).await;
    let third = scene.says("a-3", "И всё").await;
    scene.fate(&third, DeliveryState::Sent).await;
    hears(&mut scene, "Спасибо").await;
    let words = scene.texts().await;
    assert_eq!(
        words,
        ["Здравствуйте!", long.as_str(), "Вот", "И всё", "Спасибо"]
    );
    let kinds: Vec<Value> = scene
        .provider
        .sent()
        .iter()
        .map(|it| it["type"].clone())
        .collect();
    assert_eq!(kinds, ["text", "text", "text", "text", "image", "text"]);
    let content: &[u8] = b"\x89PNG\r\n\x1a\n picture";
    assert_eq!(scene.provider.pictures(), [content]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_webhook_missed_is_found_and_not_doubled() {
    let mut scene = looking().await;
    let text = |text: &str| json!({ "text": text });
    let avito = &scene.provider;
    let missed = ["раз", "два"].map(|one| avito.message(ANNA, ANNA, "text", text(one)));
    for message in &missed {
        avito.misses(message.clone());
    }
    scene.olga.hears("два").await;
    // The webhook tells of them after all, and of the next before it is found.
    for message in missed {
        scene.provider.again(message);
    }
    hears(&mut scene, "три").await;
    let seen = scene.provider.desk.seen("chats").len();
    scene.provider.desk.until_seen("chats", seen + 2).await;
    hears(&mut scene, "четыре").await;
    let words = ["Здравствуйте!", "раз", "два", "три", "четыре"];
    assert_eq!(scene.texts().await, words);
    scene.nobody_else_waits(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_the_line_is_left_alone() {
    let avito = Avito::start().await;
    let mut old = avito.message("7", "7", "text", json!({"text": "В прошлом году"}));
    old["created"] = json!(1_700_000_000);
    avito.misses(old);
    let new = avito.message("8", "8", "text", json!({"text": "Только что"}));
    avito.misses(new);
    let options = avito.called();
    let mut scene = Scene::begin(avito, Avito::KIND, options).await;
    let conversation = scene.olga.accept().await;
    assert_eq!(conversation.last_message_text, "Только что");
    scene.nobody_else_waits(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_gone_is_made_again_and_former_ones_end() {
    let scene = looking().await;
    let hook = format!("{}/{SECRET}", scene.hook());
    assert_eq!(scene.provider.hooks(), [hook.as_str()]);
    let of = |url: &str, version: &str| json!({"url": url, "version": version});
    let crm = "https://crm.example/avito";
    scene.provider.subscribe(vec![
        of(crm, "3"),
        of(&format!("{}/an-older-secret", scene.hook()), "3"),
        of(&hook, "2"),
    ]);
    until("it is made again", || async {
        scene.provider.hooks() == [crm, hook.as_str()]
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_whether_we_are_there_is_answered() {
    let scene = scene().await;
    let looks = Call::behind("{}", format!("/{SECRET}"));
    assert_eq!(looks.post(&scene.hook()).await.status, 200);
    assert_eq!(Call::bare("{}").post(&scene.hook()).await.status, 403);
    scene.nobody_else_waits(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_is_replaced_before_anybody_notices() {
    let mut scene = scene().await;
    assert_eq!(scene.provider.desk.seen("token").len(), 1);
    scene.provider.end_token();
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Добрый день!"]);
    assert_eq!(scene.provider.desk.seen("token").len(), 2);
    assert_eq!(scene.provider.desk.seen("messages").len(), 2);

    // A picture that is under way is handed over anew.
    scene.provider.end_token();
    let picture = scene.uploads("a.png", b"\x89PNG\r\n\x1a\n").await;
    let sent = scene.sends_files("a-2", "", &[&picture]).await;
    scene
        .passes_until("the picture is there", 1_000, |scene| {
            scene.provider.sent().len() == 2
        })
        .await;
    scene.fate(&sent, DeliveryState::Sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_own_end() {
    let mut scene = scene().await;
    let desk = &scene.provider.desk;
    desk.fail(
        "messages",
        Fault::Answer(402, refusal(402, "Payment required")),
    );
    let unpaid = scene.says("a-1", "first").await;
    until("the line says so", || async {
        let trouble = scene.trouble();
        trouble.is_some_and(|told| told.contains("Payment required"))
    })
    .await;
    scene
        .passes_until("it was paid for", 10_000, |scene| scene.trouble().is_none())
        .await;
    scene.fate(&unpaid, DeliveryState::Sent).await;

    let desk = &scene.provider.desk;
    desk.fail(
        "messages",
        Fault::Answer(400, refusal(400, "Validation error")),
    );
    let refused = scene.says("a-2", "second").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert_eq!(failed.delivery_error, "Avito says: Validation error (400)");

    let paper = scene.uploads("note.txt", b"words").await;
    let refused = scene.sends_files("a-3", "", &[&paper]).await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert!(
        failed.delivery_error.starts_with("note.txt: "),
        "{failed:?}"
    );

    scene.provider.close(ANNA);
    let lost = scene.says("a-4", "fourth").await;
    let failed = scene.fate(&lost, DeliveryState::Failed).await;
    assert_eq!(failed.delivery_error, "Avito says: Forbidden (403)");
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-5", "fifth").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
    assert_eq!(scene.provider.texts_of(ANNA), ["first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_taken_back() {
    let mut scene = scene().await;
    let answer = scene.says("a-1", "Опечтака").await;
    let sent = scene.fate(&answer, DeliveryState::Sent).await;
    let request = pb::DeleteMessageRequest {
        message_id: sent.id,
        client_id: "d-1".to_owned(),
    };
    scene.olga.inbox.delete_message(request).await.unwrap();
    let avito = &scene.provider;
    until("it is taken back", || async { avito.sent().is_empty() }).await;
}
