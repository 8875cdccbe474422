//! What a change counts for.

use super::standing::{Ending, Phase, Standing, Work};
use super::{Counter, Diversion, HOUR_MS, Histogram, Hour, Increment, Key, Slot};
use crate::conversation::{Offer, OfferOutcome, OfferState};
use crate::event::EventKind;
use crate::message::{Author, Direction, Message};
use crate::obligation::{Obligation, Outcome};
use crate::operator::{Link, Operator, Presence};
use crate::rating::{Rating, Score};
use crate::{LineId, OperatorId, QueueId, Timestamp};

/// An operator about whom nothing was heard for longer counts for the last of it.
const SPAN_HOURS_MAX: i64 = 1_000;

/// The least score of a client who is satisfied.
const SATISFIED_MIN: u8 = 4;

/// Where things are counted that happen at one moment to one conversation.
struct Book<'a> {
    at: Timestamp,
    line: &'a LineId,
    counted: &'a mut Vec<Increment>,
}

impl Book<'_> {
    fn add(&mut self, queue: &QueueId, operator: Option<OperatorId>, what: Slot, by: i64) {
        let key = Key {
            hour: Hour::of(self.at),
            line: Some(self.line.clone()),
            queue: Some(queue.clone()),
            operator,
        };
        self.counted.push(Increment { key, what, by });
    }

    fn one(&mut self, queue: &QueueId, operator: Option<OperatorId>, counter: Counter) {
        self.add(queue, operator, Slot::Of(counter), 1);
    }

    fn time(&mut self, queue: &QueueId, operator: OperatorId, counter: Counter, ms: i64) {
        if ms > 0 {
            self.add(queue, Some(operator), Slot::Of(counter), ms);
        }
    }
}

/// What the change from `before` to `after` at `at` counts for; none before is a new
/// conversation. Answers since when it is in its phase, to be kept with it.
pub fn conversation(
    before: Option<&Standing>,
    after: &Standing,
    at: Timestamp,
    counted: &mut Vec<Increment>,
) -> Option<Timestamp> {
    let mut book = Book {
        at,
        line: &after.line,
        counted,
    };
    let since = match before {
        None => began(&mut book, after),
        Some(before) => changed(&mut book, before, after),
    };
    first_reply(&mut book, before, after);
    since
}

fn began(book: &mut Book<'_>, after: &Standing) -> Option<Timestamp> {
    let queue = &after.queue;
    book.one(queue, None, Counter::Opened);
    if after.counted.again {
        book.one(queue, None, Counter::Reopened);
    }
    if after.counted.ours {
        book.one(queue, None, Counter::Started);
    }
    match after.phase {
        // Nobody waits in a conversation that an operator begins.
        Phase::Waiting if after.counted.ours => None,
        Phase::Waiting => {
            book.one(queue, None, Counter::Offered);
            Some(book.at)
        }
        Phase::Deferred => {
            book.one(queue, None, Counter::Deferred);
            Some(book.at)
        }
        Phase::InHand { .. } => Some(book.at),
        Phase::Left { .. } | Phase::Ended(_) => None,
    }
}

fn changed(book: &mut Book<'_>, before: &Standing, after: &Standing) -> Option<Timestamp> {
    let since = before.counted.since;
    match (before.phase, after.phase) {
        (Phase::Waiting | Phase::Left { .. }, Phase::Waiting | Phase::Left { .. }) => {
            if before.queue != after.queue && since.is_some() {
                book.one(&before.queue, None, Diversion::Queue.counter());
                book.one(&after.queue, None, Counter::Offered);
            }
            return since;
        }
        (Phase::Deferred, Phase::Deferred) | (Phase::Ended(_), Phase::Ended(_)) => return since,
        (Phase::InHand { .. }, Phase::InHand { .. }) if before.phase == after.phase => {
            return since;
        }
        (Phase::Waiting | Phase::Left { .. }, _) => waited(book, before, after),
        (Phase::InHand { operator, work }, _) => worked(book, before, operator, work, after),
        (Phase::Deferred | Phase::Ended(_), _) => {}
    }
    match after.phase {
        Phase::Waiting => {
            book.one(&after.queue, None, Counter::Offered);
            Some(book.at)
        }
        Phase::Deferred | Phase::InHand { .. } => Some(book.at),
        Phase::Left { .. } => None,
        Phase::Ended(_) => {
            book.one(&after.queue, before.operator(), Counter::Closed);
            None
        }
    }
}

