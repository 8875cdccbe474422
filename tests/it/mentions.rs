//! Notes that name colleagues: who is let in, who is told, and for how long.

use domain::operator::Role;
use domain::routing::QueueRules;
use e2e::operator::text_of;
use e2e::{OperatorClient, TestGateway, Visitor};
use engine::settings::Queue;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use tonic::{Code, Status};

struct Desk {
    gateway: TestGateway,
    anna: OperatorClient,
    olga: OperatorClient,
    _visitor: Visitor,
    /// Anna's, in a queue that is not Olga's.
    conversation: pb::Conversation,
}

async fn desk() -> Desk {
    let gateway = TestGateway::start_with(|settings| {
        let third = "third";
        settings.queues.push(Queue {
            ask_rating: true,
            id: third.into(),
            display_name: third.to_owned(),
        });
        let rules = QueueRules::new(third.into());
        settings.rules.queues.insert(third.into(), rules);
    })
    .await;
    let mut anna = gateway.ready_operator("anna").await;
    let olga = gateway.person("olga", Role::Operator, &["other"]).await;
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "a secret word").await;
    let conversation = anna.accept().await;
    Desk {
        gateway,
        anna,
        olga,
        _visitor: visitor,
        conversation,
    }
}

async fn note(
    who: &mut OperatorClient,
    conversation: &str,
    client_id: &str,
    named: &[String],
) -> Result<pb::Message, Status> {
    let request = pb::AddNoteRequest {
        conversation_id: conversation.to_owned(),
        text: "Have a look, please".to_owned(),
        client_id: client_id.to_owned(),
        mentioned_operator_ids: named.to_vec(),
    };
    Ok(who.inbox.add_note(request).await?.into_inner())
}

async fn open(who: &mut OperatorClient, id: &str) -> Result<pb::Conversation, Status> {
    let request = pb::GetConversationRequest {
        conversation_id: id.to_owned(),
    };
    let opened = who.inbox.get_conversation(request).await?.into_inner();
    Ok(opened.conversation.unwrap())
}

async fn mentions(who: &mut OperatorClient, unread_only: bool) -> pb::ListMentionsResponse {
    let request = pb::ListMentionsRequest {
        unread_only,
        ..Default::default()
    };
    who.inbox.list_mentions(request).await.unwrap().into_inner()
}

async fn unread(who: &mut OperatorClient) -> i32 {
    who.wait_for("a count of mentions", |kind| match kind {
        Kind::MentionsChanged(changed) => Some(changed.unread_count),
        _ => None,
    })
    .await
}

