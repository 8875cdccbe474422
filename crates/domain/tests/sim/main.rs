//! The router against a naive model, in random worlds, and in the cases that other
//! systems are known to get wrong (ROUTING, Conformance cases).

mod assertions;
mod model;
mod reference;
