//! The audit log: who did what to rights, queues, order and secrets. It only grows,
//! and each entry's hash covers the one before, so that no entry can be taken out,
//! changed, moved or added without the chain telling of it. How many there are and
//! the last hash are kept beside it: that is the seal, which a cut at the end breaks.
//!
//! There is no key in this. It would stand in the same file, or beside it, and whoever
//! can write the file as the gateway does could read it: they can make the whole chain
//! anew. What tells on them is a seal that was kept elsewhere.

use std::fmt;
use std::str::FromStr;

use domain::{OperatorId, Timestamp, text};
use rusqlite::{Connection, Row};
use sha2::{Digest as _, Sha256};

use crate::{StoreError, Tx, View};

/// The migration after which what is there is chained.
pub(crate) const CHAINED_AT: i64 = 6;

/// Where the seal is kept.
const SEAL: &str = "audit_seal";
/// Begins what is hashed, so that it can be nothing else's hash.
const DOMAIN: &[u8] = b"switchboard audit entry 1\n";
const SUBJECT_CHARS_MAX: usize = 200;
const DETAIL_CHARS_MAX: usize = 1_000;
/// What keeps the log from being changed by a mere statement.
const GUARDS: i64 = 3;

/// Whose act it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Auditor {
    /// The operator; none for programs, the command line and the gateway itself.
    pub operator: Option<OperatorId>,
    /// The token it came by, if it was one.
    pub token: Option<i64>,
}

impl From<Option<OperatorId>> for Auditor {
    fn from(operator: Option<OperatorId>) -> Self {
        Self {
            operator,
            token: None,
        }
    }
}

impl From<OperatorId> for Auditor {
    fn from(operator: OperatorId) -> Self {
        Some(operator).into()
    }
}

/// One act that changed rights, queues or order, or showed what is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who; none for programs, the command line and the gateway itself.
    pub operator: Option<OperatorId>,
    /// The token it came by, if it was one.
    pub token: Option<i64>,
    /// What.
    pub act: String,
    /// To what.
    pub subject: String,
    /// For a person to read.
    pub detail: String,
}

/// Which entries are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this operator only.
    pub operator: Option<OperatorId>,
    /// Acts that begin so: `operator.` is all that was done to operators.
    pub act: String,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// How many entries there are and the hash of the last: whoever keeps it can tell
/// later that none of these was touched. Written as `12:` and 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditSeal {
    /// How many entries.
    pub count: u64,
    /// The last one's hash; zeros when there is none.
    pub hash: [u8; 32],
}

/// What reading the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditVerdict {
    /// What the entries come to, as far as they hold together.
    pub seal: AuditSeal,
    /// What is wrong; none when nothing is.
    pub problem: Option<String>,
}

impl AuditSeal {
    const EMPTY: Self = Self {
        count: 0,
        hash: [0; 32],
    };

    fn followed_by(self, entry: &AuditEntry) -> Self {
        Self {
            count: self.count + 1,
            hash: chained(&self.hash, entry),
        }
    }
}

impl fmt::Display for AuditSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.count)?;
        self.hash
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for AuditSeal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (count, hex) = text.trim().split_once(':')?;
            if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            let mut hash = [0; 32];
            for (byte, digits) in hash.iter_mut().zip(0_usize..) {
                *byte = u8::from_str_radix(hex.get(digits * 2..digits * 2 + 2)?, 16).ok()?;
            }
            Some(Self {
                count: count.parse().ok()?,
                hash,
            })
        };
        read().ok_or_else(|| {
            "not a seal: write it as `switchboard doctor` printed it, a number, a colon and 64 \
             hex digits"
                .to_owned()
        })
    }
}

