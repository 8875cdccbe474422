use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Attachment, Content, Delivery, Letter, Text};
use crate::identity::Identity;
use crate::rating::Score;
use crate::{ConversationId, Timestamp};

/// One event of a channel in canonical form. The line is known from the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    /// Dedupe key of the delivery, unique within the line.
    pub event_key: String,
    /// The provider's id of the message.
    pub message_id: Option<String>,
    /// Names the thread within the line.
    pub thread_key: String,
    /// The provider's time of the event.
    pub sent_at: Timestamp,
    /// Who sent it.
    pub sender: Sender,
    /// The thread as the provider tells it.
    pub thread: Thread,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// What a letter has beside its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub letter: Option<Box<Letter>>,
    /// The album it is a part of, by the provider's name: its parts become one message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    /// What happened.
    pub kind: InboundKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundKind {
    /// A message to show.
    Message(Content),
    /// A message that another program of the company's answers: it is shown where there is
    /// a conversation, and nobody is asked to answer it.
    Aside(Content),
    /// A message of ours that the provider shows us: somebody wrote it in the provider's
    /// own app, or it is what we sent.
    Echo {
        /// What it says.
        content: Content,
        /// Our own id of it, where the provider gives back what it was sent along with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ours: Option<String>,
    },
    /// A reaction to a message; an empty emoji takes it back.
    Reaction {
        /// The provider's id of the message.
        target: String,
        /// The emoji.
        emoji: String,
    },
    /// A message was changed.
    Edit {
        /// The provider's id of the message.
        target: String,
        /// The new text.
        text: Text,
    },
    /// A message was taken back.
    Delete {
        /// The provider's id of the message.
        target: String,
    },
    /// The fate of a message of ours.
    Receipt {
        /// The provider's id of the message, or ours where the channel keeps it: the
        /// event's own [`Inbound::message_id`] is the provider's then.
        target: String,
        /// What became of it.
        delivery: Delivery,
        /// Why it failed, for the operator to read.
        error_text: String,
    },
    /// The fate of all messages of ours up to one.
    Reached {
        /// How far.
        until: Mark,
        /// What became of them.
        delivery: Delivery,
    },
    /// A message of ours came back.
    Bounce {
        /// The provider's id of the message; empty when it could not be told.
        target: String,
        /// Whom it was meant for; empty when it could not be told.
        recipient: String,
        /// Another try is of no use.
        permanent: bool,
        /// The other side's words, for the operator to read.
        reason: String,
    },
    /// The client is typing or stopped. Leaves no trace.
    Typing {
        /// False when it stopped.
        active: bool,
    },
    /// The client's standing with the bot changed.
    Membership(MembershipChange),
    /// The client says what they thought of a conversation.
    Rating {
        /// The verdict.
        score: Score,
        /// Why; may be empty.
        comment: String,
        /// Which one; none for the thread's last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation: Option<ConversationId>,
    },
    /// The client asks to be called back, and keeps their place meanwhile.
    CallbackRequest {
        /// The number, as the client gave it.
        phone: String,
        /// What about; may be empty.
        comment: String,
    },
}

/// A place in a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// What was written until then.
    Time(Timestamp),
    /// A message, by the provider's id.
    Message(String),
}

/// What the client did about the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MembershipChange {
    /// Started it or allowed messages.
    Started,
    /// Left.
    Stopped,
    /// Blocked it.
    Blocked,
}

/// Who sent an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The channel's own identity first.
    pub identities: Vec<Identity>,
    /// The name as displayed, made safe.
    pub display_name: String,
    /// A picture.
    pub avatar_url: Option<String>,
    /// BCP 47 tag.
    pub locale: Option<String>,
    /// Free facts.
    pub attributes: BTreeMap<String, String>,
}

/// A thread as the provider tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The provider's id of the chat.
    pub external_chat_id: Option<String>,
    /// The provider's id of the message that is answered.
    pub reply_to_external_id: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// Ids of earlier messages, the oldest first.
    pub references: Vec<String>,
    /// What came back of [`super::Recipient::token`]: who knows it was told it by us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}
