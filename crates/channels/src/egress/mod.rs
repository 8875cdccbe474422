//! The one way by which we call servers of the web.

mod call;
mod client;
mod disposition;
mod error;
mod fetch;
mod guard;
#[cfg(test)]
mod peer;
mod proxy;
mod reply;
mod roots;
mod target;

pub use call::{Body, Call, To, Upload};
pub use client::{Client, Setup};
pub use error::CallError;
pub use fetch::{Fetched, Limits};
pub use proxy::Proxy;
pub use reply::Reply;
pub use roots::Roots;
pub use target::Target;
