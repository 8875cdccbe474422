//! What is read: pages of conversations, each of one moment.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use domain::event::Cursor;
use domain::routing::Place;
use domain::{ConversationId, QueueId, ThreadId, Timestamp};
use futures::poll;
use store::{Folder, PageKey, StoreError};
use tempfile::TempDir;

use crate::explanations::conversation;
use crate::{open, say};

/// Which conversation waits where, in the order of their places.
const WAITING: [(i64, &str); 6] = [
    (1, "sales"),
    (2, "returns"),
    (3, "returns"),
    (4, "sales"),
    (5, "others"),
    (6, "sales"),
];

#[tokio::test]
async fn the_lines_of_several_queues_are_one_list_page_by_page() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let store = &opened.store;
    let write = store.write::<_, StoreError>(|tx| {
        // Written in another order than they stand in.
        for (number, queue) in WAITING.into_iter().rev() {
            let mut waiting = conversation();
            waiting.id = ConversationId::new(number);
            waiting.thread = ThreadId::new(number);
            waiting.queue = QueueId::from(queue);
            waiting.place = Place {
                band: i32::from(number > 5),
                eligible_at: Timestamp(100 - number % 2),
                seq: number,
            };
            tx.open_conversation(&mut waiting)?;
        }
        Ok(())
    });
    write.await.unwrap();
    for (queues, expected) in [
        (None, vec![1, 3, 5, 2, 4, 6]),
        (Some(vec!["sales", "returns"]), vec![1, 3, 2, 4, 6]),
        (Some(vec!["none"]), vec![]),
    ] {
        let queues: Option<BTreeSet<QueueId>> =
            queues.map(|queues| queues.into_iter().map(QueueId::from).collect());
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let scope = queues.clone();
            let page = store.read::<_, StoreError>(move |view| {
                view.list_conversations(Folder::Waiting, scope.as_ref(), after, 2)
            });
            let page = page.await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(PageKey {
                band: last.place.band.into(),
                at: last.place.eligible_at,
                id: last.place.seq,
            });
            found.extend(page.iter().map(|conversation| conversation.id.get()));
        }
        assert_eq!(found, expected, "{queues:?}");
    }
}

#[tokio::test]
async fn a_read_that_nobody_waits_for_any_more_keeps_its_connection() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let store = &opened.store;
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    for _ in 0..16 {
        let released = Arc::clone(&released);
        let slow = store.read::<(), StoreError>(move |_| {
            let _ = released.lock().unwrap().recv();
            Ok(())
        });
        // As many of them begin as there are connections; all are given up.
        assert!(poll!(Box::pin(slow)).is_pending());
    }
    let (read, ()) = tokio::join!(
        store.read::<_, StoreError>(|view| view.last_cursor()),
        async { drop(release) }
    );
    assert_eq!(read.unwrap(), Cursor(0));
}

#[tokio::test]
async fn what_is_read_together_is_of_one_moment() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let store = Arc::clone(&opened.store);
    say(&store).await.unwrap();
    let (begun, begins) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let read = store.read::<_, StoreError>(move |view| {
        let before = view.last_cursor()?;
        let _ = begun.send(());
        let _ = released.recv();
        Ok((before, view.last_cursor()?))
    });
    let write = async {
        begins.await.unwrap();
        say(&store).await.unwrap();
        drop(release);
    };
    let (read, ()) = tokio::join!(read, write);
    assert_eq!(read.unwrap(), (Cursor(1), Cursor(1)));
}
