//! What can happen to a world, at random.

use domain::conversation::{Conversation, Input, State};
use domain::message::Medium;
use domain::operator::{self, Presence};
use domain::{ConversationId, Millis, OfferId, OperatorId, QueueId};

use crate::world::World;

pub(crate) const QUEUES: [&str; 4] = ["sales", "support", "calls", "direct"];

const OPEN_MAX: usize = 28;

/// Splitmix64: the same seed gives the same run on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
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

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let count = u64::try_from(from.len()).expect("it is small");
        let index = usize::try_from(self.below(count.max(1))).expect("it is small");
        from.get(index).cloned()
    }
}

/// One thing happens, and a moment passes.
pub(crate) fn step(world: &mut World, random: &mut Random) {
    match random.below(100) {
        0..=23 => arrive(world, random),
        24..=29 => choose(world, random),
        30..=49 => with_any(world, random, is_offered, |world, _, id| {
            world.accept(id).expect("the offer is pending");
        }),
        50..=53 => with_any(world, random, is_offered, |world, _, id| {
            world.decline(id).expect("the offer is pending");
        }),
        54..=55 => time_out(world, random),
        56..=57 => with_any(world, random, Conversation::is_open, take),
        58..=61 => with_any(world, random, Conversation::is_open, transfer_to_queue),
        62..=63 => with_any(world, random, Conversation::is_open, transfer_to_operator),
        64..=66 => with_any(world, random, is_active, snooze),
        67..=70 => with_any(world, random, Conversation::is_open, client_writes),
        71..=91 => with_any(world, random, is_active, |world, _, id| {
            world.finish(id).expect("it is open");
        }),
        92 => with_any(world, random, Conversation::is_open, |world, _, id| {
            world.finish(id).expect("it is open");
        }),
        93 => with_any(world, random, is_queued, move_to_front),
        94..=95 => change_capacity(world, random),
        96 => accept_late(world, random),
        97 => sign_in(world, random),
        98 => restart(world, random),
        _ => {
            let pause = i64::try_from(random.below(20_000)).expect("it is small");
            world.pass_time(world.now + Millis(pause));
        }
    }
    let moment = i64::try_from(random.below(1_200)).expect("it is small");
    world.pass_time(world.now + Millis(moment));
}

fn is_queued(conversation: &Conversation) -> bool {
    conversation.state == State::Queued
}

fn is_offered(conversation: &Conversation) -> bool {
    matches!(conversation.state, State::Offered { .. })
}

fn is_active(conversation: &Conversation) -> bool {
    matches!(conversation.state, State::Active { .. })
}

fn with_any(
    world: &mut World,
    random: &mut Random,
    which: impl Fn(&Conversation) -> bool,
    what: impl Fn(&mut World, &mut Random, ConversationId),
) {
    let matching = world.conversations.values().filter(|it| which(it));
    let matching: Vec<ConversationId> = matching.map(|it| it.id).collect();
    if let Some(id) = random.pick(&matching) {
        what(world, random, id);
    }
}

fn anybody(world: &World, random: &mut Random) -> OperatorId {
    let everybody: Vec<OperatorId> = world.operators.keys().copied().collect();
    random.pick(&everybody).expect("somebody works here")
}

fn arrive(world: &mut World, random: &mut Random) {
    if world.conversations.len() < OPEN_MAX {
        let queue = random.pick(&QUEUES).expect("there are queues");
        let medium = random.pick(&Medium::ALL).expect("there are media");
        world.arrive(queue, medium);
    }
}

fn choose(world: &mut World, random: &mut Random) {
    let who = anybody(world, random);
    let presence = match random.below(8) {
        0 | 1 => Presence::Away {
            reason: "tea".to_owned(),
        },
        2 => Presence::Offline,
        _ => Presence::Ready,
    };
    let when_idle = random.one_in(4);
    let input = operator::Input::SetPresence {
        presence,
        when_idle,
    };
    world.tell(who, input);
}

fn time_out(world: &mut World, random: &mut Random) {
    with_any(world, random, is_offered, |world, _, id| {
        let deadline = world.conversations[&id].next_deadline();
        world.pass_time(deadline.expect("an offer ends"));
    });
}

fn take(world: &mut World, random: &mut Random, id: ConversationId) {
    let operator = anybody(world, random);
    world
        .act(id, Input::Take { operator })
        .expect("whatever is open can be taken");
}

fn transfer_to_queue(world: &mut World, random: &mut Random, id: ConversationId) {
    let queue = QueueId::from(random.pick(&QUEUES).expect("there are queues"));
    let new_place = random.one_in(2).then(|| world.new_place());
    let input = Input::ToQueue { queue, new_place };
    world.act(id, input).expect("it is open");
}

fn transfer_to_operator(world: &mut World, random: &mut Random, id: ConversationId) {
    let operator = anybody(world, random);
    if world.operators[&operator].barred(world.now).is_some() {
        return;
    }
    let offer = OfferId::new(world.next_id());
    let input = Input::ToOperator {
        offer,
        operator,
        expires_at: world.now + Millis::from_secs(60),
    };
    world.act(id, input).expect("it is open");
}

fn snooze(world: &mut World, random: &mut Random, id: ConversationId) {
    let pause = i64::try_from(1 + random.below(60_000)).expect("it is small");
    let until = random.one_in(2).then(|| world.now + Millis(pause));
    world
        .act(id, Input::Snooze { until })
        .expect("it is active");
}

fn client_writes(world: &mut World, _: &mut Random, id: ConversationId) {
    let (owner_free, place) = (world.owner_free(id), world.new_place());
    let input = Input::Inbound { owner_free, place };
    world.act(id, input).expect("it is open");
}

fn move_to_front(world: &mut World, _: &mut Random, id: ConversationId) {
    let mut place = world.new_place();
    place.band = -1;
    world.act(id, Input::Move { place }).expect("it waits");
}

fn change_capacity(world: &mut World, random: &mut Random) {
    let who = anybody(world, random);
    let operator = world.operators.get_mut(&who).expect("they work here");
    operator.capacity = random.pick(&[0, 30, 50, 100, 100, 200]).expect("choices");
    operator.auto_accept = random.one_in(6);
    world.settle();
}

/// A late accept is refused and changes nothing.
fn accept_late(world: &mut World, random: &mut Random) {
    let operator = anybody(world, random);
    let offer = OfferId::new(world.next_id());
    with_any(world, random, Conversation::is_open, |world, _, id| {
        let before = world.conversations[&id].clone();
        let accepted = world.act(id, Input::Accept { offer, operator });
        if accepted.is_ok() || world.conversations[&id] != before {
            world.violations.push(format!("I6: late accept of {offer}"));
        }
    });
}

fn sign_in(world: &mut World, random: &mut Random) {
    let who = anybody(world, random);
    world.tell(who, operator::Input::SignIn);
}

/// Everything is written down and read again.
fn restart(world: &mut World, _: &mut Random) {
    for conversation in world.conversations.values_mut() {
        let written = serde_json::to_string(conversation).expect("it can be written");
        *conversation = serde_json::from_str(&written).expect("it can be read");
    }
    for operator in world.operators.values_mut() {
        let written = serde_json::to_string(operator).expect("it can be written");
        *operator = serde_json::from_str(&written).expect("it can be read");
    }
    world.settle();
}
