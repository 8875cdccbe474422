//! What would have been: a recorded period, or one that is made up, again through the
//! same `settle` and the same machines, under other rules or with other people.
//!
//! What was recorded drives the replay wherever it still fits: who came when, how an
//! operator answered an offer, how long a conversation took, when a client gave up.
//! Where it fits no more, because another operator is asked or somebody waits longer
//! than they did, it is drawn from what was recorded of others, by a seed. So with
//! unchanged rules nothing is drawn at all, and the metrics are those of the record.

mod act;
mod draw;
mod figures;
mod pass;
mod recorder;
mod recording;
mod run;
mod synthetic;
#[cfg(test)]
mod tests;
mod world;

pub use draw::{Draws, Seed};
pub use figures::{
    Difference, Figure, Figures, Models, Rates, difference, drawn_interval, models, rates,
};
pub use recorder::Recorder;
pub use recording::{LeftOut, Recording, Staffing};
pub use run::{Plan, Told, run};
pub use synthetic::Synthetic;
