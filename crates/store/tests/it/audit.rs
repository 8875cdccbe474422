//! The audit log tells when somebody had their hands in it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use domain::OperatorId;
use rusqlite::{Connection, params};
use sha2::{Digest as _, Sha256};
use store::{AuditFilter, AuditSeal, StoreError, verify_audit};
use tempfile::TempDir;

use crate::open;

const ENTRIES: i64 = 60;
const TRIES: u64 = 1_000;

/// Writes a log with gaps between the ids, and closes the store.
async fn written(path: &Path) -> AuditSeal {
    let opened = open(path);
    opened
        .store
        .write::<_, StoreError>(|tx| {
            for number in 0..ENTRIES {
                let by = (number % 3 > 0).then(|| OperatorId::new(number % 7 + 1));
                let subject = format!("anna-{}", number % 5);
                tx.audit(by, "operator.change", &subject, &format!("role {number}"))?;
                for _ in 0..number % 4 {
                    tx.fresh_id();
                }
            }
            Ok(())
        })
        .await
        .unwrap();
    let verdict = opened
        .store
        .read::<_, StoreError>(|view| view.verify_audit(None))
        .await
        .unwrap();
    assert_eq!(verdict.problem, None);
    verdict.seal
}

/// Repeats itself for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        // Any generator does whose high bits are mixed well.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let mixed = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33;
        i64::try_from(mixed).unwrap() % sides
    }
}

/// The file in the hands of somebody who knows SQL and puts the triggers back.
struct Hands {
    file: Connection,
    ids: Vec<i64>,
    triggers: Vec<String>,
}

