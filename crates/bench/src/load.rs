//! Many connections that submit forms, each the next one as soon as the last one is
//! answered.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures::future::try_join_all;
use tokio::time::Instant;

use crate::dice::{Dice, body};
use crate::figures::Times;
use crate::http1::Connection;

/// Of this many submissions of a connection one is delivered again.
const REPEATABLE: usize = 1_000;
/// The share of exact re-deliveries.
const REPEATED: f64 = 0.3;

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) path: &'static str,
    /// Lines of `path`, `path-1` and so on, to which the connections submit in turn.
    pub(crate) lines: usize,
    pub(crate) connections: usize,
    pub(crate) end: End,
    /// The gateway is going to be killed: an answer that does not come is none.
    pub(crate) may_break: bool,
}

/// When it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    After(Duration),
    /// So many on each connection, none of them twice.
    Count(usize),
}

/// What was answered.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    /// Numbers that were acknowledged.
    pub(crate) numbers: Vec<u64>,
    /// Numbers that were sent and not answered.
    pub(crate) unanswered: Vec<u64>,
    /// Answers, re-deliveries included.
    pub(crate) count: usize,
    pub(crate) times: Times,
    pub(crate) seconds: f64,
}

pub(crate) async fn submit(plan: &Plan) -> anyhow::Result<Answered> {
    let begun = Instant::now();
    let lanes = (0..plan.connections).map(|lane| {
        let plan = plan.clone();
        async move { tokio::spawn(submit_on(plan, lane as u64)).await? }
    });
    let mut all = Answered::default();
    for lane in try_join_all(lanes).await? {
        all.numbers.extend(lane.numbers);
        all.unanswered.extend(lane.unanswered);
        all.count += lane.count;
        all.times.extend(lane.times);
    }
    all.seconds = begun.elapsed().as_secs_f64();
    all.numbers.sort_unstable();
    Ok(all)
}

async fn submit_on(plan: Plan, lane: u64) -> anyhow::Result<Answered> {
    let path = match lane % plan.lines as u64 {
        0 => plan.path.to_owned(),
        number => format!("{}-{number}", plan.path),
    };
    let mut connection = Connection::open(plan.address).await?;
    let mut dice = Dice::new(lane);
    let mut answered = Answered::default();
    let mut repeatable = VecDeque::new();
    let begun = Instant::now();
    loop {
        let share = match plan.end {
            End::After(duration) if begun.elapsed() >= duration => break,
            End::Count(count) if answered.count >= count => break,
            End::After(_) => REPEATED,
            End::Count(_) => 0.0,
        };
        let again = if dice.share() < share {
            let at = dice.below(repeatable.len() as u64);
            repeatable.get(at as usize).copied()
        } else {
            None
        };
        let number = again.unwrap_or((lane + 1) << 24 | answered.numbers.len() as u64);
        let body = body(number);
        let sent = Instant::now();
        match connection.post(&path, &body).await {
            Ok(status) if (200..300).contains(&status) => {
                answered.times.add(sent.elapsed());
                answered.count += 1;
            }
            Ok(status) => bail!("a submission was answered with {status}"),
            Err(_) if plan.may_break => {
                answered.unanswered.push(number);
                break;
            }
            Err(error) => return Err(error).context("submitting"),
        }
        if again.is_none() {
            answered.numbers.push(number);
            repeatable.push_back(number);
            if repeatable.len() > REPEATABLE {
                repeatable.pop_front();
            }
        }
    }
    Ok(answered)
}

/// Whether what is stored is what was acknowledged, each once. What was sent and not
/// answered may be there or not.
pub(crate) fn check_stored(answered: &Answered, stored: &[u64]) -> anyhow::Result<()> {
    let mut pairs = stored.iter().zip(stored.iter().skip(1));
    if let Some((twice, _)) = pairs.find(|(one, next)| one == next) {
        bail!("WRONG: submission {twice} is stored twice");
    }
    let lost: Vec<&u64> = answered
        .numbers
        .iter()
        .filter(|number| stored.binary_search(number).is_err())
        .collect();
    if let Some(first) = lost.first() {
        bail!(
            "WRONG: {} of {} acknowledged submissions are lost, such as {first}",
            lost.len(),
            answered.numbers.len()
        );
    }
    let unknown = stored.iter().find(|number| {
        answered.numbers.binary_search(number).is_err() && !answered.unanswered.contains(number)
    });
    if let Some(unknown) = unknown {
        bail!("WRONG: {unknown} is stored and was never sent");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Answered, check_stored};

    #[test]
    fn a_wrong_run_is_told() {
        let answered = Answered {
            numbers: vec![1, 2],
            unanswered: vec![3],
            ..Answered::default()
        };
        let check = |stored: &[u64]| check_stored(&answered, stored).is_ok();
        assert!(check(&[1, 2]));
        assert!(check(&[1, 2, 3]));
        assert!(!check(&[1, 3]));
        assert!(!check(&[1, 2, 2]));
        assert!(!check(&[1, 2, 4]));
    }
}
