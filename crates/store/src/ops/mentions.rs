use domain::event::EventKind;
use domain::message::Message;
use domain::{ConversationId, MessageId, OperatorId, Timestamp};

use crate::view::doc_of;
use crate::{StoreError, Tx, View};

/// A note that names somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Mention {
    /// The note.
    pub message: Message,
    /// When whom it names read it.
    pub read_at: Option<Timestamp>,
}

impl Tx<'_> {
    /// Keeps whom a note names, and tells each of them.
    pub fn mention(&mut self, note: &Message) -> Result<(), StoreError> {
        for operator in &note.mentions {
            self.execute(
                "insert into mention (operator, message, conversation) values (?1, ?2, ?3)
                 on conflict (operator, message) do nothing",
                (operator.get(), note.id.get(), note.conversation.get()),
            )?;
            self.tell_mentions(*operator)?;
        }
        Ok(())
    }

    /// Forgets whom a note names, because it was taken back. Answers those whom no
    /// other note of its conversation names.
    pub fn unmention(
        &mut self,
        note: MessageId,
        conversation: ConversationId,
    ) -> Result<Vec<OperatorId>, StoreError> {
        let named = self.rows(
            "select operator from mention where message = ?1 order by operator",
            [note.get()],
            |row| Ok(OperatorId::new(row.get(0)?)),
        )?;
        self.execute("delete from mention where message = ?1", [note.get()])?;
        let mut free = Vec::new();
        for operator in named {
            let other = self.row(
                "select 1 from mention where conversation = ?1 and operator = ?2 limit 1",
                (conversation.get(), operator.get()),
                |_| Ok(()),
            )?;
            if other.is_none() {
                free.push(operator);
            }
            self.tell_mentions(operator)?;
        }
        Ok(free)
    }

    /// Marks the notes that name an operator as read, of one conversation or of all.
    pub fn read_mentions(
        &mut self,
        operator: OperatorId,
        conversation: Option<ConversationId>,
    ) -> Result<(), StoreError> {
        let changed = self.execute(
            "update mention set read_at = ?3
             where operator = ?1 and read_at is null and (?2 is null or conversation = ?2)",
            (
                operator.get(),
                conversation.map(ConversationId::get),
                self.now().0,
            ),
        )?;
        if changed > 0 {
            self.tell_mentions(operator)?;
        }
        Ok(())
    }

    fn tell_mentions(&mut self, operator: OperatorId) -> Result<(), StoreError> {
        let unread = self.unread_mentions(operator)?;
        self.emit(EventKind::MentionsChanged { operator, unread })?;
        Ok(())
    }
}

impl View<'_> {
    /// How many notes that name an operator are unread.
    pub fn unread_mentions(&self, operator: OperatorId) -> Result<i64, StoreError> {
        self.row(
            "select count(*) from mention where operator = ?1 and read_at is null",
            [operator.get()],
            |row| Ok(row.get(0)?),
        )
        .map(|count| count.unwrap_or(0))
    }

    /// The notes that name an operator, before an id, the newest first.
    pub fn mentions_of(
        &self,
        operator: OperatorId,
        unread_only: bool,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Mention>, StoreError> {
        self.rows(
            "select message.doc, mention.read_at from mention
             join message on message.id = mention.message
             where mention.operator = ?1 and mention.message < ?2
               and (not ?3 or mention.read_at is null)
             order by mention.message desc limit ?4",
            (operator.get(), before, unread_only, limit),
            |row| {
                Ok(Mention {
                    message: doc_of(row)?,
                    read_at: row.get::<_, Option<i64>>(1)?.map(Timestamp),
                })
            },
        )
    }
}
