//! What the feed tells, and to whom.

use e2e::operator::text_of;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use serde_json::json;

use super::house;

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn the_feed_tells_nothing_of_another_queue() {
    let mut house = house().await;
    house.anna.ready().await;
    house.visitor.say("c-1", "a secret word").await;
    let mine = house.anna.accept().await;
    house
        .anna
        .say(&mine.id, "a-1", "a secret answer")
        .await
        .unwrap();
    house
        .visitor
        .send(json!({"type": "typing", "active": true}))
        .await;
    house
        .anna
        .wait_for("typing", |kind| {
            matches!(kind, Kind::Typing(_)).then_some(())
        })
        .await;
    let typing = pb::SetTypingRequest {
        conversation_id: mine.id.clone(),
        active: true,
    };
    house.anna.inbox.set_typing(typing).await.unwrap();
    let transfer = |queue: &str| pb::TransferConversationRequest {
        conversation_id: mine.id.clone(),
        target: Some(pb::transfer_conversation_request::Target::QueueId(
            queue.to_owned(),
        )),
        ..Default::default()
    };
    // The first word that Olga hears of it is that it is hers.
    house.anna.set_presence(pb::Presence::Away).await;
    house
        .anna
        .inbox
        .transfer_conversation(transfer("other"))
        .await
        .unwrap();
    let first = house
        .olga
        .wait_for("the first word", |kind| match kind {
            Kind::PresenceChanged(_) | Kind::ContactChanged(_) | Kind::ContactsMerged(_) => None,
            other => Some(other),
        })
        .await;
    let Kind::ConversationChanged(first) = first else {
        panic!("{first:?}")
    };
    assert_eq!(
        (first.id.as_str(), first.queue_id.as_str()),
        (mine.id.as_str(), "other")
    );
    // And Anna hears that it has gone, without what is said there.
    let gone = house
        .anna
        .wait_for("that it has gone", |kind| match kind {
            Kind::ConversationChanged(changed) if changed.queue_id == "other" => Some(changed),
            _ => None,
        })
        .await;
    assert_eq!(
        (gone.id.as_str(), gone.last_message_text.as_str()),
        (mine.id.as_str(), "")
    );
    assert!(gone.contact.is_none());
    house.olga.ready().await;
    house.olga.accept().await;
    house.olga.say(&mine.id, "o-1", "between us").await.unwrap();
    house.other_visitor.say("c-1", "for main").await;
    house
        .anna
        .wait_for("the next of her own", |kind| match kind {
            Kind::MessageAdded(message) => {
                assert_eq!(text_of(&message), "for main");
                Some(())
            }
            Kind::ConversationChanged(changed) => {
                assert_ne!(changed.id, mine.id, "{changed:?}");
                None
            }
            _ => None,
        })
        .await;
}
