//! The built-in contact directory.

use domain::identity::{Identity, IdentityKey, MergeRecord, Profile, Trust};
use domain::{ContactId, Timestamp};
use serde::{Deserialize, Serialize};

use super::messages::fts_expression;
use crate::view::doc_of;
use crate::words::Index;
use crate::{StoreError, Tx, View};

/// A contact as the built-in directory keeps it; its identities stand in rows of
/// their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryContact {
    /// Unique in the store.
    pub id: i64,
    /// Name, language, picture, facts.
    pub profile: Profile,
    /// The line of the first message.
    pub source_line: String,
    /// That line's kind of channel.
    pub source_channel: String,
    /// A page or deep link.
    pub referral: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Rises with every change.
    pub version: i64,
    /// The contact it is part of now.
    pub merged_into: Option<i64>,
}

/// Two contacts that became one, with what it takes to undo it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// Unique in the store.
    pub id: i64,
    /// What it did.
    pub record: MergeRecord,
}

/// A change of the directory, for those who watch it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactChange {
    /// Made or changed.
    Changed(i64),
    /// Became part of another.
    Merged {
        /// The one that is no more.
        merged: i64,
        /// The one that stayed.
        into: i64,
    },
    /// Erased.
    Erased(i64),
}

impl DirectoryContact {
    /// The row that a contract's id names.
    pub fn row_of(contact: &ContactId) -> Option<i64> {
        contact.as_str().parse().ok().filter(|id| *id > 0)
    }

    /// The id in the contract.
    pub fn contact_id(&self) -> ContactId {
        ContactId::new(self.id.to_string())
    }
}

impl Tx<'_> {
    /// Writes a contact, new or changed.
    pub fn save_contact(&mut self, contact: &DirectoryContact) -> Result<(), StoreError> {
        self.execute(
            "insert into contact (id, changed, merged_into, doc) values (?1, ?2, ?3, ?4)
             on conflict (id) do update set changed = excluded.changed,
               merged_into = excluded.merged_into, doc = excluded.doc",
            (
                contact.id,
                contact.updated_at.0,
                contact.merged_into,
                serde_json::to_string(contact)?,
            ),
        )?;
        Ok(())
    }

    /// Makes a contact found by its name and addresses as they are now.
    pub fn index_contact(&mut self, contact: &DirectoryContact) -> Result<(), StoreError> {
        if contact.merged_into.is_some() {
            self.index_again(Index::Contacts, contact.id, None);
            return Ok(());
        }
        let mut words = contact.profile.display_name.clone();
        for identity in self.identities_of(contact.id)? {
            words.push('\n');
            words.push_str(&identity.value);
        }
        self.index_again(Index::Contacts, contact.id, Some(words));
        Ok(())
    }

    /// Gives a contact an identity: owned when it is asserted or proven, else
    /// claimed.
    pub fn save_identity(&mut self, identity: &Identity, contact: i64) -> Result<(), StoreError> {
        let key = identity.key();
        let owner = identity.trust > Trust::Claimed;
        self.execute(
            "insert into identity (kind, issuer, matched, owner, contact, doc)
             values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (kind, issuer, matched, contact)
               do update set owner = excluded.owner, doc = excluded.doc",
            (
                &key.kind,
                &key.issuer,
                &key.matched,
                owner,
                contact,
                serde_json::to_string(identity)?,
            ),
        )?;
        Ok(())
    }

    /// Takes every identity from a contact, to give it others.
    pub fn drop_identities(&mut self, contact: i64) -> Result<(), StoreError> {
        self.execute("delete from identity where contact = ?1", [contact])?;
        Ok(())
    }

    /// Takes an identity from a contact. False when it did not have it.
    pub fn drop_identity(&mut self, key: &IdentityKey, contact: i64) -> Result<bool, StoreError> {
        let changed = self.execute(
            "delete from identity
             where kind = ?1 and issuer = ?2 and matched = ?3 and contact = ?4",
            (&key.kind, &key.issuer, &key.matched, contact),
        )?;
        Ok(changed == 1)
    }

    /// Erases a contact, everybody who became part of it, and what merges keep of
    /// them. Answers whom it erased, the contact itself first.
    pub fn erase_contact(&mut self, contact: i64) -> Result<Vec<i64>, StoreError> {
        let erased: Vec<i64> = self.rows(
            "with recursive part (id, depth) as (
               values (?1, 0)
               union select contact.id, depth + 1 from contact
                 join part on contact.merged_into = part.id where depth < 64
             )
             select distinct id from part order by depth",
            [contact],
            |row| Ok(row.get(0)?),
        )?;
        for id in &erased {
            self.index_again(Index::Contacts, *id, None);
            self.execute("delete from identity where contact = ?1", [id])?;
            self.execute("delete from contact where id = ?1", [id])?;
            self.execute(
                "delete from merge where doc ->> '$.record.kept' = ?1
                   or doc ->> '$.record.merged' = ?1",
                [id.to_string()],
            )?;
        }
        Ok(erased)
    }

    /// Keeps a merge, or that it was undone.
    pub fn save_merge(&mut self, merge: &Merge, undone: bool) -> Result<(), StoreError> {
        self.execute(
            "insert into merge (id, undone, doc) values (?1, ?2, ?3)
             on conflict (id) do update set undone = excluded.undone",
            (merge.id, undone, serde_json::to_string(merge)?),
        )?;
        Ok(())
    }

    /// Tells those who watch the directory.
    pub fn contact_changed(&mut self, change: &ContactChange) -> Result<(), StoreError> {
        self.execute(
            "insert into contact_change (cursor, doc)
             values (coalesce((select max(cursor) from contact_change), 0) + 1, ?1)",
            [serde_json::to_string(change)?],
        )?;
        self.state.signals.directory = true;
        Ok(())
    }
}

