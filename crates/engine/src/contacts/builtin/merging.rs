//! Two contacts become one, and two again.

use domain::ContactId;
use domain::identity::{self, MergeRecord, Person};
use proto::contacts::v1 as pb;
use store::{ContactChange, DirectoryContact, Merge, StoreError, Tx, View};

use super::failure::Failure;
use super::{live, save_found, shown};

pub(super) fn merge_asked(
    tx: &mut Tx<'_>,
    request: &pb::MergeContactsRequest,
) -> Result<pb::MergeContactsResponse, Failure> {
    let kept = live(tx, &request.contact_id)?;
    let merged = live(tx, &request.merged_contact_id)?;
    if kept.id == merged.id {
        return Err(Failure::Precondition(
            "they are one contact already".to_owned(),
        ));
    }
    let reason = domain::text::line(&request.reason, 200);
    let (kept, merge_id) = merge(tx, kept, merged, reason)?;
    Ok(pb::MergeContactsResponse {
        contact: Some(shown(tx, &kept)?),
        merge_id: merge_id.to_string(),
    })
}

pub(super) fn merge(
    tx: &mut Tx<'_>,
    mut kept: DirectoryContact,
    mut merged: DirectoryContact,
    reason: String,
) -> Result<(DirectoryContact, i64), Failure> {
    let (one, record) =
        identity::merge(&person(tx, &kept)?, &person(tx, &merged)?, tx.now(), reason);
    let id = tx.fresh_id();
    tx.save_merge(&Merge { id, record }, false)?;
    tx.drop_identities(merged.id)?;
    tx.drop_identities(kept.id)?;
    merged.merged_into = Some(kept.id);
    merged.version += 1;
    merged.updated_at = tx.now();
    tx.save_contact(&merged)?;
    tx.index_contact(&merged)?;
    settle_person(tx, &mut kept, one)?;
    tx.contact_changed(&ContactChange::Merged {
        merged: merged.id,
        into: kept.id,
    })?;
    Ok((kept, id))
}

pub(super) fn undo_asked(
    tx: &mut Tx<'_>,
    request: &pb::UndoMergeRequest,
) -> Result<pb::UndoMergeResponse, Failure> {
    let id = request
        .merge_id
        .parse()
        .map_err(|_| Failure::NotFound("merge"))?;
    let merge = tx.merge(id)?.ok_or(Failure::NotFound("merge"))?;
    undo(tx, &merge)
}

fn undo(tx: &mut Tx<'_>, merge: &Merge) -> Result<pb::UndoMergeResponse, Failure> {
    let MergeRecord { kept, merged, .. } = &merge.record;
    let row = |tx: &Tx<'_>, id: &ContactId| -> Result<DirectoryContact, Failure> {
        let id = DirectoryContact::row_of(id).ok_or(Failure::NotFound("contact"))?;
        tx.directory_contact(id)?
            .ok_or(Failure::NotFound("contact"))
    };
    let mut restored = row(tx, merged)?;
    let mut kept = row(tx, kept)?;
    if kept.merged_into.is_some() || restored.merged_into != Some(kept.id) {
        return Err(Failure::Precondition(
            "the contact has become part of another since: take that merge back first".to_owned(),
        ));
    }
    let undone = identity::undo(&merge.record, &person(tx, &kept)?)
        .map_err(|error| Failure::Precondition(error.to_string()))?;
    tx.save_merge(merge, true)?;
    tx.drop_identities(kept.id)?;
    restored.merged_into = None;
    settle_person(tx, &mut kept, undone.kept)?;
    settle_person(tx, &mut restored, undone.restored)?;
    Ok(pb::UndoMergeResponse {
        contact: Some(shown(tx, &kept)?),
        restored: Some(shown(tx, &restored)?),
    })
}

fn person(view: &View<'_>, contact: &DirectoryContact) -> Result<Person, StoreError> {
    Ok(Person {
        contact: contact.contact_id(),
        profile: contact.profile.clone(),
        identities: view.identities_of(contact.id)?,
    })
}

fn settle_person(
    tx: &mut Tx<'_>,
    contact: &mut DirectoryContact,
    person: Person,
) -> Result<(), StoreError> {
    for identity in &person.identities {
        tx.save_identity(identity, contact.id)?;
    }
    contact.profile = person.profile;
    save_found(tx, contact)
}
