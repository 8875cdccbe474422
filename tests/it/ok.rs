//! Odnoklassniki from end to end: a client writes to the group, an operator answers in the
//! real inbox, the client gets it.

use channels::{Check, Verdict};
use e2e::operator::text_of;
use e2e::providers::ok::{Odnoklassniki, SECRET, TOKEN, error};
use e2e::providers::{Fault, Platform as _};
use e2e::{Scene, TestGateway, http, until};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use serde_json::{Value, json};

/// Beyond 2⁵³: ids are no floats.
const ANNA: i64 = 9_007_199_254_740_993;

/// Anna wrote, and Olga has it.
async fn wrote(mut scene: Scene<Odnoklassniki>) -> Scene<Odnoklassniki> {
    scene.provider.says(ANNA, "Здравствуйте!");
    if !scene.asks() {
        assert_eq!(scene.provider.deliver().await, 0);
    }
    let conversation = scene.takes("Здравствуйте!").await;
    assert_eq!(conversation.contact.unwrap().display_name, "Анна Иванова");
    scene
}

async fn scene() -> Scene<Odnoklassniki> {
    wrote(Scene::asking().await).await
}

/// An answer of Anna's to the n-th message that was sent.
fn answers(scene: &Scene<Odnoklassniki>, at: usize, text: &str) {
    let answered = scene.provider.sent()[at]["message"]["mid"].clone();
    let message = json!({"text": text, "reply_to": answered});
    scene.provider.sends(ANNA, message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = wrote(Scene::called().await).await;
    let theirs = scene.messages().await.remove(0);
    let request = pb::SendMessageRequest {
        conversation_id: scene.conversation.clone(),
        client_id: "a-1".to_owned(),
        text: "Добрый день!".to_owned(),
        reply_to_message_id: theirs.id,
        ..Default::default()
    };
    let answer = scene.olga.inbox.send_message(request).await.unwrap();
    let answer = answer.into_inner();
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Добрый день!"]);
    let answered = scene.provider.sent()[0]["message"]["reply_to"].clone();
    assert!(answered.as_str().unwrap().starts_with("mid:C"));
    answers(&scene, 0, "Да");
    assert_eq!(scene.provider.deliver().await, 0);
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, answer.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_places_come_whole() {
    let mut scene = scene().await;
    let ok = &scene.provider;
    let with_url = |kind: &str, url: String| json!({"type": kind, "payload": {"url": url}});
    let files = [
        with_url("IMAGE", ok.keep("\u{89}PNG one")),
        with_url("VIDEO", ok.keep("\0\0\0 ftypmp42 video")),
        with_url("AUDIO", ok.keep("ID3 voice")),
        json!({"type": "FILE", "payload": {"url": ok.keep("%PDF-1.4"), "name": "договор.pdf"}}),
        with_url("VIDEO", "https://ok.ru/video/7".to_owned()),
    ];
    ok.sends(ANNA, json!({"text": "Вот", "attachments": files}));
    let lost = with_url("FILE", format!("{}/file/none", ok.desk.url));
    ok.sends(ANNA, json!({"text": "Потерян", "attachments": [lost]}));
    let place = json!({"type": "LOCATION", "payload": {"latitude": 55.75, "longitude": 37.61}});
    ok.sends(ANNA, json!({ "attachments": [place] }));
    let later = json!({"type": "HOLOGRAM", "payload": {}});
    ok.sends(ANNA, json!({ "attachments": [later] }));
    ok.says(ANNA, "всё");
    scene.olga.hears("всё").await;
    let all = scene.messages().await;
    let said = |words: &str| {
        let found = all.iter().find(|one| text_of(one) == words);
        found.unwrap_or_else(|| panic!("{words}: {all:?}"))
    };
    // A player is an address below the words.
    let with_files = said("Вот\nhttps://ok.ru/video/7");
    let names: Vec<_> = with_files
        .attachments
        .iter()
        .map(|one| &one.file_name)
        .collect();
    assert_eq!(names[3], "договор.pdf");
    let are_stored = with_files
        .attachments
        .iter()
        .all(|file| file.sha256.len() == 64);
    assert!(are_stored && names.len() == 4, "{with_files:?}");
    assert_eq!(said("Потерян").attachments.len(), 1);
    let is_place =
        |message: &pb::Message| matches!(message.content, Some(pb::message::Content::Location(_)));
    assert!(all.iter().any(is_place));
    let is_unknown = |message: &pb::Message| matches!(&message.content, Some(pb::message::Content::Unsupported(one)) if one.kind == "HOLOGRAM");
    assert!(all.iter().any(is_unknown), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sends_files_types_and_reads() {
    let mut scene = scene().await;
    let png = scene
        .uploads("shop.png", b"\x89PNG\r\n\x1a\n picture")
        .await;
    let note = scene.uploads("note.txt", b"words").await;
    let sent = scene.sends_files("a-1", "Вот", &[&png, &note]).await;
    scene.fate(&sent, DeliveryState::Sent).await;
    let in_ok = scene.provider.sent();
    assert_eq!(in_ok.len(), 1);
    assert_eq!(in_ok[0]["message"]["text"], "Вот");
    let files = in_ok[0]["message"]["attachments"].as_array().unwrap();
    let kinds: Vec<_> = files.iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["IMAGE", "FILE"]);
    // Refused once, as the file was not ready, and not handed over again.
    assert_eq!(scene.provider.desk.seen("POST me/messages").len(), 2);
    assert_eq!(scene.provider.desk.seen("POST upload").len(), 2);

    let typing = pb::SetTypingRequest {
        conversation_id: scene.conversation.clone(),
        active: true,
    };
    scene.olga.inbox.set_typing(typing).await.unwrap();
    scene.provider.desk.until_seen("sign", 1).await;
    scene.provider.says(ANNA, "Спасибо");
    let theirs = scene.olga.hears("Спасибо").await;
    let read = pb::MarkReadRequest {
        conversation_id: scene.conversation.clone(),
        message_id: theirs.id,
    };
    scene.olga.inbox.mark_read(read).await.unwrap();
    let signs = scene.provider.desk.until_seen("sign", 2).await;
    let actions: Vec<_> = signs
        .iter()
        .map(|sign| sign.json()["sender_action"].clone())
        .collect();
    assert_eq!(actions, ["typing_on", "mark_seen"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_ok_does_not_take_is_told_by_its_name() {
    let mut scene = scene().await;
    let virus = scene.uploads("virus.txt", b"MZ").await;
    let sent = scene.sends_files("a-1", "Вот", &[&virus]).await;
    let failed = scene.fate(&sent, DeliveryState::Failed).await;
    let told = &failed.delivery_error;
    assert!(told.starts_with("virus.txt: "), "{told}");
    assert!(told.contains("not allowed (505)"), "{told}");
    assert!(scene.provider.sent().is_empty());
}

/// How a call to a path of the gateway is answered.
async fn knock(gateway: &TestGateway, path: &str, body: &Value) -> u16 {
    let request = http::request(::http::Method::POST, path, None);
    let request = request.body(body.to_string().into()).unwrap();
    http::send(&gateway.url(), request).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_address_is_nobody() {
    let scene = wrote(Scene::called().await).await;
    let message = scene.provider.message(666, json!({"text": "forged"}));
    let forged = json!({"webhookType": "MESSAGE_CREATED", "sender": {"user_id": "user:666"},
        "recipient": {"chat_id": "chat:C29a"}, "message": message, "timestamp": 1});
    let upper = SECRET.to_uppercase();
    for rest in [
        "",
        "/",
        "/0123456789abcdef0123456789abcde",
        &format!("/{upper}"),
    ] {
        let path = format!("/hooks/ok{rest}");
        let status = knock(&scene.gateway, &path, &forged).await;
        assert!(status == 403 || status == 404, "{path}: {status}");
    }
    for path in [
        format!("/hooks/ok/{SECRET}/more"),
        format!("/hooks/ok?secret={SECRET}"),
        format!("/hooks/ok/former?{SECRET}"),
    ] {
        assert_eq!(knock(&scene.gateway, &path, &forged).await, 403, "{path}");
    }
    // What cannot be read is taken all the same: a refusal would end the subscription.
    let path = format!("/hooks/ok/{SECRET}");
    assert_eq!(knock(&scene.gateway, &path, &json!([1])).await, 200);
    scene.nobody_else_waits(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_networks_are_told_nobody_else_is_let_in() {
    let event = json!({"webhookType": "CHAT_SYSTEM", "timestamp": 1});
    let path = format!("/hooks/ok/{SECRET}");
    for (networks, status) in [("217.20.145.192/28", 403), ("127.0.0.0/8", 200)] {
        let ok = Odnoklassniki::start().await;
        let mut options = ok.called();
        options.extend(toml::toml! { source_networks = [networks] });
        let scene = Scene::begin(ok, "ok", options).await;
        assert_eq!(
            knock(&scene.gateway, &path, &event).await,
            status,
            "{networks}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_own_end() {
    let mut scene = scene().await;
    let desk = &scene.provider.desk;
    for (status, code, words) in [
        (200, 8, "FLOOD_BLOCKED : errors.flood"),
        (200, 2, "SERVICE : Service is temporary unavailable"),
        (503, 0, ""),
    ] {
        desk.fail(
            "POST me/messages",
            Fault::Answer(status, error(code, words)),
        );
    }
    let first = scene.says("a-1", "first").await;
    let second = scene.says("a-2", "second").await;
    until("both are there", || async {
        scene.gateway.clock().advance(1_000);
        scene.provider.sent().len() == 2
    })
    .await;
    scene.fate(&first, DeliveryState::Sent).await;
    scene.fate(&second, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["first", "second"]);

    let censor = error(454, "CENSOR_MATCH : text is rejected");
    let desk = &scene.provider.desk;
    desk.fail("POST me/messages", Fault::Answer(200, censor));
    let refused = scene.says("a-3", "third").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert_eq!(
        failed.delivery_error,
        "OK says: CENSOR_MATCH : text is rejected (454)"
    );
    scene.provider.stop(ANNA);
    let blocked = scene.says("a-4", "fourth").await;
    let failed = scene.fate(&blocked, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("(458)"), "{failed:?}");
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-5", "fifth").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_knows_is_tried_for_ten_minutes() {
    let mut scene = scene().await;
    for _ in 0..3 {
        let later = error(4_242, "LATER");
        let desk = &scene.provider.desk;
        desk.fail("POST me/messages", Fault::Answer(200, later));
    }
    let message = scene.says("a-1", "first").await;
    let tried = |count| scene.provider.desk.until_seen("POST me/messages", count);
    tried(1).await;
    until("it is tried again", || async {
        scene.gateway.clock().advance(1_000);
        scene.provider.desk.seen("POST me/messages").len() == 2
    })
    .await;
    scene.gateway.clock().advance(600_000);
    let failed = scene.fate(&message, DeliveryState::Failed).await;
    assert_eq!(failed.delivery_error, "OK says: LATER (4242)");
    assert!(scene.provider.sent().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_doubt_is_looked_for_and_never_sent_twice() {
    let mut scene = scene().await;
    let before = scene.says("a-1", "Да").await;
    scene.fate(&before, DeliveryState::Sent).await;

    // Taken, and the answer was lost: the chat has it.
    let desk = &scene.provider.desk;
    desk.fail("POST me/messages", Fault::DoneAndDropped);
    let lost = scene.says("a-2", "Да").await;
    scene.fate(&lost, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Да", "Да"]);
    answers(&scene, 1, "Что да?");
    let answer = scene.olga.hears("Что да?").await;
    assert_eq!(answer.reply_to_message_id, lost.id);

    // Not taken, or at least not there: nobody sends it again by itself. The two before it
    // say the same and are others, and so is what Anna says.
    scene.provider.says(ANNA, "Да");
    let desk = &scene.provider.desk;
    desk.fail("POST me/messages", Fault::Dropped);
    let doubtful = scene.says("a-3", "Да").await;
    scene.fate(&doubtful, DeliveryState::Uncertain).await;
    let desk = &scene.provider.desk;
    desk.fail("POST me/messages", Fault::Answer(504, json!("<html>")));
    desk.fail("GET me/messages", Fault::Dropped);
    let doubtful = scene.says("a-4", "Нет").await;
    scene.fate(&doubtful, DeliveryState::Uncertain).await;
    let after = scene.says("a-5", "после").await;
    scene.fate(&after, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Да", "Да", "после"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn presses_and_links_are_told() {
    let mut scene = scene().await;
    // The same button twice is two presses.
    for at in 1..=2 {
        let press = json!({"callbackId": "cb/1+=", "payload": "where", "timestamp": at});
        scene.provider.happens("MESSAGE_CALLBACK", ANNA, press);
        let pressed = scene.pressed().await;
        assert_eq!(pressed, (String::new(), "where".to_owned()));
    }
    let came = json!({"message": {"text": "Анна пришла"}});
    scene.provider.happens("CHAT_SYSTEM", ANNA, came);
    let link = json!({"payload": "order-17", "message": {"text": "По ссылке"}});
    scene.provider.happens("CHAT_SYSTEM", ANNA, link);
    let followed = scene.pressed().await;
    assert_eq!(followed, ("По ссылке".to_owned(), "order-17".to_owned()));
    scene.provider.says(ANNA, "всё");
    scene.olga.hears("всё").await;
    let words = scene.texts().await;
    assert!(!words.contains(&"Анна пришла".to_owned()), "{words:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_among_events_is_kept_over_a_restart() {
    let mut scene = scene().await;
    scene.gateway.stop().await;
    scene.provider.says(ANNA, "nobody there");
    scene.gateway.restart().await;
    scene.olga = scene.gateway.sign_in("olga").await;
    scene.provider.says(ANNA, "back");
    scene.olga.hears("back").await;
    let words = scene.texts().await;
    assert_eq!(words, ["Здравствуйте!", "nobody there", "back"]);
    // Without a place OK is asked to keep what it tells.
    let asked = scene.provider.desk.seen("GET me/updates");
    assert!(asked[0].path.contains("commit=false") && !asked[0].path.contains("marker"));
    let behind = asked.iter().filter(|one| one.path.contains("marker="));
    assert!(behind.clone().count() > 0);
    assert!(behind.clone().all(|one| one.path.contains("commit=true")));

    // A place that is no more is forgotten, and what is told again is known.
    let wrong = error(100, "PARAM : marker");
    scene
        .provider
        .desk
        .fail("GET me/updates", Fault::Answer(200, wrong));
    scene.provider.says(ANNA, "again");
    scene.olga.hears("again").await;
    let all = scene.messages().await;
    assert_eq!(all.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_not_called_and_who_is_called_is_called_once() {
    let ok = Odnoklassniki::start().await;
    ok.subscribe("https://elsewhere.example/bot");
    ok.subscribe("https://former.example/hooks/ok/former-secret");
    let options = ok.asking().unwrap();
    let Scene { provider: ok, .. } = Scene::begin(ok, "ok", options).await;
    ok.desk.until_seen("GET me/updates", 1).await;
    assert_eq!(ok.subscriptions(), ["https://elsewhere.example/bot"]);

    let ok = Odnoklassniki::start().await;
    ok.subscribe("https://elsewhere.example/bot");
    ok.subscribe("https://former.example/hooks/ok/former-secret");
    let options = ok.called();
    let Scene {
        provider: ok,
        gateway: _called,
        ..
    } = Scene::begin(ok, "ok", options).await;
    ok.desk.until_seen("POST me/unsubscribe", 1).await;
    until("both are left", || async { ok.subscriptions().len() == 2 }).await;
    let left = ok.subscriptions();
    assert_eq!(left[0], "https://elsewhere.example/bot");
    assert!(
        left[1].ends_with(&format!("/hooks/ok/{SECRET}")),
        "{left:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_told_what_works_and_no_secret() {
    for scene in [Scene::asking().await, Scene::called().await] {
        let scene = wrote(scene).await;
        let line = scene.gateway.engine().line(&"ok".into()).unwrap();
        let checks = line.channel.check().await;
        let is_good = |check: &Check| matches!(check.verdict, Verdict::Good(_));
        assert_eq!(checks.len(), 2);
        assert!(checks.iter().all(is_good), "{checks:?}");
        scene
            .provider
            .subscribe("https://elsewhere.example/their-secret");
        let told = format!("{:?}", line.channel.check().await);
        assert!(told.contains("https://elsewhere.example"), "{told}");
        assert!(!told.contains("secret"), "{told}");
        scene.provider.revoke(true);
        let told = format!("{:?}", line.channel.check().await);
        assert!(told.contains("get an access key"), "{told}");
        assert!(!told.contains(TOKEN) && !told.contains(SECRET), "{told}");
    }
}
