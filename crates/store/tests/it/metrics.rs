//! Counters are what the event log says, whatever was undone, lost or forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::conversation::{
    CloseReason, Conversation, Ending, Input, Offer, OfferState, Owner, State,
};
use domain::event::Audience;
use domain::message::{Author, Content, Direction, Medium, Message, Text};
use domain::metrics::{Comparison, Counter, Counts, HOUR_MS, Hour};
use domain::operator::{self, Link, Load, Operator, Presence, Role};
use domain::routing::{CandidateKeys, Cause, Excluded, Explanation, Place, Skills, Strategy};
use domain::{ConversationId, MessageId, OfferId, OperatorId, Timestamp};
use store::{Durability, Hooks, Store, StoreError, Tx};
use tempfile::TempDir;

use crate::explanations;

const START: i64 = 1_000 * HOUR_MS;

/// A store with a clock that a test moves.
fn open(path: &Path, clock: &Arc<AtomicI64>) -> Store {
    let clock = Arc::clone(clock);
    let hooks = Hooks {
        now: Box::new(move || Timestamp(clock.load(Ordering::SeqCst))),
        settle: Box::new(|_| Ok(())),
        committed: Box::new(|_| {}),
    };
    Store::open(path, Durability::Normal, hooks).unwrap()
}

fn person(id: i64) -> Operator {
    Operator {
        id: OperatorId::new(id),
        login: format!("operator-{id}"),
        display_name: String::new(),
        role: Role::Operator,
        disabled: false,
        memberships: Vec::new(),
        capacity: 100,
        auto_accept: false,
        presence: Presence::Ready,
        next_presence: None,
        idle_since: Timestamp(0),
        skills: Skills::default(),
        turn: 0,
        load: Load::default(),
        wrapping_up: 0,
        misses: 0,
        not_responding: false,
        cool_down_until: None,
        link: Link::Unwatched,
        lost_at: None,
        version: 0,
    }
}

/// Small numbers from a seed, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn begin(tx: &mut Tx<'_>, number: i64) -> Result<(), StoreError> {
    let line = if number % 3 == 0 { "form" } else { "site" };
    let mut opened = Conversation {
        id: ConversationId::new(number),
        thread: domain::ThreadId::new(number),
        line: line.into(),
        channel: format!("{line} channel"),
        created_at: tx.now(),
        ..explanations::conversation()
    };
    opened.counted.ours = number % 7 == 0;
    tx.open_conversation(&mut opened)?;
    say(tx, &opened, Author::Client, Direction::Inbound)
}

fn say(
    tx: &mut Tx<'_>,
    to: &Conversation,
    author: Author,
    direction: Direction,
) -> Result<(), StoreError> {
    let now = tx.now();
    let message = Message {
        id: MessageId::new(tx.fresh_id()),
        conversation: to.id,
        thread: to.thread,
        line: to.line.clone(),
        contact: "c".into(),
        direction,
        author,
        sent_at: now,
        stored_at: now,
        content: Content::Text(Text::plain("words")),
        attachments: Vec::new(),
        buttons: Vec::new(),
        template: None,
        letter: None,
        mentions: BTreeSet::new(),
        external_id: None,
        client_id: None,
        reply_to: None,
        reactions: Vec::new(),
        delivery: None,
        delivery_error: String::new(),
        edited_at: None,
        deleted_at: None,
        revisions: Vec::new(),
    };
    let audience = Audience {
        queue: to.queue.clone(),
        operators: BTreeSet::new(),
    };
    tx.add_message(message, audience).map(drop)
}

fn input(
    before: &Conversation,
    who: OperatorId,
    what: u64,
    (fresh, expires_at): (OfferId, Timestamp),
    place: Place,
) -> Input {
    let id = before.id.get();
    match (what, &before.state) {
        (0 | 8, State::Queued) => Input::Ring {
            offers: BTreeMap::from([(who, fresh)]),
            expires_at,
        },
        (
            1,
            State::Offered {
                offer, operator, ..
            },
        ) => Input::Accept {
            offer: *offer,
            operator: *operator,
        },
        (
            2,
            State::Offered {
                offer, operator, ..
            },
        ) => Input::Decline {
            offer: *offer,
            operator: *operator,
            reason: String::new(),
        },
        (3, _) => Input::Take {
            operator: who,
            over_capacity: false,
        },
        (4, State::Queued | State::Offered { .. }) => Input::Left { until: expires_at },
        (4, _) => Input::Snooze { until: None },
        (5, _) => Input::Inbound {
            owner: if id % 2 == 0 {
                Owner::Free
            } else {
                Owner::Busy
            },
            place,
        },
        (6, _) => Input::ToQueue {
            queue: if id % 2 == 0 { "other" } else { "sales" }.into(),
            skills: Skills::default(),
            new_place: None,
        },
        (7, _) => Input::Finish {
            reason: CloseReason::Finished,
            disposition: String::new(),
            wrap_up: (id % 3 == 0).then_some(Ending {
                until: expires_at,
                fixed: false,
            }),
        },
        _ => Input::Due {
            owner: Owner::Gone,
            place,
        },
    }
}

