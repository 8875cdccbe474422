//! Who has these identities.

use std::collections::BTreeSet;

use domain::ContactId;
use domain::identity::{self, Identity, Known, Outcome, Profile, Resolution, Trust};
use proto::contacts::v1 as pb;
use store::{DirectoryContact, StoreError, Tx, View};

use super::failure::Failure;
use super::{convert, live, merging, normal, save, save_found, shown};

const IDENTITIES_MAX: usize = 20;

/// The answer, if the request matches a contact and would change nothing.
pub(super) fn known_and_unchanged(
    view: &View<'_>,
    request: &pb::ResolveContactRequest,
) -> Result<Option<pb::ResolveContactResponse>, Failure> {
    let (resolution, profile) = decide(view, request)?;
    unchanged(view, &resolution, &profile)
}

pub(super) fn resolve(
    tx: &mut Tx<'_>,
    request: &pb::ResolveContactRequest,
) -> Result<pb::ResolveContactResponse, Failure> {
    let (resolution, profile) = decide(tx, request)?;
    // Another call may have done it since it was looked at.
    if let Some(answer) = unchanged(tx, &resolution, &profile)? {
        return Ok(answer);
    }
    for (key, loser) in &resolution.take {
        let mut loser = live(tx, loser.as_str())?;
        tx.drop_identity(key, loser.id)?;
        save_found(tx, &mut loser)?;
    }
    let (mut contact, outcome) = match &resolution.contact {
        Outcome::Match(id) => (live(tx, id.as_str())?, pb::Outcome::Matched),
        Outcome::Create => (fresh(tx, request), pb::Outcome::Created),
    };
    for other in &resolution.merge {
        let merged = live(tx, other.as_str())?;
        let reason = "a proven identity joined them".to_owned();
        (contact, _) = merging::merge(tx, contact, merged, reason)?;
    }
    for link in &resolution.link {
        tx.save_identity(link, contact.id)?;
    }
    let name = contact.profile.display_name.clone();
    contact.profile.fill_from(&profile);
    if resolution.link.is_empty() && contact.profile.display_name == name {
        save(tx, &mut contact)?;
    } else {
        save_found(tx, &mut contact)?;
    }
    answer(tx, &contact, &resolution, outcome)
}

/// Whom the request would match, with nothing written.
pub(super) fn try_out(
    view: &View<'_>,
    request: &pb::ResolveContactRequest,
) -> Result<pb::Outcome, Failure> {
    let (resolution, _) = decide(view, request)?;
    Ok(match resolution.contact {
        Outcome::Match(_) => pb::Outcome::Matched,
        Outcome::Create => pb::Outcome::Created,
    })
}

fn decide(
    view: &View<'_>,
    request: &pb::ResolveContactRequest,
) -> Result<(Resolution, Profile), Failure> {
    let (asked, profile) = read(request)?;
    let known = known(view, &asked)?;
    Ok((identity::resolve(&asked, &known), profile))
}

fn unchanged(
    view: &View<'_>,
    resolution: &Resolution,
    profile: &Profile,
) -> Result<Option<pb::ResolveContactResponse>, Failure> {
    let Outcome::Match(id) = &resolution.contact else {
        return Ok(None);
    };
    if !(resolution.take.is_empty() && resolution.link.is_empty() && resolution.merge.is_empty()) {
        return Ok(None);
    }
    let contact = live(view, id.as_str())?;
    let mut filled = contact.profile.clone();
    filled.fill_from(profile);
    if filled != contact.profile {
        return Ok(None);
    }
    answer(view, &contact, resolution, pb::Outcome::Matched).map(Some)
}

/// The request in normal forms; an identity that cannot be read refuses it.
fn read(request: &pb::ResolveContactRequest) -> Result<(Vec<Identity>, Profile), Failure> {
    if request.identities.is_empty() || request.identities.len() > IDENTITIES_MAX {
        return Err(Failure::Invalid(format!(
            "identities: give 1 to {IDENTITIES_MAX}"
        )));
    }
    let identities = request
        .identities
        .iter()
        .map(|asked| normal(Some(asked), &request.default_region))
        .collect::<Result<_, _>>()?;
    let profile = convert::profile_from(&request.profile.clone().unwrap_or_default());
    profile.check()?;
    Ok((identities, profile))
}

/// Every row that the decision needs, of popular claims some.
fn known(view: &View<'_>, request: &[Identity]) -> Result<Vec<Known>, StoreError> {
    let mut rows = Vec::new();
    let mut left_out = Vec::new();
    for asked in request {
        let key = asked.key();
        let found = view.contacts_with(&key)?;
        if found.len() >= View::CONTACTS_WITH_MAX {
            left_out.push(key);
        }
        rows.extend(found);
    }
    let owners = rows.iter().filter(|(row, _)| row.trust > Trust::Claimed);
    let owners: BTreeSet<i64> = owners.map(|(_, contact)| *contact).collect();
    for owner in owners {
        rows.extend(with_owner(view.owned_of_kind(owner, "user")?, owner));
        // Their own claim may be one of those that were left out.
        for key in &left_out {
            rows.extend(with_owner(view.identity_of(owner, key)?, owner));
        }
    }
    let known = rows.into_iter().map(|(identity, contact)| Known {
        identity,
        contact: ContactId::new(contact.to_string()),
    });
    Ok(known.collect())
}

fn with_owner(
    rows: impl IntoIterator<Item = Identity>,
    owner: i64,
) -> impl Iterator<Item = (Identity, i64)> {
    rows.into_iter().map(move |row| (row, owner))
}

fn answer(
    view: &View<'_>,
    contact: &DirectoryContact,
    resolution: &Resolution,
    outcome: pb::Outcome,
) -> Result<pb::ResolveContactResponse, Failure> {
    let matched_on = resolution.matched_on.iter();
    let suggestions = resolution
        .suggestions
        .iter()
        .map(|suggestion| pb::Suggestion {
            contact_id: suggestion.contact.to_string(),
            reason: suggestion.reason.to_string(),
            confidence: f64::from(suggestion.confidence_percent) / 100.0,
        });
    Ok(pb::ResolveContactResponse {
        contact: Some(shown(view, contact)?),
        outcome: outcome.into(),
        matched_on: matched_on.map(convert::identity).collect(),
        suggestions: suggestions.collect(),
        merged_contact_ids: resolution.merge.iter().map(ToString::to_string).collect(),
    })
}

fn fresh(tx: &mut Tx<'_>, request: &pb::ResolveContactRequest) -> DirectoryContact {
    let source = request.source.clone().unwrap_or_default();
    let now = tx.now();
    DirectoryContact {
        id: tx.fresh_id(),
        profile: Profile::default(),
        source_line: source.line_id,
        source_channel: source.channel,
        referral: domain::text::line(&source.referral, 2_000),
        created_at: now,
        updated_at: now,
        version: 0,
        merged_into: None,
    }
}
