//! Who is kept out, what was suggested, what was not sent yet.

use domain::conversation::Conversation;
use domain::identity::{Identity, normalize};
use domain::{ConversationId, text};
use store::{Block, StoreError, Tx};

use super::{ActError, Actor, seen};
use crate::Engine;
use crate::reason::{Reason, malformed};

const DRAFT_CHARS_MAX: usize = 16_000;

impl Engine {
    /// Keeps an identity out: nothing it sends creates anything from now on.
    pub async fn block_identity(
        &self,
        actor: &Actor,
        client_id: &str,
        identity: &Identity,
        reason: &str,
    ) -> Result<Block, ActError> {
        let identity = self.normal(identity)?;
        let reason = text::line(reason, 200);
        let who = actor.clone();
        let fingerprint = format!("block {identity:?} {reason}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            Ok(block(tx, &who, identity, &reason)?)
        })
        .await
    }

    /// Lets an identity in again.
    pub async fn unblock_identity(
        &self,
        actor: &Actor,
        client_id: &str,
        identity: &Identity,
    ) -> Result<(), ActError> {
        let identity = self.normal(identity)?;
        let who = actor.clone();
        let fingerprint = format!("unblock {identity:?}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            if !tx.unblock(&identity.key())? {
                return Err(ActError::NotFound("block"));
            }
            tx.audit(&who, "identity.unblock", &identity.value, "")?;
            Ok(())
        })
        .await
    }

    fn normal(&self, identity: &Identity) -> Result<Identity, ActError> {
        let settings = self.settings();
        let first = settings.lines.first();
        let region = first.map_or("", |line| line.default_region.as_str());
        normalize(identity, region).map_err(|error| ActError::Invalid {
            field: "identity",
            problem: malformed(error.to_string()),
        })
    }

    /// Sets a merge suggestion aside for good.
    pub async fn dismiss_suggestion(&self, id: i64) -> Result<(), ActError> {
        self.store()
            .write(move |tx| {
                if tx.dismiss_suggestion(id)? {
                    Ok(())
                } else {
                    Err(ActError::NotFound("suggestion"))
                }
            })
            .await
    }

    /// Keeps the actor's unsent text.
    pub async fn save_draft(
        &self,
        actor: &Actor,
        id: ConversationId,
        draft: &str,
    ) -> Result<(), ActError> {
        let me = actor.person()?;
        let who = actor.clone();
        let draft = text::body(draft, DRAFT_CHARS_MAX);
        self.store()
            .write(move |tx| {
                seen(tx, &who, id)?;
                tx.save_draft(me, id, &draft)?;
                Ok(())
            })
            .await
    }
}

fn block(
    tx: &mut Tx<'_>,
    actor: &Actor,
    identity: Identity,
    reason: &str,
) -> Result<Block, StoreError> {
    let block = Block {
        reason: reason.to_owned(),
        operator: actor.operator,
        at: tx.now(),
        identity,
    };
    tx.block(&block.identity.key(), &block)?;
    tx.audit(actor, "identity.block", &block.identity.value, reason)?;
    Ok(block)
}

/// Blocks whoever wrote in a conversation.
pub(super) fn block_sender(
    tx: &mut Tx<'_>,
    actor: &Actor,
    conversation: &Conversation,
    reason: &str,
) -> Result<(), ActError> {
    let thread = tx
        .thread(conversation.thread)?
        .ok_or(ActError::NotFound("thread"))?;
    let sender = thread
        .address()
        .cloned()
        .ok_or(ActError::Unsupported(Reason::NoAddress))?;
    block(tx, actor, sender, reason)?;
    Ok(())
}
