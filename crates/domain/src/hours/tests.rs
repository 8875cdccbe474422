use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn at(text: &str) -> Timestamp {
    let moment: jiff::Timestamp = text.parse().expect("a moment");
    Timestamp(moment.as_millisecond())
}

/// The same hours from Monday to Friday, others on Saturday and Sunday.
fn schedule(zone: &str, workday: &str, weekend: &str, holidays: &[&str]) -> Schedule {
    let hours = [
        workday, workday, workday, workday, workday, weekend, weekend,
    ];
    Schedule::new(
        zone.parse().expect("a zone"),
        hours.map(|hours| hours.parse().expect("hours")),
        holidays
            .iter()
            .map(|holiday| holiday.parse().expect("a holiday"))
            .collect(),
    )
}

/// Told as a person there would tell it.
fn told(schedule: &Schedule, moment: Option<Timestamp>) -> String {
    moment.map_or_else(
        || "never".to_owned(),
        |moment| {
            let moment = jiff::Timestamp::from_millisecond(moment.0).expect("a moment");
            let zone = TimeZoneDatabase::bundled()
                .get(schedule.zone().name())
                .expect("a zone");
            let there = moment.to_zoned(zone);
            there.strftime("%F %H:%M %:z").to_string()
        },
    )
}

/// Moment, next opening, next closing.
#[track_caller]
fn check(schedule: &Schedule, cases: &[(&str, &str, &str)]) {
    for (moment, opens, closes) in cases {
        let now = at(moment);
        let opening = schedule.next_opening(now);
        let closing = schedule.next_closing(now);
        assert_eq!(told(schedule, opening), *opens, "opening after {moment}");
        assert_eq!(told(schedule, closing), *closes, "closing after {moment}");
        assert_eq!(schedule.is_open(now), opening == Some(now), "at {moment}");
        assert_eq!(schedule.is_open(now), closing != Some(now), "at {moment}");
    }
}

#[test]
fn a_week_in_moscow() {
    let office = schedule("Europe/Moscow", "09:00-13:00, 14:00-18:00", "closed", &[]);
    check(
        &office,
        &[
            // A Thursday.
            (
                "2026-11-26T05:59:59.999Z",
                "2026-11-26 09:00 +03:00",
                "2026-11-26 08:59 +03:00",
            ),
            (
                "2026-11-26T06:00:00Z",
                "2026-11-26 09:00 +03:00",
                "2026-11-26 13:00 +03:00",
            ),
            (
                "2026-11-26T09:59:59.999Z",
                "2026-11-26 12:59 +03:00",
                "2026-11-26 13:00 +03:00",
            ),
            (
                "2026-11-26T10:00:00Z",
                "2026-11-26 14:00 +03:00",
                "2026-11-26 13:00 +03:00",
            ),
            (
                "2026-11-27T15:00:00Z",
                "2026-11-30 09:00 +03:00",
                "2026-11-27 18:00 +03:00",
            ),
            (
                "2026-11-29T21:30:00Z",
                "2026-11-30 09:00 +03:00",
                "2026-11-30 00:30 +03:00",
            ),
        ],
    );
}

#[test]
fn kamchatka_is_half_a_day_ahead() {
    let office = schedule(
        "Asia/Kamchatka",
        "09:00-18:00",
        "10:00-15:00",
        &["01-01..01-08"],
    );
    check(
        &office,
        &[
            // There it is Friday already, and Monday while it is Sunday in Moscow.
            (
                "2026-11-26T21:00:00Z",
                "2026-11-27 09:00 +12:00",
                "2026-11-27 18:00 +12:00",
            ),
            (
                "2026-11-27T06:00:00Z",
                "2026-11-28 10:00 +12:00",
                "2026-11-27 18:00 +12:00",
            ),
            (
                "2026-11-29T21:00:00Z",
                "2026-11-30 09:00 +12:00",
                "2026-11-30 18:00 +12:00",
            ),
            // New Year comes while others still work.
            (
                "2026-12-31T12:00:00Z",
                "2027-01-09 10:00 +12:00",
                "2027-01-01 00:00 +12:00",
            ),
        ],
    );
    // The clock was moved from +12 to +11 in 2010, and back in 2011.
    check(
        &office,
        &[
            (
                "2010-06-01T22:00:00Z",
                "2010-06-02 10:00 +12:00",
                "2010-06-02 18:00 +12:00",
            ),
            (
                "2010-12-01T22:00:00Z",
                "2010-12-02 09:00 +11:00",
                "2010-12-02 18:00 +11:00",
            ),
        ],
    );
}

