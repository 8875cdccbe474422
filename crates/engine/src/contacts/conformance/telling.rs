//! What is told: answers again, errors, changes, and how soon.

use std::time::Duration;

use proto::contacts::v1 as pb;
use proto::contacts::v1::watch_contacts_response::Change;
use tokio::time::Instant;
use tonic::{Code, Streaming};

use super::super::reconcile::is_about_the_cursor;
use super::desk::{Desk, same};
use super::{Found, Miss, Row, told, wrong};

const UNKNOWN: &str = "conformance-no-such-contact";
const UNKNOWN_CURSOR: &str = "conformance-no-such-cursor";
/// A change may take this long to be told.
const CHANGE_MAX: Duration = Duration::from_secs(10);
const CALLS: usize = 100;

pub(super) const REACHED: &[Row] = &[(
    "the directory is reached",
    "an answer to GetContact",
    false,
    |desk| Box::pin(reached(desk)),
)];

pub(super) const CASES: &[Row] = &[
    ("an unknown id", "NOT_FOUND", false, |desk| {
        Box::pin(unknown(desk))
    }),
    (
        "an idempotency key used again",
        "the same answer; ALREADY_EXISTS with other content",
        false,
        |desk| Box::pin(idempotent(desk)),
    ),
    (
        "watching without a cursor",
        "first a cursor without a change, then what happens next",
        false,
        |desk| Box::pin(watches(desk)),
    ),
    (
        "watching after a cursor",
        "every change after it, in order, merges too",
        false,
        |desk| Box::pin(resumes(desk)),
    ),
    (
        "watching after a cursor that is not its own",
        "OUT_OF_RANGE, so that nothing is missed unnoticed",
        false,
        |desk| Box::pin(refuses_cursor(desk)),
    ),
    (
        "100 calls, one after the other",
        "answers well within the two seconds that a gateway waits",
        false,
        |desk| Box::pin(latency(desk)),
    ),
];

async fn reached(desk: Desk) -> Found {
    match desk.get(UNKNOWN).await {
        Ok(_) => Ok("an answer".to_owned()),
        Err(Miss::Refused(status))
            if !matches!(
                status.code(),
                Code::Unavailable
                    | Code::Unauthenticated
                    | Code::PermissionDenied
                    | Code::Unimplemented
            ) =>
        {
            Ok(format!("{:?}", status.code()))
        }
        Err(miss) => Err(miss),
    }
}

async fn unknown(desk: Desk) -> Found {
    match desk.get(UNKNOWN).await {
        Ok(contact) => wrong(format!("contact {}", contact.id)),
        Err(Miss::Refused(status)) if status.code() == Code::NotFound => Ok(told(&status)),
        Err(miss) => Err(miss),
    }
}

async fn idempotent(desk: Desk) -> Found {
    let mut request = Desk::request(&[desk.id("telegram")]);
    request.idempotency_key = desk.word();
    let first = desk.ask(request.clone()).await?;
    let again = desk.ask(request.clone()).await?;
    if (&first.contact, &first.answer) != (&again.contact, &again.answer) {
        let outcome = again.answer.outcome();
        return wrong(format!("another answer to the same call: {outcome:?}"));
    }
    request.identities = vec![desk.id("telegram")];
    match desk.ask(request).await {
        Ok(_) => wrong("an answer to other content"),
        Err(Miss::Refused(status)) if status.code() == Code::AlreadyExists => Ok(told(&status)),
        Err(miss) => Err(miss),
    }
}

type Changes = Streaming<pb::WatchContactsResponse>;

async fn watch(desk: &Desk, cursor: &str) -> Result<Changes, Miss> {
    let request = pb::WatchContactsRequest {
        cursor: cursor.to_owned(),
    };
    let opened = desk.client.clone().watch_contacts(request).await?;
    Ok(opened.into_inner())
}

