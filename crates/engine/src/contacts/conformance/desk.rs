//! From where the cases ask: a client, and identities that nobody has had.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proto::contacts::v1 as pb;
use proto::contacts::v1::contact_directory_client::ContactDirectoryClient;
use sha2::{Digest as _, Sha256};

use super::{Miss, wrong};
use crate::contacts::Transport;
use crate::people::random_bytes;

/// The scope of this run's ids, and what makes them new.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) client: ContactDirectoryClient<Transport>,
    run: String,
    count: Arc<AtomicU32>,
}

/// A resolved request, with the contact taken out.
pub(super) struct Resolved {
    pub(super) contact: pb::Contact,
    pub(super) answer: pb::ResolveContactResponse,
}

impl Desk {
    pub(super) fn new(transport: Transport) -> Self {
        let [a, b, c, d, ..] = random_bytes();
        Self {
            client: ContactDirectoryClient::new(transport),
            run: format!("{:08x}", u32::from_be_bytes([a, b, c, d])),
            count: Arc::default(),
        }
    }

    /// A word that only this call has.
    pub(super) fn word(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("conformance{}x{count}", self.run)
    }

    /// A proven id of a platform.
    pub(super) fn id(&self, kind: &str) -> pb::Identity {
        let issuer = format!("conformance-{}", self.run);
        identity(kind, &issuer, &self.word())
    }

    pub(super) fn email(&self) -> pb::Identity {
        identity("email", "", &format!("{}@conformance.example", self.word()))
    }

    /// The last ten digits of a Russian mobile number.
    pub(super) fn digits(&self) -> String {
        let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(self.word().as_bytes()).into();
        let number = u32::from_be_bytes([a, b, c, d]) % 10_000_000;
        format!("916{number:07}")
    }

    pub(super) fn phone(&self) -> pb::Identity {
        identity("phone", "", &format!("+7{}", self.digits()))
    }

    /// What [`Self::resolve`] sends.
    pub(super) fn request(identities: &[pb::Identity]) -> pb::ResolveContactRequest {
        pb::ResolveContactRequest {
            identities: identities.to_vec(),
            source: Some(pb::Source {
                line_id: "conformance".to_owned(),
                channel: "conformance".to_owned(),
                referral: String::new(),
            }),
            default_region: "RU".to_owned(),
            ..pb::ResolveContactRequest::default()
        }
    }

    pub(super) async fn ask(&self, request: pb::ResolveContactRequest) -> Result<Resolved, Miss> {
        let answer = self.client.clone().resolve_contact(request).await?;
        let mut answer = answer.into_inner();
        match answer.contact.take() {
            Some(contact) if !contact.id.is_empty() => Ok(Resolved { contact, answer }),
            Some(_) | None => wrong("an answer without a contact"),
        }
    }

    pub(super) async fn resolve(&self, identities: &[pb::Identity]) -> Result<Resolved, Miss> {
        self.ask(Self::request(identities)).await
    }

    /// The id of whom identities belong to.
    pub(super) async fn who(&self, identities: &[pb::Identity]) -> Result<String, Miss> {
        Ok(self.resolve(identities).await?.contact.id)
    }

    pub(super) async fn get(&self, contact_id: &str) -> Result<pb::Contact, Miss> {
        let request = pb::GetContactRequest {
            contact_id: contact_id.to_owned(),
        };
        Ok(self.client.clone().get_contact(request).await?.into_inner())
    }
}

fn identity(kind: &str, issuer: &str, value: &str) -> pb::Identity {
    pb::Identity {
        kind: kind.to_owned(),
        issuer: issuer.to_owned(),
        value: value.to_owned(),
        trust: pb::Trust::Proven.into(),
    }
}

/// The same identity, so well known.
pub(super) fn known(identity: &pb::Identity, trust: pb::Trust) -> pb::Identity {
    pb::Identity {
        trust: trust.into(),
        ..identity.clone()
    }
}

/// The same identity, written otherwise.
pub(super) fn written(identity: &pb::Identity, value: &str) -> pb::Identity {
    pb::Identity {
        value: value.to_owned(),
        ..identity.clone()
    }
}

/// That two ids are one.
pub(super) fn same(what: &str, one: &str, other: &str) -> Result<(), Miss> {
    if one == other {
        Ok(())
    } else {
        wrong(format!("{what}: contacts {one} and {other}"))
    }
}

/// That two ids are two.
pub(super) fn apart(what: &str, one: &str, other: &str) -> Result<(), Miss> {
    if one == other {
        wrong(format!("{what}: one contact, {one}"))
    } else {
        Ok(())
    }
}
