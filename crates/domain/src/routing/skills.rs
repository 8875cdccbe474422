use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Abilities and languages by name, such as `billing` or `lang:ru`: what a
/// conversation needs, or what an operator has.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Skills(Arc<BTreeSet<String>>);

impl Skills {
    /// True when nothing is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True for whoever has all that is needed.
    pub fn cover(&self, needed: &Self) -> bool {
        needed.0.is_subset(&self.0)
    }

    /// Those that are not among the others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        self.0.difference(&others.0).cloned().collect()
    }

    /// Both.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        if others.is_empty() {
            return self.clone();
        }
        self.0.union(&others.0).cloned().collect()
    }

    /// In the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<S: Into<String>> FromIterator<S> for Skills {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self(Arc::new(names.into_iter().map(Into::into).collect()))
    }
}
