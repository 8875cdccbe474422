//! Contacts between the domain and the contract.

use domain::Timestamp;
use domain::identity::{Identity, Profile, Trust};
use domain::message::Sender;
use proto::contacts::v1 as pb;
use store::DirectoryContact;

/// A time in the contract.
pub fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.0.div_euclid(1_000),
        nanos: i32::try_from(at.0.rem_euclid(1_000)).unwrap_or(0) * 1_000_000,
    }
}

/// A time from the contract.
pub fn timestamp_from(at: &prost_types::Timestamp) -> Timestamp {
    Timestamp(
        at.seconds
            .saturating_mul(1_000)
            .saturating_add(i64::from(at.nanos) / 1_000_000),
    )
}

/// How well a value is known.
pub fn trust(trust: Trust) -> pb::Trust {
    match trust {
        Trust::Claimed => pb::Trust::Claimed,
        Trust::Asserted => pb::Trust::Asserted,
        Trust::Proven => pb::Trust::Proven,
    }
}

/// An identity.
pub fn identity(identity: &Identity) -> pb::Identity {
    pb::Identity {
        kind: identity.kind.clone(),
        issuer: identity.issuer.clone(),
        value: identity.value.clone(),
        trust: trust(identity.trust).into(),
    }
}

/// An identity from the contract; what is not said is claimed.
pub fn identity_from(identity: &pb::Identity) -> Identity {
    Identity {
        kind: identity.kind.clone(),
        issuer: identity.issuer.clone(),
        value: identity.value.clone(),
        trust: match identity.trust() {
            pb::Trust::Unspecified | pb::Trust::Claimed => Trust::Claimed,
            pb::Trust::Asserted => Trust::Asserted,
            pb::Trust::Proven => Trust::Proven,
        },
    }
}

/// A profile.
pub fn profile(profile: &Profile) -> pb::Profile {
    pb::Profile {
        display_name: profile.display_name.clone(),
        locale: profile.locale.clone().unwrap_or_default(),
        avatar_url: profile.avatar_url.clone().unwrap_or_default(),
        attributes: profile.attributes.clone().into_iter().collect(),
    }
}

/// A profile from the contract.
pub fn profile_from(profile: &pb::Profile) -> Profile {
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Profile {
        display_name: profile.display_name.clone(),
        locale: filled(&profile.locale),
        avatar_url: filled(&profile.avatar_url),
        attributes: profile.attributes.clone().into_iter().collect(),
    }
}

/// What a channel tells of a sender, as a profile.
pub fn profile_of(sender: &Sender) -> Profile {
    Profile {
        display_name: sender.display_name.clone(),
        locale: sender.locale.clone(),
        avatar_url: sender.avatar_url.clone(),
        attributes: sender.attributes.clone(),
    }
}

/// A contact of the built-in directory.
pub fn contact(contact: &DirectoryContact, identities: &[Identity]) -> pb::Contact {
    pb::Contact {
        id: contact.contact_id().to_string(),
        profile: Some(profile(&contact.profile)),
        identities: identities.iter().map(identity).collect(),
        created_at: Some(timestamp(contact.created_at)),
        updated_at: Some(timestamp(contact.updated_at)),
        provisional: false,
        source: Some(pb::Source {
            line_id: contact.source_line.clone(),
            channel: contact.source_channel.clone(),
            referral: contact.referral.clone(),
        }),
        version: contact.version,
    }
}