/// The wait is over, one way or another.
fn waited(book: &mut Book<'_>, before: &Standing, after: &Standing) {
    let Some(since) = before.counted.since else {
        return;
    };
    let queue = &before.queue;
    match after.phase {
        Phase::InHand { operator, .. } => {
            let wait = book.at.since(since).0;
            let who = Some(operator);
            book.one(queue, who, Counter::Answered);
            book.add(queue, who, Slot::Of(Counter::AnsweredWaitMs), wait);
            book.add(queue, who, Histogram::Answered.step_of(wait), 1);
        }
        Phase::Ended(Ending::Abandoned { left_at }) => {
            let left_at = match before.phase {
                Phase::Left { at } => at,
                Phase::Deferred | Phase::Waiting | Phase::InHand { .. } | Phase::Ended(_) => {
                    left_at
                }
            };
            let wait = left_at.since(since).0;
            book.one(queue, None, Counter::Abandoned);
            book.add(queue, None, Slot::Of(Counter::AbandonedWaitMs), wait);
            book.add(queue, None, Histogram::Abandoned.step_of(wait), 1);
        }
        Phase::Ended(Ending::Diverted(why)) => book.one(queue, None, why.counter()),
        Phase::Ended(Ending::Finished) => book.one(queue, None, Diversion::Closed.counter()),
        Phase::Deferred => book.one(queue, None, Diversion::Hours.counter()),
        Phase::Waiting | Phase::Left { .. } => {}
    }
}

/// An operator's stretch of work has ended, or they do something else now.
fn worked(
    book: &mut Book<'_>,
    before: &Standing,
    operator: OperatorId,
    work: Work,
    after: &Standing,
) {
    let queue = &before.queue;
    let ms = before
        .counted
        .since
        .map_or(0, |since| book.at.since(since).0);
    match work {
        Work::Talk => book.time(queue, operator, Counter::TalkMs, ms),
        Work::Hold => book.time(queue, operator, Counter::HoldMs, ms),
        Work::WrapUp => book.time(queue, operator, Counter::WrapUpMs, ms),
        Work::Parked => {}
    }
    if after.operator() == Some(operator) {
        return;
    }
    let who = Some(operator);
    book.one(queue, who, Counter::Handled);
    let woke = work == Work::Parked && after.preferred == who;
    if matches!(after.phase, Phase::Ended(_)) || woke {
        return;
    }
    if after.returned && !before.returned {
        book.one(queue, who, Counter::Returned);
    } else {
        book.one(queue, who, Counter::Transferred);
    }
}

fn first_reply(book: &mut Book<'_>, before: Option<&Standing>, after: &Standing) {
    let known = before.and_then(|before| before.counted.first_reply_at);
    let Some(replied_at) = after.counted.first_reply_at else {
        return;
    };
    if known.is_some() || after.counted.ours {
        return;
    }
    let (queue, who) = (&after.queue, after.operator());
    let ms = replied_at.since(after.created_at).0;
    book.one(queue, who, Counter::FirstReplies);
    book.add(queue, who, Slot::Of(Counter::FirstReplyMs), ms);
    book.add(queue, who, Histogram::FirstReply.step_of(ms), 1);
}

/// What a new message counts for; `queue` is its conversation's.
pub fn message(message: &Message, queue: &QueueId, at: Timestamp, counted: &mut Vec<Increment>) {
    let mut book = Book {
        at,
        line: &message.line,
        counted,
    };
    let who = match message.author {
        Author::Operator(operator) => Some(operator),
        Author::Client | Author::Gateway | Author::Elsewhere => None,
    };
    match message.direction {
        Direction::Inbound => book.one(queue, None, Counter::MessagesIn),
        Direction::Outbound => book.one(queue, who, Counter::MessagesOut),
        Direction::Note => {}
    }
}

/// What a new offer counts for, or one that has ended; `line` is its conversation's.
pub fn offer(offer: &Offer, line: &LineId, at: Timestamp, counted: &mut Vec<Increment>) {
    let mut book = Book { at, line, counted };
    let given_at_once = offer.made_at == offer.expires_at;
    let outcome = match &offer.state {
        OfferState::Pending => Counter::OffersMade,
        OfferState::Ended { outcome, .. } => match outcome {
            OfferOutcome::Accepted if given_at_once => Counter::Assigned,
            OfferOutcome::Accepted => Counter::OffersAccepted,
            OfferOutcome::Declined { .. } => Counter::OffersDeclined,
            OfferOutcome::TimedOut => Counter::OffersTimedOut,
            OfferOutcome::Rescinded { .. } => Counter::OffersRescinded,
            OfferOutcome::Revoked { .. } => Counter::OffersRevoked,
        },
    };
    book.one(&offer.queue, Some(offer.operator), outcome);
}

