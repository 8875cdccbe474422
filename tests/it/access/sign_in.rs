//! Signing in while the right to do so is taken away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::operator::{Membership, Role};
use e2e::gateway::PASSWORD;
use e2e::{OperatorClient, TestGateway};
use engine::people::{OperatorChange, SignedIn};
use engine::{ActError, Engine};
use futures::future::join_all;

const NEW: &str = "another battery staple";
/// Some of them are still being verified when the change is made.
const AT_ONCE: usize = 8;

async fn sign_ins(engine: &Engine) -> Vec<Result<SignedIn, ActError>> {
    let sign_in = || engine.sign_in("anna", PASSWORD.to_owned(), "test");
    join_all((0..AT_ONCE).map(|_| sign_in())).await
}

/// How many of these sign-ins left something that opens the door.
async fn alive(engine: &Engine, sign_ins: Vec<Result<SignedIn, ActError>>) -> usize {
    let mut alive = 0;
    for sign_in in sign_ins {
        match sign_in {
            Ok(signed_in) => {
                let principal = engine.principal(&signed_in.token).await.unwrap();
                alive += usize::from(principal.is_some());
            }
            Err(ActError::Denied(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    alive
}

fn changed(disabled: bool) -> OperatorChange {
    OperatorChange {
        display_name: "Anna".to_owned(),
        role: Role::Operator,
        memberships: Vec::new(),
        skills: domain::routing::Skills::default(),
        capacity: 0,
        auto_accept: false,
        disabled,
    }
}

async fn set_disabled(engine: &Engine, who: &OperatorClient, disabled: bool) {
    let change = engine.change_operator(None, "", who.id, changed(disabled));
    change.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_by_the_password_of_before() {
    let gateway = TestGateway::start().await;
    let anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let engine = gateway.engine();
    let change = engine.set_password(None, anna.id, NEW.to_owned());
    let (changed, begun) = tokio::join!(change, sign_ins(engine));
    changed.unwrap();
    assert_eq!(alive(engine, begun).await, 0);
    let new = engine
        .sign_in("anna", NEW.to_owned(), "test")
        .await
        .unwrap();
    assert!(engine.principal(&new.token).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_meanwhile_does_not_come_back_when_enabled() {
    let gateway = TestGateway::start().await;
    let anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let engine = gateway.engine();
    let (begun, ()) = tokio::join!(sign_ins(engine), set_disabled(engine, &anna, true));
    set_disabled(engine, &anna, false).await;
    assert_eq!(alive(engine, begun).await, 0);
    gateway.sign_in("anna").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_worked_for_a_queue_that_is_gone_can_be_disabled() {
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = Arc::clone(&gone);
    let mut gateway = TestGateway::start_with(move |settings| {
        if is_gone.load(Ordering::SeqCst) {
            settings.queues.retain(|queue| queue.id.as_str() == "main");
        }
    })
    .await;
    let anna = gateway.person("anna", Role::Operator, &["other"]).await;
    gone.store(true, Ordering::SeqCst);
    gateway.restart().await;
    let engine = gateway.engine();
    let with = |queue: &str| OperatorChange {
        memberships: vec![Membership {
            queue: queue.into(),
            rank: 0,
            position: 0,
        }],
        ..changed(true)
    };
    let refused = engine.change_operator(None, "", anna.id, with("another"));
    assert!(matches!(refused.await, Err(ActError::Invalid { .. })));
    let disabled = engine.change_operator(None, "", anna.id, with("other"));
    assert!(disabled.await.unwrap().disabled);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_an_admin_gives_is_not_overwritten_by_the_one_of_before() {
    let gateway = TestGateway::start().await;
    let anna = gateway.person("anna", Role::Operator, &["main"]).await;
    let engine = gateway.engine();
    let thief = engine.principal(&anna.token).await.unwrap().unwrap();
    let change = engine.set_password(None, anna.id, NEW.to_owned());
    let steal = || {
        engine.change_password(
            &thief,
            PASSWORD.to_owned(),
            "stolen for good".to_owned(),
            "test",
        )
    };
    let (changed, _) = tokio::join!(change, join_all((0..AT_ONCE).map(|_| steal())));
    changed.unwrap();
    let new = engine.sign_in("anna", NEW.to_owned(), "test").await;
    assert!(new.is_ok(), "{:?}", new.err());
}
