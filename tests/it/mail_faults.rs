//! Whatever happens to the connection, the server or the folder: every letter comes
//! exactly once, whole, and is not moved away before it is durable here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use e2e::mail::{
    Act, Dovecot, Kept, Proxy, SUPPORT, Side, gateway, letter, mailbox, section, settled,
};
use e2e::operator::text_of;
use e2e::{OperatorClient, TestGateway, or_skip};
use proto::inbox::v1::event::Kind;

const ANNA: &str = "anna@client.test";
const SALES: &str = "sales@shop.test";
const MOVE: &str = "after = \"move:Processed\"\n";

/// What is written, each letter another and from another person.
fn letters(numbers: std::ops::Range<usize>) -> Vec<(String, Vec<u8>)> {
    let made = numbers.map(|number| {
        // Long enough that a cut falls into the middle of it.
        let filler = format!("line of letter {number}\r\n").repeat(100);
        let text = format!("{filler}letter {number}");
        let from = format!("client{number}@client.test");
        let letter = letter(&from, SUPPORT, &format!("{number}@client.test"), "x", &text);
        (text.replace('\r', ""), letter)
    });
    made.collect()
}

/// An operator who sees what comes, and what was seen.
struct Desk {
    gateway: TestGateway,
    operator: OperatorClient,
    heard: BTreeSet<String>,
}

impl Desk {
    async fn open(section: &str) -> Self {
        let gateway = gateway(section).await;
        let role = domain::operator::Role::Supervisor;
        let operator = gateway.person("olga", role, &["main"]).await;
        Self {
            gateway,
            operator,
            heard: BTreeSet::new(),
        }
    }

    /// Waits until all of these came, now or before.
    async fn hears<'a>(&mut self, texts: impl IntoIterator<Item = &'a String>) {
        let kept = self.kept();
        let texts: Vec<_> = texts.into_iter().collect();
        // Some came before anybody listened.
        self.heard.extend(kept.counts().into_keys());
        while !texts.iter().all(|text| self.heard.contains(*text)) {
            let heard = self.operator.wait_for("a letter", |kind| match kind {
                Kind::MessageAdded(message) => Some(text_of(&message).trim_end().to_owned()),
                _ => None,
            });
            self.heard.insert(heard.await);
        }
    }

    fn kept(&self) -> Kept {
        Kept::open(&self.gateway.store_path())
    }

    /// One more letter, after which nothing is on its way: then each came once, whole.
    async fn settled(&mut self, dovecot: &Dovecot, texts: impl IntoIterator<Item = String>) {
        let last = "the last one".to_owned();
        let letter = letter(ANNA, SUPPORT, "last@client.test", "x", &last);
        dovecot.deliver(SUPPORT, &letter).await;
        self.hears([&last]).await;
        settled(&self.gateway).await;
        let mut expected: BTreeMap<_, _> = texts.into_iter().map(|text| (text, 1)).collect();
        expected.insert(last, 1);
        assert_eq!(self.kept().counts(), expected);
        let kept = self.kept();
        assert_eq!(kept.in_state(2), 0, "nothing that could not be read");
    }
}

fn texts(letters: &[(String, Vec<u8>)]) -> Vec<String> {
    letters.iter().map(|(text, _)| text.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_kicked_while_waiting_comes_back() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let mut desk = Desk::open(&section(dovecot.imap(), 9, MOVE)).await;
    let all = letters(0..6);
    for (text, letter) in &all {
        dovecot.deliver(SUPPORT, letter).await;
        desk.hears([text]).await;
        if text.ends_with('1') || text.ends_with('3') {
            dovecot.kick(SUPPORT);
        }
    }
    desk.settled(&dovecot, texts(&all)).await;
}

/// Cut in the middle of a line of a letter, each time further on.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_in_the_middle_of_letters_loses_none() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let all = letters(0..120);
    dovecot.stock(SUPPORT, all.iter().map(|(_, letter)| letter.clone()));
    let passed = AtomicUsize::new(0);
    let proxy = Proxy::start(dovecot.imap(), move |connection, side, line| {
        if side == Side::Client || connection > 2 || !line.starts_with(b"line of letter") {
            return Act::Pass;
        }
        let passed = passed.fetch_add(1, Ordering::SeqCst);
        if passed > 2_000 * (connection + 1) {
            return Act::Cut(line[..line.len() / 2].to_vec());
        }
        Act::Pass
    })
    .await;
    let mut desk = Desk::open(&section(proxy.port(), 9, MOVE)).await;
    desk.hears(&texts(&all)).await;
    assert!(proxy.connections() >= 4, "{}", proxy.connections());
    desk.settled(&dovecot, texts(&all)).await;
}

