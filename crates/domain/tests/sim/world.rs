//! A gateway in memory, with what it has to be held against: what was opened, who was
//! asked, since when somebody is idle, told independently of the machines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::conversation::{
    self, Client, CloseReason, Conversation, Input, OfferOutcome, Refusal, State,
};
use domain::hours::{DayHours, Opening, Schedule};
use domain::message::Medium;
use domain::metrics::Counted;
use domain::operator::{self, Link, Load, Membership, Operator, Presence, Role};
use domain::routing::{Decision, Place, RoutingRules, Skills, Snapshot};
use domain::{
    ContactId, ConversationId, LineId, Millis, OfferId, OperatorId, QueueId, ThreadId, Timestamp,
};

use crate::planted::Planted;
use crate::reference::{self, Office};
use crate::{assertions, state};

/// A queue's hours: open from the beginning of every period of a day for so long, by
/// the clock of Greenwich.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hours {
    pub(crate) period: Millis,
    pub(crate) open_for: Millis,
}

const DAY: i64 = 24 * 3_600_000;

impl Hours {
    fn into_period(self, at: Timestamp) -> i64 {
        at.0.rem_euclid(DAY) % self.period.0
    }

    pub(crate) fn is_open(self, at: Timestamp) -> bool {
        self.into_period(at) < self.open_for.0
    }

    /// The next opening after a moment.
    fn opens(self, after: Timestamp) -> Timestamp {
        let left = self.period.0 - self.into_period(after);
        // The day begins a period anew.
        after + Millis(left.min(DAY - after.0.rem_euclid(DAY)))
    }

    /// The next closing after a moment at which it is open.
    fn closes(self, after: Timestamp) -> Timestamp {
        after + Millis(self.open_for.0 - self.into_period(after))
    }

    /// The same hours as they are written down, by the clock of a zone.
    pub(crate) fn schedule(self, zone: &str) -> Schedule {
        let minutes = |time: Millis| usize::try_from(time.0 / 60_000).expect("small");
        let begins = (0..24 * 60).step_by(minutes(self.period));
        let time = |minute: usize| format!("{:02}:{:02}", minute / 60, minute % 60);
        let openings = begins.map(|begin| {
            let end = begin + minutes(self.open_for);
            let opening = format!("{}-{}", time(begin), time(end));
            opening.parse::<Opening>().expect("it is written so")
        });
        let day = DayHours::new(openings).expect("they do not overlap");
        let week = std::array::from_fn(|_| day.clone());
        Schedule::new(zone.parse().expect("a zone"), week, Vec::new())
    }
}

/// What the gateway goes by.
#[derive(Clone)]
pub(crate) enum Clock {
    Counted(Hours),
    Written(Arc<Schedule>),
}

impl Clock {
    pub(crate) fn is_open(&self, at: Timestamp) -> bool {
        match self {
            Self::Counted(hours) => hours.is_open(at),
            Self::Written(schedule) => schedule.is_open(at),
        }
    }

    pub(crate) fn opens(&self, after: Timestamp) -> Timestamp {
        match self {
            Self::Counted(hours) => hours.opens(after),
            Self::Written(schedule) => schedule.next_opening(after).expect("every day"),
        }
    }

    pub(crate) fn closes(&self, after: Timestamp) -> Timestamp {
        match self {
            Self::Counted(hours) => hours.closes(after),
            Self::Written(schedule) => schedule.next_closing(after).expect("every day"),
        }
    }
}

/// What a run has seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) settled: u64,
    pub(crate) offers: u64,
    pub(crate) rings: u64,
    pub(crate) assignments: u64,
    pub(crate) next_rounds: u64,
    pub(crate) accepted: u64,
    pub(crate) declined: u64,
    pub(crate) timed_out: u64,
    pub(crate) revoked: u64,
    pub(crate) rescinded: u64,
    pub(crate) refused: u64,
    pub(crate) lost: u64,
    pub(crate) overflows: u64,
    pub(crate) deferred: u64,
    pub(crate) crashes: u64,
    pub(crate) finished: u64,
    pub(crate) abandoned: u64,
    pub(crate) diverted: u64,
}

