//! An explanation is stored in little space and read back whole.

use std::collections::{BTreeMap, BTreeSet};

use domain::conversation::{Conversation, Offer, OfferOutcome, OfferState};
use domain::event::{Cursor, EventKind};
use domain::message::Medium;
use domain::operator::{Load, Membership};
use domain::routing::{
    Candidate, Decision, Place, RoutingRules, Rule, Skills, Snapshot, Waiting, settle,
};
use domain::{ConversationId, OfferId, OperatorId, QueueId, Timestamp};
use rusqlite::Connection;
use serde_json::json;
use store::{Store, StoreError};
use tempfile::TempDir;

use crate::{hold, open};

const OPERATORS: i64 = 1_000;
/// What an offer may take with a thousand operators.
const STORED_BYTES_MAX: usize = 1_024;

fn operator(raw: i64) -> Candidate {
    let mut load = Load::default();
    for _ in 0..raw % 5 {
        load.occupy(Medium::Chat);
    }
    Candidate {
        operator: OperatorId::new(1_048_576 + 3 * raw),
        memberships: vec![Membership {
            queue: QueueId::from("sales"),
            rank: 0,
            position: 0,
        }],
        skills: Skills::default(),
        load,
        capacity: 100,
        idle_since: Timestamp(1_790_000_000_000 + raw),
        turn: 0,
        auto_accept: false,
        cool_down_until: None,
        barred: match raw % 11 {
            0..8 => Some(Rule::NotReady),
            8 => Some(Rule::CoolingDown),
            9 => Some(Rule::NotResponding),
            _ => None,
        },
    }
}

fn waiting(number: i64) -> Waiting {
    Waiting {
        conversation: ConversationId::new(2_000_000 + number),
        queue: QueueId::from("sales"),
        medium: Medium::Chat,
        place: Place {
            band: 0,
            eligible_at: Timestamp(1_790_000_000_000 + number),
            seq: 2_000_000 + number,
        },
        tried: BTreeSet::from([OperatorId::new(1_048_576 + 3 * 10)]),
        skills: Skills::default(),
        preferred: None,
        last_asked: None,
        asked_at: None,
        round: 1,
        not_before: None,
    }
}

/// The offers of one pass.
fn offers(operators: i64, conversations: i64, from: i64) -> Vec<Offer> {
    let snapshot = Snapshot::new(
        (from..from + conversations).map(waiting),
        (0..operators).map(operator),
    );
    let now = Timestamp(1_790_000_100_000);
    let decisions = settle(&snapshot, &RoutingRules::default(), now);
    let offers = decisions.into_iter().filter_map(|decision| match decision {
        Decision::Offer {
            conversation,
            operator,
            expires_at,
            explanation,
        } => Some(Offer {
            id: OfferId::new(conversation.get() + 1_000_000),
            conversation,
            operator,
            queue: QueueId::from("sales"),
            state: OfferState::Pending,
            made_at: now,
            expires_at,
            explanation,
        }),
        Decision::Ring { .. } | Decision::Assign { .. } | Decision::NextRound { .. } => None,
    });
    offers.collect()
}

pub(crate) fn conversation() -> Conversation {
    let written = json!({
        "id": 1, "thread": 1, "line": "site", "channel": "webchat", "medium": "chat",
        "queue": "sales",
        "client": {"contact": "1", "display_name": "", "avatar_url": null, "address": "",
            "provisional": false, "known": false},
        "state": "queued", "place": {"band": 0, "eligible_at": 1, "seq": 1}, "round": 1,
        "returned": false, "unread_count": 0, "created_at": 1, "version": 1,
    });
    serde_json::from_value(written).unwrap()
}

async fn make(store: &Store, offers: Vec<Offer>) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            for offer in &offers {
                tx.make_offer(offer, &conversation())?;
            }
            Ok(())
        })
        .await
}

async fn read(store: &Store, id: OfferId) -> Offer {
    let found = store.read::<_, StoreError>(move |view| view.offer(id));
    found.await.unwrap().unwrap()
}

fn number(path: &std::path::Path, sql: &str) -> usize {
    let connection = Connection::open(path).unwrap();
    let number: i64 = connection.query_row(sql, (), |row| row.get(0)).unwrap();
    usize::try_from(number).unwrap()
}

