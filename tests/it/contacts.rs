//! The built-in contact directory, from outside and as conversations follow it.

use std::collections::BTreeSet;

use domain::operator::Role;
use e2e::bridge::message;
use e2e::operator::Signed;
use e2e::{Bridge, OperatorClient, TestGateway, Visitor, soon};
use engine::contacts::conformance::{Verdict, check};
use futures::future::join_all;
use proto::contacts::v1 as pb;
use proto::contacts::v1::contact_directory_client::ContactDirectoryClient;
use proto::contacts::v1::watch_contacts_response::Change;
use proto::inbox::v1 as inbox;
use proto::inbox::v1::event::Kind;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tonic::{Code, Streaming};

type Directory = ContactDirectoryClient<Signed>;

async fn admin(gateway: &TestGateway) -> (OperatorClient, Directory) {
    let admin = gateway.person("admin", Role::Admin, &["main"]).await;
    let directory = ContactDirectoryClient::new(admin.signed());
    (admin, directory)
}

fn identity(kind: &str, value: &str, trust: pb::Trust) -> pb::Identity {
    pb::Identity {
        kind: kind.to_owned(),
        issuer: String::new(),
        value: value.to_owned(),
        trust: trust.into(),
    }
}

fn proven(kind: &str, value: &str) -> pb::Identity {
    identity(kind, value, pb::Trust::Proven)
}

fn request(identities: &[pb::Identity]) -> pb::ResolveContactRequest {
    pb::ResolveContactRequest {
        identities: identities.to_vec(),
        default_region: "RU".to_owned(),
        ..Default::default()
    }
}

async fn resolve(directory: &Directory, identities: &[pb::Identity]) -> pb::Contact {
    let answer = directory.clone().resolve_contact(request(identities)).await;
    answer.unwrap().into_inner().contact.unwrap()
}

/// Somebody writes on the bridge; the conversation as it opened.
async fn opened(
    watcher: &mut OperatorClient,
    bridge: &Bridge,
    who: &str,
    identity: &pb::Identity,
) -> inbox::Conversation {
    let mut inbound = message(who, "1", "hello");
    inbound.sender.as_mut().unwrap().identities = vec![identity.clone()];
    bridge.push(inbound).await.unwrap();
    watcher
        .wait_for("a conversation opens", |kind| match kind {
            Kind::ConversationOpened(conversation) => Some(conversation),
            _ => None,
        })
        .await
}

fn contact_of(conversation: &inbox::Conversation) -> String {
    conversation.contact.clone().unwrap().id
}

/// Waits until a conversation is a contact's.
async fn becomes(watcher: &mut OperatorClient, conversation: &inbox::Conversation, contact: &str) {
    watcher
        .wait_for("the conversation moves", |kind| match kind {
            Kind::ConversationChanged(now) => {
                (now.id == conversation.id && contact_of(&now) == contact).then_some(())
            }
            _ => None,
        })
        .await;
}

