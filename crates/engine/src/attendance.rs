//! Whether operators can be reached: who has a feed open. A page that is loaded anew is
//! gone for a moment; whoever stays away longer is taken for disconnected, in the store,
//! so that it outlives a restart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::operator::{Input, Link};
use domain::{Millis, OperatorId, Timestamp};
use store::StoreError;
use tokio::sync::Notify;

use crate::{Engine, change};

/// How long somebody without a feed is not taken for gone.
const PATIENCE: Millis = Millis::from_secs(5);
/// The same after a start of the gateway, when everybody has to come back.
const PATIENCE_AT_START: Millis = Millis::from_secs(15);
/// How often those who may be gone are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Who has a feed open.
#[derive(Default)]
pub(crate) struct Attendance {
    stands: Mutex<BTreeMap<OperatorId, Stand>>,
    changed: Notify,
}

#[derive(Clone, Copy, Default)]
struct Stand {
    feeds: usize,
    /// The store has them as connected.
    told: bool,
    /// When they are taken for gone, while no feed is open.
    gone_at: Option<Timestamp>,
}

/// An open feed of an operator.
pub struct Attending {
    engine: Engine,
    operator: OperatorId,
}

impl Drop for Attending {
    fn drop(&mut self) {
        let gone_at = self.engine.now() + PATIENCE;
        let attendance = &self.engine.inner.attendance;
        if let Some(stand) = attendance.lock().get_mut(&self.operator) {
            stand.feeds = stand.feeds.saturating_sub(1);
            if stand.feeds == 0 {
                stand.gone_at = Some(gone_at);
            }
        }
        attendance.changed.notify_one();
    }
}

impl Attendance {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<OperatorId, Stand>> {
        self.stands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the store has to be told now: who came, and who went.
    fn news(&self, now: Timestamp) -> Vec<(OperatorId, bool)> {
        let stands = self.lock();
        let news = stands.iter().filter_map(|(operator, stand)| {
            let is_gone = stand.gone_at.is_some_and(|at| at <= now);
            if stand.feeds > 0 && !stand.told {
                Some((*operator, true))
            } else if stand.feeds == 0 && is_gone {
                Some((*operator, false))
            } else {
                None
            }
        });
        news.collect()
    }

    fn told(&self, operator: OperatorId, came: bool) {
        let mut stands = self.lock();
        let Some(stand) = stands.get_mut(&operator) else {
            return;
        };
        if came {
            stand.told = true;
        } else if stand.feeds == 0 {
            stands.remove(&operator);
        } else {
            // Back while it was written: told anew.
            stand.told = false;
        }
    }

    fn is_waited_for(&self) -> bool {
        self.lock().values().any(|stand| stand.feeds == 0)
    }
}

impl Engine {
    /// Notes that an operator has a feed open, as long as what is answered lives.
    pub fn attend(&self, operator: OperatorId) -> Attending {
        let attendance = &self.inner.attendance;
        {
            let mut stands = attendance.lock();
            let stand = stands.entry(operator).or_default();
            stand.feeds += 1;
            stand.gone_at = None;
        }
        attendance.changed.notify_one();
        Attending {
            engine: self.clone(),
            operator,
        }
    }

    /// Whoever was connected when the gateway stopped has to come back.
    pub(crate) async fn expect_back(&self) -> Result<(), StoreError> {
        let gone_at = self.now() + PATIENCE_AT_START;
        let operators = self
            .read::<_, StoreError>(|view| view.all_operators())
            .await?;
        let mut stands = self.inner.attendance.lock();
        for operator in operators {
            if operator.link == Link::Up {
                stands.insert(
                    operator.id,
                    Stand {
                        feeds: 0,
                        told: true,
                        gone_at: Some(gone_at),
                    },
                );
            }
        }
        Ok(())
    }
}

/// Tells the store who can be reached, until the gateway stops.
pub(crate) async fn run(engine: Engine) {
    let stop = engine.stopping();
    let attendance = Arc::clone(&engine.inner.attendance);
    while !stop.is_cancelled() {
        for (operator, came) in attendance.news(engine.now()) {
            let input = if came {
                Input::Connected
            } else {
                Input::Disconnected
            };
            let written = engine
                .store()
                .write::<_, StoreError>(move |tx| change::operator(tx, operator, input))
                .await;
            match written {
                Ok(()) => attendance.told(operator, came),
                Err(error) => tracing::error!(%error, "nobody was told who is connected"),
            }
        }
        let look = async {
            if attendance.is_waited_for() {
                tokio::time::sleep(LOOK).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            // Always in this order: a simulation repeats itself.
            biased;
            () = stop.cancelled() => {}
            () = attendance.changed.notified() => {}
            () = look => {}
        }
    }
}
