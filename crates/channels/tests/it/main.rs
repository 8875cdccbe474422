//! The two channels that face visitors, against a real server.

#![expect(
    clippy::unwrap_used,
    reason = "what is no test itself helps tests here"
)]

mod form;
mod host;
mod identify;
mod queue;
mod webchat;
