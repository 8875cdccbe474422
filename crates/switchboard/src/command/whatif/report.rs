//! The table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::metrics::{Counts, Thresholds};
use domain::operator::{CapacityRules, Operator};
use domain::whatif::{Difference, Figure, Figures, difference, models, rates};
use domain::{Millis, OperatorId, QueueId};

use super::Outcome;

/// Everything of an outcome, for people to read.
pub(super) fn table(outcome: &Outcome) -> String {
    let mut text = String::new();
    let changed = outcome.is_changed;
    let queues: Vec<&QueueId> = outcome.queues();
    for queue in queues {
        heading(&mut text, &format!("Queue {}", queue.as_str()), changed);
        for figure in Figure::OF_QUEUES {
            let of = |figures: &Figures| {
                let counts = figures.queues.get(queue)?;
                figure.of(counts, Thresholds::default())
            };
            row(&mut text, figure.name(), outcome.differ(of), changed);
        }
        beside(&mut text, outcome, queue);
    }
    heading(
        &mut text,
        "Load: part of the time with work in hand, %",
        changed,
    );
    let of_all = |figures: &Figures| Figure::Occupancy.of(&figures.all, Thresholds::default());
    row(&mut text, "everybody", outcome.differ(of_all), changed);
    for (id, operator) in &outcome.operators {
        let of = |figures: &Figures| {
            let counts = figures.operators.get(id)?;
            Figure::Occupancy.of(counts, Thresholds::default())
        };
        let name = &operator.display_name;
        let is_new = outcome.hired.contains(id);
        let name = if is_new {
            format!("new, like {name}")
        } else {
            name.clone()
        };
        match outcome.differ(of) {
            Some(found) => row(&mut text, &name, Some(found), changed),
            None => alone(&mut text, &name, outcome.would_be(of)),
        }
    }
    text
}

fn heading(text: &mut String, name: &str, changed: bool) {
    let head = if changed {
        format!(
            "\n{name:<44}{:>10}{:>10}{:>12}  80 % of runs",
            "was", "would be", "difference"
        )
    } else {
        format!("\n{name:<44}{:>10}", "was")
    };
    let _ = writeln!(text, "{head}");
}

fn row(text: &mut String, name: &str, found: Option<Difference>, changed: bool) {
    let name: String = name.chars().take(40).collect();
    let _ = match found {
        None => writeln!(text, "  {name:<42}{:>10}", "–"),
        Some(it) if changed => writeln!(
            text,
            "  {name:<42}{:>10.1}{:>10.1}{:>+12.1}  {:+.1} … {:+.1}",
            it.was, it.would_be, it.by, it.low, it.high
        ),
        Some(it) => writeln!(text, "  {name:<42}{:>10.1}", it.was),
    };
}

fn alone(text: &mut String, name: &str, would_be: Option<f64>) {
    let name: String = name.chars().take(40).collect();
    let _ = match would_be {
        None => writeln!(text, "  {name:<42}{:>10}", "–"),
        Some(it) => writeln!(text, "  {name:<42}{:>10}{it:>10.1}", "–"),
    };
}

/// What the formulas say of the mean load, for what was and for what would be.
fn beside(text: &mut String, outcome: &Outcome, queue: &QueueId) {
    let was = (&outcome.was_all(), "was");
    let is = (&outcome.would_be_all(), "would be");
    let both = if outcome.is_changed {
        vec![was, is]
    } else {
        vec![was]
    };
    let mut told = false;
    for (figures, when) in both {
        told |= formulas(text, outcome, queue, figures, when).is_some();
    }
    if told {
        text.push_str(
            "  Erlang C takes it that nobody leaves, so it tells longer waits where clients do.\n  \
             Erlang A takes it that patience is exponential. Both take the mean load as steady,\n  \
             times as exponential, operators as alike and here all the time, and no time to answer.\n",
        );
    }
}

