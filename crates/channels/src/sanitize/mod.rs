//! Foreign HTML made safe to show, and made plain.

mod escape;
mod plain;
mod rebuild;
mod shown;
mod tokens;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

pub use plain::plain_from_html;

/// Longer texts are not shown as HTML. Newsletters reach some 200 KB.
pub const HTML_BYTES_MAX: usize = 1 << 20;

/// Makes foreign HTML safe: text, links, lists and tables. Nothing is loaded from
/// elsewhere, nothing runs, nothing is styled. None when it is too large to be
/// shown; [`plain_from_html`] still works then.
///
/// The result comes out the same when it is put in again.
pub fn html(raw: &str) -> Option<String> {
    if raw.len() > HTML_BYTES_MAX {
        return None;
    }
    let written = rebuild::rebuild(raw);
    Some(CLEANER.clean(&written).to_string())
}

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let tags: HashSet<&str> = shown::shown().map(|(name, _)| name).collect();
    let attributes: HashMap<&str, HashSet<&str>> = shown::shown()
        .map(|(name, attributes)| (name, attributes.collect()))
        .collect();
    let mut builder = ammonia::Builder::empty();
    builder
        .tags(tags)
        .tag_attributes(attributes)
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "cid"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("noopener nofollow"))
        .attribute_filter(|element, attribute, value| {
            let from_this_mail = value
                .get(..4)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("cid:"));
            match (element, attribute) {
                ("img", "src") => from_this_mail.then_some(Cow::Borrowed(value)),
                (_, "href") if from_this_mail => None,
                _ => Some(Cow::Borrowed(value)),
            }
        });
    builder
});

#[cfg(test)]
mod tests;
