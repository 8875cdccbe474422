//! Promises to clients: made, reminded of, shown to the supervisors, ended.

use std::collections::BTreeSet;

use domain::operator::{Membership, Role};
use domain::routing::{Exit, Overflow, Trigger};
use domain::{Millis, Timestamp};
use e2e::bridge::message;
use e2e::operator::Signed;
use e2e::{Bridge, OperatorClient, TestGateway, Visitor};
use engine::contacts::convert::{timestamp, timestamp_from};
use engine::people::OperatorChange;
use proto::contacts::v1 as contacts;
use proto::contacts::v1::contact_directory_client::ContactDirectoryClient;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::resolve_obligation_request::Resolution;
use proto::inbox::v1::schedule_callback_request::{Owner, Whom};
use rusqlite::{Connection, OpenFlags};
use tonic::{Code, Status};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Somebody wrote, and the operator has it.
async fn talk(gateway: &TestGateway, anna: &mut OperatorClient) -> (Visitor, pb::Conversation) {
    let mut visitor = gateway.visitor().await;
    visitor.say("c-1", "call me").await;
    let conversation = anna.accept().await;
    (visitor, conversation)
}

fn request(whom: Whom, due_at: Timestamp) -> pb::ScheduleCallbackRequest {
    pb::ScheduleCallbackRequest {
        whom: Some(whom),
        due_at: Some(timestamp(due_at)),
        note: "about the invoice".to_owned(),
        ..Default::default()
    }
}

fn within(gateway: &TestGateway, conversation: &str, ms: i64) -> pb::ScheduleCallbackRequest {
    let due_at = gateway.engine().now() + Millis(ms);
    request(Whom::ConversationId(conversation.to_owned()), due_at)
}

async fn schedule(
    who: &mut OperatorClient,
    request: pb::ScheduleCallbackRequest,
) -> Result<pb::Obligation, Status> {
    Ok(who.inbox.schedule_callback(request).await?.into_inner())
}

async fn resolve(
    who: &mut OperatorClient,
    id: &str,
    resolution: Resolution,
) -> Result<pb::Obligation, Status> {
    let request = pb::ResolveObligationRequest {
        obligation_id: id.to_owned(),
        resolution: Some(resolution),
        client_id: String::new(),
    };
    Ok(who.inbox.resolve_obligation(request).await?.into_inner())
}

fn kept() -> Resolution {
    Resolution::Kept(pb::ObligationKept {})
}

fn waived(reason: &str) -> Resolution {
    Resolution::Waived(pb::ObligationWaived {
        reason: reason.to_owned(),
    })
}

fn moved(due_at: Timestamp, wish: pb::ObligationWish) -> Resolution {
    Resolution::Moved(pb::ObligationMoved {
        due_at: Some(timestamp(due_at)),
        wish: wish.into(),
        reason: "in a meeting".to_owned(),
    })
}

fn assigned(operator_id: &impl ToString) -> Resolution {
    Resolution::Assigned(pb::ObligationAssigned {
        operator_id: operator_id.to_string(),
    })
}

async fn list(
    who: &mut OperatorClient,
    scope: pb::ObligationScope,
    filter: pb::ObligationFilter,
) -> pb::ListObligationsResponse {
    let request = pb::ListObligationsRequest {
        scope: scope.into(),
        filter: filter.into(),
        ..Default::default()
    };
    let answer = who.inbox.list_obligations(request).await;
    answer.unwrap().into_inner()
}

fn ids(page: &pb::ListObligationsResponse) -> Vec<&str> {
    page.obligations.iter().map(|one| one.id.as_str()).collect()
}

/// Waits until somebody is told of a promise; what, and how it stands.
async fn told(who: &mut OperatorClient, id: &str) -> (pb::ObligationNotice, pb::Obligation) {
    who.wait_for("being told of a promise", |kind| match kind {
        Kind::ObligationDue(due) => {
            let notice = due.notice();
            let promise = due.obligation.unwrap();
            (promise.id == id).then_some((notice, promise))
        }
        _ => None,
    })
    .await
}

