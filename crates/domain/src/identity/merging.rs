//! Two contacts become one, and two again.
//!
//! A merge is not a loss: the record keeps both profiles and every row that moved.
//! Taking it back gives each side its own, minus what was unlinked since, and
//! leaves what was added since with the contact that stayed. Merges of one contact
//! are taken back in reverse order only, since a later one has built on an earlier.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Identity, IdentityKey, Profile, Trust};
use crate::{ContactId, Timestamp};

/// A contact, as far as merging concerns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub contact: ContactId,
    /// What is known.
    pub profile: Profile,
    /// Its rows, owned and claimed, at most one per key.
    pub identities: Vec<Identity>,
}

/// What a merge did: enough to take it back. Erasing either contact erases it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeRecord {
    /// The contact that stayed.
    pub kept: ContactId,
    /// The contact that became part of it; its id redirects.
    pub merged: ContactId,
    /// When.
    pub at: Timestamp,
    /// Why, for a person to read.
    pub reason: String,
    /// The merged contact's rows.
    pub moved: Vec<Identity>,
    /// The kept contact's rows with one of the same keys, as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlapped: Vec<Identity>,
    /// The kept contact's profile, as it was.
    pub kept_profile: Profile,
    /// The merged contact's profile.
    pub merged_profile: Profile,
}

/// The two contacts after a merge was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The contact that had stayed.
    pub kept: Person,
    /// The contact that returned.
    pub restored: Person,
}

/// Why a merge cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotUndo {
    /// The kept contact is part of another now.
    #[error("the contact has become part of another since: take that merge back first")]
    MergedSince,
}

/// Makes two contacts one: the kept one's profile wins and its empty fields are
/// filled; of two rows with one key the better trusted stays.
pub fn merge(
    kept: &Person,
    merged: &Person,
    at: Timestamp,
    reason: String,
) -> (Person, MergeRecord) {
    let mut profile = kept.profile.clone();
    profile.fill_from(&merged.profile);
    let moved = by_key(&merged.identities);
    let own = by_key(&kept.identities);
    let is_kept = |identity: &&Identity| {
        let rival = moved.get(&identity.key());
        rival.is_none_or(|rival| rival.trust <= identity.trust)
    };
    let is_taken = |identity: &&Identity| {
        let rival = own.get(&identity.key());
        rival.is_none_or(|rival| rival.trust < identity.trust)
    };
    let identities = kept.identities.iter().filter(is_kept);
    let identities = identities.chain(merged.identities.iter().filter(is_taken));
    let overlapped = kept.identities.iter();
    let overlapped = overlapped.filter(|identity| moved.contains_key(&identity.key()));
    let one = Person {
        contact: kept.contact.clone(),
        profile,
        identities: identities.cloned().collect(),
    };
    let record = MergeRecord {
        kept: kept.contact.clone(),
        merged: merged.contact.clone(),
        at,
        reason,
        moved: merged.identities.clone(),
        overlapped: overlapped.cloned().collect(),
        kept_profile: kept.profile.clone(),
        merged_profile: merged.profile.clone(),
    };
    (one, record)
}

/// Takes a merge back, `now` being the kept contact as it is now.
pub fn undo(record: &MergeRecord, now: &Person) -> Result<Undone, CannotUndo> {
    if now.contact != record.kept {
        return Err(CannotUndo::MergedSince);
    }
    let moved = by_key(&record.moved);
    let overlapped = by_key(&record.overlapped);
    let (mut kept, mut restored) = (Vec::new(), Vec::new());
    for identity in &now.identities {
        let key = identity.key();
        match (overlapped.get(&key), moved.get(&key)) {
            (_, None) => kept.push(identity.clone()),
            (None, Some(_)) => restored.push(identity.clone()),
            // Of two rows with one key at most one was owned: its side has the
            // row as it is now, the other side has its claim again.
            (Some(_), Some(theirs)) if theirs.trust == Trust::Claimed => {
                kept.push(identity.clone());
                restored.push((*theirs).clone());
            }
            (Some(ours), Some(_)) => {
                kept.push((*ours).clone());
                restored.push(identity.clone());
            }
        }
    }
    Ok(Undone {
        kept: Person {
            contact: record.kept.clone(),
            profile: unfilled(record, &now.profile),
            identities: kept,
        },
        restored: Person {
            contact: record.merged.clone(),
            profile: record.merged_profile.clone(),
            identities: restored,
        },
    })
}

/// The profile without what the merge filled in, as far as nobody has changed it
/// since.
fn unfilled(record: &MergeRecord, now: &Profile) -> Profile {
    let before = &record.kept_profile;
    let mut filled = before.clone();
    filled.fill_from(&record.merged_profile);
    let mut profile = now.clone();
    if now.display_name == filled.display_name {
        profile.display_name.clone_from(&before.display_name);
    }
    if now.locale == filled.locale {
        profile.locale.clone_from(&before.locale);
    }
    if now.avatar_url == filled.avatar_url {
        profile.avatar_url.clone_from(&before.avatar_url);
    }
    for (key, value) in &filled.attributes {
        if now.attributes.get(key) != Some(value) {
            continue;
        }
        match before.attributes.get(key) {
            Some(own) => profile.attributes.insert(key.clone(), own.clone()),
            None => profile.attributes.remove(key),
        };
    }
    profile
}

fn by_key(identities: &[Identity]) -> BTreeMap<IdentityKey, &Identity> {
    let keyed = identities.iter().map(|identity| (identity.key(), identity));
    keyed.collect()
}

#[cfg(test)]
mod tests;
