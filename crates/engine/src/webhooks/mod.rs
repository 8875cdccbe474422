//! Outgoing webhooks: other programs are told what happens, by the rules of Standard
//! Webhooks. The event log is the outbox behind them, and each has a cursor in the
//! store: nothing is lost by an end of the gateway, and what may have been taken
//! already is told again under the same id.
//!
//! Each has a task of its own, which delivers one event after the other. A receiver
//! that is slow or away holds nobody up but itself.

mod attend;
mod delivery;
mod runner;
mod schedule;
mod sign;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::event::{Cursor, Event, EventKind};
use domain::{Millis, QueueId, Timestamp};
use store::{StoreError, Tx, WebhookDoc, WebhookRow, WebhookState};

pub use attend::{ResumeFrom, Tested, WebhookStatus};
pub use channels::egress::{Roots, Target};
pub(crate) use runner::Runners;
pub use schedule::Dice;
pub use sign::Secret;

use crate::Engine;
use channels::egress::{Client, Setup};

/// Every kind of event that is told, by its name in the contract.
pub const EVENTS: [&str; 14] = [
    "contact_changed",
    "contacts_merged",
    "conversation_changed",
    "conversation_opened",
    "message_added",
    "message_changed",
    "obligation_changed",
    "obligation_due",
    "offer_ended",
    "offer_made",
    "presence_changed",
    "queue_changed",
    "rated",
    "scored",
];

/// Writes an event as JSON, as somebody sees it who sees everything; none for what is
/// not told.
pub type Render = Arc<dyn Fn(&Engine, &Event) -> Option<Vec<u8>> + Send + Sync>;

/// One outgoing webhook, as configured.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// Where it goes.
    pub target: Target,
    /// What it is signed with: one, or two while the secret is changed.
    pub secrets: Vec<Secret>,
    /// The kinds of event that it is told of.
    pub events: BTreeSet<&'static str>,
    /// The queues whose events it is told of; every queue's when empty. What belongs to
    /// no queue is told all the same.
    pub queues: BTreeSet<QueueId>,
    /// How long an answer may take.
    pub timeout: Millis,
    /// Whom its certificate may be from.
    pub roots: Roots,
}

impl Webhook {
    /// What calls it.
    fn client(&self) -> Result<Client, String> {
        Client::new(&Setup {
            target: self.target.clone(),
            roots: self.roots.clone(),
            proxy: None,
            timeout: self.timeout,
        })
    }

    /// Whether it is told of an event.
    fn wants(&self, event: &EventKind) -> bool {
        let is_chosen = name_of(event).is_some_and(|name| self.events.contains(name));
        let is_near = self.queues.is_empty()
            || queue_of(event).is_none_or(|queue| self.queues.contains(queue));
        is_chosen && is_near
    }
}

/// The name of an event in the contract; none for what only tells somebody that they
/// lost sight of something.
pub const fn name_of(event: &EventKind) -> Option<&'static str> {
    match event {
        EventKind::ConversationOpened(_) => Some("conversation_opened"),
        EventKind::ConversationChanged(_) => Some("conversation_changed"),
        EventKind::MessageAdded { .. } => Some("message_added"),
        EventKind::MessageChanged { .. } => Some("message_changed"),
        EventKind::OfferMade { .. } => Some("offer_made"),
        EventKind::OfferEnded(_) => Some("offer_ended"),
        EventKind::PresenceChanged(_) => Some("presence_changed"),
        EventKind::QueueChanged { .. } => Some("queue_changed"),
        EventKind::ContactChanged { .. } => Some("contact_changed"),
        EventKind::ContactsMerged { .. } => Some("contacts_merged"),
        EventKind::Rated { .. } => Some("rated"),
        EventKind::Reviewed(_) => Some("scored"),
        // For the pages that are open, and for nobody else.
        EventKind::ConversationLeft { .. }
        | EventKind::CannedRepliesChanged { .. }
        | EventKind::MentionsChanged { .. } => None,
        EventKind::ObligationChanged { .. } => Some("obligation_changed"),
        EventKind::ObligationDue { .. } => Some("obligation_due"),
    }
}

fn queue_of(event: &EventKind) -> Option<&QueueId> {
    match event {
        EventKind::ConversationOpened(conversation)
        | EventKind::ConversationChanged(conversation)
        | EventKind::ConversationLeft { conversation, .. }
        | EventKind::OfferMade { conversation, .. } => Some(&conversation.queue),
        EventKind::MessageAdded { audience, .. } | EventKind::MessageChanged { audience, .. } => {
            Some(&audience.queue)
        }
        EventKind::OfferEnded(offer) => Some(&offer.queue),
        EventKind::Rated { audience, .. } => Some(&audience.queue),
        EventKind::Reviewed(review) => Some(&review.queue),
        EventKind::ObligationChanged { obligation, .. }
        | EventKind::ObligationDue { obligation, .. } => Some(&obligation.queue),
        EventKind::QueueChanged { queue } => Some(queue),
        EventKind::PresenceChanged(_)
        | EventKind::ContactChanged { .. }
        | EventKind::ContactsMerged { .. }
        | EventKind::CannedRepliesChanged { .. }
        | EventKind::MentionsChanged { .. } => None,
    }
}

