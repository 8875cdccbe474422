//! New messages and notes.

use std::collections::BTreeSet;

use channels::Capability;
use domain::conversation::{Conversation, Input, State};
use domain::message::{
    Action, Attachment, Author, Content, Delivery, Direction, FilledTemplate, Letter, Message,
    Text, ToSend,
};
use domain::{ConversationId, MessageId, OperatorId, text};
use store::Tx;

use super::super::{ActError, Actor, mentions, seen};
use super::NOTE_CHARS_MAX;
use super::delivery::last_message;
use super::letters::{self, NewLetter};
use super::said::Said;
use super::way::{in_parts, must_be_able, must_be_in_time, outbound};
use crate::Engine;
use crate::reason::{Reason, malformed};

/// Files of one message.
const ATTACHMENTS_MAX: usize = 10;
/// Canned replies that one message is made of.
const CANNED_REPLIES_MAX: usize = 10;

/// A message to send.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The conversation.
    pub conversation: ConversationId,
    /// The words.
    pub text: String,
    /// Files sent up before.
    pub upload_ids: Vec<String>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// The sender's own id of it.
    pub client_id: String,
    /// The canned replies it was made of.
    pub canned_replies: Vec<i64>,
    /// Whom a letter goes to and what it is about.
    pub letter: Option<NewLetter>,
    /// Answers that the client may give by a press.
    pub buttons: Vec<String>,
    /// The provider's wording that is sent in place of words.
    pub template: Option<FilledTemplate>,
}

impl Engine {
    /// Sends a message to the client: durable when this answers, handed over after
    /// that.
    pub async fn send_message(&self, actor: &Actor, new: NewMessage) -> Result<Message, ActError> {
        actor.person()?;
        required_client_id(&new.client_id)?;
        let said = self.said(actor, &new).await?;
        if said.words.trim().is_empty() && new.upload_ids.is_empty() {
            return Err(ActError::Invalid {
                field: "text",
                problem: Reason::Empty,
            });
        }
        if new.upload_ids.len() > ATTACHMENTS_MAX {
            return Err(ActError::Invalid {
                field: "upload_ids",
                problem: Reason::TooManyFiles {
                    max: ATTACHMENTS_MAX,
                },
            });
        }
        if new.canned_replies.len() > CANNED_REPLIES_MAX {
            return Err(ActError::Invalid {
                field: "canned_reply_ids",
                problem: malformed(format!("name at most {CANNED_REPLIES_MAX}")),
            });
        }
        let engine = self.clone();
        let who = actor.clone();
        let fingerprint = format!("send {new:?}").into_bytes();
        let client_id = new.client_id.clone();
        self.once(Some(actor), &client_id, fingerprint, move |tx| {
            engine.write_message(tx, &who, &new, &said)
        })
        .await
    }

    fn write_message(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        new: &NewMessage,
        said: &Said,
    ) -> Result<Message, ActError> {
        let me = actor.person()?;
        let conversation = writable(tx, actor, new.conversation)?;
        let (line, thread) = self.way_out(tx, &conversation)?;
        if said.template.is_none() {
            must_be_in_time(tx, &line, &thread)?;
        }
        let text_max = line.kind.descriptor.text_length_max;
        if said.words.chars().count() > text_max {
            return Err(ActError::Invalid {
                field: "text",
                problem: Reason::TextTooLong { max: text_max },
            });
        }
        let mut attachments = uploaded(tx, me, &new.upload_ids)?;
        if !attachments.is_empty() {
            must_be_able(&line, Capability::Files, "send files")?;
        }
        said.must_suit(&line, &attachments)?;
        let letter = letters::compose(tx, &line, &thread, new.letter.as_ref())?;
        let passed_on = new.letter.as_ref().and_then(|letter| letter.forwarded);
        attachments.extend(letters::forwarded(tx, &thread, passed_on)?);
        let answered = match new.reply_to {
            Some(id) => Some(
                tx.message(id)?
                    .filter(|answered| answered.thread == thread.id)
                    .ok_or(ActError::NotFound("message to answer"))?,
            ),
            None => None,
        };
        let text = Text::plain(said.words.clone());
        let template = said.template.clone().map(Box::new);
        let mut message = Message {
            attachments: attachments.clone(),
            client_id: Some(new.client_id.clone()),
            buttons: said.buttons.clone(),
            template: template.clone(),
            reply_to: new.reply_to,
            delivery: Some(Delivery::Queued),
            ..blank(tx, actor, &conversation, Direction::Outbound, &text)?
        };
        let action = Action::Send(ToSend {
            text,
            attachments,
            reply_to: answered.and_then(name_of),
            letter: letter.clone().map(Box::new),
            buttons: said.offered().to_vec(),
            template: template.clone(),
        });
        let whole = outbound(tx, actor, &conversation, &thread, message.id, action);
        message.external_id = line.channel.name(&whole);
        message.letter = letter.map(|letter| named(letter, message.external_id.as_deref()));
        if !tx.add_message(message.clone(), conversation.audience())? {
            return Err(ActError::Exists(Reason::ClientIdUsed));
        }
        for part in in_parts(&line, whole) {
            tx.enqueue(&part)?;
        }
        tx.touch_thread(&thread.line, &thread.thread_key);
        self.note_answer(tx, &conversation, &message)?;
        tx.save_draft(me, conversation.id, "")?;
        for id in &new.canned_replies {
            tx.use_canned_reply(*id, me, actor.queues())?;
        }
        crate::obligations::answered(tx, &conversation, me)?;
        Ok(message)
    }

