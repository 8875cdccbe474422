//! Who may come in: the first set-up, passwords, sessions, tokens. Secrets are
//! random, long, and kept as hashes only.

mod failures;
mod operators;
mod password;
mod principal;
mod secret;
mod session;
mod set_up;
mod token;

pub(crate) use failures::Failures;
pub use operators::{NewOperator, OperatorChange, SKILLS_MAX, skill_name};
pub use principal::Principal;
pub use secret::random_bytes;
pub(crate) use secret::{fresh_secret, link_key};
pub use session::{Browser, SignedIn};
