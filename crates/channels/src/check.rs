//! What a line's connection is found to be when it is tried.

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What, such as `mailbox support@example.com`.
    pub what: String,
    /// How it went.
    pub verdict: Verdict,
}

/// How it went, in words for an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Good(String),
    /// It works, and could be better.
    Doubtful(String),
    /// It does not work.
    Bad(String),
}

impl Check {
    pub(crate) fn good(what: impl Into<String>, detail: impl Into<String>) -> Self {
        let (what, verdict) = (what.into(), Verdict::Good(detail.into()));
        Self { what, verdict }
    }

    pub(crate) fn doubtful(what: impl Into<String>, detail: impl Into<String>) -> Self {
        let (what, verdict) = (what.into(), Verdict::Doubtful(detail.into()));
        Self { what, verdict }
    }

    pub(crate) fn bad(what: impl Into<String>, detail: impl Into<String>) -> Self {
        let (what, verdict) = (what.into(), Verdict::Bad(detail.into()));
        Self { what, verdict }
    }
}
