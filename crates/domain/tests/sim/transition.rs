//! What can happen to a world, at random: the same seed gives the same run on every
//! machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::conversation::{CloseReason, Conversation, Input, Owner, State};
use domain::message::Medium;
use domain::operator::{self, Link, Membership, Presence};
use domain::routing::{
    Assignment, Dropped, Exit, Overflow, QueueRules, Relaxation, RoutingRules, Skills, Strategy,
    Trigger, WrapUp,
};
use domain::{ConversationId, Millis, OfferId, OperatorId, QueueId};

use crate::state;
use crate::world::{Against, Hours, World};

pub(crate) const QUEUES: [&str; 4] = ["calls", "night", "sales", "support"];
const SKILLS: [&str; 3] = ["billing", "lang:de", "lang:fr"];
const STRATEGIES: [Strategy; 8] = [
    Strategy::LongestIdle,
    Strategy::LongestIdle,
    Strategy::LeastBusy,
    Strategy::RoundRobin,
    Strategy::RingAll,
    Strategy::RingAll,
    Strategy::StrictList,
    Strategy::Manual,
];

/// How many letters that came late are kept to be delivered again.
const LATE_MAX: usize = 24;

/// Splitmix64.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(crate) fn millis(&mut self, end: u64) -> Millis {
        Millis(i64::try_from(self.below(end)).expect("it is small"))
    }

    fn millis_between(&mut self, least: i64, end: u64) -> Millis {
        Millis(least + self.millis(end - least.unsigned_abs()).0)
    }

    pub(crate) fn small(&mut self, end: u64) -> i32 {
        i32::try_from(self.below(end)).expect("it is small")
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let count = u64::try_from(from.len()).expect("it is small");
        let index = usize::try_from(self.below(count.max(1))).expect("it is small");
        from.get(index).cloned()
    }

    fn some_skills(&mut self) -> Skills {
        let skills = SKILLS.into_iter().filter(|_| self.one_in(3));
        skills.collect()
    }
}

/// How large an office is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// Up to 4 operators and 6 open conversations.
    Small,
    /// Up to 7 operators and 20 open conversations.
    Middle,
}

impl Size {
    fn operators_max(self) -> u64 {
        match self {
            Self::Small => 4,
            Self::Middle => 7,
        }
    }

    fn open_max(self) -> usize {
        match self {
            Self::Small => 6,
            Self::Middle => 20,
        }
    }
}

/// A world and what happens to it.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) world: World,
    pub(crate) size: Size,
    pub(crate) random: Random,
    /// What was delivered, and may be delivered again.
    late: Vec<(ConversationId, Input)>,
}

impl Run {
    pub(crate) fn new(seed: u64, size: Size, against: Against) -> Self {
        let mut random = Random::new(seed);
        let queues = QUEUES.map(|queue| rules_of(queue, &mut random));
        let mut world = World::new(RoutingRules {
            queues: queues
                .into_iter()
                .map(|rules| (rules.id.clone(), rules))
                .collect(),
            ..RoutingRules::default()
        });
        world.against = against;
        world.now = world.now + random.millis(600_000);
        let night = Hours {
            period: Millis::from_secs(7 * 60),
            open_for: Millis::from_secs(4 * 60),
        };
        if size == Size::Middle && seed.is_multiple_of(8) {
            world.schedule = Some(Arc::new(night.schedule("UTC")));
        }
        world.hours.insert(QueueId::from("night"), night);
        let count = 2 + random.below(size.operators_max() - 1);
        for id in 1..=count {
            hire(&mut world, &mut random, id);
        }
        Self {
            world,
            size,
            random,
            late: Vec::new(),
        }
    }

    /// So many things happen, unless something is found.
    pub(crate) fn go(&mut self, steps: u64) {
        for step in 0..steps {
            self.step();
            if !self.world.violations.is_empty() {
                let seen = format!("at step {step}");
                self.world.violations.push(seen);
                return;
            }
        }
    }

    /// One thing happens, and a moment passes.
    fn step(&mut self) {
        match self.random.below(100) {
            0..=96 => self.event(),
            97 => self.crash(),
            98 => self.restart(),
            _ => {
                let pause = self.random.millis(90_000);
                self.world.wait(pause);
            }
        }
        let moment = self.random.millis(1_500);
        self.world.wait(moment);
    }

