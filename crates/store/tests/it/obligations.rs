//! Pages of promises, and their timers.

use std::collections::BTreeSet;

use domain::conversation::Client;
use domain::obligation::{Input, Kind, Maker, Obligation, Stage, State, Terms};
use domain::{ContactId, Millis, ObligationId, OperatorId, QueueId, Timestamp};
use store::{ObligationKey, Standing, Store, StoreError, Whose};
use tempfile::TempDir;

use crate::open;

const NOW: Timestamp = Timestamp(1_000);
const ANNA: OperatorId = OperatorId::new(1);

/// Number, queue, whether it is Anna's, when it is due, to whom.
const PROMISES: [(i64, &str, bool, i64, &str); 6] = [
    (1, "sales", true, 900, "one"),
    (2, "sales", false, 5_000, "one"),
    (3, "returns", true, 5_000, "two"),
    (4, "returns", false, 800, "two"),
    (5, "sales", false, 700, "two"),
    (6, "sales", true, 6_000, "one"),
];

fn promise((id, queue, is_annas, due, contact): (i64, &str, bool, i64, &str)) -> Obligation {
    Obligation {
        id: ObligationId::new(id),
        kind: Kind::Callback,
        client: Client {
            contact: ContactId::from(contact),
            display_name: String::new(),
            avatar_url: None,
            address: String::new(),
            provisional: false,
            known: false,
        },
        origin: ContactId::from(contact),
        conversation: None,
        thread: None,
        line: None,
        queue: QueueId::from(queue),
        owner: is_annas.then_some(ANNA),
        note: String::new(),
        reach: String::new(),
        created_at: Timestamp(100),
        created_by: Maker::Program,
        promised_for: Timestamp(due),
        due_at: Timestamp(due),
        set_at: Timestamp(100),
        terms: Terms {
            lead: Millis(50),
            grace: Millis(150),
            limit: Millis(2_000),
        },
        state: State::Open {
            stage: Stage::Promised,
            escalated: None,
        },
        moves: Vec::new(),
        version: 1,
    }
}

async fn filled(folder: &TempDir) -> crate::Opened {
    let opened = open(&folder.path().join("store.db"));
    let write = opened.store.write::<_, StoreError>(|tx| {
        for one in PROMISES {
            tx.add_obligation(&promise(one))?;
        }
        Ok(())
    });
    write.await.unwrap();
    opened
}

/// Everything that a list holds, page by page.
async fn all(store: &Store, standing: Standing, whose: &Whose) -> Vec<i64> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let whose = whose.clone();
        let page = store.read::<_, StoreError>(move |view| {
            view.list_obligations(standing, &whose, NOW, after, 2)
        });
        let page = page.await.unwrap();
        let Some(last) = page.last() else {
            return found;
        };
        after = Some(ObligationKey {
            at: last.ended_at().unwrap_or(last.due_at),
            id: last.id.get(),
        });
        found.extend(page.iter().map(|one| one.id.get()));
    }
}

fn whose(queues: Option<&[&str]>, owner: Option<OperatorId>, contact: Option<&str>) -> Whose {
    Whose {
        queues: queues.map(|queues| queues.iter().map(|queue| QueueId::from(*queue)).collect()),
        owner,
        contact: contact.map(ContactId::from),
    }
}

#[tokio::test]
async fn they_are_listed_by_their_time_to_whom_they_concern() {
    let folder = TempDir::new().unwrap();
    let opened = filled(&folder).await;
    let store = &opened.store;
    let (everything, mine) = (whose(None, None, None), whose(Some(&[]), Some(ANNA), None));
    let sales = whose(Some(&["sales"]), Some(ANNA), None);
    let to_one = whose(Some(&["sales"]), Some(ANNA), Some("one"));
    for (standing, whose, expect) in [
        (Standing::Open, &everything, vec![5, 4, 1, 2, 3, 6]),
        (Standing::Overdue, &everything, vec![5, 4, 1]),
        (Standing::Open, &mine, vec![1, 3, 6]),
        (Standing::Overdue, &mine, vec![1]),
        (Standing::Open, &sales, vec![5, 1, 2, 3, 6]),
        (Standing::Open, &to_one, vec![1, 2, 6]),
        (Standing::Overdue, &to_one, vec![1]),
        (Standing::Ended, &everything, vec![]),
        (Standing::Escalated, &everything, vec![]),
    ] {
        let found = all(store, standing, whose).await;
        assert_eq!(found, expect, "{standing:?} {whose:?}");
    }
    let sales: BTreeSet<QueueId> = [QueueId::from("sales")].into();
    let counts = store
        .read::<_, StoreError>(move |view| view.obligation_counts(Some(&sales), Some(ANNA), NOW));
    let counts = counts.await.unwrap();
    assert_eq!((counts.mine, counts.mine_overdue), (3, 1));
    assert_eq!(
        (counts.seen, counts.seen_overdue, counts.escalated),
        (5, 2, 0)
    );
}

#[tokio::test]
async fn timers_are_rows_that_outlive_the_process() {
    let folder = TempDir::new().unwrap();
    drop(filled(&folder).await);
    let opened = open(&folder.path().join("store.db"));
    let store = &opened.store;
    let due = store
        .read::<_, StoreError>(|view| view.obligations_due(NOW, 10))
        .await
        .unwrap();
    let numbers: Vec<i64> = due.iter().map(|id| id.get()).collect();
    assert_eq!(numbers, [5, 4, 1], "the first due first");
    let fire = store.write::<_, StoreError>(move |tx| {
        for id in due {
            let before = tx.obligation(id)?.unwrap();
            let mut after = before.clone();
            let notice = after.handle(tx.now(), Input::Due).unwrap();
            tx.save_obligation(&before, &mut after, notice)?;
        }
        Ok(())
    });
    fire.await.unwrap();
    let (due, next) = store
        .read::<_, StoreError>(|view| {
            Ok((
                view.obligations_due(NOW, 10)?,
                view.next_obligation_deadline()?,
            ))
        })
        .await
        .unwrap();
    assert!(due.is_empty(), "each fires once: {due:?}");
    assert_eq!(next, Some(Timestamp(1_050)));
    let everything = whose(None, None, None);
    assert_eq!(all(store, Standing::Escalated, &everything).await, [5, 4]);

    let end = store.write::<_, StoreError>(|tx| {
        for id in [4, 5] {
            let before = tx.obligation(ObligationId::new(id))?.unwrap();
            let mut after = before.clone();
            after.handle(tx.now(), Input::Keep { by: None }).unwrap();
            tx.save_obligation(&before, &mut after, None)?;
        }
        Ok(())
    });
    end.await.unwrap();
    assert_eq!(all(store, Standing::Ended, &everything).await, [5, 4]);
    let to_one = whose(None, None, Some("one"));
    assert!(all(store, Standing::Ended, &to_one).await.is_empty());
}