fn formulas(
    text: &mut String,
    outcome: &Outcome,
    queue: &QueueId,
    figures: &Figures,
    when: &str,
) -> Option<()> {
    // Of several runs put together.
    let runs = outcome.runs();
    let period = Millis(outcome.period.0.saturating_mul(runs));
    let counts = figures.queues.get(queue)?;
    let members = members(&outcome.operators, queue);
    let staff = figures.staff(members.keys(), period);
    let slots = slots(
        &members,
        &outcome.capacity,
        outcome.media.get(queue).copied()?,
    );
    let rates = rates(
        counts,
        period,
        staff * slots,
        outcome.patience.get(queue).copied(),
    )?;
    let models = models(rates);
    let servers = rates.servers;
    let load = rates.traffic.load();
    let within = Millis::from_secs(Thresholds::default().target_s());
    let seconds = |time: Millis| f64::from(i32::try_from(time.0).unwrap_or(i32::MAX)) / 1_000.0;
    if let Some(c) = models.c {
        let asa = c.asa().map_or_else(
            || "none: the queue only grows".to_owned(),
            |asa| format!("{:.1} s", seconds(asa)),
        );
        let _ = writeln!(
            text,
            "  {when}: Erlang C of {load:.2} erlangs and {servers} at once: ASA {asa}, service \
             level {:.1} %, occupancy {:.1} %",
            c.service_level(within) * 100.0,
            c.occupancy() * 100.0,
        );
    }
    if let Some(a) = models.a {
        let _ = writeln!(
            text,
            "  {when}: Erlang A with a patience of {:.0} s: abandonment {:.1} %, mean wait {:.1} s, \
             occupancy {:.1} %",
            rates.patience.map_or(0.0, seconds),
            a.abandon_probability() * 100.0,
            seconds(a.mean_wait()),
            a.occupancy() * 100.0,
        );
    }
    Some(())
}

type People = BTreeMap<OperatorId, std::sync::Arc<Operator>>;

fn members(people: &People, queue: &QueueId) -> People {
    let works = |operator: &Operator| operator.memberships.iter().any(|it| it.queue == *queue);
    let them = people.iter().filter(|(_, operator)| works(operator));
    them.map(|(id, operator)| (*id, std::sync::Arc::clone(operator)))
        .collect()
}

/// How many conversations each can answer at once, on the mean.
fn slots(people: &People, rules: &CapacityRules, medium: domain::message::Medium) -> f64 {
    let all: u32 = people
        .values()
        .map(|operator| rules.slots(operator.capacity, medium).min(1_000))
        .sum();
    let count = u32::try_from(people.len()).unwrap_or(u32::MAX).max(1);
    f64::from(all) / f64::from(count)
}

impl Outcome {
    /// Every queue of which something was counted.
    fn queues(&self) -> Vec<&QueueId> {
        let all = self.pairs.iter().flat_map(|(was, is)| {
            let both = was.queues.keys().chain(is.queues.keys());
            both.collect::<Vec<_>>()
        });
        let mut all: Vec<&QueueId> = all.collect();
        all.sort();
        all.dedup();
        all
    }

    fn differ(&self, of: impl Fn(&Figures) -> Option<f64>) -> Option<Difference> {
        difference(self.pairs.iter().map(|(was, is)| (of(was), of(is))))
    }

    fn would_be(&self, of: impl Fn(&Figures) -> Option<f64>) -> Option<f64> {
        let pairs = self.pairs.iter().map(|(_, is)| (Some(0.0), of(is)));
        difference(pairs).map(|it| it.would_be)
    }

    /// Everything that was, of all runs.
    pub(super) fn was_all(&self) -> Figures {
        together(self.pairs.iter().map(|(was, _)| &**was))
    }

    /// Everything that would be, of all runs.
    pub(super) fn would_be_all(&self) -> Figures {
        together(self.pairs.iter().map(|(_, is)| is))
    }

    fn runs(&self) -> i64 {
        i64::try_from(self.pairs.len()).unwrap_or(i64::MAX)
    }
}

fn together<'a>(all: impl Iterator<Item = &'a Figures>) -> Figures {
    let mut sum = Figures::default();
    let add = |to: &mut Counts, from: &Counts| to.merge(from);
    for one in all {
        add(&mut sum.all, &one.all);
        for (key, counts) in &one.queues {
            add(sum.queues.entry(key.clone()).or_default(), counts);
        }
        for (key, counts) in &one.operators {
            add(sum.operators.entry(*key).or_default(), counts);
        }
        for (key, counts) in &one.hours {
            add(sum.hours.entry(*key).or_default(), counts);
        }
    }
    sum
}
