//! A mailbox of a real mail server is taken in, beside a client that only reads it.

mod check;
mod dovecot;
mod drain;
mod letters;

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;
use tokio::time::Instant;

use crate::Setting;
use crate::figures::{figure, median, note, tell};
use crate::gateway::Gateway;
use crate::http1::Connection;
use crate::machine::{cpu_seconds, load_average, peak_rss_kb};
use check::check;
use dovecot::{Dovecot, SECRET};
use drain::{Drained, drain};
use letters::{SUPPORT, TRUSTED};

/// The mailbox with the letters, and the one with twice as many.
const ONCE: &str = "once";
const TWICE: &str = "twice";
const INTAKE_MAX: Duration = Duration::from_mins(30);
/// From one look at how far the gateway is to the next.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a mailbox has cost the gateway, from its start to the last letter's end.
struct Taken {
    letters: f64,
    seconds: f64,
    cpu: f64,
    peak_rss_kb: f64,
}

impl Taken {
    fn rate(&self) -> f64 {
        self.letters / self.seconds
    }

    fn cpu_per_1000(&self) -> f64 {
        self.cpu / (self.letters / 1_000.0)
    }
}

struct Round {
    drained: Drained,
    once: Taken,
    twice: Taken,
}

impl Round {
    fn limit_rate(&self) -> f64 {
        self.drained.letters as f64 / self.drained.seconds
    }
}

pub(crate) async fn run(setting: &Setting, letters: usize) -> anyhow::Result<()> {
    let before = load_average();
    let mailboxes = [(ONCE, letters), (TWICE, 2 * letters)];
    let dovecot = Dovecot::start(setting, &mailboxes).await?;
    // The server makes its indexes at the first reading, which is nobody's figure.
    for (name, count) in mailboxes {
        let drained = drain(dovecot.address(), name).await?;
        ensure!(
            drained.letters == count,
            "WRONG: the mail server has {} of {count} letters",
            drained.letters
        );
    }
    let mut rounds = Vec::new();
    for number in 1..=setting.rounds {
        let round = Round {
            drained: drain(dovecot.address(), ONCE).await?,
            once: take(setting, &dovecot, ONCE, letters).await?,
            twice: take(setting, &dovecot, TWICE, 2 * letters).await?,
        };
        note(&format!(
            "round {number}: drained {:.0}/s; taken in {:.0}/s, {:.3} CPU-s per 1,000; \
             twice as many {:.0}/s, {:.3} CPU-s per 1,000",
            round.limit_rate(),
            round.once.rate(),
            round.once.cpu_per_1000(),
            round.twice.rate(),
            round.twice.cpu_per_1000(),
        ));
        rounds.push(round);
    }
    crash(setting, &dovecot, letters).await?;
    report(setting, letters, &rounds, before)
}

fn report(setting: &Setting, letters: usize, rounds: &[Round], before: f64) -> anyhow::Result<()> {
    let of = |figure: fn(&Round) -> f64| median(rounds, figure);
    let limit = of(Round::limit_rate);
    let mean = of(|round| round.drained.bytes as f64 / round.drained.letters as f64);
    let rate = of(|round| round.once.rate());
    let ratio = of(|round| round.once.rate() / round.limit_rate());
    let cpu = of(|round| round.once.cpu_per_1000());
    let peak = of(|round| round.once.peak_rss_kb);
    let peak_twice = of(|round| round.twice.peak_rss_kb);
    let seconds_twice = of(|round| round.twice.seconds / round.once.seconds);
    let cpu_twice = of(|round| round.twice.cpu / round.once.cpu);
    let load = load_average();
    tell(
        &format!(
            "mail, {letters} letters: {rate:.0}/s = {ratio:.2} of a bare drain's {limit:.0}/s; \
             {cpu:.3} CPU-s per 1,000; peak RSS {:.0} MB; twice as many take {seconds_twice:.2} \
             times as long, {cpu_twice:.2} times the processor, peak RSS {:.0} MB; kill -9 half-way: \
             none lost or doubled; read once more: none doubled; load {before:.1} to {load:.1}",
            peak / 1_000.0,
            peak_twice / 1_000.0,
        ),
        &json!({
            "workload": "mail",
            "letters": letters,
            "letter_bytes_mean": figure(mean),
            "rounds": setting.rounds,
            "rate": figure(rate),
            "limit_rate": figure(limit),
            "rate_ratio": figure(ratio),
            "cpu_s_per_1000": figure(cpu),
            "peak_rss_mb": figure(peak / 1_000.0),
            "twice_seconds_ratio": figure(seconds_twice),
            "twice_cpu_ratio": figure(cpu_twice),
            "twice_peak_rss_mb": figure(peak_twice / 1_000.0),
            "kill_lost": 0,
            "kill_doubled": 0,
            "again_doubled": 0,
            "load_before": figure(before),
            "load_after": figure(load),
        }),
    )?;
    Ok(())
}

