//! Letters find their thread in the order of trust, however they came to the gateway:
//! here by a program outside, which tells their envelopes.

use e2e::operator::text_of;
use e2e::{Bridge, OperatorClient, TestGateway, bridge};
use proto::channels::v1 as channels;
use proto::channels::v1::letter::{Automatic, Warning};
use proto::contacts::v1 as contacts;
use proto::inbox::v1 as pb;

/// A letter of somebody; what it refers to, the oldest first.
fn letter(from: &str, name: &str, text: &str, references: &[&str]) -> channels::Inbound {
    let unique = format!("{name} {text}");
    channels::Inbound {
        event_key: unique.clone(),
        message_id: unique.clone(),
        thread_key: unique,
        thread: Some(channels::Thread {
            subject: "Where is it?".to_owned(),
            references: references.iter().map(ToString::to_string).collect(),
            ..Default::default()
        }),
        sender: Some(channels::Sender {
            identities: vec![contacts::Identity {
                kind: "email".to_owned(),
                value: from.to_owned(),
                trust: contacts::Trust::Asserted.into(),
                ..Default::default()
            }],
            display_name: from.to_owned(),
            ..Default::default()
        }),
        letter: Some(channels::Letter {
            message_id: name.to_owned(),
            subject: "Where is it?".to_owned(),
            from: Some(channels::LetterAddress {
                name: String::new(),
                address: from.to_owned(),
            }),
            ..Default::default()
        }),
        ..bridge::message(from, name, text)
    }
}

fn claimed(mut letter: channels::Inbound) -> channels::Inbound {
    for identity in &mut letter.sender.as_mut().unwrap().identities {
        identity.set_trust(contacts::Trust::Claimed);
    }
    letter
}

fn automatic(mut letter: channels::Inbound, why: Automatic) -> channels::Inbound {
    letter.letter.as_mut().unwrap().set_automatic(why);
    letter
}

struct Scene {
    gateway: TestGateway,
    bridge: Bridge,
    anna: OperatorClient,
    conversation: pb::Conversation,
}

/// A client wrote, and Anna has it.
async fn scene() -> Scene {
    let gateway = TestGateway::start().await;
    let bridge = Bridge::connect(&gateway).await;
    let mut anna = gateway.ready_operator("anna").await;
    let first = letter("vera@client.example", "one@client", "first", &[]);
    bridge.push(first).await.unwrap();
    let conversation = anna.accept().await;
    assert_eq!(conversation.subject, "Where is it?");
    Scene {
        gateway,
        bridge,
        anna,
        conversation,
    }
}

impl Scene {
    /// Pushes a letter and waits until it is shown.
    async fn comes(&mut self, letter: channels::Inbound) -> pb::Message {
        let text = match &letter.content {
            Some(channels::inbound::Content::Text(text)) => text.plain.clone(),
            other => panic!("{other:?}"),
        };
        self.bridge.push(letter).await.unwrap();
        self.anna.hears(&text).await
    }

    /// With whom the conversation is whose last words these are.
    async fn client_of(&mut self, text: &str) -> pb::ContactSummary {
        let listed = self.anna.list(pb::Folder::AllOpen).await.conversations;
        let mut found = listed.into_iter().filter(|it| it.last_message_text == text);
        found.next().unwrap().contact.unwrap()
    }

    fn is_here(&self, message: &pb::Message) -> bool {
        message.conversation_id == self.conversation.id
    }
}

