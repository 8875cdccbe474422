use domain::ContactId;
use domain::conversation::Offer;
use domain::event::{Audience, Event, EventKind};
use domain::obligation::Obligation;
use engine::contacts::convert::timestamp;
use engine::{Actor, Form, Typing};
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;

use super::queue::queue_now;
use super::rating::{rating, score};
use super::{Lens, conversation, message, obligation, offer, operator};

/// How a reader sees an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// As everybody does who may know as much of it.
    Shared(Form),
    /// In a way that is theirs, or that passes.
    Own,
}

const FULL: Sight = Sight::Shared(Form::Full);
const BARE: Sight = Sight::Shared(Form::Bare);

/// An event as its reader may see it; none when it is not for them.
pub(crate) fn event(lens: &Lens, event: &Event) -> Option<pb::Event> {
    sight(lens, event).map(|sight| event_as(lens, event, sight))
}

/// An event as somebody sees it.
pub(crate) fn event_as(lens: &Lens, event: &Event, sight: Sight) -> pb::Event {
    pb::Event {
        at: Some(timestamp(event.at)),
        kind: Some(kind(lens, &event.kind, sight)),
    }
}

/// How an event is seen; none when it is not for this reader.
pub(crate) fn sight(lens: &Lens, event: &Event) -> Option<Sight> {
    let actor = &lens.actor;
    match &event.kind {
        EventKind::ConversationOpened(new) | EventKind::ConversationChanged(new) => {
            actor.may_see(new).then_some(FULL)
        }
        // Who loses sight of a conversation has to hear of it once more, or it
        // would stand on their page for ever.
        EventKind::ConversationLeft {
            conversation: left,
            audience,
        } => (actor.is_among(audience) && !actor.may_see(left)).then_some(BARE),
        EventKind::MessageAdded { message, audience }
        | EventKind::MessageChanged { message, audience } => {
            // Links to files are made for whoever looks.
            let sight = if message.attachments.is_empty() {
                FULL
            } else {
                Sight::Own
            };
            actor.is_among(audience).then_some(sight)
        }
        EventKind::OfferMade { conversation, .. } => actor.may_see(conversation).then_some(FULL),
        EventKind::OfferEnded(ended) => hears_of_end(actor, ended).then_some(FULL),
        EventKind::PresenceChanged(changed) => Some(if changed.cool_down_until.is_some() {
            // That ends by itself.
            Sight::Own
        } else if lens.knows_login(changed) {
            FULL
        } else {
            BARE
        }),
        EventKind::ContactChanged { .. } | EventKind::ContactsMerged { .. } => Some(FULL),
        EventKind::QueueChanged { .. } => Some(Sight::Own),
        // Everybody hears of the shared ones: it says nothing of them.
        EventKind::CannedRepliesChanged { owner } => owner
            .is_none_or(|owner| actor.operator == Some(owner))
            .then_some(FULL),
        EventKind::MentionsChanged { operator, .. } => {
            (actor.operator == Some(*operator)).then_some(FULL)
        }
        EventKind::Rated { audience, .. } => actor.is_among(audience).then_some(FULL),
        EventKind::Reviewed(given) => actor.may_know(given).then_some(FULL),
        EventKind::ObligationChanged {
            obligation,
            audience,
        } => promise_seen(actor, obligation, audience.as_ref()),
        EventKind::ObligationDue { obligation, .. } => {
            actor.is_among(&obligation.audience()).then_some(FULL)
        }
    }
}

fn hears_of_end(actor: &Actor, ended: &Offer) -> bool {
    let works_there = actor
        .queues()
        .is_none_or(|queues| queues.contains(&ended.queue));
    works_there || actor.operator == Some(ended.operator)
}

/// Who loses sight of a promise has to hear of it once more, as with a conversation.
fn promise_seen(actor: &Actor, promise: &Obligation, before: Option<&Audience>) -> Option<Sight> {
    if actor.is_among(&promise.audience()) {
        return Some(FULL);
    }
    before
        .is_some_and(|before| actor.is_among(before))
        .then_some(BARE)
}

fn kind(lens: &Lens, kind: &EventKind, sight: Sight) -> Kind {
    match kind {
        EventKind::ConversationOpened(new) => Kind::ConversationOpened(conversation(new)),
        EventKind::ConversationChanged(new) => Kind::ConversationChanged(conversation(new)),
        EventKind::ConversationLeft {
            conversation: left, ..
        } => Kind::ConversationChanged(bare(left)),
        EventKind::MessageAdded { message: new, .. } => Kind::MessageAdded(message(lens, new)),
        EventKind::MessageChanged { message: new, .. } => Kind::MessageChanged(message(lens, new)),
        EventKind::OfferMade {
            offer: made,
            conversation: about,
        } => Kind::OfferMade(pb::OfferMade {
            offer: Some(offer(made)),
            conversation: Some(conversation(about)),
        }),
        EventKind::OfferEnded(ended) => Kind::OfferEnded(offer(ended)),
        EventKind::PresenceChanged(changed) => Kind::PresenceChanged(operator(lens, changed)),
        EventKind::ContactChanged { contact } => Kind::ContactChanged(named(contact)),
        EventKind::QueueChanged { queue } => {
            Kind::QueueChanged(queue_now(&lens.engine.settings(), queue))
        }
        EventKind::CannedRepliesChanged { owner } => {
            Kind::CannedRepliesChanged(pb::CannedRepliesChanged {
                personal: owner.is_some(),
            })
        }
        EventKind::MentionsChanged { unread, .. } => Kind::MentionsChanged(pb::MentionsChanged {
            unread_count: i32::try_from(*unread).unwrap_or(i32::MAX),
        }),
        EventKind::ContactsMerged { merged, into } => {
            Kind::ContactsMerged(proto::contacts::v1::ContactsMerged {
                merged_contact_id: merged.to_string(),
                contact: Some(named(into)),
            })
        }
        EventKind::Rated { rating: given, .. } => Kind::Rated(rating(given)),
        EventKind::Reviewed(given) => Kind::Scored(score(given)),
        EventKind::ObligationChanged { obligation, .. } => Kind::ObligationChanged(match sight {
            BARE => obligation::bare(obligation),
            FULL | Sight::Own => obligation::obligation(obligation),
        }),
        EventKind::ObligationDue { obligation, notice } => {
            Kind::ObligationDue(obligation::due(obligation, *notice))
        }
    }
}

/// A contact of which the reader asks for more.
fn named(contact: &ContactId) -> proto::contacts::v1::Contact {
    proto::contacts::v1::Contact {
        id: contact.to_string(),
        ..Default::default()
    }
}

/// A conversation without what is said in it and who it is with.
fn bare(full: &domain::conversation::Conversation) -> pb::Conversation {
    let full = conversation(full);
    pb::Conversation {
        id: full.id,
        line_id: full.line_id,
        channel: full.channel,
        medium: full.medium,
        queue_id: full.queue_id,
        state: full.state,
        operator_id: full.operator_id,
        version: full.version,
        ..pb::Conversation::default()
    }
}

/// Somebody types.
pub(crate) fn typing(typing: &Typing) -> pb::TypingNow {
    pb::TypingNow {
        conversation_id: typing.conversation.to_string(),
        operator_id: typing.operator.map(|id| id.to_string()).unwrap_or_default(),
        active: typing.active,
    }
}
