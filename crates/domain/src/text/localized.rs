use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A text in several languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Localized {
    /// For whoever speaks none of the others.
    text: String,
    /// By language tag, in small letters.
    variants: BTreeMap<String, String>,
}

impl Localized {
    /// The same for everybody.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            variants: BTreeMap::new(),
        }
    }

    /// With another text for a language tag, such as `ru` or `pt-BR`.
    #[must_use]
    pub fn with(mut self, locale: &str, text: impl Into<String>) -> Self {
        self.variants.insert(tag(locale), text.into());
        self
    }

    /// The text for somebody: that of `pt-BR`, or else of `pt`, or else of everybody
    /// (the lookup of RFC 4647).
    pub fn of(&self, locale: Option<&str>) -> &str {
        let tag = locale.map(tag).unwrap_or_default();
        std::iter::successors(Some(tag.as_str()), |tag| {
            tag.rsplit_once('-').map(|(shorter, _)| shorter)
        })
        .find_map(|tag| self.variants.get(tag))
        .unwrap_or(&self.text)
    }
}

fn tag(locale: &str) -> String {
    locale.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_gets_the_nearest_language() {
        let text = Localized::new("Closed").with("ru", "Закрыто");
        let text = text.with("pt-BR", "Fechado").with("pt", "Encerrado");
        for (locale, expected) in [
            (None, "Closed"),
            (Some(""), "Closed"),
            (Some("de"), "Closed"),
            (Some("RU"), "Закрыто"),
            (Some("ru-Cyrl-RU"), "Закрыто"),
            (Some("rus"), "Closed"),
            (Some("pt_br"), "Fechado"),
            (Some("pt-PT"), "Encerrado"),
        ] {
            assert_eq!(text.of(locale), expected, "{locale:?}");
        }
    }
}
