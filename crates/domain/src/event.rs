//! What the event log tells: each event carries the new state of what it is
//! about, so that applying events in order equals loading anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::conversation::{Conversation, Offer};
use crate::message::Message;
use crate::obligation::{Notice, Obligation};
use crate::operator::Operator;
use crate::rating::{Rating, Review, Score};
use crate::{ContactId, OperatorId, QueueId, Timestamp};

/// The number of an event: the cursor of a feed. Numbers are given inside the
/// writer's transaction, in order of commit, so no reader can be made to skip
/// one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Cursor(pub i64);

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number.
    pub cursor: Cursor,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

/// Who may see what belongs to a conversation, apart from those who see
/// everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// Everybody of this queue.
    pub queue: QueueId,
    /// Whoever has it, is asked about it or takes part in it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub operators: BTreeSet<OperatorId>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A conversation began.
    ConversationOpened(Arc<Conversation>),
    /// A conversation changed.
    ConversationChanged(Arc<Conversation>),
    /// A conversation went out of sight of somebody who had seen it.
    ConversationLeft {
        /// As it is now.
        conversation: Arc<Conversation>,
        /// Who saw it before.
        audience: Audience,
    },
    /// A message came, went or was noted.
    MessageAdded {
        /// The message.
        message: Arc<Message>,
        /// Who may see it.
        audience: Audience,
    },
    /// A message was changed or its delivery moved on.
    MessageChanged {
        /// The message.
        message: Arc<Message>,
        /// Who may see it.
        audience: Audience,
    },
    /// An operator is asked.
    OfferMade {
        /// The offer.
        offer: Arc<Offer>,
        /// The conversation.
        conversation: Arc<Conversation>,
    },
    /// An offer ended.
    OfferEnded(Arc<Offer>),
    /// An operator's presence, load or rights changed.
    PresenceChanged(Arc<Operator>),
    /// A contact's profile changed.
    ContactChanged {
        /// Which one.
        contact: ContactId,
    },
    /// Two contacts became one.
    ContactsMerged {
        /// The id that redirects now.
        merged: ContactId,
        /// The contact that stayed.
        into: ContactId,
    },
    /// The client rated a conversation, or changed the rating.
    Rated {
        /// The rating as it is now.
        rating: Arc<Rating>,
        /// The score it replaces; none for the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<Score>,
        /// Who may see it.
        audience: Audience,
    },
    /// A supervisor scored an operator's work in a conversation, or changed the score.
    /// For supervisors and that operator alone.
    Reviewed(Arc<Review>),
    /// Canned replies are not what they were: whoever holds them reads them anew.
    CannedRepliesChanged {
        /// Whose own they are; none for what is shared.
        owner: Option<OperatorId>,
    },
    /// A queue was added, changed or removed by the configuration: it is as that has it now.
    QueueChanged {
        /// Which one.
        queue: QueueId,
    },
    /// Notes that name an operator were written, read or taken back.
    MentionsChanged {
        /// Whom they name.
        operator: OperatorId,
        /// How many they have not read.
        unread: i64,
    },
    /// A promise was made or changed.
    ObligationChanged {
        /// As it is now.
        obligation: Arc<Obligation>,
        /// Who saw it before, if somebody of them sees it no more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<Audience>,
    },
    /// Time has passed, and somebody is to be told of a promise.
    ObligationDue {
        /// As it is now.
        obligation: Arc<Obligation>,
        /// What they are told.
        notice: Notice,
    },
}
