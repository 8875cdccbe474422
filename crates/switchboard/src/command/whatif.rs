//! `switchboard whatif`

mod chart;
mod input;
mod report;
mod sameness;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use domain::message::Medium;
use domain::operator::{CapacityRules, Operator};
use domain::routing::RoutingRules;
use domain::whatif::{Figures, Plan, Recorder, Recording, Seed, run as replay};
use domain::{Millis, OperatorId, QueueId, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Source, WRONG_INPUT, configured};
use crate::cli::WhatifArgs;
use crate::config::Config;
use crate::out;

pub(crate) use input::{Load, Moment, Operators};

/// A load that is made up begins on a Monday.
const MADE_UP_FROM: Timestamp = Timestamp(4 * 86_400_000);

/// What came of all runs.
struct Outcome {
    /// What was and what would be, run by run.
    pairs: Vec<(Arc<Figures>, Figures)>,
    is_changed: bool,
    period: Millis,
    operators: BTreeMap<OperatorId, Arc<Operator>>,
    /// Of these, who is there only in what would be.
    hired: BTreeSet<OperatorId>,
    media: BTreeMap<QueueId, Medium>,
    patience: BTreeMap<QueueId, Millis>,
    capacity: CapacityRules,
}

/// What is asked, read and checked.
struct Question<'a> {
    args: &'a WhatifArgs,
    before: &'a RoutingRules,
    after: RoutingRules,
}

