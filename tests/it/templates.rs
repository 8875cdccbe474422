//! Wordings that a provider has approved: told to the operator, filled, and taken however
//! long the client has been silent.

use std::collections::BTreeMap;

use e2e::operator::text_of;
use e2e::providers::Fault;
use e2e::providers::whatsapp::{ACCOUNT, APP_SECRET, NUMBER, TOKEN, VERIFY_TOKEN, WhatsApp};
use e2e::{OperatorClient, TestGateway, gateway, http};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};
use tonic::{Code, Status};

const ANNA: &str = "79161234567";
const DAYS_MS: i64 = 24 * 60 * 60 * 1_000;

async fn gateway(whatsapp: &WhatsApp) -> TestGateway {
    let url = whatsapp.api_url();
    TestGateway::start_with(move |settings| {
        let url = url.clone();
        let options = toml::toml! {
            phone_number_id = NUMBER
            account_id = ACCOUNT
            token = TOKEN
            app_secret = APP_SECRET
            verify_token = VERIFY_TOKEN
            api_url = url
        };
        let public_url = settings.public_url.clone();
        let line = gateway::line_with("whatsapp", "whatsapp", "main", &public_url, options);
        settings.lines.push(line);
    })
    .await
}

struct Scene {
    whatsapp: WhatsApp,
    gateway: TestGateway,
    olga: OperatorClient,
    conversation: String,
}

fn approved(name: &str, components: &Value) -> Value {
    json!({
        "name": name, "status": "APPROVED", "language": "ru", "category": "UTILITY",
        "components": components, "id": "594425479261596",
    })
}

/// Anna wrote two days ago.
async fn scene() -> Scene {
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
    let gateway = gateway(&whatsapp).await;
    let mut olga = gateway.ready_operator("olga").await;
    whatsapp.says(ANNA, "Здравствуйте!");
    whatsapp
        .deliver(&format!("{}/hooks/whatsapp", gateway.url()))
        .await;
    let conversation = olga.accept().await.id;
    gateway.clock().advance(2 * DAYS_MS);
    Scene {
        whatsapp,
        gateway,
        olga,
        conversation,
    }
}

impl Scene {
    async fn listed(&mut self) -> Result<Vec<pb::Template>, Status> {
        let request = pb::ListTemplatesRequest {
            line_id: "whatsapp".to_owned(),
        };
        let told = self.olga.inbox.list_templates(request).await;
        told.map(|told| told.into_inner().templates)
    }

    async fn sends(
        &mut self,
        name: &str,
        values: &[(&str, &str)],
        uploads: &[String],
    ) -> Result<pb::Message, Status> {
        let told = values
            .iter()
            .map(|(id, value)| ((*id).to_owned(), (*value).to_owned()));
        let values: BTreeMap<String, String> = told.collect();
        let request = pb::SendMessageRequest {
            conversation_id: self.conversation.clone(),
            client_id: format!("{name} {values:?} {uploads:?}")
                .chars()
                .take(64)
                .collect(),
            upload_ids: uploads.to_vec(),
            template: Some(pb::TemplateToSend {
                name: name.to_owned(),
                language: "ru".to_owned(),
                values,
            }),
            ..Default::default()
        };
        let sent = self.olga.inbox.send_message(request).await;
        sent.map(tonic::Response::into_inner)
    }

    async fn is_sent(&mut self, message: &pb::Message) {
        let is_it = |of: &pb::Message| of.id == message.id && of.delivery() == DeliveryState::Sent;
        self.olga
            .wait_for("the message is sent", |kind| match kind {
                Kind::MessageChanged(of) if is_it(&of) => Some(()),
                _ => None,
            })
            .await;
    }

