//! What the gateway itself tells a client: that nobody is there, or where the queue's
//! rules led.

use std::collections::BTreeSet;

use domain::MessageId;
use domain::conversation::Conversation;
use domain::message::{Action, Author, Content, Delivery, Direction, Message, Outbound, Text};
use domain::routing::{Exit, RoutingRules};
use domain::text::Localized;
use domain::{Millis, ThreadId};
use store::{StoreError, Tx};

use crate::act::last_message;

/// A client hears so seldom from us by ourselves on one thread: two machines that answer
/// each other come to an end.
const PAUSE: Millis = Millis::from_secs(86_400);

/// Tells the client that nobody is there, if the queue has words for it.
pub(crate) fn closed(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    conversation: &Conversation,
) -> Result<(), StoreError> {
    let queue = rules.of(&conversation.queue);
    tell(tx, rules, conversation, queue.closed_reply.as_deref())
}

/// Tells the client where the queue's rules led, if the queue has words for it.
pub(crate) fn led_out(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    conversation: &Conversation,
) -> Result<(), StoreError> {
    let queue = rules.of(&conversation.queue);
    let words = match conversation.overflow.as_ref().map(|taken| &taken.exit) {
        Some(Exit::Voicemail) => &queue.voicemail_reply,
        Some(Exit::Form) => &queue.form_reply,
        Some(Exit::Callback) => &queue.callback_reply,
        Some(Exit::Queue(_) | Exit::AnySkills) | None => return Ok(()),
    };
    tell(tx, rules, conversation, words.as_deref())
}

/// Writes to the client, where they can be written to and did not hear from us lately.
fn tell(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    conversation: &Conversation,
    words: Option<&Localized>,
) -> Result<(), StoreError> {
    let line = rules.lines.get(&conversation.line);
    let Some(words) = words.filter(|_| line.is_some_and(|line| line.replies)) else {
        return Ok(());
    };
    let Some(thread) = tx.thread(conversation.thread)? else {
        return Ok(());
    };
    if thread.unreachable.is_some() || !may_tell(tx, thread.id)? {
        return Ok(());
    }
    let text = Text::plain(words.of(thread.sender.locale.as_deref()));
    let message = Message {
        id: MessageId::new(tx.fresh_id()),
        conversation: conversation.id,
        thread: thread.id,
        line: conversation.line.clone(),
        contact: conversation.client.contact.clone(),
        direction: Direction::Outbound,
        author: Author::Gateway,
        sent_at: tx.now(),
        stored_at: tx.now(),
        content: Content::Text(text.clone()),
        attachments: Vec::new(),
        mentions: BTreeSet::new(),
        external_id: None,
        client_id: None,
        reply_to: None,
        reactions: Vec::new(),
        delivery: Some(Delivery::Queued),
        delivery_error: String::new(),
        edited_at: None,
        deleted_at: None,
        revisions: Vec::new(),
    };
    let outbound = Outbound {
        message: message.id,
        line: conversation.line.clone(),
        recipient: thread.recipient(),
        sent_at: message.sent_at,
        author_name: String::new(),
        action: Action::Send {
            text,
            attachments: Vec::new(),
            reply_to: None,
        },
    };
    let last = last_message(&message);
    tx.add_message(message, conversation.audience())?;
    tx.enqueue(&outbound)?;
    tx.touch_thread(&thread.line, &thread.thread_key);
    if let Some(before) = tx.conversation(conversation.id)? {
        let mut after = before.clone();
        after.last_message = Some(last);
        tx.save_conversation(&before, &mut after)?;
    }
    Ok(())
}

fn may_tell(tx: &mut Tx<'_>, thread: ThreadId) -> Result<bool, StoreError> {
    let before = tx.told_at(thread)?;
    let may = before.is_none_or(|at| at + PAUSE <= tx.now());
    if may {
        tx.tell_now(thread)?;
    }
    Ok(may)
}
