//! Who may answer what, and who stands before whom: the laws of the router written a
//! second time, plainly and slowly.

use std::collections::BTreeSet;

use super::standing::Standing;
use super::witness::Witness;
use crate::message::Medium;
use crate::operator::{Link, Operator, Presence};
use crate::routing::{Dropped, QueueRules, RoutingRules, Skills, Strategy};
use crate::{ConversationId, Millis, OperatorId, QueueId, Timestamp};

/// Where a conversation stands in its queue at a time: what stands first is least.
pub(super) fn rank(
    standing: &Standing,
    rules: &QueueRules,
    at: Timestamp,
) -> (i32, i64, i64, ConversationId) {
    let place = standing.place;
    let aged = at.0 - place.eligible_at.0 >= rules.ageing.0;
    let band = if aged && place.band > 0 {
        0
    } else {
        place.band
    };
    (band, place.eligible_at.0, place.seq, standing.id)
}

/// The skills that a conversation of this age needs.
fn needed<'a>(needed: &'a Skills, rules: &'a QueueRules, age: Millis) -> BTreeSet<&'a str> {
    let mut names: BTreeSet<&str> = needed.iter().collect();
    for relaxation in &rules.relaxations {
        if relaxation.after > age {
            break;
        }
        match &relaxation.drop {
            Dropped::All => names.clear(),
            Dropped::These(dropped) => {
                for name in dropped.iter() {
                    names.remove(name);
                }
            }
        }
    }
    names
}

fn is_member(operator: &Operator, queue: &QueueId) -> bool {
    let memberships = &operator.memberships;
    memberships
        .iter()
        .any(|membership| membership.queue == *queue)
}

/// At work and ready for something new.
pub(super) fn is_there(operator: &Operator, at: Timestamp) -> bool {
    let wants_to_go = operator
        .next_presence
        .as_ref()
        .is_some_and(|next| *next != Presence::Ready);
    let rests = operator.cool_down_until.is_some_and(|until| until > at);
    operator.presence == Presence::Ready
        && operator.link != Link::Down
        && !(operator.disabled
            || wants_to_go
            || operator.not_responding
            || operator.wrapping_up > 0
            || rests)
}

fn has_skills(operator: &Operator, standing: &Standing, rules: &QueueRules, at: Timestamp) -> bool {
    let age = Millis((at.0 - standing.place.eligible_at.0).max(0));
    let had: BTreeSet<&str> = operator.skills.iter().collect();
    needed(&standing.skills, rules, age).is_subset(&had)
}

/// The laws at one moment.
pub(super) struct Moment<'a> {
    pub(super) witness: &'a Witness,
    pub(super) rules: &'a RoutingRules,
    pub(super) at: Timestamp,
    /// What is being placed just now: nobody carries it yet.
    pub(super) placed: Option<ConversationId>,
}