/// The id of an event, the same at every try. Its time stands in it because a store
/// that was restored gives the numbers that came after the backup to other events.
fn id_of(event: &Event) -> String {
    format!("evt_{}_{}", event.cursor.0, event.at.0)
}

/// Gives each webhook that is new its place in the log: from now on. One whose address
/// has changed is tried again if it was given up.
pub(crate) fn enrol(tx: &mut Tx<'_>, webhooks: &[Webhook]) -> Result<(), StoreError> {
    for webhook in webhooks {
        let url = webhook.target.without_query();
        let Some(mut row) = tx.webhook(&webhook.id)? else {
            let row = WebhookRow {
                id: webhook.id.clone(),
                cursor: tx.last_cursor()?,
                state: WebhookState::Delivers,
                next_at: Timestamp(0),
                attempts: 0,
                version: 0,
                doc: WebhookDoc {
                    url,
                    ..WebhookDoc::default()
                },
            };
            tx.change_webhook(&row)?;
            continue;
        };
        if row.doc.url == url {
            continue;
        }
        row.doc.url = url;
        if row.state != WebhookState::Delivers {
            resumed(&mut row);
            tx.audit(None, "webhook.resume", &row.id, "its address has changed")?;
        }
        tx.change_webhook(&row)?;
    }
    Ok(())
}

/// As if nothing had failed.
fn resumed(row: &mut WebhookRow) {
    row.state = WebhookState::Delivers;
    row.attempts = 0;
    row.next_at = Timestamp(0);
    row.doc.failing_since = None;
}

/// How many events of a log from `oldest` to `newest` can no longer be told to whoever
/// stands at a cursor, and where they go on.
fn gap(cursor: Cursor, oldest: Cursor, newest: Cursor) -> Option<(u64, Cursor)> {
    if cursor.0 + 1 < oldest.0 {
        let lost = u64::try_from(oldest.0 - 1 - cursor.0).unwrap_or(0);
        return Some((lost, Cursor(oldest.0 - 1)));
    }
    // An older state of the store was put back.
    (cursor > newest).then_some((0, newest))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::event::Audience;
    use domain::{ContactId, OperatorId};

    use super::*;

    fn left() -> EventKind {
        EventKind::ContactsMerged {
            merged: ContactId::from("a"),
            into: ContactId::from("b"),
        }
    }

    #[test]
    fn the_log_that_was_forgotten_is_counted() {
        for (cursor, oldest, newest, expect) in [
            (5, 1, 9, None),
            (5, 6, 9, None),
            (5, 7, 9, Some((1, 6))),
            (0, 1, 0, None),
            (0, 100, 200, Some((99, 99))),
            (9, 1, 9, None),
            (10, 1, 9, Some((0, 9))),
        ] {
            let found = gap(Cursor(cursor), Cursor(oldest), Cursor(newest));
            let found = found.map(|(lost, goes_on)| (lost, goes_on.0));
            assert_eq!(found, expect, "{cursor} of {oldest} to {newest}");
        }
    }

    #[test]
    fn names_are_those_of_the_contract() {
        let contract = prost_reflect::DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
        let event = contract
            .get_message_by_name("switchboard.inbox.v1.Event")
            .unwrap();
        for name in EVENTS {
            assert!(event.get_field_by_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn filters_leave_out_what_was_not_asked_for() {
        let webhook = |events: &[&'static str], queues: &[&str]| Webhook {
            id: "crm".to_owned(),
            target: Target::parse("https://crm.example.com/").unwrap(),
            secrets: Vec::new(),
            events: events.iter().copied().collect::<BTreeSet<_>>(),
            queues: queues.iter().map(|queue| (*queue).into()).collect(),
            timeout: Millis(1),
            roots: Roots::public(),
        };
        assert!(webhook(&EVENTS, &[]).wants(&left()));
        assert!(webhook(&EVENTS, &["main"]).wants(&left()), "of no queue");
        assert!(!webhook(&["message_added"], &[]).wants(&left()));
        // What belongs to a queue, without making a message for it.
        let audience = Audience {
            queue: "main".into(),
            operators: BTreeSet::from([OperatorId::new(1)]),
        };
        let queues = |queues: &[&str]| webhook(&EVENTS, queues).queues.contains(&audience.queue);
        assert!(queues(&["main"]) && !queues(&["other"]));
    }
}
