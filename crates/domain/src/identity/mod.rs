//! How a client is recognised: identities, their normal forms, and what the
//! directory decides when it meets them.

mod matching;
mod merging;
mod normal;
mod profile;
mod suggestion;

pub use matching::{Known, Outcome, Resolution, resolve};
pub use merging::{CannotUndo, MergeRecord, Person, Undone, merge, undo};
pub use normal::{InvalidIdentity, normalize, warm_up};
pub use profile::{InvalidProfile, Profile};
pub use suggestion::{Reason, Suggestion};

use serde::{Deserialize, Serialize};

/// How well a value is known to be the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Typed or displayed. Never matches by itself.
    Claimed,
    /// Vouched for in transit. Matches, never merges.
    Asserted,
    /// The platform vouches for it. Matches and merges.
    Proven,
}

/// One address by which a contact is known on a kind of channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// `phone`, `email`, `telegram`, `visitor`, …
    pub kind: String,
    /// The scope in which the value is unique; empty for phone and e-mail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// The value, in its normal form once [`normalize`] has seen it.
    pub value: String,
    /// How well it is known.
    pub trust: Trust,
}

/// What makes two identities the same: unique in a directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IdentityKey {
    /// See [`Identity::kind`].
    pub kind: String,
    /// See [`Identity::issuer`].
    pub issuer: String,
    /// The form that is compared: an e-mail without its plus tag, everything else
    /// as the value.
    pub matched: String,
}
