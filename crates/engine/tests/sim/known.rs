//! What the feed has told so far, judged as it comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::conversation::{CloseReason, Conversation, Offer, OfferOutcome, OfferState, State};
use domain::event::{Cursor, Event, EventKind};
use domain::operator::{Link, Operator};
use domain::proof::Witness;
use domain::routing::RoutingRules;
use domain::{ConversationId, OfferId, OperatorId, Timestamp};

/// How many that have ended are remembered, to be opened again.
const ENDED_MAX: usize = 8;

/// What runs have seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) steps: u64,
    pub(crate) events: u64,
    pub(crate) judged: u64,
    pub(crate) not_judged: u64,
    pub(crate) opened: u64,
    pub(crate) finished: u64,
    pub(crate) abandoned: u64,
    pub(crate) diverted: u64,
    pub(crate) accepted: u64,
    pub(crate) declined: u64,
    pub(crate) timed_out: u64,
    pub(crate) rescinded: u64,
    pub(crate) revoked: u64,
    pub(crate) returned: u64,
    pub(crate) parked: u64,
    pub(crate) deferred: u64,
    pub(crate) refused: u64,
    pub(crate) letters: u64,
    pub(crate) answers: u64,
    pub(crate) crashes: u64,
    pub(crate) stops: u64,
}

impl Figures {
    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.all().into_iter().zip(other.clone().all()) {
            *mine += *theirs;
        }
    }

    fn all(&mut self) -> [&mut u64; 21] {
        [
            &mut self.steps,
            &mut self.events,
            &mut self.judged,
            &mut self.not_judged,
            &mut self.opened,
            &mut self.finished,
            &mut self.abandoned,
            &mut self.diverted,
            &mut self.accepted,
            &mut self.declined,
            &mut self.timed_out,
            &mut self.rescinded,
            &mut self.revoked,
            &mut self.returned,
            &mut self.parked,
            &mut self.deferred,
            &mut self.refused,
            &mut self.letters,
            &mut self.answers,
            &mut self.crashes,
            &mut self.stops,
        ]
    }
}

#[derive(Default)]
pub(crate) struct Known {
    pub(crate) cursor: Cursor,
    /// Everything that was told, for a comparison.
    pub(crate) log: Vec<Arc<Event>>,
    pub(crate) open: BTreeMap<ConversationId, Arc<Conversation>>,
    pub(crate) ended: Vec<ConversationId>,
    /// The pending ones.
    pub(crate) offers: BTreeMap<OfferId, Arc<Offer>>,
    pub(crate) operators: BTreeMap<OperatorId, Arc<Operator>>,
    /// Since when somebody cannot be reached.
    pub(crate) down: BTreeMap<OperatorId, Timestamp>,
    pub(crate) witness: Witness,
    /// What was given another place by somebody.
    pub(crate) moved: BTreeSet<ConversationId>,
    pub(crate) figures: Figures,
    /// Tells every event.
    pub(crate) tells: bool,
}

