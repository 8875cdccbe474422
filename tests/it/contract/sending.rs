//! What goes out, and what the provider says to that.

use std::sync::{Arc, Mutex};

use e2e::Scene;
use e2e::providers::Platform;
use proto::channels::v1::DeliveryState;
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
    refuse_the_token(Scene::<P>::called().await).await;
    let asking = Scene::<P>::asking().await;
    if asking.asks() {
        refuse_the_token(asking).await;
    }
}

async fn refuse_the_token<P: Platform>(mut scene: Scene<P>) {
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
    let meanwhile = scene.provider.words(&clients[0], "meanwhile");
    scene.brings(&meanwhile).await;
    scene.gateway.passes(3_600_000);
    assert_eq!(scene.unsent(), 6);
    // What clients write comes in all the same, unless the gateway has to ask for it.
    if scene.asks() {
        scene.provider.shut_out(false);
    }
    scene.olga.hears("meanwhile").await;

    scene.provider.shut_out(false);
    let is_well = |scene: &Scene<P>| scene.unsent() == 0 && scene.trouble().is_none();
    scene
        .passes_until("everything is sent", 5_000, is_well)
        .await;
    for client in &clients {
        assert_eq!(scene.provider.given(client), texts);
    }
}

pub(super) async fn a_long_answer_goes_in_parts_and_is_one_message<P: Platform>() {
    const WORD: &str = "слово ";
    let mut scene = Scene::<P>::called().await;
    let anna = P::client(0);
    scene.conversation = scene.meets(&anna).await;
    let kind = channels::registry::find(P::KIND).unwrap();
    let count = kind.descriptor.text_length_max / WORD.chars().count() - 1;
    let answer = scene.says("a-1", &WORD.repeat(count)).await;
    let all_sent = |scene: &Scene<P>| scene.unsent() == 0;
    scene.passes_until("it is sent", 1_000, all_sent).await;
    let given = scene.provider.given(&anna);
    assert!(given.len() > 1);
    let words = given.iter().flat_map(|part| part.split_whitespace());
    let words: Vec<&str> = words.collect();
    assert_eq!(words, vec!["слово"; count]);
    let shown = scene.messages().await;
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[1].id, answer.id);
    assert_eq!(shown[1].delivery(), DeliveryState::Sent);
}
