//! What Switchboard decides, without doing it.
//!
//! Pure: no I/O, no clock, no randomness, no async. `now` and fresh ids are
//! arguments. Everything is ordered, so the same input gives the same bytes.

pub mod conversation;
pub mod event;
pub mod forecast;
pub mod hours;
pub mod id;
pub mod identity;
pub mod message;
pub mod metrics;
pub mod obligation;
pub mod operator;
pub mod proof;
pub mod rating;
pub mod routing;
pub mod text;
pub mod time;
pub mod whatif;

pub use id::{
    ContactId, ConversationId, LineId, MessageId, ObligationId, OfferId, OperatorId, QueueId,
    ThreadId,
};
pub use time::{Millis, Timestamp};