#[tokio::test]
async fn with_a_thousand_operators_an_offer_stays_small_and_is_read_back_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let store = &opened.store;
    let made = offers(OPERATORS, 50, 0);
    assert_eq!(made.len(), 50);
    let excluded = made[49].explanation.excluded.by_rule();
    assert!(excluded.values().map(BTreeSet::len).sum::<usize>() > 900);
    make(store, made.clone()).await.unwrap();
    for offer in &made {
        let stored = read(store, offer.id).await;
        assert_eq!(stored, *offer);
        let sets = stored.explanation.excluded.by_rule();
        assert_eq!(sets, offer.explanation.excluded.by_rule());
    }
    let pending = made[7].operator;
    let pending = store.read::<_, StoreError>(move |view| view.pending_offers_of(pending));
    assert!(pending.await.unwrap().contains(&made[7]));

    let before = made
        .iter()
        .map(|offer| serde_json::to_string(offer).unwrap().len());
    let largest = "select max(length(doc) + length(kept_out)) from offer";
    let event = "select max(length(doc)) from event";
    let (now, event) = (number(&path, largest), number(&path, event));
    let roster = number(&path, "select max(length(members)) from roster");
    println!(
        "{}",
        json!({
            "test": "explanation_size",
            "operators": OPERATORS,
            "offer_bytes_before": before.max(),
            "offer_bytes": now,
            "event_bytes": event,
            "roster_bytes": roster,
            "rosters": number(&path, "select count(*) from roster"),
        })
    );
    assert!(now < STORED_BYTES_MAX && event < STORED_BYTES_MAX);
    assert_eq!(number(&path, "select count(*) from roster"), 1);

    // Its end changes the state, and leaves the rest.
    let ended = Offer {
        state: OfferState::Ended {
            at: Timestamp(1_790_000_200_000),
            outcome: OfferOutcome::Accepted,
        },
        ..made[3].clone()
    };
    let end = ended.clone();
    let write = store.write::<_, StoreError>(move |tx| tx.end_offer(&end));
    write.await.unwrap();
    assert_eq!(read(store, ended.id).await, ended);
    // One that is over at once is a new row.
    let [mut assigned] = <[Offer; 1]>::try_from(offers(OPERATORS, 1, 500)).unwrap();
    assigned.state = ended.state;
    let end = assigned.clone();
    let write = store.write::<_, StoreError>(move |tx| tx.end_offer(&end));
    write.await.unwrap();
    assert_eq!(read(store, assigned.id).await, assigned);
    assert_eq!(number(&path, "select count(*) from roster"), 1);
}

#[tokio::test]
async fn an_offer_of_an_older_store_is_read_and_ended() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let store = &opened.store;
    let old = offers(30, 1, 0).remove(0);
    Connection::open(&path)
        .unwrap()
        .execute(
            "insert into offer (id, conversation, operator, pending, doc)
             values (?1, ?2, ?3, 1, ?4)",
            (
                old.id.get(),
                old.conversation.get(),
                old.operator.get(),
                serde_json::to_string(&old).unwrap(),
            ),
        )
        .unwrap();
    assert_eq!(read(store, old.id).await, old);
    let ended = Offer {
        state: OfferState::Ended {
            at: Timestamp(5),
            outcome: OfferOutcome::Accepted,
        },
        ..old
    };
    let end = ended.clone();
    let write = store.write::<_, StoreError>(move |tx| tx.end_offer(&end));
    write.await.unwrap();
    assert_eq!(read(store, ended.id).await, ended);
    let event = store.read::<_, StoreError>(|view| view.events_after(Cursor(0), 1));
    let event = event.await.unwrap().unwrap().remove(0);
    assert!(matches!(&event.kind, EventKind::OfferEnded(told) if told.id == ended.id));
}

#[tokio::test]
async fn rosters_go_with_their_offers_and_with_what_was_undone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let opened = open(&path);
    let store = &opened.store;
    let rosters = || number(&path, "select count(*) from roster");
    // The first to know the roster fails; the next one in the same transaction must not
    // believe that it is there.
    let held = hold(store).await;
    let failing = store.write::<(), _>(|tx| {
        tx.make_offer(&offers(22, 1, 0)[0], &conversation())?;
        Err(StoreError::Broken("on purpose".to_owned()))
    });
    let next = make(store, offers(22, 1, 0));
    let release = async { drop(held) };
    let (failing, next, ()) = tokio::join!(failing, next, release);
    assert!(failing.is_err());
    next.unwrap();
    let first = offers(22, 1, 0).remove(0);
    assert_eq!(read(store, first.id).await, first);

    make(store, offers(24, 1, 1)).await.unwrap();
    assert_eq!(rosters(), 2, "an older offer keeps its roster");
    let gone = "delete from offer";
    Connection::open(&path).unwrap().execute(gone, ()).unwrap();
    make(store, offers(24, 1, 2)).await.unwrap();
    make(store, offers(26, 1, 3)).await.unwrap();
    assert_eq!(rosters(), 2, "those of the first offers are forgotten");
    for (operators, number) in [(24, 2), (26, 3)] {
        let offer = offers(operators, 1, number).remove(0);
        assert_eq!(read(store, offer.id).await, offer);
    }
    let none: BTreeMap<Rule, BTreeSet<OperatorId>> = BTreeMap::new();
    let mut transfer = offers(26, 1, 4).remove(0);
    transfer.explanation.excluded = none.into();
    make(store, vec![transfer.clone()]).await.unwrap();
    assert_eq!(read(store, transfer.id).await, transfer);
}
