//! What must have happened between two states.

use crate::Timestamp;
use crate::conversation::{CloseReason, Conversation, State};
use crate::operator::{Input, Link, Operator, Presence};
use crate::whatif::recording::Deed;

/// Why a conversation changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// Something else is told that did it, or nothing that matters here.
    Nothing,
    /// Time alone.
    Time,
    /// The router, or the queue's rules.
    Router,
    /// People.
    Deeds(Vec<Deed>),
    /// Nobody knows.
    Unexplained,
}

pub(super) fn deeds(before: &Conversation, after: &Conversation, at: Timestamp) -> Why {
    let mut why = of_states(before, after, at);
    if before.counted.first_reply_at.is_none() && after.counted.first_reply_at.is_some() {
        match &mut why {
            Why::Deeds(deeds) => deeds.push(Deed::FirstReply),
            Why::Nothing | Why::Time | Why::Router | Why::Unexplained => {
                why = Why::Deeds(vec![Deed::FirstReply]);
            }
        }
    }
    why
}

fn one(deed: Deed) -> Why {
    Why::Deeds(vec![deed])
}

fn is_past(deadline: Option<Timestamp>, at: Timestamp) -> bool {
    deadline.is_some_and(|deadline| deadline <= at)
}

fn of_states(before: &Conversation, after: &Conversation, at: Timestamp) -> Why {
    let take = |operator| {
        one(Deed::Take {
            operator,
            over_capacity: after.over_capacity,
        })
    };
    match (&before.state, &after.state) {
        (State::Queued, State::Queued) => while_queued(before, after, at),
        (State::Offered { .. }, State::Offered { .. }) => while_waiting(before, after, at),
        (State::Offered { expires_at, .. }, State::Queued) => {
            if before.queue != after.queue {
                to_queue(before, after)
            } else if *expires_at <= at {
                Why::Time
            } else {
                Why::Nothing
            }
        }
        (State::Offered { .. }, State::Active { operator, .. })
            if before.asked().contains_key(operator) =>
        {
            Why::Nothing
        }
        // An offer that is made says so itself.
        (_, State::Offered { .. }) | (State::Closed { .. }, _) => Why::Nothing,
        (State::Queued | State::Offered { .. }, State::Abandoned { until, .. }) => {
            if is_past(before.away.map(|away| away.gives_up_at), at) {
                Why::Time
            } else {
                let for_up_to = until.since(at);
                one(Deed::Left { for_up_to })
            }
        }
        (State::Abandoned { .. }, State::Queued) => one(Deed::Back),
        (State::Queued, State::Deferred { .. }) => {
            if is_past(before.overflow_at, at) {
                Why::Time
            } else {
                Why::Router
            }
        }
        (State::Deferred { .. }, State::Deferred { .. }) => Why::Router,
        (State::Deferred { until }, State::Queued)
            if *until <= at && before.queue == after.queue =>
        {
            Why::Time
        }
        (State::Abandoned { until, .. }, State::Closed { reason, .. })
            if *until <= at && *reason == CloseReason::Abandoned =>
        {
            Why::Time
        }
        (_, State::Closed { reason, .. }) => closed(before, *reason, after, at),
        (State::Active { .. } | State::Parked { .. } | State::WrapUp { .. }, _) => {
            in_hand(before, after, at)
        }
        (_, State::Active { operator, .. }) => take(*operator),
        (State::Deferred { .. }, State::Queued) => to_queue(before, after),
        _ => Why::Unexplained,
    }
}

fn closed(before: &Conversation, reason: CloseReason, after: &Conversation, at: Timestamp) -> Why {
    let finish = || {
        one(Deed::Finish {
            reason,
            disposition: after.disposition.clone(),
            ending: None,
        })
    };
    match &before.state {
        State::WrapUp { until, .. } if *until <= at => Why::Time,
        State::Queued | State::Offered { .. } if reason == CloseReason::Diverted => {
            if is_past(before.overflow_at, at) {
                Why::Time
            } else {
                Why::Router
            }
        }
        State::Deferred { .. }
        | State::Queued
        | State::Offered { .. }
        | State::Active { .. }
        | State::Parked { .. }
        | State::WrapUp { .. }
        | State::Abandoned { .. }
        | State::Closed { .. } => finish(),
    }
}

fn while_queued(before: &Conversation, after: &Conversation, at: Timestamp) -> Why {
    if before.overflows_taken != after.overflows_taken {
        return if is_past(before.overflow_at, at) {
            Why::Time
        } else {
            Why::Router
        };
    }
    if before.queue != after.queue {
        return to_queue(before, after);
    }
    if before.not_before.is_some() && after.not_before.is_none() {
        return Why::Time;
    }
    let told = while_waiting(before, after, at);
    let by_rules = before.round != after.round
        || before.not_before != after.not_before
        || before.overflow_at != after.overflow_at;
    if told == Why::Nothing && by_rules {
        return Why::Router;
    }
    told
}

