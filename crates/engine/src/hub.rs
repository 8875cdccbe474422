//! What leaves no trace: typing, and the news that a thread's log has grown.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use channels::host::ThreadSignal;
use domain::event::{Audience, Cursor};
use domain::{ConversationId, LineId, OperatorId};
use tokio::sync::broadcast;

/// Signals that a slow client may be behind; it reads its log again after that.
const SIGNALS_MAX: usize = 16;
/// Typing news that a slow operator's page may be behind; they are worth nothing
/// later.
const TYPING_MAX: usize = 256;

/// Somebody types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    /// Where.
    pub conversation: ConversationId,
    /// Who; none for the client.
    pub operator: Option<OperatorId>,
    /// False when they stopped.
    pub active: bool,
    /// Who may know.
    pub audience: Audience,
}

pub(crate) struct Hub {
    threads: Mutex<HashMap<(LineId, String), broadcast::Sender<ThreadSignal>>>,
    typing: broadcast::Sender<Typing>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self {
            threads: Mutex::new(HashMap::new()),
            typing: broadcast::Sender::new(TYPING_MAX),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(LineId, String), broadcast::Sender<ThreadSignal>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn watch(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> broadcast::Receiver<ThreadSignal> {
        self.lock()
            .entry((line.clone(), thread_key.to_owned()))
            .or_insert_with(|| broadcast::Sender::new(SIGNALS_MAX))
            .subscribe()
    }

    pub(crate) fn signal(&self, line: &LineId, thread_key: &str, signal: ThreadSignal) {
        let mut threads = self.lock();
        let key = (line.clone(), thread_key.to_owned());
        let gone = threads
            .get(&key)
            .is_some_and(|watchers| watchers.send(signal).is_err());
        if gone {
            threads.remove(&key);
        }
    }

    /// True when a client's page is open.
    pub(crate) fn is_watched(&self) -> bool {
        !self.lock().is_empty()
    }

    pub(crate) fn grown(&self, threads: &[(LineId, String, Cursor)]) {
        for (line, thread_key, cursor) in threads {
            self.signal(line, thread_key, ThreadSignal::Log(*cursor));
        }
    }

    pub(crate) fn ended(&self, threads: &[(LineId, String)]) {
        for (line, thread_key) in threads {
            self.signal(line, thread_key, ThreadSignal::Ended);
        }
    }

    /// Forgets threads that nobody watches any more.
    pub(crate) fn sweep(&self) {
        self.lock()
            .retain(|_, watchers| watchers.receiver_count() > 0);
    }

    pub(crate) fn type_now(&self, typing: Typing) {
        // An error means that no page is open.
        let _ = self.typing.send(typing);
    }

    pub(crate) fn watch_typing(&self) -> broadcast::Receiver<Typing> {
        self.typing.subscribe()
    }
}
