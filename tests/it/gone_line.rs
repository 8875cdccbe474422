//! Events of a line that is not configured any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::operator::Role;
use e2e::bridge::message;
use e2e::gateway::line;
use e2e::{Bridge, OperatorClient, TestGateway, http, soon};
use proto::inbox::v1::Folder;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

const OLD: &str = "old";

/// What this line's journal would hold of a message.
fn raw_of(bridge_raw: &[u8], text: &str) -> Vec<u8> {
    let raw = String::from_utf8(bridge_raw.to_vec()).unwrap();
    raw.replace("\"bridge\"", &format!("\"{OLD}\""))
        .replace("template", text)
        .into_bytes()
}

async fn lines(gateway: &TestGateway, token: &str) -> Value {
    let method = "switchboard.admin.v1.Admin/ListLines";
    http::call(&gateway.url(), method, Some(token), &json!({}))
        .await
        .json()
}

/// What the old line's client has said, once three messages of theirs are there.
async fn texts_of_old(admin: &mut OperatorClient) -> Vec<String> {
    loop {
        let waiting = admin.list(Folder::Waiting).await.conversations;
        if let Some(found) = waiting.iter().find(|found| found.line_id == OLD) {
            let messages = admin.messages(&found.id).await;
            if messages.len() >= 3 {
                let said = messages.iter().map(e2e::operator::text_of);
                return said.map(str::to_owned).collect();
            }
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_wait_apart_and_are_processed_when_it_is_back() {
    let configured = Arc::new(AtomicBool::new(false));
    let with_old = Arc::clone(&configured);
    let mut gateway = TestGateway::start_with(move |settings| {
        settings.limits.journal_pending_max = 2;
        if with_old.load(Ordering::SeqCst) {
            let url = settings.public_url.clone();
            settings.lines.push(line(OLD, "bridge", "main", &url));
        }
    })
    .await;
    let mut admin = gateway.person("admin", Role::Admin, &["main"]).await;
    let bridge = Bridge::connect(&gateway).await;
    bridge
        .push(message("client", "template", "template"))
        .await
        .unwrap();
    admin.hears("template").await;
    let store_path = gateway.store_path();
    gateway.stop().await;
    let store = Connection::open(&store_path).unwrap();
    let raw: Vec<u8> = store
        .query_row("select raw from journal", (), |row| row.get(0))
        .unwrap();
    for (seq, text) in [(10, "first"), (11, "second"), (12, "third")] {
        store
            .execute(
                "insert into journal (seq, line, event_key, received_at, raw)
                 values (?1, ?2, ?3, ?4, ?5)",
                params![seq, OLD, text, 1_000 + seq, raw_of(&raw, text)],
            )
            .unwrap();
    }
    store
        .execute(
            "insert into journal (seq, line, event_key, received_at, raw, state, note)
             values (13, ?1, 'dead', 1013, ?2, 2, 'poison')",
            params![OLD, raw_of(&raw, "dead")],
        )
        .unwrap();
    drop(store);
    gateway.restart().await;

    // They take no room from those that can be processed.
    let mut admin = gateway.sign_in("admin").await;
    let bridge = bridge.again(&gateway).await;
    for key in ["1", "2", "3"] {
        let text = format!("news {key}");
        assert!(!bridge.says("client", key, &text).await);
        admin.hears(&text).await;
    }
    let told = lines(&gateway, &admin.token).await;
    let waiting = &told["unconfigured"];
    assert_eq!(waiting[0]["lineId"], OLD, "{told}");
    assert_eq!(waiting[0]["waitingCount"], "3", "{told}");
    assert_eq!(waiting[0]["oldestAt"], "1970-01-01T00:00:01.010Z", "{told}");
    assert_eq!(waiting.as_array().unwrap().len(), 1);
    // Nothing more is put there by hand.
    let replay = gateway.engine().replay_dead_letter(None, 13).await;
    assert!(replay.unwrap_err().to_string().contains(OLD));

    configured.store(true, Ordering::SeqCst);
    gateway.restart().await;
    let mut admin = gateway.sign_in("admin").await;
    let texts = soon("the old line's messages", texts_of_old(&mut admin)).await;
    assert_eq!(texts, ["first", "second", "third"]);
    let told = lines(&gateway, &admin.token).await;
    assert_eq!(told["unconfigured"], Value::Null, "{told}");
    gateway.engine().replay_dead_letter(None, 13).await.unwrap();
    admin.hears("dead").await;
}
