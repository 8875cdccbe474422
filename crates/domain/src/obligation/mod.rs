//! A promise to a client: somebody will call or write by a time. It is reminded of,
//! then shown to the supervisors, and ends as kept, late, broken or waived.
//!
//! **The promise-kept rate** is kept / (kept + late + broken), see [`Outcomes`]. Each
//! obligation gets its final state once, in exactly one event, and what is moved to
//! another time is still the same obligation. So whoever reads the event log counts the
//! events in which [`Obligation::outcome`] is there: by [`Obligation::ended_at`] for the
//! hour, and by its line, queue, owner, kind and maker for the rest.

mod machine;
mod outcome;
mod promise;
#[cfg(test)]
mod tests;

pub use machine::{Input, Refusal, Wish};
pub use outcome::{Outcome, Outcomes};
pub use promise::{Occasion, Promise, promise_for};

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::conversation::Client;
use crate::event::Audience;
use crate::{
    ContactId, ConversationId, LineId, Millis, ObligationId, OperatorId, QueueId, ThreadId,
    Timestamp,
};

/// How often one promise can be moved: whoever moves it more often does not mean it.
pub const MOVES_MAX: usize = 20;

/// What was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// To call.
    Callback,
    /// To write.
    Reply,
    /// Something else, as the note says.
    Other,
}

/// What made a promise by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The client left before anybody answered.
    OnAbandoned,
    /// A call that nobody took.
    OnMissedCall,
    /// The conversation was sent away: nobody is there, or too many wait.
    OnDiverted,
}

/// Who promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Maker {
    /// An operator.
    Operator(OperatorId),
    /// A program of its own.
    Program,
    /// A rule of the queue.
    Rule(Rule),
}

/// When somebody is told of a promise, before and after its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// So long before its time it is reminded of first; the second reminder is at its
    /// time. It is never more than half of the time there is.
    pub lead: Millis,
    /// So long after its time the supervisors are told.
    pub grace: Millis,
    /// So long after its time it is broken; never before the supervisors are told.
    pub limit: Millis,
}

/// A queue's rules of promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Who left or was not answered is called or written to within this time; none
    /// promises nothing by itself.
    pub callback_within: Option<Millis>,
    /// When somebody is told.
    pub terms: Terms,
}

/// How far an open promise has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nobody was reminded yet.
    Promised,
    /// Reminded of before its time.
    Reminded,
    /// Its time has come.
    Due,
}

/// Why the supervisors see to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It was not done in time.
    Overdue,
    /// Its owner works here no more.
    OwnerGone,
}

/// Where a promise stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// To be done.
    Open {
        /// How far it has come.
        stage: Stage,
        /// The supervisors see to it, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        escalated: Option<Cause>,
    },
    /// Done in time.
    Kept {
        /// When.
        at: Timestamp,
        /// By whom; none for a program of its own.
        by: Option<OperatorId>,
    },
    /// Done after the time the client was told.
    Late {
        /// When.
        at: Timestamp,
        /// By whom; none for a program of its own.
        by: Option<OperatorId>,
    },
    /// Nobody did it.
    Broken {
        /// When that was certain.
        at: Timestamp,
    },
    /// There is no need to do it any more.
    Waived {
        /// When.
        at: Timestamp,
        /// Who said so; none for a program of its own.
        by: Option<OperatorId>,
        /// Why.
        reason: String,
    },
}

/// What somebody is told of a promise because time has passed. Each is told once, and
/// when several are due at once, as after a long stop, the last one alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Its time comes soon.
    Soon,
    /// Its time has come.
    Due,
    /// The supervisors see to it now.
    Escalated,
    /// It was not done.
    Broken,
}

/// A promise that was given another time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// When.
    pub at: Timestamp,
    /// By whom; none for a program of its own.
    pub by: Option<OperatorId>,
    /// Its time before.
    pub from: Timestamp,
    /// Its time since.
    pub to: Timestamp,
    /// Who wanted it.
    pub wish: Wish,
    /// Why, or empty.
    pub reason: String,
}

/// A promise to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// Unique in the store.
    pub id: ObligationId,
    /// What was promised.
    pub kind: Kind,
    /// To whom, as lists show it.
    pub client: Client,
    /// Whose it was before any merge: it returns there when the merge is undone.
    pub origin: ContactId,
    /// The conversation in which it was promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// Its thread, by which an answer is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadId>,
    /// Its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    /// Whose people see it.
    pub queue: QueueId,
    /// Who is to do it; none is everybody of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OperatorId>,
    /// What was said, for colleagues.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The phone or address to use, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reach: String,
    /// When it was promised.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Maker,
    /// The time the client was told: what it is judged by.
    pub promised_for: Timestamp,
    /// When we want to do it: what reminders go by. Later than `promised_for` when we
    /// put it off without asking the client.
    pub due_at: Timestamp,
    /// When `due_at` was set.
    pub set_at: Timestamp,
    /// When somebody is told.
    pub terms: Terms,
    /// Where it stands.
    pub state: State,
    /// How it was moved, the oldest first; at most [`MOVES_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// Rises with every change.
    pub version: i64,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            lead: Millis::from_secs(10 * 60),
            grace: Millis::from_secs(10 * 60),
            limit: Millis::from_secs(24 * 60 * 60),
        }
    }
}

impl Obligation {
    /// True until it has ended.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Whether it is to be done and its time has passed.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.is_open() && self.due_at < now
    }

    /// Why the supervisors see to it, if they do.
    pub fn escalated(&self) -> Option<Cause> {
        match self.state {
            State::Open { escalated, .. } => escalated,
            State::Kept { .. }
            | State::Late { .. }
            | State::Broken { .. }
            | State::Waived { .. } => None,
        }
    }

    /// When it ended.
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Open { .. } => None,
            State::Kept { at, .. }
            | State::Late { at, .. }
            | State::Broken { at }
            | State::Waived { at, .. } => Some(at),
        }
    }

    /// Who may see it, apart from those who see everything.
    pub fn audience(&self) -> Audience {
        Audience {
            queue: self.queue.clone(),
            operators: self.owner.iter().copied().collect::<BTreeSet<_>>(),
        }
    }

    /// When time alone changes it next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match self.state {
            State::Open { stage, escalated } => Some(match (stage, escalated) {
                (Stage::Promised, _) => self.first_reminder_at(),
                (Stage::Reminded, _) => self.due_at,
                (Stage::Due, None) => self.due_at + self.terms.grace,
                (Stage::Due, Some(_)) => self.broken_at(),
            }),
            State::Kept { .. }
            | State::Late { .. }
            | State::Broken { .. }
            | State::Waived { .. } => None,
        }
    }

    /// Half of the time there is, if that is less than the lead: a promise of ten
    /// minutes is not reminded of at once.
    fn first_reminder_at(&self) -> Timestamp {
        let half = Millis(self.due_at.since(self.set_at).0 / 2);
        self.due_at - self.terms.lead.min(half)
    }

    fn broken_at(&self) -> Timestamp {
        self.due_at + self.terms.limit.max(self.terms.grace)
    }
}
