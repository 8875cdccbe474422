//! Answers offered to a client, to be given by a press.

use e2e::Scene;
use e2e::operator::text_of;
use e2e::providers::{Buttons, Platform};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::message::Content;
use tonic::{Code, Response, Status};

/// As many as may be offered, and as long as they may be.
const ANSWERS: [&str; 10] = [
    "Да",
    "Нет, спасибо",
    "Завтра после обеда?!",
    "🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂",
    "\"5\" < 6 & 7",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
];

pub(crate) async fn offers<P: Platform>(
    scene: &mut Scene<P>,
    client_id: &str,
    text: &str,
    answers: &[&str],
) -> Result<pb::Message, Status> {
    let request = pb::SendMessageRequest {
        conversation_id: scene.conversation.clone(),
        client_id: client_id.to_owned(),
        text: text.to_owned(),
        buttons: answers.iter().map(|answer| (*answer).to_owned()).collect(),
        ..Default::default()
    };
    let sent = scene.olga.inbox.send_message(request).await;
    sent.map(Response::into_inner)
}

pub(super) async fn an_answer_that_is_offered_is_given_by_a_press<P: Buttons>() {
    let mut scene = Scene::<P>::called().await;
    let anna = P::client(0);
    scene.meets(&anna).await;
    for (number, answers) in [&ANSWERS[..2], &ANSWERS].into_iter().enumerate() {
        let name = format!("a-{number}");
        let asked = offers(&mut scene, &name, "Когда вам удобно?", answers).await;
        let asked = asked.unwrap();
        assert_eq!(asked.buttons, answers);
        scene.fate(&asked, DeliveryState::Sent).await;
        assert_eq!(scene.provider.press(&anna, "not offered"), None);
        for answer in answers {
            let press = scene.provider.press(&anna, answer);
            scene.brings(&press.unwrap()).await;
            assert_eq!(given(&mut scene).await, *answer);
        }
    }
}

/// What a client said next, whether or not the platform tells that it was by a press.
async fn given<P: Platform>(scene: &mut Scene<P>) -> String {
    scene
        .olga
        .wait_for("an answer", |kind| match kind {
            Kind::MessageAdded(added) if added.direction() == pb::Direction::Inbound => {
                Some(match &added.content {
                    Some(Content::Postback(press)) => press.title.clone(),
                    _ => text_of(&added).to_owned(),
                })
            }
            _ => None,
        })
        .await
}

pub(super) async fn answers_are_refused<P: Platform>() {
    let mut scene = Scene::<P>::called().await;
    scene.meets(&P::client(0)).await;
    let refused = offers(&mut scene, "a-1", "Когда?", &["Да"])
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_offered_is_refused_before_it_is_sent() {
    let mut scene = Scene::<e2e::providers::telegram::Telegram>::called().await;
    scene.meets("7").await;
    let many: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let long = "x".repeat(21);
    for (text, answers) in [
        ("Which?", &many[..]),
        ("Which?", &[long.as_str()]),
        ("Which?", &["yes", " yes "]),
        ("Which?", &[" "]),
        ("", &["yes"]),
    ] {
        let refused = offers(&mut scene, "a-1", text, answers).await.unwrap_err();
        assert_eq!(
            refused.code(),
            Code::InvalidArgument,
            "{answers:?}: {refused}"
        );
    }
    assert_eq!(scene.provider.given("7"), [] as [String; 0]);
}