/// Has a new gateway take a mailbox in.
async fn take(
    setting: &Setting,
    dovecot: &Dovecot,
    user: &str,
    count: usize,
) -> anyhow::Result<Taken> {
    let begun = Instant::now();
    let gateway = start(setting, dovecot, user)?;
    until_processed(&gateway, count).await?;
    let taken = Taken {
        letters: count as f64,
        seconds: begun.elapsed().as_secs_f64(),
        cpu: cpu_seconds(gateway.id()),
        peak_rss_kb: peak_rss_kb(gateway.id()),
    };
    check(&gateway, count).await?;
    Ok(taken)
}

/// Kills a gateway half-way and starts it again; then has it read the mailbox once more
/// under another name, by which it knows none of the deliveries, but every letter.
async fn crash(setting: &Setting, dovecot: &Dovecot, count: usize) -> anyhow::Result<()> {
    let mut gateway = start(setting, dovecot, ONCE)?;
    until_processed(&gateway, count / 2).await?;
    gateway.kill()?;
    gateway.start_again()?;
    check(&gateway, count).await.context("after kill -9")?;
    gateway.stop()?;
    gateway.configure(&config(dovecot, ONCE, "again"))?;
    gateway.start_again()?;
    until_processed(&gateway, count).await?;
    let again = check(&gateway, count).await;
    again.context("when it was read once more")
}

fn start(setting: &Setting, dovecot: &Dovecot, user: &str) -> anyhow::Result<Gateway> {
    Gateway::start_with(setting, &config(dovecot, user, user))
}

/// A line that takes in everything of a mailbox; its limits are those that are shipped.
fn config(dovecot: &Dovecot, user: &str, name: &str) -> String {
    format!(
        "\n[[queue]]\nid = \"main\"\n\n[[line]]\nid = \"mail\"\nchannel = \"email\"\nqueue = \"main\"\n\
         address = \"{SUPPORT}\"\ntrusted_servers = [\"{TRUSTED}\"]\n\
         \n[[line.mailbox]]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
         user = \"{user}\"\nname = \"{name}\"\npassword = \"{SECRET}\"\nhistory = \"all\"\n",
        dovecot.address().port()
    )
}

/// Waits until a gateway has processed so many letters since it was started.
async fn until_processed(gateway: &Gateway, count: usize) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut connection = Connection::open(gateway.address()).await?;
    loop {
        let metrics = connection.get("/metrics").await?;
        let value = |name: &str| counted(&metrics, name);
        let dead = value("dead_letters_total ");
        ensure!(dead == 0, "WRONG: {dead} letters could not be read");
        let processed = value("inbound_processing_seconds_count ");
        if processed >= count {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < INTAKE_MAX,
            "WRONG: {processed} of {count} letters were processed, and no more"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn counted(metrics: &str, name: &str) -> usize {
    let mut values = metrics.lines().filter_map(|line| line.strip_prefix(name));
    values
        .next()
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}
