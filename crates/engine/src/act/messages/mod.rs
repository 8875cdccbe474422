//! Writing to clients and colleagues.

mod attending;
mod changing;
mod delivery;
mod letters;
mod said;
mod sending;
mod way;

pub(crate) use delivery::{delivered, last_message, named};
pub use letters::NewLetter;
pub use sending::NewMessage;
pub(super) use sending::write_note;
pub(crate) use way::must_be_able;

/// The longest note or other wording of a message, in characters.
const NOTE_CHARS_MAX: usize = 16_000;
