//! What stands between clients and operators: blocks, contacts not confirmed yet,
//! merge suggestions, uploads, drafts.

use domain::identity::{Identity, IdentityKey};
use domain::message::{Attachment, Sender};
use domain::{ContactId, ConversationId, LineId, OperatorId, ThreadId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{StoreError, Tx, View};

/// A blocked identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The identity.
    pub identity: Identity,
    /// Why.
    pub reason: String,
    /// Who blocked it.
    pub operator: Option<OperatorId>,
    /// When.
    pub at: Timestamp,
}

/// A contact made here, to be confirmed by the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisional {
    /// Its own id, which will redirect.
    pub contact: ContactId,
    /// The thread that brought it.
    pub thread: ThreadId,
    /// The line that brought it.
    pub line: LineId,
    /// What to ask the directory.
    pub sender: Sender,
    /// How often it was asked.
    pub attempts: u32,
}

/// Two contacts that may be one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredSuggestion {
    /// Unique in the store.
    pub id: i64,
    /// The contact it was found for.
    pub contact: ContactId,
    /// The other one.
    pub other: ContactId,
    /// Why, for a person to read.
    pub reason: String,
    /// From 0 to 1.
    pub confidence: f64,
}

/// A file that was sent up and not used yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Made at random: knowing it is the right to use it.
    pub id: String,
    /// Who sent it: only they may use it.
    pub owner: String,
    /// The file.
    pub attachment: Attachment,
}

impl Tx<'_> {
    /// Keeps an identity out.
    pub fn block(&mut self, key: &IdentityKey, block: &Block) -> Result<(), StoreError> {
        self.execute(
            "insert into block (kind, issuer, matched, at, doc) values (?1, ?2, ?3, ?4, ?5)
             on conflict (kind, issuer, matched) do update set at = excluded.at, doc = excluded.doc",
            (
                &key.kind,
                &key.issuer,
                &key.matched,
                block.at.0,
                serde_json::to_string(block)?,
            ),
        )?;
        Ok(())
    }

    /// Lets an identity in again. False when it was not blocked.
    pub fn unblock(&mut self, key: &IdentityKey) -> Result<bool, StoreError> {
        let changed = self.execute(
            "delete from block where kind = ?1 and issuer = ?2 and matched = ?3",
            (&key.kind, &key.issuer, &key.matched),
        )?;
        Ok(changed == 1)
    }

    /// Writes a provisional contact, new or asked about again.
    pub fn save_provisional(
        &mut self,
        provisional: &Provisional,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "insert into provisional (contact, next_at, attempts, doc) values (?1, ?2, ?3, ?4)
             on conflict (contact) do update set next_at = excluded.next_at,
               attempts = excluded.attempts, doc = excluded.doc",
            (
                provisional.contact.as_str(),
                next_at.0,
                provisional.attempts,
                serde_json::to_string(provisional)?,
            ),
        )?;
        self.set_deadline(Some(next_at));
        Ok(())
    }

    /// Ends a provisional contact: its id redirects from now on.
    pub fn end_provisional(&mut self, contact: &ContactId) -> Result<bool, StoreError> {
        let changed = self.execute(
            "delete from provisional where contact = ?1",
            [contact.as_str()],
        )?;
        Ok(changed == 1)
    }

    /// Makes one contact's id stand for another's.
    pub fn redirect(&mut self, from: &ContactId, to: &ContactId) -> Result<(), StoreError> {
        self.execute(
            "insert into redirect (contact, target) values (?1, ?2)
             on conflict (contact) do update set target = excluded.target",
            (from.as_str(), to.as_str()),
        )?;
        self.execute(
            "update redirect set target = ?2 where target = ?1",
            (from.as_str(), to.as_str()),
        )?;
        Ok(())
    }

    /// Makes a contact's id stand for itself again, after a merge was undone.
    pub fn unredirect(&mut self, contact: &ContactId) -> Result<(), StoreError> {
        self.execute(
            "delete from redirect where contact = ?1",
            [contact.as_str()],
        )?;
        Ok(())
    }

    /// Keeps a suggestion, unless it was made or set aside before.
    pub fn suggest(&mut self, suggestion: &StoredSuggestion) -> Result<(), StoreError> {
        self.execute(
            "insert into suggestion (id, contact, other, doc) values (?1, ?2, ?3, ?4)
             on conflict (contact, other) do nothing",
            (
                suggestion.id,
                suggestion.contact.as_str(),
                suggestion.other.as_str(),
                serde_json::to_string(suggestion)?,
            ),
        )?;
        Ok(())
    }

    /// Sets a suggestion aside. False when there is no such one.
    pub fn dismiss_suggestion(&mut self, id: i64) -> Result<bool, StoreError> {
        Ok(self.execute("update suggestion set dismissed = 1 where id = ?1", [id])? == 1)
    }

    /// Forgets the suggestions about a contact that is no more.
    pub fn forget_suggestions(&mut self, contact: &ContactId) -> Result<(), StoreError> {
        self.execute(
            "delete from suggestion where contact = ?1 or other = ?1",
            [contact.as_str()],
        )?;
        Ok(())
    }

    /// Keeps an upload until it is used.
    pub fn save_upload(&mut self, upload: &Upload) -> Result<(), StoreError> {
        self.execute(
            "insert into upload (id, owner, at, doc) values (?1, ?2, ?3, ?4)",
            (
                &upload.id,
                &upload.owner,
                self.now().0,
                serde_json::to_string(upload)?,
            ),
        )?;
        Ok(())
    }

    /// Forgets uploads from before `before` that nobody used.
    pub fn prune_uploads(&mut self, before: Timestamp) -> Result<usize, StoreError> {
        self.execute("delete from upload where at < ?1", [before.0])
    }

    /// Keeps an operator's unsent text; empty forgets it.
    pub fn save_draft(
        &mut self,
        operator: OperatorId,
        conversation: ConversationId,
        body: &str,
    ) -> Result<(), StoreError> {
        if body.is_empty() {
            self.execute(
                "delete from draft where operator = ?1 and conversation = ?2",
                (operator.get(), conversation.get()),
            )?;
        } else {
            self.execute(
                "insert into draft (operator, conversation, body) values (?1, ?2, ?3)
                 on conflict (operator, conversation) do update set body = excluded.body",
                (operator.get(), conversation.get(), body),
            )?;
        }
        Ok(())
    }
}

