//! Foreign HTML made safe to show, and made plain.

mod escape;
mod plain;
mod rebuild;
mod shown;
mod tokens;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

pub use plain::{OLDER, plain_from_html, quoted_plain_from_html};

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
    let written = rebuild::rebuild(raw, Images::Left);
    Some(CLEANER.clean(&written).to_string())
}

/// The same for a letter: a picture from elsewhere keeps its address as `data-src`,
/// which loads nothing until the reader asks for it.
pub fn letter(raw: &str) -> Option<String> {
    if raw.len() > HTML_BYTES_MAX {
        return None;
    }
    let written = rebuild::rebuild(raw, Images::Held);
    Some(LETTER_CLEANER.clean(&written).to_string())
}

/// Plain text as HTML that looks like it.
pub fn html_from_plain(plain: &str) -> String {
    let mut html = String::with_capacity(plain.len());
    for (index, line) in plain.lines().enumerate() {
        if index > 0 {
            html.push_str("<br>");
        }
        escape::escape(&line.replace('&', "&amp;"), &mut html);
    }
    html
}

/// What becomes of pictures from elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Images {
    /// The words for them are shown.
    Left,
    /// They stand in their place, and are not loaded.
    Held,
}

/// Whether an address is of a picture that may be held.
fn is_held(address: &str) -> bool {
    let scheme = |scheme: &str| {
        let start = address.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    scheme("https://") || scheme("http://")
}

static CLEANER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| cleaner(Images::Left));

static LETTER_CLEANER: LazyLock<ammonia::Builder<'static>> =
    LazyLock::new(|| cleaner(Images::Held));

fn cleaner(images: Images) -> ammonia::Builder<'static> {
    let tags: HashSet<&str> = shown::shown().map(|(name, _)| name).collect();
    let mut attributes: HashMap<&str, HashSet<&str>> = shown::shown()
        .map(|(name, attributes)| (name, attributes.collect()))
        .collect();
    if images == Images::Held {
        attributes.entry("img").or_default().insert("data-src");
    }
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
                ("img", "data-src") => is_held(value).then_some(Cow::Borrowed(value)),
                (_, "href") if from_this_mail => None,
                _ => Some(Cow::Borrowed(value)),
            }
        });
    builder
}

#[cfg(test)]
mod tests;
