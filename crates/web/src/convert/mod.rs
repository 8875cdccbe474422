//! Between the domain and the contract: explicit types, never the row, so that
//! nothing reaches the outside by accident.

mod event;
mod inbound;
mod letter;
mod message;
mod obligation;
mod queue;
pub(crate) mod rating;
pub(crate) mod why;

pub use inbound::inbound;

pub(crate) use event::{Sight, event, event_as, sight, typing};
pub(crate) use inbound::{inbound_from, outbound, receipt_from};
pub(crate) use letter::address_from;
pub(crate) use message::message;
pub(crate) use obligation::{kind_from, obligation};
pub(crate) use queue::known_queue;

use domain::conversation::{Client, Conversation, Offer, OfferOutcome, OfferState, State};
use domain::message::Medium;
use domain::operator::{Membership, Operator, Presence, Role, RoutingState};
use domain::routing::CandidateKeys;
use domain::{OperatorId, Timestamp};
use engine::contacts::convert::timestamp;
use engine::uploads::Viewer;
use engine::{Actor, Engine};
use proto::inbox::v1 as pb;
use proto::routing::v1 as pb_routing;

/// What a conversion has to know: who looks, and when.
#[derive(Clone)]
pub(crate) struct Lens {
    pub(crate) engine: Engine,
    pub(crate) actor: Actor,
    pub(crate) now: Timestamp,
}

impl Lens {
    pub(crate) fn new(engine: &Engine, actor: &Actor) -> Self {
        Self {
            engine: engine.clone(),
            actor: actor.clone(),
            now: engine.now(),
        }
    }

    /// A login is half of what it takes to sign in.
    fn knows_login(&self, of: &Operator) -> bool {
        self.actor.supervises() || self.actor.operator == Some(of.id)
    }

    /// Whom links to files are made for.
    pub(crate) fn viewer(&self) -> Option<Viewer> {
        self.actor.operator.map(Viewer::Operator)
    }
}

pub(crate) fn medium(medium: Medium) -> pb::Medium {
    match medium {
        Medium::Voice => pb::Medium::Voice,
        Medium::Chat => pb::Medium::Chat,
        Medium::Messenger => pb::Medium::Messenger,
        Medium::Sms => pb::Medium::Sms,
        Medium::Email => pb::Medium::Email,
        Medium::Form => pb::Medium::Form,
    }
}

pub(crate) fn role(role: Role) -> pb::Role {
    match role {
        Role::Operator => pb::Role::Operator,
        Role::Supervisor => pb::Role::Supervisor,
        Role::Admin => pb::Role::Admin,
    }
}

pub(crate) fn role_from(role: pb::Role) -> Option<Role> {
    match role {
        pb::Role::Unspecified => None,
        pb::Role::Operator => Some(Role::Operator),
        pb::Role::Supervisor => Some(Role::Supervisor),
        pb::Role::Admin => Some(Role::Admin),
    }
}

fn presence(presence: &Presence) -> pb::Presence {
    match presence {
        Presence::Ready => pb::Presence::Ready,
        Presence::Away { .. } => pb::Presence::Away,
        Presence::Offline => pb::Presence::Offline,
    }
}

pub(crate) fn presence_from(presence: pb::Presence, reason: String) -> Option<Presence> {
    match presence {
        pb::Presence::Unspecified => None,
        pb::Presence::Ready => Some(Presence::Ready),
        pb::Presence::Away => Some(Presence::Away { reason }),
        pb::Presence::Offline => Some(Presence::Offline),
    }
}

fn routing_state(state: RoutingState) -> pb::RoutingState {
    match state {
        RoutingState::Free => pb::RoutingState::Free,
        RoutingState::Partial => pb::RoutingState::Partial,
        RoutingState::Full => pb::RoutingState::Full,
        RoutingState::NotResponding => pb::RoutingState::NotResponding,
        RoutingState::CoolingDown => pb::RoutingState::CoolingDown,
        RoutingState::NotReady => pb::RoutingState::NotReady,
        RoutingState::WrapUp => pb::RoutingState::WrapUp,
        RoutingState::Disconnected => pb::RoutingState::Disconnected,
    }
}

