//! Messengers' servers, as they are documented to behave: they redeliver what is not
//! acknowledged, sign, ask for patience, and fail as each of them does.

pub mod avito;
mod desk;
pub mod max;
pub mod messenger;
pub mod ok;
pub mod platform;
pub mod telegram;
pub mod viber;
pub mod vk;
pub mod whatsapp;

pub use desk::{Desk, Fault, Fields, Seen};
pub use platform::{Acts, Buttons, Platform};
