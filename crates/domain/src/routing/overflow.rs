//! What becomes of those for whom nobody is found in time.

use serde::{Deserialize, Serialize};

use super::QueueRules;
use crate::{Millis, QueueId, Timestamp};

/// The most ways out of one queue.
pub const OVERFLOWS_MAX: u32 = 16;

/// One way out of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// When it is taken.
    pub when: Trigger,
    /// Where it leads.
    pub exit: Exit,
}

/// When a way out is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// It has waited so long, from its first moment.
    Waited(Millis),
    /// Everybody was asked in vain so many times.
    Rounds(u32),
    /// Nobody who could answer is at work.
    Unstaffed,
    /// So many wait already when it comes.
    Full(u32),
    /// The queue closes while it waits.
    Closing,
}

/// Where a way out leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// To another queue, with its age.
    Queue(QueueId),
    /// Anybody of the queue may answer, whatever their skills.
    AnySkills,
    /// Out of the queue: the client leaves a message.
    Voicemail,
    /// Out of the queue: the client leaves a request in writing.
    Form,
    /// Out of the queue: the client is promised a call.
    Callback,
}

/// How the queue of a conversation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStatus {
    /// How many wait, this one left out.
    pub waiting: u32,
    /// Somebody who could answer it is at work.
    pub is_staffed: bool,
    /// It is open; false only at its hours' end.
    pub is_open: bool,
}

/// How a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Its age counts from then.
    pub eligible_at: Timestamp,
    /// The round of asking, from 1.
    pub round: u32,
    /// Ways out that were taken already, a bit each.
    pub taken: u32,
    /// It has only just come.
    pub arrives: bool,
}

impl Trigger {
    /// Why a conversation leaves: the words are stored and shown.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Waited(_) => "max_wait",
            Self::Rounds(_) => "nobody_accepted",
            Self::Unstaffed => "unstaffed",
            Self::Full(_) => "queue_full",
            Self::Closing => "closing",
        }
    }

    fn applies(self, patience: Patience, queue: QueueStatus, now: Timestamp) -> bool {
        match self {
            Self::Waited(age) => now.since(patience.eligible_at) >= age,
            Self::Rounds(rounds) => patience.round > rounds,
            Self::Unstaffed => !queue.is_staffed,
            Self::Full(length) => patience.arrives && queue.waiting >= length,
            Self::Closing => !queue.is_open,
        }
    }
}

impl Exit {
    /// The name in configuration and storage.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Queue(_) => "queue",
            Self::AnySkills => "any_skills",
            Self::Voicemail => "voicemail",
            Self::Form => "form",
            Self::Callback => "callback",
        }
    }
}

impl QueueRules {
    /// The way out that a conversation takes now, with [`Patience::taken`] as it is
    /// afterwards. Each is taken once. Of several the last one goes, and those of its
    /// kind before it are left behind.
    pub fn overflow(
        &self,
        patience: Patience,
        queue: QueueStatus,
        now: Timestamp,
    ) -> Option<(u32, &Overflow)> {
        let (number, found) = self
            .left(patience.taken)
            .filter(|(_, overflow)| overflow.when.applies(patience, queue, now))
            .last()?;
        let mut taken = patience.taken | 1 << number;
        if matches!(found.when, Trigger::Waited(_)) {
            for (earlier, overflow) in self.left(taken) {
                if earlier < number && matches!(overflow.when, Trigger::Waited(_)) {
                    taken |= 1 << earlier;
                }
            }
        }
        Some((taken, found))
    }

    /// When age alone leads to a way out that was not taken.
    pub fn next_overflow(&self, eligible_at: Timestamp, taken: u32) -> Option<Timestamp> {
        self.left(taken)
            .filter_map(|(_, overflow)| match overflow.when {
                Trigger::Waited(age) => Some(eligible_at + age),
                Trigger::Rounds(_) | Trigger::Unstaffed | Trigger::Full(_) | Trigger::Closing => {
                    None
                }
            })
            .min()
    }

    fn left(&self, taken: u32) -> impl Iterator<Item = (u32, &Overflow)> {
        (0..OVERFLOWS_MAX)
            .zip(&self.overflows)
            .filter(move |(number, _)| taken & 1 << number == 0)
    }
}
