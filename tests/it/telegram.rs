//! Telegram from end to end: a client of the Bot API writes, an operator answers in the
//! real inbox, the client gets it.

use e2e::operator::text_of;
use e2e::providers::Fault;
use e2e::providers::telegram::{TOKEN, Telegram, chat, user};
use e2e::{Bridge, OperatorClient, TestGateway, bridge, gateway, http, until};
use proto::channels::v1::DeliveryState;
use proto::contacts::v1 as contacts;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};

/// Beyond 2⁵² as JavaScript has it: ids are no floats.
const ANNA: i64 = 5_012_345_678_901_233;
const SECRET: &str = "a-secret-of-sixteen";

async fn gateway(telegram: &Telegram, intake: &'static str) -> TestGateway {
    let url = telegram.desk.url.clone();
    TestGateway::start_with(move |settings| {
        let mut options = toml::Table::new();
        for (key, value) in [
            ("token", TOKEN),
            ("intake", intake),
            ("webhook_secret", SECRET),
            ("api_url", url.as_str()),
        ] {
            options.insert(key.to_owned(), value.into());
        }
        let public_url = settings.public_url.clone();
        let line = gateway::line_with("telegram", "telegram", "main", &public_url, options);
        settings.lines.push(line);
    })
    .await
}

struct Scene {
    telegram: Telegram,
    gateway: TestGateway,
    olga: OperatorClient,
    conversation: String,
}

