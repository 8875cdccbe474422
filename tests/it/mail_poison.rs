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

const GOOD_TO_ONE: usize = 10;
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
        kept.deliveries().len() >= all.len() && kept.in_state(0) == 0
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
    println!(
        "{}",
        json!({
            "test": "mail_poison",
            "good": clients.written(),
            "poison": poison.len(),
            "dead": dead.len(),
            "messages": kept.messages("inbound").len(),
            "connections": proxy.connections(),
            "kib": [at_first, before, after],
            "took_s": took.as_secs_f64(),
            "processed": dovecot.letters(SUPPORT, "Processed").len(),
        })
    );
    server.stop().await;
}
