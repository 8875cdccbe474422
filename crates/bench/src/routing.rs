//! What waits, matched with who is free: `settle` in memory, and a queue in the
//! store drained by operators who become Ready.

use serde_json::{Value, json};

use crate::Setting;
use crate::drain::{self, GIVEN_TO, Given, OFFERED_TO, Offered};
use crate::figures::{figure, median, note, say, tell};
use crate::instructions;
use crate::machine::load_average;
use crate::matching::{Floor, QUEUES, SKILLS, all_at_once};

const WAITING: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// Queues in the store. What happens in one is told to everybody who works for it.
const OFFERED_IN: [usize; 2] = [20, 1];
/// How many become free at once while everybody else is busy.
const FREED: u64 = 100;
const PASSES: u32 = 50;
/// The same, when instructions are counted.
const COUNTED_FREE: [u64; 3] = [1, FREED, 1_000];

/// What was measured with so many that wait.
struct InMemory {
    decisions: usize,
    /// Decisions in a second of a processor, with everybody free.
    rate: f64,
    /// Microseconds of a processor for a decision, when some become free.
    freed_us: f64,
}

pub(crate) async fn run(setting: &Setting, operators: usize) -> anyhow::Result<()> {
    let before = load_average();
    let mut in_memory: [Vec<InMemory>; WAITING.len()] = Default::default();
    let mut given = Vec::new();
    let mut offered: [Vec<Offered>; OFFERED_IN.len()] = Default::default();
    for round in 1..=setting.rounds {
        for (rounds, waiting) in in_memory.iter_mut().zip(WAITING) {
            let seed = round as u64;
            let (decisions, rate) = all_at_once(waiting, operators, seed)?;
            let (_, freed_us) = Floor::new(waiting, operators, seed).run(FREED, PASSES);
            rounds.push(InMemory {
                decisions,
                rate,
                freed_us,
            });
        }
        let direct = drain::give(setting).await?;
        note(&format!("round {round}: given {:.0}/s", direct.rate));
        given.push(direct);
        for (rounds, queues) in offered.iter_mut().zip(OFFERED_IN) {
            let drained = drain::offer(setting, queues).await?;
            note(&format!(
                "round {round}, {queues} queues: offered {:.0}/s, p99 {:.1} ms",
                drained.rate, drained.p99_ms
            ));
            rounds.push(drained);
        }
    }
    tell_in_memory(operators, &in_memory)?;
    tell_given(&given)?;
    for (rounds, queues) in offered.iter().zip(OFFERED_IN) {
        tell_offered(queues, rounds)?;
    }
    tell_instructions(setting)?;
    note(&format!("load {before:.1} to {:.1}", load_average()));
    Ok(())
}

fn tell_in_memory(operators: usize, in_memory: &[Vec<InMemory>]) -> anyhow::Result<()> {
    let of = |figure: fn(&InMemory) -> f64| -> Vec<f64> {
        let sizes = in_memory.iter();
        sizes.map(|rounds| median(rounds, figure)).collect()
    };
    let (rates, freed) = (of(|round| round.rate), of(|round| round.freed_us));
    let sizes: Vec<Value> = WAITING
        .iter()
        .zip(in_memory)
        .zip(rates.iter().zip(&freed))
        .map(|((waiting, rounds), (rate, freed))| {
            json!({
                "waiting": waiting,
                "decisions": rounds.first().map(|round| round.decisions),
                "rate": figure(*rate),
                "decision_us_when_100_become_free": figure(*freed),
            })
        })
        .collect();
    tell(
        &format!(
            "routing in memory, {operators} operators, {QUEUES} queues, with 100, 1,000, 10,000 \
             and 100,000 waiting: {:.0}, {:.0}, {:.0} and {:.0} decisions in a processor's \
             second, everybody free; {:.2}, {:.2}, {:.2} and {:.2} µs for a decision when \
             {FREED} become free; load {:.1}",
            rates[0],
            rates[1],
            rates[2],
            rates[3],
            freed[0],
            freed[1],
            freed[2],
            freed[3],
            load_average()
        ),
        &json!({
            "workload": "routing in memory",
            "operators": operators,
            "queues": QUEUES,
            "skills": SKILLS.len(),
            "sizes": sizes,
            "decision_cost_at_100_000_of_1_000": figure(freed[3] / freed[1]),
            "load": figure(load_average()),
        }),
    )?;
    Ok(())
}