/// The server says how long a letter is, and sends less: what follows is not the letter.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_shorter_than_announced_is_not_believed() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let all = letters(0..10);
    dovecot.stock(SUPPORT, all.iter().map(|(_, letter)| letter.clone()));
    let proxy = Proxy::start(dovecot.imap(), |connection, side, line| {
        let is_in_it = line.starts_with(b"line of letter 5");
        if connection == 0 && side == Side::Server && is_in_it {
            return Act::Replace(Vec::new());
        }
        Act::Pass
    })
    .await;
    let mut desk = Desk::open(&section(proxy.port(), 9, MOVE)).await;
    desk.hears(&texts(&all)).await;
    desk.settled(&dovecot, texts(&all)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_away_has_its_letters_read() {
    let mut dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let door = Proxy::start(dovecot.imap(), |_, _, _| Act::Pass).await;
    let mut desk = Desk::open(&section(door.port(), 9, MOVE)).await;
    let all = letters(0..40);
    for (_, letter) in &all[..20] {
        dovecot.deliver(SUPPORT, letter).await;
    }
    dovecot.stop().await;
    // It is looked for in vain, twice.
    door.connected(door.connections() + 2).await;
    dovecot.begin().await;
    for (_, letter) in &all[20..] {
        dovecot.deliver(SUPPORT, letter).await;
    }
    desk.hears(&texts(&all)).await;
    desk.settled(&dovecot, texts(&all)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_begins_another_life_is_read_again_and_nothing_comes_twice() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let all = letters(0..30);
    dovecot.stock(SUPPORT, all[..15].iter().map(|(_, letter)| letter.clone()));
    let mut desk = Desk::open(&section(dovecot.imap(), 9, "after = \"leave\"\n")).await;
    desk.hears(&texts(&all[..15])).await;
    dovecot.set_validity(SUPPORT, "INBOX", 4_000_000_000);
    dovecot.kick(SUPPORT);
    for (_, letter) in &all[15..] {
        dovecot.deliver(SUPPORT, letter).await;
    }
    desk.hears(&texts(&all)).await;
    desk.settled(&dovecot, texts(&all)).await;
    let lives: BTreeSet<_> = desk
        .kept()
        .deliveries()
        .iter()
        .map(|key| life(key))
        .collect();
    assert_eq!(lives.len(), 2, "{lives:?}");
}

fn life(delivery: &str) -> String {
    delivery.split(' ').nth(2).unwrap_or_default().to_owned()
}

/// Somebody deletes letters while they are being read.
#[tokio::test(flavor = "multi_thread")]
async fn letters_that_vanish_while_they_are_read_hold_up_no_other() {
    let dovecot = Arc::new(or_skip!(Dovecot::start(&[SUPPORT]).await));
    let all = letters(0..100);
    dovecot.stock(SUPPORT, all.iter().map(|(_, letter)| letter.clone()));
    let (server, times) = (Arc::clone(&dovecot), AtomicUsize::new(0));
    let proxy = Proxy::start(dovecot.imap(), move |_, side, line| {
        let asks = side == Side::Client && line.windows(9).any(|word| word == b"BODY.PEEK");
        if asks && times.fetch_add(1, Ordering::SeqCst) == 0 {
            // Their sizes are known already, and they are asked for next.
            server.expunge(SUPPORT, "INBOX", "uid 3,10:12,60:62,100");
        }
        Act::Pass
    })
    .await;
    let mut desk = Desk::open(&section(proxy.port(), 9, "after = \"leave\"\n")).await;
    let gone = |index: usize| matches!(index + 1, 3 | 10..=12 | 60..=62 | 100);
    let stayed = all.iter().enumerate().filter(|(index, _)| !gone(*index));
    let stayed: Vec<_> = stayed.map(|(_, (text, _))| text.clone()).collect();
    desk.hears(&stayed).await;
    let last = letter(ANNA, SUPPORT, "last@client.test", "x", "the last one");
    dovecot.deliver(SUPPORT, &last).await;
    desk.hears([&"the last one".to_owned()]).await;
    settled(&desk.gateway).await;
    let counts = desk.kept().counts();
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    assert!(stayed.iter().all(|text| counts.contains_key(text)));
}

/// A server that says nothing any more holds up its own mailbox alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_holds_up_no_other_mailbox() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, SALES]).await);
    let silent = Proxy::start(dovecot.imap(), |_, side, line| match side {
        Side::Server if line.windows(5).any(|word| word == b"FETCH") => Act::Hang,
        Side::Server | Side::Client => Act::Pass,
    })
    .await;
    let section = section(silent.port(), 9, MOVE) + &mailbox(SALES, dovecot.imap());
    let mut desk = Desk::open(&section).await;
    let all = letters(0..6);
    dovecot.deliver(SUPPORT, &all[0].1).await;
    for (text, letter) in &all[1..] {
        dovecot.deliver(SALES, letter).await;
        desk.hears([text]).await;
    }
    settled(&desk.gateway).await;
    assert_eq!(desk.kept().messages("inbound").len(), 5);
}

/// The numbers in a set such as `1:3,5`.
fn numbers(set: &str) -> Vec<u32> {
    let ranges = set.split(',').filter_map(|range| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}

/// The letters that a command takes out of their folder, or marks for it.
fn taken_away(line: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(line).to_ascii_uppercase();
    let words: Vec<_> = text.split_whitespace().collect();
    match words.as_slice() {
        [_, "UID", "STORE", set, flags @ ..] if flags.join(" ").contains("DELETED") => numbers(set),
        [_, "UID", "MOVE", set, ..] | [_, "UID", "EXPUNGE", set] => numbers(set),
        [_, "EXPUNGE"] | [_, "MOVE" | "STORE", ..] => vec![u32::MAX],
        _ => Vec::new(),
    }
}

/// Each time letters are taken away, the store is read as it is on the disk.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_away_before_it_is_durable() {
    for lacking in [&[][..], &["MOVE"], &["MOVE", "UIDPLUS"]] {
        let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
        let poor = Proxy::without(dovecot.imap(), lacking).await;
        let (store, early) = (
            Arc::new(OnceLock::<PathBuf>::new()),
            Arc::new(Mutex::new(Vec::new())),
        );
        let taken = Arc::new(AtomicUsize::new(0));
        let (path, wrong, count) = (Arc::clone(&store), Arc::clone(&early), Arc::clone(&taken));
        let watched = Proxy::start(poor.port(), move |_, side, line| {
            let numbers = taken_away(line);
            if side == Side::Client && !numbers.is_empty() {
                let kept = Kept::open(path.wait());
                let durable: BTreeSet<_> =
                    kept.deliveries().iter().map(|key| number(key)).collect();
                count.fetch_add(numbers.len(), Ordering::SeqCst);
                let missing = numbers
                    .into_iter()
                    .filter(|number| !durable.contains(number));
                wrong.lock().unwrap().extend(missing);
            }
            Act::Pass
        })
        .await;
        let all = letters(0..60);
        dovecot.stock(SUPPORT, all[..50].iter().map(|(_, letter)| letter.clone()));
        let mut desk = Desk::open(&section(watched.port(), 9, MOVE)).await;
        store.set(desk.gateway.store_path()).unwrap();
        for (_, letter) in &all[50..] {
            dovecot.deliver(SUPPORT, letter).await;
        }
        desk.hears(&texts(&all)).await;
        desk.settled(&dovecot, texts(&all)).await;
        assert_eq!(*early.lock().unwrap(), Vec::<u32>::new());
        if lacking.len() < 2 {
            dovecot.arrived(SUPPORT, "Processed", 61).await;
            assert!(taken.load(Ordering::SeqCst) >= 61);
            let is_empty = || dovecot.letters(SUPPORT, "INBOX").is_empty();
            dovecot.until("an empty folder", is_empty).await;
        }
    }
}

/// A letter's number in its folder; behind it stands a digest of the letter.
fn number(delivery: &str) -> u32 {
    delivery
        .rsplit(' ')
        .nth(1)
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}
