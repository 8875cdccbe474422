//! Asking the directory who a sender is, without ever waiting long for it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::identity::{Identity, Trust, normalize};
use domain::message::Sender;
use domain::{ContactId, LineId, Millis, Timestamp};
use proto::contacts::v1 as pb;
use sha2::{Digest as _, Sha256};
use store::ThreadRow;

use super::{Directory, convert};
use crate::Line;
use crate::opening::KnownContact;

/// Failures in a row after which the directory is left alone for a while, so that
/// a dead one costs a message nothing.
const FAILURES_MAX: u32 = 3;
const REST: Millis = Millis::from_secs(5);

/// Whom the directory is asked about.
pub(crate) struct Asked<'a> {
    pub(crate) line_id: &'a LineId,
    /// The line; none when it is not configured any more.
    pub(crate) line: Option<&'a Line>,
    /// Who wrote, with at least one identity.
    pub(crate) sender: Cow<'a, Sender>,
}

/// A sender as the directory can be asked about them. Where the channel does not say
/// who writes, it is whoever the thread is with, or else somebody who is known by
/// this thread alone: so nobody is asked about for ever.
pub(crate) fn named<'a>(
    sender: &'a Sender,
    line: &LineId,
    thread_key: &str,
    thread: Option<&'a ThreadRow>,
) -> Cow<'a, Sender> {
    if !sender.identities.is_empty() {
        return Cow::Borrowed(sender);
    }
    match thread {
        Some(thread) if !thread.sender.identities.is_empty() => Cow::Borrowed(&thread.sender),
        Some(_) | None => Cow::Owned(Sender {
            identities: vec![by_thread(line, thread_key)],
            ..sender.clone()
        }),
    }
}

/// The identity of whom nothing else identifies.
fn by_thread(line: &LineId, thread_key: &str) -> Identity {
    let identity = |value: String| Identity {
        kind: "thread".to_owned(),
        issuer: line.to_string(),
        value,
        trust: Trust::Proven,
    };
    // What cannot stand in an identity still tells one thread from another.
    normalize(&identity(thread_key.to_owned()), "")
        .unwrap_or_else(|_| identity(URL_SAFE_NO_PAD.encode(Sha256::digest(thread_key))))
}

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
        asked: Asked<'_>,
        now: Timestamp,
        patient: bool,
    ) -> Result<Found, String> {
        if !patient && self.breaker.is_open(now) {
            return Err("the contact directory failed a moment ago".to_owned());
        }
        let (line, sender) = (asked.line, &asked.sender);
        let request = pb::ResolveContactRequest {
            identities: sender.identities.iter().map(convert::identity).collect(),
            profile: Some(convert::profile(&convert::profile_of(sender))),
            source: Some(pb::Source {
                line_id: asked.line_id.to_string(),
                channel: line.map_or_else(String::new, |line| line.kind.descriptor.kind.to_owned()),
                referral: sender.attributes.get("page").cloned().unwrap_or_default(),
            }),
            idempotency_key: String::new(),
            // The identities of a line that is gone have their normal forms already.
            default_region: line.map_or_else(String::new, |line| line.default_region.clone()),
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
