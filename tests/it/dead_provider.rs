//! A provider that takes connections and answers nobody holds up no other line.

use std::sync::Arc;

use domain::text::Localized;
use e2e::mail::never;
use e2e::providers::Fault;
use e2e::providers::telegram::{TOKEN, Telegram};
use e2e::{TestGateway, gateway};
use proto::channels::v1::DeliveryState;
use proto::inbox::v1::event::Kind;

/// More than may be under way at once on any line.
const CLIENTS: i64 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn others_are_answered_while_a_provider_answers_nobody() {
    let telegram = Telegram::start().await;
    let url = telegram.desk.url.clone();
    let gateway = TestGateway::start_with(move |settings| {
        let mut options = toml::Table::new();
        options.insert("token".to_owned(), TOKEN.into());
        options.insert("api_url".to_owned(), url.clone().into());
        let own = settings.public_url.clone();
        let line = gateway::line_with("telegram", "telegram", "other", &own, options);
        settings.lines.push(line);
        let closed = settings.rules.queues.get_mut(&"other".into()).unwrap();
        closed.hours = Some(never());
        closed.closed_reply = Some(Arc::new(Localized::new("We are closed.")));
    })
    .await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "Hello?").await;
    let conversation = anna.accept().await;

    for client in 1..=CLIENTS {
        telegram.desk.fail("sendMessage", Fault::Hang);
        telegram.says(client, "Is anybody there?");
    }
    telegram.desk.until_seen("sendMessage", 32).await;
    let said = anna.say(&conversation.id, "a-1", "Yes").await.unwrap();
    visitor.hears("Yes").await;
    let sent = anna.wait_for("the answer is sent", |kind| match kind {
        Kind::MessageChanged(message) if message.id == said.id => Some(message.delivery()),
        _ => None,
    });
    assert_eq!(sent.await, DeliveryState::Sent);
    // The dead one has as many as a line may have; it answered none of them, and none was
    // given up yet to make room.
    assert_eq!(telegram.desk.seen("sendMessage").len(), 32);
    assert!(telegram.sent().is_empty());
    let store = rusqlite::Connection::open(gateway.store_path()).unwrap();
    let given_up = store.query_row(
        "select count(*) from message where json_extract(doc, '$.delivery') = 'uncertain'",
        [],
        |row| row.get::<_, i64>(0),
    );
    assert_eq!(given_up, Ok(0));
}