    /// What an answer changes of its conversation.
    fn note_answer(
        &self,
        tx: &mut Tx<'_>,
        conversation: &Conversation,
        message: &Message,
    ) -> Result<(), ActError> {
        let now = tx.now();
        let mut after = conversation.clone();
        after.last_message = Some(last_message(message));
        after.unread_count = 0;
        if let State::Active { .. } = after.state {
            let rules = self.rules();
            let queue = rules.of(&after.queue);
            let park_after = queue.park_after.get(&after.medium);
            let park_at = park_after.map(|span| now + *span);
            after.handle(now, Input::Answered { park_at })?;
        }
        after.counted.first_reply_at.get_or_insert(now);
        tx.save_conversation(conversation, &mut after)?;
        Ok(())
    }

    /// Writes a note that only colleagues see, and tells those whom it names.
    pub async fn add_note(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ConversationId,
        note: &str,
        mentioned: &[OperatorId],
    ) -> Result<Message, ActError> {
        required_client_id(client_id)?;
        let named = mentions::checked(actor, mentioned)?;
        let note = text::body(note, NOTE_CHARS_MAX);
        if note.trim().is_empty() {
            return Err(ActError::Invalid {
                field: "text",
                problem: Reason::Empty,
            });
        }
        let who = actor.clone();
        let own_id = client_id.to_owned();
        let fingerprint = format!("note {id:?} {named:?} {note}").into_bytes();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            let found = seen(tx, &who, id)?;
            let conversation = mentions::let_in(tx, &who, &found, &named)?;
            write_note(tx, &who, &conversation, &note, Some(own_id), named)
        })
        .await
    }
}

/// Files that somebody sent up before.
fn uploaded(tx: &Tx<'_>, me: OperatorId, ids: &[String]) -> Result<Vec<Attachment>, ActError> {
    let find = |id: &String| {
        let upload = tx.upload(id)?;
        let upload = upload.filter(|upload| upload.owner == me.to_string());
        Ok(upload.ok_or(ActError::NotFound("upload"))?.attachment)
    };
    ids.iter().map(find).collect()
}

fn named(letter: Letter, name: Option<&str>) -> Box<Letter> {
    Box::new(Letter {
        message_id: name.unwrap_or_default().to_owned(),
        ..letter
    })
}

/// What a message is called on its channel by whoever answers it.
fn name_of(message: Message) -> Option<String> {
    let letter = message.letter.map(|letter| letter.message_id);
    let letter = letter.filter(|name| !name.is_empty());
    letter.or(message.external_id)
}

fn required_client_id(client_id: &str) -> Result<(), ActError> {
    if client_id.is_empty() {
        return Err(ActError::Invalid {
            field: "client_id",
            problem: malformed(
                "make an id for the message, so that a second try does not double it",
            ),
        });
    }
    Ok(())
}

/// A conversation in which the actor may write to the client.
fn writable(tx: &Tx<'_>, actor: &Actor, id: ConversationId) -> Result<Conversation, ActError> {
    let conversation = seen(tx, actor, id)?;
    if !conversation.is_open() {
        return Err(ActError::Refused(Reason::EndedForWriting));
    }
    let me = actor.person()?;
    if conversation.owner() == Some(me) || conversation.participants.contains(&me) {
        Ok(conversation)
    } else {
        Err(ActError::Denied(Reason::NotYours))
    }
}

fn blank(
    tx: &mut Tx<'_>,
    actor: &Actor,
    conversation: &Conversation,
    direction: Direction,
    text: &Text,
) -> Result<Message, ActError> {
    let now = tx.now();
    Ok(Message {
        id: MessageId::new(tx.fresh_id()),
        conversation: conversation.id,
        thread: conversation.thread,
        line: conversation.line.clone(),
        contact: conversation.client.contact.clone(),
        direction,
        author: Author::Operator(actor.person()?),
        sent_at: now,
        stored_at: now,
        content: Content::Text(text.clone()),
        attachments: Vec::new(),
        buttons: Vec::new(),
        template: None,
        letter: None,
        external_id: None,
        client_id: None,
        reply_to: None,
        reactions: Vec::new(),
        delivery: None,
        delivery_error: String::new(),
        edited_at: None,
        deleted_at: None,
        revisions: Vec::new(),
        mentions: BTreeSet::new(),
    })
}

pub(in crate::act) fn write_note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    conversation: &Conversation,
    note: &str,
    client_id: Option<String>,
    mentions: BTreeSet<OperatorId>,
) -> Result<Message, ActError> {
    let message = Message {
        client_id,
        mentions,
        ..blank(tx, actor, conversation, Direction::Note, &Text::plain(note))?
    };
    if !tx.add_message(message.clone(), conversation.audience())? {
        return Err(ActError::Exists(Reason::ClientIdUsed));
    }
    tx.mention(&message)?;
    Ok(message)
}
