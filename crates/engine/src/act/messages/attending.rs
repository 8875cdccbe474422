//! What shows that somebody is there: read marks and typing.

use channels::host::ThreadSignal;
use channels::{Capability, Sign};
use domain::ConversationId;
use domain::conversation::Conversation;
use domain::message::{Delivery, Direction};
use store::{StoreError, ThreadRow, Tx};

use super::super::{ActError, Actor, seen};
use crate::Engine;
use crate::hub::Typing;

/// The client's newest messages that are marked read at once.
const READ_AT_ONCE_MAX: i64 = 100;

impl Engine {
    /// Marks a conversation read, if the actor answers it.
    pub async fn mark_read(&self, actor: &Actor, id: ConversationId) -> Result<(), ActError> {
        let engine = self.clone();
        let who = actor.clone();
        let read = self
            .store()
            .write::<_, ActError>(move |tx| {
                let before = seen(tx, &who, id)?;
                let mine = who.operator.is_some() && before.owner() == who.operator;
                if !mine || before.unread_count == 0 {
                    return Ok(None);
                }
                let mut after = before.clone();
                after.unread_count = 0;
                tx.save_conversation(&before, &mut after)?;
                let line = engine.line(&before.line);
                if line.is_some_and(|line| line.kind.descriptor.can(Capability::ReadReceipts)) {
                    return Ok(tell_read(tx, &before)?);
                }
                Ok(None)
            })
            .await?;
        if let Some((thread, last)) = read {
            self.show(&thread.line, thread.recipient(), Sign::Read(last));
        }
        Ok(())
    }

    /// Tells client and colleagues that the actor is typing.
    pub async fn set_typing(
        &self,
        actor: &Actor,
        id: ConversationId,
        active: bool,
    ) -> Result<(), ActError> {
        let me = actor.person()?;
        let who = actor.clone();
        let (thread, display_name, mine, audience) = self
            .read::<_, ActError>(move |view| {
                let conversation = seen(view, &who, id)?;
                let thread = view
                    .thread(conversation.thread)?
                    .ok_or(ActError::NotFound("thread"))?;
                let name = view
                    .operator_row(me)?
                    .map_or_else(String::new, |operator| operator.display_name);
                let mine =
                    conversation.owner() == Some(me) || conversation.participants.contains(&me);
                Ok((thread, name, mine, conversation.audience()))
            })
            .await?;
        self.inner.hub.type_now(Typing {
            conversation: id,
            operator: Some(me),
            active,
            audience,
        });
        if mine {
            let signal = ThreadSignal::OperatorTyping {
                display_name,
                active,
            };
            self.inner
                .hub
                .signal(&thread.line, &thread.thread_key, signal);
            if active {
                self.show(&thread.line, thread.recipient(), Sign::Typing);
            }
        }
        Ok(())
    }
}

/// Marks what the client wrote as read, for the client to see; answers what was the last
/// of it, by the provider's id.
fn tell_read(
    tx: &mut Tx<'_>,
    of: &Conversation,
) -> Result<Option<(ThreadRow, String)>, StoreError> {
    let mut last = None;
    let unread = tx
        .messages_of(of.id, i64::MAX, READ_AT_ONCE_MAX)?
        .into_iter()
        .filter(|message| message.direction == Direction::Inbound)
        .take_while(|message| message.delivery != Some(Delivery::Read));
    for mut message in unread {
        message.delivery = Some(Delivery::Read);
        last = last.or(message.external_id.clone());
        tx.change_message(message, of.audience(), false)?;
    }
    let Some(thread) = tx.thread(of.thread)? else {
        return Ok(None);
    };
    tx.touch_thread(&thread.line, &thread.thread_key);
    Ok(last.map(|last| (thread, last)))
}
