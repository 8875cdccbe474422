//! What can go wrong, by what the caller does about it.

use domain::Millis;

/// What became of a message that was not handed over, by what the engine does
/// next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Try again after a while: nothing was sent.
    #[error("try again in {} ms: {reason}", after.0)]
    RetryAfter {
        /// How long; the provider's own hint where it gives one.
        after: Millis,
        /// For the log.
        reason: String,
    },
    /// The whole line has to wait before it sends anything: nothing was sent.
    #[error("the line waits for {} ms: {reason}", after.0)]
    LineBusy {
        /// How long; the provider's own hint where it gives one.
        after: Millis,
        /// For the log.
        reason: String,
    },
    /// This message will never be taken.
    #[error("{operator_text}")]
    Rejected {
        /// What the operator reads.
        operator_text: String,
    },
    /// This client cannot be reached any more.
    #[error("{operator_text}")]
    ContactUnreachable {
        /// What the operator reads.
        operator_text: String,
    },
    /// It may or may not have been sent.
    #[error("nobody knows whether it was sent: {0}")]
    Uncertain(String),
    /// The line's credentials are no longer good: the whole line waits.
    #[error("the line has to be authorised again: {0}")]
    Reauthorize(String),
    /// The channel has no such thing.
    #[error("the channel cannot do that")]
    Unsupported,
}

/// Why a file that an event brought along could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Another try may do it.
    #[error("the file cannot be had now: {0}")]
    Later(String),
    /// It will never be had: the message is shown without it.
    #[error("the file cannot be had: {0}")]
    Gone(String),
}

/// Why a webhook delivery is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The line takes no webhooks.
    #[error("this line takes no webhooks")]
    NotAHook,
    /// The signature or secret is missing or wrong.
    #[error("the signature is missing or wrong")]
    Forged,
    /// It cannot be read at all.
    #[error("{0}")]
    Malformed(String),
}

/// A raw entry that cannot be read. It goes to the dead letters, where it is kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// Something wrong with a line's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The key, within the line's section: `smtp.host` in a table, `mailbox #2.host` in
    /// the second of a list.
    pub key: String,
    /// What is wrong and what to do.
    pub problem: String,
}