impl Hands {
    fn on(path: &Path) -> Self {
        let file = Connection::open(path).unwrap();
        // A thousand times, and nobody needs the copies afterwards.
        file.execute_batch("pragma synchronous = off; begin")
            .unwrap();
        let sql =
            "select name, sql from sqlite_schema where type = 'trigger' and tbl_name = 'audit'";
        let triggers: Vec<(String, String)> = file
            .prepare(sql)
            .unwrap()
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for (name, _) in &triggers {
            file.execute_batch(&format!("drop trigger {name}")).unwrap();
        }
        let ids = file
            .prepare("select id from audit order by id")
            .unwrap()
            .query_map((), |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        Self {
            file,
            ids,
            triggers: triggers.into_iter().map(|(_, sql)| sql).collect(),
        }
    }

    fn any(&self, dice: &mut Dice) -> i64 {
        self.ids[usize::try_from(dice.roll(ENTRIES)).unwrap()]
    }

    fn run(&self, sql: &str, parameters: impl rusqlite::Params) {
        assert!(self.file.execute(sql, parameters).unwrap() > 0, "{sql}");
    }

    /// Makes every hash anew, as whoever reads the source can.
    fn rehash(&self) -> [u8; 32] {
        let mut last = [0_u8; 32];
        let sql = "select id, at, operator, token, act, subject, detail from audit where id = ?1";
        let now: Vec<i64> = self
            .file
            .prepare("select id from audit order by id")
            .unwrap()
            .query_map((), |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for id in now {
            let hashed = |row: &rusqlite::Row<'_>| {
                let mut text = b"switchboard audit entry 1\n".to_vec();
                text.extend(last);
                text.extend(row.get::<_, i64>(0)?.to_be_bytes());
                text.extend(row.get::<_, i64>(1)?.to_be_bytes());
                for column in [2, 3] {
                    let number: Option<i64> = row.get(column)?;
                    text.push(u8::from(number.is_some()));
                    text.extend(number.iter().flat_map(|number| number.to_be_bytes()));
                }
                for column in [4, 5, 6] {
                    let part: String = row.get(column)?;
                    text.extend((part.len() as u64).to_be_bytes());
                    text.extend(part.as_bytes());
                }
                Ok(Sha256::digest(text).into())
            };
            last = self.file.query_row(sql, [id], hashed).unwrap();
            self.run(
                "update audit set hash = ?2 where id = ?1",
                params![id, last],
            );
        }
        last
    }

    fn seal(&self, count: i64, hash: [u8; 32]) {
        let mut text = format!("{count}:");
        for byte in hash {
            write!(text, "{byte:02x}").unwrap();
        }
        self.run(
            "update meta set value = ?1 where key = 'audit_seal'",
            [text],
        );
    }

    fn off(self) {
        for sql in &self.triggers {
            self.file.execute_batch(sql).unwrap();
        }
        self.file.execute_batch("commit").unwrap();
    }

    /// Does something to the log, and says what.
    fn tamper(&self, dice: &mut Dice) -> String {
        let (a, b) = loop {
            let (a, b) = (self.any(dice), self.any(dice));
            if a != b {
                break (a, b);
            }
        };
        match dice.roll(12) {
            0 => {
                self.run("delete from audit where id in (?1, ?2)", [a, b]);
                format!("deleted {a} and {b}")
            }
            1 => {
                self.run("delete from audit where id = ?1", [a]);
                format!("deleted {a}")
            }
            2 => {
                self.run("delete from audit where id >= ?1", [a]);
                format!("cut off from {a}")
            }
            3 => {
                self.run("delete from audit where id <= ?1", [a]);
                format!("cut off up to {a}")
            }
            4 => self.exchange(a, b, dice.roll(2) == 0),
            5 => self.move_letters(a),
            6 => self.forge(a, dice),
            7 => {
                self.run("update audit set detail = 'other' where id = ?1", [a]);
                self.rehash();
                format!("changed {a} and made the hashes anew")
            }
            8 => {
                self.run("delete from audit where id >= ?1", [a]);
                self.run("delete from meta where key = 'audit_seal'", ());
                format!("cut off from {a}, with the seal")
            }
            _ => self.alter(a, dice),
        }
    }

    fn exchange(&self, a: i64, b: i64, with_hashes: bool) -> String {
        // Their ids change places, or all but ids and hashes does.
        self.run("update audit set id = -1 where id = ?1", [a]);
        self.run("update audit set id = ?2 where id = ?1", [b, a]);
        self.run("update audit set id = ?1 where id = -1", [b]);
        if !with_hashes {
            let hash = |id: i64| -> Vec<u8> {
                let sql = "select hash from audit where id = ?1";
                self.file.query_row(sql, [id], |row| row.get(0)).unwrap()
            };
            let (of_a, of_b) = (hash(a), hash(b));
            self.run("update audit set hash = ?2 where id = ?1", params![a, of_b]);
            self.run("update audit set hash = ?2 where id = ?1", params![b, of_a]);
        }
        format!("exchanged {a} and {b}, hashes too: {with_hashes}")
    }

    /// The same letters in a row, but in other columns.
    fn move_letters(&self, id: i64) -> String {
        self.run(
            "update audit set act = act || substr(subject, 1, 1), subject = substr(subject, 2)
             where id = ?1",
            [id],
        );
        format!("moved a letter of {id}")
    }

    fn forge(&self, like: i64, dice: &mut Dice) -> String {
        let last = self.ids.last().unwrap();
        // Behind the last one, or in a gap between two.
        let gap = (1..*last)
            .filter(|id| !self.ids.contains(id))
            .nth(usize::try_from(dice.roll(20)).unwrap());
        let id = gap.filter(|_| dice.roll(2) == 0).unwrap_or(last + 1);
        self.run(
            "insert into audit (id, at, operator, token, act, subject, detail, hash)
             select ?2, at, operator, token, act, subject, detail, hash from audit where id = ?1",
            [like, id],
        );
        let rehashed = dice.roll(2) == 0;
        if rehashed {
            self.rehash();
        }
        format!("forged {id} after {like}, hashes made anew: {rehashed}")
    }

    fn alter(&self, id: i64, dice: &mut Dice) -> String {
        let changes = [
            "at = at + 1",
            "at = -at",
            "operator = coalesce(operator, 0) + 1",
            "operator = case when operator is null then 1 end",
            "token = 1",
            "act = act || 'd'",
            "act = ''",
            "subject = upper(subject)",
            "subject = subject || ' '",
            "detail = replace(detail, 'role', 'rôle')",
            "detail = x'00'",
            "hash = zeroblob(32)",
            "hash = x'00' || substr(hash, 2) || x'01'",
            "hash = ''",
            "id = -id",
            "id = id + 1000000",
        ];
        let change = changes[usize::try_from(dice.roll(16)).unwrap()];
        self.run(&format!("update audit set {change} where id = ?1"), [id]);
        format!("{change} of {id}")
    }
}

/// TS19.
#[tokio::test]
async fn a_thousand_ways_to_touch_the_log_are_all_seen() {
    let folder = TempDir::new().unwrap();
    let whole = folder.path().join("store.db");
    let seal = written(&whole).await;
    assert_eq!(seal.count, u64::try_from(ENTRIES).unwrap());
    let touched = folder.path().join("touched.db");
    let copy = || {
        std::fs::copy(&whole, &touched).unwrap();
    };
    copy();
    Hands::on(&touched).off();
    assert_eq!(verify_audit(&touched, None).unwrap().problem, None);

    let mut undetected = Vec::new();
    for seed in 0..TRIES {
        copy();
        let hands = Hands::on(&touched);
        let done = hands.tamper(&mut Dice(seed));
        hands.off();
        if verify_audit(&touched, None).unwrap().problem.is_none() {
            undetected.push(format!("seed {seed}: {done}"));
        }
    }
    assert_eq!(undetected, Vec::<String>::new());
}

#[tokio::test]
async fn whoever_makes_the_whole_chain_anew_is_told_on_by_a_seal_kept_elsewhere() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let kept = written(&path).await;
    let check = |kept: AuditSeal| verify_audit(&path, Some(kept)).unwrap().problem;
    assert_eq!(check(kept), None);
    assert_eq!(check(kept.to_string().parse().unwrap()), None);

