//! What is shown of foreign HTML.

/// Every element that is shown, with what it may carry.
pub(super) const SHOWN: &[(&str, &[&str])] = &[
    ("a", &["href"]),
    ("abbr", &[]),
    ("b", &[]),
    ("blockquote", &[]),
    ("br", &[]),
    ("code", &[]),
    ("dd", &[]),
    ("del", &[]),
    ("div", &[]),
    ("dl", &[]),
    ("dt", &[]),
    ("em", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("h3", &[]),
    ("h4", &[]),
    ("h5", &[]),
    ("h6", &[]),
    ("hr", &[]),
    ("i", &[]),
    ("img", &["src", "width", "height", "alt"]),
    ("ins", &[]),
    ("li", &[]),
    ("ol", &[]),
    ("p", &[]),
    ("pre", &[]),
    ("q", &[]),
    ("s", &[]),
    ("small", &[]),
    ("span", &[]),
    ("strong", &[]),
    ("sub", &[]),
    ("sup", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &["colspan", "rowspan"]),
    ("tfoot", &[]),
    ("th", &["colspan", "rowspan"]),
    ("thead", &[]),
    ("tr", &[]),
    ("u", &[]),
    ("ul", &[]),
];

/// What every shown element may carry.
pub(super) const COMMON: &[&str] = &["dir", "lang", "title"];

pub(super) const BLOCKS: &[&str] = &[
    "blockquote",
    "dd",
    "div",
    "dl",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "table",
    "ul",
];
pub(super) const CELLS: &[&str] = &["td", "th"];
pub(super) const ROW_GROUPS: &[&str] = &["tbody", "tfoot", "thead"];
pub(super) const TABLE_PARTS: &[&str] = &["table", "tbody", "tfoot", "thead", "tr"];
pub(super) const LISTS: &[&str] = &["dl", "ol", "ul", "blockquote"];

/// The names of all shown elements, with what each may carry.
pub(super) fn shown() -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str>)> {
    SHOWN
        .iter()
        .map(|(name, own)| (*name, own.iter().chain(COMMON).copied()))
}

/// Whether an element stands on lines of its own.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name) || name == "tr"
}

/// Whether an element is a heading.
pub(super) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}