    fn event(&mut self) {
        match self.random.below(100) {
            0..=21 => self.arrive(),
            22..=26 => self.choose(),
            27..=31 => self.link(),
            32..=51 => self.accept(),
            52..=55 => self.decline(),
            56 => self.time_out(),
            57..=58 => self.with(Conversation::is_open, Self::take),
            59..=60 => self.with(Conversation::is_open, Self::give_to_queue),
            61..=62 => self.with(Conversation::is_open, Self::give_to_operator),
            63..=64 => self.with(is_active, Self::snooze),
            65..=68 => self.with(Conversation::is_open, Self::client_writes),
            69..=72 => self.with(is_active, Self::answer),
            73..=75 => self.with(is_live, Self::client_leaves),
            76..=77 => self.with(is_abandoned, |run, id| run.deliver(id, Input::Back)),
            78 => self.with(Conversation::waits, Self::want_callback),
            79..=90 => self.with(is_active, Self::finish),
            91..=92 => self.with(is_wrap_up, Self::finish),
            93 => self.with(Conversation::is_open, Self::finish),
            94 => self.with(Conversation::waits, Self::shift),
            95 => self.change_operator(),
            96..=98 => self.deliver_again(),
            _ => self.with(Conversation::is_open, Self::early_timer),
        }
    }

    fn with(&mut self, which: fn(&Conversation) -> bool, what: fn(&mut Self, ConversationId)) {
        let matching = self.world.conversations.values().filter(|it| which(it));
        let matching: Vec<ConversationId> = matching.map(|it| it.id).collect();
        if let Some(id) = self.random.pick(&matching) {
            what(self, id);
        }
    }

    fn anybody(&mut self) -> OperatorId {
        let everybody: Vec<OperatorId> = self.world.operators.keys().copied().collect();
        self.random.pick(&everybody).expect("somebody works here")
    }

    /// Lets something happen that may happen a second time later. What is refused must
    /// be what has to be refused.
    fn deliver(&mut self, id: ConversationId, input: Input) {
        let mut may = None;
        if let Input::Accept { offer, operator }
        | Input::Decline {
            offer, operator, ..
        } = &input
        {
            may = Some(self.world.pending.get(offer) == Some(&(id, *operator)));
        }
        self.late.push((id, input.clone()));
        if self.late.len() > LATE_MAX {
            self.late.remove(0);
        }
        let context = format!("{input:?}");
        let done = self.world.act(id, input);
        if may.is_some_and(|may| may != done.is_ok()) {
            let what = format!("I6: {id}: {context} gave {done:?}");
            self.world.violations.push(what);
        }
    }

    fn arrive(&mut self) {
        if self.world.conversations.len() >= self.size.open_max() {
            return;
        }
        let random = &mut self.random;
        let queue = random.pick(&QUEUES).expect("there are queues");
        let medium = random.pick(&Medium::ALL).expect("there are media");
        let mut place = self.world.new_place();
        if random.one_in(5) {
            place.band = random.small(3) - 1;
        }
        if random.one_in(10) {
            place.eligible_at = place.eligible_at - random.millis(60_000);
        }
        let skills = if random.one_in(3) {
            random.some_skills()
        } else {
            Skills::default()
        };
        let known = random.one_in(4);
        let preferred = self.anybody();
        let preferred = known.then_some(preferred);
        self.world
            .arrive_with(queue, medium, place, skills, preferred);
    }

    fn choose(&mut self) {
        let who = self.anybody();
        let presence = match self.random.below(8) {
            0 | 1 => Presence::Away {
                reason: "tea".to_owned(),
            },
            2 => Presence::Offline,
            _ => Presence::Ready,
        };
        let input = if self.random.one_in(9) {
            operator::Input::SignIn
        } else {
            operator::Input::SetPresence {
                presence,
                when_idle: self.random.one_in(4),
            }
        };
        self.world.tell(who, &input);
    }

    fn link(&mut self) {
        let who = self.anybody();
        let is_down = self.world.operators[&who].link == Link::Down;
        let input = if is_down || self.random.one_in(3) {
            operator::Input::Connected
        } else {
            operator::Input::Disconnected
        };
        self.world.tell(who, &input);
    }

