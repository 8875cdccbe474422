//! What is refused, and how clearly.

use proto::contacts::v1 as pb;
use tonic::Code;

use super::desk::{Desk, written};
use super::{Found, Miss, Row, wrong};

pub(super) const CASES: &[Row] = &[
    (
        "no identity, or 21",
        "INVALID_ARGUMENT, with a reason",
        false,
        |desk| Box::pin(counts(desk)),
    ),
    (
        "an identity that cannot be read",
        "INVALID_ARGUMENT, with a reason",
        false,
        |desk| Box::pin(identities(desk)),
    ),
    (
        "a profile or key over its limit",
        "INVALID_ARGUMENT, with a reason",
        false,
        |desk| Box::pin(profiles(desk)),
    ),
];

async fn counts(desk: Desk) -> Found {
    let many: Vec<_> = (0..21).map(|_| desk.id("telegram")).collect();
    refused(&desk, "no identity", Desk::request(&[])).await?;
    refused(&desk, "21 identities", Desk::request(&many)).await
}

async fn identities(desk: Desk) -> Found {
    let id = desk.id("telegram");
    let of_kind = |kind: &str| pb::Identity {
        kind: kind.to_owned(),
        ..id.clone()
    };
    let wrong = [
        ("no kind", of_kind("")),
        ("the kind \"Tele gram\"", of_kind("Tele gram")),
        ("an empty value", written(&id, "")),
        ("321 characters", written(&id, &"x".repeat(321))),
        ("a line break", written(&id, "a\nb")),
        ("a phone of letters", written(&desk.phone(), "call me")),
        ("an e-mail without @", written(&desk.email(), "anna")),
    ];
    let mut last = String::new();
    for (what, identity) in wrong {
        last = refused(&desk, what, Desk::request(&[identity])).await?;
    }
    Ok(last)
}

async fn profiles(desk: Desk) -> Found {
    let request = || Desk::request(&[desk.id("telegram")]);
    let mut named = request();
    named.profile = Some(pb::Profile {
        display_name: "x".repeat(201),
        ..pb::Profile::default()
    });
    let mut keyed = request();
    keyed.idempotency_key = "x".repeat(129);
    refused(&desk, "a name of 201 characters", named).await?;
    refused(&desk, "a key of 129 characters", keyed).await
}

async fn refused(desk: &Desk, what: &str, request: pb::ResolveContactRequest) -> Found {
    match desk.ask(request).await {
        Ok(found) => wrong(format!("{what} is taken: contact {}", found.contact.id)),
        Err(Miss::Refused(status)) if status.code() != Code::InvalidArgument => {
            wrong(format!("{what}: {}", super::told(&status)))
        }
        Err(Miss::Refused(status)) if status.message().is_empty() => {
            wrong(format!("{what}: no reason"))
        }
        Err(Miss::Refused(status)) => Ok(super::told(&status)),
        Err(miss) => Err(miss),
    }
}
