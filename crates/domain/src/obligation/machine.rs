use serde::{Deserialize, Serialize};

use super::{Cause, MOVES_MAX, Move, Notice, Obligation, Stage, State};
use crate::{OperatorId, Timestamp};

/// Who wanted another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// The client, or they agreed: it is another promise from now on, unless the time
    /// they were told had passed already. What was missed stays missed.
    Client,
    /// We did: reminders go by the new time, but it is judged by the old one.
    Ours,
}

/// What can happen to a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The time of [`Obligation::next_deadline`] has come.
    Due,
    /// Somebody did it.
    Keep {
        /// Who; none for a program of its own.
        by: Option<OperatorId>,
    },
    /// There is no need to do it any more.
    Waive {
        /// Who says so; none for a program of its own.
        by: Option<OperatorId>,
        /// Why.
        reason: String,
    },
    /// It gets another time.
    Move {
        /// Who says so; none for a program of its own.
        by: Option<OperatorId>,
        /// The new time.
        due_at: Timestamp,
        /// Who wants it.
        wish: Wish,
        /// Why, or empty.
        reason: String,
    },
    /// It gets another owner; none is everybody of the queue.
    Assign {
        /// Whom.
        owner: Option<OperatorId>,
    },
    /// Its owner works here no more.
    OwnerGone {
        /// Who.
        operator: OperatorId,
    },
}

/// Why something cannot be done now. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was done.
    #[error("the promise has been kept already")]
    Done,
    /// Nobody did it in time.
    #[error("the promise is broken: make a new one")]
    Broken,
    /// It was waived.
    #[error("the promise has been waived: make a new one")]
    Waived,
    /// The new time has passed.
    #[error("this time has passed: choose a later one")]
    Past,
    /// It was moved too often.
    #[error("the promise was moved too often: waive it and make a new one")]
    TooManyMoves,
}

impl Obligation {
    /// Lets something happen at `now`, and says what somebody is to be told because
    /// time has passed. An error leaves everything as it was.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Result<Option<Notice>, Refusal> {
        let (stage, escalated) = self.open()?;
        match input {
            Input::Due => Ok(self.due(now, stage, escalated)),
            Input::Keep { by } => {
                self.state = if now <= self.promised_for {
                    State::Kept { at: now, by }
                } else {
                    State::Late { at: now, by }
                };
                Ok(None)
            }
            Input::Waive { by, reason } => {
                self.state = State::Waived {
                    at: now,
                    by,
                    reason,
                };
                Ok(None)
            }
            Input::Move {
                by,
                due_at,
                wish,
                reason,
            } => {
                self.put_off(now, by, due_at, wish, reason)?;
                Ok(None)
            }
            Input::Assign { owner } => {
                self.owner = owner;
                // Who works here has it again; what is overdue stays the supervisors'.
                let escalated = escalated.filter(|cause| *cause == Cause::Overdue);
                self.state = State::Open { stage, escalated };
                Ok(None)
            }
            Input::OwnerGone { operator } => Ok(self.owner_gone(operator, stage, escalated)),
        }
    }

    fn open(&self) -> Result<(Stage, Option<Cause>), Refusal> {
        match self.state {
            State::Open { stage, escalated } => Ok((stage, escalated)),
            State::Kept { .. } | State::Late { .. } => Err(Refusal::Done),
            State::Broken { .. } => Err(Refusal::Broken),
            State::Waived { .. } => Err(Refusal::Waived),
        }
    }

    fn due(&mut self, now: Timestamp, stage: Stage, escalated: Option<Cause>) -> Option<Notice> {
        if self.broken_at() <= now {
            self.state = State::Broken { at: now };
            return Some(Notice::Broken);
        }
        let is_overdue = self.due_at + self.terms.grace <= now;
        let reached = if self.due_at <= now {
            Stage::Due
        } else if self.first_reminder_at() <= now {
            Stage::Reminded
        } else {
            Stage::Promised
        };
        let after = State::Open {
            stage: reached.max(stage),
            escalated: escalated.or(is_overdue.then_some(Cause::Overdue)),
        };
        if after == self.state {
            return None;
        }
        self.state = after;
        Some(if is_overdue && escalated.is_none() {
            Notice::Escalated
        } else if reached == Stage::Due {
            Notice::Due
        } else {
            Notice::Soon
        })
    }

    fn put_off(
        &mut self,
        now: Timestamp,
        by: Option<OperatorId>,
        due_at: Timestamp,
        wish: Wish,
        reason: String,
    ) -> Result<(), Refusal> {
        if due_at <= now {
            return Err(Refusal::Past);
        }
        if self.moves.len() >= MOVES_MAX {
            return Err(Refusal::TooManyMoves);
        }
        self.moves.push(Move {
            at: now,
            by,
            from: self.due_at,
            to: due_at,
            wish,
            reason,
        });
        if wish == Wish::Client && now <= self.promised_for {
            self.promised_for = due_at;
        }
        self.due_at = due_at;
        self.set_at = now;
        // Somebody saw to it; who has nobody is still without.
        let escalated = self
            .escalated()
            .filter(|cause| *cause == Cause::OwnerGone && self.owner.is_none());
        self.state = State::Open {
            stage: Stage::Promised,
            escalated,
        };
        Ok(())
    }

    fn owner_gone(
        &mut self,
        gone: OperatorId,
        stage: Stage,
        escalated: Option<Cause>,
    ) -> Option<Notice> {
        if self.owner != Some(gone) {
            return None;
        }
        self.owner = None;
        let told = escalated.is_none();
        self.state = State::Open {
            stage,
            escalated: escalated.or(Some(Cause::OwnerGone)),
        };
        told.then_some(Notice::Escalated)
    }
}
