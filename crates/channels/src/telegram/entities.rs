//! Formatting: the Bot API tells it beside the text, by UTF-16 units.

use domain::message::Text;

use super::update::Entity;
use crate::sanitize;

/// More of them are not looked at.
const ENTITIES_MAX: usize = 200;

/// A text with its formatting, if it has any that is shown.
pub(super) fn text(plain: &str, entities: &[Entity]) -> Text {
    Text {
        plain: plain.to_owned(),
        html: html(plain, entities),
    }
}

fn html(plain: &str, entities: &[Entity]) -> Option<String> {
    let units: Vec<u16> = plain.encode_utf16().collect();
    let shown = entities.iter().take(ENTITIES_MAX).filter_map(|entity| {
        let end = entity.offset.checked_add(entity.length)?;
        let (open, close) = tags(entity, units.get(entity.offset..end)?)?;
        Some((entity.offset, end, open, close))
    });
    let mut shown: Vec<_> = shown.collect();
    if shown.is_empty() {
        return None;
    }
    // The outer ones first.
    shown.sort_by_key(|(start, end, ..)| (*start, std::cmp::Reverse(*end)));
    let mut html = String::with_capacity(plain.len() * 2);
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut next = shown.iter().peekable();
    let mut at = 0;
    for letter in plain.chars() {
        close(&mut open, at, &mut html);
        while let Some((_, end, tag, closing)) = next.next_if(|(start, ..)| *start <= at) {
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

fn tags(entity: &Entity, words: &[u16]) -> Option<(String, &'static str)> {
    let plain = |open: &str, close| Some((open.to_owned(), close));
    match entity.kind.as_str() {
        "bold" => plain("<b>", "</b>"),
        "italic" => plain("<i>", "</i>"),
        "underline" => plain("<u>", "</u>"),
        "strikethrough" => plain("<s>", "</s>"),
        "code" => plain("<code>", "</code>"),
        "pre" => plain("<pre>", "</pre>"),
        "blockquote" | "expandable_blockquote" => plain("<blockquote>", "</blockquote>"),
        "text_link" => link(entity.url.as_deref()?),
        "url" => link(&String::from_utf16(words).ok()?),
        _ => None,
    }
}

fn link(url: &str) -> Option<(String, &'static str)> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let safe = url.replace('&', "&amp;").replace('"', "&quot;");
    let safe = safe.replace('<', "&lt;");
    is_web.then(|| (format!("<a href=\"{safe}\">"), "</a>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(kind: &str, offset: usize, length: usize) -> Entity {
        Entity {
            kind: kind.to_owned(),
            offset,
            length,
            url: Some("https://example.com/?a=1&b=\"2".to_owned()),
        }
    }

    #[test]
    fn units_are_of_utf_16() {
        let shown = html("👍 да & нет", &[mark("bold", 3, 2)]);
        assert_eq!(shown.as_deref(), Some("👍 <b>да</b> &amp; нет"));
    }

    #[test]
    fn marks_within_marks_are_well_formed() {
        let marks = [mark("italic", 2, 2), mark("bold", 0, 6), mark("code", 3, 9)];
        let shown = html("abcdefghijkl", &marks);
        assert_eq!(shown.as_deref(), Some("<b>ab<i>cd</i>ef</b>ghijkl"));
    }

    #[test]
    fn links_lead_only_into_the_web() {
        let shown = html("here", &[mark("text_link", 0, 4)]).unwrap_or_default();
        let target = "href=\"https://example.com/?a=1&amp;b=&quot;2\"";
        assert!(shown.contains(target), "{shown}");
        let mut evil = mark("text_link", 0, 4);
        evil.url = Some("javascript:alert(1)".to_owned());
        assert_eq!(html("here", &[evil]), None);
    }

    #[test]
    fn marks_beyond_the_text_are_none() {
        for (offset, length) in [(3, 9), (9, 1), (usize::MAX, 2), (0, usize::MAX)] {
            assert_eq!(html("abc", &[mark("bold", offset, length)]), None);
        }
        assert_eq!(html("abc", &[mark("hashtag", 0, 3)]), None);
    }
}
