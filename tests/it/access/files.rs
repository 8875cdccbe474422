//! Files, by their signed links.

use serde_json::json;

use super::{ask, house, inbox};

#[tokio::test(flavor = "multi_thread")]
async fn files_are_for_whom_they_were_signed() {
    let mut house = house().await;
    let url = house.gateway.url();
    house.anna.ready().await;
    house.visitor.say("c-1", "hello").await;
    let mine = house.anna.accept().await;
    let answer = ask(
        &url,
        "POST",
        "/uploads",
        Some(&house.anna.token),
        "contents",
    )
    .await;
    let upload = answer.json()["uploadId"].as_str().unwrap().to_owned();

    // Olga cannot send Anna's file, in whatever conversation.
    house.olga.ready().await;
    let body = json!({"conversationId": mine.id, "queueId": "other"});
    inbox(&url, &house.anna, "TransferConversation", body).await;
    let hers = house.olga.accept().await;
    let send = json!({
        "conversationId": hers.id, "text": "x", "clientId": "o-1", "uploadIds": [upload],
    });
    let refused = inbox(&url, &house.olga, "SendMessage", send).await;
    assert_eq!(refused.code(), "not_found", "{}", refused.text());
    let body = json!({
        "conversationId": hers.id, "operatorId": house.anna.id.to_string(),
    });
    inbox(&url, &house.olga, "TransferConversation", body).await;
    house.anna.accept().await;

    let send = json!({
        "conversationId": mine.id, "text": "x", "clientId": "a-1", "uploadIds": [upload],
    });
    let written = inbox(&url, &house.anna, "SendMessage", send).await.json();
    let link = written["attachments"][0]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let link = link.strip_prefix(&url).unwrap_or(&link).to_owned();
    let fetched = ask(&url, "GET", &link, Some(&house.anna.token), "").await;
    assert_eq!(
        (fetched.status.as_u16(), fetched.text().as_str()),
        (200, "contents")
    );
    for caller in &house.callers {
        let answer = ask(&url, "GET", &link, caller.token.as_deref(), "").await;
        let hers = matches!(caller.name, "an operator" | "a token of an operator");
        assert_eq!(answer.status == 200, hers, "{}", caller.name);
    }
    let forged = link.replace("&viewer=", "&viewer=client&was=");
    for other in [forged, link.replace("/files/", "/files/0")] {
        let answer = ask(&url, "GET", &other, Some(&house.anna.token), "").await;
        assert_eq!(answer.status, 403, "{other}");
    }
    let shown = house.visitor.frame("message").await;
    assert_eq!(shown["text"], "hello");
    house.gateway.clock().advance(301_000);
    let late = ask(&url, "GET", &link, Some(&house.anna.token), "").await;
    assert_eq!(late.status, 403, "a link is good for five minutes");
}