#[test]
fn the_hour_that_berlin_skips() {
    // On 29 March 2026 the clock goes from 02:00 to 03:00.
    let inside = schedule("Europe/Berlin", "closed", "02:30-04:00", &[]);
    check(
        &inside,
        &[
            (
                "2026-03-29T00:59:59Z",
                "2026-03-29 03:00 +02:00",
                "2026-03-29 01:59 +01:00",
            ),
            (
                "2026-03-29T01:00:00Z",
                "2026-03-29 03:00 +02:00",
                "2026-03-29 04:00 +02:00",
            ),
        ],
    );
    let whole = schedule("Europe/Berlin", "closed", "02:00-03:00", &[]);
    check(
        &whole,
        &[(
            "2026-03-28T12:00:00Z",
            "2026-04-04 02:00 +02:00",
            "2026-03-28 13:00 +01:00",
        )],
    );
    let night = schedule("Europe/Berlin", "22:00-06:00", "22:00-06:00", &[]);
    let (begin, end) = (at("2026-03-28T21:00:00Z"), at("2026-03-29T04:00:00Z"));
    assert_eq!(
        night.next_closing(begin),
        Some(end),
        "seven hours, not eight"
    );
}

#[test]
fn the_hour_that_berlin_has_twice() {
    // On 25 October 2026 the clock goes from 03:00 to 02:00.
    let opens_inside = schedule("Europe/Berlin", "closed", "02:30-05:00", &[]);
    check(
        &opens_inside,
        &[
            (
                "2026-10-25T00:29:59Z",
                "2026-10-25 02:30 +02:00",
                "2026-10-25 02:29 +02:00",
            ),
            (
                "2026-10-25T00:30:00Z",
                "2026-10-25 02:30 +02:00",
                "2026-10-25 05:00 +01:00",
            ),
            // 02:15 for the second time: it does not close in between.
            (
                "2026-10-25T01:15:00Z",
                "2026-10-25 02:15 +01:00",
                "2026-10-25 05:00 +01:00",
            ),
        ],
    );
    let closes_inside = schedule("Europe/Berlin", "closed", "00:00-02:30", &[]);
    check(
        &closes_inside,
        &[
            (
                "2026-10-24T22:00:00Z",
                "2026-10-25 00:00 +02:00",
                "2026-10-25 02:30 +02:00",
            ),
            // 02:15 for the second time: it does not open again.
            (
                "2026-10-25T01:15:00Z",
                "2026-10-31 00:00 +01:00",
                "2026-10-25 02:15 +01:00",
            ),
        ],
    );
    let after = schedule("Europe/Berlin", "closed", "01:00-03:00", &[]);
    let (begin, end) = (at("2026-10-24T23:00:00Z"), at("2026-10-25T02:00:00Z"));
    assert_eq!(after.next_closing(begin), Some(end), "three hours, not two");
}