/// The hash of an entry behind another. Every part has a length, so that nothing can
/// be moved from one to the next.
fn chained(before: &[u8; 32], entry: &AuditEntry) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(DOMAIN);
    hash.update(before);
    hash.update(entry.id.to_be_bytes());
    hash.update(entry.at.0.to_be_bytes());
    for number in [entry.operator.map(OperatorId::get), entry.token] {
        match number {
            None => hash.update([0]),
            Some(number) => {
                hash.update([1]);
                hash.update(number.to_be_bytes());
            }
        }
    }
    for part in [&entry.act, &entry.subject, &entry.detail] {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hash.update(length.to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

impl Tx<'_> {
    /// Notes who did what.
    pub fn audit(
        &mut self,
        by: impl Into<Auditor>,
        act: &str,
        subject: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let Auditor { operator, token } = by.into();
        let entry = AuditEntry {
            id: self.fresh_id(),
            at: self.now(),
            operator,
            token,
            act: act.to_owned(),
            subject: text::line(subject, SUBJECT_CHARS_MAX),
            detail: text::line(detail, DETAIL_CHARS_MAX),
        };
        Ok(append(self.connection, &entry)?)
    }

    /// Notes that somebody read something, once for `within`: who pages through a list
    /// reads it once.
    pub fn audit_reading(
        &mut self,
        by: impl Into<Auditor>,
        act: &str,
        within: domain::Millis,
    ) -> Result<(), StoreError> {
        let by = by.into();
        let after = self.now() - within;
        let noted = self.row(
            "select 1 from (select at, operator, token, act from audit order by id desc limit 100)
             where at > ?1 and operator is ?2 and token is ?3 and act = ?4",
            (after.0, by.operator.map(OperatorId::get), by.token, act),
            |_| Ok(()),
        )?;
        match noted {
            Some(()) => Ok(()),
            None => self.audit(by, act, "", ""),
        }
    }
}

fn append(connection: &Connection, entry: &AuditEntry) -> rusqlite::Result<()> {
    let seal = kept_seal(connection)?.unwrap_or(AuditSeal::EMPTY);
    let seal = seal.followed_by(entry);
    connection
        .prepare_cached(
            "insert into audit (id, at, operator, token, act, subject, detail, hash)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            entry.id,
            entry.at.0,
            entry.operator.map(OperatorId::get),
            entry.token,
            &entry.act,
            &entry.subject,
            &entry.detail,
            seal.hash.as_slice(),
        ))?;
    keep_seal(connection, seal)?;
    Ok(())
}

fn keep_seal(connection: &Connection, seal: AuditSeal) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "insert into meta (key, value) values (?1, ?2)
             on conflict (key) do update set value = excluded.value",
        )?
        .execute((SEAL, seal.to_string()))
}

/// The seal as it was written with the last entry. What cannot be read is none.
fn kept_seal(connection: &Connection) -> rusqlite::Result<Option<AuditSeal>> {
    let mut statement = connection.prepare_cached("select value from meta where key = ?1")?;
    let mut rows = statement.query([SEAL])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let text = row.get_ref(0)?.as_str()?;
    Ok(text.parse().ok())
}

/// Chains what was there before there was a chain; a part of its migration.
pub(crate) fn chain(connection: &Connection) -> rusqlite::Result<()> {
    keep_seal(connection, AuditSeal::EMPTY)?;
    let mut unchained = connection.prepare(
        "select id, at, operator, null, act, subject, detail from audit_unchained order by id",
    )?;
    let mut rows = unchained.query(())?;
    while let Some(row) = rows.next()? {
        append(connection, &entry_of(row)?)?;
    }
    drop(rows);
    drop(unchained);
    connection.execute_batch("drop table audit_unchained")
}

fn entry_of(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.get(0)?,
        at: Timestamp(row.get(1)?),
        operator: row.get::<_, Option<i64>>(2)?.map(OperatorId::new),
        token: row.get(3)?,
        act: row.get(4)?,
        subject: row.get(5)?,
        detail: row.get(6)?,
    })
}

