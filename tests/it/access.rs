//! Who may do what: every method and every route, for everybody.

use std::collections::BTreeSet;
use std::time::Duration;

use ::http::Method;
use ::http::uri::PathAndQuery;
use domain::operator::Role;
use e2e::http::{Answer, Events};
use e2e::operator::{Bearer, Signed, text_of};
use e2e::{Bridge, OperatorClient, TestGateway, Visitor, http};
use engine::people::OperatorChange;
use http_body_util::Full;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::inbox_client::InboxClient;
use serde_json::{Value, json};
use tokio::time::Instant;
use tonic::client::Grpc;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use web::access::{Access, access_of};

/// How soon after a right is gone everything has to have ended.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// Somebody who knocks.
struct Caller {
    name: &'static str,
    token: Option<String>,
    /// What a right answer of the gate depends on; none for strangers.
    rights: Option<Rights>,
}

#[derive(Clone, Copy)]
struct Rights {
    role: Role,
    is_person: bool,
    bridges: bool,
}

impl Caller {
    fn may(&self, access: Access) -> bool {
        match (access, self.rights) {
            (Access::Public, _) | (Access::SignedIn, Some(_)) => true,
            (_, None) => false,
            (Access::Bridge, Some(rights)) => rights.bridges,
            // What is a program's own has no operator's rights; more it may have.
            (Access::AtLeast(role), Some(rights)) => {
                rights.role >= role && (rights.is_person || rights.role > Role::Operator)
            }
        }
    }
}

struct House {
    gateway: TestGateway,
    anna: OperatorClient,
    olga: OperatorClient,
    visitor: Visitor,
    other_visitor: Visitor,
    callers: Vec<Caller>,
}

/// Anna works for `main`, where everything happens; Olga for `other`.
async fn house() -> House {
    let gateway = TestGateway::start().await;
    let root = gateway.person("root", Role::Admin, &[]).await;
    let boss = gateway.person("boss", Role::Supervisor, &[]).await;
    let anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let olga = gateway.person("olga", Role::Operator, &["other"]).await;
    let bridge = Bridge::connect(&gateway).await;
    let visitor = gateway.visitor().await;
    let other_visitor = gateway.visitor().await;
    let engine = gateway.engine();
    let token = |name: &'static str, role, operator| async move {
        let made = engine.add_token(None, name, role, operator, Vec::new());
        made.await.unwrap().1
    };
    let as_anna = token("as anna", Role::Operator, Some(anna.id)).await;
    let program = token("program", Role::Supervisor, None).await;
    let person = |role| {
        Some(Rights {
            role,
            is_person: true,
            bridges: false,
        })
    };
    let caller = |name, token: &str, rights| Caller {
        name,
        token: (!token.is_empty()).then(|| token.to_owned()),
        rights,
    };
    let bridging = Rights {
        role: Role::Operator,
        is_person: false,
        bridges: true,
    };
    let alone = Rights {
        role: Role::Supervisor,
        is_person: false,
        bridges: false,
    };
    let callers = vec![
        caller("nobody", "", None),
        caller("a wrong token", "sb_wrong", None),
        caller("a visitor", &visitor.token, None),
        caller("another visitor", &other_visitor.token, None),
        caller("an operator", &anna.token, person(Role::Operator)),
        caller(
            "an operator of another queue",
            &olga.token,
            person(Role::Operator),
        ),
        caller("a supervisor", &boss.token, person(Role::Supervisor)),
        caller("an admin", &root.token, person(Role::Admin)),
        caller("a token of an operator", &as_anna, person(Role::Operator)),
        caller("a program", &program, Some(alone)),
        caller("a bridge", &bridge.token, Some(bridging)),
    ];
    House {
        gateway,
        anna,
        olga,
        visitor,
        other_visitor,
        callers,
    }
}

/// Whether the gate, and not what is behind it, refused.
fn is_gate(code: &str, text: &str) -> bool {
    matches!(code, "unauthenticated") && text.starts_with("sign in, or")
        || matches!(code, "permission_denied") && text.starts_with("this needs ")
}

