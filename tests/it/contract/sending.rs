//! What goes out, and what the provider says to that.

use std::sync::{Arc, Mutex};

use e2e::Scene;
use e2e::providers::Platform;
use proto::inbox::v1 as pb;

/// Clients whose ids differ in the last digit only, each answered to their own message.
pub(super) async fn ids_are_exact_to_the_last_digit<P: Platform>() {
    let mut scene = Scene::<P>::called().await;
    let mut all = Vec::new();
    for number in 0..3 {
        let client = P::client(number);
        let conversation = scene.meets(&client).await;
        let question = format!("question {number}");
        let body = scene.provider.words(&client, &question);
        scene.brings(&body).await;
        let question = scene.olga.hears(&question).await;
        assert_eq!(question.conversation_id, conversation);
        all.push((client, question, body));
    }
    scene.nobody_else_waits(3).await;
    for (client, question, body) in all {
        let answer = format!("answer to {}", question.id);
        let request = pb::SendMessageRequest {
            conversation_id: question.conversation_id,
            client_id: answer.clone(),
            text: answer.clone(),
            reply_to_message_id: question.id,
            ..Default::default()
        };
        scene.olga.inbox.send_message(request).await.unwrap();
        let is_given = |scene: &Scene<P>| !scene.provider.given(&client).is_empty();
        scene.passes_until("it is given", 100, is_given).await;
        assert_eq!(scene.provider.given(&client), [answer]);
        let last = scene.provider.desk().seen(P::SENDS).pop().unwrap();
        let call = String::from_utf8(last.body.to_vec()).unwrap();
        if let Some(quoted) = scene.provider.quoted(&body) {
            assert!(call.contains(&quoted), "no {quoted} in {call}");
        }
    }
}

pub(super) async fn a_wait_that_is_asked_for_is_kept_by_whom_it_was_asked_of<P: Platform>() {
    let mut scene = Scene::<P>::called().await;
    let anna = P::client(0);
    scene.conversation = scene.meets(&anna).await;
    let mut visitor = scene.gateway.visitor().await;
    visitor.say("c-1", "Hello?").await;
    let chat = scene.olga.accept().await.id;

    let (flood, wait) = P::flood();
    let times: Arc<Mutex<Vec<i64>>> = Arc::default();
    let (mut flood, clock) = (Some(flood), scene.gateway.clock().clone());
    let noted = Arc::clone(&times);
    scene.provider.desk().plan(move |name, _| {
        (name == P::SENDS).then(|| noted.lock().unwrap().push(clock.now().0))?;
        flood.take()
    });
    scene.says("a-1", "first").await;
    scene.says("a-2", "second").await;
    scene.provider.desk().until_seen(P::SENDS, 1).await;
    // Who was not asked does not wait.
    scene.olga.say(&chat, "a-3", "Yes").await.unwrap();
    visitor.hears("Yes").await;
    assert!(scene.provider.given(&anna).is_empty());
    let are_given = |scene: &Scene<P>| scene.provider.given(&anna).len() == 2;
    scene
        .passes_until("both are given", wait / 20, are_given)
        .await;
    assert_eq!(scene.provider.given(&anna), ["first", "second"]);
    let times = times.lock().unwrap().clone();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= wait, "{times:?}, not {wait}");
}

pub(super) async fn a_token_that_is_refused_holds_everything_and_loses_nothing<P: Platform>() {
    let mut scene = Scene::<P>::called().await;
    let clients = [P::client(0), P::client(1)];
    let mut conversations = Vec::new();
    for client in &clients {
        conversations.push(scene.meets(client).await);
    }
    assert_eq!(scene.trouble(), None);
    scene.provider.shut_out(true);
    let texts = ["first", "second", "third"];
    for text in texts {
        for conversation in &conversations {
            let client_id = format!("{text} {conversation}");
            let said = scene.olga.say(conversation, &client_id, text).await;
            assert!(said.is_ok(), "{said:?}");
        }
    }
    let is_told = |scene: &Scene<P>| scene.trouble().is_some();
    scene.passes_until("it is told", 10, is_told).await;
    // What clients write comes in all the same.
    scene.hears(&clients[0], "meanwhile").await;
    scene.gateway.passes(3_600_000);
    assert_eq!(scene.unsent(), 6);

    scene.provider.shut_out(false);
    let all_sent = |scene: &Scene<P>| scene.unsent() == 0;
    scene
        .passes_until("everything is sent", 5_000, all_sent)
        .await;
    for client in &clients {
        assert_eq!(scene.provider.given(client), texts);
    }
    assert_eq!(scene.trouble(), None);
}
