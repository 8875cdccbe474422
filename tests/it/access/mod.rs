//! Who may do what: every method and every route, for everybody.

mod files;
mod loss;
mod methods;
mod news;
mod once;
mod open;
mod promises;
mod routes;
mod scope;
mod sign_in;

use ::http::Method;
use domain::operator::Role;
use e2e::http::Answer;
use e2e::{Bridge, OperatorClient, TestGateway, Visitor, http};
use http_body_util::Full;
use serde_json::Value;
use web::access::Access;

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

/// Calls a method of the inbox as somebody.
async fn inbox(url: &str, who: &OperatorClient, method: &str, body: Value) -> Answer {
    let name = if method.contains('/') {
        format!("switchboard.{method}")
    } else {
        format!("switchboard.inbox.v1.Inbox/{method}")
    };
    http::call(url, &name, Some(&who.token), &body).await
}
