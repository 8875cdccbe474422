//! What is kept of a period.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Draws;
use crate::conversation::{CloseReason, Conversation, Offer};
use crate::message::Medium;
use crate::metrics::Replay;
use crate::operator::{self, Operator};
use crate::routing::{Place, Skills};
use crate::{ConversationId, Millis, OperatorId, QueueId, Timestamp};

/// A period: who came when, who was at work, and what became of it.
#[derive(Clone, Debug)]
pub struct Recording {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// What was open and who was there at the beginning.
    pub(super) open: Vec<Arc<Conversation>>,
    pub(super) people: Vec<Arc<Operator>>,
    /// Who was being asked then, and how and when they answered.
    pub(super) asked: Vec<(Arc<Offer>, Option<(Answer, Moment)>)>,
    /// The counting as it stood then.
    pub(super) before: Replay,
    /// What was counted in the period.
    pub(super) counted: Replay,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) scripts: BTreeMap<ConversationId, Script>,
    pub(super) turns: Vec<Turn>,
    /// When what was due of operators was seen to be.
    pub(super) late: BTreeMap<OperatorId, Late>,
    /// When the router decided something.
    pub(super) decided: Vec<Moment>,
    pub(super) draws: Draws,
    pub(super) left_out: LeftOut,
    /// Greater than every id of the period.
    pub(super) next_id: i64,
    /// It was made up: nothing of it is a record.
    pub(super) is_made_up: bool,
}

/// What a recording has and a replay has not, in numbers of conversations or acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Conversations that are met in the middle: the log does not reach back to their
    /// beginning, or they were open and nothing was said of them before the period.
    pub begun_before: u64,
    /// Changes that no act explains, such as an edited queue of a waiting conversation.
    pub unexplained: u64,
}

/// When, and in which order among what happened in the same millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    pub(super) order: i64,
}

impl Moment {
    /// Behind everything that was recorded in its millisecond.
    pub(super) fn behind(self) -> Self {
        Self {
            order: BEHIND,
            ..self
        }
    }
}

/// What is not in the record comes after what is, in one millisecond.
pub(super) const BEHIND: i64 = i64::MAX / 2;

#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) moment: Moment,
    pub(super) conversation: Arc<Conversation>,
}

/// When a deadline was seen to be over: the timers look now and then, and not at all while
/// the gateway is stopped. What is missing was over before its time came.
#[derive(Clone, Debug, Default)]
pub(super) struct Late(BTreeMap<Timestamp, Moment>);

impl Late {
    /// The deadline stood until then, at least.
    pub(super) fn stood(&mut self, due: Timestamp, until: Moment) {
        self.0.insert(due, until);
    }

    /// When it was seen.
    pub(super) fn seen(&self, due: Timestamp) -> Option<Moment> {
        self.0.get(&due).copied()
    }
}

/// What people do in a conversation, each counted from the moment the last operator
/// took it up, or from the beginning.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) acts: Vec<Act>,
    pub(super) replies: Vec<Reply>,
    /// How long each wait was that ended with an operator, by spell; what is missing was
    /// never answered.
    pub(super) spells: Vec<Spell>,
    /// When what was due of it was seen to be.
    pub(super) late: Late,
}

/// From one answer to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spell {
    /// How long it is known to have gone on.
    pub(super) lasted: Millis,
    /// It was seen to its end.
    pub(super) ended: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Act {
    /// The number of answers before it.
    pub(super) spell: usize,
    pub(super) after: Millis,
    pub(super) order: i64,
    pub(super) deed: Deed,
}

/// What somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Left {
        for_up_to: Millis,
    },
    Away {
        gives_up_after: Millis,
        until: Millis,
    },
    Back,
    CallbackWanted {
        phone: String,
    },
    Wrote {
        place: Place,
    },
    Answered {
        park_after: Option<Millis>,
    },
    FirstReply,
    Take {
        operator: OperatorId,
        over_capacity: bool,
    },
    ToQueue {
        queue: QueueId,
        skills: Skills,
        new_place: bool,
    },
    ToOperator {
        operator: OperatorId,
        for_up_to: Millis,
    },
    Move {
        credit: Millis,
        band: i32,
    },
    Snooze {
        for_up_to: Option<Millis>,
    },
    Finish {
        reason: CloseReason,
        disposition: String,
        ending: Option<(Millis, bool)>,
    },
}