impl Figures {
    pub(crate) fn ended(&mut self, conversation: &Conversation) {
        if let State::Closed { reason, .. } = conversation.state {
            *match reason {
                CloseReason::Finished | CloseReason::Spam => &mut self.finished,
                CloseReason::Abandoned => &mut self.abandoned,
                CloseReason::Diverted => &mut self.diverted,
            } += 1;
        }
    }

    pub(crate) fn offer_ended(&mut self, outcome: &OfferOutcome) {
        *match outcome {
            OfferOutcome::Accepted => &mut self.accepted,
            OfferOutcome::Declined { .. } => &mut self.declined,
            OfferOutcome::TimedOut => &mut self.timed_out,
            OfferOutcome::Rescinded { .. } => &mut self.rescinded,
            OfferOutcome::Revoked { .. } => &mut self.revoked,
        } += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.all().into_iter().zip(other.clone().all()) {
            *mine += *theirs;
        }
    }

    fn all(&mut self) -> [&mut u64; 18] {
        [
            &mut self.settled,
            &mut self.offers,
            &mut self.rings,
            &mut self.assignments,
            &mut self.next_rounds,
            &mut self.accepted,
            &mut self.declined,
            &mut self.timed_out,
            &mut self.revoked,
            &mut self.rescinded,
            &mut self.refused,
            &mut self.lost,
            &mut self.overflows,
            &mut self.deferred,
            &mut self.crashes,
            &mut self.finished,
            &mut self.abandoned,
            &mut self.diverted,
        ]
    }
}

/// What decisions are held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// The naive model, decision by decision.
    Model,
    /// The invariants.
    Invariants,
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) rules: RoutingRules,
    pub(crate) hours: BTreeMap<QueueId, Hours>,
    /// Written down; else they are counted out.
    pub(crate) schedule: Option<Arc<Schedule>>,
    pub(crate) operators: BTreeMap<OperatorId, Operator>,
    /// The open ones.
    pub(crate) conversations: BTreeMap<ConversationId, Conversation>,
    /// Kept up to date, as the engine keeps one.
    pub(crate) snapshot: Snapshot,
    pub(crate) pending: BTreeMap<OfferId, (ConversationId, OperatorId)>,
    pub(crate) to_look_after: BTreeSet<ConversationId>,
    pub(crate) opened: u64,
    pub(crate) ended: u64,
    pub(crate) figures: Figures,
    pub(crate) violations: Vec<String>,
    pub(crate) against: Against,
    /// A defect, to show that it is found.
    pub(crate) planted: Option<Planted>,
    /// For a defect: how operators stood before.
    pub(crate) stale: Vec<operator::Operator>,
    /// Who was asked in the round, and since when everybody is idle: told here anew.
    pub(crate) asked: BTreeMap<ConversationId, BTreeSet<OperatorId>>,
    pub(crate) idle: BTreeMap<OperatorId, Timestamp>,
    /// Since when somebody cannot be reached.
    pub(crate) down: BTreeMap<OperatorId, Timestamp>,
    /// Tells everything that happens.
    pub(crate) tells: bool,
    /// Some capacity was made smaller, so what is carried may be more.
    pub(crate) shrunk: bool,
    ids: i64,
}

impl World {
    pub(crate) fn new(rules: RoutingRules) -> Self {
        Self {
            now: Timestamp(1_000_000),
            rules,
            hours: BTreeMap::new(),
            schedule: None,
            operators: BTreeMap::new(),
            conversations: BTreeMap::new(),
            snapshot: Snapshot::default(),
            pending: BTreeMap::new(),
            to_look_after: BTreeSet::new(),
            opened: 0,
            ended: 0,
            figures: Figures::default(),
            violations: Vec::new(),
            against: Against::Invariants,
            planted: None,
            stale: Vec::new(),
            asked: BTreeMap::new(),
            idle: BTreeMap::new(),
            down: BTreeMap::new(),
            tells: false,
            shrunk: false,
            ids: 100,
        }
    }

