//! The router against a naive model, in random worlds, and in the cases that other
//! systems are known to get wrong (ROUTING, Conformance cases).

mod assertions;
mod conformance;
mod cost;
mod glue;
mod model;
mod planted;
mod reference;
mod seeds;
mod state;
mod transition;
mod world;
