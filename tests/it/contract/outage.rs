//! A provider that is not there for an hour, each while in another way.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use e2e::Scene;
use e2e::operator::text_of;
use e2e::providers::{Fault, Platform};
use e2e::real::Random;
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use serde_json::json;

use super::books::{Findings, word, word_in};

/// What is met while nobody is there.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Nothing: the port is closed.
    Closed,
    /// A word of something that stands before it.
    Busy,
    /// A port that takes everything and says nothing.
    Silent,
}

/// They make an hour.
const WAYS: [Way; 5] = [Way::Closed, Way::Busy, Way::Silent, Way::Busy, Way::Closed];
const EACH_MS: i64 = 12 * 60_000;
const STEP_MS: i64 = 30_000;

/// Answers that met something.
type Met = Arc<Mutex<BTreeSet<String>>>;

/// What a client and Olga say to each other.
struct Talk {
    client: String,
    conversation: String,
    written: Vec<String>,
    answered: Vec<String>,
}

pub(super) async fn an_hour_s_outage_loses_and_doubles_nothing<P: Platform>() {
    let mut scene = Scene::<P>::asking().await;
    let mut talks = Vec::new();
    for number in 0..2 {
        let client = P::client(number);
        talks.push(Talk {
            conversation: scene.meets(&client).await,
            client,
            written: Vec::new(),
            answered: Vec::new(),
        });
    }
    let mut ways = WAYS;
    let mut random = Random::new(P::client(0).len() as u64);
    ways.sort_by_cached_key(|_| random.number());
    let (silent, busy) = (Met::default(), Met::default());
    let mut waiting = Vec::new();
    for (way, number) in ways.into_iter().zip(0..) {
        begin(&scene, way, [&silent, &busy]).await;
        for (talk, at) in talks.iter_mut().zip(0..) {
            waiting.push(talk.go_on(&mut scene, 2 * number + at).await);
        }
        scene.passes(EACH_MS, STEP_MS).await;
        // What is under way would be in doubt.
        if !matches!(way, Way::Silent) {
            let is_quiet = |scene: &Scene<P>| scene.due() == 0;
            scene.passes_until("it is quiet", 0, is_quiet).await;
        }
    }
    scene.provider.desk().shut().await;
    scene.provider.desk().mend();
    scene.provider.desk().reopen().await;
    for body in waiting.into_iter().flatten() {
        scene.brings(&body).await;
    }
    let all_sent = |scene: &Scene<P>| scene.unsent() == 0;
    scene.passes_until("it is sent", STEP_MS, all_sent).await;

    let [silent, busy] = [silent, busy].map(|met| met.lock().unwrap().clone());
    assert!(!busy.is_empty());
    let is_doubtful = P::DROPPED == DeliveryState::Uncertain;
    let doubtful = if is_doubtful { silent } else { BTreeSet::new() };
    assert_eq!(doubtful.is_empty(), !is_doubtful);
    let mut findings = Findings::default();
    for talk in &talks {
        talk.compare(&mut scene, &doubtful, &mut findings).await;
    }
    findings.prove(4 * WAYS.len() - doubtful.len());
}

/// From now on the provider is away in a way.
async fn begin<P: Platform>(scene: &Scene<P>, way: Way, [silent, busy]: [&Met; 2]) {
    let desk = scene.provider.desk();
    desk.shut().await;
    let (met, fault) = match way {
        Way::Closed => return,
        Way::Busy => (Arc::clone(busy), Fault::Answer(503, json!({}))),
        Way::Silent => (Arc::clone(silent), Fault::Hang),
    };
    desk.plan(move |name, seen| {
        if name == P::SENDS {
            met.lock().unwrap().extend(word_in(seen).map(word));
        }
        Some(fault.clone())
    });
    desk.reopen().await;
}

impl Talk {
    /// Both say something; answers what the provider has to tell when it is there again.
    async fn go_on<P: Platform>(&mut self, scene: &mut Scene<P>, number: usize) -> Option<String> {
        let (written, answer) = (format!("written {number}"), word(number));
        let body = scene.provider.words(&self.client, &written);
        self.written.push(written);
        let said = scene.olga.say(&self.conversation, &answer, &answer);
        said.await.unwrap();
        self.answered.push(answer);
        if P::asking(&scene.provider).is_some() {
            scene.provider.tell(&body);
            return None;
        }
        Some(body)
    }

    async fn compare<P: Platform>(
        &self,
        scene: &mut Scene<P>,
        doubtful: &BTreeSet<String>,
        findings: &mut Findings,
    ) {
        let last = self.written.last().unwrap();
        let all = loop {
            let all = scene.olga.messages(&self.conversation).await;
            if all.iter().any(|message| text_of(message) == last) {
                break all;
            }
            scene.olga.hears(last).await;
        };
        let (theirs, ours): (Vec<_>, Vec<_>) = all
            .iter()
            .skip(1)
            .partition(|message| message.direction() == pb::Direction::Inbound);
        let texts: Vec<String> = theirs.iter().map(|one| text_of(one).to_owned()).collect();
        findings.add(&self.written, &texts);
        for message in ours {
            let expected = if doubtful.contains(text_of(message)) {
                DeliveryState::Uncertain
            } else {
                DeliveryState::Sent
            };
            assert_eq!(message.delivery(), expected, "{message:?}");
        }
        let mut sent = self.answered.clone();
        sent.retain(|answer| !doubtful.contains(answer));
        findings.add(&sent, &scene.provider.given(&self.client));
    }
}