    /// Somebody who is Ready, and idle since their id.
    pub(crate) fn hire(&mut self, id: i64, queues: &[(&str, i32)]) -> OperatorId {
        let id = OperatorId::new(id);
        let memberships = queues.iter().map(|(queue, rank)| Membership {
            queue: QueueId::from(*queue),
            rank: *rank,
            position: 0,
        });
        let memberships = memberships.collect();
        self.hire_with(id, memberships, Skills::default());
        id
    }

    pub(crate) fn hire_with(
        &mut self,
        id: OperatorId,
        memberships: Vec<Membership>,
        skills: Skills,
    ) {
        let operator = Operator {
            id,
            login: format!("op{id}"),
            display_name: format!("Op {id}"),
            role: Role::Operator,
            disabled: false,
            memberships,
            skills,
            capacity: 100,
            auto_accept: false,
            presence: Presence::Ready,
            next_presence: None,
            idle_since: Timestamp(id.get()),
            turn: 0,
            load: Load::default(),
            wrapping_up: 0,
            misses: 0,
            not_responding: false,
            cool_down_until: None,
            link: Link::Unwatched,
            lost_at: None,
            version: 1,
        };
        self.idle.insert(id, operator.idle_since);
        self.put_operator(operator);
    }

    /// Puts an operator as they are, without anything that follows.
    pub(crate) fn put_operator(&mut self, operator: Operator) {
        self.snapshot.put_operator(operator.candidate());
        self.operators.insert(operator.id, operator);
    }

    pub(crate) fn next_id(&mut self) -> i64 {
        self.ids += 1;
        self.ids
    }

    /// A place behind everything.
    pub(crate) fn new_place(&mut self) -> Place {
        Place {
            band: 0,
            eligible_at: self.now,
            seq: self.next_id(),
        }
    }

    pub(crate) fn arrive(&mut self, queue: &str, medium: Medium) -> ConversationId {
        let place = self.new_place();
        self.arrive_with(queue, medium, place, Skills::default(), None)
    }

    pub(crate) fn arrive_with(
        &mut self,
        queue: &str,
        medium: Medium,
        place: Place,
        skills: Skills,
        preferred: Option<OperatorId>,
    ) -> ConversationId {
        let id = ConversationId::new(self.next_id());
        let conversation = Conversation {
            id,
            thread: ThreadId::new(id.get()),
            line: LineId::from("line"),
            channel: medium.name().to_owned(),
            medium,
            queue: QueueId::from(queue),
            client: Client {
                contact: ContactId::from("contact"),
                display_name: String::new(),
                avatar_url: None,
                address: String::new(),
                provisional: false,
                known: false,
            },
            state: State::Queued,
            place,
            skills,
            tried: BTreeSet::new(),
            last_asked: None,
            round: 1,
            asked_at: None,
            not_before: None,
            preferred,
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
            created_at: self.now,
            answered_at: None,
            disposition: String::new(),
            counted: Counted::default(),
            last_message: None,
            version: 1,
        };
        if let Some(waiting) = conversation.waiting() {
            self.snapshot.put(waiting);
        }
        self.conversations.insert(id, conversation);
        self.opened += 1;
        self.look_after(id, true);
        self.settle();
        id
    }

    /// Lets something happen to a conversation, and all that follows from it.
    pub(crate) fn act(&mut self, id: ConversationId, input: Input) -> Result<(), Refusal> {
        let done = self.change(id, input);
        self.figures.refused += u64::from(done.is_err());
        self.settle();
        done
    }

    /// Lets something happen to an operator, and all that follows from it.
    pub(crate) fn tell(&mut self, id: OperatorId, input: &operator::Input) {
        self.affect(id, input);
        self.settle();
    }

    pub(crate) fn say(&mut self, id: OperatorId, presence: Presence) {
        let when_idle = false;
        let say = operator::Input::SetPresence {
            presence,
            when_idle,
        };
        self.tell(id, &say);
    }

