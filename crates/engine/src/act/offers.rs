//! Presence, and the answers to offers.

use domain::conversation::{Conversation, Input, OfferOutcome, OfferState};
use domain::operator::{self, Operator, Presence};
use domain::{OfferId, OperatorId, text};
use store::Tx;

use super::{ActError, Actor};
use crate::reason::Reason;
use crate::{Engine, change};

impl Engine {
    /// Sets the actor's own presence.
    pub async fn set_presence(
        &self,
        actor: &Actor,
        client_id: &str,
        presence: Presence,
        when_idle: bool,
    ) -> Result<Operator, ActError> {
        let me = actor.person()?;
        let presence = tidy(presence);
        let fingerprint = format!("presence {presence:?} {when_idle}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            set(tx, me, presence, when_idle)
        })
        .await
    }

    /// Sets a colleague's presence.
    pub async fn force_presence(
        &self,
        actor: &Actor,
        client_id: &str,
        operator: OperatorId,
        presence: Presence,
        reason: &str,
    ) -> Result<Operator, ActError> {
        let presence = tidy(presence);
        let reason = text::line(reason, 200);
        let by = store::Auditor::from(actor);
        let fingerprint = format!("force {operator:?} {presence:?} {reason}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let changed = set(tx, operator, presence, false)?;
            let detail = format!("{:?}: {reason}", changed.presence);
            tx.audit(by, "presence.force", &changed.login, &detail)?;
            Ok(changed)
        })
        .await
    }

    /// Accepts an offer made to the actor.
    pub async fn accept_offer(
        &self,
        actor: &Actor,
        client_id: &str,
        offer: OfferId,
    ) -> Result<Conversation, ActError> {
        let me = actor.person()?;
        let fingerprint = format!("accept {offer:?}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let asked = asked(tx, offer, me)?;
            let input = Input::Accept {
                offer,
                operator: me,
            };
            Ok(change::conversation(tx, &asked, input)?)
        })
        .await
    }

    /// Declines an offer made to the actor.
    pub async fn decline_offer(
        &self,
        actor: &Actor,
        client_id: &str,
        offer: OfferId,
        reason: &str,
    ) -> Result<Conversation, ActError> {
        let me = actor.person()?;
        let reason = text::line(reason, 200);
        let fingerprint = format!("decline {offer:?} {reason}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let asked = asked(tx, offer, me)?;
            let input = Input::Decline {
                offer,
                operator: me,
                reason,
            };
            Ok(change::conversation(tx, &asked, input)?)
        })
        .await
    }
}

fn tidy(presence: Presence) -> Presence {
    match presence {
        Presence::Away { reason } => Presence::Away {
            reason: text::line(&reason, 100),
        },
        Presence::Ready | Presence::Offline => presence,
    }
}

fn set(
    tx: &mut Tx<'_>,
    id: OperatorId,
    presence: Presence,
    when_idle: bool,
) -> Result<Operator, ActError> {
    if tx.operator(id).is_none_or(|operator| operator.disabled) {
        return Err(ActError::NotFound("operator"));
    }
    let input = operator::Input::SetPresence {
        presence,
        when_idle,
    };
    change::operator(tx, id, input)?;
    tx.operator(id)
        .map(|operator| (*operator).clone())
        .ok_or(ActError::NotFound("operator"))
}

/// The conversation of an offer to this operator that is still pending; else says
/// how the offer ended.
fn asked(tx: &Tx<'_>, id: OfferId, me: OperatorId) -> Result<Conversation, ActError> {
    let offer = tx
        .offer(id)?
        .filter(|offer| offer.operator == me)
        .ok_or(ActError::NotFound("offer"))?;
    if let OfferState::Ended { outcome, .. } = &offer.state {
        return Err(ActError::Refused(match outcome {
            OfferOutcome::Accepted => Reason::OfferAccepted,
            OfferOutcome::Declined { .. } => Reason::OfferDeclined,
            OfferOutcome::TimedOut => Reason::OfferTimedOut,
            OfferOutcome::Rescinded { reason } => Reason::OfferTakenBack {
                cause: reason.clone(),
            },
            OfferOutcome::Revoked { reason } => Reason::OfferRevoked {
                cause: reason.clone(),
            },
        }));
    }
    tx.conversation(offer.conversation)?
        .ok_or(ActError::NotFound("conversation"))
}
