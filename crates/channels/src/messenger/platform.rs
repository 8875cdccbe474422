//! What the two do not have in common.

use crate::Descriptor;

/// What the two do not have in common.
pub(in super::super) struct Platform {
    /// What it is and can.
    pub(in super::super) descriptor: &'static Descriptor,
    /// What its events are said to be of.
    pub(in super::super) object: &'static str,
    /// By which key the account is configured.
    pub(in super::super) account_key: &'static str,
    /// What that is, and where it is found.
    pub(in super::super) account_words: &'static str,
    /// The API with its version.
    pub(in super::super) api: &'static str,
    /// The longest text, as `length` measures letters.
    pub(in super::super) text_max: usize,
    /// By what the length of a text is counted.
    pub(in super::super) length: fn(char) -> usize,
    /// What there is to subscribe to.
    pub(in super::super) events: &'static [&'static str],
    /// What is asked of the account.
    pub(in super::super) account_fields: &'static str,
    /// What is asked of a client.
    pub(in super::super) client_fields: &'static str,
    /// What the token has to allow: one of each.
    pub(in super::super) rights: &'static [&'static [&'static str]],
    /// Whether an echo gives back what went along with the message.
    pub(in super::super) gives_back: bool,
    /// How files go.
    pub(in super::super) files: Files,
}

/// How files go to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Files {
    /// They are handed over before the message.
    Uploaded,
    /// They are fetched from us.
    Linked,
}
