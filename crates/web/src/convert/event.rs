use domain::conversation::Offer;
use domain::event::{Audience, Event, EventKind};
use domain::obligation::Obligation;
use domain::{ContactId, OperatorId};
use engine::contacts::convert::timestamp;
use engine::{Actor, Typing};
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;

use super::queue::queue_now;
use super::rating::{rating, score};
use super::{Lens, conversation, message, obligation, offer, operator};

/// An event as its reader may see it; none when it is not for them.
pub(crate) fn event(lens: &Lens, event: &Event) -> Option<pb::Event> {
    let kind = kind(lens, &event.kind)?;
    Some(pb::Event {
        at: Some(timestamp(event.at)),
        kind: Some(kind),
    })
}

fn kind(lens: &Lens, kind: &EventKind) -> Option<Kind> {
    let actor = &lens.actor;
    Some(match kind {
        EventKind::ConversationOpened(new) => actor
            .may_see(new)
            .then(|| Kind::ConversationOpened(conversation(new)))?,
        EventKind::ConversationChanged(new) => actor
            .may_see(new)
            .then(|| Kind::ConversationChanged(conversation(new)))?,
        // Who loses sight of a conversation has to hear of it once more, or it
        // would stand on their page for ever.
        EventKind::ConversationLeft {
            conversation: left,
            audience,
        } => (actor.is_among(audience) && !actor.may_see(left))
            .then(|| Kind::ConversationChanged(bare(left)))?,
        EventKind::MessageAdded {
            message: new,
            audience,
        } => actor
            .is_among(audience)
            .then(|| Kind::MessageAdded(message(lens, new)))?,
        EventKind::MessageChanged {
            message: new,
            audience,
        } => actor
            .is_among(audience)
            .then(|| Kind::MessageChanged(message(lens, new)))?,
        EventKind::OfferMade {
            offer: made,
            conversation: about,
        } => actor.may_see(about).then(|| {
            Kind::OfferMade(pb::OfferMade {
                offer: Some(offer(made)),
                conversation: Some(conversation(about)),
            })
        })?,
        EventKind::OfferEnded(ended) => offer_ended(actor, ended)?,
        EventKind::PresenceChanged(changed) => Kind::PresenceChanged(operator(lens, changed)),
        EventKind::ContactChanged { contact } => Kind::ContactChanged(named(contact)),
        EventKind::QueueChanged { queue } => {
            Kind::QueueChanged(queue_now(&lens.engine.settings(), queue))
        }
        EventKind::CannedRepliesChanged { owner } => replies_changed(actor, *owner)?,
        EventKind::MentionsChanged { operator, unread } => {
            mentions_changed(actor, *operator, *unread)?
        }
        EventKind::ContactsMerged { merged, into } => {
            Kind::ContactsMerged(proto::contacts::v1::ContactsMerged {
                merged_contact_id: merged.to_string(),
                contact: Some(named(into)),
            })
        }
        EventKind::Rated {
            rating: given,
            audience,
            ..
        } => actor
            .is_among(audience)
            .then(|| Kind::Rated(rating(given)))?,
        EventKind::Reviewed(given) => actor.may_know(given).then(|| Kind::Scored(score(given)))?,
        EventKind::ObligationChanged {
            obligation,
            audience,
        } => promise_changed(actor, obligation, audience.as_ref())?,
        EventKind::ObligationDue { obligation, notice } => {
            actor
                .is_among(&obligation.audience())
                .then(|| Kind::ObligationDue(obligation::due(obligation, *notice)))?
        }
    })
}

/// A contact of which the reader asks for more.
fn named(contact: &ContactId) -> proto::contacts::v1::Contact {
    proto::contacts::v1::Contact {
        id: contact.to_string(),
        ..Default::default()
    }
}

fn offer_ended(actor: &Actor, ended: &Offer) -> Option<Kind> {
    let works_there = actor
        .queues()
        .is_none_or(|queues| queues.contains(&ended.queue));
    (works_there || actor.operator == Some(ended.operator)).then(|| Kind::OfferEnded(offer(ended)))
}

/// Everybody hears of the shared ones: it says nothing of them.
fn replies_changed(actor: &Actor, owner: Option<OperatorId>) -> Option<Kind> {
    let for_them = owner.is_none_or(|owner| actor.operator == Some(owner));
    let personal = owner.is_some();
    for_them.then_some(Kind::CannedRepliesChanged(pb::CannedRepliesChanged {
        personal,
    }))
}

fn mentions_changed(actor: &Actor, operator: OperatorId, unread: i64) -> Option<Kind> {
    let unread_count = i32::try_from(unread).unwrap_or(i32::MAX);
    (actor.operator == Some(operator))
        .then_some(Kind::MentionsChanged(pb::MentionsChanged { unread_count }))
}

/// Who loses sight of a promise has to hear of it once more, as with a conversation.
fn promise_changed(actor: &Actor, promise: &Obligation, before: Option<&Audience>) -> Option<Kind> {
    if actor.is_among(&promise.audience()) {
        return Some(Kind::ObligationChanged(obligation::obligation(promise)));
    }
    before
        .filter(|before| actor.is_among(before))
        .map(|_| Kind::ObligationChanged(obligation::bare(promise)))
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
