//! How letters come in: every folder of every mailbox has a connection of its own, so
//! that none holds up another.

mod check;
mod connect;
mod cursor;
mod folder;
mod guard;
mod intake;
mod reader;
mod session;
mod spool;
mod status;
mod tidy;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::config::Config;
use super::oauth::Tokens;
use crate::{Host, RunError};
use folder::{Folder, Gate};
use intake::Intake;

pub(super) use check::check;
pub(super) use connect::enter;
pub(super) use session::{Session, Trouble};
pub(super) use status::Status;

/// Before a folder is begun anew that ended by a mistake of ours.
const PANIC_PAUSE: Duration = Duration::from_mins(1);

/// Reads every folder until it is told to stop.
pub(super) async fn run(
    config: &Config,
    tokens: &Arc<Tokens>,
    status: &Arc<Status>,
    host: Arc<dyn Host>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let intake = Arc::new(Intake {
        line: config.line.clone(),
        host,
        letter_bytes_max: config.letter_bytes_max,
    });
    let mut folders = JoinSet::new();
    for mailbox in &config.mailboxes {
        let mailbox = Arc::new(mailbox.clone());
        let gate = Arc::new(Gate::default());
        for name in &mailbox.folders {
            let folder = Folder {
                intake: Arc::clone(&intake),
                mailbox: Arc::clone(&mailbox),
                name: name.clone(),
                gate: Arc::clone(&gate),
                tokens: Arc::clone(tokens),
                status: Arc::clone(status),
            };
            folder.begin();
            folders.spawn(supervised(folder));
        }
    }
    stop.cancelled().await;
    // What is being taken in is taken in; what was not acknowledged comes again.
    folders.shutdown().await;
    Ok(())
}

/// Begins a folder anew when an answer of its server made the library panic.
async fn supervised(folder: Folder) {
    let folder = Arc::new(folder);
    loop {
        let kept = Arc::clone(&folder);
        let kept = tokio::spawn(async move { kept.keep().await });
        let Err(error) = AbortOnDropHandle::new(kept).await;
        folder.broken(&error.to_string());
        tokio::time::sleep(PANIC_PAUSE).await;
    }
}

/// Something up to so long, so that not everybody comes back at once.
fn jitter(host: &Arc<dyn Host>, at_most: Duration) -> Duration {
    let [a, b, ..] = host.random_bytes();
    at_most * u32::from(u16::from_be_bytes([a, b])) / u32::from(u16::MAX)
}