/// What a decision costs whoever else uses the processor: instructions, by how many
/// wait and how many become free at once.
fn tell_instructions(setting: &Setting) -> anyhow::Result<()> {
    let mut ratios = Vec::new();
    let mut tables = Vec::new();
    for free in COUNTED_FREE {
        let mut counts = Vec::new();
        for waiting in WAITING {
            let Some(count) = instructions::of_a_decision(setting, waiting, free)? else {
                note("instructions are not counted: there is no valgrind");
                return Ok(());
            };
            note(&format!(
                "{free} free, {waiting} waiting: {count:.0} instructions"
            ));
            counts.push(count);
        }
        ratios.push(counts[3] / counts[1]);
        tables.push(counts);
    }
    let told = |counts: &Vec<f64>| counts.iter().map(|it| figure(*it)).collect::<Value>();
    tell(
        &format!(
            "routing, instructions of a decision with 100,000 waiting: {:.0}, {:.0} and {:.0} \
             when 1, 100 and all 1,000 operators become free = {:.2}, {:.2} and {:.2} of those \
             with 1,000 waiting",
            tables[0][3], tables[1][3], tables[2][3], ratios[0], ratios[1], ratios[2]
        ),
        &json!({
            "workload": "routing, instructions",
            "waiting": WAITING,
            "decision_when_1_becomes_free": told(&tables[0]),
            "decision_when_100_become_free": told(&tables[1]),
            "decision_when_all_are_free": told(&tables[2]),
            "at_100_000_of_1_000": ratios.iter().map(|it| figure(*it)).collect::<Value>(),
        }),
    )?;
    Ok(())
}

fn tell_given(given: &[Given]) -> anyhow::Result<()> {
    let rate = median(given, |round| round.rate);
    let cpu = median(given, |round| round.cpu);
    tell(
        &format!(
            "routing in the store, {} waiting, given to {GIVEN_TO} who become Ready at once: \
             {rate:.0}/s, {cpu:.3} CPU-s per 1,000; none overtook; load {:.1}",
            drain::WAITING,
            load_average()
        ),
        &json!({
            "workload": "routing, given",
            "rounds": given.len(),
            "waiting": drain::WAITING,
            "operators": GIVEN_TO,
            "rate": figure(rate),
            "cpu_s_per_1000": figure(cpu),
            "overtakes": 0,
            "fdatasync_p50_ms": figure(median(given, |round| round.sync_p50_ms)),
            "load": figure(load_average()),
        }),
    )?;
    Ok(())
}

fn tell_offered(queues: usize, offered: &[Offered]) -> anyhow::Result<()> {
    let of = |figure: fn(&Offered) -> f64| median(offered, figure);
    let (rate, cpu) = (of(|round| round.rate), of(|round| round.cpu));
    let (p50, p99) = (of(|round| round.p50_ms), of(|round| round.p99_ms));
    let (call_p50, call_p99) = (of(|round| round.call_p50_ms), of(|round| round.call_p99_ms));
    tell(
        &format!(
            "routing in the store, {} waiting in {queues} queues, offered to {OFFERED_TO} who \
             become Ready at once, accept and finish: {rate:.0}/s, {cpu:.3} CPU-s per 1,000; from \
             the answer that somebody is free to the offer p50 {p50:.1} ms, p99 {p99:.1} ms; from \
             the call {call_p50:.1} and {call_p99:.1} ms; none overtook; load {:.1}",
            drain::WAITING,
            load_average(),
        ),
        &json!({
            "workload": "routing, offered",
            "rounds": offered.len(),
            "waiting": drain::WAITING,
            "queues": queues,
            "operators": OFFERED_TO,
            "rate": figure(rate),
            "cpu_s_per_1000": figure(cpu),
            "answer_to_offer_p50_ms": figure(p50),
            "answer_to_offer_p99_ms": figure(p99),
            "call_to_offer_p50_ms": figure(call_p50),
            "call_to_offer_p99_ms": figure(call_p99),
            "overtakes": 0,
            "judged_by_the_proof": offered.iter().map(|round| round.judged).collect::<Vec<_>>(),
            "load": figure(load_average()),
        }),
    )?;
    Ok(())
}

/// The child whose instructions are counted: so many passes on a floor.
pub(crate) fn settle(waiting: usize, free: u64, passes: u32) -> anyhow::Result<()> {
    let mut floor = Floor::new(waiting, 1_000, 1);
    let decisions: usize = (0..passes).map(|_| floor.pass(free)).sum();
    say(&decisions.to_string())?;
    Ok(())
}
