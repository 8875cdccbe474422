//! Which queues bound what somebody sees, so that it is not read from the store for
//! every batch of every feed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use domain::event::{Event, EventKind};
use domain::operator::Operator;
use domain::{OperatorId, QueueId};

use crate::routing::queues_of;

/// The queues of operators as of the last commit. Every change of an operator is an
/// event, so what is known once stays right.
#[derive(Default)]
pub(crate) struct Rights(RwLock<BTreeMap<OperatorId, Arc<BTreeSet<QueueId>>>>);

impl Rights {
    /// Takes up what a commit changed; to be called before anybody is told of it.
    pub(crate) fn follow(&self, events: &[Arc<Event>]) {
        let changed = events.iter().filter_map(|event| match &event.kind {
            EventKind::PresenceChanged(operator) => Some(operator),
            EventKind::ConversationOpened(_)
            | EventKind::ConversationChanged(_)
            | EventKind::ConversationLeft { .. }
            | EventKind::MessageAdded { .. }
            | EventKind::MessageChanged { .. }
            | EventKind::OfferMade { .. }
            | EventKind::OfferEnded(_)
            | EventKind::ContactChanged { .. }
            | EventKind::ContactsMerged { .. }
            | EventKind::Rated { .. }
            | EventKind::Reviewed(_)
            | EventKind::CannedRepliesChanged { .. }
            | EventKind::QueueChanged { .. }
            | EventKind::MentionsChanged { .. }
            | EventKind::ObligationChanged { .. }
            | EventKind::ObligationDue { .. } => None,
        });
        let mut changed = changed.peekable();
        if changed.peek().is_none() {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for operator in changed {
            let queues = queues_of(operator);
            // Mostly it was their load, and then those who look go on with what they have.
            if known.get(&operator.id).is_none_or(|it| **it != queues) {
                known.insert(operator.id, Arc::new(queues));
            }
        }
    }

    /// An operator's queues, if they are known.
    pub(crate) fn of(&self, operator: OperatorId) -> Option<Arc<BTreeSet<QueueId>>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&operator).cloned()
    }

    /// Remembers what was read from the store, unless a commit has told since.
    pub(crate) fn learn(&self, operator: &Operator) -> Arc<BTreeSet<QueueId>> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let queues = known.entry(operator.id);
        let queues = queues.or_insert_with(|| Arc::new(queues_of(operator)));
        Arc::clone(queues)
    }
}
