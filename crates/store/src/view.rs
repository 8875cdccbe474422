use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

use crate::StoreError;

/// A consistent picture of the store, for reading. The queries stand in `ops`.
pub struct View<'a> {
    pub(crate) connection: &'a Connection,
}

impl<'a> View<'a> {
    pub(crate) fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// Every document that a query finds.
    pub(crate) fn docs<T: DeserializeOwned>(
        &self,
        sql: &'static str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<T>, StoreError> {
        self.rows(sql, params, doc_of)
    }

    /// The document that a query finds, if there is one.
    pub(crate) fn doc<T: DeserializeOwned>(
        &self,
        sql: &'static str,
        params: impl rusqlite::Params,
    ) -> Result<Option<T>, StoreError> {
        self.row(sql, params, doc_of)
    }

    /// Every row that a query finds.
    pub(crate) fn rows<T>(
        &self,
        sql: &'static str,
        params: impl rusqlite::Params,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// The first row that a query finds.
    pub(crate) fn row<T>(
        &self,
        sql: &'static str,
        params: impl rusqlite::Params,
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }
}

/// Reads a row whose first column is a document.
pub(crate) fn doc_of<T: DeserializeOwned>(row: &Row<'_>) -> Result<T, StoreError> {
    let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(serde_json::from_str(text)?)
}
