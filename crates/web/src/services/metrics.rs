//! The metrics, from the contract to the engine and back.

use std::collections::BTreeSet;

use domain::metrics::{STEPS_S, Thresholds, metrics};
use domain::operator::CapacityRules;
use domain::{Timestamp, metrics::Metric};
use engine::act::{Grouping, MetricsQuery, MetricsRow};
use engine::contacts::convert::timestamp;
use engine::{Actor, Engine};
use proto::routing::v1 as pb;
use tonic::Status;

use super::{invalid, status};

/// Reads what is asked for.
pub(super) async fn read(
    engine: &Engine,
    actor: &Actor,
    request: pb::GetMetricsRequest,
) -> Result<pb::GetMetricsResponse, Status> {
    let query = query(request)?;
    let soon = query.soon;
    let answer = engine.metrics(actor, query).await.map_err(status)?;
    let settings = engine.settings();
    let rules = &settings.rules.capacity;
    let row = |row: MetricsRow| told(row, soon, rules, answer.of_operators);
    Ok(pb::GetMetricsResponse {
        rows: answer.rows.into_iter().map(row).collect(),
        total: Some(row(answer.total)),
        from: Some(timestamp(answer.hours.0.start())),
        to: Some(timestamp(answer.hours.1.start())),
        service_level_seconds: seconds(soon.target_s()),
        short_abandon_seconds: seconds(soon.short_s()),
    })
}

fn query(request: pb::GetMetricsRequest) -> Result<MetricsQuery, Status> {
    let grouping = grouping(request.grouping());
    let operators = request
        .operator_ids
        .iter()
        .map(|id| super::id(id, "operator"))
        .collect::<Result<BTreeSet<_>, Status>>()?;
    Ok(MetricsQuery {
        from: moment(request.from, "from")?,
        to: moment(request.to, "to")?,
        grouping,
        time_zone: request.time_zone,
        queues: names(&request.queue_ids),
        lines: names(&request.line_ids),
        channels: request.channels.into_iter().collect(),
        operators,
        soon: soon(request.service_level_seconds, request.short_abandon_seconds)?,
    })
}

fn names<'a, T: From<&'a str> + Ord>(names: &'a [String]) -> BTreeSet<T> {
    names.iter().map(|name| T::from(name.as_str())).collect()
}

fn moment(given: Option<prost_types::Timestamp>, field: &'static str) -> Result<Timestamp, Status> {
    let given = given.ok_or_else(|| invalid(field, "give a time"))?;
    let ms = given.seconds.checked_mul(1_000);
    let ms = ms.and_then(|ms| ms.checked_add(i64::from(given.nanos / 1_000_000)));
    // Far beyond any day that could be meant, and far from the end of numbers.
    let sane = ms.filter(|ms| (0..=253_402_300_799_000).contains(ms));
    sane.map(Timestamp)
        .ok_or_else(|| invalid(field, "give a time between 1970 and 9999"))
}

fn soon(target_s: i32, short_s: i32) -> Result<Thresholds, Status> {
    let usual = Thresholds::default();
    let or = |given: i32, usual: i64| if given == 0 { usual } else { i64::from(given) };
    let target = or(target_s, usual.target_s());
    let short = or(short_s, usual.short_s());
    Thresholds::new(target, short).ok_or_else(|| {
        let field = if STEPS_S.contains(&target) {
            "short_abandon_seconds"
        } else {
            "service_level_seconds"
        };
        let steps: Vec<_> = STEPS_S.iter().map(i64::to_string).collect();
        invalid(field, format!("give one of {}", steps.join(", ")))
    })
}

const fn grouping(grouping: pb::MetricsGrouping) -> Grouping {
    match grouping {
        pb::MetricsGrouping::Unspecified => Grouping::Nothing,
        pb::MetricsGrouping::ByHour => Grouping::Hour,
        pb::MetricsGrouping::ByDay => Grouping::Day,
        pb::MetricsGrouping::ByHourOfDay => Grouping::HourOfDay,
        pb::MetricsGrouping::ByQueue => Grouping::Queue,
        pb::MetricsGrouping::ByLine => Grouping::Line,
        pb::MetricsGrouping::ByChannel => Grouping::Channel,
        pb::MetricsGrouping::ByOperator => Grouping::Operator,
    }
}

fn told(
    row: MetricsRow,
    soon: Thresholds,
    rules: &CapacityRules,
    of_operators: bool,
) -> pb::MetricsRow {
    let all = metrics(&row.counts, soon, rules, of_operators);
    pb::MetricsRow {
        key: row.key,
        starts_at: row.starts_at.map(timestamp),
        metrics: all.iter().map(metric).collect(),
    }
}

fn metric(metric: &Metric) -> pb::Metric {
    pb::Metric {
        name: metric.name.to_owned(),
        value: metric.value(),
        numerator: metric.numerator,
        denominator: metric.denominator,
        formula: metric.formula.to_owned(),
        unit: metric.unit.name().to_owned(),
    }
}

fn seconds(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