    fn accept(&mut self) {
        if let Some((offer, (id, operator))) = self.any_offer() {
            self.deliver(id, Input::Accept { offer, operator });
        }
    }

    fn decline(&mut self) {
        if let Some((offer, (id, operator))) = self.any_offer() {
            let reason = "busy".to_owned();
            let decline = Input::Decline {
                offer,
                operator,
                reason,
            };
            self.deliver(id, decline);
        }
    }

    fn any_offer(&mut self) -> Option<(OfferId, (ConversationId, OperatorId))> {
        let pending: Vec<_> = self.world.pending.clone().into_iter().collect();
        self.random.pick(&pending)
    }

    fn time_out(&mut self) {
        if let Some((_, (id, _))) = self.any_offer() {
            let at = self.world.conversations[&id].next_deadline();
            self.world.pass_time(at.expect("an offer ends"));
        }
    }

    fn take(&mut self, id: ConversationId) {
        let operator = self.anybody();
        self.take_for(id, operator);
    }

    fn take_for(&mut self, id: ConversationId, operator: OperatorId) {
        let medium = self.world.conversations[&id].medium;
        let it = &self.world.operators[&operator];
        let check = self
            .world
            .rules
            .capacity
            .check(&it.load, it.capacity, medium);
        let take = Input::Take {
            operator,
            over_capacity: check.is_err(),
        };
        self.deliver(id, take);
    }

    fn give_to_queue(&mut self, id: ConversationId) {
        let queue = QueueId::from(self.random.pick(&QUEUES).expect("there are queues"));
        let new_place = self.random.one_in(2).then(|| self.world.new_place());
        let input = Input::ToQueue {
            queue,
            skills: self.random.some_skills(),
            new_place,
        };
        // It is stamped with the moment of now, so it is not delivered again.
        let done = self.world.act(id, input);
        done.expect("it is open");
    }

    fn give_to_operator(&mut self, id: ConversationId) {
        let operator = self.anybody();
        let medium = self.world.conversations[&id].medium;
        let it = self.world.operators[&operator].candidate();
        let stopped = it.stopped(&self.world.rules.capacity, medium, self.world.now);
        if stopped.is_some() {
            return;
        }
        let offer = self.world.new_offer(id, operator);
        let input = Input::ToOperator {
            offer,
            operator,
            expires_at: self.world.now + Millis::from_secs(60),
        };
        self.world.act(id, input).expect("it is open");
    }

    fn snooze(&mut self, id: ConversationId) {
        let pause = self.random.millis_between(1, 60_000);
        let until = self.random.one_in(2).then(|| self.world.now + pause);
        self.deliver(id, Input::Snooze { until });
    }

    fn client_writes(&mut self, id: ConversationId) {
        let (owner, place) = (self.world.owner(id), self.world.new_place());
        let input = Input::Inbound { owner, place };
        self.world.act(id, input).expect("it is open");
    }

    fn answer(&mut self, id: ConversationId) {
        let conversation = &self.world.conversations[&id];
        let rules = self.world.rules.of(&conversation.queue);
        let park_after = rules.park_after.get(&conversation.medium);
        let park_at = park_after.map(|after| self.world.now + *after);
        // Stamped with the moment of now, too.
        let done = self.world.act(id, Input::Answered { park_at });
        done.expect("it is open");
    }

    fn client_leaves(&mut self, id: ConversationId) {
        let queue = &self.world.conversations[&id].queue;
        let until = self.world.now + self.world.rules.of(queue).resume_within;
        self.world
            .act(id, Input::Left { until })
            .expect("it is open");
    }

    fn want_callback(&mut self, id: ConversationId) {
        let phone = "+1 555 0100".to_owned();
        self.deliver(id, Input::CallbackWanted { phone });
    }

    fn finish(&mut self, id: ConversationId) {
        let wrap_up = self.world.ending(id);
        let disposition = if self.random.one_in(2) { "sold" } else { "" };
        let finish = Input::Finish {
            reason: CloseReason::Finished,
            disposition: disposition.to_owned(),
            wrap_up,
        };
        let done = self.world.act(id, finish.clone());
        // The same again: an impatient second click.
        if done.is_ok() && self.random.one_in(4) {
            let _ = self.world.act(id, finish);
        }
    }

