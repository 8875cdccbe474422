//! Texts for clients, each in as many languages as one likes.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::text::Localized;

use super::document::{Entry, Value};
use super::section::Section;
use super::value::{Typed, Wrong, unknown, wrong};

/// A key of a queue that holds a text, and how many characters it may have.
pub(super) struct Text {
    pub(super) key: &'static str,
    pub(super) chars_max: usize,
}

/// The texts that a section has, by their keys. Those in its own keys are for
/// everybody, those in `texts.LOCALE` for whoever speaks it.
pub(super) fn texts(
    section: &mut Section<'_>,
    known: &[Text],
) -> BTreeMap<&'static str, Arc<Localized>> {
    let given = section.keys();
    let mut texts: BTreeMap<&'static str, Localized> = known
        .iter()
        .filter_map(|text| {
            let value = section.read_with(text.key, |entry| short(entry, text.chars_max))?;
            Some((text.key, Localized::new(value)))
        })
        .collect();
    let variants = section.read_with("texts", |entry| variants(entry, known));
    for (locale, key, value) in variants.unwrap_or_default() {
        if let Some(text) = texts.remove(key) {
            texts.insert(key, text.with(&locale, value));
        } else if !given.iter().any(|given| given == key) {
            let problem = format!("has {key} in {locale} alone; write {key} for all others, too");
            section.problem("texts", &problem);
        }
    }
    let shared = texts.into_iter();
    shared.map(|(key, text)| (key, Arc::new(text))).collect()
}

type Variant = (String, &'static str, String);

fn variants(entry: &Entry, known: &[Text]) -> Result<Vec<Variant>, Vec<Wrong>> {
    let Value::Table(locales) = &entry.value else {
        return wrong(entry, "must be sections by locale; write such as texts.ru");
    };
    let mut variants = Vec::new();
    let mut wrongs: Vec<Wrong> = Vec::new();
    for (locale, entry) in locales {
        let Value::Table(texts) = &entry.value else {
            let problem = format!("{locale:?} must be a section with texts");
            wrongs.push((entry.place.clone(), problem));
            continue;
        };
        if !is_locale(locale) {
            let problem = format!("{locale:?} is no locale; write such as ru or pt-BR");
            wrongs.push((entry.place.clone(), problem));
        }
        for (key, entry) in texts {
            let Some(text) = known.iter().find(|text| text.key == key) else {
                let known = known.iter().map(|text| text.key);
                let problem = unknown(key, known, "the texts are");
                wrongs.push((entry.place.clone(), problem));
                continue;
            };
            match short(entry, text.chars_max) {
                Ok(value) => variants.push((locale.clone(), text.key, value)),
                Err(more) => wrongs.extend(more),
            }
        }
    }
    if wrongs.is_empty() {
        Ok(variants)
    } else {
        Err(wrongs)
    }
}

fn short(entry: &Entry, chars_max: usize) -> Result<String, Vec<Wrong>> {
    let text = String::read(entry)?;
    let text = text.trim();
    if text.is_empty() {
        return wrong(entry, "is blank; write a text or remove the key");
    }
    let count = text.chars().count();
    if count > chars_max {
        return wrong(
            entry,
            format!("has {count} characters; write at most {chars_max}"),
        );
    }
    Ok(text.to_owned())
}

/// Whether it looks like a language tag, also as a variable writes it: `pt_br`.
fn is_locale(tag: &str) -> bool {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    (2..=35).contains(&tag.len()) && tag.split(['-', '_']).all(part)
}