pub(crate) fn memberships_from(memberships: Vec<pb::Membership>) -> Vec<Membership> {
    memberships
        .into_iter()
        .map(|membership| Membership {
            queue: membership.queue_id.as_str().into(),
            rank: membership.rank,
            position: membership.position,
        })
        .collect()
}

pub(crate) fn operator(lens: &Lens, operator: &Operator) -> pb::Operator {
    let settings = lens.engine.settings();
    let rules = &settings.rules.capacity;
    let away_reason = match &operator.presence {
        Presence::Away { reason } => reason.clone(),
        Presence::Ready | Presence::Offline => String::new(),
    };
    let next = operator
        .next_presence
        .as_ref()
        .map_or(pb::Presence::Unspecified, presence);
    pb::Operator {
        id: operator.id.to_string(),
        display_name: operator.display_name.clone(),
        login: if lens.knows_login(operator) {
            operator.login.clone()
        } else {
            String::new()
        },
        role: role(operator.role).into(),
        presence: presence(&operator.presence).into(),
        away_reason,
        next_presence: next.into(),
        routing_state: routing_state(operator.routing_state(lens.now, rules)).into(),
        load: i32::try_from(operator.load.units(rules)).unwrap_or(i32::MAX),
        capacity: i32::try_from(operator.capacity).unwrap_or(i32::MAX),
        auto_accept: operator.auto_accept,
        queues: operator
            .memberships
            .iter()
            .map(|membership| pb::Membership {
                queue_id: membership.queue.to_string(),
                rank: membership.rank,
                position: membership.position,
            })
            .collect(),
        idle_since: (operator.idle_since.0 > 0).then(|| timestamp(operator.idle_since)),
        disabled: operator.disabled,
        skills: operator.skills.iter().map(ToOwned::to_owned).collect(),
        lost_at: operator.lost_at.map(timestamp),
    }
}

pub(crate) fn conversation(conversation: &Conversation) -> pb::Conversation {
    let (state, until, closed) = match &conversation.state {
        State::Deferred { until } => (pb::ConversationState::Deferred, Some(*until), None),
        State::Queued => (pb::ConversationState::Queued, None, None),
        State::Offered { .. } => (pb::ConversationState::Offered, None, None),
        State::Active { .. } => (pb::ConversationState::Active, None, None),
        State::Parked { until, .. } => (pb::ConversationState::Parked, *until, None),
        State::WrapUp { until, .. } => (pb::ConversationState::WrappingUp, Some(*until), None),
        State::Abandoned { until, .. } => (pb::ConversationState::Abandoned, Some(*until), None),
        State::Closed { at, reason } => (pb::ConversationState::Closed, None, Some((*at, *reason))),
    };
    let is_parked = state == pb::ConversationState::Parked;
    let overflow = conversation.overflow.as_ref();
    let last = conversation.last_message.as_ref();
    pb::Conversation {
        id: conversation.id.to_string(),
        line_id: conversation.line.to_string(),
        channel: conversation.channel.clone(),
        medium: medium(conversation.medium).into(),
        queue_id: conversation.queue.to_string(),
        state: state.into(),
        contact: Some(client(&conversation.client)),
        operator_id: id(conversation.operator()),
        waiting_since: Some(timestamp(conversation.place.eligible_at)),
        created_at: Some(timestamp(conversation.created_at)),
        last_message_at: last.map(|last| timestamp(last.at)),
        last_message_text: last.map(|last| last.text.clone()).unwrap_or_default(),
        last_message_inbound: last.is_some_and(|last| last.inbound),
        unread_count: i32::try_from(conversation.unread_count).unwrap_or(i32::MAX),
        returned: conversation.returned,
        band: conversation.place.band,
        snoozed_until: until.filter(|_| is_parked).map(timestamp),
        closed_at: closed.map(|(at, _)| timestamp(at)),
        close_reason: closed.map_or("", |(_, reason)| reason.name()).to_owned(),
        disposition: conversation.disposition.clone(),
        subject: conversation.subject.clone().unwrap_or_default(),
        participant_ids: conversation
            .participants
            .iter()
            .map(ToString::to_string)
            .collect(),
        answered_at: conversation.answered_at.map(timestamp),
        thread_id: conversation.thread.to_string(),
        mentioned_ids: conversation
            .mentioned
            .iter()
            .map(ToString::to_string)
            .collect(),
        version: conversation.version,
        skills: conversation.skills.iter().map(ToOwned::to_owned).collect(),
        preferred_operator_id: id(conversation.preferred),
        state_until: until.filter(|_| !is_parked).map(timestamp),
        overflow_exit: overflow.map_or("", |it| it.exit.name()).to_owned(),
        overflow_reason: overflow.map(|it| it.reason.clone()).unwrap_or_default(),
        overflow_from_queue_id: overflow.map(|it| it.from.to_string()).unwrap_or_default(),
        callback_phone: conversation
            .callback
            .as_ref()
            .map(|it| it.phone.clone())
            .unwrap_or_default(),
        over_capacity: conversation.over_capacity,
        asked_operator_ids: conversation
            .asked()
            .keys()
            .map(ToString::to_string)
            .collect(),
    }
}

