//! The chart: a drawing of our own, for any browser.

use std::fmt::Write as _;

use domain::metrics::{Counts, Histogram, STEPS_S, Thresholds};
use domain::whatif::{Figure, Figures};

use super::Outcome;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 60.0;
const TOP: f64 = 70.0;
/// From one panel to the next.
const PANEL: f64 = 340.0;
const WAS: &str = "#6b7280";
const WOULD_BE: &str = "#2563eb";

/// Both panels: how long was waited, and the service level hour by hour.
pub(super) fn svg(outcome: &Outcome) -> String {
    let mut all = vec![("was", WAS, outcome.was_all())];
    if outcome.is_changed {
        all.push(("would be", WOULD_BE, outcome.would_be_all()));
    }
    let mut text = String::new();
    let (width, height) = (WIDTH + LEFT + 40.0, TOP + PANEL * 2.0);
    let _ = writeln!(
        text,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#111827" role="img" aria-label="Waits and service level, was and would be">
<rect width="{width}" height="{height}" fill="#ffffff"/>"##
    );
    for (number, (name, color, _)) in (0_u8..).zip(&all) {
        let x = LEFT + f64::from(number) * 110.0;
        let _ = writeln!(
            text,
            r#"<rect x="{x}" y="18" width="14" height="14" fill="{color}"/><text x="{}" y="30">{name}</text>"#,
            x + 20.0
        );
    }
    panel(&mut text, TOP, "Answered within, % of what was answered");
    for (_, color, figures) in &all {
        let points = waits(&figures.all);
        line(&mut text, TOP, color, &points);
    }
    let steps = STEPS_S.len();
    for (number, end) in STEPS_S.iter().enumerate() {
        label(&mut text, TOP, part(number, steps), &span(*end));
    }
    let second = TOP + PANEL;
    panel(
        &mut text,
        second,
        "Service level by hour, % answered within 20 s",
    );
    let hours: Vec<_> = all.iter().flat_map(|(_, _, it)| it.hours.keys()).collect();
    let first = hours.iter().min().map_or(0, |hour| hour.0);
    let last = hours.iter().max().map_or(0, |hour| hour.0);
    let count = usize::try_from(last - first).unwrap_or(0) + 1;
    for (_, color, figures) in &all {
        line(&mut text, second, color, &levels(figures, first, count));
    }
    let every = (count / 12).max(1);
    for number in (0..count).step_by(every) {
        let hour = first + i64::try_from(number).unwrap_or(0);
        let name = if count > 48 {
            format!("day {}", (hour - first) / 24 + 1)
        } else {
            format!("{}:00", hour.rem_euclid(24))
        };
        label(&mut text, second, part(number, count), &name);
    }
    text.push_str("</svg>\n");
    text
}

/// The share answered within each step.
fn waits(counts: &Counts) -> Vec<(f64, f64)> {
    let total = counts.within(Histogram::Answered, STEPS_S.len() + 1);
    if total == 0 {
        return Vec::new();
    }
    (0..STEPS_S.len())
        .map(|step| {
            let within = counts.within(Histogram::Answered, step + 1);
            (part(step, STEPS_S.len()), float(within) / float(total))
        })
        .collect()
}

fn levels(figures: &Figures, first: i64, count: usize) -> Vec<(f64, f64)> {
    let of = |counts| Figure::ServiceLevel.of(counts, Thresholds::default());
    let hours = figures.hours.iter();
    hours
        .filter_map(|(hour, counts)| {
            let number = usize::try_from(hour.0 - first).ok()?;
            Some((part(number, count), of(counts)? / 100.0))
        })
        .collect()
}

fn panel(text: &mut String, top: f64, title: &str) {
    let _ = writeln!(
        text,
        r#"<text x="{LEFT}" y="{}" font-size="14">{title}</text>"#,
        top - 14.0
    );
    for tenths in (0..=10_u8).step_by(2) {
        let y = top + HEIGHT * (1.0 - f64::from(tenths) / 10.0);
        let _ = writeln!(
            text,
            r##"<line x1="{LEFT}" y1="{y:.1}" x2="{}" y2="{y:.1}" stroke="#e5e7eb"/><text x="{}" y="{:.1}" text-anchor="end">{}</text>"##,
            LEFT + WIDTH,
            LEFT - 8.0,
            y + 4.0,
            u32::from(tenths) * 10
        );
    }
}

fn line(text: &mut String, top: f64, color: &str, points: &[(f64, f64)]) {
    let mut drawn = String::new();
    for (x, y) in points {
        let _ = write!(
            drawn,
            "{:.1},{:.1} ",
            LEFT + x * WIDTH,
            top + (1.0 - y) * HEIGHT
        );
    }
    let _ = writeln!(
        text,
        r#"<polyline points="{}" fill="none" stroke="{color}" stroke-width="2"/>"#,
        drawn.trim_end()
    );
}

fn label(text: &mut String, top: f64, at: f64, name: &str) {
    let _ = writeln!(
        text,
        r#"<text x="{:.1}" y="{}" text-anchor="middle" font-size="10">{name}</text>"#,
        LEFT + at * WIDTH,
        top + HEIGHT + 18.0
    );
}

fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", float(seconds) / 60.0),
        3_600.. => format!("{} h", seconds / 3_600),
    }
}

fn part(number: usize, count: usize) -> f64 {
    let last = count.saturating_sub(1).max(1);
    float(i64::try_from(number).unwrap_or(0)) / float(i64::try_from(last).unwrap_or(1))
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2⁵³")]
fn float(number: i64) -> f64 {
    number as f64
}
