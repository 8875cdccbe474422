use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Overflow, Skills};
use crate::hours::Schedule;
use crate::message::Medium;
use crate::obligation;
use crate::operator::CapacityRules;
use crate::text::Localized;
use crate::{LineId, Millis, QueueId};

/// Who of the free operators is served first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The least used share of capacity, then the longest idle.
    #[default]
    LongestIdle,
    /// The fewest open conversations, then the longest idle.
    LeastBusy,
    /// Whoever was asked the longest ago.
    RoundRobin,
    /// Everybody who is free at once; the first to accept has it.
    RingAll,
    /// The top of the queue's list.
    StrictList,
    /// Nobody: operators take what they choose.
    Manual,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Self; 6] = [
        Self::LongestIdle,
        Self::LeastBusy,
        Self::RoundRobin,
        Self::RingAll,
        Self::StrictList,
        Self::Manual,
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The name in configuration and in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LongestIdle => "longest_idle",
            Self::LeastBusy => "least_busy",
            Self::RoundRobin => "round_robin",
            Self::RingAll => "ring_all",
            Self::StrictList => "strict_list",
            Self::Manual => "manual",
        }
    }
}

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

/// Skills that are needed no more after some time. Relaxing only ever widens the
/// circle of those who may answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relaxation {
    /// How long a conversation has waited then.
    pub after: Millis,
    /// Which are dropped.
    pub drop: Dropped,
}

/// Which skills are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dropped {
    /// All of them.
    All,
    /// These.
    These(Skills),
}

/// How an operator finishes up after a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrapUp {
    /// Not at all.
    #[default]
    Off,
    /// For so long, or until they say that they are done.
    Timed(Millis),
    /// For so long, no less.
    Fixed(Millis),
    /// Until they say that they are done, at most for so long.
    Manual(Millis),
}

/// One queue's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRules {
    /// The queue.
    pub id: QueueId,
    /// Who is served first.
    pub strategy: Strategy,
    /// Asked or given.
    pub assignment: Assignment,
    /// How long an offer stands.
    pub offer_timeout: BTreeMap<Medium, Millis>,
    /// The pause before everybody is asked again.
    pub round_pause: Millis,
    /// How long those who are busy hold up the next round.
    pub round_wait: Millis,
    /// How long a known client is held for the operator of before; zero is not at all.
    pub sticky_wait: Millis,
    /// After so long a conversation goes by its age alone, whatever its band: no band
    /// starves.
    pub ageing: Millis,
    /// What every conversation of the queue needs.
    pub skills: Skills,
    /// What is needed no more after a time, the shortest first.
    pub relaxations: Vec<Relaxation>,
    /// What happens after a conversation.
    pub wrap_up: WrapUp,
    /// An operator gives a verdict before a conversation ends.
    pub disposition_needed: bool,
    /// The verdicts to choose from; any when there are none.
    pub dispositions: Vec<String>,
    /// A client who is silent for so long after our answer is put aside.
    pub park_after: BTreeMap<Medium, Millis>,
    /// A client of a live medium who has been gone for so long has given up; zero is
    /// never.
    pub abandon_after: Millis,
    /// For so long a client who gave up gets the old place back.
    pub resume_within: Millis,
    /// What happens to those for whom nobody is found.
    pub overflows: Vec<Overflow>,
    /// When somebody is there; always, if nothing is said.
    pub hours: Option<Arc<Schedule>>,
    /// What a client is told who comes while it is closed.
    pub closed_reply: Option<Arc<Localized>>,
    /// What a client is told who is led to leave a message by voice.
    pub voicemail_reply: Option<Arc<Localized>>,
    /// What a client is told who is led to leave a request in writing.
    pub form_reply: Option<Arc<Localized>>,
    /// What is promised to clients whom nobody answered, and when somebody is told of a
    /// promise.
    pub promises: obligation::Rules,
    /// What a client is told who is promised a call.
    pub callback_reply: Option<Arc<Localized>>,
}

