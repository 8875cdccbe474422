//! The way into the gateway, with the patience it asks for.

use std::sync::Arc;
use std::time::Duration;

use domain::{LineId, Millis};

use super::session::Trouble;
use crate::host::{Host, Refused};
use crate::{Envelope, intake};

/// What a line's letters are handed to.
pub(super) struct Intake {
    pub(super) line: LineId,
    pub(super) host: Arc<dyn Host>,
    pub(super) letter_bytes_max: u64,
}

impl Intake {
    /// Makes letters durable, in order, by as few commits as it takes.
    pub(super) async fn accept(&self, letters: Vec<Envelope>) -> Result<(), Trouble> {
        let taken = intake::accept(self.host.as_ref(), &self.line, letters).await;
        taken.map_err(|reason| refused(&reason))
    }

    pub(super) async fn bookmark(&self, name: &str) -> Result<Option<String>, Trouble> {
        loop {
            match self.host.bookmark(&self.line, name).await {
                Ok(note) => return Ok(note),
                Err(Refused::Busy { retry_after, .. }) => sleep(retry_after).await,
                Err(Refused::Invalid(reason)) => return Err(refused(&reason)),
            }
        }
    }

    pub(super) async fn set_bookmark(&self, name: &str, note: &str) -> Result<(), Trouble> {
        loop {
            match self.host.set_bookmark(&self.line, name, note).await {
                Ok(()) => return Ok(()),
                Err(Refused::Busy { retry_after, .. }) => sleep(retry_after).await,
                Err(Refused::Invalid(reason)) => return Err(refused(&reason)),
            }
        }
    }
}

pub(super) async fn sleep(pause: Millis) {
    let pause = u64::try_from(pause.0).unwrap_or_default();
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

fn refused(reason: &str) -> Trouble {
    Trouble::Refused(format!("the gateway does not take it in: {reason}"))
}