impl View<'_> {
    /// What was done, before a number, the newest first.
    pub fn audit_before(
        &self,
        before: i64,
        filter: &AuditFilter,
        limit: i64,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        self.rows(
            "select id, at, operator, token, act, subject, detail from audit
             where id < ?1
               and (?2 is null or operator = ?2)
               and substr(act, 1, length(?3)) = ?3
               and at >= ?4 and at < ?5
             order by id desc limit ?6",
            (
                before,
                filter.operator.map(OperatorId::get),
                &filter.act,
                filter.since.map_or(i64::MIN, |since| since.0),
                filter.until.map_or(i64::MAX, |until| until.0),
                limit,
            ),
            |row| Ok(entry_of(row)?),
        )
    }

    /// The seal as it was written with the last entry.
    pub fn audit_seal(&self) -> Result<Option<AuditSeal>, StoreError> {
        Ok(kept_seal(self.connection)?)
    }

    /// Reads the whole log and says whether it is as it was written: by itself, by its
    /// seal, and by a seal that somebody kept elsewhere.
    pub fn verify_audit(&self, elsewhere: Option<AuditSeal>) -> Result<AuditVerdict, StoreError> {
        let mut seal = AuditSeal::EMPTY;
        let mut problem = None;
        let mut is_met = elsewhere.is_none_or(|kept| kept == seal);
        let mut statement = self.connection.prepare_cached(
            "select id, at, operator, token, act, subject, detail, hash from audit order by id",
        )?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            // What was written by another hand may be of any type.
            let read = entry_of(row).and_then(|entry| Ok((entry, row.get::<_, Vec<u8>>(7)?)));
            let number = seal.count + 1;
            let Ok((entry, hash)) = read else {
                problem = Some(format!("entry {number} of the log cannot be read"));
                break;
            };
            let next = seal.followed_by(&entry);
            if hash != next.hash {
                problem = Some(format!(
                    "entry {number} of the log (id {}) does not follow from those before it: it \
                     was changed, or something before it was added, taken out or moved",
                    entry.id
                ));
                break;
            }
            seal = next;
            is_met |= elsewhere == Some(seal);
        }
        let problem = match problem {
            Some(problem) => Some(problem),
            None => self.seal_problem(seal)?,
        };
        let problem = problem.or_else(|| {
            let kept = elsewhere.filter(|_| !is_met)?;
            Some(if kept.count > seal.count {
                format!(
                    "the seal that was kept elsewhere has {} entries and the log only {}: it was \
                     cut, or an older backup was restored",
                    kept.count, seal.count
                )
            } else {
                format!(
                    "the log is not the one that was sealed elsewhere at entry {}: it was made \
                     anew",
                    kept.count
                )
            })
        });
        Ok(AuditVerdict { seal, problem })
    }

    /// What is wrong beside the entries.
    fn seal_problem(&self, found: AuditSeal) -> Result<Option<String>, StoreError> {
        let Some(kept) = self.audit_seal()? else {
            return Ok(Some("the log's seal is gone or unreadable".to_owned()));
        };
        if kept != found {
            return Ok(Some(format!(
                "the log has {} entries and was sealed with {}: its end was cut or added to",
                found.count, kept.count
            )));
        }
        let guards = self.row(
            "select count(*) from sqlite_schema where type = 'trigger' and tbl_name = 'audit'
               and name in ('audit_only_grows', 'audit_is_not_changed', 'audit_is_not_shortened')",
            (),
            |row| Ok(row.get::<_, i64>(0)?),
        )?;
        Ok((guards != Some(GUARDS))
            .then(|| "the triggers that keep the log from being changed are gone".to_owned()))
    }
}

/// As [`View::verify_audit`], of the store at a path, whether or not a gateway is using
/// it.
pub fn verify_audit(
    path: &std::path::Path,
    elsewhere: Option<AuditSeal>,
) -> Result<AuditVerdict, StoreError> {
    let connection = crate::open::reader(path)?;
    let transaction = connection.unchecked_transaction()?;
    View::new(&transaction).verify_audit(elsewhere)
}