pub(super) fn run(config: &Config, source: &Source, args: &WhatifArgs) -> anyhow::Result<ExitCode> {
    let before = &config.settings.rules;
    let after = match &args.with {
        None => before.clone(),
        Some(file) => {
            let other = Source {
                file: Some(file.clone()),
                environment: source.environment.clone(),
            };
            match configured(&other) {
                Ok(config) => config.settings.rules,
                Err(code) => return Ok(code),
            }
        }
    };
    let known = |queue: &QueueId| before.queues.contains_key(queue);
    let asked = args.operators.iter().map(|it| &it.0.queue);
    let asked = asked.chain(args.synthetic.iter().filter_map(|it| it.queue.as_ref()));
    for queue in asked {
        if !known(queue) {
            out::problem(format_args!(
                "the configuration has no queue `{}`; it has {}",
                queue.as_str(),
                names(before)
            ));
            return Ok(ExitCode::from(WRONG_INPUT));
        }
    }
    let question = Question {
        args,
        before,
        after,
    };
    let outcome = match &args.synthetic {
        Some(load) => question.of_load(load)?,
        None => match question.of_record(config)? {
            Ok(outcome) => outcome,
            Err(code) => return Ok(code),
        },
    };
    out::raw(report::table(&outcome).as_bytes())?;
    if let Some(path) = &args.chart {
        std::fs::write(path, chart::svg(&outcome))
            .with_context(|| format!("writing {}", path.display()))?;
        out::line(format_args!("\nThe chart is in {}.", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn names(rules: &RoutingRules) -> String {
    let names: Vec<&str> = rules.queues.keys().map(|queue| queue.as_str()).collect();
    names.join(", ")
}

impl Question<'_> {
    fn is_changed(&self) -> bool {
        self.after != *self.before || !self.args.operators.is_empty()
    }

    fn plan(&self, after: &RoutingRules, seed: u64) -> Plan {
        Plan {
            before: self.before.clone(),
            after: after.clone(),
            seed: Seed(seed),
        }
    }

    fn staffed<'a>(&self, recording: &'a Recording) -> anyhow::Result<Cow<'a, Recording>> {
        let mut changed = Cow::Borrowed(recording);
        for operators in &self.args.operators {
            let staffing = &operators.0;
            let other = changed.staffed(staffing).with_context(|| {
                format!(
                    "the queue `{}` has nobody to go by in this period, or not so many operators",
                    staffing.queue.as_str()
                )
            })?;
            changed = Cow::Owned(other);
        }
        Ok(changed)
    }

    fn of_load(&self, load: &Load) -> anyhow::Result<Outcome> {
        let first = self.before.queues.keys().next().cloned();
        let queue = load.queue.clone().or(first);
        let mut made_up = load.load.clone();
        made_up.queue = queue.context("the configuration has no queue")?;
        let seeds = u64::from(self.args.seeds);
        let runs = if self.is_changed() { seeds * 2 } else { seeds };
        let period = Millis(i64::from(made_up.hours) * 3_600_000);
        let bar = bar(runs, period)?;
        let mut outcome = Outcome {
            pairs: Vec::new(),
            is_changed: self.is_changed(),
            period,
            operators: BTreeMap::new(),
            hired: BTreeSet::new(),
            media: BTreeMap::from([(made_up.queue.clone(), made_up.medium)]),
            patience: made_up
                .patience
                .map(|it| (made_up.queue.clone(), it))
                .into_iter()
                .collect(),
            capacity: self.before.capacity.clone(),
        };
        for seed in 1..=seeds {
            let recording = made_up.recording(self.before, Seed(seed), MADE_UP_FROM);
            let was = Arc::new(one(&recording, &self.plan(self.before, seed), &bar));
            let changed = self.staffed(&recording)?;
            let is = if self.is_changed() {
                one(&changed, &self.plan(&self.after, seed), &bar)
            } else {
                (*was).clone()
            };
            outcome.people(&recording, &changed);
            outcome.pairs.push((was, is));
        }
        bar.finish_and_clear();
        out::line(format_args!(
            "A load that is made up, {} h, {seeds} runs.",
            made_up.hours
        ))?;
        Ok(outcome)
    }

    fn of_record(&self, config: &Config) -> anyhow::Result<Result<Outcome, ExitCode>> {
        let recording = match self.record(config)? {
            Ok(recording) => recording,
            Err(code) => return Ok(Err(code)),
        };
        let changed = self.staffed(&recording)?;
        let seeds = u64::from(self.args.seeds);
        let period = recording.to().since(recording.from());
        let runs = if self.is_changed() { seeds + 1 } else { 1 };
        let bar = bar(runs, period)?;
        let same = self.plan(self.before, 1);
        let told = follow(&recording, &same, &bar);
        let comparison = told.counted.compare(recording.counted().counts());
        let is_same = told.departed == 0 && comparison.different.is_empty();
        let path = &config.settings.store_path;
        let mut reloads = store::recorded_reloads(path, recording.from(), recording.to())
            .with_context(|| format!("reading the audit log of {}", path.display()))?;
        reloads.retain(|(_, told)| !told.is_empty());
        bar.suspend(|| sameness::tell(&recording, told.departed, &comparison, &reloads))?;
        // What cannot be replayed as it was is compared with what can.
        let was = if is_same {
            Figures::of(recording.counted())
        } else {
            Figures::of(&told.counted)
        };
        let was = Arc::new(was);
        let mut outcome = Outcome {
            pairs: Vec::new(),
            is_changed: self.is_changed(),
            period,
            operators: BTreeMap::new(),
            hired: BTreeSet::new(),
            media: recording.media(),
            patience: BTreeMap::new(),
            capacity: self.before.capacity.clone(),
        };
        for queue in outcome.media.keys() {
            if let Some(patience) = recording.draws().patience(queue) {
                outcome.patience.insert(queue.clone(), patience);
            }
        }
        outcome.people(&recording, &changed);
        if self.is_changed() {
            for seed in 1..=seeds {
                let is = one(&changed, &self.plan(&self.after, seed), &bar);
                outcome.pairs.push((Arc::clone(&was), is));
            }
        } else {
            outcome.pairs.push((Arc::clone(&was), (*was).clone()));
        }
        bar.finish_and_clear();
        Ok(Ok(outcome))
    }

    /// Reads the period from the event log.
    fn record(&self, config: &Config) -> anyhow::Result<Result<Recording, ExitCode>> {
        let path = &config.settings.store_path;
        let wrong = |problem: String| {
            out::problem(problem);
            Ok(Err(ExitCode::from(WRONG_INPUT)))
        };
        if !path.exists() {
            return wrong(format!(
                "there is no store at {}: name its configuration by --config, or make a load up by \
                 --synthetic",
                path.display()
            ));
        }
        let reading = || format!("reading the event log of {}", path.display());
        let Some((first, last)) = store::recorded_period(path).with_context(reading)? else {
            return wrong("the event log is empty: nothing was recorded yet".to_owned());
        };
        let from = self.args.from.map_or(first, |it| it.0);
        let to = self.args.to.map_or(last, |it| it.0);
        if from >= to || from > last || to < first {
            return wrong(format!(
                "nothing is recorded from {} to {}: the event log has {} to {}",
                text(from),
                text(to),
                text(first),
                text(last)
            ));
        }
        let (from, to) = (from.max(first), to.min(last));
        let spinner = ProgressBar::new_spinner().with_message("reading the event log");
        let mut recorder = Recorder::new(from, to);
        store::read_events(path, |event| {
            spinner.inc(1);
            recorder.read(event)
        })
        .with_context(reading)?;
        spinner.finish_and_clear();
        Ok(Ok(recorder.finish()))
    }
}

impl Outcome {
    fn people(&mut self, was: &Recording, is: &Recording) {
        self.operators = is.operators();
        let before = was.operators();
        self.hired = self.operators.keys().copied().collect();
        self.hired.retain(|id| !before.contains_key(id));
        self.operators.extend(before);
    }
}

fn bar(runs: u64, period: Millis) -> anyhow::Result<ProgressBar> {
    let hours = u64::try_from(Figures::hours_of(period)).unwrap_or(0).max(1);
    let style = "{bar:40} {pos}/{len} hours, {eta} left";
    let style = ProgressStyle::with_template(style)?;
    Ok(ProgressBar::new(runs.saturating_mul(hours)).with_style(style))
}

fn one(recording: &Recording, plan: &Plan, bar: &ProgressBar) -> Figures {
    Figures::of(&follow(recording, plan, bar).counted)
}

fn follow(recording: &Recording, plan: &Plan, bar: &ProgressBar) -> domain::whatif::Told {
    let begun = bar.position();
    let hours = |at: Timestamp| Figures::hours_of(at.since(recording.from()));
    let told = replay(
        recording,
        plan,
        |_| {},
        |at| bar.set_position(begun + u64::try_from(hours(at)).unwrap_or(0)),
    );
    bar.set_position(begun + u64::try_from(hours(recording.to())).unwrap_or(0));
    told
}

fn text(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.to_string(), |at| at.to_string())
}