/// Something that may happen to a conversation; what cannot be is refused and changes
/// nothing.
fn happen(tx: &mut Tx<'_>, id: i64, who: OperatorId, what: u64) -> Result<(), StoreError> {
    let Some(before) = tx.conversation(ConversationId::new(id))? else {
        return Ok(());
    };
    let place = Place {
        band: 0,
        eligible_at: tx.now(),
        seq: tx.fresh_id(),
    };
    let fresh = OfferId::new(tx.fresh_id());
    let expires_at = tx.now() + domain::Millis(20_000);
    let input = input(&before, who, what, (fresh, expires_at), place);
    let mut after = before.clone();
    let Ok(effects) = after.handle(tx.now(), input) else {
        return Ok(());
    };
    if let (3, Some(owner)) = (what, after.owner()) {
        after.counted.first_reply_at.get_or_insert(tx.now());
        say(tx, &after, Author::Operator(owner), Direction::Outbound)?;
    }
    tx.save_conversation(&before, &mut after)?;
    if matches!(what, 0 | 8)
        && matches!(after.state, State::Offered { offer, .. } if offer == fresh)
    {
        let offer = offer(fresh, &after, who, tx.now(), expires_at);
        tx.make_offer(&offer, &after)?;
    }
    for effect in effects {
        carry_out(tx, &after, effect)?;
    }
    Ok(())
}

fn offer(
    id: OfferId,
    of: &Conversation,
    operator: OperatorId,
    made_at: Timestamp,
    expires_at: Timestamp,
) -> Offer {
    Offer {
        id,
        conversation: of.id,
        operator,
        queue: of.queue.clone(),
        state: OfferState::Pending,
        made_at,
        expires_at,
        explanation: Explanation {
            cause: Cause::Transfer,
            place: of.place,
            round: 1,
            strategy: Strategy::default(),
            skills: Skills::default(),
            chosen: CandidateKeys {
                operator,
                load: 0,
                capacity: 100,
                idle_since: made_at,
                open: 0,
                turn: 0,
                position: 0,
            },
            runner_up: None,
            excluded: Excluded::default(),
        },
    }
}

fn carry_out(
    tx: &mut Tx<'_>,
    of: &Conversation,
    effect: domain::conversation::Effect,
) -> Result<(), StoreError> {
    use domain::conversation::Effect;
    let medium = of.medium;
    let (id, input) = match effect {
        Effect::OfferEnded { offer, outcome } => {
            let known = tx.offer(offer)?.unwrap();
            let at = tx.now();
            return tx.end_offer(&Offer {
                state: OfferState::Ended { at, outcome },
                ..known
            });
        }
        Effect::Occupy { operator, turn } => (operator, operator::Input::Occupy { medium, turn }),
        Effect::WrapUpBegun(id) => (id, operator::Input::WrapUpBegun),
        Effect::WrapUpEnded(id) => (id, operator::Input::WrapUpEnded),
        Effect::Release { operator, handled } => {
            (operator, operator::Input::Release { medium, handled })
        }
        Effect::Missed(id) => (id, operator::Input::Missed { medium }),
        Effect::Responded(id) => (id, operator::Input::Responded),
        Effect::CoolDown { operator, until } => (operator, operator::Input::CoolDown { until }),
    };
    let mut changed = (*tx.operator(id).unwrap()).clone();
    changed.handle(tx.now(), input);
    tx.save_operator(changed, None)
}

async fn compare(store: &Store) -> Comparison {
    store
        .read::<_, StoreError>(|view| view.compare_metrics(None))
        .await
        .unwrap()
}

async fn total(store: &Store) -> Counts {
    store
        .read::<_, StoreError>(|view| {
            let mut counts = Counts::default();
            view.each_metric(Hour(0), Hour(i64::MAX), |row| row.add_to(&mut counts))?;
            Ok(counts)
        })
        .await
        .unwrap()
}

async fn live(store: &Store, clock: &AtomicI64, dice: &mut Dice, numbers: std::ops::Range<i64>) {
    for number in numbers {
        let pause = i64::try_from(dice.roll(600_000)).unwrap();
        clock.fetch_add(pause, Ordering::SeqCst);
        if number % 4 == 0 {
            let id = number / 4;
            store.write(move |tx| begin(tx, id)).await.unwrap();
        }
        let id = 1 + i64::try_from(dice.roll(u64::try_from(number / 4 + 1).unwrap())).unwrap();
        let who = OperatorId::new(1 + i64::try_from(dice.roll(3)).unwrap());
        let (what, fate) = (dice.roll(9), dice.roll(40));
        let done = store.write::<(), StoreError>(move |tx| {
            happen(tx, id, who, what)?;
            match fate {
                0 => Err(StoreError::Broken("on purpose".to_owned())),
                1 => panic!("on purpose"),
                _ => Ok(()),
            }
        });
        assert_eq!(done.await.is_err(), fate < 2);
    }
}

