//! The link by which a program of somebody else's serves a line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Millis;
use domain::message::{Action, Outbound, Receipt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::SendError;

/// Enough that a round trip does not leave the program idle; few enough that
/// little is handed over and unanswered when the link is lost.
const UNREAD_MAX: usize = 32;

/// Longer than a provider's own time limit, so that the program can tell what
/// became of its request; shorter than the lease of an outbox row.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A line's end of the link. At most one program serves it at a time.
#[derive(Clone, Debug, Default)]
pub struct Uplink {
    state: Arc<Mutex<State>>,
}

/// The other end, for as long as `outbound` is held.
#[derive(Debug)]
pub struct Connection {
    /// What to send; ends when another program takes over.
    pub outbound: mpsc::Receiver<Outbound>,
    /// Takes the answers.
    pub receipts: Receipts,
    /// Cancelled when another program takes over.
    pub replaced: CancellationToken,
}

/// Takes answers to what was handed over.
#[derive(Clone, Debug)]
pub struct Receipts {
    state: Arc<Mutex<State>>,
}

type Answer = Result<Receipt, SendError>;

#[derive(Debug, Default)]
struct State {
    link: Option<Link>,
    pending: BTreeMap<String, oneshot::Sender<Answer>>,
}

#[derive(Clone, Debug)]
struct Link {
    outbound: mpsc::Sender<Outbound>,
    replaced: CancellationToken,
}

/// Names a hand-over: the same after a lost link, another for each change of one
/// message.
pub fn outbound_id(outbound: &Outbound) -> String {
    let verb = match &outbound.action {
        Action::Send(_) => "send",
        Action::Edit { .. } => "edit",
        Action::Delete { .. } => "delete",
        Action::React { .. } => "react",
    };
    format!("{}-{verb}-{}", outbound.message, outbound.sent_at)
}

impl Uplink {
    /// Begins to serve the line. Whoever served it until now is cut off: after a
    /// broken network the old stream may look alive for minutes.
    pub fn attach(&self) -> Connection {
        let (sender, outbound) = mpsc::channel(UNREAD_MAX);
        let replaced = CancellationToken::new();
        let link = Link {
            outbound: sender,
            replaced: replaced.clone(),
        };
        if let Some(earlier) = lock(&self.state).link.replace(link) {
            tracing::info!("another program serves the line from now on");
            earlier.replaced.cancel();
        }
        Connection {
            outbound,
            receipts: Receipts {
                state: Arc::clone(&self.state),
            },
            replaced,
        }
    }

    /// Whether somebody serves the line.
    pub fn is_attached(&self) -> bool {
        self.link().is_some()
    }

    /// Hands over and waits for the answer. A lost link or a missing answer is
    /// `RetryAfter`, because the program dedupes by [`outbound_id`].
    pub async fn send(&self, outbound: &Outbound) -> Answer {
        let Some(link) = self.link() else {
            return retry(5, "no program serves this line");
        };
        let id = outbound_id(outbound);
        let (answered, answer) = oneshot::channel();
        lock(&self.state).pending.insert(id.clone(), answered);
        let _forget = Forget { uplink: self, id };
        let exchange = async {
            if link.outbound.send(outbound.clone()).await.is_err() {
                return retry(1, "the program left before taking the message");
            }
            answer
                .await
                .unwrap_or_else(|_| retry(1, "the same message was handed over again"))
        };
        tokio::select! {
            biased;
            outcome = tokio::time::timeout(ANSWER_TIMEOUT, exchange) => {
                outcome.unwrap_or_else(|_| retry(5, "the program did not answer in 30 s"))
            }
            () = link.replaced.cancelled() => retry(0, "another program took over"),
            () = link.outbound.closed() => retry(1, "the link was lost"),
        }
    }

    fn link(&self) -> Option<Link> {
        let mut state = lock(&self.state);
        if state
            .link
            .as_ref()
            .is_some_and(|link| link.outbound.is_closed())
        {
            state.link = None;
        }
        state.link.clone()
    }
}

impl Receipts {
    /// Gives the answer to one hand-over. False when nobody waits for it any more.
    pub fn answer(&self, outbound_id: &str, answer: Answer) -> bool {
        let waiting = lock(&self.state).pending.remove(outbound_id);
        waiting.is_some_and(|waiting| waiting.send(answer).is_ok())
    }
}

/// Keeps the table of waiting calls as small as the calls are many, also when a
/// call is dropped.
struct Forget<'a> {
    uplink: &'a Uplink,
    id: String,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.uplink.state);
        // A second call for the same message has put its own there.
        if state
            .pending
            .get(&self.id)
            .is_some_and(oneshot::Sender::is_closed)
        {
            state.pending.remove(&self.id);
        }
    }
}

/// Nothing that runs under this lock leaves it half-done, so a panic elsewhere
/// does not spoil it.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn retry(after_secs: i64, reason: &str) -> Answer {
    Err(SendError::RetryAfter {
        after: Millis::from_secs(after_secs),
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
#[path = "uplink_tests.rs"]
mod tests;
