use std::collections::BTreeSet;

use domain::event::EventKind;
use domain::{OperatorId, QueueId, Timestamp};
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::view::doc_of;
use crate::{StoreError, Tx, View};

/// The owner of what is shared: no operator has this id.
const NOBODY: i64 = 0;

/// A text that operators answer with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannedReply {
    /// Unique in the store.
    pub id: i64,
    /// Whose own it is; none when it is shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OperatorId>,
    /// What is typed to find it; unique among the shared ones and among each
    /// operator's own.
    pub shortcut: String,
    /// What lists show.
    pub title: String,
    /// The text, with its variables.
    pub text: String,
    /// The queues it is for; none is everybody.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub queues: BTreeSet<QueueId>,
    /// The same in other languages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    /// When it was last saved.
    pub changed_at: Timestamp,
    /// Who saved it last; none for a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<OperatorId>,
    /// Rises with every change.
    pub version: i64,
    /// How often it was sent; the row's own count, whatever the document says.
    #[serde(default)]
    pub uses: i64,
}

/// A canned reply in another language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// The language's tag.
    pub locale: String,
    /// The text.
    pub text: String,
}

/// Where the next page of canned replies begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepliesAfter {
    /// The last shortcut of the page before.
    pub shortcut: String,
    /// Breaks ties between a shared one and one's own.
    pub id: i64,
}

impl CannedReply {
    fn words(&self) -> String {
        let texts = self.variants.iter().map(|variant| variant.text.as_str());
        let own = [
            self.shortcut.as_str(),
            self.title.as_str(),
            self.text.as_str(),
        ];
        let all: Vec<&str> = own.into_iter().chain(texts).collect();
        all.join("\n").to_lowercase()
    }
}

impl Tx<'_> {
    /// Writes a canned reply, new or changed, and says so. False when its shortcut is
    /// another one's.
    pub fn save_canned_reply(&mut self, reply: &CannedReply) -> Result<bool, StoreError> {
        let owner = owner_of(reply.owner);
        let taken = self.row(
            "select 1 from canned_reply where owner = ?1 and shortcut = ?2 and id <> ?3",
            (owner, &reply.shortcut, reply.id),
            |_| Ok(()),
        )?;
        if taken.is_some() {
            return Ok(false);
        }
        self.execute(
            "insert into canned_reply (id, owner, shortcut, words, doc)
             values (?1, ?2, ?3, ?4, ?5)
             on conflict (id) do update set owner = excluded.owner,
               shortcut = excluded.shortcut, words = excluded.words, doc = excluded.doc",
            (
                reply.id,
                owner,
                &reply.shortcut,
                reply.words(),
                serde_json::to_string(reply)?,
            ),
        )?;
        self.tell_canned_replies(reply.owner)?;
        Ok(true)
    }

    /// Removes a canned reply and says so.
    pub fn delete_canned_reply(&mut self, reply: &CannedReply) -> Result<(), StoreError> {
        self.execute("delete from canned_reply where id = ?1", [reply.id])?;
        self.tell_canned_replies(reply.owner)
    }

    /// Says that an operator's own canned replies, or the shared ones, are not what
    /// they were.
    pub fn tell_canned_replies(&mut self, owner: Option<OperatorId>) -> Result<(), StoreError> {
        self.emit(EventKind::CannedRepliesChanged { owner })?;
        Ok(())
    }

    /// Counts one more use, if the operator may use it. `queues` are theirs; none is no
    /// bound.
    pub fn use_canned_reply(
        &mut self,
        id: i64,
        operator: OperatorId,
        queues: Option<&BTreeSet<QueueId>>,
    ) -> Result<(), StoreError> {
        let may = self.canned_reply(id)?.is_some_and(|reply| {
            let for_them = reply.queues.is_empty()
                || queues.is_none_or(|queues| !queues.is_disjoint(&reply.queues));
            match reply.owner {
                Some(owner) => owner == operator,
                None => for_them,
            }
        });
        if may {
            self.execute(
                "update canned_reply set uses = uses + 1 where id = ?1",
                [id],
            )?;
        }
        Ok(())
    }
}

impl View<'_> {
    /// One canned reply.
    pub fn canned_reply(&self, id: i64) -> Result<Option<CannedReply>, StoreError> {
        self.row(
            "select doc, uses from canned_reply where id = ?1",
            [id],
            read_reply,
        )
    }

    /// How many an operator has of their own, or how many are shared.
    pub fn canned_reply_count(&self, owner: Option<OperatorId>) -> Result<i64, StoreError> {
        self.row(
            "select count(*) from canned_reply where owner = ?1",
            [owner_of(owner)],
            |row| Ok(row.get(0)?),
        )
        .map(|count| count.unwrap_or(0))
    }

    /// Shared canned replies and an operator's own that hold every word, by shortcut.
    /// `queues` bounds the shared ones, apart from those for everybody; none is no
    /// bound. With `wanted` only those for that queue or for everybody.
    pub fn canned_replies(
        &self,
        operator: Option<OperatorId>,
        queues: Option<&BTreeSet<QueueId>>,
        wanted: Option<&QueueId>,
        words: &str,
        after: &RepliesAfter,
        limit: i64,
    ) -> Result<Vec<CannedReply>, StoreError> {
        let scope = serde_json::to_string(
            &queues.map(|queues| queues.iter().map(QueueId::as_str).collect::<Vec<_>>()),
        )?;
        let words = words.to_lowercase();
        let words = serde_json::to_string(&words.split_whitespace().collect::<Vec<_>>())?;
        self.rows(
            "select doc, uses from canned_reply
             where owner in (?1, ?2)
               and (?3 = 'null' or owner = ?1 and owner <> ?2 or doc ->> '$.queues' is null
                 or exists (select 1 from json_each(doc, '$.queues') as queue
                   where queue.value in (select value from json_each(?3))))
               and (?8 is null or doc ->> '$.queues' is null
                 or exists (select 1 from json_each(doc, '$.queues') as queue
                   where queue.value = ?8))
               and not exists (select 1 from json_each(?4) as word
                 where instr(canned_reply.words, word.value) = 0)
               and (shortcut, id) > (?5, ?6)
             order by shortcut, id limit ?7",
            (
                owner_of(operator),
                NOBODY,
                &scope,
                &words,
                &after.shortcut,
                after.id,
                limit,
                wanted.map(QueueId::as_str),
            ),
            read_reply,
        )
    }
}

fn owner_of(owner: Option<OperatorId>) -> i64 {
    owner.map_or(NOBODY, OperatorId::get)
}

fn read_reply(row: &Row<'_>) -> Result<CannedReply, StoreError> {
    let reply: CannedReply = doc_of(row)?;
    Ok(CannedReply {
        uses: row.get(1)?,
        ..reply
    })
}
