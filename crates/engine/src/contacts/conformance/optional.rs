//! What a directory need not serve, but serves rightly if it does.

use futures::StreamExt as _;
use proto::contacts::v1 as pb;
use tonic::{Code, Status};

use super::desk::{Desk, apart, same};
use super::{Found, Miss, Row, told, wrong};

pub(super) const CASES: &[Row] = &[
    (
        "UpdateContact",
        "the new profile, which no channel replaces; ABORTED for a stale version",
        true,
        |desk| Box::pin(update(desk)),
    ),
    (
        "LinkIdentity, UnlinkIdentity",
        "found by it, then no longer; ALREADY_EXISTS when it is another's",
        true,
        |desk| Box::pin(link(desk)),
    ),
    (
        "MergeContacts, UndoMerge",
        "one contact, then two with what they had",
        true,
        |desk| Box::pin(merge(desk)),
    ),
    ("ListContacts", "pages without repetition", true, |desk| {
        Box::pin(list(desk))
    }),
    ("SearchContacts", "found by name", true, |desk| {
        Box::pin(search(desk))
    }),
    (
        "ImportContacts",
        "good rows taken, bad ones named",
        true,
        |desk| Box::pin(import(desk)),
    ),
    ("ExportContacts", "contacts", true, |desk| {
        Box::pin(export(desk))
    }),
    (
        "EraseContact",
        "NOT_FOUND after it, and its identities are nobody's",
        true,
        |desk| Box::pin(erase(desk)),
    ),
];

fn refused<T>(
    what: &str,
    code: Code,
    answer: Result<tonic::Response<T>, Status>,
) -> Result<(), Miss> {
    match answer {
        Err(status) if status.code() == code => Ok(()),
        Err(status) => wrong(format!("{what}: {}", told(&status))),
        Ok(_) => wrong(format!("{what} is done")),
    }
}

async fn update(desk: Desk) -> Found {
    let asked = [desk.id("telegram")];
    let contact = desk.resolve(&asked).await?.contact;
    let profile = |name: &str| {
        Some(pb::Profile {
            display_name: name.to_owned(),
            ..pb::Profile::default()
        })
    };
    let request = pb::UpdateContactRequest {
        contact_id: contact.id,
        profile: profile("Set by a person"),
        version: contact.version,
        idempotency_key: String::new(),
    };
    let mut client = desk.client.clone();
    client.update_contact(request.clone()).await?;
    let stale = client.update_contact(request).await;
    refused("a stale version", Code::Aborted, stale)?;
    let mut again = Desk::request(&asked);
    again.profile = profile("Told by a channel");
    let shown = desk.ask(again).await?.contact.profile.unwrap_or_default();
    if shown.display_name != "Set by a person" {
        return wrong(format!("the name {:?}", shown.display_name));
    }
    Ok("the person's name stays".to_owned())
}

async fn link(desk: Desk) -> Found {
    let (own, more, others) = (desk.id("telegram"), desk.id("vk"), desk.id("vk"));
    let contact = desk.who(&[own]).await?;
    desk.who(std::slice::from_ref(&others)).await?;
    let link = |identity: &pb::Identity| pb::LinkIdentityRequest {
        contact_id: contact.clone(),
        identity: Some(identity.clone()),
        ..pb::LinkIdentityRequest::default()
    };
    let mut client = desk.client.clone();
    client.link_identity(link(&more)).await?;
    let found = desk.who(std::slice::from_ref(&more)).await?;
    same("by the linked identity", &contact, &found)?;
    let taken = client.link_identity(link(&others)).await;
    refused("another's identity", Code::AlreadyExists, taken)?;
    let unlink = pb::UnlinkIdentityRequest {
        contact_id: contact.clone(),
        identity: Some(more.clone()),
        ..pb::UnlinkIdentityRequest::default()
    };
    client.unlink_identity(unlink).await?;
    apart("unlinked", &contact, &desk.who(&[more]).await?)?;
    Ok("linked, refused, unlinked".to_owned())
}

async fn merge(desk: Desk) -> Found {
    let (one, other) = (desk.id("telegram"), desk.id("vk"));
    let kept = desk.who(std::slice::from_ref(&one)).await?;
    let merged = desk.who(std::slice::from_ref(&other)).await?;
    let mut client = desk.client.clone();
    let request = pb::MergeContactsRequest {
        contact_id: kept.clone(),
        merged_contact_id: merged.clone(),
        reason: "conformance".to_owned(),
        idempotency_key: String::new(),
    };
    let answer = client.merge_contacts(request).await?.into_inner();
    same("the merged id", &kept, &desk.get(&merged).await?.id)?;
    let found = desk.who(std::slice::from_ref(&other)).await?;
    same("by the merged identity", &kept, &found)?;
    let request = pb::UndoMergeRequest {
        merge_id: answer.merge_id,
        idempotency_key: String::new(),
    };
    client.undo_merge(request).await?;
    same("undone", &merged, &desk.get(&merged).await?.id)?;
    same("its identity", &merged, &desk.who(&[other]).await?)?;
    same("the other's", &kept, &desk.who(&[one]).await?)?;
    Ok("one, then two".to_owned())
}

