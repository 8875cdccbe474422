//! Formatting that a provider tells beside a text, by UTF-16 units.

use crate::sanitize;

/// More of them are not looked at.
pub(crate) const MARKS_MAX: usize = 200;

/// A part of a text that looks otherwise.
pub(crate) struct Mark {
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) tag: Tag,
}

/// What stands before and behind such a part.
pub(crate) type Tag = (String, &'static str);

/// A tag without anything in it.
pub(crate) fn tag(open: &str, close: &'static str) -> Tag {
    (open.to_owned(), close)
}

/// What leads into the web; nothing else is a link.
pub(crate) fn link(url: &str) -> Option<Tag> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let safe = url.replace('&', "&amp;").replace('"', "&quot;");
    let safe = safe.replace('<', "&lt;");
    is_web.then(|| (format!("<a href=\"{safe}\">"), "</a>"))
}

/// A text with its formatting, if it has any that is shown.
pub(crate) fn html(plain: &str, marks: impl Iterator<Item = Mark>) -> Option<String> {
    let length = plain.encode_utf16().count();
    let shown = marks.filter_map(|mark| {
        let end = mark.offset.checked_add(mark.length)?;
        (end <= length).then_some((mark.offset, end, mark.tag))
    });
    let mut shown: Vec<_> = shown.collect();
    if shown.is_empty() {
        return None;
    }
    // The outer ones first.
    shown.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
    let mut html = String::with_capacity(plain.len() * 2);
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut next = shown.iter().peekable();
    let mut at = 0;
    for letter in plain.chars() {
        close(&mut open, at, &mut html);
        while let Some((_, end, (tag, closing))) = next.next_if(|(start, ..)| *start <= at) {
            // One that ends behind what it is in would not be well-formed.
            let within = open.last().is_none_or(|(outer, _)| end <= outer);
            if within {
                html.push_str(tag);
                open.push((*end, closing));
            }
        }
        match letter {
            '\n' => html.push_str("<br>"),
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            letter => html.push(letter),
        }
        at += letter.len_utf16();
    }
    close(&mut open, usize::MAX, &mut html);
    sanitize::html(&html)
}

fn close(open: &mut Vec<(usize, &str)>, at: usize, html: &mut String) {
    while let Some((_, closing)) = open.pop_if(|(end, _)| *end <= at) {
        html.push_str(closing);
    }
}