    async fn uploads(&self, name: &str, content: &[u8]) -> String {
        let request = http::request(::http::Method::POST, "/uploads", Some(&self.olga.token))
            .header("x-file-name", name)
            .body(content.to_vec().into())
            .unwrap();
        let answer = http::send(&self.gateway.url(), request).await;
        answer.json()["uploadId"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_been_silent_is_written_to_by_a_template() {
    let mut scene = scene().await;
    let id = scene.conversation.clone();
    let late = scene.olga.say(&id, "a-1", "Заказ готов").await.unwrap_err();
    assert!(late.message().contains("24 hours"), "{late}");

    let listed = scene.listed().await.unwrap();
    let names: Vec<_> = listed.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["ready", "picture"]);
    assert_eq!(listed[0].text, "Заказ {{1}} готов, {{2}}.");
    assert_eq!(listed[0].variables[1].example, "Анна");
    assert_eq!(
        (listed[1].takes_file, listed[1].file_kind.as_str()),
        (true, "image/")
    );

    let sent = scene
        .sends("ready", &[("1", "42"), ("2", "Анна\nПетровна")], &[])
        .await
        .unwrap();
    assert_eq!(text_of(&sent), "Заказ 42 готов, Анна Петровна.");
    assert_eq!(sent.buttons, ["Спасибо"]);
    assert_eq!(sent.template.as_ref().unwrap().values["1"], "42");
    scene.is_sent(&sent).await;
    let taken = scene.whatsapp.sent().remove(0);
    assert_eq!(taken["type"], "template");
    assert_eq!(taken["template"]["name"], "ready");
    assert_eq!(taken["template"]["language"], json!({"code": "ru"}));
    let parameters = &taken["template"]["components"][0]["parameters"];
    assert_eq!(parameters[0]["text"], "42");
    assert_eq!(parameters[1]["text"], "Анна Петровна");

    // A press of its button is the client's word, and from then on any words are taken.
    let press = json!({"button": {"payload": "Спасибо", "text": "Спасибо"}});
    scene.whatsapp.sends(ANNA, "button", press);
    scene
        .whatsapp
        .deliver(&format!("{}/hooks/whatsapp", scene.gateway.url()))
        .await;
    let pressed = |kind| match kind {
        Kind::MessageAdded(added) => match added.content {
            Some(pb::message::Content::Postback(press)) => Some(press.title),
            _ => None,
        },
        _ => None,
    };
    assert_eq!(scene.olga.wait_for("the press", pressed).await, "Спасибо");
    let answer = scene.olga.say(&id, "a-2", "Ждём вас").await.unwrap();
    scene.is_sent(&answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_s_picture_goes_above_its_words() {
    let mut scene = scene().await;
    let picture = scene.uploads("new.png", b"\x89PNG\r\n\x1a\n picture").await;
    let text = scene.uploads("note.txt", b"words").await;
    for wrong in [&[][..], std::slice::from_ref(&text)] {
        let refused = scene.sends("picture", &[], wrong).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
    }
    let sent = scene.sends("picture", &[], &[picture]).await.unwrap();
    scene.is_sent(&sent).await;
    let taken = scene.whatsapp.sent().remove(0);
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
        let refused = scene.sends(name, values, &[]).await.unwrap_err();
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
    assert_eq!(scene.whatsapp.sent(), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_does_not_tell_is_asked_again_later() {
    let mut scene = scene().await;
    let desk = &scene.whatsapp.desk;
    desk.fail("message_templates", Fault::Answer(503, json!("<html>")));
    let refused = scene.listed().await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
    assert_eq!(scene.listed().await.unwrap().len(), 2);

    // What it told is good for a while, but a template that is not among it is asked for.
    let asked = scene.whatsapp.desk.seen("message_templates").len();
    assert_eq!(scene.listed().await.unwrap().len(), 2);
    assert_eq!(scene.whatsapp.desk.seen("message_templates").len(), asked);
    let body = json!([{"type": "BODY", "text": "Мы открыты"}]);
    scene.whatsapp.template(approved("open", &body));
    let sent = scene.sends("open", &[], &[]).await.unwrap();
    assert_eq!(text_of(&sent), "Мы открыты");
}
