//! A load that is made up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::draw::For;
use super::recording::{Act, Answer, Arrival, Deed, LeftOut, Moment, Recording, Script};
use super::{Draws, Seed};
use crate::conversation::{Client, CloseReason, Conversation, State};
use crate::message::Medium;
use crate::metrics::{Counted, Replay};
use crate::operator::{Link, Load, Membership, Operator, Presence, Role};
use crate::routing::{Place, RoutingRules};
use crate::{ContactId, ConversationId, LineId, Millis, OperatorId, QueueId, ThreadId, Timestamp};

/// The most conversations of a load that is made up.
const ARRIVALS_MAX: i64 = 10_000_000;

/// A load that is made up: clients come one by one and independently, and every time is
/// exponential with a mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Synthetic {
    /// Where they wait.
    pub queue: QueueId,
    /// The channel's class.
    pub medium: Medium,
    /// How many come in an hour.
    pub arrivals_per_hour: f64,
    /// The mean handling time.
    pub aht: Millis,
    /// The mean time until they leave; none is never.
    pub patience: Option<Millis>,
    /// How many are at work, all the time.
    pub operators: u32,
    /// What each carries at once, in units.
    pub capacity: u32,
    /// How long it goes on.
    pub hours: u32,
    /// The mean time until an operator answers an offer.
    pub answer: Millis,
    /// The share of offers that are declined.
    pub declined: f64,
    /// The share of offers that nobody answers.
    pub missed: f64,
}

impl Synthetic {
    /// The load of a seed, beginning at a moment.
    pub fn recording(&self, rules: &RoutingRules, seed: Seed, from: Timestamp) -> Recording {
        let to = from + Millis(i64::from(self.hours) * 3_600_000);
        let mut arrivals = Vec::new();
        let mut scripts = BTreeMap::new();
        let mut at = from;
        let mut number = 0;
        let between = Millis(rounded(3_600_000.0 / self.arrivals_per_hour * 1_000.0));
        // The times between are counted in microseconds, so that they stay exponential.
        let mut micros = 0_i64;
        while number < ARRIVALS_MAX {
            number += 1;
            let id = ConversationId::new(10_000 + number);
            micros += exponential(between, seed.draw(id, For::Arrival, 0)).0;
            at = from + Millis(micros / 1_000);
            if at >= to {
                break;
            }
            let moment = Moment { at, order: number };
            arrivals.push(Arrival {
                moment,
                conversation: Arc::new(self.conversation(rules, id, at)),
            });
            scripts.insert(id, self.script(id, seed));
        }
        debug_assert!(at >= from, "time goes on");
        let mut draws = Draws::default();
        self.replies(&mut draws, seed);
        draws.finish();
        Recording {
            from,
            to,
            open: Vec::new(),
            asked: Vec::new(),
            people: (1..=i64::from(self.operators))
                .map(|id| Arc::new(self.operator(OperatorId::new(id), from)))
                .collect(),
            before: Replay::of_all(),
            counted: Replay::of_all(),
            arrivals,
            scripts,
            turns: Vec::new(),
            late: BTreeMap::new(),
            decided: Vec::new(),
            draws,
            left_out: LeftOut::default(),
            // The same for every seed, so that who is hired is known by their id.
            next_id: 20_000 + ARRIVALS_MAX,
            is_made_up: true,
        }
    }

    fn script(&self, id: ConversationId, seed: Seed) -> Script {
        let handling = exponential(self.aht, seed.draw(id, For::Handling, 0));
        let mut acts = Vec::new();
        if let Some(patience) = self.patience {
            acts.push(Act {
                spell: 0,
                after: exponential(patience, seed.draw(id, For::Patience, 0)),
                order: id.get(),
                deed: Deed::Left {
                    for_up_to: Millis(1),
                },
            });
        }
        acts.push(Act {
            spell: 1,
            after: handling,
            order: id.get(),
            deed: Deed::Finish {
                reason: CloseReason::Finished,
                disposition: String::new(),
                ending: None,
            },
        });
        Script {
            acts,
            ..Script::default()
        }
    }

    /// A thousand answers to be drawn from.
    fn replies(&self, draws: &mut Draws, seed: Seed) {
        let nobody = OperatorId::new(0);
        for number in 0..1_000_u32 {
            let share = (f64::from(number) + 0.5) / 1_000.0;
            let id = ConversationId::new(i64::from(number));
            let after = exponential(self.answer, seed.draw(id, For::Delay, 0));
            let answer = if share < self.declined {
                Answer::Declines
            } else if share < self.declined + self.missed {
                Answer::Ignores
            } else {
                Answer::Accepts
            };
            draws.answered(nobody, answer, after);
        }
    }

    fn operator(&self, id: OperatorId, from: Timestamp) -> Operator {
        Operator {
            id,
            login: format!("made-up-{id}"),
            display_name: format!("Operator {id}"),
            role: Role::Operator,
            disabled: false,
            memberships: vec![Membership {
                queue: self.queue.clone(),
                rank: 0,
                position: 0,
            }],
            skills: crate::routing::Skills::default(),
            capacity: self.capacity,
            auto_accept: false,
            presence: Presence::Ready,
            next_presence: None,
            idle_since: from,
            turn: 0,
            load: Load::default(),
            wrapping_up: 0,
            misses: 0,
            not_responding: false,
            cool_down_until: None,
            link: Link::Unwatched,
            lost_at: None,
            version: 1,
        }
    }

    fn conversation(
        &self,
        rules: &RoutingRules,
        id: ConversationId,
        now: Timestamp,
    ) -> Conversation {
        let line = LineId::from("made-up");
        let place = Place {
            band: 0,
            eligible_at: now,
            seq: id.get(),
        };
        Conversation {
            id,
            thread: ThreadId::new(id.get()),
            skills: rules.skills(&line, &self.queue),
            line,
            channel: self.medium.name().to_owned(),
            medium: self.medium,
            queue: self.queue.clone(),
            client: Client {
                contact: ContactId::from("made-up"),
                display_name: String::new(),
                avatar_url: None,
                address: String::new(),
                provisional: false,
                known: false,
            },
            state: State::Queued,
            place,
            tried: BTreeSet::new(),
            last_asked: None,
            round: 1,
            asked_at: None,
            not_before: None,
            preferred: None,
            last_owner: None,
            returned: false,
            over_capacity: false,
            overflows_taken: 0,
            overflow_home: None,
            overflow_at: None,
            overflow: None,
            callback: None,
            away: None,
            park_at: None,
            unread_count: 0,
            subject: None,
            participants: BTreeSet::new(),
            mentioned: BTreeSet::new(),
            created_at: now,
            answered_at: None,
            disposition: String::new(),
            counted: Counted::default(),
            last_message: None,
            version: 1,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from a float saturates"
)]
fn rounded(number: f64) -> i64 {
    number.round() as i64
}

/// The time with such a mean that is longer with this probability.
#[expect(clippy::cast_precision_loss, reason = "exact up to 285,000 years")]
fn exponential(mean: Millis, share: f64) -> Millis {
    Millis(rounded(-(mean.0 as f64) * share.ln()))
}