async fn next(changes: &mut Changes) -> Result<pb::WatchContactsResponse, Miss> {
    match tokio::time::timeout(CHANGE_MAX, changes.message()).await {
        Ok(Ok(Some(step))) if step.cursor.is_empty() => wrong("an answer without a cursor"),
        Ok(Ok(Some(step))) => Ok(step),
        Ok(Ok(None)) => wrong("the stream ended"),
        Ok(Err(status)) => Err(status.into()),
        Err(_) => wrong(format!("nothing within {} s", CHANGE_MAX.as_secs())),
    }
}

/// Reads on until a change of a contact; answers with its cursor.
async fn until_changed(changes: &mut Changes, contact: &str) -> Result<String, Miss> {
    loop {
        let step = next(changes).await?;
        if matches!(&step.change, Some(Change::Changed(found)) if found.id == contact) {
            return Ok(step.cursor);
        }
    }
}

async fn watches(desk: Desk) -> Found {
    let mut changes = watch(&desk, "").await?;
    let opened = next(&mut changes).await?;
    if opened.change.is_some() {
        return wrong("a change before the cursor");
    }
    let made = desk.who(&[desk.id("telegram")]).await?;
    let started = Instant::now();
    let cursor = until_changed(&mut changes, &made).await?;
    let ms = started.elapsed().as_millis();
    Ok(format!("the change after {ms} ms, cursor {cursor}"))
}

async fn resumes(desk: Desk) -> Found {
    let mut changes = watch(&desk, "").await?;
    let cursor = next(&mut changes).await?.cursor;
    drop(changes);
    let (telegram, phone) = (desk.id("telegram"), desk.phone());
    let first = desk.who(std::slice::from_ref(&telegram)).await?;
    let second = desk.who(std::slice::from_ref(&phone)).await?;
    let kept = desk.who(&[telegram, phone]).await?;
    let mut changes = watch(&desk, &cursor).await?;
    until_changed(&mut changes, &first).await?;
    let middle = until_changed(&mut changes, &second).await?;
    until_merged(&mut changes, &first, &second, &kept).await?;
    // Once more from the middle, as after a lost connection.
    let mut changes = watch(&desk, &middle).await?;
    loop {
        let step = next(&mut changes).await?;
        match &step.change {
            Some(Change::Merged(_)) => break,
            Some(Change::Changed(told)) if step.cursor == middle => {
                return wrong(format!("the change of {} twice", told.id));
            }
            Some(Change::Changed(_) | Change::Erased(_)) | None => {}
        }
    }
    Ok("both contacts, then the merge".to_owned())
}

async fn refuses_cursor(desk: Desk) -> Found {
    let refused = async {
        let mut changes = watch(&desk, UNKNOWN_CURSOR).await?;
        next(&mut changes).await
    };
    match refused.await {
        Ok(step) => wrong(format!("cursor {}", step.cursor)),
        Err(Miss::Refused(status)) if is_about_the_cursor(&status) => Ok(told(&status)),
        Err(miss) => Err(miss),
    }
}

async fn until_merged(
    changes: &mut Changes,
    first: &str,
    second: &str,
    kept: &str,
) -> Result<(), Miss> {
    let gone = if kept == first { second } else { first };
    loop {
        let step = next(changes).await?;
        if let Some(Change::Merged(merged)) = step.change
            && merged.merged_contact_id == gone
        {
            let into = merged.contact.map(|contact| contact.id).unwrap_or_default();
            return same("merged into", kept, &into);
        }
    }
}

async fn latency(desk: Desk) -> Found {
    let asked = [desk.id("telegram")];
    let mut took = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let started = Instant::now();
        desk.who(&asked).await?;
        took.push(started.elapsed());
    }
    took.sort();
    let at = |percent: usize| took.get(CALLS * percent / 100).copied().unwrap_or_default();
    let ms = |took: Duration| took.as_secs_f64() * 1_000.0;
    let text = format!("p50 {:.1} ms, p99 {:.1} ms", ms(at(50)), ms(at(99)));
    if at(99) > Duration::from_secs(1) {
        return wrong(text);
    }
    Ok(text)
}