#[test]
fn clocks_that_change_at_midnight() {
    // Beirut: from 00:00 on 30 March 2025 to 01:00; from 00:00 on 26 October to 23:00.
    let day = schedule("Asia/Beirut", "closed", "24h", &[]);
    check(
        &day,
        &[
            (
                "2025-03-29T21:59:59Z",
                "2025-03-29 23:59 +02:00",
                "2025-03-31 00:00 +03:00",
            ),
            (
                "2025-10-25T20:30:00Z",
                "2025-10-25 23:30 +03:00",
                "2025-10-27 00:00 +02:00",
            ),
        ],
    );
    let saturday = schedule("Asia/Beirut", "closed", "24h", &["2025-10-26"]);
    check(
        &saturday,
        &[(
            // Sunday has not begun: it is Saturday, 23:30, for the second time.
            "2025-10-25T21:30:00Z",
            "2025-10-25 23:30 +02:00",
            "2025-10-26 00:00 +02:00",
        )],
    );
    // Samoa had no 30 December 2011.
    let samoa = schedule("Pacific/Apia", "09:00-17:00", "closed", &[]);
    check(
        &samoa,
        &[(
            "2011-12-30T05:00:00Z",
            "2012-01-02 09:00 +14:00",
            "2011-12-29 19:00 -10:00",
        )],
    );
}

#[test]
fn past_midnight_belongs_to_the_day_before() {
    let bar = schedule("Europe/Moscow", "closed", "22:00-02:00", &["2026-12-06"]);
    check(
        &bar,
        &[
            // Saturday night goes on into Sunday, a holiday that has no night itself.
            (
                "2026-12-05T18:59:00Z",
                "2026-12-05 22:00 +03:00",
                "2026-12-05 21:59 +03:00",
            ),
            (
                "2026-12-05T22:30:00Z",
                "2026-12-06 01:30 +03:00",
                "2026-12-06 02:00 +03:00",
            ),
            (
                "2026-12-05T23:00:00Z",
                "2026-12-12 22:00 +03:00",
                "2026-12-06 02:00 +03:00",
            ),
            // Nor do the hours after midnight of Saturday belong to it.
            (
                "2026-12-11T22:30:00Z",
                "2026-12-12 22:00 +03:00",
                "2026-12-12 01:30 +03:00",
            ),
        ],
    );
}

#[test]
fn openings_that_touch_are_one() {
    let mut week = [const { "24h" }; 7];
    week[6] = "00:00-12:00, 12:00-20:00";
    let week = week.map(|hours| hours.parse().expect("hours"));
    let schedule = Schedule::new("UTC".parse().expect("UTC"), week, Vec::new());
    check(
        &schedule,
        &[
            (
                "2026-11-26T12:00:00Z",
                "2026-11-26 12:00 +00:00",
                "2026-11-29 20:00 +00:00",
            ),
            (
                "2026-11-29T20:00:00Z",
                "2026-11-30 00:00 +00:00",
                "2026-11-29 20:00 +00:00",
            ),
        ],
    );
}

#[test]
fn holidays_of_a_year_and_of_every_year() {
    let holidays = [
        "01-01..01-08",
        "2027-01-05 10:00-14:00",
        "12-31 09:00-12:00, 13:00-15:00",
        "2026-12-30..2027-01-02",
        "12-20..01-20 11:00-12:00",
    ];
    let office = schedule("Europe/Moscow", "09:00-18:00", "closed", &holidays);
    check(
        &office,
        &[
            // The longest counts last: before it others, one day or eight.
            (
                "2026-12-28T00:00:00Z",
                "2026-12-28 11:00 +03:00",
                "2026-12-28 03:00 +03:00",
            ),
            // Those of 2026 are closed although 31 December has hours every year.
            (
                "2026-12-29T09:00:00Z",
                "2027-01-05 10:00 +03:00",
                "2026-12-29 12:00 +03:00",
            ),
            (
                "2027-01-05T11:00:00Z",
                "2027-01-09 11:00 +03:00",
                "2027-01-05 14:00 +03:00",
            ),
            (
                "2027-12-31T09:30:00Z",
                "2027-12-31 13:00 +03:00",
                "2027-12-31 12:30 +03:00",
            ),
            (
                "2027-12-31T12:00:00Z",
                "2028-01-09 11:00 +03:00",
                "2027-12-31 15:00 +03:00",
            ),
        ],
    );
    let leap = schedule("UTC", "24h", "24h", &["02-29"]);
    check(
        &leap,
        &[
            (
                "2028-02-28T12:00:00Z",
                "2028-02-28 12:00 +00:00",
                "2028-02-29 00:00 +00:00",
            ),
            ("2026-02-28T12:00:00Z", "2026-02-28 12:00 +00:00", "never"),
        ],
    );
    let twice = schedule("UTC", "24h", "24h", &["05-01", "05-01 10:00-12:00"]);
    check(
        &twice,
        &[(
            "2026-05-01T00:00:00Z",
            "2026-05-01 10:00 +00:00",
            "2026-05-01 00:00 +00:00",
        )],
    );
}

