//! What stands in a file of contacts, row by row.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use calcard::vcard::{VCard, VCardProperty, VCardValue};
use calcard::{Entry, Parser};
use proto::contacts::v1 as pb;

/// One row, or what is wrong with it.
pub(super) struct Row {
    pub(super) number: u64,
    pub(super) request: Result<pb::ImportContactsRequest, String>,
}

/// Reads a `.csv` or `.vcf` file.
pub(super) fn read(path: &Path, trust: pb::Trust) -> anyhow::Result<Vec<Row>> {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    match extension.as_deref() {
        Some("csv") => csv_rows(&bytes, trust),
        Some("vcf") => Ok(vcard_rows(&String::from_utf8_lossy(&bytes), trust)),
        Some(_) | None => bail!("{}: give a .csv or .vcf file", path.display()),
    }
}

/// A spreadsheet runs what begins like a formula; a quote before it keeps it a
/// text.
pub(super) fn inert(cell: &str) -> String {
    if cell.starts_with(['=', '@', '\t', '\r'])
        || (cell.starts_with(['+', '-']) && !cell[1..].chars().all(|c| c.is_ascii_digit()))
    {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn csv_rows(bytes: &[u8], trust: pb::Trust) -> anyhow::Result<Vec<Row>> {
    // Spreadsheets begin their files with a mark and end their cells with a
    // semicolon where the comma is a decimal point.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes);
    let count = |mark: u8| first.split(|byte| *byte == mark).count();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if count(b';') > count(b',') {
            b';'
        } else {
            b','
        })
        .flexible(true)
        .from_reader(bytes);
    let names: Vec<String> = reader
        .headers()
        .context("reading the line of names")?
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    if !names.iter().any(|name| kind_of(name).is_some()) {
        bail!(
            "the first line must name the columns, at least one of them `phone` or `email`; it \
             has: {}",
            names.join(", ")
        );
    }
    let rows = (1..).zip(reader.records()).map(|(number, record)| {
        let request = record
            .map_err(|error| error.to_string())
            .and_then(|record| csv_row(&names, &record, trust));
        Row {
            number,
            request: request.map(|request| numbered(request, number)),
        }
    });
    Ok(rows.collect())
}

fn kind_of(name: &str) -> Option<&'static str> {
    match name {
        "phone" | "tel" | "телефон" => Some("phone"),
        "email" | "e-mail" | "mail" | "почта" => Some("email"),
        _ => None,
    }
}

fn csv_row(
    names: &[String],
    record: &csv::StringRecord,
    trust: pb::Trust,
) -> Result<pb::ImportContactsRequest, String> {
    let mut profile = pb::Profile::default();
    let mut identities = Vec::new();
    for (name, cell) in names.iter().zip(record) {
        let cell = cell.trim();
        if cell.is_empty() {
            continue;
        }
        if let Some(kind) = kind_of(name) {
            for value in cell.split([',', ';', '\n']) {
                identities.extend(identity(kind, value, trust));
            }
            continue;
        }
        match name.as_str() {
            "name" | "display_name" | "имя" => cell.clone_into(&mut profile.display_name),
            "locale" | "language" => cell.clone_into(&mut profile.locale),
            "id" | "identities" => {}
            other => {
                profile.attributes.insert(other.to_owned(), cell.to_owned());
            }
        }
    }
    request(profile, identities)
}

fn identity(kind: &str, value: &str, trust: pb::Trust) -> Option<pb::Identity> {
    let value = value.trim().trim_start_matches('\'');
    (!value.is_empty()).then(|| pb::Identity {
        kind: kind.to_owned(),
        issuer: String::new(),
        value: value.to_owned(),
        trust: trust.into(),
    })
}

fn request(
    profile: pb::Profile,
    identities: Vec<pb::Identity>,
) -> Result<pb::ImportContactsRequest, String> {
    if identities.is_empty() {
        return Err("there is no phone and no e-mail: give at least one".to_owned());
    }
    Ok(pb::ImportContactsRequest {
        identities,
        profile: Some(profile),
        ..pb::ImportContactsRequest::default()
    })
}

