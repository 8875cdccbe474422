//! Whom a site knows a person as.

use std::collections::{BTreeMap, BTreeSet};

use super::Known;
use crate::ContactId;
use crate::identity::{Identity, Trust};

/// The accounts that the request and the contacts it reaches have, by issuer.
pub(super) struct Accounts<'a> {
    asked: BTreeMap<&'a str, &'a Identity>,
    of: BTreeMap<&'a ContactId, BTreeMap<&'a str, BTreeSet<&'a str>>>,
}

impl<'a> Accounts<'a> {
    pub(super) fn of(asked: &'a [Identity], known: &'a [Known]) -> Self {
        let mut of: BTreeMap<_, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
        for row in known.iter().filter(|row| is_account(&row.identity)) {
            let Identity { issuer, value, .. } = &row.identity;
            let issuers = of.entry(&row.contact).or_default();
            issuers
                .entry(issuer.as_str())
                .or_default()
                .insert(value.as_str());
        }
        let asked = asked.iter().filter(|identity| is_account(identity));
        let asked = asked.map(|identity| (identity.issuer.as_str(), identity));
        Self {
            asked: asked.collect(),
            of,
        }
    }

    /// Whether a contact is somebody else than the request says, so well known.
    pub(super) fn keep_apart(&self, contact: &ContactId, known: Trust) -> bool {
        let asked = self.asked.values().filter(|asked| asked.trust >= known);
        asked.into_iter().any(|asked| {
            let mut own = self.issuers_of(contact);
            own.any(|(issuer, values)| {
                issuer == asked.issuer && !values.contains(asked.value.as_str())
            })
        })
    }

    /// Whether a contact is somebody else than one of these.
    pub(super) fn differ(&self, contact: &ContactId, ours: &[&ContactId]) -> bool {
        let issuers = || self.issuers_of(contact).map(|(issuer, _)| issuer);
        let has = |other: &&ContactId, issuer| self.issuers_of(other).any(|(own, _)| own == issuer);
        issuers().any(|issuer| ours.iter().any(|other| has(other, issuer)))
    }

    fn issuers_of(
        &self,
        contact: &ContactId,
    ) -> impl Iterator<Item = (&'a str, &BTreeSet<&'a str>)> {
        let issuers = self.of.get(contact).into_iter().flatten();
        issuers.map(|(issuer, values)| (*issuer, values))
    }
}

pub(super) fn is_account(identity: &Identity) -> bool {
    identity.kind == "user" && identity.trust > Trust::Claimed
}
