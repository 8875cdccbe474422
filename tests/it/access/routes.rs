//! Every route beside the contract.

use super::{ask, house};

/// Who gets what from a route: visitors' tokens are only theirs, a file goes up for
/// people only, and the rest is everybody's.
#[derive(Clone, Copy)]
enum Door {
    Everybody(u16),
    Visitors,
    People,
    /// Whoever is signed in; there is nothing to see for them.
    Readers,
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
    ("GET", "/letters/0", Door::Readers),
    ("GET", "/files/0", Door::Everybody(400)),
    (
        "GET",
        "/files/0?name=a&type=b&expires=9999999999999&viewer=client&signature=AAAA",
        Door::Everybody(403),
    ),
    ("GET", "/files/0/a.png", Door::Everybody(400)),
    (
        "GET",
        "/files/0/a.png?name=a&type=b&expires=9999999999999&viewer=client&signature=AAAA",
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
                Door::Readers if caller.rights.is_some() => got == 404,
                Door::Visitors | Door::People | Door::Readers => matches!(got, 401 | 403),
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
