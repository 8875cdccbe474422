use super::{CapacityRules, Link, Operator, Presence};
use crate::message::Medium;
use crate::routing::{Candidate, Rule};
use crate::{Millis, Timestamp};

/// After so many text offers missed in a row nothing more comes; after a call, at
/// once.
const TEXT_MISSES_MAX: u32 = 2;

/// For so long somebody who has gone may come back to what they had.
pub const GRACE: Millis = Millis::from_secs(60);

/// What the router makes of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoutingState {
    /// Carries nothing.
    Free,
    /// Carries something and has room for more of some medium.
    Partial,
    /// Has no room.
    Full,
    /// Finishes up after a conversation.
    WrapUp,
    /// Missed offers and has not said Ready since.
    NotResponding,
    /// Declined a moment ago.
    CoolingDown,
    /// Lost the connection a moment ago.
    Disconnected,
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
    /// A first feed of theirs was opened.
    Connected,
    /// Their last feed has ended.
    Disconnected,
    /// They carry one conversation more.
    Occupy {
        /// Of which medium.
        medium: Medium,
        /// The number of their turn, which rises with every offer to anybody; 0 when they
        /// were not chosen by the order.
        turn: i64,
    },
    /// They carry one conversation less.
    Release {
        /// Of which medium.
        medium: Medium,
        /// It was theirs, and not only offered.
        handled: bool,
    },
    /// They begin to finish up after a conversation, which they go on carrying.
    WrapUpBegun,
    /// They finished up, or the conversation went on.
    WrapUpEnded,
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
    /// Takes nothing any more: what they are asked about must go to others.
    Gone,
    /// Has not come back: what cannot wait for them must go to others.
    Lost,
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
            Input::Connected => self.connected(now),
            Input::Disconnected => self.disconnected(now),
            Input::Occupy { medium, turn } => {
                self.load.occupy(medium);
                self.turn = self.turn.max(turn);
                // Whoever takes something and cannot be reached loses it again.
                if self.link == Link::Down {
                    self.lost_at.get_or_insert(now + GRACE);
                }
                Vec::new()
            }
            Input::Release { medium, handled } => self.release(now, medium, handled),
            Input::WrapUpBegun => {
                self.wrapping_up += 1;
                Vec::new()
            }
            Input::WrapUpEnded => {
                debug_assert!(self.wrapping_up > 0, "nothing was finished up");
                self.wrapping_up = self.wrapping_up.saturating_sub(1);
                self.may_take_work(now)
            }
            Input::Missed { medium } => self.missed(medium),
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
        let known = self.cool_down_until.into_iter().chain(self.lost_at);
        known.min()
    }

    /// What the router makes of the operator at `now`.
    pub fn routing_state(&self, now: Timestamp, rules: &CapacityRules) -> RoutingState {
        match self.barred(now) {
            Some(Rule::Disconnected) => return RoutingState::Disconnected,
            Some(Rule::NotResponding) => return RoutingState::NotResponding,
            Some(Rule::WrapUp) => return RoutingState::WrapUp,
            Some(Rule::CoolingDown) => return RoutingState::CoolingDown,
            Some(_) => return RoutingState::NotReady,
            None => {}
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

    /// The operator as the router sees them.
    pub fn candidate(&self) -> Candidate {
        Candidate {
            operator: self.id,
            memberships: self.memberships.clone(),
            skills: self.skills.clone(),
            load: self.load.clone(),
            capacity: self.capacity,
            idle_since: self.idle_since,
            turn: self.turn,
            auto_accept: self.auto_accept,
            barred: self.barred_for_good(),
            cool_down_until: self.cool_down_until,
        }
    }

    /// What keeps the operator from everything at `now`, if something does.
    pub fn barred(&self, now: Timestamp) -> Option<Rule> {
        self.barred_for_good().or_else(|| {
            self.cool_down_until
                .is_some_and(|until| until > now)
                .then_some(Rule::CoolingDown)
        })
    }

    /// What keeps the operator from everything until something happens.
    fn barred_for_good(&self) -> Option<Rule> {
        if !self.takes_work() {
            Some(Rule::NotReady)
        } else if self.link == Link::Down {
            Some(Rule::Disconnected)
        } else if self.not_responding {
            Some(Rule::NotResponding)
        } else if self.wrapping_up > 0 {
            Some(Rule::WrapUp)
        } else {
            None
        }
    }

    /// True for somebody who is not at work, or cannot be reached.
    pub fn is_gone(&self) -> bool {
        self.disabled || self.presence == Presence::Offline || self.link == Link::Down
    }

    fn takes_work(&self) -> bool {
        // Who wants to go after the work in hand would never go if more came.
        let stays = matches!(self.next_presence, None | Some(Presence::Ready));
        !self.disabled && self.presence == Presence::Ready && stays
    }

    fn choose(&mut self, now: Timestamp, presence: Presence) -> Vec<Effect> {
        let was_ready = self.presence == Presence::Ready;
        self.presence = presence;
        self.next_presence = None;
        self.lost_at = match self.presence {
            Presence::Offline => Some(self.lost_at.unwrap_or(now + GRACE)),
            Presence::Ready | Presence::Away { .. } if self.link == Link::Down => self.lost_at,
            Presence::Ready | Presence::Away { .. } => None,
        };
        if self.load.is_empty() && self.presence == Presence::Offline {
            self.lost_at = None;
        }
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

    fn connected(&mut self, now: Timestamp) -> Vec<Effect> {
        self.link = Link::Up;
        if self.presence != Presence::Offline {
            self.lost_at = None;
        }
        self.may_take_work(now)
    }

    fn disconnected(&mut self, now: Timestamp) -> Vec<Effect> {
        if self.link == Link::Down {
            return Vec::new();
        }
        self.link = Link::Down;
        if self.presence == Presence::Offline && self.load.is_empty() {
            return Vec::new();
        }
        self.lost_at = Some(self.lost_at.unwrap_or(now + GRACE));
        vec![Effect::Gone]
    }

    fn missed(&mut self, medium: Medium) -> Vec<Effect> {
        self.misses += 1;
        let too_many = medium == Medium::Voice || self.misses >= TEXT_MISSES_MAX;
        if !too_many || self.not_responding {
            return Vec::new();
        }
        self.not_responding = true;
        vec![Effect::Gone]
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
        let mut effects = Vec::new();
        if self.lost_at.is_some_and(|at| at <= now) {
            self.lost_at = None;
            self.presence = Presence::Offline;
            self.next_presence = None;
            effects.push(Effect::Lost);
        }
        if self.cool_down_until.is_some_and(|until| until <= now) {
            self.cool_down_until = None;
            effects.extend(self.may_take_work(now));
        }
        effects
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