impl Known {
    /// Takes note of an event, and answers what is wrong with it.
    pub(crate) fn see(&mut self, event: &Arc<Event>, rules: &RoutingRules) -> Vec<String> {
        let mut found = Vec::new();
        if event.cursor.0 != self.cursor.0 + 1 {
            found.push(format!("feed: {:?} after {:?}", event.cursor, self.cursor));
        }
        self.cursor = event.cursor;
        self.figures.events += 1;
        self.log.push(Arc::clone(event));
        if self.tells {
            eprintln!("  {:?} {} {:?}", event.cursor, event.at, event.kind);
        }
        for broken in self.witness.see(event, rules) {
            found.push(format!("witness: {broken:?}"));
        }
        match &event.kind {
            EventKind::ConversationOpened(conversation) => {
                self.figures.opened += 1;
                self.put(conversation, &mut found);
            }
            EventKind::ConversationChanged(conversation)
            | EventKind::ConversationLeft { conversation, .. }
            | EventKind::OfferMade { conversation, .. } => self.put(conversation, &mut found),
            EventKind::MessageAdded { .. }
            | EventKind::MessageChanged { .. }
            | EventKind::OfferEnded(_)
            | EventKind::PresenceChanged(_)
            | EventKind::ContactChanged { .. }
            | EventKind::ContactsMerged { .. }
            | EventKind::Rated { .. }
            | EventKind::Reviewed(_)
            | EventKind::CannedRepliesChanged { .. }
            | EventKind::MentionsChanged { .. }
            | EventKind::QueueChanged { .. }
            | EventKind::ObligationChanged { .. }
            | EventKind::ObligationDue { .. } => {}
        }
        if let EventKind::OfferMade { offer, .. } = &event.kind {
            self.offers.insert(offer.id, Arc::clone(offer));
        }
        if let EventKind::OfferEnded(offer) = &event.kind {
            self.ended(offer, &mut found);
        }
        if let EventKind::PresenceChanged(operator) = &event.kind {
            if operator.link == Link::Down {
                self.down.entry(operator.id).or_insert(event.at);
            } else {
                self.down.remove(&operator.id);
            }
            self.operators.insert(operator.id, Arc::clone(operator));
        }
        found
    }

    /// What somebody waits with.
    pub(crate) fn waits(&self, client: &str) -> Option<ConversationId> {
        let mut open = self.open.values();
        let theirs = open.find(|it| it.waits() && it.client.display_name == client);
        theirs.map(|it| it.id)
    }

    fn put(&mut self, after: &Arc<Conversation>, found: &mut Vec<String>) {
        let id = after.id;
        let before = self.open.remove(&id);
        if let Some(before) = &before {
            self.count(before, after);
            let returns = !before.returned && after.returned && after.medium.is_live();
            let stays = is_asked(before) && after.waits();
            if (returns || stays) && before.place != after.place && !self.moved.contains(&id) {
                found.push(format!("I5: {id} lost its place: {before:?} to {after:?}"));
            }
        }
        if after.is_open() {
            self.open.insert(id, Arc::clone(after));
        } else if before.is_some() {
            self.ended.push(id);
            if self.ended.len() > ENDED_MAX {
                self.ended.remove(0);
            }
        }
    }

    fn count(&mut self, before: &Conversation, after: &Conversation) {
        let figures = &mut self.figures;
        if std::mem::discriminant(&before.state) == std::mem::discriminant(&after.state) {
            return;
        }
        *match &after.state {
            State::Parked { .. } => &mut figures.parked,
            State::Deferred { .. } => &mut figures.deferred,
            State::Closed { reason, .. } => match reason {
                CloseReason::Finished | CloseReason::Spam => &mut figures.finished,
                CloseReason::Abandoned => &mut figures.abandoned,
                CloseReason::Diverted => &mut figures.diverted,
            },
            State::Queued if after.returned => &mut figures.returned,
            State::Queued
            | State::Offered { .. }
            | State::Active { .. }
            | State::WrapUp { .. }
            | State::Abandoned { .. } => return,
        } += 1;
    }

    fn ended(&mut self, offer: &Offer, found: &mut Vec<String>) {
        let OfferState::Ended { outcome, .. } = &offer.state else {
            found.push(format!("{} ended and is pending", offer.id));
            return;
        };
        // What is given at once was never pending.
        let at_once = offer.made_at == offer.expires_at;
        if self.offers.remove(&offer.id).is_none() && !at_once {
            found.push(format!("I6: {} ended twice", offer.id));
        }
        *match outcome {
            OfferOutcome::Accepted => &mut self.figures.accepted,
            OfferOutcome::Declined { .. } => &mut self.figures.declined,
            OfferOutcome::TimedOut => &mut self.figures.timed_out,
            OfferOutcome::Rescinded { .. } => &mut self.figures.rescinded,
            OfferOutcome::Revoked { .. } => &mut self.figures.revoked,
        } += 1;
    }
}

fn is_asked(conversation: &Conversation) -> bool {
    matches!(conversation.state, State::Queued | State::Offered { .. })
}