async fn me(who: &mut OperatorClient) -> pb::GetMeResponse {
    let me = who.inbox.get_me(pb::GetMeRequest {}).await;
    me.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_named_is_told_and_let_in_to_look() {
    let mut desk = desk().await;
    let id = desk.conversation.id.clone();
    let olga_id = desk.olga.id.to_string();
    let olga_alone = std::slice::from_ref(&olga_id);
    assert_eq!(
        open(&mut desk.olga, &id).await.unwrap_err().code(),
        Code::NotFound
    );

    let anna_id = desk.anna.id.to_string();
    let named = [olga_id.clone(), olga_id.clone(), anna_id];
    let written = note(&mut desk.anna, &id, "n-1", &named).await.unwrap();
    assert_eq!(written.mentions, olga_alone, "once, and not its author");
    let again = note(&mut desk.anna, &id, "n-1", &named).await.unwrap();
    assert_eq!(again.id, written.id);

    let heard = desk.olga.hears("Have a look, please").await;
    assert_eq!(heard.mentions, olga_alone);
    assert_eq!(unread(&mut desk.olga).await, 1);
    assert_eq!(me(&mut desk.olga).await.unread_mention_count, 1);
    let opened = open(&mut desk.olga, &id).await.unwrap();
    assert_eq!(opened.mentioned_ids, olga_alone);
    assert!(opened.participant_ids.is_empty());
    let texts: Vec<String> = desk
        .olga
        .messages(&id)
        .await
        .iter()
        .map(|m| text_of(m).to_owned())
        .collect();
    assert_eq!(texts, ["a secret word", "Have a look, please"]);

    // To look is not to answer; a note is among colleagues.
    let said = desk.olga.say(&id, "o-1", "I answer").await;
    assert_eq!(said.unwrap_err().code(), Code::PermissionDenied);
    note(&mut desk.olga, &id, "o-2", &[]).await.unwrap();
    let mine = desk.olga.list(pb::Folder::Mine).await;
    assert!(mine.conversations.is_empty(), "it is not on her desk");
    let all = desk.olga.list(pb::Folder::AllOpen).await;
    assert!(
        all.conversations.is_empty(),
        "her queues are what they were"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mentions_are_listed_and_read_and_outlast_a_transfer() {
    let mut desk = desk().await;
    let id = desk.conversation.id.clone();
    let olga = [desk.olga.id.to_string()];
    let written = note(&mut desk.anna, &id, "n-1", &olga).await.unwrap();
    assert_eq!(unread(&mut desk.olga).await, 1);
    let listed = mentions(&mut desk.olga, true).await;
    assert_eq!((listed.unread_count, listed.mentions.len()), (1, 1));
    assert_eq!(listed.mentions[0].message.as_ref().unwrap().id, written.id);
    assert_eq!(listed.mentions[0].conversation.as_ref().unwrap().id, id);
    let read = pb::MarkMentionsReadRequest {
        conversation_id: id.clone(),
    };
    let left = desk
        .olga
        .inbox
        .mark_mentions_read(read)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(left.unread_count, 0);
    assert_eq!(unread(&mut desk.olga).await, 0);
    assert!(mentions(&mut desk.olga, true).await.mentions.is_empty());
    let kept = mentions(&mut desk.olga, false).await;
    assert!(kept.mentions[0].read_at.is_some());
    assert!(mentions(&mut desk.anna, false).await.mentions.is_empty());

    // It lasts: over a transfer to a third queue's people, and over a restart.
    let transfer = pb::TransferConversationRequest {
        conversation_id: id.clone(),
        target: Some(pb::transfer_conversation_request::Target::QueueId(
            "third".to_owned(),
        )),
        ..Default::default()
    };
    desk.anna
        .inbox
        .transfer_conversation(transfer)
        .await
        .unwrap();
    assert!(open(&mut desk.olga, &id).await.is_ok());
    assert_eq!(
        open(&mut desk.anna, &id).await.unwrap_err().code(),
        Code::NotFound
    );
    desk.gateway.restart().await;
    let mut olga = desk.gateway.sign_in("olga").await;
    assert!(open(&mut olga, &id).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_in_for_a_mention_lets_in_nobody() {
    let mut desk = desk().await;
    let id = desk.conversation.id.clone();
    let boris = desk
        .gateway
        .person("boris", Role::Operator, &["main"])
        .await;
    let boss = desk.gateway.person("boss", Role::Supervisor, &[]).await;
    let pavel = desk
        .gateway
        .person("pavel", Role::Operator, &["other"])
        .await;
    let olga = desk.olga.id.to_string();
    let stranger = note(&mut desk.olga, &id, "o-0", &[pavel.id.to_string()]).await;
    assert_eq!(stranger.unwrap_err().code(), Code::NotFound);
    note(&mut desk.anna, &id, "n-1", &[olga]).await.unwrap();

    let refused = note(&mut desk.olga, &id, "o-1", &[pavel.id.to_string()]).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    // Whoever sees it anyway may be called by anybody.
    for (key, colleague) in [("o-2", boris.id), ("o-3", boss.id), ("o-4", desk.anna.id)] {
        let named = [colleague.to_string()];
        note(&mut desk.olga, &id, key, &named).await.unwrap();
    }
    assert_eq!(unread(&mut desk.anna).await, 1);

    let gone = engine::people::OperatorChange {
        skills: domain::routing::Skills::default(),
        display_name: "pavel".to_owned(),
        role: Role::Operator,
        memberships: Vec::new(),
        capacity: 0,
        auto_accept: false,
        disabled: true,
    };
    let disabled = desk
        .gateway
        .engine()
        .change_operator(None, "", pavel.id, gone);
    disabled.await.unwrap();
    for (named, code) in [
        (pavel.id.to_string(), Code::NotFound),
        ("999999999".to_owned(), Code::NotFound),
        ("nobody".to_owned(), Code::NotFound),
    ] {
        let refused = note(&mut desk.anna, &id, "n-2", &[named]).await;
        assert_eq!(refused.unwrap_err().code(), code);
    }
    let many: Vec<String> = (1..=21)
        .map(|number| (number + 1_000_000).to_string())
        .collect();
    let refused = note(&mut desk.anna, &id, "n-3", &many).await;
    assert_eq!(refused.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(
        desk.anna.messages(&id).await.len(),
        5,
        "what was refused left nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_taken_back_takes_back_what_it_let_see() {
    let mut desk = desk().await;
    let id = desk.conversation.id.clone();
    let olga = [desk.olga.id.to_string()];
    let first = note(&mut desk.anna, &id, "n-1", &olga).await.unwrap();
    let second = note(&mut desk.anna, &id, "n-2", &olga).await.unwrap();
    assert_eq!(unread(&mut desk.olga).await, 1);
    assert_eq!(unread(&mut desk.olga).await, 2);

    for (note, left) in [(&first, 1), (&second, 0)] {
        assert!(open(&mut desk.olga, &id).await.is_ok());
        let request = pb::DeleteMessageRequest {
            message_id: note.id.clone(),
            client_id: String::new(),
        };
        let gone = desk
            .anna
            .inbox
            .delete_message(request)
            .await
            .unwrap()
            .into_inner();
        assert!(gone.mentions.is_empty());
        assert_eq!(unread(&mut desk.olga).await, left);
    }
    let bare = desk
        .olga
        .wait_for("the conversation goes", |kind| match kind {
            Kind::ConversationChanged(changed) => changed.contact.is_none().then_some(changed),
            _ => None,
        })
        .await;
    assert_eq!(bare.id, id);
    assert_eq!(
        open(&mut desk.olga, &id).await.unwrap_err().code(),
        Code::NotFound
    );
    assert!(mentions(&mut desk.olga, false).await.mentions.is_empty());
    let texts = desk.olga.inbox.list_timeline(pb::ListTimelineRequest {
        conversation_id: id,
        ..Default::default()
    });
    assert_eq!(texts.await.unwrap_err().code(), Code::NotFound);
}
