//! What is typed after `whatif`.

use std::str::FromStr;

use domain::message::Medium;
use domain::whatif::{Staffing, Synthetic};
use domain::{Millis, QueueId, Timestamp};

/// The most conversations of a load that is made up.
const ARRIVALS_MAX: f64 = 2_000_000.0;

/// A moment: a date, which begins at midnight by UTC, or a date and a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let moment = text.parse::<jiff::Timestamp>().or_else(|_| {
            let date = text.parse::<jiff::civil::Date>()?;
            let midnight = date.to_zoned(jiff::tz::TimeZone::UTC)?;
            Ok::<_, jiff::Error>(midnight.timestamp())
        });
        let moment = moment.map_err(|_| {
            "write a date such as 2026-03-02, or a date and a time with its zone such as \
             2026-03-02T09:00:00Z"
                .to_owned()
        })?;
        Ok(Self(Timestamp(moment.as_millisecond())))
    }
}

/// Operators more or fewer, as `+2:main`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operators(pub(crate) Staffing);

impl FromStr for Operators {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let problem = || "write how many and the queue, such as +2:main or -1:sales".to_owned();
        let (by, queue) = text.split_once(':').ok_or_else(problem)?;
        let is_signed = by.starts_with(['+', '-']);
        let by: i32 = by.parse().map_err(|_| problem())?;
        if !is_signed || by == 0 || queue.is_empty() {
            return Err(problem());
        }
        if by.unsigned_abs() > 1_000 {
            return Err("at most 1000 operators more or fewer".to_owned());
        }
        Ok(Self(Staffing {
            queue: QueueId::from(queue),
            by,
        }))
    }
}

/// A load that is made up, as `arrivals-per-hour=60,aht=180,operators=5`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Load {
    /// None: the first queue of the configuration.
    pub(crate) queue: Option<QueueId>,
    pub(crate) load: Synthetic,
}

impl FromStr for Load {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut queue = None;
        let mut load = Synthetic {
            queue: QueueId::from(""),
            medium: Medium::Voice,
            arrivals_per_hour: 0.0,
            aht: Millis(0),
            patience: None,
            operators: 0,
            capacity: 100,
            hours: 8,
            answer: Millis(0),
            declined: 0.0,
            missed: 0.0,
        };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` is not a key with its value, such as aht=180"))?;
            match key {
                "queue" => queue = Some(QueueId::from(value)),
                "medium" => load.medium = medium(value)?,
                "arrivals-per-hour" => load.arrivals_per_hour = number(key, value, 0.01, 1e6)?,
                "aht" => load.aht = span(key, value, 1.0)?,
                "patience" => load.patience = Some(span(key, value, 1.0)?),
                "operators" => load.operators = count(key, value, 1_000)?,
                "capacity" => load.capacity = count(key, value, 10_000)?,
                "hours" => load.hours = count(key, value, 8_784)?,
                "answer" => load.answer = span(key, value, 0.0)?,
                "declined" => load.declined = number(key, value, 0.0, 1.0)?,
                "missed" => load.missed = number(key, value, 0.0, 1.0)?,
                _ => {
                    return Err(format!(
                        "`{key}` is not known; there are arrivals-per-hour, aht, patience, \
                         operators, hours, queue, medium, capacity, answer, declined, missed"
                    ));
                }
            }
        }
        if load.arrivals_per_hour <= 0.0 || load.aht.0 == 0 || load.operators == 0 {
            return Err("arrivals-per-hour, aht and operators are needed".to_owned());
        }
        if load.arrivals_per_hour * f64::from(load.hours) > ARRIVALS_MAX {
            return Err("more than 2000000 conversations: take fewer hours".to_owned());
        }
        if load.declined + load.missed > 1.0 {
            return Err("declined and missed are shares of the same offers: at most 1".to_owned());
        }
        Ok(Self { queue, load })
    }
}

fn medium(value: &str) -> Result<Medium, String> {
    let found = Medium::ALL.into_iter().find(|it| it.name() == value);
    found.ok_or_else(|| {
        let names: Vec<&str> = Medium::ALL.iter().map(|it| it.name()).collect();
        format!("medium: one of {}", names.join(", "))
    })
}

fn number(key: &str, value: &str, least: f64, most: f64) -> Result<f64, String> {
    let parsed = value.parse::<f64>().ok();
    parsed
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("{key}: a number from {least} to {most}"))
}

fn count(key: &str, value: &str, most: u32) -> Result<u32, String> {
    let parsed = value.parse::<u32>().ok();
    parsed
        .filter(|number| (1..=most).contains(number))
        .ok_or_else(|| format!("{key}: a whole number from 1 to {most}"))
}

#[expect(clippy::cast_possible_truncation, reason = "at most a day")]
fn span(key: &str, value: &str, least: f64) -> Result<Millis, String> {
    let seconds = number(key, value, least, 86_400.0)
        .map_err(|_| format!("{key}: seconds, from {least} to 86400"))?;
    Ok(Millis((seconds * 1_000.0).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::{Load, Moment, Operators};

    #[test]
    fn what_is_wrong_is_told() {
        for (text, problem) in [
            ("", "are needed"),
            ("aht", "not a key with its value"),
            ("aht=0", "seconds, from 1"),
            ("aht=NaN", "seconds, from 1"),
            ("operators=1001", "from 1 to 1000"),
            ("speed=3", "is not known"),
            ("medium=pigeon", "one of voice"),
            (
                "arrivals-per-hour=1e6,aht=1,operators=1",
                "take fewer hours",
            ),
        ] {
            let error = text.parse::<Load>().expect_err(text);
            assert!(error.contains(problem), "{text}: {error}");
        }
        for text in ["2:main", "+0:main", "+2", "+2:", "+two:main", "+1001:main"] {
            text.parse::<Operators>().expect_err(text);
        }
        for text in ["yesterday", "2026-02-30", "2026-03-02T25:00Z"] {
            text.parse::<Moment>().expect_err(text);
        }
    }

    #[test]
    fn what_is_right_is_read() {
        let load: Load = "arrivals-per-hour=200,aht=180,operators=14,patience=90,medium=chat"
            .parse()
            .expect("a load");
        assert_eq!(load.load.aht.0, 180_000);
        assert_eq!(load.load.patience.map(|it| it.0), Some(90_000));
        let fewer: Operators = "-2:sales".parse().expect("fewer");
        assert_eq!((fewer.0.by, fewer.0.queue.as_str()), (-2, "sales"));
        let midnight: Moment = "2026-03-02".parse().expect("a date");
        let same: Moment = "2026-03-02T00:00:00Z".parse().expect("a moment");
        assert_eq!(midnight, same);
    }
}
