//! The same call again: the same answer for the same content, whoever else uses the
//! same key.

use domain::operator::Role;
use e2e::http;
use e2e::{OperatorClient, TestGateway};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

const CREATE: &str = "switchboard.admin.v1.Admin/CreateOperator";
const DIRECTORY: &str = "switchboard.contacts.v1.ContactDirectory";

async fn call(gateway: &TestGateway, token: &str, method: &str, body: &Value) -> http::Answer {
    http::call(&gateway.url(), method, Some(token), body).await
}

fn boris() -> Value {
    json!({
        "login": "boris", "password": "correct horse battery", "displayName": "Boris",
        "role": "OPERATOR", "queues": [{"queueId": "main", "rank": 1}], "capacity": 50,
        "autoAccept": true, "clientId": "k-1",
    })
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

async fn admin(gateway: &TestGateway) -> OperatorClient {
    gateway.person("root", Role::Admin, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_made_once_and_only_as_asked_for() {
    let gateway = TestGateway::start().await;
    let root = admin(&gateway).await;
    let first = call(&gateway, &root.token, CREATE, &boris()).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let again = call(&gateway, &root.token, CREATE, &boris()).await;
    assert_eq!(again.json(), first.json());
    for (field, value) in [
        ("login", json!("bob")),
        ("password", json!("another battery staple")),
        ("displayName", json!("Bob")),
        ("role", json!("ADMIN")),
        ("queues", json!([])),
        ("queues", json!([{"queueId": "main", "rank": 2}])),
        ("queues", json!([{"queueId": "other", "rank": 1}])),
        (
            "queues",
            json!([{"queueId": "main", "rank": 1, "position": 1}]),
        ),
        ("skills", json!(["billing"])),
        ("capacity", json!(100)),
        ("autoAccept", json!(false)),
    ] {
        let other = with(boris(), field, value);
        let answer = call(&gateway, &root.token, CREATE, &other).await;
        assert_eq!(
            answer.code(),
            "already_exists",
            "{field}: {}",
            answer.text()
        );
    }

    // A new password later is no other content of the call before.
    let set = json!({
        "operatorId": first.json()["id"], "password": "another battery staple",
    });
    let method = "switchboard.admin.v1.Admin/SetOperatorPassword";
    assert_eq!(call(&gateway, &root.token, method, &set).await.status, 200);
    let late = call(&gateway, &root.token, CREATE, &boris()).await;
    assert_eq!(late.json(), first.json());

    let store = Connection::open_with_flags(gateway.store_path(), OpenFlags::SQLITE_OPEN_READ_ONLY)
        .unwrap();
    let told: i64 = store
        .query_row(
            "select count(*) from act where instr(fingerprint, cast('horse' as blob)) > 0",
            (),
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(told, 0, "a password stands in the store");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_have_keys_of_their_own() {
    let gateway = TestGateway::start().await;
    let engine = gateway.engine();
    let mut programs = Vec::new();
    for name in ["one", "two"] {
        let made = engine.add_token(None, name, Role::Admin, None, Vec::new());
        programs.push(made.await.unwrap().1);
    }
    let others = with(boris(), "login", json!("bella"));
    for (token, body) in programs.iter().zip([boris(), others]) {
        let made = call(&gateway, token, CREATE, &body).await;
        assert_eq!(made.json()["login"], body["login"], "{}", made.text());
        let again = call(&gateway, token, CREATE, &body).await;
        assert_eq!(again.json(), made.json());
        let other = with(body, "capacity", json!(7));
        let refused = call(&gateway, token, CREATE, &other).await;
        assert_eq!(refused.code(), "already_exists", "{}", refused.text());
    }

    // The built-in directory goes by the same rule.
    let resolve = format!("{DIRECTORY}/ResolveContact");
    let asked = |value: &str| {
        json!({
            "identities": [{"kind": "crm", "value": value, "trust": "PROVEN"}],
            "idempotencyKey": "import-1",
            "profile": {"attributes": {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}},
        })
    };
    let mut contacts = Vec::new();
    for (token, value) in programs.iter().zip(["1", "2"]) {
        let made = call(&gateway, token, &resolve, &asked(value)).await;
        assert_eq!(made.status, 200, "{}", made.text());
        // In whatever order the attributes come out of a map.
        for _ in 0..5 {
            let again = call(&gateway, token, &resolve, &asked(value)).await;
            assert_eq!(again.json(), made.json());
        }
        let refused = call(&gateway, token, &resolve, &asked("3")).await;
        assert_eq!(refused.code(), "already_exists", "{}", refused.text());
        contacts.push(made.json()["contact"]["id"].clone());
    }
    assert_ne!(contacts[0], contacts[1]);

    // What was answered about somebody who is erased is forgotten for everybody.
    let erase = json!({"contactId": contacts[1]});
    let method = format!("{DIRECTORY}/EraseContact");
    let erased = call(&gateway, &programs[0], &method, &erase).await;
    assert_eq!(erased.status, 200, "{}", erased.text());
    let after = call(&gateway, &programs[1], &resolve, &asked("2")).await;
    assert_eq!(after.status, 200, "{}", after.text());
    assert_ne!(after.json()["contact"]["id"], contacts[1]);
}
