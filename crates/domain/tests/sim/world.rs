//! A gateway in memory: machines and router joined the way the engine joins them.

use std::collections::{BTreeMap, BTreeSet};

use domain::conversation::{self, Client, Conversation, Effect, OfferOutcome, Refusal, State};
use domain::message::Medium;
use domain::metrics::Counted;
use domain::operator::{self, Load, Membership, Operator, Presence, Role};
use domain::routing::{Decision, Place, RoutingRules, Snapshot, Waiting, settle};
use domain::{
    ContactId, ConversationId, LineId, OfferId, OperatorId, QueueId, ThreadId, Timestamp,
};

use crate::assertions;

pub(crate) type Settle = fn(&Snapshot, &RoutingRules, Timestamp) -> Vec<Decision>;

/// What a run has seen.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) offers: u64,
    pub(crate) assignments: u64,
    pub(crate) next_rounds: u64,
    pub(crate) accepted: u64,
    pub(crate) declined: u64,
    pub(crate) timed_out: u64,
    pub(crate) revoked: u64,
    pub(crate) rescinded: u64,
    pub(crate) refused: u64,
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    pub(crate) waiting_max: usize,
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) rules: RoutingRules,
    pub(crate) operators: BTreeMap<OperatorId, Operator>,
    /// The open ones.
    pub(crate) conversations: BTreeMap<ConversationId, Conversation>,
    pub(crate) pending: BTreeSet<OfferId>,
    pub(crate) figures: Figures,
    pub(crate) violations: Vec<String>,
    /// The function under test; others show that the assertions can fail.
    pub(crate) settle: Settle,
    ids: i64,
}

impl World {
    pub(crate) fn new(rules: RoutingRules) -> Self {
        Self {
            now: Timestamp(1_000),
            rules,
            operators: BTreeMap::new(),
            conversations: BTreeMap::new(),
            pending: BTreeSet::new(),
            figures: Figures::default(),
            violations: Vec::new(),
            ids: 0,
            settle,
        }
    }

