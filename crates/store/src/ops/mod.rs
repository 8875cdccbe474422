//! Every operation on the store, by what it is about.

pub(crate) mod acts;
pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod events;
pub(crate) mod invariants;
pub(crate) mod journal;
pub(crate) mod messages;
pub(crate) mod offers;
pub(crate) mod operators;
pub(crate) mod outbox;
pub(crate) mod people;
pub(crate) mod proof;
pub(crate) mod reach;
pub(crate) mod threads;
