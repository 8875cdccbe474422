use std::collections::BTreeMap;

use super::{Away, CloseReason, OfferOutcome};
use crate::routing::{Exit, Place, Skills};
use crate::{OfferId, OperatorId, QueueId, Timestamp};

/// How the owner of a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Ready, with room for it.
    Free,
    /// At work, and takes nothing more.
    Busy,
    /// Not at work, or cannot be reached.
    Gone,
}

/// How an operator finishes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When it ends by itself.
    pub until: Timestamp,
    /// They may not end it earlier.
    pub fixed: bool,
}

/// Everything that can happen to a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The client wrote.
    Inbound {
        /// How the owner stands, if there is one.
        owner: Owner,
        /// Where it would wait, if its owner cannot answer.
        place: Place,
    },
    /// An operator wrote to the client.
    Answered {
        /// When the client's silence puts it aside.
        park_at: Option<Timestamp>,
    },
    /// The client went, and can come back for a while.
    Left {
        /// Until when.
        until: Timestamp,
    },
    /// The client's connection has ended; unless they come back they have given up.
    Away(Away),
    /// The client is back.
    Back,
    /// The client would rather be called than wait.
    CallbackWanted {
        /// The number.
        phone: String,
    },
    /// The router asks operators, all at once if there are several.
    Ring {
        /// The new offers; not empty.
        offers: BTreeMap<OperatorId, OfferId>,
        /// Until when.
        expires_at: Timestamp,
    },
    /// The router gives it to an operator without asking.
    Assign {
        /// Whom.
        operator: OperatorId,
        /// The number of their turn.
        turn: i64,
    },
    /// The router begins a new round.
    NextRound {
        /// Its number.
        round: u32,
        /// The end of the pause.
        not_before: Timestamp,
    },
    /// The queue's rules say when they look at it again.
    Patience {
        /// When.
        overflow_at: Option<Timestamp>,
    },
    /// The queue's rules lead it on.
    Overflow {
        /// Which ways were taken, this one included.
        taken: u32,
        /// Where to.
        exit: Exit,
        /// What is needed there, if it is another queue.
        skills: Skills,
        /// Why.
        reason: String,
    },
    /// The queue closed before anybody answered, or its hours are others now.
    Defer {
        /// When it opens.
        until: Timestamp,
    },
    /// The operator who is asked says yes.
    Accept {
        /// Which offer.
        offer: OfferId,
        /// Who.
        operator: OperatorId,
    },
    /// The operator who is asked says no.
    Decline {
        /// Which offer.
        offer: OfferId,
        /// Who.
        operator: OperatorId,
        /// Why.
        reason: String,
    },
    /// The operator who is asked takes nothing any more.
    OperatorGone {
        /// Who.
        operator: OperatorId,
    },
    /// The operator has gone, and did not come back in time.
    OperatorLost {
        /// Who.
        operator: OperatorId,
    },
    /// An operator takes it out of turn or takes it over.
    Take {
        /// Who.
        operator: OperatorId,
        /// They have no room for it.
        over_capacity: bool,
    },
    /// Somebody gives it to a queue.
    ToQueue {
        /// Which queue.
        queue: QueueId,
        /// What is needed there.
        skills: Skills,
        /// Start with a new place; the caller has stamped it already.
        new_place: Option<Place>,
    },
    /// Somebody gives it to an operator, who is asked.
    ToOperator {
        /// The new offer.
        offer: OfferId,
        /// Whom.
        operator: OperatorId,
        /// Until when.
        expires_at: Timestamp,
    },
    /// A supervisor changes its place.
    Move {
        /// The new place.
        place: Place,
    },
    /// Its owner puts it away.
    Snooze {
        /// Until when; else until the client writes.
        until: Option<Timestamp>,
    },
    /// Somebody ends it, or has finished up.
    Finish {
        /// Why.
        reason: CloseReason,
        /// The verdict.
        disposition: String,
        /// How its operator finishes up, if they do.
        wrap_up: Option<Ending>,
    },
    /// The time of [`Conversation::next_deadline`] has come, and none of it is the
    /// queue's rules'.
    Due {
        /// How the owner stands, if there is one.
        owner: Owner,
        /// Where it would wait, if it is parked and the owner cannot answer.
        place: Place,
    },
}

/// What has to happen elsewhere because of a change, in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The operator carries it from now on.
    Occupy {
        /// Who.
        operator: OperatorId,
        /// The number of their turn; 0 when they were not chosen by the order.
        turn: i64,
    },
    /// The operator carries it no more.
    Release {
        /// Who.
        operator: OperatorId,
        /// True when it was answered, so that idleness counts from now.
        handled: bool,
    },
    /// The operator begins to finish up.
    WrapUpBegun(OperatorId),
    /// The operator has finished up.
    WrapUpEnded(OperatorId),
    /// An offer ended.
    OfferEnded {
        /// Which.
        offer: OfferId,
        /// How.
        outcome: OfferOutcome,
    },
    /// The operator did not answer an offer.
    Missed(OperatorId),
    /// The operator answered an offer, one way or the other.
    Responded(OperatorId),
    /// The operator declined: gets nothing until then.
    CoolDown {
        /// Who.
        operator: OperatorId,
        /// Until when.
        until: Timestamp,
    },
}

/// Why something cannot be done now. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has ended.
    #[error("the conversation has ended")]
    Closed,
    /// The offer is not the pending one.
    #[error("the offer is no longer pending")]
    OfferEnded,
    /// The offer was made to somebody else.
    #[error("the offer was made to another operator")]
    NotYours,
    /// It does not wait.
    #[error("the conversation is not waiting")]
    NotWaiting,
    /// It is nobody's.
    #[error("no operator has the conversation")]
    NotActive,
    /// The time for finishing up is not over.
    #[error("the queue's time for finishing up is not over yet")]
    WrapUpFixed,
}
