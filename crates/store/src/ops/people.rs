use domain::operator::Role;
use domain::{LineId, OperatorId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::view::doc_of;
use crate::{StoreError, Tx, View};

/// A signed-in browser or program. The token itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Unique in the store.
    pub id: i64,
    /// Who.
    pub operator: OperatorId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to a minute.
    pub last_used_at: Timestamp,
    /// The browser or program, as it named itself.
    pub user_agent: String,
}

/// A program's key. The secret itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Unique in the store.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// Rights.
    pub role: Role,
    /// Whom it acts as.
    pub operator: Option<OperatorId>,
    /// Lines it may bridge.
    pub bridge_lines: Vec<LineId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}

impl Tx<'_> {
    /// Writes a session, new or used again.
    pub fn save_session(&mut self, session: &Session, token_hash: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "insert into session (id, token_hash, operator, doc) values (?1, ?2, ?3, ?4)
             on conflict (id) do update set doc = excluded.doc",
            (
                session.id,
                token_hash,
                session.operator.get(),
                serde_json::to_string(session)?,
            ),
        )?;
        Ok(())
    }

    /// Ends a session. False when there is no such one.
    pub fn end_session(&mut self, id: i64) -> Result<bool, StoreError> {
        Ok(self.execute("delete from session where id = ?1", [id])? == 1)
    }

    /// Ends an operator's sessions but one.
    pub fn end_sessions_of(
        &mut self,
        operator: OperatorId,
        but: Option<i64>,
    ) -> Result<usize, StoreError> {
        self.execute(
            "delete from session where operator = ?1 and id is not ?2",
            (operator.get(), but),
        )
    }

    /// Writes a token, new or ended.
    pub fn save_token(&mut self, token: &ApiToken, token_hash: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "insert into token (id, token_hash, operator, doc) values (?1, ?2, ?3, ?4)
             on conflict (id) do update set doc = excluded.doc",
            (
                token.id,
                token_hash,
                token.operator.map(OperatorId::get),
                serde_json::to_string(token)?,
            ),
        )?;
        Ok(())
    }

    /// Ends a token. False when there is no such one or it had ended.
    pub fn revoke_token(&mut self, id: i64) -> Result<bool, StoreError> {
        let now = self.now().0;
        let changed = self.execute(
            "update token set doc = json_set(doc, '$.revoked_at', ?2)
             where id = ?1 and json_extract(doc, '$.revoked_at') is null",
            (id, now),
        )?;
        Ok(changed == 1)
    }

    /// Keeps a fact about the store itself.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        self.execute(
            "insert into meta (key, value) values (?1, ?2)
             on conflict (key) do update set value = excluded.value",
            (key, value),
        )?;
        Ok(())
    }

    /// Forgets a fact about the store itself.
    pub fn unset_meta(&mut self, key: &str) -> Result<(), StoreError> {
        self.execute("delete from meta where key = ?1", [key])?;
        Ok(())
    }
}

impl View<'_> {
    /// The session of a token.
    pub fn session_by_hash(&self, token_hash: &[u8]) -> Result<Option<Session>, StoreError> {
        self.doc(
            "select doc from session where token_hash = ?1",
            [token_hash],
        )
    }

    /// A session.
    pub fn session(&self, id: i64) -> Result<Option<Session>, StoreError> {
        self.doc("select doc from session where id = ?1", [id])
    }

    /// An operator's sessions, the newest first.
    pub fn sessions_of(&self, operator: OperatorId) -> Result<Vec<Session>, StoreError> {
        self.docs(
            "select doc from session where operator = ?1 order by id desc limit 1000",
            [operator.get()],
        )
    }

    /// A token by its secret's hash.
    pub fn token_by_hash(&self, token_hash: &[u8]) -> Result<Option<ApiToken>, StoreError> {
        self.doc("select doc from token where token_hash = ?1", [token_hash])
    }

    /// Every token, the newest first.
    pub fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        self.docs("select doc from token order by id desc limit 10000", ())
    }

    /// A fact about the store itself.
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.row("select value from meta where key = ?1", [key], |row| {
            Ok(row.get(0)?)
        })
    }

    /// The newest session that any operator has, to tell a first start.
    pub fn has_operators(&self) -> Result<bool, StoreError> {
        self.row("select 1 from operator limit 1", (), |_| Ok(()))
            .map(|found| found.is_some())
    }

    /// A token by its id.
    pub fn token(&self, id: i64) -> Result<Option<ApiToken>, StoreError> {
        self.row("select doc from token where id = ?1", [id], doc_of)
    }
}
