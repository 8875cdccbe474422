use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Attachment, Content, Delivery, FilledTemplate, Letter};
use crate::{ContactId, ConversationId, LineId, MessageId, OperatorId, ThreadId, Timestamp};

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client.
    Inbound,
    /// To the client.
    Outbound,
    /// Between colleagues; never leaves.
    Note,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The client.
    Client,
    /// A colleague.
    Operator(OperatorId),
    /// The gateway itself, by a rule.
    Gateway,
    /// Somebody of ours in the provider's own app.
    Elsewhere,
}

/// A reaction to a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageReaction {
    /// Who reacted; at most one reaction each.
    pub author: Author,
    /// The emoji.
    pub emoji: String,
}

/// An earlier wording of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The words.
    pub text: String,
    /// Until when they stood.
    pub replaced_at: Timestamp,
}

/// A message or note as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Rises in the order of storing.
    pub id: MessageId,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// The thread it belongs to.
    pub thread: ThreadId,
    /// The line it came or went by.
    pub line: LineId,
    /// Whose timeline it is on.
    pub contact: ContactId,
    /// Which way it went.
    pub direction: Direction,
    /// Who wrote it.
    pub author: Author,
    /// When it was written, by the sender's side.
    pub sent_at: Timestamp,
    /// When it was stored here.
    pub stored_at: Timestamp,
    /// What it says.
    pub content: Content,
    /// Files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Answers that the client was offered, to be given by a press.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<String>,
    /// The template that its words were made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Box<FilledTemplate>>,
    /// What a letter has beside its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<Box<Letter>>,
    /// The provider's id: theirs for inbound, told by the receipt for outbound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The sender's own id of it: the operator's page, the visitor's widget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// Reactions to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<MessageReaction>,
    /// What became of it, when outbound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Why it failed, for a person to read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub delivery_error: String,
    /// When its author last changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was taken back; the content is gone then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Earlier wordings, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<Revision>,
    /// Colleagues whom a note names.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub mentions: BTreeSet<OperatorId>,
}