async fn read(
    watcher: &mut OperatorClient,
    conversation: &inbox::Conversation,
) -> inbox::GetConversationResponse {
    let request = inbox::GetConversationRequest {
        conversation_id: conversation.id.clone(),
    };
    let answer = watcher.inbox.get_conversation(request).await;
    answer.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn our_directory_passes_the_conformance_run() {
    let gateway = TestGateway::start().await;
    let (admin, _) = admin(&gateway).await;
    let transport = engine::contacts::remote(&gateway.url(), Some(&admin.token)).unwrap();
    let cases = check(transport, |_| {}).await;
    assert!(cases.len() > 30, "{}", cases.len());
    for case in &cases {
        assert!(matches!(case.verdict, Verdict::Pass(_)), "{case}");
    }

    let stranger = engine::contacts::remote(&gateway.url(), None).unwrap();
    let cases = check(stranger, |_| {}).await;
    assert_eq!(cases.len(), 1);
    assert!(cases[0].to_string().starts_with("FAIL"), "{}", cases[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_at_once_make_one_contact() {
    let gateway = TestGateway::start().await;
    let (_admin, directory) = admin(&gateway).await;
    let asked = [
        proven("telegram", "42"),
        identity("phone", "8 916 123-45-67", pb::Trust::Asserted),
    ];
    let calls = (0..64).map(|_| {
        let (mut directory, asked) = (directory.clone(), request(&asked));
        async move { directory.resolve_contact(asked).await }
    });
    let answers: Vec<_> = join_all(calls)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().into_inner())
        .collect();
    let ids: BTreeSet<_> = answers
        .iter()
        .map(|answer| answer.contact.clone().unwrap().id)
        .collect();
    let created = answers
        .iter()
        .filter(|answer| answer.outcome() == pb::Outcome::Created);
    assert_eq!((ids.len(), created.count()), (1, 1));
    // Those who found nothing new have changed nothing.
    assert_eq!(resolve(&directory, &asked).await.version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_moves_conversations_and_an_undo_brings_them_back() {
    let gateway = TestGateway::start().await;
    let (mut admin, mut directory) = admin(&gateway).await;
    let bridge = Bridge::connect(&gateway).await;
    let telegram = opened(&mut admin, &bridge, "t-1", &proven("telegram", "1")).await;
    let viber = opened(&mut admin, &bridge, "v-1", &proven("viber", "1")).await;
    let (kept, gone) = (contact_of(&telegram), contact_of(&viber));
    assert_ne!(kept, gone);

    let merge = pb::MergeContactsRequest {
        contact_id: kept.clone(),
        merged_contact_id: gone.clone(),
        reason: "the same person".to_owned(),
        idempotency_key: "m-1".to_owned(),
    };
    let merged = directory.merge_contacts(merge.clone()).await.unwrap();
    let merged = merged.into_inner();
    becomes(&mut admin, &viber, &kept).await;
    // The same call again is the same merge.
    let again = directory.merge_contacts(merge).await.unwrap().into_inner();
    assert_eq!(merged, again);
    let seen = read(&mut admin, &telegram).await;
    assert_eq!(seen.contact.unwrap().identities.len(), 2);
    assert_eq!(seen.history.len(), 1);
    assert_eq!(seen.history[0].id, viber.id);

    let undo = pb::UndoMergeRequest {
        merge_id: merged.merge_id,
        idempotency_key: String::new(),
    };
    directory.undo_merge(undo.clone()).await.unwrap();
    becomes(&mut admin, &viber, &gone).await;
    let seen = read(&mut admin, &telegram).await;
    assert_eq!(contact_of(&seen.conversation.unwrap()), kept);
    assert!(seen.history.is_empty());
    let twice = directory.undo_merge(undo).await.unwrap_err();
    assert_eq!(twice.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proven_identity_joins_and_that_too_is_undone() {
    let gateway = TestGateway::start().await;
    let (mut admin, directory) = admin(&gateway).await;
    let bridge = Bridge::connect(&gateway).await;
    let (telegram, phone) = (proven("telegram", "1"), proven("phone", "+7 916 123-45-67"));
    let first = opened(&mut admin, &bridge, "t-1", &telegram).await;
    let second = opened(&mut admin, &bridge, "p-1", &phone).await;
    // The second one says more of themselves in the same thread.
    let mut inbound = message("p-1", "2", "it is me");
    inbound.sender.as_mut().unwrap().identities = vec![telegram, phone];
    bridge.push(inbound).await.unwrap();
    let kept = contact_of(&first);
    becomes(&mut admin, &second, &kept).await;
    admin.hears("it is me").await;

    // The directory's own record of the merge, as a person would find it.
    let store = Connection::open_with_flags(gateway.store_path(), OpenFlags::SQLITE_OPEN_READ_ONLY)
        .unwrap();
    let merge_id: i64 = store
        .query_row("select id from merge", (), |row| row.get(0))
        .unwrap();
    let undo = pb::UndoMergeRequest {
        merge_id: merge_id.to_string(),
        idempotency_key: String::new(),
    };
    directory.clone().undo_merge(undo).await.unwrap();
    becomes(&mut admin, &second, &contact_of(&second)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_users_of_one_browser_are_two_contacts() {
    let gateway = TestGateway::start().await;
    let (mut admin, directory) = admin(&gateway).await;
    let bridge = Bridge::connect(&gateway).await;
    let browser = proven("visitor", "b-1");
    let visitor = opened(&mut admin, &bridge, "b-1", &browser).await;
    let anna = [browser.clone(), proven("user", "anna")];
    let boris = [browser.clone(), proven("user", "boris")];
    // Who signs in for the first time is who they were before.
    let first = resolve(&directory, &anna).await;
    assert_eq!(first.id, contact_of(&visitor));
    let second = resolve(&directory, &boris).await;
    assert_ne!(second.id, first.id);
    let kinds: Vec<_> = second
        .identities
        .iter()
        .map(|own| own.kind.as_str())
        .collect();
    assert_eq!(kinds, ["user", "visitor"]);
    assert_eq!(resolve(&directory, &[browser]).await.id, second.id);
    assert_eq!(resolve(&directory, &[anna[1].clone()]).await.id, first.id);

    // A message of the second opens nothing of the first.
    let mut inbound = message("b-2", "1", "and I am Boris");
    inbound.sender.as_mut().unwrap().identities = boris.to_vec();
    bridge.push(inbound).await.unwrap();
    admin.hears("and I am Boris").await;
    let waiting = admin.list(inbox::Folder::Waiting).await.conversations;
    let his = waiting.iter().find(|found| found.id != visitor.id).unwrap();
    let seen = read(&mut admin, his).await;
    assert_eq!(seen.contact.unwrap().id, second.id);
    assert!(seen.history.is_empty());
    assert!(seen.suggestions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_address_is_suggested_to_the_operator() {
    let gateway = TestGateway::start().await;
    let (mut admin, directory) = admin(&gateway).await;
    let owner = resolve(&directory, &[proven("email", "anna@example.com")]).await;
    let mut visitor = Visitor::open(&gateway.url(), "site", None, 0).await;
    visitor
        .send(json!({"type": "profile", "name": "Anna", "email": "anna@EXAMPLE.com"}))
        .await;
    visitor.say("c-1", "It is me, Anna").await;
    let conversation = admin
        .wait_for("a conversation opens", |kind| match kind {
            Kind::ConversationOpened(conversation) => Some(conversation),
            _ => None,
        })
        .await;
    assert_ne!(contact_of(&conversation), owner.id);
    let seen = read(&mut admin, &conversation).await;
    assert!(seen.history.is_empty());
    let [suggestion] = seen.suggestions.as_slice() else {
        panic!("{:?}", seen.suggestions);
    };
    assert_eq!(suggestion.other.as_ref().unwrap().id, owner.id);
    assert_eq!(
        suggestion.reason,
        "The same email anna@example.com: only claimed here, verified of the other contact"
    );
    let dismiss = inbox::DismissSuggestionRequest {
        suggestion_id: suggestion.id.clone(),
    };
    admin.inbox.dismiss_suggestion(dismiss).await.unwrap();
    assert!(read(&mut admin, &conversation).await.suggestions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_popular_claim_is_written_once() {
    let gateway = TestGateway::start().await;
    let (_admin, directory) = admin(&gateway).await;
    let claim = identity("email", "info@example.com", pb::Trust::Claimed);
    for number in 0..30 {
        let asked = [proven("telegram", &format!("{number}")), claim.clone()];
        let first = resolve(&directory, &asked).await;
        assert_eq!(resolve(&directory, &asked).await.version, first.version);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_leaves_nothing_of_a_contact_or_of_who_became_part_of_it() {
    let gateway = TestGateway::start().await;
    let (_admin, mut directory) = admin(&gateway).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        let email = format!("secret-{name}@example.com");
        let mut asked = request(&[proven("email", &email)]);
        asked.idempotency_key = format!("key-{name}");
        let answer = directory.resolve_contact(asked).await.unwrap();
        ids.push(answer.into_inner().contact.unwrap().id);
    }
    let bystander = resolve(&directory, &[proven("email", "bystander@example.com")]).await;
    for pair in [[1, 2], [0, 1]] {
        let merge = pb::MergeContactsRequest {
            contact_id: ids[pair[0]].clone(),
            merged_contact_id: ids[pair[1]].clone(),
            reason: String::new(),
            idempotency_key: format!("merge-{}", pair[0]),
        };
        directory.merge_contacts(merge).await.unwrap();
    }
    let erase = pb::EraseContactRequest {
        contact_id: ids[2].clone(),
        idempotency_key: String::new(),
    };
    directory.erase_contact(erase).await.unwrap();

    for id in &ids {
        let get = pb::GetContactRequest {
            contact_id: id.clone(),
        };
        let gone = directory.get_contact(get).await.unwrap_err();
        assert_eq!(gone.code(), Code::NotFound);
    }
    let store = Connection::open_with_flags(gateway.store_path(), OpenFlags::SQLITE_OPEN_READ_ONLY)
        .unwrap();
    for (table, column) in [
        ("contact", "doc"),
        ("identity", "doc"),
        ("merge", "doc"),
        ("act", "answer"),
        ("contact_change", "doc"),
    ] {
        let sql = format!(
            "select count(*) from {table} where instr(cast({column} as blob), cast('secret-' as blob)) > 0"
        );
        let left: i64 = store.query_row(&sql, (), |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{table}");
    }
    let still = resolve(&directory, &[proven("email", "bystander@example.com")]).await;
    assert_eq!(still, bystander);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_come_in_and_all_go_out_in_pages() {
    let gateway = TestGateway::start().await;
    let (_admin, mut directory) = admin(&gateway).await;
    let row = |row: i64, dry_run: bool| {
        // Every tenth row has no phone that could be read.
        let phone = if row % 10 == 0 {
            "unknown".to_owned()
        } else {
            format!("8 916 {row:07}")
        };
        pb::ImportContactsRequest {
            row,
            identities: vec![proven("phone", &phone)],
            profile: Some(pb::Profile {
                display_name: format!("Client number {row}"),
                ..Default::default()
            }),
            default_region: "RU".to_owned(),
            dry_run,
        }
    };
    for (dry_run, created, matched) in [(true, 450, 0), (false, 450, 0), (false, 0, 450)] {
        let rows = futures::stream::iter((1..=500).map(move |number| row(number, dry_run)));
        let report = directory.import_contacts(rows).await.unwrap().into_inner();
        assert_eq!(
            (report.created, report.matched, report.rejected_count),
            (created, matched, 50)
        );
        assert_eq!(report.rejected[1].row, 20);
        assert!(report.rejected[1].reason.contains("phone"), "{report:?}");
    }

    let mut exported = BTreeSet::new();
    let request = pb::ExportContactsRequest::default();
    let mut stream = directory
        .export_contacts(request)
        .await
        .unwrap()
        .into_inner();
    while let Some(next) = stream.message().await.unwrap() {
        assert!(exported.insert(next.contact.unwrap().id));
    }
    assert_eq!(exported.len(), 450);

    let mut listed = BTreeSet::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListContactsRequest {
            page_size: 200,
            page_token,
        };
        let page = directory.list_contacts(request).await.unwrap().into_inner();
        listed.extend(page.contacts.into_iter().map(|contact| contact.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, exported);
    let search = pb::SearchContactsRequest {
        query: "number 123".to_owned(),
        ..Default::default()
    };
    let found = directory
        .search_contacts(search)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(found.contacts.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_goes_on_after_a_cursor() {
    let gateway = TestGateway::start().await;
    let (_admin, mut directory) = admin(&gateway).await;
    let first = resolve(&directory, &[proven("telegram", "1")]).await;
    let second = resolve(&directory, &[proven("telegram", "2")]).await;
    let merge = pb::MergeContactsRequest {
        contact_id: first.id.clone(),
        merged_contact_id: second.id.clone(),
        ..Default::default()
    };
    directory.merge_contacts(merge).await.unwrap();
    let erase = pb::EraseContactRequest {
        contact_id: first.id.clone(),
        ..Default::default()
    };
    let watch = |cursor: &str| pb::WatchContactsRequest {
        cursor: cursor.to_owned(),
    };
    let changes = directory.watch_contacts(watch("0")).await.unwrap();
    let mut changes = changes.into_inner();
    let (one, two) = (&first.id, &second.id);
    let begun = [
        "opened".to_owned(),
        format!("changed {one}"),
        format!("changed {two}"),
        format!("changed {one}"),
        format!("merged {two}"),
    ];
    let (steps, cursor) = told(&mut changes, begun.len()).await;
    assert_eq!(steps, begun);
    // What happens while nobody watches is told after the cursor.
    drop(changes);
    directory.erase_contact(erase).await.unwrap();
    let changes = directory.watch_contacts(watch(&cursor)).await.unwrap();
    let (steps, _) = told(&mut changes.into_inner(), 3).await;
    let erased = [format!("erased {one}"), format!("erased {two}")];
    assert_eq!(steps[1..], erased);
    let odd = directory.watch_contacts(watch("yesterday")).await;
    assert_eq!(odd.unwrap_err().code(), Code::InvalidArgument);
    // Such as from before a backup was put back.
    let later = directory.watch_contacts(watch("999999999")).await;
    assert_eq!(later.unwrap_err().code(), Code::OutOfRange);
}

/// The next changes, with the cursor after them.
async fn told(
    changes: &mut Streaming<pb::WatchContactsResponse>,
    count: usize,
) -> (Vec<String>, String) {
    let (mut steps, mut cursor) = (Vec::new(), String::new());
    while steps.len() < count {
        let step = soon("a change", changes.message()).await.unwrap().unwrap();
        cursor = step.cursor;
        steps.push(match step.change {
            Some(Change::Changed(contact)) => format!("changed {}", contact.id),
            Some(Change::Merged(merged)) => format!("merged {}", merged.merged_contact_id),
            Some(Change::Erased(erased)) => format!("erased {}", erased.contact_id),
            None => "opened".to_owned(),
        });
    }
    (steps, cursor)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_refused() {
    let gateway = TestGateway::start().await;
    let anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let mut directory = ContactDirectoryClient::new(anna.signed());
    let asked = request(&[proven("telegram", "1")]);
    let refused = directory.resolve_contact(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = directory
        .erase_contact(pb::EraseContactRequest::default())
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
}
