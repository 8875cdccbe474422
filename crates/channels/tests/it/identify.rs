//! Signed identities and files over a real connection.

use axum::body::{Body, to_bytes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use channels::host::ThreadSignal;
use domain::identity::Trust;
use domain::message::InboundKind;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use tower::ServiceExt;

use crate::host::{channel, events, router, setup};
use crate::webchat::{ORIGIN, Page, SHOP, Server};

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

fn identify(user_id: &str, jti: &str) -> Value {
    let claims = json!({"aud": "site", "iat": 1_700_000_000, "exp": 1_700_000_300,
        "jti": jti, "user_id": user_id});
    json!({"type": "identify", "token": signed(&claims)})
}

async fn server() -> Server {
    Server::start(&format!("{SHOP}\nidentity_secret = \"{SECRET}\"")).await
}

#[tokio::test]
async fn a_signed_identity_is_proven_and_goes_with_later_messages() {
    let server = server().await;
    let (mut page, id, _) = server.visitor().await;
    let mut answer = page.ask(&token("j1", "site", 1_700_000_300)).await;
    assert!(answer["session"].take().is_string());
    assert_eq!(
        answer,
        json!({"type": "identified", "user_id": "u-1", "visitor_id": id, "cursor": 0, "session": null})
    );
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
    let (mut page, id, _) = server.visitor().await;
    page.ask(&identify("u-1", "j1")).await;
    let other = identify("u-2", "j2");
    assert_eq!(page.ask(&other).await["code"], "identity_not_for_here");
    let again = page.ask(&identify("u-1", "j3")).await;
    assert_eq!(again["visitor_id"], json!(id));
    write(&mut page, "c1").await;
    let events = events(&server.channel, &server.host);
    assert_eq!(events[0].sender.identities[1].value, "u-1");
}

async fn write(page: &mut Page, client_id: &str) {
    let message = json!({"type": "message", "client_id": client_id, "text": "x"});
    assert_eq!(page.ask(&message).await["type"], "ack");
}

/// Signs in at a browser in another tab: what the page is told, and the texts it
/// is shown then.
async fn sign_in(server: &Server, browser: &str, user_id: &str, jti: &str) -> (Page, Value) {
    let (mut page, _) = server.hello(json!({"token": browser})).await;
    assert_eq!(page.next().await["type"], "synced", "a guest sees nothing");
    let mut identified = page.ask(&identify(user_id, jti)).await;
    assert_eq!(identified["type"], "identified", "{identified}");
    page.say(&json!({"type": "ping"})).await;
    let mut shown = Vec::new();
    loop {
        let frame = page.next().await;
        match frame["type"].as_str() {
            Some("message") => shown.push(frame["text"].clone()),
            Some("synced") => break,
            _ => panic!("{frame}"),
        }
    }
    assert_eq!(page.next().await["type"], "pong");
    identified["shown"] = json!(shown);
    (page, identified)
}

#[tokio::test]
async fn two_users_of_one_browser_see_nothing_of_each_other() {
    let server = server().await;
    let (mut first, id, browser) = server.visitor().await;
    first.ask(&identify("u-1", "j1")).await;
    write(&mut first, "c1").await;
    server.host.reply(&id, 5, "for the first");

    let (mut guest, welcome) = server.hello(json!({"token": browser})).await;
    assert_eq!(
        (welcome.get("visitor_token"), &welcome["cursor"]),
        (None, &json!(0))
    );
    assert_eq!(guest.next().await, json!({"type": "synced", "cursor": 0}));
    write(&mut guest, "c1").await;

    let (mut second, told) = sign_in(&server, &browser, "u-2", "j2").await;
    assert_eq!((&told["cursor"], &told["shown"]), (&json!(0), &json!([])));
    write(&mut second, "c1").await;
    let of_second = told["visitor_id"].as_str().unwrap();
    server.host.reply(of_second, 6, "for the second");

    let threads: Vec<_> = events(&server.channel, &server.host)
        .into_iter()
        .map(|event| (event.thread_key, event.sender.identities))
        .collect();
    let expect = [
        (json!(id), Some("u-1")),
        (welcome["visitor_id"].clone(), None),
        (told["visitor_id"].clone(), Some("u-2")),
    ];
    for ((thread, identities), (visitor, user)) in threads.iter().zip(&expect) {
        assert_eq!(json!(thread), *visitor);
        assert_eq!(json!(identities[0].value), *visitor);
        assert_eq!(identities.get(1).map(|user| user.value.as_str()), *user);
    }
    assert_eq!(threads.len(), 3);
    assert!(threads[0].0 != threads[1].0 && threads[1].0 != threads[2].0);

    // Each of them finds their own again.
    let (_, again) = sign_in(&server, &browser, "u-1", "j3").await;
    assert_eq!(
        (&again["visitor_id"], &again["shown"]),
        (&json!(id), &json!(["for the first"]))
    );
    let (_, again) = sign_in(&server, &browser, "u-2", "j4").await;
    assert_eq!(again["visitor_id"], told["visitor_id"]);
    assert_eq!(again["shown"], json!(["for the second"]));
    // A user has a thread of their own in every browser.
    let (_, _, other) = server.visitor().await;
    let (mut page, _) = server.hello(json!({"token": other})).await;
    page.next().await;
    let elsewhere = page.ask(&identify("u-2", "j5")).await;
    assert_ne!(elsewhere["visitor_id"], told["visitor_id"]);
}

#[tokio::test]
async fn what_was_written_before_signing_in_stays_with_the_user() {
    let server = server().await;
    let (mut page, id, _) = server.visitor().await;
    write(&mut page, "c1").await;
    server.host.reply(&id, 5, "one");
    page.next().await;
    let identified = page.ask(&identify("u-1", "j1")).await;
    assert_eq!(
        (&identified["visitor_id"], &identified["cursor"]),
        (&json!(id), &json!(5))
    );
    write(&mut page, "c2").await;
    let events = events(&server.channel, &server.host);
    assert!(events.iter().all(|event| event.thread_key == id));
    assert_eq!(events[1].sender.identities[1].value, "u-1");
}

#[tokio::test]
async fn a_lost_connection_does_not_sign_anybody_out() {
    let server = server().await;
    let (mut page, id, browser) = server.visitor().await;
    let identified = page.ask(&token("j1", "site", 1_700_000_300)).await;
    let session = &identified["session"];
    server.host.reply(&id, 5, "one");
    server.host.reply(&id, 6, "two");
    // The site's own token is long out of use.
    server.host.advance(23 * 3_600_000);
    let hello = json!({"token": browser, "cursor": 5, "visitor_id": id, "session": session});
    let (mut page, welcome) = server.hello(hello).await;
    assert_eq!(
        (&welcome["visitor_id"], &welcome["cursor"]),
        (&json!(id), &json!(5))
    );
    assert_eq!(page.next().await["text"], "two");
    page.next().await;
    write(&mut page, "c1").await;
    let event = events(&server.channel, &server.host).remove(0);
    assert_eq!(event.sender.display_name, "Anna");
    assert_eq!(event.sender.identities[2].value, "anna@b.example");

    // The same for whoever has a thread apart.
    let (_, second) = sign_in_late(&server, &browser).await;
    let (_, welcome) = server
        .hello(json!({"token": browser, "session": second["session"]}))
        .await;
    assert_eq!(welcome["visitor_id"], second["visitor_id"]);
    assert_ne!(welcome["visitor_id"], json!(id));
}

/// `u-2`, 23 hours later.
async fn sign_in_late(server: &Server, browser: &str) -> (Page, Value) {
    let (mut page, _) = server.hello(json!({"token": browser})).await;
    page.next().await;
    let iat = 1_700_000_000 + 23 * 3_600;
    let claims =
        json!({"aud": "site", "iat": iat, "exp": iat + 300, "jti": "j2", "user_id": "u-2"});
    let frame = json!({"type": "identify", "token": signed(&claims)});
    let identified = page.ask(&frame).await;
    (page, identified)
}

#[tokio::test]
async fn a_session_is_good_here_and_for_a_day() {
    let server = server().await;
    let (mut page, id, browser) = server.visitor().await;
    let session = page.ask(&identify("u-1", "j1")).await["session"].clone();
    let good = session.as_str().unwrap().to_owned();
    let (mut other, other_id, other_browser) = server.visitor().await;
    let foreign = other.ask(&identify("u-1", "j2")).await["session"].clone();
    let (payload, signature) = good.split_once('.').unwrap();
    let claims = json!({"visitor_id": id, "user_id": "u-1", "until": i64::MAX});
    let by_site = signed(&claims);
    for wrong in [
        foreign.as_str().unwrap(),
        "",
        "x",
        payload,
        &format!("{payload}."),
        &format!("{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string())),
        &by_site,
        &"x".repeat(50_000),
    ] {
        let hello = json!({"token": browser, "visitor_id": id, "session": wrong});
        let (_, welcome) = server.hello(hello).await;
        assert_ne!(welcome["visitor_id"], json!(id), "{wrong}");
    }
    let hello = json!({"token": other_browser, "session": good});
    let (_, welcome) = server.hello(hello).await;
    assert_ne!(welcome["visitor_id"], json!(other_id), "another browser's");

    let hello = json!({"token": browser, "session": good});
    let (_, welcome) = server.hello(hello.clone()).await;
    assert_eq!(welcome["visitor_id"], json!(id));
    server.host.advance(24 * 3_600_000);
    let (mut page, welcome) = server.hello(hello).await;
    assert_ne!(welcome["visitor_id"], json!(id), "too old");
    page.next().await;
    write(&mut page, "c1").await;
    let event = events(&server.channel, &server.host).remove(0);
    assert_eq!(event.sender.identities.len(), 1, "nobody is signed in");
}

#[tokio::test]
async fn a_cursor_of_another_log_is_none() {
    let server = server().await;
    let (mut page, id, browser) = server.visitor().await;
    page.ask(&identify("u-1", "j1")).await;
    let (_, welcome) = server.hello(json!({"token": browser})).await;
    let guest = welcome["visitor_id"].as_str().unwrap();
    server.host.reply(guest, 5, "for a guest");
    server.host.reply(guest, 9, "for a guest, later");
    for (of, cursor) in [(json!(id), 0), (json!(null), 0), (json!(guest), 7)] {
        let hello = json!({"token": browser, "cursor": 7, "visitor_id": of});
        let (_, welcome) = server.hello(hello).await;
        assert_eq!(welcome["cursor"], cursor, "{of}");
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_loses_the_thread_to_who_is() {
    let server = server().await;
    let (_, id, browser) = server.visitor().await;
    let mut others = Vec::new();
    for _ in 0..4 {
        let (mut page, _) = server.hello(json!({"token": browser})).await;
        page.next().await;
        write(&mut page, "c1").await;
        others.push(page);
    }
    let (mut page, _) = server.hello(json!({"token": browser})).await;
    page.next().await;
    page.ask(&identify("u-1", "j1")).await;
    let journaled = server.host.journal().len();
    let [writer, typist, reader, listener] = &mut others[..] else {
        panic!("four of them")
    };
    let message = json!({"type": "message", "client_id": "c2", "text": "x"});
    let typing = json!({"type": "typing", "active": true});
    for (page, frame) in [
        (writer, &message),
        (typist, &typing),
        (reader, &json!({"type": "read", "cursor": 5})),
    ] {
        assert_eq!(page.ask(&json!({"type": "ping"})).await["type"], "pong");
        let bye = page.ask(frame).await;
        assert_eq!(
            (&bye["type"], &bye["reason"]),
            (&json!("bye"), &json!("signed_in"))
        );
    }
    assert_eq!(server.host.journal().len(), journaled);
    assert!(server.host.typing_seen().is_empty());
    server.host.reply(&id, 5, "for the first");
    assert_eq!(listener.next().await["reason"], "signed_in");
    assert_eq!(page.next().await["text"], "for the first");
}

#[tokio::test]
async fn a_page_that_moved_hears_of_its_new_thread_only() {
    let server = server().await;
    let (mut page, id, browser) = server.visitor().await;
    page.ask(&identify("u-1", "j1")).await;
    let (mut page, welcome) = server.hello(json!({"token": browser})).await;
    let guest = welcome["visitor_id"].as_str().unwrap();
    assert_ne!(guest, id);
    page.next().await;
    server.host.reply(guest, 5, "for a guest");
    page.next().await;
    server.host.reply(&id, 3, "for the first");
    page.ask(&identify("u-1", "j2")).await;
    assert_eq!(page.next().await["text"], "for the first");
    assert_eq!(page.next().await, json!({"type": "synced", "cursor": 3}));
    let typing = |name: &str| ThreadSignal::OperatorTyping {
        display_name: name.to_owned(),
        active: true,
    };
    server.host.signal(guest, typing("a guest's"));
    server.host.reply(guest, 6, "for a guest");
    server.host.signal(&id, typing("the first's"));
    assert_eq!(page.next().await["name"], "the first's");
    // What the guest was shown is not told of any more.
    page.say(&json!({"type": "read", "cursor": 5})).await;
    page.say(&json!({"type": "typing", "active": true})).await;
    page.ask(&json!({"type": "ping"})).await;
    let events = events(&server.channel, &server.host);
    let [seen] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(seen.thread_key, id);
    assert!(matches!(&seen.kind, InboundKind::Receipt { target, .. } if target == "3"));
    assert_eq!(server.host.typing_seen(), [(id, true)]);
}

#[tokio::test]
async fn a_signed_token_may_name_the_browser_or_the_visitor() {
    let server = server().await;
    let (mut page, id, browser) = server.visitor().await;
    page.ask(&identify("u-1", "j1")).await;
    let (_, welcome) = server.hello(json!({"token": browser})).await;
    let guest = welcome["visitor_id"].as_str().unwrap();
    let cases = [(id.as_str(), true), (guest, true), ("somebody", false)];
    for (index, (visitor, is_taken)) in cases.into_iter().enumerate() {
        let (mut page, _) = server.hello(json!({"token": browser})).await;
        page.next().await;
        let claims = json!({"aud": "site", "iat": 1_700_000_000, "exp": 1_700_000_300,
            "jti": format!("v{index}"), "user_id": "u-2", "visitor": visitor});
        let frame = json!({"type": "identify", "token": signed(&claims)});
        let answer = page.ask(&frame).await;
        assert_eq!(answer["type"] == "identified", is_taken, "{answer}");
        if is_taken {
            assert_eq!(page.next().await["type"], "synced");
            // As after a lost answer.
            assert_eq!(page.ask(&frame).await["visitor_id"], answer["visitor_id"]);
        }
    }
}

#[tokio::test]
async fn without_a_secret_the_token_alone_names_the_thread() {
    let server = server().await;
    let (mut page, id, browser) = server.visitor().await;
    let session = page.ask(&identify("u-1", "j1")).await["session"].clone();
    let plain = channel("webchat", SHOP);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = router(&plain, &server.host);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let plain = Server { address, ..server };
    let hello = json!({"token": browser, "session": session});
    let (mut page, welcome) = plain.hello(hello).await;
    assert_eq!(welcome["visitor_id"], json!(id));
    page.next().await;
    write(&mut page, "c1").await;
    let event = events(&plain.channel, &plain.host).remove(0);
    assert_eq!(event.sender.identities.len(), 1, "nobody is signed in");
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
async fn a_file_goes_with_whoever_signed_in_at_the_browser() {
    let server = server().await;
    let (mut page, _, browser) = server.visitor().await;
    page.ask(&identify("u-1", "j1")).await;
    let bearer = format!("Bearer {browser}");
    let headers = [("origin", ORIGIN), ("authorization", bearer.as_str())];
    let (_, stored) = upload(&server, &headers, "0123456789").await;
    let (mut second, told) = sign_in(&server, &browser, "u-2", "j2").await;
    let message =
        json!({"type": "message", "client_id": "c1", "upload_ids": [stored["upload_id"]]});
    assert_eq!(second.ask(&message).await["type"], "ack");
    let event = events(&server.channel, &server.host).remove(0);
    assert_eq!(json!(event.thread_key), told["visitor_id"]);
    assert_eq!(event.attachments[0].size_bytes, 10);
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
