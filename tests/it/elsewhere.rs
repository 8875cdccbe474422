//! What providers tell of more than one message, and of what was written by us in their
//! own apps: here by a program outside, which tells it in our own words.

use e2e::operator::text_of;
use e2e::{Bridge, OperatorClient, TestGateway, bridge};
use proto::channels::v1 as channels;
use proto::channels::v1::DeliveryState;
use proto::channels::v1::inbound::Content;
use proto::inbox::v1 as pb;
use proto::inbox::v1::Direction;

struct Scene {
    _gateway: TestGateway,
    bridge: Bridge,
    anna: OperatorClient,
    conversation: String,
}

/// Li wrote, and Anna has it.
async fn scene() -> Scene {
    let gateway = TestGateway::start().await;
    let bridge = Bridge::connect(&gateway).await;
    let mut anna = gateway.ready_operator("anna").await;
    bridge.says("li", "m-1", "Hello").await;
    let conversation = anna.accept().await.id;
    Scene {
        _gateway: gateway,
        bridge,
        anna,
        conversation,
    }
}

/// The same as somebody of ours wrote it.
fn echo(mut message: channels::Inbound, sent_id: &str) -> channels::Inbound {
    message.echo = Some(channels::Echo {
        sent_id: sent_id.to_owned(),
    });
    message
}

fn part(key: &str, text: &str, file: &str) -> channels::Inbound {
    channels::Inbound {
        album: "summer".to_owned(),
        attachments: vec![channels::Attachment {
            file_name: file.to_owned(),
            media_type: "image/png".to_owned(),
            ..Default::default()
        }],
        ..bridge::message("li", key, text)
    }
}

fn reached(key: &str, state: DeliveryState, until: channels::reached::Until) -> channels::Inbound {
    channels::Inbound {
        content: Some(Content::Reached(channels::Reached {
            state: state.into(),
            until: Some(until),
        })),
        ..bridge::message("li", key, "")
    }
}

