//! Letters that are to do harm, one to ten good ones, in a real mailbox and a gateway
//! that is a process of its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use e2e::mail::poison::{Outcome, Poison, letters};
use e2e::mail::{Act, Clients, Dovecot, Kept, Proxy, SUPPORT, Side, line};
use e2e::or_skip;
use e2e::real::{Life, Server};
use serde_json::json;
use tempfile::TempDir;

const SALES: &str = "sales@shop.test";
/// Large letters beside, and how often small ones come.
const LARGE: usize = 6;
const PACE: Duration = Duration::from_millis(20);
const GOOD_TO_ONE: usize = 10;
/// A gateway with nothing to do has some 75 in a debug build. An answer of the mail server
/// is at most 4 and is held some four times until it is durable; two letters are read at
/// once, each with up to 1 MiB of HTML as a tree of some sixty times that.
const MEMORY_MIB_MAX: u64 = 75 + 4 * 4 + 2 * 64;
/// A debug build is not quick with them.
const PATIENCE: Duration = Duration::from_mins(4);

async fn start(server: &mut Server) {
    let Life::Ready(..) = server.start(&[]).await else {
        panic!("it does not start:\n{}", server.said());
    };
}

async fn gateway(folder: &Path, imap: u16) -> Server {
    let mut server = Server::new(folder, &folder.join("data"), "0B");
    let config = std::fs::read_to_string(&server.config).unwrap() + &line(folder, imap, "");
    std::fs::write(&server.config, config).unwrap();
    start(&mut server).await;
    server
}

async fn until(server: &Server, what: &str, holds: impl Fn(&Kept) -> bool) -> Kept {
    let kept = Kept::open(&server.store);
    let wait = async {
        while !holds(&kept) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, wait).await;
    came.unwrap_or_else(|_| panic!("{what} did not come:\n{}", server.said()));
    kept
}

/// Each poison behind its good ones, in the order of the mailbox.
fn mixed(clients: &mut Clients, poison: &[Poison]) -> Vec<(Option<&'static str>, Vec<u8>)> {
    let mut all = Vec::new();
    for Poison { name, raw, .. } in poison {
        all.extend((0..GOOD_TO_ONE).map(|_| (None, clients.letter())));
        all.push((Some(*name), raw.clone()));
    }
    all
}

/// The letter's number in its folder.
fn uid(delivery: &str) -> usize {
    let uid = delivery.split(' ').nth(3).and_then(|uid| uid.parse().ok());
    uid.unwrap_or_else(|| panic!("{delivery} names no letter"))
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_harms_no_good_letter() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let poison = letters();
    let mut clients = Clients::new(7);
    let all = mixed(&mut clients, &poison);
    dovecot.stock(SUPPORT, all.iter().map(|(_, raw)| raw.clone()));
    // The first connection goes no further than the middle.
    let (given_out, half) = (AtomicUsize::new(0), all.len() / 2);
    let proxy = Proxy::start(dovecot.imap(), move |connection, side, line| {
        let is_letter = side == Side::Server && e2e::mail::contains(line, "BODY[] ");
        if is_letter && given_out.fetch_add(1, Ordering::SeqCst) == half && connection == 0 {
            return Act::Hang;
        }
        Act::Pass
    })
    .await;
    let folder = TempDir::new().unwrap();
    let begun = tokio::time::Instant::now();
    let mut server = gateway(folder.path(), proxy.port()).await;
    let at_first = server.memory_peak_kib();
    until(&server, "the first half", |kept| {
        kept.deliveries().len() + 60 > half
    })
    .await;
    let before = server.memory_peak_kib();
    server.stop().await;
    start(&mut server).await;
    let kept = until(&server, "the second half", |kept| {
        dovecot.letters(SUPPORT, "Processed").len() == all.len() && kept.in_state(0) == 0
    })
    .await;
    let after = server.memory_peak_kib();
    let took = begun.elapsed();
    clients.check(&kept);
    let uids: Vec<_> = kept.deliveries().iter().map(|key| uid(key)).collect();
    assert_eq!(
        uids,
        (1..=all.len()).collect::<Vec<_>>(),
        "each once, in order"
    );
    let dead = kept.deliveries_in(2);
    let dead: BTreeSet<_> = dead.iter().map(|key| all[uid(key) - 1].0).collect();
    let expected = poison.iter().filter(|it| it.outcome == Outcome::Dead);
    let expected: BTreeSet<_> = expected.map(|it| Some(it.name)).collect();
    assert_eq!(dead, expected, "{}", server.said());
    let shown = poison.iter().filter(|it| it.outcome != Outcome::Dead);
    let messages = kept.messages("inbound").len();
    println!(
        "{}",
        json!({
            "test": "mail_poison",
            "good": clients.written(),
            "poison": poison.len(),
            "dead": dead.len(),
            "messages": messages,
            "mib": {"first": at_first / 1_024, "then": before / 1_024, "at_last": after / 1_024},
            "took_s": took.as_secs(),
        })
    );
    assert_eq!(messages, clients.written() + shown.count());
    assert_eq!(proxy.connections(), 2, "one for each life");
    assert!(dovecot.letters(SUPPORT, "INBOX").is_empty());
    assert!(before.max(after) < MEMORY_MIB_MAX * 1_024);
    server.stop().await;
}

