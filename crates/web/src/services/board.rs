//! The queues and operators of now and today, as a wallboard shows them.

use std::collections::BTreeMap;

use domain::metrics::{Activity, Counter, Counts, Thresholds, asa, service_levels};
use domain::operator::{Operator, Presence, RoutingState};
use domain::routing::{Assignment, RoutingRules};
use domain::{OperatorId, QueueId, Timestamp};
use engine::act::Today;
use engine::contacts::convert::timestamp;
use engine::{ActError, Actor, Engine};
use proto::routing::v1 as pb;
use store::{OperatorClock, StoreError, Tally, View};

/// What one reader watches.
pub(super) struct Board {
    today: Today,
}

/// What is read at once.
struct Picture {
    operators: Vec<Operator>,
    clocks: BTreeMap<OperatorId, OperatorClock>,
    tallies: Vec<Tally>,
    today: BTreeMap<String, Counts>,
}

impl Board {
    /// With the days of a time zone.
    pub(super) fn of(time_zone: &str) -> Result<Self, ActError> {
        let today = Today::of(time_zone)?;
        Ok(Self { today })
    }

    /// How it stands now.
    pub(super) async fn read(
        &mut self,
        engine: &Engine,
        actor: &Actor,
    ) -> Result<pb::WatchQueuesResponse, StoreError> {
        let settings = engine.settings();
        let may_see = |id: &QueueId| actor.queues().is_none_or(|queues| queues.contains(id));
        let shown: Vec<_> = settings
            .queues
            .iter()
            .filter(|queue| may_see(&queue.id))
            .cloned()
            .collect();
        let (now, actor) = (engine.now(), actor.clone());
        // What was read comes back with the answer.
        let mut today = self.today.clone();
        let (answer, today) = engine
            .read::<_, StoreError>(move |view| {
                let picture = Picture {
                    operators: view.all_operators()?,
                    clocks: view.operator_clocks()?,
                    tallies: view.tallies()?,
                    today: today.read(view, now)?,
                };
                let queues = shown
                    .into_iter()
                    .map(|queue| picture.queue(view, queue, &settings.rules, now))
                    .collect::<Result<_, StoreError>>()?;
                let operators = picture.people(&actor, &settings.rules);
                Ok((pb::WatchQueuesResponse { queues, operators }, today))
            })
            .await?;
        self.today = today;
        Ok(answer)
    }
}

impl Picture {
    fn queue(
        &self,
        view: &View<'_>,
        queue: engine::settings::Queue,
        rules: &RoutingRules,
        now: Timestamp,
    ) -> Result<pb::Queue, StoreError> {
        let tally = self.tallies.iter().find(|tally| tally.queue == queue.id);
        let members = || {
            let works_here = |operator: &&Operator| works_for(operator, &queue.id);
            self.operators.iter().filter(works_here)
        };
        let ready = || {
            members().filter(|operator| !operator.disabled && operator.presence == Presence::Ready)
        };
        let free = ready().filter(|operator| {
            matches!(
                operator.routing_state(now, &rules.capacity),
                RoutingState::Free | RoutingState::Partial
            )
        });
        let own = rules.of(&queue.id);
        let (offered, waiting, active) = tally.map_or((0, 0, 0), |tally| {
            (tally.offered, tally.queued + tally.offered, tally.active)
        });
        Ok(pb::Queue {
            strategy: own.strategy.name().to_owned(),
            direct: own.assignment == Assignment::Direct,
            waiting: count(waiting),
            offered: count(offered),
            oldest_waiting_since: view.oldest_waiting(&queue.id)?.map(timestamp),
            active: count(active),
            ready_operators: size(ready().count()),
            free_operators: size(free.count()),
            today: Some(today(self.today.get(queue.id.as_str()))),
            activities: activities(members()),
            deferred: count(tally.map_or(0, |tally| tally.deferred)),
            abandoned: count(tally.map_or(0, |tally| tally.abandoned)),
            wrapping_up: count(tally.map_or(0, |tally| tally.wrap_up)),
            id: queue.id.to_string(),
            display_name: queue.display_name,
        })
    }

    fn people(&self, actor: &Actor, rules: &RoutingRules) -> Vec<pb::OperatorNow> {
        let is_shown = |operator: &&Operator| {
            let may_see = actor.supervises() || actor.operator == Some(operator.id);
            may_see && !operator.disabled && !operator.memberships.is_empty()
        };
        let people = self.operators.iter().filter(is_shown);
        people
            .map(|operator| pb::OperatorNow {
                operator_id: operator.id.to_string(),
                display_name: operator.display_name.clone(),
                activity: activity(Activity::of(operator)).into(),
                since: self
                    .clocks
                    .get(&operator.id)
                    .map(|clock| timestamp(clock.since)),
                away_reason: match &operator.presence {
                    Presence::Away { reason } => reason.clone(),
                    Presence::Ready | Presence::Offline => String::new(),
                },
                load: i32::try_from(operator.load.units(&rules.capacity)).unwrap_or(i32::MAX),
                capacity: i32::try_from(operator.capacity).unwrap_or(i32::MAX),
                queue_ids: operator
                    .memberships
                    .iter()
                    .map(|membership| membership.queue.to_string())
                    .collect(),
            })
            .collect()
    }
}

fn today(counts: Option<&Counts>) -> pb::QueueToday {
    let nothing = Counts::default();
    let counts = counts.unwrap_or(&nothing);
    let soon = Thresholds::default();
    let [service_level, ..] = service_levels(counts, soon);
    pb::QueueToday {
        offered: count(counts.get(Counter::Offered)),
        answered: count(counts.get(Counter::Answered)),
        abandoned: count(counts.get(Counter::Abandoned)),
        service_level: service_level.value(),
        service_level_seconds: count(soon.target_s()),
        asa_seconds: asa(counts).value(),
    }
}

fn activities<'a>(members: impl Iterator<Item = &'a Operator>) -> Vec<pb::ActivityCount> {
    let mut counts: BTreeMap<Activity, i32> = BTreeMap::new();
    for operator in members.filter(|operator| !operator.disabled) {
        *counts.entry(Activity::of(operator)).or_default() += 1;
    }
    let counted = counts.into_iter();
    counted
        .map(|(known, operators)| pb::ActivityCount {
            activity: activity(known).into(),
            operators,
        })
        .collect()
}

const fn activity(activity: Activity) -> pb::Activity {
    match activity {
        Activity::Offline => pb::Activity::NotAtWork,
        Activity::Away => pb::Activity::OnABreak,
        Activity::NotResponding => pb::Activity::MissingOffers,
        Activity::Idle => pb::Activity::Idle,
        Activity::Busy => pb::Activity::Busy,
    }
}

pub(super) fn works_for(operator: &Operator, queue: &QueueId) -> bool {
    operator
        .memberships
        .iter()
        .any(|membership| membership.queue == *queue)
}

fn count(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn size(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
