//! What a test can do to the process: kill it at a named point, before and after
//! each commit and ack, or plant a bug that another test has to find. Nothing in a
//! release build.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

struct Armed {
    point: String,
    passes_left: AtomicI64,
}

/// A bug that the tests plant to see that they would find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Events are acknowledged before they are durable.
    EarlyAck,
    /// A commit is not synced to the disk.
    LazySync,
}

static ARMED: OnceLock<Armed> = OnceLock::new();
static PLANTED: OnceLock<Bug> = OnceLock::new();

/// Arms one point: `name` dies at the first pass, `name:3` at the third. The first
/// call wins.
pub fn arm(plan: &str) {
    let (point, passes) = plan
        .rsplit_once(':')
        .and_then(|(point, count)| Some((point, count.parse().ok()?)))
        .unwrap_or((plan, 1));
    // A second call changes nothing: the plan is the process's.
    let _ = ARMED.set(Armed {
        point: point.to_owned(),
        passes_left: AtomicI64::new(passes),
    });
}

/// Dies here if this point is armed and its count has run down.
#[inline]
pub fn point(name: &str) {
    if cfg!(debug_assertions)
        && let Some(armed) = ARMED.get()
        && armed.point == name
        && armed.passes_left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

/// Plants a bug. The first call wins.
pub fn plant(bug: Bug) {
    let _ = PLANTED.set(bug);
}

/// Whether this bug is planted.
#[inline]
pub fn is_planted(bug: Bug) -> bool {
    cfg!(debug_assertions) && PLANTED.get() == Some(&bug)
}
