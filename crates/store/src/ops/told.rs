//! Whom the gateway itself told something.

use domain::{LineId, Timestamp};

use crate::{StoreError, Tx, View};

impl Tx<'_> {
    /// Notes that somebody is told something by the gateway itself.
    pub fn tell_now(&mut self, line: &LineId, peer: &str) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "insert into told (line, peer, at) values (?1, ?2, ?3)
             on conflict (line, peer) do update set at = excluded.at",
            (line.as_str(), peer, now.0),
        )?;
        Ok(())
    }
}

impl View<'_> {
    /// When somebody was last told something by the gateway itself.
    pub fn told_at(&self, line: &LineId, peer: &str) -> Result<Option<Timestamp>, StoreError> {
        self.row(
            "select at from told where line = ?1 and peer = ?2",
            (line.as_str(), peer),
            |row| Ok(Timestamp(row.get(0)?)),
        )
    }

    /// How many were told something on a line since then; counts to `limit`.
    pub fn told_since(
        &self,
        line: &LineId,
        since: Timestamp,
        limit: i64,
    ) -> Result<i64, StoreError> {
        let counted = self.row(
            "select count(*) from
               (select 1 from told where line = ?1 and at > ?2 limit ?3)",
            (line.as_str(), since.0, limit),
            |row| Ok(row.get(0)?),
        )?;
        Ok(counted.unwrap_or(0))
    }
}
