//! Rights that end while somebody uses them.

use std::time::Duration;

use domain::operator::Role;
use e2e::http::{self, Events};
use e2e::operator::{Bearer, Signed};
use engine::people::OperatorChange;
use proto::inbox::v1 as pb;
use proto::inbox::v1::inbox_client::InboxClient;
use serde_json::json;
use tokio::time::Instant;
use tonic::Code;
use tonic::transport::Endpoint;

use super::house;

/// How soon after a right is gone everything has to have ended.
const GONE_WITHIN: Duration = Duration::from_secs(5);

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
            skills: domain::routing::Skills::default(),
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
