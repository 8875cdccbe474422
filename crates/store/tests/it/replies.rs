//! Canned replies: who finds which, by which words, page by page.

use std::collections::BTreeSet;

use domain::{OperatorId, QueueId, Timestamp};
use store::{CannedReply, RepliesAfter, StoreError, Variant};
use tempfile::TempDir;

use super::{Opened, open};

fn reply(id: i64, owner: Option<i64>, shortcut: &str, queues: &[&str]) -> CannedReply {
    CannedReply {
        id,
        owner: owner.map(OperatorId::new),
        shortcut: shortcut.to_owned(),
        title: format!("Title of {shortcut}"),
        text: "Добрый День".to_owned(),
        queues: queues.iter().map(|queue| QueueId::from(*queue)).collect(),
        variants: vec![Variant {
            locale: "en".to_owned(),
            text: "Good morning".to_owned(),
        }],
        changed_at: Timestamp(1),
        changed_by: None,
        version: 1,
        uses: 0,
    }
}

#[tokio::test]
async fn each_finds_what_is_for_them() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let saved = opened
        .store
        .write::<_, StoreError>(|tx| {
            for one in [
                reply(1, None, "all", &[]),
                reply(2, None, "main", &["main"]),
                reply(3, None, "other", &["other"]),
                reply(4, Some(7), "own", &["other"]),
                reply(5, Some(8), "own", &[]),
            ] {
                assert!(tx.save_canned_reply(&one)?);
            }
            // Taken within its scope, also for one that is changed.
            assert!(!tx.save_canned_reply(&reply(6, None, "all", &[]))?);
            assert!(!tx.save_canned_reply(&reply(2, None, "all", &[]))?);
            assert!(!tx.save_canned_reply(&reply(6, Some(7), "own", &[]))?);
            Ok(())
        })
        .await;
    saved.unwrap();

    let main: BTreeSet<QueueId> = ["main".into()].into();
    let cases: [(
        Option<i64>,
        Option<&BTreeSet<QueueId>>,
        Option<&str>,
        &str,
        &[i64],
    ); 10] = [
        (None, None, None, "", &[1, 2, 3]),
        (Some(7), None, None, "", &[1, 2, 3, 4]),
        (Some(7), Some(&main), None, "", &[1, 2, 4]),
        (Some(8), Some(&main), None, "", &[1, 2, 5]),
        (Some(7), Some(&main), Some("main"), "", &[1, 2]),
        (Some(7), Some(&main), Some("other"), "", &[1, 4]),
        (Some(7), None, None, "ДОБРЫЙ main", &[2]),
        (Some(7), None, None, "morning", &[1, 2, 3, 4]),
        (Some(7), None, None, "100% _", &[]),
        (Some(9), Some(&BTreeSet::new()), None, "", &[1]),
    ];
    for (operator, queues, wanted, words, expected) in cases {
        let asked = Asked {
            operator: operator.map(OperatorId::new),
            queues: queues.cloned(),
            wanted: wanted.map(QueueId::from),
            words: words.to_owned(),
        };
        let found = asked.every_page(&opened).await;
        assert_eq!(found, expected, "{asked:?}");
    }
}

#[derive(Clone, Debug)]
struct Asked {
    operator: Option<OperatorId>,
    queues: Option<BTreeSet<QueueId>>,
    wanted: Option<QueueId>,
    words: String,
}

impl Asked {
    /// What all pages of two find, by id.
    async fn every_page(&self, opened: &Opened) -> Vec<i64> {
        let (mut found, mut after) = (Vec::new(), RepliesAfter::default());
        loop {
            let (asked, from) = (self.clone(), after.clone());
            let read = opened.store.read::<_, StoreError>(move |view| {
                let queues = asked.queues.as_ref();
                let wanted = asked.wanted.as_ref();
                view.canned_replies(asked.operator, queues, wanted, &asked.words, &from, 2)
            });
            let page = read.await.unwrap();
            let Some(last) = page.last() else {
                return found;
            };
            after = RepliesAfter {
                shortcut: last.shortcut.clone(),
                id: last.id,
            };
            found.extend(page.into_iter().map(|one| one.id));
        }
    }
}

#[tokio::test]
async fn a_use_counts_for_whom_it_is_for_and_survives_a_change() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let uses = opened
        .store
        .write::<_, StoreError>(|tx| {
            tx.save_canned_reply(&reply(1, None, "main", &["main"]))?;
            tx.save_canned_reply(&reply(2, Some(7), "own", &[]))?;
            let main: BTreeSet<QueueId> = ["main".into()].into();
            let other: BTreeSet<QueueId> = ["other".into()].into();
            let (seven, eight) = (OperatorId::new(7), OperatorId::new(8));
            tx.use_canned_reply(1, seven, Some(&main))?;
            tx.use_canned_reply(1, seven, None)?;
            tx.use_canned_reply(1, seven, Some(&other))?;
            tx.use_canned_reply(2, seven, Some(&other))?;
            tx.use_canned_reply(2, eight, None)?;
            tx.use_canned_reply(3, seven, None)?;
            let mut changed = reply(1, None, "renamed", &[]);
            changed.version = 2;
            tx.save_canned_reply(&changed)?;
            let uses = |id| Ok::<_, StoreError>(tx.canned_reply(id)?.map(|one| one.uses));
            Ok((uses(1)?, uses(2)?, uses(3)?))
        })
        .await
        .unwrap();
    assert_eq!(uses, (Some(2), Some(1), None));
}
