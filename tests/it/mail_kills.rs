//! Killed at any instant while letters come in: each comes once, and none is moved away
//! in its mailbox before it is durable here.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use e2e::mail::{Act, Clients, Dovecot, Kept, Proxy, SUPPORT, line};
use e2e::or_skip;
use e2e::real::{Life, Random, Server, given};
use futures::FutureExt as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Kills in a normal run.
const KILLS: u64 = 15;
/// So many letters come when fewer are left.
const LETTERS: usize = 20;
/// Longer than those that are read at once.
const LONG_BYTES: usize = 300_000;
/// A death that is not come by in this time was not to be.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the gateway can be made to die by itself.
const POINTS: [&str; 4] = [
    "before-commit",
    "after-commit",
    "before-ack",
    "after-process",
];

/// How a life ends.
#[derive(Debug)]
enum Death {
    /// After so many lines were said between it and the mail server, and no more is.
    AtLine(usize),
    /// By itself, at a named point.
    AtPoint(String),
    /// So long after it was started, ready or not.
    After(Duration),
}

fn death(number: u64, random: &mut Random) -> Death {
    match number % 3 {
        0 => Death::AtLine(usize::try_from(random.below(600)).unwrap()),
        1 => {
            let point = random.choose(&POINTS);
            Death::AtPoint(format!("{point}:{}", 1 + random.below(20)))
        }
        _ => Death::After(Duration::from_millis(random.below(800))),
    }
}

/// Lets so many lines pass.
#[derive(Default)]
struct Fuse {
    left: Mutex<Option<usize>>,
    is_out: Notify,
}

impl Fuse {
    fn set(&self, left: Option<usize>) {
        *self.left.lock().unwrap() = left;
        // What was told of the life before.
        let _ = self.is_out.notified().now_or_never();
    }

    fn burn(&self) -> Act {
        let mut left = self.left.lock().unwrap();
        match left.as_mut() {
            None => return Act::Pass,
            Some(0) => {}
            Some(left) => {
                *left -= 1;
                return Act::Pass;
            }
        }
        self.is_out.notify_one();
        Act::Hang
    }
}

/// What is durable, by the beginnings of digests.
fn durable(server: &Server) -> BTreeSet<String> {
    if !server.store.is_file() {
        return BTreeSet::new();
    }
    let deliveries = Kept::open(&server.store).deliveries().into_iter();
    let digests = deliveries.map(|key| key.split(' ').nth(4).unwrap_or_default().to_owned());
    digests.collect()
}

fn digest(letter: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(letter).iter().take(8) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn check_moved(dovecot: &Dovecot, server: &Server) -> usize {
    let durable = durable(server);
    let moved = dovecot.letters(SUPPORT, "Processed");
    for letter in &moved {
        assert!(
            durable.contains(&digest(letter)),
            "moved before it was durable: {}",
            String::from_utf8_lossy(&letter[..letter.len().min(400)])
        );
    }
    moved.len()
}

async fn live(server: &mut Server, fuse: &Fuse, death: &Death) {
    fuse.set(None);
    match death {
        Death::AtLine(line) => {
            fuse.set(Some(*line));
            server.spawn(&[]);
            // It may have nothing more to say.
            let _ = timeout(PATIENCE, fuse.is_out.notified()).await;
        }
        Death::AtPoint(plan) => {
            let armed = [("SWITCHBOARD_TEST_DIE_AT", plan.as_str())];
            if let Life::Ready(..) = server.start(&armed).await {
                let _ = timeout(PATIENCE, server.ended()).await;
            }
        }
        Death::After(time) => {
            server.spawn(&[]);
            tokio::time::sleep(*time).await;
        }
    }
    server.kill().await;
}

fn write(clients: &mut Clients) -> Vec<Vec<u8>> {
    let long = format!("{}\r\n", "x".repeat(900)).repeat(LONG_BYTES / 900);
    let letters = (0..LETTERS).map(|number| match number {
        7 => clients.longer_letter(&long),
        _ => clients.letter(),
    });
    letters.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_letters_come_in_none_is_lost_or_doubled() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let fuse = Arc::new(Fuse::default());
    let burning = Arc::clone(&fuse);
    let proxy = Proxy::start(dovecot.imap(), move |_, _, _| burning.burn()).await;
    let folder = TempDir::new().unwrap();
    let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
    let line = line(folder.path(), proxy.port(), "");
    let config = std::fs::read_to_string(&server.config).unwrap() + &line;
    std::fs::write(&server.config, config).unwrap();
    let (seed, mut random) = Random::seeded();
    let kills = given("SWITCHBOARD_SOAK_MAIL_KILLS").unwrap_or(KILLS);
    let mut clients = Clients::new(3);
    let mut moved = Vec::new();
    for number in 0..kills {
        if dovecot.letters(SUPPORT, "INBOX").len() < LETTERS {
            dovecot.stock(SUPPORT, write(&mut clients));
        }
        let death = death(number, &mut random);
        live(&mut server, &fuse, &death).await;
        moved.push((format!("{death:?}"), check_moved(&dovecot, &server)));
    }
    fuse.set(None);
    let Life::Ready(..) = server.start(&[]).await else {
        panic!("it does not start again:\n{}", server.said());
    };
    let all = clients.written();
    let kept = Kept::open(&server.store);
    let done = async {
        while dovecot.letters(SUPPORT, "Processed").len() < all || kept.in_state(0) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let done = timeout(Duration::from_mins(1), done).await;
    println!(
        "{}",
        json!({"test": "mail_kills", "seed": seed, "letters": all, "moved": moved})
    );
    done.unwrap_or_else(|_| panic!("letters do not come:\n{}", server.said()));
    assert_eq!(check_moved(&dovecot, &server), all);
    assert_eq!(durable(&server).len(), all);
    assert_eq!(kept.deliveries().len(), all, "each is taken in once");
    assert!(dovecot.letters(SUPPORT, "INBOX").is_empty());
    clients.check(&kept);
    server.stop().await;
}
