//! Signed identities and files over a real connection.

use axum::body::{Body, to_bytes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::identity::Trust;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use tower::ServiceExt;

use crate::host::{channel, events, router, setup};
use crate::webchat::{ORIGIN, SHOP, Server};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn signed(claims: &Value) -> String {
    let signed = URL_SAFE_NO_PAD.encode(claims.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!(
        "{signed}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

fn token(jti: &str, aud: &str, exp: i64) -> Value {
    let claims = json!({"aud": aud, "iat": 1_700_000_000, "exp": exp, "jti": jti,
        "user_id": "u-1", "name": "Anna", "email": "anna@b.example"});
    json!({"type": "identify", "token": signed(&claims)})
}

async fn server() -> Server {
    Server::start(&format!("{SHOP}\nidentity_secret = \"{SECRET}\"")).await
}

#[tokio::test]
async fn a_signed_identity_is_proven_and_goes_with_later_messages() {
    let server = server().await;
    let (mut page, _, _) = server.visitor().await;
    let answer = page.ask(&token("j1", "site", 1_700_000_300)).await;
    assert_eq!(answer, json!({"type": "identified", "user_id": "u-1"}));
    page.ask(&json!({"type": "message", "client_id": "c1", "text": "x"}))
        .await;
    let events = events(&server.channel, &server.host);
    let [event] = events.as_slice() else {
        panic!("{events:?}")
    };
    let known: Vec<_> = event
        .sender
        .identities
        .iter()
        .map(|identity| (identity.kind.as_str(), identity.trust))
        .collect();
    assert_eq!(
        known,
        [
            ("visitor", Trust::Proven),
            ("user", Trust::Proven),
            ("email", Trust::Proven)
        ]
    );
    assert_eq!(event.sender.display_name, "Anna");
    let journal = server.host.journal();
    let raw = String::from_utf8(journal[0].raw.to_vec()).unwrap();
    assert!(!raw.contains(SECRET));
}

#[tokio::test]
async fn bad_tokens_prove_nothing() {
    let server = server().await;
    let (mut page, _, _) = server.visitor().await;
    let alg_none = format!("{}.e30.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#));
    for (frame, code) in [
        (token("j", "other", 1_700_000_300), "identity_not_for_here"),
        (token("j", "site", 1_700_000_000), "identity_expired"),
        (token("j", "site", 1_700_000_360), "identity_expired"),
        (
            json!({"type": "identify", "token": alg_none}),
            "identity_malformed",
        ),
        (
            json!({"type": "identify", "token": "e30.AAAA"}),
            "identity_forged",
        ),
    ] {
        let answer = page.ask(&frame).await;
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("refused"), &json!(code))
        );
    }
    page.ask(&json!({"type": "message", "client_id": "c1", "text": "x"}))
        .await;
    let event = events(&server.channel, &server.host).remove(0);
    assert_eq!(event.sender.identities.len(), 1);

    let plain = Server::start(SHOP).await;
    let (mut page, _, _) = plain.visitor().await;
    let answer = page.ask(&token("j", "site", 1_700_000_300)).await;
    assert_eq!(answer["code"], "identity_not_configured");
}

#[tokio::test]
async fn a_token_is_good_for_one_visitor_on_every_node() {
    let server = server().await;
    let identify = token("j1", "site", 1_700_000_300);
    let (mut first, _, mine) = server.visitor().await;
    assert_eq!(first.ask(&identify).await["type"], "identified");
    let (mut thief, _, _) = server.visitor().await;
    assert_eq!(thief.ask(&identify).await["code"], "identity_replayed");
    let (mut again, _) = server.hello(json!({"token": mine})).await;
    again.next().await;
    assert_eq!(again.ask(&identify).await["type"], "identified");
    let options = format!("{SHOP}\nidentity_secret = \"{SECRET}\"");
    let other_node = router(&channel("webchat", &options), &server.host);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, other_node).await });
    let other_node = Server { address, ..server };
    let (mut thief, _, _) = other_node.visitor().await;
    assert_eq!(thief.ask(&identify).await["code"], "identity_replayed");
}

#[tokio::test]
async fn one_connection_is_one_user() {
    let server = server().await;
    let (mut page, _, _) = server.visitor().await;
    page.ask(&token("j1", "site", 1_700_000_300)).await;
    let claims = json!({"aud": "site", "iat": 1_700_000_000, "exp": 1_700_000_300, "jti": "j2", "user_id": "u-2"});
    let other = json!({"type": "identify", "token": signed(&claims)});
    assert_eq!(page.ask(&other).await["code"], "identity_not_for_here");
}

