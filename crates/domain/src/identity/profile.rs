use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::text;

const DISPLAY_NAME_CHARS_MAX: usize = 200;
const LOCALE_CHARS_MAX: usize = 35;
const AVATAR_URL_CHARS_MAX: usize = 2_000;
const ATTRIBUTES_MAX: usize = 50;
const KEY_CHARS_MAX: usize = 64;
const VALUE_CHARS_MAX: usize = 1_000;

/// What is known of a person apart from the identities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name to show; empty when none is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// An https address of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar_url: Option<String>,
    /// Free facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// Why a profile is refused, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProfile {
    /// More than 200 characters.
    #[error("the display name is too long: give at most {DISPLAY_NAME_CHARS_MAX} characters")]
    LongName,
    /// Control or direction-changing characters.
    #[error("the display name holds invisible or control characters: remove them")]
    UnsafeName,
    /// Not a language tag.
    #[error("the locale is not a language tag: give one such as \"ru\" or \"pt-BR\"")]
    Locale,
    /// Not an https address.
    #[error(
        "the avatar is not usable: give an https address of at most {AVATAR_URL_CHARS_MAX} characters"
    )]
    Avatar,
    /// More than 50.
    #[error("there are {0} attributes: give at most {ATTRIBUTES_MAX}")]
    ManyAttributes(usize),
    /// A key is empty, too long or not printable.
    #[error(
        "the attribute key {0:?} is not usable: give 1 to {KEY_CHARS_MAX} printable characters"
    )]
    AttributeKey(String),
    /// A value is too long or not printable.
    #[error(
        "the value of attribute {0:?} is not usable: give at most {VALUE_CHARS_MAX} characters, no control characters but line breaks and tabs"
    )]
    AttributeValue(String),
}

impl Profile {
    /// Refuses what is over a limit or cannot be shown safely.
    pub fn check(&self) -> Result<(), InvalidProfile> {
        if longer(&self.display_name, DISPLAY_NAME_CHARS_MAX) {
            return Err(InvalidProfile::LongName);
        }
        if self.display_name.chars().any(text::is_unsafe) {
            return Err(InvalidProfile::UnsafeName);
        }
        if !self.locale.as_deref().is_none_or(is_language_tag) {
            return Err(InvalidProfile::Locale);
        }
        if !self.avatar_url.as_deref().is_none_or(is_https) {
            return Err(InvalidProfile::Avatar);
        }
        if self.attributes.len() > ATTRIBUTES_MAX {
            return Err(InvalidProfile::ManyAttributes(self.attributes.len()));
        }
        self.attributes
            .iter()
            .try_for_each(|(key, value)| check_attribute(key, value))
    }

    /// Drops and shortens what [`Self::check`] would refuse: for what a channel tells,
    /// where a part is better than nothing.
    pub fn trim(&mut self) {
        self.display_name = text::display_name(&self.display_name);
        self.locale = self.locale.take().filter(|tag| is_language_tag(tag));
        self.avatar_url = self.avatar_url.take().filter(|url| is_https(url));
        let attributes = std::mem::take(&mut self.attributes);
        self.attributes = attributes
            .into_iter()
            .map(|(key, value)| {
                let key = text::line(&key, KEY_CHARS_MAX);
                (key, text::body(&value, VALUE_CHARS_MAX))
            })
            .filter(|(key, value)| check_attribute(key, value).is_ok())
            .take(ATTRIBUTES_MAX)
            .collect();
    }

    /// Takes from another profile what is empty here; replaces nothing. Stops
    /// taking attributes at the limit, so two valid profiles give a valid one.
    pub fn fill_from(&mut self, other: &Self) {
        if self.display_name.is_empty() {
            self.display_name.clone_from(&other.display_name);
        }
        if is_empty(self.locale.as_ref()) {
            self.locale.clone_from(&other.locale);
        }
        if is_empty(self.avatar_url.as_ref()) {
            self.avatar_url.clone_from(&other.avatar_url);
        }
        for (key, value) in &other.attributes {
            let known = self.attributes.get(key);
            let room = known.is_some() || self.attributes.len() < ATTRIBUTES_MAX;
            if is_empty(known) && room {
                self.attributes.insert(key.clone(), value.clone());
            }
        }
    }
}

fn check_attribute(key: &str, value: &str) -> Result<(), InvalidProfile> {
    if key.is_empty() || longer(key, KEY_CHARS_MAX) || key.chars().any(text::is_unsafe) {
        let shown = text::line(key, KEY_CHARS_MAX);
        return Err(InvalidProfile::AttributeKey(shown));
    }
    let unprintable = |c: char| c.is_control() && c != '\n' && c != '\t';
    if longer(value, VALUE_CHARS_MAX) || value.chars().any(unprintable) {
        return Err(InvalidProfile::AttributeValue(key.to_owned()));
    }
    Ok(())
}

/// Stops counting past the limit, because the text is of any length.
fn longer(text: &str, chars_max: usize) -> bool {
    text.chars().nth(chars_max).is_some()
}

