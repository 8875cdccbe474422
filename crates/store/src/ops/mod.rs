//! Every operation on the store, by what it is about.

pub(crate) mod acts;
pub(crate) mod audit;
pub(crate) mod bookmarks;
pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod events;
pub(crate) mod invariants;
pub(crate) mod journal;
pub(crate) mod letters;
pub(crate) mod mentions;
pub(crate) mod messages;
pub(crate) mod metrics;
pub(crate) mod obligations;
pub(crate) mod offers;
pub(crate) mod operators;
pub(crate) mod outbox;
pub(crate) mod pace;
pub(crate) mod people;
pub(crate) mod proof;
pub(crate) mod ratings;
pub(crate) mod reach;
pub(crate) mod replies;
pub(crate) mod threads;
pub(crate) mod told;
pub(crate) mod unanswered;
pub(crate) mod webhooks;
