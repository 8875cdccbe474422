//! The one way by which we call servers of the web.

mod client;
mod target;

pub use client::{Client, Reply, Roots};
pub use target::Target;
