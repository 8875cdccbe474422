//! What people change by hand.

use domain::identity::Trust;
use proto::contacts::v1 as pb;
use store::{ContactChange, Tx};

use super::failure::Failure;
use super::{ACT_SCOPE, convert, live, normal, save, save_found, shown};

pub(super) fn update(
    tx: &mut Tx<'_>,
    request: pb::UpdateContactRequest,
) -> Result<pb::Contact, Failure> {
    let mut contact = live(tx, &request.contact_id)?;
    if request.version != 0 && request.version != contact.version {
        return Err(Failure::Stale);
    }
    let profile = convert::profile_from(&request.profile.unwrap_or_default());
    profile.check()?;
    let renamed = profile.display_name != contact.profile.display_name;
    contact.profile = profile;
    if renamed {
        save_found(tx, &mut contact)?;
    } else {
        save(tx, &mut contact)?;
    }
    shown(tx, &contact)
}

pub(super) fn link(
    tx: &mut Tx<'_>,
    request: &pb::LinkIdentityRequest,
) -> Result<pb::Contact, Failure> {
    let mut contact = live(tx, &request.contact_id)?;
    let asked = normal(request.identity.as_ref(), &request.default_region)?;
    let owner = tx
        .contacts_with(&asked.key())?
        .into_iter()
        .find(|(row, _)| row.trust > Trust::Claimed);
    if asked.trust > Trust::Claimed
        && let Some((_, other)) = owner
        && other != contact.id
    {
        return Err(Failure::Exists(format!(
            "contact {other} has this identity: merge the two instead"
        )));
    }
    tx.save_identity(&asked, contact.id)?;
    save_found(tx, &mut contact)?;
    shown(tx, &contact)
}

pub(super) fn unlink(
    tx: &mut Tx<'_>,
    request: &pb::UnlinkIdentityRequest,
) -> Result<pb::Contact, Failure> {
    let mut contact = live(tx, &request.contact_id)?;
    let asked = normal(request.identity.as_ref(), "")?;
    if !tx.drop_identity(&asked.key(), contact.id)? {
        return Err(Failure::NotFound("identity of this contact"));
    }
    save_found(tx, &mut contact)?;
    shown(tx, &contact)
}

pub(super) fn erase(
    tx: &mut Tx<'_>,
    request: &pb::EraseContactRequest,
) -> Result<pb::EraseContactResponse, Failure> {
    let contact = live(tx, &request.contact_id)?;
    for erased in tx.erase_contact(contact.id)? {
        tx.forget_acts(ACT_SCOPE, &told_of(erased))?;
        tx.contact_changed(&ContactChange::Erased(erased))?;
    }
    Ok(pb::EraseContactResponse {})
}

/// The bytes that an answer holds if it tells of a contact: its id, which is the
/// first field of whatever message has it.
fn told_of(contact: i64) -> Vec<u8> {
    let contact = pb::Contact {
        id: contact.to_string(),
        ..pb::Contact::default()
    };
    prost::Message::encode_to_vec(&contact)
}
