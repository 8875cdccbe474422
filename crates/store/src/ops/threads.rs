use std::collections::BTreeMap;

use domain::identity::{Identity, Trust};
use domain::message::{Recipient, Sender, Thread};
use domain::{ContactId, LineId, ThreadId};
use serde::{Deserialize, Serialize};

use crate::{StoreError, Tx, View};

/// A thread: what its line calls it, whose it is, and how to answer there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRow {
    /// Unique in the store.
    pub id: ThreadId,
    /// The line.
    pub line: LineId,
    /// Its name on the line.
    pub thread_key: String,
    /// Whose it is.
    pub contact: ContactId,
    /// Whose it was before any merge: it returns there when the merge is undone.
    pub origin: ContactId,
    /// The client, as the channel told of them last.
    pub sender: Sender,
    /// The thread as the last event told it.
    pub context: Thread,
    /// Its name that nobody can guess, by which letters find back to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Whose letters belong to it, and how well their addresses were vouched for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub participants: BTreeMap<String, Trust>,
    /// Why nothing can be sent to this client any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
}

impl ThreadRow {
    /// The client's own address on the channel.
    pub fn address(&self) -> Option<&Identity> {
        self.sender.identities.first()
    }

    /// Whom an answer goes to.
    pub fn recipient(&self) -> Recipient {
        Recipient {
            thread: self.id,
            thread_key: self.thread_key.clone(),
            identity: self.address().cloned(),
            context: self.context.clone(),
            token: self.token.clone().unwrap_or_default(),
        }
    }
}

impl Tx<'_> {
    /// Writes a thread, new or known.
    pub fn save_thread(&mut self, thread: &ThreadRow) -> Result<(), StoreError> {
        self.execute(
            "insert into thread (id, line, thread_key, contact, origin, token, doc)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             on conflict (id) do update set contact = excluded.contact,
               origin = excluded.origin, doc = excluded.doc",
            (
                thread.id.get(),
                thread.line.as_str(),
                &thread.thread_key,
                thread.contact.as_str(),
                thread.origin.as_str(),
                &thread.token,
                serde_json::to_string(thread)?,
            ),
        )?;
        Ok(())
    }

    /// Gives a thread to an owner unless it has one; answers whose it is then. Of
    /// several who try at once one wins, and all are told who.
    pub fn bind_thread(
        &mut self,
        line: &LineId,
        thread_key: &str,
        owner: &str,
    ) -> Result<String, StoreError> {
        self.execute(
            "insert into thread_owner (line, thread_key, owner) values (?1, ?2, ?3)
             on conflict (line, thread_key) do nothing",
            (line.as_str(), thread_key, owner),
        )?;
        self.thread_owner(line, thread_key)?
            .ok_or_else(|| StoreError::Broken("a bound thread has no owner".to_owned()))
    }

    /// Makes a confirmed contact the one that a provisional one's threads began
    /// with.
    pub fn threads_begin_with(
        &mut self,
        provisional: &ContactId,
        confirmed: &ContactId,
    ) -> Result<(), StoreError> {
        self.execute(
            "update thread set origin = ?2, doc = json_set(doc, '$.origin', ?2)
             where origin = ?1",
            (provisional.as_str(), confirmed.as_str()),
        )?;
        Ok(())
    }
}

impl View<'_> {
    /// A thread by its name on a line.
    pub fn thread_by_key(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> Result<Option<ThreadRow>, StoreError> {
        self.doc(
            "select doc from thread where line = ?1 and thread_key = ?2",
            (line.as_str(), thread_key),
        )
    }

    /// Whom a thread was bound to; it may have no message yet.
    pub fn thread_owner(
        &self,
        line: &LineId,
        thread_key: &str,
    ) -> Result<Option<String>, StoreError> {
        self.row(
            "select owner from thread_owner where line = ?1 and thread_key = ?2",
            (line.as_str(), thread_key),
            |row| Ok(row.get(0)?),
        )
    }

    /// A thread.
    pub fn thread(&self, id: ThreadId) -> Result<Option<ThreadRow>, StoreError> {
        self.doc("select doc from thread where id = ?1", [id.get()])
    }

    /// The threads that were a contact's before any merge.
    pub fn threads_of_origin(&self, contact: &ContactId) -> Result<Vec<ThreadRow>, StoreError> {
        self.docs(
            "select doc from thread where origin = ?1 order by id",
            [contact.as_str()],
        )
    }

    /// The threads of a contact, the newest first.
    pub fn threads_of(&self, contact: &ContactId) -> Result<Vec<ThreadRow>, StoreError> {
        self.docs(
            "select doc from thread where contact = ?1 order by id desc limit 1000",
            [contact.as_str()],
        )
    }
}
