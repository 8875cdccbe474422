//! What channels carry: everything a client sends in one canonical form, and
//! everything that is sent back.

mod inbound;
mod letter;
mod outbound;
mod stored;
mod template;

pub use inbound::{Inbound, InboundKind, Mark, MembershipChange, Sender, Thread};
pub use letter::{Address, Automatic, Letter, Warning, answer_subject};
pub use outbound::{Action, Outbound, Part, Receipt, Recipient, ToSend};
pub use stored::{Author, Direction, Message, MessageReaction, Revision};
pub use template::{FilledTemplate, Template, TemplateVariable};

use serde::{Deserialize, Serialize};

use crate::identity::Identity;

/// The class of a channel, by which cost, caps and timeouts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// A call.
    Voice,
    /// Site chat.
    Chat,
    /// A messenger.
    Messenger,
    /// SMS.
    Sms,
    /// E-mail.
    Email,
    /// A site form.
    Form,
}

impl Medium {
    /// Every medium, in order.
    pub const ALL: [Self; 6] = [
        Self::Voice,
        Self::Chat,
        Self::Messenger,
        Self::Sms,
        Self::Email,
        Self::Form,
    ];

    /// True where the client waits at the other end, and has gone when the connection
    /// ends.
    pub const fn is_live(self) -> bool {
        match self {
            Self::Voice | Self::Chat => true,
            Self::Messenger | Self::Sms | Self::Email | Self::Form => false,
        }
    }

    /// The name in configuration and storage.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Chat => "chat",
            Self::Messenger => "messenger",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Form => "form",
        }
    }
}

/// A text, plain and perhaps formatted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Always there.
    pub plain: String,
    /// Sanitised HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

impl Text {
    /// A text without formatting.
    pub fn plain(plain: impl Into<String>) -> Self {
        Self {
            plain: plain.into(),
            html: None,
        }
    }
}

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Safe, at most 255 characters.
    pub file_name: String,
    /// By content, not by claim.
    pub media_type: String,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Lower-case hex; empty while the file has not been fetched.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// Shown inside the text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inline: bool,
    /// The id the text refers to it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
    /// Where it is fetched from, until it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Why it cannot be had; empty unless that was given up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub problem: String,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A text; empty when there are only attachments.
    Text(Text),
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// What is there.
        title: String,
    },
    /// Somebody's address card.
    ContactCard {
        /// The name on it.
        display_name: String,
        /// The addresses on it.
        identities: Vec<Identity>,
    },
    /// A sticker.
    Sticker {
        /// The emoji it stands for.
        emoji: String,
        /// The provider's id of it.
        sticker_id: String,
    },
    /// A pressed button or followed deep link.
    Postback {
        /// Its data.
        payload: String,
        /// What the client saw on it.
        title: String,
    },
    /// A kind that is not known here; the raw is kept in the journal.
    Unsupported {
        /// The provider's name of it.
        kind: String,
    },
}

impl Content {
    /// What can be searched and shown in a list; empty when there are no words.
    pub fn words(&self) -> &str {
        match self {
            Self::Text(text) => &text.plain,
            Self::Location { title, .. } | Self::Postback { title, .. } => title,
            Self::ContactCard { display_name, .. } => display_name,
            Self::Sticker { emoji, .. } => emoji,
            Self::Unsupported { .. } => "",
        }
    }
}

/// What became of a message of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Durable here, not handed over.
    Queued,
    /// The provider took it.
    Sent,
    /// It reached the client's device.
    Delivered,
    /// The client saw it.
    Read,
    /// It was refused for good.
    Failed,
    /// Nobody knows whether it was sent.
    Uncertain,
}

impl Delivery {
    /// Whether news of `next` move a message on from `self`: receipts come late,
    /// twice and out of order.
    pub fn advances_to(self, next: Self) -> bool {
        match self {
            Self::Queued => next != Self::Queued,
            Self::Sent => matches!(next, Self::Delivered | Self::Read | Self::Failed),
            Self::Delivered => next == Self::Read,
            Self::Read => false,
            // A delivery report clears the doubt; a retry by hand starts anew.
            Self::Failed | Self::Uncertain => {
                matches!(next, Self::Sent | Self::Delivered | Self::Read)
            }
        }
    }
}