impl View<'_> {
    /// As many rows as [`Self::contacts_with`] tells at most.
    pub const CONTACTS_WITH_MAX: usize = 20;

    /// A contact, merged or not.
    pub fn directory_contact(&self, id: i64) -> Result<Option<DirectoryContact>, StoreError> {
        self.doc("select doc from contact where id = ?1", [id])
    }

    /// Who has an identity, as owner or as claimed; the owner first, and some of many
    /// claims.
    pub fn contacts_with(&self, key: &IdentityKey) -> Result<Vec<(Identity, i64)>, StoreError> {
        // Two queries, because one that sorts has to read every claim first.
        let mut found = self.rows(
            "select doc, contact from identity
             where kind = ?1 and issuer = ?2 and matched = ?3 and owner = 1",
            (&key.kind, &key.issuer, &key.matched),
            |row| Ok((doc_of(row)?, row.get(1)?)),
        )?;
        found.extend(self.rows(
            "select doc, contact from identity
             where kind = ?1 and issuer = ?2 and matched = ?3 and owner = 0
             order by contact limit 20",
            (&key.kind, &key.issuer, &key.matched),
            |row| Ok((doc_of(row)?, row.get(1)?)),
        )?);
        found.truncate(Self::CONTACTS_WITH_MAX);
        Ok(found)
    }

    /// A contact's own identity of a key, owned or claimed.
    pub fn identity_of(
        &self,
        contact: i64,
        key: &IdentityKey,
    ) -> Result<Option<Identity>, StoreError> {
        self.doc(
            "select doc from identity
             where kind = ?1 and issuer = ?2 and matched = ?3 and contact = ?4",
            (&key.kind, &key.issuer, &key.matched, contact),
        )
    }

    /// The identities of a kind that a contact owns.
    pub fn owned_of_kind(&self, contact: i64, kind: &str) -> Result<Vec<Identity>, StoreError> {
        self.docs(
            "select doc from identity
             where contact = ?1 and kind = ?2 and owner = 1 order by issuer, matched",
            (contact, kind),
        )
    }

    /// A contact's identities, the best known first.
    pub fn identities_of(&self, contact: i64) -> Result<Vec<Identity>, StoreError> {
        let mut found: Vec<Identity> = self.docs(
            "select doc from identity where contact = ?1
             order by kind, issuer, matched",
            [contact],
        )?;
        found.sort_by_key(|identity| std::cmp::Reverse(identity.trust));
        Ok(found)
    }

    /// Contacts that are not merged, the last changed first.
    pub fn directory_contacts(
        &self,
        before: Option<(Timestamp, i64)>,
        limit: i64,
    ) -> Result<Vec<DirectoryContact>, StoreError> {
        let (at, id) = before.unwrap_or((Timestamp(i64::MAX), i64::MAX));
        self.docs(
            "select doc from contact
             where merged_into is null and (changed, id) < (?1, ?2)
             order by changed desc, id desc limit ?3",
            (at.0, id, limit),
        )
    }

    /// Contacts that are not merged, by id, after one.
    pub fn directory_contacts_after(
        &self,
        after: i64,
        limit: i64,
    ) -> Result<Vec<DirectoryContact>, StoreError> {
        self.docs(
            "select doc from contact where merged_into is null and id > ?1 order by id limit ?2",
            (after, limit),
        )
    }

    /// Contacts whose name or address holds a text, the newest first.
    pub fn find_contacts(
        &self,
        text: &str,
        before: i64,
        limit: i64,
    ) -> Result<Vec<DirectoryContact>, StoreError> {
        let text = text.trim();
        if text.chars().count() < 3 {
            // Too short for the index: the beginning of an address.
            let end = format!("{text}\u{10ffff}");
            return self.docs(
                "select contact.doc from contact
                 where id in (select contact from identity where matched >= ?1 and matched < ?2)
                   and merged_into is null and id < ?3
                 order by id desc limit ?4",
                (text, end, before, limit),
            );
        }
        let Some(expression) = fts_expression(text) else {
            return Ok(Vec::new());
        };
        self.docs(
            "select contact.doc from contact_words
             join contact on contact.id = contact_words.rowid
             where contact_words match ?1 and contact_words.rowid < ?2
               and contact.merged_into is null
             order by contact_words.rowid desc limit ?3",
            (expression.trim_end_matches(" *"), before, limit),
        )
    }

    /// A merge that was not undone.
    pub fn merge(&self, id: i64) -> Result<Option<Merge>, StoreError> {
        self.doc("select doc from merge where id = ?1 and undone = 0", [id])
    }

    /// Changes of the directory after a cursor, in order.
    pub fn contact_changes(
        &self,
        after: i64,
        limit: i64,
    ) -> Result<Vec<(i64, ContactChange)>, StoreError> {
        self.rows(
            "select doc, cursor from contact_change where cursor > ?1 order by cursor limit ?2",
            (after, limit),
            |row| Ok((row.get(1)?, doc_of(row)?)),
        )
    }

    /// The last change of the directory.
    pub fn last_contact_change(&self) -> Result<i64, StoreError> {
        self.row(
            "select coalesce(max(cursor), 0) from contact_change",
            (),
            |row| Ok(row.get(0)?),
        )
        .map(|cursor| cursor.unwrap_or(0))
    }
}
