//! Wordings that a provider has approved: told to the operator, filled, and taken however
//! long the client has been silent.

use std::collections::BTreeMap;

use e2e::Scene;
use e2e::operator::text_of;
use e2e::providers::whatsapp::{ACCOUNT, WhatsApp, notice};
use e2e::providers::{Fault, Platform as _};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use serde_json::{Value, json};
use tonic::{Code, Response, Status};

const ANNA: &str = "79161234567";
const DAYS_MS: i64 = 24 * 60 * 60 * 1_000;

fn approved(name: &str, components: &Value) -> Value {
    json!({
        "name": name, "status": "APPROVED", "language": "ru", "category": "UTILITY",
        "components": components, "id": "594425479261596",
    })
}

/// Anna wrote two days ago.
async fn scene() -> Scene<WhatsApp> {
    let whatsapp = WhatsApp::start().await;
    let body = json!([{"type": "BODY", "text": "Заказ {{1}} готов, {{2}}.",
                       "example": {"body_text": [["17", "Анна"]]}},
                      {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Спасибо"}]}]);
    whatsapp.template(approved("ready", &body));
    let mut rejected = approved("rejected", &body);
    rejected["status"] = json!("REJECTED");
    whatsapp.template(rejected);
    whatsapp.template(approved(
        "picture",
        &json!([{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Новинка"}]),
    ));
    let mut options = whatsapp.called();
    options.insert("account_id".to_owned(), ACCOUNT.into());
    let mut scene = Scene::begin(whatsapp, "whatsapp", options).await;
    scene.meets(ANNA).await;
    scene.gateway.clock().advance(2 * DAYS_MS);
    scene
}

async fn listed(scene: &mut Scene<WhatsApp>) -> Result<Vec<pb::Template>, Status> {
    let request = pb::ListTemplatesRequest {
        line_id: "whatsapp".to_owned(),
    };
    let told = scene.olga.inbox.list_templates(request).await;
    told.map(|told| told.into_inner().templates)
}

async fn sends(
    scene: &mut Scene<WhatsApp>,
    name: &str,
    values: &[(&str, &str)],
    uploads: &[String],
) -> Result<pb::Message, Status> {
    let told = values.iter();
    let told = told.map(|(id, value)| ((*id).to_owned(), (*value).to_owned()));
    let request = pb::SendMessageRequest {
        conversation_id: scene.conversation.clone(),
        client_id: name.to_owned(),
        upload_ids: uploads.to_vec(),
        template: Some(pb::TemplateToSend {
            name: name.to_owned(),
            language: "ru".to_owned(),
            values: told.collect(),
        }),
        ..Default::default()
    };
    let sent = scene.olga.inbox.send_message(request).await;
    sent.map(Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_been_silent_is_written_to_by_a_template() {
    let mut scene = scene().await;
    let id = scene.conversation.clone();
    let late = scene.olga.say(&id, "a-1", "Заказ готов").await.unwrap_err();
    assert!(late.message().contains("24 hours"), "{late}");

    let listed = listed(&mut scene).await.unwrap();
    let names: Vec<_> = listed.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["ready", "picture"]);
    assert_eq!(listed[0].text, "Заказ {{1}} готов, {{2}}.");
    assert_eq!(listed[0].variables[1].example, "Анна");
    assert_eq!(
        (listed[1].takes_file, listed[1].file_kind.as_str()),
        (true, "image/")
    );

    let sent = sends(
        &mut scene,
        "ready",
        &[("1", "42"), ("2", "Анна\nПетровна")],
        &[],
    )
    .await
    .unwrap();
    assert_eq!(text_of(&sent), "Заказ 42 готов, Анна Петровна.");
    assert_eq!(sent.buttons, ["Спасибо"]);
    assert_eq!(sent.template.as_ref().unwrap().values["1"], "42");
    scene.fate(&sent, DeliveryState::Sent).await;
    let taken = scene.provider.sent().remove(0);
    assert_eq!(taken["type"], "template");
    assert_eq!(taken["template"]["name"], "ready");
    assert_eq!(taken["template"]["language"], json!({"code": "ru"}));
    let parameters = &taken["template"]["components"][0]["parameters"];
    assert_eq!(parameters[0]["text"], "42");
    assert_eq!(parameters[1]["text"], "Анна Петровна");

    // A press of its button is the client's word, and from then on any words are taken.
    let now = scene.gateway.clock().now().0 / 1_000;
    let press = json!({"button": {"payload": "Спасибо", "text": "Спасибо"},
        "timestamp": now.to_string()});
    let press = scene.provider.message(ANNA, "button", press);
    scene.brings(&notice(&[press])).await;
    assert_eq!(scene.pressed().await.0, "Спасибо");
    let answer = scene.olga.say(&id, "a-2", "Ждём вас").await.unwrap();
    scene.fate(&answer, DeliveryState::Sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_s_picture_goes_above_its_words() {
    let mut scene = scene().await;
    let picture = scene.uploads("new.png", b"\x89PNG\r\n\x1a\n picture").await;
    let text = scene.uploads("note.txt", b"words").await;
    for wrong in [&[][..], std::slice::from_ref(&text)] {
        let refused = sends(&mut scene, "picture", &[], wrong).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
    let sent = sends(&mut scene, "picture", &[], &[picture]).await.unwrap();
    scene.fate(&sent, DeliveryState::Sent).await;
    let taken = scene.provider.sent().remove(0);
    let header = &taken["template"]["components"][0];
    assert_eq!(header["type"], "header");
    assert!(
        header["parameters"][0]["image"]["id"].is_string(),
        "{taken}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_whole_is_not_sent() {
    let mut scene = scene().await;
    for (name, values) in [
        ("ready", &[("1", "42")][..]),
        ("ready", &[("1", "42"), ("2", " \n ")]),
        ("rejected", &[("1", "42"), ("2", "Anna")]),
        ("unknown", &[]),
    ] {
        let refused = sends(&mut scene, name, values, &[]).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{name}: {refused}");
    }
    let with_words = pb::SendMessageRequest {
        conversation_id: scene.conversation.clone(),
        client_id: "both".to_owned(),
        text: "and words".to_owned(),
        template: Some(pb::TemplateToSend {
            name: "picture".to_owned(),
            language: "ru".to_owned(),
            values: BTreeMap::new(),
        }),
        ..Default::default()
    };
    let refused = scene.olga.inbox.send_message(with_words).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    assert_eq!(scene.provider.sent(), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_tell_is_asked_again_later() {
    let mut scene = scene().await;
    let desk = &scene.provider.desk;
    desk.fail("message_templates", Fault::Answer(503, json!("<html>")));
    let refused = listed(&mut scene).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    assert_eq!(listed(&mut scene).await.unwrap().len(), 2);

    // What it told is good for a while, but a template that is not among it is asked for.
    let asked = scene.provider.desk.seen("message_templates").len();
    assert_eq!(listed(&mut scene).await.unwrap().len(), 2);
    assert_eq!(scene.provider.desk.seen("message_templates").len(), asked);
    let body = json!([{"type": "BODY", "text": "Мы открыты"}]);
    scene.provider.template(approved("open", &body));
    let sent = sends(&mut scene, "open", &[], &[]).await.unwrap();
    assert_eq!(text_of(&sent), "Мы открыты");
}