/// How long good letters take from their delivery to the message, while poison, one to
/// ten of them, is delivered into the same mailbox and letters as large as letters may be
/// into another.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, of a release build: run it by name, with --no-capture"]
async fn how_long_good_letters_take_beside_poison() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT, SALES]).await);
    let folder = TempDir::new().unwrap();
    dovecot.stock(SALES, (0..LARGE).map(large));
    dovecot.stock(SUPPORT, []);
    let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
    let text = std::fs::read_to_string(&server.config).unwrap();
    let sales = format!(
        "[[line.mailbox]]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nuser = {SALES:?}\n\
         password_file = {:?}\nhistory = \"all\"\n",
        dovecot.imap(),
        folder.path().join("secret"),
    );
    let text = text + &line(folder.path(), dovecot.imap(), &sales);
    std::fs::write(&server.config, text).unwrap();
    start(&mut server).await;
    let (poison, mut clients) = (letters(), Clients::new(200));
    let mut dropped = Vec::new();
    for (name, letter) in mixed(&mut clients, &poison) {
        if name.is_none() {
            dropped.push(engine::clock::now());
        }
        dovecot.drop(SUPPORT, &letter);
        tokio::time::sleep(PACE).await;
    }
    let good = |kept: &Kept| {
        let messages = kept.messages("inbound").into_iter();
        let good = messages.filter_map(|it| Some((clients.number(&it.text)?, it.stored_at)));
        good.collect::<Vec<_>>()
    };
    let kept = until(&server, "all good ones", |kept| {
        good(kept).len() == clients.written()
    })
    .await;
    let mut took: Vec<_> = good(&kept)
        .into_iter()
        .map(|(number, stored_at)| stored_at.since(dropped[number]).0)
        .collect();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100];
    let done = until(&server, "the rest", |kept| kept.in_state(0) == 0).await;
    println!(
        "{}",
        json!({
            "test": "mail_poison_beside", "good": took.len(), "poison": poison.len(), "large": LARGE,
            "large_done": done.messages("inbound").iter().filter(|it| it.text.starts_with("large")).count(),
            "ms": {"p50": at(50), "p99": at(99), "max": at(100)},
        })
    );
    assert!(at(99) <= 1_000, "{} ms", at(99));
    server.stop().await;
}

/// A letter of 48 MiB: a file, or lines that are almost the end of one.
fn large(number: usize) -> Vec<u8> {
    let line = ["QUFB".repeat(19), "--".to_owned()][number % 2].clone() + "\r\n";
    let head = format!(
        "From: <large{number}@client.test>\r\nMessage-ID: <large{number}@client.test>\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nlarge {number}\r\n--b\r\n\
         Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    );
    (head + &line.repeat((48 << 20) / line.len()) + "--b--\r\n").into_bytes()
}
