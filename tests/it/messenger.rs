//! Messenger and Instagram from end to end, in what is peculiar to them.

use channels::Verdict;
use e2e::operator::text_of;
use e2e::providers::messenger::{Graph, Instagram, Messenger, VERIFY_TOKEN};
use e2e::providers::{Fault, Platform};
use e2e::{Scene, gateway, http, until};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use proto::inbox::v1::message::Content;
use serde_json::{Value, json};

const ANNA: &str = "9007199254740993";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and a picture";
const HOUR: i64 = 60 * 60 * 1_000;

/// Anna wrote, and Olga has it.
async fn scene<const IS_INSTAGRAM: bool>() -> Scene<Graph<IS_INSTAGRAM>> {
    let mut scene = Scene::<Graph<IS_INSTAGRAM>>::called().await;
    scene.conversation = scene.meets(ANNA).await;
    scene
}

/// Meta calls with all that happened.
async fn deliver<const IS_INSTAGRAM: bool>(scene: &Scene<Graph<IS_INSTAGRAM>>) {
    scene.provider.deliver(&scene.hook()).await;
}

/// What happened is told, and a last word of Anna's comes behind it.
async fn all<const IS_INSTAGRAM: bool>(scene: &mut Scene<Graph<IS_INSTAGRAM>>) -> Vec<pb::Message> {
    deliver(scene).await;
    scene.hears(ANNA, "конец").await;
    scene.messages().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_known_by_name_and_answered() {
    let mut scene = scene::<false>().await;
    let id = scene.conversation.clone();
    let request = pb::GetConversationRequest {
        conversation_id: id,
    };
    let answer = scene.olga.inbox.get_conversation(request).await.unwrap();
    let contact = answer.into_inner().conversation.unwrap().contact.unwrap();
    assert_eq!(contact.display_name, "Анна Петрова");

    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["Добрый день!"]);
    // Its echo is not a message of somebody else.
    scene.provider.echo(0);
    let until = engine::clock::now().0;
    let delivered = json!({ "watermark": until });
    let event = scene.provider.event(ANNA, "delivery", delivered);
    scene.provider.happens(event);
    deliver(&scene).await;
    scene.fate(&answer, DeliveryState::Delivered).await;
    let read = scene
        .provider
        .event(ANNA, "read", json!({ "watermark": until }));
    scene.provider.happens(read);
    deliver(&scene).await;
    scene.fate(&answer, DeliveryState::Read).await;

    let sent = scene.provider.sent()[0]["mid"].clone();
    let fields = json!({"text": "Да", "reply_to": {"mid": sent}});
    scene.provider.sends(ANNA, fields);
    deliver(&scene).await;
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, answer.id);
    for (action, shown) in [("react", Some("❤")), ("unreact", None)] {
        let reaction = json!({"mid": sent, "action": action, "emoji": "❤", "reaction": "love"});
        scene
            .provider
            .happens(scene.provider.event(ANNA, "reaction", reaction));
        deliver(&scene).await;
        let reacted = scene.changed(&answer.id, |_| true).await;
        let emoji = reacted.reactions.first().map(|it| it.emoji.as_str());
        assert_eq!(emoji, shown);
    }
    assert_eq!(all(&mut scene).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn instagram_tells_what_was_seen_changed_and_taken_back() {
    let mut scene = scene::<true>().await;
    let answer = scene.says("a-1", "Добрый день!").await;
    scene.fate(&answer, DeliveryState::Sent).await;
    let seen = json!({"mid": scene.provider.sent()[0]["mid"]});
    scene
        .provider
        .happens(scene.provider.event(ANNA, "read", seen));
    deliver(&scene).await;
    scene.fate(&answer, DeliveryState::Read).await;

    let mid = scene.provider.says(ANNA, "Опечатка");
    deliver(&scene).await;
    let shown = scene.olga.hears("Опечатка").await;
    let edit = json!({"mid": mid, "text": "Поправка", "num_edit": 1});
    let event = scene.provider.event(ANNA, "message_edit", edit);
    scene.provider.happens(event);
    deliver(&scene).await;
    let changed = scene.changed(&shown.id, |_| true).await;
    assert_eq!(text_of(&changed), "Поправка");
    assert_eq!(changed.revisions[0].text, "Опечатка");
    let gone = json!({"mid": mid, "is_deleted": true});
    scene
        .provider
        .happens(scene.provider.event(ANNA, "message", gone));
    deliver(&scene).await;
    let gone = scene.changed(&shown.id, |it| it.deleted_at.is_some()).await;
    assert_eq!(text_of(&gone), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_clients_are_fetched_while_they_are_there() {
    let mut scene = scene::<true>().await;
    let picture = |url: String| json!([{"type": "image", "payload": {"url": url}}]);
    let kept = scene.provider.keep(PNG);
    scene.provider.desk.fail("file", Fault::Dropped);
    let fields = json!({"text": "Вот", "attachments": picture(kept)});
    scene.provider.sends(ANNA, fields);
    // A story that is over, and one that is not.
    let over = format!("{}/files/0/story", scene.provider.desk.url);
    let story = json!({"text": "Это", "reply_to": {"story": {"id": "1", "url": over}}});
    scene.provider.sends(ANNA, story);
    let kept = scene.provider.keep("a story");
    let mention = json!([{"type": "story_mention", "payload": {"url": kept}}]);
    scene
        .provider
        .sends(ANNA, json!({ "attachments": mention }));
    let all = all(&mut scene).await;
    let file = |text: &str| {
        let message = all.iter().find(|one| text_of(one) == text).unwrap();
        message.attachments[0].clone()
    };
    assert_eq!(file("Вот").sha256.len(), 64);
    assert_eq!(i64::try_from(PNG.len()), Ok(file("Вот").size_bytes));
    assert_eq!(file("↪ [story]\nЭто").sha256, "");
    assert_eq!(file("↪ [story_mention]").sha256.len(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn messenger_is_handed_files_before_the_message() {
    let mut scene = scene::<false>().await;
    let upload = scene.uploads("plan.png", PNG).await;
    // The file was taken and the answer lost: nobody saw it, so it goes again.
    let desk = &scene.provider.desk;
    desk.fail("message_attachments", Fault::DoneAndDropped);
    let sent = scene.sends_files("a-1", "Схема", &[&upload]).await;
    scene
        .passes_until("it is sent", 1_000, |scene| {
            scene.provider.sent().len() == 2
        })
        .await;
    scene.fate(&sent, DeliveryState::Sent).await;
    let messages = scene.provider.sent();
    assert_eq!(messages[0]["message"]["text"], "Схема");
    let attachment = &messages[1]["message"]["attachment"];
    assert_eq!(attachment["type"], "image");
    assert!(attachment["payload"]["attachment_id"].is_string());
    let form = scene.provider.taken().pop().unwrap();
    assert!(form.windows(PNG.len()).any(|bytes| bytes == PNG));

    // Echoes of both parts are of the one message, and either names it.
    scene.provider.echo(0);
    scene.provider.echo(1);
    for mid in [&messages[0]["mid"], &messages[1]["mid"]] {
        let fields = json!({"text": "Эта", "reply_to": {"mid": mid}});
        scene.provider.sends(ANNA, fields);
    }
    let all = all(&mut scene).await;
    let of_us = all
        .iter()
        .filter(|it| it.direction() == pb::Direction::Outbound);
    assert_eq!(of_us.count(), 1);
    let answers = all.iter().filter(|it| text_of(it) == "Эта");
    let answered: Vec<&str> = answers.map(|it| it.reply_to_message_id.as_str()).collect();
    assert_eq!(answered, [sent.id.as_str(); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn instagram_fetches_files_by_itself() {
    let mut scene = scene::<true>().await;
    let upload = scene.uploads("plan.png", PNG).await;
    let sent = scene.sends_files("a-1", "", &[&upload]).await;
    scene.fate(&sent, DeliveryState::Sent).await;
    assert_eq!(scene.provider.taken(), [PNG]);
    let archive = scene.uploads("a.zip", b"PK\x03\x04").await;
    let refused = scene.sends_files("a-2", "", &[&archive]).await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("a.zip"), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_clears_a_doubt_and_names_the_message() {
    let mut scene = scene::<false>().await;
    scene.provider.desk.fail("messages", Fault::DoneAndDropped);
    let taken = scene.says("a-1", "taken").await;
    scene.fate(&taken, DeliveryState::Uncertain).await;
    scene.provider.desk.fail("messages", Fault::Dropped);
    let lost = scene.says("a-2", "lost").await;
    scene.fate(&lost, DeliveryState::Uncertain).await;
    assert_eq!(scene.provider.texts_of(ANNA), ["taken"]);
    scene.provider.echo(0);
    deliver(&scene).await;
    scene.fate(&taken, DeliveryState::Sent).await;
    let fields = json!({"text": "Да", "reply_to": {"mid": scene.provider.sent()[0]["mid"]}});
    scene.provider.sends(ANNA, fields);
    deliver(&scene).await;
    assert_eq!(scene.olga.hears("Да").await.reply_to_message_id, taken.id);
    // What somebody writes there is theirs, and what another program says.
    scene.provider.types_there(ANNA, "Из Business Suite");
    deliver(&scene).await;
    let shown = scene.olga.hears("Из Business Suite").await;
    assert_eq!(shown.direction(), pb::Direction::Outbound);
    assert_eq!(shown.operator_id, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn instagram_s_echoes_have_no_name_of_ours_and_are_known_by_their_words() {
    let mut scene = scene::<true>().await;
    // A Russian letter is two bytes: three parts.
    let sentence = |word: &str| format!("{}.", format!("{word} ").repeat(70).trim_end());
    let long = ["первая", "вторая", "третья"].map(sentence).join(" ");
    let whole = scene.says("a-1", &long).await;
    scene.fate(&whole, DeliveryState::Sent).await;
    assert_eq!(scene.provider.sent().len(), 3);
    for part in 0..3 {
        scene.provider.echo(part);
    }
    assert_eq!(all(&mut scene).await.len(), 3);

    // Of two parts the last is in doubt, until its echo comes.
    let long = ["первая", "вторая"].map(sentence).join(" ");
    let desk = &scene.provider.desk;
    let mut met = 0;
    desk.plan(move |name, _| {
        met += usize::from(name == "messages");
        (name == "messages" && met == 2).then_some(Fault::DoneAndDropped)
    });
    let doubtful = scene.says("a-2", &long).await;
    scene.fate(&doubtful, DeliveryState::Uncertain).await;
    assert_eq!(scene.provider.sent().len(), 5);
    scene.provider.echo(3);
    scene.provider.echo(4);
    deliver(&scene).await;
    scene.fate(&doubtful, DeliveryState::Sent).await;
    let ours = scene.messages().await;
    let ours = ours
        .iter()
        .filter(|one| one.direction() == pb::Direction::Outbound);
    assert_eq!(ours.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_app_answers_asks_nobody_until_it_hands_over() {
    let mut scene = scene::<false>().await;
    let standby = async |scene: &Scene<Messenger>, event: Value| {
        scene.brings(&Messenger::notice(&[event], "standby")).await;
    };
    // Anna's conversation is there: what she tells the bot is shown in it.
    let words = scene.provider.message(ANNA, json!({"text": "Меню"}));
    standby(&scene, words).await;
    let shown = scene.olga.hears("Меню").await;
    assert_eq!(shown.direction(), pb::Direction::Inbound);
    // Boris is the bot's alone, until it has enough.
    let boris = Messenger::client(2);
    let words = scene
        .provider
        .message(&boris, json!({"text": "Привет, бот"}));
    standby(&scene, words).await;
    scene.hears(ANNA, "конец").await;
    scene.nobody_else_waits(1).await;
    let handover = json!({"new_owner_app_id": 7, "metadata": "просит человека"});
    let event = scene
        .provider
        .event(&boris, "pass_thread_control", handover);
    scene
        .brings(&Messenger::notice(&[event], "messaging"))
        .await;
    let taken = scene.olga.accept().await;
    let all = scene.olga.messages(&taken.id).await;
    let Some(Content::Postback(pressed)) = &all[0].content else {
        panic!("{all:?}");
    };
    assert_eq!(pressed.payload, "просит человека");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_has_its_own_end() {
    let mut scene = scene::<false>().await;
    let refusal = e2e::providers::messenger::refusal;
    let fail = |scene: &Scene<Messenger>, status, body| {
        scene
            .provider
            .desk
            .fail("messages", Fault::Answer(status, body));
    };
    fail(&scene, 400, refusal(1_200, 0, "Temporary send failure"));
    fail(&scene, 500, refusal(2, 0, "Service unavailable"));
    let first = scene.says("a-1", "first").await;
    let is_sent = |scene: &Scene<Messenger>| !scene.provider.sent().is_empty();
    scene.passes_until("it is sent", 1_000, is_sent).await;
    scene.fate(&first, DeliveryState::Sent).await;

    fail(&scene, 400, refusal(100, 0, "Invalid parameter"));
    let refused = scene.says("a-2", "second").await;
    let failed = scene.fate(&refused, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("Invalid parameter (100)"));

    scene.provider.lose(ANNA);
    let lost = scene.says("a-3", "third").await;
    let failed = scene.fate(&lost, DeliveryState::Failed).await;
    assert!(failed.delivery_error.contains("(551/1545041)"));
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-4", "fourth").await.unwrap_err();
    assert!(refused.message().contains("cannot be reached"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_after_a_day_but_a_person_who_may() {
    let mut scene = scene::<true>().await;
    scene.gateway.clock().advance(25 * HOUR);
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-1", "late").await.unwrap_err();
    assert!(refused.message().contains("24 hours"), "{refused}");

    let provider = Messenger::start().await;
    let mut options = provider.called();
    options.insert("human_agent".to_owned(), true.into());
    let mut scene = Scene::begin(provider, "messenger", options).await;
    scene.provider.ready().await;
    scene.conversation = scene.meets(ANNA).await;
    let early = scene.says("a-1", "early").await;
    scene.fate(&early, DeliveryState::Sent).await;
    scene.gateway.clock().advance(25 * HOUR);
    scene.provider.falls_silent(ANNA);
    let late = scene.says("a-2", "late").await;
    scene.fate(&late, DeliveryState::Sent).await;
    let tags: Vec<Value> = scene
        .provider
        .sent()
        .iter()
        .map(|it| it["tag"].clone())
        .collect();
    assert_eq!(tags, [Value::Null, json!("HUMAN_AGENT")]);
    scene.gateway.clock().advance(6 * 24 * HOUR);
    let id = scene.conversation.clone();
    let refused = scene.olga.say(&id, "a-3", "too late").await.unwrap_err();
    assert!(refused.message().contains("168 hours"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_that_they_are_read_and_answered() {
    let mut scene = scene::<true>().await;
    let last = scene.hears(ANNA, "Ещё").await;
    let read = pb::MarkReadRequest {
        conversation_id: scene.conversation.clone(),
        message_id: last.id,
    };
    scene.olga.inbox.mark_read(read).await.unwrap();
    scene.provider.desk.until_seen("sign", 1).await;
    let typing = pb::SetTypingRequest {
        conversation_id: scene.conversation.clone(),
        active: true,
    };
    scene.olga.inbox.set_typing(typing).await.unwrap();
    let signs = scene.provider.desk.until_seen("sign", 2).await;
    let actions = signs
        .iter()
        .map(|sign| sign.json()["sender_action"].clone());
    let actions: Vec<Value> = actions.collect();
    assert_eq!(actions, ["mark_seen", "typing_on"]);
    assert_eq!(signs[0].json()["recipient"]["id"], ANNA);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_subscription_is_made_and_the_rest_is_checked() {
    let provider = Messenger::start().await;
    // Somebody has subscribed to less.
    provider.is_told_of(&["messages"]);
    let options = provider.called();
    let scene = Scene::begin(provider, "messenger", options).await;
    until("all events are told", || async {
        scene.provider.subscribed().len() > 1
    })
    .await;
    let told = scene.provider.subscribed();
    assert!(told.contains(&"message_echoes".to_owned()), "{told:?}");

    let line = scene.gateway.engine().line(&"messenger".into()).unwrap();
    let checks = line.channel.check().await;
    assert_eq!(checks.len(), 4);
    let is_good = |check: &channels::Check| matches!(check.verdict, Verdict::Good(_));
    assert!(checks.iter().all(is_good), "{checks:?}");
    scene.provider.is_told_of(&["messages"]);
    let doubtful = line.channel.check().await.remove(2).verdict;
    assert!(matches!(doubtful, Verdict::Doubtful(told) if told.contains("message_echoes")));
    scene.provider.revoke(true);
    let bad = line.channel.check().await.remove(0).verdict;
    assert!(matches!(bad, Verdict::Bad(told) if told.contains("(190/463)")));

    let mut wrong = scene.provider.called();
    for (key, value) in [("app_secret", "another-secret-of-ours"), ("page_id", "7")] {
        wrong.insert(key.to_owned(), value.into());
    }
    scene.provider.revoke(false);
    let other = gateway::line_with("other", "messenger", "main", "https://x.example", wrong);
    let checks = other.channel.check().await;
    for (at, told) in [(0, "page_id says 7"), (1, "write app_secret_file anew")] {
        let verdict = &checks[at].verdict;
        assert!(
            matches!(verdict, Verdict::Bad(words) if words.contains(told)),
            "{verdict:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_an_app_takes_its_own() {
    let (messenger, instagram) = (Messenger::start().await, Instagram::start().await);
    let lines = [
        ("page", "messenger", messenger.called()),
        ("account", "instagram", instagram.called()),
    ];
    let gateway = e2e::TestGateway::start_with(move |settings| {
        for (id, kind, mut options) in lines.clone() {
            options.insert("hook".to_owned(), "app".into());
            let url = settings.public_url.clone();
            let line = gateway::line_with(id, kind, "main", &url, options);
            settings.lines.push(line);
        }
    })
    .await;
    let mut olga = gateway.ready_operator("olga").await;
    let hook = format!("{}/hooks/app", gateway.url());
    messenger.says(ANNA, "to the page");
    messenger.deliver(&hook).await;
    let page = olga.accept().await;
    instagram.says(ANNA, "to the account");
    instagram.deliver(&hook).await;
    let account = olga.accept().await;
    assert_eq!(page.last_message_text, "to the page");
    assert_eq!(account.last_message_text, "to the account");
    olga.say(&account.id, "a-1", "Hi").await.unwrap();
    instagram.desk.until_seen("messages", 1).await;
    assert!(messenger.desk.seen("messages").is_empty());

    let ask = async |query: &str| {
        let path = format!("/hooks/app?hub.mode=subscribe&hub.challenge=1158201444{query}");
        let request = http::request(::http::Method::GET, &path, None);
        let request = request.body("".into()).unwrap();
        let answer = http::send(&gateway.url(), request).await;
        (answer.status.as_u16(), answer.text())
    };
    let good = ask(&format!("&hub.verify_token={VERIFY_TOKEN}")).await;
    assert_eq!(good, (200, "1158201444".to_owned()));
    assert_eq!(ask("&hub.verify_token=another-word-of-16").await.0, 403);
    assert_eq!(ask("").await.0, 403);
}
