//! Words are found when what they belong to is there, and only then.

use domain::event::Audience;
use domain::message::{Author, Content, Direction, Message, Text};
use domain::{ConversationId, MessageId, ThreadId, Timestamp};
use rusqlite::Connection;
use store::{StoreError, Tx};
use tempfile::TempDir;

use crate::{hold, open};

fn message(id: i64, words: &str) -> Message {
    Message {
        id: MessageId::new(id),
        conversation: ConversationId::new(1),
        thread: ThreadId::new(1),
        line: "site".into(),
        contact: "c".into(),
        direction: Direction::Inbound,
        author: Author::Client,
        sent_at: Timestamp(1),
        stored_at: Timestamp(1),
        content: Content::Text(Text::plain(words)),
        attachments: Vec::new(),
        buttons: Vec::new(),
        template: None,
        letter: None,
        external_id: None,
        client_id: None,
        reply_to: None,
        reactions: Vec::new(),
        delivery: None,
        delivery_error: String::new(),
        edited_at: None,
        deleted_at: None,
        revisions: Vec::new(),
        mentions: std::collections::BTreeSet::new(),
    }
}

fn audience() -> Audience {
    Audience {
        queue: "main".into(),
        operators: std::collections::BTreeSet::new(),
    }
}

fn add(tx: &mut Tx<'_>, words: &str) -> Result<i64, StoreError> {
    let id = tx.fresh_id();
    tx.add_message(message(id, words), audience())?;
    Ok(id)
}

fn found(path: &std::path::Path, word: &str) -> Vec<i64> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("select rowid from message_words where message_words match ?1 order by rowid")
        .unwrap();
    let rows = statement.query_map([word], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn words_share_the_fate_of_their_operation() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let store = &opened.store;
    let held = hold(store).await;
    let kept = store.write(|tx| add(tx, "apple kept"));
    let failing = store.write::<(), _>(|tx| {
        add(tx, "apple failing")?;
        Err(StoreError::Broken("on purpose".to_owned()))
    });
    let panicking = store.write::<(), StoreError>(|tx| {
        add(tx, "apple panicking")?;
        panic!("on purpose")
    });
    let reworded = store.write::<_, StoreError>(|tx| {
        let id = add(tx, "pear before")?;
        tx.change_message(message(id, "apple after"), audience(), true)?;
        Ok(id)
    });
    let taken_back = store.write::<_, StoreError>(|tx| {
        let id = add(tx, "apple taken back")?;
        let mut message = message(id, "");
        message.deleted_at = Some(Timestamp(2));
        tx.change_message(message, audience(), true)?;
        Ok(id)
    });
    let release = async { drop(held) };
    let (kept, failing, panicking, reworded, taken_back, ()) =
        tokio::join!(kept, failing, panicking, reworded, taken_back, release);
    let (kept, reworded) = (kept.unwrap(), reworded.unwrap());
    assert!(failing.is_err() && panicking.is_err());
    taken_back.unwrap();
    assert_eq!(found(&path, "apple"), [kept, reworded]);
    assert_eq!(found(&path, "pear"), [0_i64; 0]);
    for word in ["failing", "panicking", "taken"] {
        assert_eq!(found(&path, word), [0_i64; 0], "{word}");
    }
}

#[tokio::test]
async fn words_of_a_lost_transaction_are_not_written_with_the_next_one() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    drop(open(&path));
    crate::commits::lay_traps(&path);
    let opened = open(&path);
    let store = &opened.store;
    for trap in ["poison", "rollback"] {
        let lost = store.write::<_, StoreError>(move |tx| {
            add(tx, "lost")?;
            tx.set_meta(trap, "1")
        });
        assert!(lost.await.is_err());
        store.write(|tx| add(tx, "next")).await.unwrap();
        assert_eq!(found(&path, "lost"), [0_i64; 0], "{trap}");
    }
    assert_eq!(found(&path, "next").len(), 2);
}