    fn shift(&mut self, id: ConversationId) {
        let mut place = self.world.new_place();
        place.band = -1;
        self.deliver(id, Input::Move { place });
    }

    fn change_operator(&mut self) {
        let who = self.anybody();
        let mut operator = self.world.operators[&who].clone();
        operator.auto_accept = self.random.one_in(4);
        if self.random.one_in(3) {
            operator.skills = self.random.some_skills();
        }
        if self.random.one_in(3) {
            let capacity = self.random.pick(&[0, 30, 50, 100, 100, 200]);
            operator.capacity = capacity.expect("choices");
            self.world.shrunk = true;
        }
        self.world.put_operator(operator);
        self.world.settle();
    }

    /// Something arrives a second time, or late and in another order.
    fn deliver_again(&mut self) {
        let Some((id, input)) = self.random.pick(&self.late) else {
            return;
        };
        // Nobody can put something away until a moment that is past.
        let is_past = matches!(&input, Input::Snooze { until: Some(at) } if *at <= self.world.now);
        if is_past {
            return;
        }
        if let Input::Take { operator, .. } = input {
            // The engine sees whether there is room when it takes place.
            if self.world.conversations.contains_key(&id) {
                self.take_for(id, operator);
            }
        } else {
            self.deliver(id, input);
        }
    }

    /// A timer rings that was set for something that is over: nothing happens.
    fn early_timer(&mut self, id: ConversationId) {
        let before = self.world.conversations[&id].clone();
        let input = Input::Due {
            owner: Owner::Gone,
            place: self.world.new_place(),
        };
        let done = self.world.act(id, input);
        if done.is_err() || self.world.conversations.get(&id) != Some(&before) {
            let what = format!("an old timer changed {before:?}");
            self.world.violations.push(what);
        }
    }

    /// The gateway stops before the transaction of an event is written: it never
    /// happened. Time went on meanwhile.
    fn crash(&mut self) {
        let before = self.clone();
        self.event();
        let (found, figures) = (self.world.violations.clone(), self.world.figures);
        let now = self.world.now + self.random.millis(5_000);
        *self = before;
        self.world.violations = found;
        self.world.figures = figures;
        self.world.now = now;
        self.restart();
    }

    /// Everything is read again as it was written.
    fn restart(&mut self) {
        self.world.figures.crashes += 1;
        let world = &mut self.world;
        for conversation in world.conversations.values_mut() {
            let written = serde_json::to_string(conversation).expect("it can be written");
            *conversation = serde_json::from_str(&written).expect("it can be read");
        }
        for operator in world.operators.values_mut() {
            let written = serde_json::to_string(operator).expect("it can be written");
            *operator = serde_json::from_str(&written).expect("it can be read");
        }
        world.violations.extend(state::of_snapshot(world));
        let office = world.office();
        world.snapshot = domain::routing::Snapshot::new(office.waiting, office.operators);
        world.pass_time(world.now);
    }

    /// I7: when everybody works and nothing fails, everything is served, in an hour.
    pub(crate) fn drain(&mut self) {
        self.world.shrunk = true;
        let end = self.world.now + Millis::from_secs(3_600);
        while self.world.violations.is_empty() && self.world.now < end {
            self.everybody_works();
            let open: Vec<_> = self.world.conversations.keys().copied().collect();
            for id in open {
                self.serve(id);
            }
            if self.world.conversations.is_empty() {
                return;
            }
            self.world.wait(Millis::from_secs(7));
        }
        let left: Vec<_> = self.world.conversations.values().collect();
        if let Some(first) = left.first() {
            let what = format!("I7: {} were never served, first {first:?}", left.len());
            self.world.violations.push(what);
        }
    }

    fn everybody_works(&mut self) {
        let everybody: Vec<_> = self.world.operators.keys().copied().collect();
        for id in everybody {
            let mut operator = self.world.operators[&id].clone();
            if operator.capacity != 100 {
                operator.capacity = 100;
                self.world.put_operator(operator.clone());
            }
            if operator.link == Link::Down {
                self.world.tell(id, &operator::Input::Connected);
            }
            let is_ready = operator.presence == Presence::Ready
                && operator.next_presence.is_none()
                && !operator.not_responding;
            if !is_ready {
                self.world.say(id, Presence::Ready);
            }
        }
    }