fn while_waiting(before: &Conversation, after: &Conversation, at: Timestamp) -> Why {
    if before.place != after.place {
        return one(Deed::Move {
            credit: at.since(after.place.eligible_at),
            band: after.place.band,
        });
    }
    if before.callback != after.callback
        && let Some(callback) = &after.callback
    {
        let phone = callback.phone.clone();
        return one(Deed::CallbackWanted { phone });
    }
    match (before.away, after.away) {
        (before, Some(away)) if before != Some(away) => one(Deed::Away {
            gives_up_after: away.gives_up_at.since(at),
            until: away.until.since(at),
        }),
        (Some(_), None) => one(Deed::Back),
        (None | Some(_), _) => Why::Nothing,
    }
}

fn to_queue(before: &Conversation, after: &Conversation) -> Why {
    one(Deed::ToQueue {
        queue: after.queue.clone(),
        skills: after.skills.clone(),
        new_place: before.place != after.place,
    })
}

fn in_hand(before: &Conversation, after: &Conversation, at: Timestamp) -> Why {
    let place = after.place;
    let owner = before.owner();
    match (&before.state, &after.state) {
        (_, State::Active { operator, .. }) if owner != Some(*operator) => one(Deed::Take {
            operator: *operator,
            over_capacity: after.over_capacity,
        }),
        (State::Active { .. }, State::Active { .. }) => {
            if before.park_at == after.park_at {
                Why::Nothing
            } else {
                let park_after = after.park_at.map(|park_at| park_at.since(at));
                one(Deed::Answered { park_after })
            }
        }
        (State::Active { .. }, State::Parked { until: None, .. })
            if is_past(before.park_at, at) =>
        {
            Why::Time
        }
        (State::Parked { until, .. }, State::Active { .. } | State::Queued)
            if is_past(*until, at) =>
        {
            Why::Time
        }
        (State::Active { .. } | State::Parked { .. }, State::Parked { until, .. }) => {
            if before.state == after.state {
                Why::Nothing
            } else {
                let for_up_to = until.map(|until| until.since(at));
                one(Deed::Snooze { for_up_to })
            }
        }
        (
            State::Active { .. },
            State::WrapUp {
                until,
                fixed,
                reason,
                ..
            },
        ) => one(Deed::Finish {
            reason: *reason,
            disposition: after.disposition.clone(),
            ending: Some((until.since(at), *fixed)),
        }),
        (State::Active { .. }, State::Queued) if after.returned && !before.returned => {
            if after.medium.is_live() {
                Why::Nothing
            } else {
                one(Deed::Wrote { place })
            }
        }
        (State::Parked { .. }, State::Queued) if after.preferred == owner => {
            one(Deed::Wrote { place })
        }
        (_, State::Queued) => to_queue(before, after),
        (State::Parked { .. } | State::WrapUp { .. }, State::Active { .. }) => {
            one(Deed::Wrote { place })
        }
        (State::WrapUp { .. }, State::WrapUp { .. }) => Why::Nothing,
        _ => Why::Unexplained,
    }
}

/// Why an operator changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turned {
    /// Because of a conversation, or not in a way that matters.
    Nothing,
    /// Time alone.
    Time,
    /// Their rights, queues, skills or capacity are others.
    Became,
    /// They chose, came or went.
    Did(Vec<Input>),
}

pub(super) fn turned(before: &Operator, after: &Operator, at: Timestamp) -> Turned {
    if before.memberships != after.memberships
        || before.skills != after.skills
        || before.capacity != after.capacity
        || before.auto_accept != after.auto_accept
        || before.disabled != after.disabled
    {
        return Turned::Became;
    }
    let is_due = is_past(before.next_deadline(), at);
    let was_lost = before.lost_at.is_some() && after.lost_at.is_none();
    if is_due && was_lost && after.presence == Presence::Offline && before.link == after.link {
        return Turned::Time;
    }
    if is_due
        && before.cool_down_until.is_some()
        && after.cool_down_until.is_none()
        && before.presence == after.presence
        && before.not_responding == after.not_responding
        && is_past(before.cool_down_until, at)
    {
        return Turned::Time;
    }
    let mut inputs = Vec::new();
    if before.link != after.link {
        inputs.push(match after.link {
            Link::Up => Input::Connected,
            Link::Down | Link::Unwatched => Input::Disconnected,
        });
    }
    let by_itself = before.next_presence.as_ref() == Some(&after.presence)
        && after.next_presence.is_none()
        && after.load.is_empty()
        && !before.load.is_empty();
    let says = |presence: &Presence, when_idle| Input::SetPresence {
        presence: presence.clone(),
        when_idle,
    };
    if by_itself {
        return Turned::Nothing;
    }
    match &after.next_presence {
        Some(next) if before.next_presence.as_ref() != Some(next) => inputs.push(says(next, true)),
        Some(_) | None => {
            let is_back = before.not_responding && !after.not_responding;
            let gave_up = before.next_presence.is_some() && after.next_presence.is_none();
            if before.presence != after.presence || is_back || gave_up {
                inputs.push(says(&after.presence, false));
            } else if before.idle_since == Timestamp::default()
                && after.idle_since == at
                && before.load == after.load
            {
                inputs.push(Input::SignIn);
            }
        }
    }
    if inputs.is_empty() {
        Turned::Nothing
    } else {
        Turned::Did(inputs)
    }
}
