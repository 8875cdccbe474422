//! What Prometheus is told of the queues: the same increments that make the metrics,
//! and how things stand every few seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::metrics::{Activity, Counter, Increment, Slot};
use domain::{Millis, Timestamp};
use store::StoreError;

use crate::Engine;
use crate::serving::Serving;

/// The pace of what stands.
const PACE: Duration = Duration::from_secs(10);
/// How long the hours are kept.
const KEEP: Millis = Millis::from_secs(800 * 86_400);
/// Old rows forgotten at once: little enough to hold nobody up.
const PRUNE: i64 = 500;
/// Told instead of a queue that is not configured, so that labels stay few.
const OTHER: &str = "other";

/// Counts for Prometheus what a commit counted.
pub(crate) fn tell(increments: &[Increment], serving: &Serving) {
    for one in increments {
        let (Slot::Of(counter), Some(queue)) = (one.what, &one.key.queue) else {
            continue;
        };
        let queue = if serving.has_queue(queue) {
            queue.to_string()
        } else {
            OTHER.to_owned()
        };
        tell_one(counter, queue, one.by);
    }
}

fn tell_one(counter: Counter, queue: String, by: i64) {
    match told(counter) {
        Told::Nothing => {}
        Told::Count(name) => {
            metrics::counter!(name, "queue" => queue).increment(by.unsigned_abs());
        }
        Told::Labelled(name, label, value) => {
            metrics::counter!(name, "queue" => queue, label => value).increment(by.unsigned_abs());
        }
        Told::Length(name) => {
            let length = Millis(by);
            metrics::histogram!(name, "queue" => queue).record(seconds(length));
        }
    }
}