impl Scene {
    /// What is in the conversation once a last word has come.
    async fn after(&mut self, key: &str) -> Vec<pb::Message> {
        self.bridge.says("li", key, key).await;
        self.anna.hears(key).await;
        self.anna.messages(&self.conversation.clone()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_an_album_are_one_message() {
    let mut scene = scene().await;
    let parts = ["a", "b", "c"].map(|key| {
        let text = if key == "b" { "From the sea" } else { "" };
        part(key, text, &format!("{key}.png"))
    });
    for inbound in &parts {
        scene.bridge.push(inbound.clone()).await.unwrap();
    }
    // Again under other names, as after a restored subscription.
    for (index, inbound) in parts.into_iter().enumerate() {
        let event_key = format!("again {index}");
        let again = channels::Inbound {
            event_key,
            ..inbound
        };
        scene.bridge.push(again).await.unwrap();
    }
    let shown = scene.after("that is all").await;
    let albums: Vec<&pb::Message> = shown
        .iter()
        .filter(|message| !message.attachments.is_empty())
        .collect();
    assert_eq!(albums.len(), 1, "{albums:#?}");
    assert_eq!(text_of(albums[0]), "From the sea");
    let names: Vec<&str> = albums[0]
        .attachments
        .iter()
        .map(|file| file.file_name.as_str())
        .collect();
    assert_eq!(names, ["a.png", "b.png", "c.png"]);

    // Any part is the message: the last one is answered here.
    let answer = channels::Inbound {
        thread: Some(channels::Thread {
            reply_to_external_id: "li:c".to_owned(),
            ..Default::default()
        }),
        ..bridge::message("li", "d", "The last one")
    };
    let album = albums[0].id.clone();
    scene.bridge.push(answer).await.unwrap();
    let answer = scene.anna.hears("The last one").await;
    assert_eq!(answer.reply_to_message_id, album);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_in_the_provider_s_app_is_in_the_conversation() {
    let mut scene = scene().await;
    let elsewhere = bridge::message("li", "e-1", "From my telephone");
    for _ in 0..2 {
        let pushed = echo(elsewhere.clone(), "");
        scene.bridge.push(pushed).await.unwrap();
    }
    let shown = scene.anna.hears("From my telephone").await;
    assert_eq!(shown.direction(), Direction::Outbound);
    assert_eq!(shown.delivery(), DeliveryState::Sent);
    assert_eq!(shown.operator_id, "");
    let all = scene.after("thanks").await;
    let count = all
        .iter()
        .filter(|message| text_of(message) == "From my telephone")
        .count();
    assert_eq!(count, 1);

    // A client who never wrote has no conversation that it could belong to.
    let stranger = echo(bridge::message("nobody", "e-2", "Dear nobody"), "");
    scene.bridge.push(stranger).await.unwrap();
    let all = scene.after("and now").await;
    assert!(all.iter().all(|message| text_of(message) != "Dear nobody"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echo_of_ours_is_no_second_message() {
    let mut scene = scene().await;
    let id = scene.conversation.clone();
    // Nobody has taken these from the bridge's line yet.
    let named = scene.anna.say(&id, "s-1", "By its name").await.unwrap();
    scene.anna.say(&id, "s-2", "By its words").await.unwrap();
    let by_name = echo(bridge::message("li", "p-1", "By its name"), &named.id);
    let by_words = echo(bridge::message("li", "p-2", "By its words"), "");
    scene.bridge.push(by_name).await.unwrap();
    scene.bridge.push(by_words).await.unwrap();
    // Another thread's message is not theirs to name.
    let foreign = echo(bridge::message("wu", "p-3", "Not mine"), &named.id);
    scene.bridge.push(foreign).await.unwrap();
    let all = scene.after("thanks").await;
    for words in ["By its name", "By its words"] {
        let found: Vec<&pb::Message> = all
            .iter()
            .filter(|message| text_of(message) == words)
            .collect();
        assert_eq!(found.len(), 1, "{words}");
        assert_eq!(found[0].delivery(), DeliveryState::Sent, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_up_to_a_mark_was_read() {
    let mut scene = scene().await;
    let id = scene.conversation.clone();
    for number in 1..=3 {
        let key = format!("e-{number}");
        let text = format!("Line {number}");
        let written = echo(bridge::message("li", &key, &text), "");
        scene.bridge.push(written).await.unwrap();
        scene.anna.hears(&text).await;
    }
    scene.anna.say(&id, "s-1", "Not sent yet").await.unwrap();
    let until = channels::reached::Until::MessageId("li:e-2".to_owned());
    let read = reached("r-1", DeliveryState::Read, until);
    scene.bridge.push(read).await.unwrap();
    let all = scene.after("seen").await;
    let of = |words: &str, all: &[pb::Message]| {
        let found = all.iter().find(|message| text_of(message) == words);
        found.unwrap().delivery()
    };
    assert_eq!(of("Line 1", &all), DeliveryState::Read);
    assert_eq!(of("Line 2", &all), DeliveryState::Read);
    assert_eq!(of("Line 3", &all), DeliveryState::Sent);
    assert_eq!(of("Not sent yet", &all), DeliveryState::Queued);

    let now = engine::contacts::convert::timestamp(engine::clock::now());
    let until = channels::reached::Until::Time(now);
    let delivered = reached("r-2", DeliveryState::Delivered, until);
    scene.bridge.push(delivered).await.unwrap();
    let all = scene.after("and the rest").await;
    assert_eq!(of("Line 1", &all), DeliveryState::Read);
    assert_eq!(of("Line 3", &all), DeliveryState::Delivered);
    assert_eq!(of("Not sent yet", &all), DeliveryState::Queued);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_program_answers_is_shown_and_asks_nobody() {
    let mut scene = scene().await;
    let aside = |who: &str, key: &str| channels::Inbound {
        aside: true,
        ..bridge::message(who, key, key)
    };
    scene.bridge.push(aside("li", "Menu")).await.unwrap();
    scene.bridge.push(aside("wu", "Hi, bot")).await.unwrap();
    let shown = scene.after("that is all").await;
    let texts: Vec<&str> = shown.iter().map(text_of).collect();
    assert_eq!(texts, ["Hello", "Menu", "that is all"]);
    assert_eq!(shown[1].direction(), Direction::Inbound);
    let open = scene.anna.list(pb::Folder::AllOpen).await;
    assert_eq!(open.conversations.len(), 1);

    // An ended conversation stays so.
    let id = scene.conversation.clone();
    scene.anna.finish(&id).await.unwrap();
    scene.bridge.push(aside("li", "Menu again")).await.unwrap();
    scene.anna.hears("Menu again").await;
    let open = scene.anna.list(pb::Folder::AllOpen).await;
    assert_eq!(open.conversations.len(), 0);
    let mut wrong = reached(
        "li-r",
        DeliveryState::Read,
        channels::reached::Until::MessageId("m-1".to_owned()),
    );
    wrong.aside = true;
    let refused = scene.bridge.push(wrong).await.unwrap_err();
    assert!(refused.message().contains("aside: "), "{refused}");
}
