//! What is thought of conversations: kept once each, told of, and listed.

use std::sync::{Arc, Mutex};

use domain::conversation::{CloseReason, State};
use domain::event::EventKind;
use domain::message::{Sender, Thread};
use domain::rating::{Rating, Review, Score};
use domain::{ContactId, ConversationId, OperatorId, QueueId, ThreadId, Timestamp};
use store::{Durability, Hooks, RatingFilter, Store, StoreError, ThreadRow};
use tempfile::TempDir;

use crate::explanations::conversation;
use crate::open;

fn rating(number: i64, queue: &str, operator: i64, score: u8) -> Rating {
    Rating {
        conversation: ConversationId::new(number),
        operator: OperatorId::new(operator),
        line: "site".into(),
        channel: "chat".to_owned(),
        queue: queue.into(),
        contact: ContactId::from("c"),
        score: Score::try_from(score).unwrap(),
        comment: String::new(),
        at: Timestamp(1_000),
        changed_at: None,
    }
}

async fn save(store: &Store, rating: Rating) {
    let audience = conversation().audience();
    store
        .write::<_, StoreError>(move |tx| tx.save_rating(rating, audience))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_conversation_has_one_rating_and_says_what_it_replaces() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let store = &opened.store;
    save(store, rating(1, "main", 1, 5)).await;
    let changed = Rating {
        changed_at: Some(Timestamp(2_000)),
        ..rating(1, "main", 1, 2)
    };
    save(store, changed.clone()).await;
    let (kept, events) = store
        .read::<_, StoreError>(|view| {
            let kept = view.rating_of(ConversationId::new(1))?;
            Ok((kept, view.events_after(domain::event::Cursor(0), 10)?))
        })
        .await
        .unwrap();
    assert_eq!(kept, Some(changed));
    let told: Vec<_> = events
        .unwrap()
        .iter()
        .filter_map(|event| {
            let EventKind::Rated {
                rating, previous, ..
            } = &event.kind
            else {
                return None;
            };
            Some((rating.score.get(), previous.map(Score::get)))
        })
        .collect();
    assert_eq!(told, [(5, None), (2, Some(5))]);
}

#[tokio::test]
async fn a_score_takes_the_place_of_the_one_before() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let review = |score: u8, at: i64| Review {
        conversation: ConversationId::new(1),
        operator: OperatorId::new(1),
        line: "site".into(),
        channel: "chat".to_owned(),
        queue: "main".into(),
        by: Some(OperatorId::new(2)),
        score: Score::try_from(score).unwrap(),
        comment: "why".to_owned(),
        at: Timestamp(at),
    };
    for (score, at) in [(5, 1), (3, 2)] {
        let given = review(score, at);
        let write = opened
            .store
            .write::<_, StoreError>(|tx| tx.save_review(given));
        write.await.unwrap();
    }
    let kept = opened
        .store
        .read::<_, StoreError>(|view| view.review_of(ConversationId::new(1)))
        .await
        .unwrap();
    assert_eq!(kept, Some(review(3, 2)));
}

#[tokio::test]
async fn ratings_are_listed_the_newest_first() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let store = &opened.store;
    for (number, queue, operator, score) in [
        (1, "main", 1, 5),
        (2, "other", 1, 1),
        (3, "main", 2, 3),
        (4, "main", 1, 2),
    ] {
        save(store, rating(number, queue, operator, score)).await;
    }
    for (queue, operator, score_max, expected) in [
        (None, None, None, vec![4, 3, 2, 1]),
        (Some("main"), None, None, vec![4, 3, 1]),
        (None, Some(1), None, vec![4, 2, 1]),
        (Some("main"), Some(1), None, vec![4, 1]),
        (None, None, Some(2), vec![4, 2]),
        (Some("main"), None, Some(3), vec![4, 3]),
        (None, Some(1), Some(1), vec![2]),
        (Some("none"), None, None, vec![]),
    ] {
        let filter = RatingFilter {
            queue: queue.map(QueueId::from),
            operator: operator.map(OperatorId::new),
            score_max,
            ..RatingFilter::default()
        };
        let (mut found, mut before) = (Vec::new(), i64::MAX);
        loop {
            let asked = filter.clone();
            let page = store
                .read::<_, StoreError>(move |view| view.list_ratings(&asked, before, 2))
                .await
                .unwrap();
            let Some((last, _)) = page.last() else { break };
            before = *last;
            found.extend(
                page.into_iter()
                    .map(|(_, rating)| rating.conversation.get()),
            );
        }
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn ratings_go_with_their_contact() {
    let folder = TempDir::new().unwrap();
    let opened = open(&folder.path().join("store.db"));
    let store = &opened.store;
    let write = store.write::<_, StoreError>(|tx| {
        let mut first = conversation();
        first.id = ConversationId::new(1);
        first.thread = ThreadId::new(11);
        tx.open_conversation(&mut first)
    });
    write.await.unwrap();
    save(store, rating(1, "main", 1, 5)).await;
    save(store, rating(2, "main", 1, 5)).await;
    let contacts = || async {
        let read = store.read::<_, StoreError>(|view| {
            let all = view.list_ratings(&RatingFilter::default(), i64::MAX, 10)?;
            Ok(all
                .into_iter()
                .map(|(_, rating)| rating.contact.to_string())
                .collect::<Vec<_>>())
        });
        read.await.unwrap()
    };
    let merge = store.write::<_, StoreError>(|tx| {
        tx.conversations_to_contact(&ContactId::from("c"), &ContactId::from("d"))
    });
    merge.await.unwrap();
    assert_eq!(contacts().await, ["d", "d"]);
    let apart = store.write::<_, StoreError>(|tx| {
        tx.thread_to_contact(ThreadId::new(11), &ContactId::from("e"))
    });
    apart.await.unwrap();
    assert_eq!(contacts().await, ["d", "e"]);
}

#[tokio::test]
async fn the_end_of_a_conversation_is_told_once_and_to_its_thread() {
    let folder = TempDir::new().unwrap();
    let ended = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&ended);
    let hooks = Hooks {
        now: Box::new(|| Timestamp(1_000)),
        settle: Box::new(|_| Ok(())),
        committed: Box::new(move |signals| told.lock().unwrap().extend(signals.ended)),
    };
    let path = folder.path().join("store.db");
    let store = Store::open(&path, Durability::Full, hooks).unwrap();
    let write = store.write::<_, StoreError>(|tx| {
        tx.save_thread(&ThreadRow {
            id: ThreadId::new(11),
            line: "site".into(),
            thread_key: "v-1".to_owned(),
            contact: ContactId::from("c"),
            origin: ContactId::from("c"),
            sender: Sender::default(),
            context: Thread::default(),
            unreachable: None,
            token: None,
            participants: std::collections::BTreeMap::new(),
        })?;
        let mut open = conversation();
        open.thread = ThreadId::new(11);
        tx.open_conversation(&mut open)?;
        let mut closed = open.clone();
        closed.state = State::Closed {
            at: tx.now(),
            reason: CloseReason::Finished,
        };
        tx.save_conversation(&open, &mut closed)?;
        let mut again = closed.clone();
        again.unread_count = 0;
        tx.save_conversation(&closed, &mut again)
    });
    write.await.unwrap();
    assert_eq!(*ended.lock().unwrap(), [("site".into(), "v-1".to_owned())]);
}
