//! A gateway in memory: the machines and what the router looks at, joined as the
//! gateway joins them. What happens is told as events, so that the metrics are counted
//! by the same fold.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use super::recording::{Answer, BEHIND, Late, Moment, Recording, Script};
use super::run::Plan;
use crate::conversation::{
    Conversation, Effect, Input, Offer, OfferOutcome, OfferState, Owner, Refusal, State,
};
use crate::event::{Cursor, Event, EventKind};
use crate::operator::{self, Operator};
use crate::routing::{Place, Snapshot};
use crate::{ConversationId, LineId, Millis, OfferId, OperatorId, Timestamp};

/// Who missed too many offers says Ready again after so long, where no record tells.
pub(super) const BACK_AFTER: Millis = Millis::from_secs(300);

/// What is to be done at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// The arrival of this number.
    Arrive(usize),
    /// What an operator does, by number.
    Turn(usize),
    /// What is done in a conversation, by number in its script, in a spell.
    Act(ConversationId, usize, usize),
    /// What was drawn: the client leaves.
    Leave(ConversationId, usize),
    /// What was drawn: the operator finishes.
    Finish(ConversationId, usize),
    /// An operator answers an offer.
    Accept(OfferId),
    Decline(OfferId),
    /// The time of a conversation or of an operator has come.
    Due(ConversationId),
    DueOf(OperatorId),
    /// Who missed too many says Ready again.
    Back(OperatorId),
    /// The router looks again, as the record says or as time makes it.
    Look,
    Sweep,
}

/// A conversation, and how far it has come in its script.
pub(super) struct Live<'a> {
    pub(super) it: Conversation,
    pub(super) script: Option<&'a Script>,
    /// How often an operator took it up.
    pub(super) spell: usize,
    /// How often somebody was asked.
    pub(super) asked: usize,
}

pub(super) struct World<'a> {
    pub(super) now: Timestamp,
    pub(super) plan: &'a Plan,
    pub(super) recording: &'a Recording,
    pub(super) snapshot: Snapshot,
    pub(super) operators: BTreeMap<OperatorId, Operator>,
    /// The open ones.
    pub(super) conversations: BTreeMap<ConversationId, Live<'a>>,
    pub(super) offers: BTreeMap<OfferId, Offer>,
    /// By who is asked or has it.
    pub(super) held: BTreeMap<OperatorId, BTreeSet<ConversationId>>,
    pub(super) arrived: Vec<ConversationId>,
    pub(super) unsettled: bool,
    /// Everything so far was as it was recorded.
    pub(super) on_record: bool,
    /// How many decisions were not as recorded.
    pub(super) departed: u64,
    tasks: BinaryHeap<Reverse<(Moment, Task)>>,
    ids: i64,
    order: i64,
    tell: &'a mut dyn FnMut(&Event),
    cursor: i64,
}