    /// The first who is asked says yes.
    pub(crate) fn accept(&mut self, id: ConversationId) -> Result<(), Refusal> {
        let (operator, offer) = self.first_asked(id).ok_or(Refusal::OfferEnded)?;
        self.act(id, Input::Accept { offer, operator })
    }

    pub(crate) fn decline(&mut self, id: ConversationId) -> Result<(), Refusal> {
        let (operator, offer) = self.first_asked(id).ok_or(Refusal::OfferEnded)?;
        let reason = "busy".to_owned();
        let decline = Input::Decline {
            offer,
            operator,
            reason,
        };
        self.act(id, decline)
    }

    fn first_asked(&self, id: ConversationId) -> Option<(OperatorId, OfferId)> {
        self.conversations.get(&id)?.asked().pop_first()
    }

    pub(crate) fn finish(&mut self, id: ConversationId) -> Result<(), Refusal> {
        let wrap_up = self.conversations.get(&id).and_then(|_| self.ending(id));
        let finish = Input::Finish {
            reason: CloseReason::Finished,
            disposition: String::new(),
            wrap_up,
        };
        self.act(id, finish)
    }

    /// Whom the conversation is with or offered to.
    pub(crate) fn operator_of(&self, id: ConversationId) -> Option<OperatorId> {
        self.conversations.get(&id).and_then(Conversation::operator)
    }

    /// Lets so much time pass.
    pub(crate) fn wait(&mut self, time: Millis) {
        self.pass_time(self.now + time);
    }

    /// Lets time pass, and on the way everything that is due. The router looks whenever
    /// time alone may change what it decides, as the sweeper does every second.
    pub(crate) fn pass_time(&mut self, to: Timestamp) {
        while let Some(due) = self.next_due().filter(|due| *due <= to) {
            self.now = self.now.max(due);
            // After a standstill more than the first is due.
            let now = self.now;
            let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
            let operators = self.operators.values();
            let operators = operators.filter(|it| is_due(it.next_deadline()));
            for id in operators.map(|it| it.id).collect::<Vec<_>>() {
                self.affect(id, &operator::Input::Due);
            }
            let conversations = self.conversations.values();
            let conversations = conversations.filter(|it| is_due(it.next_deadline()));
            for id in conversations.map(|it| it.id).collect::<Vec<_>>() {
                // What was due before may have ended it.
                if self.conversations.contains_key(&id) {
                    self.due(id);
                }
            }
            self.settle();
            if !self.violations.is_empty() {
                return;
            }
        }
        self.now = self.now.max(to);
        self.settle();
    }

    fn next_due(&self) -> Option<Timestamp> {
        let conversations = self.conversations.values();
        let deadlines = conversations.clone().filter_map(|it| it.next_deadline());
        let operators = self.operators.values().filter_map(|it| it.next_deadline());
        let looks = conversations.flat_map(|it| self.looks(it));
        deadlines.chain(operators).chain(looks).min()
    }

    /// When age alone changes what the router decides about one that waits.
    fn looks(&self, conversation: &Conversation) -> Vec<Timestamp> {
        if conversation.state != State::Queued {
            return Vec::new();
        }
        let rules = self.rules.of(&conversation.queue);
        let from = conversation.place.eligible_at;
        let mut looks = vec![from + rules.ageing];
        looks.extend(conversation.preferred.map(|_| from + rules.sticky_wait));
        looks.extend(rules.relaxations.iter().map(|it| from + it.after));
        looks.extend(conversation.asked_at.map(|at| at + rules.round_wait));
        looks.retain(|at| *at > self.now);
        looks
    }

