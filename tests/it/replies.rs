//! Canned replies: who may make, see and remove which, and who hears of it.

use domain::operator::Role;
use e2e::{OperatorClient, TestGateway, http};
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use serde_json::{Value, json};

const ADMIN: &str = "switchboard.admin.v1.Admin";

async fn call(
    gateway: &TestGateway,
    who: &OperatorClient,
    method: &str,
    body: Value,
) -> http::Answer {
    let method = format!("{ADMIN}/{method}");
    http::call(&gateway.url(), &method, Some(&who.token), &body).await
}

fn reply(shortcut: &str, personal: bool, queues: &[&str]) -> Value {
    json!({
        "shortcut": shortcut, "title": format!("About {shortcut}"), "personal": personal,
        "text": "Hello {{client.first_name|there}}!", "queueIds": queues,
    })
}

async fn save(gateway: &TestGateway, who: &OperatorClient, reply: &Value) -> http::Answer {
    call(
        gateway,
        who,
        "SaveCannedReply",
        json!({"cannedReply": reply}),
    )
    .await
}

async fn shortcuts(gateway: &TestGateway, who: &OperatorClient, body: Value) -> Vec<String> {
    let answer = call(gateway, who, "ListCannedReplies", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let replies = answer.json()["cannedReplies"].clone();
    let replies = replies.as_array().cloned().unwrap_or_default();
    replies
        .iter()
        .map(|one| one["shortcut"].as_str().unwrap().to_owned())
        .collect()
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "the cases are a table")]
async fn shared_ones_are_the_supervisors_and_own_ones_the_owners() {
    let gateway = TestGateway::start().await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let root = gateway.person("root", Role::Admin, &[]).await;
    let anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let olga = gateway.person("olga", Role::Operator, &["other"]).await;

    let hello = save(&gateway, &boss, &reply("/Hello", false, &[])).await;
    assert_eq!(hello.status, 200, "{}", hello.text());
    let hello = hello.json();
    assert_eq!(hello["shortcut"], "hello");
    let stock = save(&gateway, &root, &reply("stock", false, &["main"]))
        .await
        .json();
    let own = save(&gateway, &anna, &reply("hello", true, &[]))
        .await
        .json();
    assert_eq!(own["personal"], true, "{own}");

    for (who, expected) in [
        (&anna, vec!["hello", "hello", "stock"]),
        (&olga, vec!["hello"]),
        (&boss, vec!["hello", "stock"]),
        (&root, vec!["hello", "stock"]),
    ] {
        assert_eq!(shortcuts(&gateway, who, json!({})).await, expected);
    }
    assert_eq!(
        shortcuts(&gateway, &anna, json!({"queueId": "other"}))
            .await
            .len(),
        2
    );
    assert_eq!(
        shortcuts(&gateway, &olga, json!({"queueId": "main"})).await,
        ["hello"]
    );

    let change = |of: &Value| with(of.clone(), "title", json!("Other words"));
    for (who, body, code) in [
        (&anna, reply("mine", false, &[]), "permission_denied"),
        (&anna, change(&hello), "permission_denied"),
        (
            &anna,
            with(own.clone(), "personal", json!(false)),
            "permission_denied",
        ),
        (&olga, change(&own), "not_found"),
        (&boss, change(&own), "not_found"),
        (&root, change(&own), "not_found"),
        // Not there for who does not work for its queue.
        (&olga, change(&stock), "not_found"),
        (&anna, change(&stock), "permission_denied"),
        (
            &boss,
            with(change(&hello), "id", json!("none")),
            "not_found",
        ),
        (&boss, reply("hello", false, &[]), "already_exists"),
        (&anna, reply("hello", true, &[]), "already_exists"),
        (&boss, reply("two words", false, &[]), "invalid_argument"),
        (&boss, reply("x", false, &["nowhere"]), "invalid_argument"),
        (
            &boss,
            with(reply("x", false, &[]), "text", json!("")),
            "invalid_argument",
        ),
        (
            &boss,
            with(reply("x", false, &[]), "text", json!("a".repeat(16_001))),
            "invalid_argument",
        ),
        (
            &boss,
            with(change(&hello), "version", json!("7")),
            "aborted",
        ),
    ] {
        let answer = save(&gateway, who, &body).await;
        assert_eq!(answer.code(), code, "{body}: {}", answer.text());
    }
    for (who, id, code) in [
        (&anna, &hello["id"], "permission_denied"),
        (&olga, &stock["id"], "not_found"),
        (&olga, &own["id"], "not_found"),
        (&root, &own["id"], "not_found"),
    ] {
        let answer = call(&gateway, who, "DeleteCannedReply", json!({"id": id})).await;
        assert_eq!(answer.code(), code, "{}", answer.text());
    }
    for (who, id) in [(&anna, &own["id"]), (&root, &hello["id"])] {
        let body = json!({"id": id, "clientId": "d-1"});
        let gone = call(&gateway, who, "DeleteCannedReply", body.clone()).await;
        assert_eq!(gone.status, 200, "{}", gone.text());
        let again = call(&gateway, who, "DeleteCannedReply", body).await;
        assert_eq!(again.status, 200, "the same call again: {}", again.text());
    }
    assert_eq!(shortcuts(&gateway, &anna, json!({})).await, ["stock"]);

    let audit = call(&gateway, &root, "ListAudit", json!({"pageSize": 200}))
        .await
        .json();
    let acts: Vec<(&str, &str)> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["act"].as_str().unwrap(),
                entry["subject"].as_str().unwrap_or_default(),
            )
        })
        .filter(|(act, _)| act.starts_with("canned_reply"))
        .collect();
    assert_eq!(
        acts,
        [
            ("canned_reply.delete", "hello"),
            ("canned_reply.delete", "hello"),
            ("canned_reply.add", "hello"),
            ("canned_reply.add", "stock"),
            ("canned_reply.add", "hello"),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_made_once_and_reaches_open_pages() {
    let gateway = TestGateway::start().await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let mut olga = gateway.person("olga", Role::Operator, &["other"]).await;
    let body = json!({"cannedReply": reply("hello", false, &["main"]), "clientId": "s-1"});
    let first = call(&gateway, &boss, "SaveCannedReply", body.clone()).await;
    let again = call(&gateway, &boss, "SaveCannedReply", body.clone()).await;
    assert_eq!(first.json(), again.json());
    let other = json!({"cannedReply": reply("bye", false, &["main"]), "clientId": "s-1"});
    let refused = call(&gateway, &boss, "SaveCannedReply", other).await;
    assert_eq!(refused.code(), "already_exists");

    let changed = |kind| match kind {
        Kind::CannedRepliesChanged(changed) => Some(changed.personal),
        _ => None,
    };
    assert!(!anna.wait_for("the news", changed).await);
    // It says nothing but that something changed: also to whom it was not for.
    assert!(!olga.wait_for("the news", changed).await);
    save(&gateway, &anna, &reply("own", true, &[])).await;
    assert!(anna.wait_for("her own news", changed).await);
    save(&gateway, &olga, &reply("own", true, &[])).await;
    // The next news of Olga's is her own: of Anna's she heard nothing.
    assert!(olga.wait_for("her own news", changed).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_by_pages_and_words_and_uses_are_counted_once() {
    let gateway = TestGateway::start().await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let body = reply(&format!("r-{number}"), false, &[]);
        let saved = save(&gateway, &boss, &body).await.json();
        ids.push(saved["id"].as_str().unwrap().to_owned());
    }
    let mut token = String::new();
    let mut found = Vec::new();
    loop {
        let body = json!({"pageSize": 2, "pageToken": token});
        let page = call(&gateway, &anna, "ListCannedReplies", body)
            .await
            .json();
        for one in page["cannedReplies"].as_array().unwrap() {
            found.push(one["shortcut"].as_str().unwrap().to_owned());
        }
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(found, ["r-0", "r-1", "r-2", "r-3", "r-4"]);
    assert_eq!(
        shortcuts(&gateway, &anna, json!({"query": "ABOUT r-3"})).await,
        ["r-3"]
    );
    let wrong = call(
        &gateway,
        &anna,
        "ListCannedReplies",
        json!({"pageToken": "x"}),
    )
    .await;
    assert_eq!(wrong.code(), "invalid_argument");

    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let conversation = anna.accept().await;
    let send = pb::SendMessageRequest {
        conversation_id: conversation.id,
        text: "Hello there!".to_owned(),
        client_id: "a-1".to_owned(),
        canned_reply_ids: vec![ids[1].clone(), "none".to_owned(), "999999999".to_owned()],
        ..Default::default()
    };
    anna.inbox.send_message(send.clone()).await.unwrap();
    anna.inbox.send_message(send).await.unwrap();
    let listed = call(&gateway, &anna, "ListCannedReplies", json!({}))
        .await
        .json();
    let uses: Vec<&str> = listed["cannedReplies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["useCount"].as_str().unwrap_or("0"))
        .collect();
    assert_eq!(uses, ["0", "1", "0", "0", "0"]);
}
