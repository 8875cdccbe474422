//! Every kind of channel against the contract, and the two that face visitors
//! against a real server.

#![expect(
    clippy::unwrap_used,
    reason = "what is no test itself helps tests here"
)]

mod contract;
mod form;
mod host;
mod identify;
mod webchat;