async fn list(desk: Desk) -> Found {
    for _ in 0..3 {
        desk.who(&[desk.id("telegram")]).await?;
    }
    let page = async |page_token: String| {
        let request = pb::ListContactsRequest {
            page_size: 2,
            page_token,
        };
        desk.client.clone().list_contacts(request).await
    };
    let first = page(String::new()).await?.into_inner();
    if first.contacts.len() != 2 || first.next_page_token.is_empty() {
        return wrong(format!("a first page of {}", first.contacts.len()));
    }
    let second = page(first.next_page_token).await?.into_inner();
    let ids: Vec<_> = first.contacts.iter().map(|contact| &contact.id).collect();
    if second
        .contacts
        .iter()
        .any(|contact| ids.contains(&&contact.id))
    {
        return wrong("a contact on both pages");
    }
    let strange = page("conformance, no token".to_owned()).await;
    refused("a strange page_token", Code::InvalidArgument, strange)?;
    Ok("two pages".to_owned())
}

async fn search(desk: Desk) -> Found {
    let word = desk.word();
    let mut request = Desk::request(&[desk.id("telegram")]);
    request.profile = Some(pb::Profile {
        display_name: format!("Anna {word}"),
        ..pb::Profile::default()
    });
    let made = desk.ask(request).await?.contact.id;
    let request = pb::SearchContactsRequest {
        query: word,
        ..pb::SearchContactsRequest::default()
    };
    let found = desk.client.clone().search_contacts(request).await?;
    match found.into_inner().contacts.as_slice() {
        [only] if only.id == made => Ok("the one".to_owned()),
        found => wrong(format!("{} contacts", found.len())),
    }
}

async fn import(desk: Desk) -> Found {
    let row = |row: i64, identity: pb::Identity| pb::ImportContactsRequest {
        row,
        identities: vec![identity],
        default_region: "RU".to_owned(),
        ..pb::ImportContactsRequest::default()
    };
    let known = desk.id("telegram");
    desk.who(std::slice::from_ref(&known)).await?;
    let mut unreadable = desk.phone();
    "no phone".clone_into(&mut unreadable.value);
    let rows = [row(1, desk.phone()), row(2, unreadable), row(3, known)];
    let mut client = desk.client.clone();
    let rows = futures::stream::iter(rows);
    let answer = client.import_contacts(rows).await?.into_inner();
    let rejected: Vec<_> = answer
        .rejected
        .iter()
        .map(|rejected| rejected.row)
        .collect();
    if (answer.created, answer.matched, rejected.as_slice()) != (1, 1, &[2]) {
        return wrong(format!(
            "created {}, matched {}, rejected rows {rejected:?}",
            answer.created, answer.matched
        ));
    }
    let reason = answer.rejected.first().map(|rejected| &rejected.reason);
    Ok(format!("row 2: {}", reason.cloned().unwrap_or_default()))
}

async fn export(desk: Desk) -> Found {
    desk.who(&[desk.id("telegram")]).await?;
    let request = pb::ExportContactsRequest::default();
    let mut contacts = desk
        .client
        .clone()
        .export_contacts(request)
        .await?
        .into_inner();
    match contacts.next().await {
        Some(Ok(first)) if first.contact.is_some() => Ok("a stream of contacts".to_owned()),
        Some(Ok(_)) => wrong("an answer without a contact"),
        Some(Err(status)) => Err(status.into()),
        None => wrong("nothing"),
    }
}

async fn erase(desk: Desk) -> Found {
    let asked = [desk.id("telegram")];
    let contact = desk.who(&asked).await?;
    let request = pb::EraseContactRequest {
        contact_id: contact.clone(),
        idempotency_key: String::new(),
    };
    desk.client.clone().erase_contact(request).await?;
    match desk.get(&contact).await {
        Ok(_) => return wrong("the contact is still there"),
        Err(Miss::Refused(status)) if status.code() == Code::NotFound => {}
        Err(miss) => return Err(miss),
    }
    apart("asked again", &contact, &desk.who(&asked).await?)?;
    Ok("gone".to_owned())
}
