//! What a folder holds, and that its counter says the same.

use domain::operator::Role;
use e2e::{OperatorClient, TestGateway, Visitor};
use proto::inbox::v1 as pb;

struct Folder {
    ids: Vec<String>,
    count: i32,
    unread: i32,
}

async fn folder(who: &mut OperatorClient, folder: pb::Folder) -> Folder {
    let page = who.list(folder).await;
    let counted = page.counts.iter().find(|count| count.folder() == folder);
    let counted = counted.unwrap();
    Folder {
        ids: page
            .conversations
            .into_iter()
            .map(|found| found.id)
            .collect(),
        count: counted.count,
        unread: counted.unread,
    }
}

/// What is in MINE, which has to be what its counter says.
async fn mine(who: &mut OperatorClient) -> (Vec<String>, i32) {
    let found = folder(who, pb::Folder::Mine).await;
    assert_eq!(usize::try_from(found.count).unwrap(), found.ids.len());
    (found.ids, found.unread)
}

async fn join(who: &mut OperatorClient, id: &str, leave: bool) {
    let request = pb::JoinConversationRequest {
        conversation_id: id.to_owned(),
        leave,
        ..Default::default()
    };
    who.inbox.join_conversation(request).await.unwrap();
}

/// A visitor writes, and this operator answers.
async fn talk(gateway: &TestGateway, who: &mut OperatorClient) -> (Visitor, String) {
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "hello").await;
    let id = who.accept().await.id;
    (visitor, id)
}

fn these<const N: usize>(ids: [&String; N]) -> Vec<String> {
    ids.map(String::clone).into()
}

struct Room {
    _gateway: TestGateway,
    anna: OperatorClient,
    bert: OperatorClient,
    visitors: [Visitor; 3],
    /// The first two are Anna's, the third is Bert's.
    ids: [String; 3],
}

async fn room() -> Room {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut bert = gateway.person("bert", Role::Operator, &["main"]).await;
    let (visitor, first) = talk(&gateway, &mut anna).await;
    let (second_visitor, second) = talk(&gateway, &mut anna).await;
    anna.set_presence(pb::Presence::Away).await;
    bert.ready().await;
    let (third_visitor, third) = talk(&gateway, &mut bert).await;
    assert_eq!(mine(&mut bert).await.0, these([&third]));
    join(&mut bert, &first, false).await;
    join(&mut bert, &second, false).await;
    Room {
        _gateway: gateway,
        anna,
        bert,
        visitors: [visitor, second_visitor, third_visitor],
        ids: [first, second, third],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_has_joined_is_mine() {
    let Room {
        mut anna,
        mut bert,
        mut visitors,
        ids: [first, second, third],
        ..
    } = room().await;
    let all = these([&third, &second, &first]);
    assert_eq!(mine(&mut bert).await.0, all);
    assert_eq!(mine(&mut anna).await.0, these([&second, &first]));
    // Page by page it is the same.
    let mut paged = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListConversationsRequest {
            folder: pb::Folder::Mine.into(),
            page_size: 1,
            page_token,
            ..Default::default()
        };
        let page = bert.inbox.list_conversations(request).await.unwrap();
        let page = page.into_inner();
        paged.extend(page.conversations.into_iter().map(|found| found.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all);

    // What the client writes moves it up, and counts as unread.
    anna.say(&first, "a-1", "yes?").await.unwrap();
    bert.say(&third, "b-1", "yes?").await.unwrap();
    let (_, before) = mine(&mut bert).await;
    visitors[0].say("c-2", "are you there?").await;
    bert.hears("are you there?").await;
    let (ids, unread) = mine(&mut bert).await;
    assert_eq!(ids, these([&first, &third, &second]));
    assert_eq!(unread, before + 1);
    join(&mut bert, &second, true).await;
    assert_eq!(mine(&mut bert).await.0, these([&first, &third]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_has_joined_goes_with_its_owner() {
    let Room {
        mut anna,
        mut bert,
        ids: [first, second, third],
        ..
    } = room().await;
    let all = these([&third, &second, &first]);
    // Asked to take it over, one still has it once.
    let transfer = pb::TransferConversationRequest {
        conversation_id: first.clone(),
        target: Some(pb::transfer_conversation_request::Target::OperatorId(
            bert.id.to_string(),
        )),
        ..Default::default()
    };
    anna.inbox.transfer_conversation(transfer).await.unwrap();
    assert_eq!(mine(&mut bert).await.0, all);
    bert.accept().await;
    join(&mut anna, &first, false).await;
    assert_eq!(mine(&mut bert).await.0, all);
    assert_eq!(mine(&mut anna).await.0, these([&second, &first]));

    // Put away by its owner it is on nobody's desk; ended it is gone.
    let snooze = pb::SnoozeConversationRequest {
        conversation_id: first.clone(),
        ..Default::default()
    };
    bert.inbox.snooze_conversation(snooze).await.unwrap();
    assert_eq!(mine(&mut anna).await.0, these([&second]));
    assert_eq!(folder(&mut anna, pb::Folder::Snoozed).await.count, 0);
    let away = folder(&mut bert, pb::Folder::Snoozed).await;
    assert_eq!(away.ids, these([&first]));
    assert_eq!(mine(&mut bert).await.0, these([&third, &second]));
    anna.finish(&second).await.unwrap();
    assert_eq!(mine(&mut bert).await.0, these([&third]));
    assert_eq!(mine(&mut anna).await.0, these([]));
}
