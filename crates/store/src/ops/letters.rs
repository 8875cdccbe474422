//! How letters find their thread.

use domain::LineId;
use domain::message::Message;

use crate::{StoreError, ThreadRow, Tx, View};

/// Letters that give themselves one name; the surplus is somebody's mischief.
const NAMESAKES_MAX: i64 = 20;

impl Tx<'_> {
    /// Notes the name that a letter gives itself.
    pub fn name_letter(&mut self, message: &Message) -> Result<(), StoreError> {
        let Some(letter) = &message.letter else {
            return Ok(());
        };
        if letter.message_id.is_empty() {
            return Ok(());
        }
        self.execute(
            "insert into letter_name (line, name, message) values (?1, ?2, ?3)
             on conflict do nothing",
            (message.line.as_str(), &letter.message_id, message.id.get()),
        )?;
        Ok(())
    }

    /// Notes that letters to an address come back for good.
    pub fn note_returned(
        &mut self,
        line: &LineId,
        address: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "insert into returned (line, address, reason, at) values (?1, ?2, ?3, ?4)
             on conflict (line, address) do update set reason = excluded.reason,
               at = excluded.at",
            (line.as_str(), address, reason, now.0),
        )?;
        Ok(())
    }

    /// Forgets it: somebody wrote from there.
    pub fn forget_returned(&mut self, line: &LineId, address: &str) -> Result<(), StoreError> {
        self.execute(
            "delete from returned where line = ?1 and address = ?2",
            (line.as_str(), address),
        )?;
        Ok(())
    }
}

impl View<'_> {
    /// Letters of a line that give themselves a name, the latest first.
    pub fn letters_named(&self, line: &LineId, name: &str) -> Result<Vec<Message>, StoreError> {
        self.docs(
            "select message.doc from letter_name
             join message on message.id = letter_name.message
             where letter_name.line = ?1 and letter_name.name = ?2
             order by letter_name.message desc limit ?3",
            (line.as_str(), name, NAMESAKES_MAX),
        )
    }

    /// Why letters to an address come back, if they do.
    pub fn returned(&self, line: &LineId, address: &str) -> Result<Option<String>, StoreError> {
        self.row(
            "select reason from returned where line = ?1 and address = ?2",
            (line.as_str(), address),
            |row| Ok(row.get(0)?),
        )
    }

    /// The thread with a name that nobody can guess.
    pub fn thread_by_token(&self, token: &str) -> Result<Option<ThreadRow>, StoreError> {
        self.doc("select doc from thread where token = ?1", [token])
    }
}
