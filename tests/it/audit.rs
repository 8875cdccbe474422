//! The audit log: what it has to hold, who may read it, and that it tells when it was
//! touched.

use std::collections::BTreeSet;

use domain::operator::Role;
use e2e::gateway::PASSWORD;
use e2e::{OperatorClient, TestGateway, http};
use rusqlite::Connection;
use serde_json::{Value, json};

async fn call(gateway: &TestGateway, token: &str, method: &str, body: Value) -> Value {
    let name = format!("switchboard.{method}");
    let answer = http::call(&gateway.url(), &name, Some(token), &body).await;
    assert_eq!(answer.code(), "", "{method}: {}", answer.text());
    answer.json()
}

async fn entries(gateway: &TestGateway, root: &OperatorClient, filter: Value) -> Vec<Value> {
    let found = call(gateway, &root.token, "admin.v1.Admin/ListAudit", filter).await;
    found["entries"].as_array().cloned().unwrap_or_default()
}

async fn try_login(gateway: &TestGateway, login: &str, password: &str) -> Value {
    let body = json!({"login": login, "password": password, "token": true});
    let name = "switchboard.admin.v1.Admin/Login";
    http::call(&gateway.url(), name, None, &body).await.json()
}

/// The newest entry of an act.
fn find<'a>(all: &'a [Value], act: &str) -> &'a Value {
    let found = all.iter().find(|entry| entry["act"] == act);
    found.unwrap_or_else(|| panic!("{act} is not noted: {all:#?}"))
}

fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_are_noted_and_those_that_fail() {
    let gateway = TestGateway::start().await;
    let root = gateway.person("root", Role::Admin, &[]).await;
    let anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let signed_in = try_login(&gateway, "anna", PASSWORD).await;
    let token = signed_in["token"].as_str().unwrap();
    call(&gateway, token, "admin.v1.Admin/Logout", json!({})).await;
    let mistyped = "my secret password";
    for (login, password) in [("anna", "not it at all"), (mistyped, PASSWORD)] {
        let refused = try_login(&gateway, login, password).await;
        assert_eq!(refused["code"], "unauthenticated");
    }

    let all = entries(&gateway, &root, json!({"act": "sign_"})).await;
    for act in ["sign_in", "sign_out"] {
        let entry = find(&all, act);
        assert_eq!(text(entry, "operatorId"), anna.id.to_string(), "{act}");
        assert_eq!(text(entry, "subject"), "anna");
    }
    let failures = all.iter().filter(|entry| entry["act"] == "sign_in.fail");
    let of: BTreeSet<&str> = failures.map(|entry| text(entry, "subject")).collect();
    assert_eq!(of, BTreeSet::from(["", "anna"]));
    let detail = text(find(&all, "sign_in.fail"), "detail");
    assert!(detail.contains("from 127.0.0.1"), "{detail}");
    let everything = format!("{all:?}");
    assert!(!everything.contains(mistyped), "it may be a password");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_and_acts_out_of_turn_are_noted_with_who_did_it() {
    let gateway = TestGateway::start().await;
    let root = gateway.person("root", Role::Admin, &[]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let as_root = async |method: &str, body: Value| call(&gateway, &root.token, method, body).await;
    let change = json!({
        "operatorId": anna.id.to_string(), "displayName": "anna", "role": "SUPERVISOR",
        "queues": [{"queueId": "main", "rank": 2}], "capacity": 100,
    });
    as_root("admin.v1.Admin/UpdateOperator", change).await;
    let token = json!({"name": "crm", "role": "SUPERVISOR"});
    let program = as_root("admin.v1.Admin/CreateToken", token).await;
    let token_id = &program["token"]["id"];

    let mut visitor = gateway.visitor().await;
    visitor.say("m-1", "hello").await;
    let conversation = anna.accept().await;
    let reassign = json!({
        "conversationId": conversation.id, "queueId": "other", "reason": "not ours",
    });
    let secret = program["secret"].as_str().unwrap();
    call(&gateway, secret, "routing.v1.Routing/Reassign", reassign).await;
    let front = json!({"conversationId": conversation.id, "reason": "a friend"});
    as_root("routing.v1.Routing/MoveToFront", front).await;
    let away = json!({"operatorId": anna.id.to_string(), "presence": "AWAY", "reason": "at home"});
    as_root("routing.v1.Routing/ForcePresence", away).await;
    as_root("admin.v1.Admin/RevokeToken", json!({"tokenId": token_id})).await;

    let all = entries(&gateway, &root, json!({})).await;
    for (act, subject) in [
        ("operator.change", "anna"),
        ("token.add", "crm"),
        ("conversation.move_to_front", conversation.id.as_str()),
        ("presence.force", "anna"),
        ("token.revoke", "crm"),
    ] {
        let entry = find(&all, act);
        assert_eq!(text(entry, "operatorId"), root.id.to_string(), "{act}");
        assert_eq!(text(entry, "subject"), subject, "{act}");
    }
    assert_eq!(
        text(find(&all, "operator.change"), "detail"),
        "role Operator to Supervisor; queues [main:0] to [main:2]"
    );
    let reassigned = find(&all, "conversation.reassign");
    assert_eq!(
        &reassigned["tokenId"], token_id,
        "a program is not the command line"
    );
    assert!(reassigned["operatorId"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_erasures_reloads_and_readings_are_noted() {
    let gateway = TestGateway::start().await;
    let root = gateway.person("root", Role::Admin, &[]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("m-1", "hello").await;
    anna.accept().await;
    let path = "/switchboard.contacts.v1.ContactDirectory/ExportContacts";
    let mut exported = http::Events::open(&gateway.url(), path, &root.token, "").await;
    let first = exported.next().await.unwrap();
    let contact = first.data["contact"]["id"].as_str().unwrap();
    let erase = json!({"contactId": contact});
    let method = "contacts.v1.ContactDirectory/EraseContact";
    call(&gateway, &root.token, method, erase).await;
    let engine = gateway.engine();
    engine.reload((*engine.settings()).clone()).await.unwrap();
    entries(&gateway, &root, json!({})).await;

    let all = entries(&gateway, &root, json!({})).await;
    for (act, subject) in [
        ("contacts.export", ""),
        ("contact.erase", contact),
        ("audit.read", ""),
    ] {
        let entry = find(&all, act);
        assert_eq!(text(entry, "operatorId"), root.id.to_string(), "{act}");
        assert_eq!(text(entry, "subject"), subject, "{act}");
    }
    find(&all, "configuration.reload");
    let readings = all.iter().filter(|entry| entry["act"] == "audit.read");
    assert_eq!(readings.count(), 1, "once a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_read_by_who_what_and_when() {
    let gateway = TestGateway::start().await;
    let root = gateway.person("root", Role::Admin, &[]).await;
    gateway.person("anna", Role::Operator, &["main"]).await;
    let all = entries(&gateway, &root, json!({})).await;
    let acts = |entries: &[Value]| -> Vec<String> {
        let acts = entries.iter().map(|entry| entry["act"].as_str().unwrap());
        acts.map(str::to_owned).collect()
    };
    let made = entries(&gateway, &root, json!({"act": "operator."})).await;
    assert_eq!(acts(&made), ["operator.add", "operator.add"]);
    let by_root = json!({"operatorId": root.id.to_string()});
    let mine = entries(&gateway, &root, by_root).await;
    assert_eq!(acts(&mine), ["audit.read", "sign_in"]);
    let none = entries(&gateway, &root, json!({"until": "2020-01-01T00:00:00Z"})).await;
    assert!(none.is_empty());
    let some = entries(&gateway, &root, json!({"since": "2020-01-01T00:00:00Z"})).await;
    assert_eq!(some.len(), all.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_touches_the_file_is_told_on() {
    let mut gateway = TestGateway::start().await;
    let root = gateway.person("root", Role::Admin, &[]).await;
    gateway.person("anna", Role::Operator, &["main"]).await;
    let verify = async |gateway: &TestGateway, kept: &str| {
        let body = json!({"keptSeal": kept});
        call(gateway, &root.token, "admin.v1.Admin/VerifyAudit", body).await
    };
    let verdict = verify(&gateway, "").await;
    assert_eq!(verdict["whole"], true);
    let seal = verdict["seal"].as_str().unwrap().to_owned();
    assert_eq!(verify(&gateway, &seal).await["whole"], true);
    let name = "switchboard.admin.v1.Admin/VerifyAudit";
    let body = json!({"keptSeal": "12"});
    let wrong = http::call(&gateway.url(), name, Some(&root.token), &body).await;
    assert_eq!(wrong.code(), "invalid_argument");

    let store = gateway.store_path();
    gateway.stop().await;
    let file = Connection::open(store).unwrap();
    file.execute_batch(
        "drop trigger audit_is_not_changed;
         update audit set subject = 'olga' where subject = 'anna' and act = 'operator.add'",
    )
    .unwrap();
    drop(file);
    gateway.restart().await;
    let verdict = verify(&gateway, &seal).await;
    assert_eq!(verdict["whole"], Value::Null);
    assert!(
        verdict["problem"]
            .as_str()
            .unwrap()
            .contains("does not follow")
    );
    // It goes on being written, and the break stays where it is.
    gateway.person("olga", Role::Operator, &["main"]).await;
    assert_eq!(
        verify(&gateway, "").await["entryCount"],
        verdict["entryCount"]
    );
}