/// What Prometheus is told of a counter.
enum Told {
    Nothing,
    Count(&'static str),
    Labelled(&'static str, &'static str, &'static str),
    Length(&'static str),
}

const fn told(counter: Counter) -> Told {
    const DIVERTED: &str = "queue_diverted_total";
    const OFFERS: &str = "queue_offers_total";
    const HANDLING: &str = "queue_handling_milliseconds_total";
    const PROMISES: &str = "queue_promises_total";
    const MESSAGES: &str = "queue_messages_total";
    match counter {
        Counter::Opened => Told::Count("queue_opened_total"),
        Counter::Reopened => Told::Count("queue_reopened_total"),
        Counter::Offered => Told::Count("queue_offered_total"),
        Counter::Answered => Told::Count("queue_answered_total"),
        Counter::AnsweredWaitMs => Told::Length("queue_answer_wait_seconds"),
        Counter::Abandoned => Told::Count("queue_abandoned_total"),
        Counter::AbandonedWaitMs => Told::Length("queue_abandon_wait_seconds"),
        Counter::Handled => Told::Count("queue_handled_total"),
        Counter::TalkMs => Told::Labelled(HANDLING, "part", "talk"),
        Counter::HoldMs => Told::Labelled(HANDLING, "part", "hold"),
        Counter::WrapUpMs => Told::Labelled(HANDLING, "part", "wrap_up"),
        Counter::Transferred => Told::Count("queue_transferred_total"),
        Counter::Returned => Told::Count("queue_returned_total"),
        Counter::Closed => Told::Count("queue_closed_total"),
        Counter::FirstReplyMs => Told::Length("queue_first_reply_seconds"),
        Counter::MessagesIn => Told::Labelled(MESSAGES, "direction", "in"),
        Counter::MessagesOut => Told::Labelled(MESSAGES, "direction", "out"),
        Counter::OffersMade => Told::Labelled(OFFERS, "outcome", "made"),
        Counter::OffersAccepted => Told::Labelled(OFFERS, "outcome", "accepted"),
        Counter::OffersDeclined => Told::Labelled(OFFERS, "outcome", "declined"),
        Counter::OffersTimedOut => Told::Labelled(OFFERS, "outcome", "timed_out"),
        Counter::OffersRescinded => Told::Labelled(OFFERS, "outcome", "rescinded"),
        Counter::OffersRevoked => Told::Labelled(OFFERS, "outcome", "revoked"),
        Counter::Assigned => Told::Labelled(OFFERS, "outcome", "assigned"),
        Counter::PromisesKept => Told::Labelled(PROMISES, "outcome", "kept"),
        Counter::PromisesLate => Told::Labelled(PROMISES, "outcome", "late"),
        Counter::PromisesBroken => Told::Labelled(PROMISES, "outcome", "broken"),
        Counter::Ratings => Told::Count("queue_ratings_total"),
        Counter::RatingsSatisfied => Told::Count("queue_ratings_satisfied_total"),
        Counter::RatingsSum => Told::Count("queue_ratings_sum_total"),
        Counter::DivertedToQueue => Told::Labelled(DIVERTED, "reason", "queue"),
        Counter::DivertedClosed => Told::Labelled(DIVERTED, "reason", "closed"),
        Counter::DivertedToVoicemail => Told::Labelled(DIVERTED, "reason", "voicemail"),
        Counter::DivertedToForm => Told::Labelled(DIVERTED, "reason", "form"),
        Counter::DivertedToCallback => Told::Labelled(DIVERTED, "reason", "callback"),
        Counter::DivertedByHours => Told::Labelled(DIVERTED, "reason", "hours"),
        Counter::DivertedByFullQueue => Told::Labelled(DIVERTED, "reason", "full_queue"),
        Counter::DivertedUnstaffed => Told::Labelled(DIVERTED, "reason", "unstaffed"),
        Counter::DivertedOtherwise => Told::Labelled(DIVERTED, "reason", "other"),
        // What is told as a count with its length, and what belongs to no queue.
        Counter::Started
        | Counter::Deferred
        | Counter::FirstReplies
        | Counter::IdleMs
        | Counter::BusyMs
        | Counter::AwayMs
        | Counter::NotRespondingMs
        | Counter::CapacityUnitMs
        | Counter::CarriedVoiceMs
        | Counter::CarriedChatMs
        | Counter::CarriedMessengerMs
        | Counter::CarriedSmsMs
        | Counter::CarriedEmailMs
        | Counter::CarriedFormMs => Told::Nothing,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a metric needs no more than 52 bits"
)]
fn seconds(length: Millis) -> f64 {
    length.0 as f64 / 1_000.0
}

/// Tells how things stand, and forgets hours that are too old.
pub(crate) async fn run(engine: Engine) {
    let stop = engine.stopping();
    while !stop.is_cancelled() {
        if let Err(error) = engine.tell_standing().await {
            tracing::warn!(%error, "the queues could not be measured");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(PACE) => {}
        }
    }
}

const fn name(activity: Activity) -> &'static str {
    match activity {
        Activity::Offline => "offline",
        Activity::Away => "away",
        Activity::NotResponding => "not_responding",
        Activity::Idle => "idle",
        Activity::Busy => "busy",
    }
}

impl Engine {
    async fn tell_standing(&self) -> Result<(), StoreError> {
        let now = self.now();
        let queues: Vec<_> = self
            .settings()
            .queues
            .iter()
            .map(|queue| queue.id.clone())
            .collect();
        let before = now - KEEP;
        let (standing, operators, is_old) = self
            .read::<_, StoreError>(move |view| {
                let tallies = view.tallies()?;
                let mut standing = Vec::new();
                for queue in queues {
                    let tally = tallies.iter().find(|tally| tally.queue == queue);
                    let waiting = tally.map_or(0, |tally| tally.queued + tally.offered);
                    let active = tally.map_or(0, |tally| tally.active);
                    let oldest = view.oldest_waiting(&queue)?;
                    standing.push((queue, waiting, active, oldest));
                }
                Ok((
                    standing,
                    view.all_operators()?,
                    view.has_metrics_before(before)?,
                ))
            })
            .await?;
        for (queue, waiting, active, oldest) in standing {
            let wait = oldest.map_or(Millis(0), |oldest| now.since(oldest));
            let label = queue.to_string();
            metrics::gauge!("queue_waiting", "queue" => label.clone()).set(count(waiting));
            metrics::gauge!("queue_active", "queue" => label.clone()).set(count(active));
            metrics::gauge!("queue_longest_wait_seconds", "queue" => label).set(seconds(wait));
        }
        let mut activities: BTreeMap<Activity, i64> = Activity::ALL.map(|known| (known, 0)).into();
        for operator in operators.iter().filter(|operator| !operator.disabled) {
            *activities.entry(Activity::of(operator)).or_default() += 1;
        }
        for (activity, number) in activities {
            metrics::gauge!("operators", "activity" => name(activity)).set(count(number));
        }
        if is_old {
            self.forget_metrics(before).await?;
        }
        Ok(())
    }

    async fn forget_metrics(&self, before: Timestamp) -> Result<(), StoreError> {
        self.store()
            .write_behind::<_, StoreError>(move |tx| tx.prune_metrics(before, PRUNE))
            .await
            .map(drop)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a metric needs no more than 52 bits"
)]
fn count(number: i64) -> f64 {
    number as f64
}
