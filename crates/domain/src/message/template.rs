use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A wording that a provider has approved, for when it takes no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Its name there.
    pub name: String,
    /// Its language, as the provider writes it.
    pub language: String,
    /// What the provider counts it as.
    pub category: String,
    /// The words that the client reads, with each variable as `{{id}}`.
    pub text: String,
    /// What has to be said to fill it, in order.
    pub variables: Vec<TemplateVariable>,
    /// The buttons below it.
    pub buttons: Vec<String>,
    /// The beginning of the media type of the one file that goes with it; none when it
    /// takes none.
    pub file: Option<&'static str>,
}

/// A gap in a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateVariable {
    /// Its name within the template.
    pub id: String,
    /// How it may be filled.
    pub example: String,
}

/// A template with what was said to fill it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilledTemplate {
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// What each variable becomes.
    pub values: BTreeMap<String, String>,
}

impl Template {
    /// The words with their gaps filled; a gap without a value stays as it is.
    pub fn filled(&self, values: &BTreeMap<String, String>) -> String {
        let mut filled = String::with_capacity(self.text.len());
        let mut rest = self.text.as_str();
        while let Some((before, behind)) = rest.split_once("{{") {
            filled.push_str(before);
            let gap = behind.split_once("}}");
            let value = gap.and_then(|(id, after)| Some((values.get(id)?.as_str(), after)));
            let (value, after) = value.unwrap_or(("{{", behind));
            filled.push_str(value);
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_once_and_with_what_is_known() {
        let template = |text: &str| Template {
            text: text.to_owned(),
            ..Template::default()
        };
        let values = BTreeMap::from([
            ("1".to_owned(), "Anna {{2}}".to_owned()),
            ("2".to_owned(), "7".to_owned()),
        ]);
        let filled = |text: &str| template(text).filled(&values);
        assert_eq!(filled("Hi {{1}}, {{2}}!"), "Hi Anna {{2}}, 7!");
        assert_eq!(filled("{{3}} {{1"), "{{3}} {{1");
        assert_eq!(filled("{{3 {{2}}"), "{{3 7");
        assert_eq!(filled(""), "");
    }
}
