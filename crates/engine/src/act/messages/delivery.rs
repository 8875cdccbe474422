//! What lists show of a message, and what became of it.

use domain::MessageId;
use domain::conversation::LastMessage;
use domain::message::{Delivery, Direction, Message};
use domain::text;
use store::{StoreError, Tx};

/// What lists show of a message.
pub(crate) fn last_message(message: &Message) -> LastMessage {
    let letter = message.letter.as_deref();
    let brief = letter.and_then(|letter| letter.brief.as_deref());
    let words = brief.filter(|brief| !brief.is_empty());
    let words = words.unwrap_or_else(|| message.content.words());
    let shown = if words.is_empty() {
        message
            .attachments
            .first()
            .map_or("", |attachment| attachment.file_name.as_str())
    } else {
        words
    };
    LastMessage {
        id: message.id,
        at: message.stored_at,
        text: text::preview(shown),
        inbound: message.direction == Direction::Inbound,
    }
}

/// Notes what became of a message that was handed over.
pub(crate) fn delivered(
    tx: &mut Tx<'_>,
    id: MessageId,
    delivery: Delivery,
    external_id: Option<String>,
    error: &str,
) -> Result<(), StoreError> {
    let Some(mut message) = tx.message(id)? else {
        return Ok(());
    };
    let moves = message
        .delivery
        .is_some_and(|known| known.advances_to(delivery));
    if !moves && external_id.is_none() {
        return Ok(());
    }
    if moves {
        message.delivery = Some(delivery);
        error.clone_into(&mut message.delivery_error);
    }
    message.external_id = external_id.or(message.external_id);
    let conversation = tx.conversation(message.conversation)?;
    let thread = tx.thread(message.thread)?;
    if let Some(conversation) = conversation {
        tx.change_message(message, conversation.audience(), false)?;
    }
    if let Some(thread) = thread {
        tx.touch_thread(&thread.line, &thread.thread_key);
    }
    Ok(())
}

/// Notes by what name the provider knows a part of a message.
pub(crate) fn named(tx: &mut Tx<'_>, id: MessageId, external_id: &str) -> Result<(), StoreError> {
    if let Some(message) = tx.message(id)? {
        tx.name_message(&message, external_id)?;
    }
    Ok(())
}