#[tokio::test]
async fn counters_are_what_the_log_says() {
    let mut counts = Counts::default();
    for seed in 1..=3 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store.db");
        let clock = Arc::new(AtomicI64::new(START));
        let mut dice = Dice(seed);
        {
            let store = open(&path, &clock);
            for id in 1..=3 {
                let add = move |tx: &mut Tx<'_>| tx.add_operator(&person(id), "");
                store.write::<_, StoreError>(add).await.unwrap();
            }
            live(&store, &clock, &mut dice, 4..200).await;
        }
        let store = open(&path, &clock);
        live(&store, &clock, &mut dice, 200..400).await;
        let whole = compare(&store).await;
        assert_eq!(whole.different, [], "seed {seed}");
        assert_eq!(whole.in_doubt, 0);
        assert!(whole.equal > 50, "{whole:?}");
        counts.merge(&total(&store).await);
        cut_off(&store, &clock).await;
    }
    for counter in [
        Counter::Offered,
        Counter::Answered,
        Counter::Started,
        Counter::Handled,
        Counter::Transferred,
        Counter::OffersMade,
        Counter::OffersAccepted,
        Counter::OffersDeclined,
        Counter::FirstReplies,
        Counter::MessagesIn,
        Counter::TalkMs,
        Counter::BusyMs,
        Counter::IdleMs,
        Counter::carried(Medium::Chat),
    ] {
        assert!(counts.get(counter) > 0, "{counter:?}");
    }
}

/// With half of the log forgotten, what can be compared is still the same, and what
/// was changed by hand is found.
async fn cut_off(store: &Store, clock: &AtomicI64) {
    let half = Timestamp(i64::midpoint(START, clock.load(Ordering::SeqCst)));
    let prune = move |tx: &mut Tx<'_>| tx.prune_events(half, i64::MAX);
    store.write::<_, StoreError>(prune).await.unwrap();
    let rest = compare(store).await;
    assert_eq!(rest.different, []);
    assert!(rest.equal > 10 && rest.in_doubt > 0, "{rest:?}");
    let lately =
        store.read::<_, StoreError>(|view| view.compare_metrics(Some(domain::Millis(8 * HOUR_MS))));
    let lately = lately.await.unwrap();
    assert_eq!(lately.different, []);
    assert!(lately.equal > 0 && lately.equal < rest.equal);
}

#[tokio::test]
async fn a_wrong_counter_is_found_and_an_old_one_forgotten() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let clock = Arc::new(AtomicI64::new(START));
    {
        let store = open(&path, &clock);
        for id in 1..=3 {
            let later = clock.fetch_add(HOUR_MS, Ordering::SeqCst);
            assert!(later > 0);
            store.write(move |tx| begin(tx, id)).await.unwrap();
        }
        let before = Timestamp(START + 2 * HOUR_MS);
        let prune = move |tx: &mut Tx<'_>| tx.prune_metrics(before, 100);
        let pruned = store.write::<_, StoreError>(prune).await.unwrap();
        assert_eq!(pruned, 1, "of the first hour");
    }
    let connection = rusqlite::Connection::open(&path).unwrap();
    let packed = {
        let mut wrong = Counts::default();
        wrong.add(Counter::Offered.slot(), 17);
        wrong.pack()
    };
    connection
        .execute(
            "update metric set counts = ?1 where line = 'site'",
            [packed],
        )
        .unwrap();
    drop(connection);
    let store = open(&path, &clock);
    let found = compare(&store).await;
    let wrong: Vec<_> = found
        .different
        .iter()
        .map(|(key, kept, told)| {
            let line = key.line.clone().unwrap();
            let offered = Counter::Offered;
            (line.to_string(), kept.get(offered), told.get(offered))
        })
        .collect();
    let expect = [("site", 0, 1), ("site", 17, 1)];
    assert_eq!(
        wrong,
        expect.map(|(line, kept, told)| (line.to_owned(), kept, told))
    );
}

/// A question about a day reads the rows of that day, whatever else there is.
#[tokio::test]
async fn a_day_costs_the_same_after_two_years() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let clock = Arc::new(AtomicI64::new(START));
    drop(open(&path, &clock));
    let mut connection = rusqlite::Connection::open(&path).unwrap();
    let packed = {
        let mut counts = Counts::default();
        counts.add(Counter::Offered.slot(), 1);
        counts.pack()
    };
    let filling = connection.transaction().unwrap();
    for hour in 0..800 * 24_i64 {
        filling
            .prepare_cached("insert into metric values (?1, 'site', 'main', 0, ?2)")
            .unwrap()
            .execute((hour, &packed))
            .unwrap();
    }
    filling.commit().unwrap();
    let plan: String = connection
        .query_row(
            "explain query plan select hour, line, queue, operator, counts from metric
             where hour >= ?1 and hour < ?2 order by hour",
            (0, 24),
            |row| row.get(3),
        )
        .unwrap();
    assert_eq!(plan, "SEARCH metric USING PRIMARY KEY (hour>? AND hour<?)");
    drop(connection);
    let store = open(&path, &clock);
    let read = store
        .read::<_, StoreError>(|view| {
            let mut read = 0;
            view.each_metric::<StoreError>(Hour(9_600), Hour(9_624), |_| {
                read += 1;
                Ok(())
            })?;
            Ok(read)
        })
        .await
        .unwrap();
    assert_eq!(read, 24);
}