#[test]
fn a_short_secret_does_not_start() {
    let kind = channels::registry::find("webchat").unwrap();
    let problems = (kind.build)(&setup(
        "webchat",
        "identity_secret = \"short\"\ncolor = \"red\"",
    ))
    .err();
    let keys: Vec<_> = problems
        .unwrap()
        .into_iter()
        .map(|problem| problem.key)
        .collect();
    assert_eq!(keys, ["identity_secret", "color"]);
}

async fn upload(server: &Server, headers: &[(&str, &str)], body: &str) -> (StatusCode, Value) {
    let mut request = Request::post("/chat/site/files");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = router(&server.channel, &server.host)
        .oneshot(request)
        .await
        .unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_file_is_stored_and_then_named() {
    let server = Server::start(&format!("{SHOP}\nfile_bytes_max = 10")).await;
    let (mut page, _, mine) = server.visitor().await;
    let bearer = format!("Bearer {mine}");
    let raw = [
        ("origin", ORIGIN),
        ("authorization", bearer.as_str()),
        ("x-file-name", "%D0%AF.png"),
    ];
    let (status, stored) = upload(&server, &raw, "0123456789").await;
    assert_eq!(
        (status, &stored["file_name"]),
        (StatusCode::CREATED, &json!("Я.png"))
    );
    let message =
        json!({"type": "message", "client_id": "c1", "upload_ids": [stored["upload_id"]]});
    let (mut thief, _, _) = server.visitor().await;
    assert_eq!(
        thief.ask(&message).await["code"],
        "upload_id",
        "somebody else's"
    );
    assert_eq!(page.ask(&message).await["type"], "ack");
    let event = events(&server.channel, &server.host).remove(0);
    assert_eq!(event.attachments[0].size_bytes, 10);

    let form = [
        ("origin", ORIGIN),
        ("authorization", bearer.as_str()),
        ("content-type", "multipart/form-data; boundary=XX"),
    ];
    let part = "--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhi\r\n--XX--\r\n";
    let (status, stored) = upload(&server, &form, part).await;
    assert_eq!(
        (status, &stored["file_name"]),
        (StatusCode::CREATED, &json!("a.txt"))
    );
}

#[tokio::test]
async fn files_are_refused_by_rule() {
    let server = Server::start(&format!("{SHOP}\nfile_bytes_max = 10")).await;
    let (_, _, mine) = server.visitor().await;
    let bearer = format!("Bearer {mine}");
    let good = ("authorization", bearer.as_str());
    let site = ("origin", ORIGIN);
    for (headers, body, status, code) in [
        (vec![good], "x", StatusCode::FORBIDDEN, "origin_denied"),
        (
            vec![good, ("origin", "https://evil.example")],
            "x",
            StatusCode::FORBIDDEN,
            "origin_denied",
        ),
        (vec![site], "x", StatusCode::UNAUTHORIZED, "visitor_token"),
        (
            vec![site, ("authorization", "Bearer x")],
            "x",
            StatusCode::UNAUTHORIZED,
            "visitor_token",
        ),
        (
            vec![site, good],
            "01234567890",
            StatusCode::BAD_REQUEST,
            "refused",
        ),
        (
            vec![
                site,
                good,
                ("content-type", "multipart/form-data; boundary=XX"),
            ],
            "--XX--\r\n",
            StatusCode::BAD_REQUEST,
            "malformed",
        ),
    ] {
        let (told, answer) = upload(&server, &headers, body).await;
        assert_eq!((told, &answer["error"]["code"]), (status, &json!(code)));
    }
    let none = Server::start(&format!("{SHOP}\nfiles = false")).await;
    let (status, _) = upload(&none, &[site, good], "x").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_page_is_told_what_it_needs_and_no_secret() {
    let options = format!(
        "{SHOP}\nidentity_secret = \"{SECRET}\"\ntitle = \"Hi\"\nprechat = [\"email\"]\n[texts.ru]\ntitle = \"Привет\""
    );
    let server = Server::start(&options).await;
    let ask = |origin: Option<&str>| {
        let mut request = Request::get("/chat/site/config");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let request = request.body(Body::empty()).unwrap();
        router(&server.channel, &server.host).oneshot(request)
    };
    let answer = ask(Some(ORIGIN)).await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], ORIGIN);
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    assert!(!String::from_utf8_lossy(&body).contains(SECRET));
    let config: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(config["texts"]["ru"]["title"], "Привет");
    assert_eq!(
        config["prechat"],
        json!([{"name": "email", "required": false}])
    );
    assert_eq!(config["identify"], true);
    assert_eq!(ask(None).await.unwrap().status(), StatusCode::OK);
    assert_eq!(
        ask(Some("https://evil.example")).await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
}