impl<'a> World<'a> {
    pub(super) fn new(
        recording: &'a Recording,
        plan: &'a Plan,
        tell: &'a mut dyn FnMut(&Event),
    ) -> Self {
        let mut world = Self {
            now: recording.from,
            plan,
            recording,
            snapshot: Snapshot::default(),
            operators: BTreeMap::new(),
            conversations: BTreeMap::new(),
            offers: BTreeMap::new(),
            held: BTreeMap::new(),
            arrived: Vec::new(),
            unsettled: false,
            on_record: !recording.is_made_up,
            departed: 0,
            tasks: BinaryHeap::new(),
            ids: recording.next_id,
            order: BEHIND,
            tell,
            cursor: 0,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for operator in &self.recording.people {
            self.become_operator(operator);
        }
        for conversation in &self.recording.open {
            self.admit((**conversation).clone());
        }
        for (offer, answer) in &self.recording.asked {
            self.offers.insert(offer.id, (**offer).clone());
            match answer {
                Some((Answer::Accepts, at)) => self.schedule(*at, Task::Accept(offer.id)),
                Some((Answer::Declines, at)) => self.schedule(*at, Task::Decline(offer.id)),
                Some((Answer::Ignores | Answer::Unknown, _)) | None => {}
            }
        }
        for (number, arrival) in self.recording.arrivals.iter().enumerate() {
            self.schedule(arrival.moment, Task::Arrive(number));
        }
        for (number, turn) in self.recording.turns.iter().enumerate() {
            self.schedule(turn.moment, Task::Turn(number));
        }
        for moment in &self.recording.decided {
            self.schedule(*moment, Task::Look);
        }
    }

    pub(super) fn next_id(&mut self) -> i64 {
        self.ids += 1;
        self.ids
    }

    pub(super) fn schedule(&mut self, moment: Moment, task: Task) {
        if moment.at <= self.recording.to {
            self.tasks.push(Reverse((moment, task)));
        }
    }

    /// Behind everything that was recorded at the same time.
    pub(super) fn schedule_at(&mut self, at: Timestamp, task: Task) {
        self.order += 1;
        let order = self.order;
        self.schedule(Moment { at, order }, task);
    }

    pub(super) fn next_task(&mut self) -> Option<(Moment, Task)> {
        self.tasks.pop().map(|Reverse(next)| next)
    }

    pub(super) fn next_time(&self) -> Option<Timestamp> {
        self.tasks.peek().map(|Reverse((moment, _))| moment.at)
    }

    pub(super) fn tell(&mut self, kind: EventKind) {
        self.cursor += 1;
        let event = Event {
            cursor: Cursor(self.cursor),
            at: self.now,
            kind,
        };
        (self.tell)(&event);
    }

    /// A new place: now, but for what the line brings along.
    pub(super) fn new_place(&mut self, line: &LineId) -> Place {
        let (band, credit) = self
            .plan
            .after
            .lines
            .get(line)
            .map_or((0, Millis(0)), |line| (line.band, line.age_credit));
        Place {
            band,
            eligible_at: self.now - credit,
            seq: self.next_id(),
        }
    }

    /// Takes a conversation up that begins or is open at the beginning.
    pub(super) fn admit(&mut self, conversation: Conversation) {
        let id = conversation.id;
        let recording = self.recording;
        let live = Live {
            it: conversation,
            script: recording.scripts.get(&id),
            spell: 0,
            asked: 0,
        };
        if let Some(waiting) = live.it.waiting() {
            self.snapshot.put(waiting);
            self.arrived.push(id);
        }
        for holder in live.it.carriers() {
            self.held.entry(holder).or_default().insert(id);
        }
        let deadline = live.it.next_deadline();
        self.conversations.insert(id, live);
        self.unsettled = true;
        self.schedule_due(id, deadline);
        self.schedule_spell(id);
    }

    fn schedule_due(&mut self, id: ConversationId, deadline: Option<Timestamp>) {
        let Some(deadline) = deadline else { return };
        let script = self.conversations.get(&id).and_then(|live| live.script);
        let late = script.map(|script| &script.late);
        self.schedule_deadline(deadline, late, Task::Due(id));
    }

    /// When the record saw it, if it did, which may be late.
    fn schedule_deadline(&mut self, deadline: Timestamp, late: Option<&Late>, task: Task) {
        match late.and_then(|late| late.seen(deadline)) {
            Some(moment) if moment.at >= self.now => self.schedule(moment, task),
            Some(_) | None => self.schedule_at(deadline.max(self.now), task),
        }
    }

    /// Changes a conversation, and everything that follows from it.
    pub(super) fn change(&mut self, id: ConversationId, input: Input) -> Result<(), Refusal> {
        let now = self.now;
        let live = self.conversations.get_mut(&id).ok_or(Refusal::Closed)?;
        let before = live.it.clone();
        let effects = live.it.handle(now, input)?;
        let medium = before.medium;
        if live.it != before {
            live.it.version += 1;
            let after = live.it.clone();
            self.saved(&before, &after);
        }
        for effect in effects {
            self.carry_out(effect, medium);
        }
        Ok(())
    }

    fn saved(&mut self, before: &Conversation, after: &Conversation) {
        let id = after.id;
        self.snapshot.remove(id);
        if let Some(waiting) = after.waiting() {
            self.snapshot.put(waiting);
            if before.state != State::Queued || before.queue != after.queue {
                self.arrived.push(id);
            }
            self.schedule_sweeps(after);
        }
        if before.state != after.state || before.place != after.place {
            self.unsettled = true;
        }
        for holder in before.carriers() {
            if let Some(held) = self.held.get_mut(&holder) {
                held.remove(&id);
            }
        }
        for holder in after.carriers() {
            self.held.entry(holder).or_default().insert(id);
        }
        let is_taken_up = matches!(after.state, State::Active { .. })
            && (!matches!(before.state, State::Active { .. }) || before.owner() != after.owner());
        self.tell(EventKind::ConversationChanged(Arc::new(after.clone())));
        if !after.is_open() {
            self.conversations.remove(&id);
            return;
        }
        let deadline = after.next_deadline();
        if deadline != before.next_deadline() {
            self.schedule_due(id, deadline);
        }
        if is_taken_up {
            if let Some(live) = self.conversations.get_mut(&id) {
                live.spell += 1;
            }
            self.schedule_spell(id);
        }
    }

    /// When time alone may change who may answer.
    fn schedule_sweeps(&mut self, waiting: &Conversation) {
        let rules = self.plan.after.of(&waiting.queue);
        let mut spans: Vec<Timestamp> = Vec::new();
        let eligible_at = waiting.place.eligible_at;
        if waiting.preferred.is_some() {
            spans.push(eligible_at + rules.sticky_wait);
        }
        if !waiting.skills.is_empty() {
            spans.extend(rules.relaxations.iter().map(|it| eligible_at + it.after));
        }
        if waiting.place.band != 0 {
            spans.push(eligible_at + rules.ageing);
        }
        if let Some(asked_at) = waiting.asked_at {
            spans.push(asked_at + rules.round_wait);
        }
        for at in spans {
            if at > self.now {
                self.schedule_at(at, Task::Sweep);
            }
        }
    }

    fn carry_out(&mut self, effect: Effect, medium: crate::message::Medium) {
        use operator::Input as To;
        let (who, input) = match effect {
            Effect::Occupy { operator, turn } => (operator, To::Occupy { medium, turn }),
            Effect::Release { operator, handled } => (operator, To::Release { medium, handled }),
            Effect::WrapUpBegun(operator) => (operator, To::WrapUpBegun),
            Effect::WrapUpEnded(operator) => (operator, To::WrapUpEnded),
            Effect::Missed(operator) => (operator, To::Missed { medium }),
            Effect::Responded(operator) => (operator, To::Responded),
            Effect::CoolDown { operator, until } => (operator, To::CoolDown { until }),
            Effect::OfferEnded { offer, outcome } => {
                self.end_offer(offer, outcome);
                return;
            }
        };
        self.affect(who, input);
    }

    fn end_offer(&mut self, id: OfferId, outcome: OfferOutcome) {
        if let Some(mut offer) = self.offers.remove(&id) {
            let at = self.now;
            offer.state = OfferState::Ended { at, outcome };
            self.tell(EventKind::OfferEnded(Arc::new(offer)));
        }
    }

    /// Changes an operator, and everything that follows from it.
    pub(super) fn affect(&mut self, id: OperatorId, input: operator::Input) {
        let now = self.now;
        let Some(operator) = self.operators.get_mut(&id) else {
            return;
        };
        let before = operator.clone();
        let effects = operator.handle(now, input);
        if *operator != before {
            operator.version += 1;
            let after = operator.clone();
            self.saved_operator(&before, after);
        }
        for effect in effects {
            match effect {
                operator::Effect::MayTakeWork => self.unsettled = true,
                operator::Effect::Gone => {
                    self.tell_held(id, |operator| Input::OperatorGone { operator });
                }
                operator::Effect::Lost => {
                    self.tell_held(id, |operator| Input::OperatorLost { operator });
                }
            }
        }
    }

    fn saved_operator(&mut self, before: &Operator, after: Operator) {
        let id = after.id;
        self.snapshot.put_operator(after.candidate());
        if let Some(deadline) = after.next_deadline()
            && before.next_deadline() != Some(deadline)
        {
            let recording = self.recording;
            self.schedule_deadline(deadline, recording.late.get(&id), Task::DueOf(id));
        }
        if after.not_responding && !before.not_responding {
            self.schedule_at(self.now + BACK_AFTER, Task::Back(id));
        }
        self.unsettled = true;
        self.tell(EventKind::PresenceChanged(Arc::new(after)));
    }

    fn tell_held(&mut self, id: OperatorId, what: impl Fn(OperatorId) -> Input) {
        let held = self.held.get(&id).cloned().unwrap_or_default();
        for conversation in held {
            // What came before may have ended it.
            let _ = self.change(conversation, what(id));
        }
    }

    /// Somebody is there, with what the record says of them but for what they carry.
    pub(super) fn become_operator(&mut self, told: &Arc<Operator>) {
        let mut operator = (**told).clone();
        if let Some(known) = self.operators.get(&operator.id) {
            operator.load = known.load.clone();
            operator.wrapping_up = known.wrapping_up;
            operator.idle_since = known.idle_since;
            operator.turn = known.turn;
            operator.misses = known.misses;
            operator.not_responding = known.not_responding;
            operator.cool_down_until = known.cool_down_until;
            operator.lost_at = known.lost_at;
        } else if self.now > self.recording.from {
            // What they carry then was carried before the log began.
            operator.load = operator::Load::default();
            operator.wrapping_up = 0;
        }
        let before = Operator {
            cool_down_until: None,
            lost_at: None,
            not_responding: operator.not_responding,
            ..operator.clone()
        };
        self.operators.insert(operator.id, operator.clone());
        self.saved_operator(&before, operator);
    }

    /// How the owner of a conversation stands towards it.
    pub(super) fn owner(&self, conversation: &Conversation) -> Owner {
        let owner = conversation.owner().and_then(|id| self.operators.get(&id));
        let Some(owner) = owner else {
            return Owner::Gone;
        };
        let capacity = &self.plan.after.capacity;
        let check = capacity.check(&owner.load, owner.capacity, conversation.medium);
        if owner.is_gone() {
            Owner::Gone
        } else if owner.barred(self.now).is_none() && check.is_ok() {
            Owner::Free
        } else {
            Owner::Busy
        }
    }
}