fn warnings(message: &pb::Message) -> Vec<Warning> {
    message.letter.clone().unwrap().warnings().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_joins_the_one_it_answers_and_no_other() {
    let mut scene = scene().await;
    let vera = "vera@client.example";
    let more = scene
        .comes(letter(vera, "two@client", "second", &["one@client"]))
        .await;
    assert!(scene.is_here(&more));
    assert_eq!(warnings(&more), []);
    // It names only what came between.
    let later = scene
        .comes(letter(vera, "three@client", "third", &["two@client"]))
        .await;
    assert!(scene.is_here(&later));
    // The same subject of the same person joins nothing.
    let other = scene
        .comes(letter(vera, "four@client", "fourth", &[]))
        .await;
    assert!(!scene.is_here(&other));
    // Nor does a name that nobody knows.
    let unknown = scene
        .comes(letter(vera, "five@client", "fifth", &["nobody@knows"]))
        .await;
    assert!(!scene.is_here(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_who_writes_their_name_otherwise_is_the_same() {
    let mut scene = scene().await;
    let boris = "boris@client.example";
    let mut first = claimed(letter(boris, "b1@client", "from the desk", &[]));
    first.sender.as_mut().unwrap().display_name = "Boris Orlov".to_owned();
    scene.comes(first).await;
    let before = scene.client_of("from the desk").await;
    let second = claimed(letter(boris, "b2@client", "from the phone", &["b1@client"]));
    scene.comes(second).await;
    assert_eq!(scene.client_of("from the phone").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_s_letter_s_name_admits_nobody_else() {
    let mut scene = scene().await;
    let mallory = letter(
        "mallory@evil.example",
        "m@evil",
        "I am Vera",
        &["one@client"],
    );
    let shown = scene.comes(mallory).await;
    assert!(!scene.is_here(&shown));
    // Her own address, that nobody vouches for, is not hers where it was vouched for.
    let forged = claimed(letter(
        "vera@client.example",
        "f@evil",
        "forged",
        &["one@client"],
    ));
    let shown = scene.comes(forged).await;
    assert!(!scene.is_here(&shown));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_of_two_letters_and_one_letter_twice() {
    let mut scene = scene().await;
    let vera = "vera@client.example";
    let again = channels::Inbound {
        event_key: "another mailbox".to_owned(),
        ..letter(vera, "one@client", "first", &[])
    };
    scene.bridge.push(again).await.unwrap();
    let namesake = scene
        .comes(letter(vera, "one@client", "other words", &[]))
        .await;
    assert!(!scene.is_here(&namesake));
    let id = scene.conversation.id.clone();
    let messages = scene.anna.messages(&id).await;
    assert_eq!(messages.len(), 1, "{messages:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_wrote_opens_nothing() {
    let mut scene = scene().await;
    let id = scene.conversation.id.clone();
    scene.anna.finish(&id).await.unwrap();
    let vera = "vera@client.example";
    let away = letter(vera, "away@client", "I am away", &["one@client"]);
    let shown = scene.comes(automatic(away, Automatic::Reply)).await;
    assert!(scene.is_here(&shown));
    let request = pb::GetConversationRequest {
        conversation_id: id,
    };
    let answer = scene.anna.inbox.get_conversation(request).await.unwrap();
    let conversation = answer.into_inner().conversation.unwrap();
    assert_eq!(conversation.state(), pb::ConversationState::Closed);
    assert_eq!(conversation.last_message_text, "I am away");
    // A person's letter opens it anew.
    let person = scene
        .comes(letter(vera, "two@client", "second", &["one@client"]))
        .await;
    assert!(!scene.is_here(&person));
    let next = scene.anna.accept().await;
    assert_eq!(person.conversation_id, next.id);
    assert_eq!(text_of(&scene.anna.messages(&next.id).await[0]), "second");
    assert_eq!(scene.gateway.engine().settings().lines.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_an_unknown_letter_is_shown() {
    let mut scene = scene().await;
    let bounce = channels::Inbound {
        content: Some(channels::inbound::Content::Bounce(channels::Bounce {
            target_message_id: "never-sent@here".to_owned(),
            permanent: true,
            reason: "550 no such user".to_owned(),
            recipient: "nobody@client.example".to_owned(),
        })),
        ..letter("mailer-daemon@client.example", "b@client", "", &[])
    };
    scene.bridge.push(bounce).await.unwrap();
    let shown = scene.anna.hears("550 no such user").await;
    assert!(!scene.is_here(&shown));
}
