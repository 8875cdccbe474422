//! Asking the directory who a sender is, without ever waiting long for it.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use domain::ContactId;
use domain::message::Sender;
use domain::{Millis, Timestamp};
use proto::contacts::v1 as pb;

use super::{Directory, convert};
use crate::Line;
use crate::opening::KnownContact;

/// Failures in a row after which the directory is left alone for a while, so that
/// a dead one costs a message nothing.
const FAILURES_MAX: u32 = 3;
const REST: Millis = Millis::from_secs(5);

/// What the directory said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub(crate) contact: KnownContact,
    pub(crate) suggestions: Vec<(ContactId, String, f64)>,
    /// Contacts that have become part of it by this very question.
    pub(crate) merged: Vec<ContactId>,
}

/// Whether the directory is worth a call just now.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: AtomicU32,
    rests_until: AtomicI64,
}

impl Breaker {
    fn is_open(&self, now: Timestamp) -> bool {
        self.rests_until.load(Ordering::Relaxed) > now.0
    }

    fn note(&self, worked: bool, now: Timestamp) {
        if worked {
            self.failures.store(0, Ordering::Relaxed);
        } else if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= FAILURES_MAX {
            self.rests_until.store((now + REST).0, Ordering::Relaxed);
        }
    }
}

impl Directory {
    /// Reads a contact; none when there is no such one or the directory is slow.
    pub(crate) async fn get(&self, asked: pb::GetContactRequest) -> Option<pb::Contact> {
        let mut client = self.client();
        let call = tokio::time::timeout(self.timeout(), client.get_contact(asked));
        Some(call.await.ok()?.ok()?.into_inner())
    }

    /// Who a sender is; none when the directory cannot tell now. `patient` also
    /// asks a directory that failed a moment ago.
    pub(crate) async fn find(
        &self,
        line: &Line,
        sender: &Sender,
        now: Timestamp,
        patient: bool,
    ) -> Result<Found, String> {
        if !patient && self.breaker.is_open(now) {
            return Err("the contact directory failed a moment ago".to_owned());
        }
        let request = pb::ResolveContactRequest {
            identities: sender.identities.iter().map(convert::identity).collect(),
            profile: Some(convert::profile(&convert::profile_of(sender))),
            source: Some(pb::Source {
                line_id: line.id.to_string(),
                channel: line.kind.descriptor.kind.to_owned(),
                referral: sender.attributes.get("page").cloned().unwrap_or_default(),
            }),
            idempotency_key: String::new(),
            default_region: line.default_region.clone(),
        };
        let mut client = self.client();
        let call = tokio::time::timeout(self.timeout(), client.resolve_contact(request));
        let answer = match call.await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(format!("{:?}: {}", status.code(), status.message())),
            Err(_) => Err("it took too long".to_owned()),
        };
        self.breaker.note(answer.is_ok(), now);
        let answer = answer?;
        let contact = answer
            .contact
            .filter(|contact| !contact.id.is_empty())
            .ok_or_else(|| "it answered without a contact".to_owned())?;
        Ok(Found {
            contact: KnownContact {
                id: ContactId::new(contact.id),
                profile: convert::profile_from(&contact.profile.unwrap_or_default()),
                provisional: false,
            },
            merged: answer
                .merged_contact_ids
                .into_iter()
                .map(ContactId::new)
                .collect(),
            suggestions: answer
                .suggestions
                .into_iter()
                .map(|found| {
                    (
                        ContactId::new(found.contact_id),
                        found.reason,
                        found.confidence,
                    )
                })
                .collect(),
        })
    }
}
