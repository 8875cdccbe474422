//! What comes in.

use std::sync::Arc;

use e2e::Scene;
use e2e::operator::text_of;
use e2e::providers::Platform;
use e2e::real::Random;
use futures::future::join_all;

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
        now.iter().for_each(|number| left[*number] -= 1);
        join_all(now.iter().map(|number| scene.brings(&bodies[*number]))).await;
    }
    // The rest in any order, all at once.
    let mut rest: Vec<usize> = Vec::new();
    for (number, left) in left.iter().enumerate() {
        rest.extend(vec![number; *left]);
    }
    rest.sort_by_cached_key(|_| random.number());
    calls += rest.len();
    join_all(rest.iter().map(|number| scene.brings(&bodies[*number]))).await;
    calls
}
