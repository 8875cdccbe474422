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

/// S17: sign-ins and their failures, rights, configuration, export, erasure, reading of
/// what is secret, and acts out of turn.
#[tokio::test(flavor = "multi_thread")]
async fn what_matters_is_noted_with_who_did_it() {
    let gateway = TestGateway::start().await;
    let root = gateway.person("root", Role::Admin, &[]).await;
    let mut anna = gateway.ready_operator("anna").await;
    let id = root.id.to_string();
    let as_root = async |method: &str, body: Value| call(&gateway, &root.token, method, body).await;

    let signed_in = try_login(&gateway, "anna", PASSWORD).await;
    assert!(signed_in["token"].is_string());
    let again = signed_in["token"].as_str().unwrap();
    call(&gateway, again, "admin.v1.Admin/Logout", json!({})).await;
    assert_eq!(
        try_login(&gateway, "anna", "not it at all").await["code"],
        "unauthenticated"
    );
    let mistyped = "my secret password";
    assert_eq!(
        try_login(&gateway, mistyped, PASSWORD).await["code"],
        "unauthenticated"
    );

    let change = json!({
        "operatorId": anna.id.to_string(), "displayName": "anna", "role": "SUPERVISOR",
        "queues": [{"queueId": "main", "rank": 2}], "capacity": 100,
    });
    as_root("admin.v1.Admin/UpdateOperator", change).await;
    let token = json!({"name": "crm", "role": "SUPERVISOR"});
    let program = as_root("admin.v1.Admin/CreateToken", token).await;
    let (secret, token_id) = (program["secret"].clone(), program["token"]["id"].clone());

    let mut visitor = gateway.visitor().await;
    visitor.say("m-1", "hello").await;
    let conversation = anna.accept().await;
    let reassign = json!({
        "conversationId": conversation.id, "queueId": "other", "reason": "not ours",
    });
    let crm = secret.as_str().unwrap();
    call(&gateway, crm, "routing.v1.Routing/Reassign", reassign).await;
    let front = json!({"conversationId": conversation.id, "reason": "a friend"});
    as_root("routing.v1.Routing/MoveToFront", front).await;
    let away =
        json!({"operatorId": anna.id.to_string(), "presence": "AWAY", "reason": "gone home"});
    as_root("routing.v1.Routing/ForcePresence", away).await;

    let path = "/switchboard.contacts.v1.ContactDirectory/ExportContacts";
    let url = gateway.url();
    let exported = http::Events::open(&url, path, &root.token, "")
        .await
        .next()
        .await;
    let contact = exported.unwrap().data["contact"]["id"].clone();
    let erase = json!({"contactId": contact});
    as_root("contacts.v1.ContactDirectory/EraseContact", erase).await;
    as_root("admin.v1.Admin/RevokeToken", json!({"tokenId": token_id})).await;
    let engine = gateway.engine();
    engine.reload((*engine.settings()).clone()).await.unwrap();
    entries(&gateway, &root, json!({})).await;

    let all = entries(&gateway, &root, json!({"pageSize": 200})).await;
    let found = |act: &str| {
        let found = all.iter().find(|entry| entry["act"] == act);
        found
            .unwrap_or_else(|| panic!("{act} is not noted: {all:#?}"))
            .clone()
    };
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    for act in [
        "operator.change",
        "token.add",
        "conversation.move_to_front",
        "presence.force",
        "contacts.export",
        "contact.erase",
        "token.revoke",
        "audit.read",
    ] {
        assert_eq!(text(&found(act), "operatorId"), id, "{act}");
    }
    let of_anna = anna.id.to_string();
    for act in ["sign_in", "sign_out"] {
        let entry = all
            .iter()
            .find(|entry| entry["act"] == act && entry["subject"] == "anna");
        assert_eq!(text(entry.unwrap(), "operatorId"), of_anna, "{act}");
    }
    assert_eq!(
        text(&found("operator.change"), "detail"),
        "role Operator to Supervisor; queues [main:0] to [main:2]"
    );
    let reassigned = found("conversation.reassign");
    assert_eq!(
        reassigned["tokenId"], token_id,
        "a program is not the command line"
    );
    assert!(reassigned["operatorId"].is_null());
    assert!(text(&found("configuration.reload"), "detail").is_empty());

    let failures: Vec<&Value> = all
        .iter()
        .filter(|entry| entry["act"] == "sign_in.fail")
        .collect();
    let of: BTreeSet<String> = failures
        .iter()
        .map(|entry| text(entry, "subject"))
        .collect();
    assert_eq!(of, BTreeSet::from([String::new(), "anna".to_owned()]));
    assert!(text(failures[0], "detail").contains("from 127.0.0.1"));
    let everything = format!("{all:?}");
    assert!(!everything.contains(mistyped), "it may be a password");
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