/// Asks one method with an empty request; the code and text of a refusal.
async fn knock(
    url: &str,
    channel: &Channel,
    method: &MethodDescriptor,
    caller: &Caller,
) -> (String, String) {
    let name = format!("{}/{}", method.parent_service().full_name(), method.name());
    if !method.is_client_streaming() && !method.is_server_streaming() {
        let answer = http::call(url, &name, caller.token.as_deref(), &json!({})).await;
        assert!(answer.status != 500, "{name}: {}", answer.text());
        let text = answer.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        return (answer.code(), text);
    }
    // Of a stream only its head matters here.
    let bearer = Bearer(caller.token.clone().unwrap_or_default());
    let mut grpc = Grpc::new(InterceptedService::new(channel.clone(), bearer));
    grpc.ready().await.unwrap();
    let path: PathAndQuery = format!("/{name}").parse().unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let asked = tonic::Request::new(tokio_stream::iter(vec![()]));
    match grpc.streaming(asked, path, codec).await {
        Ok(_) => Default::default(),
        Err(status) => (code_name(&status), status.message().to_owned()),
    }
}

/// As the Connect protocol writes it.
fn code_name(status: &Status) -> String {
    let mut name = String::new();
    for c in format!("{:?}", status.code()).chars() {
        if c.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(c.to_lowercase());
    }
    name
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_admits_whom_the_table_says() {
    let house = house().await;
    let url = house.gateway.url();
    let endpoint = Endpoint::from_shared(url.clone()).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let contract = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
    let (mut cells, mut unexpected) = (0, Vec::new());
    for service in contract.services() {
        for method in service.methods() {
            // Signing out would change who the next caller is.
            let goes_last = method.name() == "Logout";
            let path = format!("/{}/{}", service.full_name(), method.name());
            let access = access_of(&path)
                .unwrap_or_else(|| panic!("{path} has no row in web::access::TABLE"));
            for caller in &house.callers {
                if goes_last && caller.may(access) {
                    continue;
                }
                let (code, text) = knock(&url, &channel, &method, caller).await;
                cells += 1;
                let admitted = !is_gate(&code, &text);
                let broken = matches!(code.as_str(), "internal" | "unknown" | "unimplemented");
                if admitted != caller.may(access) || broken {
                    unexpected.push(format!("{path} for {}: {code} {text}", caller.name));
                }
            }
        }
    }
    let logout = "switchboard.admin.v1.Admin/Logout";
    for caller in house
        .callers
        .iter()
        .filter(|caller| caller.rights.is_some())
    {
        let answer = http::call(&url, logout, caller.token.as_deref(), &json!({})).await;
        cells += 1;
        if answer.status != 200 {
            unexpected.push(format!("Logout for {}", caller.name));
        }
    }
    println!("cells {cells}, unexpected {}", unexpected.len());
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    for (service, methods) in web::access::TABLE {
        let known = contract.get_service_by_name(service).unwrap();
        let known: BTreeSet<String> = known.methods().map(|m| m.name().to_owned()).collect();
        for (method, _) in *methods {
            assert!(
                known.contains(*method),
                "{service}/{method} is not in the contract"
            );
        }
    }
}

/// Who gets what from a route: visitors' tokens are only theirs, a file goes up for
/// people only, and the rest is everybody's.
#[derive(Clone, Copy)]
enum Door {
    Everybody(u16),
    Visitors,
    People,
}

/// Every route beside the contract.
const ROUTES: &[(&str, &str, Door)] = &[
    ("GET", "/", Door::Everybody(200)),
    ("GET", "/favicon.ico", Door::Everybody(200)),
    ("GET", "/favicon.svg", Door::Everybody(200)),
    ("GET", "/widget.js", Door::Everybody(200)),
    ("GET", "/demo", Door::Everybody(200)),
    ("GET", "/healthz", Door::Everybody(200)),
    ("GET", "/readyz", Door::Everybody(200)),
    ("GET", "/chat/site/config", Door::Everybody(200)),
    ("GET", "/chat/site/socket", Door::Everybody(400)),
    ("POST", "/chat/site/files", Door::Visitors),
    ("POST", "/forms/form", Door::Everybody(415)),
    ("POST", "/uploads", Door::People),
    ("GET", "/files/0", Door::Everybody(400)),
    (
        "GET",
        "/files/0?name=a&type=b&expires=9999999999999&viewer=client&signature=AAAA",
        Door::Everybody(403),
    ),
    ("POST", "/hooks/nobody", Door::Everybody(404)),
    ("POST", "/hooks/site", Door::Everybody(404)),
    // Nothing is measured in these scenarios.
    ("GET", "/metrics", Door::Everybody(404)),
    ("GET", "/chat/form/socket", Door::Everybody(404)),
    ("POST", "/forms/site", Door::Everybody(404)),
    ("GET", "/admin", Door::Everybody(404)),
    ("GET", "/debug", Door::Everybody(404)),
    ("GET", "/.git/config", Door::Everybody(404)),
    ("GET", "/switchboard.db", Door::Everybody(404)),
    ("GET", "/inbox/../../Cargo.toml", Door::Everybody(404)),
    (
        "POST",
        "/switchboard.inbox.v1.Inbox/NoSuch",
        Door::Everybody(404),
    ),
    ("POST", "/grpc.health.v1.Health/Check", Door::Everybody(404)),
    ("PUT", "/uploads", Door::Everybody(405)),
    ("DELETE", "/", Door::Everybody(405)),
];

async fn ask(
    url: &str,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &'static str,
) -> Answer {
    let method: Method = method.parse().unwrap();
    let request = http::request(method, path, token)
        .header("origin", url)
        .body(Full::from(body))
        .unwrap();
    http::send(url, request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_admits_whom_it_should() {
    let house = house().await;
    let url = house.gateway.url();
    let (mut cells, mut unexpected) = (0, Vec::new());
    for (method, path, door) in ROUTES {
        for caller in &house.callers {
            let token = caller.token.as_deref();
            let answer = ask(&url, method, path, token, "a file").await;
            cells += 1;
            let got = answer.status.as_u16();
            // A visitor makes their secret up, so that of a session is as good as any.
            let is_session = matches!(caller.token.as_deref(), Some(t) if !t.starts_with("sb_"));
            let is_person = caller.rights.is_some_and(|rights| rights.is_person);
            let expected = match door {
                // The handshake lacks what makes it one.
                Door::Everybody(400) => (400..=426).contains(&got),
                Door::Everybody(status) => got == *status,
                Door::Visitors if is_session => got == 201,
                Door::People if is_person => got == 200,
                Door::Visitors | Door::People => matches!(got, 401 | 403),
            };
            if !expected {
                let text = answer.text();
                unexpected.push(format!("{method} {path} for {}: {got} {text}", caller.name));
            }
        }
    }
    println!("cells {cells}, unexpected {}", unexpected.len());
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

/// Calls a method of the inbox as somebody.
async fn inbox(url: &str, who: &OperatorClient, method: &str, body: Value) -> Answer {
    let name = if method.contains('/') {
        format!("switchboard.{method}")
    } else {
        format!("switchboard.inbox.v1.Inbox/{method}")
    };
    http::call(url, &name, Some(&who.token), &body).await
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "the cases are a table")]
async fn another_queues_conversations_are_not_there() {
    let mut house = house().await;
    let url = house.gateway.url();
    house.anna.ready().await;
    house.visitor.say("c-1", "a secret word").await;
    let mine = house.anna.accept().await;
    let said = house
        .anna
        .say(&mine.id, "a-1", "a secret answer")
        .await
        .unwrap();
    house.other_visitor.say("c-1", "a second secret").await;
    let (offer, offered) = house.anna.offered().await;
    let contact = mine.contact.clone().unwrap().id;
    let id = &mine.id;
    let mut refused = 0;
    for (method, body) in [
        ("GetConversation", json!({"conversationId": id})),
        ("ListTimeline", json!({"conversationId": id})),
        ("ListTimeline", json!({"contactId": contact})),
        (
            "ListConversations",
            json!({"queueId": "main", "folder": "WAITING"}),
        ),
        ("AcceptOffer", json!({"offerId": offer.id})),
        ("DeclineOffer", json!({"offerId": offer.id})),
        ("TakeConversation", json!({"conversationId": offered.id})),
        (
            "SendMessage",
            json!({"conversationId": id, "text": "x", "clientId": "o-1"}),
        ),
        (
            "AddNote",
            json!({"conversationId": id, "text": "x", "clientId": "o-2"}),
        ),
        ("EditMessage", json!({"messageId": said.id, "text": "x"})),
        ("DeleteMessage", json!({"messageId": said.id})),
        ("React", json!({"messageId": said.id, "emoji": "x"})),
        ("MarkRead", json!({"conversationId": id})),
        ("SetTyping", json!({"conversationId": id, "active": true})),
        ("SaveDraft", json!({"conversationId": id, "text": "x"})),
        (
            "TransferConversation",
            json!({"conversationId": id, "queueId": "other"}),
        ),
        ("SnoozeConversation", json!({"conversationId": id})),
        ("FinishConversation", json!({"conversationId": id})),
        ("ReopenConversation", json!({"conversationId": id})),
        ("JoinConversation", json!({"conversationId": id})),
        ("StartConversation", json!({"threadId": mine.thread_id})),
        (
            "routing.v1.Routing/ExplainOffer",
            json!({"offerId": offer.id}),
        ),
    ] {
        let answer = inbox(&url, &house.olga, method, body.clone()).await;
        assert_eq!(
            answer.code(),
            "not_found",
            "{method} {body}: {}",
            answer.text()
        );
        // As if it had never been.
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
        assert_eq!(
            digits(&answer.json()["message"].to_string()),
            0,
            "{}",
            answer.text()
        );
        refused += 1;
    }
    for (method, body) in [
        (
            "routing.v1.Routing/Reassign",
            json!({"conversationId": id, "queueId": "other"}),
        ),
        (
            "routing.v1.Routing/MoveToFront",
            json!({"conversationId": offered.id}),
        ),
        ("routing.v1.Routing/GetQueue", json!({"queueId": "main"})),
    ] {
        let answer = inbox(&url, &house.olga, method, body).await;
        assert_eq!(
            answer.code(),
            "permission_denied",
            "{method}: {}",
            answer.text()
        );
        refused += 1;
    }
    for (method, body) in [
        ("SearchMessages", json!({"query": "secret"})),
        ("ListConversations", json!({"folder": "ALL_OPEN"})),
        ("ListConversations", json!({"folder": "WAITING"})),
        ("ListConversations", json!({"folder": "ENDED"})),
        ("ListConversations", json!({"contactId": contact})),
        ("GetMe", json!({})),
        ("routing.v1.Routing/ListQueues", json!({})),
    ] {
        let answer = inbox(&url, &house.olga, method, body).await;
        assert_eq!(answer.status, 200, "{method}");
        let text = answer.text();
        assert!(!text.contains("secret"), "{method}: {text}");
        let main = answer.json()["queues"]
            .as_array()
            .is_some_and(|queues| queues.iter().any(|queue| queue["id"] == "main"));
        assert!(!main, "{method}: {text}");
        refused += 1;
    }
    let found = inbox(
        &url,
        &house.anna,
        "SearchMessages",
        json!({"query": "secret"}),
    )
    .await;
    assert_eq!(found.json()["hits"].as_array().unwrap().len(), 3);
    let untouched = house.anna.messages(id).await;
    let texts: Vec<&str> = untouched.iter().map(text_of).collect();
    assert_eq!(texts, ["a secret word", "a secret answer"]);
    println!("own-object cells {refused}, unexpected 0");
}

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

/// Waits for a stream to end with a refusal.
async fn ends(mut feed: tonic::Streaming<pb::SubscribeResponse>) -> Code {
    loop {
        match feed.message().await {
            Ok(Some(_)) => {}
            Ok(None) => return Code::Ok,
            Err(status) => return status.code(),
        }
    }
}

async fn feed_of(url: &str, token: &str) -> tonic::Streaming<pb::SubscribeResponse> {
    let endpoint = Endpoint::from_shared(url.to_owned()).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut inbox: InboxClient<Signed> =
        InboxClient::with_interceptor(channel, Bearer(token.to_owned()));
    let opened = inbox.subscribe(pb::SubscribeRequest::default()).await;
    opened.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
async fn a_lost_right_ends_everything_at_once() {
    let house = house().await;
    let url = house.gateway.url();
    let engine = house.gateway.engine();
    let mut people = Vec::new();
    for name in ["disabled", "password", "session", "demoted"] {
        let role = if name == "demoted" {
            Role::Supervisor
        } else {
            Role::Operator
        };
        people.push((name, house.gateway.person(name, role, &["main"]).await));
    }
    let made = engine.add_token(None, "t", Role::Operator, Some(house.anna.id), Vec::new());
    let (token, secret) = made.await.unwrap();
    let mut tokens: Vec<(&str, String)> = people
        .iter()
        .map(|(name, who)| (*name, who.token.clone()))
        .collect();
    tokens.push(("revoked", secret));
    let mut open = Vec::new();
    for (name, token) in &tokens {
        let feed = feed_of(&url, token).await;
        let path = "/switchboard.inbox.v1.Inbox/Subscribe";
        let events = Events::open(&url, path, token, "").await;
        open.push((*name, feed, events));
    }

    for (name, who) in &people {
        let change = |role, disabled| OperatorChange {
            display_name: (*name).to_owned(),
            role,
            memberships: Vec::new(),
            capacity: 0,
            auto_accept: false,
            disabled,
        };
        match *name {
            "disabled" => {
                let change = change(Role::Operator, true);
                engine
                    .change_operator(None, "", who.id, change)
                    .await
                    .unwrap();
            }
            "demoted" => {
                let change = change(Role::Operator, false);
                engine
                    .change_operator(None, "", who.id, change)
                    .await
                    .unwrap();
            }
            "password" => {
                let new = "another battery staple".to_owned();
                engine.set_password(None, who.id, new).await.unwrap();
            }
            _ => {
                let logout = "switchboard.admin.v1.Admin/Logout";
                let done = http::call(&url, logout, Some(&who.token), &json!({})).await;
                assert_eq!(done.status, 200);
            }
        }
    }
    engine.revoke_token(None, token.id).await.unwrap();
    let since = Instant::now();
    for (name, token) in &tokens {
        let method = "switchboard.routing.v1.Routing/GetQueue";
        let body = json!({"queueId": "main"});
        let answer = http::call(&url, method, Some(token), &body).await;
        let expect = if *name == "demoted" {
            "permission_denied"
        } else {
            "unauthenticated"
        };
        assert_eq!(answer.code(), expect, "{name}");
    }
    let ended = open.into_iter().map(|(name, feed, mut events)| async move {
        assert_eq!(ends(feed).await, Code::Unauthenticated, "{name}");
        let last = loop {
            match events.next().await {
                Some(event) if event.event.is_empty() => {}
                other => break other,
            }
        };
        assert_eq!(
            last.map(|last| last.event),
            Some("error".to_owned()),
            "{name}"
        );
    });
    futures::future::join_all(ended).await;
    let took = since.elapsed();
    assert!(took < GONE_WITHIN, "{took:?}");
    println!("rights 5, streams 10, still open after {GONE_WITHIN:?}: 0");
}
