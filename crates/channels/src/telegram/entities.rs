//! Formatting: the Bot API tells it beside the text, by UTF-16 units.

use domain::message::Text;

use super::update::Entity;
use crate::marks::{self, MARKS_MAX, Mark, Tag, tag};

/// A text with its formatting, if it has any that is shown.
pub(super) fn text(plain: &str, entities: &[Entity]) -> Text {
    Text {
        plain: plain.to_owned(),
        html: html(plain, entities),
    }
}

fn html(plain: &str, entities: &[Entity]) -> Option<String> {
    let units: Vec<u16> = plain.encode_utf16().collect();
    let marks = entities.iter().take(MARKS_MAX).filter_map(|entity| {
        let end = entity.offset.checked_add(entity.length)?;
        Some(Mark {
            offset: entity.offset,
            length: entity.length,
            tag: tag_of(entity, units.get(entity.offset..end)?)?,
        })
    });
    marks::html(plain, marks)
}

fn tag_of(entity: &Entity, words: &[u16]) -> Option<Tag> {
    match entity.kind.as_str() {
        "bold" => Some(tag("<b>", "</b>")),
        "italic" => Some(tag("<i>", "</i>")),
        "underline" => Some(tag("<u>", "</u>")),
        "strikethrough" => Some(tag("<s>", "</s>")),
        "code" => Some(tag("<code>", "</code>")),
        "pre" => Some(tag("<pre>", "</pre>")),
        "blockquote" | "expandable_blockquote" => Some(tag("<blockquote>", "</blockquote>")),
        "text_link" => marks::link(entity.url.as_deref()?),
        "url" => marks::link(&String::from_utf16(words).ok()?),
        _ => None,
    }
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
