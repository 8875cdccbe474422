use std::sync::Arc;

use domain::event::EventKind;
use domain::operator::Operator;
use domain::{OperatorId, Timestamp};

use crate::{StoreError, Tx, View};

impl Tx<'_> {
    /// Every operator, as of this transaction.
    pub fn operators(&self) -> impl Iterator<Item = &Arc<Operator>> {
        self.state.operators.values()
    }

    /// One operator, as of this transaction.
    pub fn operator(&self, id: OperatorId) -> Option<Arc<Operator>> {
        self.state.operators.get(&id).cloned()
    }

    /// Writes a new operator and says so.
    pub fn add_operator(
        &mut self,
        operator: &Operator,
        password_hash: &str,
    ) -> Result<(), StoreError> {
        self.execute(
            "insert into operator (id, login, deadline, password_hash, doc)
             values (?1, ?2, null, ?3, ?4)",
            (
                operator.id.get(),
                &operator.login,
                password_hash,
                serde_json::to_string(operator)?,
            ),
        )?;
        self.keep_operator(operator.clone())
    }

    /// Writes a changed operator and says so.
    pub fn save_operator(
        &mut self,
        mut operator: Operator,
        deadline: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        operator.version += 1;
        self.execute(
            "update operator set deadline = ?2, doc = ?3 where id = ?1",
            (
                operator.id.get(),
                deadline.map(|at| at.0),
                serde_json::to_string(&operator)?,
            ),
        )?;
        self.set_deadline(deadline);
        self.keep_operator(operator)
    }

    fn keep_operator(&mut self, operator: Operator) -> Result<(), StoreError> {
        let operator = Arc::new(operator);
        let before = self
            .state
            .operators
            .insert(operator.id, Arc::clone(&operator));
        self.count_operator(before.as_deref(), &operator);
        self.state.undo.push((operator.id, before));
        self.operator_on_floor(&operator);
        self.unsettle();
        self.emit(EventKind::PresenceChanged(operator))?;
        Ok(())
    }

    /// Sets a password's hash.
    pub fn set_password_hash(&mut self, id: OperatorId, hash: &str) -> Result<(), StoreError> {
        self.execute(
            "update operator set password_hash = ?2 where id = ?1",
            (id.get(), hash),
        )?;
        Ok(())
    }
}

impl View<'_> {
    /// Every operator.
    pub fn all_operators(&self) -> Result<Vec<Operator>, StoreError> {
        self.docs("select doc from operator order by id", ())
    }

    /// One operator.
    pub fn operator_row(&self, id: OperatorId) -> Result<Option<Operator>, StoreError> {
        self.doc("select doc from operator where id = ?1", [id.get()])
    }

    /// An operator and the hash of their password, by login.
    pub fn operator_by_login(&self, login: &str) -> Result<Option<(Operator, String)>, StoreError> {
        self.row(
            "select doc, password_hash from operator where login = ?1",
            [login],
            |row| Ok((crate::view::doc_of(row)?, row.get(1)?)),
        )
    }

    /// The hash of an operator's password.
    pub fn password_hash(&self, id: OperatorId) -> Result<Option<String>, StoreError> {
        self.row(
            "select password_hash from operator where id = ?1",
            [id.get()],
            |row| Ok(row.get(0)?),
        )
    }

    /// Operators whom time alone changes by now.
    pub fn operators_due(&self, now: Timestamp) -> Result<Vec<OperatorId>, StoreError> {
        self.rows(
            "select id from operator where deadline is not null and deadline <= ?1 order by id",
            [now.0],
            |row| Ok(OperatorId::new(row.get(0)?)),
        )
    }

    /// The next moment at which time alone changes an operator.
    pub fn next_operator_deadline(&self) -> Result<Option<Timestamp>, StoreError> {
        self.row(
            "select min(deadline) from operator where deadline is not null",
            (),
            |row| Ok(row.get::<_, Option<i64>>(0)?.map(Timestamp)),
        )
        .map(Option::flatten)
    }
}
