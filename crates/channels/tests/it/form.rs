//! `POST /forms/{line_id}` as pages and programs call it.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use channels::Channel;
use channels::host::Act;
use domain::identity::Trust;
use domain::message::{Content, InboundKind};
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::host::{FakeHost, channel, events, router};

const SHOP: &str = r#"origins = ["https://shop.example"]"#;
const BOUNDARY: &str = "multipart/form-data; boundary=XX";

struct Site {
    channel: Arc<dyn Channel>,
    host: Arc<FakeHost>,
}

impl Site {
    fn new(options: &str) -> Self {
        Self {
            channel: channel("form", options),
            host: FakeHost::new(),
        }
    }

    async fn post(&self, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
        let mut request = Request::post("/forms/form");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        router(&self.channel, &self.host)
            .oneshot(request)
            .await
            .unwrap()
    }

    async fn json(&self, body: Value) -> (StatusCode, Value) {
        let headers = [("content-type", "application/json")];
        read(self.post(&headers, body.to_string()).await).await
    }
}

async fn read(response: Response<Body>) -> (StatusCode, Value) {
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_submission_becomes_a_message_with_claims() {
    let site = Site::new("");
    let body = json!({"name": "Анна", "email": "Anna@Example.COM", "phone": "8 (912) 345-67-89",
        "message": "Where is it?", "order": 17, "subject": "Order"});
    let (status, answer) = site.json(body).await;
    assert_eq!((status, &answer["ok"]), (StatusCode::OK, &json!(true)));
    let events = events(&site.channel, &site.host);
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(json!(event.thread_key), answer["submission_id"]);
    let known: Vec<_> = event
        .sender
        .identities
        .iter()
        .map(|identity| {
            (
                identity.kind.as_str(),
                identity.value.as_str(),
                identity.trust,
            )
        })
        .collect();
    let id = event.thread_key.as_str();
    assert_eq!(
        known,
        [
            ("form", id, Trust::Proven),
            ("email", "Anna@example.com", Trust::Claimed),
            ("phone", "+79123456789", Trust::Claimed),
        ]
    );
    assert_eq!(event.thread.subject.as_deref(), Some("Order"));
    let InboundKind::Message(Content::Text(text)) = &event.kind else {
        panic!("{event:?}")
    };
    assert_eq!(text.plain, "Where is it?\n\norder: 17");
}

#[tokio::test]
async fn a_submission_sent_twice_is_one() {
    let site = Site::new("");
    let body = json!({"message": "x", "submission_id": "C0FFEE00-0000-4000-8000-000000000001"});
    let first = site.json(body.clone()).await;
    assert_eq!(first, site.json(body).await);
    assert_eq!(
        first.1["submission_id"],
        "c0ffee00-0000-4000-8000-000000000001"
    );
    assert_eq!(site.host.journal().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_told_by_code_and_field() {
    let site = Site::new("consent = true\nrequired = [\"name\"]");
    let many: Value = (0..51)
        .map(|n| (format!("f{n}"), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (body, code, field) in [
        (json!({"name": "A"}), "consent_required", json!("consent")),
        (
            json!({"consent": false, "name": "A"}),
            "consent_required",
            json!("consent"),
        ),
        (json!({"consent": true}), "required", json!("name")),
        (
            json!({"consent": true, "name": " "}),
            "required",
            json!("name"),
        ),
        (
            json!({"consent": true, "name": "A", "submission_id": "1"}),
            "submission_id",
            json!("submission_id"),
        ),
        (
            json!({"consent": true, "name": {"a": 1}}),
            "not_a_value",
            json!("name"),
        ),
        (
            json!({"message": "x".repeat(16_385)}),
            "value_too_long",
            json!("message"),
        ),
        (many, "too_many_fields", Value::Null),
        (json!([]), "malformed", Value::Null),
    ] {
        let (status, answer) = site.json(body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            (&answer["error"]["code"], &answer["error"]["field"]),
            (&json!(code), &field)
        );
    }
    assert!(site.host.journal().is_empty());
    let (_, nothing) = Site::new("").json(json!({"consent": "yes"})).await;
    assert_eq!(nothing["error"]["code"], "empty");
    let plain = site.post(&[("content-type", "text/plain")], "x").await;
    assert_eq!(plain.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = vec![b' '; (1 << 20) + 1];
    let large = site
        .post(&[("content-type", "application/json")], large)
        .await;
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn only_listed_sites_may_submit() {
    let site = Site::new(SHOP);
    let form = "application/x-www-form-urlencoded";
    for (origin, status) in [
        ("https://shop.example", StatusCode::OK),
        ("https://evil.example", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
    ] {
        let headers = [("content-type", form), ("origin", origin)];
        let answer = site.post(&headers, "message=hi").await;
        assert_eq!(answer.status(), status, "{origin}");
        let allowed = answer.headers().get("access-control-allow-origin");
        assert_eq!(allowed.is_some(), status == StatusCode::OK, "{origin}");
        assert!(
            !answer
                .headers()
                .contains_key("access-control-allow-credentials")
        );
    }
    let server = site.post(&[("content-type", form)], "message=hi").await;
    assert_eq!(server.status(), StatusCode::OK);
    let strict = Site::new(&format!("{SHOP}\nallow_no_origin = false"));
    let server = strict.post(&[("content-type", form)], "message=hi").await;
    assert_eq!(server.status(), StatusCode::FORBIDDEN);
    let ask = Request::options("/forms/form")
        .header("origin", "https://shop.example")
        .body(Body::empty())
        .unwrap();
    let answer = router(&site.channel, &site.host)
        .oneshot(ask)
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(answer.headers()["access-control-allow-methods"], "POST");
}

#[tokio::test]
async fn a_page_is_sent_on_and_a_program_is_answered() {
    let site = Site::new(&format!(
        "{SHOP}\nredirect = \"https://shop.example/thanks\""
    ));
    let form = ("content-type", "application/x-www-form-urlencoded");
    let page = site
        .post(&[form, ("accept", "text/html,*/*")], "message=hi")
        .await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert_eq!(page.headers()["location"], "https://shop.example/thanks");
    let program = site
        .post(&[form, ("accept", "application/json")], "message=hi")
        .await;
    assert_eq!(program.status(), StatusCode::OK);
}

#[tokio::test]
async fn files_come_by_multipart_within_limits() {
    let site = Site::new("file_bytes_max = 10");
    let part = |name: &str, file: &str, content: &str| {
        format!(
            "--XX\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n"
        )
    };
    let end = "--XX--\r\n";
    let file = part("photo", "; filename=\"../../a b.png\"", "0123456789");
    let none = part("other", "; filename=\"\"", "");
    let body = part("message", "", "hi") + &file + &none + end;
    let answer = site.post(&[("content-type", BOUNDARY)], body).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let event = events(&site.channel, &site.host).remove(0);
    assert_eq!(event.attachments[0].size_bytes, 10);
    assert_eq!(event.attachments[0].file_name, "a b.png");
    assert_eq!(site.host.files().len(), 1);

    for (body, code) in [
        (
            part("photo", "; filename=\"a\"", "01234567890") + end,
            "refused",
        ),
        (file.repeat(6) + end, "too_many_files"),
        (
            part("message", "", &"x".repeat(16_385)) + end,
            "value_too_long",
        ),
        (part("message", "", "never ends"), "malformed"),
        ("garbage".to_owned(), "malformed"),
    ] {
        let answer = read(site.post(&[("content-type", BOUNDARY)], body).await).await;
        assert_eq!(answer.1["error"]["code"], code, "{answer:?}");
    }
    assert_eq!(site.host.journal().len(), 1);
}

#[tokio::test]
async fn programs_that_fill_everything_are_dropped_silently() {
    let site = Site::new("");
    let (status, answer) = site.json(json!({"message": "buy", "_honeypot": "x"})).await;
    assert_eq!((status, &answer["ok"]), (StatusCode::OK, &json!(true)));
    assert!(site.host.journal().is_empty());
}

#[tokio::test]
async fn nothing_is_told_as_taken_that_is_not_durable() {
    let site = Site::new("");
    site.host.set_busy(true);
    let headers = [("content-type", "application/json")];
    let busy = site.post(&headers, r#"{"message":"x"}"#).await;
    assert_eq!(busy.headers()["retry-after"], "2");
    let (status, answer) = read(busy).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.to_string().contains("disk"));
    site.host.set_busy(false);
    site.host.deny(Some(Act::Begin));
    let (status, _) = site.json(json!({"message": "x"})).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}
