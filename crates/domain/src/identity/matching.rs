//! Whom a request is about: the directory's decision, without the directory.
//!
//! A directory keeps two sorts of rows. A row of trust [`Trust::Asserted`] or
//! [`Trust::Proven`] **owns** its key: at most one contact has it. A row of trust
//! [`Trust::Claimed`] is a **claim**: any number of contacts may claim one key,
//! owned by another or by nobody. An owner's row replaces its own claim.
//!
//! For each identity of the request, `us` being the contact the request is about
//! and `other` any contact else:
//!
//! | request | the key is | decision |
//! |---|---|---|
//! | proven | owned by other, proven; us reached by another such | other becomes one with us |
//! | proven | owned by other, asserted | stays other's; suggestion |
//! | asserted | owned by other | stays other's; suggestion |
//! | proven, asserted | owned by us, less trusted | the row is raised |
//! | proven, asserted | owned by us, as trusted or more | nothing to do |
//! | proven, asserted | claimed by anybody, owned by nobody | ours; others keep their claim: suggestion |
//! | proven, asserted | unknown | ours |
//! | claimed | owned by us, or claimed by us | nothing to do |
//! | claimed | owned or claimed by other | our claim beside it; suggestion |
//! | claimed | unknown | our claim |
//!
//! `Us` is the owner of a key that the request proves or asserts. Of several, the
//! one whose link is strongest wins, a link being as strong as the weaker of the
//! request and the row; then the one whose account it is; then the one that comes
//! first in the request. When there is none, a contact is made: a request of claims
//! alone always makes one.
//!
//! # Two people at one browser
//!
//! An owned row of kind `user` is an **account**: whom a site knows a person as.
//! A person has one account of a site, so one contact has one account of an issuer,
//! and what says otherwise is about two people. Of several accounts of one issuer
//! in a request the best trusted counts, then the first.
//!
//! | request | the key is | decision |
//! |---|---|---|
//! | an account; anything | owned by other, who has another account of the issuer | other is not us and does not become one with us; suggestion |
//! | a proven account; a proven `visitor` | owned by such an other | the browser is taken from other and is ours; no suggestion |
//! | an account; anything | owned by other, who has no account of the issuer | as above: who signs in for the first time joins what they were before |
//! | no account; proven | owned by others, who have two accounts of an issuer | us and other stay two; suggestion |
//!
//! A browser goes with whoever signed in there last: what is written in it later,
//! signed in or not, is never told to be the first user's. Mail and phone stay
//! where they are, since two accounts may share them.
//!
//! So a stranger who typed an address neither joins its owner nor keeps the owner
//! out: whoever proves it later owns it. Caller id, which can be forged, never
//! makes one contact of two.

mod accounts;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use accounts::Accounts;

use super::{Identity, IdentityKey, Reason, Suggestion, Trust};
use crate::ContactId;

/// Further ones are of no use to a person, and popular addresses have thousands.
const SUGGESTIONS_MAX: usize = 10;

/// One row of the directory: with a key of the request, or an account of a contact
/// that owns such a row. See the module for what its trust means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// As stored, with the trust it is stored with.
    pub identity: Identity,
    /// Whose row it is.
    pub contact: ContactId,
}

/// Whom a request is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A contact that exists.
    Match(ContactId),
    /// Nobody yet: a contact is made.
    Create,
}

/// What the directory does about a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Whom the request is about.
    pub contact: Outcome,
    /// The identities that decided, in the order of the request.
    pub matched_on: Vec<Identity>,
    /// Rows that other contacts lose, to be done before all else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub take: Vec<(IdentityKey, ContactId)>,
    /// Rows to write for that contact after merging: owned or claimed as their
    /// trust says. Where the contact has the key, the row is raised to this trust.
    pub link: Vec<Identity>,
    /// Contacts that become one with it.
    pub merge: Vec<ContactId>,
    /// Contacts that may be the same person, the likeliest first; at most 10.
    pub suggestions: Vec<Suggestion>,
}

/// Decides what a request of normalised identities means, given in any order every
/// row that has one of their keys, and every account of the contacts that own one.
pub fn resolve(request: &[Identity], known: &[Known]) -> Resolution {
    let asked = distinct(request);
    let accounts = Accounts::of(&asked, known);
    let rows = by_key(known);
    let mut links = links(&asked, &rows);
    links.retain(|link| !accounts.keep_apart(link.contact, Trust::Asserted));
    let us = links
        .iter()
        .min_by_key(|link| {
            (
                Reverse(link.strength()),
                !accounts::is_account(link.identity),
                link.order,
            )
        })
        .map(|link| link.contact.clone());
    let merge = merged(&links, us.as_ref(), &accounts);
    let ours: BTreeSet<&ContactId> = merge.iter().chain(us.as_ref()).collect();

    let matched_on = links.iter().filter(|link| ours.contains(link.contact));
    let matched_on = matched_on.map(|link| link.identity.clone()).collect();
    let take = taken(&asked, &rows, &accounts);
    let is_taken = |identity: &Identity| take.iter().any(|(key, _)| *key == identity.key());
    let link = asked
        .iter()
        .filter(|identity| {
            is_taken(identity) || is_to_link(identity, rows.get(&identity.key()), &ours)
        })
        .cloned()
        .collect();
    let told = asked.iter().filter(|identity| !is_taken(identity));
    let suggestions = suggestions(told, &rows, &ours);
    Resolution {
        contact: us.map_or(Outcome::Create, Outcome::Match),
        matched_on,
        take,
        link,
        merge,
        suggestions,
    }
}