/// How an operator answered an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) operator: OperatorId,
    pub(super) made_at: Timestamp,
    pub(super) answer: Answer,
    pub(super) after: Millis,
    pub(super) order: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    Accepts,
    Declines,
    Ignores,
    /// It was taken back before they answered.
    Unknown,
}

/// What an operator does.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) moment: Moment,
    pub(super) operator: OperatorId,
    pub(super) what: Chosen,
}

#[derive(Clone, Debug)]
pub(super) enum Chosen {
    Input(operator::Input),
    /// They are there from now on, or their rights and queues are these.
    Become(Arc<Operator>),
}

/// So many operators more or fewer in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staffing {
    /// The queue.
    pub queue: QueueId,
    /// How many more; fewer when negative.
    pub by: i32,
}

impl Recording {
    /// When it begins.
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// When it ends.
    pub fn to(&self) -> Timestamp {
        self.to
    }

    /// How many conversations begin in it.
    pub fn arrivals(&self) -> usize {
        self.arrivals.len()
    }

    /// What a replay leaves out.
    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// What was counted in the period.
    pub fn counted(&self) -> &Replay {
        &self.counted
    }

    /// Every operator who is there at some time.
    pub fn operators(&self) -> BTreeMap<OperatorId, Arc<Operator>> {
        let joined = self.turns.iter().filter_map(|turn| match &turn.what {
            Chosen::Become(operator) => Some(operator),
            Chosen::Input(_) => None,
        });
        let all = joined.chain(&self.people);
        all.map(|operator| (operator.id, Arc::clone(operator)))
            .collect()
    }

    /// By queue, the medium that most of its conversations have.
    pub fn media(&self) -> BTreeMap<QueueId, Medium> {
        let mut counts: BTreeMap<QueueId, BTreeMap<Medium, u64>> = BTreeMap::new();
        for arrival in &self.arrivals {
            let (queue, medium) = (&arrival.conversation.queue, arrival.conversation.medium);
            *counts
                .entry(queue.clone())
                .or_default()
                .entry(medium)
                .or_default() += 1;
        }
        let most = |media: BTreeMap<Medium, u64>| media.into_iter().max_by_key(|(_, count)| *count);
        let each = counts.into_iter();
        each.filter_map(|(queue, media)| Some((queue, most(media)?.0)))
            .collect()
    }

    /// What is drawn from.
    pub fn draws(&self) -> &Draws {
        &self.draws
    }

    /// With so many operators more or fewer. Who is new comes and goes as a colleague of
    /// the queue does, and can do what they can; who is taken away has the greatest id.
    /// None when the queue has nobody to go by, or not so many.
    pub fn staffed(&self, change: &Staffing) -> Option<Self> {
        let mut changed = self.clone();
        let works = |operator: &Operator| {
            let mut queues = operator.memberships.iter();
            queues.any(|membership| membership.queue == change.queue)
        };
        let members: Vec<OperatorId> = self
            .operators()
            .values()
            .filter(|operator| works(operator))
            .map(|operator| operator.id)
            .collect();
        let count = usize::try_from(change.by.unsigned_abs()).ok()?;
        if change.by < 0 {
            let kept = members.len().checked_sub(count)?;
            for gone in &members[kept..] {
                changed.dismiss(*gone);
            }
            return Some(changed);
        }
        if members.is_empty() {
            return None;
        }
        for number in 0..count {
            changed.hire_like(members[number % members.len()], &change.queue);
        }
        Some(changed)
    }

    fn dismiss(&mut self, gone: OperatorId) {
        self.people.retain(|operator| operator.id != gone);
        self.turns.retain(|turn| turn.operator != gone);
    }

    fn hire_like(&mut self, model: OperatorId, queue: &QueueId) {
        let id = OperatorId::new(self.next_id);
        self.next_id += 1;
        let as_new = |operator: &Arc<Operator>| {
            let mut new = (**operator).clone();
            new.id = id;
            new.memberships.retain(|it| it.queue == *queue);
            new.load = operator::Load::default();
            new.wrapping_up = 0;
            Arc::new(new)
        };
        let there = self.people.iter().find(|operator| operator.id == model);
        let there = there.map(as_new);
        self.people.extend(there);
        let turns: Vec<Turn> = self
            .turns
            .iter()
            .filter(|turn| turn.operator == model)
            .map(|turn| Turn {
                operator: id,
                what: match &turn.what {
                    Chosen::Become(operator) => Chosen::Become(as_new(operator)),
                    Chosen::Input(input) => Chosen::Input(input.clone()),
                },
                ..turn.clone()
            })
            .collect();
        self.turns.extend(turns);
    }
}