#[test]
fn what_never_comes_is_not_told() {
    let never = schedule(
        "Europe/Moscow",
        "closed",
        "closed",
        &["2028-01-01 10:00-11:00"],
    );
    check(
        &never,
        &[
            ("2026-01-01T00:00:00Z", "never", "2026-01-01 03:00 +03:00"),
            (
                "2027-01-01T00:00:00Z",
                "2028-01-01 10:00 +03:00",
                "2027-01-01 03:00 +03:00",
            ),
        ],
    );
    let always = schedule("Europe/Berlin", "24h", "24h", &[]);
    check(
        &always,
        &[("2026-01-01T00:00:00Z", "2026-01-01 01:00 +01:00", "never")],
    );
    for far in [i64::MIN, i64::MAX] {
        assert!(!always.is_open(Timestamp(far)));
        assert_eq!(always.next_opening(Timestamp(far)), None);
        assert_eq!(always.next_closing(Timestamp(far)), Some(Timestamp(far)));
    }
}

#[test]
fn hours_are_read_as_they_are_written() {
    for (text, written) in [
        ("09:00-18:00", "09:00-18:00"),
        ("14:00–18:30, 9:05 - 13:00", "09:05-13:00, 14:00-18:30"),
        ("22:00-02:00", "22:00-02:00"),
        ("18:00-00:00", "18:00-24:00"),
        ("18:00-24:00", "18:00-24:00"),
        ("00:00-24:00", "24h"),
        ("24h", "24h"),
        ("", "closed"),
        (" closed ", "closed"),
    ] {
        let hours: DayHours = text.parse().expect("hours");
        assert_eq!(hours.to_string(), written, "{text}");
        assert_eq!(written.parse(), Ok(hours), "{text}");
    }
    for (text, problem) in [
        (
            "9-18",
            "\"9-18\" is no time; write such as \"09:00-18:00\", \"22:00-02:00\", \"24h\" or \
             \"closed\"",
        ),
        (
            "09:00-25:00",
            "\"09:00-25:00\" is no time of the day; write from 00:00 to 23:59, and 24:00 at an end",
        ),
        (
            "24:00-01:00",
            "\"24:00-01:00\" is no time of the day; write from 00:00 to 23:59, and 24:00 at an end",
        ),
        (
            "09:60-18:00",
            "\"09:60-18:00\" is no time of the day; write from 00:00 to 23:59, and 24:00 at an end",
        ),
        (
            "09:00-09:00",
            "\"09:00-09:00\" begins and ends at the same time; write \"24h\" for a whole day",
        ),
        (
            "12:00-18:00, 09:00-13:00",
            "09:00-13:00 and 12:00-18:00 overlap; write them as one",
        ),
        (
            "24h, 22:00-02:00",
            "24h and 22:00-02:00 overlap; write them as one",
        ),
    ] {
        let told = text
            .parse::<DayHours>()
            .err()
            .map(|error| error.to_string());
        assert_eq!(told.as_deref(), Some(problem), "{text}");
    }
    for text in [
        "+9:00-18:00",
        "09:0-18:00",
        "009:00-18:00",
        "09:00",
        "-",
        "09:00-18:00,",
    ] {
        let told = text.parse::<DayHours>();
        assert!(
            matches!(told, Err(InvalidHours::Form(_))),
            "{text}: {told:?}"
        );
    }
}

