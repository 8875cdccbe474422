use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hours::Schedule;
use crate::message::Medium;
use crate::operator::CapacityRules;
use crate::text::Localized;
use crate::{Millis, QueueId};

/// What happens when an operator is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// They are asked, and have some time to accept.
    #[default]
    Offer,
    /// It is theirs at once.
    Direct,
}

/// One queue's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRules {
    /// The queue.
    pub id: QueueId,
    /// Asked or given.
    pub assignment: Assignment,
    /// How long an offer stands.
    pub offer_timeout: BTreeMap<Medium, Millis>,
    /// The pause before everybody is asked again.
    pub round_pause: Millis,
    /// When somebody is there; always, if nothing is said.
    pub hours: Option<Arc<Schedule>>,
    /// What a client is told who comes while it is closed.
    pub closed_reply: Option<Arc<Localized>>,
}

/// The rules of every queue, and those over all queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingRules {
    /// By queue.
    pub queues: BTreeMap<QueueId, QueueRules>,
    /// Over all queues.
    pub capacity: CapacityRules,
}

impl RoutingRules {
    /// The rules of a queue, also of one about which nothing is configured.
    pub fn of(&self, queue: &QueueId) -> Cow<'_, QueueRules> {
        self.queues
            .get(queue)
            .map_or_else(|| Cow::Owned(QueueRules::new(queue.clone())), Cow::Borrowed)
    }
}

impl QueueRules {
    /// The rules of a queue about which nothing is configured.
    pub fn new(id: QueueId) -> Self {
        Self {
            id,
            assignment: Assignment::Offer,
            offer_timeout: BTreeMap::from([
                (Medium::Voice, Millis::from_secs(20)),
                (Medium::Chat, Millis::from_secs(30)),
                (Medium::Messenger, Millis::from_secs(60)),
                (Medium::Sms, Millis::from_secs(60)),
                (Medium::Email, Millis::from_secs(300)),
                (Medium::Form, Millis::from_secs(300)),
            ]),
            round_pause: Millis::from_secs(5),
            hours: None,
            closed_reply: None,
        }
    }

    /// How long an offer of this medium stands.
    pub fn offer_timeout_of(&self, medium: Medium) -> Millis {
        self.offer_timeout
            .get(&medium)
            .copied()
            .unwrap_or(Millis::from_secs(60))
    }
}
