//! What a failure means for the letter: by where it failed and what the server said.
//!
//! | where | transient (4xx) | permanent (5xx) | no answer, or none that is one |
//! |---|---|---|---|
//! | connection, greeting, TLS | later | later | later |
//! | login | later | authorise again | later |
//! | sender, data, the letter itself | later | rejected | later |
//! | recipient, the only one | later | unreachable or rejected | later |
//! | after the final dot | later | rejected | **uncertain** |

use domain::Millis;

use super::super::field::Address;
use super::reply::Reply;
use crate::SendError;

/// Where a letter was on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Reach,
    Greeting,
    Hello,
    StartTls,
    Login,
    Sender,
    Recipient,
    Data,
    Letter,
    /// The final dot was said, or was about to be.
    Answer,
}

/// Why a letter was not handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server said no.
    Refused(Stage, Reply),
    /// It took none of the recipients.
    Nobody(Vec<(Address, Reply)>),
    /// It said nothing, or nothing that is an answer.
    Broken(Stage, String),
    /// It is not the server that the line needs.
    Unfit(String),
    /// The letter is more than it ever takes.
    Unsuitable(String),
    /// The provider gives us no token to log in with.
    NoToken(String),
    /// A file of the letter could not be read, and may be later.
    File(String),
}

/// Until a broken connection is tried again.
const BROKEN_PAUSE: Millis = Millis::from_secs(30);
/// Until a server that asked for patience is tried again: greylisting lasts so long.
const REFUSED_PAUSE: Millis = Millis::from_secs(300);

impl Trouble {
    /// Whether it concerns every letter, and not this one.
    pub(super) const fn is_of_the_line(&self) -> bool {
        match self {
            Self::Refused(stage, reply) => stage.is_before_letters() || reply.asks_for_login(),
            Self::Broken(stage, _) => stage.is_before_letters(),
            Self::Unfit(_) | Self::NoToken(_) => true,
            Self::Nobody(_) | Self::Unsuitable(_) | Self::File(_) => false,
        }
    }

    /// What the engine is told.
    pub(super) fn outcome(self) -> SendError {
        match self {
            Self::Refused(stage, reply) => refused(stage, &reply),
            Self::Nobody(refused) => nobody(&refused),
            Self::Broken(Stage::Answer, problem) => SendError::Uncertain(format!(
                "the mail server got the letter, then {problem}: look whether it arrived before you send it again"
            )),
            Self::Broken(stage, problem) => later(
                BROKEN_PAUSE,
                format!("the mail server, {}: {problem}", stage.name()),
            ),
            Self::Unfit(problem) => later(REFUSED_PAUSE, format!("the mail server {problem}")),
            Self::NoToken(problem) => SendError::Reauthorize(problem),
            Self::Unsuitable(operator_text) => SendError::Rejected { operator_text },
            Self::File(problem) => later(BROKEN_PAUSE, problem),
        }
    }
}

impl Stage {
    const fn is_before_letters(self) -> bool {
        match self {
            Self::Reach | Self::Greeting | Self::Hello | Self::StartTls | Self::Login => true,
            Self::Sender | Self::Recipient | Self::Data | Self::Letter | Self::Answer => false,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Reach => "when it was called",
            Self::Greeting => "when it was to greet",
            Self::Hello => "when it was greeted",
            Self::StartTls => "when the connection was to be enciphered",
            Self::Login => "when it was logged in to",
            Self::Sender => "when it was told the sender",
            Self::Recipient => "when it was told a recipient",
            Self::Data | Self::Letter => "when it was given the letter",
            Self::Answer => "after it was given the letter",
        }
    }
}

/// What people read of a recipient who was refused.
pub(super) fn refusal(recipient: &Address, reply: &Reply) -> String {
    format!("{recipient}: {}", told(reply))
}

fn refused(stage: Stage, reply: &Reply) -> SendError {
    let reason = || format!("the mail server, {}: {reply}", stage.name());
    if reply.asks_for_login() || (stage == Stage::Login && reply.is_permanent()) {
        return SendError::Reauthorize(format!("the mail server does not let us in: {reply}"));
    }
    if stage.is_before_letters() || reply.is_transient() {
        return later(REFUSED_PAUSE, reason());
    }
    SendError::Rejected {
        operator_text: told(reply),
    }
}

fn nobody(refused: &[(Address, Reply)]) -> SendError {
    if let [(_, reply)] = refused {
        let operator_text = told(reply);
        return if is_gone(reply) {
            SendError::ContactUnreachable { operator_text }
        } else {
            SendError::Rejected { operator_text }
        };
    }
    let told = refused.iter().map(|(whom, reply)| refusal(whom, reply));
    SendError::Rejected {
        operator_text: told.collect::<Vec<_>>().join("; "),
    }
}

/// There is no such mailbox, and there will be none.
const fn is_gone(reply: &Reply) -> bool {
    matches!(reply.detail, Some((1, 1 | 2 | 3 | 6 | 10) | (2, 1)))
}

fn told(reply: &Reply) -> String {
    let meaning = match (reply.code, reply.detail) {
        (_, Some((2, 2))) => "the mailbox is full",
        (_, Some((3, 4) | (2, 3))) | (552, None) => "the letter is too large for the mail server",
        (_, Some(_)) if is_gone(reply) => "there is no such mailbox",
        (_, Some((7, _))) => "the mail server refuses it by its rules",
        (_, Some(_) | None) => "the mail server refuses it",
    };
    format!("{meaning}: {reply}")
}

const fn later(after: Millis, reason: String) -> SendError {
    SendError::RetryAfter { after, reason }
}