fn numbered(request: pb::ImportContactsRequest, number: u64) -> pb::ImportContactsRequest {
    pb::ImportContactsRequest {
        row: i64::try_from(number).unwrap_or(i64::MAX),
        ..request
    }
}

fn vcard_rows(text: &str, trust: pb::Trust) -> Vec<Row> {
    let mut parser = Parser::new(text);
    let mut rows = Vec::new();
    loop {
        let number = rows.len() as u64 + 1;
        let request = match parser.entry() {
            Entry::VCard(card) => vcard(&card, trust),
            Entry::Eof => return rows,
            Entry::ICalendar(_) => Err("this is a calendar, not a contact".to_owned()),
            Entry::InvalidLine(line) => Err(format!(
                "this is not a vCard: {}",
                domain::text::line(&line, 60)
            )),
            // The parser may learn of more that is wrong.
            Entry::UnexpectedComponentEnd { .. }
            | Entry::UnterminatedComponent(_)
            | Entry::TooManyComponents
            | _ => Err("the vCard is broken".to_owned()),
        };
        rows.push(Row {
            number,
            request: request.map(|request| numbered(request, number)),
        });
    }
}

fn vcard(card: &VCard, trust: pb::Trust) -> Result<pb::ImportContactsRequest, String> {
    let mut profile = pb::Profile::default();
    let mut identities = Vec::new();
    let mut attributes = BTreeMap::new();
    for entry in &card.entries {
        let Some(VCardValue::Text(value)) = entry.values.first() else {
            continue;
        };
        if entry.name == VCardProperty::Fn {
            value.clone_into(&mut profile.display_name);
        } else if entry.name == VCardProperty::Tel {
            identities.extend(identity("phone", value.trim_start_matches("tel:"), trust));
        } else if entry.name == VCardProperty::Email {
            identities.extend(identity("email", value, trust));
        } else if entry.name == VCardProperty::Lang {
            value.clone_into(&mut profile.locale);
        } else if entry.name == VCardProperty::Org {
            attributes.insert("company".to_owned(), value.clone());
        }
    }
    profile.attributes = attributes;
    request(profile, identities)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(rows: Vec<Row>) -> pb::ImportContactsRequest {
        rows.into_iter().next().unwrap().request.unwrap()
    }

    #[test]
    fn reads_both_sorts_of_csv() {
        for text in [
            "\u{feff}Name;Phone;E-mail;City\nАнна;8 912 345-67-89;anna@example.com;Омск\n",
            "name,phone,email,city\nАнна,8 912 345-67-89,anna@example.com,Омск\n",
        ] {
            let request = first(csv_rows(text.as_bytes(), pb::Trust::Asserted).unwrap());
            let profile = request.profile.unwrap();
            assert_eq!(profile.display_name, "Анна");
            assert_eq!(profile.attributes["city"], "Омск");
            let values: Vec<_> = request.identities.iter().map(|i| &i.value).collect();
            assert_eq!(values, ["8 912 345-67-89", "anna@example.com"]);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(csv_rows(b"a,b\n1,2\n", pb::Trust::Claimed).is_err());
        let rows = csv_rows(b"name,phone\nAnna,\n", pb::Trust::Claimed).unwrap();
        assert!(rows[0].request.is_err());
        let rows = vcard_rows("hello\n", pb::Trust::Claimed);
        assert!(rows.iter().all(|row| row.request.is_err()));
    }

    #[test]
    fn reads_vcards() {
        let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Anna K\r\nTEL;TYPE=CELL:+79123456789\r\n\
                    EMAIL:anna@example.com\r\nEND:VCARD\r\n";
        let request = first(vcard_rows(text, pb::Trust::Claimed));
        assert_eq!(request.profile.unwrap().display_name, "Anna K");
        assert_eq!(request.identities.len(), 2);
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, expect) in [
            ("=1+1", "'=1+1"),
            ("+79123456789", "+79123456789"),
            ("+cmd", "'+cmd"),
            ("@x", "'@x"),
            ("Anna", "Anna"),
        ] {
            assert_eq!(inert(cell), expect);
        }
    }
}
