use std::collections::BTreeSet;
use std::sync::Arc;

use domain::event::EventKind;
use domain::obligation::{Notice, Obligation};
use domain::{ContactId, ObligationId, OperatorId, QueueId, ThreadId, Timestamp};
use serde_json::Value;

use crate::{StoreError, Tx, View};

/// Which promises a list shows, apart from whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// To be done, the first due first.
    Open,
    /// To be done and their time has passed, the first due first.
    Overdue,
    /// To be done, and the supervisors see to them; the first due first.
    Escalated,
    /// Ended, the last one first.
    Ended,
}

/// Whose promises a list shows: those of these queues and those of the owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// These queues; none is every queue.
    pub queues: Option<BTreeSet<QueueId>>,
    /// And what this operator owns.
    pub owner: Option<OperatorId>,
    /// Only this contact's.
    pub contact: Option<ContactId>,
}

/// Where the next page of promises begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObligationKey {
    /// When it is due, or ended.
    pub at: Timestamp,
    /// Breaks ties.
    pub id: i64,
}

/// How many open promises there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObligationCounts {
    /// The asker's own.
    pub mine: i64,
    /// Of these, overdue.
    pub mine_overdue: i64,
    /// All that the asker sees.
    pub seen: i64,
    /// Of these, overdue.
    pub seen_overdue: i64,
    /// Of these, the supervisors'.
    pub escalated: i64,
}

fn state_name(obligation: &Obligation) -> &'static str {
    obligation
        .outcome()
        .map_or("open", domain::obligation::Outcome::name)
}

impl Tx<'_> {
    /// Writes a new promise and says so.
    pub fn add_obligation(&mut self, obligation: &Obligation) -> Result<(), StoreError> {
        self.execute(
            "insert into obligation
               (id, contact, origin, thread, queue, owner, state, escalated, due_at, ended_at,
                deadline, doc)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            (
                obligation.id.get(),
                obligation.client.contact.as_str(),
                obligation.origin.as_str(),
                obligation.thread.map(ThreadId::get),
                obligation.queue.as_str(),
                obligation.owner.map(OperatorId::get),
                state_name(obligation),
                obligation.escalated().is_some(),
                obligation.due_at.0,
                obligation.ended_at().map(|at| at.0),
                obligation.next_deadline().map(|at| at.0),
                serde_json::to_string(obligation)?,
            ),
        )?;
        self.set_deadline(obligation.next_deadline());
        self.emit(EventKind::ObligationChanged {
            obligation: Arc::new(obligation.clone()),
            audience: None,
        })?;
        Ok(())
    }

    /// Writes a changed promise and says so, with what somebody is to be told because
    /// time has passed. `before` is how it was read.
    pub fn save_obligation(
        &mut self,
        before: &Obligation,
        obligation: &mut Obligation,
        notice: Option<Notice>,
    ) -> Result<(), StoreError> {
        obligation.version = before.version + 1;
        let changed = self.execute(
            "update obligation set contact = ?2, origin = ?3, queue = ?4, owner = ?5, state = ?6,
               escalated = ?7, due_at = ?8, ended_at = ?9, deadline = ?10, doc = ?11
             where id = ?1",
            (
                obligation.id.get(),
                obligation.client.contact.as_str(),
                obligation.origin.as_str(),
                obligation.queue.as_str(),
                obligation.owner.map(OperatorId::get),
                state_name(obligation),
                obligation.escalated().is_some(),
                obligation.due_at.0,
                obligation.ended_at().map(|at| at.0),
                obligation.next_deadline().map(|at| at.0),
                serde_json::to_string(obligation)?,
            ),
        )?;
        if changed != 1 {
            return Err(StoreError::Broken(format!(
                "obligation {} is not there to be changed",
                obligation.id
            )));
        }
        self.set_deadline(obligation.next_deadline());
        let saw = before.audience();
        let audience = (saw != obligation.audience()).then_some(saw);
        let obligation = Arc::new(obligation.clone());
        // One event a change: either somebody is told, or it has merely changed. Who sees
        // it no more has to hear of it once more.
        if let Some(notice) = notice {
            self.emit(EventKind::ObligationDue {
                obligation: Arc::clone(&obligation),
                notice,
            })?;
        }
        if notice.is_none() || audience.is_some() {
            self.emit(EventKind::ObligationChanged {
                obligation,
                audience,
            })?;
        }
        Ok(())
    }

    /// Makes a contact's ended promises another's, as after a merge. It is no event: how
    /// they ended was told.
    pub fn ended_obligations_to_contact(
        &mut self,
        from: &ContactId,
        to: &ContactId,
    ) -> Result<(), StoreError> {
        self.execute(
            "update obligation set contact = ?2, doc = json_set(doc, '$.client.contact', ?2)
             where contact = ?1 and state <> 'open'",
            (from.as_str(), to.as_str()),
        )?;
        Ok(())
    }

    /// Gives a contact the ended promises again that were its own before a merge.
    pub fn ended_obligations_return(&mut self, to: &ContactId) -> Result<(), StoreError> {
        self.execute(
            "update obligation set contact = ?1, doc = json_set(doc, '$.client.contact', ?1)
             where origin = ?1 and state <> 'open'",
            [to.as_str()],
        )?;
        Ok(())
    }

    /// Forgets whom a contact's ended promises were made to. It is no event: how they
    /// ended was told.
    pub fn ended_obligations_forget(&mut self, contact: &ContactId) -> Result<(), StoreError> {
        self.execute(
            "update obligation set doc = json_remove(
               json_set(doc, '$.client.display_name', '', '$.client.avatar_url', null,
                 '$.client.address', ''),
               '$.reach')
             where contact = ?1 and state <> 'open'",
            [contact.as_str()],
        )?;
        Ok(())
    }

    /// Makes a confirmed contact the one that a provisional one's promises began with.
    pub fn obligations_begin_with(
        &mut self,
        provisional: &ContactId,
        confirmed: &ContactId,
    ) -> Result<(), StoreError> {
        self.execute(
            "update obligation set origin = ?2, doc = json_set(doc, '$.origin', ?2)
             where origin = ?1",
            (provisional.as_str(), confirmed.as_str()),
        )?;
        Ok(())
    }
}