    fn serve(&mut self, id: ConversationId) {
        // Refused when it only waits, and has to wait on.
        let _ = self.world.accept(id);
        let Some(conversation) = self.world.conversations.get(&id) else {
            return;
        };
        let by_hand = self.world.rules.of(&conversation.queue).strategy == Strategy::Manual;
        match conversation.state {
            State::Active { .. } | State::WrapUp { .. } => {
                // Refused while the time for finishing up is fixed.
                let _ = self.world.finish(id);
            }
            State::Parked { .. } => self.client_writes(id),
            State::Queued if by_hand => {
                let operator = OperatorId::new(1);
                let take = Input::Take {
                    operator,
                    over_capacity: true,
                };
                self.world.act(id, take).expect("it waits");
            }
            State::Queued
            | State::Deferred { .. }
            | State::Offered { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => {}
        }
    }
}

fn is_active(conversation: &Conversation) -> bool {
    matches!(conversation.state, State::Active { .. })
}

fn is_wrap_up(conversation: &Conversation) -> bool {
    matches!(conversation.state, State::WrapUp { .. })
}

fn is_abandoned(conversation: &Conversation) -> bool {
    matches!(conversation.state, State::Abandoned { .. })
}

fn is_live(conversation: &Conversation) -> bool {
    conversation.medium.is_live()
}

/// The first works for every queue and can do everything, so that nothing waits for
/// nobody.
fn hire(world: &mut World, random: &mut Random, id: u64) {
    let id = OperatorId::new(i64::try_from(id).expect("it is small"));
    let is_first = id.get() == 1;
    let works = QUEUES
        .into_iter()
        .filter(|_| is_first || !random.one_in(3))
        .collect::<Vec<_>>();
    let memberships = works.into_iter().map(|queue| Membership {
        queue: QueueId::from(queue),
        rank: random.small(3) / 2,
        position: random.small(3),
    });
    let memberships = memberships.collect();
    let skills = if is_first {
        SKILLS.into_iter().collect()
    } else {
        random.some_skills()
    };
    world.hire_with(id, memberships, skills);
    if random.one_in(8) {
        let mut operator = world.operators[&id].clone();
        operator.auto_accept = true;
        world.put_operator(operator);
    }
}

fn rules_of(queue: &str, random: &mut Random) -> QueueRules {
    let mut rules = QueueRules::new(QueueId::from(queue));
    rules.strategy = random.pick(&STRATEGIES).expect("choices");
    if random.one_in(5) {
        rules.assignment = Assignment::Direct;
    }
    rules.round_wait = random.millis_between(10_000, 30_000);
    rules.sticky_wait = random.millis(40_000);
    rules.ageing = random.millis_between(20_000, 80_000);
    rules.resume_within = random.millis_between(10_000, 60_000);
    rules.wrap_up = match random.below(5) {
        0 => WrapUp::Timed(Millis::from_secs(8)),
        1 => WrapUp::Fixed(Millis::from_secs(5)),
        2 => WrapUp::Manual(Millis::from_secs(20)),
        _ => WrapUp::Off,
    };
    rules.park_after = BTreeMap::from([
        (Medium::Messenger, Millis::from_secs(20)),
        (Medium::Email, Millis::from_secs(40)),
    ]);
    // In the end anybody may answer: nobody has to have been hired for a skill.
    rules.relaxations = vec![
        Relaxation {
            after: random.millis(20_000),
            drop: Dropped::These(["billing"].into_iter().collect()),
        },
        Relaxation {
            after: random.millis_between(20_000, 60_000),
            drop: Dropped::All,
        },
    ];
    let ways = [
        Trigger::Waited(Millis::from_secs(15)),
        Trigger::Waited(Millis::from_secs(40)),
        Trigger::Rounds(2),
        Trigger::Unstaffed,
        Trigger::Full(4),
        Trigger::Closing,
    ];
    let other = random.pick(&QUEUES).expect("there are queues");
    let exits = [
        Exit::Queue(QueueId::from(other)),
        Exit::Queue(QueueId::from(other)),
        Exit::AnySkills,
        Exit::Voicemail,
        Exit::Form,
        Exit::Callback,
    ];
    for when in ways {
        if random.one_in(6) {
            let exit = random.pick(&exits).expect("choices");
            rules.overflows.push(Overflow { when, exit });
        }
    }
    rules
}
