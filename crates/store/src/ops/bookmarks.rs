use domain::LineId;

use crate::{StoreError, Tx, View};

impl Tx<'_> {
    /// Leaves a note for a line's next connection.
    pub fn set_bookmark(
        &mut self,
        line: &LineId,
        name: &str,
        note: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "insert into bookmark (line, name, note) values (?1, ?2, ?3)
             on conflict (line, name) do update set note = excluded.note",
            (line.as_str(), name, note),
        )?;
        Ok(())
    }
}

impl View<'_> {
    /// A note that a line's connection left.
    pub fn bookmark(&self, line: &LineId, name: &str) -> Result<Option<String>, StoreError> {
        self.row(
            "select note from bookmark where line = ?1 and name = ?2",
            (line.as_str(), name),
            |row| Ok(row.get(0)?),
        )
    }
}
