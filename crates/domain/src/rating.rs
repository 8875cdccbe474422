//! What was thought of a conversation: the client's rating and a supervisor's score.

use serde::{Deserialize, Serialize};

use crate::conversation::{CloseReason, Conversation, State};
use crate::{ContactId, ConversationId, LineId, Millis, OperatorId, QueueId, Timestamp};

/// How long after its end a conversation can be rated, and how long a rating can be
/// changed after it was first given.
pub const RATING_WINDOW: Millis = Millis::from_secs(24 * 3_600);

/// The longest comment to a rating or a score, in characters.
pub const COMMENT_LENGTH_MAX: usize = 1_000;

/// From 1, the worst, to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Score(u8);

/// A number that is no score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give 1 to 5")]
pub struct NotAScore;

impl TryFrom<u8> for Score {
    type Error = NotAScore;

    fn try_from(number: u8) -> Result<Self, NotAScore> {
        if (1..=5).contains(&number) {
            Ok(Self(number))
        } else {
            Err(NotAScore)
        }
    }
}

impl From<Score> for u8 {
    fn from(score: Score) -> Self {
        score.0
    }
}

impl Score {
    /// As a number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// What the client thought of a conversation. There is one of each; it counts for
/// whoever answered the conversation last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who answered it last.
    pub operator: OperatorId,
    /// The line it came by.
    pub line: LineId,
    /// The line's channel kind.
    pub channel: String,
    /// The queue it was in.
    pub queue: QueueId,
    /// Who it was with.
    pub contact: ContactId,
    /// The verdict.
    pub score: Score,
    /// Why; may be empty.
    pub comment: String,
    /// When it was first given.
    pub at: Timestamp,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

/// What a supervisor thought of an operator's work in a conversation. Clients never
/// see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// The conversation.
    pub conversation: ConversationId,
    /// Whose work it is about.
    pub operator: OperatorId,
    /// The line it came by.
    pub line: LineId,
    /// The line's channel kind.
    pub channel: String,
    /// The queue it was in.
    pub queue: QueueId,
    /// Who says so; none for a program of its own.
    pub by: Option<OperatorId>,
    /// The verdict.
    pub score: Score,
    /// Why; may be empty.
    pub comment: String,
    /// When it was said last.
    pub at: Timestamp,
}

/// Until when a client may rate a conversation, if at all: somebody answered it, it was
/// no spam, and it has not been over for long. `rated_at` is when they first did.
pub fn rateable_until(
    conversation: &Conversation,
    rated_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    rated_operator(conversation)?;
    let since = if let State::Closed { at, reason } = conversation.state {
        if reason == CloseReason::Spam {
            return None;
        }
        rated_at.map_or(at, |rated| rated.max(at))
    } else {
        now
    };
    let until = since + RATING_WINDOW;
    (now <= until).then_some(until)
}

/// For whom a rating or a score of a conversation counts: whoever answers it, or did
/// so last.
pub fn rated_operator(conversation: &Conversation) -> Option<OperatorId> {
    conversation.owner().or(conversation.last_owner)
}

#[cfg(test)]
mod tests;
