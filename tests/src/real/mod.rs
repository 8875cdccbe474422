//! The gateway as a process of its own, the clients around it as they really come,
//! and the books that both must agree with. It may be killed at any instant: every
//! client comes back and says again what was not answered, as its real counterpart
//! does.

mod audit;
mod bridge;
mod figures;
mod form;
mod gate;
mod ledger;
mod load;
mod operator;
mod process;
mod random;
mod store;
mod visitor;

use serde_json::{Value, json};

pub use audit::{Findings, audit};
pub use figures::{figure, load_average, median};
pub use form::readiness;
pub use gate::Gate;
pub use ledger::Ledger;
pub use load::{Crew, Load, Tokens, hire, set_up};
pub use process::{Life, Server, program};
pub use random::Random;
pub use store::Store;

/// A number that somebody gave for this run, such as how many kills.
#[expect(
    clippy::disallowed_methods,
    reason = "a run is made longer by its environment alone"
)]
pub fn given(name: &str) -> Option<u64> {
    let value = std::env::var_os(name)?;
    value.to_str()?.parse().ok()
}

/// What a run that a machine may not allow came to: its figures, or why it was skipped.
pub fn told(name: &str, outcome: Result<Value, String>) -> String {
    match outcome {
        Ok(figures) => json!({"test": name, "figures": figures}).to_string(),
        Err(reason) => format!("skipped: {name}: {reason}"),
    }
}