#[test]
fn holidays_are_read_as_they_are_written() {
    for text in [
        "2026-12-31",
        "2026-12-31..2027-01-08",
        "01-01",
        "12-31..01-08",
        "02-29",
        "2027-05-01 10:00-14:00",
        "05-01..05-03 10:00-12:00, 22:00-02:00",
        "05-09 24h",
    ] {
        let holiday: Holiday = text.parse().expect("a holiday");
        assert_eq!(holiday.to_string(), text);
    }
    let form = "is no day; write such as \"2026-12-31\", \"01-01..01-08\" or \"2027-05-01 \
                10:00-14:00\"";
    let calendar = "is not in the calendar; write year, month and day, or month and day";
    for (text, problem) in [
        ("New Year", format!("\"New\" {form}")),
        ("1-1", format!("\"1-1\" {form}")),
        ("31.12.2026", format!("\"31.12.2026\" {form}")),
        ("26-12-31", format!("\"26-12-31\" {form}")),
        ("2026-02-29", format!("\"2026-02-29\" {calendar}")),
        ("31-12", format!("\"31-12\" {calendar}")),
        (
            "2026-12-31..01-08",
            "\"2026-12-31..01-08\" has a year at one end only; write it at both, or at none"
                .to_owned(),
        ),
        (
            "2027-01-08..2026-12-31",
            "\"2027-01-08..2026-12-31\" ends before it begins; exchange the days".to_owned(),
        ),
        (
            "01-01 10:00-10:00",
            "\"10:00-10:00\" begins and ends at the same time; write \"24h\" for a whole day"
                .to_owned(),
        ),
    ] {
        let told = text.parse::<Holiday>().err().map(|error| error.to_string());
        assert_eq!(told, Some(problem), "{text}");
    }
}

#[test]
fn zones_are_those_of_the_program() {
    let moscow: Zone = "europe/moscow".parse().expect("a zone");
    assert_eq!(moscow.name(), "Europe/Moscow");
    assert!(Zone::names().contains(&"Asia/Kamchatka".to_owned()));
    for name in ["", "Moscow", "Etc/Unknown", "+03:00", "../Europe/Moscow"] {
        assert_eq!(name.parse::<Zone>(), Err(UnknownZone(name.to_owned())));
    }
}

#[test]
fn a_schedule_is_written_and_read_whole() {
    let holidays = ["12-31..01-08", "2027-05-01 10:00-14:00"];
    let office = schedule("Europe/Moscow", "09:00-18:00", "closed", &holidays);
    let json = serde_json::to_string(&office).expect("JSON");
    assert_eq!(
        json,
        "{\"zone\":\"Europe/Moscow\",\"week\":[\"09:00-18:00\",\"09:00-18:00\",\"09:00-18:00\",\
         \"09:00-18:00\",\"09:00-18:00\",\"closed\",\"closed\"],\
         \"holidays\":[\"12-31..01-08\",\"2027-05-01 10:00-14:00\"]}"
    );
    assert_eq!(serde_json::from_str::<Schedule>(&json).ok(), Some(office));
    assert!(serde_json::from_str::<Zone>("\"Nowhere\"").is_err());
}

/// Minute by minute, by what the clock has shown: the latest it has shown so far, so
/// that an hour that comes twice counts once.
struct Model {
    from: Timestamp,
    open: Vec<bool>,
}

const MINUTE: i64 = 60_000;
/// Far enough back for every change of a clock to be over.
const BEFORE: i64 = 3 * 24 * 60;
const MINUTES: i64 = 3 * 24 * 60;

impl Model {
    fn new(
        clock: &TimeZone,
        week: &[Vec<(i64, i64)>; 7],
        closed: &[Date],
        from: Timestamp,
    ) -> Self {
        let shown = |minute: i64| {
            let moment = jiff::Timestamp::from_millisecond(from.0 + minute * MINUTE);
            clock.to_datetime(moment.expect("a moment"))
        };
        let begins_on = |date: Date, minute: i64| {
            let openings =
                &week[usize::try_from(date.weekday().to_monday_zero_offset()).expect("0-6")];
            !closed.contains(&date)
                && openings.iter().any(|(begin, end)| {
                    let end = if end <= begin { end + 1_440 } else { *end };
                    (*begin..end).contains(&minute)
                })
        };
        let mut latest = DateTime::MIN;
        let mut open = Vec::new();
        for minute in -BEFORE..MINUTES {
            latest = latest.max(shown(minute));
            let minute_of_day = i64::from(latest.hour()) * 60 + i64::from(latest.minute());
            let yesterday = latest.date().yesterday().expect("a day");
            let is_open = begins_on(latest.date(), minute_of_day)
                || begins_on(yesterday, minute_of_day + 1_440);
            if minute >= 0 {
                open.push(is_open);
            }
        }
        Self { from, open }
    }

