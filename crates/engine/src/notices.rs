//! What the gateway itself tells a client: that nobody is there, or where the queue's
//! rules led.

use std::collections::BTreeSet;

use domain::MessageId;
use domain::Millis;
use domain::conversation::Conversation;
use domain::message::{
    Action, Author, Content, Delivery, Direction, Message, Outbound, Text, ToSend,
};
use domain::routing::{Exit, RoutingRules};
use domain::text::Localized;
use store::{StoreError, ThreadRow, Tx};

use crate::act::last_message;

/// A client hears so seldom from us by ourselves: two machines that answer
/// each other come to an end.
const PAUSE: Millis = Millis::from_secs(86_400);
const HOUR: Millis = Millis::from_secs(3_600);
/// So many automatic letters a line sends in an hour, whoever they are for.
const LETTERS_PER_HOUR_MAX: i64 = 200;

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
    if thread.unreachable.is_some() || !may_tell(tx, &thread)? {
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
        letter: None,
        buttons: Vec::new(),
        template: None,
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
        automatic: true,
        part: None,
        action: Action::Send(ToSend {
            text,
            ..ToSend::default()
        }),
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

/// Whether a client may be told something now, by us and not by a person.
fn may_tell(tx: &mut Tx<'_>, thread: &ThreadRow) -> Result<bool, StoreError> {
    let last = tx.last_inbound_of(thread.id)?;
    let letter = last.as_ref().and_then(|message| message.letter.as_deref());
    if letter.is_some_and(|letter| letter.automatic.is_some()) {
        return Ok(false);
    }
    let now = tx.now();
    let email = thread.address().filter(|identity| identity.kind == "email");
    let peer = match email {
        Some(email) => email.value.clone(),
        None => format!("thread {}", thread.id),
    };
    let before = tx.told_at(&thread.line, &peer)?;
    if before.is_some_and(|at| at + PAUSE > now) {
        return Ok(false);
    }
    if email.is_some() {
        let lately = tx.told_since(&thread.line, now - HOUR, LETTERS_PER_HOUR_MAX)?;
        if lately >= LETTERS_PER_HOUR_MAX {
            tracing::warn!(line.id = %thread.line, "no more automatic letters this hour");
            return Ok(false);
        }
    }
    tx.tell_now(&thread.line, &peer)?;
    Ok(true)
}
