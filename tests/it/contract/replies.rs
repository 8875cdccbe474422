//! Many answers to a provider that fails as providers do: all arrive once and in order but
//! for those of which nobody can know, and these are told to be such.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use e2e::Scene;
use e2e::operator::text_of;
use e2e::providers::{Fault, Platform};
use e2e::real::Random;
use proto::channels::v1::DeliveryState;
use proto::inbox::v1 as pb;
use serde::Serialize;
use serde_json::json;

use super::books::{Findings, word, word_in};

/// A call that was not met as it should be so often is met well at last.
const TRIES_MAX: usize = 5;
const STEP_MS: i64 = 5_000;

/// How an answer was met, each time that it was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Met {
    Flood,
    Busy,
    Silent,
    Dropped,
    Taken,
    Well,
}

/// By answers, in the order of the tries.
type Tries = Arc<Mutex<BTreeMap<usize, Vec<Met>>>>;

/// What came of it all.
#[derive(Serialize)]
pub(super) struct Figures {
    platform: &'static str,
    conversations: usize,
    met: BTreeMap<Met, usize>,
    uncertain: usize,
    findings: Findings,
}

/// A client, and what Olga answers them.
struct Talk {
    client: String,
    conversation: String,
    answers: Vec<usize>,
}

pub(super) async fn of_replies_only_the_doubtful_are_uncertain<P: Platform>() {
    replies::<P>(12, 300).await;
}

pub(super) async fn replies<P: Platform>(conversations: u32, replies: usize) -> Figures {
    let mut scene = Scene::<P>::called().await;
    let mut talks = Vec::new();
    for number in 0..conversations {
        let client = P::client(number);
        talks.push(Talk {
            conversation: scene.meets(&client).await,
            client,
            answers: Vec::new(),
        });
    }
    let tries = Tries::default();
    let noted = Arc::clone(&tries);
    scene.provider.desk().plan(move |name, seen| {
        let number = (name == P::SENDS).then(|| word_in(seen))??;
        fault::<P>(meet(number, &mut noted.lock().unwrap()))
    });
    let mut random = Random::new(8);
    for number in 0..replies {
        let at = random.below(u64::from(conversations));
        let talk = &mut talks[usize::try_from(at).unwrap()];
        let text = word(number);
        let said = scene.olga.say(&talk.conversation, &text, &text);
        said.await.unwrap();
        talk.answers.push(number);
    }
    // Time passes as long as anything comes of it.
    while let left @ 1.. = scene.unsent() {
        let are_fewer = |scene: &Scene<P>| {
            scene.provider.desk().hang_up();
            scene.unsent() < left
        };
        scene
            .passes_until("an answer is sent", STEP_MS, are_fewer)
            .await;
    }
    let tries = tries.lock().unwrap().clone();
    assert_eq!(tries.len(), replies);
    judge(&mut scene, &talks, &tries).await
}

/// Compares what was answered with what arrived, and what had to be uncertain with what is.
async fn judge<P: Platform>(
    scene: &mut Scene<P>,
    talks: &[Talk],
    tries: &BTreeMap<usize, Vec<Met>>,
) -> Figures {
    let mut findings = Findings::default();
    let (mut expected, mut uncertain) = (BTreeSet::new(), BTreeSet::new());
    for talk in talks {
        uncertain.extend(uncertain_of(scene, &talk.conversation).await);
        let mut arrives = Vec::new();
        for number in &talk.answers {
            let end = end::<P>(&tries[number]);
            expected.extend(end.is_uncertain.then(|| word(*number)));
            arrives.extend(end.arrives.then(|| word(*number)));
        }
        findings.add(&arrives, &scene.provider.given(&talk.client));
    }
    assert_eq!(uncertain, expected);
    findings.prove(findings.said);
    let mut met = BTreeMap::new();
    for one in tries.values().flatten() {
        *met.entry(*one).or_insert(0) += 1;
    }
    assert_eq!(met.len(), 6, "not everything was met: {met:?}");
    Figures {
        platform: P::KIND,
        conversations: talks.len(),
        met,
        uncertain: uncertain.len(),
        findings,
    }
}

/// Chooses how an answer is met this time: always the same for the same try.
fn meet(number: usize, tries: &mut BTreeMap<usize, Vec<Met>>) -> Met {
    let before = tries.entry(number).or_default();
    let mut random = Random::new((number * TRIES_MAX + before.len()) as u64);
    let met = match random.below(100) {
        _ if before.len() >= TRIES_MAX => Met::Well,
        0..8 => Met::Flood,
        8..16 => Met::Busy,
        16..20 => Met::Silent,
        20..24 => Met::Dropped,
        24..30 => Met::Taken,
        _ => Met::Well,
    };
    before.push(met);
    met
}

fn fault<P: Platform>(met: Met) -> Option<Fault> {
    match met {
        Met::Flood => Some(P::flood().0),
        Met::Busy => Some(Fault::Answer(503, json!("<html>"))),
        Met::Silent => Some(Fault::Hang),
        Met::Dropped => Some(Fault::Dropped),
        Met::Taken => Some(Fault::DoneAndDropped),
        Met::Well => None,
    }
}

/// What has to come of an answer.
struct End {
    arrives: bool,
    is_uncertain: bool,
}

fn end<P: Platform>(tries: &[Met]) -> End {
    let is = |state| state == DeliveryState::Uncertain;
    let last = tries.last().unwrap();
    let was_taken = tries
        .iter()
        .any(|met| matches!(met, Met::Taken | Met::Well));
    End {
        arrives: was_taken,
        is_uncertain: match last {
            Met::Taken => is(P::TAKEN),
            Met::Silent | Met::Dropped => is(P::DROPPED),
            Met::Flood | Met::Busy | Met::Well => false,
        },
    }
}

/// What Olga is told to be uncertain; everything else has to be sent.
async fn uncertain_of<P: Platform>(scene: &mut Scene<P>, conversation: &str) -> Vec<String> {
    let all = scene.olga.messages(conversation).await;
    let ours = all
        .iter()
        .filter(|one| one.direction() == pb::Direction::Outbound);
    let mut uncertain = Vec::new();
    for message in ours {
        match message.delivery() {
            DeliveryState::Sent => {}
            DeliveryState::Uncertain => uncertain.push(text_of(message).to_owned()),
            other => panic!("{other:?}: {message:?}"),
        }
    }
    uncertain
}

#[test]
fn only_what_nobody_can_know_is_uncertain() {
    use e2e::providers::telegram::Telegram;
    use e2e::providers::vk::Vk;

    let ends = |tries: &[Met]| {
        [end::<Telegram>(tries), end::<Vk>(tries)].map(|end| (end.arrives, end.is_uncertain))
    };
    assert_eq!(ends(&[Met::Busy, Met::Well]), [(true, false); 2]);
    assert_eq!(ends(&[Met::Flood, Met::Taken])[0], (true, true));
    assert_eq!(ends(&[Met::Dropped])[0], (false, true));
    assert_eq!(
        ends(&[Met::Silent, Met::Taken, Met::Well])[1],
        (true, false)
    );
}