impl View<'_> {
    /// One promise.
    pub fn obligation(&self, id: ObligationId) -> Result<Option<Obligation>, StoreError> {
        self.doc("select doc from obligation where id = ?1", [id.get()])
    }

    /// Promises that time alone changes by now.
    pub fn obligations_due(
        &self,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<ObligationId>, StoreError> {
        self.rows(
            "select id from obligation where deadline is not null and deadline <= ?1
             order by deadline limit ?2",
            (now.0, limit),
            |row| Ok(ObligationId::new(row.get(0)?)),
        )
    }

    /// The next moment at which time alone changes a promise.
    pub fn next_obligation_deadline(&self) -> Result<Option<Timestamp>, StoreError> {
        self.row(
            "select deadline from obligation where deadline is not null order by deadline limit 1",
            (),
            |row| Ok(Timestamp(row.get(0)?)),
        )
    }

    /// The open promises to a contact, the oldest first.
    pub fn open_obligations_to(&self, contact: &ContactId) -> Result<Vec<Obligation>, StoreError> {
        self.docs(
            "select doc from obligation where contact = ?1 and state = 'open' order by id
             limit 1000",
            [contact.as_str()],
        )
    }

    /// The open promises of an owner, the first due first.
    pub fn open_obligations_of(&self, owner: OperatorId) -> Result<Vec<Obligation>, StoreError> {
        self.docs(
            "select doc from obligation where owner = ?1 and state = 'open'
             order by due_at, id limit 10000",
            [owner.get()],
        )
    }

    /// The open promises that were a contact's before any merge.
    pub fn open_obligations_of_origin(
        &self,
        contact: &ContactId,
    ) -> Result<Vec<Obligation>, StoreError> {
        self.docs(
            "select doc from obligation where origin = ?1 and state = 'open' order by id
             limit 1000",
            [contact.as_str()],
        )
    }

    /// A page of promises.
    pub fn list_obligations(
        &self,
        standing: Standing,
        whose: &Whose,
        now: Timestamp,
        after: Option<ObligationKey>,
        limit: i64,
    ) -> Result<Vec<Obligation>, StoreError> {
        if let Some(contact) = &whose.contact {
            return self.obligations_to(contact, standing, whose, now, after, limit);
        }
        let (queues, owner) = whose.bounds()?;
        let (escalated, before) = match standing {
            Standing::Open => (false, i64::MAX),
            Standing::Escalated => (true, i64::MAX),
            Standing::Overdue => (false, now.0),
            Standing::Ended => return self.ended_obligations(whose, after, limit),
        };
        let after = after.unwrap_or(FIRST);
        self.docs(
            "select doc from obligation
             where state = 'open' and due_at < ?5 and (?6 = 0 or escalated = 1)
               and (?1 = 'null' or queue in (select value from json_each(?1)) or owner = ?2)
               and (due_at, id) > (?3, ?4)
             order by due_at, id limit ?7",
            (
                queues, owner, after.at.0, after.id, before, escalated, limit,
            ),
        )
    }

    fn ended_obligations(
        &self,
        whose: &Whose,
        after: Option<ObligationKey>,
        limit: i64,
    ) -> Result<Vec<Obligation>, StoreError> {
        let (queues, owner) = whose.bounds()?;
        let after = after.unwrap_or(LAST);
        self.docs(
            "select doc from obligation
             where state <> 'open'
               and (?1 = 'null' or queue in (select value from json_each(?1)) or owner = ?2)
               and (ended_at, id) < (?3, ?4)
             order by ended_at desc, id desc limit ?5",
            (queues, owner, after.at.0, after.id, limit),
        )
    }

    /// A page of the promises to one contact, of whom there are few.
    fn obligations_to(
        &self,
        contact: &ContactId,
        standing: Standing,
        whose: &Whose,
        now: Timestamp,
        after: Option<ObligationKey>,
        limit: i64,
    ) -> Result<Vec<Obligation>, StoreError> {
        let (queues, owner) = whose.bounds()?;
        if standing == Standing::Ended {
            let after = after.unwrap_or(LAST);
            return self.docs(
                "select doc from obligation
                 where contact = ?6 and ended_at is not null
                   and (?1 = 'null' or queue in (select value from json_each(?1)) or owner = ?2)
                   and (ended_at, id) < (?3, ?4)
                 order by ended_at desc, id desc limit ?5",
                (queues, owner, after.at.0, after.id, limit, contact.as_str()),
            );
        }
        let after = after.unwrap_or(FIRST);
        let before = if standing == Standing::Overdue {
            now.0
        } else {
            i64::MAX
        };
        self.docs(
            "select doc from obligation
             where contact = ?7 and ended_at is null and due_at < ?5
               and (?6 = 0 or escalated = 1)
               and (?1 = 'null' or queue in (select value from json_each(?1)) or owner = ?2)
               and (due_at, id) > (?3, ?4)
             order by due_at, id limit ?8",
            (
                queues,
                owner,
                after.at.0,
                after.id,
                before,
                standing == Standing::Escalated,
                contact.as_str(),
                limit,
            ),
        )
    }

    /// How many open promises there are of these queues and of this operator.
    pub fn obligation_counts(
        &self,
        queues: Option<&BTreeSet<QueueId>>,
        me: Option<OperatorId>,
        now: Timestamp,
    ) -> Result<ObligationCounts, StoreError> {
        self.row(
            "select coalesce(sum(owner is ?2 and ?2 is not null), 0),
                    coalesce(sum(owner is ?2 and ?2 is not null and due_at < ?3), 0),
                    count(*),
                    coalesce(sum(due_at < ?3), 0),
                    coalesce(sum(escalated), 0)
             from obligation
             where state = 'open'
               and (?1 = 'null' or queue in (select value from json_each(?1)) or owner = ?2)",
            (names(queues)?, me.map(OperatorId::get), now.0),
            |row| {
                Ok(ObligationCounts {
                    mine: row.get(0)?,
                    mine_overdue: row.get(1)?,
                    seen: row.get(2)?,
                    seen_overdue: row.get(3)?,
                    escalated: row.get(4)?,
                })
            },
        )
        .map(Option::unwrap_or_default)
    }
}

impl Whose {
    /// As parameters.
    fn bounds(&self) -> Result<(String, Option<i64>), StoreError> {
        let owner = self.owner.map(OperatorId::get);
        Ok((names(self.queues.as_ref())?, owner))
    }
}

/// Queues as a parameter; `null` is every queue.
fn names(queues: Option<&BTreeSet<QueueId>>) -> Result<String, StoreError> {
    let names = queues.map(|queues| {
        let names = queues.iter().map(|queue| Value::from(queue.as_str()));
        names.collect::<Vec<_>>()
    });
    Ok(serde_json::to_string(&names)?)
}

const FIRST: ObligationKey = ObligationKey {
    at: Timestamp(i64::MIN),
    id: i64::MIN,
};

const LAST: ObligationKey = ObligationKey {
    at: Timestamp(i64::MAX),
    id: i64::MAX,
};
