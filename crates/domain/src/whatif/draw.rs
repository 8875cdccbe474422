//! What is drawn where nothing was recorded: from what was recorded of others.

use std::collections::BTreeMap;

use super::recording::Answer;
use crate::{ConversationId, Millis, OperatorId, QueueId};

/// What is drawn follows from this number, the conversation and what is drawn for, and
/// not from the order of events: two runs with one seed differ only in what they do
/// differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

/// For what a number is drawn.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum For {
    Patience = 1,
    Handling = 2,
    Answer = 3,
    Delay = 4,
    Arrival = 5,
}

impl Seed {
    /// Between 0 and 1, and neither of them.
    pub(super) fn draw(self, conversation: ConversationId, what: For, number: usize) -> f64 {
        let mut bits = mix(self.0 ^ 0x9e37_79b9_7f4a_7c15);
        bits = mix(bits ^ conversation.get().cast_unsigned());
        bits = mix(bits ^ (what as u64) << 32 ^ u64::try_from(number).unwrap_or(u64::MAX));
        float(bits >> 11) / float(1 << 53) + f64::EPSILON / 4.0
    }
}

/// The finisher of `splitmix64` (G. Steele, D. Lea and C. Flood, "Fast Splittable
/// Pseudorandom Number Generators", 2014).
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are given")]
fn float(bits: u64) -> f64 {
    bits as f64
}

/// Of a share and a number of things: which one.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length is an index"
)]
fn index(share: f64, length: usize) -> usize {
    ((share * length as f64) as usize).min(length.saturating_sub(1))
}

/// Distributions as they were seen.
#[derive(Clone, Debug, Default)]
pub struct Draws {
    queues: BTreeMap<QueueId, OfQueue>,
    all: OfQueue,
    people: BTreeMap<OperatorId, Vec<(Answer, Millis)>>,
    anybody: Vec<(Answer, Millis)>,
}

#[derive(Clone, Debug, Default)]
struct OfQueue {
    handling: Vec<Millis>,
    waits: Vec<(Millis, bool)>,
    survival: Vec<(Millis, f64)>,
}

impl OfQueue {
    fn finish(&mut self) {
        self.handling.sort_unstable();
        self.waits.sort_unstable();
        self.survival = survival(&self.waits);
    }
}

/// The share of clients who would wait longer than each time at which somebody left:
/// the product-limit estimate (E. Kaplan and P. Meier, "Nonparametric Estimation from
/// Incomplete Observations", 1958). Who was answered is known to have waited so long,
/// and no more is known of them.
fn survival(waits: &[(Millis, bool)]) -> Vec<(Millis, f64)> {
    let mut curve: Vec<(Millis, f64)> = Vec::new();
    let mut share = 1.0;
    for (at, (wait, left)) in waits.iter().enumerate() {
        if !left {
            continue;
        }
        let at_risk = float(u64::try_from(waits.len() - at).unwrap_or(u64::MAX));
        share *= 1.0 - 1.0 / at_risk;
        match curve.last_mut() {
            Some(last) if last.0 == *wait => last.1 = share,
            Some(_) | None => curve.push((*wait, share)),
        }
    }
    curve
}

impl Draws {
    pub(super) fn handled(&mut self, queue: &QueueId, time: Millis) {
        self.all.handling.push(time);
        self.of(queue).handling.push(time);
    }

    pub(super) fn waited(&mut self, queue: &QueueId, wait: Millis, left: bool) {
        self.all.waits.push((wait, left));
        self.of(queue).waits.push((wait, left));
    }

    pub(super) fn answered(&mut self, who: OperatorId, answer: Answer, after: Millis) {
        self.anybody.push((answer, after));
        self.people.entry(who).or_default().push((answer, after));
    }

    fn of(&mut self, queue: &QueueId) -> &mut OfQueue {
        self.queues.entry(queue.clone()).or_default()
    }

    pub(super) fn finish(&mut self) {
        self.all.finish();
        for queue in self.queues.values_mut() {
            queue.finish();
        }
    }

    /// The mean time until clients of a queue leave, were they not answered, taken as
    /// exponential: all that was waited, by those who left. None when nobody did.
    pub fn patience(&self, queue: &QueueId) -> Option<Millis> {
        let waits = &self.queues.get(queue)?.waits;
        let waited: i64 = waits.iter().map(|(wait, _)| wait.0).sum();
        let left = waits.iter().filter(|(_, left)| *left).count();
        let left = i64::try_from(left).ok().filter(|left| *left > 0)?;
        Some(Millis((waited / left).max(1)))
    }

    /// How long a conversation takes of which no more is known than that it takes longer
    /// than `over`.
    pub(super) fn handling(&self, queue: &QueueId, over: Millis, share: f64) -> Option<Millis> {
        let own = self.queues.get(queue).map(|queue| &queue.handling);
        let own = own.filter(|own| !own.is_empty());
        let all = own.unwrap_or(&self.all.handling);
        let longer = all.partition_point(|time| *time <= over);
        let left = &all[longer..];
        left.get(index(share, left.len())).copied()
    }

    /// When a client leaves who is known to wait longer than `over`. None is never: not
    /// so long as anybody was seen to wait.
    pub(super) fn leaves(&self, queue: &QueueId, over: Millis, share: f64) -> Option<Millis> {
        let curve = &self.queues.get(queue)?.survival;
        let passed = curve.partition_point(|(wait, _)| *wait <= over);
        let stay = passed.checked_sub(1).map_or(1.0, |last| curve[last].1);
        let target = stay * share;
        let left = &curve[passed..];
        let at = left.partition_point(|(_, stay)| *stay > target);
        left.get(at).map(|(wait, _)| *wait)
    }

    /// How an operator answers: as they did, or as others did.
    pub(super) fn reply(&self, who: OperatorId, share: f64) -> (Answer, Millis) {
        let own = self.people.get(&who).filter(|own| !own.is_empty());
        let all = own.unwrap_or(&self.anybody);
        let found = all.get(index(share, all.len())).copied();
        found.unwrap_or((Answer::Accepts, Millis(0)))
    }
}
