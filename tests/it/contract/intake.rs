//! What comes in.

use std::sync::Arc;

use bytes::Bytes;
use e2e::Scene;
use e2e::operator::text_of;
use e2e::providers::Platform;
use e2e::providers::platform::Albums;
use e2e::real::Random;
use futures::future::join_all;
use proto::inbox::v1::message::Content;

use super::books::Findings;

const CLIENTS: u32 = 4;
const MESSAGES: usize = 10;
/// How often each is told.
const TIMES: usize = 10;

/// Each client's messages come one after the other, as the platform tells them, and the
/// clients' at once; whatever was told is told again at any time.
pub(super) async fn what_is_told_again_is_one_message_each<P: Platform>() {
    let mut scene = Scene::<P>::called().await;
    let mut all = Vec::new();
    for number in 0..CLIENTS {
        let client = P::client(number);
        let text = |number| format!("{client} {number}");
        let texts: Vec<String> = (0..MESSAGES).map(text).collect();
        let bodies = texts.iter().map(|text| scene.provider.words(&client, text));
        let bodies: Arc<[String]> = bodies.collect();
        all.push((texts, bodies));
    }
    let told = all.iter().map(|(_, bodies)| tell(&scene, bodies));
    let told: usize = join_all(told).await.into_iter().sum();
    assert_eq!(told, all.len() * MESSAGES * TIMES);

    let mut findings = Findings::default();
    for _ in &all {
        let conversation = scene.olga.accept().await;
        let shown = scene.olga.messages(&conversation.id).await;
        let shown: Vec<String> = shown.iter().map(|one| text_of(one).to_owned()).collect();
        let mut known = all.iter().map(|(texts, _)| texts);
        let texts = known.find(|texts| texts[0] == shown[0]).unwrap();
        findings.add(texts, &shown);
    }
    findings.prove(all.len() * MESSAGES);
    scene.nobody_else_waits(all.len()).await;
}

/// Tells a client's messages, each several times at once, and again what was told before;
/// answers how many calls were made.
async fn tell<P: Platform>(scene: &Scene<P>, bodies: &[String]) -> usize {
    let mut random = Random::new(7);
    let mut left = vec![TIMES; bodies.len()];
    let mut calls = 0;
    for last in 0..bodies.len() {
        // A retry may begin before the first call has ended.
        let mut now = vec![last; 3];
        for (earlier, left) in left.iter().enumerate().take(last) {
            if *left > 0 && random.once_in(2) {
                now.push(earlier);
            }
        }
        calls += now.len();
        for number in &now {
            left[*number] -= 1;
        }
        join_all(now.iter().map(|number| scene.brings(&bodies[*number]))).await;
    }
    // The rest in any order and under any name, all at once.
    let mut rest: Vec<usize> = Vec::new();
    for (number, left) in left.iter().enumerate() {
        rest.extend(vec![number; *left]);
    }
    rest.sort_by_cached_key(|_| random.number());
    calls += rest.len();
    let rest = rest.iter().map(|number| {
        let body = &bodies[*number];
        if random.once_in(2) {
            scene.provider.renamed(body)
        } else {
            body.clone()
        }
    });
    let rest: Vec<String> = rest.collect();
    join_all(rest.iter().map(|body| scene.brings(body))).await;
    calls
}