    // More of the same: an earlier seal still holds.
    let opened = open(&path);
    opened
        .store
        .write::<_, StoreError>(|tx| tx.audit(None, "token.add", "crm", ""))
        .await
        .unwrap();
    drop(opened);
    assert_eq!(check(kept), None);

    let hands = Hands::on(&path);
    let cut = hands.ids[hands.ids.len() - 5];
    let untouched = std::fs::read(&path).unwrap();
    hands.run("delete from audit where id >= ?1", [cut]);
    hands.seal(ENTRIES - 4, hands.rehash());
    hands.off();
    assert_eq!(verify_audit(&path, None).unwrap().problem, None);
    let told = check(kept).unwrap();
    assert!(told.contains("was cut"), "{told}");

    std::fs::write(&path, untouched).unwrap();
    let hands = Hands::on(&path);
    let other = "update audit set subject = 'somebody else' where id = ?1";
    hands.run(other, [hands.ids[3]]);
    hands.seal(ENTRIES + 1, hands.rehash());
    hands.off();
    assert_eq!(verify_audit(&path, None).unwrap().problem, None);
    let told = check(kept).unwrap();
    assert!(told.contains("made anew"), "{told}");
}

#[tokio::test]
async fn statements_are_refused_and_missing_guards_are_told_of() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    written(&path).await;
    let file = Connection::open(&path).unwrap();
    for sql in [
        "update audit set detail = ''",
        "delete from audit",
        "insert into audit values (1, 1, null, null, 'a', 'b', 'c', zeroblob(32))",
        "insert or replace into audit select * from audit order by id limit 1",
    ] {
        let refused = file.execute(sql, ()).unwrap_err().to_string();
        assert!(refused.contains("the audit log"), "{sql}: {refused}");
    }
    assert_eq!(verify_audit(&path, None).unwrap().problem, None);
    file.execute_batch("drop trigger audit_is_not_changed")
        .unwrap();
    let told = verify_audit(&path, None).unwrap().problem.unwrap();
    assert!(told.contains("triggers"), "{told}");
}