impl View<'_> {
    /// Whether an identity is kept out.
    pub fn is_blocked(&self, key: &IdentityKey) -> Result<bool, StoreError> {
        self.row(
            "select 1 from block where kind = ?1 and issuer = ?2 and matched = ?3",
            (&key.kind, &key.issuer, &key.matched),
            |_| Ok(()),
        )
        .map(|found| found.is_some())
    }

    /// Blocks, the newest first, by offset.
    pub fn blocks(&self, offset: i64, limit: i64) -> Result<Vec<Block>, StoreError> {
        self.docs(
            "select doc from block order by at desc, kind, issuer, matched limit ?2 offset ?1",
            (offset, limit),
        )
    }

    /// How many identities are blocked.
    pub fn block_count(&self) -> Result<i64, StoreError> {
        self.row("select count(*) from block", (), |row| Ok(row.get(0)?))
            .map(|count| count.unwrap_or(0))
    }

    /// Provisional contacts to ask about by now.
    pub fn provisional_due(
        &self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<Provisional>, StoreError> {
        self.docs(
            "select doc from provisional where next_at <= ?1 order by next_at limit ?2",
            (now.0, limit),
        )
    }

    /// One provisional contact.
    pub fn provisional(&self, contact: &ContactId) -> Result<Option<Provisional>, StoreError> {
        self.doc(
            "select doc from provisional where contact = ?1",
            [contact.as_str()],
        )
    }

    /// When to ask about a provisional contact next.
    pub fn next_provisional_deadline(&self) -> Result<Option<Timestamp>, StoreError> {
        self.row(
            "select next_at from provisional order by next_at limit 1",
            (),
            |row| Ok(Timestamp(row.get(0)?)),
        )
    }

    /// The contact that an id stands for.
    pub fn target_of(&self, contact: &ContactId) -> Result<ContactId, StoreError> {
        Ok(self
            .row(
                "select target from redirect where contact = ?1",
                [contact.as_str()],
                |row| Ok(ContactId::new(row.get::<_, String>(0)?)),
            )?
            .unwrap_or_else(|| contact.clone()))
    }

    /// Every contact that threads, merges and suggestions tell of, after an id, by id.
    pub fn contacts_heard_of(
        &self,
        after: &ContactId,
        limit: i64,
    ) -> Result<Vec<ContactId>, StoreError> {
        self.rows(
            "select contact from thread where contact > ?1
             union select origin from thread where origin > ?1
             union select contact from redirect where contact > ?1
             union select contact from suggestion where contact > ?1
             union select other from suggestion where other > ?1
             order by 1 limit ?2",
            (after.as_str(), limit),
            |row| Ok(ContactId::new(row.get::<_, String>(0)?)),
        )
    }

    /// The suggestions about a contact that nobody set aside.
    pub fn suggestions_of(&self, contact: &ContactId) -> Result<Vec<StoredSuggestion>, StoreError> {
        self.docs(
            "select doc from suggestion
             where (contact = ?1 or other = ?1) and dismissed = 0 order by id limit 20",
            [contact.as_str()],
        )
    }

    /// An upload that has not been used.
    pub fn upload(&self, id: &str) -> Result<Option<Upload>, StoreError> {
        self.doc("select doc from upload where id = ?1", [id])
    }

    /// An operator's unsent text.
    pub fn draft(
        &self,
        operator: OperatorId,
        conversation: ConversationId,
    ) -> Result<String, StoreError> {
        self.row(
            "select body from draft where operator = ?1 and conversation = ?2",
            (operator.get(), conversation.get()),
            |row| Ok(row.get(0)?),
        )
        .map(Option::unwrap_or_default)
    }
}
