//! What lines have in common that keep themselves connected: they make durable what came,
//! and tell what is wrong just now.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::LineId;

use crate::host::Refused;
use crate::{Envelope, Host};

/// What is wrong just now.
#[derive(Default)]
pub(crate) struct Trouble(Mutex<Option<String>>);

impl Trouble {
    pub(crate) fn told(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set(&self, trouble: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// Makes events durable in their order, with the patience that this takes.
pub(crate) async fn accept(
    host: &dyn Host,
    line: &LineId,
    events: Vec<Envelope>,
) -> Result<(), String> {
    let mut left = VecDeque::from(events);
    loop {
        match host.accept_all(line, &mut left).await {
            Ok(()) => return Ok(()),
            Err(Refused::Busy { retry_after, .. }) => {
                let pause = u64::try_from(retry_after.0).unwrap_or_default();
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            Err(Refused::Invalid(reason)) => return Err(reason),
        }
    }
}
