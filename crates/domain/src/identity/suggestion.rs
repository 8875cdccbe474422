use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Identity, Trust};
use crate::ContactId;

/// Another contact that may be the same person: for a person to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The other contact.
    pub contact: ContactId,
    /// What the two have in common.
    pub reason: Reason,
    /// How likely it is, from 0 to 100.
    pub confidence_percent: u8,
}

/// What two contacts have in common. Its text is for a person to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The identity, as well known as the request knows it.
    pub identity: Identity,
    /// How well the other contact's is known.
    pub stored: Trust,
}

impl Reason {
    pub(super) fn new(identity: &Identity, stored: Trust) -> Self {
        Self {
            identity: identity.clone(),
            stored,
        }
    }

    /// Two claims say little, because anybody types what they like.
    fn confidence_percent(&self) -> u8 {
        let (request, stored) = (self.identity.trust, self.stored);
        match (request.min(stored), request.max(stored)) {
            (Trust::Claimed, Trust::Claimed) => 20,
            (Trust::Claimed, Trust::Asserted) => 40,
            (Trust::Claimed, Trust::Proven) => 50,
            (Trust::Asserted, Trust::Asserted | Trust::Claimed) => 70,
            (Trust::Asserted, Trust::Proven) => 80,
            (Trust::Proven, Trust::Proven | Trust::Asserted | Trust::Claimed) => 95,
        }
    }
}

impl Suggestion {
    pub(super) fn new(contact: &ContactId, reason: Reason) -> Self {
        Self {
            contact: contact.clone(),
            confidence_percent: reason.confidence_percent(),
            reason,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity { kind, value, .. } = &self.identity;
        let here = words(self.identity.trust);
        let there = words(self.stored);
        write!(
            f,
            "The same {kind} {value}: {here} here, {there} of the other contact"
        )
    }
}

const fn words(trust: Trust) -> &'static str {
    match trust {
        Trust::Claimed => "only claimed",
        Trust::Asserted => "vouched for",
        Trust::Proven => "verified",
    }
}
