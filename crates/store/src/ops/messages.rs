use std::collections::BTreeSet;
use std::sync::Arc;

use domain::event::{Audience, Cursor, EventKind};
use domain::message::{Direction, Message};
use domain::{ContactId, ConversationId, LineId, MessageId, QueueId, ThreadId, Timestamp};

use crate::view::doc_of;
use crate::words::Index;
use crate::{StoreError, Tx, View};

const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Note => "note",
    }
}

/// The words by which a message is found.
fn searched(message: &Message) -> String {
    let words = message.content.words();
    match &message.letter {
        Some(letter) if !letter.subject.is_empty() => format!("{}\n{words}", letter.subject),
        Some(_) | None => words.to_owned(),
    }
}

impl Tx<'_> {
    /// Writes a new message and says so. False when the line has it already.
    pub fn add_message(
        &mut self,
        message: Message,
        audience: Audience,
    ) -> Result<bool, StoreError> {
        let cursor = self.next_cursor();
        let written = self.execute(
            "insert into message
               (id, conversation, thread, contact, line, direction, external_id, client_id,
                cursor, doc)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             on conflict do nothing",
            (
                message.id.get(),
                message.conversation.get(),
                message.thread.get(),
                message.contact.as_str(),
                message.line.as_str(),
                direction_name(message.direction),
                &message.external_id,
                &message.client_id,
                cursor.0,
                serde_json::to_string(&message)?,
            ),
        )?;
        if written == 0 {
            return Ok(false);
        }
        let words = searched(&message);
        if !words.is_empty() {
            self.index(Index::Messages, message.id.get(), words);
        }
        self.name_letter(&message)?;
        self.count_message(&message, &audience.queue);
        self.emit(EventKind::MessageAdded {
            message: Arc::new(message),
            audience,
        })?;
        Ok(true)
    }

    /// Notes another name by which the provider knows a message. False when it is known
    /// already.
    pub fn name_message(
        &mut self,
        message: &Message,
        external_id: &str,
    ) -> Result<bool, StoreError> {
        let written = self.execute(
            "insert into message_part (line, direction, external_id, message)
             values (?1, ?2, ?3, ?4) on conflict do nothing",
            (
                message.line.as_str(),
                direction_name(message.direction),
                external_id,
                message.id.get(),
            ),
        )?;
        Ok(written == 1)
    }

    /// Writes a changed message and says so. The words are searched anew when
    /// `words_changed`.
    pub fn change_message(
        &mut self,
        message: Message,
        audience: Audience,
        words_changed: bool,
    ) -> Result<(), StoreError> {
        let cursor = self.next_cursor();
        self.execute(
            "update message set external_id = ?2, cursor = ?3, doc = ?4 where id = ?1",
            (
                message.id.get(),
                &message.external_id,
                cursor.0,
                serde_json::to_string(&message)?,
            ),
        )?;
        if words_changed {
            let is_there = message.deleted_at.is_none();
            let words = is_there.then(|| searched(&message));
            self.index_again(Index::Messages, message.id.get(), words);
        }
        self.emit(EventKind::MessageChanged {
            message: Arc::new(message),
            audience,
        })?;
        Ok(())
    }
}

impl View<'_> {
    /// One message.
    pub fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.doc("select doc from message where id = ?1", [id.get()])
    }

    /// A message by the provider's id, or by that of one of its parts.
    pub fn message_by_external_id(
        &self,
        line: &LineId,
        external_id: &str,
        direction: Direction,
    ) -> Result<Option<Message>, StoreError> {
        let named = (line.as_str(), external_id, direction_name(direction));
        let whole: Option<Message> = self.doc(
            "select doc from message where line = ?1 and external_id = ?2 and direction = ?3",
            named,
        )?;
        if whole.is_some() {
            return Ok(whole);
        }
        self.doc(
            "select message.doc from message_part
             join message on message.id = message_part.message
             where message_part.line = ?1 and message_part.external_id = ?2
               and message_part.direction = ?3",
            named,
        )
    }

    /// The last that a thread's client wrote.
    pub fn last_inbound_of(&self, thread: ThreadId) -> Result<Option<Message>, StoreError> {
        self.doc(
            "select doc from message where thread = ?1 and direction <> 'note' and direction = 'inbound'
             order by cursor desc limit 1",
            [thread.get()],
        )
    }

    /// What went to a thread's client since, in order; the latest so many.
    pub fn outbound_of(
        &self,
        thread: ThreadId,
        since: Timestamp,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let mut latest: Vec<Message> = self.docs(
            "select doc from message
             where thread = ?1 and direction <> 'note' and direction = 'outbound'
             order by cursor desc limit ?2",
            (thread.get(), limit),
        )?;
        latest.retain(|message| message.stored_at >= since);
        latest.sort_by_key(|message| message.id);
        Ok(latest)
    }

    /// A message of ours by its sender's own id.
    pub fn message_by_client_id(
        &self,
        conversation: ConversationId,
        client_id: &str,
    ) -> Result<Option<Message>, StoreError> {
        self.doc(
            "select doc from message
             where conversation = ?1 and client_id = ?2 and direction <> 'inbound'",
            (conversation.get(), client_id),
        )
    }

    /// A contact's messages before an id, the newest first.
    pub fn timeline_of(
        &self,
        contact: &ContactId,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        self.docs(
            "select doc from message where contact = ?1 and id < ?2 order by id desc limit ?3",
            (contact.as_str(), before, limit),
        )
    }

    /// A conversation's messages before an id, the newest first.
    pub fn messages_of(
        &self,
        conversation: ConversationId,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        self.docs(
            "select doc from message where conversation = ?1 and id < ?2
             order by id desc limit ?3",
            (conversation.get(), before, limit),
        )
    }

    /// What a client may see of a thread, in order of change. Notes never.
    pub fn thread_log(
        &self,
        thread: ThreadId,
        after: Cursor,
        limit: i64,
    ) -> Result<Vec<(Cursor, Message)>, StoreError> {
        self.rows(
            "select doc, cursor from message
             where thread = ?1 and cursor > ?2 and direction <> 'note'
             order by cursor limit ?3",
            (thread.get(), after.0, limit),
            |row| Ok((Cursor(row.get(1)?), doc_of(row)?)),
        )
    }

    /// Messages that hold every word, the last one as a beginning; before an id,
    /// the newest first. `queues` bounds what the asker may see.
    pub fn search_messages(
        &self,
        words: &str,
        queues: Option<&BTreeSet<QueueId>>,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Message>, StoreError> {
        let Some(expression) = fts_expression(words) else {
            return Ok(Vec::new());
        };
        let scope = serde_json::to_string(
            &queues.map(|queues| queues.iter().map(QueueId::as_str).collect::<Vec<_>>()),
        )?;
        self.docs(
            "select message.doc from message_words
             join message on message.id = message_words.rowid
             join conversation on conversation.id = message.conversation
             where message_words match ?1 and message_words.rowid < ?2
               and (?3 = 'null' or conversation.queue in (select value from json_each(?3)))
             order by message_words.rowid desc limit ?4",
            (expression, before, &scope, limit),
        )
    }
}

/// Every word quoted, so that nothing in it is taken as an operator.
pub(crate) fn fts_expression(words: &str) -> Option<String> {
    let quoted: Vec<String> = words
        .split_whitespace()
        .take(20)
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    if quoted.is_empty() {
        return None;
    }
    Some(format!("{} *", quoted.join(" ")))
}
