//! What a kind of channel is and can.

use domain::message::Medium;

/// Everything that another part would want to know of a channel's kind. Data,
/// so that no provider's name stands outside its folder.
#[derive(Debug)]
pub struct Descriptor {
    /// The kind in configuration, contract and storage.
    pub kind: &'static str,
    /// The name for people.
    pub display_name: &'static str,
    /// The class, for cost, caps and timeouts.
    pub medium: Medium,
    /// What can be done there.
    pub capabilities: &'static [Capability],
    /// The longest text, in characters.
    pub text_length_max: usize,
    /// The largest file, in bytes.
    pub attachment_bytes_max: u64,
    /// The largest raw delivery, in bytes.
    pub delivery_bytes_max: usize,
    /// An operation sent again after a doubtful outcome is not done twice.
    pub idempotent_send: bool,
}

/// Something an operator or a client can do on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// An operator can answer at all.
    Reply,
    /// Change a sent message.
    Edit,
    /// Take a sent message back.
    Delete,
    /// React to a message.
    React,
    /// Send files.
    Files,
    /// Offer answers that are given by a press.
    Buttons,
    /// Send wordings that the provider has approved, when it takes no others.
    Templates,
    /// Show typing both ways.
    Typing,
    /// Tell delivery and reading.
    ReadReceipts,
    /// Write first.
    WriteFirst,
    /// Tell a client who waits of their place.
    QueueNotices,
    /// A client who waits can leave a number and keep the place.
    Callback,
    /// Ask for a rating when a conversation has ended.
    Rating,
}

impl Capability {
    /// The name in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::React => "react",
            Self::Files => "files",
            Self::Buttons => "buttons",
            Self::Templates => "templates",
            Self::Typing => "typing",
            Self::ReadReceipts => "read_receipts",
            Self::WriteFirst => "write_first",
            Self::QueueNotices => "queue_notices",
            Self::Callback => "callback",
            Self::Rating => "rating",
        }
    }
}

impl Descriptor {
    /// Whether something can be done there.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }
}
