//! The replay: what comes next is done, and then everything is settled.

use super::Seed;
use super::recording::Recording;
use super::world::{Task, World};
use crate::Timestamp;
use crate::event::Event;
use crate::metrics::Replay;
use crate::operator;
use crate::routing::RoutingRules;

/// Under which rules a recording is replayed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Those under which it was recorded.
    pub before: RoutingRules,
    /// Those to be tried.
    pub after: RoutingRules,
    /// For what is drawn.
    pub seed: Seed,
}

/// What came of a replay.
#[derive(Debug)]
pub struct Told {
    /// What was counted in the period.
    pub counted: Replay,
    /// Decisions that were not as recorded; 0 when nothing was drawn.
    pub departed: u64,
    /// Everything that was decided and done, in steps.
    pub steps: u64,
}

/// Replays a recording. `tell` hears of everything that happens, in order, and
/// `progress` of the time, now and then.
pub fn run(
    recording: &Recording,
    plan: &Plan,
    mut tell: impl FnMut(&Event),
    mut progress: impl FnMut(Timestamp),
) -> Told {
    const PROGRESS_STEPS: u64 = 4_096;
    let mut counted = recording.before.clone();
    let mut hear = |event: &Event| {
        counted.read(event);
        tell(event);
    };
    let mut world = World::new(recording, plan, &mut hear);
    let mut steps = 0;
    while let Some((moment, task)) = world.next_task() {
        world.now = moment.at;
        world.perform(task);
        steps += 1;
        if world.unsettled && world.next_time() != Some(moment.at) {
            world.settle();
        }
        if steps % PROGRESS_STEPS == 0 {
            progress(moment.at);
        }
    }
    let departed = world.departed;
    Told {
        counted,
        departed,
        steps,
    }
}

impl World<'_> {
    fn perform(&mut self, task: Task) {
        match task {
            Task::Arrive(number) => self.arrive(number),
            Task::Turn(number) => self.turn(number),
            Task::Act(id, number, spell) => self.act(id, number, spell),
            Task::Leave(id, spell) => self.leave(id, spell),
            Task::Finish(id, spell) => self.finish(id, spell),
            Task::Accept(offer) => self.answer(offer, true),
            Task::Decline(offer) => self.answer(offer, false),
            Task::Due(id) => self.due(id),
            Task::DueOf(id) => self.affect(id, operator::Input::Due),
            Task::Back(id) => self.back(id),
            Task::Look => {
                if self.on_record {
                    self.settle();
                }
            }
            Task::Sweep => self.unsettled |= !self.on_record,
        }
    }
}