/// A store as it was before there was a chain.
fn before_the_chain(path: &PathBuf) {
    let file = Connection::open(path).unwrap();
    for sql in [
        include_str!("../../migrations/0001_first.sql"),
        include_str!("../../migrations/0002_merged.sql"),
        include_str!("../../migrations/0003_owners.sql"),
        include_str!("../../migrations/0004_joined.sql"),
        include_str!("../../migrations/0005_rosters.sql"),
        "insert into audit values
           (7, 100, null, 'set_up', 'root', 'first admin'),
           (3, 90, null, 'token.add', 'crm', 'Admin'),
           (9, 110, 2, 'operator.add', 'anna', 'Operator')",
        "insert into meta values ('next_id', '20')",
        "pragma user_version = 5",
    ] {
        file.execute_batch(sql).unwrap();
    }
}

#[tokio::test]
async fn what_was_there_is_chained() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    before_the_chain(&path);
    let opened = open(&path);
    opened
        .store
        .write::<_, StoreError>(|tx| tx.audit(None, "token.revoke", "crm", ""))
        .await
        .unwrap();
    let (verdict, entries) = opened
        .store
        .read::<_, StoreError>(|view| {
            let entries = view.audit_before(i64::MAX, &AuditFilter::default(), 10)?;
            Ok((view.verify_audit(None)?, entries))
        })
        .await
        .unwrap();
    assert_eq!((verdict.seal.count, verdict.problem), (4, None));
    let acts: Vec<&str> = entries.iter().map(|entry| entry.act.as_str()).collect();
    assert_eq!(
        acts,
        ["token.revoke", "operator.add", "set_up", "token.add"]
    );
    assert_eq!(entries[1].operator, Some(OperatorId::new(2)));
}

#[tokio::test]
async fn an_act_that_is_undone_leaves_no_entry_and_no_gap() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let fails = opened.store.write::<(), _>(|tx| {
        tx.audit(None, "token.add", "crm", "")?;
        Err(StoreError::Broken("it was refused".to_owned()))
    });
    assert!(fails.await.is_err());
    let note = "one\r\nline \u{202e}and\u{1b}[31m no more";
    opened
        .store
        .write::<_, StoreError>(move |tx| tx.audit(None, "token.add", "crm", note))
        .await
        .unwrap();
    let (verdict, entries) = opened
        .store
        .read::<_, StoreError>(|view| {
            let entries = view.audit_before(i64::MAX, &AuditFilter::default(), 10)?;
            Ok((view.verify_audit(None)?, entries))
        })
        .await
        .unwrap();
    assert_eq!((verdict.seal.count, verdict.problem), (1, None));
    assert_eq!(entries[0].detail, "one line and[31m no more");
}

#[tokio::test]
async fn entries_are_found_by_who_what_and_when() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    written(&path).await;
    let opened = open(&path);
    opened
        .store
        .write::<_, StoreError>(|tx| tx.audit(OperatorId::new(3), "token.add", "crm", ""))
        .await
        .unwrap();
    let count = async |filter: AuditFilter| {
        let found = opened
            .store
            .read::<_, StoreError>(move |view| view.audit_before(i64::MAX, &filter, 1_000));
        found.await.unwrap().len()
    };
    let by = |act: &str, operator: Option<i64>| AuditFilter {
        act: act.to_owned(),
        operator: operator.map(OperatorId::new),
        ..AuditFilter::default()
    };
    assert_eq!(count(by("", None)).await, 61);
    assert_eq!(count(by("token.", None)).await, 1);
    assert_eq!(count(by("operator.change", None)).await, 60);
    assert_eq!(count(by("token.add", Some(3))).await, 1);
    assert_eq!(count(by("token.add", Some(4))).await, 0);
    let until = AuditFilter {
        until: Some(domain::Timestamp(1_000)),
        ..AuditFilter::default()
    };
    assert_eq!(count(until).await, 0);
}
