//! Handing a letter over to a server, step by step: what became of it depends on where
//! it failed.

mod body;
mod command;
mod outcome;
mod post;
mod reply;
mod session;
mod wire;

pub(super) use body::Pouring;
pub(super) use post::Post;
pub(super) use session::SEND_TIME_MAX;

#[cfg(test)]
pub(super) mod peer;
#[cfg(test)]
mod tests;