/// Anna wrote, and Olga has it.
async fn scene(intake: &'static str) -> Scene {
    let telegram = Telegram::start().await;
    let gateway = gateway(&telegram, intake).await;
    let mut olga = gateway.ready_operator("olga").await;
    telegram.says(ANNA, "Здравствуйте!");
    if intake == "webhook" {
        telegram.desk.until_seen("setWebhook", 1).await;
        telegram.deliver().await;
    }
    let conversation = olga.accept().await;
    assert_eq!(conversation.last_message_text, "Здравствуйте!");
    Scene {
        telegram,
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

    /// Whose a conversation is.
    async fn contact(&mut self, conversation: &str) -> String {
        let request = pb::GetConversationRequest {
            conversation_id: conversation.to_owned(),
        };
        let answer = self.olga.inbox.get_conversation(request).await.unwrap();
        let conversation = answer.into_inner().conversation.unwrap();
        conversation.contact.unwrap().id
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
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_writes_and_is_answered() {
    let mut scene = scene("poll").await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.telegram.texts_of(ANNA), ["Добрый день!"]);

    // An answer to that very message, a reaction to it, and other words.
    let sent = scene.telegram.sent()[0]["message_id"].as_i64().unwrap();
    scene.telegram.sends(
        ANNA,
        json!({"text": "Да", "reply_to_message": {"message_id": sent}}),
    );
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, answer.id);
    scene.telegram.happens(
        "message_reaction",
        json!({"chat": chat(ANNA), "user": user(ANNA), "message_id": sent, "date": 1,
               "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "❤"}]}),
    );
    let reacted = scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(reacted.reactions[0].emoji, "❤");
    let first = scene.telegram.says(ANNA, "Опечатка");
    let shown = scene.olga.hears("Опечатка").await;
    let other = scene
        .telegram
        .message(ANNA, first, json!({"text": "Поправка"}));
    scene.telegram.happens("edited_message", other);
    let changed = scene
        .olga
        .wait_for("other words", |kind| match kind {
            Kind::MessageChanged(message) if message.id == shown.id => Some(message),
            _ => None,
        })
        .await;
    assert_eq!(text_of(&changed), "Поправка");
    assert_eq!(changed.revisions[0].text, "Опечатка");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_albums_and_places_come_whole() {
    let mut scene = scene("poll").await;
    let telegram = &scene.telegram;
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
async fn a_webhook_s_redeliveries_are_one_message_each() {
    let mut scene = scene("webhook").await;
    let telegram = &scene.telegram;
    let mut updates = Vec::new();
    for number in 0..20 {
        let text = format!("слово {number}");
        let id = telegram.says(ANNA, &text);
        let message = telegram.message(ANNA, id, json!({"text": text}));
        updates.push(json!({"update_id": 1_000 + number, "message": message}));
    }
    assert_eq!(telegram.deliver().await, 0);
    // The same again ten times, in any order: under their own numbers and under others.
    for round in 0..10 {
        let mut again = updates.clone();
        again.rotate_left(round * 7 % 20);
        for update in again {
            telegram.again(update);
        }
        telegram.deliver().await;
    }
    telegram.says(ANNA, "конец");
    telegram.deliver().await;
    scene.olga.hears("конец").await;
    let id = scene.conversation.clone();
    let all = scene.olga.messages(&id).await;
    let mut words: Vec<&str> = all.iter().map(text_of).collect();
    words.retain(|text| text.starts_with("слово"));
    let expected: Vec<String> = (0..20).map(|number| format!("слово {number}")).collect();
    assert_eq!(words, expected);

    assert!(telegram.webhook().ends_with("/hooks/telegram"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_secret_is_nobody() {
    let scene = scene("webhook").await;
    let forged = json!({"update_id": 7, "message":
        scene.telegram.message(666, 1, json!({"text": "forged"}))});
    let url = scene.gateway.url();
    let secrets: [Option<&str>; 5] = [
        None,
        Some(""),
        Some("a-secret-of-sixtee"),
        Some("A-SECRET-OF-SIXTEEN"),
        Some("an-older-secret-of-ours"),
    ];
    for secret in secrets {
        let mut request = http::request(::http::Method::POST, "/hooks/telegram", None);
        if let Some(secret) = secret {
            request = request.header("x-telegram-bot-api-secret-token", secret);
        }
        let body = forged.to_string();
        let answer = http::send(&url, request.body(body.into()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), 403, "{secret:?}");
    }
    // What cannot be read is taken all the same: a refusal would hold up the chat.
    let request = http::request(::http::Method::POST, "/hooks/telegram", None)
        .header("x-telegram-bot-api-secret-token", SECRET)
        .body("not JSON".into())
        .unwrap();
    assert_eq!(http::send(&url, request).await.status.as_u16(), 200);
    let mut boss = scene
        .gateway
        .person("boss", domain::operator::Role::Supervisor, &[])
        .await;
    let all = boss.list(pb::Folder::AllOpen).await;
    assert_eq!(all.conversations.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_own_end() {
    let mut scene = scene("poll").await;
    let too_many = json!({"ok": false, "error_code": 429,
        "description": "Too Many Requests: retry after 1", "parameters": {"retry_after": 1}});
    let desk = &scene.telegram.desk;
    desk.fail("sendMessage", Fault::Answer(429, too_many));
    desk.fail("sendMessage", Fault::Answer(502, json!("<html>")));
    let first = scene.says("a-1", "first").await;
    let second = scene.says("a-2", "second").await;
    scene.fate(&first, DeliveryState::Sent).await;
    scene.fate(&second, DeliveryState::Sent).await;
    assert_eq!(scene.telegram.texts_of(ANNA), ["first", "second"]);

    // Taken, and the answer was lost: nobody sends it again by itself.
    scene
        .telegram
        .desk
        .fail("sendMessage", Fault::DoneAndDropped);
    let doubtful = scene.says("a-3", "third").await;
    scene.fate(&doubtful, DeliveryState::Uncertain).await;
    let after = scene.says("a-4", "fourth").await;
    scene.fate(&after, DeliveryState::Sent).await;
    assert_eq!(
        scene.telegram.texts_of(ANNA),
        ["first", "second", "third", "fourth"]
    );

    let wrong = json!({"ok": false, "error_code": 400,
        "description": "Bad Request: message is too long"});
    scene
        .telegram
        .desk
        .fail("sendMessage", Fault::Answer(400, wrong));
    let refused = scene.says("a-5", "fifth").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert!(
        failed.delivery_error.contains("message is too long"),
        "{failed:?}"
    );

    scene.telegram.block(ANNA);
    let blocked = scene.says("a-6", "sixth").await;
    let failed = scene.fate(&blocked, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("blocked by the user"));
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-7", "seventh").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_goes_in_parts_or_says_which_did_not() {
    let mut scene = scene("poll").await;
    let long = "слово ".repeat(1_500);
    let answer = scene.says("a-1", &long).await;
    scene.fate(&answer, DeliveryState::Sent).await;
    let texts = scene.telegram.texts_of(ANNA);
    assert_eq!(texts.len(), 3);
    assert_eq!(texts.join(" ").split(' ').count(), 1_500);

    let wrong = json!({"ok": false, "error_code": 400, "description": "Bad Request: no"});
    scene
        .telegram
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
    assert_eq!(scene.telegram.texts_of(ANNA).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_is_told_and_answered() {
    let mut scene = scene("poll").await;
    let message = scene.telegram.message(
        ANNA,
        77,
        json!({"text": "?",
        "reply_markup": {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}}),
    );
    let press = json!({"id": "press-1", "from": user(ANNA), "data": "yes", "message": message});
    scene.telegram.happens("callback_query", press);
    let pressed = |kind| match kind {
        Kind::MessageAdded(pb::Message {
            content: Some(pb::message::Content::Postback(press)),
            ..
        }) => Some(press),
        _ => None,
    };
    let press = scene.olga.wait_for("a press", pressed).await;
    assert_eq!(
        (press.title.as_str(), press.payload.as_str()),
        ("Да", "yes")
    );
    let answered = scene
        .telegram
        .desk
        .until_seen("answerCallbackQuery", 1)
        .await;
    assert_eq!(answered[0].json()["callback_query_id"], "press-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proven_number_is_one_person_and_a_claimed_one_a_suggestion() {
    let mut scene = scene("poll").await;
    let bridge = Bridge::connect(&scene.gateway).await;
    let mut called = bridge::message("li", "m-1", "By telephone");
    let identities = &mut called.sender.as_mut().unwrap().identities;
    identities.push(contacts::Identity {
        kind: "phone".to_owned(),
        value: "+79161234567".to_owned(),
        trust: contacts::Trust::Proven.into(),
        ..Default::default()
    });
    bridge.push(called).await.unwrap();
    let other = scene.olga.accept().await.id;
    let own = scene.conversation.clone();

    // Somebody else's card with that number, then her own.
    let card = |id: i64| json!({"contact": {"phone_number": "79161234567", "first_name": "A", "user_id": id}});
    scene.telegram.sends(ANNA, card(77));
    scene.telegram.says(ANNA, "a claim");
    scene.olga.hears("a claim").await;
    let before = (scene.contact(&own).await, scene.contact(&other).await);
    assert_ne!(before.0, before.1);
    scene.telegram.sends(ANNA, card(ANNA));
    scene.telegram.says(ANNA, "a proof");
    scene.olga.hears("a proof").await;
    let after = (scene.contact(&own).await, scene.contact(&other).await);
    assert_eq!(after.0, after.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_holds_everything_and_loses_nothing() {
    let mut scene = scene("poll").await;
    scene.telegram.revoke(true);
    let waiting = scene.says("a-1", "later").await;
    scene.telegram.says(ANNA, "while you were away");
    until("the line says so", || async {
        let line = scene.gateway.engine().line(&"telegram".into()).unwrap();
        line.channel
            .trouble()
            .is_some_and(|told| told.contains("Unauthorized"))
    })
    .await;
    scene.telegram.revoke(false);
    scene.olga.hears("while you were away").await;
    until("the line has rested", || async {
        scene.gateway.clock().advance(1_000);
        !scene.telegram.texts_of(ANNA).is_empty()
    })
    .await;
    scene.fate(&waiting, DeliveryState::Sent).await;
    let told: Vec<Value> = scene.telegram.sent();
    assert_eq!(told.len(), 1);
}
