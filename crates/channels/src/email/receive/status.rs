//! How the folders of a line do, for a person to read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What is wrong just now, by folder.
#[derive(Debug, Default)]
pub(in crate::registry::email) struct Status(Mutex<BTreeMap<String, String>>);

impl Status {
    /// What is wrong; none while every folder is being read.
    pub(in crate::registry::email) fn trouble(&self) -> Option<String> {
        let wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = wrong.iter().map(|(what, why)| format!("{what}: {why}"));
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    pub(super) fn is_well(&self, folder: &str) {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.remove(folder);
    }

    pub(super) fn is_wrong(&self, folder: &str, why: String) {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.insert(folder.to_owned(), why);
    }
}