/// What a line's conversations bring along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineRules {
    /// The band of their places; lower is served first.
    pub band: i32,
    /// So much older than they are they count as.
    pub age_credit: Millis,
    /// What they need besides what their queue says.
    pub skills: Skills,
    /// The line's own hours, in place of its queue's.
    pub hours: Option<Arc<Schedule>>,
    /// Clients can be written to.
    pub replies: bool,
}

/// The rules of every queue and line, and those over all queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingRules {
    /// By queue.
    pub queues: BTreeMap<QueueId, QueueRules>,
    /// By line.
    pub lines: BTreeMap<LineId, LineRules>,
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

    /// What a conversation of this line needs in this queue.
    pub fn skills(&self, line: &LineId, queue: &QueueId) -> Skills {
        let of_queue = self.queues.get(queue).map(|rules| &rules.skills);
        let of_line = self.lines.get(line).map(|rules| &rules.skills);
        let of_queue = of_queue.cloned().unwrap_or_default();
        of_line.map_or(of_queue.clone(), |skills| of_queue.and(skills))
    }

    /// When somebody is there for a conversation of this line in this queue; always, if
    /// nothing is said.
    pub fn hours(&self, line: &LineId, queue: &QueueId) -> Option<&Schedule> {
        let of_line = self
            .lines
            .get(line)
            .and_then(|rules| rules.hours.as_deref());
        of_line.or_else(|| self.queues.get(queue)?.hours.as_deref())
    }
}

impl QueueRules {
    /// The rules of a queue about which nothing is configured.
    pub fn new(id: QueueId) -> Self {
        Self {
            id,
            strategy: Strategy::LongestIdle,
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
            round_wait: Millis::from_secs(60),
            sticky_wait: Millis::from_secs(60),
            ageing: Millis::from_secs(900),
            skills: Skills::default(),
            relaxations: Vec::new(),
            wrap_up: WrapUp::Off,
            disposition_needed: false,
            dispositions: Vec::new(),
            park_after: BTreeMap::from([
                (Medium::Messenger, Millis::from_secs(1_800)),
                (Medium::Sms, Millis::from_secs(1_800)),
                (Medium::Email, Millis::from_secs(14_400)),
                (Medium::Form, Millis::from_secs(14_400)),
            ]),
            abandon_after: Millis::from_secs(60),
            resume_within: Millis::from_secs(600),
            overflows: Vec::new(),
            hours: None,
            closed_reply: None,
            voicemail_reply: None,
            form_reply: None,
            callback_reply: None,
            promises: obligation::Rules::default(),
        }
    }

    /// How long an offer of this medium stands.
    pub fn offer_timeout_of(&self, medium: Medium) -> Millis {
        self.offer_timeout
            .get(&medium)
            .copied()
            .unwrap_or(Millis::from_secs(60))
    }

    /// How long a conversation that needs `needed` must have waited for somebody who
    /// has `had`; none when it never is for them.
    pub fn age_needed(&self, needed: &Skills, had: &Skills) -> Option<Millis> {
        if had.cover(needed) {
            return Some(Millis(0));
        }
        let mut left = needed.clone();
        self.relaxations.iter().find_map(|relaxation| {
            left = match &relaxation.drop {
                Dropped::All => Skills::default(),
                Dropped::These(dropped) => left.without(dropped),
            };
            had.cover(&left).then_some(relaxation.after)
        })
    }

    /// What is still needed of somebody who answers a conversation of this age.
    pub fn skills_at(&self, needed: &Skills, age: Millis) -> Skills {
        let past = self.relaxations.iter();
        past.take_while(|relaxation| relaxation.after <= age).fold(
            needed.clone(),
            |left, relaxation| match &relaxation.drop {
                Dropped::All => Skills::default(),
                Dropped::These(dropped) => left.without(dropped),
            },
        )
    }
}
