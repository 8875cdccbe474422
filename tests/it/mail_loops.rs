//! Machines that answer machines come to an end: a client hears from the gateway by
//! itself at most once a day, whatever answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::operator::Role;
use domain::text::Localized;
use e2e::mail::{
    Dovecot, Manner, Peer, Post, SUPPORT, contains, gateway_with, letter, never, section_of,
    settled,
};
use e2e::operator::text_of;
use e2e::{OperatorClient, TestGateway, or_skip};
use proto::inbox::v1::event::Kind;
use serde_json::json;

const OTHER: &str = "desk@other.test";
const ANNA: &str = "anna@client.test";
const HOUR_MS: i64 = 3_600_000;
const CLOSED: &str = "We are closed until Monday.";

/// A gateway that is closed and says so, and somebody who watches what comes.
struct Desk {
    gateway: TestGateway,
    watcher: OperatorClient,
    heard: Vec<String>,
}

impl Desk {
    async fn open(address: &str, dovecot: &Dovecot, smtp: u16) -> Self {
        let section = section_of(address, dovecot.imap(), smtp, "");
        let gateway = gateway_with(&section, |settings| {
            let main = settings.rules.queues.get_mut(&"main".into()).unwrap();
            main.hours = Some(never());
            main.closed_reply = Some(Arc::new(Localized::new(CLOSED)));
        })
        .await;
        let watcher = gateway.person("boss", Role::Supervisor, &["main"]).await;
        Self {
            gateway,
            watcher,
            heard: Vec::new(),
        }
    }

    async fn hears(&mut self, text: &str) {
        while !self.heard.iter().any(|heard| heard == text) {
            let heard = self.watcher.wait_for(text, |kind| match kind {
                Kind::MessageAdded(message) => Some(text_of(&message).trim_end().to_owned()),
                _ => None,
            });
            self.heard.push(heard.await);
        }
    }
}

/// How many letters that no person wrote each address was sent.
fn automatic(posts: &[Post]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for post in posts.iter().filter(|post| contains(&post.letter, CLOSED)) {
        for recipient in &post.recipients {
            // Tokens are of a thread, not of a person.
            let (local, domain) = recipient.split_once('@').unwrap();
            let local = local.split('+').next().unwrap();
            *counts.entry(format!("{local}@{domain}")).or_default() += 1;
        }
    }
    counts
}

async fn two_gateways(manner: Manner) -> Option<BTreeMap<String, usize>> {
    let dovecot = match Dovecot::start(&[SUPPORT, OTHER]).await {
        Ok(dovecot) => dovecot,
        Err(reason) => {
            eprintln!("skipped: mail_loops: {reason}");
            return None;
        }
    };
    let wire = Peer::start(manner, dovecot.lmtp()).await;
    let mut ours = Desk::open(SUPPORT, &dovecot, wire.port()).await;
    let mut theirs = Desk::open(OTHER, &dovecot, wire.port()).await;
    for hour in 0..24 {
        let text = format!("a person, hour {hour}");
        let id = format!("{hour}@person.test");
        dovecot
            .deliver(SUPPORT, &letter(OTHER, SUPPORT, &id, "x", &text))
            .await;
        dovecot
            .deliver(OTHER, &letter(SUPPORT, OTHER, &id, "x", &text))
            .await;
        ours.hears(&text).await;
        // A letter from itself to itself is nothing for a person, and is kept.
        theirs.hears(&text).await;
        for desk in [&ours, &theirs] {
            settled(&desk.gateway).await;
            desk.gateway.clock().advance(HOUR_MS);
        }
    }
    // What one sent last, the other has read before these.
    for round in 0..3 {
        let text = format!("the end, {round}");
        let id = format!("end{round}@person.test");
        dovecot
            .deliver(OTHER, &letter(ANNA, OTHER, &id, "x", &text))
            .await;
        theirs.hears(&text).await;
        settled(&theirs.gateway).await;
        dovecot
            .deliver(SUPPORT, &letter(ANNA, SUPPORT, &id, "x", &text))
            .await;
        ours.hears(&text).await;
        settled(&ours.gateway).await;
    }
    let mut counts = automatic(&wire.posts());
    // Both told the person of the last rounds once; she has no mailbox to answer from.
    counts.remove(ANNA);
    eprintln!(
        "{}",
        json!({"test": "mail_loop", "manner": format!("{manner:?}"), "automatic": counts})
    );
    Some(counts)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_stop_after_a_letter_each() {
    if let Some(counts) = two_gateways(Manner::Relay).await {
        let expected = [SUPPORT, OTHER].map(|address| (address.to_owned(), 1));
        assert_eq!(counts, expected.into());
    }
}

/// The wire takes out what says that a machine wrote it.
#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_stop_though_nothing_tells_them_apart_from_people() {
    if let Some(counts) = two_gateways(Manner::RudeRelay).await {
        let expected = [SUPPORT, OTHER].map(|address| (address.to_owned(), 1));
        assert_eq!(counts, expected.into());
    }
}

/// A client who writes every two hours, and whose program answers everything.
async fn who_is_answered(manner: Manner) {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let peer = Peer::start(manner, dovecot.lmtp()).await;
    let mut desk = Desk::open(SUPPORT, &dovecot, peer.port()).await;
    for number in 0..12 {
        let text = format!("a person, letter {number}");
        let id = format!("{number}@client.test");
        let letter = letter(ANNA, SUPPORT, &id, "x", &text);
        dovecot.deliver(SUPPORT, &letter).await;
        desk.hears(&text).await;
        settled(&desk.gateway).await;
        desk.gateway.clock().advance(2 * HOUR_MS);
    }
    let counts = automatic(&peer.posts());
    let manner = format!("{manner:?}");
    eprintln!(
        "{}",
        json!({"test": "mail_responder", "manner": manner, "automatic": counts})
    );
    assert_eq!(counts, [(ANNA.to_owned(), 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_program_says_what_it_is_is_told_once_a_day() {
    who_is_answered(Manner::Vacation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_program_passes_for_a_person_is_told_once_a_day() {
    who_is_answered(Manner::RudeVacation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_from_whom_letters_come_back_is_told_once_a_day() {
    who_is_answered(Manner::Bounce).await;
}