impl Moment<'_> {
    /// Whether somebody has room for one more of a medium.
    pub(super) fn has_room(&self, operator: &Operator, medium: Medium) -> bool {
        let rules = &self.rules.capacity;
        let (mut units, mut same, mut blocked) = (0_u64, 0_u32, false);
        for (conversation, carried) in self.witness.carried_by(operator.id) {
            if Some(conversation) == self.placed {
                continue;
            }
            units += u64::from(rules.cost.get(&carried).copied().unwrap_or(0));
            same += u32::from(carried == medium);
            blocked |= rules
                .blocked_while_on
                .get(&carried)
                .is_some_and(|blocked| blocked.contains(&medium));
        }
        units += u64::from(rules.cost.get(&medium).copied().unwrap_or(0));
        let cap = rules.count_max.get(&medium);
        !blocked && cap.is_none_or(|cap| same < *cap) && units <= u64::from(operator.capacity)
    }

    /// What makes somebody the wrong one for a conversation, apart from room.
    pub(super) fn unfit(&self, operator: &Operator, standing: &Standing) -> Option<&'static str> {
        let own = self.rules.of(&standing.queue);
        if !is_member(operator, &standing.queue) {
            Some("does not work for the queue")
        } else if !is_there(operator, self.at) {
            Some("takes nothing just now")
        } else if standing.not_before.is_some_and(|pause| pause > self.at) {
            Some("it pauses between rounds")
        } else if !has_skills(operator, standing, &own, self.at) {
            Some("has not the skills")
        } else if standing.tried.contains(&operator.id) {
            Some("was asked in this round")
        } else if self.is_held_for_other(operator.id, standing, &own) {
            Some("it is held for somebody else")
        } else {
            None
        }
    }

    fn is_held_for_other(
        &self,
        operator: OperatorId,
        standing: &Standing,
        own: &QueueRules,
    ) -> bool {
        let Some(preferred) = standing.preferred.filter(|it| *it != operator) else {
            return false;
        };
        let until = standing.place.eligible_at.0 + own.sticky_wait.0;
        self.at.0 < until
            && !standing.tried.contains(&preferred)
            && self.witness.operator(preferred).is_some_and(|preferred| {
                is_member(preferred, &standing.queue)
                    && is_there(preferred, self.at)
                    && has_skills(preferred, standing, own, self.at)
            })
    }

    /// Could be given a conversation, but for the law that nobody is asked twice running.
    fn is_fit(&self, operator: &Operator, standing: &Standing) -> bool {
        self.unfit(operator, standing).is_none() && self.has_room(operator, standing.medium)
    }

    /// Was asked or had it last, and somebody else could take it.
    pub(super) fn is_twice_running(&self, operator: OperatorId, standing: &Standing) -> bool {
        standing.last_asked == Some(operator)
            && self
                .witness
                .members(&standing.queue)
                .any(|other| other.id != operator && self.is_fit(other, standing))
    }

    /// Could be given a conversation.
    pub(super) fn could_take(&self, operator: &Operator, standing: &Standing) -> bool {
        self.is_fit(operator, standing) && !self.is_twice_running(operator.id, standing)
    }

    /// Whether one operator stands before another in a queue's order.
    pub(super) fn stands_before(
        &self,
        one: &Operator,
        other: &Operator,
        rules: &QueueRules,
    ) -> bool {
        let load = |operator: &Operator| {
            let carried = self.witness.carried_by(operator.id);
            let carried = carried.filter(|(conversation, _)| Some(*conversation) != self.placed);
            carried.fold((0_u64, 0_u64), |(units, open), (_, medium)| {
                let cost = self.rules.capacity.cost.get(&medium).copied().unwrap_or(0);
                (units + u64::from(cost), open + 1)
            })
        };
        let ((units, open), (other_units, other_open)) = (load(one), load(other));
        let position = |operator: &Operator| {
            let memberships = operator.memberships.iter();
            memberships
                .filter(|membership| membership.queue == rules.id)
                .map(|membership| (membership.rank, membership.position))
                .min()
                .map_or(0, |(_, position)| position)
        };
        let idle = one.idle_since.cmp(&other.idle_since);
        let order = match rules.strategy {
            Strategy::LongestIdle | Strategy::RingAll | Strategy::Manual => {
                // Shares of capacity, crosswise so that nothing is rounded.
                let share = (units * u64::from(other.capacity))
                    .cmp(&(other_units * u64::from(one.capacity)));
                (one.capacity == 0)
                    .cmp(&(other.capacity == 0))
                    .then(share)
                    .then(idle)
            }
            Strategy::LeastBusy => open.cmp(&other_open).then(idle),
            Strategy::RoundRobin => self
                .witness
                .turn_before(one.id, self.placed)
                .cmp(&self.witness.turn_before(other.id, self.placed)),
            Strategy::StrictList => position(one).cmp(&position(other)),
        };
        order.then(one.id.cmp(&other.id)).is_lt()
    }
}
