//! A browser that several people use: one visitor's token, and signed users who
//! come one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::operator::text_of;
use e2e::{OperatorClient, TestGateway, Visitor};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proto::inbox::v1 as pb;
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const HOUR_MS: i64 = 3_600_000;

/// A gateway whose site signs its users.
async fn gateway() -> TestGateway {
    TestGateway::start_with(|settings| {
        let line = settings
            .lines
            .iter_mut()
            .find(|line| line.id.as_str() == "site");
        let line = line.unwrap();
        let setup = channels::LineSetup {
            id: line.id.clone(),
            display_name: line.display_name.clone(),
            default_region: line.default_region.clone(),
            public_url: settings.public_url.clone(),
            options: toml::from_str(&format!("identity_secret = {SECRET:?}")).unwrap(),
        };
        line.channel = (line.kind.build)(&setup).unwrap();
    })
    .await
}

/// What the site signs for a user, another token each time.
fn identify(gateway: &TestGateway, user_id: &str) -> Value {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let now = gateway.engine().now().0 / 1_000;
    let jti = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
    let claims =
        json!({"aud": "site", "iat": now, "exp": now + 300, "jti": jti, "user_id": user_id});
    let signed = URL_SAFE_NO_PAD.encode(claims.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    json!({"type": "identify", "token": format!("{signed}.{signature}")})
}

/// What a page is shown until it has everything; what changes meanwhile comes again.
async fn shown(page: &mut Visitor) -> Vec<String> {
    let mut texts = BTreeMap::new();
    loop {
        let frame = page.next().await.expect("the chat is open");
        match frame["type"].as_str() {
            Some("message") => {
                let id: i64 = frame["id"].as_str().unwrap().parse().unwrap();
                texts.insert(id, frame["text"].as_str().unwrap().to_owned());
            }
            Some("synced") => return texts.into_values().collect(),
            _ => {}
        }
    }
}

/// A new page of the browser, where nobody is signed in; who the visitor is, and
/// what they see.
async fn guest(gateway: &TestGateway, browser: &str) -> (Visitor, Value, Vec<String>) {
    let hello = json!({"token": browser});
    let (mut page, welcome) = Visitor::hello(&gateway.url(), "site", hello).await;
    let texts = shown(&mut page).await;
    (page, welcome["visitor_id"].clone(), texts)
}

/// A new page of the browser, where a user signs in: what they are told, and what
/// they see then.
async fn user(
    gateway: &TestGateway,
    browser: &str,
    user_id: &str,
) -> (Visitor, Value, Vec<String>) {
    let (mut page, before, _) = guest(gateway, browser).await;
    page.send(identify(gateway, user_id)).await;
    let identified = page.frame("identified").await;
    assert_ne!(
        identified["visitor_id"], before,
        "the guest was somebody else"
    );
    assert_eq!(identified["user_id"], user_id);
    let texts = shown(&mut page).await;
    (page, identified, texts)
}

fn contact(conversation: &pb::Conversation) -> String {
    conversation.contact.clone().unwrap().id
}

/// The operator's conversations: what was said in each, and with whom.
async fn desk(anna: &mut OperatorClient) -> Vec<(Vec<String>, String)> {
    let mut desk = Vec::new();
    for conversation in anna.list(pb::Folder::Mine).await.conversations {
        let messages = anna.messages(&conversation.id).await;
        let texts = messages.iter().map(|message| text_of(message).to_owned());
        desk.push((texts.collect(), contact(&conversation)));
    }
    desk.sort();
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_one_browser_have_a_thread_and_a_contact_each() {
    let mut gateway = gateway().await;
    let mut anna = gateway.ready_operator("anna").await;
    // Somebody writes and signs in: the conversation goes on.
    let (mut first, welcome) = Visitor::hello(&gateway.url(), "site", json!({})).await;
    let browser = first.token.clone();
    first.say("c-1", "first, not signed in").await;
    let conversation = anna.accept().await;
    first.send(identify(&gateway, "u-1")).await;
    let identified = first.frame("identified").await;
    assert_eq!(identified["visitor_id"], welcome["visitor_id"]);
    first.say("c-2", "first").await;
    anna.hears("first").await;
    anna.say(&conversation.id, "a-1", "to the first")
        .await
        .unwrap();
    first.hears("to the first").await;
    let of_first = ["first, not signed in", "first", "to the first"];

    // Another one at the same browser.
    let (mut second, _, texts) = user(&gateway, &browser, "u-2").await;
    assert!(texts.is_empty(), "{texts:?}");
    second.say("c-1", "second").await;
    let other = anna.accept().await;
    assert_ne!(other.id, conversation.id);
    anna.say(&other.id, "a-2", "to the second").await.unwrap();
    second.hears("to the second").await;
    anna.say(&conversation.id, "a-3", "to the first again")
        .await
        .unwrap();
    first.hears("to the first again").await;
    let of_first = [of_first.as_slice(), &["to the first again"]].concat();
    let of_second = ["second", "to the second"];

    // And one who does not sign in.
    let (mut page, who, texts) = guest(&gateway, &browser).await;
    assert!(texts.is_empty(), "{texts:?}");
    page.say("c-1", "guest").await;
    let third = anna.accept().await;
    let contacts = [&conversation, &other, &third].map(contact);
    assert!(contacts[0] != contacts[1] && contacts[1] != contacts[2] && contacts[0] != contacts[2]);

    for _ in 0..2 {
        let (_, told, texts) = user(&gateway, &browser, "u-1").await;
        assert_eq!(told["visitor_id"], identified["visitor_id"]);
        assert_eq!(texts, of_first);
        let (_, _, texts) = user(&gateway, &browser, "u-2").await;
        assert_eq!(texts, of_second);
        let (_, again, texts) = guest(&gateway, &browser).await;
        assert_eq!(
            (&again, texts.as_slice()),
            (&who, &["guest".to_owned()][..])
        );
        let mut expect = vec![
            (
                of_first.iter().map(ToString::to_string).collect(),
                contacts[0].clone(),
            ),
            (of_second.map(str::to_owned).to_vec(), contacts[1].clone()),
            (vec!["guest".to_owned()], contacts[2].clone()),
        ];
        expect.sort();
        assert_eq!(desk(&mut anna).await, expect);

        gateway.restart().await;
        anna = gateway.sign_in("anna").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_signed_in_stays_so_for_a_day_of_lost_connections() {
    let mut gateway = gateway().await;
    let mut anna = gateway.ready_operator("anna").await;
    let (mut page, welcome) = Visitor::hello(&gateway.url(), "site", json!({})).await;
    page.send(identify(&gateway, "u-1")).await;
    let session = page.frame("identified").await["session"].clone();
    page.say("c-1", "one").await;
    page.frame("message").await;
    let conversation = anna.accept().await;
    let (browser, cursor) = page.vanish();

    gateway.restart().await;
    gateway.clock().advance(HOUR_MS);
    let mut anna = gateway.sign_in("anna").await;
    let who = &welcome["visitor_id"];
    let hello = json!({"token": browser, "cursor": cursor, "visitor_id": who, "session": session});
    let (mut page, welcome) = Visitor::hello(&gateway.url(), "site", hello.clone()).await;
    assert_eq!(&welcome["visitor_id"], who);
    assert_eq!(shown(&mut page).await, ["one"; 0], "it has the rest");
    page.say("c-2", "two").await;
    anna.hears("two").await;
    let listed = anna.list(pb::Folder::Mine).await.conversations;
    let [still] = listed.as_slice() else {
        panic!("{listed:?}")
    };
    assert_eq!(contact(still), contact(&conversation));

    gateway.clock().advance(24 * HOUR_MS);
    let (mut page, welcome) = Visitor::hello(&gateway.url(), "site", hello).await;
    assert_ne!(&welcome["visitor_id"], who);
    assert!(shown(&mut page).await.is_empty());
}

/// Signs in as often as it takes: a page that was opened before somebody else got
/// the thread is sent away.
async fn sign_in(gateway: &TestGateway, browser: &str, user_id: &str) -> Value {
    loop {
        let hello = json!({"token": browser});
        let (mut page, _) = Visitor::hello(&gateway.url(), "site", hello).await;
        page.send(identify(gateway, user_id)).await;
        while let Some(frame) = page.next().await {
            match frame["type"].as_str() {
                Some("identified") => return frame["visitor_id"].clone(),
                Some("refused") => panic!("{frame}"),
                _ => {}
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_sign_in_at_once_one_gets_the_thread() {
    let gateway = Arc::new(gateway().await);
    for _ in 0..10 {
        let mut before = gateway.visitor().await;
        before.say("c-1", "before anybody signed in").await;
        before.frame("message").await;
        let browser = before.token.clone();
        let pages = ["u-1", "u-2"].map(|user_id| {
            let (gateway, browser) = (Arc::clone(&gateway), browser.clone());
            tokio::spawn(async move { sign_in(&gateway, &browser, user_id).await })
        });
        let [one, two] = pages;
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        assert_ne!(one, two);
        // Who was not signed in is in neither's.
        before.write("c-2", "after").await;
        assert_eq!(before.frame("bye").await["reason"], "signed_in");
        let (_, who, texts) = guest(&gateway, &browser).await;
        assert!(who != one && who != two && texts.is_empty());
    }
}