    pub(crate) fn office(&self) -> Office<'_> {
        let waiting = self.conversations.values().filter_map(|it| it.waiting());
        Office {
            waiting: waiting.collect(),
            operators: self.operators.values().map(|it| it.candidate()).collect(),
            rules: &self.rules,
            now: self.now,
        }
    }

    pub(crate) fn check_decisions(&mut self, decisions: &[Decision]) {
        self.figures.settled += 1;
        let found = match self.against {
            Against::Model => {
                let model = reference::settle(self.office());
                let parts = assertions::difference(decisions, &model);
                parts.map(|it| format!("model: {it}")).into_iter().collect()
            }
            Against::Invariants => assertions::of_decisions(self.office(), decisions),
        };
        self.violations.extend(found);
    }

    pub(crate) fn check_state(&mut self) {
        let found = state::violations(self);
        self.violations.extend(found);
    }

    /// Tells anew who was asked in the round.
    pub(crate) fn note_input(&mut self, id: ConversationId, input: &Input, after: &Conversation) {
        let asked = self.asked.entry(id).or_default();
        match input {
            Input::Decline { operator, .. } => {
                asked.insert(*operator);
            }
            Input::Due { .. } => {
                if let State::Offered { expires_at, .. } = self.conversations[&id].state
                    && expires_at <= self.now
                {
                    asked.extend(self.conversations[&id].asked().into_keys());
                }
            }
            Input::NextRound { .. } | Input::ToQueue { .. } | Input::ToOperator { .. } => {
                asked.clear();
            }
            Input::Overflow { exit, .. } => {
                if matches!(exit, domain::routing::Exit::Queue(_)) {
                    asked.clear();
                }
            }
            Input::Inbound { .. }
            | Input::Answered { .. }
            | Input::Left { .. }
            | Input::Away(_)
            | Input::Back
            | Input::CallbackWanted { .. }
            | Input::Ring { .. }
            | Input::Assign { .. }
            | Input::Patience { .. }
            | Input::Defer { .. }
            | Input::Accept { .. }
            | Input::OperatorGone { .. }
            | Input::OperatorLost { .. }
            | Input::Take { .. }
            | Input::Move { .. }
            | Input::Snooze { .. }
            | Input::Finish { .. } => {}
        }
        if after.owner().is_some() {
            asked.clear();
        }
        if !after.is_open() {
            self.asked.remove(&id);
        }
    }

    /// Tells anew since when somebody is idle and cannot be reached.
    pub(crate) fn note_operator(&mut self, id: OperatorId, input: &operator::Input) {
        match input {
            operator::Input::Release { handled: true, .. } => {
                self.idle.insert(id, self.now);
            }
            operator::Input::Disconnected => {
                self.down.entry(id).or_insert(self.now);
            }
            operator::Input::Connected => {
                self.down.remove(&id);
            }
            operator::Input::SignIn
            | operator::Input::SetPresence { .. }
            | operator::Input::Occupy { .. }
            | operator::Input::Release { handled: false, .. }
            | operator::Input::WrapUpBegun
            | operator::Input::WrapUpEnded
            | operator::Input::Missed { .. }
            | operator::Input::Responded
            | operator::Input::CoolDown { .. }
            | operator::Input::Due => {}
        }
    }
}

/// I5: what may give a conversation another place.
pub(crate) fn may_move(before: &Conversation, input: &Input) -> bool {
    match input {
        Input::Move { .. }
        | Input::ToQueue {
            new_place: Some(_), ..
        } => true,
        // A client who comes back to an operator who is not free waits anew.
        Input::Inbound { .. } | Input::Due { .. } => {
            matches!(before.state, State::Parked { .. } | State::Active { .. })
        }
        Input::Answered { .. }
        | Input::Left { .. }
        | Input::Away(_)
        | Input::Back
        | Input::CallbackWanted { .. }
        | Input::Ring { .. }
        | Input::Assign { .. }
        | Input::NextRound { .. }
        | Input::Patience { .. }
        | Input::Overflow { .. }
        | Input::Defer { .. }
        | Input::Accept { .. }
        | Input::Decline { .. }
        | Input::OperatorGone { .. }
        | Input::OperatorLost { .. }
        | Input::Take { .. }
        | Input::ToQueue {
            new_place: None, ..
        }
        | Input::ToOperator { .. }
        | Input::Snooze { .. }
        | conversation::Input::Finish { .. } => false,
    }
}
