use domain::Timestamp;

use crate::{StoreError, Tx};

/// What became of an act with a client's own id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PastAct {
    /// It has not been done.
    None,
    /// It has been done, with this answer.
    Same(Vec<u8>),
    /// Something else has been done under this id.
    Different,
}

impl Tx<'_> {
    /// Looks an act up. `scope` is who acts; `fingerprint` is what they ask for.
    pub fn past_act(
        &self,
        scope: &str,
        client_id: &str,
        fingerprint: &[u8],
    ) -> Result<PastAct, StoreError> {
        let found = self.row(
            "select fingerprint, answer from act where scope = ?1 and client_id = ?2",
            (scope, client_id),
            |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)),
        )?;
        Ok(match found {
            None => PastAct::None,
            Some((known, answer)) if known == fingerprint => PastAct::Same(answer),
            Some(_) => PastAct::Different,
        })
    }

    /// Keeps an act's answer.
    pub fn keep_act(
        &mut self,
        scope: &str,
        client_id: &str,
        fingerprint: &[u8],
        answer: &[u8],
    ) -> Result<(), StoreError> {
        self.execute(
            "insert into act (scope, client_id, fingerprint, at, answer)
             values (?1, ?2, ?3, ?4, ?5)",
            (scope, client_id, fingerprint, self.now().0, answer),
        )?;
        Ok(())
    }

    /// Forgets the acts whose scope begins with this and whose answer holds these
    /// bytes.
    pub fn forget_acts(&mut self, scopes: &str, answered: &[u8]) -> Result<usize, StoreError> {
        self.execute(
            "delete from act where scope >= ?1 and substr(scope, 1, length(?1)) = ?1
               and instr(answer, ?2) > 0",
            (scopes, answered),
        )
    }

    /// Forgets acts from before `before`, a few at a time.
    pub fn prune_acts(&mut self, before: Timestamp, limit: i64) -> Result<usize, StoreError> {
        self.execute(
            "delete from act where (scope, client_id) in (
               select scope, client_id from act where at < ?1 limit ?2)",
            (before.0, limit),
        )
    }
}
