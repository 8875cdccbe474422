//! How names and times are written in the protocol.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use domain::Timestamp;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const UTF7: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// A text in quotes. The configuration lets no line break in.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// A folder's name in the modified UTF-7 of RFC 3501.
pub(in crate::registry::email) fn folder_name(name: &str) -> String {
    let mut written = String::with_capacity(name.len());
    let mut foreign: Vec<u8> = Vec::new();
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            end_foreign(&mut written, &mut foreign);
            written.push(c);
            if c == '&' {
                written.push('-');
            }
        } else {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter();
            foreign.extend(units.flat_map(|unit| unit.to_be_bytes()));
        }
    }
    end_foreign(&mut written, &mut foreign);
    quoted(&written)
}

fn end_foreign(written: &mut String, foreign: &mut Vec<u8>) {
    if !foreign.is_empty() {
        written.push('&');
        written.push_str(&UTF7.encode(std::mem::take(foreign)));
        written.push('-');
    }
}

/// The name as people read it; as it is where it is written wrongly.
pub(super) fn folder_read(written: &str) -> String {
    read(written).unwrap_or_else(|| written.to_owned())
}

fn read(written: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = written;
    while let Some((plain, after)) = rest.split_once('&') {
        name.push_str(plain);
        let (foreign, after) = after.split_once('-')?;
        if foreign.is_empty() {
            name.push('&');
        } else {
            let bytes = UTF7.decode(foreign).ok()?;
            let units = bytes.chunks(2).map(|pair| match pair {
                [high, low] => Some(u16::from_be_bytes([*high, *low])),
                _ => None,
            });
            let units: Vec<u16> = units.collect::<Option<_>>()?;
            name.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

/// A set of numbers, neighbours as ranges.
pub(super) fn set(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            Some(_) | None => ranges.push((*uid, *uid)),
        }
    }
    let ranges = ranges.iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}:{last}")
        }
    });
    ranges.collect::<Vec<_>>().join(",")
}

/// Reads `17-Jul-1996 02:44:25 -0700`.
pub(super) fn date_time(text: &str) -> Option<Timestamp> {
    let mut words = text.split_ascii_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.split('-');
    let day: i64 = date.next()?.parse().ok()?;
    let month = date.next()?;
    let month = MONTHS
        .iter()
        .zip(1..)
        .find_map(|(name, number)| name.eq_ignore_ascii_case(month).then_some(number))?;
    let year: i64 = date.next()?.parse().ok()?;
    let mut time = time.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let zone: i64 = zone.parse().ok()?;
    let is_good = (1..=31).contains(&day)
        && (1_900..=9_999).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second)
        && (-2_400..=2_400).contains(&zone);
    if !is_good {
        return None;
    }
    let minutes = (days(year, month, day) * 24 + hour) * 60 + minute;
    let offset = zone / 100 * 60 + zone % 100;
    Some(Timestamp(((minutes - offset) * 60 + second) * 1_000))
}

/// Days since 1970, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_servers_name_them() {
        let cases = [
            ("INBOX", "\"INBOX\""),
            ("R&D", "\"R&-D\""),
            ("a \"b\" \\ c", "\"a \\\"b\\\" \\\\ c\""),
            ("Готово", "\"&BBMEPgRCBD4EMgQ+-\""),
            (
                "~peter/mail/台北/日本語",
                "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"",
            ),
            ("😀", "\"&2D3eAA-\""),
        ];
        for (name, written) in cases {
            assert_eq!(folder_name(name), written);
            let bare = written
                .trim_matches('"')
                .replace("\\\"", "\"")
                .replace("\\\\", "\\");
            assert_eq!(folder_read(&bare), name);
        }
        for wrong in ["&", "&BBM", "&B-", "&2D0-"] {
            assert_eq!(folder_read(wrong), wrong);
        }
    }

    #[test]
    fn numbers_become_ranges() {
        assert_eq!(set(&[]), "");
        assert_eq!(set(&[7]), "7");
        assert_eq!(set(&[1, 2, 3, 5, 7, 8]), "1:3,5,7:8");
        assert_eq!(set(&[u32::MAX - 1, u32::MAX]), "4294967294:4294967295");
    }

    #[test]
    fn times_are_read() {
        let cases = [
            ("17-Jul-1996 02:44:25 -0700", Some(837_596_665_000)),
            (" 1-Jan-1970 00:00:00 +0000", Some(0)),
            ("29-Feb-2024 23:59:59 +0300", Some(1_709_240_399_000)),
            ("01-Mar-2000 00:00:00 +0530", Some(951_849_000_000)),
            ("31-Dec-2026 12:00:00 +0000", Some(1_798_718_400_000)),
            ("", None),
            ("17-Jux-1996 02:44:25 -0700", None),
            ("17-Jul-1996 25:44:25 -0700", None),
            ("17-Jul-999999999999 02:44:25 -0700", None),
            ("17-Jul-1996 02:44:25", None),
        ];
        for (text, expected) in cases {
            assert_eq!(date_time(text), expected.map(Timestamp), "{text}");
        }
    }
}
