use serde::{Deserialize, Serialize};

use super::{Attachment, Delivery, FilledTemplate, Letter, Text, Thread};
use crate::identity::Identity;
use crate::{LineId, MessageId, ThreadId, Timestamp};

/// What a channel is to do for us.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outbound {
    /// Our message; the same one after a crash is the same message.
    pub message: MessageId,
    /// The line to send by.
    pub line: LineId,
    /// Whom to send to.
    pub recipient: Recipient,
    /// When the operator sent it.
    pub sent_at: Timestamp,
    /// The name of the operator, for channels that show it.
    pub author_name: String,
    /// A rule of ours wrote it, and no person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// Which part of the message it is, where a channel takes it in several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// What to do.
    pub action: Action,
}

/// One of several hand-overs that make up a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// From 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

impl Part {
    /// Whether the message is whole with it.
    pub const fn is_last(self) -> bool {
        self.number >= self.of
    }
}

/// Whom an [`Outbound`] goes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// Our thread.
    pub thread: ThreadId,
    /// The thread's name on the line.
    pub thread_key: String,
    /// The client's own address on the channel.
    pub identity: Option<Identity>,
    /// The thread as the last event told it.
    pub context: Thread,
    /// The thread's name that nobody can guess, for channels that ask to be answered
    /// with it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Send a message.
    Send(ToSend),
    /// Change a message sent before.
    Edit {
        /// The provider's id of it.
        target: String,
        /// The new text.
        text: Text,
    },
    /// Take a message back.
    Delete {
        /// The provider's id of it.
        target: String,
    },
    /// React to a message of the client.
    React {
        /// The provider's id of it.
        target: String,
        /// The emoji; empty takes it back.
        emoji: String,
    },
}

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToSend {
    /// The words; empty when there are only files.
    pub text: Text,
    /// Stored files.
    pub attachments: Vec<Attachment>,
    /// The provider's id of the message that is answered.
    pub reply_to: Option<String>,
    /// Whom a letter goes to and what it is about; none for the client alone, about
    /// what the thread is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<Box<Letter>>,
    /// Answers that the client may give by a press, in their words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<String>,
    /// The provider's wording that the text was made of, where it takes nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Box<FilledTemplate>>,
}

/// What the channel says became of an [`Outbound`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// How far it got; never `Queued`.
    pub delivery: Delivery,
    /// The provider's id of the message.
    pub message_id: Option<String>,
    /// What went wrong for all that, for the operator to read: whom it did not reach.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error_text: String,
}