/// What an event counts for that is about a conversation which is not changed by it: how
/// a promise to a client ended, and what they thought of us.
pub fn told(kind: &EventKind, at: Timestamp, counted: &mut Vec<Increment>) {
    match kind {
        EventKind::Rated {
            rating, previous, ..
        } => rated(rating, *previous, at, counted),
        EventKind::ObligationChanged { obligation, .. }
        | EventKind::ObligationDue { obligation, .. } => promised(obligation, at, counted),
        EventKind::ConversationOpened(_)
        | EventKind::ConversationChanged(_)
        | EventKind::ConversationLeft { .. }
        | EventKind::MessageAdded { .. }
        | EventKind::MessageChanged { .. }
        | EventKind::OfferMade { .. }
        | EventKind::OfferEnded(_)
        | EventKind::PresenceChanged(_)
        | EventKind::ContactChanged { .. }
        | EventKind::ContactsMerged { .. }
        | EventKind::Reviewed(_)
        | EventKind::CannedRepliesChanged { .. }
        | EventKind::QueueChanged { .. }
        | EventKind::MentionsChanged { .. } => {}
    }
}

fn promised(promise: &Obligation, at: Timestamp, counted: &mut Vec<Increment>) {
    let outcome = match promise.outcome() {
        Some(Outcome::Kept) => Counter::PromisesKept,
        Some(Outcome::Late) => Counter::PromisesLate,
        Some(Outcome::Broken) => Counter::PromisesBroken,
        Some(Outcome::Waived) | None => return,
    };
    let key = Key {
        hour: Hour::of(at),
        line: promise.line.clone(),
        queue: Some(promise.queue.clone()),
        operator: promise.owner,
    };
    let what = Slot::Of(outcome);
    counted.push(Increment { key, what, by: 1 });
}

/// A rating that was changed counts for the difference, at the time of the change.
fn rated(rating: &Rating, previous: Option<Score>, at: Timestamp, counted: &mut Vec<Increment>) {
    let points = |score: Score| i64::from(score.get());
    let satisfied = |score: Score| i64::from(score.get() >= SATISFIED_MIN);
    let mut book = Book {
        at,
        line: &rating.line,
        counted,
    };
    let (queue, who) = (&rating.queue, Some(rating.operator));
    if previous.is_none() {
        book.one(queue, who, Counter::Ratings);
    }
    let sum = points(rating.score) - previous.map_or(0, points);
    let happy = satisfied(rating.score) - previous.map_or(0, satisfied);
    if sum != 0 {
        book.add(queue, who, Slot::Of(Counter::RatingsSum), sum);
    }
    if happy != 0 {
        book.add(queue, who, Slot::Of(Counter::RatingsSatisfied), happy);
    }
}

/// What an operator does, as far as counting goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// Not at work, or may not sign in.
    Offline,
    /// At work, takes nothing new.
    Away,
    /// Missed offers and gets none.
    NotResponding,
    /// Takes work and has none.
    Idle,
    /// Takes work and has some.
    Busy,
}

impl Activity {
    /// Every one, in order.
    pub const ALL: [Self; 5] = [
        Self::Offline,
        Self::Away,
        Self::NotResponding,
        Self::Idle,
        Self::Busy,
    ];

    /// What an operator does.
    pub fn of(operator: &Operator) -> Self {
        if operator.disabled {
            return Self::Offline;
        }
        match operator.presence {
            Presence::Offline => Self::Offline,
            Presence::Away { .. } => Self::Away,
            Presence::Ready if operator.not_responding || operator.link == Link::Down => {
                Self::NotResponding
            }
            Presence::Ready if operator.load.is_empty() => Self::Idle,
            Presence::Ready => Self::Busy,
        }
    }
}

/// What the time from `from` to `to` counts for in which an operator was as
/// `operator` says, hour by hour.
pub fn span(operator: &Operator, from: Timestamp, to: Timestamp, counted: &mut Vec<Increment>) {
    let activity = Activity::of(operator);
    if activity == Activity::Offline {
        return;
    }
    let mut from = from.max(Timestamp(to.0.saturating_sub(SPAN_HOURS_MAX * HOUR_MS)));
    while from < to {
        let hour = Hour::of(from);
        let end = hour.next().start().min(to);
        slice(operator, activity, hour, end.since(from).0, counted);
        from = end;
    }
}

fn slice(
    operator: &Operator,
    activity: Activity,
    hour: Hour,
    ms: i64,
    counted: &mut Vec<Increment>,
) {
    let mut add = |counter: Counter, by: i64| {
        let key = Key {
            hour,
            line: None,
            queue: None,
            operator: Some(operator.id),
        };
        let what = Slot::Of(counter);
        counted.push(Increment { key, what, by });
    };
    match activity {
        Activity::Offline | Activity::Busy => {}
        Activity::Idle => add(Counter::IdleMs, ms),
        Activity::Away => add(Counter::AwayMs, ms),
        Activity::NotResponding => add(Counter::NotRespondingMs, ms),
    }
    let has_work = !operator.load.is_empty();
    if has_work {
        add(Counter::BusyMs, ms);
    }
    if has_work || activity == Activity::Idle {
        add(
            Counter::CapacityUnitMs,
            ms.saturating_mul(i64::from(operator.capacity)),
        );
    }
    for (medium, count) in operator.load.iter() {
        add(
            Counter::carried(medium),
            ms.saturating_mul(i64::from(count)),
        );
    }
}
