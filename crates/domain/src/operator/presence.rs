use super::{CapacityRules, Operator, Presence};
use crate::Timestamp;
use crate::message::Medium;
use crate::routing::{Candidate, Rule};

/// After so many text offers missed in a row nothing more comes; after a call, at
/// once.
const TEXT_MISSES_MAX: u32 = 2;

/// What the router makes of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutingState {
    /// Carries nothing.
    Free,
    /// Carries something and has room for more of some medium.
    Partial,
    /// Has no room.
    Full,
    /// Missed offers and has not said Ready since.
    NotResponding,
    /// Declined a moment ago.
    CoolingDown,
    /// Takes nothing, by own choice or because they are disabled.
    NotReady,
}

/// Everything that can happen to an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// They came in.
    SignIn,
    /// They, or a supervisor, chose.
    SetPresence {
        /// What.
        presence: Presence,
        /// Only when nothing is carried any more.
        when_idle: bool,
    },
    /// They carry one conversation more.
    Occupy(Medium),
    /// They carry one conversation less.
    Release {
        /// Of which medium.
        medium: Medium,
        /// It was theirs, and not only offered.
        handled: bool,
    },
    /// They let an offer time out.
    Missed {
        /// Of which medium.
        medium: Medium,
    },
    /// They answered an offer, one way or the other.
    Responded,
    /// They declined.
    CoolDown {
        /// Gets nothing until then.
        until: Timestamp,
    },
    /// The time of [`Operator::next_deadline`] has come.
    Due,
}

/// What has to happen elsewhere because of a change, in the same transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Is not Ready any more: what they are asked about must go to others.
    Gone,
    /// Can perhaps take more than before: their queues are worth a look.
    MayTakeWork,
}

impl Operator {
    /// Lets something happen at `now`.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        match input {
            Input::SignIn => {
                self.count_from(now);
                Vec::new()
            }
            Input::SetPresence {
                presence,
                when_idle,
            } => {
                if when_idle && !self.load.is_empty() {
                    self.next_presence = Some(presence);
                    return self.may_take_work(now);
                }
                self.choose(now, presence)
            }
            Input::Occupy(medium) => {
                self.load.occupy(medium);
                Vec::new()
            }
            Input::Release { medium, handled } => self.release(now, medium, handled),
            Input::Missed { medium } => {
                self.misses += 1;
                self.not_responding |= medium == Medium::Voice || self.misses >= TEXT_MISSES_MAX;
                Vec::new()
            }
            Input::Responded => {
                self.misses = 0;
                Vec::new()
            }
            Input::CoolDown { until } => {
                self.cool_down_until = self.cool_down_until.max(Some(until));
                Vec::new()
            }
            Input::Due => self.due(now),
        }
    }

    /// When time alone changes the operator next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.cool_down_until
    }

    /// What the router makes of the operator at `now`.
    pub fn routing_state(&self, now: Timestamp, rules: &CapacityRules) -> RoutingState {
        if !self.takes_work() {
            return RoutingState::NotReady;
        }
        if self.not_responding {
            return RoutingState::NotResponding;
        }
        if self.cools_down(now) {
            return RoutingState::CoolingDown;
        }
        let has_room = |medium| rules.check(&self.load, self.capacity, medium).is_ok();
        if !Medium::ALL.into_iter().any(has_room) {
            RoutingState::Full
        } else if self.load.is_empty() {
            RoutingState::Free
        } else {
            RoutingState::Partial
        }
    }

    /// The operator as the router sees them at `now`.
    pub fn candidate(&self, now: Timestamp) -> Candidate {
        Candidate {
            operator: self.id,
            memberships: self.memberships.clone(),
            load: self.load.clone(),
            capacity: self.capacity,
            idle_since: self.idle_since,
            auto_accept: self.auto_accept,
            barred: self.barred(now),
        }
    }

    /// What keeps the operator from everything at `now`, if something does.
    pub fn barred(&self, now: Timestamp) -> Option<Rule> {
        if !self.takes_work() {
            Some(Rule::NotReady)
        } else if self.not_responding {
            Some(Rule::NotResponding)
        } else if self.cools_down(now) {
            Some(Rule::CoolingDown)
        } else {
            None
        }
    }

    fn takes_work(&self) -> bool {
        // Who wants to go after the work in hand would never go if more came.
        let stays = matches!(self.next_presence, None | Some(Presence::Ready));
        !self.disabled && self.presence == Presence::Ready && stays
    }

    fn cools_down(&self, now: Timestamp) -> bool {
        self.cool_down_until.is_some_and(|until| until > now)
    }

    fn choose(&mut self, now: Timestamp, presence: Presence) -> Vec<Effect> {
        let was_ready = self.presence == Presence::Ready;
        self.presence = presence;
        self.next_presence = None;
        if self.presence != Presence::Ready {
            return if was_ready {
                vec![Effect::Gone]
            } else {
                Vec::new()
            };
        }
        self.not_responding = false;
        self.misses = 0;
        self.cool_down_until = None;
        self.count_from(now);
        self.may_take_work(now)
    }

    fn release(&mut self, now: Timestamp, medium: Medium, handled: bool) -> Vec<Effect> {
        self.load.release(medium);
        if handled {
            self.idle_since = now;
        }
        if self.load.is_empty()
            && let Some(presence) = self.next_presence.take()
        {
            return self.choose(now, presence);
        }
        self.may_take_work(now)
    }

    fn due(&mut self, now: Timestamp) -> Vec<Effect> {
        if self.cool_down_until.is_none_or(|until| until > now) {
            return Vec::new();
        }
        self.cool_down_until = None;
        self.may_take_work(now)
    }

    fn may_take_work(&self, now: Timestamp) -> Vec<Effect> {
        if self.barred(now).is_none() {
            vec![Effect::MayTakeWork]
        } else {
            Vec::new()
        }
    }

    /// Somebody new is not idle since the beginning of time.
    fn count_from(&mut self, now: Timestamp) {
        if self.idle_since == Timestamp::default() {
            self.idle_since = now;
        }
    }
}