fn is_empty(field: Option<&String>) -> bool {
    field.is_none_or(String::is_empty)
}

fn is_language_tag(tag: &str) -> bool {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    tag.is_empty() || (tag.len() <= LOCALE_CHARS_MAX && tag.split('-').all(part))
}

fn is_https(url: &str) -> bool {
    let printable = |c: char| !c.is_control() && !c.is_whitespace() && !r#"<>"\^`{|}"#.contains(c);
    let Some(rest) = url.strip_prefix("https://") else {
        return url.is_empty();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Credentials before the host disguise where the picture comes from.
    !authority.is_empty()
        && !authority.contains('@')
        && !longer(url, AVATAR_URL_CHARS_MAX)
        && url.chars().all(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Profile {
        Profile {
            display_name: name.to_owned(),
            ..Profile::default()
        }
    }

    fn pictured(url: &str) -> Profile {
        Profile {
            avatar_url: Some(url.to_owned()),
            ..Profile::default()
        }
    }

    fn with_attributes(attributes: impl IntoIterator<Item = (String, String)>) -> Profile {
        Profile {
            attributes: attributes.into_iter().collect(),
            ..Profile::default()
        }
    }

    #[test]
    fn limits() {
        let many = (0..51).map(|n| (format!("k{n}"), String::new()));
        let cases = [
            (named("Анна"), Ok(())),
            (named(&"я".repeat(200)), Ok(())),
            (named(&"я".repeat(201)), Err(InvalidProfile::LongName)),
            (named("a\u{202e}b"), Err(InvalidProfile::UnsafeName)),
            (named("a\nb"), Err(InvalidProfile::UnsafeName)),
            (
                with_attributes(many),
                Err(InvalidProfile::ManyAttributes(51)),
            ),
            (
                with_attributes([(String::new(), String::new())]),
                Err(InvalidProfile::AttributeKey(String::new())),
            ),
            (
                with_attributes([("k".to_owned(), "v".repeat(1001))]),
                Err(InvalidProfile::AttributeValue("k".to_owned())),
            ),
            (
                with_attributes([("k".to_owned(), "one\ntwo".to_owned())]),
                Ok(()),
            ),
        ];
        for (profile, expect) in cases {
            assert_eq!(profile.check(), expect, "{profile:?}");
        }
    }

    #[test]
    fn pictures() {
        for url in ["https://a.example/x.png", "https://a.example?s=1"] {
            assert_eq!(pictured(url).check(), Ok(()), "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(2000));
        for url in [
            "http://a.example/x.png",
            "javascript:alert(1)",
            "https://",
            "https://a.example@evil.example/",
            "https://a.example/\r\nX: 1",
            &long,
        ] {
            assert_eq!(pictured(url).check(), Err(InvalidProfile::Avatar), "{url}");
        }
    }

    #[test]
    fn languages() {
        for (tag, valid) in [("ru", true), ("pt-BR", true), ("", true), ("ru_RU", false)] {
            let profile = Profile {
                locale: Some(tag.to_owned()),
                ..Profile::default()
            };
            assert_eq!(profile.check().is_ok(), valid, "{tag}");
        }
    }

    #[test]
    fn what_is_trimmed_is_valid() {
        let many = (0..60).map(|n| (format!("k{n:02}\u{202e}"), "v".repeat(2_000)));
        let mut profile = Profile {
            display_name: format!("a\u{202e}{}", "b".repeat(300)),
            locale: Some("no tag".to_owned()),
            avatar_url: Some("http://a.example/x.png".to_owned()),
            attributes: many.collect(),
        };
        profile.trim();
        assert_eq!(profile.check(), Ok(()));
        assert_eq!(profile.attributes.len(), ATTRIBUTES_MAX);
        assert_eq!((profile.locale, profile.avatar_url), (None, None));
    }

    #[test]
    fn kept_wins_and_empties_are_filled() {
        let mut kept = with_attributes([("city".to_owned(), "Omsk".to_owned())]);
        kept.locale = Some(String::new());
        let mut other = with_attributes([
            ("city".to_owned(), "Tomsk".to_owned()),
            ("plan".to_owned(), "gold".to_owned()),
        ]);
        other.display_name = "Anna".to_owned();
        other.locale = Some("ru".to_owned());
        kept.fill_from(&other);
        assert_eq!(kept.display_name, "Anna");
        assert_eq!(kept.locale.as_deref(), Some("ru"));
        assert_eq!(kept.attributes["city"], "Omsk");
        assert_eq!(kept.attributes["plan"], "gold");
    }

    #[test]
    fn filling_stays_within_the_limit() {
        let mut kept = with_attributes((0..50).map(|n| (format!("a{n}"), "1".to_owned())));
        kept.fill_from(&with_attributes([("b".to_owned(), "2".to_owned())]));
        assert_eq!(kept.check(), Ok(()));
        assert_eq!(kept.attributes.len(), 50);
    }
}
