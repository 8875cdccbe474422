//! The provider's own JSON: only what is used, everything optional that the
//! provider does not promise.

use serde::{Deserialize, Serialize};

/// What the provider sends.
#[derive(Debug, Deserialize)]
pub(super) struct Update {
    pub(super) id: String,
    pub(super) chat: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) sent_at_ms: i64,
    pub(super) text: Option<String>,
}

/// What it is sent.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct SendRequest {
    pub(super) chat: String,
    pub(super) text: String,
}