/// The directory's rows of one key.
#[derive(Default)]
struct Rows {
    owner: Option<(ContactId, Trust)>,
    /// Everybody else.
    others: BTreeMap<ContactId, Trust>,
}

/// An identity of the request that leads to a contact.
struct Link<'a> {
    order: usize,
    identity: &'a Identity,
    stored: Trust,
    contact: &'a ContactId,
}

impl Link<'_> {
    fn strength(&self) -> Trust {
        self.identity.trust.min(self.stored)
    }
}

/// One identity per key, the best trusted, where the key came first; and one
/// account per issuer.
fn distinct(request: &[Identity]) -> Vec<Identity> {
    let mut places = BTreeMap::new();
    let mut asked: Vec<Identity> = Vec::new();
    for identity in request {
        let place = *places.entry(identity.key()).or_insert(asked.len());
        match asked.get_mut(place) {
            Some(first) => first.trust = first.trust.max(identity.trust),
            None => asked.push(identity.clone()),
        }
    }
    let mut accounts: BTreeMap<String, Identity> = BTreeMap::new();
    for account in asked
        .iter()
        .filter(|identity| accounts::is_account(identity))
    {
        let best = accounts
            .entry(account.issuer.clone())
            .or_insert_with(|| account.clone());
        if account.trust > best.trust {
            *best = account.clone();
        }
    }
    asked.retain(|identity| {
        !accounts::is_account(identity) || accounts.get(&identity.issuer) == Some(identity)
    });
    asked
}

fn by_key(known: &[Known]) -> BTreeMap<IdentityKey, Rows> {
    let mut sorted: Vec<&Known> = known.iter().collect();
    sorted.sort_by_key(|row| (Reverse(row.identity.trust), &row.contact));
    let mut keys: BTreeMap<IdentityKey, Rows> = BTreeMap::new();
    for row in sorted {
        let rows = keys.entry(row.identity.key()).or_default();
        let trust = row.identity.trust;
        match &rows.owner {
            None if trust > Trust::Claimed => rows.owner = Some((row.contact.clone(), trust)),
            Some((owner, _)) if *owner == row.contact => {}
            // A second owner is a fault of the store: good for a suggestion only.
            None | Some(_) => {
                rows.others.entry(row.contact.clone()).or_insert(trust);
            }
        }
    }
    keys
}

fn links<'a>(asked: &'a [Identity], rows: &'a BTreeMap<IdentityKey, Rows>) -> Vec<Link<'a>> {
    let trusted = asked.iter().enumerate();
    trusted
        .filter(|(_, identity)| identity.trust > Trust::Claimed)
        .filter_map(|(order, identity)| {
            let (contact, stored) = rows.get(&identity.key())?.owner.as_ref()?;
            Some(Link {
                order,
                identity,
                stored: *stored,
                contact,
            })
        })
        .collect()
}

fn merged(links: &[Link<'_>], us: Option<&ContactId>, accounts: &Accounts<'_>) -> Vec<ContactId> {
    let mut ours: Vec<&ContactId> = us.into_iter().collect();
    for link in links {
        if link.strength() == Trust::Proven
            && !ours.contains(&link.contact)
            && !accounts.differ(link.contact, &ours)
        {
            ours.push(link.contact);
        }
    }
    ours.into_iter().skip(1).cloned().collect()
}

/// The browsers whose owner another user has followed.
fn taken(
    asked: &[Identity],
    rows: &BTreeMap<IdentityKey, Rows>,
    accounts: &Accounts<'_>,
) -> Vec<(IdentityKey, ContactId)> {
    let browsers = asked
        .iter()
        .filter(|identity| identity.kind == "visitor" && identity.trust == Trust::Proven);
    browsers
        .filter_map(|browser| {
            let (owner, _) = rows.get(&browser.key())?.owner.as_ref()?;
            accounts
                .keep_apart(owner, Trust::Proven)
                .then(|| (browser.key(), owner.clone()))
        })
        .collect()
}

fn is_to_link(identity: &Identity, rows: Option<&Rows>, ours: &BTreeSet<&ContactId>) -> bool {
    let Some(rows) = rows else {
        return true;
    };
    let claimed_by_us = || rows.others.keys().any(|contact| ours.contains(contact));
    match &rows.owner {
        Some((owner, stored)) if ours.contains(owner) => identity.trust > *stored,
        Some(_) => identity.trust == Trust::Claimed && !claimed_by_us(),
        None => identity.trust > Trust::Claimed || !claimed_by_us(),
    }
}

fn suggestions<'a>(
    asked: impl Iterator<Item = &'a Identity>,
    rows: &BTreeMap<IdentityKey, Rows>,
    ours: &BTreeSet<&ContactId>,
) -> Vec<Suggestion> {
    let mut best: BTreeMap<&ContactId, Suggestion> = BTreeMap::new();
    for identity in asked {
        let Some(rows) = rows.get(&identity.key()) else {
            continue;
        };
        let owner = rows.owner.iter().map(|(contact, stored)| (contact, stored));
        for (contact, stored) in owner.chain(&rows.others) {
            if ours.contains(contact) {
                continue;
            }
            let found = Suggestion::new(contact, Reason::new(identity, *stored));
            match best.get(contact) {
                Some(old) if old.confidence_percent >= found.confidence_percent => {}
                Some(_) | None => {
                    best.insert(contact, found);
                }
            }
        }
    }
    let mut likely: Vec<Suggestion> = best.into_values().collect();
    // Stable: equals stay in the order of their ids.
    likely.sort_by_key(|suggestion| Reverse(suggestion.confidence_percent));
    likely.truncate(SUGGESTIONS_MAX);
    likely
}

#[cfg(test)]
mod tests;