/// Forged calls and good ones, all at once.
pub(super) async fn what_is_forged_is_of_nobody<P: Platform>() {
    let mut scene = Scene::<P>::called().await;
    let (anna, boris) = (P::client(0), P::client(1));
    let conversation = scene.meets(&anna).await;
    let body = scene.provider.words(&boris, "forged");
    let forged = scene.provider.forged(&body);
    assert!(forged.len() >= 6, "{forged:?}");
    let texts: Vec<String> = (0..forged.len())
        .map(|number| format!("{number}"))
        .collect();
    let before = scene.journaled();

    let hook = scene.hook();
    let refused = join_all(forged.iter().map(|call| call.post(&hook)));
    let (refused, ()) = tokio::join!(refused, async {
        for text in &texts {
            scene.brings(&scene.provider.words(&anna, text)).await;
        }
    });
    for (call, answer) in forged.iter().zip(refused) {
        assert_eq!(answer.status, 403, "{call:?}");
    }
    scene.olga.hears(texts.last().unwrap()).await;
    let shown = scene.olga.messages(&conversation).await;
    let shown = shown.iter().skip(1).map(|one| text_of(one).to_owned());
    let mut findings = Findings::default();
    findings.add(&texts, &shown.collect::<Vec<_>>());
    findings.prove(texts.len());
    assert_eq!(
        scene.journaled() - before,
        i64::try_from(texts.len()).unwrap()
    );
    scene.nobody_else_waits(1).await;

    // Nothing was wrong with it but that.
    scene.brings(&body).await;
    assert_eq!(scene.olga.accept().await.last_message_text, "forged");
}

pub(super) async fn what_nobody_knows_yet_is_shown_and_what_nobody_can_read_is_kept<P: Platform>() {
    let mut scene = Scene::<P>::called().await;
    let anna = P::client(0);
    let conversation = scene.meets(&anna).await;
    let before = scene.journaled();
    let strange = scene.provider.strange(&anna);
    let odd = P::unreadable().iter().map(|body| (*body).to_owned());
    let all: Vec<String> = strange.iter().cloned().chain(odd).collect();
    for body in all.iter().chain(&all) {
        scene.brings(body).await;
    }
    scene.hears(&anna, "end").await;
    let shown = scene.olga.messages(&conversation).await;
    let (first, rest) = shown.split_first().unwrap();
    let (last, odd) = rest.split_last().unwrap();
    assert_eq!((text_of(first), text_of(last)), (anna.as_str(), "end"));
    assert_eq!(odd.len(), strange.len());
    for message in odd {
        let is_odd = matches!(message.content, Some(Content::Unsupported(_)));
        assert!(is_odd, "{message:?}");
    }
    let kept = i64::try_from(all.len() + 1).unwrap();
    assert_eq!(scene.journaled() - before, kept);
    scene.nobody_else_waits(1).await;
}

pub(super) async fn what_is_too_large_is_refused_and_the_next_is_taken<P: Platform>() {
    let mut scene = Scene::<P>::called().await;
    let anna = P::client(0);
    scene.meets(&anna).await;
    let before = scene.journaled();
    let kind = channels::registry::find(P::KIND).unwrap();
    let text = "x".repeat(kind.descriptor.delivery_bytes_max);
    let call = scene.provider.call(&scene.provider.words(&anna, &text));
    let answer = call.post(&scene.hook()).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("larger than"), "{}", answer.text());
    assert_eq!(scene.journaled(), before);
    scene.hears(&anna, "next").await;
}

/// Pieces come at once, in any order and again.
pub(super) async fn pieces_of_an_album_are_one_message<P: Albums>() {
    const PICTURES: [&str; 5] = ["one", "two", "three", "four", "five"];
    let mut scene = Scene::<P>::called().await;
    let anna = P::client(0);
    let conversation = scene.meets(&anna).await;
    let pictures = PICTURES.map(Bytes::from);
    let mut random = Random::new(9);
    for album in ["first", "second", "third"] {
        let mut pieces = scene.provider.pieces(&anna, album, &pictures);
        pieces.extend(pieces.clone());
        pieces.sort_by_cached_key(|_| random.number());
        join_all(pieces.iter().map(|piece| scene.brings(piece))).await;
    }
    scene.hears(&anna, "end").await;
    let shown = scene.olga.messages(&conversation).await;
    let texts: Vec<&str> = shown.iter().map(text_of).collect();
    assert_eq!(texts, [anna.as_str(), "first", "second", "third", "end"]);
    for album in &shown[1..4] {
        let mut files: Vec<&str> = album
            .attachments
            .iter()
            .map(|file| file.sha256.as_str())
            .collect();
        assert!(files.iter().all(|file| file.len() == 64), "{album:?}");
        files.sort_unstable();
        files.dedup();
        assert_eq!(files.len(), PICTURES.len());
    }
}