    /// Somebody who is Ready, and idle since their id.
    pub(crate) fn hire(&mut self, id: i64, queues: &[(&str, i32)]) -> OperatorId {
        let id = OperatorId::new(id);
        let memberships = queues.iter().map(|(queue, rank)| Membership {
            queue: QueueId::from(*queue),
            rank: *rank,
        });
        let operator = Operator {
            id,
            login: format!("op{id}"),
            display_name: format!("Op {id}"),
            role: Role::Operator,
            disabled: false,
            memberships: memberships.collect(),
            capacity: 100,
            auto_accept: false,
            presence: Presence::Ready,
            next_presence: None,
            idle_since: Timestamp(id.get()),
            load: Load::default(),
            misses: 0,
            not_responding: false,
            cool_down_until: None,
            version: 1,
        };
        self.operators.insert(id, operator);
        id
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
            tried: BTreeSet::new(),
            last_asked: None,
            round: 1,
            not_before: None,
            preferred: None,
            last_owner: None,
            returned: false,
            unread_count: 0,
            subject: None,
            participants: BTreeSet::new(),
            created_at: self.now,
            answered_at: None,
            disposition: String::new(),
            counted: Counted::default(),
            last_message: None,
            version: 1,
        };
        self.conversations.insert(id, conversation);
        self.figures.opened += 1;
        self.settle();
        id
    }

    /// Lets something happen to a conversation, and all that follows from it.
    pub(crate) fn act(
        &mut self,
        id: ConversationId,
        input: conversation::Input,
    ) -> Result<(), Refusal> {
        let done = self.change(id, input);
        self.figures.refused += u64::from(done.is_err());
        self.settle();
        done
    }

    /// Lets something happen to an operator, and all that follows from it.
    pub(crate) fn tell(&mut self, id: OperatorId, input: operator::Input) {
        self.affect(id, input);
        self.settle();
    }

    pub(crate) fn say(&mut self, id: OperatorId, presence: Presence) {
        self.tell(
            id,
            operator::Input::SetPresence {
                presence,
                when_idle: false,
            },
        );
    }

    pub(crate) fn accept(&mut self, id: ConversationId) -> Result<(), Refusal> {
        let State::Offered {
            offer, operator, ..
        } = self.conversations[&id].state
        else {
            return Err(Refusal::OfferEnded);
        };
        self.act(id, conversation::Input::Accept { offer, operator })
    }

    pub(crate) fn decline(&mut self, id: ConversationId) -> Result<(), Refusal> {
        let State::Offered {
            offer, operator, ..
        } = self.conversations[&id].state
        else {
            return Err(Refusal::OfferEnded);
        };
        let reason = "busy".to_owned();
        let decline = conversation::Input::Decline {
            offer,
            operator,
            reason,
        };
        self.act(id, decline)
    }

    pub(crate) fn finish(&mut self, id: ConversationId) -> Result<(), Refusal> {
        let finish = conversation::Input::Finish {
            reason: conversation::CloseReason::Finished,
            disposition: String::new(),
        };
        self.act(id, finish)
    }

    /// Whom the conversation is with or offered to.
    pub(crate) fn operator_of(&self, id: ConversationId) -> Option<OperatorId> {
        self.conversations.get(&id).and_then(Conversation::operator)
    }

    /// Lets time pass, and on the way everything that is due.
    pub(crate) fn pass_time(&mut self, to: Timestamp) {
        loop {
            let conversation = self
                .conversations
                .values()
                .filter_map(|it| Some((it.next_deadline()?, it.id)))
                .min();
            let operator = self
                .operators
                .values()
                .filter_map(|it| Some((it.next_deadline()?, it.id)))
                .min();
            let earliest = conversation.map(|it| it.0).into_iter();
            let earliest = earliest.chain(operator.map(|it| it.0)).min();
            let Some(due) = earliest.filter(|due| *due <= to) else {
                break;
            };
            self.now = self.now.max(due);
            if let Some((_, id)) = operator.filter(|it| it.0 == due) {
                self.affect(id, operator::Input::Due);
            } else if let Some((_, id)) = conversation {
                let (owner_free, place) = (self.owner_free(id), self.new_place());
                let input = conversation::Input::Due { owner_free, place };
                self.change(id, input)
                    .expect("nothing is due of the closed");
            }
            self.settle_if_nothing_is_due();
        }
        self.now = self.now.max(to);
        self.settle();
    }

    pub(crate) fn owner_free(&self, id: ConversationId) -> bool {
        let conversation = &self.conversations[&id];
        conversation.owner().is_some_and(|owner| {
            let owner = self.operators[&owner].candidate(self.now);
            owner
                .stopped(&self.rules.capacity, conversation.medium)
                .is_none()
        })
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let waits = |it: &&Conversation| it.state == State::Queued;
        let waiting = self.conversations.values().filter(waits).map(|it| Waiting {
            conversation: it.id,
            queue: it.queue.clone(),
            medium: it.medium,
            place: it.place,
            tried: it.tried.clone(),
            last_asked: it.last_asked,
            round: it.round,
            not_before: it.not_before,
        });
        let operators = self.operators.values().map(|it| it.candidate(self.now));
        Snapshot {
            waiting: waiting.collect(),
            operators: operators.collect(),
        }
    }

    fn change(&mut self, id: ConversationId, input: conversation::Input) -> Result<(), Refusal> {
        use conversation::Input;
        let conversation = self.conversations.get_mut(&id).ok_or(Refusal::Closed)?;
        let place = conversation.place;
        let may_move = match &input {
            Input::Move { .. } | Input::ToQueue { .. } => true,
            Input::Inbound { .. } | Input::Due { .. } => {
                matches!(conversation.state, State::Parked { .. })
            }
            Input::Offer { .. }
            | Input::Assign { .. }
            | Input::NextRound { .. }
            | Input::Accept { .. }
            | Input::Decline { .. }
            | Input::OperatorGone { .. }
            | Input::Take { .. }
            | Input::ToOperator { .. }
            | Input::Snooze { .. }
            | Input::Finish { .. } => false,
        };
        if let Input::Offer { offer, .. } | Input::ToOperator { offer, .. } = &input {
            self.pending.insert(*offer);
        }
        let effects = conversation.handle(self.now, input)?;
        let kept = may_move || conversation.place == place;
        assertions::of_place(id, kept, &mut self.violations);
        let medium = conversation.medium;
        if !conversation.is_open() {
            self.conversations.remove(&id);
            self.figures.closed += 1;
        }
        for effect in effects {
            self.apply(effect, medium);
        }
        Ok(())
    }

    fn apply(&mut self, effect: Effect, medium: Medium) {
        use operator::Input;
        match effect {
            Effect::Occupy(operator) => self.affect(operator, Input::Occupy(medium)),
            Effect::Release { operator, handled } => {
                self.affect(operator, Input::Release { medium, handled });
            }
            Effect::OfferEnded { offer, outcome } => {
                if !self.pending.remove(&offer) {
                    self.violations.push(format!("I6: {offer} ended twice"));
                }
                let figure = match outcome {
                    OfferOutcome::Accepted => &mut self.figures.accepted,
                    OfferOutcome::Declined { .. } => &mut self.figures.declined,
                    OfferOutcome::TimedOut => &mut self.figures.timed_out,
                    OfferOutcome::Rescinded { .. } => &mut self.figures.rescinded,
                    OfferOutcome::Revoked { .. } => &mut self.figures.revoked,
                };
                *figure += 1;
            }
            Effect::Missed(operator) => self.affect(operator, Input::Missed { medium }),
            Effect::Responded(operator) => self.affect(operator, Input::Responded),
            Effect::CoolDown { operator, until } => {
                self.affect(operator, Input::CoolDown { until });
            }
        }
    }

    fn affect(&mut self, id: OperatorId, input: operator::Input) {
        let operator = self.operators.get_mut(&id).expect("nobody is ever fired");
        for effect in operator.handle(self.now, input) {
            match effect {
                operator::Effect::Gone => self.revoke_offers_of(id),
                operator::Effect::MayTakeWork => {}
            }
        }
    }

    fn revoke_offers_of(&mut self, operator: OperatorId) {
        let asked = |it: &&Conversation| matches!(it.state, State::Offered { operator: asked, .. } if asked == operator);
        let offered = self.conversations.values().filter(asked).map(|it| it.id);
        for id in offered.collect::<Vec<_>>() {
            let gone = conversation::Input::OperatorGone { operator };
            self.change(id, gone).expect("it is open");
        }
    }

    fn settle_if_nothing_is_due(&mut self) {
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= self.now);
        let conversations = self
            .conversations
            .values()
            .any(|it| due(it.next_deadline()));
        let operators = self.operators.values().any(|it| due(it.next_deadline()));
        if !conversations && !operators {
            self.settle();
        }
    }

    pub(crate) fn settle(&mut self) {
        let snapshot = self.snapshot();
        self.figures.waiting_max = self.figures.waiting_max.max(snapshot.waiting.len());
        let decisions = (self.settle)(&snapshot, &self.rules, self.now);
        let found = assertions::of_decisions(&snapshot, &decisions, &self.rules, self.now);
        self.violations.extend(found);
        for decision in decisions {
            self.carry_out(&decision);
        }
        self.violations.extend(assertions::of_state(self));
    }

    fn carry_out(&mut self, decision: &Decision) {
        use conversation::Input;
        let (id, input) = match *decision {
            Decision::Offer {
                conversation,
                operator,
                expires_at,
                ..
            } => {
                self.figures.offers += 1;
                let offer = OfferId::new(self.next_id());
                let ask = Input::Offer {
                    offer,
                    operator,
                    expires_at,
                };
                (conversation, ask)
            }
            Decision::Assign {
                conversation,
                operator,
                ..
            } => {
                self.figures.assignments += 1;
                (conversation, Input::Assign { operator })
            }
            Decision::NextRound {
                conversation,
                round,
                not_before,
            } => {
                self.figures.next_rounds += 1;
                (conversation, Input::NextRound { round, not_before })
            }
        };
        if let Err(refusal) = self.change(id, input) {
            let what = format!("I6: a decision on {id} was refused: {refusal}");
            self.violations.push(what);
        }
    }
}