    /// The first minute from this one on that is open, or closed.
    fn next(&self, from: usize, open: bool) -> Option<Timestamp> {
        let minute = (from..self.open.len()).find(|minute| self.open[*minute] == open)?;
        Some(self.at(minute))
    }

    fn at(&self, minute: usize) -> Timestamp {
        Timestamp(self.from.0 + i64::try_from(minute).expect("few") * MINUTE)
    }
}

/// Minutes at which an opening begins and ends, not the same ones.
fn opening() -> impl Strategy<Value = (i64, i64)> {
    // Often at the hours when clocks change.
    let minute = || {
        prop_oneof![
            1 => 0..1_440_i64,
            3 => (0..14_i64).prop_map(|step| step * 15),
            1 => (92..96_i64).prop_map(|step| step * 15),
        ]
    };
    (minute(), minute()).prop_filter("they differ", |(begin, end)| begin != end)
}

fn written(openings: &[(i64, i64)]) -> String {
    let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    let openings = openings.iter();
    let texts = openings.map(|(begin, end)| format!("{}-{}", clock(*begin), clock(*end)));
    texts.collect::<Vec<_>>().join(",")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn openings_are_those_of_a_clock_read_every_minute(
        name in select(vec![
            "Europe/Moscow", "Asia/Kamchatka", "Europe/Berlin", "America/Havana", "Asia/Beirut",
            "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia", "UTC",
        ]),
        days in prop::array::uniform7(prop::collection::vec(opening(), 1..3)),
        around in 315_532_800_i64..2_114_380_800,
        is_near_change in prop::bool::weighted(0.9),
        offset in 0..MINUTES,
        off in prop::option::of(0..4_i64),
    ) {
        let clock = TimeZoneDatabase::bundled().get(name).expect("a zone");
        let mut from = jiff::Timestamp::from_second(around / 60 * 60).expect("a moment");
        if is_near_change && let Some(change) = clock.following(from).next() {
            from = change.timestamp();
        }
        let from = Timestamp(from.as_millisecond() - offset * MINUTE);
        let week = days.map(|openings| {
            let is_day = written(&openings).parse::<DayHours>().is_ok();
            if is_day { openings } else { openings[..1].to_vec() }
        });
        let first = clock.to_datetime(jiff::Timestamp::from_millisecond(from.0).expect("a moment"));
        let closed: Vec<Date> = off
            .map(|days| first.date().checked_add(jiff::Span::new().days(days)).expect("a day"))
            .into_iter()
            .collect();
        let schedule = Schedule::new(
            name.parse().expect("a zone"),
            week.clone().map(|openings| written(&openings).parse().expect("hours")),
            closed.iter().map(|date| date.to_string().parse().expect("a holiday")).collect(),
        );
        let model = Model::new(&clock, &week, &closed, from);
        let end = model.at(model.open.len());
        for minute in (0..model.open.len()).step_by(7) {
            let now = model.at(minute);
            prop_assert_eq!(schedule.is_open(now), model.open[minute], "open at {}", now);
            prop_assert_eq!(schedule.is_open(now + Millis(MINUTE - 1)), model.open[minute]);
            if minute % 11 == 0 {
                let told = schedule.next_opening(now).filter(|moment| *moment < end);
                prop_assert_eq!(told, model.next(minute, true), "opening after {}", now);
                let told = schedule.next_closing(now).filter(|moment| *moment < end);
                prop_assert_eq!(told, model.next(minute, false), "closing after {}", now);
            }
        }
    }
}
