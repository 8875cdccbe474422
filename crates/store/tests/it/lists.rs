//! Pages of conversations.

use std::collections::BTreeSet;

use domain::routing::Place;
use domain::{ConversationId, QueueId, ThreadId, Timestamp};
use store::{Folder, PageKey, StoreError};
use tempfile::TempDir;

use crate::explanations::conversation;
use crate::open;

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