/// Waits until a rule promises something.
async fn promised(who: &mut OperatorClient) -> pb::Obligation {
    who.wait_for("a promise by a rule", |kind| match kind {
        Kind::ObligationChanged(promise) if !promise.created_by_rule.is_empty() => Some(promise),
        _ => None,
    })
    .await
}

/// Waits until a promise changes without anybody being told.
async fn changed(who: &mut OperatorClient, id: &str) -> pb::Obligation {
    who.wait_for("a changed promise", |kind| match kind {
        Kind::ObligationChanged(promise) => (promise.id == id).then_some(promise),
        _ => None,
    })
    .await
}

fn count(gateway: &TestGateway, sql: &str) -> i64 {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let store = Connection::open_with_flags(gateway.store_path(), flags).unwrap();
    store.query_row(sql, (), |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_notice_comes_once_whatever_stops_in_between() {
    let mut gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let (visitor, conversation) = talk(&gateway, &mut anna).await;
    let promise = schedule(&mut anna, within(&gateway, &conversation.id, HOUR_MS))
        .await
        .unwrap();
    assert_eq!(promise.state(), pb::ObligationState::Open);
    assert_eq!(promise.kind(), pb::ObligationKind::Callback);
    assert_eq!(promise.operator_id, anna.id.to_string());
    assert_eq!(promise.contact, conversation.contact);
    assert_eq!(promise.queue_id, "main");
    assert_eq!(promise.due_at, promise.promised_for);
    assert_eq!(changed(&mut anna, &promise.id).await, promise);

    gateway.clock().advance(50 * MINUTE_MS);
    let (notice, soon) = told(&mut anna, &promise.id).await;
    assert_eq!(notice, pb::ObligationNotice::Soon);
    assert_eq!(soon.stage(), pb::ObligationStage::Reminded);

    // It is a row, and not somebody's memory.
    drop(visitor);
    gateway.restart().await;
    let mut anna = gateway.sign_in("anna").await;
    gateway.clock().advance(10 * MINUTE_MS);
    let (notice, due) = told(&mut anna, &promise.id).await;
    assert_eq!(notice, pb::ObligationNotice::Due);
    assert!(!due.escalated);
    let mine = list(
        &mut anna,
        pb::ObligationScope::Mine,
        pb::ObligationFilter::Overdue,
    )
    .await;
    assert_eq!(ids(&mine), [promise.id.as_str()]);
    let counts = mine.counts.unwrap();
    assert_eq!((counts.mine, counts.mine_overdue), (1, 1));

    drop(boss);
    boss = gateway.sign_in("boss").await;
    gateway.clock().advance(10 * MINUTE_MS);
    let (notice, late) = told(&mut boss, &promise.id).await;
    assert_eq!(notice, pb::ObligationNotice::Escalated);
    assert!(late.escalated);
    let all = list(
        &mut boss,
        pb::ObligationScope::All,
        pb::ObligationFilter::Escalated,
    )
    .await;
    assert_eq!(ids(&all), [promise.id.as_str()]);
    assert_eq!(all.counts.unwrap().escalated, 1);

    // The gateway is away when it is broken: it is told at the start.
    gateway.stop().await;
    gateway.clock().advance(24 * HOUR_MS);
    gateway.restart().await;
    let mut boss = gateway.sign_in("boss").await;
    let done = loop {
        let done = list(
            &mut boss,
            pb::ObligationScope::All,
            pb::ObligationFilter::Done,
        )
        .await;
        if !done.obligations.is_empty() {
            break done;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(done.obligations[0].state(), pb::ObligationState::Broken);
    let told = "select count(*) from event where doc like '{\"obligation_due\"%'";
    assert_eq!(count(&gateway, told), 4);
    let refused = resolve(&mut boss, &promise.id, kept()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_ends_as_its_time_and_its_owner_say() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let (_visitor, conversation) = talk(&gateway, &mut anna).await;
    let mut made = Vec::new();
    for _ in 0..4 {
        let request = within(&gateway, &conversation.id, HOUR_MS);
        made.push(schedule(&mut anna, request).await.unwrap().id);
    }
    let done = resolve(&mut anna, &made[0], kept()).await.unwrap();
    assert_eq!(done.state(), pb::ObligationState::Kept);
    assert_eq!(done.ended_by_operator_id, anna.id.to_string());

    let nothing = resolve(&mut anna, &made[1], waived(" ")).await.unwrap_err();
    assert_eq!(nothing.code(), Code::InvalidArgument);
    let waived = resolve(&mut anna, &made[1], waived("wrote by mail"))
        .await
        .unwrap();
    assert_eq!(waived.state(), pb::ObligationState::Waived);
    assert_eq!(waived.waive_reason, "wrote by mail");
    let audited = "select count(*) from audit where act = 'obligation.waive'
                   and detail = 'wrote by mail'";
    assert_eq!(count(&gateway, audited), 1);

    // What we put off is judged by what the client was told; what they put off is not.
    let later = gateway.engine().now() + Millis(3 * HOUR_MS);
    for (id, wish) in [
        (&made[2], pb::ObligationWish::Ours),
        (&made[3], pb::ObligationWish::Client),
    ] {
        let put_off = resolve(&mut anna, id, moved(later, wish)).await.unwrap();
        assert_eq!(put_off.due_at, Some(timestamp(later)));
        assert_eq!(put_off.moves.len(), 1);
        assert_eq!(put_off.moves[0].reason, "in a meeting");
    }
    gateway.clock().advance(2 * HOUR_MS);
    for (id, expect) in [
        (&made[2], pb::ObligationState::Late),
        (&made[3], pb::ObligationState::Kept),
    ] {
        let done = resolve(&mut anna, id, kept()).await.unwrap();
        assert_eq!(done.state(), expect);
    }
    let ended = list(
        &mut anna,
        pb::ObligationScope::Mine,
        pb::ObligationFilter::Done,
    )
    .await;
    assert_eq!(ended.obligations.len(), 4);
    // Of each the log has one event with its end: what the rate is counted by.
    let ends = "select count(*) from event where doc like '{\"obligation_%'
                and json_extract(doc, '$.obligation_changed.obligation.state.open') is null";
    assert_eq!(count(&gateway, ends), 4);
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "the cases are a table")]
async fn what_makes_no_sense_is_refused() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let (_visitor, conversation) = talk(&gateway, &mut anna).await;
    let now = gateway.engine().now();
    let whom = || Whom::ConversationId(conversation.id.clone());
    let good = request(whom(), now + Millis(HOUR_MS));
    let nobody = Some(Owner::OperatorId("999".to_owned()));
    for (request, expect) in [
        (request(whom(), now), Code::InvalidArgument),
        (
            request(whom(), now + Millis(367 * 24 * HOUR_MS)),
            Code::InvalidArgument,
        ),
        (
            pb::ScheduleCallbackRequest {
                due_at: None,
                ..good.clone()
            },
            Code::InvalidArgument,
        ),
        (
            pb::ScheduleCallbackRequest {
                whom: None,
                ..good.clone()
            },
            Code::InvalidArgument,
        ),
        (
            pb::ScheduleCallbackRequest {
                owner: nobody,
                ..good.clone()
            },
            Code::NotFound,
        ),
        (
            request(
                Whom::ConversationId("999".to_owned()),
                now + Millis(HOUR_MS),
            ),
            Code::NotFound,
        ),
        (
            request(Whom::ContactId("999".to_owned()), now + Millis(HOUR_MS)),
            Code::InvalidArgument,
        ),
        (
            pb::ScheduleCallbackRequest {
                queue_id: "main".to_owned(),
                ..request(Whom::ContactId("999".to_owned()), now + Millis(HOUR_MS))
            },
            Code::NotFound,
        ),
        (
            pb::ScheduleCallbackRequest {
                queue_id: "other".to_owned(),
                ..request(
                    Whom::ContactId(conversation.contact.clone().unwrap().id),
                    now + Millis(HOUR_MS),
                )
            },
            Code::NotFound,
        ),
    ] {
        let refused = schedule(&mut anna, request.clone()).await.unwrap_err();
        assert_eq!(refused.code(), expect, "{request:?}: {refused:?}");
    }

    // The same call again is the same promise.
    let twice = pb::ScheduleCallbackRequest {
        client_id: "p-1".to_owned(),
        ..good.clone()
    };
    let first = schedule(&mut anna, twice.clone()).await.unwrap();
    assert_eq!(schedule(&mut anna, twice.clone()).await.unwrap(), first);
    let other = pb::ScheduleCallbackRequest {
        note: "another".to_owned(),
        ..twice
    };
    let refused = schedule(&mut anna, other).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);

    // Nobody keeps more than so many.
    for _ in 1..20 {
        schedule(&mut anna, good.clone()).await.unwrap();
    }
    let refused = schedule(&mut anna, good).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);

    let seen = page_by_page(&mut anna).await;
    assert_eq!(seen.len(), 20);
    for request in [
        pb::ListObligationsRequest {
            page_token: "7".to_owned(),
            ..Default::default()
        },
        pb::ListObligationsRequest {
            page_size: 201,
            ..Default::default()
        },
    ] {
        let refused = anna.inbox.list_obligations(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }
}

/// Every promise of somebody's own, none twice.
async fn page_by_page(anna: &mut OperatorClient) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListObligationsRequest {
            page_size: 7,
            page_token,
            ..Default::default()
        };
        let answer = anna.inbox.list_obligations(request).await.unwrap();
        let page = answer.into_inner();
        for id in ids(&page) {
            assert!(seen.insert(id.to_owned()), "{id} came twice");
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_take_over_and_supervisors_see_to_what_is_left() {
    let gateway = TestGateway::start().await;
    let mut anna = gateway.ready_operator("anna").await;
    let mut bob = gateway.person("bob", Role::Operator, &["main"]).await;
    let mut olga = gateway.person("olga", Role::Operator, &["other"]).await;
    let mut boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let (_visitor, conversation) = talk(&gateway, &mut anna).await;
    let promise = schedule(&mut anna, within(&gateway, &conversation.id, HOUR_MS))
        .await
        .unwrap();
    let id = promise.id.as_str();
    let (to_bob, to_olga) = (assigned(&bob.id), assigned(&olga.id));

    let refused = resolve(&mut bob, id, kept()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = resolve(&mut bob, id, to_olga.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = resolve(&mut olga, id, to_olga.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let all = pb::ListObligationsRequest {
        scope: pb::ObligationScope::All.into(),
        ..Default::default()
    };
    let refused = bob.inbox.list_obligations(all).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let (scope, open) = (pb::ObligationScope::Queues, pb::ObligationFilter::Open);
    assert_eq!(ids(&list(&mut bob, scope, open).await), [id]);
    assert!(list(&mut olga, scope, open).await.obligations.is_empty());

    let taken = resolve(&mut bob, id, to_bob.clone()).await.unwrap();
    assert_eq!(taken.operator_id, bob.id.to_string());
    // To somebody who does not work for the queue: they see this one, and nothing else.
    resolve(&mut bob, id, to_olga.clone()).await.unwrap();
    assert_eq!(changed(&mut olga, id).await.note, "about the invoice");
    assert_eq!(ids(&list(&mut olga, scope, open).await), [id]);
    // When it is taken from them they hear of it once more, without its words.
    resolve(&mut boss, id, assigned(&"")).await.unwrap();
    let gone = changed(&mut olga, id).await;
    assert_eq!((gone.note.as_str(), gone.contact), ("", None));
    assert!(list(&mut olga, scope, open).await.obligations.is_empty());
    // What is everybody's can be done by everybody.
    resolve(&mut bob, id, to_bob.clone()).await.unwrap();

    let disabled = OperatorChange {
        skills: domain::routing::Skills::default(),
        display_name: "bob".to_owned(),
        role: Role::Operator,
        memberships: vec![Membership {
            queue: "main".into(),
            rank: 0,
            position: 0,
        }],
        capacity: 0,
        auto_accept: false,
        disabled: true,
    };
    let engine = gateway.engine();
    engine
        .change_operator(None, "", bob.id, disabled)
        .await
        .unwrap();
    let (notice, left) = told(&mut boss, id).await;
    assert_eq!(notice, pb::ObligationNotice::Escalated);
    assert_eq!((left.operator_id.as_str(), left.escalated), ("", true));
    let refused = resolve(&mut boss, id, to_bob.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
    let given = resolve(&mut boss, id, assigned(&anna.id)).await.unwrap();
    assert!(!given.escalated);
    let done = resolve(&mut anna, id, kept()).await.unwrap();
    assert_eq!(done.state(), pb::ObligationState::Kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_promised_is_kept_by_the_answer() {
    let gateway = TestGateway::start_with(|settings| {
        let main = settings.rules.queues.get_mut(&"main".into()).unwrap();
        main.promises.callback_within = Some(Millis(30 * MINUTE_MS));
        main.overflows.push(Overflow {
            when: Trigger::Unstaffed,
            exit: Exit::Form,
        });
    })
    .await;
    let mut boss = gateway.person("boss", Role::Supervisor, &["main"]).await;
    let mut visitor = gateway.visitor().await;
    let before = gateway.engine().now();
    visitor.say("c-1", "is anybody there?").await;
    let promise = promised(&mut boss).await;
    assert_eq!(promise.kind(), pb::ObligationKind::Reply);
    assert_eq!(promise.created_by_rule, "on_diverted");
    assert_eq!(promise.operator_id, "", "everybody's");
    let due = timestamp_from(&promise.due_at.unwrap());
    assert!(due >= before + Millis(30 * MINUTE_MS), "{due}");

    visitor.say("c-2", "nobody?").await;
    boss.hears("nobody?").await;
    let (all, open) = (pb::ObligationScope::All, pb::ObligationFilter::Open);
    let once = list(&mut boss, all, open).await;
    assert_eq!(ids(&once), [promise.id.as_str()], "one is enough");

    let mut anna = gateway.ready_operator("anna").await;
    visitor.say("c-3", "and now?").await;
    let conversation = anna.accept().await;
    // What a person promised is theirs to say.
    let own = pb::ScheduleCallbackRequest {
        kind: pb::ObligationKind::Reply.into(),
        ..within(&gateway, &conversation.id, HOUR_MS)
    };
    let own = schedule(&mut anna, own).await.unwrap();
    anna.say(&conversation.id, "a-1", "here I am")
        .await
        .unwrap();
    let done = changed(&mut anna, &promise.id).await;
    assert_eq!(done.state(), pb::ObligationState::Kept);
    assert_eq!(done.ended_by_operator_id, anna.id.to_string());
    let mine = pb::ObligationScope::Mine;
    assert_eq!(ids(&list(&mut anna, mine, open).await), [own.id.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn promises_follow_the_contact() {
    let gateway = TestGateway::start().await;
    let mut root = gateway.person("root", Role::Admin, &["main"]).await;
    let mut directory: ContactDirectoryClient<Signed> = ContactDirectoryClient::new(root.signed());
    let bridge = Bridge::connect(&gateway).await;
    let mut contacts = Vec::new();
    for who in ["one", "two"] {
        bridge.push(message(who, "1", "hello")).await.unwrap();
        let opened = root
            .wait_for("a conversation opens", |kind| match kind {
                Kind::ConversationOpened(opened) => Some(opened),
                _ => None,
            })
            .await;
        contacts.push(opened.contact.unwrap().id);
    }
    let due_at = gateway.engine().now() + Millis(HOUR_MS);
    let whom = Whom::ContactId(contacts[1].clone());
    let reply = pb::ScheduleCallbackRequest {
        kind: pb::ObligationKind::Reply.into(),
        ..request(whom.clone(), due_at)
    };
    let promise = schedule(&mut root, reply).await.unwrap();
    assert_eq!(
        (promise.queue_id.as_str(), promise.reach.as_str()),
        ("main", "two")
    );
    let ended = schedule(&mut root, request(whom, due_at)).await.unwrap();
    resolve(&mut root, &ended.id, kept()).await.unwrap();

    let contact_of = |promise: pb::Obligation| promise.contact.unwrap().id;
    changed(&mut root, &promise.id).await;
    let merge = contacts::MergeContactsRequest {
        contact_id: contacts[0].clone(),
        merged_contact_id: contacts[1].clone(),
        ..Default::default()
    };
    let merged = directory.merge_contacts(merge).await.unwrap().into_inner();
    let now = changed(&mut root, &promise.id).await;
    assert_eq!(contact_of(now), contacts[0]);
    for id in &contacts {
        let request = pb::ListObligationsRequest {
            contact_id: id.clone(),
            filter: pb::ObligationFilter::Done.into(),
            ..Default::default()
        };
        let page = root.inbox.list_obligations(request).await.unwrap();
        assert_eq!(ids(&page.into_inner()), [ended.id.as_str()], "{id}");
    }
    let undo = contacts::UndoMergeRequest {
        merge_id: merged.merge_id,
        ..Default::default()
    };
    directory.undo_merge(undo).await.unwrap();
    let now = changed(&mut root, &promise.id).await;
    assert_eq!(contact_of(now), contacts[1]);
    // To be moved is no second end.
    let ends = format!(
        "select count(*) from event where doc like '{{\"obligation_changed\"%\"id\":{}%'",
        ended.id
    );
    assert_eq!(count(&gateway, &ends), 2, "made and kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_on_a_promise_who_was_erased() {
    let gateway = TestGateway::start().await;
    let mut root = gateway.person("root", Role::Admin, &["main"]).await;
    let mut directory: ContactDirectoryClient<Signed> = ContactDirectoryClient::new(root.signed());
    let bridge = Bridge::connect(&gateway).await;
    let mut hello = message("secret-address", "1", "hello");
    let sender = hello.sender.as_mut().unwrap();
    sender.display_name = "secret-name".to_owned();
    bridge.push(hello).await.unwrap();
    let opened = root
        .wait_for("a conversation opens", |kind| match kind {
            Kind::ConversationOpened(opened) => Some(opened),
            _ => None,
        })
        .await;
    let contact = opened.contact.unwrap();
    let due_at = gateway.engine().now() + Millis(HOUR_MS);
    let asked = pb::ScheduleCallbackRequest {
        reach: "secret-phone".to_owned(),
        ..request(Whom::ContactId(contact.id.clone()), due_at)
    };
    let open = schedule(&mut root, asked.clone()).await.unwrap();
    assert_eq!(open.contact.unwrap().display_name, "secret-name");
    changed(&mut root, &open.id).await;
    let ended = schedule(&mut root, asked).await.unwrap();
    resolve(&mut root, &ended.id, kept()).await.unwrap();

    let erase = contacts::EraseContactRequest {
        contact_id: contact.id,
        ..Default::default()
    };
    directory.erase_contact(erase).await.unwrap();
    let now = changed(&mut root, &open.id).await;
    let whom = now.contact.clone().unwrap();
    assert_eq!(
        [&whom.display_name, &whom.address, &now.reach],
        ["", "", ""]
    );
    assert_eq!(
        now.state(),
        pb::ObligationState::Open,
        "somebody has to end it"
    );
    assert_eq!(now.note, "about the invoice");
    let left = "select count(*) from obligation where doc like '%secret-%'";
    assert_eq!(count(&gateway, left), 0);
    let filter = pb::ObligationFilter::Done;
    let page = list(&mut root, pb::ObligationScope::All, filter).await;
    assert_eq!(ids(&page), [ended.id.as_str()]);
}