pub(crate) fn client(client: &Client) -> pb::ContactSummary {
    pb::ContactSummary {
        id: client.contact.to_string(),
        display_name: client.display_name.clone(),
        avatar_url: client.avatar_url.clone().unwrap_or_default(),
        provisional: client.provisional,
        address: client.address.clone(),
        known: client.known,
    }
}

fn id(operator: Option<OperatorId>) -> String {
    operator.map(|id| id.to_string()).unwrap_or_default()
}

pub(crate) fn offer(offer: &Offer) -> pb::Offer {
    let (state, ended_at, reason) = match &offer.state {
        OfferState::Pending => (pb::OfferState::Pending, None, String::new()),
        OfferState::Ended { at, outcome } => {
            let (state, reason) = match outcome {
                OfferOutcome::Accepted => (pb::OfferState::Accepted, ""),
                OfferOutcome::Declined { reason } => (pb::OfferState::Declined, reason.as_str()),
                OfferOutcome::TimedOut => (pb::OfferState::TimedOut, ""),
                OfferOutcome::Rescinded { reason } => (pb::OfferState::Rescinded, reason.as_str()),
                OfferOutcome::Revoked { reason } => (pb::OfferState::Revoked, reason.as_str()),
            };
            (state, Some(timestamp(*at)), reason.to_owned())
        }
    };
    pb::Offer {
        id: offer.id.to_string(),
        conversation_id: offer.conversation.to_string(),
        operator_id: offer.operator.to_string(),
        queue_id: offer.queue.to_string(),
        state: state.into(),
        made_at: Some(timestamp(offer.made_at)),
        expires_at: Some(timestamp(offer.expires_at)),
        ended_at,
        reason,
    }
}

pub(crate) fn explanation(explained: &Offer) -> pb_routing::ExplainOfferResponse {
    let explanation = &explained.explanation;
    pb_routing::ExplainOfferResponse {
        offer: Some(offer(explained)),
        band: explanation.place.band,
        eligible_at: Some(timestamp(explanation.place.eligible_at)),
        seq: explanation.place.seq,
        round: i32::try_from(explanation.round).unwrap_or(i32::MAX),
        chosen: Some(candidate(&explanation.chosen)),
        runner_up: explanation.runner_up.as_ref().map(candidate),
        excluded: explanation
            .excluded
            .by_rule()
            .into_iter()
            .map(|(rule, operators)| pb_routing::Exclusion {
                rule: rule.name().to_owned(),
                operator_ids: operators.iter().map(ToString::to_string).collect(),
            })
            .collect(),
        cause: explanation.cause.name().to_owned(),
        strategy: explanation.strategy.name().to_owned(),
        decided_at: Some(timestamp(explained.made_at)),
        skills: explanation.skills.iter().map(ToOwned::to_owned).collect(),
    }
}

fn candidate(keys: &CandidateKeys) -> pb_routing::CandidateKeys {
    pb_routing::CandidateKeys {
        operator_id: keys.operator.to_string(),
        load: i32::try_from(keys.load).unwrap_or(i32::MAX),
        capacity: i32::try_from(keys.capacity).unwrap_or(i32::MAX),
        idle_since: Some(timestamp(keys.idle_since)),
        open: i32::try_from(keys.open).unwrap_or(i32::MAX),
        turn: keys.turn,
        position: keys.position,
    }
}
