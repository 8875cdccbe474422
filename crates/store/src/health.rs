use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the store can be trusted with something new.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failing: AtomicBool,
    damage: OnceLock<String>,
}

impl Health {
    pub(crate) fn is_good(&self) -> bool {
        !self.failing.load(Ordering::Relaxed) && self.damage.get().is_none()
    }

    /// Remembers whether the last attempt to write failed.
    pub(crate) fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    /// Remembers that the file is damaged, for good.
    pub(crate) fn set_damaged(&self, detail: String) {
        // The first finding is enough to act on.
        let _ = self.damage.set(detail);
    }

    /// What is wrong with the file, if something was found.
    pub(crate) fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }
}
